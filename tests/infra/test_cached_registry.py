"""The latest pages are held, within a bound; an error is told the same each time."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from lazaretto.app.ports import NotFound
from lazaretto.core.model import Artifact, ArtifactKind, Project
from lazaretto.core.names import ProjectName
from lazaretto.infra.cached_registry import MAX_PAGES, CachedRegistry


class Counting:
    """A registry that has every project but ``absent``, and counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def project(self, name: ProjectName) -> Project:
        self.asked.append(name)
        if name == "absent":
            raise NotFound("no such project")
        return Project("npm", name, ())

    def download(self, artifact: Artifact) -> bytes:
        raise NotFound(artifact.filename)

    def prefetch(self, artifacts: Iterable[Artifact]) -> None:
        """There is nothing to fetch."""


def test_pages_are_held_within_a_bound(tmp_path: Path) -> None:
    """Of thousands of pins the pages asked for last are held, so that memory does not grow with their number."""
    inner = Counting()
    registry = CachedRegistry(inner, tmp_path)
    first, *others = [ProjectName(f"pad{number}") for number in range(MAX_PAGES + 1)]
    held = registry.project(first)
    for name in others:
        registry.project(name)
        assert registry.project(first) is held
    assert len(inner.asked) == MAX_PAGES + 1
    registry.project(others[0])
    assert inner.asked[-1] == others[0]


def test_an_error_is_told_the_same_each_time(tmp_path: Path) -> None:
    """A registry that does not have a project is asked for it once."""
    inner = Counting()
    registry = CachedRegistry(inner, tmp_path)
    for _ in range(2):
        with pytest.raises(NotFound, match="no such project"):
            registry.project(ProjectName("absent"))
    assert inner.asked == ["absent"]


def test_a_digest_is_no_path(tmp_path: Path) -> None:
    """An index may write anything where a digest belongs: nothing outside of the folder is looked at, or read."""

    class Reading(Counting):
        def download(self, artifact: Artifact) -> bytes:
            self.asked.append(artifact.filename)
            return b"bytes"

    inner, folder = Reading(), tmp_path / "kept" / "here"
    (tmp_path / "secret").write_bytes(b"secret")
    registry = CachedRegistry(inner, folder)
    for text in ("../../../../secret", "/dev/zero", "AB" * 32, "ab" * 31, "", "ab" * 32 + "\n"):
        artifact = Artifact("x.whl", ArtifactKind.WHEEL, "http://up.invalid/x.whl", {"sha256": text})
        assert registry.download(artifact) == b"bytes"
        registry.prefetch([artifact, artifact])

    assert inner.asked == ["x.whl"] * 6
    assert not (tmp_path / "kept").exists()
