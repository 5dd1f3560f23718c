"""The routes against whoever wants bytes that are not allowed, or wants the firewall to say what it must not."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import product
from pathlib import Path

import pytest

from lazaretto.app.ports import LedgerError, ReadAnswer, ReadRequest, Served
from lazaretto.core.names import Digest
from tests.e2e.street import JSON
from tests.infra.servers import Server
from tests.surfaces.firewall.street import Street, street

HELD, WHEEL = "thing-1.1.0.tgz", "thing-1.1.0-py3-none-any.whl"


@pytest.fixture
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Street]:
    """Return a service in front of a held release in both ecosystems, with a group that observes."""
    lab = '[firewall.groups.lab]\nmode = "observe"\nnetworks = ["192.0.2.0/24"]'
    with street(tmp_path, monkeypatch, f'trusted_proxies = ["127.0.0.1"]\n{lab}', patience="0s") as made:
        made.upstream.npm("thing", "1.0.0", age=400)
        made.upstream.npm("thing", "1.1.0", age=1, held=True)
        made.upstream.npm("@team/thing", "2.0.0", age=400)
        made.upstream.pypi("thing", "1.0.0", age=400)
        made.upstream.pypi("thing", "1.1.0", age=1, held=True)
        for path in ("/npm/thing", "/pypi/simple/thing/"):
            made.ask(path)
        for request in list(made.hands.futures):
            if request.version == "1.1.0":
                made.hands.futures.pop(request).set_result(held(request))
        yield made


def held(request: ReadRequest) -> ReadAnswer:
    digest = Digest(f"sha256:{sha256(b'read').hexdigest()}")
    return ReadAnswer(request.told, digest, "hold", True, True, False, "read: hold")


@pytest.mark.parametrize(
    "path",
    [
        f"/npm/thing/-/{HELD}",
        f"/npm/thing/-/{HELD}?v=1",
        f"/npm/thing/-/{HELD}?url=http://localhost/",
        f"/npm/thing/-//{HELD}",
        f"/npm//thing/-/{HELD}",
        f"/npm/thing/-/{HELD}/",
        f"/npm/thing/-/./{HELD}",
        f"/npm/thing/-/../-/{HELD}",
        f"/npm/thing/-/{HELD}\x00",
        f"/npm/thing/-/{HELD} ",
        f"/npm/thing/-/{HELD};a",
        f"/npm/thing/-/{HELD}#x",
        f"/npm/thing/-/{HELD.upper()}",
        f"/npm/Thing/-/{HELD}",
        f"/npm/@team/thing/-/{HELD}",
        f"/npm/@/thing/-/{HELD}",
        "/npm/thing/-/thing-1.0.0.tgz/../thing-1.1.0.tgz",
        "/npm/thing/-/..\\thing-1.1.0.tgz",
        "/npm/../npm/thing/1.1.0",
        "/npm/thing/1.1.0",
        "/npm/thing/v1.1.0",
        "/npm/thing/=1.1.0",
        "/npm/thing/^1.1.0",
        "/npm/-/thing/1.1.0",
        f"/pypi/files/thing/{WHEEL}",
        f"/pypi/files/Thing/{WHEEL}",
        f"/pypi/files/th-ing/{WHEEL}",
        f"/pypi/files/thing/{WHEEL}.metadata",
        f"/pypi/files/thing/{WHEEL}.provenance",
        f"/pypi/files/thing/{WHEEL}.metadata.metadata",
        f"/pypi/files/thing/{WHEEL}.asc",
        f"/pypi/files/thing/{WHEEL}\x00.metadata",
        f"/pypi/files/thing//{WHEEL}",
        f"/pypi/files/thing/x/../{WHEEL}",
        f"/pypi/files/other/{WHEEL}",
        f"/pypi/files//{WHEEL}",
        f"/pypi/files/thing/{WHEEL.upper()}",
    ],
)
def test_no_spelling_of_an_address_leads_to_a_held_release(town: Street, path: str) -> None:
    """Refused or not found, whatever conditions and ranges come with it; nothing is written down as handed out."""
    odd: tuple[dict[str, str], ...] = (
        {},
        {"range": "bytes=0-9"},
        {"if_none_match": "*"},
        {"x_forwarded_host": "localhost"},
    )
    for method, headers in product(("GET", "HEAD"), odd):
        said = town.ask(path, method, b"", **headers)
        assert said.status in (303, 400, 403, 404), (path, method, headers, said)
        assert town.upstream.data[HELD] not in said.body
        assert b"Metadata-Version" not in said.body
    assert town.app.ledger.counts()["handed out"] == 0


def test_what_cannot_be_a_name_is_not_found(town: Street) -> None:
    """It is the client's mistake, not the registry's, and asking again will not help; the registry is not asked."""
    asked = len(town.upstream.server.requests)
    for name in (".bad", "..", "a b", "thing\x00", "thing%3fx", "@/x", "x" * 600, "ä", "a%2fb"):
        for path in (f"/npm/{name}", f"/npm/{name}/-/x-1.0.0.tgz", f"/npm/-/package/{name}/dist-tags"):
            assert town.ask(path).status == 404, path
        for path in (f"/pypi/simple/{name}/", f"/pypi/files/{name}/x.whl"):
            assert town.ask(path).status == 404, path
    assert len(town.upstream.server.requests) == asked


@pytest.mark.parametrize("wanted", ["bytes=0-²", "bytes=²-", f"bytes=0-{'9' * 5000}", f"bytes=-{'9' * 5000}"])
def test_a_range_that_is_no_number_is_ignored(town: Street, wanted: str) -> None:
    """An odd header is no error of the registry's."""
    said = town.ask("/npm/thing/-/thing-1.0.0.tgz", range=wanted)
    assert said.status == 200
    assert said.body == town.upstream.data["thing-1.0.0.tgz"]


def test_what_stands_beside_an_unread_file_waits_with_it(town: Street) -> None:
    """Metadata steer a resolver, so they need the same permission as the file whose they are."""
    town.upstream.pypi("fresh", "1.0.0", age=1)
    beside = "/pypi/files/fresh/fresh-1.0.0-py3-none-any.whl.metadata"
    assert town.ask(beside).status == 503
    town.hands.answer("1.0.0", "allow", town.upstream.data["fresh-1.0.0-py3-none-any.whl"])
    said = town.ask(beside)

    assert (said.status, b"Version: 1.0.0" in said.body) == (200, True)


def test_metadata_that_the_index_does_not_announce_are_not_asked_for(town: Street) -> None:
    """Nothing says what they should be."""
    town.upstream.pypi("bare", "1.0.0", age=400)
    files = [{**file, "core-metadata": False} for file in town.upstream._projects["bare"]]
    page = {"meta": {"api-version": "1.1"}, "name": "bare", "versions": ["1.0.0"], "files": files}
    town.upstream.server.says("/simple/bare/", json.dumps(page).encode(), Content_Type=JSON)

    assert town.ask("/pypi/files/bare/bare-1.0.0-py3-none-any.whl").status == 200
    assert town.ask("/pypi/files/bare/bare-1.0.0-py3-none-any.whl.metadata").status == 404
    assert not [path for path in town.upstream.server.paths() if path.endswith(".metadata")]


def test_groups_share_no_page_and_no_tag(town: Street) -> None:
    """Who observes sees the held release; his page, and its tag, are not those of the others, in whatever order."""
    for _ in range(2):
        lab = town.ask("/npm/thing", x_forwarded_for="192.0.2.7")
        others = town.ask("/npm/thing", if_none_match=lab.headers["etag"])
        assert "1.1.0" in json.loads(lab.body)["versions"]
        assert (others.status, list(json.loads(others.body)["versions"])) == (200, ["1.0.0"])
        assert town.ask("/npm/thing", x_forwarded_for="192.0.2.7", if_none_match=others.headers["etag"]).status == 200
    assert town.ask(f"/npm/thing/-/{HELD}", x_forwarded_for="192.0.2.7").body == town.upstream.data[HELD]
    assert town.ask(f"/npm/thing/-/{HELD}").status == 403


def test_the_host_in_a_page_is_one_of_ours(town: Street) -> None:
    """Another is refused, whichever header claims it; what is printed for one of ours is not kept for another."""
    for headers in ({"host": "evil.invalid"}, {"x_forwarded_host": "evil.invalid"}, {"host": "localhost:8790@evil"}):
        assert town.ask("/npm/thing", "GET", b"", **headers).status in (400, 421)
    first = town.ask("/npm/thing", host="localhost:1")
    second = town.ask("/npm/thing", host="127.0.0.1:2", if_none_match=first.headers["etag"])
    assert b"http://localhost:1/npm/" in first.body
    assert b"http://127.0.0.1:2/npm/" in second.body
    assert b"localhost:1/" not in second.body


def test_redirects_lead_to_where_clients_see_us(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind a balancer that serves us below a folder, that folder is part of every address we give."""
    with street(tmp_path, monkeypatch, 'public_url = "https://packages.example.invalid/gate"') as town:
        town.upstream.pypi("thing", "1.0.0", age=400)
        town.upstream.pypi("thing", "1.1.0", age=1)
        host = "packages.example.invalid"
        moved = town.ask("/pypi/simple/Thing", host=host)
        town.ask("/pypi/simple/thing/", host=host)
        town.hands.answer("1.1.0", "hold", town.upstream.data[WHEEL])
        refused = town.ask(f"/pypi/files/thing/{WHEEL}", host=host)

    assert moved.headers["location"] == "https://packages.example.invalid/gate/pypi/simple/thing/"
    assert refused.headers["location"].startswith("https://packages.example.invalid/gate/pypi/withheld/")


def test_an_unexpected_failure_of_the_record_ends_nobody_elses_download(
    town: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever met it is told; who comes after it is served, and nobody waits for ever."""
    real, failures = town.app.ledger.serve, iter([UnicodeEncodeError("utf-8", "x", 0, 1, "odd"), LedgerError("full")])

    def serve(rows: Sequence[Served]) -> None:
        failure = next(failures, None)
        if failure is not None:
            raise failure
        real(rows)

    monkeypatch.setattr(town.app.ledger, "serve", serve)
    monkeypatch.setattr(town.app.ledger, "serve_at_once", lambda _: 0)

    async def asked() -> list[int]:
        path = "/npm/thing/-/thing-1.0.0.tgz"
        return [(await asyncio.wait_for(town.asked(path), 5)).status for _ in range(3)]

    assert town.run(asked()) == [502, 503, 200]


def test_the_credentials_of_an_upstream_are_told_to_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Not in a page, an error or a log, whatever fails; not even if the address of the upstream holds them."""
    plain = vars(Server)["url"].fget
    monkeypatch.setattr(Server, "url", property(lambda self: plain(self).replace("//", "//ada:s3cret@")))
    said = []
    with street(tmp_path, monkeypatch) as town:
        town.upstream.npm("thing", "1.0.0", age=400)
        town.upstream.pypi("thing", "1.0.0", age=400)
        paths = (
            "/npm/thing",
            "/npm/thing/1.0.0",
            "/npm/thing/-/thing-1.0.0.tgz",
            "/npm/missing",
            "/npm/-/v1/search?text=x",
            "/npm/torn",
            "/pypi/simple/thing/",
            "/pypi/files/thing/thing-1.0.0-py3-none-any.whl.provenance",
            "/pypi/simple/missing/",
            "/pypi/simple/torn/",
        )
        town.upstream.server.says("/npm/torn", b"{", Content_Type="application/json")
        town.upstream.server.says("/simple/torn/", b"{", Content_Type=JSON)
        said += [town.ask(path) for path in paths]
        said.append(town.ask("/npm/-/npm/v1/security/audits", "POST", b"{}"))
        town.upstream.down()
        town.upstream.server.says("/npm/other", b"s3cret", 500)
        said += [town.ask(path) for path in ("/npm/other", "/pypi/simple/other/", "/npm/-/v1/search?text=x")]
        said.append(town.ask("/metrics"))
    for one in said:
        assert b"s3cret" not in one.body, one
        assert "s3cret" not in str(one.headers), one
    assert [one.status for one in said[:3]] == [200, 200, 200]
    assert "s3cret" not in "".join(capfd.readouterr())
