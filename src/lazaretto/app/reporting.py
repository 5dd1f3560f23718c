"""From an analysis to the report that outputs render. Every judgement has been made before; this only words it."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from lazaretto.app.analyse import Analysis, Followed, Rules
from lazaretto.app.records import not_asked
from lazaretto.app.report import (
    ReportedComparison,
    ReportedEdge,
    ReportedEvidence,
    ReportedFinding,
    ReportedOnly,
    ReportedRecord,
    ReportedWaiver,
    UpdateReport,
)
from lazaretto.core.finding import Card, Evidence, Finding
from lazaretto.core.policy import Outcome
from lazaretto.core.weight import row_key

MAX_LINES = 1_000
"""Lines of one file that are named as standing in the artifact alone."""

EDGES_STALE_AFTER = timedelta(hours=1)
"""How long what a range resolves to is taken for granted."""


def report_update(analysis: Analysis, rules: Rules, versions: Mapping[str, str], now: datetime) -> UpdateReport:
    """Return the report of one analysis. ``versions`` names the ``rules`` and the ``policy`` that judged."""
    update, verdict = analysis.update, analysis.verdict
    cards = {detector.CARD.id: detector.CARD for detector in rules.detectors}
    found = [finding for name in sorted(analysis.records) for finding in analysis.records[name].findings]
    findings = [_finding(finding, cards[finding.detector], rules) for finding in found]
    findings.sort(key=lambda finding: (-finding.weight, finding.id, finding.variant))
    waiver = verdict.waiver
    return UpdateReport(
        purl=verdict.subject.purl,
        ecosystem=update.ecosystem,
        name=update.after.project,
        version=update.after.version,
        before=update.before.version if update.before else None,
        verdict=analysis.outcome.word,
        complete=analysis.complete,
        for_cause=verdict.for_cause and waiver is None,
        charge=verdict.charge.total,
        groups=dict(verdict.charge.groups),
        reasons=(*verdict.reasons, *_edge_reasons(analysis)),
        would_change=_would_change(analysis, rules),
        findings=tuple(findings),
        records=tuple(
            ReportedRecord(
                check=record.check,
                version=record.version,
                state=record.state.value,
                findings=len(record.findings),
                problems=record.problems,
                outage=record.outage.value if record.outage else None,
                demand=record.demand.word if record.demand is not Outcome.ALLOW else None,
                notes=record.notes,
            )
            for record in (analysis.records[name] for name in sorted(analysis.records))
        ),
        not_asked=(*not_asked(rules.detectors, update.provides), *analysis.left_unread),
        artifacts=analysis.artifacts,
        edges=tuple(_edge(followed, rules, versions, now) for followed in analysis.edges),
        waiver=ReportedWaiver(
            waiver.by, waiver.reason, waiver.until.isoformat(), (verdict.unwaived or Outcome.HOLD).word
        )
        if waiver
        else None,
        decided_at=now.isoformat(),
        rules=versions["rules"],
        weights=rules.table.version,
        policy=versions["policy"],
        disagreements=analysis.disagreements,
        expires=_expires(analysis, rules, now),
        source=tuple(_compared(analysis)),
    )


def _compared(analysis: Analysis) -> Iterator[ReportedComparison]:
    source = analysis.update.source
    if source is None:
        return
    for one in source.comparisons:
        yield ReportedComparison(
            filename=one.filename,
            repository=source.commit.where,
            ref=source.commit.asked,
            commit=source.commit.identifier,
            same=one.same,
            only=tuple(ReportedOnly(alone.path, tuple(sorted(alone.lines))[:MAX_LINES]) for alone in one.only),
            built=one.built,
            generated=one.generated,
            unread=one.unread,
        )


def _finding(finding: Finding, card: Card, rules: Rules) -> ReportedFinding:
    row = rules.table.weights[row_key(finding.detector, finding.variant)]
    return ReportedFinding(
        id=finding.detector,
        variant=finding.variant,
        title=card.title,
        message=finding.message,
        why=card.why,
        weight=row.weight,
        group=row.group,
        attack=card.attack,
        evidence=tuple(_evidence(evidence) for evidence in finding.evidence),
    )


def _evidence(evidence: Evidence) -> ReportedEvidence:
    return ReportedEvidence(
        artifact=evidence.artifact,
        path=evidence.path,
        line=evidence.line,
        column=evidence.column,
        text=evidence.text,
        decoded=evidence.decoded,
        via=evidence.via,
        reach=evidence.reach.value if evidence.reach else None,
    )


def _edge(followed: Followed, rules: Rules, versions: Mapping[str, str], now: datetime) -> ReportedEdge:
    edge = followed.edge
    return ReportedEdge(
        name=edge.dependency.name,
        requirement=edge.dependency.requirement,
        group=edge.dependency.group.value,
        resolved=edge.resolved.version if edge.resolved else None,
        why=edge.why,
        seen=followed.seen,
        update=report_update(followed.analysis, rules, versions, now) if followed.analysis else None,
    )


_PAST = {Outcome.HOLD: "held", Outcome.BLOCK: "blocked"}


def _edge_reasons(analysis: Analysis) -> list[str]:
    if analysis.verdict.waiver is not None:
        return []
    return [
        f"the new dependency {f.edge.dependency.name}@{f.edge.resolved.version} is {_PAST[f.analysis.outcome]}"
        for f in analysis.edges
        if f.analysis is not None and f.edge.resolved is not None and f.analysis.outcome is not Outcome.ALLOW
    ]


def _would_change(analysis: Analysis, rules: Rules) -> tuple[str, ...]:
    """Say what would change the verdict: for a person who has to decide."""
    verdict, policy = analysis.verdict, rules.policy
    if analysis.outcome is Outcome.ALLOW:
        room = policy.hold_at - verdict.charge.total
        return (f"{room:g} dB more of charges would hold it",) if verdict.waiver is None else ()
    ways = []
    if verdict.missing:
        ways.append(f"a complete record of: {', '.join(verdict.missing)}")
    if verdict.charge.total >= policy.hold_at:
        ways.append(f"charges below {policy.hold_at:g} dB (now {verdict.charge.total:g} dB)")
    if any(record.demand is not Outcome.ALLOW for record in analysis.records.values()):
        ways.append("a source of the intelligence that takes back what it says: import it again")
    if policy.cooling(verdict.subject.published, _now_of(analysis), clean=False) and policy.cooldown:
        ways.append(f"the end of the cooldown of {policy.cooldown_text()}")
    ways += [
        f"another verdict on {f.edge.dependency.name}"
        for f in analysis.edges
        if f.analysis is not None and f.analysis.outcome is not Outcome.ALLOW
    ]
    ways.append(f"a waiver for {verdict.subject.purl} in lazaretto.toml (reason, by, until)")
    return tuple(ways)


def _now_of(analysis: Analysis) -> datetime:
    now = analysis.update.now
    if now is None:
        raise ValueError("an analysed update knows its instant")
    return now


def _expires(analysis: Analysis, rules: Rules, now: datetime) -> datetime | None:
    """Return until when the same question has the same answer; None: as long as nothing else changes."""
    times = []
    if analysis.edges:
        times.append(now + EDGES_STALE_AFTER)
    if analysis.verdict.waiver is not None:
        times.append(analysis.verdict.waiver.until)
    published = analysis.verdict.subject.published
    if rules.policy.cooldown is not None and published is not None and now < published + rules.policy.cooldown:
        times.append(published + rules.policy.cooldown)
    return min(times, default=None)
