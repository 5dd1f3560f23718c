"""What several outputs say in the same words: the sum of a report, when a piece of evidence runs, where pins stand."""

from collections.abc import Mapping

from lazaretto.app.report import Report, ReportedEvidence, ReportedPlace
from lazaretto.core.inert import inert
from lazaretto.outputs._paper import plural

WHEN = {
    "install": "runs at installation",
    "import": "runs when imported",
    "call": "runs when called",
    "unreached": "no entry point leads here",
}


def tally(report: Report) -> str:
    """Return the sum of a report: ``3 releases: 2 allow, 1 hold, 1 not checked``."""
    counts = {word: sum(update.verdict == word for update in report.updates) for word in ("allow", "hold", "block")}
    parts = [f"{count} {word}" for word, count in counts.items() if count]
    parts += [f"{len(report.problems)} not checked"] if report.problems else []
    return f"{plural(len(report.updates), 'release')}: {', '.join(parts)}" if parts else "nothing to check"


def pinned(report: Report) -> Mapping[str, tuple[ReportedPlace, ...]]:
    """Return the lockfile lines that ask for each release, by its package URL."""
    found: dict[str, tuple[ReportedPlace, ...]] = {}
    for place in report.places:
        found[place.purl] = (*found.get(place.purl, ()), place)
    return found


def place_of(evidence: ReportedEvidence) -> str:
    """Return ``path:line``, or the path alone where there are no lines."""
    path = inert(evidence.path)
    return f"{path}:{evidence.line}" if evidence.line else path


def decoded(evidence: ReportedEvidence, limit: int) -> str:
    """Return the decoded value, inert; empty if the quoted text shows it already."""
    if not evidence.decoded or inert(evidence.decoded) in inert(evidence.text):
        return ""
    return inert(evidence.decoded, limit)
