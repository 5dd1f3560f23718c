"""From an update to records: one for each check, also when it failed."""

from collections.abc import Sequence

from lazaretto.app.ports import ArchiveError, EngineError, PortError, Untrusted
from lazaretto.core.facts import Problem
from lazaretto.core.finding import Detector, Finding
from lazaretto.core.model import Provided
from lazaretto.core.names import ProjectName
from lazaretto.core.policy import Outage
from lazaretto.core.update import Pair, Update
from lazaretto.core.verdict import (
    BASIC_CHECKS,
    CHECK_ARCHIVE,
    CHECK_FILES,
    CHECK_INDEX,
    CHECK_MANIFEST,
    Record,
    RecordState,
)

BASIC_VERSION = 1
_OURS = (Provided.VERIFICATION, Provided.SOURCE)
MAX_PROBLEMS = 20
"""Problems that a record spells out; the rest is counted."""


def required_checks(detectors: Sequence[Detector], provides: frozenset[Provided]) -> frozenset[str]:
    """Return the checks that this registry can answer: the basic ones, and every detector it has the fields for."""
    askable = (detector.CARD.id for detector in detectors if detector.CARD.needs <= provides)
    return frozenset(BASIC_CHECKS) | frozenset(askable)


def not_asked(detectors: Sequence[Detector], provides: frozenset[Provided]) -> tuple[str, ...]:
    """Return a sentence for each question that could not be put, because the registry does not tell."""
    sentences = []
    for detector in detectors:
        absent = sorted(detector.CARD.needs - provides)
        if absent == [Provided.VERIFICATION]:
            sentences.append(
                f'{detector.CARD.id}: signatures are not verified (policy.attestations = "verify" does it)'
            )
        elif absent := [field for field in absent if field not in _OURS]:
            sentences.append(f"{detector.CARD.id}: this registry does not tell {', '.join(absent)}")
    return tuple(sentences)


def complete(check: str, findings: Sequence[Finding] = (), version: int = BASIC_VERSION) -> Record:
    """Return the record of a check that ran to its end."""
    return Record(check=check, version=version, state=RecordState.COMPLETE, findings=tuple(findings))


def incomplete(check: str, outage: Outage, problems: Sequence[str], version: int = BASIC_VERSION) -> Record:
    """Return the record of a check that could not be finished."""
    shown = tuple(problems[:MAX_PROBLEMS])
    if len(problems) > MAX_PROBLEMS:
        shown += (f"and {len(problems) - MAX_PROBLEMS} more",)
    return Record(check=check, version=version, state=RecordState.INCOMPLETE, problems=shown, outage=outage)


def index_record(project: ProjectName, withdrawn: frozenset[Provided]) -> Record:
    """Return the record of the index: one that never tells is not punished, one that stops telling is not believed."""
    if not withdrawn:
        return complete(CHECK_INDEX)
    fields = ", ".join(sorted(withdrawn))
    text = f"the registry used to tell the {fields} of {project} and tells it no longer"
    return incomplete(CHECK_INDEX, Outage.UNTRUSTED, [text])


def archive_record(errors: Sequence[PortError], *, read: bool) -> Record:
    """Return the record of getting and unpacking artifacts; ``read``: at least one of them could be."""
    if not errors and read:
        return complete(CHECK_ARCHIVE)
    outage = Outage.UPSTREAM
    for error in errors:
        if isinstance(error, ArchiveError):
            outage = Outage.ARCHIVE
        elif isinstance(error, EngineError):
            outage = Outage.READER
        elif isinstance(error, Untrusted):
            outage = Outage.UNTRUSTED
    problems = [str(error) for error in errors] or ["the release has no artifact to read"]
    return incomplete(CHECK_ARCHIVE, outage, problems)


def reading_records(update: Update) -> dict[str, Record]:
    """Return the records of the manifest and of the files.

    Of an update, only what it changed or added must be understood: an unchanged file that nobody
    understands was there before, and the facts it may hide are no news. Nor is there anything to hold in
    what stands in a source distribution alone (ADR 0013): see ``left_unread``.
    """
    manifest: list[str] = []
    files: list[str] = []
    stopped = False
    for pair in update.pairs:
        for path, problem in pair.after.problems:
            if path == pair.after.manifest.path:
                manifest.append(_place(pair, path, problem))
            elif _is_news(pair, path) and path not in pair.after.left_out:
                files.append(_place(pair, path, problem))
                stopped = stopped or problem.reason.startswith("reader stopped")
    outage = Outage.READER if stopped else Outage.NOT_UNDERSTOOD
    return {
        CHECK_MANIFEST: incomplete(CHECK_MANIFEST, Outage.NOT_UNDERSTOOD, manifest)
        if manifest
        else complete(CHECK_MANIFEST),
        CHECK_FILES: incomplete(CHECK_FILES, outage, files) if files else complete(CHECK_FILES),
    }


def left_unread(update: Update) -> tuple[str, ...]:
    """Return a sentence for each file that was not understood, and that no installation has."""
    told: dict[tuple[str, str], str] = {}
    for pair in update.pairs:
        for path, problem in pair.after.problems:
            if path in pair.after.left_out and _is_news(pair, path):
                told.setdefault((pair.after.artifact.filename, path), _place(pair, path, problem))
    sentences = [f"what is in {place} (no wheel has this file, and no build runs it)" for place in told.values()]
    more = len(sentences) - MAX_PROBLEMS
    return tuple(sentences[:MAX_PROBLEMS]) + ((f"what is in {more} more such files",) if more > 0 else ())


def _place(pair: Pair, path: str, problem: Problem) -> str:
    return f"{pair.after.artifact.filename}!{path}:{problem.line}: {problem.reason}"


def detector_records(update: Update, detectors: Sequence[Detector]) -> dict[str, Record]:
    """Run every detector whose fields the registry tells; one that fails leaves an incomplete record."""
    records = {}
    for detector in detectors:
        card = detector.CARD
        if not card.needs <= update.provides:
            continue
        try:
            findings = tuple(detector.detect(update))
        except Exception as error:  # noqa: BLE001 - whatever a detector does, the answer is "incomplete", never silence
            reason = f"the detector failed: {type(error).__name__}: {error}"
            records[card.id] = incomplete(card.id, Outage.DETECTOR, [reason], card.version)
            continue
        records[card.id] = complete(card.id, findings, card.version)
    return records


def _is_news(pair: Pair, path: str) -> bool:
    return pair.before is None or path in pair.changes
