"""What people decide about artifacts: allow, block, waive, revoke. An act and its decisions are written together."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from lazaretto.app.ports import Ledger, PortError
from lazaretto.app.shelf import Advise
from lazaretto.core.act import Act
from lazaretto.core.firewall_policy import FirewallPolicy, Mode
from lazaretto.core.names import Digest
from lazaretto.core.policy import Outcome
from lazaretto.core.standing import Basis, Decision, Identity, Judge, Standing

MAX_LOOKED_AT = 5000
"""Last decisions that are looked at for what is refused by a cooldown alone."""

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


class Item(Struct, frozen=True):
    """An artifact in the queue: where it stands for whoever is in no group, and whom it is refused to.

    ``groups`` are those that it is refused to, in the order of the settings; ``everyone`` says that it is to whoever is
    in none of them. What a group only watches is refused to nobody of it. ``standing`` is that of the first of these
    groups where it is refused to groups alone; ``decision`` is the last one.
    """

    identity: Identity
    standing: Standing
    everyone: bool
    groups: tuple[str, ...]
    decision: Decision | None = None

    @property
    def refused(self) -> bool:
        """Whether it is to anybody."""
        return self.everyone or bool(self.groups)


def queue(ledger: Ledger, advise: Advise, policy: FirewallPolicy, now: datetime, limit: int) -> Iterator[Item]:
    """Yield at most ``limit`` artifacts that are refused to anybody now, the latest decision first.

    What goes out on its identity, although its reading came to no end, is not. Raises LedgerError.
    """
    shown = 0
    all_cooldowns = (policy.cooldown, *(group.cooldown for group in policy.groups))
    cooldowns = [one for one in all_cooldowns if one is not None]
    since = now - max(cooldowns) if cooldowns else None  # what a reading allowed may be too young all the same
    for decision in ledger.refusals(MAX_LOOKED_AT if cooldowns else limit, since):
        for identity in ledger.find(decision.verdict):
            item = stands(ledger, advise, policy, identity, now)
            if item.refused:
                yield replace(item, decision=decision)
                shown += 1
            if shown == limit:
                return


def stands(ledger: Ledger, advise: Advise, policy: FirewallPolicy, identity: Identity, now: datetime) -> Item:
    """Return where an artifact stands, for each group by its own policy. Raises LedgerError."""
    decisions = ledger.decisions(identity.ecosystem, identity.project)
    own = tuple(one for one in decisions if (one.filename, one.told) == (identity.filename, identity.told))
    identities = ledger.identities(identity.ecosystem, identity.project)
    known = advise(identity.ecosystem, identity.project, (identity.version,)).known(identities, own)

    def standing(group: str | None) -> tuple[Standing, bool]:
        applied = policy.of(group)
        judge = Judge(identity.ecosystem, identity.project, known, applied, now)
        found = judge.artifact(identity.version, identity.filename, identity.told, identity.published)
        return found, applied.mode is Mode.ENFORCE and not found.open

    general, everyone = standing(None)
    groups = {one.name: found for one in policy.groups for found, refused in [standing(one.name)] if refused}
    shown = general if everyone or not groups else next(iter(groups.values()))
    return Item(identity, shown, everyone, tuple(groups))


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
