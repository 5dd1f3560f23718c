"""Detections of one's own that seem to be one hand's work, although nobody has named it yet.

Two releases are linked where what they share, and few others have, weighs enough. Each sort of evidence is capped:
a host that many programs name links nothing without something else beside it.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from hashlib import sha256
from itertools import combinations

from msgspec import Struct

from lazaretto.core.attribution import Attribution, Attributor
from lazaretto.core.intel import Sighting, SightingKind
from lazaretto.core.traits import key

MAX_DETECTIONS = 2000
"""Detections that are compared with each other, the latest."""

MAX_HOLDERS = 100
"""Detections that may share a thing before it is taken for everybody's."""

LINK_AT = 25.0
"""Decibans from which two detections are taken for one hand's."""

_NETWORK = frozenset({SightingKind.HOST, SightingKind.ADDRESS, SightingKind.URL, SightingKind.URI_PATH})
_MOST_NETWORK = 20.0

_Thing = tuple[SightingKind, str]


class Detection(Struct, frozen=True):
    """A release that was held or blocked, by its package URL, and what was seen in it."""

    subject: str
    sightings: tuple[Sighting, ...]


class Shared(Struct, frozen=True):
    """Something that several detections have in common, and what it weighs."""

    weight: float
    kind: SightingKind
    value: str
    subjects: tuple[str, ...]


class Cluster(Struct, frozen=True):
    """Detections that hang together. ``id`` is made from their names, ``attribution`` from all that they show."""

    id: str
    subjects: tuple[str, ...]
    shared: tuple[Shared, ...]
    attribution: Attribution


def clusters(detections: Iterable[Detection], attributor: Attributor) -> tuple[Cluster, ...]:
    """Return groups of two or more detections, the largest first. The order of the detections does not matter."""
    by_subject = {one.subject: one for one in list(detections)[:MAX_DETECTIONS]}
    holders = _holders(by_subject.values())
    weights = {thing: _weight(thing, len(who), len(by_subject), attributor) for thing, who in holders.items()}
    links = _links(holders, weights, attributor)
    found = []
    for subjects in _joined(by_subject, links):
        shared = tuple(
            Shared(round(weights[thing], 1), *thing, tuple(sorted(who & subjects)))
            for thing, who in holders.items()
            if len(who & subjects) > 1 and weights[thing] >= 0.5
        )
        seen = [sighting for subject in subjects for sighting in by_subject[subject].sightings]
        names = tuple(sorted(subjects))
        ordered = tuple(sorted(shared, key=lambda one: (-one.weight, one.kind, one.value)))
        found.append(Cluster(_identifier(names), names, ordered, attributor.attribute(seen)))
    return tuple(sorted(found, key=lambda one: (-len(one.subjects), one.subjects)))


def _holders(detections: Iterable[Detection]) -> dict[_Thing, set[str]]:
    """Return each thing that several detections have -> which."""
    holders: dict[_Thing, set[str]] = defaultdict(set)
    for one in detections:
        for sighting in one.sightings:
            if sighting.kind is SightingKind.STRING and _common(sighting):
                continue
            holders[sighting.kind, key(sighting.kind, sighting.value)].add(one.subject)
    return {thing: who for thing, who in holders.items() if 1 < len(who) <= MAX_HOLDERS}


def _common(sighting: Sighting) -> bool:
    """Whether a string is likely everybody's: it stands open, or is a word such as the name of a module."""
    return sighting.via == "plain" or sighting.value.replace("-", "").replace("_", "").isalpha()


def _weight(thing: _Thing, have: int, detections: int, attributor: Attributor) -> float:
    """Return what a thing weighs that so many of the detections have: the less, the more common it is anywhere."""
    hands, all_hands = attributor.hands(*thing)
    rare = math.log((detections + all_hands) / (have + hands)) / math.log(detections + all_hands)
    return attributor.scale.kinds[thing[0]].most * max(0.0, rare)


def _links(
    holders: Mapping[_Thing, set[str]], weights: Mapping[_Thing, float], attributor: Attributor
) -> list[tuple[str, str]]:
    """Return the pairs of detections that share enough, of which something is more than a way of working."""
    kinds = attributor.scale.kinds
    sums: dict[tuple[str, str], dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for thing, who in holders.items():
        group = "network" if thing[0] in _NETWORK else thing[0].value
        most = _MOST_NETWORK if thing[0] in _NETWORK else kinds[thing[0]].sum
        for pair in combinations(sorted(who), 2):
            sums[pair][group] = min(most, sums[pair][group] + weights[thing])
    strong = {kind.value for kind, row in kinds.items() if row.strong != "never"} | {"network"}
    return [
        pair
        for pair, groups in sums.items()
        if sum(groups.values()) >= LINK_AT and strong & {group for group, weight in groups.items() if weight > 1.0}
    ]


def _joined(subjects: Iterable[str], links: Iterable[tuple[str, str]]) -> list[set[str]]:
    """Return what hangs together through any number of links."""
    group = {subject: {subject} for subject in subjects}
    for one, other in links:
        if group[one] is not group[other]:
            whole = group[one] | group[other]
            for subject in whole:
                group[subject] = whole
    distinct = {id(found): found for found in group.values()}
    return [found for found in distinct.values() if len(found) > 1]


def _identifier(subjects: Iterable[str]) -> str:
    return "cluster-" + sha256("\n".join(subjects).encode("utf-8", "surrogatepass")).hexdigest()[:10]
