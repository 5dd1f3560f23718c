"""Traces in OpenTelemetry's own protocol: spans of what was done for a request, sent as OTLP/HTTP with JSON.

Written out here because a span and its JSON are small, and what the SDK would bring is not: fourteen packages, protobuf
and a second HTTP client among them, in the process that decides. Off unless an endpoint is set, and then bounded:
spans that cannot be sent in time are dropped and counted, and nothing that is answered ever waits for them.
Specification: OTLP 1.x, *JSON Protobuf Encoding*; W3C Trace Context, level 1.
"""

import re
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from enum import IntEnum

import msgspec

from lazaretto import __version__
from lazaretto.core.inert import inert
from lazaretto.infra.redact import Secret
from lazaretto.infra.telemetry import scrubbed

MAX_WAITING = 4096
"""Most spans that wait to be sent; the oldest go first."""

MAX_BATCH = 512
"""Most spans that are sent at a time."""

MAX_ATTRIBUTE = 300
"""Longest text of an attribute, in characters before what is not printable is spelled out."""

SEND_SECONDS = 5.0
"""How often spans are sent, and how long sending them may take."""

_PARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_current: ContextVar["Span | None"] = ContextVar("span", default=None)
Attribute = str | int | float | bool


class Kind(IntEnum):
    """What a span stands for (OTLP, ``Span.SpanKind``)."""

    INTERNAL = 1
    SERVER = 2
    CLIENT = 3


class Span:
    """Something that takes time. ``trace`` and ``number`` are hexadecimal, as the protocol writes them."""

    __slots__ = ("attributes", "begun", "ended", "error", "kind", "name", "number", "parent", "sampled", "trace")

    def __init__(self, name: str, kind: Kind, trace: str, parent: str, attributes: dict[str, Attribute]) -> None:
        self.name = name
        self.kind = kind
        self.trace = trace
        self.number = secrets.token_hex(8)
        self.parent = parent
        self.attributes = attributes
        self.sampled = True
        self.error = ""
        self.begun = time.time_ns()
        self.ended = 0

    def set(self, key: str, value: Attribute) -> None:
        """Say more of it."""
        self.attributes[key] = value

    @property
    def header(self) -> str:
        """Return it as ``traceparent``, for whoever is asked next."""
        return f"00-{self.trace}-{self.number}-0{int(self.sampled)}"


class Traces:
    """Makes spans and hands them to ``send`` in batches, from a thread of its own. Safe to use from several threads.

    ``send`` takes a body and raises OSError if it did not arrive. ``ratio``: how many of the traces that begin here
    are kept, from 0 to 1.
    """

    def __init__(self, send: Callable[[bytes], None], ratio: float = 1.0) -> None:
        self._send = send
        self._limit = int(ratio * (1 << 32))
        self._waiting: deque[Span] = deque(maxlen=MAX_WAITING)
        self._wake = threading.Event()
        self._closed = False
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self.dropped = 0

    @contextmanager
    def span(
        self, name: str, kind: Kind = Kind.INTERNAL, parent: str = "", attributes: Mapping[str, Attribute] | None = None
    ) -> Iterator[Span]:
        """Measure what happens within. ``parent`` is a ``traceparent`` that is believed; else the span around it."""
        span = self._begin(name, kind, parent, dict(attributes or {}))
        mark = _current.set(span)
        try:
            yield span
        except BaseException as error:
            span.error = type(error).__name__
            raise
        finally:
            _current.reset(mark)
            span.ended = time.time_ns()
            if span.sampled:
                self._take(span)

    def flush(self) -> None:
        """Send what waits, here and now. What does not arrive is dropped and counted."""
        while batch := self._batch():
            try:
                self._send(body(batch))
            except OSError:
                self.dropped += len(batch)

    def close(self) -> None:
        """Send what waits, and end."""
        self._closed = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(SEND_SECONDS)
        self.flush()

    def _begin(self, name: str, kind: Kind, parent: str, attributes: dict[str, Attribute]) -> Span:
        told = _PARENT.fullmatch(parent)
        around = _current.get()
        if told is not None and told[1].strip("0") and told[2].strip("0"):
            span = Span(name, kind, told[1], told[2], attributes)
            span.sampled = bool(int(told[3], 16) & 1)
        elif around is not None:
            span = Span(name, kind, around.trace, around.number, attributes)
            span.sampled = around.sampled
        else:
            span = Span(name, kind, secrets.token_hex(16), "", attributes)
            span.sampled = int(span.trace[:8], 16) < self._limit
        return span

    def _take(self, span: Span) -> None:
        if len(self._waiting) == MAX_WAITING:
            self.dropped += 1
        self._waiting.append(span)
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="traces", daemon=True)
                    self._thread.start()
        if len(self._waiting) >= MAX_BATCH:
            self._wake.set()

    def _run(self) -> None:
        while not self._closed:
            self._wake.wait(SEND_SECONDS)
            self._wake.clear()
            self.flush()

    def _batch(self) -> list[Span]:
        batch: list[Span] = []
        while len(batch) < MAX_BATCH:
            try:
                batch.append(self._waiting.popleft())
            except IndexError:
                break
        return batch


class NoTraces:
    """What stands for ``Traces`` where none are asked for: its spans are nothing, and cost nothing."""

    dropped = 0

    def span(
        self, name: str, kind: Kind = Kind.INTERNAL, parent: str = "", attributes: Mapping[str, Attribute] | None = None
    ) -> AbstractContextManager[Span | None]:
        """Measure nothing."""
        return _NOTHING

    def flush(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


_NOTHING: AbstractContextManager[None] = nullcontext()


def over_http(endpoint: str, authorization: Secret | None = None) -> Callable[[bytes], None]:
    """Return what sends a body to a collector; ``endpoint`` is where it takes traces, usually ``…/v1/traces``."""
    import urllib3

    pool = urllib3.PoolManager(num_pools=1)
    headers = {"content-type": "application/json", "user-agent": f"lazaretto/{__version__}"}

    def send(data: bytes) -> None:
        sent = headers if authorization is None else {**headers, "authorization": authorization.reveal()}
        try:
            answer = pool.request(
                "POST", endpoint, body=data, headers=sent, timeout=SEND_SECONDS, retries=False, redirect=False
            )
        except urllib3.exceptions.HTTPError as error:
            raise OSError(f"the collector of traces cannot be reached: {type(error).__name__}") from None
        if answer.status >= 300:
            raise OSError(f"the collector of traces answers {answer.status}")

    return send


def body(spans: list[Span]) -> bytes:
    """Return spans as a request of the protocol (``ExportTraceServiceRequest``)."""
    service: dict[str, Attribute] = {"service.name": "lazaretto", "service.version": __version__}
    scope = {"scope": {"name": "lazaretto", "version": __version__}, "spans": [_span(span) for span in spans]}
    return msgspec.json.encode(
        {"resourceSpans": [{"resource": {"attributes": _attributes(service)}, "scopeSpans": [scope]}]}
    )


def _span(span: Span) -> dict[str, object]:
    written: dict[str, object] = {
        "traceId": span.trace,
        "spanId": span.number,
        "name": _text(span.name),
        "kind": int(span.kind),
        "startTimeUnixNano": str(span.begun),
        "endTimeUnixNano": str(span.ended),
        "attributes": _attributes(span.attributes),
    }
    if span.parent:
        written["parentSpanId"] = span.parent
    if span.error:
        written["status"] = {"code": 2, "message": span.error}
    return written


def _attributes(attributes: Mapping[str, Attribute]) -> list[dict[str, object]]:
    return [{"key": key, "value": _value(value)} for key, value in attributes.items()]


def _value(value: Attribute) -> dict[str, object]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    return {"doubleValue": value} if isinstance(value, float) else {"stringValue": _text(value)}


def _text(text: str) -> str:
    return inert(scrubbed(text[: 2 * MAX_ATTRIBUTE]), MAX_ATTRIBUTE)
