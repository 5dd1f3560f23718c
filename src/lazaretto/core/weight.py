"""Weights of evidence in decibans (I. J. Good, A. Turing): 10·log10 P(finding | tampered) / P(finding | benign).

One table, versioned, holds every figure; detectors hold none. A weight is never below zero: innocence
is shown by complete records, not earned as credit. Findings of one correlated group are capped together.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct, field

from lazaretto.core.finding import Finding


class Weight(Struct, frozen=True):
    """One row: ``weight`` in decibans, the correlated ``group``, and the counts it was measured on."""

    weight: float
    group: str
    counts: Mapping[str, int] | None = None


class WeightTable(Struct, frozen=True):
    """The shipped table. ``status`` says honestly how the figures were come by."""

    version: str
    date: str
    status: str
    weights: Mapping[str, Weight]
    caps: Mapping[str, float] = field(default_factory=dict)
    sources: tuple[str, ...] = ()

    def row(self, finding: Finding) -> Weight:
        """Return the row of a finding.

        Raises:
            KeyError: the table has no such row; a contract test keeps table and cards equal.
        """
        return self.weights[row_key(finding.detector, finding.variant)]


class Charge(Struct, frozen=True):
    """What the findings of one release weigh together; ``groups`` is after the caps, in name order."""

    total: float
    groups: Mapping[str, float]


def row_key(detector: str, variant: str) -> str:
    """Return the key of a row of the table."""
    return f"{detector}/{variant}"


def weigh(findings: Iterable[Finding], table: WeightTable) -> Charge:
    """Add up the findings of one release: each row once, each group up to its cap.

    Adding a finding never lowers the total.

    Raises:
        KeyError: see ``WeightTable.row``.
        ValueError: a row of the table is negative.
    """
    rows = {row_key(finding.detector, finding.variant): table.row(finding) for finding in findings}
    groups: dict[str, float] = {}
    for key in sorted(rows):
        row = rows[key]
        if row.weight < 0:
            raise ValueError(f"weight table {table.version}: {key} is negative")
        groups[row.group] = groups.get(row.group, 0.0) + row.weight
    capped = {name: min(total, table.caps.get(name, total)) for name, total in sorted(groups.items())}
    return Charge(total=round(sum(capped.values(), 0.0), 3), groups=capped)
