"""The inventory in one SQLite file: every release and every place once, and a row for each entry.

Rows lie in the order of their places, so that a place is written at one spot and read at one; an index by release
answers who has it. Times are seconds. A place that is read anew keeps its rows: what it no longer says is ended.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from lazaretto.app.inventory.ports import Claim, Held, InventoryError, Known
from lazaretto.core.inventory import Entry, Place, Proof, Scripts, Sign, Unread
from lazaretto.infra._inventory_links import Links, carried, of_entries, packed, unpacked
from lazaretto.infra._sqlite import open_database

FILE_NAME = "inventory.sqlite"

MAX_BROUGHT = 1000
"""Entries that one is said to have brought."""

MAX_CHAIN = 200
"""Longest path of dependencies that is told."""

_VERSION = 2
# ruff: noqa: S608 - what is put into a statement are our own columns and bounds; values are bound
_TABLES = """
CREATE TABLE IF NOT EXISTS place (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, path TEXT NOT NULL, client TEXT NOT NULL,
    scripts TEXT NOT NULL, why TEXT NOT NULL, stamp TEXT NOT NULL, looked INTEGER NOT NULL, gone INTEGER NOT NULL,
    unread BLOB NOT NULL, UNIQUE (path, kind));
CREATE TABLE IF NOT EXISTS release (
    id INTEGER PRIMARY KEY, ecosystem TEXT NOT NULL, name TEXT NOT NULL, version TEXT NOT NULL,
    UNIQUE (ecosystem, name, version));
CREATE TABLE IF NOT EXISTS entry (
    place INTEGER NOT NULL, number INTEGER NOT NULL, release INTEGER NOT NULL, proof INTEGER NOT NULL,
    line INTEGER NOT NULL, via INTEGER, began INTEGER, ended INTEGER, signs INTEGER NOT NULL, note TEXT,
    PRIMARY KEY (place, number)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS entry_by_release ON entry (release, place);
CREATE TABLE IF NOT EXISTS link (place INTEGER PRIMARY KEY, owners BLOB NOT NULL)
"""
_CACHE_KIB = 64 << 10
# Their numbers are kept in the file: a new one is added at the end, and the schema gets another version if one goes.
_PROOFS = (
    Proof.FIXED,
    Proof.LISTED,
    Proof.OPEN,
    Proof.INSTALLED,
    Proof.CACHED,
    Proof.LOGGED,
    Proof.SERVED,
)
_NUMBERS = {proof: number for number, proof in enumerate(_PROOFS)}
_ENTRY = """release.ecosystem, release.name, release.version, entry.proof, entry.number, entry.line, entry.via,
    entry.began, entry.ended, entry.signs, entry.note"""
_PLACE = "place.kind, place.path, place.client, place.scripts, place.why"
_THERE = """CASE WHEN ? IS NULL THEN ended IS NULL
    ELSE (began IS NULL OR began <= ?) AND (ended IS NULL OR ended > ?) END"""
_PUT = "INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_UNREAD = msgspec.json.Decoder(tuple[Unread, ...])
_Row = Sequence[Any]


class SqliteInventory:
    """``app.inventory.ports.InventoryStore`` in a folder; the file is made by the first writing."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE_NAME
        self._connection: sqlite3.Connection | None = None
        self._releases: dict[tuple[str, str, str], int] = {}

    def stamp(self, place: Place) -> str | None:
        """Return the stamp under which a place was last read; None if it is not known."""
        query = "SELECT stamp FROM place WHERE path = ? AND kind = ? AND NOT gone"
        rows = self._read(query, (place.path, place.kind))
        return str(rows[0][0]) if rows else None

    def put(self, claim: Claim, entries: Iterable[Entry], unread: Sequence[Unread], looked: datetime) -> None:
        """Take what a place says now: what it no longer says ends at the last look, all or nothing."""
        self._write(lambda connection: self._take(connection, claim, list(entries), unread, _seconds(looked)))

    def looked(self, place: Place, at: datetime) -> None:
        """Note that a place was found unchanged."""
        statement = "UPDATE place SET looked = ? WHERE path = ? AND kind = ?"
        self._write(lambda one: one.execute(statement, (_seconds(at), place.path, place.kind)))

    def gone(self, root: str, kept: Callable[[Place], bool], at: datetime) -> int:
        """End every place under ``root`` that is no longer there; return how many. ``at`` is only when it was noted."""
        query = f"SELECT id, {_PLACE}, looked FROM place WHERE NOT gone AND (path = ? OR path >= ? AND path < ?)"
        rows = self._read(query, (root, f"{root}/", f"{root}0"))  # 0 is what follows / in the order of characters
        left = [(int(row[0]), int(row[6])) for row in rows if not kept(_place(row[1:6]))]

        def end(connection: sqlite3.Connection) -> None:
            for place, looked in left:
                connection.execute("UPDATE entry SET ended = ? WHERE place = ? AND ended IS NULL", (looked, place))
                connection.execute("UPDATE place SET gone = 1 WHERE id = ?", (place,))

        if left:
            self._write(end)
        return len(left)

    def places(self) -> Iterator[Known]:
        """Yield every place, in order."""
        query = f"""SELECT {_PLACE}, looked, gone, unread,
            (SELECT count(*) FROM entry WHERE entry.place = place.id)
            FROM place ORDER BY path, kind"""
        for row in self._read(query, ()):
            yield Known(_place(row), _instant(row[5]), row[8], bool(row[6]), _UNREAD.decode(row[7]))

    def not_read(self) -> tuple[int, tuple[tuple[Place, Unread], ...]]:
        """Return how many places there are now, and what of them could not be read, in order."""
        query = f"SELECT {_PLACE}, unread FROM place WHERE NOT gone AND length(unread) > 2 ORDER BY path, kind"
        rows = self._read(query, ())
        count = self._read("SELECT count(*) FROM place WHERE NOT gone", ())
        problems = tuple((_place(row), problem) for row in rows for problem in _UNREAD.decode(row[5]))
        return (int(count[0][0]) if count else 0), problems

    def counts(self) -> Mapping[str, int]:
        """Return how many places, releases, entries and problems there are."""
        rows = self._read("SELECT count(*), coalesce(sum(length(unread) > 2), 0) FROM place WHERE NOT gone", ())
        places, unread = rows[0] if rows else (0, 0)
        releases = self._read("SELECT count(*) FROM release", ())
        entries = self._read("SELECT count(*) FROM entry", ())
        counted = {"places": places, "releases": releases[0][0] if rows else 0}
        return counted | {"entries": entries[0][0] if rows else 0, "places not read whole": unread}

    def holding(self, ecosystem: str, name: str, version: str) -> Iterator[Held]:
        """Yield every entry of one release, in the order of places; ``version`` empty: the OPEN ones of a project."""
        query = f"""SELECT entry.place, {_PLACE}, {_ENTRY} FROM release JOIN entry ON entry.release = release.id
            JOIN place ON place.id = entry.place
            WHERE release.ecosystem = ? AND release.name = ? AND release.version = ?
            ORDER BY place.path, place.kind, entry.number"""
        return map(_held, self._read(query, (ecosystem, name, version)))

    def versions(self, ecosystem: str, name: str) -> tuple[str, ...]:
        """Return the versions of a project that are held anywhere."""
        query = "SELECT version FROM release WHERE ecosystem = ? AND name = ? AND version <> '' ORDER BY version"
        return tuple(str(version) for (version,) in self._read(query, (ecosystem, name)))

    def chain(self, row: int, number: int) -> tuple[Entry, ...]:
        """Return what leads to an entry, the one that the project asks for first, without the entry itself."""
        query = f"""WITH RECURSIVE up (number, via, depth) AS (
                SELECT number, via, 0 FROM entry WHERE place = ?1 AND number = ?2
                UNION ALL SELECT entry.number, entry.via, depth + 1 FROM up JOIN entry
                    ON entry.place = ?1 AND entry.number = up.via WHERE depth < {MAX_CHAIN})
            SELECT {_ENTRY} FROM up JOIN entry ON entry.place = ?1 AND entry.number = up.number
            JOIN release ON release.id = entry.release WHERE depth > 0 ORDER BY depth DESC"""
        return tuple(map(_entry, self._read(query, (row, number))))

    def brought(self, row: int, number: int) -> tuple[Entry, ...]:
        """Return what an entry leads to in its place, and what those lead to, bounded."""
        found: list[Entry] = []
        query = f"""SELECT {_ENTRY} FROM entry JOIN release ON release.id = entry.release
            WHERE entry.place = ? AND entry.via = ? ORDER BY entry.number"""
        waiting = [number]
        for one in waiting:
            below = [_entry(line) for line in self._read(query, (row, one))]
            found += below
            waiting += [entry.number for entry in below]
            if len(found) > MAX_BROUGHT:
                break
        return tuple(found[:MAX_BROUGHT])

    def beside(self, path: str, ecosystem: str, name: str) -> tuple[Held, ...]:
        """Return the entries of a project in places at exactly this path."""
        query = f"""SELECT entry.place, {_PLACE}, {_ENTRY} FROM place
            JOIN release ON release.ecosystem = ? AND release.name = ?
            JOIN entry ON entry.release = release.id AND entry.place = place.id
            WHERE place.path = ? ORDER BY place.kind, entry.number"""
        return tuple(map(_held, self._read(query, (ecosystem, name, path))))

    def releases(self) -> Iterator[tuple[int, tuple[str, str, str]]]:
        """Yield every release that is or was held, with its row."""
        for row in self._read("SELECT id, ecosystem, name, version FROM release WHERE version <> '' ORDER BY id", ()):
            yield row[0], (row[1], row[2], row[3])

    def of(self, ecosystem: str, name: str) -> tuple[tuple[int, str], ...]:
        """Return the releases of a project that are or were held, with their rows, in the order of versions."""
        query = """SELECT id, version FROM release WHERE ecosystem = ? AND name = ? AND version <> ''
            ORDER BY version"""
        return tuple((row, version) for row, version in self._read(query, (ecosystem, name)))

    def keys(self, rows: Iterable[int]) -> Mapping[int, tuple[str, str, str]]:
        """Return the names of releases."""
        query = "SELECT ecosystem, name, version FROM release WHERE id = ?"
        return {row: (key[0], key[1], key[2]) for row in rows for key in self._read(query, (row,))}

    def pins(self, at: datetime | None = None) -> Iterator[tuple[int, int]]:
        """Yield place and release of whatever was held at an instant, place by place, without holding them all."""
        query = f"""SELECT entry.place, entry.release FROM place JOIN entry ON entry.place = place.id
            WHERE {_THERE} ORDER BY place.id"""
        if self._connection is None and not self.path.exists():
            return
        try:
            yield from self._opened().execute(query, _at(at))
        except (sqlite3.Error, OSError, UnicodeError) as error:
            raise self._failed("read", error) from error

    def holders(self, releases: Iterable[int], at: datetime | None) -> Mapping[int, Mapping[int, int]]:
        """Return the places that held one of some releases at an instant: the numbers of the entries, and which."""
        query = f"SELECT place, number FROM entry WHERE release = ? AND {_THERE}"
        found: dict[int, dict[int, int]] = {}
        for release in releases:
            for place, number in self._read(query, (release, *_at(at))):
                found.setdefault(place, {})[number] = release
        return {place: dict(sorted(found[place].items())) for place in sorted(found)}

    def release(self, place: int, number: int, at: datetime | None) -> int | None:
        """Return the release of an entry; None if it was not there at an instant."""
        query = f"SELECT release FROM entry WHERE place = ? AND number = ? AND {_THERE}"
        rows = self._read(query, (place, number, *_at(at)))
        return rows[0][0] if rows else None

    def owners(self, place: int) -> Links:
        """Return who needs each entry of a place, by their numbers; -1 stands for the project."""
        rows = self._read("SELECT owners FROM link WHERE place = ?", (place,))
        try:
            return unpacked(rows[0][0]) if rows else {}
        except ValueError as error:
            raise self._failed("read", error) from error

    def paths(self, places: Iterable[int]) -> Mapping[int, str]:
        """Return the paths of places."""
        wanted = frozenset(places)
        return {row: path for row, path in self._read("SELECT id, path FROM place", ()) if row in wanted}

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __del__(self) -> None:
        self.close()

    def _take(
        self, connection: sqlite3.Connection, claim: Claim, entries: list[Entry], unread: Sequence[Unread], looked: int
    ) -> None:
        """Write a place. An entry that it had already keeps the time from which it was known to be there."""
        place = claim.place
        key = (place.path, place.kind)
        told = (place.client, place.scripts.value, place.why, claim.stamp, looked, msgspec.json.encode(tuple(unread)))
        found = connection.execute("SELECT id, looked FROM place WHERE path = ? AND kind = ?", key).fetchone()
        if found is None:
            statement = """INSERT INTO place (path, kind, client, scripts, why, stamp, looked, unread, gone)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0) RETURNING id"""
            number = connection.execute(statement, (*key, *told)).fetchone()[0]
            rows, links = self._rows(connection, number, entries)
        else:
            number = found[0]
            statement = """UPDATE place SET client = ?, scripts = ?, why = ?, stamp = ?, looked = ?, unread = ?,
                gone = 0 WHERE id = ?"""
            connection.execute(statement, (*told, number))
            if claim.whole:
                connection.execute("DELETE FROM entry WHERE place = ?", (number,))
                rows, links = self._rows(connection, number, entries)
            else:
                rows, links = self._merged(connection, number, entries, found[1])
        connection.executemany(_PUT, rows)
        connection.execute("DELETE FROM link WHERE place = ?", (number,))
        if links:
            connection.execute("INSERT INTO link VALUES (?, ?)", (number, packed(links)))

    def _rows(self, connection: sqlite3.Connection, place: int, entries: list[Entry]) -> tuple[list[_Row], Links]:
        """Return the rows of a place that tells all there is, and its links."""
        return [self._row(connection, place, one, one.number) for one in entries], of_entries(entries)

    def _merged(
        self, connection: sqlite3.Connection, place: int, entries: list[Entry], before: int
    ) -> tuple[list[_Row], Links]:
        """Return the rows of a place that was known: those it still has, then those that it no longer has, ended."""
        query = "SELECT * FROM entry WHERE place = ? ORDER BY number"
        had: dict[tuple[int, int, str | None, int | None], list[_Row]] = {}
        for row in connection.execute(query, (place,)):
            had.setdefault((row[2], row[3], row[9], row[7]), []).append(row)
        connection.execute("DELETE FROM entry WHERE place = ?", (place,))
        rows: list[_Row] = []
        moved: dict[int, int] = {}
        highest = -1
        for one in entries:
            made = self._row(connection, place, one, one.number)
            known = had.get((made[2], made[3], made[9], made[7]))
            if known:
                was = known.pop(0)
                moved[was[1]] = one.number
                earliest = min(filter(None, (was[6], made[6])), default=None)
                made = (*made[:6], earliest, *made[7:])
            highest = max(highest, one.number)
            rows.append(made)
        left = sorted((row for same in had.values() for row in same), key=lambda row: row[1])
        for offset, row in enumerate(left, highest + 1):
            ended = before if row[7] is None else row[7]
            moved[row[1]] = offset
            rows.append((place, offset, row[2], row[3], row[4], None, row[6], ended, row[8], row[9]))
        gone = frozenset(range(highest + 1, highest + 1 + len(left)))
        return rows, carried(self.owners(place), of_entries(entries), moved, gone)

    def _row(self, connection: sqlite3.Connection, place: int, one: Entry, number: int) -> _Row:
        began = None if one.first is None else _seconds(one.first)
        ended = None if one.last is None else _seconds(one.last)
        release = self._release(connection, (one.ecosystem, one.name, one.version))
        told = (_NUMBERS[one.proof], one.line, one.via, began, ended, int(one.signs), one.note or None)
        return (place, number, release, *told)

    def _release(self, connection: sqlite3.Connection, key: tuple[str, str, str]) -> int:
        known = self._releases.get(key)
        if known is None:
            if len(self._releases) > 500_000:  # bounded memory; what is needed again is read again
                self._releases.clear()
            query = "SELECT id FROM release WHERE ecosystem = ? AND name = ? AND version = ?"
            found = connection.execute(query, key).fetchone()
            if found is None:
                statement = "INSERT INTO release (ecosystem, name, version) VALUES (?, ?, ?) RETURNING id"
                found = connection.execute(statement, key).fetchone()
            known = self._releases[key] = int(found[0])
        return known

    def _read(self, query: str, values: Sequence[object]) -> list[_Row]:
        if self._connection is None and not self.path.exists():
            return []
        try:
            return self._opened().execute(query, values).fetchall()
        except (sqlite3.Error, OSError, UnicodeError) as error:
            raise self._failed("read", error) from error

    def _write(self, work: Callable[[sqlite3.Connection], object]) -> None:
        try:
            connection = self._opened()
            connection.execute("BEGIN IMMEDIATE")
            try:
                work(connection)
                connection.execute("COMMIT")
            except BaseException:
                self._releases.clear()  # some of them may never have been written
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        except (sqlite3.Error, OSError, UnicodeError) as error:
            raise self._failed("written", error) from error

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = open_database(self.path, _TABLES, _VERSION, synchronous="NORMAL")
            self._connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        return self._connection

    def _failed(self, act: str, error: Exception) -> InventoryError:
        return InventoryError(f"the inventory {self.path} cannot be {act}: {error}; free it, or name another state")


def _at(at: datetime | None) -> tuple[int | None, ...]:
    """Return the values of ``_THERE``: what there was at an instant, or what there is now."""
    seconds = None if at is None else _seconds(at)
    return seconds, seconds, seconds


def _seconds(at: datetime) -> int:
    return int(at.timestamp())


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _place(row: _Row) -> Place:
    return Place(row[0], row[1], row[2], Scripts(row[3]), row[4])


def _entry(row: _Row) -> Entry:
    return Entry(
        ecosystem=row[0],
        name=row[1],
        version=row[2],
        proof=_PROOFS[row[3]],
        number=row[4],
        line=row[5],
        via=row[6],
        first=None if row[7] is None else _instant(row[7]),
        last=None if row[8] is None else _instant(row[8]),
        signs=Sign(row[9]),
        note=row[10] or "",
    )


def _held(row: _Row) -> Held:
    return Held(row[0], _place(row[1:6]), _entry(row[6:]))
