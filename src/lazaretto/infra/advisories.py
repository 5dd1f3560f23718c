"""The advisories that lie here, in one SQLite file: a cache that can be made again from its sources.

A source is taken as a whole or not at all, in one transaction. Only records about the ecosystems that we know are
kept, one row for each project that a record speaks of. Times are UTC in ISO 8601. A file that is broken is deleted
and made anew: until its sources were taken again nothing is known, which holds what needs it. Generations begin at
the time of the making, so that a new file never continues an old one's.
"""

import _thread
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import msgspec

from lazaretto.app.advice import AdvisoriesError, Project
from lazaretto.core.advisory import Advisory
from lazaretto.core.names import ProjectName
from lazaretto.core.ruling import FeedState
from lazaretto.infra._sqlite import is_corrupt, open_database

FILE_NAME = "advisories.sqlite"
_VERSION = 1
_TABLES = """
CREATE TABLE IF NOT EXISTS advisory (
    source TEXT NOT NULL, ecosystem TEXT NOT NULL, name TEXT NOT NULL, id TEXT NOT NULL, digest TEXT NOT NULL,
    body BLOB NOT NULL, PRIMARY KEY (source, ecosystem, name, id));
CREATE INDEX IF NOT EXISTS advisory_by_project ON advisory (ecosystem, name);
CREATE TABLE IF NOT EXISTS feed (
    source TEXT PRIMARY KEY, fetched TEXT, records INTEGER NOT NULL, problem TEXT NOT NULL, mark TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS generation (id INTEGER PRIMARY KEY, number INTEGER NOT NULL);
INSERT INTO generation VALUES (1, CAST(strftime('%s', 'now') AS INTEGER) * 1000) ON CONFLICT (id) DO NOTHING
"""
_TAKE = """INSERT INTO feed VALUES (?, ?, ?, '', ?) ON CONFLICT (source) DO UPDATE SET
    fetched = excluded.fetched, records = excluded.records, problem = '', mark = excluded.mark"""
_FAIL = """INSERT INTO feed VALUES (?, NULL, 0, ?, '') ON CONFLICT (source) DO UPDATE SET problem = excluded.problem"""
_PUT = """INSERT INTO advisory VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (source, ecosystem, name, id) DO UPDATE SET
    digest = excluded.digest, body = excluded.body"""

_decoder = msgspec.msgpack.Decoder(Advisory)
_encoder = msgspec.msgpack.Encoder()
_T = TypeVar("_T")
Normal = Mapping[str, Callable[[str], ProjectName]]


class SqliteAdvisories:
    """The book in ``folder``, opened on first use. Several processes and threads may use it at once.

    ``normal`` gives for each ecosystem that is known the normal form of its names.
    """

    def __init__(self, folder: Path, normal: Normal) -> None:
        self.path = folder / FILE_NAME
        self._normal = normal
        self._lock = _thread.allocate_lock()
        self._connection: sqlite3.Connection | None = None

    def of(self, ecosystem: str, name: ProjectName) -> tuple[Advisory, ...]:
        """Return every record about a project, of every source, in the order of their numbers."""
        query = "SELECT body FROM advisory WHERE ecosystem = ? AND name = ? ORDER BY id, source"

        def read(connection: sqlite3.Connection) -> tuple[Advisory, ...]:
            return tuple(_decoder.decode(body) for (body,) in connection.execute(query, (ecosystem, name)))

        return self._run(read)

    def called(self, identifier: str) -> tuple[Advisory, ...]:
        """Return every record with this number, its own or as an alias, of every source, in order."""
        query = "SELECT DISTINCT body FROM advisory WHERE id = ?1 OR instr(body, CAST(?1 AS BLOB)) ORDER BY id, source"

        def read(connection: sqlite3.Connection) -> tuple[Advisory, ...]:
            found = (_decoder.decode(body) for (body,) in connection.execute(query, (identifier,)))
            return tuple(one for one in found if identifier in {one.id, *one.aliases})

        return self._run(read)

    def states(self) -> Mapping[str, FeedState]:
        """Return where each source stands that was ever fetched or tried."""
        query = "SELECT source, fetched, records, problem FROM feed"
        rows = self._run(lambda connection: connection.execute(query).fetchall())
        return {
            source: FeedState(source, datetime.fromisoformat(fetched) if fetched else None, records, problem)
            for source, fetched, records, problem in rows
        }

    def generation(self) -> int:
        """Return a number that grows with every change."""
        rows = self._run(lambda connection: connection.execute("SELECT number FROM generation").fetchall())
        return int(rows[0][0])

    def mark(self, source: str) -> str:
        """Return what the source was known by when it was last taken, or nothing."""
        query = "SELECT mark FROM feed WHERE source = ?"
        rows = self._run(lambda connection: connection.execute(query, (source,)).fetchall())
        return str(rows[0][0]) if rows else ""

    def replace(self, source: str, advisories: Iterable[Advisory], fetched: datetime, mark: str) -> frozenset[Project]:
        """Take all records of a source in the place of those before; return the projects that it concerns.

        Raises what ``advisories`` raises, with everything as it was.
        """

        def take(connection: sqlite3.Connection) -> frozenset[Project]:
            changed = self._put(connection, source, advisories)
            count = connection.execute("SELECT count(DISTINCT id) FROM advisory WHERE source = ?", (source,))
            connection.execute(_TAKE, (source, _instant(fetched), count.fetchone()[0], mark))
            if changed:
                connection.execute("UPDATE generation SET number = number + 1")
            return changed

        return self._write(take)

    def unchanged(self, source: str, fetched: datetime) -> None:
        """Note that a source answered that nothing has changed."""
        statement = "UPDATE feed SET fetched = ?, problem = '' WHERE source = ?"
        self._write(lambda connection: connection.execute(statement, (_instant(fetched), source)))

    def failed(self, source: str, problem: str) -> None:
        """Note that a source could not be taken. Its records, and their age, stay."""
        self._write(lambda connection: connection.execute(_FAIL, (source, problem)))

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def __del__(self) -> None:
        self.close()

    def _put(self, connection: sqlite3.Connection, source: str, advisories: Iterable[Advisory]) -> frozenset[Project]:
        query = "SELECT ecosystem, name, id, digest FROM advisory WHERE source = ?"
        before = {(row[0], row[1], row[2]): row[3] for row in connection.execute(query, (source,))}
        latest: dict[tuple[str, ProjectName, str], datetime] = {}
        changed: set[Project] = set()
        for advisory in advisories:
            body = _encoder.encode(advisory)
            digest = sha256(body).hexdigest()
            for ecosystem, name in self._projects(advisory):
                key = (ecosystem, name, advisory.id)
                # OSV 1.7: of two entries with one id the one that was modified later is authoritative.
                if key in latest and latest[key] > advisory.modified:
                    continue
                latest[key] = advisory.modified
                if before.get(key) != digest:
                    connection.execute(_PUT, (source, ecosystem, name, advisory.id, digest, body))
                    before[key] = digest
                    changed.add((ecosystem, name))
        for ecosystem, name, identifier in before.keys() - latest.keys():
            statement = "DELETE FROM advisory WHERE source = ? AND ecosystem = ? AND name = ? AND id = ?"
            connection.execute(statement, (source, ecosystem, name, identifier))
            changed.add((ecosystem, ProjectName(name)))
        return frozenset(changed)

    def _projects(self, advisory: Advisory) -> set[Project]:
        """Return the projects that a record speaks of; a text that can be no name is the name of none."""
        found = set()
        for affected in advisory.affected:
            normal = self._normal.get(affected.ecosystem)
            if normal is not None:
                try:
                    found.add((affected.ecosystem, normal(affected.name)))
                except ValueError:
                    continue
        return found

    def _write(self, act: Callable[[sqlite3.Connection], _T]) -> _T:
        def transaction(connection: sqlite3.Connection) -> _T:
            connection.execute("BEGIN IMMEDIATE")
            try:
                result = act(connection)
                connection.execute("COMMIT")
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            return result

        return self._run(transaction)

    def _run(self, act: Callable[[sqlite3.Connection], _T]) -> _T:
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = open_database(self.path, _TABLES, _VERSION, synchronous="NORMAL")
                return act(self._connection)
            except (sqlite3.Error, OSError, msgspec.DecodeError) as error:
                if isinstance(error, msgspec.DecodeError) or is_corrupt(error):
                    self._discard()
                raise AdvisoriesError(f"the advisories in {self.path} cannot be used: {error}") from error

    def _discard(self) -> None:
        """Delete the file; the next use makes it anew."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()
