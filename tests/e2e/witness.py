"""A witness of faults: what the firewall said before, meanwhile and afterwards, and what its record must then say."""

import json
import sqlite3
import time
import urllib.error
import urllib.request
from contextlib import closing
from hashlib import sha256
from pathlib import Path

from msgspec import Struct

from tests.e2e.street import Firewall, Upstream

FRESH, OTHER, OLD = (f"/npm/{name}/-/{name}-1.0.0.tgz" for name in ("fresh", "other", "old"))
HELD = "/npm/thing/-/thing-1.1.0.tgz"
KEPT = {
    "ledger": ("identity", "decision", "served", "act", "token", "token_end"),
    "journal": ("verdict", "provided"),
}
VERBS = ("allow", "block", "waive", "revoke")


class Answer(Struct):
    """An answer; status 0 if there was none."""

    status: int
    body: bytes = b""
    again: str = ""

    @property
    def reason(self) -> str:
        """What an error says."""
        return str(json.loads(self.body)["error"])


class Witness:
    """Asks, remembers what was answered, and says at the end whether the record agrees with it."""

    def __init__(self, firewall: Firewall, upstream: Upstream) -> None:
        self.firewall = firewall
        self._upstream = upstream
        self._got: list[tuple[str, str]] = []
        self._rows: dict[str, list[tuple[object, ...]]] = {}
        self._later = 0

    def ask(self, path: str, body: bytes | None = None, token: str = "") -> Answer:
        """Return an answer, to what is posted if something is."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        request = urllib.request.Request(f"{self.firewall.url}{path}", body, headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as got:
                answer = Answer(got.status, got.read())
        except urllib.error.HTTPError as error:
            with error:
                answer = Answer(error.code, error.read(), error.headers.get("retry-after", ""))
        except OSError:
            return Answer(0)
        if answer.status == 200 and path.endswith((".tgz", ".whl")):
            self._got.append((path, sha256(answer.body).hexdigest()))
        return answer

    def get(self, path: str, seconds: float = 60) -> Answer:
        """Return an answer as a client gets it that comes again when it is told to: a busy machine reads slowly."""
        end = time.monotonic() + seconds
        while (answer := self.ask(path)).status == 503 and answer.again and time.monotonic() < end:
            time.sleep(0.2)
        return answer

    def act(self, verb: str, subject: str, token: str) -> Answer:
        """Decide about something, as a program does."""
        return self.ask(f"/-/lazaretto/review/{subject}", json.dumps({"verb": verb, "reason": "x"}).encode(), token)

    def token(self) -> str:
        """Return a new token that may decide."""
        made = ("make", "ada", "--scope", "review", "--by", "ada", "--reason", "a test")
        return self.firewall.command("firewall", "token", *made).split()[-1]

    def remember(self) -> None:
        """Take a copy of the record: nothing of it may ever be lost."""
        self._rows = {table: self.rows(name, f"SELECT * FROM {table} ORDER BY 1") for name, table in _tables()}

    def rows(self, database: str, query: str) -> list[tuple[object, ...]]:
        """Return what a query finds in the record."""
        with closing(sqlite3.connect(self.firewall.state / f"{database}.sqlite", timeout=30)) as connection:
            return connection.execute(query).fetchall()

    def ready(self, seconds: float = 10) -> None:
        """Wait until the firewall says that it is ready."""
        end = time.monotonic() + seconds
        while self.ask("/readyz").status != 200:
            assert time.monotonic() < end, self.ask("/readyz")
            time.sleep(0.1)

    def unharmed(self) -> None:
        """Assert the sentence: nothing was served without an allow for its digest, no verdict was lost, it is back."""
        self._back()
        self._intact()
        self._permitted()
        said = self.firewall.command("audit", "verify")
        assert f"{len(self.rows('ledger', 'SELECT id FROM act'))} acts, each sealed" in said, said
        log = (self.firewall.folder / "log").read_text()
        assert '"level":"error"' not in log
        assert "Traceback" not in log

    def _back(self) -> None:
        """It answers everything as on its best day, also what it never saw."""
        self.ready()
        self._later += 1
        name = f"later{self._later}"
        self._upstream.npm(name, "1.0.0", age=2)
        for path in (f"/npm/{name}/-/{name}-1.0.0.tgz", FRESH, OLD):
            answer = self.get(path)
            assert (answer.status, answer.body) == (200, self._upstream.data[path.rpartition("/")[2]]), answer
        assert self.get(HELD).status == 403

    def _intact(self) -> None:
        """Both files are whole, and every row that there was is there; acts and their decisions are there together."""
        for name, table in _tables():
            assert self.rows(name, "PRAGMA integrity_check") == [("ok",)]
            now = self.rows(name, f"SELECT * FROM {table} ORDER BY 1")
            before = self._rows.get(table, [])
            assert now[: len(before)] == before, table
        acts = self.rows("ledger", f"SELECT at, what FROM act WHERE what IN {VERBS} ORDER BY id")
        decided = self.rows("ledger", "SELECT decided_at, reason FROM decision WHERE basis = 'review' ORDER BY id")
        assert [at for at, _ in acts] == [at for at, _ in decided]
        reports = self.rows("ledger", "SELECT report FROM decision WHERE report IS NOT NULL")
        assert all(self._blob(str(digest)).exists() for (digest,) in reports)

    def _permitted(self) -> None:
        """Every body that came is on record as handed out, under a decision that allows exactly it; no held one is."""
        served = self.rows("ledger", "SELECT sha256, outcome, filename, at FROM served")
        allowed = self.rows("ledger", "SELECT sha256, decided_at FROM decision WHERE outcome = 'allow'")
        for digest, outcome, filename, at in served:
            assert outcome == "allow"
            assert any(one == digest and str(since) <= str(at) for one, since in allowed), filename
        known = {(row[2], row[0]) for row in served}
        for path, digest in self._got:
            assert (path.rpartition("/")[2], f"sha256:{digest}") in known, path
            assert path != HELD
            assert self._blob(f"sha256:{digest}").exists()

    def _blob(self, digest: str) -> Path:
        name = digest.removeprefix("sha256:")
        return self.firewall.state / "blobs" / "sha256" / name[:2] / name[2:]


def _tables() -> list[tuple[str, str]]:
    return [(name, table) for name, tables in KEPT.items() for table in tables]
