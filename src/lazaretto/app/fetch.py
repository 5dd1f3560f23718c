"""Both sides of an update, downloaded and unpacked: a few archives at a time, for together they may be large."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from lazaretto.app.carried import settle
from lazaretto.app.opened import Opened, Part, Source
from lazaretto.app.ports import Ecosystem, PortError, Registry, RegistryError
from lazaretto.core.model import Artifact, Release

MAX_PACKED = 48 << 20
"""Bytes of archives after which those that were got are unpacked, before more are got."""

Open = Callable[[Sequence[Source]], Sequence[Part | PortError]]
"""Archives -> for each what there is to read, or the error that refused it."""


class Fetched(Struct, frozen=True, eq=False):
    """What was got and unpacked; what could not be; and the artifacts that were got, each with its own SHA-256."""

    opened: tuple[Opened, ...]
    errors: tuple[PortError, ...]
    artifacts: Mapping[str, Artifact]


def fetch(
    registry: Registry,
    ecosystem: Ecosystem,
    wanted: Sequence[Artifact],
    before: Release | None,
    open_: Open,
    progress: Callable[[str], None],
) -> Fetched:
    """Download and unpack these artifacts and, of the earlier release, those that they are measured against."""
    partners = {artifact.filename: partner(artifact, before, ecosystem) for artifact in wanted}
    olds = [partner for partner in partners.values() if partner is not None]
    registry.prefetch([*wanted, *olds])
    missing: list[PortError] = []
    refused: list[PortError] = []
    parts: dict[str, Part] = {}
    artifacts: dict[str, Artifact] = {}
    distinct = {artifact.filename: artifact for artifact in [*wanted, *olds]}
    for sources in _in_turn(registry, distinct.values(), missing, progress):
        artifacts |= {source.artifact.filename: with_digest(source) for source in sources}
        for source, part in zip(sources, open_(sources), strict=True):
            if isinstance(part, PortError):
                refused.append(part)
            else:
                parts[source.artifact.filename] = part
    for side in (wanted, olds):
        settle([parts[one.filename] for one in side if one.filename in parts])
    opened = []
    for artifact in wanted:
        after, other = parts.get(artifact.filename), partners[artifact.filename]
        if after is not None:  # without its partner it is read as at first contact: more charges, never fewer
            opened.append(Opened(parts.get(other.filename) if other else None, after))
    return Fetched(tuple(opened), (*missing, *refused), artifacts)


def _in_turn(
    registry: Registry, artifacts: Iterable[Artifact], missing: list[PortError], progress: Callable[[str], None]
) -> Iterator[list[Source]]:
    """Yield archives as they are got, as many at a time as are held; errors go to ``missing``."""
    sources: list[Source] = []
    size = 0
    for artifact in artifacts:
        progress(f"fetching {artifact.filename}")
        try:
            data = registry.download(artifact)
        except RegistryError as error:
            missing.append(error)
            continue
        sources.append(Source(artifact, data))
        size += len(data)
        if size >= MAX_PACKED:
            yield sources
            sources, size = [], 0
    if sources:
        yield sources


def partner(artifact: Artifact, before: Release | None, ecosystem: Ecosystem) -> Artifact | None:
    """Return the earlier artifact to measure against: the same kind, and for wheels the same tags if there is one."""
    if before is None:
        return None
    same = [candidate for candidate in before.artifacts if candidate.kind is artifact.kind]
    tail = artifact.filename.split("-")[2:]
    exact = [candidate for candidate in same if candidate.filename.split("-")[2:] == tail]
    chosen = [candidate for candidate in ecosystem.choose(before) if candidate.kind is artifact.kind]
    return next(iter(exact or chosen or same), None)


def with_digest(source: Source) -> Artifact:
    """Return the artifact with the SHA-256 of the bytes that were got."""
    return replace(source.artifact, digests={**source.artifact.digests, "sha256": source.sha256})
