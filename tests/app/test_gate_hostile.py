"""The gate against whoever changes what stands behind it between one look and the next."""

from datetime import datetime, timedelta
from hashlib import sha512
from pathlib import Path

import pytest

from lazaretto.app.item import Refused
from lazaretto.app.ports import PortError
from lazaretto.app.review import Verb, decide
from lazaretto.app.shelf import Advice
from lazaretto.core.firewall_policy import FirewallPolicy, Group, Mode
from lazaretto.core.names import Digest, Version
from lazaretto.core.standing import Basis
from tests.app.yard import NAME, Yard


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    """Return a gate in front of an old release."""
    made = Yard(tmp_path)
    made.upstream.publish("1.0.0")
    return made


def refused(yard: Yard) -> None:
    """Ask for 1.0.0 again and again: the exchanged bytes never come, and nothing binds them to what was allowed."""
    for _ in range(3):
        with pytest.raises(PortError):
            yard.get("1.0.0")
    assert yard.served() == []
    assert not [one for one in yard.ledger.decisions("npm", NAME) if one.sha256 is not None]
    assert [entry.content["what"] for entry in yard.ledger.acts()] == ["alarm"]


def test_an_admitted_file_that_is_exchanged_before_it_is_fetched(yard: Yard) -> None:
    """Its page is old: the look that finds where the bytes are finds another digest, and hands nothing out."""
    yard.versions()
    yard.now += timedelta(minutes=2)
    yard.upstream.publish("1.0.0", data=b"exchanged")
    refused(yard)
    assert yard.item("1.0.0").standing.basis is Basis.DIGEST_CHANGED


def test_an_admitted_file_that_is_exchanged_over_a_restart(yard: Yard) -> None:
    """What was noted before counts, though this process has never seen a page."""
    yard.versions()
    yard.upstream.publish("1.0.0", data=b"exchanged")
    refused(yard.again())


def test_an_allowed_digest_that_is_exchanged_before_it_is_fetched(tmp_path: Path) -> None:
    """The allow-list names a digest, and no other bytes go out under it."""
    told = Digest(f"sha512:{sha512(b'bytes of 1.0.0').hexdigest()}")
    yard = Yard(tmp_path, FirewallPolicy(allowed=frozenset({told})))
    yard.upstream.publish("1.0.0", age=0.1)
    yard.versions()
    yard.now += timedelta(minutes=2)
    yard.upstream.publish("1.0.0", age=0.1, data=b"exchanged")
    refused(yard)


def test_a_group_that_observes_binds_nothing_for_the_others(tmp_path: Path) -> None:
    """It gets what the registry gives; what it got is no permission, and not kept under the old digest."""
    yard = Yard(tmp_path, FirewallPolicy(groups=(Group("lab", mode=Mode.OBSERVE),)))
    yard.upstream.publish("1.0.0")
    yard.versions()
    yard.now += timedelta(minutes=2)
    yard.upstream.publish("1.0.0", data=b"exchanged")

    assert yard.get("1.0.0", "lab") == b"exchanged"
    with pytest.raises(PortError):
        yard.get("1.0.0")
    assert not [one for one in yard.ledger.decisions("npm", NAME) if one.sha256 is not None]


def test_a_release_that_borrows_the_file_of_an_allowed_one_is_not_allowed_by_it(yard: Yard) -> None:
    """Same name, same digest, another version: what was read of the one says nothing of the other's manifest."""
    yard.get("1.0.0")
    yard.hands.answer("1.0.0", "allow")
    yard.upstream.publish("2.0.0", age=0.01, data=yard.upstream.files["1.0.0"])
    yard.upstream.named["2.0.0"] = "thing-1.0.0.tgz"
    yard.now += timedelta(minutes=2)

    assert "2.0.0" not in yard.versions()


def test_a_permission_does_not_outlive_what_is_said_of_the_release_later(tmp_path: Path) -> None:
    """Whoever waived it could not know the advisory; who allows it again has seen it."""
    bad, against, since = Version("1.0.0"), dict[Version, str](), dict[Version, datetime]()
    yard = Yard(tmp_path, advise=lambda *_: Advice(against, {}, since))
    yard.upstream.publish("1.0.0", age=1)
    yard.versions()
    yard.hands.answer("1.0.0", "hold")
    decide(yard.ledger, Verb.ALLOW, "pkg:npm/thing@1.0.0", "ada", "read by hand", None, yard.now)
    assert yard.get("1.0.0")
    against[bad], since[bad] = "advisory MAL-2026-1 reports malware in this version", yard.now + timedelta(hours=1)
    yard.now += timedelta(hours=2)
    with pytest.raises(Refused, match="MAL-2026-1"):
        yard.get("1.0.0")
    stale = yard.again(advise=lambda *_: Advice(None, {}, since))
    stale.now = yard.now
    with pytest.raises(Refused):
        stale.get("1.0.0")
    decide(yard.ledger, Verb.ALLOW, "pkg:npm/thing@1.0.0", "ada", "a false alarm", None, yard.now)

    assert yard.get("1.0.0")
