"""Trees, releases and projects as short as a test needs them."""

from datetime import UTC, datetime
from hashlib import sha256

from lazaretto.core.model import Artifact, ArtifactKind, Project, Release
from lazaretto.core.names import Digest, ProjectName, Version
from lazaretto.core.tree import Blob, Tree

WHEEL = Artifact(filename="pad-1.0-py3-none-any.whl", kind=ArtifactKind.WHEEL, url="https://files.invalid/pad.whl")
SDIST = Artifact(filename="pad-1.0.tar.gz", kind=ArtifactKind.SDIST, url="https://files.invalid/pad.tar.gz")
TARBALL = Artifact(filename="pad-1.0.0.tgz", kind=ArtifactKind.TARBALL, url="https://files.invalid/pad.tgz")


def tree(files: dict[str, str | bytes]) -> Tree:
    """Return a tree with these files, texts in UTF-8."""
    blobs = {}
    for path, content in sorted(files.items()):
        data = content.encode() if isinstance(content, str) else content
        blobs[path] = Blob(Digest(f"sha256:{sha256(data).hexdigest()}"), data)
    return Tree(blobs)


def day(number: int) -> datetime:
    """Return noon of a day of January 2026."""
    return datetime(2026, 1, number, 12, tzinfo=UTC)


def project(ecosystem: str, releases: dict[str, Release | None], tags: dict[str, str] | None = None) -> Project:
    """Return a project ``pad`` with these versions, in this order; None is a plain release."""
    name = ProjectName("pad")
    made = tuple(
        release or Release(ecosystem, name, Version(version), artifacts=(SDIST,))
        for version, release in releases.items()
    )
    return Project(ecosystem, name, made, {tag: Version(text) for tag, text in (tags or {}).items()})
