"""A request that is refused before the gate, and the answer that says so."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec

ASGIScope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[ASGIScope, Receive, Send], Awaitable[None]]


class Refused(Exception):
    """The request is not answered: the status, a reason without anything secret, and headers for the client."""

    def __init__(self, status: int, reason: str, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.headers = headers


async def answer(scope: ASGIScope, send: Send, refused: Refused) -> None:
    """Send a refusal as JSON, in the form that npm prints (``error``); pip shows the status alone.

    The connection ends with it: what else the client was sending is not read.
    """
    body = msgspec.json.encode({"error": refused.reason})
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"connection", b"close"),
        *refused.headers,
    ]
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope.get("method") == "HEAD" else body})
