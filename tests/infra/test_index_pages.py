"""Index pages that are kept: asked for only if they changed, not yet again, and understood once."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from lazaretto.app.ports import IndexPage, Untrusted
from lazaretto.core.model import Project
from lazaretto.core.names import ProjectName
from lazaretto.ecosystems.npm import ECOSYSTEM as NPM
from lazaretto.ecosystems.pypi import ECOSYSTEM as PYPI
from lazaretto.infra.http import Answer
from lazaretto.infra.index_pages import IndexPages, Page, ParsePage, Understanding
from lazaretto.infra.pages import PageFolder

PAD, URL = ProjectName("pad"), "http://pad.invalid/pad"
DATA = b'{"name": "pad", "versions": {"1.0.0": {"name": "pad", "version": "1.0.0", "dist": {}}}}'
NOW = datetime(2026, 6, 1, tzinfo=UTC)


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> datetime:
        """Return what the test wants it to be."""
        return self.time


class Site:
    """A registry with one page; it notes the ETags that it was asked with."""

    def __init__(self, **headers: str) -> None:
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.asked: list[str | None] = []

    def __call__(self, etag: str | None) -> Answer:
        """Answer as HTTP does."""
        self.asked.append(etag)
        if etag is not None and etag == self.headers.get("etag"):
            return Answer(304, URL, {}, b"")
        return Answer(200, URL, {"content-type": "application/json", **self.headers}, DATA)


def page(data: bytes = DATA, media_type: str = "application/json", url: str = URL) -> Page:
    """Return a page that came just now."""
    return Page(media_type, url, sha256(data).hexdigest(), lambda: IndexPage(data, media_type, url))


def counted(parse: ParsePage) -> tuple[ParsePage, Callable[[], int]]:
    """Return a parser, and what tells how often it was called."""
    calls: list[str] = []

    def called(name: ProjectName, body: bytes, media_type: str, url: str) -> Project:
        calls.append(url)
        return parse(name, body, media_type, url)

    return called, lambda: len(calls)


@pytest.fixture
def clock() -> Clock:
    """A clock for one test."""
    return Clock()


@pytest.mark.parametrize(
    ("headers", "age", "asked"),
    [
        ({}, 299, False),
        ({}, 300, True),
        ({}, -1, True),
        ({"cache_control": "public, max-age=60"}, 59, False),
        ({"cache_control": "public, max-age=60"}, 61, True),
        ({"cache_control": "max-age=86400"}, 299, False),
        ({"cache_control": "max-age=86400"}, 301, True),
        ({"cache_control": "Max-Age = 60", "age": "50"}, 9, False),
        ({"cache_control": "max-age=60", "age": "50"}, 11, True),
        ({"cache_control": "max-age=60", "age": "soon"}, 59, False),
        ({"cache_control": "max-age=60", "age": "90"}, 0, True),
        ({"cache_control": "no-cache"}, 0, True),
        ({"cache_control": "no-store, max-age=60"}, 1, True),
        ({"cache_control": "s-maxage=10"}, 299, False),
        ({"cache_control": "max-age=many"}, 299, False),
    ],
)
def test_a_page_is_fresh_as_long_as_both_say(
    headers: dict[str, str], age: int, *, asked: bool, tmp_path: Path, clock: Clock
) -> None:
    """The registry says how long, whoever asks how long at most; a clock that was set back says nothing."""
    site, pages = Site(**headers), IndexPages(PageFolder(tmp_path), 300, clock)
    pages.page(URL, site)
    (path,) = tmp_path.iterdir()
    os.utime(path, (NOW.timestamp(), NOW.timestamp()))
    clock.time = NOW + timedelta(seconds=age)

    assert pages.page(URL, site).whole().body == DATA
    assert len(site.asked) == 1 + asked


def test_a_page_can_be_asked_for_although_it_is_fresh(tmp_path: Path) -> None:
    """Once it was taken as it was: it may be older than what is asked about."""
    site, pages = Site(), IndexPages(PageFolder(tmp_path), 300)
    pages.page(URL, site)
    assert not pages.renew(URL)
    again = IndexPages(PageFolder(tmp_path), 300)
    again.page(URL, site)
    assert len(site.asked) == 1
    assert again.renew(URL)
    again.page(URL, site)
    assert len(site.asked) == 2
    assert not again.renew(URL)


def test_a_page_is_always_asked_for_if_nothing_else_is_wanted(tmp_path: Path) -> None:
    """Also where the registry would let it be kept."""
    site, pages = Site(cache_control="max-age=60"), IndexPages(PageFolder(tmp_path))
    assert [pages.page(URL, site).digest for _ in range(2)] == [sha256(DATA).hexdigest()] * 2
    assert len(site.asked) == 2


def test_a_page_that_was_confirmed_is_fresh_again(tmp_path: Path, clock: Clock) -> None:
    """An answer 304 is as good as the page; one to a question without an ETag is none."""
    site, folder = Site(etag='"1"'), PageFolder(tmp_path)
    IndexPages(folder).page(URL, site)
    (path,) = tmp_path.iterdir()
    os.utime(path, (0, 0))

    assert IndexPages(folder).page(URL, site).whole() == IndexPage(DATA, "application/json", URL)
    assert site.asked == [None, '"1"']
    clock.time = datetime.fromtimestamp(path.stat().st_mtime + 1, UTC)
    IndexPages(folder, 300, clock).page(URL, site)
    assert len(site.asked) == 2
    with pytest.raises(Untrusted, match="304"):
        IndexPages(None).page(URL, lambda _: Answer(304, URL, {}, b""))
    folder.keep(URL, '["","text/html","",null]', DATA, sha256(DATA).hexdigest())
    with pytest.raises(Untrusted, match="304"):
        IndexPages(folder).page(URL, lambda _: Answer(304, URL, {}, b""))


def test_a_page_whose_bytes_are_gone_is_asked_for_again(tmp_path: Path) -> None:
    """It may be taken away, or be broken, between its line and its bytes."""
    site, pages = Site(etag='"1"'), IndexPages(PageFolder(tmp_path))
    pages.page(URL, site)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-1] + b"?")

    assert pages.page(URL, site).whole().body == DATA
    assert site.asked == [None, '"1"', None]


def test_what_another_version_wrote_is_not_known(tmp_path: Path) -> None:
    """Neither as a page nor as one that is kept for when the registry is down."""
    folder, site = PageFolder(tmp_path), Site(etag='"1"')
    folder[URL] = ('"1"\napplication/json', DATA)
    pages = IndexPages(folder, 300)

    assert pages.kept(URL) is None
    pages.page(URL, site)
    assert site.asked == [None]
    assert pages.kept(URL) == IndexPage(DATA, "application/json", URL)
    assert (IndexPages(None).kept(URL), pages.kept("http://other.invalid/")) == (None, None)


def test_a_page_is_understood_once(tmp_path: Path) -> None:
    """What a page says is remembered in full, and only for the same bytes, name, media type and address."""
    parse, calls = counted(NPM.index)
    memo = PageFolder(tmp_path)
    first = Understanding(parse, memo)(PAD, page())
    assert Understanding(parse, memo)(PAD, page()) == first == NPM.index(PAD, DATA, "application/json", URL)
    assert calls() == 1
    others = [page(DATA + b" "), page(media_type="text/plain"), page(url="http://other.invalid/pad")]
    for number, other in enumerate(others, 2):
        Understanding(parse, memo)(PAD, other)
        assert calls() == number


def test_nothing_of_a_page_is_lost_by_remembering_it(tmp_path: Path) -> None:
    """Which releases this interpreter may take does not depend on how often the page was seen."""
    data = b"""{"meta": {"api-version": "1.1"}, "name": "pad", "versions": ["2"], "files": [{"filename": "pad-2.tar.gz",
        "url": "pad-2.tar.gz", "hashes": {}, "requires-python": ">=3.99", "yanked": "no", "size": 7}]}"""
    media_type, url = "application/vnd.pypi.simple.v1+json", "http://pad.invalid/simple/pad/"
    memo, asked = PageFolder(tmp_path), page(data, media_type, url)
    told = [Understanding(PYPI.index, memo)(PAD, asked) for _ in range(3)]

    assert told == [PYPI.index(PAD, data, media_type, url)] * 3
    assert told[2].releases[0].requires_python == ">=3.99"


def test_a_memo_of_another_form_is_not_understood(tmp_path: Path) -> None:
    """A page that cannot be decoded is parsed anew."""
    memo = PageFolder(tmp_path)
    first = Understanding(NPM.index, memo)(PAD, page())
    known = memo.known(URL)
    assert known is not None
    memo[URL] = (known.head, b"\x90")

    assert Understanding(NPM.index, memo)(PAD, page()) == first


def test_what_was_said_can_be_had_again(tmp_path: Path) -> None:
    """Without a question, as long as nobody has replaced it; of what is not remembered nothing can be had."""
    memo = PageFolder(tmp_path)
    here = Understanding(NPM.index, memo)
    assert (here.remembers(PAD), here.again(PAD)) == (False, None)
    first = here(PAD, page())
    assert (here.remembers(PAD), here.again(PAD)) == (True, (first, URL))
    Understanding(NPM.index, memo)(PAD, page(DATA + b" "))
    assert (here.remembers(PAD), here.again(PAD)) == (False, None)
    nowhere = Understanding(NPM.index, None)
    nowhere(PAD, page())
    assert (nowhere.remembers(PAD), nowhere.again(PAD)) == (False, None)


def test_a_broken_memo_is_forgotten(tmp_path: Path) -> None:
    """A page that was cut while it was written is not known; nor is one that was taken away."""
    pages = PageFolder(tmp_path)
    pages["a"] = ("etag\ntype", b"body\nmore")
    assert pages["a"] == ("etag\ntype", b"body\nmore")
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-1])
    assert (pages.get("a"), pages.known("a")) == (None, None)
    path.write_bytes(b"what it is cannot be read\n")
    assert (pages.get("a"), pages.known("a")) == (None, None)
    del pages["a"]
    with pytest.raises(KeyError):
        del pages["a"]
    pages.confirm("a")
    assert (len(pages), list(pages), pages.known("a")) == (0, [], None)


def test_a_page_that_cannot_be_kept_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a page on a full disk would lie there until someone removed it by hand."""

    def full(path: Path, data: bytes) -> int:
        with path.open("wb") as file:
            file.write(data[:3])
        raise OSError(28, "No space left on device")

    pages = PageFolder(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        pages["a"] = ("etag\ntype", b"body")
    assert list(tmp_path.iterdir()) == []
    assert pages.get("a") is None


def test_a_page_that_is_too_large_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor one of which too much is said."""
    monkeypatch.setattr("lazaretto.infra.pages._MAX_BYTES", 4)
    pages = PageFolder(tmp_path)
    pages["a"] = ("", b"12345")
    pages["b"] = ("-" * (64 << 10), b"1234")
    assert list(tmp_path.iterdir()) == []


def test_a_page_that_is_sent_again_is_not_written_again(tmp_path: Path) -> None:
    """Of a registry that names no ETag every page comes again: the same bytes stay where they are, others do not."""
    pages = PageFolder(tmp_path)
    pages["u"] = ("text/plain", b"said")
    (path,) = tmp_path.iterdir()
    first = path.stat().st_ino
    os.utime(path, (0, 0))

    pages["u"] = ("text/plain", b"said")
    assert path.stat().st_ino == first
    assert path.stat().st_mtime > 0
    path.write_bytes(path.read_bytes()[:-1])
    pages["u"] = ("text/plain", b"said")
    assert pages["u"] == ("text/plain", b"said")
    pages["u"] = ("text/plain", b"else")
    assert pages["u"] == ("text/plain", b"else")
