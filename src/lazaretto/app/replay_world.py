"""The registry of a replay: real archive bytes in memory, served as they were a minute after publication."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from hashlib import sha1, sha256, sha512
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from lazaretto.app.ports import BlobStore, Ecosystem, NotFound, PortError, Registry, Untrusted
from lazaretto.app.replay import Insert, Origin, OwnDependency, Replay, Side, World
from lazaretto.app.replay_pack import blob, metadata_path, pack, set_headers, set_json
from lazaretto.core.model import Artifact, ArtifactKind, Project, Provided, Release
from lazaretto.core.names import Digest, ProjectName, Purl
from lazaretto.core.tree import Tree
from lazaretto.core.update import ChangeStatus, FileChange

HOST = "https://replay.invalid/"
"""Root of every URL of a replayed artifact; no such host can exist (RFC 2606)."""

Unpack = Callable[[Artifact, bytes], Tree]


class ReplayError(PortError):
    """A replay cannot be put back on a registry; the message names the part of the folder that is wrong."""


class ReplayRegistry:
    """The projects of one replay; everything else as the configured registry has it, without what came later."""

    def __init__(
        self, projects: Mapping[ProjectName, Project], archives: Mapping[str, bytes], fallback: Registry, now: datetime
    ) -> None:
        """``archives`` maps an artifact's URL to its bytes; ``fallback`` is the configured registry."""
        self._projects = projects
        self._archives = archives
        self._fallback = fallback
        self._now = now

    def project(self, name: ProjectName) -> Project:
        """Return what the index said at that minute. Raises what the fallback raises."""
        known = self._projects.get(name)
        if known is not None:
            return known
        return as_of(self._fallback.project(name), self._now)

    def download(self, artifact: Artifact) -> bytes:
        """Return an artifact's bytes. Raises what the fallback raises."""
        known = self._archives.get(artifact.url)
        return known if known is not None else self._fallback.download(artifact)

    def prefetch(self, artifacts: Iterable[Artifact]) -> None:
        """Pass the hint on for what is not in memory."""
        self._fallback.prefetch([artifact for artifact in artifacts if artifact.url not in self._archives])


def as_of(project: Project, now: datetime) -> Project:
    """Return a project without the releases that appeared after ``now``; a release without a time stays.

    Raises:
        NotFound: nothing is left of it.
    """
    releases = tuple(one for one in project.releases if one.published is None or one.published <= now)
    if not releases:
        raise NotFound(f"{project.name} had no release before {now.isoformat()}")
    versions = {release.version for release in releases}
    tags = {tag: version for tag, version in project.tags.items() if version in versions}
    return replace(project, releases=releases, tags=tags)


class Builder(Struct, frozen=True, kw_only=True):
    """Makes the world of a replay. ``Builder.build`` is what ``replay.run`` asks for.

    ``ecosystems`` and ``registries`` map an ecosystem's id to its rules and to the configured registry; ``unpack`` is
    that of the Engine port.
    """

    ecosystems: Mapping[str, Ecosystem]
    registries: Mapping[str, Registry]
    unpack: Unpack
    blobs: BlobStore

    def build(self, replay: Replay) -> World:
        """Return the registry, the question and the places that count.

        Raises:
            PortError: an artifact is out of reach and there is no stand-in, or the folder contradicts itself.
        """
        ecosystem = self.ecosystems.get(replay.ecosystem)
        registry = self.registries.get(replay.ecosystem)
        if ecosystem is None or registry is None:
            raise ReplayError(f"{replay.name}: no registry of ecosystem {replay.ecosystem!r} is configured")
        try:
            return _Stage(replay, ecosystem, registry, self.unpack, self.blobs).world()
        except ValueError as error:
            raise ReplayError(f"{replay.name}: {error}") from error


class _Packed(Struct, frozen=True):
    """An artifact of the replayed registry, its bytes and its files."""

    artifact: Artifact
    data: bytes
    tree: Tree


class _Stage:
    """Builds one world; gathers archives and notes on the way."""

    def __init__(
        self, replay: Replay, ecosystem: Ecosystem, registry: Registry, unpack: Unpack, blobs: BlobStore
    ) -> None:
        self._replay = replay
        self._ecosystem = ecosystem
        self._registry = registry
        self._unpack = unpack
        self._blobs = blobs
        self._archives: dict[str, bytes] = {}
        self._places: dict[Purl, Mapping[str, frozenset[int]]] = {}
        self._notes: list[str] = []
        self._name = ecosystem.name(replay.package)

    def world(self) -> World:
        replay = self._replay
        after = replay.after
        befores = tuple(self._before(kind) for kind in after.kinds) if replay.before else ()
        afters = tuple(self._after(kind, befores[index] if befores else None) for index, kind in enumerate(after.kinds))
        releases = [self._release(self._name, side, ()) for side in replay.history]
        if replay.before:
            releases.append(self._release(self._name, replay.before.side, befores))
        releases.append(self._release(self._name, after.side, afters))
        sides = (*replay.history, *((replay.before.side,) if replay.before else ()), after.side)
        projects = {self._name: self._project(self._name, releases, sides), **self._own_dependencies()}
        return World(
            registry=ReplayRegistry(projects, self._archives, self._registry, replay.now),
            project=self._name,
            version=self._ecosystem.version(after.side.version),
            places=self._places,
            notes=tuple(self._notes),
        )

    # The sides -------------------------------------------------------------------------------------------------

    def _before(self, kind: ArtifactKind) -> _Packed:
        before = self._replay.before
        assert before is not None  # asked for only where there is one
        if before.origin is Origin.REGISTRY:
            try:
                return self._real(before.side, before.digests, kind)
            except PortError as error:
                if before.tree is None:
                    raise
                self._notes.append(f"the stand-in tree takes the place of the real {before.side.version}: {error}")
        if before.tree is None:
            raise ReplayError(f"{self._replay.name}: [before] has no tree")
        tree = self._described(before.tree, self._name, before.side, kind, {}, ())
        return self._packed(self._name, before.side, kind, self._filename(self._name, before.side, kind), tree)

    def _after(self, kind: ArtifactKind, before: _Packed | None) -> _Packed:
        after = self._replay.after
        if after.origin is Origin.REGISTRY:
            return self._real(after.side, after.digests, kind)
        filename = self._filename(self._name, after.side, kind)
        if before is not None and self._replay.before is not None:
            filename = before.artifact.filename.replace(self._replay.before.side.version, after.side.version, 1)
        base = self._renamed(before.tree if before else Tree(files={}), kind)
        only_version = self._described(base, self._name, after.side, kind, {}, ())
        changed = {path: content for path, content in base.files.items() if path not in after.remove}
        changed.update(after.overlay.files)
        for insert in after.inserts:
            changed[insert.path] = blob(_inserted(changed, insert))
        executable = (base.executable | after.overlay.executable) & changed.keys()
        tree = Tree(files=changed, executable=frozenset(executable))
        tree = self._described(tree, self._name, after.side, kind, after.manifest, after.manifest_remove)
        packed = self._packed(self._name, after.side, kind, filename, tree)
        self._count(self._ecosystem.purl(self._name, self._ecosystem.version(after.side.version)), only_version, tree)
        return packed

    def _own_dependencies(self) -> dict[ProjectName, Project]:
        kind = ArtifactKind.TARBALL if self._ecosystem.ID == "npm" else ArtifactKind.WHEEL
        grouped: dict[ProjectName, list[OwnDependency]] = {}
        for own in self._replay.dependencies:
            grouped.setdefault(self._ecosystem.name(own.name), []).append(own)
        projects = {}
        for name, group in grouped.items():
            releases = []
            for own in group:
                tree = self._described(own.tree, name, own.side, kind, {}, ())
                packed = self._packed(name, own.side, kind, self._filename(name, own.side, kind), tree)
                releases.append(self._release(name, own.side, (packed,)))
                purl = self._ecosystem.purl(name, self._ecosystem.version(own.side.version))
                self._count(purl, Tree(files={}), tree)
            projects[name] = self._project(name, releases, tuple(own.side for own in group))
        return projects

    # Artifacts ---------------------------------------------------------------------------------------------------

    def _real(self, side: Side, digests: Mapping[str, str], kind: ArtifactKind) -> _Packed:
        """Return a real artifact: from the cache if its digest is pinned, else from the configured registry."""
        pinned = {name: digest for name, digest in digests.items() if _kind_of(name) is kind}
        for filename, digest in pinned.items():
            data = self._blobs.get(Digest(f"sha256:{digest}"))
            if data is not None:
                return self._served(self._name, side, kind, filename, data)
        artifact = self._find(side, kind, pinned)
        known = artifact.digests.get("sha256")
        data = self._blobs.get(Digest(f"sha256:{known}")) if known else None
        if data is None:
            data = self._registry.download(artifact)
        expected = pinned.get(artifact.filename)
        if expected is not None and sha256(data).hexdigest() != expected:
            raise Untrusted(f"{artifact.filename} of the registry is not the one that this replay names by its SHA-256")
        self._blobs.put(data)
        return self._served(self._name, side, kind, artifact.filename, data)

    def _find(self, side: Side, kind: ArtifactKind, pinned: Mapping[str, str]) -> Artifact:
        release = self._registry.project(self._name).release(self._ecosystem.version(side.version))
        if release is None:
            raise NotFound(f"the registry has no {self._name} {side.version}")
        offered = [one for one in release.artifacts if one.kind is kind and (not pinned or one.filename in pinned)]
        preferred = [one for one in self._ecosystem.choose(release) if one in offered]
        if not offered:
            raise NotFound(f"the registry has no {kind.value} of {self._name} {side.version}")
        return (preferred or offered)[0]

    def _packed(self, name: ProjectName, side: Side, kind: ArtifactKind, filename: str, tree: Tree) -> _Packed:
        stem = filename.removesuffix(".tar.gz")
        return self._served(name, side, kind, filename, pack(kind, stem, tree))

    def _served(self, name: ProjectName, side: Side, kind: ArtifactKind, filename: str, data: bytes) -> _Packed:
        npm = kind is ArtifactKind.TARBALL
        hashes = (sha512, sha1) if npm else (sha256,)
        artifact = Artifact(
            filename=filename,
            kind=kind,
            url=f"{HOST}{name}/-/{filename}",
            digests={one().name: one(data).hexdigest() for one in hashes},
            size=len(data),
            uploaded=side.published,
            attested=side.attested,
        )
        self._archives[artifact.url] = data
        return _Packed(artifact, data, self._unpack(artifact, data))

    def _filename(self, name: ProjectName, side: Side, kind: ArtifactKind) -> str:
        if kind is ArtifactKind.TARBALL:
            return f"{name.rpartition('/')[2]}-{side.version}.tgz"
        stem = f"{name.replace('-', '_')}-{side.version}"
        return f"{stem}.tar.gz" if kind is ArtifactKind.SDIST else f"{stem}-py3-none-any.whl"

    # Manifests ---------------------------------------------------------------------------------------------------

    def _renamed(self, tree: Tree, kind: ArtifactKind) -> Tree:
        """Return the tree with the ``.dist-info`` folder named after the version in question."""
        metadata = metadata_path(tree, kind)
        if kind is not ArtifactKind.WHEEL or metadata is None:
            return tree
        old = metadata.partition("/")[0] + "/"
        new = f"{old.partition('-')[0]}-{self._replay.after.side.version}.dist-info/"

        def moved(path: str) -> str:
            return new + path.removeprefix(old) if path.startswith(old) else path

        files = {moved(path): content for path, content in tree.files.items()}
        return Tree(files=files, executable=frozenset(map(moved, tree.executable)))

    def _described(
        self,
        tree: Tree,
        name: ProjectName,
        side: Side,
        kind: ArtifactKind,
        changes: Mapping[str, Any],
        removed: tuple[str, ...],
    ) -> Tree:
        """Return the tree whose manifest has this version and these changes; a missing manifest is written."""
        path = metadata_path(tree, kind)
        files = dict(tree.files)
        if kind is ArtifactKind.TARBALL:
            old = files[path].data if path else f'{{\n  "name": "{name}"\n}}\n'.encode()
            files["package.json"] = blob(set_json(old, {"version": side.version, **changes}, removed))
            return Tree(files=files, executable=tree.executable)
        stem = f"{name.replace('-', '_')}-{side.version}"
        path = path or ("PKG-INFO" if kind is ArtifactKind.SDIST else f"{stem}.dist-info/METADATA")
        old = files[path].data if path in files else f"Metadata-Version: 2.1\nName: {name}\n\n".encode()
        files[path] = blob(set_headers(old, {"Version": side.version, **changes}, removed))
        if kind is ArtifactKind.WHEEL:
            wheel = path.rpartition("/")[0] + "/WHEEL"
            files.setdefault(wheel, blob(b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"))
        return Tree(files=files, executable=tree.executable)

    # What the index tells ----------------------------------------------------------------------------------------

    def _release(self, name: ProjectName, side: Side, packed: Iterable[_Packed]) -> Release:
        packed = tuple(packed)
        version = self._ecosystem.version(side.version)
        dependencies = None
        if self._ecosystem.ID == "npm" and packed:  # a packument repeats the manifest; other indexes do not
            dependencies = self._ecosystem.manifest(packed[0].artifact, packed[0].tree).dependencies
        return Release(
            ecosystem=self._replay.ecosystem,
            project=name,
            version=version,
            artifacts=tuple(one.artifact for one in packed),
            published=side.published,
            publisher=side.publisher,
            attested=side.attested,
            provenance=side.provenance,
            git_head=sha256(f"{name}@{version}".encode()).hexdigest()[:40] if side.git_head else None,
            dependencies=dependencies,
        )

    def _project(self, name: ProjectName, releases: list[Release], sides: tuple[Side, ...]) -> Project:
        """Return the project: in version order, each tag where its last publication put it."""
        oldest = datetime.min.replace(tzinfo=UTC)
        tags = {
            side.dist_tag: self._ecosystem.version(side.version)
            for side in sorted(sides, key=lambda side: side.published or oldest)
            if side.dist_tag is not None
        }
        tagged = (
            replace(release, tags=tuple(sorted(tag for tag, version in tags.items() if version == release.version)))
            for release in releases
        )
        key = self._ecosystem.sort_key
        return Project(
            ecosystem=self._replay.ecosystem,
            name=name,
            releases=tuple(sorted(tagged, key=lambda release: key(release.version))),  # type: ignore[arg-type, return-value]
            tags=tags,
            provides=frozenset(Provided),
        )

    def _count(self, purl: Purl, before: Tree, after: Tree) -> None:
        """Remember the lines that this incident changed, over all artifacts of the release."""
        places = dict(self._places.get(purl, {}))
        for path, now in after.files.items():
            was = before.files.get(path)
            if was is None or was.digest != now.digest:
                change = FileChange(path=path, status=ChangeStatus.CHANGED, before=was, after=now)
                places[path] = places.get(path, frozenset()) | change.added_lines
        self._places[purl] = places


def _kind_of(filename: str) -> ArtifactKind:
    if filename.endswith(".tgz"):
        return ArtifactKind.TARBALL
    return ArtifactKind.WHEEL if filename.endswith(".whl") else ArtifactKind.SDIST


def _inserted(files: Mapping[str, Any], insert: Insert) -> bytes:
    """Return a file's bytes with the inserted text beginning at the named line. Raises ValueError."""
    kept = files.get(insert.path)
    if kept is None:
        raise ValueError(f"[[insert]] names {insert.path}, which the release before does not have")
    *whole, last = kept.data.split(b"\n")
    lines = [line + b"\n" for line in whole] + ([last] if last else [])
    if insert.line > len(lines) + 1:
        raise ValueError(f"[[insert]] begins at line {insert.line} of {insert.path}, which has {len(lines)} lines")
    at = insert.line - 1 if insert.line else len(lines)
    head = b"".join(lines[:at])
    if head and not head.endswith(b"\n") and insert.line:
        head += b"\n"
    return bytes(head + insert.data + b"".join(lines[at:]))
