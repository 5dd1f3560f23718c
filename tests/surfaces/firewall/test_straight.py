"""The short way to an answer: it leads to the same function as the usual one, and nothing else takes it."""

import asyncio
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from lazaretto.surfaces.firewall.straight import Straight


async def answer(request: Request) -> Response:
    """Say how it was reached."""
    return PlainTextResponse(f"{request.app.state.name} {request.path_params['path']} {request.url.path}")


def asked(method: str, path: str) -> tuple[int, str]:
    """Return the status and text of an answer."""
    usual = Starlette(routes=[Route("/npm/{path:path}", lambda _: PlainTextResponse("usual"), methods=["GET", "POST"])])
    usual.state.name = "ours"
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"",
        "root_path": "", "scheme": "http", "headers": [(b"host", b"localhost")], "server": ("localhost", 80),
    }  # fmt: skip
    asyncio.run(Straight(usual, {"/npm/": answer})(scope, receive, send))
    return sent[0]["status"], b"".join(one.get("body", b"") for one in sent).decode()


@pytest.mark.parametrize("path", ["thing", "@team/tool", "thing/-/thing-1.0.0.tgz", ""])
def test_the_rest_of_the_path_is_what_the_usual_way_gives(path: str) -> None:
    """An answer finds the application and the rest of the path where it finds them on the usual way."""
    assert asked("GET", f"/npm/{path}") == (200, f"ours {path} /npm/{path}")


def test_a_head_request_has_no_body() -> None:
    """HEAD is answered by the same function; the server leaves the body out."""
    assert asked("HEAD", "/npm/thing")[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "said"),
    [
        ("POST", "/npm/thing", (200, "usual")),
        ("GET", "/npmx/thing", (404, "Not Found")),
        ("GET", "/x/", (404, "Not Found")),
    ],
)
def test_everything_else_goes_the_usual_way(method: str, path: str, said: tuple[int, str]) -> None:
    """Another method, or a path without the prefix, is the framework's."""
    assert asked(method, path) == said
