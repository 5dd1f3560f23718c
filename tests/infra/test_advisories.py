"""The advisories that lie here: taken as a whole or not at all, found by project, as old as their source says."""

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from lazaretto.app.advice import AdvisoriesError, Fetched, Source, update
from lazaretto.app.ports import Unavailable
from lazaretto.core.advisory import Advisory, Affected, FeedError
from lazaretto.core.names import ProjectName
from lazaretto.core.ruling import FeedState
from lazaretto.ecosystems.npm import ECOSYSTEM as NPM
from lazaretto.ecosystems.pypi import ECOSYSTEM as PYPI
from lazaretto.feeds import osv
from lazaretto.infra.advisories import SqliteAdvisories
from lazaretto.infra.feed_source import FeedUnavailable, from_address, from_file
from lazaretto.infra.http import HttpClient
from tests.infra.servers import Handler, server

NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
NORMAL = {"npm": NPM.name, "pypi": PYPI.name}
SEED = Path(__file__).parents[1] / "contracts" / "feeds" / "osv-record.json"
PLAIN = ProjectName("plain")


def record(identifier: str, *projects: str, day: int = 1) -> Advisory:
    """Return an advisory about every version 1.0.0 of projects, each ``ecosystem/name``."""
    pairs = [one.split("/", 1) for one in projects]
    affected = tuple(Affected(ecosystem, name, ("1.0.0",)) for ecosystem, name in pairs)
    return Advisory(identifier, datetime(2030, 1, day, tzinfo=UTC), affected)


@pytest.fixture
def book(tmp_path: Path) -> SqliteAdvisories:
    """An empty book."""
    return SqliteAdvisories(tmp_path, NORMAL)


def test_records_are_found_by_project(book: SqliteAdvisories) -> None:
    """By the normal form of its name, whatever stands in the record; other ecosystems are left out."""
    records = [record("A-1", "npm/plain", "pypi/Plain.Name"), record("A-2", "npm/plain", "debian/plain", "npm/../x")]
    changed = book.replace("osv", records, NOW, "m1")

    assert changed == {("npm", PLAIN), ("pypi", ProjectName("plain-name"))}
    assert book.of("npm", PLAIN) == tuple(records)
    assert book.of("pypi", ProjectName("plain-name")) == (records[0],)
    assert book.of("npm", ProjectName("other")) == ()
    assert book.states() == {"osv": FeedState("osv", NOW, 2)}
    assert book.mark("osv") == "m1"


def test_everything_of_a_record_is_kept(book: SqliteAdvisories) -> None:
    """What the feed said comes back the same, also in another process."""
    records = tuple(osv.parse(SEED.read_bytes()))
    book.replace("osv", records, NOW, "")

    again = SqliteAdvisories(book.path.parent, NORMAL)
    assert again.of("npm", ProjectName("plain-example")) == records


def test_a_source_is_replaced(book: SqliteAdvisories) -> None:
    """What it no longer says is gone; what is said of a project is told as changed exactly if it is."""
    book.replace("osv", [record("A-1", "npm/a"), record("A-2", "npm/b"), record("A-3", "npm/c")], NOW, "")
    before = book.generation()
    later = NOW + timedelta(hours=1)

    assert book.replace("osv", [record("A-1", "npm/a"), record("A-2", "npm/b", day=2)], later, "") == {
        ("npm", ProjectName("b")),
        ("npm", ProjectName("c")),
    }
    assert book.generation() == before + 1
    assert book.of("npm", ProjectName("c")) == ()
    assert book.replace("osv", [record("A-1", "npm/a"), record("A-2", "npm/b", day=2)], later, "") == frozenset()
    assert book.generation() == before + 1
    assert book.states()["osv"].fetched == later


def test_sources_do_not_mix(book: SqliteAdvisories) -> None:
    """A second source adds to the first and takes nothing from it."""
    book.replace("one", [record("A-1", "npm/plain")], NOW, "")
    book.replace("two", [record("A-1", "npm/plain", day=3)], NOW, "")
    book.replace("two", [record("A-2", "npm/plain")], NOW, "")

    assert [one.id for one in book.of("npm", PLAIN)] == ["A-1", "A-2"]


def test_of_two_entries_the_later_counts(book: SqliteAdvisories) -> None:
    """Where a feed has one id twice, the entry that was modified later is kept."""
    old, new = record("A-1", "npm/plain"), record("A-1", "npm/plain", day=9)
    for records in ([old, new], [new, old]):
        book.replace("osv", records, NOW, "")
        assert book.of("npm", PLAIN) == (new,)


def source(fetched: Fetched | Exception) -> Source:
    """Return a source that gives this, or fails so."""

    def fetch(mark: str) -> Fetched:
        if isinstance(fetched, Exception):
            raise fetched
        return fetched

    return Source("osv", fetch, osv.parse)


@pytest.mark.parametrize(
    "broken",
    [
        Fetched(SEED.read_bytes() + b"\n{}", "m2"),
        Fetched(b"[]", "m2"),
        Unavailable("it is down; try again later"),
        FeedUnavailable("no such file"),
    ],
)
def test_a_broken_source_changes_nothing(book: SqliteAdvisories, broken: Fetched | Exception) -> None:
    """Half a feed would look like a whole one: what was said stays in force, with its age, and the problem is told."""
    assert update(source(Fetched(SEED.read_bytes(), "m1")), book, NOW) == {("npm", ProjectName("plain-example"))}
    assert update(source(broken), book, NOW + timedelta(hours=1)) == frozenset()

    state = book.states()["osv"]
    assert (state.fetched, state.records, book.mark("osv")) == (NOW, 1, "m1")
    assert state.problem
    assert book.of("npm", ProjectName("plain-example"))


def test_a_source_that_never_worked_is_told(book: SqliteAdvisories) -> None:
    """Its state has a problem and no age; when it works, the problem is gone."""
    update(source(Unavailable("it is down")), book, NOW)
    assert book.states() == {"osv": FeedState("osv", None, 0, "it is down")}

    update(source(Fetched(SEED.read_bytes())), book, NOW)
    assert book.states() == {"osv": FeedState("osv", NOW, 1)}


def test_nothing_new_is_news(book: SqliteAdvisories) -> None:
    """A source that says that nothing has changed is as fresh as its answer."""
    update(source(Fetched(SEED.read_bytes(), "m1")), book, NOW)
    update(source(Fetched(None)), book, NOW + timedelta(hours=5))

    assert book.states()["osv"].fetched == NOW + timedelta(hours=5)


def test_a_broken_book_is_made_anew(book: SqliteAdvisories) -> None:
    """A file that is no database, or holds what is no record, is an error once, and then a book that knows nothing."""
    generations = []
    for damage in (_no_record, _no_database):
        update(source(Fetched(SEED.read_bytes(), "m1")), book, NOW)
        generations.append(book.generation())
        book.close()
        damage(book.path)
        with pytest.raises(AdvisoriesError, match="cannot be used"):
            book.of("npm", ProjectName("plain-example"))
        assert book.states() == {}
        assert book.mark("osv") == ""
    assert all(number > 10**9 for number in generations)


def _no_record(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE advisory SET body = x'c1'")


def _no_database(path: Path) -> None:
    for suffix in ("-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    path.write_bytes(b"no database" * 1000)


def test_a_book_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """A source that cannot be taken for our own sake is an error of ours, not of the source."""
    book = SqliteAdvisories(tmp_path, NORMAL)
    book.path.mkdir()

    with pytest.raises(AdvisoriesError, match="cannot be used"):
        update(source(Fetched(SEED.read_bytes())), book, NOW)


def test_a_file_is_as_old_as_it_says(tmp_path: Path) -> None:
    """It is read again when it is another, and a copy that nobody renews grows old."""
    path = tmp_path / "feed.json"
    with pytest.raises(FeedUnavailable, match="cannot be read"):
        from_file(path)("")
    path.write_bytes(b"one")
    os.utime(path, (NOW.timestamp(), NOW.timestamp()))
    first = from_file(path)("")

    assert (first.data, first.at) == (b"one", NOW)
    assert from_file(path)(first.mark) == replace(first, data=None)
    path.write_bytes(b"two")
    assert from_file(path)(first.mark).data == b"two"


@pytest.fixture
def client() -> HttpClient:
    """A client that does not wait."""
    return HttpClient(sleep=lambda _: None)


@pytest.mark.parametrize("etag", ['"v1"', ""])
def test_an_address_is_asked_for_what_has_changed(client: HttpClient, etag: str) -> None:
    """By its ETag where it has one, else by its bytes."""
    with server() as site:

        def page(handler: Handler) -> None:
            headers = {"ETag": etag} if etag else {}
            same = etag and handler.headers.get("if-none-match") == etag
            handler.answer(304 if same else 200, b"" if same else b"feed", **headers)

        site.pages["/feed"] = page
        fetch = from_address(f"{site.url}/feed", client)
        first = fetch("")
        again = fetch(first.mark)

    assert (first.data, first.at) == (b"feed", None)
    assert (again.data, again.mark) == (None, first.mark)


def test_an_address_that_fails_is_told(client: HttpClient, book: SqliteAdvisories) -> None:
    """What the client says becomes the problem of the source."""
    with server() as site:
        url = site.says("/feed", b"x", 500)
        update(Source("osv", from_address(url, client), osv.parse), book, NOW)

    assert "500" in book.states()["osv"].problem


def test_a_feed_error_names_its_place() -> None:
    """The problem of a source says where in it."""
    assert str(FeedError("record 3", "is odd")) == "record 3: is odd"
