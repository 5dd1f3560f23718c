"""A yard in memory for the gate: an upstream that is told what to say, readings that are answered by hand."""

import json
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from hashlib import sha256, sha512
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from msgspec.structs import replace

from lazaretto.app.gate import Gate
from lazaretto.app.ports import (
    Clock,
    Ecosystem,
    IndexPage,
    NotFound,
    ReadAnswer,
    ReadRequest,
    RegistryError,
    Urgency,
)
from lazaretto.core.access import Viewer
from lazaretto.core.firewall_policy import FirewallPolicy
from lazaretto.core.model import Artifact, Project
from lazaretto.core.names import Digest, ProjectName, Version
from lazaretto.ecosystems.npm import ECOSYSTEM
from lazaretto.infra.blobs import BlobFolder
from lazaretto.infra.ledger import SqliteLedger

NOW = datetime(2026, 3, 31, 0, 22, tzinfo=UTC)
NAME = ProjectName("thing")


class Upstream:
    """The port of an upstream over packuments made of (version, age in days). ``down`` makes it fail.

    ``named`` gives the file of a version another name than its own.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.times: dict[str, datetime] = {}
        self.tags: dict[str, str] = {}
        self.named: dict[str, str] = {}
        self.down: RegistryError | None = None
        self.seen: IndexPage | None = None
        self.asked: list[str] = []
        self.addresses = ("http://up.invalid/",)

    def publish(self, version: str, age: float = 400, data: bytes | None = None, tag: str = "latest") -> None:
        """Publish a release ``age`` days before now."""
        self.files[version] = data if data is not None else f"bytes of {version}".encode()
        self.times[version] = NOW - timedelta(days=age)
        self.tags[tag] = version

    def page(self, name: ProjectName) -> IndexPage:
        self.asked.append(f"page {name}")
        if self.down is not None:
            raise self.down
        if name != NAME:
            raise NotFound(f"no {name}")
        self.seen = IndexPage(json.dumps(self._packument()).encode(), "application/json", "http://up.invalid/thing")
        return self.seen

    def kept(self, name: ProjectName) -> IndexPage | None:
        return self.seen

    def fetch(self, url: str) -> bytes:
        raise NotFound(url)

    def statement(self, name: ProjectName, url: str) -> bytes:
        """Return no document."""
        raise NotFound(url)

    def keys(self, name: ProjectName) -> bytes:
        """Return no keys."""
        raise NotFound(name)

    def question(self, url: str, body: bytes, headers: object) -> bytes:
        raise NotFound(url)

    def project(self, name: ProjectName) -> Project:
        page = self.page(name)
        return ECOSYSTEM.index(name, page.body, page.media_type, page.url)

    def download(self, artifact: Artifact) -> bytes:
        self.asked.append(f"download {artifact.filename}")
        if self.down is not None:
            raise self.down
        return self.files[artifact.filename.removeprefix("thing-").removesuffix(".tgz")]

    def prefetch(self, artifacts: object) -> None:
        pass

    def _packument(self) -> dict[str, Any]:
        versions = {
            version: {
                "name": "thing",
                "version": version,
                "dist": {
                    "tarball": f"http://up.invalid/thing/-/{self.named.get(version, f'thing-{version}.tgz')}",
                    "integrity": "sha512-" + b64encode(sha512(data).digest()).decode(),
                },
            }
            for version, data in self.files.items()
        }
        times = {version: at.isoformat() for version, at in self.times.items()}
        return {"name": "thing", "dist-tags": self.tags, "versions": versions, "time": times}


class Hands:
    """The port of readings: what is asked waits until a test answers it."""

    def __init__(self) -> None:
        self.asked: list[tuple[ReadRequest, Urgency]] = []
        self.futures: dict[ReadRequest, Future[ReadAnswer | None]] = {}
        self.begins: dict[ReadRequest, Callable[[], bool]] = {}

    def submit(self, request: ReadRequest, urgency: Urgency, begin: Callable[[], bool]) -> Future[ReadAnswer | None]:
        self.asked.append((request, urgency))
        self.begins.setdefault(request, begin)
        return self.futures.setdefault(request, Future())

    def answer(self, version: str, outcome: str, data: bytes | None = None, **changes: Any) -> None:
        """Answer the reading of a version."""
        (request,) = [one for one, future in self.futures.items() if one.version == version and not future.done()]
        read = data if data is not None else f"bytes of {version}".encode()
        made = ReadAnswer(
            told=request.told,
            sha256=Digest(f"sha256:{sha256(read).hexdigest()}"),
            outcome=outcome,
            complete=True,
            suspected=outcome != "allow",
            clean=outcome == "allow",
            reason=f"read: {outcome}",
        )
        if request not in self.begins or self.begin(version):
            self.futures.pop(request).set_result(replace(made, **changes))

    def drop(self, version: str) -> None:
        """Answer that the reading of a version was never begun."""
        (request,) = [one for one in self.futures if one.version == version]
        self.begins.pop(request)
        self.futures.pop(request).set_result(None)

    def begin(self, version: str) -> bool:
        """Let it be the turn of a reading, and return whether it begins; if not, that is its answer."""
        (request,) = [one for one in self.begins if one.version == version]
        begun = self.begins.pop(request)()
        if not begun:
            self.futures.pop(request).set_result(None)
        return begun

    @property
    def unanswered(self) -> list[str]:
        """The versions that wait for an answer."""
        return [request.version for request in self.futures]


class Yard:
    """A gate with all that stands around it."""

    def __init__(self, folder: Path, policy: FirewallPolicy | None = None, **more: Any) -> None:
        self.folder = folder
        self.upstream = more.pop("upstream", None) or Upstream()
        self.hands = Hands()
        self.ledger = SqliteLedger(folder)
        self.blobs = BlobFolder(folder / "blobs")
        self.now = NOW
        self.gate = Gate(
            {"npm": cast("Ecosystem", ECOSYSTEM)},
            {"npm": self.upstream},
            self.ledger,
            self.blobs,
            self.hands,
            policy or FirewallPolicy(),
            more.pop("holder", "here"),
            cast("Clock", SimpleNamespace(now=lambda: self.now)),
            **more,
        )

    def again(self, policy: FirewallPolicy | None = None, **more: Any) -> "Yard":
        """Return what a restart finds: the same files and the same upstream, and an empty memory."""
        return Yard(self.folder, policy, upstream=self.upstream, **more)

    def beside(self) -> "Yard":
        """Return another replica: the same files and the same upstream, and a memory of its own."""
        return Yard(self.folder, upstream=self.upstream, holder="there")

    def versions(self, group: str | None = None) -> list[str]:
        """Return the versions that a client sees, and begin the readings that the page wants."""
        view = self.gate.page("npm", NAME, Viewer("client", None, group), self.now)
        self.gate.ahead("npm", view, self.now)
        return sorted(set(view.shown.values()))

    def tags(self) -> dict[str, Version]:
        """Return where the tags point for a client."""
        return dict(self.gate.page("npm", NAME, Viewer("client"), self.now).tags or {})

    def item(self, version: str, group: str | None = None) -> Any:
        """Return where the tarball of a version stands."""
        return self.gate.artifact("npm", NAME, f"thing-{version}.tgz", Viewer("client", None, group), self.now)

    def get(self, version: str, group: str | None = None) -> bytes:
        """Return the bytes of a version, as a client would get them."""
        viewer = Viewer("client", None, group)
        return self.gate.bytes_of(self.item(version, group), viewer, self.now)[1]

    def served(self) -> list[tuple[str, str]]:
        """Return (file name, outcome) of everything that was handed out."""
        return self.ledger._database.read("SELECT filename, outcome FROM served ORDER BY id", ())
