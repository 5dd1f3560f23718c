"""kill -9 in the middle of whatever is written or handed out, and a journal that someone else has locked.

The middle is made from outside: a trigger in the file makes one INSERT last for ever, a lock makes a writer wait, an
upstream sends half of its answer. So each kill falls where it is meant to, on any machine.
"""

import random
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.e2e.street import Upstream
from tests.e2e.witness import FRESH, HELD, OLD, OTHER, Witness
from tests.infra.servers import Handler

pytestmark = pytest.mark.slow

LARGE = 20 << 20
"""Bytes of an artifact before it is packed, to half of that: more than lies between two processes in the kernel."""

ENDLESS = """
CREATE VIEW endless AS
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000000000) SELECT i FROM n;
CREATE TRIGGER endless_insert BEFORE INSERT ON {table} BEGIN SELECT count(*) FROM endless; END;
"""
FINITE = "DROP TRIGGER endless_insert; DROP VIEW endless;"


def connect(path: Path, timeout: float = 30) -> "closing[sqlite3.Connection]":
    """Open a database as another program does."""
    return closing(sqlite3.connect(path, timeout=timeout, isolation_level=None))


def in_the_middle(path: Path) -> None:
    """Wait until someone is writing: until they hold the one lock that there is."""
    with connect(path, timeout=0) as database:
        for _ in range(600):
            try:
                database.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                time.sleep(0.2)  # the lock is taken before the first row is written
                return
            database.execute("ROLLBACK")
            time.sleep(0.02)
    raise AssertionError("nobody writes")


@contextmanager
def endless(witness: Witness, name: str, table: str) -> Iterator[Path]:
    """Let no INSERT into a table end."""
    path = witness.firewall.state / f"{name}.sqlite"
    with connect(path) as database:
        database.executescript(ENDLESS.format(table=table))
    yield path
    with connect(path) as database:
        database.executescript(FINITE)


@pytest.mark.parametrize(
    ("name", "table", "path"),
    [
        ("journal", "verdict", OTHER),
        ("ledger", "identity", "/npm/other"),
        ("ledger", "decision", OTHER),
        ("ledger", "served", FRESH),
    ],
)
def test_killed_in_the_middle_of_a_write(witness: Witness, name: str, table: str, path: str) -> None:
    """Of what was being written nothing is there; what was asked for did not go out, and is had by asking again."""
    assert witness.get(FRESH).status == 200
    witness.remember()
    with ThreadPoolExecutor(1) as pool, endless(witness, name, table) as file:
        asked = pool.submit(witness.ask, path)
        in_the_middle(file)
        witness.firewall.stop(signal.SIGKILL)
        assert asked.result(30).status == 0
    witness.firewall.start()
    assert witness.get(path).status == 200
    witness.unharmed()
    if path == OTHER:  # read twice where its verdict was not written, and not where it was
        assert len(witness.rows("journal", "SELECT 1 FROM verdict WHERE name = 'other'")) == 1


def test_killed_in_the_middle_of_an_act(witness: Witness) -> None:
    """With the act in the chain and its decision not: neither is there afterwards, and the chain holds."""
    token = witness.token()
    assert witness.get(HELD).status == 403
    witness.remember()
    with ThreadPoolExecutor(1) as pool, endless(witness, "ledger", "decision") as file:
        asked = pool.submit(witness.act, "allow", "pkg:npm/thing@1.1.0", token)
        in_the_middle(file)
        witness.firewall.stop(signal.SIGKILL)
        assert asked.result(30).status == 0
    witness.firewall.start()
    assert [what for (what,) in witness.rows("ledger", "SELECT what FROM act")] == ["make-token"]
    witness.unharmed()
    assert witness.act("block", "pkg:npm/fresh@1.0.0", token).status == 200
    assert witness.ask(FRESH).status == 403


def test_a_person_is_killed_in_the_middle_of_an_act(witness: Witness) -> None:
    """The command line beside the firewall, which goes on; and says when its turn comes what it did not do."""
    assert witness.get(HELD).status == 403
    words = ["firewall", "allow", "pkg:npm/thing@1.1.0", "--reason", "x", "--by", "ada"]
    command = [sys.executable, "-m", "lazaretto", *words, "--config", str(witness.firewall.config)]
    with endless(witness, "ledger", "decision") as file:
        person = subprocess.Popen(command, env=witness.firewall.env, stdout=subprocess.DEVNULL)
        in_the_middle(file)
        person.kill()
        assert person.wait(30) == -signal.SIGKILL
    assert witness.rows("ledger", "SELECT what FROM act") == []
    witness.unharmed()


def test_killed_in_the_middle_of_a_download(witness: Witness, upstream: Upstream) -> None:
    """From the upstream, and to a client: half an artifact is kept nowhere and taken for a whole one by nobody."""
    for name in ("slow", "big"):
        upstream.npm(name, "1.0.0", age=400, files={"data.txt": random.Random(name).randbytes(LARGE // 2).hex()})
    slow, big = (f"/npm/{name}/-/{name}-1.0.0.tgz" for name in ("slow", "big"))
    whole, half, go = upstream.server.pages[slow], threading.Event(), threading.Event()

    def halting(handler: Handler) -> None:
        data = upstream.data["slow-1.0.0.tgz"]
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data[: len(data) // 2])
        half.set()
        go.wait(60)
        handler.close_connection = True

    upstream.server.pages[slow] = halting
    assert witness.get(FRESH).status == 200
    assert witness.ask(big).status == 200
    witness.remember()
    host, _, port = witness.firewall.url.removeprefix("http://").partition(":")
    with ThreadPoolExecutor(1) as pool, socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        client.connect((host, int(port)))
        asked = pool.submit(witness.ask, slow)
        assert half.wait(30)
        client.sendall(f"GET {big} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        got = client.recv(4096)
        witness.firewall.stop(signal.SIGKILL)
        go.set()
        client.settimeout(2)
        while piece := _more(client):
            got += piece
        assert asked.result(30).status == 0
    assert got.startswith(b"HTTP/1.1 200 ")
    assert len(got) < len(upstream.data["big-1.0.0.tgz"]) - 1000
    upstream.server.pages[slow] = whole
    witness.firewall.start()
    for path in (slow, big):
        assert witness.ask(path).body == upstream.data[path.rpartition("/")[2]]
    witness.unharmed()
    assert not list(witness.firewall.state.glob("blobs/drafts/*"))


def _more(client: socket.socket) -> bytes:
    """Return what is left in the kernel of an answer whose server is gone."""
    try:
        return client.recv(65536)
    except OSError:
        return b""


def test_what_a_kill_left_of_a_blob_is_swept_away(witness: Witness) -> None:
    """A draft is no blob, whatever it holds, and does not lie there for ever."""
    assert witness.get(FRESH).status == 200
    witness.firewall.stop(signal.SIGKILL)
    draft = witness.firewall.state / "blobs" / "drafts" / "half"
    draft.write_bytes(b"half")
    witness.firewall.start()
    assert not draft.exists()
    witness.unharmed()


def test_a_journal_that_another_has_locked(witness: Witness) -> None:
    """What must be read waits and is told why in the end; what was decided goes out; free again, all is as before."""
    assert witness.get(FRESH).status == 200
    witness.remember()
    with connect(witness.firewall.state / "journal.sqlite") as journal, ThreadPoolExecutor(2) as pool:
        journal.execute("BEGIN EXCLUSIVE")
        asked = [pool.submit(witness.ask, path) for path in (OTHER, HELD)]
        time.sleep(0.5)
        assert witness.ask(FRESH).status == 200
        assert witness.ask(OLD).status == 200
        for answer in (one.result(60) for one in asked):
            assert (answer.status, bool(answer.again)) == (503, True)
            assert "journal.sqlite cannot be" in answer.reason
    assert witness.get(OTHER).status == 200
    witness.unharmed()


def test_a_ledger_that_another_has_locked(witness: Witness) -> None:
    """Who asks meanwhile waits for it, and gets what was asked for; in the end nobody was refused."""
    with connect(witness.firewall.state / "ledger.sqlite") as ledger, ThreadPoolExecutor(3) as pool:
        ledger.execute("BEGIN EXCLUSIVE")
        asked = [pool.submit(witness.get, path) for path in (FRESH, OLD, "/npm/other")]
        time.sleep(1)
        assert not any(one.done() for one in asked)
        assert witness.ask("/healthz").status == 200
        ledger.execute("ROLLBACK")
        assert [one.result(60).status for one in asked] == [200, 200, 200]
    witness.unharmed()
