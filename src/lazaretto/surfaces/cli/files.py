"""Local archives: from a path to bytes with a name."""

from hashlib import sha256
from pathlib import Path

from lazaretto.app.opened import Source
from lazaretto.core.model import Artifact, ArtifactKind
from lazaretto.surfaces.cli.common import UsageError

MAX_ARCHIVE = 1 << 30
"""Largest local archive in bytes."""


def source(path: Path, ecosystem: str) -> Source:
    """Return a local archive, ready to read.

    Raises:
        UsageError: it cannot be read, or is too large.
    """
    try:
        if path.stat().st_size > MAX_ARCHIVE:
            raise UsageError(f"{path} is larger than {MAX_ARCHIVE >> 20} MiB")
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    kind = (
        ArtifactKind.WHEEL
        if path.suffix == ".whl"
        else ArtifactKind.SDIST
        if ecosystem == "pypi"
        else ArtifactKind.TARBALL
    )
    digests = {"sha256": sha256(data).hexdigest()}
    return Source(Artifact(path.name, kind, url="", digests=digests, size=len(data)), data)
