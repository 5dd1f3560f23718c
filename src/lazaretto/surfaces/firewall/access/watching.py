"""ASGI middleware around everything else: gives each request a number, measures it, logs it, counts it."""

import logging
import time
from collections.abc import Callable

from starlette.requests import ClientDisconnect

from lazaretto.core.access import Viewer
from lazaretto.infra.metrics import Metrics
from lazaretto.infra.telemetry import Said, new_request_id, request
from lazaretto.infra.traces import Kind, NoTraces, Traces
from lazaretto.surfaces.firewall.access.middleware import viewer_of
from lazaretto.surfaces.firewall.access.refusal import Application, ASGIScope, Message, Receive, Send
from lazaretto.surfaces.firewall.access.zero_copy import EXTENSION

CLOSED_BY_CLIENT = 499
"""What a request is counted as whose client went away before an answer began."""


class WatchingMiddleware:
    """Answers nothing by itself. ``route`` gives the pattern of a path, of a small closed set."""

    def __init__(
        self,
        app: Application,
        metrics: Metrics,
        route: Callable[[str], str],
        log: logging.Logger,
        traces: Traces | NoTraces | None = None,
    ) -> None:
        self._app = app
        self._traces = traces or NoTraces()
        self._route = route
        self._log = log
        self._requests = metrics.counter("requests_total", "Requests, by route and status", "route", "status")
        self._seconds = metrics.histogram("request_seconds", "Time until an answer is sent", "route")
        self._bytes = metrics.counter("response_bytes_total", "Bytes of bodies sent", "route")
        self._open = 0
        metrics.gauge("requests_open", "Requests being answered now").set(lambda: self._open)

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Pass a request on and say what became of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        identifier, begun, status, sent = new_request_id(), time.perf_counter(), CLOSED_BY_CLIENT, 0
        # The same mapping is written to by what stands inside: who asks is known once the request was admitted.
        state = scope.setdefault("state", {})

        async def watched(message: Message) -> None:
            nonlocal status, sent
            kind = message["type"]
            if kind == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", identifier.encode())]
            else:
                sent += message["count"] if kind == EXTENSION else len(message.get("body", b""))
            await send(message)

        self._open += 1
        failed = None
        route = self._route(scope["path"])
        with request(identifier), self._traces.span(f"{scope['method']} {route}", Kind.SERVER) as span:
            try:
                await self._app(scope, receive, watched)
            except ClientDisconnect:  # in the middle of its body: there is nobody to answer, and nothing failed here
                status = CLOSED_BY_CLIENT
            except Exception as error:
                failed, status = error, 500
                raise
            finally:
                self._open -= 1
                if span is not None:
                    span.attributes |= {
                        "http.request.method": scope["method"],
                        "http.route": route,
                        "http.response.status_code": status,
                        "lazaretto.request": identifier,
                    }
                self._tell(scope, state, route, status, sent, time.perf_counter() - begun, failed)

    def _tell(
        self,
        scope: ASGIScope,
        state: dict[str, object],
        route: str,
        status: int,
        sent: int,
        seconds: float,
        failed: Exception | None,
    ) -> None:
        self._requests.add(route, str(status))
        self._seconds.observe(seconds, route)
        self._bytes.add(route, amount=sent)
        level = logging.ERROR if failed is not None else logging.INFO
        if not self._log.isEnabledFor(level):
            return
        viewer = viewer_of({"state": state})
        if "viewer" not in state and scope.get("client"):
            viewer = Viewer(scope["client"][0])
        fields = {
            "method": scope["method"],
            "path": _without_token(scope["path"]),
            "route": route,
            "status": status,
            "bytes": sent,
            "seconds": round(seconds, 6),
            "client": viewer.client,
            "group": viewer.group,
        }
        self._log.handle(Said(self._log.name, level, f"{scope['method']} {status}", fields, failed))


def _without_token(path: str) -> str:
    """Return a path as it may be written down: ``npm logout`` names the token in it."""
    head, found, _ = path.partition("/-/user/token/")
    return f"{head}{found}***" if found else path
