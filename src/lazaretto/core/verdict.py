"""Records and the verdict. ``decide`` is the one place where permission is given.

A check's outcome is one indivisible record. ALLOW needs a complete record of *every* required check;
an absent or incomplete one is refused by the failure policy (HOLD unless the user said otherwise).
What can block is required; what is not required has no say. Both rules were found by a property
test (``tests/core/test_verdict_laws.py``): without them, leaving out a record can turn a refusal
into a permission.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from lazaretto.core.finding import Finding
from lazaretto.core.names import Digest, Purl
from lazaretto.core.policy import Outage, Outcome, Policy, Waiver
from lazaretto.core.weight import Charge, WeightTable, weigh

CHECK_INDEX = "index"
CHECK_ARCHIVE = "archive"
CHECK_MANIFEST = "manifest"
CHECK_FILES = "files"
CHECK_EDGES = "edges"
CHECK_INTELLIGENCE = "intelligence"
"""Could all that was imported be asked, and does it speak against the release? Asked where anything was imported."""
CHECK_ATTESTATION = "attestation"
"""Could everything that the index says is attested or signed be got, and verified if that is wanted?"""
CHECK_SOURCE = "source"
"""Could the artifacts be compared with the repository, as the user demanded?"""
ASKED_CHECKS = frozenset((CHECK_ATTESTATION, CHECK_INTELLIGENCE, CHECK_SOURCE))
"""The checks that are required of a release if they were asked about it."""
BASIC_CHECKS = (CHECK_INDEX, CHECK_ARCHIVE, CHECK_MANIFEST, CHECK_FILES, CHECK_EDGES)
"""The checks that are no detectors: could everything be fetched, unpacked, parsed and followed?"""


class RecordState(StrEnum):
    """Whether a check ran to its end."""

    COMPLETE = "complete"
    INCOMPLETE = "incomplete"


class Record(Struct, frozen=True):
    """That one check ran over one subject, with this version, and all that it saw.

    ``outage`` is set if and only if the record is incomplete; ``problems`` say what and where. ``demand`` is the least
    that the verdict must be whatever is charged, and ``demands`` say why: somebody has said what this release is.
    ``notes`` ask for nothing.
    """

    check: str
    version: int
    state: RecordState
    findings: tuple[Finding, ...] = ()
    problems: tuple[str, ...] = ()
    outage: Outage | None = None
    demand: Outcome = Outcome.ALLOW
    demands: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Subject(Struct, frozen=True):
    """What a verdict is about: a release, and the digests of the artifacts that were read."""

    purl: Purl
    digests: tuple[Digest, ...]
    published: datetime | None = None


class Verdict(Struct, frozen=True):
    """ALLOW, HOLD or BLOCK for one subject under one policy.

    ``for_cause`` says that charges or the cooldown refuse it, not only a check that could not be
    finished. ``missing`` names required checks without a complete record. ``reasons`` are sentences for
    a person. ``unwaived`` is what the verdict would be without the waiver.
    """

    subject: Subject
    outcome: Outcome
    complete: bool
    charge: Charge
    reasons: tuple[str, ...]
    for_cause: bool = False
    missing: tuple[str, ...] = ()
    unwaived: Outcome | None = None
    waiver: Waiver | None = None


def decide(
    subject: Subject,
    required: frozenset[str],
    records: Mapping[str, Record],
    table: WeightTable,
    policy: Policy,
    now: datetime,
) -> Verdict:
    """Return the verdict on ``subject``.

    ``records`` maps a check to its one record; those of checks that are not required have no say.
    An empty ``required`` permits nothing.

    Raises:
        KeyError: a finding has no row in the weight table.
    """
    outcome, reasons, missing = _completeness(required, records, policy)
    findings = tuple(f for name in sorted(required & records.keys()) for f in records[name].findings)
    charge = weigh(findings, table)
    for_cause = False
    for record in (records[name] for name in sorted(required & records.keys())):
        if record.demand is not Outcome.ALLOW:
            outcome, for_cause = max(outcome, record.demand), True
            reasons.extend(record.demands)
    for threshold, level in ((policy.block_at, Outcome.BLOCK), (policy.hold_at, Outcome.HOLD)):
        if charge.total >= threshold:
            outcome, for_cause = max(outcome, level), True
            reasons.append(f"charges of {charge.total:g} dB reach the {level.word} threshold of {threshold:g} dB")
            break
    if outcome is Outcome.ALLOW and policy.cooling(subject.published, now, clean=not findings):
        outcome, for_cause = Outcome.HOLD, True
        reasons.append(f"younger than the cooldown of {policy.cooldown_text()}")
    waiver = policy.waiver_for(subject.purl, subject.digests, now) if outcome is not Outcome.ALLOW else None
    if waiver is not None:
        reasons.append(f"waived by {waiver.by} until {waiver.until.isoformat()}: {waiver.reason}")
    return Verdict(
        subject=subject,
        outcome=Outcome.ALLOW if waiver else outcome,
        complete=not missing,
        charge=charge,
        reasons=tuple(reasons),
        for_cause=for_cause,
        missing=tuple(missing),
        unwaived=outcome if waiver else None,
        waiver=waiver,
    )


def _completeness(
    required: frozenset[str], records: Mapping[str, Record], policy: Policy
) -> tuple[Outcome, list[str], list[str]]:
    """Return what the failure policy makes of absent and incomplete records."""
    if not required:
        return Outcome.HOLD, ["no check is required, so nothing can be permitted"], ["(none required)"]
    outcome, reasons, missing = Outcome.ALLOW, [], []
    for name in sorted(required):
        record = records.get(name)
        if record is not None and record.state is RecordState.COMPLETE:
            continue
        outage = record.outage if record is not None and record.outage is not None else Outage.NOT_RUN
        outcome = max(outcome, policy.on_outage(outage))
        missing.append(name)
        detail = f": {record.problems[0]}" if record is not None and record.problems else ""
        reasons.append(f"the check {name} is incomplete ({outage.value}){detail}")
    return outcome, reasons, missing
