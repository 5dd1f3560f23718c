"""From a release, an archive or a report that was written down to what was seen in it.

Nothing of this is kept with a verdict: `scan` would pay for it each time, and almost no release is ever asked about.
A report holds the evidence of all findings, which is enough for most; from the artifacts there is more, and facts are
cached, so that a second reading costs little.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from lazaretto.app.analyse import Analysis, Question
from lazaretto.app.report import ReportedEvidence, UpdateReport
from lazaretto.core.facts import Reach
from lazaretto.core.finding import Card, Evidence
from lazaretto.core.intel import Sighting, SightingKind
from lazaretto.core.names import Purl
from lazaretto.core.policy import Outcome
from lazaretto.core.sighting import PurlOf, of_edge, of_finding, of_update, settled

MAX_PARTS = 50
"""Releases that one answer is drawn from: the one asked about, and what it newly brings that is held or blocked."""

Ask = Callable[[Question], Analysis]
"""Analyse a release, with everything that was read."""


def of_analysis(
    analysis: Analysis, purl: PurlOf, cards: Mapping[str, Card], habits: Mapping[str, str], again: Ask
) -> tuple[Sighting, ...]:
    """Return what was seen in a release and in what it newly brings, as far as that is held or blocked.

    Of a dependency nothing is kept but its verdict: ``again`` reads it once more.
    """
    found: list[Sighting] = []
    for one in _refused(analysis, again):
        findings = [finding for name in sorted(one.records) for finding in one.records[name].findings]
        found += of_update(one.update, purl, findings, cards, habits)
    return settled(found)


def _refused(analysis: Analysis, again: Ask) -> Iterator[Analysis]:
    """Yield the analysis, and once each that of what it newly brings and what is held or blocked, breadth first."""
    seen: set[tuple[str, str]] = set()
    waiting = [analysis]
    while waiting and len(seen) < MAX_PARTS:
        one = waiting.pop(0)
        release = one.update.after
        if (release.project, release.version) in seen:
            continue
        seen.add((release.project, release.version))
        if one is not analysis:
            one = again(Question(release.project, release.version, first_contact=True))
        yield one
        inner = [followed.analysis for followed in one.edges]
        waiting += [each for each in inner if each is not None and each.outcome is not Outcome.ALLOW]


def of_report(report: UpdateReport, habits: Mapping[str, str]) -> tuple[Sighting, ...]:
    """Return what a report tells was seen in a release, and in what it newly brings that is held or blocked."""
    parts = [part for part in report.tree() if part is report or part.verdict != Outcome.ALLOW.word]
    return settled(one for part in parts[:MAX_PARTS] for one in _of_part(part, habits))


def _of_part(report: UpdateReport, habits: Mapping[str, str]) -> Iterator[Sighting]:
    yield Sighting(SightingKind.PACKAGE, report.purl)
    yield Sighting(SightingKind.HABIT, f"ecosystem={report.ecosystem}", "index:ecosystem")
    for artifact in report.artifacts:
        yield Sighting(SightingKind.DIGEST, artifact.digest, artifact.filename)
    for finding in report.findings:
        yield from of_finding(finding.id, finding.variant, finding.attack, _places(finding.evidence), habits)
    for edge in report.edges:
        yield from of_edge(edge.requirement, Purl(edge.update.purl) if edge.update is not None else None)


def _places(evidence: Iterable[ReportedEvidence]) -> Iterator[Evidence]:
    for one in evidence:
        reach = Reach(one.reach) if one.reach is not None else None
        yield Evidence(one.path, one.line, one.column, one.text, one.decoded, one.via, reach, one.artifact)
