"""The server's HTTP protocol with what it lacks: bounds on the request line, the headers, and the time to send them.

uvicorn ends a connection that idles *between* requests (``timeout_keep_alive``), answers 503 beyond
``limit_concurrency``, and holds back a client that sends a body faster than it is read. It bounds neither the bytes of
request line and headers nor the time before they are complete, not even of a connection that never says a word, nor
the time of a body, nor how long an answer may lie unread. A client that sends one byte a minute (slow-loris) would
keep its connection for ever, and one that never ends its headers would fill the memory. Here each has its bound.

``uvicorn.Config(http=bounded(Bounds(...)))`` takes this in the place of its own.
"""

import asyncio
from asyncio import TimerHandle
from typing import Any

from msgspec import Struct
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from lazaretto.core.access import Networks, address
from lazaretto.surfaces.firewall.access.zero_copy import Line, with_files

MAX_HEAD = 32 * 1024
"""Largest request line with all headers, in bytes; as much again for what a chunked body has beside its data."""

MAX_HEADERS = 100
"""Most headers of a request."""

HEAD_SECONDS = 15.0
"""Time for a request line and headers, from the connection or their first byte on, until they are whole."""

BODY_SECONDS = 60.0
"""Time for the body of a request, until it is whole."""

WRITE_SECONDS = 60.0
"""Time in which a client must take at least ``MIN_TAKEN`` bytes of an answer that waits for it."""

MIN_TAKEN = 16 * 1024

MAX_CONNECTIONS = 2000
"""Most connections of one address."""

MAX_OPEN = 65_024
"""Most connections in all; fewer where the process may not have so many open files."""


class Bounds(Struct, frozen=True):
    """What one connection may cost; see the constants of this module.

    ``proxies`` are networks whose addresses may have any number of connections: each stands for many clients.
    """

    head: int = MAX_HEAD
    headers: int = MAX_HEADERS
    head_seconds: float = HEAD_SECONDS
    body_seconds: float = BODY_SECONDS
    write_seconds: float = WRITE_SECONDS
    connections: int = MAX_CONNECTIONS
    open: int = MAX_OPEN
    proxies: tuple[str, ...] = ()


def bounded(bounds: Bounds) -> type[asyncio.Protocol]:
    """Return the protocol with these bounds, and a count of connections of its own.

    Raises ValueError that names the proxy which is no network.
    """
    proxies = Networks({"proxies": bounds.proxies})
    return type("BoundedProtocol", (_Bounded,), {"bounds": bounds, "counts": {}, "proxies": proxies})


class _Bounded(HttpToolsProtocol):
    """An ordinary request sets no timer: it comes whole, and what comes whole needs none."""

    bounds: Bounds
    counts: dict[str, int]  # address -> open connections
    proxies: Networks

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - handed on as it is
        super().__init__(*args, **options)
        self._timer: TimerHandle | None = None
        self._writing: TimerHandle | None = None
        self._loose = 0  # bytes that came since the last whole head, piece of a body, or end of a request
        self._came = 0  # bytes that came together last
        self._in_body = False
        self._cycles: list[Any] = []  # requests whose answers are due, in their order; the server knows the last alone
        self._address = ""
        self._over = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn declares it
        super().connection_made(transport)
        self._line = Line(transport, self.loop, self.bounds.write_seconds)
        self._address = self.client[0] if self.client else ""
        self.counts[self._address] = self.counts.get(self._address, 0) + 1
        if self.counts[self._address] > self.bounds.connections and not self._many():
            self._end(503, "too many connections from this address")
        elif len(self.connections) > self.bounds.open:
            self._end(503, "too many connections")  # one more might be the file that an answer needs
        else:
            self._wait(self.bounds.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        self._stop_writing()
        self._line.lost()
        self.counts[self._address] -= 1
        if not self.counts[self._address]:
            del self.counts[self._address]
        self._silence()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._over:
            return
        self._came = len(data)
        self._loose += self._came
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._loose > self.bounds.head:
            self._end(431, "the headers of the request are too large")
        elif self._timer is None and (self._in_body or self._loose):
            self._wait(self.bounds.body_seconds if self._in_body else self.bounds.head_seconds)

    def on_headers_complete(self) -> None:
        if self._over:
            return
        self._stop()
        most = max(self._loose, self._came)  # no head is larger than what it came in
        self._loose = 0
        if most > self.bounds.head:
            most = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if most > self.bounds.head or len(self.headers) > self.bounds.headers:
            self._end(431, "the headers of the request are too large, or too many")
            return
        self._in_body = True
        super().on_headers_complete()
        self._cycles = [*self._due(), self.cycle]

    def on_body(self, body: bytes) -> None:
        self._loose = 0
        if not self._over:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._stop()
        self._loose = 0
        self._in_body = False
        if not self._over:
            super().on_message_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stop_writing()
        self._watch_writing()

    def resume_writing(self) -> None:
        self._stop_writing()
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        self._end(400, msg)

    def timeout_keep_alive_handler(self) -> None:
        if self.transport.get_write_buffer_size():
            self._abandon()  # closing would wait for ever for what the client does not take
        else:
            super().timeout_keep_alive_handler()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:  # noqa: ANN401 - as uvicorn has it
        sending: Any = with_files(app, self._line, cycle)
        super()._start_asgi_task(cycle, sending)

    def _many(self) -> bool:
        """Whether this address stands for many clients: a Unix socket, or a proxy that is trusted."""
        return not self._address or self.proxies.of(address(self._address)) is not None

    def _wait(self, seconds: float) -> None:
        self._timer = self.loop.call_later(seconds, self._too_slow)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _watch_writing(self) -> None:
        size = self.transport.get_write_buffer_size()
        self._writing = self.loop.call_later(self.bounds.write_seconds, self._look_at_writing, size)

    def _look_at_writing(self, before: int) -> None:
        if before - self.transport.get_write_buffer_size() < MIN_TAKEN:
            self._abandon()
        else:
            self._watch_writing()

    def _stop_writing(self) -> None:
        if self._writing is not None:
            self._writing.cancel()
            self._writing = None

    def _too_slow(self) -> None:
        self._timer = None
        if not self._in_body and not self._loose:
            self._abandon()  # not a word was said: there is nothing to answer
        else:
            self._end(408, "the request did not come in time")

    def _abandon(self) -> None:
        """Give a connection up at once, with whatever lies in its buffers."""
        self._over = True
        self._silence()
        self.transport.abort()

    def _due(self) -> list[Any]:
        """Return the requests that have not had all of their answers."""
        return [cycle for cycle in self._cycles if not cycle.response_complete]

    def _silence(self) -> None:
        """Let whatever is still answered here end without a word: to write to what is closed is an error."""
        for cycle in self._due():
            cycle.disconnected = True
            cycle.message_event.set()

    def _end(self, status: int, reason: str) -> None:
        """Answer, and close: what is left of the request is not looked at."""
        self._over = True
        self._stop()
        due = self._due()
        self._silence()
        mine = self.cycle if self._in_body else None
        if mine is not None and mine.response_started:
            self.transport.abort()  # it has had its answer, or the beginning of one
            return
        if any(cycle is not mine for cycle in due):
            self.transport.abort()  # the answer to an earlier request is due: this one would be taken for it
            return
        body = reason.encode()
        self.transport.write(
            STATUS_LINE[status] + b"content-type: text/plain; charset=utf-8\r\nconnection: close\r\n"
            b"content-length: %d\r\n\r\n%s" % (len(body), body)
        )
        self.transport.close()
