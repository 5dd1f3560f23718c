"""What people decide: on exactly what was seen, with name and reason, and in the record."""

from datetime import timedelta
from pathlib import Path

import pytest

from lazaretto.app.item import Refused
from lazaretto.app.review import ReviewError, Verb, decide, find
from lazaretto.core.chain import verify
from lazaretto.core.names import Version
from lazaretto.core.standing import Decision, Identity
from tests.app.yard import NAME, NOW, Yard


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    """Return a gate in front of an old release, and a young one that is held."""
    made = Yard(tmp_path)
    made.upstream.publish("1.0.0")
    made.upstream.publish("1.1.0", age=0.1)
    made.versions()
    made.hands.answer("1.1.0", "hold")
    return made


def act(
    yard: Yard,
    verb: Verb,
    subject: str,
    days: float | None = None,
    who: str = "ada",
    reason: str = "read by hand",
) -> tuple[Decision, ...]:
    """Decide as Ada, who has a reason."""
    until = yard.now + timedelta(days=days) if days is not None else None
    return decide(yard.ledger, verb, subject, who, reason, until, yard.now)


def test_what_is_allowed_goes_out(yard: Yard) -> None:
    """By its verdict id; at once, and with an act in the chain."""
    verdict = yard.item("1.1.0").standing.verdict
    (decision,) = act(yard, Verb.ALLOW, verdict)

    assert yard.get("1.1.0") == b"bytes of 1.1.0"
    assert (decision.by, decision.reason) == ("ada", "ada said allow: read by hand")
    (entry,) = yard.ledger.acts()
    assert (entry.content["who"], entry.content["what"], entry.content["reason"]) == ("ada", "allow", "read by hand")
    assert verdict in str(entry.content["subject"])
    assert verify(yard.ledger.acts()) is None


def test_a_waiver_ends(yard: Yard) -> None:
    """It needs its end, and the reading counts again after it."""
    with pytest.raises(ReviewError, match="needs its end"):
        act(yard, Verb.WAIVE, "pkg:npm/thing@1.1.0")
    with pytest.raises(ReviewError, match="over already"):
        act(yard, Verb.WAIVE, "pkg:npm/thing@1.1.0", days=-1)
    act(yard, Verb.WAIVE, "pkg:npm/thing@1.1.0", days=2)
    assert yard.get("1.1.0")
    yard.now += timedelta(days=3)

    with pytest.raises(Refused):
        yard.get("1.1.0")


@pytest.mark.parametrize("verb", [Verb.BLOCK, Verb.REVOKE])
def test_a_permission_is_taken_back(yard: Yard, verb: Verb) -> None:
    """What was handed out a moment ago is refused, whoever asks; another person may decide again."""
    yard.get("1.0.0")
    digest = yard.item("1.0.0").standing.sha256
    assert digest is not None
    act(yard, verb, digest)
    with pytest.raises(Refused, match=f"ada said {verb}"):
        yard.get("1.0.0")
    assert yard.versions() == []
    act(yard, Verb.ALLOW, digest, who="grace")

    assert yard.get("1.0.0")


def test_an_act_needs_a_name_and_a_reason(yard: Yard) -> None:
    """Whoever reads the record must know who, and why."""
    for who, reason in ((" ", "read by hand"), ("ada", "")):
        with pytest.raises(ReviewError, match="needs a reason and a name"):
            act(yard, Verb.BLOCK, "pkg:npm/thing@1.1.0", who=who, reason=reason)
    assert list(yard.ledger.acts()) == []


@pytest.mark.parametrize("subject", ["NOTHING1", "sha256:00", "pkg:npm/thing@9.9.9", "pkg:"])
def test_only_what_was_seen_can_be_decided_on(yard: Yard, subject: str) -> None:
    """A name that nothing has is an error that says what a name is."""
    with pytest.raises(ReviewError):
        find(yard.ledger, subject)


def test_unknown_bytes_are_not_allowed(yard: Yard) -> None:
    """Where the index tells a weak digest alone and nobody has read it, there is nothing that one could allow."""
    version = yard.item("1.0.0").standing.version
    weak = Identity("npm", NAME, version, "weak.tgz", "sha1:aa", NOW)
    yard.ledger.note([weak])
    with pytest.raises(ReviewError, match="bytes are unknown"):
        act(yard, Verb.ALLOW, weak.verdict)
    assert act(yard, Verb.BLOCK, weak.verdict)


COLLIDING = (f"sha256:{0x3F424:064x}", f"sha256:{0x98621:064x}")
"""Two digests of one file name under which it has the same verdict id; found in seconds."""


@pytest.mark.parametrize("verb", [Verb.ALLOW, Verb.WAIVE])
def test_a_permission_by_a_verdict_id_that_two_artifacts_share_is_refused(yard: Yard, verb: Verb) -> None:
    """Whoever publishes can make a pair: one to be read, one to be let in with it. By its digest one is named alone."""
    pair = [Identity("npm", NAME, Version("1.1.0"), "thing-1.1.0.tgz", told, NOW) for told in COLLIDING]
    yard.ledger.note(pair)
    assert pair[0].verdict == pair[1].verdict
    with pytest.raises(ReviewError, match="names more than one artifact"):
        act(yard, verb, pair[0].verdict, days=1)
    assert [one.told for one in act(yard, verb, COLLIDING[0], days=1)] == [COLLIDING[0]]
    assert len(act(yard, Verb.BLOCK, pair[0].verdict)) == 2


def test_a_permission_by_package_url_does_not_reach_an_exchanged_file(yard: Yard) -> None:
    """Two digests were told of one file: a permission must say which of them; a refusal reaches both."""
    yard.upstream.publish("1.1.0", age=0.1, data=b"exchanged")
    yard.now += timedelta(minutes=2)
    yard.versions()
    with pytest.raises(ReviewError, match=r"by its digest: sha512:.*, sha512:"):
        act(yard, Verb.ALLOW, "pkg:npm/thing@1.1.0")
    assert len(act(yard, Verb.REVOKE, "pkg:npm/thing@1.1.0")) == 2
