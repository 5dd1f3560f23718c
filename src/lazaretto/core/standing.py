"""Where an artifact stands: the one judgement for page, file, metadata and kept copy.

Permission needs a record: an allowing decision on exactly this digest, or, for what has been public longer than the
horizon, the identity that was noted when it was first seen. What is missing is not served.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256

from msgspec import Struct
from msgspec.structs import replace

from lazaretto.core.firewall_policy import Disruption, FirewallPolicy
from lazaretto.core.model import Artifact
from lazaretto.core.names import Digest, ProjectName, Version
from lazaretto.core.policy import Outcome

_STRENGTH = ("sha512", "sha384", "sha256", "sha224", "sha1", "md5")
_STRONG = ("sha512", "sha384", "sha256")


class Basis(StrEnum):
    """What a decision rests on, or why there is none."""

    READ = "read"
    IDENTITY = "identity"
    REVIEW = "review"
    ADVISORY = "advisory"
    ALLOW_LIST = "allow-list"
    DIGEST_CHANGED = "digest-changed"
    NO_DIGEST = "no-digest"
    COOLDOWN = "cooldown"
    FEED_STALE = "feed-stale"
    UNDECIDED = "undecided"


class Place(StrEnum):
    """Where an artifact stands. ``UNREAD`` is visible, and read before its first byte is handed out."""

    SERVED = "served"
    ADMITTED = "admitted"
    UNREAD = "unread"
    WITHHELD = "withheld"


class Identity(Struct, frozen=True):
    """That an index told this digest (``alg:hex``; empty if none) of an artifact, and when it was first seen.

    ``published`` is when the index says that it was uploaded.
    """

    ecosystem: str
    project: ProjectName
    version: Version
    filename: str
    told: str
    first_seen: datetime
    published: datetime | None = None

    @property
    def verdict(self) -> str:
        """The short name under which people speak of it."""
        return verdict_id(self.ecosystem, self.project, self.filename, self.told)


class Decision(Struct, frozen=True):
    """What was decided about one artifact. ``sha256`` is None until its bytes were seen.

    ``for_cause`` says that charges, a person or an advisory refuse it, not only something that could not be
    finished; ``clean`` that a complete reading found nothing at all. From ``expires`` on there is no decision.
    ``report`` is the digest under which the report of a reading is kept.
    """

    ecosystem: str
    project: ProjectName
    version: Version
    filename: str
    told: str
    sha256: Digest | None
    outcome: Outcome
    complete: bool
    basis: Basis
    verdict: str
    reason: str
    decided_at: datetime
    expires: datetime | None = None
    for_cause: bool = False
    clean: bool = False
    by: str = ""
    report: Digest | None = None


class Known(Struct, frozen=True):
    """What is known of a project beside its page. Each register is one record: what cannot be had is ``None``.

    ``advised`` maps a version to the advisory that speaks against it, ``fixes`` a version to one that it ends;
    without advisories to ask both are empty, and ``None`` where they were asked for and are missing or stale.
    ``since`` maps a version to when what speaks against it was last changed. ``held`` are those of ``advised`` of
    which too little is understood to block them.
    """

    identities: tuple[Identity, ...] = ()
    decisions: tuple[Decision, ...] = ()
    advised: Mapping[Version, str] | None = {}
    fixes: Mapping[Version, str] = {}
    since: Mapping[Version, datetime] = {}
    held: frozenset[Version] = frozenset()


class Standing(Struct, frozen=True):
    """Where one artifact stands, why, and the decision or identity that says so."""

    filename: str
    version: Version
    told: str
    place: Place
    basis: Basis
    reason: str
    verdict: str
    sha256: Digest | None = None
    outcome: Outcome = Outcome.HOLD

    @property
    def open(self) -> bool:
        """Whether its bytes may be handed out now."""
        return self.place in (Place.SERVED, Place.ADMITTED)


def told_digest(artifact: Artifact) -> str:
    """Return the strongest digest that the index tells, ``alg:hex``; empty if it tells none."""
    name = next((name for name in _STRENGTH if artifact.digests.get(name)), None)
    return f"{name}:{artifact.digests[name].lower()}" if name is not None else ""


@lru_cache(maxsize=16_384)  # it is asked for with every request for an artifact
def verdict_id(ecosystem: str, project: str, filename: str, told: str) -> str:
    """Return the short name under which a person speaks of an artifact: eight signs that are not taken for others."""
    alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    whole = f"{ecosystem}\n{project}\n{filename}\n{told}"
    number = int.from_bytes(sha256(whole.encode("utf-8", "surrogatepass")).digest()[:5], "big")
    return "".join(alphabet[(number >> shift) & 31] for shift in range(35, -1, -5))


def current(decisions: Iterable[Decision], now: datetime) -> dict[tuple[Version, str, str], Decision]:
    """Return the decision in force for each (version, filename, told digest); the order is that of their making.

    The version counts: a release that names the file of another one has a manifest of its own on the page.

    A person's word comes before an alarm, an alarm before a reading, and a reading before an identity; of the same
    kind the last one counts.
    """
    rank = {Basis.REVIEW: 3, Basis.DIGEST_CHANGED: 2, Basis.READ: 1}
    found: dict[tuple[Version, str, str], Decision] = {}
    for decision in decisions:
        if decision.expires is not None and now >= decision.expires:
            continue
        key = (decision.version, decision.filename, decision.told)
        known = found.get(key)
        if known is None or rank.get(decision.basis, 0) >= rank.get(known.basis, 0):
            found[key] = decision
    return found


class Judge:
    """Judges the artifacts of one project at one instant."""

    def __init__(
        self, ecosystem: str, project: ProjectName, known: Known, policy: FirewallPolicy, now: datetime
    ) -> None:
        self._ecosystem = ecosystem
        self._project = project
        self._known = known
        self._policy = policy
        self._now = now
        self._decisions = current(known.decisions, now)
        self._first: dict[str, str] = {}
        for identity in known.identities:
            self._first.setdefault(identity.filename, identity.told)

    def changed(self, filename: str, told: str) -> bool:
        """Whether the index tells another digest of a file than the one first seen."""
        return self._first.get(filename, told) != told

    def artifact(self, version: Version, filename: str, told: str, published: datetime | None) -> Standing:
        """Return where an artifact stands. ``published``: when its index says that it was uploaded."""
        decision = self._decisions.get((version, filename, told))
        stands = Standing(
            filename=filename,
            version=version,
            told=told,
            place=Place.WITHHELD,
            basis=Basis.UNDECIDED,
            reason="",
            verdict=verdict_id(self._ecosystem, self._project, filename, told),
            sha256=decision.sha256 if decision is not None else None,
        )
        return self._listed(stands) or self._reviewed(stands, decision) or self._judged(stands, decision, published)

    def _listed(self, stands: Standing) -> Standing | None:
        if not self._policy.allowed & {stands.told, stands.sha256}:
            return None
        reason = "its digest is on the allow-list"
        return replace(stands, place=Place.SERVED, basis=Basis.ALLOW_LIST, outcome=Outcome.ALLOW, reason=reason)

    def _reviewed(self, stands: Standing, decision: Decision | None) -> Standing | None:
        if decision is None or decision.basis not in (Basis.REVIEW, Basis.DIGEST_CHANGED):
            return None
        since = self._known.since.get(stands.version)
        if decision.outcome is Outcome.ALLOW and since is not None and since > decision.decided_at:
            return None  # whoever allowed it could not know what has been said of it since: they are asked again
        return _decided(stands, decision)

    def _judged(self, stands: Standing, decision: Decision | None, published: datetime | None) -> Standing:
        policy, advised = self._policy, self._known.advised
        if self.changed(stands.filename, stands.told):
            first, now = _short(self._first[stands.filename]), _short(stands.told)
            reason = f"the index tells another digest ({now}) than when it was first seen ({first})"
            return replace(stands, basis=Basis.DIGEST_CHANGED, outcome=Outcome.BLOCK, reason=reason)
        if not stands.told:
            return replace(stands, basis=Basis.NO_DIGEST, reason="the index tells no digest of it")
        if advised is None and policy.on(Disruption.FEED_STALE) is not Outcome.ALLOW:
            reason = "the advisories that it must be compared with are missing or too old"
            return replace(stands, basis=Basis.FEED_STALE, reason=reason)
        if stands.version in (advised or {}):
            outcome = Outcome.HOLD if stands.version in self._known.held else Outcome.BLOCK
            return replace(stands, basis=Basis.ADVISORY, outcome=outcome, reason=(advised or {})[stands.version])
        settled = policy.settled(published, self._now) and self._may_be_admitted(stands)
        if decision is not None and decision.basis is Basis.READ and (decision.for_cause or not settled):
            return self._read(stands, decision, published)
        if settled:
            return self._admitted(stands, decision)
        return replace(stands, place=Place.UNREAD, reason="it has not been read yet")

    def _read(self, stands: Standing, decision: Decision, published: datetime | None) -> Standing:
        policy = self._policy
        if decision.outcome is not Outcome.ALLOW or not policy.cooling(published, self._now):
            return _decided(stands, decision)
        fixed = self._known.fixes.get(stands.version)
        if policy.early_release and decision.complete and decision.clean:
            why = "its reading was complete and found nothing at all"
        elif fixed is not None:
            why = f"it fixes {fixed}"
        else:
            reason = "it is younger than the cooldown, and its reading was not without a finding"
            return replace(stands, basis=Basis.COOLDOWN, reason=reason)
        left = _decided(stands, decision)
        return replace(left, reason=f"{left.reason}; it leaves the cooldown early because {why}")

    def _may_be_admitted(self, stands: Standing) -> bool:
        return stands.filename in self._first and stands.told.partition(":")[0] in _STRONG

    def _admitted(self, stands: Standing, decision: Decision | None) -> Standing:
        """Admit on identity: it rests on age and an unchanged digest, so a reading without an end changes nothing."""
        if decision is not None and decision.basis is Basis.READ and decision.outcome is Outcome.ALLOW:
            return _decided(stands, decision)
        reason = "it is older than the horizon, and its digest is the one first seen"
        if decision is not None and decision.basis is Basis.READ:
            reason += f"; reading it came to no end: {decision.reason}"
        return replace(stands, place=Place.ADMITTED, basis=Basis.IDENTITY, outcome=Outcome.ALLOW, reason=reason)


def _short(told: str) -> str:
    """Return enough of a digest to tell two apart by eye; the whole one is on record with the identity."""
    return f"{told[:24]}..." if len(told) > 27 else told or "none"


def _decided(stands: Standing, decision: Decision) -> Standing:
    place = Place.SERVED if decision.outcome is Outcome.ALLOW else Place.WITHHELD
    return replace(stands, place=place, basis=decision.basis, outcome=decision.outcome, reason=decision.reason)
