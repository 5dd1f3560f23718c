"""Counts, rates and their intervals: pure functions of what was judged."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise

from msgspec import Struct

from evals.corpora.items import RECORDED_DAY, Item, Label
from evals.corpora.judge import Judged, Surveyed

HOLD_AT, BLOCK_AT = 20.0, 40.0
"""The shipped thresholds, in decibans."""

BASE_RATES = (1e-5, 1e-4, 1e-3)
"""How many of all releases are tampered: nobody knows, so precision is given for several."""

_Z = 1.96


class Rate(Struct, frozen=True):
    """A share with its 95 % interval (Wilson). ``hits`` may be a sum of shares, as it is for clusters."""

    hits: float
    total: int

    @property
    def share(self) -> float:
        """The share itself; nothing of nothing is 0."""
        return self.hits / self.total if self.total else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """The bounds between which the true share lies, 19 times of 20."""
        if not self.total:
            return 0.0, 1.0
        n, p, z2 = self.total, self.share, _Z * _Z
        middle = (p + z2 / (2 * n)) / (1 + z2 / n)
        width = _Z * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
        return max(0.0, middle - width), min(1.0, middle + width)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{100 * self.share:.2f} % ({100 * low:.2f} to {100 * high:.2f}; {self.hits:g} of {self.total})"


class Case(Struct, frozen=True):
    """An item with what was said of it; ``cluster`` is its own key if it has none, ``members`` how many share it."""

    item: Item
    judged: Judged
    cluster: str
    members: int
    trimmed: bool = False

    def held(self, threshold: float = HOLD_AT) -> bool:
        """Whether a gate with this threshold keeps it out: charged, not understood, or not to be unpacked."""
        return self.judged.charge >= threshold or self.uncertain

    @property
    def uncertain(self) -> bool:
        """Whether it is kept out whatever it is charged with."""
        return self.judged.verdict == "refused" or bool(self.judged.open)


def cases(
    items: Iterable[Item], surveyed: Mapping[str, Surveyed], judged: Iterable[Judged]
) -> tuple[list[Case], dict[str, int]]:
    """Return what was judged, and how many items of each corpus could not be (they were not there, or broken)."""
    said = {one.key: one for one in judged}
    items = list(items)
    sizes: dict[tuple[str, str], int] = defaultdict(int)
    for item in items:
        sizes[item.corpus, _cluster(item, surveyed)] += 1
    found, unusable = [], defaultdict[str, int](int)
    for item in items:
        one = said.get(item.key)
        if one is None:
            continue
        if one.verdict == "unusable":
            unusable[item.corpus] += 1
            continue
        known = surveyed.get(item.key)
        name = _cluster(item, surveyed)
        found.append(Case(item, one, name, sizes[item.corpus, name], known is not None and not known.manifest))
    return found, dict(unusable)


def _cluster(item: Item, surveyed: Mapping[str, Surveyed]) -> str:
    known = surveyed.get(item.key)
    return known.cluster if known is not None and known.cluster else item.key


Test = Callable[[Case], bool]


def per_cluster(found: Iterable[Case], test: Test) -> Rate:
    """Return the share of clusters for which the test holds; one whose members differ counts for its share."""
    groups: dict[str, list[bool]] = defaultdict(list)
    for case in found:
        groups[case.cluster].append(test(case))
    return Rate(round(sum(sum(results) / len(results) for results in groups.values()), 6), len(groups))


def per_package(found: Iterable[Case], test: Test) -> Rate:
    """Return the share of packages: each cluster counts for all its members, of which some were judged."""
    groups: dict[tuple[str, str], list[Case]] = defaultdict(list)
    for case in found:
        groups[case.item.corpus, case.cluster].append(case)
    hits = sum(group[0].members * sum(map(test, group)) / len(group) for group in groups.values())
    return Rate(round(hits, 3), sum(group[0].members for group in groups.values()))


def each(found: Iterable[Case], test: Test) -> Rate:
    """Return the share of what was judged, clones and all."""
    results = [test(case) for case in found]
    return Rate(sum(results), len(results))


def by(found: Iterable[Case], key: Callable[[Case], str]) -> dict[str, list[Case]]:
    """Return the cases by a key, in its order."""
    groups: dict[str, list[Case]] = defaultdict(list)
    for case in found:
        groups[key(case)].append(case)
    return dict(sorted(groups.items()))


def quarter(month: str) -> str:
    """Return the quarter of a month (``2024-05``)."""
    return f"{month[:4]} Q{(int(month[5:7]) + 2) // 3}" if len(month) >= 7 else "undated"


def quantiles(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the median, the 95th percentile and the largest."""
    if not values:
        return 0.0, 0.0, 0.0
    ordered = sorted(values)
    return ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))], ordered[-1]


def firing(found: Sequence[Case]) -> dict[str, Rate]:
    """Return how often each row of the weight table fires, by cluster."""
    rows = sorted({row for case in found for row in case.judged.rows})
    return {row: per_cluster(found, lambda case, row=row: row in case.judged.rows) for row in rows}  # type: ignore[misc]


def doing(found: Sequence[Case]) -> dict[str, Rate]:
    """Return how often each act is seen, by cluster."""
    acts = sorted({act for case in found for act in case.judged.acts})
    return {act: per_cluster(found, lambda case, act=act: act in case.judged.acts) for act in acts}  # type: ignore[misc]


def evidence(malicious: Rate, benign: Rate) -> float:
    """Return the measured weight of evidence in decibans, each side smoothed by half a case (Jeffreys)."""
    bad = (malicious.hits + 0.5) / (malicious.total + 1)
    good = (benign.hits + 0.5) / (benign.total + 1)
    return 10 * math.log10(bad / good)


def precision(recall: float, false_alarms: float, base: float) -> float:
    """Return which share of what is held is tampered, where ``base`` of all releases are."""
    held = recall * base + false_alarms * (1 - base)
    return recall * base / held if held else 0.0


BINS = (0.0, 0.1, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0, 1000.0)
"""Bounds of the charges that are looked at together, in decibans."""


def curve(malicious: Sequence[Case], benign: Sequence[Case]) -> list[tuple[float, float, Rate, Rate, float]]:
    """Return for each bin of charges: its bounds, both sides' rates, and the decibans that it is really worth."""
    lines = []
    for low, high in pairwise(BINS):
        inside: Test = lambda case, low=low, high=high: low <= case.judged.charge < high  # type: ignore[misc] # noqa: E731
        bad, good = per_cluster(malicious, inside), each(benign, inside)
        lines.append((low, high, bad, good, evidence(bad, good)))
    return lines


def sides(found: Iterable[Case]) -> tuple[list[Case], list[Case], list[Case]]:
    """Return what is malicious and whole, benign updates, and benign first contacts; pieces are none of them."""
    found = [case for case in found if case.item.corpus != RECORDED_DAY]
    malicious = [case for case in found if case.item.label is Label.MALICIOUS and not case.trimmed]
    benign = [case for case in found if case.item.label is Label.BENIGN]
    updates = [case for case in benign if case.item.before is not None]
    return malicious, updates, [case for case in benign if case.item.before is None]
