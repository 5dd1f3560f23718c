"""The figures as Markdown. No name of a sample stands in it: of what is malicious only counts are told."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from evals.corpora import figures
from evals.corpora.beside import Beside
from evals.corpora.beside_page import beside
from evals.corpora.development import DEVELOPMENT, HELD_OUT
from evals.corpora.disputed import is_disputed
from evals.corpora.figures import BLOCK_AT, HOLD_AT, Case, Rate
from evals.corpora.items import RECORDED_DAY, Form, Item, Label
from evals.corpora.judge import Judged, Surveyed
from evals.corpora.proposal import proposal
from lazaretto.core.weight import WeightTable

_HEAD = (
    "# What was caught, and what was left in peace\n\nRules {version}. Judged without an index: no publisher, no "
    "time, no advisory, no cooldown, and dependencies are not followed. Intervals are Wilson's, 95 %.\n"
)
_MANIFESTS = ("package.json", "PKG-INFO", "METADATA", "setup.py", "pyproject.toml")


def write(
    out: Path,
    version: str,
    items: Sequence[Item],
    surveyed: Mapping[str, Surveyed],
    judged: Iterable[Judged],
    absent: Sequence[str],
    weights: WeightTable,
    compared: Sequence[Beside] = (),
) -> None:
    """Write ``report.md`` and ``report.html``, and print where they are."""
    from evals.corpora.page import page

    found, unusable = figures.cases(items, surveyed, judged)
    text = markdown(version, items, found, unusable, absent)
    malicious, _, newest = figures.sides(found)
    text += beside(found, compared)
    text += "\n" + proposal(malicious, [case for case in newest if case.item.corpus == "newest"], weights)
    (out / "report.md").write_text(text)
    (out / "report.html").write_text(page(text, found))
    print(out / "report.md")
    print(out / "report.html")


def markdown(
    version: str, items: Sequence[Item], found: Sequence[Case], unusable: Mapping[str, int], absent: Sequence[str]
) -> str:
    """Return the report."""
    malicious, updates, newest = figures.sides(found)
    newest = [case for case in newest if case.item.corpus == "newest"]
    parts = [
        _HEAD.format(version=version),
        _corpora(items, found, unusable, absent),
        _recall(found),
        _quarters(malicious),
        _benign(updates, newest),
        _confusion(found),
        _sweep(malicious, updates, newest),
        _calibration(malicious, updates, newest),
        _rows(malicious, updates, newest),
        _acts(malicious, newest),
        _times(found),
        _explained(updates, "Updates that are held") + _explained(newest, "First contacts that are held"),
        _day([case for case in found if case.item.corpus == RECORDED_DAY]),
    ]
    return "\n".join(part for part in parts if part)


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    lines += [f"| {' | '.join(str(cell).replace('|', '¦') for cell in row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def _corpora(items: Sequence[Item], found: Sequence[Case], unusable: Mapping[str, int], absent: Sequence[str]) -> str:
    commits = {repository.short: f"{repository.name} @ {repository.commit[:12]}" for repository in DEVELOPMENT}
    offered: dict[tuple[str, str], int] = {}
    for item in items:
        offered[item.corpus, item.label.value] = offered.get((item.corpus, item.label.value), 0) + 1
    rows = []
    for (corpus, label), count in sorted(offered.items()):
        here = [case for case in found if case.item.corpus == corpus and case.item.label.value == label]
        clusters = len({case.cluster for case in here})
        trimmed = sum(case.trimmed for case in here)
        rows.append((commits.get(corpus, corpus), label, count, len(here), clusters, trimmed, unusable.get(corpus, 0)))
    text = table(("corpus", "label", "items", "judged", "clusters judged", "trimmed", "not there"), rows)
    missing = "".join(f"\nNot read: {sentence}." for sentence in absent)
    return f"## Corpora\n\nNothing from {HELD_OUT} on was looked at.\n\n{text}{missing}"


def _held(case: Case) -> bool:
    return case.held()


def _charged(case: Case) -> bool:
    return case.judged.charge >= HOLD_AT


def _blocked(case: Case) -> bool:
    return case.judged.charge >= BLOCK_AT


def _recall(found: Sequence[Case]) -> str:
    rows = []
    malicious = [case for case in found if case.item.label is Label.MALICIOUS]
    groups = figures.by(malicious, lambda case: f"{case.item.corpus}{', trimmed' if case.trimmed else ''}")
    for name, group in groups.items():
        rows.append(
            (
                name,
                figures.per_package(group, _held),
                figures.per_cluster(group, _held),
                figures.per_cluster(group, _charged),
            )
        )
    head = ("corpus", "held, per package", "held, per cluster", "held by charges alone, per cluster")
    return f"## Recall at first contact\n\n{table(head, rows)}{_as_read(malicious)}"


def _as_read(malicious: Sequence[Case]) -> str:
    """The whole releases of an ecosystem together, as labelled and without labels that reading does not bear out."""
    whole = [case for case in malicious if _is_whole(case)]
    rows = []
    for ecosystem, group in figures.by(whole, lambda case: case.item.ecosystem).items():
        left = [case for case in group if not is_disputed(case.item)]
        if len(left) < len(group):
            rows.append((ecosystem, *(figures.per_cluster(cases, _held) for cases in (group, left))))
    head = ("sets together, whole releases", "held, per cluster, as labelled", "without disputed labels")
    note = "Which labels are disputed, and what the releases are: `evals/corpora/disputed.toml`.\n"
    return f"\n{table(head, rows)}\n{note}" if rows else ""


def _is_whole(case: Case) -> bool:
    """Whether more than the malicious file is there: of loose files one is a manifest."""
    loose = case.item.after.form is Form.FILES
    return not case.trimmed and (not loose or any(part.name.endswith(_MANIFESTS) for part in case.item.after.parts))


def _quarters(malicious: Sequence[Case]) -> str:
    dated = [case for case in malicious if case.item.since]
    rows = [
        (name, len(group), figures.per_package(group, _held), figures.per_cluster(group, _held))
        for name, group in figures.by(dated, lambda case: figures.quarter(case.item.since)).items()
    ]
    head = ("first recorded", "judged", "held, per package", "held, per cluster")
    return f"### By time\n\n{table(head, rows)}" if rows else ""


def _benign(updates: Sequence[Case], newest: Sequence[Case]) -> str:
    rows = []
    for name, group in (("updates", updates), ("first contact of the newest", newest)):
        for ecosystem, cases in {"all": group, **figures.by(group, lambda case: case.item.kind)}.items():
            projects = len({(case.item.ecosystem, case.item.name.lower().replace("_", "-")) for case in cases})
            rows.append(
                (
                    f"{name}, {ecosystem}",
                    projects,
                    figures.each(cases, _held),
                    figures.each(cases, _charged),
                    figures.each(cases, _blocked),
                )
            )
    head = ("what", "projects", "held", "held by charges alone", "blocked")
    return f"## Benign releases\n\n{table(head, rows)}"


def _confusion(found: Sequence[Case]) -> str:
    words = ("allow", "hold", "block", "refused")
    rows = []
    for name, group in figures.by(found, lambda case: f"{case.item.corpus}, {case.item.label.value}").items():
        rates = [figures.per_cluster(group, lambda case, word=word: case.judged.verdict == word) for word in words]  # type: ignore[misc]
        rows.append((name, *(f"{rate.hits:g}" for rate in rates), rates[0].total))
    return f"## What was answered, by cluster\n\n{table(('class', *words, 'clusters'), rows)}"


def _sweep(malicious: Sequence[Case], updates: Sequence[Case], newest: Sequence[Case]) -> str:
    rows = []
    for threshold in (8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 30, 40):
        test: Callable[[Case], bool] = lambda case, at=threshold: case.held(at)  # type: ignore[misc] # noqa: E731
        recall, alarms = figures.per_cluster(malicious, test), figures.each(updates, test)
        precise = (f"{100 * figures.precision(recall.share, alarms.share, base):.2f} %" for base in figures.BASE_RATES)
        rows.append((threshold, _share(recall), _share(alarms), _share(figures.each(newest, test)), *precise))
    head = ("hold at, dB", "recall per cluster", "updates held", "first contacts held")
    bases = (f"precision if {base:g} are tampered" for base in figures.BASE_RATES)
    return f"## Thresholds\n\n{table((*head, *bases), rows)}"


def _calibration(malicious: Sequence[Case], updates: Sequence[Case], newest: Sequence[Case]) -> str:
    text = "## Charges against what they are worth\n\nDecibans by counting, smoothed by half a case on each side.\n"
    for name, benign in (("updates", updates), ("first contacts", newest)):
        rows = [
            (f"{low:g} to {high:g}", _share(bad), _share(good), f"{worth:+.1f}")
            for low, high, bad, good, worth in figures.curve(malicious, benign)
        ]
        head = ("charge, dB", "malicious clusters", f"benign {name}", "worth, dB")
        text += f"\nMalicious first contacts against benign {name}:\n\n{table(head, rows)}"
    return text


def _rows(malicious: Sequence[Case], updates: Sequence[Case], newest: Sequence[Case]) -> str:
    bad, steps, first = figures.firing(malicious), figures.firing(updates), figures.firing(newest)
    nothing = Rate(0, len({case.cluster for case in malicious}))
    rows = []
    for row in sorted(bad.keys() | steps.keys() | first.keys()):
        benign = first.get(row, Rate(0, len(newest)))
        worth = figures.evidence(bad.get(row, nothing), benign)
        update = steps.get(row, Rate(0, len(updates)))
        rows.append((row, _share(bad.get(row, nothing)), _share(benign), _share(update), f"{worth:+.1f}"))
    head = ("row", "malicious, per cluster", "benign first contacts", "benign updates", "worth at first contact, dB")
    return f"## Each row of the weight table\n\n{table(head, rows)}"


def _acts(malicious: Sequence[Case], newest: Sequence[Case]) -> str:
    """What releases do at first contact, whatever any detector makes of it: where a detector is missing, it shows."""
    bad, good = figures.doing(malicious), figures.doing(newest)
    missed = figures.doing([case for case in malicious if not case.held()])
    nothing = Rate(0, len({case.cluster for case in malicious}))
    none = Rate(0, len({case.cluster for case in newest}))
    rows = []
    for act in sorted(bad.keys() | good.keys()):
        worth = figures.evidence(bad.get(act, nothing), good.get(act, none))
        shares = (_share(bad.get(act, nothing)), _share(missed.get(act, Rate(0, 0))), _share(good.get(act, none)))
        rows.append((act, *shares, f"{worth:+.1f}"))
    head = ("act", "malicious, per cluster", "of those missed", "benign first contacts", "worth, dB")
    return f"## What releases do, and when\n\n{table(head, rows)}"


def _times(found: Sequence[Case]) -> str:
    rows = []
    for name, group in figures.by(found, lambda case: case.item.corpus).items():
        middle, high, most = figures.quantiles([case.judged.seconds for case in group])
        rows.append((name, len(group), f"{middle:.3f}", f"{high:.3f}", f"{most:.2f}"))
    text = table(("corpus", "releases", "p50, s", "p95, s", "max, s"), rows)
    memory = max((case.judged.memory for case in found), default=0.0)
    note = f"One reader, nothing remembered, wall time. The judging process itself took {memory:.0f} MiB at most.\n"
    return f"## Time for each release\n\n{text}\n{note}"


def _explained(cases: Sequence[Case], title: str) -> str:
    held = sorted((case for case in cases if case.held()), key=lambda case: (-case.judged.charge, case.item.key))
    lines = [f"\n### {title}: {len(held)}\n"]
    for case in held[:40]:
        lines.append(
            f"- {case.item.key}: {case.judged.verdict}, {case.judged.charge:g} dB {' '.join(case.judged.open)}"
        )
        lines += [f"  - {problem}" for problem in case.judged.problems[:6]]
    return "\n".join(lines) + "\n" if cases else ""


def _day(found: Sequence[Case]) -> str:
    """What one day of updates was charged with. Pieces of files are read: what cannot be parsed there says nothing."""
    if not found:
        return ""
    lines = [
        "## The recorded day\n",
        f"{figures.each(found, _charged)} charged to the threshold, {figures.each(found, _blocked)} to the second one.",
        "Charges alone count, for pieces of files are read. The highest:\n",
        "| update | charge, dB | rows | places |",
        "| --- | --- | --- | --- |",
    ]
    for case in sorted(found, key=lambda case: (-case.judged.charge, case.item.key))[:20]:
        item = case.item
        old = item.before.parts[0].name.partition(":")[2] if item.before else ""
        places = [problem for problem in case.judged.problems if " at " in problem][:3]
        rows = ", ".join(case.judged.rows)
        lines.append(f"| {item.name} {old} to {item.version} | {case.judged.charge:g} | {rows} | {'; '.join(places)} |")
    return "\n".join(lines) + "\n"


def _share(rate: Rate) -> str:
    return f"{100 * rate.share:.2f} %"
