"""The cache of facts: it may forget anything at any time, and never tells anything false."""

import os
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto.core.archive import digest_of
from lazaretto.core.facts import Fact, FactKey, Facts, Kind, Moment, Problem, Span
from lazaretto.infra.facts_cache import FactsCache

FACTS = Facts(
    "x", (Fact(Kind.NET_CONNECT, "host.invalid", Span(1, 2, 3, 4), Moment.LOAD),), problems=(Problem(1, "p"),)
)


class DayClock:
    """A clock that stands still until told otherwise."""

    def __init__(self) -> None:
        self.at = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        """Return the instant."""
        return self.at


def key(number: int, dialect: str = "javascript", version: int = 1) -> FactKey:
    """Return the key of some file."""
    return FactKey(digest_of(b"%d" % number), dialect, version)


def test_what_is_put_is_found(tmp_path: Path) -> None:
    """Facts and cuts come back as they were, in this process and in the next."""
    cache = FactsCache(tmp_path / "deep")
    cache.put_many([(key(n), FACTS) for n in range(1200)])
    cache.put_units("javascript", 1, {digest_of(b"u"): b"cut"})
    cache.close()
    again = FactsCache(tmp_path / "deep")

    assert again.get_many([key(n) for n in range(1300)]) == {key(n): FACTS for n in range(1200)}
    assert again.get_units("javascript", 1, [digest_of(b"u"), digest_of(b"v")]) == {digest_of(b"u"): b"cut"}
    assert again.warnings == ()


def test_keys_are_kept_apart(tmp_path: Path) -> None:
    """Another digest, dialect or version is another key."""
    cache = FactsCache(tmp_path)
    cache.put_many([(key(1), FACTS)])
    cache.put_units("javascript", 1, {digest_of(b"1"): b"cut"})

    assert cache.get_many([key(2), key(1, "tsx"), key(1, version=2)]) == {}
    assert cache.get_units("javascript", 2, [digest_of(b"1")]) == {}
    assert cache.get_many([]) == {}


def test_only_the_user_may_look(tmp_path: Path) -> None:
    """Folder and file are the user's alone."""
    cache = FactsCache(tmp_path / "own")
    cache.put_many([(key(1), FACTS)])

    assert (tmp_path / "own").stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in (tmp_path / "own").iterdir())


def test_a_changed_row_is_a_miss(tmp_path: Path) -> None:
    """A row whose checksum over key and value does not hold is not believed, nor one moved to another key."""
    cache = FactsCache(tmp_path)
    cache.put_many([(key(1), FACTS), (key(2), Facts("other")), (key(3), FACTS)])
    cache.close()
    with sqlite3.connect(cache.path) as database:
        rows = database.execute("SELECT rowid, value FROM facts ORDER BY rowid").fetchall()
        database.execute("UPDATE facts SET value = ? WHERE rowid = ?", (rows[0][1][:-1] + b"\xff", rows[0][0]))
        database.execute("UPDATE facts SET value = ? WHERE rowid = ?", (rows[2][1], rows[1][0]))
    database.close()

    assert list(cache.get_many([key(1), key(2), key(3)])) == [key(3)]


@pytest.mark.parametrize("damage", [b"this is no database", bytes(8192)])
def test_a_broken_file_is_moved_aside(tmp_path: Path, damage: bytes) -> None:
    """A file that is no database is kept for a look, a new one is begun, and the user is told."""
    cache = FactsCache(tmp_path)
    cache.path.write_bytes(damage.ljust(4096, b"!"))
    cache.put_many([(key(1), FACTS)])

    assert cache.get_many([key(1)]) == {key(1): FACTS}
    assert "begun anew" in " ".join(cache.warnings)
    assert cache.path.with_suffix(".broken").exists()


@given(at=st.integers(0, 20_000), data=st.binary(min_size=1, max_size=400))
def test_damage_never_gives_false_facts(tmp_path_factory: pytest.TempPathFactory, at: int, data: bytes) -> None:
    """Whatever is written into the file: the facts that come out are those that went in, or none."""
    cache = FactsCache(tmp_path_factory.mktemp("cache"))
    good = {key(n): FACTS for n in range(20)}
    cache.put_many(good.items())
    cache.close()
    with cache.path.open("r+b") as file:
        file.seek(at % cache.path.stat().st_size)
        file.write(data)
    found = cache.get_many(good)
    cache.put_many([(key(99), FACTS)])

    assert found.items() <= good.items()


def test_a_folder_that_cannot_be_used(tmp_path: Path) -> None:
    """Where a file stands in the way, the run goes on without a cache and the user is told once."""
    (tmp_path / "file").write_text("")
    cache = FactsCache(tmp_path / "file")
    cache.put_many([(key(1), FACTS)])

    assert cache.get_many([key(1)]) == {}
    assert len(cache.warnings) == 1


def test_a_file_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    """An older program neither uses nor breaks the cache of a newer one."""
    with sqlite3.connect(tmp_path / "facts.sqlite") as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    cache = FactsCache(tmp_path)

    assert cache.get_many([key(1)]) == {}
    assert "later version" in cache.warnings[0]


def test_rows_of_another_shape_are_misses(tmp_path: Path) -> None:
    """A row with a right checksum that is no facts (written by another version) is a miss."""
    cache = FactsCache(tmp_path)
    cache._put("facts", [(b"k", b"v")])
    raw = next(iter(cache._get("facts", [b"k"])))
    assert raw == b"k"
    from lazaretto.infra.facts_cache import _key

    cache._put("facts", [(_key(key(1).digest, "javascript", 1), b"\xc1")])

    assert cache.get_many([key(1)]) == {}


def test_size_is_bounded_and_the_used_stay(tmp_path: Path) -> None:
    """Beyond its size the cache drops what was unused for longest; use is noted once a week."""
    clock = DayClock()
    cache = FactsCache(tmp_path, max_bytes=400_000, clock=clock)
    large = Facts("x" * 1000)
    cache.put_many([(key(n), large) for n in range(200)])
    clock.at += timedelta(days=10)
    used = [key(n) for n in range(100, 110)]
    assert len(cache.get_many(used)) == 10
    clock.at += timedelta(days=1)
    cache.put_many([(key(n), large) for n in range(200, 300)])

    assert len(cache.get_many(used)) == 10
    assert len(cache.get_many([key(n) for n in range(200, 300)])) == 100
    assert len(cache.get_many([key(n) for n in range(100)])) < 100
    cache.put_many([(key(n), large) for n in range(300, 1500)])
    assert cache.path.stat().st_size < 3_000_000


WRITER = """
import sys
from pathlib import Path
from lazaretto.core.archive import digest_of
from lazaretto.core.facts import FactKey, Facts
from lazaretto.infra.facts_cache import FactsCache
cache = FactsCache(Path(sys.argv[1]))
for n in range(60):
    key = FactKey(digest_of(b"%d" % (n + int(sys.argv[2]))), "words", 1)
    cache.put_many([(key, Facts("w"))])
    assert cache.get_many([key]), cache.warnings
assert not cache.warnings, cache.warnings
"""


def test_several_processes_at_once(tmp_path: Path) -> None:
    """Processes that begin the same cache and write to it at the same time all succeed."""
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2] / "src")}
    command = [sys.executable, "-c", WRITER, str(tmp_path / "new")]
    writers = [subprocess.Popen([*command, str(30 * n)], env=environment, stderr=subprocess.PIPE) for n in range(4)]

    assert [writer.communicate()[1].decode() for writer in writers] == [""] * 4
    assert len(FactsCache(tmp_path / "new").get_many([key(n, "words") for n in range(150)])) == 150
