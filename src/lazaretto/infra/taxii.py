"""A collection of a TAXII 2.1 server (OASIS, 2021), page after page, as one bundle.

Only what is public or asked for with a bearer token: whoever needs another way to log in puts a proxy before it.
"""

import re

import msgspec

from lazaretto.app.ports import Untrusted
from lazaretto.infra.http import HttpClient
from lazaretto.infra.redact import without_credentials
from lazaretto.infra.transport import Credentials, Limits

MEDIA_TYPE = "application/taxii+json;version=2.1"
MAX_PAGES = 10_000
MAX_BYTES = 256 << 20
PAGE = 1000
"""Objects that are asked for at once."""

PAGE_SECONDS = 120.0

_COLLECTION = re.compile(r"https?://[^?#]+/collections/[^/?#]+(?:/objects)?/?")
_NEXT = re.compile(r"[\w.~%+/=:-]{1,1000}", re.ASCII)


class _Envelope(msgspec.Struct):
    """An answer (TAXII 2.1, 3.7). A server that has nothing answers with an empty object."""

    more: bool = False
    next: str | None = None
    objects: list[msgspec.Raw] = []


def is_collection(address: str) -> bool:
    """Whether an address is that of a collection, or of its objects."""
    return _COLLECTION.fullmatch(address) is not None


def collection(address: str, http: HttpClient, credentials: Credentials | None) -> bytes:
    """Return all objects of a collection as a bundle.

    Raises:
        Untrusted: the server answers something else, or without end.
        NotFound, Unavailable: see ``HttpClient.get``.
    """
    from urllib.parse import quote

    base = address.rstrip("/")
    objects = f"{base if base.endswith('/objects') else f'{base}/objects'}/?limit={PAGE}"
    limits = Limits(max_bytes=MAX_BYTES, total=PAGE_SECONDS)
    pieces: list[bytes] = []
    size, asked = 0, objects
    seen: set[str] = set()
    for _ in range(MAX_PAGES):
        answer = http.get(asked, headers={"accept": MEDIA_TYPE}, credentials=credentials, limits=limits)
        try:
            page = msgspec.json.decode(answer.body, type=_Envelope)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise Untrusted(f"{without_credentials(asked)} answers no envelope of TAXII 2.1: {error}") from None
        pieces += [bytes(one) for one in page.objects]
        size += sum(len(one) for one in page.objects)
        if size > MAX_BYTES:
            raise Untrusted(f"{without_credentials(objects)} holds more than {MAX_BYTES} bytes")
        if not page.more:
            return b'{"type":"bundle","objects":[' + b",".join(pieces) + b"]}"
        if not page.next or page.next in seen or not _NEXT.fullmatch(page.next):
            raise Untrusted(f"{without_credentials(objects)} says that there is more, and not where")
        seen.add(page.next)
        asked = f"{objects}&next={quote(page.next, safe='')}"
    raise Untrusted(f"{without_credentials(objects)} has more than {MAX_PAGES} pages")
