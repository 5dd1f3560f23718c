"""What a distribution's file name says (PEP 427, PEP 625 and what came before)."""

from msgspec import Struct

from lazaretto.core.model import ArtifactKind
from lazaretto.core.names import ProjectName, Version
from lazaretto.ecosystems.pypi import names, versions

MAX_LENGTH = 512
"""Longest file name, in characters; file systems end at 255."""

_SDISTS = (".tar.gz", ".zip", ".tgz", ".tar.bz2", ".tbz", ".tar.xz", ".txz", ".tar", ".tar.z", ".tlz", ".tar.lzma")


class FileName(Struct, frozen=True):
    """Kind and version; for wheels the compatibility tags as written (``py3``, ``none``, ``any``)."""

    kind: ArtifactKind
    version: Version
    python: str = ""
    abi: str = ""
    platform: str = ""


def read(filename: str, project: ProjectName) -> FileName | None:
    """Return what the name says, or None for a file that no installer takes (eggs, installers, signatures)."""
    if len(filename) > MAX_LENGTH or not filename.isprintable() or "/" in filename or "\\" in filename:
        return None  # it must be one segment of an address
    lowered = filename.lower()
    if lowered.endswith(".whl"):
        return _wheel(filename[:-4], project)
    for ending in _SDISTS:
        if lowered.endswith(ending):
            return _sdist(filename[: -len(ending)], project)
    return None


def _wheel(stem: str, project: ProjectName) -> FileName | None:
    parts = stem.split("-")
    if len(parts) not in (5, 6) or names.normal(parts[0]) != project:
        return None
    parsed = versions.parse(parts[1])
    if parsed is None:
        return None
    return FileName(ArtifactKind.WHEEL, Version(str(parsed)), parts[-3], parts[-2], parts[-1])


def _sdist(stem: str, project: ProjectName) -> FileName | None:
    """Return the version that follows the project's name; old names may hold dashes themselves."""
    at = stem.find("-")
    while at >= 0:
        if names.normal(stem[:at]) == project:
            parsed = versions.parse(stem[at + 1 :])
            if parsed is not None:
                return FileName(ArtifactKind.SDIST, Version(str(parsed)))
        at = stem.find("-", at + 1)
    return None
