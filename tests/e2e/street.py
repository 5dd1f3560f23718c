"""A street on loopback: an upstream with inert packages, the firewall as its own process, and real clients."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256, sha512
from pathlib import Path
from typing import Any

from tests.core.packing import honest_tgz, honest_zip
from tests.infra.servers import Server

PLAIN_JS = "module.exports = 1;\n"
HELD_JS = "require('child_process').exec(atob('Y3VybCBodHRwczovL2Ryb3AuZXhhbXBsZS5pbnZhbGlkL3g='));\n"
"""What a held release adds to its installation; it is never run: every client is told to ignore scripts."""

HELD_PY = (
    "import os, base64\nos.system(base64.b64decode('Y3VybCBodHRwczovL2Ryb3AuZXhhbXBsZS5pbnZhbGlkL3g=').decode())\n"
)
JSON = "application/vnd.pypi.simple.v1+json"


class Upstream:
    """npm packages and Python wheels on a server; what is published is on its page at once."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.integrity: dict[tuple[str, str], str] = {}
        self.data: dict[str, bytes] = {}
        self._packuments: dict[str, dict[str, Any]] = {}
        self._projects: dict[str, list[dict[str, Any]]] = {}

    def npm(
        self, name: str, version: str, age: float, *, held: bool = False, files: Mapping[str, str] | None = None
    ) -> None:
        """Publish an npm release ``age`` days ago; a held one starts a hidden command when it is installed."""
        manifest: dict[str, Any] = {"name": name, "version": version, "main": "index.js"}
        packed = {"index.js": PLAIN_JS, **(files or {})}
        if held:
            manifest["scripts"] = {"postinstall": "node setup.js"}
            packed["setup.js"] = HELD_JS
        packed["package.json"] = json.dumps(manifest, indent=2) + "\n"
        data = honest_tgz({f"package/{path}": text.encode() for path, text in packed.items()})
        path = f"/npm/{name}/-/{name.rpartition('/')[2]}-{version}.tgz"
        self.server.says(path, data)
        self.data[path.rpartition("/")[2]] = data
        sri = "sha512-" + b64encode(sha512(data).digest()).decode()
        self.integrity[name, version] = sri
        page = self._packuments.setdefault(name, {"name": name, "dist-tags": {}, "versions": {}, "time": {}})
        page["versions"][version] = {
            **manifest,
            "_npmUser": {"name": "maintainer", "email": "maintainer@mail.invalid"},
            "dist": {"tarball": self.server.url + path, "integrity": sri},
        }
        page["dist-tags"]["latest"] = version
        page["time"][version] = _ago(age)
        self.server.says(f"/npm/{name.replace('/', '%2F')}", json.dumps(page).encode(), Content_Type="application/json")

    def pypi(self, name: str, version: str, age: float, *, held: bool = False) -> None:
        """Publish a wheel ``age`` days ago; a held one starts a hidden command when Python starts."""
        stem = f"{name}-{version}"
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        files = {
            f"{name}/__init__.py": "ANSWER = 1\n" + (HELD_PY if held else ""),
            f"{stem}.dist-info/METADATA": metadata,
            f"{stem}.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        if held:
            files[f"{name}_init.pth"] = f"import {name}\n"
        record = "".join(f"{path},,\n" for path in [*files, f"{stem}.dist-info/RECORD"])
        files[f"{stem}.dist-info/RECORD"] = record
        data = honest_zip({path: text.encode() for path, text in files.items()})
        filename = f"{stem}-py3-none-any.whl"
        self.server.says(f"/files/{filename}", data)
        self.data[filename] = data
        self.server.says(f"/files/{filename}.metadata", metadata.encode())
        self._projects.setdefault(name, []).append(
            {
                "filename": filename,
                "url": f"{self.server.url}/files/{filename}",
                "hashes": {"sha256": sha256(data).hexdigest()},
                "size": len(data),
                "upload-time": _ago(age),
                "core-metadata": {"sha256": sha256(metadata.encode()).hexdigest()},
            }
        )
        versions = [one["filename"].split("-")[1] for one in self._projects[name]]
        page = {"meta": {"api-version": "1.1"}, "name": name, "versions": versions, "files": self._projects[name]}
        self.server.says(f"/simple/{name}/", json.dumps(page).encode(), Content_Type=JSON)

    def down(self) -> None:
        """Answer nothing but errors from now on."""
        self.server.pages = {path: lambda handler: handler.answer(503) for path in self.server.pages}


class Firewall:
    """The firewall as its own process, on a port of its own."""

    def __init__(self, folder: Path, upstream: Upstream, **settings: str) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.config = folder / "lazaretto.toml"
        said = "".join(f"{key} = {value}\n" for key, value in settings.items())
        self.config.write_text(
            f'[firewall]\nlisten = "127.0.0.1:0"\n{said}\n'
            f'[[firewall.upstream]]\necosystem = "npm"\nurl = "{upstream.server.url}/npm/"\n'
            f'[[firewall.upstream]]\necosystem = "pypi"\nurl = "{upstream.server.url}/simple/"\n'
        )
        self.env = {
            **os.environ,
            "LAZARETTO_STATE_DIR": str(self.state),
            "LAZARETTO_CACHE_DIR": str(folder / "cache"),
            "NO_COLOR": "1",
        }
        self.url = ""
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> "Firewall":
        """Start it, and wait until it says where it listens."""
        with (self.folder / "log").open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "lazaretto", "firewall", "run", "--config", str(self.config)],
                stdout=subprocess.PIPE,
                stderr=log,
                env=self.env,
                cwd=self.folder,
                text=True,
            )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            found = re.search(r"open at (http://\S+)", line)
            if found is not None:
                self.url = found[1]
            if line.startswith("What it holds"):
                return self
        raise AssertionError(f"the firewall did not start:\n{(self.folder / 'log').read_text()}")

    @property
    def pid(self) -> int:
        """The number of its process."""
        assert self._process is not None
        return self._process.pid

    def analysts(self) -> list[int]:
        """Return the numbers of the processes that read for it."""
        found = []
        for thread in Path(f"/proc/{self.pid}/task").iterdir():
            found += [int(pid) for pid in (thread / "children").read_text().split()]
        return [pid for pid in found if b"analyst" in Path(f"/proc/{pid}/cmdline").read_bytes()]

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it and return its exit code."""
        assert self._process is not None
        self._process.send_signal(how)
        code = self._process.wait(30)
        assert self._process.stdout is not None
        self._process.stdout.close()
        return code

    def command(self, *words: str) -> str:
        """Run another command on the same state and return what it printed."""
        run = subprocess.run(
            [sys.executable, "-m", "lazaretto", *words, "--config", str(self.config)],
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return run.stdout + run.stderr

    def get(self, path: str) -> bytes:
        """Return the body of a page. Raises urllib.error.HTTPError."""
        with urllib.request.urlopen(f"{self.url}{path}", timeout=60) as answer:
            body: bytes = answer.read()
            return body

    def status(self, path: str, token: str = "") -> int:
        """Return the status of an answer, to someone with a token if one is given; 0 if there was none."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            with urllib.request.urlopen(
                urllib.request.Request(f"{self.url}{path}", headers=headers), timeout=60
            ) as got:
                return int(got.status)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code
        except OSError:
            return 0

    def readings(self) -> int:
        """Return how many readings have ended."""
        found = re.search(r"^lazaretto_readings_total (\d+)", self.get("/metrics").decode(), re.MULTILINE)
        assert found is not None
        return int(found[1])


class Client:
    """A project folder with clients that know nothing but the firewall."""

    def __init__(self, folder: Path, firewall: Firewall) -> None:
        self.folder = folder
        folder.mkdir()
        self._firewall = firewall
        self._runs = 0
        self.env = {**os.environ, "HOME": str(folder), "NO_COLOR": "1", "CI": "1"}

    def npm(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run npm with a cache of its own that holds nothing; scripts are never run."""
        self._runs += 1
        if not (self.folder / "package.json").exists():
            (self.folder / "package.json").write_text('{"name": "project", "version": "1.0.0"}\n')
        options = [
            f"--registry={self._firewall.url}/npm/",
            f"--cache={self.folder / f'cache-{self._runs}'}",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--no-update-notifier",
            "--fetch-retries=0",
        ]
        return self._run(["npm", *words, *options])

    def pip(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run pip; it installs into a folder of its own, where nothing is imported."""
        options = ["--isolated", "--disable-pip-version-check", "--no-input"]
        install = [
            "--no-cache-dir",
            "--no-deps",
            "--only-binary=:all:",
            "--retries=0",
            "--target",
            str(self.folder / "site"),
        ]
        index = ["--index-url", f"{self._firewall.url}/pypi/simple/"]
        return self._run([sys.executable, "-m", "pip", "install", *options, *install, *index, *words])

    def lock(self, name: str, version: str, integrity: str) -> None:
        """Write a lockfile that pins a release, as if it had been made before the release was held."""
        pinned = {
            "version": version,
            "resolved": f"{self._firewall.url}/npm/{name}/-/{name}-{version}.tgz",
            "integrity": integrity,
        }
        project = {"name": "project", "version": "1.0.0", "dependencies": {name: version}}
        (self.folder / "package.json").write_text(json.dumps(project))
        packages = {"": project, f"node_modules/{name}": pinned}
        lock = {"name": "project", "version": "1.0.0", "lockfileVersion": 3, "requires": True, "packages": packages}
        (self.folder / "package-lock.json").write_text(json.dumps(lock))

    def installed(self, name: str) -> str | None:
        """Return the version of an npm package that lies in ``node_modules``."""
        path = self.folder / "node_modules" / name / "package.json"
        return str(json.loads(path.read_text())["version"]) if path.exists() else None

    def wheels(self) -> list[str]:
        """Return what pip has installed."""
        return sorted(path.name.removesuffix(".dist-info") for path in (self.folder / "site").glob("*.dist-info"))

    def _run(self, command: list[str]) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            command, cwd=self.folder, env=self.env, capture_output=True, text=True, check=False, timeout=100
        )


def _ago(days: float) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
