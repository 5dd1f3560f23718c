"""The journal of verdicts, append-only: what was decided, about what, when, and why.

Rows are never changed or deleted; triggers refuse it. ``append`` returns when the row is committed:
it survives the end or crash of this program. In a file that is ``durable`` every commit is also synced to the
disk and survives a power failure; without it the last ones may be lost then, which costs another
analysis. Times are UTC in ISO 8601.
"""

import zlib
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from lazaretto.app.ports import JournalError
from lazaretto.core.model import Provided
from lazaretto.core.names import ProjectName, Purl, Version
from lazaretto.infra._sql import Database, Schema, instant
from lazaretto.infra._sqlite import SqliteDatabase

FILE_NAME = "journal.sqlite"
ALLOW = "allow"
SCHEMA = Schema(
    name="journal",
    version=1,
    kept=("verdict", "provided"),
    tables="""
CREATE TABLE IF NOT EXISTS verdict (
    id {number}, key TEXT NOT NULL, subject TEXT NOT NULL, ecosystem TEXT NOT NULL,
    name TEXT NOT NULL, version TEXT NOT NULL, outcome TEXT NOT NULL, at TEXT NOT NULL, report {bytes} NOT NULL);
CREATE INDEX IF NOT EXISTS verdict_by_key ON verdict (key, id);
CREATE INDEX IF NOT EXISTS verdict_by_name ON verdict (ecosystem, name, subject, id);
CREATE TABLE IF NOT EXISTS provided (
    id {number}, registry TEXT NOT NULL, ecosystem TEXT NOT NULL, name TEXT NOT NULL,
    fields TEXT NOT NULL, at TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS provided_by_name ON provided (registry, ecosystem, name, id);
""",
)
_INSERT_VERDICT = """INSERT INTO verdict (key, subject, ecosystem, name, version, outcome, at, report)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)"""
_INSERT_PROVIDED = "INSERT INTO provided (registry, ecosystem, name, fields, at) VALUES (?, ?, ?, ?, ?)"


class Journal:
    """The journal in a database. Several processes and threads may use it at once.

    Every method raises JournalError if the journal cannot be read or written.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, key: str) -> bytes | None:
        """Return the report last stored under this fingerprint, byte for byte, or None."""
        query = "SELECT report FROM verdict WHERE key = ? ORDER BY id DESC LIMIT 1"
        rows = self._database.read(query, (key,))
        return _whole(rows[0][0]) if rows else None

    def latest(self, subject: Purl) -> bytes | None:
        """Return the report of the last verdict on a release, or None."""
        query = "SELECT report FROM verdict WHERE ecosystem = ? AND name = ? AND subject = ? ORDER BY id DESC LIMIT 1"
        ecosystem, name, _ = split_purl(subject)
        rows = self._database.read(query, (ecosystem, name, subject))
        return _whole(rows[0][0]) if rows else None

    def refused(self, limit: int) -> tuple[bytes, ...]:
        """Return the reports of at most ``limit`` releases whose last verdict is not allow, the latest first."""
        query = """
            SELECT report FROM verdict WHERE outcome <> ? AND id IN (SELECT max(id) FROM verdict GROUP BY subject)
            ORDER BY id DESC LIMIT ?
        """
        return tuple(_whole(report) for (report,) in self._database.read(query, (ALLOW, limit)))

    def append(self, key: str, subject: Purl, outcome: str, report: bytes, at: datetime) -> None:
        """Write a verdict about a release, named by its package URL with a version."""
        ecosystem, name, version = split_purl(subject)
        row = (key, subject, ecosystem, name, version, outcome, instant(at), zlib.compress(report, 6))
        self._database.write(_INSERT_VERDICT, row)

    def suspects(self, ecosystem: str, name: ProjectName) -> frozenset[Version]:
        """Return the versions whose latest verdict, on any artifact, is not allow: never a baseline."""
        query = """
            SELECT version, outcome FROM verdict WHERE id IN
                (SELECT max(id) FROM verdict WHERE ecosystem = ? AND name = ? GROUP BY subject)
        """
        rows = self._database.read(query, (ecosystem, name))
        return frozenset(Version(version) for version, outcome in rows if outcome != ALLOW)

    def note_provided(
        self, registry: str, ecosystem: str, name: ProjectName, fields: Iterable[Provided], at: datetime
    ) -> None:
        """Note which fields a registry tells for a project now; written only if that differs from the last note.

        ``registry`` is its address without credentials.
        """
        text = " ".join(sorted(fields))
        query = "SELECT fields FROM provided WHERE registry = ? AND ecosystem = ? AND name = ? ORDER BY id DESC LIMIT 1"
        last = self._database.read(query, (registry, ecosystem, name))
        if not last or last[0][0] != text:
            row = (registry, ecosystem, name, text, instant(at))
            self._database.write(_INSERT_PROVIDED, row)

    def provided(self, registry: str, ecosystem: str, name: ProjectName) -> frozenset[Provided] | None:
        """Return every field that the registry ever told for a project; None if it was never asked."""
        query = "SELECT fields FROM provided WHERE registry = ? AND ecosystem = ? AND name = ?"
        rows = self._database.read(query, (registry, ecosystem, name))
        return frozenset(Provided(field) for (fields,) in rows for field in fields.split()) if rows else None

    def close(self) -> None:
        """Close the database; the next use opens it again."""
        self._database.close()


class SqliteJournal(Journal):
    """The journal in a file in ``folder``, opened on first use."""

    def __init__(self, folder: Path, *, durable: bool = False) -> None:
        self.path = folder / FILE_NAME
        super().__init__(SqliteDatabase(self.path, SCHEMA, JournalError, durable=durable))


def _whole(report: bytes) -> bytes:
    try:
        return zlib.decompress(report)
    except (zlib.error, TypeError) as error:
        raise JournalError(f"the journal holds a broken report: {error}") from error


def split_purl(subject: Purl) -> tuple[str, str, str]:
    """Return type, name (with its namespace) and version of a package URL (ECMA-427).

    Raises:
        ValueError: not a package URL.
    """
    scheme, _, rest = subject.partition(":")
    kind, _, path = rest.lstrip("/").partition("#")[0].partition("?")[0].partition("/")
    name, mark, version = path.rpartition("@")
    if not mark or "/" in version:
        name, version = path, ""
    if scheme != "pkg" or not kind or not name:
        raise ValueError(f"not a package URL: {subject!r}")
    return kind, _unquote(name), _unquote(version)


def _unquote(text: str) -> str:
    """Undo percent-encoding; urllib.parse would do it, and costs more to import than this run may take."""
    first, *rest = text.split("%")
    raw = first.encode()
    for piece in rest:
        raw += bytes.fromhex(piece[:2]) + piece[2:].encode()
    return raw.decode("utf-8", "backslashreplace")
