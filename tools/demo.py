"""The demonstration: axios 1.14.1 put back on a registry, and the same npm command with and without the firewall.

What is installed is inert: the replay describes the incident anew, its hosts end in ``.invalid``, and no script is run.
Usage: ``python tools/demo.py`` (``make demo``). Needs npm, and the registry that it is configured for.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import unquote, urlsplit

from lazaretto.app.ports import NotFound, PortError
from lazaretto.app.replay import Replay, World
from lazaretto.bootstrap import App
from lazaretto.core.model import Project, Release
from lazaretto.core.names import ProjectName
from lazaretto.settings import load

REPLAY = Path(__file__).resolve().parent.parent / "replays" / "2026-03-axios--1.14.1"
SHOWN = 2
"""Findings of the evidence that are printed."""

WIDTH = 78

COMMAND = ("npm", "install", "axios@^1.14.0", "--ignore-scripts")


class Registry:
    """The registry of a replay: its own projects as of that minute, moved to now; the others as they are."""

    def __init__(self, app: App, replay: Replay, world: World) -> None:
        self._app = app
        self._world = world
        self._shift = app.clock.now() - replay.now
        self._own = {world.project, *(ProjectName(one.name) for one in replay.dependencies)}
        self.url = ""

    def answer(self, path: str) -> bytes:
        """Return a page or a tarball. Raises PortError."""
        name, dash, filename = unquote(path).strip("/").partition("/-/")
        project = ProjectName(name)
        if not dash:
            own = project in self._own
            return self._packument(self._project(project)) if own else self._app.upstream("npm").page(project).body
        for release in self._project(project).releases:
            for artifact in release.artifacts:
                if artifact.filename == filename:
                    return self._world.registry.download(artifact)
        raise NotFound(path)

    def _project(self, name: ProjectName) -> Project:
        return (self._world.registry if name in self._own else self._app.registry("npm")).project(name)

    def _packument(self, project: Project) -> bytes:
        releases = [release for release in project.releases if release.published is not None]
        times = {one.version: (one.published + self._shift).isoformat() for one in releases if one.published}
        versions = {release.version: self._version(release) for release in releases}
        page = {"name": project.name, "dist-tags": dict(project.tags), "versions": versions, "time": times}
        return json.dumps(page).encode()

    def _version(self, release: Release) -> dict[str, Any]:
        publisher = release.publisher
        user: dict[str, Any] = {"name": publisher.name, "email": publisher.email} if publisher is not None else {}
        if publisher is not None and publisher.trusted:
            user["trustedPublisher"] = {"id": "github"}
        needs = {one.name: one.requirement for one in release.dependencies or ()}
        version: dict[str, Any] = {"name": release.project, "version": release.version, "dependencies": needs}
        version["_npmUser"] = user
        if release.git_head:
            version["gitHead"] = release.git_head
        for artifact in release.artifacts:
            sri = "sha512-" + _base64(artifact.digests["sha512"])
            version["dist"] = {"tarball": f"{self.url}/{release.project}/-/{artifact.filename}", "integrity": sri}
            if release.attested:
                version["dist"]["attestations"] = {"url": f"{self.url}/-/npm/v1/attestations/{release.project}"}
        return version


def main() -> int:
    """Show both installations; return 0 if the firewall kept the tampered release out."""
    if shutil.which("npm") is None:
        print("The demonstration needs npm.")
        return 1
    with TemporaryDirectory(prefix="lazaretto-demo-") as text:
        folder = Path(text)
        with App(load(os.environ, folder, Path.home())) as app:
            (replay,) = app.replays(REPLAY)
            try:
                world = app.replay_builder().build(replay)
            except PortError as error:
                print(f"The release before it cannot be had: {error}")
                return 1
            registry = Registry(app, replay, world)
            with _Serving(registry):
                return _show(registry, folder, app)


def _show(registry: Registry, folder: Path, app: App) -> int:
    _say("A registry as it was on 31 March 2026, one minute after the tampered axios 1.14.1 was published.")
    _say("Its code is inert here, and no script of any package is run. The same command, twice:")
    print("\nStraight from the registry:")
    direct = _install(folder / "direct", registry.url)
    print("\nThrough the firewall:")
    hosts = [f"{urlsplit(url).hostname}:{urlsplit(url).port or 443}" for url in app.upstream("npm").addresses]
    config = folder / "lazaretto.toml"
    config.write_text(
        f'[firewall]\nlisten = "127.0.0.1:0"\npatience = "120s"\nartifact_hosts = {json.dumps(hosts)}\n'
        f'[[firewall.upstream]]\necosystem = "npm"\nurl = "{registry.url}/"\n'
        f'[paths]\ncache = "{folder}/cache"\nstate = "{folder}/state"\n'
    )
    # Settings of the environment would come before those of the file.
    env = {key: value for key, value in os.environ.items() if not key.startswith("LAZARETTO_")}
    lazaretto = [sys.executable, "-m", "lazaretto"]
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(
            [*lazaretto, "firewall", "run", "--config", str(config)],
            stdout=subprocess.PIPE,
            stderr=log,
            env=env,
            text=True,
        ) as firewall,
    ):
        assert firewall.stdout is not None
        try:
            url = next(found[1] for line in firewall.stdout if (found := re.search(r"open at (http://\S+) ", line)))
            guarded = _install(folder / "guarded", f"{url}/npm")
            print("\nWhat the firewall holds against it (lazaretto firewall review):")
            review = subprocess.run(
                [*lazaretto, "firewall", "review", "pkg:npm/axios@1.14.1", "--config", str(config)],
                capture_output=True,
                env=env,
                text=True,
                check=False,
            )
            _evidence(review.stdout.splitlines())
        finally:
            firewall.terminate()
    print(f"Straight from the registry: axios {direct}. Through the firewall: axios {guarded}.")
    print("To put it before your own npm and pip: make run")
    return 0 if (direct, guarded) == ("1.14.1", "1.14.0") else 1


def _install(folder: Path, registry: str) -> str | None:
    """Run the command in a folder of its own, and return the version of axios that it installed."""
    folder.mkdir()
    (folder / "package.json").write_text('{"name": "project", "version": "1.0.0"}\n')
    print(f"  $ {' '.join(COMMAND)}", flush=True)
    options = (
        f"--registry={registry}/",
        f"--cache={folder / 'cache'}",
        "--no-audit",
        "--no-fund",
        "--no-update-notifier",
    )
    run = subprocess.run(
        [*COMMAND, *options], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    for line in filter(None, run.stdout.splitlines()):
        _say(line, "  ")
    found = {}
    for name in ("axios", "plain-crypto-js"):
        path = folder / "node_modules" / name / "package.json"
        found[name] = json.loads(path.read_text())["version"] if path.exists() else None
        print(f"  node_modules/{name}: {found[name] or 'not there'}")
    return found["axios"]


def _evidence(lines: list[str]) -> None:
    """Print the report of the reading as far as its heaviest findings."""
    report = next((number for number, line in enumerate(lines) if not line), 0)
    ends = [number for number, line in enumerate(lines) if line.lstrip().startswith("why:")]
    last = ends[SHOWN - 1] + 2 if len(ends) >= SHOWN else len(lines)
    for line in lines[report + 1 : last]:
        print(line)
    print("    ...\n")


def _say(text: str, indent: str = "") -> None:
    after = f"{indent}  " if indent else ""
    print(textwrap.fill(text, WIDTH, initial_indent=indent, subsequent_indent=after, break_on_hyphens=False))


class _Serving:
    """Serves a registry on loopback for the length of a block."""

    def __init__(self, registry: Registry) -> None:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                try:
                    status, body = 200, registry.answer(urlsplit(self.path).path)
                except (PortError, ValueError) as error:
                    status, body = 404, json.dumps({"error": str(error)}).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
                """Say nothing: the demonstration speaks."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        registry.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> None:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _base64(hexadecimal: str) -> str:
    from base64 import b64encode

    return b64encode(bytes.fromhex(hexadecimal)).decode()


if __name__ == "__main__":
    sys.exit(main())
