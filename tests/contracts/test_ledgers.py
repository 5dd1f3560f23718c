"""What is asked of every ledger: what is written stays, in order, for all who write at once; one chain of acts."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from msgspec.structs import replace

from lazaretto.app.ports import LedgerError, Served
from lazaretto.core.access import Scope, Token
from lazaretto.core.chain import verify
from lazaretto.core.names import Digest, ProjectName, Purl, Version
from lazaretto.core.policy import Outcome
from lazaretto.core.standing import Basis, Decision, Identity
from lazaretto.infra import stores
from lazaretto.infra._sqlite import AT_ONCE
from lazaretto.infra.ledger import Ledger, SqliteLedger
from tests.contracts.records import ACT, DECISION, NAME, NOW, served

Opened = Callable[[], Ledger]
"""Opens the same ledger once more, as another process would."""


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opened]:
    """Return what opens a ledger that holds nothing."""
    made: list[Ledger] = []
    if request.param == "sqlite":
        make: Opened = lambda: SqliteLedger(tmp_path)  # noqa: E731 - one of two
    else:
        server = request.getfixturevalue("postgres")
        address = server.database()
        make = lambda: stores.ledger(stores.pool(address, server.password_file))  # noqa: E731 - the other

    def another() -> Ledger:
        made.append(make())
        return made[-1]

    yield another
    for one in made:
        one.close()


@pytest.fixture
def ledger(opened: Opened) -> Ledger:
    """Return a ledger that holds nothing."""
    return opened()


def test_what_is_written_is_read_back(ledger: Ledger, opened: Opened) -> None:
    """Another process reads every field as it was written, and only of the project that it asks for."""
    first = Identity("npm", NAME, Version("1.0.0"), "thing-1.0.0.tgz", "sha512:aa", NOW)
    changed = replace(first, told="sha512:cc", first_seen=NOW + timedelta(hours=1))
    ledger.note([first, changed, replace(first, first_seen=NOW + timedelta(hours=2))])
    ledger.decide([DECISION])
    ledger.decide([replace(DECISION, outcome=Outcome.ALLOW, sha256=None, expires=None, by="ada")])
    other = opened()

    assert other.identities("npm", NAME) == (first, changed)
    assert other.decisions("npm", NAME) == (
        DECISION,
        replace(DECISION, outcome=Outcome.ALLOW, sha256=None, expires=None, by="ada"),
    )
    assert other.decisions("pypi", NAME) == ()
    assert other.epoch("npm", NAME) > other.epoch("pypi", NAME)


def test_artifacts_are_found_by_what_people_type(ledger: Ledger) -> None:
    """A verdict id, the digest of the bytes or of the index, and a package URL all name the same artifact."""
    seen = Identity("npm", ProjectName("@a/b"), Version("1.0.0"), "b-1.0.0.tgz", "sha512:aa", NOW, published=NOW)
    ledger.note([seen])
    ledger.decide([replace(DECISION, verdict=seen.verdict)])

    for subject in (seen.verdict, seen.verdict.lower(), "sha256:bb", "sha512:aa", "pkg:npm/%40a/b@1.0.0"):
        assert ledger.find(subject) == (seen,)
    assert ledger.find("other") == ()


def test_the_queue_holds_what_is_refused_now(ledger: Ledger) -> None:
    """An artifact leaves the queue of refusals with the decision that allows it."""
    ledger.decide([DECISION])
    assert ledger.refusals(10) == (DECISION,)
    ledger.decide([replace(DECISION, outcome=Outcome.ALLOW, basis=Basis.REVIEW)])

    assert ledger.refusals(10) == ()


def test_a_decision_and_its_act_are_written_together(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the decision cannot be written, the act is not either."""
    with pytest.raises(LedgerError):
        ledger.decide([replace(DECISION, verdict=None)], ACT)
    assert list(ledger.acts()) == []
    ledger.decide([DECISION], ACT)

    assert [entry.content["what"] for entry in ledger.acts()] == ["allow"]
    assert ledger.decisions("npm", NAME) == (DECISION,)


def test_the_chain_holds(ledger: Ledger) -> None:
    """Acts follow each other, whatever zone their times were told in and whatever signs people typed."""
    eastern = NOW.astimezone(timezone(timedelta(hours=9)))
    written = [ledger.act(ACT), ledger.act(replace(ACT, at=eastern, until=None, reason="\udcff"))]

    assert list(ledger.acts()) == written
    assert verify(ledger.acts(), [written[-1].head]) is None
    assert written[0].content["at"] == written[1].content["at"]


def test_acts_of_many_are_one_chain(opened: Opened) -> None:
    """Several writers at once leave a chain without a fork."""
    ledgers = [opened() for _ in range(4)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: ledgers[n % 4].act(replace(ACT, subject=str(n))), range(40)))

    assert len(list(ledgers[0].acts())) == 40
    assert verify(ledgers[0].acts()) is None


def test_a_reading_is_leased_once(ledger: Ledger, opened: Opened) -> None:
    """One holder reads a digest; another may when the lease has ended, or was given back."""
    other = opened()
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


def test_a_lease_from_a_clock_that_was_ahead_has_ended(opened: Opened) -> None:
    """Whoever crashed a day ahead of now keeps nobody from reading for a day; a clock some seconds ahead counts."""
    ledger, other = opened(), opened()
    lease = timedelta(seconds=15)
    for ahead, free in ((timedelta(seconds=5), False), (timedelta(days=1), True)):
        name = f"sha512:{ahead}"
        assert ledger.claim(name, "one", NOW + ahead, NOW + ahead + lease)
        assert other.claim(name, "two", NOW, NOW + lease) is free


def test_a_probe_leaves_nothing_behind(ledger: Ledger, opened: Opened) -> None:
    """It shows that the ledger can be written, and changes no number."""
    before = ledger.counts()
    ledger.probe()
    ledger.probe()

    assert ledger.counts() == before
    assert opened().claim("", "one", NOW, NOW + timedelta(seconds=15))


def test_instants_need_a_zone(ledger: Ledger) -> None:
    """A time without its zone is a defect of the caller, and refused."""
    with pytest.raises(ValueError, match="time zone"):
        ledger.serve([replace(served(), at=datetime(2026, 1, 1))])  # noqa: DTZ001 - on purpose


def test_what_is_written_at_once_is_written_once(opened: Opened) -> None:
    """Whoever is told that it was not written writes it by the usual way, and everyone sees each row once."""
    ledger = opened()
    ledger.serve([served()])
    for number in range(2 * AT_ONCE):
        row = replace(served(), client=str(number))
        if not ledger.serve_at_once([row]):
            ledger.serve([row])

    assert opened().counts()["handed out"] == 2 * AT_ONCE + 1


def test_what_was_handed_out_is_found_by_project(opened: Opened) -> None:
    """Each release with how many clients got it; a project whose name begins alike is another."""
    ledger = opened()
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


def test_when_something_was_handed_out_last_is_known(opened: Opened) -> None:
    """Of each artifact, whoever handed it out."""
    one, two = opened(), opened()
    assert one.last_handed_out() == {}
    one.serve([served("sha256:aa"), served("sha256:bb")])
    two.serve([replace(served("sha256:aa"), at=NOW + timedelta(hours=1))])

    assert one.last_handed_out() == {"sha256:aa": NOW + timedelta(hours=1), "sha256:bb": NOW}


def test_a_ledger_that_holds_nothing_says_nothing(ledger: Ledger) -> None:
    """Asking needs no writing first."""
    assert ledger.identities("npm", NAME) == ()
    assert ledger.decisions("npm", NAME) == ()
    assert ledger.epoch("npm", NAME) == (0, 0)
    assert ledger.token_epoch() == (0, 0)
    assert list(ledger.acts()) == []
    assert not any(ledger.counts().values())


def test_the_epoch_tells_everyone_of_every_change(opened: Opened) -> None:
    """What one has seen or decided changes the number for all others at once, and for that project alone."""
    mine, other = opened(), opened()
    seen, marks = [other.epoch("npm", NAME)], [other.mark()]
    mine.note([Identity("npm", NAME, Version("1.0.0"), "a.tgz", "sha512:aa", NOW)])
    seen.append(other.epoch("npm", NAME))
    marks.append(other.mark())
    mine.decide([DECISION])
    seen.append(other.epoch("npm", NAME))
    marks.append(other.mark())
    mine.decide([DECISION], ACT)
    seen.append(other.epoch("npm", NAME))
    marks.append(other.mark())
    mine.note([Identity("npm", NAME, Version("1.0.0"), "a.tgz", "sha512:aa", NOW)])

    assert seen == sorted(set(seen))
    assert len(set(marks)) == len(marks)
    assert other.epoch("npm", NAME) == seen[-1]
    assert other.epoch("npm", ProjectName("other")) == (0, 0)


def test_decisions_of_many_are_seen_in_their_order(opened: Opened) -> None:
    """No decision appears before one that was seen already: the last one counts, and is the last for everyone."""
    ledgers = [opened() for _ in range(3)]
    watching = opened()

    def decide(number: int) -> None:
        ledgers[number % 3].decide([replace(DECISION, reason=str(number))])

    seen: list[tuple[Decision, ...]] = []
    with ThreadPoolExecutor(6) as pool:
        done = [pool.submit(decide, number) for number in range(45)]
        while not all(one.done() for one in done):
            decided, _ = watching.epoch("npm", NAME)
            found = watching.decisions("npm", NAME)
            assert len(found) >= decided
            seen.append(found)
    seen.append(watching.decisions("npm", NAME))

    assert len(seen[-1]) == 45
    assert all(seen[-1][: len(earlier)] == earlier for earlier in seen)


def test_one_of_many_gets_a_lease(opened: Opened) -> None:
    """Of all who ask at the same moment one reads; a lease that is renewed holds, one that is not ends."""
    ledgers = {str(number): opened() for number in range(4)}
    until = NOW + timedelta(seconds=15)
    with ThreadPoolExecutor(4) as pool:
        got = list(pool.map(lambda name: ledgers[name].claim("sha512:aa", name, NOW, until), ledgers))
    assert sum(got) == 1
    holder = str(got.index(True))
    other = str((got.index(True) + 1) % 4)
    later = until + timedelta(seconds=10)
    ledgers[holder].renew(holder, later)
    ledgers[other].renew(other, later + timedelta(days=1))

    assert not ledgers[other].claim("sha512:aa", other, until, later)
    assert ledgers[other].claim("sha512:aa", other, later, later)


def test_tokens_are_everyones(opened: Opened) -> None:
    """A token that is made or revoked at one is known to be so at the other; its name is never used again."""
    mine, other = opened(), opened()
    token = Token("ci", Digest("0" * 64), frozenset({Scope.READ}), NOW, NOW + timedelta(days=1), "builders")
    before = other.token_epoch()
    mine.add_token(token, ACT)
    made = other.token_epoch()
    assert other.tokens() == (token,)
    with pytest.raises(LedgerError):
        other.add_token(token, ACT)
    other.end_token("ci", ACT)

    assert mine.tokens() == ()
    assert len({before, made, mine.token_epoch()}) == 3
    assert len(list(mine.acts())) == 2


def test_what_others_issued_is_revoked_for_everyone(opened: Opened) -> None:
    """For a holder, up to the last time that it was done; which other one knows, and sees that something changed."""
    mine, other = opened(), opened()
    holder, before = "oidc:forge:repo:ours/app ref", other.token_epoch()
    for days in (0, 1):
        mine.end_token(holder, replace(ACT, at=NOW + timedelta(days)))
    mine.end_token("ci", ACT)

    assert other.ended() == {holder: NOW + timedelta(1)}
    assert other.token_epoch() != before


@pytest.mark.parametrize("table", ["identity", "decision", "served", "act", "token", "token_end"])
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "UPDATE {} SET id = 99"])
def test_the_database_refuses_to_change_a_row(ledger: Ledger, table: str, statement: str) -> None:
    """Not even with the program's own connection is a row changed or removed."""
    ledger.note([Identity("npm", NAME, Version("1.0.0"), "a.tgz", "", NOW)])
    ledger.decide([DECISION], ACT)
    ledger.serve([served()])
    ledger.add_token(Token("ci", Digest("0" * 64), frozenset({Scope.READ}), NOW), ACT)
    ledger.end_token("ci", ACT)
    with pytest.raises(LedgerError, match="append-only"):
        ledger._database.write(statement.format(table), ())
