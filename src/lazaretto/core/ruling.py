"""What all advisories together say of one release, under a policy: block, hold, nothing, and whether it is a cure.

A feed that is too old counts as one that was not asked: its record is absent, and an absent record is answered by
the policy, HOLD unless the user said otherwise. So taking a feed away never permits (ADR 0001).
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec import Struct

from lazaretto.core.advisory import Advisory, AdvisoryKind, Applies, VersionOrder, affects, fixes
from lazaretto.core.names import ProjectName, Version
from lazaretto.core.policy import Outcome

CLOCK_TOLERANCE_SECONDS = 300.0
"""How far ahead of our clock a feed may say that it was fetched, before its age counts as unknown."""


class AdvisoryPolicy(Struct, frozen=True):
    """What an advisory means for a release.

    A vulnerability holds nothing by itself: almost every release has one in time, and holding its fixes would do more
    harm. ``unclear`` is for malware whose versions cannot be read, ``stale`` for a feed older than ``max_age`` (its
    source's own, where the settings name none).
    """

    malware: Outcome = Outcome.BLOCK
    vulnerability: Outcome = Outcome.ALLOW
    unclear: Outcome = Outcome.HOLD
    stale: Outcome = Outcome.HOLD
    max_age: timedelta = timedelta(hours=24)


class FeedState(Struct, frozen=True):
    """One source of advisories as it lies here: when its bytes were fetched (None: never), and what went wrong since.

    ``fetched`` is when the source last answered, also when it answered that nothing has changed.
    """

    source: str
    fetched: datetime | None
    records: int = 0
    problem: str = ""

    def age(self, now: datetime) -> timedelta | None:
        """Return how old it is; None if it was never fetched, or by a clock that was ahead of ours."""
        if self.fetched is None or (self.fetched - now).total_seconds() > CLOCK_TOLERANCE_SECONDS:
            return None
        return max(now - self.fetched, timedelta())

    def stale(self, now: datetime, max_age: timedelta) -> bool:
        """Whether it is too old to be believed, or of unknown age."""
        age = self.age(now)
        return age is None or age > max_age


class Ruling(Struct, frozen=True):
    """What the advisories say of a release: an outcome, a sentence for each reason, whose cure it is.

    ``advisories`` are the ids that apply; ``cures`` those that it fixes, which lets it leave a cooldown early;
    ``stale`` the sources that were too old to be asked. ``since`` is when the newest of those that refuse it was
    written or changed.
    """

    outcome: Outcome
    reasons: tuple[str, ...] = ()
    advisories: tuple[str, ...] = ()
    cures: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()
    since: datetime | None = None


def rule(
    advisories: Iterable[Advisory],
    feeds: Iterable[FeedState],
    order: VersionOrder,
    name: ProjectName,
    version: Version,
    policy: AdvisoryPolicy,
    now: datetime,
) -> Ruling:
    """Return what advisories say of one release; the worst of them counts.

    Args:
        advisories: those about the project, of every source; of one id that two sources tell, each is heard.
        feeds: every source that the settings name, whether or not it has ever been fetched.
        order: the ecosystem.
        name: the project.
        version: the release.
        policy: what each means.
        now: the instant of the question.
    """
    outcome, reasons, applying, cures = Outcome.ALLOW, [], [], []
    since: datetime | None = None
    for advisory in sorted(advisories, key=lambda one: (one.id, one.modified)):
        answer = affects(advisory, order, name, version)
        if answer is Applies.NO:
            if fixes(advisory, order, name, version):
                cures.append(advisory.id)
            continue
        applying.append(advisory.id)
        meant = _meaning(advisory, answer, policy)
        outcome = max(outcome, meant, key=lambda one: one.value)
        if meant is not Outcome.ALLOW:
            reasons.append(_reason(advisory, answer))
            since = max(since or advisory.modified, advisory.modified)
    stale = tuple(sorted({feed.source for feed in feeds if feed.stale(now, policy.max_age)}))
    if stale:
        outcome = max(outcome, policy.stale, key=lambda one: one.value)
        if policy.stale is not Outcome.ALLOW:
            reasons.extend(f"the advisories of {source} are older than the policy allows" for source in stale)
    return Ruling(outcome, _once(reasons), _once(applying), _once(cures), stale, since)


def _meaning(advisory: Advisory, answer: Applies, policy: AdvisoryPolicy) -> Outcome:
    if advisory.kind is AdvisoryKind.VULNERABILITY:
        return policy.vulnerability
    return policy.malware if answer is Applies.YES else policy.unclear


def _reason(advisory: Advisory, answer: Applies) -> str:
    if answer is Applies.UNCLEAR:
        return f"advisory {advisory.id} reports {advisory.kind} in this project, in versions that it does not say"
    return f"advisory {advisory.id} reports {advisory.kind} in this version"


def _once(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))
