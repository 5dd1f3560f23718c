"""For a person at a terminal: the verdict, each finding with its place, and what would change it."""

from collections.abc import Sequence

from lazaretto.app.rendering import Format, RenderOptions
from lazaretto.app.report import (
    Report,
    ReportedComparison,
    ReportedEdge,
    ReportedEvidence,
    ReportedFinding,
    UpdateReport,
)
from lazaretto.core.inert import inert
from lazaretto.outputs._paper import Paper, plural
from lazaretto.outputs._words import WHEN, decoded, pinned, place_of, tally

FORMAT = Format(name="terminal", media_type="text/plain")

_SHOWN_EVIDENCE = 4
_SHOWN_PROBLEMS = 5
_SHOWN_UNCHECKED = 20
_SHOWN_ALLOWED = 12
_SHOWN_PLACES = 3


def render(report: Report, options: RenderOptions) -> str:
    """Return the report as text for a terminal ``options.width`` columns wide."""
    page = _Page(report, options)
    return page.text()


class _Page:
    """One report on its way to a terminal."""

    def __init__(self, report: Report, options: RenderOptions) -> None:
        self._report = report
        self._verbose = options.verbose
        self._paper = Paper(options.width, colour=options.colour)
        self._places = pinned(report)

    def text(self) -> str:
        """Return the whole page: what is refused, what is allowed, what was not checked, and the sum."""
        report, paper = self._report, self._paper
        several = len(report.updates) > 1
        quiet = [u for u in report.updates if several and u.verdict == "allow" and not self._verbose]
        for update in report.updates:
            if update not in quiet:
                self._update(update, "")
                paper.add()
        if quiet:
            self._allowed(quiet)
        self._unchecked(report.problems)
        if several or report.problems or not report.updates:
            self._summary()
        for note in report.notes:
            paper.wrap(f"note: {inert(note, 300)}", hang="", colour="dim")
        if any(part.findings for update in report.updates if update not in quiet for part in update.tree()):
            paper.wrap(f"Weights: {inert(report.weights_status)}.", hang="", colour="dim")
        return paper.text()

    def _allowed(self, updates: Sequence[UpdateReport]) -> None:
        names = [f"{inert(update.name)} {inert(update.version)}" for update in updates[:_SHOWN_ALLOWED]]
        text = ", ".join(names)
        if len(updates) > len(names):
            text += f", and {len(updates) - len(names)} more (--verbose)"
        self._paper.row(text, word="allow", colour=None)
        self._paper.add()

    def _unchecked(self, problems: Sequence[str]) -> None:
        shown = problems if self._verbose else problems[:_SHOWN_UNCHECKED]
        for problem in shown:
            self._paper.wrap(f"not checked: {inert(problem)}", colour="hold")
        if len(problems) > len(shown):
            self._paper.wrap(f"not checked: {len(problems) - len(shown)} more (--verbose)", colour="hold")
        if problems:
            self._paper.add()

    def _summary(self) -> None:
        report = self._report
        if report.updates or report.problems:
            self._paper.row(tally(report), word=report.verdict)
        else:
            self._paper.add(tally(report))

    def _update(self, update: UpdateReport, indent: str) -> None:
        paper, body = self._paper, indent + "  "
        against = f"(was {inert(update.before)})" if update.before else "(first contact)"
        figure = f"{update.charge:g} dB" if update.complete else f"incomplete · {update.charge:g} dB"
        paper.row(f"{inert(update.purl)} {against}", figure, indent, word=update.verdict)
        self._pinned(update, body)
        for artifact in update.artifacts:
            counts = f"{artifact.added} added, {artifact.changed} changed, {artifact.removed} removed"
            what = f"{plural(artifact.files, 'file')}: {counts}"
            paper.wrap(f"read {inert(artifact.filename)} · {what}", body, colour="dim")
        for compared in update.source:
            self._compared(compared, body)
        if not update.findings and update.complete:
            paper.wrap(f"nothing found by {plural(len(update.records), 'check')}", body)
        for finding in update.findings:
            if finding.weight > 0 or self._verbose:
                self._finding(finding, body)
        self._incomplete(update, body)
        for edge in update.edges:
            self._edge(edge, body)
        if update.waiver is not None:
            waiver = update.waiver
            text = f"{waiver.instead_of} is waived by {waiver.by} until {waiver.until}: {waiver.reason}"
            paper.wrap(inert(text), body)
        for line in update.disagreements[: None if self._verbose else _SHOWN_PROBLEMS]:
            paper.wrap(f"artifacts disagree: {inert(line)}", body, colour="dim")
        self._closing(update, body)

    def _compared(self, one: ReportedComparison, indent: str) -> None:
        """Say what was compared with the repository, and what was not."""
        counts = [f"{plural(one.same, 'file')} the same", f"{len(one.only)} with what stands here alone"]
        aside = {"built": one.built, "generated": one.generated, "unread": one.unread}
        counts += [f"{len(paths)} {word}, not compared" for word, paths in aside.items() if paths]
        where = f"{inert(one.ref)} ({inert(one.commit[:12])}) of {inert(one.repository)}"
        self._paper.wrap(f"compared {inert(one.filename)} with {where}: {', '.join(counts)}", indent, colour="dim")
        for alone in one.only[: None if self._verbose else _SHOWN_PROBLEMS]:
            lines = f": {plural(len(alone.lines), 'line')}, the first is {alone.lines[0]}" if alone.lines else ""
            self._paper.wrap(f"only here: {inert(alone.path)}{lines}", indent, colour="dim")

    def _pinned(self, update: UpdateReport, indent: str) -> None:
        places = [f"{inert(place.path)}:{place.line}" for place in self._places.get(update.purl, ())]
        shown = places if self._verbose else places[:_SHOWN_PLACES]
        if shown:
            more = f" and {len(places) - len(shown)} more" if len(places) > len(shown) else ""
            self._paper.wrap(f"pinned at {', '.join(shown)}{more}", indent)

    def _finding(self, finding: ReportedFinding, indent: str) -> None:
        paper, inner = self._paper, indent + "  "
        paper.add()
        paper.row(f"{inert(finding.id)} ({inert(finding.variant)})", f"+{finding.weight:g} dB", indent)
        paper.wrap(inert(finding.message), inner, "")
        shown = finding.evidence if self._verbose else finding.evidence[:_SHOWN_EVIDENCE]
        for evidence in shown:
            self._evidence(evidence, inner)
        if len(finding.evidence) > len(shown):
            more = plural(len(finding.evidence) - len(shown), "more place", "more places")
            paper.wrap(f"… {more} (--verbose)", inner, colour="dim")
        paper.wrap(f"why: {inert(finding.why)}", inner, "     ", "dim")

    def _evidence(self, evidence: ReportedEvidence, indent: str) -> None:
        when = WHEN.get(evidence.reach or "", "")
        self._paper.wrap(f"at {place_of(evidence)}" + (f" · {when}" if when else ""), indent)
        self._paper.quote(inert(evidence.text), indent + "  ")
        value = decoded(evidence, 400)
        if value:
            how = "" if evidence.via == "plain" else f" (by {inert(evidence.via)})"
            self._paper.wrap(f"= {value}{how}", indent + "  ", "  ", "decoded")

    def _incomplete(self, update: UpdateReport, indent: str) -> None:
        for record in update.records:
            shown = record.problems if self._verbose else record.problems[:_SHOWN_PROBLEMS]
            for problem in shown:
                self._paper.wrap(f"incomplete: {inert(record.check)}: {inert(problem, 300)}", indent, colour="hold")
            if len(record.problems) > len(shown):
                more = len(record.problems) - len(shown)
                self._paper.wrap(f"incomplete: {inert(record.check)}: {more} more (--verbose)", indent, colour="hold")
        if self._verbose:
            for sentence in update.not_asked:
                self._paper.wrap(f"not asked: {inert(sentence)}", indent, colour="dim")
        elif update.not_asked:
            count = plural(len(update.not_asked), "question")
            self._paper.wrap(f"{count} could not be asked of this source (--verbose)", indent, colour="dim")

    def _edge(self, edge: ReportedEdge, indent: str) -> None:
        self._paper.add()
        what = f"new dependency {inert(edge.name)} {inert(edge.requirement, 60)}".rstrip()
        if edge.update is None:
            why = "read elsewhere in this answer" if edge.seen else inert(edge.why, 200)
            self._paper.wrap(f"{what}: {why}", indent)
            return
        self._paper.wrap(f"{what} brings:", indent)
        self._update(edge.update, indent + "  ")

    def _closing(self, update: UpdateReport, indent: str) -> None:
        if update.verdict == "allow" and not self._verbose:
            return
        lines = [f"{update.verdict}: {inert(reason, 400)}" for reason in update.reasons]
        lines += [f"would change it: {inert(way)}" for way in update.would_change]
        if lines:
            self._paper.add()
        for line in lines:
            self._paper.wrap(line, indent)
