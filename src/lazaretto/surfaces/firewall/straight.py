"""ASGI: the routes that are asked for thousands of times in an install, without the framework's way to them.

The framework tries one pattern after another and wraps each answer in four layers. That costs more than the answer
itself where it lies in memory; here a prefix leads to the same function. Whatever has no such prefix, or another
method, goes the usual way.
"""

from collections.abc import Awaitable, Callable, Mapping

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from lazaretto.surfaces.firewall.access.refusal import ASGIScope, Receive, Send

Answer = Callable[[Request], Awaitable[Response]]
"""What answers a request whose ``path_params["path"]`` is the rest of its path."""


class Straight:
    """Stands before an application, and answers GET and HEAD below some prefixes itself."""

    def __init__(self, app: Starlette, answers: Mapping[str, Answer]) -> None:
        """``answers`` by prefix, each of one part: ``/npm/``."""
        self._app = app
        self._answers = answers

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] == "http" and scope["method"] in ("GET", "HEAD"):
            path = scope["path"]
            prefix = path[: path.find("/", 1) + 1]
            answer = self._answers.get(prefix)
            if answer is not None:
                scope["app"], scope["path_params"] = self._app, {"path": path[len(prefix) :]}
                response = await answer(Request(scope, receive))
                await response(scope, receive, send)
                return
        await self._app(scope, receive, send)
