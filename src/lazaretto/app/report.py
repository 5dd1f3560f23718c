"""Report: the one value that every output renders, with what was not checked.

Its JSON form is published (``lazaretto/data/report.schema.json``) and versioned by ``SCHEMA``. It holds
no elapsed time and no path of this machine, so that the same input gives the same bytes.
"""

from collections.abc import Iterator
from datetime import datetime

from msgspec import Struct

SCHEMA = "1"


class ReportedEvidence(Struct, frozen=True, omit_defaults=True):
    """A place to look at: see ``core.finding.Evidence``."""

    artifact: str
    path: str
    line: int = 0
    column: int = 0
    text: str = ""
    decoded: str | None = None
    via: str = "plain"
    reach: str | None = None


class ReportedFinding(Struct, frozen=True):
    """A finding, with its weight in decibans and the reason why it matters."""

    id: str
    variant: str
    title: str
    message: str
    why: str
    weight: float
    group: str
    attack: tuple[str, ...]
    evidence: tuple[ReportedEvidence, ...]


class ReportedRecord(Struct, frozen=True, omit_defaults=True):
    """One check: that it ran, with which version, and what kept it from ending.

    ``demand`` is the least that it asks of the verdict, whatever is charged; ``notes`` ask for nothing.
    """

    check: str
    version: int
    state: str
    findings: int = 0
    problems: tuple[str, ...] = ()
    outage: str | None = None
    demand: str | None = None
    notes: tuple[str, ...] = ()


class ReportedArtifact(Struct, frozen=True):
    """What was read on both sides; sizes in bytes, unpacked."""

    filename: str
    digest: str
    size: int
    files: int
    before: str | None
    added: int
    changed: int
    removed: int


class ReportedOnly(Struct, frozen=True, omit_defaults=True):
    """What stands in the artifact and not in the repository: these lines, or the whole file if there are none."""

    path: str
    lines: tuple[int, ...] = ()


class ReportedComparison(Struct, frozen=True):
    """One artifact against a commit of its repository: what stands in it alone, and what was not compared."""

    filename: str
    repository: str
    ref: str
    commit: str
    same: int
    only: tuple[ReportedOnly, ...]
    built: tuple[str, ...]
    generated: tuple[str, ...]
    unread: tuple[str, ...]


class ReportedEdge(Struct, frozen=True, omit_defaults=True):
    """A dependency this update newly brings; ``update`` is its own report, None if it has none."""

    name: str
    requirement: str
    group: str
    resolved: str | None = None
    why: str = ""
    seen: bool = False
    update: "UpdateReport | None" = None


class ReportedWaiver(Struct, frozen=True):
    """The waiver that turned a refusal into a permission."""

    by: str
    reason: str
    until: str
    instead_of: str


class UpdateReport(Struct, frozen=True):
    """The verdict on one release, measured against one earlier release (or none)."""

    purl: str
    ecosystem: str
    name: str
    version: str
    before: str | None
    verdict: str
    complete: bool
    for_cause: bool
    charge: float
    groups: dict[str, float]
    reasons: tuple[str, ...]
    would_change: tuple[str, ...]
    findings: tuple[ReportedFinding, ...]
    records: tuple[ReportedRecord, ...]
    not_asked: tuple[str, ...]
    artifacts: tuple[ReportedArtifact, ...]
    edges: tuple[ReportedEdge, ...]
    waiver: ReportedWaiver | None
    decided_at: str
    rules: str
    weights: str
    policy: str
    disagreements: tuple[str, ...] = ()
    expires: datetime | None = None
    source: tuple[ReportedComparison, ...] = ()

    def tree(self) -> Iterator["UpdateReport"]:
        """Yield this report and those of all dependencies it newly brings, depth first."""
        yield self
        for edge in self.edges:
            if edge.update is not None:
                yield from edge.update.tree()


class ReportedPlace(Struct, frozen=True):
    """Where the user's repository asks for a release: a line of a lockfile, relative to the checked folder."""

    purl: str
    path: str
    line: int


class Report(Struct, frozen=True):
    """What one run says. ``problems`` are things that could not be checked at all, each with its place.

    ``notes`` say what of the user's own configuration made the sources weaker than they could be.
    """

    schema: str
    product: str
    updates: tuple[UpdateReport, ...]
    weights_status: str
    problems: tuple[str, ...] = ()
    places: tuple[ReportedPlace, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """The worst verdict of all updates; ``hold`` if anything could not be checked."""
        words = {update.verdict for update in self.updates}
        if "block" in words:
            return "block"
        return "hold" if "hold" in words or self.problems else "allow"

    @property
    def complete(self) -> bool:
        """Whether everything that was asked could be checked."""
        return not self.problems and all(update.complete for update in self.updates)


EXIT_ALLOW, EXIT_REFUSED, EXIT_USAGE, EXIT_INCOMPLETE, EXIT_NOTHING = range(5)
"""0 allowed and complete; 1 held or blocked for cause; 2 usage or settings; 3 not all was checked; 4 nothing to do."""


def exit_code(report: Report) -> int:
    """Return the exit code of a run.

    A block, or a hold for cause (charges, cooldown), is 1 even where something else was incomplete; 3 says
    that nothing but incompleteness stands in the way.
    """
    if not report.updates and not report.problems:
        return EXIT_NOTHING
    parts = [part for update in report.updates if update.verdict != "allow" for part in update.tree()]
    if any(part.verdict == "block" or (part.verdict == "hold" and part.for_cause) for part in parts):
        return EXIT_REFUSED
    return EXIT_ALLOW if report.complete and report.verdict == "allow" else EXIT_INCOMPLETE
