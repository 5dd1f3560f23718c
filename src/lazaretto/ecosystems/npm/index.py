"""The full packument of a package: bytes in, a neutral ``Project`` out.

See the registry's package metadata document. The abbreviated form has no ``time``, so a cooldown and
an age need the full one. A field that is absent, or of a type it should not have, is *unknown*.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from lazaretto.core.model import (
    Artifact,
    ArtifactKind,
    Dependency,
    DependencyGroup,
    Project,
    Provided,
    Publisher,
    RegistrySignature,
    Release,
)
from lazaretto.core.names import Digest, ProjectName, Version
from lazaretto.ecosystems.npm import specs
from lazaretto.ecosystems.npm.versions import sort_key


class _Attestations(msgspec.Struct):
    url: str | None = None


class Dist(msgspec.Struct):
    """What a version says of its artifact; of another shape, it is as if it said nothing."""

    tarball: str | None = None
    integrity: str | None = None
    shasum: str | None = None
    signatures: Any = None
    attestations: _Attestations | None = None


class _Signature(msgspec.Struct):
    keyid: str
    sig: str


class _User(msgspec.Struct):
    name: str
    email: str | None = None
    trustedPublisher: dict[str, Any] | None = None  # noqa: N815 - the registry's spelling


class _Version(msgspec.Struct):
    dist: Dist | None = None
    npm_user: _User | None = msgspec.field(default=None, name="_npmUser")
    git_head: str | None = msgspec.field(default=None, name="gitHead")
    deprecated: str | bool | None = None
    dependencies: dict[str, str] | None = None
    optional: dict[str, str] | None = msgspec.field(default=None, name="optionalDependencies")
    peer: dict[str, str] | None = msgspec.field(default=None, name="peerDependencies")
    peer_meta: Any = msgspec.field(default=None, name="peerDependenciesMeta")


class _Packument(msgspec.Struct):
    name: str | None = None
    tags: dict[str, str] = msgspec.field(default_factory=dict, name="dist-tags")
    versions: dict[str, msgspec.Raw] | None = None
    time: dict[str, Any] | None = None


_PACKUMENT = msgspec.json.Decoder(_Packument)
_VERSION = msgspec.json.Decoder(_Version)


def parse(project: ProjectName, data: bytes) -> Project:
    """Return what a packument says.

    Raises:
        ValueError: not JSON, not a packument, or that of another package; the message says where.
    """
    try:
        page = _PACKUMENT.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"the index page of {project} is no packument: {error}") from None
    if page.name is None and page.versions is None:
        raise ValueError(f"the index page of {project} is no packument: it has neither name nor versions")
    if page.name is not None and page.name != project:
        raise ValueError(f"the index page of {project} is that of another package: {page.name[:80]!r}")
    times = page.time or {}
    tags: dict[str, list[str]] = {}
    for tag, tagged in page.tags.items():
        tags.setdefault(tagged, []).append(tag)
    versions = page.versions or {}  # nothing is left of a package that was unpublished
    texts = sorted(versions, key=lambda text: sort_key(Version(text)))
    raw = [(text, _version(project, text, versions[text])) for text in texts]
    told = _Told(raw)
    releases = tuple(
        told.release(project, Version(text), version, _instant(times.get(text)), tuple(sorted(tags.get(text, ()))))
        for text, version in raw
    )
    return Project(
        ecosystem="npm",
        name=project,
        releases=releases,
        tags={tag: Version(text) for tag, text in sorted(page.tags.items()) if text in versions},
        provides=told.provides(releases),
        digest=_digest(data),
    )


class _Told:
    """What a page tells in any release: there, absence in another release means *no*, not *unknown*."""

    def __init__(self, versions: list[tuple[str, _Version]]) -> None:
        self.attestation = False
        self.trusted = False
        for _, version in versions:
            if version.dist is not None and (version.dist.attestations is not None or version.dist.signatures):
                self.attestation = True
            if version.npm_user is not None and version.npm_user.trustedPublisher is not None:
                self.trusted = True

    def provides(self, releases: tuple[Release, ...]) -> frozenset[Provided]:
        """Return the fields that this registry gives for this package."""
        given = {
            Provided.PUBLISHER: any(release.publisher is not None for release in releases),
            Provided.TIME: any(release.published is not None for release in releases),
            Provided.ATTESTATION: self.attestation,
            Provided.GIT_HEAD: any(release.git_head is not None for release in releases),
            Provided.SIGNATURE: any(artifact.signatures for release in releases for artifact in release.artifacts),
        }
        return frozenset(field for field, known in given.items() if known)

    def release(
        self, project: ProjectName, text: Version, version: _Version, published: datetime | None, tags: tuple[str, ...]
    ) -> Release:
        """Return one release."""
        attested = None
        if self.attestation:
            attested = version.dist is not None and version.dist.attestations is not None
        return Release(
            ecosystem="npm",
            project=project,
            version=text,
            artifacts=_artifacts(version.dist, published, attested=attested),
            published=published,
            publisher=self._publisher(version.npm_user),
            attested=attested,
            git_head=version.git_head,
            dependencies=_dependencies(version),
            tags=tags,
            deprecated=version.deprecated or None if isinstance(version.deprecated, str) else None,
        )

    def _publisher(self, user: _User | None) -> Publisher | None:
        if user is None:
            return None
        trusted = user.trustedPublisher is not None if self.trusted else None
        return Publisher(name=user.name, email=user.email, trusted=trusted)


def _version(project: ProjectName, text: str, raw: msgspec.Raw) -> _Version:
    """Return one version of a packument; where old tools wrote odd types, what can be read of it."""
    try:
        return _VERSION.decode(raw)
    except msgspec.DecodeError:
        pass
    try:
        document = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(f"the index page of {project} is broken at version {text[:80]!r}: {error}") from None
    if not isinstance(document, dict):
        raise ValueError(  # noqa: TRY004 - the page is wrong, not the caller
            f"the index page of {project} is broken at version {text[:80]!r}: not an object"
        )
    fields = {}
    for field, info in zip(_Version.__struct_encode_fields__, msgspec.structs.fields(_Version), strict=True):
        if field in document:
            try:
                fields[info.name] = msgspec.convert(document[field], info.type)
            except msgspec.ValidationError:
                continue
    return _Version(**fields)


def _dependencies(version: _Version) -> tuple[Dependency, ...] | None:
    """Return the edges that a consumer's client follows; None if the page does not hold them well-formed."""
    optional = version.optional or {}
    edges = []
    try:
        for declared, spec in (version.dependencies or {}).items():
            if declared not in optional:  # optionalDependencies take precedence over dependencies
                edges.append(specs.dependency(declared, spec, DependencyGroup.RUNTIME))
        for declared, spec in optional.items():
            edges.append(specs.dependency(declared, spec, DependencyGroup.OPTIONAL))
        for declared, spec in (version.peer or {}).items():
            group = DependencyGroup.EXTRA if specs.is_optional(version.peer_meta, declared) else DependencyGroup.PEER
            edges.append(specs.dependency(declared, spec, group))
    except ValueError:
        return None
    return tuple(edges)


def _artifacts(dist: Dist | None, published: datetime | None, *, attested: bool | None) -> tuple[Artifact, ...]:
    filename = filename_of(dist.tarball or "") if dist is not None else ""
    if dist is None or not dist.tarball or not filename:
        return ()
    signatures = _signatures(dist.signatures)
    return (
        Artifact(
            filename=filename,
            kind=ArtifactKind.TARBALL,
            url=dist.tarball,
            digests=digests(dist.integrity, dist.shasum),
            uploaded=published,
            attested=attested,
            provenance_url=dist.attestations.url if dist.attestations is not None else None,
            integrity=dist.integrity if signatures else None,
            signatures=signatures,
        ),
    )


def _signatures(told: object) -> tuple[RegistrySignature, ...]:
    """Return the registry's signatures; what is of another shape is none."""
    if not told:
        return ()
    try:
        return tuple(RegistrySignature(one.keyid, one.sig) for one in msgspec.convert(told, tuple[_Signature, ...]))
    except msgspec.ValidationError:
        return ()


def filename_of(tarball: str) -> str:
    """Return the last part of an address: what an artifact is called; empty if nothing can be asked for by it."""
    filename = tarball.partition("#")[0].partition("?")[0].rpartition("/")[2]
    return "" if filename in {".", ".."} else filename


def digests(integrity: str | None, shasum: str | None) -> Mapping[str, str]:
    """Return algorithm -> hex of an SRI string and a SHA-1.

    The text of a hash that is no base64 is kept as it is: no bytes can have it, so that a download
    fails instead of going unverified.
    """
    from binascii import Error, a2b_base64

    found: dict[str, str] = {}
    for word in (integrity or "").split():
        algorithm, _, value = word.partition("-")
        if algorithm not in ("sha512", "sha384", "sha256", "sha1") or algorithm in found:
            continue
        value = value.partition("?")[0]
        try:
            found[algorithm] = a2b_base64(value, strict_mode=True).hex()
        except (Error, ValueError):
            found[algorithm] = value
    if shasum:
        found.setdefault("sha1", shasum.lower())
    return found


def _instant(value: object) -> datetime | None:
    """Return an instant in UTC; a time without a zone is taken as UTC, as the registry means it."""
    if not isinstance(value, str):
        return None
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        return None
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)


def _digest(data: bytes) -> Digest:
    from hashlib import sha256

    return Digest(f"sha256:{sha256(data).hexdigest()}")
