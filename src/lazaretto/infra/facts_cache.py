"""Facts and cuts by content digest, dialect and language version, in one SQLite file.

A cache and nothing more: any row, or the whole file, may vanish at any time. Each row carries a
checksum over key and value; one that does not hold is a miss. A broken file is moved aside and a new
one begun; a file that cannot be used at all is done without. ``warnings`` tells either. Writes are
not synced to the disk (a power failure loses the cache, never invents facts), and rows unused for
longest go when the file grows beyond its limit.
"""

import _thread
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar
from zlib import crc32

import msgspec

from lazaretto.app.ports import Clock
from lazaretto.core.facts import FactKey, Facts
from lazaretto.core.names import Digest
from lazaretto.infra._sqlite import is_corrupt, open_database
from lazaretto.infra.clock import SystemClock

FILE_NAME = "facts.sqlite"
MAX_BYTES = 512 << 20
_VERSION = 1
_SCHEMA = "; ".join(
    f"CREATE TABLE IF NOT EXISTS {table} (key BLOB PRIMARY KEY, day INTEGER NOT NULL, value BLOB NOT NULL)"
    for table in ("facts", "units")
)
_CHUNK = 500
_TOUCH_AFTER_DAYS = 7
_KEEP = 0.75

_Result = TypeVar("_Result")
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Facts).decode


class FactsCache:
    """The cache in ``folder``, opened on first use. Several processes and threads may use it at once.

    Args:
        folder: made if absent, for the user alone.
        max_bytes: size of the file beyond which the rows unused for longest are dropped.
        clock: tells the day of last use.
    """

    def __init__(self, folder: Path, max_bytes: int = MAX_BYTES, clock: Clock | None = None) -> None:
        self.path = folder / FILE_NAME
        self._max_bytes = max_bytes
        self._clock = clock or SystemClock()
        self._lock = _thread.allocate_lock()
        self._connection: sqlite3.Connection | None = None
        self._inode = 0
        self._unusable = False
        self._warnings: list[str] = []

    @property
    def warnings(self) -> tuple[str, ...]:
        """What went wrong and was got around, for a person."""
        return tuple(self._warnings)

    def get_many(self, keys: Iterable[FactKey]) -> Mapping[FactKey, Facts]:
        """Return what is known; unknown keys are left out."""
        wanted = {_key(key.digest, key.language, key.version): key for key in keys}
        rows = self._get("facts", list(wanted))
        found = {}
        for raw, value in rows.items():
            try:
                found[wanted[raw]] = _decode(value)
            except msgspec.MsgspecError:
                continue  # written by a version with other facts
        return found

    def put_many(self, items: Iterable[tuple[FactKey, Facts]]) -> None:
        """Remember."""
        rows = [(_key(key.digest, key.language, key.version), _encode(facts)) for key, facts in items]
        self._put("facts", rows)

    def get_units(self, dialect: str, version: int, digests: Iterable[Digest]) -> Mapping[Digest, bytes]:
        """Return known cuts of large files."""
        wanted = {_key(digest, dialect, version): digest for digest in digests}
        rows = self._get("units", list(wanted))
        return {wanted[raw]: value for raw, value in rows.items()}

    def put_units(self, dialect: str, version: int, units: Mapping[Digest, bytes]) -> None:
        """Remember cuts."""
        rows = [(_key(digest, dialect, version), unit) for digest, unit in units.items()]
        self._put("units", rows)

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def __del__(self) -> None:
        self.close()

    def _try(self, work: Callable[[sqlite3.Connection], _Result], otherwise: _Result) -> _Result:
        """Do something with the database; twice if the first time shows that it is broken."""
        with self._lock:
            for _ in range(2):
                if self._unusable:
                    return otherwise
                try:
                    return work(self._open())
                except (sqlite3.Error, UnicodeDecodeError) as error:
                    if not is_corrupt(error):
                        self._give_up(str(error))
                    else:
                        self._move_aside(str(error))
                except OSError as error:
                    self._give_up(error.strerror or str(error))
        return otherwise

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = open_database(self.path, _SCHEMA, _VERSION, synchronous="OFF")
            self._inode = self.path.stat().st_ino
        return self._connection

    def _give_up(self, reason: str) -> None:
        self._unusable = True
        self._warnings.append(f"the cache of facts {self.path} is not used in this run: {reason}")

    def _move_aside(self, reason: str) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        aside = self.path.with_suffix(".broken")
        try:
            # Another process may have moved it already and begun a new one.
            if self._inode in (0, self.path.stat().st_ino):
                for suffix in ("-wal", "-shm"):
                    self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
                self.path.replace(aside)
        except OSError as error:
            self._give_up(error.strerror or str(error))
            return
        self._inode = 0
        self._warnings.append(f"the cache of facts was broken ({reason}); it was moved to {aside} and begun anew")

    def _get(self, table: str, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        nothing: dict[bytes, bytes] = {}
        return self._try(lambda database: self._select(database, table, keys), nothing) if keys else nothing

    def _put(self, table: str, rows: Sequence[tuple[bytes, bytes]]) -> None:
        if rows:
            self._try(lambda database: self._insert(database, table, rows), None)

    def _select(self, database: sqlite3.Connection, table: str, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        found: dict[bytes, bytes] = {}
        old: list[bytes] = []
        today = self._today()
        for chunk in _chunks(keys):
            marks = ",".join("?" * len(chunk))
            rows = database.execute(f"SELECT key, day, value FROM {table} WHERE key IN ({marks})", chunk)  # noqa: S608
            for key, day, value in rows:
                if not (isinstance(key, bytes) and isinstance(day, int) and isinstance(value, bytes)):
                    continue  # SQLite's types are those of the row, not of the column
                if _sum(key, value[4:]) != value[:4]:
                    continue
                found[key] = value[4:]
                if day + _TOUCH_AFTER_DAYS <= today:
                    old.append(key)
        if old:
            updates = [(today, key) for key in old]
            self._write(database, f"UPDATE {table} SET day = ? WHERE key = ?", updates)  # noqa: S608
        return found

    def _insert(self, database: sqlite3.Connection, table: str, rows: Sequence[tuple[bytes, bytes]]) -> None:
        today = self._today()
        stored = [(key, today, _sum(key, value) + value) for key, value in rows]
        self._write(database, f"INSERT OR REPLACE INTO {table} VALUES (?, ?, ?)", stored)  # noqa: S608
        if _used_bytes(database) > self._max_bytes:
            self._evict(database)

    def _write(self, database: sqlite3.Connection, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        database.execute("BEGIN IMMEDIATE")
        try:
            database.executemany(statement, rows)
        except BaseException:
            database.execute("ROLLBACK")
            raise
        database.execute("COMMIT")

    def _evict(self, database: sqlite3.Connection) -> None:
        """Drop whole days, the longest unused first; of the last day, what was written first."""
        database.execute("BEGIN IMMEDIATE")
        try:
            while _used_bytes(database) > self._max_bytes * _KEEP:
                days = database.execute(
                    "SELECT day FROM facts UNION SELECT day FROM units ORDER BY 1 LIMIT 2"
                ).fetchall()
                if not days:
                    break
                share = 1 if len(days) > 1 else 4
                for table in ("facts", "units"):
                    database.execute(
                        f"DELETE FROM {table} WHERE rowid IN (SELECT rowid FROM {table} WHERE day = ?1"  # noqa: S608
                        f" ORDER BY rowid LIMIT 1 + (SELECT count(*) FROM {table} WHERE day = ?1) / {share})",
                        days[0],
                    )
        finally:
            database.execute("COMMIT")

    def _today(self) -> int:
        return self._clock.now().toordinal()


def _key(digest: Digest, dialect: str, version: int) -> bytes:
    algorithm, _, value = digest.partition(":")
    return b"\0".join((bytes.fromhex(value), f"{algorithm}:{dialect}:{version}".encode()))


def _sum(key: bytes, value: bytes) -> bytes:
    return crc32(value, crc32(key)).to_bytes(4, "little")


def _chunks(keys: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    for start in range(0, len(keys), _CHUNK):
        yield keys[start : start + _CHUNK]


def _used_bytes(database: sqlite3.Connection) -> int:
    pages, free, size = (
        database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    used: int = (pages - free) * size
    return used
