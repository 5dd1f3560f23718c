"""A collection of a TAXII 2.1 server, asked page after page; the server is on loopback."""

import json
from collections.abc import Iterator

import pytest

from lazaretto.app.ports import NotFound, Untrusted
from lazaretto.infra import taxii
from lazaretto.infra.http import HttpClient
from lazaretto.infra.redact import Secret
from lazaretto.infra.taxii import MEDIA_TYPE, collection, is_collection
from lazaretto.infra.transport import Credentials, Transport
from tests.infra.servers import Handler, Server, server

PATH = "/api1/collections/91a7b528/objects/"


@pytest.fixture
def site() -> Iterator[Server]:
    """Return a server."""
    with server() as made:
        yield made


def pages(site: Server, *answers: object) -> str:
    """Answer one envelope after the other; return the collection's address."""
    left = list(answers)

    def page(handler: Handler) -> None:
        handler.answer(200, json.dumps(left.pop(0)).encode(), Content_Type=MEDIA_TYPE)

    site.pages[PATH] = page
    return site.url + PATH.removesuffix("objects/")


def read(address: str, token: str | None = None) -> list[object]:
    """Return the objects of a collection."""
    credentials = Credentials(Secret(f"Bearer {token}")) if token else None
    found: list[object] = json.loads(collection(address, HttpClient(Transport()), credentials))["objects"]
    return found


def test_pages_are_put_together(site: Server) -> None:
    """With the media type of the standard, the token, and the mark of the next page as the server gave it."""
    address = pages(site, {"more": True, "next": "a b", "objects": [{"id": "1"}]}, {})
    with pytest.raises(Untrusted, match="not where"):
        read(address)
    address = pages(site, {"more": True, "next": "p/2", "objects": [{"id": "1"}]}, {"objects": [{"id": "2"}]})
    assert read(address, "secret") == [{"id": "1"}, {"id": "2"}]
    path, headers = site.requests[-1]
    assert path == f"{PATH}?limit=1000&next=p%2F2"
    assert headers["accept"] == MEDIA_TYPE
    assert headers["authorization"] == "Bearer secret"


def test_a_server_without_end_is_not_believed(site: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same mark twice, too many pages, too many bytes."""
    again = {"more": True, "next": "same"}
    with pytest.raises(Untrusted, match="not where"):
        read(pages(site, again, again, again))
    monkeypatch.setattr(taxii, "MAX_PAGES", 2)
    with pytest.raises(Untrusted, match="more than 2 pages"):
        read(pages(site, *({"more": True, "next": str(number)} for number in range(3))))
    monkeypatch.setattr(taxii, "MAX_BYTES", 20)
    with pytest.raises(Untrusted):
        read(pages(site, {"objects": [{"id": "x" * 20}]}))


def test_what_is_no_envelope(site: Server) -> None:
    """A list, a page that is not there."""
    with pytest.raises(Untrusted, match=r"no envelope of TAXII 2\.1"):
        read(pages(site, []))
    with pytest.raises(NotFound):
        read(f"{site.url}/other/collections/1")


def test_addresses_of_collections() -> None:
    """With or without the objects; anything else is a document."""
    assert is_collection("https://intel.invalid/api/collections/1/")
    assert is_collection("https://intel.invalid/api/collections/1/objects/")
    assert not is_collection("https://intel.invalid/api/collections/")
    assert not is_collection("https://intel.invalid/bundle.json")
