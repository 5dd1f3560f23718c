"""What the weights of first contact would be if they were counted, and what that would change: a proposal."""

from collections.abc import Callable, Mapping, Sequence

from evals.corpora import calibrate, figures
from evals.corpora.calibrate import Fit
from evals.corpora.figures import HOLD_AT, Case
from lazaretto.core.weight import WeightTable

LEAST = 30
"""Cases on each side without which nothing is proposed."""

_SHARES = (0.0, 0.01, 0.03)
_ACROSS = (
    "\nEach cluster judged with weights from the other {rest} of {folds} parts, by charges alone; the share that is "
    "caught where so many benign first contacts are held:\n"
)


def proposal(malicious: Sequence[Case], newest: Sequence[Case], table: WeightTable) -> str:
    """Return the section of the report; empty if too little was judged."""
    if min(len(malicious), len(newest)) < LEAST:
        return ""
    groups = {name: row.group for name, row in table.weights.items()}
    shipped = {name: row.weight for name, row in table.weights.items()}
    lines = [
        "## Weights by counting\n",
        f"Smoothed by half a case on each side, from 0 to {calibrate.MAX_WEIGHT:g} dB. Proposed; none is shipped.\n",
        "| row | shipped, dB | counted, dB | malicious clusters | benign first contacts |",
        "| --- | --- | --- | --- | --- |",
    ]
    for row in calibrate.proposed(malicious, newest):
        if row.name in shipped:
            counts = f"{row.malicious.hits:g} of {row.malicious.total} | {row.benign.hits:g} of {row.benign.total}"
            lines.append(f"| {row.name} | {shipped[row.name]:g} | {row.weight:g} | {counts} |")
    fits: Mapping[str, Fit] = {
        "the shipped table": lambda *_: lambda case: case.judged.charge,
        "counted": calibrate.by_counting(groups, table.caps),
        "logistic": calibrate.by_logistic,
    }
    heads = [f"{100 * share:g} % held" for share in _SHARES]
    lines += [
        _ACROSS.format(rest=calibrate.FOLDS - 1, folds=calibrate.FOLDS),
        f"| weights | {' | '.join(heads)} | at {HOLD_AT:g} dB | of them benign |",
        f"|{' --- |' * (len(_SHARES) + 3)}",
    ]
    for name, fit in fits.items():
        bad, good = calibrate.across(malicious, newest, fit)
        lines.append(f"| {name} | {_line(bad, good)} |")
    later = _newest_quarter(malicious)
    if later:
        lines += [f"\nThe same on {len(later)} clusters of the newest quarter, fitted to all before it:\n"]
        lines += ["| weights | caught at the threshold |", "| --- | --- |"]
        seen = {case.cluster for case in later}
        before = [case for case in malicious if case.cluster not in seen]
        for name, fit in fits.items():
            scorer = fit(before, newest)
            lines.append(f"| {name} | {figures.per_cluster(later, _at_least(scorer))} |")
    return "\n".join(lines) + "\n"


def _line(bad: Mapping[str, float], good: Mapping[str, float]) -> str:
    caught = [calibrate.recall_at(bad, good, share)[1] for share in _SHARES]
    at = sum(score >= HOLD_AT for score in bad.values()) / len(bad)
    alarms = sum(score >= HOLD_AT for score in good.values()) / len(good)
    return " | ".join(f"{100 * share:.1f} %" for share in (*caught, at, alarms))


def _newest_quarter(malicious: Sequence[Case]) -> list[Case]:
    quarters = {figures.quarter(case.item.since) for case in malicious if case.item.since}
    newest = max(quarters, default="")
    return [case for case in malicious if case.item.since and figures.quarter(case.item.since) == newest]


def _at_least(scorer: Callable[[Case], float]) -> figures.Test:
    return lambda case: scorer(case) >= HOLD_AT
