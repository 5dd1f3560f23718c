"""Sources are brought up to date in processes of their own, and what goes wrong with one is its own problem."""

import threading
import time
from pathlib import Path

import pytest

from lazaretto.app.advice import Project
from lazaretto.core.names import ProjectName
from lazaretto.ecosystems.npm import ECOSYSTEM as NPM
from lazaretto.infra import feed_keeper
from lazaretto.infra.advisories import SqliteAdvisories
from lazaretto.infra.feed_keeper import FeedKeeper, FeedPlace, take
from lazaretto.infra.redact import Secret
from tests.infra.servers import server

SEED = Path(__file__).parents[1] / "contracts" / "feeds" / "osv-record.json"
PLAIN: Project = ("npm", ProjectName("plain-example"))


class Told:
    """What a keeper told, and a keeper that tells it."""

    def __init__(self, folder: Path, *places: FeedPlace, every: float = 600) -> None:
        self.book = SqliteAdvisories(folder, {"npm": NPM.name})
        self.changes: list[frozenset[Project]] = []
        self.problems: list[str] = []
        self.event = threading.Event()
        self.keeper = FeedKeeper(places, folder, self.book, self._changed, self.problems.append, every)

    def _changed(self, projects: frozenset[Project]) -> None:
        self.changes.append(projects)
        self.event.set()


def test_a_file_and_an_address_are_taken(tmp_path: Path) -> None:
    """Each in a process of its own; the second time nothing has changed."""
    with server() as site:
        url = site.says("/osv", b"[" + SEED.read_bytes().replace(b"MAL-2030-1", b"MAL-2030-9") + b"]", ETag='"1"')
        told = Told(tmp_path, FeedPlace("file", str(SEED)), FeedPlace("mirror", url, token=Secret("hidden")))
        assert told.keeper.round() == {PLAIN}
        assert told.keeper.round() == frozenset()

    assert [one.id for one in told.book.of(*PLAIN)] == ["MAL-2030-1", "MAL-2030-9"]
    assert told.problems == []
    assert site.requests[0][1]["authorization"] == "Bearer hidden"
    assert "hidden" not in repr(FeedPlace("mirror", url, token=Secret("hidden")))


def test_what_goes_wrong_is_told(tmp_path: Path) -> None:
    """A file that is not there, a feed that nobody knows: told, noted, and the others are taken all the same."""
    places = (
        FeedPlace("gone", str(tmp_path / "gone")),
        FeedPlace("odd", str(SEED), feed="nonsense"),
        FeedPlace("good", str(SEED)),
    )
    told = Told(tmp_path, *places)

    assert told.keeper.round() == {PLAIN}
    assert "gone" in told.problems[0]
    assert "nonsense" in told.problems[1]
    assert told.book.states()["gone"].problem


def test_a_reader_that_dies_or_hangs_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its source says so; nothing else does."""
    monkeypatch.setattr(feed_keeper, "_POLL", 0.05)
    for child, limit, words in ((_dies, 60.0, "died"), (_hangs, 0.2, "too long")):
        monkeypatch.setattr(feed_keeper, "_child", child)
        monkeypatch.setattr(feed_keeper, "MAX_SECONDS", limit)
        told = Told(tmp_path, FeedPlace("osv", str(SEED)))
        assert told.keeper.round() == frozenset()
        assert words in told.book.states()["osv"].problem
        assert words in told.problems[0]


def _dies(*_: object) -> None:
    raise SystemExit(3)


def _hangs(*_: object) -> None:
    time.sleep(60)


def test_rounds_go_on_until_it_is_closed(tmp_path: Path) -> None:
    """The first is at once, and after each whoever remembers answers is told, also of nothing."""
    told = Told(tmp_path, FeedPlace("file", str(SEED)), every=0.01)
    told.keeper.start()
    assert told.event.wait(30)
    while len(told.changes) < 2:
        time.sleep(0.01)
    told.keeper.close()

    assert told.changes[:2] == [{PLAIN}, frozenset()]


def test_it_closes_while_a_source_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An end does not wait for a reader, and blames nobody."""
    monkeypatch.setattr(feed_keeper, "_POLL", 0.05)
    monkeypatch.setattr(feed_keeper, "_child", _hangs)
    told = Told(tmp_path, FeedPlace("osv", str(SEED)), FeedPlace("next", str(SEED)))
    told.keeper.start()
    time.sleep(0.2)
    begun = time.monotonic()
    told.keeper.close()

    assert time.monotonic() - begun < 5
    assert told.problems == []


def test_a_broken_book_is_told(tmp_path: Path) -> None:
    """Where the book cannot be written, the round says so and goes on."""
    told = Told(tmp_path, FeedPlace("osv", str(SEED)))
    told.book.path.mkdir(parents=True)

    assert told.keeper.round() == frozenset()
    assert "cannot be used" in told.problems[0]


def test_a_source_is_taken_here_too(tmp_path: Path) -> None:
    """The same without a process."""
    assert take(FeedPlace("osv", str(SEED)), tmp_path) == ("", frozenset({PLAIN}))
