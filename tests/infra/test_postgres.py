"""PostgreSQL as a database: it may be away, slow or newer than we are, and that is told at once, without a secret."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from lazaretto.app.ports import LedgerError
from lazaretto.core.chain import verify
from lazaretto.infra import postgres as module
from lazaretto.infra import stores
from lazaretto.infra.blobs import BlobFolder
from lazaretto.infra.ledger import SCHEMA, Ledger
from lazaretto.infra.postgres import Pool, PostgresDatabase
from lazaretto.infra.redact import Secret
from tests.contracts.records import ACT, DECISION, NAME, served
from tests.services import PASSWORD, Postgres, free_port

pytestmark = pytest.mark.slow

AWAY = Secret("hunter2")


@pytest.fixture
def pool(postgres: Postgres) -> Iterator[Pool]:
    """Return connections to a database that holds nothing."""
    made = stores.pool(postgres.database(), postgres.password_file)
    yield made
    made.close()


@pytest.fixture
def ledger(pool: Pool) -> Ledger:
    """Return a ledger that holds nothing."""
    return stores.ledger(pool)


def test_a_server_that_comes_back_is_used_again(ledger: Ledger, pool: Pool, postgres: Postgres) -> None:
    """While it is away everything is an error at once; then it is as before, and nothing was written twice."""
    ledger.act(ACT)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: ledger.epoch("npm", NAME), range(16)))
    postgres.stop()
    try:
        began = time.monotonic()
        for work in (lambda: ledger.epoch("npm", NAME), lambda: ledger.act(ACT), lambda: ledger.serve([served()])):
            with pytest.raises(LedgerError, match=r"the ledger at postgresql://127\.0\.0\.1:\d+/test\d+ cannot be"):
                work()
        assert time.monotonic() - began < 2
    finally:
        postgres.start()
    ledger.act(ACT)

    assert len(list(ledger.acts())) == 2
    assert verify(ledger.acts()) is None


def test_dead_connections_are_replaced_without_a_word(ledger: Ledger, postgres: Postgres) -> None:
    """A server that was started anew between two requests is noticed by nobody."""
    ledger.act(ACT)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: ledger.epoch("npm", NAME), range(16)))
    postgres.stop()
    postgres.start()

    ledger.act(ACT)
    assert len(list(ledger.acts())) == 2


def test_a_server_that_stands_still_is_given_up(
    ledger: Ledger, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It accepts and says nothing: the wait has an end, and the connection is not used again."""
    ledger.serve([served()])
    monkeypatch.setattr(module, "ANSWER_SECONDS", 1)
    postgres.pause(paused=True)
    try:
        began = time.monotonic()
        with pytest.raises(LedgerError, match="cannot be read"):
            ledger.epoch("npm", NAME)
        assert time.monotonic() - began < 3
    finally:
        postgres.pause(paused=False)

    assert ledger.counts()["handed out"] == 1


def test_more_requests_than_connections_wait(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more connections are opened than were agreed on; who waits too long for one is told."""
    pool = Pool(postgres.database(), Secret(PASSWORD), size=2)
    ledger = stores.ledger(pool)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: ledger.decide([DECISION]), range(40)))
    assert len(ledger.decisions("npm", NAME)) == 40
    assert len(pool._idle) <= 2

    monkeypatch.setattr(module, "CONNECT_SECONDS", 0.1)
    go = threading.Event()
    with ThreadPoolExecutor(2) as threads:
        for _ in range(2):
            threads.submit(pool.run, lambda _: go.wait(20))
        time.sleep(0.2)
        with pytest.raises(LedgerError, match="every connection is in use"):
            ledger.epoch("npm", NAME)
        go.set()
    pool.close()


def test_what_fails_in_the_middle_leaves_nothing(ledger: Ledger, pool: Pool) -> None:
    """A transaction that ends with an error is undone, and its connection is good again."""

    def half(execute: Callable[..., object]) -> None:
        execute("INSERT INTO token_end (name, at) VALUES (?, ?)", ("ci", "now"))
        raise LookupError("the caller's own")

    with pytest.raises(LookupError):
        ledger._database.transact(half)
    assert ledger.token_epoch() == (0, 0)
    with pytest.raises(LedgerError, match="cannot be read"):
        ledger._database.read("SELECT 1 / 0")

    assert len(pool._idle) == 1


def test_text_that_the_server_does_not_take_is_told(ledger: Ledger) -> None:
    """A zero byte or half a surrogate pair is an error of the ledger, not a crash."""
    for name in ("\0", "\udcff"):
        with pytest.raises(LedgerError):
            ledger._database.read("SELECT ?", (name,))


def test_a_later_version_is_left_alone(ledger: Ledger, pool: Pool) -> None:
    """Tables that a later version of this program has made are not touched."""
    ledger.act(ACT)
    pool.run(lambda connection: connection.execute(b"UPDATE version SET number = 99"))
    other = stores.ledger(pool)

    with pytest.raises(LedgerError, match="later version"):
        other.act(ACT)


def test_several_may_begin_at_once(postgres: Postgres) -> None:
    """Replicas that start at the same moment on an empty database all find its tables."""
    address = postgres.database()
    pools = [stores.pool(address, postgres.password_file) for _ in range(6)]
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda pool: stores.ledger(pool).act(ACT), pools))

    assert verify(stores.ledger(pools[0]).acts()) is None
    for pool in pools:
        pool.close()


def test_no_message_holds_the_password(postgres: Postgres) -> None:
    """Neither a server that refuses it nor one that is not there has it in the error."""
    address = postgres.database()
    away = f"postgresql://someone@127.0.0.1:{free_port()}/x"
    for place, why in ((address, "password authentication failed"), (away, "refused")):
        pool = Pool(place, AWAY)
        with pytest.raises(LedgerError, match=why) as caught:
            stores.ledger(pool).epoch("npm", NAME)
        told = f"{caught.value!r} {caught.value} {pool!r} {vars(pool)}"
        assert AWAY.reveal() not in told


def test_a_password_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    """The message names the file."""
    with pytest.raises(LedgerError, match="nowhere"):
        stores.pool("postgresql://127.0.0.1/x", tmp_path / "nowhere")
    assert Pool("postgresql://[").place == "PostgreSQL"


@pytest.mark.parametrize("package", ["psycopg", "obstore"])
def test_what_is_not_installed_is_told(package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says which extra has it."""
    for name in ("postgres", "objects"):
        monkeypatch.delitem(sys.modules, f"lazaretto.infra.{name}", raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    asked: dict[str, Callable[[], object]] = {
        "psycopg": lambda: stores.pool("postgresql://127.0.0.1/x", None),
        "obstore": lambda: stores.blobs("s3://x/y", "", "", BlobFolder(tmp_path)),
    }
    with pytest.raises(stores.NotInstalled, match=rf"{package} is not installed: install lazaretto\[cluster\]"):
        asked[package]()


def test_a_commit_without_an_answer_is_not_done_again(
    pool: Pool, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it counts is not known: the caller is told, and the act stands there once."""
    ledger.act(ACT)
    execute = psycopg.Connection.execute

    def cut(connection: psycopg.Connection[object], query: object, *rest: object) -> object:
        result = execute(connection, query, *rest)  # type: ignore[call-overload]
        if query == "COMMIT":
            connection.close()
            raise psycopg.OperationalError("cut off")
        return result

    with monkeypatch.context() as patch:
        patch.setattr(psycopg.Connection, "execute", cut)
        with pytest.raises(LedgerError, match="no answer to the end of a transaction"):
            ledger.act(ACT)

    assert len(list(ledger.acts())) == 2
    assert isinstance(ledger._database, PostgresDatabase)
    assert ledger._database._schema is SCHEMA
