"""Whose handiwork is it: sightings weighed against campaigns and intrusion sets. "Unknown" is the default.

Weights are in decibans. What many hands have in common weighs next to nothing, and how many have it is counted in the
knowledge itself. Weak things (techniques, habits, file names) are capped and never name anybody alone. Claims of
vendors are quoted, not merged: they only say which campaigns an intrusion set is thought to be behind.
"""

import math
from collections.abc import Iterable, Mapping
from functools import cached_property

from msgspec import Struct
from msgspec.structs import replace

from lazaretto.core.intel import Campaign, Claim, Confidence, IntrusionSet, Sighting, SightingKind
from lazaretto.core.knowledge import Knowledge
from lazaretto.core.shape import likeness
from lazaretto.core.traits import Trait, key, of_campaign, of_set

MAX_HYPOTHESES = 10
"""Hypotheses that an answer ranks."""

MAX_MISSING = 12
"""Traits of a hypothesis that are listed as not seen."""

ALIKE = 0.5
"""Likeness from which two fingerprints of code are taken for one."""

_TEXT = frozenset({SightingKind.STRING, SightingKind.COMMAND, SightingKind.FILE_PATH, SightingKind.URL})
_WAYS = frozenset({SightingKind.TECHNIQUE, SightingKind.HABIT})
"""Of these it counts how regularly a hand shows them; of a thing that it left behind once is enough."""

_PLACES = (frozenset({SightingKind.HOST, SightingKind.ADDRESS}), frozenset({SightingKind.EMAIL}))


class KindScale(Struct, frozen=True, forbid_unknown_fields=True):
    """What one sighting of a kind weighs at ``most``, and all of them together (``sum``), in decibans.

    ``strong`` says whether the kind may name a hand: ``always``, ``block`` (only what is fit to be blocked), ``never``.
    """

    most: float
    sum: float
    strong: str


class Scale(Struct, frozen=True, forbid_unknown_fields=True):
    """The table by which evidence is weighed; ``status`` says honestly how its figures were come by.

    A hand is named if its evidence reaches ``name_at``, that which is strong reaches ``strong_at``, and no other hand
    of its sort is nearer than ``margin``. ``exclusive`` names habits of which a hand has one value. ``foreign`` is what
    a host that it is not known by counts against a hypothesis: a campaign keeps its hosts, a hand takes new ones.
    """

    version: str
    date: str
    status: str
    name_at: float
    strong_at: float
    margin: float
    contradiction: float
    foreign: Mapping[str, float]
    kinds: Mapping[SightingKind, KindScale]
    exclusive: tuple[str, ...]
    confidence: Mapping[Confidence, float]
    habits: Mapping[str, str]


class Reason(Struct, frozen=True, order=True):
    """One piece of evidence for or against. ``hands`` is how many hands have it, ``campaigns`` where it is known."""

    weight: float
    kind: SightingKind
    sighting: Sighting
    text: str
    hands: int = 0
    campaigns: tuple[str, ...] = ()
    strong: bool = False


class Hypothesis(Struct, frozen=True):
    """One candidate. ``weight`` is what supports it less what contradicts it; ``named`` says whether that is enough.

    ``shared`` is what speaks for it and for so many others that it weighs nothing; ``missing`` what is known of it and
    was not seen, digests left out. ``claims`` say who is behind the campaigns that it is recognised by.
    """

    sort: str
    id: str
    name: str
    weight: float
    named: bool
    supports: tuple[Reason, ...]
    contradicts: tuple[Reason, ...]
    shared: tuple[Reason, ...]
    missing: tuple[str, ...]
    claims: tuple[Claim, ...] = ()


class Attribution(Struct, frozen=True):
    """The answer: ranked hypotheses. Nobody is named unless the evidence is enough."""

    sightings: tuple[Sighting, ...]
    hypotheses: tuple[Hypothesis, ...]
    scale: str

    @property
    def named(self) -> tuple[Hypothesis, ...]:
        """The hypotheses for which the evidence is enough: none, as a rule."""
        return tuple(one for one in self.hypotheses if one.named)


class _Candidate(Struct, frozen=True):
    """A hypothesis before it is weighed: its traits, and in which share of its campaigns each is found."""

    sort: str
    id: str
    name: str
    traits: Mapping[Trait, tuple[str, ...]]
    campaigns: int
    belief: Mapping[str, float]
    claims: Mapping[str, tuple[Claim, ...]]


class Attributor(Struct, frozen=True, dict=True):
    """What is known, ready to be asked many times."""

    knowledge: Knowledge
    scale: Scale

    def attribute(self, sightings: Iterable[Sighting]) -> Attribution:
        """Return ranked hypotheses for what was seen. The order of the sightings does not matter."""
        seen = _Seen(tuple(sorted(set(sightings))))
        weighed = [self._weigh(candidate, seen) for candidate in self._candidates]
        ranked = sorted((one for one in weighed if one.supports), key=lambda one: (-one.weight, one.sort, one.id))
        named = tuple(self._named(one, ranked) for one in ranked)
        named = tuple(sorted(named, key=lambda one: (not one.named, -one.weight, one.sort, one.id)))
        return Attribution(seen.sightings, named[:MAX_HYPOTHESES], self.scale.version)

    @cached_property
    def _candidates(self) -> tuple[_Candidate, ...]:
        found = []
        of_sets: dict[str, list[tuple[Campaign, tuple[Claim, ...]]]] = {}
        for campaign in self.knowledge.campaigns:
            traits = of_campaign(campaign, self.knowledge.of_campaign(campaign.id))
            where = dict.fromkeys(traits, (campaign.id,))
            claims = {campaign.id: campaign.claims}
            found.append(_Candidate("campaign", campaign.id, campaign.name, where, 1, {campaign.id: 1.0}, claims))
            for name, told in self.knowledge.behind(campaign).items():
                of_sets.setdefault(name, []).append((campaign, told))
        found += [self._of_set(one, of_sets.get(one.id, [])) for one in self.knowledge.sets]
        return tuple(found)

    def _of_set(self, told: IntrusionSet, campaigns: list[tuple[Campaign, tuple[Claim, ...]]]) -> _Candidate:
        own = of_set(told)
        best: dict[tuple[SightingKind, str], Trait] = {(trait.kind, trait.value): trait for trait in own}
        where: dict[tuple[SightingKind, str], tuple[str, ...]] = dict.fromkeys(best, (told.id,))
        for campaign, _ in campaigns:
            for trait in of_campaign(campaign, self.knowledge.of_campaign(campaign.id)):
                what = (trait.kind, trait.value)
                best[what] = max(best.get(what, trait), trait, key=self._surest)
                where[what] = (*where.get(what, ()), campaign.id)
        belief = {
            campaign.id: max(self.scale.confidence[claim.confidence] for claim in claims)
            for campaign, claims in campaigns
        }
        belief[told.id] = 1.0
        traits = {trait: where[what] for what, trait in best.items()}
        claims = {campaign.id: some for campaign, some in campaigns}
        return _Candidate("intrusion-set", told.id, told.name, traits, len(campaigns) + bool(own), belief, claims)

    def _surest(self, trait: Trait) -> tuple[bool, float]:
        return trait.telling, self.scale.confidence[trait.confidence]

    @cached_property
    def _hands(self) -> Mapping[tuple[SightingKind, str], int]:
        """How many hands have each trait: an intrusion set is one, and so is a campaign that nobody claims."""
        hands: dict[tuple[SightingKind, str], set[str]] = {}
        for campaign in self.knowledge.campaigns:
            owners = set(self.knowledge.behind(campaign)) or {campaign.id}
            for trait in of_campaign(campaign, self.knowledge.of_campaign(campaign.id)):
                hands.setdefault((trait.kind, trait.value), set()).update(owners)
        for one in self.knowledge.sets:
            for trait in of_set(one):
                hands.setdefault((trait.kind, trait.value), set()).add(one.id)
        return {trait: len(owners) for trait, owners in hands.items()}

    @cached_property
    def _all_hands(self) -> int:
        claimed = [self.knowledge.behind(campaign) for campaign in self.knowledge.campaigns]
        return max(2, len(self.knowledge.sets) + sum(not owners for owners in claimed))

    def hands(self, kind: SightingKind, value: str) -> tuple[int, int]:
        """Return how many hands are known to have a trait, and how many hands are known."""
        return self._hands.get((kind, value), 0), self._all_hands

    def spread(self, kind: SightingKind, value: str) -> float:
        """Return what is left of a trait's weight for one of the hands that have it: 1 if it is one hand's own.

        Once several have it, somebody has copied it, and whoever comes next may have too: it falls with the square of
        their number, and to nothing where all have it.
        """
        hands = self._hands.get((kind, value), 1)
        return min(1.0 / hands**2, math.log(max(1.0, self._all_hands / hands)) / math.log(self._all_hands))

    def _weigh(self, candidate: _Candidate, seen: "_Seen") -> Hypothesis:
        supports: list[Reason] = []
        shared: list[Reason] = []
        matched: set[Trait] = set()
        for trait, campaigns in candidate.traits.items():
            sighting = seen.match(trait)
            if sighting is None:
                continue
            matched.add(trait)
            reason = self._reason(candidate, trait, sighting, campaigns)
            (supports if reason.weight >= 0.5 else shared).append(reason)
        supports = self._capped(supports)
        contradicts = self._contradictions(candidate, seen, matched)
        total = sum(one.weight for one in supports) + sum(one.weight for one in contradicts)
        missing = sorted(
            f"{trait.kind.value} {trait.value}"
            for trait in candidate.traits
            if trait not in matched and trait.telling and trait.kind is not SightingKind.DIGEST
        )
        known_from = {name for one in supports for name in one.campaigns}
        return Hypothesis(
            sort=candidate.sort,
            id=candidate.id,
            name=candidate.name,
            weight=round(total, 1),
            named=False,
            supports=tuple(supports),
            contradicts=tuple(contradicts),
            shared=tuple(sorted(shared, key=_heaviest)),
            missing=tuple(missing[:MAX_MISSING]),
            claims=tuple(claim for name, some in candidate.claims.items() if name in known_from for claim in some),
        )

    def _reason(self, candidate: _Candidate, trait: Trait, sighting: Sighting, campaigns: tuple[str, ...]) -> Reason:
        row = self.scale.kinds[trait.kind]
        strong = row.strong == "always" or (row.strong == "block" and trait.telling)
        hands = self._hands.get((trait.kind, trait.value), 1)
        belief = max(candidate.belief[name] for name in campaigns)
        share = len(campaigns) / candidate.campaigns if trait.kind in _WAYS else 1.0
        sure = self.scale.confidence[trait.confidence] * belief
        weight = row.most * self.spread(trait.kind, trait.value) * share * sure
        if trait.kind is SightingKind.SHAPE:
            weight *= likeness(sighting.value, trait.value)
        text = f"{trait.kind.value} {sighting.value}"
        return Reason(round(weight, 1), trait.kind, sighting, text, hands, campaigns, strong)

    def _capped(self, reasons: list[Reason]) -> list[Reason]:
        """Return the reasons, heaviest first, each kind cut to what it may weigh together."""
        left = {kind: row.sum for kind, row in self.scale.kinds.items()}
        kept = []
        for one in sorted(reasons, key=_heaviest):
            weight = round(min(one.weight, left[one.kind]), 1)
            left[one.kind] -= weight
            kept.append(replace(one, weight=weight))
        return kept

    def _contradictions(self, candidate: _Candidate, seen: "_Seen", matched: set[Trait]) -> list[Reason]:
        """Return what does not fit: another value of a habit that a hand has once, another host than the known ones."""
        found = []
        for name in self.scale.exclusive:
            known = {trait.value for trait in candidate.traits if trait.value.startswith(f"{name}=")}
            others = seen.habits(name)
            if known and others and not known & others.keys():
                text = f"{', '.join(sorted(others))} where it had {', '.join(sorted(known))}"
                found.append(Reason(-self.scale.contradiction, SightingKind.HABIT, others[min(others)], text))
        for kinds in _PLACES:
            own = {trait for trait in candidate.traits if trait.kind in kinds and trait.telling}
            foreign = [one for one in seen.sightings if one.kind in kinds]
            if own and foreign and not own & matched:
                text = f"{foreign[0].value}, and none of its {len(own)} known ones"
                found.append(Reason(-self.scale.foreign[candidate.sort], foreign[0].kind, foreign[0], text))
        return found

    def _named(self, one: Hypothesis, ranked: list[Hypothesis]) -> Hypothesis:
        strong = sum(reason.weight for reason in one.supports if reason.strong)
        rivals = [other.weight for other in ranked if other.sort == one.sort and other.id != one.id]
        enough = one.weight >= self.scale.name_at and strong >= self.scale.strong_at
        return replace(one, named=enough and one.weight - max(rivals, default=0.0) >= self.scale.margin)


class _Seen(Struct, frozen=True, dict=True):
    """Sightings, ready to be looked up."""

    sightings: tuple[Sighting, ...]

    def match(self, trait: Trait) -> Sighting | None:
        """Return the first sighting that shows a trait."""
        if trait.kind is SightingKind.SHAPE:
            return next((one for one in self._shapes if likeness(one.value, trait.value) >= ALIKE), None)
        exact = self._exact.get((trait.kind, trait.value))
        if exact is not None or trait.kind is not SightingKind.STRING or trait.value not in self._haystack:
            return exact
        return next((one for one in self._texts if trait.value in one.value.casefold()), None)

    def habits(self, name: str) -> Mapping[str, Sighting]:
        """Return the values of a habit that were seen, written ``name=value``."""
        return {
            one.value: one
            for one in self.sightings
            if one.kind is SightingKind.HABIT and one.value.startswith(f"{name}=")
        }

    @cached_property
    def _exact(self) -> Mapping[tuple[SightingKind, str], Sighting]:
        found: dict[tuple[SightingKind, str], Sighting] = {}
        for one in self.sightings:
            found.setdefault((one.kind, key(one.kind, one.value)), one)
        return found

    @cached_property
    def _texts(self) -> tuple[Sighting, ...]:
        return tuple(one for one in self.sightings if one.kind in _TEXT)

    @cached_property
    def _haystack(self) -> str:
        return "\n".join(one.value for one in self._texts).casefold()

    @cached_property
    def _shapes(self) -> tuple[Sighting, ...]:
        return tuple(one for one in self.sightings if one.kind is SightingKind.SHAPE)


def _heaviest(reason: Reason) -> tuple[float, Sighting, str]:
    return (-reason.weight, reason.sighting, reason.text)
