"""What all advisories together say of a release: the worst counts, and nothing left out permits."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto.core.advisory import Advisory, Affected, Event, EventKind, Range, RangeKind
from lazaretto.core.policy import Outcome
from lazaretto.core.ruling import AdvisoryPolicy, FeedState, Ruling, rule
from lazaretto.ecosystems.npm import ECOSYSTEM as NPM

NOW = datetime(2030, 1, 2, tzinfo=UTC)
FRESH = FeedState("osv", NOW - timedelta(hours=1))
OLD = FeedState("osv", NOW - timedelta(hours=25))
NAME = NPM.name("plain")
MALWARE = Advisory("MAL-1", NOW, (Affected("npm", "plain", ("1.0.1",)),))
FLAW = Advisory(
    "GHSA-1",
    NOW,
    (
        Affected(
            "npm",
            "plain",
            ranges=(Range(RangeKind.SEMVER, (Event(EventKind.INTRODUCED, "0"), Event(EventKind.FIXED, "1.0.1"))),),
        ),
    ),
)
VAGUE = Advisory("MAL-2", NOW, (Affected("npm", "plain"),))
ALL = (MALWARE, FLAW, VAGUE)


def ruled(
    *advisories: Advisory, version: str = "1.0.1", feed: FeedState = FRESH, policy: AdvisoryPolicy | None = None
) -> Ruling:
    """Ask about one release."""
    return rule(advisories, (feed,), NPM, NAME, NPM.version(version), policy or AdvisoryPolicy(), NOW)


def test_malware_blocks() -> None:
    """A release that an advisory reports as malware is blocked, with the advisory's number."""
    found = ruled(MALWARE, MALWARE)

    assert (found.outcome, found.advisories) == (Outcome.BLOCK, ("MAL-1",))
    assert found.reasons == ("advisory MAL-1 reports malware in this version",)
    assert ruled(MALWARE, version="1.0.0") == Ruling(Outcome.ALLOW)


def test_a_vulnerability_holds_nothing_by_itself() -> None:
    """It is told, and is answered as the policy says."""
    found = ruled(FLAW, version="1.0.0")

    assert (found.outcome, found.advisories, found.reasons) == (Outcome.ALLOW, ("GHSA-1",), ())
    assert ruled(FLAW, version="1.0.0", policy=AdvisoryPolicy(vulnerability=Outcome.HOLD)).outcome is Outcome.HOLD


def test_a_cure_is_told() -> None:
    """The release that an advisory names as fixed is known as its cure."""
    assert ruled(FLAW, version="1.0.1") == Ruling(Outcome.ALLOW, cures=("GHSA-1",))


def test_vague_malware_is_held() -> None:
    """Malware in a project, in versions that nobody tells, holds all of them."""
    assert ruled(VAGUE, version="9.0.0").outcome is Outcome.HOLD
    assert "does not say" in ruled(VAGUE).reasons[0]


@pytest.mark.parametrize(
    ("feed", "stale"),
    [
        (FRESH, False),
        (OLD, True),
        (FeedState("osv", None), True),
        (FeedState("osv", NOW + timedelta(minutes=1)), False),
        (FeedState("osv", NOW + timedelta(days=300)), True),
    ],
)
def test_a_stale_feed_was_not_asked(feed: FeedState, stale: bool) -> None:
    """A feed that is too old, never fetched, or from a clock that ran ahead holds, unless the policy differs."""
    found = ruled(feed=feed)

    assert (found.outcome, found.stale) == ((Outcome.HOLD, ("osv",)) if stale else (Outcome.ALLOW, ()))
    assert ruled(feed=feed, policy=AdvisoryPolicy(stale=Outcome.ALLOW)).outcome is Outcome.ALLOW
    assert ruled(MALWARE, feed=feed).outcome is Outcome.BLOCK


@given(
    some=st.sets(st.sampled_from(range(len(ALL)))),
    more=st.sets(st.sampled_from(range(len(ALL)))),
    version=st.sampled_from(["1.0.0", "1.0.1", "2.0.0"]),
    ages=st.lists(st.integers(0, 50), max_size=3),
)
def test_more_advisories_never_permit_more(some: set[int], more: set[int], version: str, ages: list[int]) -> None:
    """With an advisory, or an hour of age, more the answer is the same or stricter; the order does not matter."""
    feeds = [FeedState(f"feed-{n}", NOW - timedelta(hours=age)) for n, age in enumerate(ages)]
    older = [FeedState(f"feed-{n}", NOW - timedelta(hours=age + 1)) for n, age in enumerate(ages)]

    def answer(chosen: set[int], states: list[FeedState]) -> Ruling:
        picked = [ALL[n] for n in chosen]
        return rule(picked, states, NPM, NAME, NPM.version(version), AdvisoryPolicy(), NOW)

    less = answer(some, feeds)
    assert not answer(some | more, feeds).outcome < less.outcome
    assert not answer(some, older).outcome < less.outcome
    backwards = rule(
        [ALL[n] for n in sorted(some, reverse=True)],
        feeds[::-1],
        NPM,
        NAME,
        NPM.version(version),
        AdvisoryPolicy(),
        NOW,
    )
    assert backwards == less
