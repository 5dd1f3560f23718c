"""What outputs for other programs say of a report: which releases are refused, for what, and what was not checked.

Only a release that is blocked for what is charged against *itself* is called malicious. What is held waits for a
person, and what is refused for a dependency or because it could not be read is no attack.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from lazaretto.app.report import Report, UpdateReport
from lazaretto.core.exchange import package_of
from lazaretto.core.inert import inert

MAX_TOLD = 20


def refused(report: Report) -> tuple[UpdateReport, ...]:
    """Return every release that is not allowed, once, in the order of its package URL."""
    found = {part.purl: part for update in report.updates for part in update.tree() if part.verdict != "allow"}
    return tuple(found[purl] for purl in sorted(found))


def accused(part: UpdateReport) -> bool:
    """Whether a release is called malicious."""
    return part.verdict == "block" and part.for_cause


def unchecked(report: Report) -> Iterator[str]:
    """Yield everything that could not be checked, inert."""
    yield from (inert(problem, 400) for problem in report.problems)
    for part in refused(report):
        for record in part.records:
            for problem in record.problems:
                yield inert(f"{part.purl}: {record.check} ({record.outage}): {problem}", 500)


def details(part: UpdateReport) -> str:
    """Return why a release is refused: reasons and findings, one on each line."""
    lines = [f"Lazaretto says {part.verdict}: {inert(reason, 400)}." for reason in part.reasons]
    for one in part.findings[:MAX_TOLD]:
        place = one.evidence[0] if one.evidence else None
        where = f" ({inert(place.path, 200)}:{place.line})" if place is not None else ""
        lines.append(f"{one.id}: {inert(one.message, 400)}{where}")
    return "\n".join(lines) or f"Lazaretto says {part.verdict}."


def techniques(part: UpdateReport) -> tuple[str, ...]:
    """Return the ATT&CK techniques of all findings."""
    return tuple(sorted({technique for one in part.findings for technique in one.attack}))


def decided(part: UpdateReport) -> datetime:
    """Return when a release was judged."""
    return datetime.fromisoformat(part.decided_at).astimezone(UTC)


def latest(report: Report) -> datetime:
    """Return when the last release was judged; for a report on nothing the beginning of time."""
    return max((decided(update) for update in report.updates), default=datetime(1970, 1, 1, tzinfo=UTC))


def named(part: UpdateReport) -> tuple[str, str, str]:
    """Return ecosystem, name and version as the package URL has them: what a report calls a release is for people."""
    parts = package_of(part.purl)
    return parts if parts is not None else (part.ecosystem, inert(part.name), inert(part.version))


def tallied(report: Report) -> dict[str, list[str]]:
    """Return the package URLs of all releases that were asked about, by verdict."""
    words = ("allow", "hold", "block")
    return {word: [update.purl for update in report.updates if update.verdict == word] for word in words}
