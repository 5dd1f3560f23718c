"""Opening SQLite files the same way everywhere: private, in WAL mode, several processes at once."""

import os
import sqlite3
import stat
import time
from contextlib import suppress
from pathlib import Path

BUSY_SECONDS = 10.0
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
