"""Weights of evidence from counts, and a logistic model beside them. Nothing here changes the shipped table.

For each row of the weight table that fires at first contact: how often among clusters of malicious releases, how often
among benign ones; ten times the logarithm of the ratio, smoothed by half a case on each side, never below zero, and
never above what the smaller side can bear out. A logistic model over the same rows, with coefficients that may not be
negative, is fitted beside it: what it catches more at the same false holds is the price of a table that one can read.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256

from msgspec import Struct

from evals.corpora import figures
from evals.corpora.figures import HOLD_AT, Case, Rate

FOLDS = 5
"""Parts that clusters are dealt into; each is judged with weights that the others gave."""

MAX_WEIGHT = 24.0
"""Greatest weight of one row: no corpus of a few hundred releases can bear out more."""

_ROUNDS = 400
_STEP = 0.5
_SHRINK = 1e-3


class Row(Struct, frozen=True):
    """A row with what it was counted on."""

    name: str
    weight: float
    malicious: Rate
    benign: Rate


class Model(Struct, frozen=True):
    """A logistic model without negative coefficients: natural units."""

    intercept: float
    coefficients: Mapping[str, float]

    def score(self, rows: Iterable[str]) -> float:
        """Return the logarithm of the odds."""
        return self.intercept + sum(self.coefficients.get(row, 0.0) for row in rows)


Table = Mapping[str, float]


def proposed(malicious: Sequence[Case], benign: Sequence[Case]) -> list[Row]:
    """Return a row for each that fires, in order of its name. A benign release counts once, whatever is like it."""
    bad, good = figures.firing(malicious), figures.firing(benign)
    nothing = Rate(0, len({case.cluster for case in malicious}))
    none = Rate(0, len({case.cluster for case in benign}))
    rows = []
    for name in sorted(bad.keys() | good.keys()):
        hits, alarms = bad.get(name, nothing), good.get(name, none)
        weight = min(MAX_WEIGHT, max(0.0, figures.evidence(hits, alarms)))
        rows.append(Row(name, round(weight * 2) / 2, hits, alarms))
    return rows


def charge(case: Case, table: Table, groups: Mapping[str, str], caps: Mapping[str, float]) -> float:
    """Return what a release would be charged with by another table."""
    totals: dict[str, float] = {}
    for row in case.judged.rows:
        group = groups.get(row, row)
        totals[group] = totals.get(group, 0.0) + table.get(row, 0.0)
    return sum(min(total, caps.get(group, total)) for group, total in totals.items())


def fold(case: Case) -> int:
    """Return the part that a cluster belongs to, the same one each time."""
    return int(sha256(case.cluster.encode()).hexdigest()[:8], 16) % FOLDS


def across(
    malicious: Sequence[Case],
    benign: Sequence[Case],
    fit: Callable[[Sequence[Case], Sequence[Case]], Callable[[Case], float]],
) -> tuple[dict[str, float], dict[str, float]]:
    """Return the score of every case by its key, each from a fit that never saw its cluster."""
    bad: dict[str, float] = {}
    good: dict[str, float] = {}
    for part in range(FOLDS):
        scorer = fit(
            [case for case in malicious if fold(case) != part], [case for case in benign if fold(case) != part]
        )
        bad |= {case.item.key: scorer(case) for case in malicious if fold(case) == part}
        good |= {case.item.key: scorer(case) for case in benign if fold(case) == part}
    return bad, good


def by_counting(groups: Mapping[str, str], caps: Mapping[str, float]) -> "Fit":
    """Return what fits a table."""

    def fit(malicious: Sequence[Case], benign: Sequence[Case]) -> Callable[[Case], float]:
        table = {row.name: row.weight for row in proposed(malicious, benign)}
        return lambda case: charge(case, table, groups, caps)

    return fit


def by_logistic(malicious: Sequence[Case], benign: Sequence[Case]) -> Callable[[Case], float]:
    """Return the scorer of a logistic model, in decibans above the threshold of even odds."""
    model = logistic(malicious, benign)
    return lambda case: HOLD_AT + 10 / math.log(10) * model.score(case.judged.rows)


Fit = Callable[[Sequence[Case], Sequence[Case]], Callable[[Case], float]]


def logistic(malicious: Sequence[Case], benign: Sequence[Case]) -> Model:
    """Fit by projected gradients: both sides weigh the same, however many there are."""
    sides = [
        (case.judged.rows, label, 1.0 / len(cases))
        for label, cases in ((1.0, malicious), (0.0, benign))
        for case in cases
    ]
    coefficients = dict.fromkeys({row for rows, _, _ in sides for row in rows}, 0.0)
    intercept = 0.0
    for _ in range(_ROUNDS):
        slope = dict.fromkeys(coefficients, 0.0)
        shift = 0.0
        for rows, label, share in sides:
            at = intercept + sum(coefficients[row] for row in rows)
            error = share * (label - 1 / (1 + math.exp(-max(-40.0, min(40.0, at)))))
            shift += error
            for row in rows:
                slope[row] += error
        intercept += _STEP * 4 * shift
        for row, gradient in slope.items():
            moved = coefficients[row] + _STEP * 20 * (gradient - _SHRINK * coefficients[row])
            coefficients[row] = max(0.0, moved)
    return Model(intercept, coefficients)


def recall_at(scores: Mapping[str, float], alarms: Mapping[str, float], share: float) -> tuple[float, float]:
    """Return the least threshold that holds at most this share of benign releases, and what it catches."""
    ordered = sorted(alarms.values(), reverse=True)
    allowed = int(share * len(ordered))
    threshold = (ordered[allowed] if allowed < len(ordered) else 0.0) + 1e-6
    return threshold, sum(score >= threshold for score in scores.values()) / max(1, len(scores))
