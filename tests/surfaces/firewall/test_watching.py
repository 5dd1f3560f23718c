"""Every request is numbered, counted and logged once, whatever becomes of it."""

import asyncio
import logging
from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.requests import ClientDisconnect

from lazaretto.core.access import Tokens
from lazaretto.infra.metrics import Metrics
from lazaretto.infra.traces import Traces
from lazaretto.surfaces.firewall.access.middleware import Access, AccessMiddleware
from lazaretto.surfaces.firewall.access.refusal import Application, ASGIScope, Message, Receive, Send
from lazaretto.surfaces.firewall.access.watching import WatchingMiddleware

NOW = datetime(2030, 1, 1, tzinfo=UTC)


async def _no_tokens() -> Tokens:
    return Tokens([])


class Lines(logging.Handler):
    """Keeps what was logged."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    @property
    def fields(self) -> dict[str, Any]:
        (record,) = self.records
        found: dict[str, Any] = record.__dict__["fields"]
        return found


def logger(level: int) -> tuple[logging.Logger, Lines]:
    """Return a logger that only keeps its lines."""
    log, lines = logging.getLogger("test.watching"), Lines()
    log.handlers[:], log.propagate = [lines], False
    log.setLevel(level)
    return log, lines


def everything(path: str) -> str:
    """Return the one route that there is."""
    return "all"


async def serve(scope: ASGIScope, receive: Receive, send: Send) -> None:
    """Answer, fail, or say nothing, as the path says."""
    if scope["path"] == "/fails":
        raise RuntimeError("a defect")
    if scope["path"] == "/gone":
        return
    if scope["path"] == "/leaves":
        raise ClientDisconnect
    await send({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})
    await send({"type": "http.response.body", "body": b"12345"})


def watched(path: str, host: str = "gate.invalid", app: Application | None = None) -> tuple[Lines, str, list[Message]]:
    """Send one request through both middlewares; return log, metrics and messages."""
    metrics, messages = Metrics(), []
    log, lines = logger(logging.INFO)
    access = Access(hosts=("gate.invalid",), anonymous=True, groups={"office": ("192.0.2.0/24",)})
    inner = AccessMiddleware(serve, access, _no_tokens, lambda: NOW)
    middleware = WatchingMiddleware(app or inner, metrics, everything, log)

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        messages.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "client": ("192.0.2.1", 1),
        "headers": [(b"host", host.encode())],
    }
    try:
        asyncio.run(middleware(scope, receive, send))
    except RuntimeError:
        assert path == "/fails"
    return lines, metrics.text().decode(), messages


def test_an_answer_is_told() -> None:
    """Its number goes to the client, who asked and how much was sent into the log, the counts into the metrics."""
    lines, text, messages = watched("/x")

    assert lines.fields | {"seconds": 0} == {
        "method": "GET",
        "path": "/x",
        "route": "all",
        "status": 200,
        "bytes": 5,
        "seconds": 0,
        "client": "192.0.2.1",
        "group": "office",
    }
    assert [name for name, _ in messages[0]["headers"]] == [b"a", b"x-request-id"]
    assert 'lazaretto_requests_total{route="all",status="200"} 1\n' in text
    assert 'lazaretto_response_bytes_total{route="all"} 5\n' in text
    assert "lazaretto_requests_open 0\n" in text


def test_a_refusal_is_told() -> None:
    """A request that never came to the gate is told with the address it came from."""
    lines, text, _ = watched("/x", host="other.invalid")

    assert (lines.fields["status"], lines.fields["client"]) == (421, "192.0.2.1")
    assert 'status="421"} 1\n' in text


def test_a_defect_is_told() -> None:
    """An error of ours is logged with its way, counted as 500, and goes on to the server."""
    lines, text, _ = watched("/fails")

    assert lines.records[0].levelno == logging.ERROR
    assert lines.records[0].exc_info
    assert 'status="500"} 1\n' in text
    assert "lazaretto_requests_open 0\n" in text


def test_a_client_that_went_away_is_told() -> None:
    """Without an answer, or in the middle of its body, it is counted as closed by the client, and is no error."""
    for path in ("/gone", "/leaves"):
        lines, _, _ = watched(path)
        assert (lines.fields["status"], lines.records[0].levelno) == (499, logging.INFO)


def test_the_server_is_let_through() -> None:
    """Its own messages are no requests."""
    seen: list[str] = []

    async def app(scope: ASGIScope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])

    middleware = WatchingMiddleware(app, Metrics(), lambda path: path, logging.getLogger("test"))
    asyncio.run(middleware({"type": "lifespan"}, None, None))  # type: ignore[arg-type]  # never called

    assert seen == ["lifespan"]


def test_a_request_is_a_span() -> None:
    """Where traces are asked for, each request is one, by its route and not by its path."""
    sent: list[bytes] = []
    traces = Traces(sent.append)
    middleware = WatchingMiddleware(serve, Metrics(), everything, logger(logging.ERROR)[0], traces)

    async def send(message: Message) -> None:
        return

    asyncio.run(middleware({"type": "http", "path": "/x", "method": "GET"}, None, send))  # type: ignore[arg-type]  # unused
    traces.close()

    assert b'"name":"GET all"' in sent[0]
    assert b'"http.response.status_code","value":{"intValue":"200"}' in sent[0]
    assert b'"/x"' not in sent[0]


def test_a_log_that_is_off_costs_nothing() -> None:
    """Above its level nothing is put together."""
    metrics, (log, lines) = Metrics(), logger(logging.WARNING)
    middleware = WatchingMiddleware(serve, metrics, everything, log)

    async def send(message: Message) -> None:
        return

    asyncio.run(middleware({"type": "http", "path": "/", "method": "GET"}, None, send))  # type: ignore[arg-type]  # unused

    assert lines.records == []
    assert b'status="200"} 1' in metrics.text()


@pytest.mark.parametrize("path", ["/x", "/gone"])
def test_a_number_is_never_a_clients(path: str) -> None:
    """Two requests have two numbers."""
    first, second = watched(path)[2], watched(path)[2]

    assert not first or first[0]["headers"] != second[0]["headers"]
