"""What the firewall is told: what it hides, what it admits unread, how long it lets a client wait, what outages mean.

It comes on top of ``core.policy``, which judges what was read. Nothing in here turns a refusal by a reading into a
permission, except the allow-list: a named digest is the user's own word.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct, field
from msgspec.structs import replace

from lazaretto.core.names import Digest
from lazaretto.core.policy import Outcome


class Mode(StrEnum):
    """Whether a refusal is carried out, or only recorded."""

    OBSERVE = "observe"
    ENFORCE = "enforce"


class Undecided(StrEnum):
    """What a client is told when its patience ends before the reading: try again, or that it is held."""

    RETRY = "retry"
    HOLD = "hold"


class Disruption(StrEnum):
    """What may fail around a decision. Readings that fail have classes of their own (``core.policy.Outage``)."""

    UPSTREAM_DOWN = "upstream-down"  # pages cannot be asked for anew
    JOURNAL_UNWRITABLE = "journal-unwritable"  # what is served cannot be written down
    FEED_STALE = "feed-stale"  # advisories were asked for and are missing, or too old


_ON_DISRUPTION = {Disruption.UPSTREAM_DOWN: Outcome.ALLOW}
"""Served from the last page that was seen: only what a decision allows already, so nothing is opened by it."""


class Group(Struct, frozen=True):
    """Clients with rules of their own, by the networks they come from or the group that their token names.

    ``None`` leaves the general rule.
    """

    name: str
    networks: tuple[str, ...] = ()
    mode: Mode | None = None
    horizon: timedelta | None = None
    cooldown: timedelta | None = None


class FirewallPolicy(Struct, frozen=True):
    """How decisions become what is on a page and what is handed out.

    ``horizon``: a release that has been public for this long is admitted on its identity, and read later; zero reads
    everything first. ``patience``: how long a request waits for a reading. ``cooldown``: the least age, ended early
    by a complete reading without a finding (if ``early_release``) or where the release fixes an advisory.
    ``allowed`` are digests, ``alg:hex``, that are served whatever else is known of them.
    """

    mode: Mode = Mode.ENFORCE
    horizon: timedelta = timedelta(days=30)
    patience: timedelta = timedelta(seconds=30)
    on_undecided: Undecided = Undecided.RETRY
    cooldown: timedelta | None = None
    early_release: bool = True
    allowed: frozenset[Digest] = frozenset()
    groups: tuple[Group, ...] = ()
    disruptions: Mapping[Disruption, Outcome] = field(default_factory=dict)

    def of(self, group: str | None) -> "FirewallPolicy":
        """Return the policy for the clients of a group; one that is not named here has the general policy."""
        named = next((one for one in self.groups if one.name == group), None)
        if named is None:
            return self
        own = {"mode": named.mode, "horizon": named.horizon, "cooldown": named.cooldown}
        return replace(self, **{key: value for key, value in own.items() if value is not None})

    def on(self, disruption: Disruption) -> Outcome:
        """Return what a disruption means: refused, unless the user or the class itself says otherwise."""
        return self.disruptions.get(disruption, _ON_DISRUPTION.get(disruption, Outcome.HOLD))

    def settled(self, published: datetime | None, now: datetime) -> bool:
        """Whether a release is old enough to be admitted unread. One without a time is taken for young."""
        if not self.horizon or published is None:
            return False
        return now - published >= max(self.horizon, self.cooldown or timedelta())

    def cooling(self, published: datetime | None, now: datetime) -> bool:
        """Whether the cooldown has not passed. One without a time never leaves it by age."""
        return bool(self.cooldown) and (published is None or now - published < (self.cooldown or timedelta()))
