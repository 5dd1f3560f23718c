"""What the week happens on: a clock that is set, a registry on loopback, the firewall in this process, and a bot."""

import json
import logging
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from hashlib import sha512
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from tarfile import TarInfo
from tarfile import open as open_tar
from typing import Any
from urllib.parse import unquote

import uvicorn

from lazaretto.app.ports import ReadAnswer, ReadRequest, Urgency
from lazaretto.bootstrap import App
from lazaretto.infra.analysts import Analysts
from lazaretto.infra.telemetry import LOGGER
from lazaretto.settings import load
from lazaretto.surfaces.firewall.service import application


class SetClock:
    """A clock that stands still until it is set (``app.ports.Clock``)."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        """Return the instant that was set last."""
        return self.at


class Registry:
    """npm packages on loopback; what is published is on its page at once. ``down``: it answers nothing but errors."""

    def __init__(self) -> None:
        self.down = False
        self.url = ""
        self._pages: dict[str, dict[str, Any]] = {}
        self._files: dict[str, bytes] = {}

    def publish(
        self,
        name: str,
        version: str,
        files: Mapping[str, str],
        at: datetime,
        *,
        tag: str = "latest",
        by: str = "maintainer",
        **manifest: object,
    ) -> None:
        """Put a release on the page. One that is there already gets other bytes under the same name."""
        fields = {"name": name, "version": version, "main": "index.js", "license": "MIT", **manifest}
        data = _packed({**files, "package.json": json.dumps(fields, indent=2) + "\n"})
        path = f"/{name}/-/{name.rpartition('/')[2]}-{version}.tgz"
        self._files[path] = data
        page = self._pages.setdefault(name, {"name": name, "dist-tags": {}, "versions": {}, "time": {}})
        integrity = "sha512-" + b64encode(sha512(data).digest()).decode()
        publisher = {"name": by, "email": f"{by}@mail.invalid"}
        dist = {"tarball": self.url + path, "integrity": integrity}
        page["versions"][version] = {**fields, "_npmUser": publisher, "dist": dist}
        page["time"].setdefault(version, f"{at:%Y-%m-%dT%H:%M:%S.000Z}")
        page["dist-tags"][tag] = version

    def answer(self, path: str) -> tuple[int, bytes]:
        """Return a status and a body."""
        asked = unquote(path)
        if self.down:
            return 503, b'{"error": "the registry is down"}'
        if asked in self._files:
            return 200, self._files[asked]
        page = self._pages.get(asked.strip("/"))
        return (200, json.dumps(page).encode()) if page is not None else (404, b'{"error": "not found"}')


@contextmanager
def serving(registry: Registry) -> Iterator[None]:
    """Serve a registry on loopback for the length of a block."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, body = registry.answer(self.path)
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except ConnectionError:  # whoever asked has hung up
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Say nothing: the page speaks."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Say nothing of connections that are cut when the week is over."""

    server = Server(("127.0.0.1", 0), Handler)
    registry.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


class Week(App):
    """The application with another clock, whose one analyst works in this process, by the same clock."""

    def __init__(self, folder: Path, registry: Registry, feed: Path, clock: SetClock) -> None:
        config = folder / "lazaretto.toml"
        config.write_text(_SETTINGS.format(folder=folder, registry=registry.url, feed=feed))
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LAZARETTO_")}
        super().__init__(load(environment, folder, folder, config), service=True, clock=clock)

    @cached_property
    def analysts(self) -> Analysts:
        """One analyst, in a thread."""
        return _Inside(self)


class _Inside(Analysts):
    """Reads in this process: an analyst of its own would have a clock of its own."""

    def __init__(self, app: App) -> None:
        super().__init__((), 0, lambda _, why: _never(why))
        self._app = app
        self._thread = ThreadPoolExecutor(1, "analyst")
        self._begun: dict[ReadRequest, Future[ReadAnswer | None]] = {}

    @property
    def waiting(self) -> int:
        """How many readings have not ended."""
        return sum(not one.done() for one in list(self._begun.values()))

    def submit(
        self, request: ReadRequest, urgency: Urgency, begin: Callable[[], bool] = lambda: True
    ) -> "Future[ReadAnswer | None]":
        """Return the reading of an artifact: the one that goes on, or a new one."""
        known = self._begun.get(request)
        if known is None or known.done():
            self.readings += 1
            known = self._begun[request] = self._thread.submit(lambda: self._app.appraise(request) if begin() else None)
        return known

    def close(self, patience: float = 10.0) -> None:
        """End."""
        self._thread.shutdown(cancel_futures=True)


@contextmanager
def firewall(app: App) -> Iterator[str]:
    """Serve the firewall from a thread of this process for the length of a block; yields its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    served = application(app)
    log = logging.getLogger(LOGGER)
    level = log.level
    log.setLevel(logging.ERROR)  # the week tells its own story
    config = uvicorn.Config(served, ws="none", lifespan="on", log_config=None, proxy_headers=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(30)
        listener.close()
        log.setLevel(level)


class Bot:
    """A project that is updated with real npm, whose scripts are never run."""

    def __init__(self, folder: Path, registry: str, dependencies: Mapping[str, str]) -> None:
        self._folder = folder / "project"
        self._scratch = folder / "scratch"
        self._registry = registry
        self._runs = 0
        self._folder.mkdir()
        self._scratch.mkdir()
        project = {"name": "project", "version": "1.0.0", "private": True, "dependencies": dict(dependencies)}
        (self._folder / "package.json").write_text(json.dumps(project, indent=2) + "\n")

    def update(self) -> tuple[int, list[str]]:
        """Bring the project up to date; return npm's exit code and what it said of the firewall."""
        ended = self._npm(self._folder, "update")
        copy = self._scratch / f"build-{self._runs}-update"
        shutil.copytree(self._folder / "node_modules", copy / "node_modules")
        return ended

    def build(self) -> tuple[int, list[str]]:
        """Install from the lockfile into an empty folder, as a build server does."""
        folder = self._scratch / f"build-{self._runs}"
        folder.mkdir()
        for name in ("package.json", "package-lock.json"):
            (folder / name).write_bytes((self._folder / name).read_bytes())
        return self._npm(folder, "ci")

    def installed(self) -> dict[str, str]:
        """Return the version of each package in ``node_modules``, under the name that the project gives it."""
        found = {}
        for path in sorted(self._folder.glob("node_modules/*/package.json")):
            found[path.parent.name] = str(json.loads(path.read_text())["version"])
        return found

    def trees(self) -> Iterator[tuple[str, str]]:
        """Yield (name, version) of every package that was ever installed by a build."""
        for path in sorted(self._scratch.glob("build-*/node_modules/*/package.json")):
            fields = json.loads(path.read_text())
            yield str(fields["name"]), str(fields["version"])

    def ever_held(self, mark: str) -> bool:
        """Whether an installed file now holds a text, in the project or in any build."""
        places = (*self._folder.glob("node_modules/*/*.js"), *self._scratch.glob("build-*/node_modules/*/*.js"))
        return any(mark in path.read_text() for path in places)

    def _npm(self, folder: Path, word: str) -> tuple[int, list[str]]:
        self._runs += 1
        options = [
            f"--registry={self._registry}/npm/",
            f"--cache={self._scratch / f'cache-{self._runs}'}",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--no-update-notifier",
            "--fetch-retries=0",
        ]
        run = subprocess.run(
            ["/usr/bin/env", "npm", word, *options],
            cwd=folder,
            env={**os.environ, "HOME": str(self._scratch), "NO_COLOR": "1", "CI": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )
        said = (line for line in run.stderr.splitlines() if "lazaretto: " in line)
        return run.returncode, list(dict.fromkeys(re.sub(r"^.*?(?=lazaretto: )", "", line) for line in said))


def _never(why: str) -> ReadAnswer:
    raise AssertionError(why)


def _packed(files: Mapping[str, str]) -> bytes:
    """Return a tarball as npm packs it, the same at any time."""
    import gzip

    packed = BytesIO()
    with open_tar(fileobj=packed, mode="w") as archive:
        for path, text in files.items():
            info, data = TarInfo(f"package/{path}"), text.encode()
            info.size = len(data)
            archive.addfile(info, BytesIO(data))
    return gzip.compress(packed.getvalue(), 6, mtime=0)


_SETTINGS = """
[firewall]
listen = "127.0.0.1:0"
cooldown = "2d"
patience = "120s"

[[firewall.upstream]]
ecosystem = "npm"
url = "{registry}/"

[[firewall.upstream]]
ecosystem = "pypi"
url = "{registry}/simple/"

[[firewall.advisories]]
name = "advisories"
place = "{feed}"

[paths]
state = "{folder}/state"
cache = "{folder}/cache"
"""
