"""What an entry amounts to: whether it was taken, whether it ran, and why; no window hides what may have been there."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto.core.exposure import Beside, Confidence, Exposure, Ran, Window, Within, judge
from lazaretto.core.inventory import Entry, Place, Proof, Scripts, Sign

NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
PLACE = Place("lockfile", "/p/package-lock.json", client="npm")
TREE = Place("node_modules", "/p/node_modules")


def entry(proof: Proof = Proof.FIXED, version: str = "1.0.0", signs: Sign = Sign.NONE, note: str = "") -> Entry:
    """Return an entry of one release."""
    return Entry("npm", "a", version, proof, 0, signs=signs, note=note)


def told(exposure: Exposure) -> str:
    """Return the reasons in one text."""
    return "; ".join(f"{'+' if one.supports else '-'}{one.text}" for one in exposure.reasons)


@pytest.mark.parametrize("proof", Proof)
def test_every_proof_has_a_reason(proof: Proof) -> None:
    """Nothing is said without one; what lay there is surer than what was meant."""
    found = judge(PLACE, entry(proof))
    assert found.reasons[0].supports
    meant = proof in {Proof.FIXED, Proof.LISTED, Proof.OPEN}
    assert (found.confidence is Confidence.HIGH) is not meant
    assert found.ran is Ran.UNKNOWN


def test_the_tree_beside_a_lockfile_counts() -> None:
    """The same version installed is certain; another one speaks against it."""
    same = Beside(TREE, entry(Proof.INSTALLED))
    other = Beside(TREE, entry(Proof.INSTALLED, "2.0.0"))
    assert judge(PLACE, entry(), beside=[same]).confidence is Confidence.HIGH
    assert judge(PLACE, entry(), beside=[same, other]).confidence is Confidence.HIGH
    against = judge(PLACE, entry(), beside=[other])
    assert against.confidence is Confidence.LOW
    assert "-2.0.0 is installed in /p/node_modules" in told(against)


def test_what_it_brought_may_have_run() -> None:
    """A manifest that was swapped by something with a script ran; without a script that was known, it probably did."""
    swapped = Entry("npm", "b", "4.2.1", Proof.INSTALLED, 1, signs=Sign.MANIFEST_OTHER | Sign.SCRIPT, note="4.2.0")
    assert judge(TREE, entry(Proof.INSTALLED), brought=[swapped]).ran is Ran.YES
    beside = Beside(TREE, entry(Proof.INSTALLED), (swapped,))
    assert judge(PLACE, entry(), beside=[beside]).ran is Ran.YES
    assert judge(TREE, entry(Proof.INSTALLED, signs=Sign.MANIFEST_OTHER, note="0.9.0")).ran is Ran.LIKELY
    assert judge(TREE, entry(Proof.INSTALLED, signs=Sign.MANIFEST_GONE)).ran is Ran.LIKELY
    assert judge(TREE, entry(Proof.INSTALLED, signs=Sign.SCRIPT)).ran is Ran.LIKELY
    assert judge(PLACE, entry(signs=Sign.SCRIPT)).ran is Ran.UNKNOWN
    assert judge(TREE, entry(Proof.LOGGED, signs=Sign.SCRIPT_RAN)).ran is Ran.YES


def test_scripts_that_are_off_or_on() -> None:
    """Off speaks against, unless something shows that it ran; on proves nothing by itself."""
    off = Place("node_modules", "/p", scripts=Scripts.OFF, why=".npmrc:1 says so")
    on = Place("node_modules", "/p", scripts=Scripts.ON, why=".npmrc:1 says so")
    assert judge(off, entry(Proof.INSTALLED, signs=Sign.SCRIPT)).ran is Ran.UNLIKELY
    assert judge(off, entry(Proof.INSTALLED, signs=Sign.SCRIPT_RAN)).ran is Ran.YES
    assert judge(on, entry()).ran is Ran.UNKNOWN
    assert "+scripts are run there: .npmrc:1 says so" in told(judge(on, entry()))
    assert judge(PLACE, entry(Proof.LOGGED, signs=Sign.SCRIPTS_OFF)).ran is Ran.UNLIKELY


def test_what_was_refused_was_not_taken() -> None:
    """A request that was not answered is told, and is little evidence."""
    found = judge(PLACE, entry(Proof.SERVED, signs=Sign.REFUSED))
    assert found.confidence is Confidence.LOW
    assert "-it was asked for and not handed out" in told(found)


@pytest.mark.parametrize(
    ("first", "last", "within"),
    [
        (-2, -1, Within.NO),
        (-2, None, Within.YES),
        (-2, 1, Within.YES),
        (0, 0, Within.YES),
        (2, None, Within.NO),
        (None, None, Within.UNKNOWN),
        (None, -1, Within.NO),
        (None, 1, Within.UNKNOWN),
    ],
)
def test_windows(first: int | None, last: int | None, within: Within) -> None:
    """Only what was certainly not there is outside."""
    one = Entry(
        "npm",
        "a",
        "1.0.0",
        Proof.FIXED,
        0,
        first=None if first is None else NOON + first * HOUR,
        last=None if last is None else NOON + last * HOUR,
    )
    history = Place("history", "/p")
    found = judge(history, one, window=Window(NOON, NOON + HOUR))
    assert found.within is within
    assert (found.confidence is Confidence.LOW) is (within is Within.NO)
    assert judge(history, one).within is Within.YES
    written = judge(PLACE, one, window=Window(NOON, NOON + HOUR)).within
    assert written is (Within.UNKNOWN if first == 2 else within), "a clone of today writes a lockfile of last year"


@given(
    proof=st.sampled_from(Proof),
    signs=st.sets(st.sampled_from(list(Sign))),
    more=st.sets(st.sampled_from([Sign.SCRIPT, Sign.SCRIPT_RAN])),
)
def test_more_evidence_never_takes_a_yes_away(proof: Proof, signs: set[Sign], more: set[Sign]) -> None:
    """What is known to have run stays so, whatever else is seen of it."""
    less, every = Sign.NONE, Sign.NONE
    for sign in signs:
        less |= sign
    for sign in signs | more:
        every |= sign
    if judge(PLACE, entry(proof, signs=less)).ran is Ran.YES:
        assert judge(PLACE, entry(proof, signs=every)).ran is Ran.YES
