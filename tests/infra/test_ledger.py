"""The ledger: what is written stays, in order, for several processes; the chain of acts shows what was changed."""

import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic

import pytest
from msgspec.structs import replace

from lazaretto.app.ports import LedgerError
from lazaretto.core.chain import verify
from lazaretto.core.names import Digest
from lazaretto.infra._sqlite import AT_ONCE, SqliteDatabase
from lazaretto.infra.ledger import TOGETHER, SqliteLedger
from tests.contracts.records import ACT, DECISION, NAME, served


@pytest.fixture
def ledger(tmp_path: Path) -> SqliteLedger:
    """Return a ledger that holds nothing."""
    return SqliteLedger(tmp_path)


def test_nothing_is_made_by_asking(ledger: SqliteLedger) -> None:
    """A ledger that does not exist says nothing and is not made by being asked."""
    assert ledger.identities("npm", NAME) == ()
    assert ledger.decisions("npm", NAME) == ()
    assert ledger.epoch("npm", NAME) == (0, 0)
    assert list(ledger.acts()) == []
    assert not ledger.path.exists()


def test_the_chain_shows_what_was_changed(ledger: SqliteLedger) -> None:
    """Whoever edits the file behind the back of the program is seen at the place."""
    for number in range(3):
        ledger.act(replace(ACT, subject=str(number)))
    connection = sqlite3.connect(ledger.path)
    connection.executescript("DROP TRIGGER act_no_update; UPDATE act SET reason = 'other' WHERE id = 2;")
    connection.close()
    found = verify(ledger.acts())

    assert found is not None
    assert found.number == 2


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    """A state folder that is no folder gives a LedgerError with the path, not a traceback of SQLite."""
    (tmp_path / "state").write_text("")
    with pytest.raises(LedgerError, match=r"ledger\.sqlite"):
        SqliteLedger(tmp_path / "state").serve([served()])


def test_another_process_takes_nothing_away(ledger: SqliteLedger, tmp_path: Path) -> None:
    """What is written while another process opens and closes the ledger is still there: no lock was dropped."""
    ledger.decide([DECISION])
    assert ledger.decisions("npm", NAME)
    code = (
        f"from lazaretto.infra.ledger import SqliteLedger; from pathlib import Path\n"
        f"made = SqliteLedger(Path({str(tmp_path)!r})); print(made.counts()['decisions']); made.close()"
    )
    for expected in (1, 2):
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert run.stdout.split() == [str(expected)]
        ledger.decide([DECISION])
    assert len(ledger.decisions("npm", NAME)) == 3


def test_nobody_waits_for_what_is_written_at_once(tmp_path: Path) -> None:
    """It is left to the usual way before the file is there, while another writes, and where commits are synced."""
    ledger, durable = SqliteLedger(tmp_path), SqliteLedger(tmp_path, durable=True)
    assert not ledger.serve_at_once([served()])
    ledger.serve([served()])
    assert ledger.serve_at_once([served()])
    durable.serve([served()])
    assert not durable.serve_at_once([served()])

    other = sqlite3.connect(ledger.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    begun = monotonic()
    assert not ledger.serve_at_once([served()])
    assert monotonic() - begun < 1
    other.execute("COMMIT")
    other.close()

    assert ledger.serve_at_once([served()])
    assert ledger.serve_at_once([]) == 0
    assert ledger.counts()["handed out"] == 4


def test_any_number_is_written_by_few_statements(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each row once, as far as it is told; what a connection keeps ready does not grow with what comes together."""
    ledger, statements = SqliteLedger(tmp_path), set[str]()
    real = SqliteDatabase.write_at_once

    def watched(database: SqliteDatabase, statement: str, values: Sequence[object]) -> bool:
        statements.add(statement)
        return real(database, statement, values)

    monkeypatch.setattr(SqliteDatabase, "write_at_once", watched)
    ledger.serve([served()] * 50)
    for count in range(1, 3 * TOGETHER + 1):
        rows = [served()] * count
        ledger.serve(rows[ledger.serve_at_once(rows) :])

    assert ledger.counts()["handed out"] == 50 + sum(range(3 * TOGETHER + 1))
    assert len(statements) == TOGETHER


def test_the_log_is_carried_over(tmp_path: Path) -> None:
    """However much is written at once, the log beside the file does not grow without end."""
    ledger = SqliteLedger(tmp_path)
    rows = [replace(served(), sha256=Digest(f"sha256:{number:064}")) for number in range(20)]
    ledger.serve(rows)
    with ThreadPoolExecutor(1) as thread:  # as the firewall does it: who may not wait goes on meanwhile
        waited = [
            thread.submit(ledger.serve, rows[done:])
            for _ in range(15 * AT_ONCE)
            if (done := ledger.serve_at_once(rows)) < len(rows)
        ]
    for one in waited:
        one.result()
    ledger.close()

    assert ledger.counts()["handed out"] == 20 * (15 * AT_ONCE + 1)


def test_without_a_thread_the_log_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written is written; it is carried over as soon as there is a thread, and the ledger can be closed."""
    ledger = SqliteLedger(tmp_path)
    ledger.serve([served()])
    with monkeypatch.context() as patch:

        def none(_: object) -> None:
            raise RuntimeError("can't start new thread")

        patch.setattr("threading.Thread.start", none)
        assert all(ledger.serve_at_once([served()]) for _ in range(AT_ONCE))
    assert all(ledger.serve_at_once([served()]) for _ in range(AT_ONCE - 1))
    ledger.close()

    assert ledger.counts()["handed out"] == 2 * AT_ONCE


def test_the_log_begins_anew_while_others_write(tmp_path: Path) -> None:
    """However much is written at once without a pause, the log beside the file does not grow without end."""
    ledger = SqliteLedger(tmp_path)
    rows = [replace(served(), sha256=Digest(f"sha256:{number:064}")) for number in range(20)]
    ledger.serve(rows)
    for _ in range(20 * AT_ONCE):
        ledger.serve(rows[ledger.serve_at_once(rows) :])

    assert (tmp_path / f"{ledger.path.name}-wal").stat().st_size < 200 << 20
