"""Which earlier release an update is measured against.

The greatest earlier version by the ecosystem's own order that is no suspect: version order keeps
release lines together, so 0.30.4 is measured against 0.30.3 and never against 1.14.1, whatever was
published when. A release that has been public for less than ``Policy.settled`` may itself be the first
step of a two-step attack, so a settled one up to ``Policy.look_back`` steps further back is preferred.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import islice

from lazaretto.core.model import Release
from lazaretto.core.names import Version
from lazaretto.core.policy import Policy


def earlier_releases(
    releases: Sequence[Release],
    after: Release,
    suspects: frozenset[Version],
    now: datetime,
    prerelease: Callable[[Version], bool],
    most: int | None = None,
) -> tuple[Release, ...]:
    """Return the releases that may serve as a baseline, newest version first; of many only so many as are asked for.

    ``releases`` is in ascending version order. Left out: later versions, suspects, yanked ones, those
    without an artifact, those published after ``now``, and pre-releases, unless ``after`` is one or nothing else is
    left: the first final release is better measured against its last candidate than against nothing.
    """

    def fits(release: Release) -> bool:
        if release.version in suspects or release.yanked or not release.artifacts:
            return False
        return release.published is None or release.published <= now

    at = next((number for number, one in enumerate(releases) if one.version == after.version), len(releases))
    before = releases[:at]
    if not prerelease(after.version):
        final = tuple(islice((one for one in reversed(before) if fits(one) and not prerelease(one.version)), most))
        if final:
            return final
    return tuple(islice(filter(fits, reversed(before)), most))


def choose_baseline(candidates: tuple[Release, ...], now: datetime, policy: Policy) -> Release | None:
    """Return the release to measure against, or None at first contact.

    ``candidates`` come from ``earlier_releases``. A release of unknown age counts as settled.
    """
    for release in candidates[: policy.look_back + 1]:
        if release.published is None or now - release.published >= policy.settled:
            return release
    return candidates[0] if candidates else None
