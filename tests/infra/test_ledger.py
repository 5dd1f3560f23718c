"""The ledger: what is written stays, in order, for several processes; the chain of acts shows what was changed."""

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from msgspec.structs import replace

from lazaretto.app.ports import LedgerError, Served
from lazaretto.core.act import Act
from lazaretto.core.chain import verify
from lazaretto.core.names import Digest, ProjectName, Purl, Version
from lazaretto.core.policy import Outcome
from lazaretto.core.standing import Basis, Decision, Identity
from lazaretto.infra.ledger import SqliteLedger

NOW = datetime(2026, 3, 31, 0, 22, 0, 1, tzinfo=UTC)
NAME = ProjectName("thing")
DECISION = Decision(
    ecosystem="npm",
    project=NAME,
    version=Version("1.0.0"),
    filename="thing-1.0.0.tgz",
    told="sha512:aa",
    sha256=Digest("sha256:bb"),
    outcome=Outcome.HOLD,
    complete=True,
    basis=Basis.READ,
    verdict="V3RD1CT0",
    reason="as read",
    decided_at=NOW,
    expires=NOW + timedelta(days=1),
    for_cause=True,
)
ACT = Act(NOW, "ada", "allow", "V3RD1CT0", "read by hand", NOW + timedelta(days=3))


def served(sha256: str = "sha256:bb") -> Served:
    """Return that an artifact was handed out."""
    return Served(NOW, "127.0.0.1", "", Purl("pkg:npm/thing@1.0.0"), "thing-1.0.0.tgz", Digest(sha256), "allow")


@pytest.fixture
def ledger(tmp_path: Path) -> SqliteLedger:
    """Return a ledger that holds nothing."""
    return SqliteLedger(tmp_path)


def test_nothing_is_made_by_asking(ledger: SqliteLedger) -> None:
    """A ledger that does not exist says nothing and is not made by being asked."""
    assert ledger.identities("npm", NAME) == ()
    assert ledger.decisions("npm", NAME) == ()
    assert ledger.epoch("npm", NAME) == 0
    assert list(ledger.acts()) == []
    assert not ledger.path.exists()


def test_what_is_written_is_read_back(ledger: SqliteLedger, tmp_path: Path) -> None:
    """Another process reads every field as it was written, and only of the project that it asks for."""
    first = Identity("npm", NAME, Version("1.0.0"), "thing-1.0.0.tgz", "sha512:aa", NOW)
    changed = replace(first, told="sha512:cc", first_seen=NOW + timedelta(hours=1))
    ledger.note([first, changed, replace(first, first_seen=NOW + timedelta(hours=2))])
    ledger.decide([DECISION])
    ledger.decide([replace(DECISION, outcome=Outcome.ALLOW, sha256=None, expires=None, by="ada")])
    other = SqliteLedger(tmp_path)

    assert other.identities("npm", NAME) == (first, changed)
    assert other.decisions("npm", NAME) == (
        DECISION,
        replace(DECISION, outcome=Outcome.ALLOW, sha256=None, expires=None, by="ada"),
    )
    assert other.decisions("pypi", NAME) == ()
    assert other.epoch("npm", NAME) > other.epoch("pypi", NAME)


def test_artifacts_are_found_by_what_people_type(ledger: SqliteLedger) -> None:
    """A verdict id, the digest of the bytes or of the index, and a package URL all name the same artifact."""
    seen = Identity("npm", ProjectName("@a/b"), Version("1.0.0"), "b-1.0.0.tgz", "sha512:aa", NOW, published=NOW)
    ledger.note([seen])
    ledger.decide([replace(DECISION, verdict=seen.verdict)])

    for subject in (seen.verdict, seen.verdict.lower(), "sha256:bb", "sha512:aa", "pkg:npm/%40a/b@1.0.0"):
        assert ledger.find(subject) == (seen,)
    assert ledger.find("other") == ()


def test_the_queue_holds_what_is_refused_now(ledger: SqliteLedger) -> None:
    """An artifact leaves the queue of refusals with the decision that allows it."""
    ledger.decide([DECISION])
    assert ledger.refusals(10) == (DECISION,)
    ledger.decide([replace(DECISION, outcome=Outcome.ALLOW, basis=Basis.REVIEW)])

    assert ledger.refusals(10) == ()


def test_a_decision_and_its_act_are_written_together(ledger: SqliteLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the decision cannot be written, the act is not either."""
    with pytest.raises(LedgerError):
        ledger.decide([replace(DECISION, verdict=None)], ACT)
    assert list(ledger.acts()) == []
    ledger.decide([DECISION], ACT)

    assert [entry.content["what"] for entry in ledger.acts()] == ["allow"]
    assert ledger.decisions("npm", NAME) == (DECISION,)


def test_the_chain_holds(ledger: SqliteLedger) -> None:
    """Acts follow each other, whatever zone their times were told in and whatever signs people typed."""
    eastern = NOW.astimezone(timezone(timedelta(hours=9)))
    written = [ledger.act(ACT), ledger.act(replace(ACT, at=eastern, until=None, reason="\udcff"))]

    assert list(ledger.acts()) == written
    assert verify(ledger.acts(), [written[-1].head]) is None
    assert written[0].content["at"] == written[1].content["at"]


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


def test_acts_of_many_are_one_chain(tmp_path: Path) -> None:
    """Several writers at once leave a chain without a fork."""
    ledgers = [SqliteLedger(tmp_path) for _ in range(4)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: ledgers[n % 4].act(replace(ACT, subject=str(n))), range(40)))

    assert len(list(ledgers[0].acts())) == 40
    assert verify(ledgers[0].acts()) is None


@pytest.mark.parametrize("table", ["identity", "decision", "served", "act"])
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "UPDATE {} SET id = 99"])
def test_nothing_is_changed_afterwards(ledger: SqliteLedger, table: str, statement: str) -> None:
    """The file itself refuses to change or remove a row."""
    ledger.note([Identity("npm", NAME, Version("1.0.0"), "a.tgz", "", NOW)])
    ledger.decide([DECISION], ACT)
    ledger.serve([served()])
    connection = sqlite3.connect(ledger.path)
    try:
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute(statement.format(table))
    finally:
        connection.close()


def test_a_reading_is_leased_once(ledger: SqliteLedger, tmp_path: Path) -> None:
    """One holder reads a digest; another may when the lease has ended, or was given back."""
    other = SqliteLedger(tmp_path)
    soon = NOW + timedelta(seconds=60)

    assert ledger.claim("sha512:aa", "one", NOW, soon)
    assert ledger.claim("sha512:aa", "one", NOW, soon)
    assert not other.claim("sha512:aa", "two", NOW, soon)
    assert other.claim("sha512:aa", "two", soon, soon + timedelta(seconds=60))
    other.release("sha512:aa", "one")
    assert not ledger.claim("sha512:aa", "one", soon, soon + timedelta(seconds=60))
    other.release("sha512:aa", "two")
    assert ledger.claim("sha512:aa", "one", soon, soon + timedelta(seconds=60))
    ledger.release_all()
    assert other.claim("sha512:aa", "two", soon, soon + timedelta(seconds=60))


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    """A state folder that is no folder gives a LedgerError with the path, not a traceback of SQLite."""
    (tmp_path / "state").write_text("")
    with pytest.raises(LedgerError, match=r"ledger\.sqlite"):
        SqliteLedger(tmp_path / "state").serve([served()])


def test_instants_need_a_zone(ledger: SqliteLedger) -> None:
    """A time without its zone is a defect of the caller, and refused."""
    with pytest.raises(ValueError, match="time zone"):
        ledger.serve([replace(served(), at=datetime(2026, 1, 1))])  # noqa: DTZ001 - on purpose


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


def test_what_was_handed_out_is_found_by_project(tmp_path: Path) -> None:
    """Each release with how many clients got it; a project whose name begins alike is another."""
    ledger = SqliteLedger(tmp_path)
    assert ledger.handed_out(Purl("pkg:npm/thing")) == ()
    rows = [
        ("a", "thing@1.0.0"),
        ("b", "thing@1.0.0"),
        ("a", "thing@1.0.0"),
        ("a", "thing@2.0.0"),
        ("a", "thing-x@1.0.0"),
    ]
    digest = Digest(f"sha256:{'0' * 64}")
    ledger.serve(Served(NOW, client, "", Purl(f"pkg:npm/{name}"), "x.tgz", digest, "allow") for client, name in rows)

    assert ledger.handed_out(Purl("pkg:npm/thing")) == (
        (Purl("pkg:npm/thing@1.0.0"), 2),
        (Purl("pkg:npm/thing@2.0.0"), 1),
    )
