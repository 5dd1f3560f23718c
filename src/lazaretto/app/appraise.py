"""Reading one artifact for the firewall: a question to the asker, and an answer that stands without the question."""

from datetime import datetime, timedelta
from hashlib import sha256

import msgspec

from lazaretto.app.analyse import Question
from lazaretto.app.ask import Asker
from lazaretto.app.ports import (
    BlobError,
    BlobStore,
    JournalError,
    NotFound,
    PortError,
    ReadAnswer,
    ReadRequest,
    Registry,
    Untrusted,
)
from lazaretto.app.report import UpdateReport
from lazaretto.core.model import Artifact
from lazaretto.core.names import Digest
from lazaretto.core.policy import Outage, Outcome, Policy
from lazaretto.core.standing import told_digest

TRY_AGAIN = timedelta(minutes=10)
"""After how long a reading that came to no end is begun anew."""

MAX_NAMED = 3
"""Findings that a reason names: whoever is refused sees what for, and the evidence is one command away."""


def appraise(
    request: ReadRequest, asker: Asker, registry: Registry, blobs: BlobStore, policy: Policy, now: datetime
) -> ReadAnswer:
    """Read an artifact, and keep exactly the bytes that were read. Never raises a PortError: it becomes an answer."""
    try:
        artifact = _artifact(request, registry)
        told = told_digest(artifact)
        if told != request.told:
            return failed(f"the index tells another digest of it now: {told or 'none'}", policy, now, told=told)
        report = asker.release(Question(request.project, request.version, files=(request.filename,)), now)
        digest = _keep(report, artifact, registry, blobs)
        return _answer(report, digest, blobs, told, policy, now)
    except (JournalError, BlobError) as error:  # the fault is ours: it says nothing of the release, and may end soon
        return ReadAnswer(request.told, None, "", False, False, False, str(error))
    except (PortError, OSError) as error:
        return failed(str(error), policy, now, told=request.told)


def failed(reason: str, policy: Policy, now: datetime, *, told: str, outage: Outage = Outage.UPSTREAM) -> ReadAnswer:
    """Return the answer where there is no reading: what the failure policy says of this class of outage."""
    outcome = policy.on_outage(outage)
    return ReadAnswer(
        told=told,
        sha256=None,
        outcome=outcome.word,
        complete=False,
        suspected=False,
        clean=False,
        reason=reason,
        expires=now + TRY_AGAIN,
    )


def _artifact(request: ReadRequest, registry: Registry) -> Artifact:
    release = registry.project(request.project).release(request.version)
    offered = release.artifacts if release is not None else ()
    found = next((one for one in offered if one.filename == request.filename), None)
    if found is None:
        raise NotFound(f"the index does not have {request.filename} of {request.project} any more")
    return found


def _keep(report: UpdateReport, artifact: Artifact, registry: Registry, blobs: BlobStore) -> Digest | None:
    """Keep the bytes that the report is about, and return their digest; None if it is about none.

    Raises:
        Untrusted: the registry gives others now.
    """
    read = {one.filename: one.digest for one in report.artifacts}.get(artifact.filename)
    if read is None:  # it could not be unpacked: there is nothing that may ever be handed out
        return None
    data = registry.download(artifact)
    if f"sha256:{sha256(data).hexdigest()}" != read:
        raise Untrusted(f"the registry gives other bytes for {artifact.filename} than those that were read")
    return blobs.put(data)


def _answer(
    report: UpdateReport, digest: Digest | None, blobs: BlobStore, told: str, policy: Policy, now: datetime
) -> ReadAnswer:
    parts = [part for part in report.tree() if part.verdict != Outcome.ALLOW.word]
    suspected = any(part.charge >= policy.hold_at or any(one.demand for one in part.records) for part in parts)
    allowed = report.verdict == Outcome.ALLOW.word
    findings = sum(len(part.findings) for part in report.tree())
    expires = None
    if report.waiver is not None:
        expires = datetime.fromisoformat(report.waiver.until)
    elif not allowed and not suspected:  # incomplete, or cooling down: time or another try may change it
        expires = now + TRY_AGAIN if not report.complete else report.expires
    return ReadAnswer(
        told=told,
        sha256=digest,
        outcome=report.verdict,
        complete=report.complete,
        suspected=suspected,
        clean=report.complete and not findings,
        reason=_reason(report),
        report=blobs.put(msgspec.json.encode(report)),
        expires=expires,
    )


def _reason(report: UpdateReport) -> str:
    if not report.reasons:
        return f"nothing found by {len(report.records)} checks that reaches a threshold"
    charged = [one for part in report.tree() if part.verdict != Outcome.ALLOW.word for one in part.findings]
    heaviest = sorted((one for one in charged if one.weight > 0), key=lambda one: -one.weight)
    named = ", ".join(list(dict.fromkeys(one.id for one in heaviest))[:MAX_NAMED])
    reasons = "; ".join(report.reasons[:3])
    return f"{reasons} ({named})" if named else reasons
