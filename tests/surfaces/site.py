"""A registry on loopback that publishes what a test asks for, and the command line run against it in this process."""

import json
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha512
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from lazaretto.infra.clock import SystemClock
from lazaretto.surfaces.cli import main
from tests.core.packing import honest_tgz
from tests.infra.servers import Server

NOW = datetime(2026, 3, 31, 0, 22, tzinfo=UTC)
PLAIN = "module.exports = 1;\n"


class Ran(Struct):
    """What one run of the command line left: its exit code and what it printed."""

    code: int
    out: str
    err: str

    @property
    def report(self) -> dict[str, Any]:
        """The report, if it was printed as JSON."""
        found: dict[str, Any] = json.loads(self.out)
        return found


class Site:
    """npm packages on a server: whatever is published is on its page at once."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._pages: dict[str, dict[str, Any]] = {}

    def publish(
        self, name: str, version: str, files: Mapping[str, str | bytes] | None = None, *, age: int = 30, **dist: Any
    ) -> str:
        """Publish a release ``age`` days before now and return its SRI; ``dist`` replaces what the page says of it."""
        packed = {"package.json": self.manifest(name, version), "index.js": PLAIN, **(files or {})}
        data = honest_tgz({f"package/{path}": _bytes(text) for path, text in packed.items()})
        return self.publish_bytes(name, version, data, age=age, **dist)

    def publish_bytes(self, name: str, version: str, data: bytes, *, age: int = 30, **dist: Any) -> str:
        """Publish an archive as it is."""
        sri = "sha512-" + b64encode(sha512(data).digest()).decode()
        path = f"/{name}/-/{name}-{version}.tgz"
        self.server.says(path, data)
        page = self._pages.setdefault(name, {"name": name, "dist-tags": {}, "versions": {}, "time": {}})
        page["versions"][version] = {
            "name": name,
            "version": version,
            "_npmUser": {"name": "maintainer", "email": "maintainer@mail.invalid"},
            "dist": {"tarball": self.server.url + path, "integrity": sri, **dist},
        }
        page["dist-tags"]["latest"] = version
        page["time"][version] = (NOW - timedelta(days=age)).isoformat()
        self.server.says(f"/{name}", json.dumps(page).encode(), Content_Type="application/json")
        return sri

    @staticmethod
    def manifest(name: str, version: str, **fields: Any) -> str:
        """Return a ``package.json``."""
        return json.dumps({"name": name, "version": version, "main": "index.js", **fields}) + "\n"

    def lockfile(self, pins: Mapping[str, tuple[str, str | None]], **extra: Any) -> str:
        """Return a package-lock of version 3: name -> (version, SRI); ``extra`` are further entries."""
        packages: dict[str, Any] = {"": {"name": "app", "version": "1.0.0", "dependencies": dict.fromkeys(pins, "*")}}
        for name, (version, sri) in pins.items():
            url = f"{self.server.url}/{name}/-/{name}-{version}.tgz"
            entry = {"version": version, "resolved": url}
            packages[f"node_modules/{name}"] = entry | ({"integrity": sri} if sri else {})
        return json.dumps({"name": "app", "lockfileVersion": 3, "packages": packages | extra}, indent=2) + "\n"


class Machine:
    """A user's machine: its registry, its settings, its clock."""

    def __init__(
        self, site: Site, folder: Path, patch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]
    ) -> None:
        self.site = site
        self.folder = folder
        self._patch = patch
        self._capture = capture
        patch.setenv("NPM_CONFIG_REGISTRY", f"{site.server.url}/")
        patch.setattr("lazaretto.infra.http.RETRIES", 0)
        patch.setattr(SystemClock, "now", lambda _: NOW)
        patch.chdir(folder)
        self.fresh("first")
        self.workers(0)

    def fresh(self, name: str) -> None:
        """Use caches and a journal that hold nothing yet."""
        self._patch.setenv("LAZARETTO_CACHE_DIR", str(self.folder / name / "cache"))
        self._patch.setenv("LAZARETTO_STATE_DIR", str(self.folder / name / "state"))

    def workers(self, count: int) -> None:
        """Read in this many processes; 0: in this one."""
        (self.folder / "lazaretto.toml").write_text(f"[engine]\nworkers = {count}\n", encoding="utf-8")

    def registry(self, url: str) -> None:
        """Use another registry."""
        self._patch.setenv("NPM_CONFIG_REGISTRY", url)

    def limits(self, **changes: Any) -> None:
        """Give every answer of a registry less time or room."""
        from lazaretto.infra import registries
        from lazaretto.infra.transport import Limits

        real = registries.configured

        def limited(*arguments: Any, **options: Any) -> Any:
            registry = real(*arguments, **options)
            registry._limits = registry._artifact_limits = Limits(**changes)
            return registry

        self._patch.setattr(registries, "configured", limited)

    def run(self, *words: str) -> Ran:
        """Run the command line in this process."""
        self._capture.readouterr()
        code = main(words)
        printed = self._capture.readouterr()
        return Ran(code, printed.out, printed.err)


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content
