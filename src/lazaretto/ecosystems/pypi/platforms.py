"""Which wheel the installer on this platform takes, and which Python it takes it for."""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from lazaretto.core.model import Artifact, ArtifactKind, Release
from lazaretto.ecosystems.pypi import filenames
from lazaretto.ecosystems.pypi.versions import specifiers


@lru_cache(maxsize=1)
def _ranks() -> Mapping[tuple[str, str, str], int]:
    """Return this interpreter's tags in the order of pip's preference, best first."""
    from packaging.tags import sys_tags

    return {(tag.interpreter, tag.abi, tag.platform): rank for rank, tag in enumerate(sys_tags())}


@lru_cache(maxsize=1)
def python_version() -> str:
    """Return the version of the interpreter that asks, as *Requires-Python* is compared with it."""
    import sys

    return ".".join(str(part) for part in sys.version_info[:3])


def choose(release: Release) -> tuple[Artifact, ...]:
    """Return the sdist and the wheel that pip would take here; every artifact if neither exists."""
    sdists = [artifact for artifact in release.artifacts if artifact.kind is ArtifactKind.SDIST]
    preferred = sorted(sdists, key=lambda artifact: not artifact.filename.endswith(".tar.gz"))[:1]
    wheel = best_wheel(release)
    chosen = (*preferred, *((wheel,) if wheel is not None else ()))
    return chosen or release.artifacts


def best_wheel(release: Release) -> Artifact | None:
    """Return the wheel that pip would take here, or None. Among equals the highest build tag by name."""
    wheels = [artifact for artifact in release.artifacts if artifact.kind is ArtifactKind.WHEEL]
    if len(wheels) == 1 and wheels[0].filename.endswith(("-py3-none-any.whl", "-py2.py3-none-any.whl")):
        return wheels[0]
    ranked = []
    for artifact in wheels:
        named = filenames.read(artifact.filename, release.project)
        rank = _rank(named) if named is not None else None
        if rank is not None:
            ranked.append((-rank, artifact.filename, artifact))
    return max(ranked)[2] if ranked else None


def admits_python(requires: str | None) -> bool:
    """Whether *Requires-Python* admits the interpreter that asks; what is not understood admits it."""
    wanted = specifiers(requires) if requires else None
    return wanted is None or wanted.contains(python_version(), prereleases=True)


def _rank(named: filenames.FileName) -> int | None:
    """Return the best place of a wheel's (compressed) tags among this interpreter's; None: not for here."""
    ranks = _ranks()
    found = [
        ranks[python, abi, platform]
        for python in _set(named.python)
        for abi in _set(named.abi)
        for platform in _set(named.platform)
        if (python, abi, platform) in ranks
    ]
    return min(found, default=None)


def _set(compressed: str) -> Iterable[str]:
    return compressed.lower().split(".")[:50]
