"""A small world in memory: the examples of detectors become real updates, read by the real pipeline.

``build_update`` is what contract tests use; ``World`` is a registry and an engine for tests of use cases.
Archives are skipped (a tree is served as it is), everything after unpacking is real.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from lazaretto.app.analyse import Analyser, Analysis, Question, Rules
from lazaretto.app.ports import ArchiveError, Home, Job, NotFound, PortError, no_home
from lazaretto.app.sourced import Sourcer
from lazaretto.bootstrap import App
from lazaretto.core.facts import Facts
from lazaretto.core.finding import Example
from lazaretto.core.language import NoUnits
from lazaretto.core.model import (
    Artifact,
    ArtifactKind,
    Disproof,
    Project,
    Provenance,
    Provided,
    Publisher,
    RegistrySignature,
    Release,
)
from lazaretto.core.names import Digest, ProjectName, Version
from lazaretto.core.policy import Policy
from lazaretto.core.source import Commit
from lazaretto.core.source import identifier as content_id
from lazaretto.core.tree import Blob, Tree
from lazaretto.core.update import Update
from lazaretto.settings import Settings

NOW = datetime(2026, 3, 31, 0, 22, tzinfo=UTC)
NAME = "example-package"


def tree_of(files: Mapping[str, str | bytes]) -> Tree:
    """Return a tree with these files."""
    blobs = {}
    for path in sorted(files):
        content = files[path]
        data = content.encode() if isinstance(content, str) else content
        blobs[path] = Blob(digest=Digest(f"sha256:{sha256(data).hexdigest()}"), held=data)
    return Tree(files=blobs)


@cache
def app() -> App:
    """Return an application without stores, for its languages, detectors and weights."""
    nowhere = Path("/nonexistent")
    return App(Settings(policy=Policy(), cache_dir=nowhere, state_dir=nowhere, workers=0))


class World:
    """A registry whose artifacts are trees, and an engine that hands them out."""

    def __init__(self, ecosystem: str = "npm") -> None:
        self.ecosystem = app().ecosystem(ecosystem)
        self.projects: dict[str, Project] = {}
        self.trees: dict[str, Tree] = {}
        self.broken: dict[str, PortError] = {}
        self.source: Mapping[str, bytes] | None = None

    def add(self, release: Release, tree: Tree, *, provides: frozenset[Provided] = frozenset(Provided)) -> None:
        """Publish a release; the newest is last."""
        known = self.projects.get(release.project)
        releases = (*(known.releases if known else ()), release)
        ordered = tuple(sorted(releases, key=lambda r: self.ecosystem.sort_key(r.version)))  # type: ignore[arg-type, return-value]
        tags = {"latest": ordered[-1].version}
        self.projects[release.project] = Project(self.ecosystem.ID, release.project, ordered, tags, provides)
        for artifact in release.artifacts:
            self.trees[artifact.filename] = tree

    def project(self, name: ProjectName) -> Project:
        """Return a page; unknown names do not exist."""
        if name in self.broken:
            raise self.broken[name]
        if name not in self.projects:
            raise NotFound(f"no project {name}")
        return self.projects[name]

    def download(self, artifact: Artifact) -> bytes:
        """Return bytes that stand for the artifact."""
        if artifact.filename in self.broken:
            raise self.broken[artifact.filename]
        return artifact.filename.encode()

    def prefetch(self, artifacts: Iterable[Artifact]) -> None:
        """Do nothing."""

    def commit(self, where: str, names: Sequence[str], identifier: str | None, *, trusted: bool) -> Commit:
        """Return the one commit of the repository."""
        files = {path: content_id(data) for path, data in (self.source or {}).items()}
        return Commit(where, names[0], identifier or "0" * 40, files)

    def texts(self, commit: Commit, paths: Sequence[str]) -> Mapping[str, bytes]:
        """Return files of the repository."""
        return {path: (self.source or {})[path] for path in paths}

    def unpack(self, artifact: Artifact, data: bytes) -> Tree:
        """Return the tree of an artifact."""
        if artifact.filename not in self.trees:
            raise ArchiveError(f"{artifact.filename}: broken")
        return self.trees[artifact.filename]

    def unpack_many(self, items: Sequence[tuple[Artifact, bytes]]) -> list[Tree | PortError]:
        """Return the trees."""
        return [
            self.trees.get(artifact.filename, ArchiveError(f"{artifact.filename}: broken")) for artifact, _ in items
        ]

    def read(self, jobs: Iterable[Job], home: Home = no_home) -> Iterator[tuple[Job, Facts]]:
        """Read in this process."""
        for job in jobs:
            yield job, read_facts(job.dialect, job.blob.data)


@cache
def read_facts(dialect: str, data: bytes) -> Facts:
    """Return the facts of a file, read by whichever module knows the dialect."""
    module = next(
        module for module in app().languages if dialect == module.ID or dialect in getattr(module, "DIALECTS", ())
    )
    return module.read(dialect, data, NoUnits())


def rules(policy: Policy | None = None) -> Rules:
    """Return the shipped rules, with another policy if one is given."""
    shipped = app().rules
    return Rules(shipped.detectors, shipped.claim, shipped.table, policy or Policy(), shipped.well_known)


def analyse(world: World, name: str, version: str, policy: Policy | None = None, now: datetime = NOW) -> Analysis:
    """Ask the real use case about a release of a world."""
    sourcer = Sourcer(world, "example", required=True) if world.source is not None else None
    analyser = Analyser(world.ecosystem, world, world, rules(policy), now, sourcer=sourcer)
    return analyser.release(Question(world.ecosystem.name(name), world.ecosystem.version(version)))


def build_update(example: Example) -> Update:
    """Return the update that an example describes."""
    return build_analysis(example).update


def build_analysis(example: Example, policy: Policy | None = None) -> Analysis:
    """Return the whole analysis of an example."""
    world, name, version, now = build_world(example)
    return analyse(world, name, version, policy, now)


def build_world(example: Example) -> tuple[World, str, str, datetime]:
    """Return the world of an example, and the name, version and instant of its question."""
    world = World(example.ecosystem)
    data = dict(example.world)
    if "source" in data:
        world.source = {path: text.encode() for path, text in data["source"].items()}
    now = _time(data.get("now")) or NOW
    name = str(data.get("package", NAME))
    before = {"version": "1.0.0", "published": now - timedelta(days=40), **data.get("before", {})}
    after = {"version": "1.0.1", "published": now - timedelta(minutes=1), **data.get("after", {})}
    for entry in data.get("history", ()):
        world.add(
            _release(world, name, {"published": now - timedelta(days=90), **entry}, sdist=False, bare=True), Tree({})
        )
    if example.before is not None:
        world.add(_release(world, name, before, sdist=example.sdist), _complete(example, example.before, name, before))
    files = _complete(example, example.after, name, after)
    world.add(_release(world, name, after, sdist=example.sdist), files)
    for entry in (before, after):
        if "sdist" in entry:
            world.trees[f"{name}-{entry['version']}.tar.gz"] = _complete(
                msgspec.structs.replace(example, sdist=True), entry["sdist"], name, entry
            )
    _dependencies(world, files, data, now)
    return world, name, str(after["version"]), now


def _release(world: World, name: str, entry: Mapping[str, Any], *, sdist: bool, bare: bool = False) -> Release:
    version = Version(str(entry["version"]))
    kind = ArtifactKind.TARBALL if world.ecosystem.ID == "npm" else ArtifactKind.SDIST if sdist else ArtifactKind.WHEEL
    ending = {"tgz": ".tgz", "sdist": ".tar.gz", "wheel": "-py3-none-any.whl"}[kind]
    digest = sha256(f"{name}-{version}".encode()).hexdigest()
    plain = name.replace("/", "-").replace("@", "")
    signatures = (RegistrySignature("SHA256:key", "c2lnbmF0dXJl"),) if entry.get("signed") else ()
    artifact = Artifact(
        f"{plain}-{version}{ending}", kind, "https://registry.invalid/x", {"sha256": digest}, signatures=signatures
    )
    publisher = entry.get("publisher", "maintainer <maintainer@mail.invalid>")
    attested = entry.get("attested", False)
    provenance = entry.get("provenance")
    return Release(
        ecosystem=world.ecosystem.ID,
        project=world.ecosystem.name(name),
        version=version,
        artifacts=() if bare else (artifact, *_second(artifact, entry)),
        published=_time(entry.get("published")),
        publisher=_publisher(publisher, entry.get("trusted_publisher", False)),
        attested=attested,
        provenance=Provenance(**provenance) if provenance else None,
        git_head="0" * 40 if entry.get("git_head", True) else None,
        disproofs=tuple(msgspec.convert(one, Disproof) for one in entry.get("disproofs", ())),
    )


def _second(artifact: Artifact, entry: Mapping[str, Any]) -> tuple[Artifact, ...]:
    """Return the source distribution beside a wheel, if the example describes one (``sdist``: its files)."""
    if "sdist" not in entry:
        return ()
    name = artifact.filename.replace("-py3-none-any.whl", ".tar.gz")
    return (Artifact(name, ArtifactKind.SDIST, artifact.url, {"sha256": sha256(name.encode()).hexdigest()}),)


def _publisher(text: str | None, trusted: bool) -> Publisher | None:
    if text is None:
        return None
    name, _, rest = text.partition(" <")
    return Publisher(name=name, email=rest.rstrip(">") or None, trusted=trusted)


def _time(value: object) -> datetime | None:
    if isinstance(value, str):
        value = tomllib.loads(f"t = {value}")["t"]
    return value if isinstance(value, datetime) else None


def _complete(example: Example, files: Mapping[str, str], name: str, entry: Mapping[str, Any]) -> Tree:
    """Add the metadata file that every artifact has, if the example leaves it out."""
    full = dict(files)
    version = entry["version"]
    if example.ecosystem == "npm":
        full.setdefault("package.json", f'{{"name": "{name}", "version": "{version}", "main": "index.js"}}\n')
    elif example.sdist:
        full.setdefault("PKG-INFO", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    elif not any(path.endswith(".dist-info/METADATA") for path in full):
        folder = f"{name.replace('-', '_')}-{version}.dist-info"
        full[f"{folder}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    return tree_of(full)


def _dependencies(world: World, files: Tree, data: Mapping[str, Any], now: datetime) -> None:
    """Publish the dependencies an example describes, and established projects for all others but the ``absent``."""
    for entry in data.get("dependency", ()):
        tree = (
            tree_of(entry.get("files", {}))
            if entry.get("files")
            else _plain_tree(world, entry["name"], entry["version"])
        )
        world.add(_release(world, entry["name"], {"published": now, **entry}, sdist=False), tree)
    artifact = Artifact("x", ArtifactKind.TARBALL if world.ecosystem.ID == "npm" else ArtifactKind.WHEEL, "")
    for dependency in world.ecosystem.manifest(artifact, files).dependencies:
        if dependency.project in {*world.projects, *data.get("absent", ())}:
            continue
        if dependency.source not in ("registry", "alias"):
            continue
        digits = "".join(c for c in dependency.requirement.split(",")[0].split(" ")[0] if c.isdigit() or c == ".")
        version = digits.strip(".") or "1.0.0"
        version += ".0" * (2 - version.count(".")) if world.ecosystem.ID == "npm" else ""
        for number, age in (("0.0.1", 3000), (version, 400)):
            entry = {"version": number, "published": now - timedelta(days=age)}
            world.add(
                _release(world, dependency.project, entry, sdist=False), _plain_tree(world, dependency.project, number)
            )


def _plain_tree(world: World, name: str, version: str) -> Tree:
    example = Example(title="", after={}, ecosystem=world.ecosystem.ID)
    return _complete(example, {}, name, {"version": version})
