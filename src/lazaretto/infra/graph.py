"""The imported releases in one SQLite file: every release, range and account once; and the graphs made of it.

The graph of an instant is a file beside it, made when it is first asked for and dropped when something is imported.
"""

import sqlite3
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import Any, cast

from lazaretto.app.graph.ports import Described, Graph, GraphError, Key, Listed, Resolve
from lazaretto.core.graph import NOBODY
from lazaretto.infra import _graph_file
from lazaretto.infra._sqlite import open_database

FILE_NAME = "graph.sqlite"

MAX_GRAPHS = 8
"""Graphs of different instants that are kept."""

_VERSION = 1
_BATCH = 20_000
# ruff: noqa: S608 - what is put into a statement are our own columns; values are bound
_TABLES = """
CREATE TABLE IF NOT EXISTS release (
    id INTEGER PRIMARY KEY, ecosystem TEXT NOT NULL, name TEXT NOT NULL, version TEXT NOT NULL, published INTEGER,
    UNIQUE (ecosystem, name, version));
CREATE TABLE IF NOT EXISTS need (
    id INTEGER PRIMARY KEY, ecosystem TEXT NOT NULL, name TEXT NOT NULL, wanted TEXT NOT NULL,
    UNIQUE (ecosystem, name, wanted));
CREATE TABLE IF NOT EXISTS edge (release INTEGER, need INTEGER, PRIMARY KEY (release, need)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS account (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS keeps (account INTEGER, release INTEGER, PRIMARY KEY (account, release)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS keeps_by_release ON keeps (release);
CREATE TABLE IF NOT EXISTS import (number INTEGER PRIMARY KEY)
"""
_Row = Sequence[Any]


class SqliteGraph:
    """``app.graph.ports.GraphStore`` in a folder; the file is made by the first import."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE_NAME
        self._connection: sqlite3.Connection | None = None

    def put(self, releases: Iterable[Described]) -> int:
        """Take releases, in one transaction: all of them or none."""
        count = 0
        with self._failing("written"):
            connection = self._opened()
            connection.execute("BEGIN IMMEDIATE")
            try:
                for batch in _batches(releases):
                    _write(connection, batch)
                    count += len(batch)
                connection.execute("INSERT INTO import DEFAULT VALUES")
                connection.execute("COMMIT")
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            for kept in self.path.parent.glob("graph-*.bin"):
                kept.unlink(missing_ok=True)
        return count

    def graph(self, at: datetime | None, resolve: Resolve, told: Callable[[str], None]) -> Graph | None:
        """Return the graph at an instant: the file of it, made if it is not there or not whole."""
        if not self._rows("SELECT 1 FROM release LIMIT 1"):
            return None
        imports = self._rows("SELECT count(*) FROM import")[0][0]
        path = self.path.with_name(f"graph-{sha256(f'{imports}:{at}'.encode()).hexdigest()[:16]}.bin")
        with self._failing("read"):
            with suppress(ValueError, FileNotFoundError):
                return _graph_file.read(path)
            kept = sorted(self.path.parent.glob("graph-*.bin"), key=lambda one: one.stat().st_mtime)
            for old in kept[: max(0, len(kept) - MAX_GRAPHS + 1)]:
                old.unlink(missing_ok=True)
            self._make(path, at, resolve, told)
            return _graph_file.read(path)

    def of(self, ecosystem: str, name: str) -> tuple[Listed, ...]:
        """Return the releases of a project."""
        query = "SELECT id, version, published FROM release WHERE ecosystem = ? AND name = ? ORDER BY version"
        return tuple(map(_listed, self._rows(query, ecosystem, name)))

    def keys(self, rows: Iterable[int]) -> Mapping[int, Key]:
        """Return the names of releases."""
        query = "SELECT ecosystem, name, version FROM release WHERE id = ?"
        return {row: cast("Key", self._rows(query, row)[0]) for row in rows}

    def found(self, keys: Iterable[Key]) -> Iterator[tuple[Key, int]]:
        """Yield those releases that are in the store, with their rows."""
        query = "SELECT id FROM release WHERE ecosystem = ? AND name = ? AND version = ?"
        for key in keys:
            for (row,) in self._rows(query, *key):
                yield key, row

    def accounts(self, rows: Iterable[int]) -> Iterator[tuple[int, str]]:
        """Yield whose each release is, in the order of names."""
        query = "SELECT name FROM keeps JOIN account ON account.id = account WHERE release = ? ORDER BY name"
        for row in rows:
            yield from ((row, name) for (name,) in self._rows(query, row))

    def kept_by(self, account: str) -> frozenset[int]:
        """Return the releases of an account."""
        query = "SELECT release FROM account JOIN keeps ON account = account.id WHERE name = ?"
        return frozenset(row for (row,) in self._rows(query, account))

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __del__(self) -> None:
        self.close()

    def _make(self, path: Path, at: datetime | None, resolve: Resolve, told: Callable[[str], None]) -> None:
        """Resolve every range, and write the graph. Memory follows the numbers of nodes and edges, not their names."""
        connection = self._opened()
        shown = "" if at is None else "WHERE published IS NULL OR published <= ?"
        bound = () if at is None else (int(at.timestamp()),)
        query = f"SELECT id, ecosystem, name, version, published FROM release {shown} ORDER BY ecosystem, name, version"
        highest = connection.execute("SELECT coalesce(max(id), 0) FROM release").fetchone()[0]
        numbers, projects, newest = array("I"), array("I"), array("I")
        node_of = array("I", [NOBODY]) * (highest + 1)
        needs = connection.execute("SELECT ecosystem, name, wanted, id FROM need ORDER BY ecosystem, name, wanted")
        wanted = groupby(needs, key=lambda row: (row[0], row[1]))
        waiting = next(wanted, None)
        leads = array("I", [NOBODY]) * (connection.execute("SELECT coalesce(max(id), 0) FROM need").fetchone()[0] + 1)
        for key, group in groupby(connection.execute(query, bound), key=lambda row: (row[1], row[2])):
            releases = [_listed((row[0], row[3], row[4])) for row in group]
            for one in releases:
                node_of[one.row] = len(numbers)
                numbers.append(one.row)
                projects.append(len(newest))
            latest = next(resolve(*key, releases, ("*" if key[0] == "npm" else "",)), None)
            newest.append(node_of[releases[-1].row if latest is None else latest])
            if len(newest) % 5000 == 0:
                told(f"ranges on {key[1]}")
            while waiting is not None and waiting[0] < key:
                waiting = next(wanted, None)
            if waiting is not None and waiting[0] == key:
                asked = [(row[2], row[3]) for row in waiting[1]]
                for (_, need), found in zip(asked, resolve(*key, releases, (text for text, _ in asked)), strict=True):
                    leads[need] = NOBODY if found is None else node_of[found]
                waiting = next(wanted, None)
        needing, needed = array("I"), array("I")
        for release, need in connection.execute("SELECT release, need FROM edge ORDER BY release, need"):
            if node_of[release] != NOBODY and leads[need] != NOBODY:
                needing.append(node_of[release])
                needed.append(leads[need])
        _graph_file.write(path, numbers, projects, newest, (needing, needed))

    def _rows(self, query: str, *values: object) -> list[_Row]:
        if self._connection is None and not self.path.exists():
            return []
        with self._failing("read"):
            return self._opened().execute(query, values).fetchall()

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = open_database(self.path, _TABLES, _VERSION, synchronous="NORMAL")
            self._connection.execute("PRAGMA cache_size = -65536")
        return self._connection

    @contextmanager
    def _failing(self, act: str) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError, UnicodeError, ValueError) as error:
            raise GraphError(f"the graph {self.path} cannot be {act}: {error}") from error


def _write(connection: sqlite3.Connection, batch: Sequence[Described]) -> None:
    """Write releases: those of a batch are numbered first, so that each table is written at once."""
    times = [None if one.published is None else int(one.published.timestamp()) for one in batch]
    connection.executemany(
        """INSERT INTO release (ecosystem, name, version, published) VALUES (?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET published = min(coalesce(published, excluded.published), excluded.published)
        WHERE excluded.published IS NOT NULL""",
        [(one.ecosystem, one.name, one.version, at) for one, at in zip(batch, times, strict=True)],
    )
    wanted = {(one.ecosystem, *need) for one in batch for need in one.needs}
    connection.executemany("INSERT OR IGNORE INTO need (ecosystem, name, wanted) VALUES (?, ?, ?)", sorted(wanted))
    accounts = {name for one in batch for name in one.accounts}
    connection.executemany("INSERT OR IGNORE INTO account (name) VALUES (?)", ((name,) for name in sorted(accounts)))
    find = "SELECT id FROM {} WHERE ecosystem = ? AND name = ? AND {} = ?"
    need_of = {one: connection.execute(find.format("need", "wanted"), one).fetchone()[0] for one in wanted}
    account_of = {
        name: connection.execute("SELECT id FROM account WHERE name = ?", (name,)).fetchone()[0] for name in accounts
    }
    edges, keeps = [], []
    for one in batch:
        key = (one.ecosystem, one.name, one.version)
        row = connection.execute(find.format("release", "version"), key).fetchone()[0]
        edges += [(row, need_of[one.ecosystem, *need]) for need in one.needs]
        keeps += [(account_of[name], row) for name in one.accounts]
    connection.executemany("INSERT OR IGNORE INTO edge VALUES (?, ?)", edges)
    connection.executemany("INSERT OR IGNORE INTO keeps VALUES (?, ?)", keeps)


def _batches(releases: Iterable[Described]) -> Iterator[list[Described]]:
    batch: list[Described] = []
    for one in releases:
        batch.append(one)
        if len(batch) >= _BATCH:
            yield batch
            batch = []
    yield batch


def _listed(row: _Row) -> Listed:
    return Listed(row[0], row[1], None if row[2] is None else datetime.fromtimestamp(row[2], UTC))
