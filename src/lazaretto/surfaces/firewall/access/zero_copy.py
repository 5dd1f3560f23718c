"""Files that the kernel sends by itself (ASGI extension ``http.response.zerocopysend``), which the server lacks.

The event loop has no such thing either, so the socket is written to directly: only when nothing of an earlier answer
waits in the loop's own buffer, so that the order of bytes is kept, and through a descriptor of our own, because the
loop keeps its own for itself. Whatever does not fit goes the usual way.
"""

import asyncio
import os
import socket
from contextlib import suppress
from typing import Any, Protocol

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from lazaretto.surfaces.firewall.access.refusal import Application, ASGIScope, Message, Receive, Send

EXTENSION = "http.response.zerocopysend"
FOLLOWED = "lazaretto.followed"
"""What the start of an answer has whose next message is a file. It tells its length, and its headers are in order."""


class File(Protocol):
    """What can be sent: a file that does not change, and its bytes for whoever cannot send a file."""

    def fileno(self) -> int:
        """Return its descriptor."""
        ...

    def __getitem__(self, part: slice) -> bytes:
        """Return a part of its bytes."""
        ...


class Line:
    """One connection, as far as files are sent over it."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop, patience: float) -> None:
        """``patience``: seconds in which the other side must take something."""
        self._transport = transport
        self._loop = loop
        self._patience = patience
        self._socket: socket.socket | None = None
        self._writable: asyncio.Future[bool] | None = None
        self._lost = False

    def lost(self) -> None:
        """Note that the connection has ended."""
        self._lost = True
        self._wake(ready=False)
        if self._socket is not None:
            self._loop.remove_writer(self._socket.fileno())
            self._socket.close()

    def begin(self, head: bytes) -> bool:
        """Send what comes before a file; whether a file may follow. If not, the usual way has the rest of it."""
        if self._lost or self._transport.get_write_buffer_size():
            self._transport.write(head)
            return False
        sent = 0
        with suppress(OSError):
            sent = self._own().send(head, socket.MSG_MORE)
        if sent < len(head):
            self._transport.write(head[sent:])
        return sent == len(head)

    async def file(self, file: File, offset: int, count: int) -> None:
        """Send a part of a file. One that is not taken in time, or by nobody, ends the connection."""
        end = offset + count
        while offset < end and not self._lost:
            try:
                sent = os.sendfile(self._own().fileno(), file.fileno(), offset, end - offset)
                if not sent:  # the file is shorter than it said
                    break
            except BlockingIOError:
                sent = 0
            except OSError:
                break
            offset += sent
            if offset < end and not await self._taken():
                break
        if offset < end:
            self._transport.abort()

    async def _taken(self) -> bool:
        """Wait until the other side has taken something; whether it has."""
        writable: asyncio.Future[bool] = self._loop.create_future()
        self._writable, descriptor = writable, self._own().fileno()
        self._loop.add_writer(descriptor, self._wake)
        timer = self._loop.call_later(self._patience, lambda: self._wake(ready=False))
        try:
            return await writable
        finally:
            timer.cancel()
            if not self._lost:
                self._loop.remove_writer(descriptor)

    def _wake(self, *, ready: bool = True) -> None:
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(ready)

    def _own(self) -> socket.socket:
        """Return the connection's socket with a descriptor of our own. Raises OSError."""
        if self._socket is None:
            theirs = self._transport.get_extra_info("socket")
            self._socket = socket.socket(fileno=os.dup(theirs.fileno()))
        return self._socket


def with_files(app: Application, line: Line, cycle: Any) -> Application:  # noqa: ANN401 - uvicorn's own, see ``protocol``
    """Return an application that may send files over a connection; ``cycle`` is the server's answer to a request."""

    async def asked(scope: ASGIScope, receive: Receive, send: Send) -> None:
        start: Message | None = None

        async def sending(message: Message) -> None:
            nonlocal start
            kind = message["type"]
            if kind == "http.response.start" and FOLLOWED in message:
                start = message  # kept until the file comes, so that they go out together
                return
            held, start = start, None
            if kind != EXTENSION:
                if held is not None:
                    await send(held)
                await send(message)
                return
            file, offset, count = message["file"], message["offset"], message["count"]
            if cycle.disconnected or not await _started(cycle, send, held, line):
                await send({"type": "http.response.body", "body": file[offset : offset + count]})
                return
            await line.file(file, offset, count)
            cycle.expected_content_length -= count
            await send({"type": "http.response.body", "body": b""})

        scope["extensions"] = {EXTENSION: {}}
        await app(scope, receive, sending)
        if start is not None:
            await send(start)  # an answer without an end: the server says what it thinks of it

    return asked


async def _started(cycle: Any, send: Send, start: Message | None, line: Line) -> bool:  # noqa: ANN401
    """Send the head of an answer, as the server writes it; whether a file may follow."""
    if start is None:
        return False
    if cycle.flow.write_paused:
        await send(start)
        return False
    parts = [STATUS_LINE[start["status"]]]
    for name, value in (*cycle.default_headers, *start["headers"]):
        parts += (name, b": ", value, b"\r\n")
        if name == b"content-length":
            cycle.expected_content_length = int(value)
    parts.append(b"\r\n" if cycle.keep_alive else b"connection: close\r\n\r\n")
    cycle.response_started, cycle.chunked_encoding, cycle.waiting_for_100_continue = True, False, False
    return line.begin(b"".join(parts))
