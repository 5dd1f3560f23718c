"""Spans, and how they are sent: as the protocol writes them, bounded, and never in the way."""

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from lazaretto.infra import traces as module
from lazaretto.infra.redact import Secret
from lazaretto.infra.traces import Kind, NoTraces, Traces, over_http

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Collector:
    """Keeps what is sent, or breaks."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.broken = False

    def __call__(self, data: bytes) -> None:
        if self.broken:
            raise OSError("nobody is there")
        self.bodies.append(json.loads(data))

    @property
    def spans(self) -> list[dict[str, Any]]:
        return [span for one in self.bodies for span in one["resourceSpans"][0]["scopeSpans"][0]["spans"]]


def test_spans_are_as_the_protocol_writes_them() -> None:
    """Names, kinds, times, attributes of every type, and which span lies in which."""
    collector = Collector()
    traces = Traces(collector)
    attributes: dict[str, Any] = {"a": "x", "b": 1, "c": 1.5, "d": True}
    with traces.span("outer", Kind.SERVER, attributes=attributes) as outer, traces.span("inner") as inner:
        inner.set("e", "y")
    traces.close()

    second, first = collector.spans
    assert second.pop("startTimeUnixNano") <= second.pop("endTimeUnixNano")
    assert second == {
        "traceId": outer.trace,
        "spanId": inner.number,
        "parentSpanId": outer.number,
        "name": "inner",
        "kind": 1,
        "attributes": [{"key": "e", "value": {"stringValue": "y"}}],
    }
    assert first["kind"] == 2
    assert "parentSpanId" not in first
    assert [one["value"] for one in first["attributes"]] == [
        {"stringValue": "x"},
        {"intValue": "1"},
        {"doubleValue": 1.5},
        {"boolValue": True},
    ]
    resource = collector.bodies[0]["resourceSpans"][0]["resource"]["attributes"]
    assert resource[0] == {"key": "service.name", "value": {"stringValue": "lazaretto"}}


def test_a_parent_that_is_believed_is_gone_on_with() -> None:
    """A ``traceparent`` gives the trace and whether it is kept; one that is none begins a new trace."""
    collector = Collector()
    traces = Traces(collector)
    with traces.span("a", parent=PARENT) as span:
        assert span.header.startswith(PARENT[:36])
    with traces.span("b", parent=PARENT[:-1] + "0"):
        pass
    for bad in ("", "garbage", f"00-{'0' * 32}-b7ad6b7169203331-01", PARENT.upper(), PARENT + "\n"):
        with traces.span("c", parent=bad) as span:
            assert span.trace != PARENT[3:35]
    traces.flush()

    assert collector.spans[0]["parentSpanId"] == "b7ad6b7169203331"
    assert [span["name"] for span in collector.spans] == ["a", *"ccccc"]


@pytest.mark.parametrize(("ratio", "kept"), [(0.0, 0), (1.0, 20)])
def test_traces_are_kept_whole_or_not(ratio: float, kept: int) -> None:
    """Whether a trace is kept is decided at its beginning, for all of it."""
    collector = Collector()
    traces = Traces(collector, ratio)
    for _ in range(10):
        with traces.span("a"), traces.span("b"):
            pass
    traces.close()

    assert len(collector.spans) == kept


def test_an_error_is_told_by_its_kind() -> None:
    """What failed is marked; what the error said is not sent."""
    collector = Collector()
    traces = Traces(collector)
    with pytest.raises(ValueError, match="secret"), traces.span("a"):
        raise ValueError("secret")
    traces.close()

    assert collector.spans[0]["status"] == {"code": 2, "message": "ValueError"}


def test_nothing_secret_or_acting_is_sent() -> None:
    """Credentials and control characters are taken out of texts, and these are bounded."""
    collector = Collector()
    traces = Traces(collector)
    with traces.span("lzt_" + "A" * 43, attributes={"url": "https://u:hunter2@h.invalid", "long": "x\x1b" * 9999}):
        pass
    traces.close()

    assert "AAAA" not in str(collector.spans)
    assert "hunter2" not in str(collector.spans)
    assert "\x1b" not in str(collector.spans)
    assert len(str(collector.spans)) < 3000


def test_what_cannot_be_sent_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """A collector that is away costs a bounded number of spans in memory, and no request anything."""
    monkeypatch.setattr(module, "MAX_WAITING", 10)
    monkeypatch.setattr(module, "MAX_BATCH", 1000)
    collector = Collector()
    traces = Traces(collector)
    for _ in range(25):
        with traces.span("a"):
            pass
    assert traces.dropped == 15
    collector.broken = True
    traces.flush()

    assert (traces.dropped, collector.bodies) == (25, [])
    traces.close()


def arriving() -> tuple[threading.Event, Traces]:
    """Return traces, and the event that something of them has arrived."""
    arrived = threading.Event()

    def send(data: bytes) -> None:
        arrived.set()

    return arrived, Traces(send)


def test_spans_are_sent_by_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has to flush."""
    monkeypatch.setattr(module, "SEND_SECONDS", 0.01)
    arrived, traces = arriving()
    with traces.span("a"):
        pass

    assert arrived.wait(5)
    traces.close()


def test_a_full_batch_is_sent_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without waiting for its time."""
    monkeypatch.setattr(module, "MAX_BATCH", 2)
    arrived, traces = arriving()
    for _ in range(2):
        with traces.span("a"):
            pass

    assert arrived.wait(4)
    traces.close()


def test_spans_of_tasks_do_not_mix() -> None:
    """Each task has its own trace; what it does in a thread belongs to it."""
    collector = Collector()
    traces = Traces(collector)

    def work() -> None:
        with traces.span("thread"):
            pass

    async def one(name: str) -> None:
        with traces.span(name):
            await asyncio.sleep(0.01)
            await asyncio.to_thread(work)

    async def both() -> None:
        await asyncio.gather(one("a"), one("b"))

    asyncio.run(both())
    traces.close()
    by_name = {span["name"]: span for span in collector.spans}
    threads = [span for span in collector.spans if span["name"] == "thread"]

    assert by_name["a"]["traceId"] != by_name["b"]["traceId"]
    assert {span["parentSpanId"] for span in threads} == {by_name["a"]["spanId"], by_name["b"]["spanId"]}


def test_no_traces_are_nothing() -> None:
    """Where none are asked for, a span is nothing."""
    none = NoTraces()
    with none.span("a") as outer, none.span("b"):
        assert outer is None
    none.flush()
    none.close()


def test_over_http() -> None:
    """A collector gets JSON where it takes traces; what it refuses, and nobody there, is an error without a secret."""
    got: list[tuple[str, str | None, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers["content-length"]))
            got.append((self.path, self.headers["authorization"], data))
            self.send_response(200 if len(got) == 1 else 503)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        send = over_http(f"http://127.0.0.1:{server.server_port}/v1/traces", Secret("Bearer hunter2"))
        send(b"{}")
        with pytest.raises(OSError, match="answers 503"):
            send(b"{}")
        server.shutdown()
        thread.join(5)
    with pytest.raises(OSError, match="cannot be reached") as caught:
        over_http(f"http://127.0.0.1:{server.server_port}")(b"{}")

    assert got[0] == ("/v1/traces", "Bearer hunter2", b"{}")
    assert "hunter2" not in str(caught.value)
