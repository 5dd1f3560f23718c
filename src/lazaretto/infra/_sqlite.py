"""Opening SQLite files the same way everywhere: private, in WAL mode, several processes at once."""

import _thread
import os
import sqlite3
import stat
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from lazaretto.infra._sql import Execute, Rows, Schema, T

BUSY_SECONDS = 10.0

AT_ONCE = 256
"""Writes at once after which their log is carried over into the file, beside the writes that follow."""

LONG = 4096
"""Pages of a log that is begun anew although somebody always writes."""

# SQLITE_CORRUPT, SQLITE_FORMAT, SQLITE_NOTADB; and SQLITE_ERROR, because our statements do not change:
# a table or column that is missing has been damaged away.
_CORRUPT = frozenset({1, 11, 24, 26})


def open_database(path: Path, schema: str, version: int, *, synchronous: str) -> sqlite3.Connection:
    """Open a database, and make it if it is not there. For one process; guard it with a lock among threads.

    Args:
        path: the file; its folder is made with access for the user alone, and so is the file.
        schema: statements that make the tables, each harmless if repeated.
        version: the schema's; kept as ``user_version``.
        synchronous: OFF, NORMAL or FULL (SQLite documentation, PRAGMA synchronous).

    Raises:
        sqlite3.Error: cannot be opened, is broken, or was made by a later version.
        OSError: the folder or file cannot be made.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Made without being opened: closing a descriptor of it would drop the locks of every other connection that this
    # process has to it (POSIX), and whoever closes it next elsewhere would take our unfinished log away.
    with suppress(FileExistsError):
        os.mknod(path, stat.S_IFREG | 0o600)
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        connection.execute(f"PRAGMA synchronous={synchronous}")
        _prepare(connection, schema, version)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, schema: str, version: int) -> None:
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if found > version:
        raise sqlite3.DatabaseError("it was made by a later version of this program")
    if found == version:
        return
    give_up = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            # Changing the mode does not wait for others by itself, unlike everything else.
            connection.execute("PRAGMA journal_mode=WAL")
            break
        except sqlite3.OperationalError:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.01)
    connection.executescript(f"BEGIN IMMEDIATE; {schema}; PRAGMA user_version={version}; COMMIT;")


def is_corrupt(error: Exception) -> bool:
    """Whether the error means that the file is broken, and not that it is busy, full or read-only."""
    if isinstance(error, UnicodeDecodeError):  # SQLite quotes the damaged text in its own message
        return True
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _CORRUPT


_WORDS = {"number": "INTEGER PRIMARY KEY", "ordered": "TEXT", "bytes": "BLOB"}


class SqliteDatabase:
    """A schema in one file (``infra._sql.Database``), opened on first use.

    Args:
        path: the file.
        schema: what is in it.
        error: what is raised if it cannot be read or written.
        durable: whether every commit is synced to the disk, and survives a power failure.
    """

    def __init__(self, path: Path, schema: Schema, error: Callable[[str], Exception], *, durable: bool = False) -> None:
        self.path = path
        self._schema = schema
        self._error = error
        self._synchronous = "FULL" if durable else "NORMAL"
        self._lock = _thread.allocate_lock()
        self._writer: sqlite3.Connection | None = None
        # Of its own, so that whoever asks never waits for whoever writes.
        self._reading = _thread.allocate_lock()
        self._reader: sqlite3.Connection | None = None
        self._hasty_writer: sqlite3.Connection | None = None
        self._written = 0
        self._carrying = _thread.allocate_lock()
        self._carrier: sqlite3.Connection | None = None

    def read(self, query: str, values: Sequence[object] = ()) -> Rows:
        """Return the rows of a query; a file that does not exist is not made, and says nothing."""
        if self._reader is None and not self.path.exists():
            return []
        with self._reading:
            try:
                if self._reader is None:
                    self._reader = self._open()
                return self._reader.execute(query, values).fetchall()
            except (sqlite3.Error, OSError, UnicodeError) as error:
                raise self._failed("read", error) from error

    def write(self, statement: str, values: Sequence[object]) -> Rows:
        """Carry out one statement; it is committed when this returns."""
        with self._lock:
            try:
                return self._opened().execute(statement, values).fetchall()
            except (sqlite3.Error, OSError, UnicodeError) as error:
                raise self._failed("written", error) from error

    def write_at_once(self, statement: str, values: Sequence[object]) -> bool:
        """Carry out one statement if that takes no longer than a copy into memory; False: it was not carried out.

        It takes longer, and needs a thread that may wait, where every commit is synced, and where another connection is
        writing.
        """
        if self._synchronous == "FULL" or not self._lock.acquire(blocking=False):
            return False
        try:
            if self._hasty_writer is None:
                if self._writer is None:  # the file may have to be made first
                    return False
                self._hasty_writer = self._open()
                self._hasty_writer.execute("PRAGMA busy_timeout=0")
                self._hasty_writer.execute("PRAGMA wal_autocheckpoint=0")
            self._hasty_writer.execute(statement, values)
        except (sqlite3.Error, OSError, UnicodeError):
            return False  # whoever may wait tries it again, and says what is wrong
        else:
            self._written = (self._written + 1) % AT_ONCE
            if not self._written:
                self._begin_to_carry()
            return True
        finally:
            self._lock.release()

    def _begin_to_carry(self) -> None:
        from threading import Thread  # whoever writes at once has it already; a start does without

        if self._carrying.acquire(blocking=False):
            try:
                Thread(target=self._carry_over, name="carrying").start()
            except RuntimeError:  # there are too many threads; the row is written all the same
                self._carrying.release()

    def _carry_over(self) -> None:
        """Carry the log over into the file; for a thread of its own, which has ``_carrying``.

        Others write on meanwhile, because it waits for the disk. The log begins anew only if all of it was carried
        over: if it has grown long because there was always something new, nobody writes while the rest is. What fails
        is done the next time: the log is as good as the file.
        """
        try:
            with suppress(sqlite3.Error, OSError):
                if self._carrier is None:
                    self._carrier = self._open()
                _, pages, _ = self._carrier.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
                if pages >= LONG:
                    with self._lock:
                        self._carrier.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        finally:
            self._carrying.release()

    def transact(self, work: Callable[[Execute], T]) -> T:
        """Carry out work in one transaction, all or nothing."""
        with self._lock:
            try:
                connection = self._opened()
                connection.execute("BEGIN IMMEDIATE")
                try:
                    done = work(lambda statement, values: connection.execute(statement, values).fetchall())
                    connection.execute("COMMIT")
                except BaseException:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                    raise
                return done
            except (sqlite3.Error, OSError, UnicodeError) as error:
                raise self._failed("written", error) from error

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._carrying, self._lock, self._reading:
            for connection in (self._writer, self._reader, self._hasty_writer, self._carrier):
                if connection is not None:
                    connection.close()
            self._writer = self._reader = self._hasty_writer = self._carrier = None

    def __del__(self) -> None:
        self.close()

    def _opened(self) -> sqlite3.Connection:
        if self._writer is None:
            self._writer = self._open()
        return self._writer

    def _open(self) -> sqlite3.Connection:
        name, version = self._schema.name, self._schema.version
        tables = self._schema.tables.format_map(_WORDS) + "".join(
            f"CREATE TRIGGER IF NOT EXISTS {table}_no_{act} BEFORE {act} ON {table}"
            f" BEGIN SELECT RAISE(ABORT, 'the {name} is append-only'); END;\n"
            for table in self._schema.kept
            for act in ("update", "delete")
        )
        return open_database(self.path, tables, version, synchronous=self._synchronous)

    def _failed(self, act: str, error: Exception) -> Exception:
        name = self._schema.name
        return self._error(f"the {name} {self.path} cannot be {act}: {error}; free it, or name another state folder")
