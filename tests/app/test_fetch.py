"""A few archives are held at a time, however many a release has; what came of them does not depend on how many."""

from collections.abc import Sequence

import pytest

from lazaretto.app import fetch as module
from lazaretto.app.fetch import Fetched, fetch
from lazaretto.app.opened import Part, Source, open_parts
from lazaretto.app.ports import ArchiveError, PortError, Unavailable
from lazaretto.core.model import Artifact, ArtifactKind, Release
from lazaretto.core.names import ProjectName, Version
from tests.examples import World, app, tree_of

NAMES = [f"pad-{{}}-cp3{number}-none-any.whl" for number in range(5)]


def side(version: str) -> Release:
    """Return a release with one wheel for each of five Pythons."""
    artifacts = tuple(Artifact(name.format(version), ArtifactKind.WHEEL, "") for name in NAMES)
    return Release("pypi", ProjectName("pad"), Version(version), artifacts=artifacts)


def got(most: int, monkeypatch: pytest.MonkeyPatch) -> tuple[Fetched, list[int]]:
    """Fetch the wheels of a release and of the one before; return also how many were unpacked at a time."""
    monkeypatch.setattr(module, "MAX_PACKED", most)
    world = World("pypi")
    before, after = side("1.0.0"), side("1.0.1")
    for release in (before, after):
        for artifact in release.artifacts:
            world.trees[artifact.filename] = tree_of({"pad.py": artifact.filename})
    world.broken[after.artifacts[3].filename] = Unavailable("gone")
    world.trees[after.artifacts[1].filename] = tree_of({})
    together: list[int] = []

    def unpack(sources: Sequence[Source]) -> Sequence[Part | PortError]:
        together.append(len(sources))
        return open_parts(world, app().claim, world.ecosystem, sources)

    found = fetch(world, world.ecosystem, after.artifacts, before, unpack, lambda _: None)
    return found, together


def shape(found: Fetched) -> list[tuple[str, str | None]]:
    """Return which artifacts are compared with which."""
    return [(one.after.artifact.filename, one.before.artifact.filename if one.before else None) for one in found.opened]


def test_archives_are_unpacked_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Together or one by one: the same pairs, the same errors in the same order, the same digests."""
    whole, once = got(1 << 20, monkeypatch)
    single, each = got(1, monkeypatch)

    assert once == [9]
    assert each == [1] * 9
    assert shape(whole) == shape(single)
    assert shape(whole) == [(name.format("1.0.1"), name.format("1.0.0")) for name in (NAMES[0], NAMES[2], NAMES[4])]
    assert list(map(str, whole.errors)) == list(map(str, single.errors))
    assert [type(error) for error in whole.errors] == [Unavailable, ArchiveError]
    assert whole.artifacts == single.artifacts
    assert all(artifact.digests["sha256"] for artifact in whole.artifacts.values())
