"""The firewall's ledger in one SQLite file: what was seen, decided, handed out and done.

Append-only but for leases; triggers refuse the rest. A write returns when its transaction is committed. Times are UTC
in ISO 8601, so that their order is that of their text. Beside triggers and pragmas only SQL that PostgreSQL knows as
well is used.
"""

import _thread
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lazaretto.app.ports import LedgerError, Served
from lazaretto.core.access import Scope, Token
from lazaretto.core.act import Act, content
from lazaretto.core.chain import START, Entry, Head, append
from lazaretto.core.names import Digest, ProjectName, Purl, Version
from lazaretto.core.policy import Outcome
from lazaretto.core.standing import Basis, Decision, Identity
from lazaretto.infra._sqlite import open_database
from lazaretto.infra.journal import split_purl

FILE_NAME = "ledger.sqlite"
_VERSION = 1
_TABLES = """
CREATE TABLE IF NOT EXISTS identity (
    id INTEGER PRIMARY KEY, ecosystem TEXT NOT NULL, project TEXT NOT NULL, version TEXT NOT NULL,
    filename TEXT NOT NULL, told TEXT NOT NULL, first_seen TEXT NOT NULL, published TEXT, verdict TEXT NOT NULL,
    UNIQUE (ecosystem, project, filename, told));
CREATE INDEX IF NOT EXISTS identity_by_verdict ON identity (verdict);
CREATE INDEX IF NOT EXISTS identity_by_told ON identity (told);
CREATE TABLE IF NOT EXISTS decision (
    id INTEGER PRIMARY KEY, ecosystem TEXT NOT NULL, project TEXT NOT NULL, version TEXT NOT NULL,
    filename TEXT NOT NULL, told TEXT NOT NULL, sha256 TEXT, outcome TEXT NOT NULL, complete INTEGER NOT NULL,
    basis TEXT NOT NULL, verdict TEXT NOT NULL, reason TEXT NOT NULL, decided_at TEXT NOT NULL, expires TEXT,
    for_cause INTEGER NOT NULL, clean INTEGER NOT NULL, decided_by TEXT NOT NULL, report TEXT);
CREATE INDEX IF NOT EXISTS decision_by_project ON decision (ecosystem, project, id);
CREATE INDEX IF NOT EXISTS decision_by_verdict ON decision (verdict, id);
CREATE INDEX IF NOT EXISTS decision_by_sha256 ON decision (sha256, id);
CREATE INDEX IF NOT EXISTS decision_by_told ON decision (told, id);
CREATE TABLE IF NOT EXISTS served (
    id INTEGER PRIMARY KEY, at TEXT NOT NULL, client TEXT NOT NULL, client_group TEXT NOT NULL, purl TEXT NOT NULL,
    filename TEXT NOT NULL, sha256 TEXT NOT NULL, outcome TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS served_by_purl ON served (purl, id);
CREATE INDEX IF NOT EXISTS served_by_sha256 ON served (sha256, id);
CREATE TABLE IF NOT EXISTS act (
    id INTEGER PRIMARY KEY, at TEXT NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL, subject TEXT NOT NULL,
    reason TEXT NOT NULL, until TEXT, previous TEXT NOT NULL UNIQUE, hash TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS token (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, hash TEXT NOT NULL, scopes TEXT NOT NULL, created TEXT NOT NULL,
    expires TEXT, token_group TEXT);
CREATE TABLE IF NOT EXISTS token_end (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS lease (told TEXT PRIMARY KEY, holder TEXT NOT NULL, until TEXT NOT NULL);
"""
_TRIGGERS = "".join(
    f"CREATE TRIGGER IF NOT EXISTS {table}_no_{act} BEFORE {act} ON {table}"
    " BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;\n"
    for table in ("identity", "decision", "served", "act", "token", "token_end")
    for act in ("update", "delete")
)
_DECISION = """ecosystem, project, version, filename, told, sha256, outcome, complete, basis, verdict, reason,
    decided_at, expires, for_cause, clean, decided_by, report"""
_IDENTITY = "ecosystem, project, version, filename, told, first_seen, published"
_ACT = "id, at, who, what, subject, reason, until, previous, hash"
_ACT_CONTENT = ("at", "who", "what", "subject", "reason", "until")
_INSERT_DECISION = f"INSERT INTO decision ({_DECISION}) VALUES ({', '.join('?' * 17)})"
_INSERT_ACT = f"INSERT INTO act ({_ACT}) VALUES ({', '.join('?' * 9)})"


class SqliteLedger:
    """The ledger in ``folder``, opened on first use. Several processes and threads may use it at once.

    Every method raises LedgerError if the ledger cannot be read or written.
    """

    def __init__(self, folder: Path, *, durable: bool = False) -> None:
        self.path = folder / FILE_NAME
        self._synchronous = "FULL" if durable else "NORMAL"
        self._lock = _thread.allocate_lock()
        self._connection: sqlite3.Connection | None = None
        # Of its own, so that whoever asks never waits for whoever writes.
        self._reading = _thread.allocate_lock()
        self._reader: sqlite3.Connection | None = None

    def identities(self, ecosystem: str, project: ProjectName) -> tuple[Identity, ...]:
        """Return every digest that was told of a project's artifacts, the first seen first."""
        query = f"SELECT {_IDENTITY} FROM identity WHERE ecosystem = ? AND project = ? ORDER BY id"
        return tuple(map(_identity, self._read(query, (ecosystem, project))))

    def find(self, subject: str) -> tuple[Identity, ...]:
        """Return the artifacts that a verdict id, a digest (``alg:hex``) or a package URL with a version names."""
        if subject.startswith("pkg:"):
            ecosystem, name, version = split_purl(Purl(subject))
            query = f"SELECT {_IDENTITY} FROM identity WHERE ecosystem = ? AND project = ? AND version = ? ORDER BY id"
            return tuple(map(_identity, self._read(query, (ecosystem, name, version))))
        query = f"""SELECT {_IDENTITY} FROM identity WHERE verdict = ? OR told = ?
            OR verdict IN (SELECT verdict FROM decision WHERE sha256 = ?) ORDER BY id"""
        return tuple(map(_identity, self._read(query, (subject.upper(), subject, subject))))

    def note(self, identities: Iterable[Identity]) -> None:
        """Write down digests that were not told before. One that is known already is left as it is."""
        statement = f"""INSERT INTO identity ({_IDENTITY}, verdict) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (ecosystem, project, filename, told) DO NOTHING"""
        self._write([(statement, _identity_row(one)) for one in identities])

    def decisions(self, ecosystem: str, project: ProjectName) -> tuple[Decision, ...]:
        """Return every decision on a project's artifacts, in the order of their making."""
        query = f"SELECT {_DECISION} FROM decision WHERE ecosystem = ? AND project = ? ORDER BY id"
        return tuple(map(_decision, self._read(query, (ecosystem, project))))

    def decide(self, decisions: Iterable[Decision], act: Act | None = None) -> None:
        """Write decisions and the act that they follow from: all or nothing."""
        self._write([(_INSERT_DECISION, _row(one)) for one in decisions], act)

    def epoch(self, ecosystem: str, project: ProjectName) -> int:
        """Return a number that grows with each decision on the project, by whomever it was written."""
        query = "SELECT max(id) FROM decision WHERE ecosystem = ? AND project = ?"
        rows = self._read(query, (ecosystem, project))
        return int(rows[0][0] or 0) if rows else 0

    def refusals(self, limit: int) -> tuple[Decision, ...]:
        """Return the artifacts whose last decision is no permission, the latest first."""
        query = f"""SELECT {_DECISION} FROM decision WHERE outcome <> 'allow' AND id IN
            (SELECT max(id) FROM decision GROUP BY ecosystem, project, filename, told) ORDER BY id DESC LIMIT ?"""
        return tuple(map(_decision, self._read(query, (limit,))))

    def serve(self, served: Iterable[Served]) -> None:
        """Write down what is about to be handed out. Returns when it is committed."""
        statement = """INSERT INTO served (at, client, client_group, purl, filename, sha256, outcome)
            VALUES (?, ?, ?, ?, ?, ?, ?)"""
        self._write(
            [
                (statement, (_instant(one.at), one.client, one.group, one.purl, one.filename, one.sha256, one.outcome))
                for one in served
            ]
        )

    def handed_out(self, project: Purl) -> tuple[tuple[Purl, int], ...]:
        """Return the releases of a project that were handed out, each with the number of clients that got it."""
        query = """SELECT purl, count(DISTINCT client) FROM served WHERE purl >= ? AND purl < ?
            GROUP BY purl ORDER BY purl"""
        return tuple((Purl(purl), int(clients)) for purl, clients in self._read(query, (f"{project}@", f"{project}A")))

    def act(self, act: Act) -> Entry:
        """Write an act at the end of the chain, and return its entry."""
        entry = self._write([], act)
        assert entry is not None  # an act was given
        return entry

    def acts(self) -> Iterator[Entry]:
        """Yield the entries of all acts in order."""
        for number, *said, previous, sealed in self._read(f"SELECT {_ACT} FROM act ORDER BY id", ()):
            yield Entry(number, dict(zip(_ACT_CONTENT, said, strict=True)), previous, sealed)

    def counts(self) -> dict[str, int]:
        """Return how much is on record, by kind."""
        kinds = {
            "artifacts seen": "SELECT count(*) FROM identity",
            "decisions": "SELECT count(*) FROM decision",
            "allowed by reading": "SELECT count(*) FROM decision WHERE basis = 'read' AND outcome = 'allow'",
            "refused by reading": "SELECT count(*) FROM decision WHERE basis = 'read' AND outcome <> 'allow'",
            "admitted on identity": "SELECT count(*) FROM decision WHERE basis = 'identity'",
            "handed out": "SELECT count(*) FROM served",
            "acts": "SELECT count(*) FROM act",
        }
        return {name: int(rows[0][0]) if (rows := self._read(query, ())) else 0 for name, query in kinds.items()}

    def tokens(self) -> tuple[Token, ...]:
        """Return the tokens that were not revoked."""
        query = """SELECT name, hash, scopes, created, expires, token_group FROM token
            WHERE name NOT IN (SELECT name FROM token_end) ORDER BY id"""
        return tuple(
            Token(
                name, sealed, frozenset(map(Scope, scopes.split())), datetime.fromisoformat(at), _optional(end), group
            )
            for name, sealed, scopes, at, end, group in self._read(query, ())
        )

    def token_epoch(self) -> tuple[int, int]:
        """Return what changes with each token that is made or revoked."""
        rows = self._read("SELECT (SELECT count(*) FROM token), (SELECT count(*) FROM token_end)", ())
        return (int(rows[0][0]), int(rows[0][1])) if rows else (0, 0)

    def add_token(self, token: Token, act: Act) -> None:
        """Keep a new token, and the act. Raises LedgerError if there was one of this name before."""
        expires = _instant(token.expires) if token.expires is not None else None
        scopes = " ".join(sorted(token.scopes))
        row = (token.name, token.hash, scopes, _instant(token.created), expires, token.group)
        statement = "INSERT INTO token (name, hash, scopes, created, expires, token_group) VALUES (?, ?, ?, ?, ?, ?)"
        self._write([(statement, row)], act)

    def end_token(self, name: str, act: Act) -> None:
        """Revoke a token. Raises LedgerError if it was revoked before."""
        self._write([("INSERT INTO token_end (name, at) VALUES (?, ?)", (name, _instant(act.at)))], act)

    def claim(self, told: str, holder: str, now: datetime, until: datetime) -> bool:
        """Take the lease on the reading of a digest; False while another holder's has not ended."""
        statement = """INSERT INTO lease (told, holder, until) VALUES (?, ?, ?)
            ON CONFLICT (told) DO UPDATE SET holder = excluded.holder, until = excluded.until
            WHERE lease.holder = excluded.holder OR lease.until <= ?"""
        self._write([(statement, (told, holder, _instant(until), _instant(now)))])
        rows = self._read("SELECT holder FROM lease WHERE told = ?", (told,))
        return bool(rows) and rows[0][0] == holder

    def release(self, told: str, holder: str) -> None:
        """Give a lease back."""
        self._write([("DELETE FROM lease WHERE told = ? AND holder = ?", (told, holder))])

    def release_all(self) -> None:
        """Give every lease back: for the one firewall on this file, when it starts after a crash."""
        self._write([("DELETE FROM lease", ())])

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._lock, self._reading:
            for connection in (self._connection, self._reader):
                if connection is not None:
                    connection.close()
            self._connection = self._reader = None

    def __del__(self) -> None:
        self.close()

    def _read(self, query: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        """Read; a ledger that does not exist is not made, and says nothing."""
        if self._reader is None and not self.path.exists():
            return []
        with self._reading:
            try:
                if self._reader is None:
                    self._reader = self._open()
                return self._reader.execute(query, values).fetchall()
            except (sqlite3.Error, OSError, UnicodeDecodeError) as error:
                raise self._error("read", error) from error

    def _write(self, statements: Sequence[tuple[str, tuple[object, ...]]], act: Act | None = None) -> Entry | None:
        """Carry out statements, and put an act at the end of the chain, in one transaction."""
        if not statements and act is None:
            return None
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = self._open()
                connection = self._connection
                connection.execute("BEGIN IMMEDIATE")  # whoever reads the end of the chain writes the next act
                entry = None
                try:
                    if act is not None:
                        last = connection.execute("SELECT id, hash FROM act ORDER BY id DESC LIMIT 1").fetchone()
                        entry = append(Head(*last) if last is not None else START, content(act))
                        said = (entry.content[key] for key in _ACT_CONTENT)
                        connection.execute(_INSERT_ACT, (entry.number, *said, entry.previous, entry.hash))
                    for statement, values in statements:
                        connection.execute(statement, values)
                    connection.execute("COMMIT")
                except BaseException:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                    raise
                return entry
            except (sqlite3.Error, OSError, UnicodeDecodeError) as error:
                raise self._error("written", error) from error

    def _open(self) -> sqlite3.Connection:
        return open_database(self.path, _TABLES + _TRIGGERS, _VERSION, synchronous=self._synchronous)

    def _error(self, act: str, error: Exception) -> LedgerError:
        return LedgerError(f"the ledger {self.path} cannot be {act}: {error}; free it, or name another state folder")


def _identity_row(one: Identity) -> tuple[object, ...]:
    published = _instant(one.published) if one.published is not None else None
    named = (one.ecosystem, one.project, one.version, one.filename, one.told)
    return (*named, _instant(one.first_seen), published, one.verdict)


def _identity(row: Sequence[Any]) -> Identity:
    ecosystem, project, version, filename, told, first_seen, published = row
    return Identity(
        ecosystem, project, version, filename, told, datetime.fromisoformat(first_seen), _optional(published)
    )


def _row(one: Decision) -> tuple[object, ...]:
    return (
        one.ecosystem,
        one.project,
        one.version,
        one.filename,
        one.told,
        one.sha256,
        one.outcome.word,
        int(one.complete),
        one.basis.value,
        one.verdict,
        one.reason,
        _instant(one.decided_at),
        _instant(one.expires) if one.expires is not None else None,
        int(one.for_cause),
        int(one.clean),
        one.by,
        one.report,
    )


def _decision(row: Sequence[Any]) -> Decision:
    return Decision(
        ecosystem=row[0],
        project=ProjectName(row[1]),
        version=Version(row[2]),
        filename=row[3],
        told=row[4],
        sha256=Digest(row[5]) if row[5] is not None else None,
        outcome=Outcome[row[6].upper()],
        complete=bool(row[7]),
        basis=Basis(row[8]),
        verdict=row[9],
        reason=row[10],
        decided_at=datetime.fromisoformat(row[11]),
        expires=_optional(row[12]),
        for_cause=bool(row[13]),
        clean=bool(row[14]),
        by=row[15],
        report=Digest(row[16]) if row[16] is not None else None,
    )


def _optional(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text is not None else None


def _instant(at: datetime) -> str:
    if at.tzinfo is None:
        raise ValueError("an instant needs its time zone")
    return at.astimezone(UTC).isoformat(timespec="microseconds")
