"""For a person at a terminal: the verdict, each finding with its place, and what would change it."""

import textwrap
from collections.abc import Iterator

from lazaretto.app.rendering import Format, RenderOptions
from lazaretto.app.report import Report, ReportedEdge, ReportedEvidence, ReportedFinding, UpdateReport
from lazaretto.core.inert import inert

FORMAT = Format(name="terminal", media_type="text/plain")

_COLOURS = {"allow": "32", "hold": "33", "block": "31", "dim": "2", "bold": "1", "decoded": "36"}
_WHEN = {
    "install": "runs at installation",
    "import": "runs when imported",
    "call": "runs when called",
    "unreached": "no entry point leads here",
}
_SHOWN_EVIDENCE = 4
_SHOWN_PROBLEMS = 5


class _Paper:
    """Lines under construction, with their width and colours."""

    def __init__(self, options: RenderOptions) -> None:
        self._colour = options.colour
        self.width = max(40, options.width)
        self.verbose = options.verbose
        self.lines: list[str] = []

    def paint(self, text: str, colour: str) -> str:
        return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if self._colour else text

    def add(self, text: str = "") -> None:
        self.lines.append(text)

    def wrap(self, text: str, indent: str, hang: str = "", colour: str | None = None) -> None:
        for line in textwrap.wrap(
            text, self.width, initial_indent=indent, subsequent_indent=indent + hang, break_on_hyphens=False
        ):
            self.add(self.paint(line, colour) if colour else line)

    def headline(self, left: str, right: str, verdict: str) -> None:
        """Add a line with the verdict in colour at its left and a figure flush right."""
        word = verdict.upper()
        room = self.width - len(word) - 1 - len(right) - 1
        shown = left if len(left) <= room else left[: max(0, room - 1)] + "…"
        gap = " " * max(1, room - len(shown) + 1)
        self.add(f"{self.paint(word, verdict)} {self.paint(shown, 'bold')}{gap}{right}")


def render(report: Report, options: RenderOptions) -> str:
    """Return the report as text for a terminal ``options.width`` columns wide."""
    paper = _Paper(options)
    several = len(report.updates) > 1
    quiet = [u for u in report.updates if several and u.verdict == "allow" and not options.verbose]
    for update in report.updates:
        if update not in quiet:
            _update(paper, update, "")
            paper.add()
    if quiet:
        _allowed(paper, quiet)
    for problem in report.problems:
        paper.wrap(f"not checked: {inert(problem)}", "", "  ", "hold")
    if several or report.problems:
        _summary(paper, report)
    if any(update.findings for update in report.updates):
        paper.wrap(f"Weights: {inert(report.weights_status)}.", "", "", "dim")
    return "\n".join(paper.lines).rstrip("\n") + "\n"


def _allowed(paper: _Paper, updates: list[UpdateReport]) -> None:
    names = ", ".join(f"{inert(update.name)} {inert(update.version)}" for update in updates)
    paper.wrap(f"{paper.paint('ALLOW', 'allow')} {names}", "", "  ")
    paper.add()


def _summary(paper: _Paper, report: Report) -> None:
    counts = {word: sum(update.verdict == word for update in report.updates) for word in ("allow", "hold", "block")}
    text = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    if report.problems:
        text += f", {len(report.problems)} not checked" if text else f"{len(report.problems)} not checked"
    paper.headline(f"{len(report.updates)} releases: {text}", "", report.verdict)


def _update(paper: _Paper, update: UpdateReport, indent: str) -> None:
    against = f"(was {inert(update.before)})" if update.before else "(first contact)"
    _head(paper, f"{inert(update.purl)} {against}", update, indent)
    body = indent + "  "
    for artifact in update.artifacts:
        what = f"{artifact.files} files: {artifact.added} added, {artifact.changed} changed, {artifact.removed} removed"
        paper.wrap(f"read {inert(artifact.filename)} · {what}", body, "  ", "dim")
    checks = len(update.records)
    if not update.findings and update.complete:
        paper.wrap(f"nothing found by {checks} checks", body)
    for finding in update.findings:
        if finding.weight > 0 or paper.verbose:
            _finding(paper, finding, body)
    _problems(paper, update, body)
    for edge in update.edges:
        _edge(paper, edge, body)
    if update.waiver is not None:
        text = f"{update.waiver.instead_of} is waived by {update.waiver.by} until {update.waiver.until}: {update.waiver.reason}"
        paper.wrap(inert(text), body, "  ")
    for line in update.disagreements[: None if paper.verbose else _SHOWN_PROBLEMS]:
        paper.wrap(f"artifacts disagree: {inert(line)}", body, "  ", "dim")
    _closing(paper, update, body)


def _head(paper: _Paper, text: str, update: UpdateReport, indent: str) -> None:
    figure = f"{update.charge:g} dB"
    if not update.complete:
        figure = f"incomplete · {figure}"
    before = len(paper.lines)
    paper.width -= len(indent)
    paper.headline(text, figure, update.verdict)
    paper.width += len(indent)
    paper.lines[before] = indent + paper.lines[before]


def _finding(paper: _Paper, finding: ReportedFinding, indent: str) -> None:
    paper.add()
    figure = f"+{finding.weight:g} dB"
    name = f"{finding.id} ({finding.variant})"
    gap = " " * max(1, paper.width - len(indent) - len(name) - len(figure))
    paper.add(f"{indent}{paper.paint(name, 'bold')}{gap}{figure}")
    paper.wrap(inert(finding.message), indent + "  ")
    shown = finding.evidence if paper.verbose else finding.evidence[:_SHOWN_EVIDENCE]
    for evidence in shown:
        _evidence(paper, evidence, indent + "  ")
    if len(finding.evidence) > len(shown):
        paper.add(paper.paint(f"{indent}  … {len(finding.evidence) - len(shown)} more places (--verbose)", "dim"))
    paper.wrap(f"why: {finding.why}", indent + "  ", "     ", "dim")


def _evidence(paper: _Paper, evidence: ReportedEvidence, indent: str) -> None:
    place = f"{inert(evidence.path)}:{evidence.line}" if evidence.line else inert(evidence.path)
    when = _WHEN.get(evidence.reach or "", "")
    paper.wrap(f"at {place}" + (f" · {when}" if when else ""), indent, "  ")
    room = paper.width - len(indent) - 4
    if evidence.text:
        paper.add(f"{indent}  {paper.paint('|', 'dim')} {inert(evidence.text, room)}"[: paper.width + 12])
    if evidence.decoded and inert(evidence.decoded) not in evidence.text:
        how = "" if evidence.via == "plain" else f" (by {inert(evidence.via)})"
        for line in textwrap.wrap(f"= {inert(evidence.decoded, 400)}{how}", room, break_on_hyphens=False):
            paper.add(f"{indent}  {paper.paint(line, 'decoded')}")


def _problems(paper: _Paper, update: UpdateReport, indent: str) -> None:
    for record in update.records:
        for problem in record.problems[: None if paper.verbose else _SHOWN_PROBLEMS]:
            paper.wrap(f"incomplete: {record.check}: {inert(problem, 300)}", indent, "  ", "hold")
    if paper.verbose:
        for sentence in update.not_asked:
            paper.wrap(f"not asked: {inert(sentence)}", indent, "  ", "dim")
    elif update.not_asked:
        paper.wrap(f"{len(update.not_asked)} questions could not be asked of this source (--verbose)", indent, "  ", "dim")


def _edge(paper: _Paper, edge: ReportedEdge, indent: str) -> None:
    paper.add()
    what = f"new dependency {inert(edge.name)} {inert(edge.requirement, 60)}"
    if edge.update is None:
        why = "read elsewhere in this answer" if edge.seen else inert(edge.why, 200)
        paper.wrap(f"{what}: {why}", indent, "  ")
        return
    paper.wrap(f"{what} brings:", indent, "  ")
    _update(paper, edge.update, indent + "  ")


def _closing(paper: _Paper, update: UpdateReport, indent: str) -> None:
    if update.verdict == "allow" and not paper.verbose:
        return
    paper.add()
    for reason in update.reasons:
        paper.wrap(f"{update.verdict}: {inert(reason, 400)}", indent, "  ")
    for line in _ways(update):
        paper.wrap(line, indent, "  ")


def _ways(update: UpdateReport) -> Iterator[str]:
    for way in update.would_change:
        yield f"would change it: {inert(way)}"
