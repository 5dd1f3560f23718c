"""Index pages as HTTP lets them be kept (RFC 9111): asked for only if they changed, or not yet again.

A page is *fresh* for as long as the registry says (``Cache-Control``, less ``Age``), and never for longer than whoever
asks accepts; of a registry that says nothing, for as long as is accepted. A fresh page is not asked for. Any other is,
with its ETag. What a page says is remembered beside it, so that its bytes are read only if that is not known.
"""

import re
from collections.abc import Callable
from hashlib import sha256

import msgspec
from msgspec import Struct

from lazaretto import __version__
from lazaretto.app.ports import Clock, IndexPage, Untrusted
from lazaretto.core.model import Project
from lazaretto.core.names import ProjectName
from lazaretto.infra.clock import SystemClock
from lazaretto.infra.http import Answer
from lazaretto.infra.pages import PageFolder
from lazaretto.infra.redact import shown

PROJECT_VERSION = 3
"""Raise it whenever what a page is understood to say may change."""

ParsePage = Callable[[ProjectName, bytes, str, str], Project]
"""Project, body, media type, address -> what the page says; raises ValueError with the place."""

Ask = Callable[[str | None], Answer]
"""Asks for a page, with an ETag if one is known."""

_MAX_AGE = re.compile(r"(?:^|,)\s*max-age\s*=\s*\"?(\d{1,9})\"?\s*(?=,|$)", re.IGNORECASE)
_NEVER = re.compile(r"(?:^|,)\s*(?:no-cache|no-store)\b", re.IGNORECASE)


class _Seen(Struct, frozen=True, array_like=True):
    """How a page came: ``url`` is where it was in the end, ``lifetime`` how many seconds it may be kept, if said."""

    etag: str
    media_type: str
    url: str
    lifetime: int | None


class Page(Struct, frozen=True):
    """A page as it is now. ``digest`` is the SHA-256 of its bytes, which ``whole`` reads."""

    media_type: str
    url: str
    digest: str
    whole: Callable[[], IndexPage]


class IndexPages:
    """Asks for pages and keeps them. ``max_age``: seconds for which a page may be taken as it was."""

    def __init__(self, folder: PageFolder | None, max_age: float = 0.0, clock: Clock | None = None) -> None:
        self._folder = folder
        self._max_age = max_age
        self._clock = clock or SystemClock()
        self._unasked: set[str] = set()
        self._renewed: set[str] = set()

    def page(self, url: str, ask: Ask) -> Page:
        """Return a page. Raises what ``ask`` raises, and Untrusted if nothing is answered that could be meant."""
        folder = self._folder
        known = folder.known(url) if folder is not None else None
        seen = _decoded(known.head) if known is not None else None
        if folder is None or known is None or seen is None:
            return self._came(url, ask(None))
        if self._fresh(seen, known.confirmed) and url not in self._renewed:
            self._unasked.add(url)
        else:
            answer = ask(seen.etag or None)
            if answer.status != 304 or not seen.etag:
                return self._came(url, answer)
            folder.confirm(url)
        return self._there(folder, url, seen, known.digest, ask)

    def renew(self, url: str) -> bool:
        """Ask for a page the next time, if it was taken as it was; return whether it was."""
        if url not in self._unasked:
            return False
        self._unasked.discard(url)
        self._renewed.add(url)
        return True

    def _fresh(self, seen: _Seen, confirmed: float) -> bool:
        lifetime = self._max_age if seen.lifetime is None else min(seen.lifetime, self._max_age)
        return lifetime > 0 and 0 <= self._clock.now().timestamp() - confirmed < lifetime

    def kept(self, url: str) -> IndexPage | None:
        """Return a page as it was last seen, or None."""
        known = self._folder.get(url) if self._folder is not None else None
        seen = _decoded(known[0]) if known is not None else None
        return IndexPage(known[1], seen.media_type, url) if known is not None and seen is not None else None

    def _came(self, url: str, answer: Answer) -> Page:
        if answer.status == 304:
            raise Untrusted(f"{shown(url)} answers 304 (not modified) although nothing is known of it yet")
        digest = sha256(answer.body).hexdigest()
        media_type = answer.headers.get("content-type", "")
        seen = _Seen(answer.headers.get("etag", ""), media_type, answer.url, _lifetime(answer))
        if self._folder is not None:
            self._folder.keep(url, msgspec.json.encode(seen).decode(), answer.body, digest)
        page = IndexPage(answer.body, media_type, answer.url)
        return Page(media_type, answer.url, digest, lambda: page)

    def _there(self, folder: PageFolder, url: str, seen: _Seen, digest: str, ask: Ask) -> Page:
        def whole() -> IndexPage:
            known = folder.get(url)
            if known is None:  # it was there a moment ago, but for its last bytes
                return self._came(url, ask(None)).whole()
            return IndexPage(known[1], seen.media_type, seen.url)

        return Page(seen.media_type, seen.url, digest, whole)


class Understanding:
    """Remembers what the latest page of each address says: to read that again takes a tenth of the time.

    It is believed only of exactly the same bytes under the same name, media type and address, and by the same version
    of the product.
    """

    def __init__(self, parse: ParsePage, projects: PageFolder | None) -> None:
        self._parse = parse
        self._projects = projects
        self._given: dict[ProjectName, tuple[str, str]] = {}

    def __call__(self, name: ProjectName, page: Page) -> Project:
        """Return what a page says. Raises ValueError with the place, and what reading its bytes raises."""
        head = _head(name, page.digest, page.media_type, page.url)
        self._given[name] = page.url, head
        known = self.again(name)
        if known is not None:
            return known[0]
        whole = page.whole()
        project = self._parse(name, whole.body, whole.media_type, whole.url)
        if self._projects is not None:
            head = _head(name, sha256(whole.body).hexdigest(), whole.media_type, whole.url)
            self._projects[whole.url] = (head, _encode_project(project))
            self._given[name] = whole.url, head
        return project

    def remembers(self, name: ProjectName) -> bool:
        """Whether ``again`` has an answer; what it says is not read."""
        url, head = self._given.get(name, ("", ""))
        known = self._projects.known(url) if self._projects is not None and url else None
        return known is not None and known.head == head

    def again(self, name: ProjectName) -> tuple[Project, str] | None:
        """Return what the page of a project last said, and its address; None if that is not remembered any more."""
        url, head = self._given.get(name, ("", ""))
        known = self._projects.get(url) if self._projects is not None and url else None
        if known is None or known[0] != head:
            return None
        try:
            return _decode_project(known[1]), url
        except msgspec.MsgspecError:
            return None  # it was written by another version with this number


_encode_project = msgspec.msgpack.Encoder().encode
_decode_project = msgspec.msgpack.Decoder(Project).decode


def _head(name: ProjectName, digest: str, media_type: str, url: str) -> str:
    asked = msgspec.json.encode([__version__, PROJECT_VERSION, name, digest, media_type, url])
    return sha256(asked).hexdigest()


def _decoded(head: str) -> _Seen | None:
    try:
        return msgspec.json.decode(head, type=_Seen)
    except msgspec.MsgspecError:
        return None  # another version wrote it


def _lifetime(answer: Answer) -> int | None:
    """Return for how many seconds more an answer may be kept, None if it does not say."""
    said = answer.headers.get("cache-control", "")
    if _NEVER.search(said):
        return 0
    found = _MAX_AGE.search(said)
    if found is None:
        return None
    age = answer.headers.get("age", "").strip()
    return max(0, int(found[1]) - (int(age) if age.isascii() and age.isdigit() and len(age) < 10 else 0))
