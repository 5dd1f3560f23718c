"""What people decide about artifacts: allow, block, waive, revoke. An act and its decisions are written together."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from lazaretto.app.ports import Ledger, PortError
from lazaretto.core.act import Act
from lazaretto.core.names import Digest
from lazaretto.core.policy import Outcome
from lazaretto.core.standing import Basis, Decision, Identity

_STRONG = ("sha512:", "sha384:", "sha256:")


class ReviewError(PortError):
    """An act that cannot be carried out; the message says what would make it possible."""


class Verb(StrEnum):
    """What a person may do."""

    ALLOW = "allow"
    BLOCK = "block"
    WAIVE = "waive"
    REVOKE = "revoke"


_OUTCOMES = {
    Verb.ALLOW: Outcome.ALLOW,
    Verb.BLOCK: Outcome.BLOCK,
    Verb.WAIVE: Outcome.ALLOW,
    Verb.REVOKE: Outcome.HOLD,
}


def find(ledger: Ledger, subject: str) -> tuple[Identity, ...]:
    """Return the artifacts that a verdict id, a digest or a package URL with a version names.

    Raises:
        ReviewError: the firewall has seen none.
        LedgerError: the ledger cannot be read.
    """
    try:
        found = ledger.find(subject)
    except ValueError as error:
        raise ReviewError(str(error)) from None
    if not found:
        raise ReviewError(
            f"the firewall has seen nothing named {subject!r}; name a verdict id, a digest (sha256:…), or a package "
            "URL with its version (pkg:npm/axios@1.14.1)"
        )
    return found


def decide(
    ledger: Ledger, verb: Verb, subject: str, who: str, reason: str, until: datetime | None, now: datetime
) -> tuple[Decision, ...]:
    """Carry out an act on every artifact that ``subject`` names, and return the decisions.

    ``allow`` and ``block`` stand until another act, or ``until``; ``waive`` needs its end. ``revoke`` takes back
    whatever permission there is: the artifact is held until a person decides again.

    Raises:
        ReviewError: nothing is named so, more than was read may be named so, or the act lacks something.
        LedgerError: the ledger cannot be read or written.
    """
    if not reason.strip() or not who.strip():
        raise ReviewError(f"{verb} needs a reason and a name: --reason TEXT --by NAME")
    if verb is Verb.WAIVE and until is None:
        raise ReviewError("a waiver needs its end: --until 2026-12-31 (to allow without an end, use allow)")
    if until is not None and until <= now:
        raise ReviewError(f"--until {until.isoformat()} is over already")
    found = find(ledger, subject)
    if _OUTCOMES[verb] is Outcome.ALLOW:
        _one_each(subject, found)
    decisions = tuple(_decision(ledger, verb, one, who, reason, until, now) for one in found)
    ledger.decide(decisions, Act(now, who, verb.value, _named(found), reason, until))
    return decisions


def _one_each(subject: str, found: Sequence[Identity]) -> None:
    """Raise ReviewError if a permission would reach further than what a person has read.

    A verdict id is short, so that whoever publishes can make two artifacts that share one: only a digest tells them
    apart. And a package URL names every digest that was ever told of a file, an exchanged one too.
    """
    files = {(one.ecosystem, one.project, one.filename) for one in found}
    by_digest = ":" in subject and not subject.startswith("pkg:")
    most = len(files) if subject.startswith("pkg:") else 1
    if not by_digest and len(found) > most:
        named = ", ".join(f"{one.told} ({one.project}@{one.version} {one.filename})" for one in found)
        raise ReviewError(f"{subject} names more than one artifact; name the one that was read by its digest: {named}")


def _decision(
    ledger: Ledger, verb: Verb, identity: Identity, who: str, reason: str, until: datetime | None, now: datetime
) -> Decision:
    digest = _last_digest(ledger, identity)
    outcome = _OUTCOMES[verb]
    if outcome is Outcome.ALLOW and digest is None and not identity.told.startswith(_STRONG):
        raise ReviewError(
            f"the index tells no strong digest of {identity.filename} and nobody has read it: its bytes are unknown"
        )
    return Decision(
        ecosystem=identity.ecosystem,
        project=identity.project,
        version=identity.version,
        filename=identity.filename,
        told=identity.told,
        sha256=digest,
        outcome=outcome,
        complete=True,
        basis=Basis.REVIEW,
        verdict=identity.verdict,
        reason=f"{who} said {verb.value}: {reason}",
        decided_at=now,
        expires=until,
        for_cause=outcome is not Outcome.ALLOW,
        by=who,
    )


def _last_digest(ledger: Ledger, identity: Identity) -> Digest | None:
    """Return the digest of the bytes that were last read or handed out under this identity."""
    decisions = ledger.decisions(identity.ecosystem, identity.project)
    same = [one for one in decisions if (one.filename, one.told) == (identity.filename, identity.told)]
    return next((one.sha256 for one in reversed(same) if one.sha256 is not None), None)


def _named(found: Sequence[Identity]) -> str:
    return ", ".join(f"{one.ecosystem}:{one.project}@{one.version} {one.filename} {one.verdict}" for one in found)
