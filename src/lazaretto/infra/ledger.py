"""The firewall's ledger: what was seen, decided, handed out and done.

Append-only but for leases; triggers refuse the rest. A write returns when its transaction is committed. Times are UTC
in ISO 8601, so that their order is that of their text. Whatever is counted or follows on what is there already is
written in turns (``Database.transact``), also by several firewalls.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lazaretto.app.ports import LedgerError, Served
from lazaretto.core.access import OIDC_PREFIX, Scope, Token
from lazaretto.core.act import Act, content
from lazaretto.core.chain import START, Entry, Head, append
from lazaretto.core.names import Digest, ProjectName, Purl, Version
from lazaretto.core.policy import Outcome
from lazaretto.core.standing import Basis, Decision, Identity
from lazaretto.infra._sql import Database, Execute, Schema, instant, instant_or_none
from lazaretto.infra._sqlite import SqliteDatabase
from lazaretto.infra.journal import split_purl

FILE_NAME = "ledger.sqlite"
TOGETHER = 16
"""Most rows that one statement writes. A connection keeps one ready for each number of rows: a few short ones."""

SCHEMA = Schema(
    name="ledger",
    version=1,
    kept=("identity", "decision", "served", "act", "token", "token_end"),
    tables="""
CREATE TABLE IF NOT EXISTS identity (
    id {number}, ecosystem TEXT NOT NULL, project TEXT NOT NULL, version TEXT NOT NULL,
    filename TEXT NOT NULL, told TEXT NOT NULL, first_seen TEXT NOT NULL, published TEXT, verdict TEXT NOT NULL,
    UNIQUE (ecosystem, project, filename, told));
CREATE INDEX IF NOT EXISTS identity_by_project ON identity (ecosystem, project, id);
CREATE INDEX IF NOT EXISTS identity_by_verdict ON identity (verdict);
CREATE INDEX IF NOT EXISTS identity_by_told ON identity (told);
CREATE TABLE IF NOT EXISTS decision (
    id {number}, ecosystem TEXT NOT NULL, project TEXT NOT NULL, version TEXT NOT NULL,
    filename TEXT NOT NULL, told TEXT NOT NULL, sha256 TEXT, outcome TEXT NOT NULL, complete INTEGER NOT NULL,
    basis TEXT NOT NULL, verdict TEXT NOT NULL, reason TEXT NOT NULL, decided_at TEXT NOT NULL, expires TEXT,
    for_cause INTEGER NOT NULL, clean INTEGER NOT NULL, decided_by TEXT NOT NULL, report TEXT);
CREATE INDEX IF NOT EXISTS decision_by_project ON decision (ecosystem, project, id);
CREATE INDEX IF NOT EXISTS decision_by_verdict ON decision (verdict, id);
CREATE INDEX IF NOT EXISTS decision_by_sha256 ON decision (sha256, id);
CREATE INDEX IF NOT EXISTS decision_by_told ON decision (told, id);
CREATE TABLE IF NOT EXISTS served (
    id {number}, at TEXT NOT NULL, client TEXT NOT NULL, client_group TEXT NOT NULL, purl {ordered} NOT NULL,
    filename TEXT NOT NULL, sha256 TEXT NOT NULL, outcome TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS served_by_purl ON served (purl, id);
CREATE INDEX IF NOT EXISTS served_by_sha256 ON served (sha256, id);
CREATE TABLE IF NOT EXISTS act (
    id INTEGER PRIMARY KEY, at TEXT NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL, subject TEXT NOT NULL,
    reason TEXT NOT NULL, until TEXT, previous TEXT NOT NULL UNIQUE, hash TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS token (
    id {number}, name TEXT NOT NULL UNIQUE, hash TEXT NOT NULL, scopes TEXT NOT NULL, created TEXT NOT NULL,
    expires TEXT, token_group TEXT);
CREATE TABLE IF NOT EXISTS token_end (id {number}, name TEXT NOT NULL UNIQUE, at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS lease (told TEXT PRIMARY KEY, holder TEXT NOT NULL, until {ordered} NOT NULL);
""",
)
_DECISION = """ecosystem, project, version, filename, told, sha256, outcome, complete, basis, verdict, reason,
    decided_at, expires, for_cause, clean, decided_by, report"""
_IDENTITY = "ecosystem, project, version, filename, told, first_seen, published"
_IDENTITY_MARKS = "(?, ?, ?, ?, ?, ?, ?, ?)"
_SERVED = "at, client, client_group, purl, filename, sha256, outcome"
_SERVED_MARKS = "(?, ?, ?, ?, ?, ?, ?)"
_ACT = "id, at, who, what, subject, reason, until, previous, hash"
_ACT_CONTENT = ("at", "who", "what", "subject", "reason", "until")
_INSERT_DECISION = f"INSERT INTO decision ({_DECISION}) VALUES ({', '.join('?' * 17)})"
_INSERT_ACT = f"INSERT INTO act ({_ACT}) VALUES ({', '.join('?' * 9)})"


class Ledger:
    """The ledger in a database. Several processes and threads may use it at once.

    Every method raises LedgerError if the ledger cannot be read or written.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def identities(self, ecosystem: str, project: ProjectName) -> tuple[Identity, ...]:
        """Return every digest that was told of a project's artifacts, the first seen first."""
        query = f"SELECT {_IDENTITY} FROM identity WHERE ecosystem = ? AND project = ? ORDER BY id"
        return tuple(map(_identity, self._database.read(query, (ecosystem, project))))

    def find(self, subject: str) -> tuple[Identity, ...]:
        """Return the artifacts that a verdict id, a digest (``alg:hex``) or a package URL with a version names."""
        if subject.startswith("pkg:"):
            ecosystem, name, version = split_purl(Purl(subject))
            query = f"SELECT {_IDENTITY} FROM identity WHERE ecosystem = ? AND project = ? AND version = ? ORDER BY id"
            return tuple(map(_identity, self._database.read(query, (ecosystem, name, version))))
        query = f"""SELECT {_IDENTITY} FROM identity WHERE verdict = ? OR told = ?
            OR verdict IN (SELECT verdict FROM decision WHERE sha256 = ?) ORDER BY id"""
        return tuple(map(_identity, self._database.read(query, (subject.upper(), subject, subject))))

    def note(self, identities: Iterable[Identity]) -> None:
        """Write down digests that were not told before. One that is known already is left as it is."""
        rows = [_identity_row(one) for one in identities]
        statements = [_insert_identities(rows[at : at + TOGETHER]) for at in range(0, len(rows), TOGETHER)]
        if statements:
            self._database.transact(lambda execute: [execute(*one) for one in statements])

    def decisions(self, ecosystem: str, project: ProjectName) -> tuple[Decision, ...]:
        """Return every decision on a project's artifacts, in the order of their making."""
        query = f"SELECT {_DECISION} FROM decision WHERE ecosystem = ? AND project = ? ORDER BY id"
        return tuple(map(_decision, self._database.read(query, (ecosystem, project))))

    def decide(self, decisions: Iterable[Decision], act: Act | None = None) -> None:
        """Write decisions and the act that they follow from: all or nothing."""
        statements = [(_INSERT_DECISION, _row(one)) for one in decisions]
        if statements or act is not None:
            self._database.transact(lambda execute: _carry_out(execute, statements, act))

    def epoch(self, ecosystem: str, project: ProjectName) -> tuple[int, int]:
        """Return two numbers: one grows with what is decided of the project, one with what is seen, by whomever."""
        query = """SELECT (SELECT max(id) FROM decision WHERE ecosystem = ? AND project = ?),
            (SELECT max(id) FROM identity WHERE ecosystem = ? AND project = ?)"""
        rows = self._database.read(query, (ecosystem, project, ecosystem, project))
        return (rows[0][0] or 0, rows[0][1] or 0) if rows else (0, 0)

    def mark(self) -> tuple[int, int]:
        """Return what changes with everything that is seen or decided, of whatever project; cheaper than ``epoch``."""
        query = "SELECT (SELECT max(id) FROM decision), (SELECT max(id) FROM identity)"
        rows = self._database.read(query)
        return (rows[0][0] or 0, rows[0][1] or 0) if rows else (0, 0)

    def refusals(self, limit: int, since: datetime | None = None) -> tuple[Decision, ...]:
        """Return last decisions, the latest first: those that are no permission, and all since then."""
        query = f"""SELECT {_DECISION} FROM decision WHERE (outcome <> 'allow' OR decided_at >= ?) AND id IN
            (SELECT max(id) FROM decision GROUP BY ecosystem, project, filename, told) ORDER BY id DESC LIMIT ?"""
        earliest = instant(since if since is not None else datetime.max.replace(tzinfo=UTC))
        return tuple(map(_decision, self._database.read(query, (earliest, limit))))

    def reports(self) -> frozenset[Digest]:
        """Return the digests of all reports that decisions rest on."""
        rows = self._database.read("SELECT DISTINCT report FROM decision WHERE report IS NOT NULL", ())
        return frozenset(Digest(report) for (report,) in rows)

    def serve(self, served: Iterable[Served]) -> None:
        """Write down what is about to be handed out. Returns when all of it is committed."""
        rows = tuple(served)
        for at in range(0, len(rows), TOGETHER):
            self._database.write(*_insert_served(rows[at : at + TOGETHER]))

    def serve_at_once(self, served: Sequence[Served]) -> int:
        """Write it down as far as that takes no waiting; return how many of the first are committed."""
        for at in range(0, len(served), TOGETHER):
            if not self._database.write_at_once(*_insert_served(served[at : at + TOGETHER])):
                return at
        return len(served)

    def handed_out(self, project: Purl) -> tuple[tuple[Purl, int], ...]:
        """Return the releases of a project that were handed out, each with the number of clients that got it."""
        query = """SELECT purl, count(DISTINCT client) FROM served WHERE purl >= ? AND purl < ?
            GROUP BY purl ORDER BY purl"""
        rows = self._database.read(query, (f"{project}@", f"{project}A"))
        return tuple((Purl(purl), int(clients)) for purl, clients in rows)

    def last_handed_out(self) -> dict[Digest, datetime]:
        """Return when each artifact was last handed out, by whichever firewall."""
        query = """SELECT sha256, at FROM served WHERE id IN (SELECT max(id) FROM served GROUP BY sha256)"""
        return {Digest(sha256): datetime.fromisoformat(at) for sha256, at in self._database.read(query, ())}

    def act(self, act: Act) -> Entry:
        """Write an act at the end of the chain, and return its entry."""
        return self._database.transact(lambda execute: _append(execute, act))

    def acts(self) -> Iterator[Entry]:
        """Yield the entries of all acts in order."""
        for number, *said, previous, sealed in self._database.read(f"SELECT {_ACT} FROM act ORDER BY id", ()):
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
        return {
            name: int(rows[0][0]) if (rows := self._database.read(query, ())) else 0 for name, query in kinds.items()
        }

    def tokens(self) -> tuple[Token, ...]:
        """Return the tokens that were not revoked."""
        query = """SELECT name, hash, scopes, created, expires, token_group FROM token
            WHERE name NOT IN (SELECT name FROM token_end) ORDER BY id"""
        return tuple(
            Token(
                name, sealed, frozenset(map(Scope, scopes.split())), datetime.fromisoformat(at), _optional(end), group
            )
            for name, sealed, scopes, at, end, group in self._database.read(query, ())
        )

    def token_epoch(self) -> tuple[int, int]:
        """Return what changes with each token that is made or revoked."""
        rows = self._database.read("SELECT (SELECT count(*) FROM token), (SELECT count(*) FROM token_end)", ())
        return (int(rows[0][0]), int(rows[0][1])) if rows else (0, 0)

    def add_token(self, token: Token, act: Act) -> None:
        """Keep a new token, and the act. Raises LedgerError if there was one of this name before."""
        scopes = " ".join(sorted(token.scopes))
        row = (token.name, token.hash, scopes, instant(token.created), instant_or_none(token.expires), token.group)
        statement = "INSERT INTO token (name, hash, scopes, created, expires, token_group) VALUES (?, ?, ?, ?, ?, ?)"
        self._database.transact(lambda execute: _carry_out(execute, [(statement, row)], act))

    def ended(self) -> dict[str, datetime]:
        """Return the holders whose tokens of other issuers were revoked, and when that was last done."""
        rows = self._database.read("SELECT name, at FROM token_end WHERE name LIKE ? ORDER BY id", (f"{OIDC_PREFIX}%",))
        return {name.rpartition(" ")[0]: datetime.fromisoformat(at) for name, at in rows}

    def end_token(self, name: str, act: Act) -> None:
        """Revoke a token, or those that another issuer has written for a holder until now (``oidc:…``).

        Raises LedgerError if a token of ours was revoked before; a holder's can be revoked again.
        """
        key = f"{name} {instant(act.at)}" if name.startswith(OIDC_PREFIX) else name
        ended = ("INSERT INTO token_end (name, at) VALUES (?, ?)", (key, instant(act.at)))
        self._database.transact(lambda execute: _carry_out(execute, [ended], act))

    def claim(self, told: str, holder: str, now: datetime, until: datetime) -> bool:
        """Take the lease on a reading; False while another holder's has not ended.

        One that ends later than twice as far from now as ours was made by a clock that was ahead: it has ended.
        """
        statement = """INSERT INTO lease (told, holder, until) VALUES (?, ?, ?)
            ON CONFLICT (told) DO UPDATE SET holder = excluded.holder, until = excluded.until
            WHERE lease.holder = excluded.holder OR lease.until <= ? OR lease.until > ? RETURNING holder"""
        values = (told, holder, instant(until), instant(now), instant(until + (until - now)))
        return bool(self._database.write(statement, values))

    def renew(self, holder: str, until: datetime) -> None:
        """Hold every lease of a holder longer."""
        self._database.write("UPDATE lease SET until = ? WHERE holder = ?", (instant(until), holder))

    def release(self, told: str, holder: str) -> None:
        """Give a lease back."""
        self._database.write("DELETE FROM lease WHERE told = ? AND holder = ?", (told, holder))

    def release_all(self) -> None:
        """Give every lease back: for the one firewall on this ledger, when it starts after a crash."""
        self._database.write("DELETE FROM lease", ())

    def probe(self) -> None:
        """Write something that leaves nothing behind, to find out whether anything can be written."""
        statements = (
            "INSERT INTO lease (told, holder, until) VALUES ('', '', '')",
            "DELETE FROM lease WHERE told = ''",
        )
        self._database.transact(lambda execute: [execute(one, ()) for one in statements])

    def close(self) -> None:
        """Close the database; the next use opens it again."""
        self._database.close()


class SqliteLedger(Ledger):
    """The ledger in a file in ``folder``, opened on first use."""

    def __init__(self, folder: Path, *, durable: bool = False) -> None:
        self.path = folder / FILE_NAME
        super().__init__(SqliteDatabase(self.path, SCHEMA, LedgerError, durable=durable))


def _insert_served(served: Iterable[Served]) -> tuple[str, list[object]]:
    """Return a statement for a few of them, so that it is one transaction, and its values."""
    values: list[object] = []
    for one in served:
        values += (instant(one.at), one.client, one.group, one.purl, one.filename, one.sha256, one.outcome)
    marks = ", ".join([_SERVED_MARKS] * (len(values) // 7))
    return f"INSERT INTO served ({_SERVED}) VALUES {marks}", values


def _carry_out(execute: Execute, statements: Sequence[tuple[str, Sequence[object]]], act: Act | None) -> None:
    """Carry out statements, and put the act that they follow from at the end of the chain."""
    if act is not None:
        _append(execute, act)
    for statement, values in statements:
        execute(statement, values)


def _append(execute: Execute, act: Act) -> Entry:
    """Put an act at the end of the chain. Whoever reads the end writes the next one: nobody else has a turn."""
    last = execute("SELECT id, hash FROM act ORDER BY id DESC LIMIT 1", ())
    entry = append(Head(*last[0]) if last else START, content(act))
    said = (entry.content[key] for key in _ACT_CONTENT)
    execute(_INSERT_ACT, (entry.number, *said, entry.previous, entry.hash))
    return entry


def _insert_identities(rows: Sequence[Sequence[object]]) -> tuple[str, list[object]]:
    marks = ", ".join([_IDENTITY_MARKS] * len(rows))
    statement = f"""INSERT INTO identity ({_IDENTITY}, verdict) VALUES {marks}
        ON CONFLICT (ecosystem, project, filename, told) DO NOTHING"""
    return statement, [value for row in rows for value in row]


def _identity_row(one: Identity) -> tuple[object, ...]:
    named = (one.ecosystem, one.project, one.version, one.filename, one.told)
    return (*named, instant(one.first_seen), instant_or_none(one.published), one.verdict)


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
        instant(one.decided_at),
        instant_or_none(one.expires),
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
