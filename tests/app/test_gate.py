"""The gate: what goes out, and only after it was decided and written down."""

import os
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace

from lazaretto.app import shelf
from lazaretto.app.gate import LEASE
from lazaretto.app.item import Refused
from lazaretto.app.ports import JournalError, LedgerError, NotFound, Unavailable, Untrusted, Urgency
from lazaretto.app.shelf import Advice, Entry, OnRecord
from lazaretto.core.access import Viewer
from lazaretto.core.chain import verify
from lazaretto.core.firewall_policy import Disruption, FirewallPolicy, Group, Mode
from lazaretto.core.names import ProjectName, Version
from lazaretto.core.policy import Outcome
from lazaretto.core.standing import Basis, Place
from tests.app.yard import NAME, Yard


def _away(*_: object) -> None:
    raise LedgerError("the ledger is away")


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    """Return a gate in front of an old release and one of a minute ago."""
    made = Yard(tmp_path)
    made.upstream.publish("1.0.0")
    made.upstream.publish("1.1.0", age=0.001)
    return made


def test_an_undecided_head_is_hidden_and_read_ahead(yard: Yard) -> None:
    """A client sees the release before it until the new one is allowed; then the new one."""
    assert yard.versions() == ["1.0.0"]
    assert yard.tags() == {"latest": "1.0.0"}
    assert yard.hands.unanswered == ["1.1.0"]
    yard.hands.answer("1.1.0", "allow")

    assert yard.versions() == ["1.0.0", "1.1.0"]
    assert yard.tags() == {"latest": "1.1.0"}
    assert yard.get("1.1.0") == b"bytes of 1.1.0"
    assert yard.served() == [("thing-1.1.0.tgz", "allow")]


def test_a_held_release_is_refused_by_its_address_too(yard: Yard) -> None:
    """Whoever has it in a lockfile is told why, and under which verdict id; nothing is handed out."""
    yard.versions()
    yard.hands.answer("1.1.0", "hold")
    item = yard.item("1.1.0")

    assert yard.versions() == ["1.0.0"]
    assert (item.standing.place, item.standing.reason) == (Place.WITHHELD, "read: hold")
    with pytest.raises(Refused, match=r"pkg:npm/thing@1\.1\.0 .* read: hold") as refused:
        yard.get("1.1.0")
    assert len(refused.value.standing.verdict) == 8
    assert yard.served() == []


def test_an_undecided_release_waits_for_its_reading(yard: Yard) -> None:
    """Asked for by its address, what nobody has read is not handed out before it is."""
    item = yard.item("1.1.0")
    assert item.waits
    with pytest.raises(Refused):
        yard.get("1.1.0")
    reading = yard.gate.read(yard.gate.request(item), Urgency.ASKED, yard.now)
    assert reading is not None
    assert not reading.done()
    yard.hands.answer("1.1.0", "allow")

    assert reading.done()
    assert yard.get("1.1.0") == b"bytes of 1.1.0"


def test_an_old_release_is_admitted_and_read_later(yard: Yard) -> None:
    """Older than the horizon: handed out at once, kept by its digest, and read in the background once."""
    assert yard.get("1.0.0") == b"bytes of 1.0.0"
    assert yard.hands.asked[-1][1] is Urgency.BACKGROUND
    assert yard.get("1.0.0") == b"bytes of 1.0.0"
    assert yard.upstream.asked.count("download thing-1.0.0.tgz") == 1
    yard.hands.answer("1.0.0", "allow")
    asked = len(yard.hands.asked)

    assert yard.get("1.0.0") == b"bytes of 1.0.0"
    assert len(yard.hands.asked) == asked


def test_an_admitted_release_that_proves_bad_is_refused(yard: Yard) -> None:
    """The cached copy goes with the verdict."""
    yard.get("1.0.0")
    yard.hands.answer("1.0.0", "block")

    with pytest.raises(Refused):
        yard.get("1.0.0")
    yard.now += timedelta(minutes=2)
    assert yard.versions() == []


def test_a_reading_without_an_end_leaves_an_old_release_admitted(yard: Yard) -> None:
    """Identity does not rest on a reading; it is not begun again and again."""
    yard.get("1.0.0")
    yard.hands.answer("1.0.0", "hold", complete=False, suspected=False, expires=yard.now + timedelta(minutes=10))
    asked = len(yard.hands.asked)

    assert yard.get("1.0.0") == b"bytes of 1.0.0"
    assert len(yard.hands.asked) == asked
    assert "came to no end" in yard.item("1.0.0").standing.reason


def test_a_young_release_without_an_end_is_read_again_later(yard: Yard) -> None:
    """Incomplete is held; when its time is over it is undecided, and read anew."""
    yard.versions()
    yard.hands.answer("1.1.0", "hold", complete=False, suspected=False, expires=yard.now + timedelta(minutes=10))
    assert yard.item("1.1.0").standing.place is Place.WITHHELD
    yard.now += timedelta(minutes=11)

    assert yard.item("1.1.0").waits
    assert yard.versions() == ["1.0.0"]
    assert yard.hands.unanswered == ["1.1.0"]


def test_concurrent_requests_share_one_reading(yard: Yard) -> None:
    """However many ask, one reading is begun; who is in a hurry says so."""
    request = yard.gate.request(yard.item("1.1.0"))
    first = yard.gate.read(request, Urgency.AHEAD, yard.now)
    second = yard.gate.read(request, Urgency.ASKED, yard.now)

    assert first is second
    assert len(yard.hands.futures) == 1
    assert [urgency for _, urgency in yard.hands.asked] == [Urgency.AHEAD, Urgency.ASKED]


def test_another_replica_does_not_read_the_same(yard: Yard) -> None:
    """While one replica has the lease the other waits; what the first decides counts for both at once."""
    other = yard.beside()
    request = yard.gate.request(yard.item("1.1.0"))
    readings = [one.gate.read(request, Urgency.ASKED, yard.now) for one in (yard, other)]
    assert yard.hands.begin("1.1.0")
    assert not other.hands.begin("1.1.0")
    assert [one.done() for one in readings] == [False, True]
    yard.hands.answer("1.1.0", "allow")

    assert [one.result() for one in readings] == [True, False]
    assert other.get("1.1.0") == b"bytes of 1.1.0"


def test_what_was_read_elsewhere_meanwhile_is_not_read_again(yard: Yard) -> None:
    """A reading that waited for its turn while another replica read the same is not begun, and the lease is free."""
    other = yard.beside()
    request = yard.gate.request(yard.item("1.1.0"))
    other.gate.read(request, Urgency.AHEAD, yard.now)
    yard.gate.read(request, Urgency.ASKED, yard.now)
    yard.hands.answer("1.1.0", "hold")

    assert not other.hands.begin("1.1.0")
    assert yard.ledger.claim(request.told, "anyone", yard.now, yard.now)


def test_the_reading_of_a_replica_that_died_is_taken_over(yard: Yard) -> None:
    """A lease that is renewed holds; one that is not ends, and the next replica reads."""
    other = yard.beside()
    request = yard.gate.request(yard.item("1.1.0"))
    yard.gate.read(request, Urgency.ASKED, yard.now)
    assert yard.hands.begin("1.1.0")
    for _ in range(3):
        yard.now += LEASE * 0.6
        yard.gate.renew(yard.now)
    other.now = yard.now
    other.gate.read(request, Urgency.ASKED, other.now)
    assert not other.hands.begin("1.1.0")
    other.now += LEASE
    other.gate.read(request, Urgency.ASKED, other.now)

    assert other.hands.begin("1.1.0")


def test_a_ledger_that_is_away_begins_no_reading(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be written down is not read; the next request tries again."""
    request = yard.gate.request(yard.item("1.1.0"))
    yard.gate.read(request, Urgency.ASKED, yard.now)
    monkeypatch.setattr(yard.ledger, "claim", _away)
    assert not yard.hands.begin("1.1.0")
    monkeypatch.undo()
    yard.gate.read(request, Urgency.ASKED, yard.now)

    assert yard.hands.begin("1.1.0")


def test_a_digest_that_another_replica_saw_first_counts(yard: Yard) -> None:
    """Which digest was the first is the same for all, also for a replica that knew the project before the file."""
    other = yard.beside()
    other.versions()
    yard.upstream.publish("1.2.0", 0)
    yard.now += timedelta(minutes=2)
    yard.versions()
    yard.upstream.files["1.2.0"] = b"other bytes"
    other.now = yard.now
    other.versions()

    assert other.item("1.2.0").standing.basis is Basis.DIGEST_CHANGED


def test_an_artifact_that_another_replica_saw_is_known_here(yard: Yard) -> None:
    """A client that got its page from one replica gets the artifact from the other, whose page is older."""
    other = yard.beside()
    other.versions()
    yard.upstream.publish("1.2.0", 60)
    yard.now += timedelta(minutes=2)
    yard.versions()

    assert other.get("1.2.0") == b"bytes of 1.2.0"


def test_verdicts_survive_a_restart(yard: Yard) -> None:
    """What was decided is on record: the index is not asked, and nothing is read again."""
    yard.versions()
    yard.hands.answer("1.1.0", "hold")
    yard.get("1.0.0")
    later = yard.again()
    later.upstream.down = Unavailable("down")

    assert later.get("1.0.0") == b"bytes of 1.0.0"
    with pytest.raises(Refused):
        later.get("1.1.0")
    assert "1.1.0" not in later.hands.unanswered


def test_a_page_is_served_while_the_upstream_is_down(yard: Yard) -> None:
    """From memory, and after a restart from what was kept; without either the error is told."""
    assert yard.versions() == ["1.0.0"]
    yard.upstream.down = Unavailable("down")
    yard.now += timedelta(hours=1)
    assert yard.versions() == ["1.0.0"]
    assert yard.again().versions() == ["1.0.0"]
    yard.upstream.seen = None
    with pytest.raises(Unavailable):
        yard.again().versions()
    strict = FirewallPolicy(disruptions={Disruption.UPSTREAM_DOWN: Outcome.HOLD})
    with pytest.raises(Unavailable):
        yard.again(strict).versions()


def test_pages_are_asked_for_once_a_minute(yard: Yard) -> None:
    """A page counts for a minute; then it is asked for anew, and a new release is seen."""
    yard.versions()
    yard.versions()
    assert yard.upstream.asked.count("page thing") == 1
    yard.upstream.publish("1.2.0", age=0)
    yard.now += timedelta(seconds=61)
    yard.versions()

    assert "1.2.0" in yard.hands.unanswered


def test_a_project_that_does_not_exist(yard: Yard) -> None:
    """What the index does not have is not found, be it a project or a file."""
    with pytest.raises(NotFound):
        yard.gate.page("npm", ProjectName("other"), Viewer("client"), yard.now)
    with pytest.raises(NotFound):
        yard.item("9.9.9")


def test_a_changed_digest_is_blocked_and_sounds_the_alarm_once(yard: Yard) -> None:
    """Other bytes under the same name: refused on the page and by address, and an act in the chain."""
    assert yard.get("1.0.0")
    yard.upstream.publish("1.0.0", data=b"other")
    yard.now += timedelta(minutes=2)
    for _ in range(2):
        yard.versions()
        yard.now += timedelta(minutes=2)

    assert yard.item("1.0.0").standing.basis is Basis.DIGEST_CHANGED
    with pytest.raises(Refused):
        yard.get("1.0.0")
    assert [entry.content["what"] for entry in yard.ledger.acts()] == ["alarm"]
    assert verify(yard.ledger.acts()) is None


def test_an_upstream_that_tells_the_reader_something_else(yard: Yard) -> None:
    """A reading of another digest than the one asked about decides nothing."""
    yard.versions()
    yard.hands.answer("1.1.0", "allow", told="sha512:00")

    assert yard.item("1.1.0").waits
    assert yard.versions() == ["1.0.0"]


def test_a_reading_that_was_not_begun_decides_nothing(yard: Yard) -> None:
    """When the firewall ends, or too much waits, the artifact stays undecided, to be read at its next request."""
    yard.versions()
    yard.hands.drop("1.1.0")

    assert yard.ledger.decisions("npm", NAME) == ()
    assert yard.item("1.1.0").waits


def test_a_project_that_is_gone_is_forgotten(yard: Yard) -> None:
    """Whatever was on its page: what the index no longer has is not found."""
    yard.versions()
    yard.now += timedelta(minutes=2)
    yard.upstream.down = NotFound("gone")
    with pytest.raises(NotFound):
        yard.versions()
    yard.upstream.down = None

    assert yard.versions() == ["1.0.0"]


def test_an_artifact_that_left_the_page_is_not_fetched(yard: Yard) -> None:
    """It was seen, is admitted by its age, and nobody has its bytes: there is nothing to hand out."""
    yard.versions()
    del yard.upstream.files["1.0.0"], yard.upstream.times["1.0.0"]
    yard.now += timedelta(minutes=2)
    with pytest.raises(NotFound, match="does not list"):
        yard.get("1.0.0")


def test_a_view_does_not_outlive_its_page(tmp_path: Path) -> None:
    """Who works out what may be seen of a page, while another one comes, leaves nothing that is shown of that one."""
    once: list[Yard] = []

    def advise(*_: object) -> Advice:
        if once:
            here = once.pop()
            del here.upstream.files["1.1.0"], here.upstream.times["1.1.0"]
            here.gate.shelf.forget("npm", NAME)
            here.versions()
        return Advice()

    made = Yard(tmp_path, advise=advise)
    made.upstream.publish("1.1.0")
    made.upstream.publish("1.0.0")
    once.append(made)

    assert made.versions() == ["1.0.0", "1.1.0"]
    assert made.versions() == ["1.0.0"]


def test_a_project_that_goes_while_it_is_looked_at(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """The index says so to another request between two steps of this one: then it is not found."""
    yard.versions()
    known = yard.gate.shelf.known

    def gone(entry: Entry) -> OnRecord:
        entry.laid = None
        return known(entry)

    monkeypatch.setattr(yard.gate.shelf, "known", gone)
    with pytest.raises(NotFound, match="no project thing"):
        yard.versions()


def test_what_was_seen_is_not_read_again_for_a_decision(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor the other way round: what the ledger is asked for follows what has changed."""
    yard.versions()
    asked: list[str] = []

    def told(name: str, ask: Callable[..., object], *of: object) -> object:
        asked.append(name)
        return ask(*of)

    for name in ("decisions", "identities"):
        monkeypatch.setattr(yard.ledger, name, partial(told, name, getattr(yard.ledger, name)))
    yard.hands.answer("1.1.0", "allow")
    asked.clear()

    assert yard.versions() == ["1.0.0", "1.1.0"]
    assert asked == ["decisions"]
    yard.upstream.publish("1.0.1")
    yard.gate.shelf.forget("npm", NAME)
    assert yard.versions() == ["1.0.0", "1.0.1", "1.1.0"]
    assert asked == ["decisions", "identities"]


def test_memory_is_bounded(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names that do not exist, and pages that nobody asks for any more, do not fill it."""
    monkeypatch.setattr(shelf, "MAX_PROJECTS", 3)
    for number in range(10):
        with pytest.raises(NotFound):
            yard.gate.page("npm", ProjectName(f"missing-{number}"), Viewer("client"), yard.now)
    yard.versions()
    assert len(yard.gate.shelf._entries) == 3
    monkeypatch.setattr(shelf, "MAX_PAGE_BYTES", 1)
    yard.now += timedelta(minutes=2)
    yard.upstream.publish("1.2.0", age=0)
    yard.versions()

    assert len(yard.gate.shelf._entries) == 1
    assert yard.versions() == ["1.0.0"]


def test_other_bytes_than_those_decided_on_do_not_go_out(yard: Yard) -> None:
    """If the kept copy is lost and the registry gives something else, nothing is served."""
    yard.versions()
    yard.hands.answer("1.1.0", "allow", data=b"what was read")
    with pytest.raises(Untrusted, match="other bytes"):
        yard.get("1.1.0")
    assert yard.served() == []


def test_nothing_goes_out_that_cannot_be_written_down(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """Closed by default; a policy may say to go on."""

    def full(_: object) -> None:
        raise LedgerError("disk full")

    monkeypatch.setattr(yard.ledger, "serve", full)
    with pytest.raises(LedgerError):
        yard.get("1.0.0")
    yard.gate._policy = replace(yard.gate._policy, disruptions={Disruption.JOURNAL_UNWRITABLE: Outcome.ALLOW})

    assert yard.get("1.0.0") == b"bytes of 1.0.0"


def test_a_decision_that_cannot_be_written_serves_nothing(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reading ends, nobody hangs, and the artifact stays undecided."""
    item = yard.item("1.1.0")
    reading = yard.gate.read(yard.gate.request(item), Urgency.ASKED, yard.now)

    def full(*_: object) -> None:
        raise LedgerError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(yard.ledger, "decide", full)
        yard.hands.answer("1.1.0", "allow")
    assert isinstance(reading.exception(), LedgerError)
    assert yard.item("1.1.0").waits


def test_stores_that_fail_an_analyst_decide_nothing(yard: Yard) -> None:
    """Whoever waits is told, and the next request has it read again: the release itself did nothing."""
    request = yard.gate.request(yard.item("1.1.0"))
    reading = yard.gate.read(request, Urgency.ASKED, yard.now)
    yard.hands.answer("1.1.0", "", reason="the journal is locked")
    assert isinstance(reading.exception(), JournalError)
    assert yard.item("1.1.0").waits
    again = yard.gate.read(request, Urgency.ASKED, yard.now)
    yard.hands.answer("1.1.0", "allow")

    assert again.result()
    assert yard.get("1.1.0") == b"bytes of 1.1.0"


def test_what_cannot_be_claimed_is_not_read(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ledger that cannot be written would not keep what the reading comes to: whoever waits is told at once."""

    def full(*_: object) -> bool:
        raise LedgerError("disk full")

    monkeypatch.setattr(yard.ledger, "claim", full)
    reading = yard.gate.read(yard.gate.request(yard.item("1.1.0")), Urgency.ASKED, yard.now)
    assert not yard.hands.begin("1.1.0")

    assert isinstance(reading.exception(), LedgerError)


def test_observing_hides_nothing_and_writes_everything_down(tmp_path: Path) -> None:
    """Where nothing is enforced a client sees and gets all; the record says what would have been."""
    watch = Yard(tmp_path, FirewallPolicy(mode=Mode.OBSERVE))
    watch.upstream.publish("1.0.0")
    watch.upstream.publish("1.1.0", age=0)
    assert watch.versions() == ["1.0.0", "1.1.0"]
    assert watch.get("1.1.0") == b"bytes of 1.1.0"
    watch.hands.answer("1.1.0", "block")

    assert watch.get("1.1.0") == b"bytes of 1.1.0"
    assert watch.versions() == ["1.0.0", "1.1.0"]
    assert watch.served() == [("thing-1.1.0.tgz", "hold"), ("thing-1.1.0.tgz", "block")]


def test_groups_see_what_their_policy_says(tmp_path: Path) -> None:
    """One group observes, the others are protected, at the same time."""
    policy = FirewallPolicy(groups=(Group("lab", mode=Mode.OBSERVE),))
    shared = Yard(tmp_path, policy)
    shared.upstream.publish("1.0.0")
    shared.upstream.publish("1.1.0", age=0)

    assert shared.versions("lab") == ["1.0.0", "1.1.0"]
    assert shared.versions() == ["1.0.0"]
    assert shared.get("1.1.0", "lab") == b"bytes of 1.1.0"
    with pytest.raises(Refused):
        shared.get("1.1.0")


def test_an_advisory_refuses_what_is_cached(tmp_path: Path) -> None:
    """What was admitted and handed out is refused once an advisory speaks against it."""
    against: dict[Version, str] = {}
    warned = Yard(tmp_path, advise=lambda *_: Advice(against))
    warned.upstream.publish("1.0.0")
    assert warned.get("1.0.0")
    against[Version("1.0.0")] = "advisory MAL-2026-1 reports malware in this version"

    with pytest.raises(Refused, match="MAL-2026-1"):
        warned.get("1.0.0")


def test_a_page_that_is_none_is_not_believed(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that are no packument are an upstream that is not believed, and what was seen before counts on."""
    yard.versions()
    real = yard.upstream.page

    def torn(name: object) -> object:
        return replace(real(NAME), body=b"<html>")

    monkeypatch.setattr(yard.upstream, "page", torn)
    monkeypatch.setattr(yard.upstream, "kept", lambda _: None)
    with pytest.raises(Untrusted):
        yard.again().versions()
    yard.now += timedelta(minutes=2)
    assert yard.versions() == ["1.0.0"]


def test_what_was_removed_is_fetched_again_and_must_be_the_same(tmp_path: Path) -> None:
    """Whatever is no longer kept is got from the index, and handed out only as the bytes that were decided on."""
    yard = Yard(tmp_path)
    yard.upstream.publish("1.0.0")
    yard.upstream.publish("1.1.0", age=1)
    yard.versions()
    yard.hands.answer("1.1.0", "allow")
    assert yard.get("1.1.0") == b"bytes of 1.1.0"
    asked = len(yard.upstream.asked)
    for path in (tmp_path / "blobs").glob("sha256/*/*"):
        os.utime(path, (0, 0))
    assert yard.blobs.trim(0).removed
    assert yard.get("1.1.0") == b"bytes of 1.1.0"
    assert "download thing-1.1.0.tgz" in yard.upstream.asked[asked:]
    for path in (tmp_path / "blobs").glob("sha256/*/*"):
        os.utime(path, (0, 0))
    yard.blobs.trim(0)
    yard.upstream.files["1.1.0"] = b"other bytes"

    with pytest.raises(Untrusted):
        yard.get("1.1.0")
