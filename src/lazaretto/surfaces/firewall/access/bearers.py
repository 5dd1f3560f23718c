"""Tokens of other issuers at the door: verified, remembered for a moment, their keys asked for once at a time."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from lazaretto.app.ports import RegistryError
from lazaretto.core.identity_token import Holder, Issuer
from lazaretto.infra.redact import Secret
from lazaretto.surfaces.firewall.access.refusal import Refused

if TYPE_CHECKING:
    from lazaretto.infra.oidc import Verifier

REMEMBERED = timedelta(minutes=5)
"""For how long it is remembered that a token was verified; no longer than it is good."""

MAX_REMEMBERED = 1024
"""Tokens that are remembered."""

Ask = Callable[[Issuer, datetime], Awaitable[None]]
"""Get an issuer's keys. Raises RegistryError."""


class Bearers:
    """Finds out whose token it is. For one event loop."""

    def __init__(self, verifier: "Verifier", ask: Ask, now: Callable[[], datetime]) -> None:
        self._verifier = verifier
        self._ask = ask
        self._now = now
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._known: OrderedDict[bytes, tuple[Holder, datetime]] = OrderedDict()

    async def holder(self, shown: Secret) -> Holder | None:
        """Return whose token it is; None if it is no token of a configured issuer.

        Raises:
            Refused: it is one, and is not taken, or its issuer's keys cannot be had.
        """
        token, now = shown.reveal(), self._now()
        mark = sha256(token.encode("utf-8", "surrogateescape")).digest()
        known = self._known.get(mark)
        if known is not None and now < min(known[0].until, known[1]) and known[1] - REMEMBERED <= now:
            return known[0]
        self._known.pop(mark, None)
        issuer = self._verifier.issuer(token)
        if issuer is None:
            return None
        found = await self._verified(issuer, token, now)
        self._known[mark] = (found, now + REMEMBERED)
        if len(self._known) > MAX_REMEMBERED:
            self._known.popitem(last=False)
        return found

    async def _verified(self, issuer: Issuer, token: str, now: datetime) -> Holder:
        from lazaretto.infra.oidc import NotTaken, UnknownKey

        if self._verifier.due(issuer, now):
            await self._refresh(issuer, now)
        try:
            try:
                return self._verifier.verify(issuer, token, now)
            except UnknownKey:
                if self._verifier.due(issuer, now, wanted=True):
                    await self._refresh(issuer, now)
                return self._verifier.verify(issuer, token, now)
        except UnknownKey:
            if not self._verifier.ready(issuer, now):
                reason = f"{issuer.name} cannot be asked for its keys; try again later"
                raise Refused(503, reason, ((b"retry-after", b"30"),)) from None
            raise Refused(401, f"the token's key is none that {issuer.name} has published") from None
        except NotTaken as error:
            raise Refused(401, str(error)) from None

    async def _refresh(self, issuer: Issuer, now: datetime) -> None:
        """Get an issuer's keys, or wait for whoever does. What goes wrong shows in the keys that are not there."""
        task = self._asking.get(issuer.url)
        if task is None:
            task = self._asking[issuer.url] = asyncio.ensure_future(self._asked(issuer, now))
        await asyncio.shield(task)

    async def _asked(self, issuer: Issuer, now: datetime) -> None:
        try:
            await self._ask(issuer, now)
        except RegistryError:
            pass  # with the keys from before, or without any: then no token is taken
        finally:
            del self._asking[issuer.url]
