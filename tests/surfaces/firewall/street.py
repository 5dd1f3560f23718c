"""The whole service in this process: real routes, gate and ledger; an upstream on loopback; readings by hand."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from msgspec import Struct

from lazaretto.app.ports import Clock
from lazaretto.bootstrap import App
from lazaretto.settings import load
from lazaretto.surfaces.firewall.service import application
from tests.app.yard import Hands
from tests.e2e.street import Upstream
from tests.infra.servers import server

T = TypeVar("T")


class Said(Struct):
    """An answer."""

    status: int
    headers: dict[str, str]
    body: bytes


class Idle(Hands):
    """Readings by hand, with what the service asks of analysts beside them."""

    waiting = 0
    readings = 0
    replaced = 0

    def close(self, patience: float = 0.0) -> None:
        """Nothing to end."""


class Street:
    """A service, its upstream, and whoever asks."""

    def __init__(
        self,
        folder: Path,
        upstream: Upstream,
        patch: pytest.MonkeyPatch,
        more: str = "",
        npm: str = "",
        patience: str = "1s",
        clock: Clock | None = None,
    ) -> None:
        self.upstream = upstream
        self.hands = Idle()
        folder.mkdir(parents=True, exist_ok=True)
        config = folder / "lazaretto.toml"
        url = upstream.server.url
        config.write_text(
            f'[firewall]\npatience = "{patience}"\n{more}\n'
            f'[[firewall.upstream]]\necosystem = "npm"\nurl = "{url}/npm/"\n{npm}\n'
            f'[[firewall.upstream]]\necosystem = "pypi"\nurl = "{url}/simple/"\n'
        )
        self.env = {"LAZARETTO_STATE_DIR": str(folder / "state"), "LAZARETTO_CACHE_DIR": str(folder / "cache")}
        for name, value in self.env.items():
            patch.setenv(name, value)
        patch.setattr("lazaretto.infra.http.RETRIES", 0)
        patch.chdir(folder)
        self.app = App(load(self.env, folder, folder, config), service=True, clock=clock)
        patch.setattr(type(self.app), "analysts", self.hands)
        self._loop = asyncio.new_event_loop()
        self.service = application(self.app)

    def ask(self, path: str, method: str = "GET", body: bytes = b"", **headers: str) -> Said:
        """Return the answer to a request; ``_`` in a header's name stands for ``-``."""
        return self._loop.run_until_complete(self.asked(path, method, body, **headers))

    async def asked(self, path: str, method: str = "GET", body: bytes = b"", **headers: str) -> Said:
        """Ask from within the loop."""
        bare, _, query = path.partition("?")
        given = {"host": "localhost:8790", **headers}
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": bare,
            "raw_path": bare.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in given.items()],
            "client": ("127.0.0.1", 50000),
            "server": ("127.0.0.1", 8790),
            "state": {},
        }
        said = Said(0, {}, b"")

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                said.status = message["status"]
                said.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            else:
                said.body += message.get("body", b"")

        await self.service(scope, receive, send)
        return said

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something in the service's loop."""
        return self._loop.run_until_complete(work)

    def at_once(self, *paths: str) -> list[Said]:
        """Ask for several at the same time; every reading is answered with *allow* as soon as it is asked for."""

        async def answering() -> None:
            while True:
                for request in list(self.hands.futures):
                    data = self.upstream.data[request.filename]
                    self.hands.answer(request.version, "allow", data)
                await asyncio.sleep(0.01)

        async def together() -> list[Said]:
            answers = asyncio.ensure_future(answering())
            try:
                return list(await asyncio.gather(*map(self.asked, paths)))
            finally:
                answers.cancel()

        return self._loop.run_until_complete(together())

    def close(self) -> None:
        """End it."""
        self.app.close()
        self.app.ledger.close()
        self.app.advisories.close()
        self._loop.close()


@contextmanager
def street(folder: Path, patch: pytest.MonkeyPatch, more: str = "", **options: Any) -> Iterator[Street]:
    """Run a service for the length of a block; see ``Street`` for the options."""
    with server() as made:
        built = Street(folder, Upstream(made), patch, more, **options)
        try:
            yield built
        finally:
            built.close()
