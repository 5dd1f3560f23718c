"""Policy: thresholds, required checks, cooldown, waivers, and the *only* failure policy of the program."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum, StrEnum

from msgspec import Struct, field

from lazaretto.core.names import Digest, Purl


class Outcome(Enum):
    """The three answers, ordered: ALLOW < HOLD < BLOCK."""

    ALLOW = 0
    HOLD = 1
    BLOCK = 2

    def __lt__(self, other: "Outcome") -> bool:
        return self.value < other.value

    def __gt__(self, other: "Outcome") -> bool:
        return self.value > other.value

    @property
    def word(self) -> str:
        """``allow``, ``hold`` or ``block``."""
        return self.name.lower()


class Outage(StrEnum):
    """Why a check could not be finished: each class has its own answer, closed by default."""

    NOT_RUN = "not-run"
    UPSTREAM = "upstream-unavailable"
    UNTRUSTED = "upstream-not-believed"
    ARCHIVE = "archive-refused"
    NOT_UNDERSTOOD = "not-understood"
    READER = "reader-stopped"
    LIMIT = "limit-reached"
    UNRESOLVED = "dependency-unresolved"
    DETECTOR = "detector-failed"
    UNVERIFIED = "attestation-unverified"
    INTELLIGENCE = "intelligence-stale"


class Attestations(StrEnum):
    """What is done with attestations and signatures.

    ``READ`` takes what they claim for the habit of a release line and verifies nothing; ``VERIFY`` asks for a valid
    signature of everything that is signed.
    """

    IGNORE = "ignore"
    READ = "read"
    VERIFY = "verify"


class Waiver(Struct, frozen=True):
    """A dated, named acceptance of one release (purl with version) or one artifact (digest)."""

    reason: str
    by: str
    until: datetime
    purl: Purl | None = None
    digest: Digest | None = None

    def covers(self, purl: Purl, digests: tuple[Digest, ...], now: datetime) -> bool:
        """Whether it applies to this subject at this instant. A digest must cover all that was read."""
        if now >= self.until:
            return False
        return purl == self.purl or (self.digest is not None and digests == (self.digest,))


class Policy(Struct, frozen=True):
    """How records become a verdict. Thresholds are in decibans.

    ``required`` None means: every check that this installation has and that the registry can answer.
    ``outages`` overrides the answer per class of outage. ``settled`` is how long a release must have
    been public before others are measured against it; ``look_back`` how many releases further back a
    settled one is looked for. ``early_release`` lets a complete reading without a finding end a cooldown.
    """

    hold_at: float = 20.0
    block_at: float = 40.0
    required: frozenset[str] | None = None
    cooldown: timedelta | None = None
    early_release: bool = True
    waivers: tuple[Waiver, ...] = ()
    outages: Mapping[Outage, Outcome] = field(default_factory=dict)
    settled: timedelta = timedelta(hours=24)
    look_back: int = 3
    max_edges: int = 600
    max_edge_depth: int = 32
    attestations: Attestations = Attestations.READ
    version: str = "1"

    def on_outage(self, outage: Outage) -> Outcome:
        """Return what an unfinished check means. HOLD, unless the user decided otherwise."""
        return self.outages.get(outage, Outcome.HOLD)

    def cooling(self, published: datetime | None, now: datetime, *, clean: bool) -> bool:
        """Whether the cooldown still holds. An unknown age is held; evidence may end it early."""
        if self.cooldown is None or (clean and self.early_release):
            return False
        return published is None or now - published < self.cooldown

    def cooldown_text(self) -> str:
        """Return the cooldown for a person, with its unit."""
        hours = self.cooldown.total_seconds() / 3600 if self.cooldown else 0.0
        return f"{hours / 24:g} d" if hours >= 48 else f"{hours:g} h"

    def waiver_for(self, purl: Purl, digests: tuple[Digest, ...], now: datetime) -> Waiver | None:
        """Return the first waiver that covers the subject, or None."""
        return next((waiver for waiver in self.waivers if waiver.covers(purl, digests, now)), None)
