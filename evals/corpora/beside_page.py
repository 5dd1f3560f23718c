"""The section of the report that holds the other's answers and costs beside ours, on the same releases."""

from collections.abc import Callable, Sequence

from evals.corpora import figures
from evals.corpora.beside import AT, Beside
from evals.corpora.figures import HOLD_AT, Case, Rate
from evals.corpora.items import Label


def beside(found: Sequence[Case], compared: Sequence[Beside]) -> str:
    """Return the section; nothing if nothing was compared."""
    labels = {case.item.key: case.item.label for case in found}
    lines = [
        f"\n## guarddog 3.2.0 beside (score {AT:g} and more)\n",
        "| side | releases | ours holds | guarddog refuses | guarddog gave no answer |",
        "| --- | --- | --- | --- | --- |",
    ]
    for label in Label:
        here = [one for one in compared if labels.get(one.key) is label]
        silent = sum(one.score < 0 for one in here)
        lines.append(f"| {label} | {len(here)} | {_rate(here, _held)} | {_rate(here, _refused)} | {silent} |")
    lines += ["\n| what, whole processes | ours p50, p95, max | guarddog p50, p95, max | ratio of medians |"]
    lines += ["| --- | --- | --- | --- |"]
    figure: Callable[[Beside], tuple[float, float]]
    for title, figure in (
        ("processor time, s", lambda one: one.cpu),
        ("time of the wall, s", lambda one: one.wall),
        ("time of the wall, ours without starting, s", lambda one: (one.reading, one.wall[1])),
        ("time of the wall, ours in a process that runs already, s", lambda one: (one.again, one.wall[1])),
        ("memory of the largest process, MiB", lambda one: one.peak),
    ):
        ours, theirs = (figures.quantiles([figure(one)[side] for one in compared]) for side in (0, 1))
        lines.append(f"| {title} | {_three(ours)} | {_three(theirs)} | {ours[0] / (theirs[0] or 1):.2f} |")
    return "\n".join(lines) + "\n" if compared else ""


def _held(one: Beside) -> bool:
    return one.charge >= HOLD_AT or one.open or one.verdict == "refused"


def _refused(one: Beside) -> bool:
    return one.score >= AT


def _rate(here: Sequence[Beside], test: Callable[[Beside], bool]) -> Rate:
    return Rate(sum(map(test, here)), len(here))


def _three(values: tuple[float, float, float]) -> str:
    return ", ".join(f"{value:.2f}" for value in values)
