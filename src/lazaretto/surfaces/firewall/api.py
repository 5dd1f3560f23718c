"""What is held, and deciding about it, for programs: ``/-/lazaretto/review``. Needs a token with the scope *review*."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from lazaretto.app import review
from lazaretto.app.ports import Ledger, PortError
from lazaretto.app.shelf import Advise
from lazaretto.core.access import Scope
from lazaretto.core.firewall_policy import FirewallPolicy
from lazaretto.core.standing import Decision
from lazaretto.surfaces.firewall import answers
from lazaretto.surfaces.firewall.access.middleware import require
from lazaretto.surfaces.firewall.desk import Desk

MAX_LISTED = 1000
"""Refusals that are listed."""


class Deed(Struct, frozen=True, forbid_unknown_fields=True):
    """What is posted: the verb, the reason, and until when (a date and time with its offset)."""

    verb: review.Verb
    reason: str
    until: datetime | None = None


class Shown(Struct, frozen=True):
    """A decision as it is told. In the queue also whom it is refused to: everyone (but groups that are not named)?"""

    verdict: str
    ecosystem: str
    project: str
    version: str
    filename: str
    digest: str
    outcome: str
    basis: str
    reason: str
    decided_at: datetime
    expires: datetime | None
    everyone: bool | None = None
    groups: tuple[str, ...] | None = None


class Review:
    """The routes of the review API."""

    def __init__(self, desk: Desk, ledger: Ledger, advise: Advise, policy: FirewallPolicy) -> None:
        self._desk = desk
        self._ledger = ledger
        self._advise = advise
        self._policy = policy

    async def queue(self, request: Request) -> Response:
        """Answer with what is refused now, the latest first."""
        require(request.scope, Scope.REVIEW)
        try:
            return _answer(await self._desk.run_here(self._queue))
        except PortError as error:
            return answers.problem(error)

    def _queue(self) -> list[Shown]:
        found = review.queue(self._ledger, self._advise, self._policy, self._desk.now(), MAX_LISTED)
        listed = []
        for item in found:
            stands = item.standing
            if item.decision is not None:
                told = (stands.outcome.word, stands.basis.value, stands.reason)
                listed.append(_shown(item.decision, *told, everyone=item.everyone, groups=item.groups))
        return listed

    async def decide(self, request: Request) -> Response:
        """Carry out an act on what the address names: a verdict id, a digest, or a package URL."""
        viewer = require(request.scope, Scope.REVIEW)
        try:
            deed = msgspec.json.decode(await request.body(), type=Deed)
            until = deed.until.astimezone(UTC) if deed.until is not None and deed.until.tzinfo is not None else None
            if deed.until is not None and until is None:
                return answers.said(400, "until has no offset; write 2026-12-31T00:00:00Z")
            subject, now = request.path_params["subject"], self._desk.now()
            made = await self._desk.run_here(
                review.decide, self._ledger, deed.verb, subject, viewer.token or "", deed.reason, until, now
            )
        except msgspec.DecodeError as error:
            return answers.said(400, f"the act cannot be read: {error}")
        except review.ReviewError as error:
            return answers.said(400, str(error))
        except PortError as error:
            return answers.problem(error)
        return _said(made)


def _said(decisions: tuple[Decision, ...]) -> Response:
    return _answer([_shown(one, one.outcome.word, one.basis.value, one.reason) for one in decisions])


def _shown(one: Decision, outcome: str, basis: str, reason: str, **whom: Any) -> Shown:  # noqa: ANN401 - of two types
    return Shown(
        verdict=one.verdict,
        ecosystem=one.ecosystem,
        project=one.project,
        version=one.version,
        filename=one.filename,
        digest=one.sha256 or one.told,
        outcome=outcome,
        basis=basis,
        reason=reason,
        decided_at=one.decided_at,
        expires=one.expires,
        **whom,
    )


def _answer(shown: list[Shown]) -> Response:
    headers = {"content-type": "application/json", "cache-control": "no-store"}
    return Response(msgspec.json.encode(shown), headers=headers)
