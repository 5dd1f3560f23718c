"""``/readyz``: whether what is asked for now could be handed out. A record that cannot be written means no."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from lazaretto.app.ports import PortError

PROBE_SECONDS = 1.0
"""For how long an answer counts: it costs a write, and anyone may ask."""


class Readiness:
    """Answers by what ``probe`` said last. For one event loop."""

    def __init__(self, probe: Callable[[], Awaitable[None]], monotonic: Callable[[], float] = time.monotonic) -> None:
        """``probe`` raises PortError if something that every answer needs does not work."""
        self._probe = probe
        self._monotonic = monotonic
        self._turn = asyncio.Lock()
        self._until = float("-inf")
        self._problem = ""

    async def answer(self, _: Request) -> Response:
        """Answer 200, or 503 with what is wrong."""
        async with self._turn:
            if self._monotonic() >= self._until:
                try:
                    await self._probe()
                    self._problem = ""
                except PortError as error:
                    self._problem = str(error)
                self._until = self._monotonic() + PROBE_SECONDS
        if self._problem:
            return PlainTextResponse(f"{self._problem}\n", 503)
        return PlainTextResponse("ready\n")
