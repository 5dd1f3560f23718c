"""Ranges without a lockfile: what they resolve to now, and what cannot be resolved."""

from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from lazaretto.app import open_pins
from lazaretto.app.open_pins import House, Resolved, resolve
from lazaretto.app.pins import Opened, Place, Wanted, together
from lazaretto.app.ports import NotFound
from lazaretto.core.model import (
    Artifact,
    ArtifactKind,
    Dependency,
    DependencyGroup,
    DependencySource,
    Project,
    Release,
)
from lazaretto.core.names import ProjectName, Version
from tests.examples import NOW

HERE = Place("package.json", 3)


def edge(name: str, requirement: str = "*", **fields: Any) -> Dependency:
    """Return a dependency."""
    return Dependency(ProjectName(name), requirement, **fields)


class Index:
    """A registry, its ecosystem and its readers: name -> dependencies of the one release, None: in the artifact."""

    def __init__(self, **releases: list[Dependency] | None) -> None:
        self.releases = releases
        self.inside: dict[str, list[Dependency]] = {}
        self.bare: set[str] = set()
        self.engine = SimpleNamespace(unpack=lambda _, data: data)

    def ecosystem(self, identifier: str) -> "Index":
        return self

    def registry(self, identifier: str) -> "Index":
        return self

    def project(self, name: ProjectName) -> Project:
        if name not in self.releases:
            raise NotFound(f"{name} does not exist")
        edges = self.releases[name]
        known = None if edges is None else tuple(edges)
        artifact = Artifact(f"{name}.whl", ArtifactKind.WHEEL, f"https://files.invalid/{name}")
        artifacts = () if name in self.bare else (artifact,)
        release = Release("npm", name, Version("1.0.0"), artifacts, dependencies=known)
        return Project("npm", name, (release,))

    def resolve(self, dependency: Dependency, project: Project, at: datetime | None) -> Release | None:
        assert at == NOW
        return None if dependency.requirement == "never" else project.releases[0]

    def choose(self, release: Release) -> tuple[Artifact, ...]:
        return release.artifacts

    def download(self, artifact: Artifact) -> bytes:
        return artifact.filename.encode()

    def manifest(self, artifact: Artifact, tree: object) -> object:
        return SimpleNamespace(dependencies=tuple(self.inside.get(artifact.filename.removesuffix(".whl"), [])))

    def sort_key(self, version: Version) -> str:
        return version


def asked(index: Index, *ranges: tuple[str, str]) -> Resolved:
    """Resolve ranges, all of them from one place."""
    opened = [Opened("npm", ProjectName(name), requirement, (HERE,)) for name, requirement in ranges]
    return resolve(cast("House", index), opened, NOW, lambda _: None)


def found(resolved: Resolved) -> list[str]:
    """Return the names of what was resolved."""
    return [str(one.project) for one in resolved.wanted]


def test_ranges_are_followed_to_their_end() -> None:
    """What a release asks for is resolved too, once, also in a circle; what only developers get is not."""
    index = Index(
        a=[edge("b"), edge("c", group=DependencyGroup.PEER), edge("d", group=DependencyGroup.DEV)],
        b=[edge("a", "^1")],
        c=[edge("b")],
        d=[],
    )

    resolved = asked(index, ("a", "*"))
    assert (found(resolved), resolved.problems) == (["a", "b", "c"], ())
    assert resolved.wanted[0].places == (HERE,)


def test_what_cannot_be_resolved_is_told_at_its_place() -> None:
    """A project that is not there, a range that nothing satisfies, a dependency from elsewhere."""
    git = edge("x", "git+https://code.invalid/x", source=DependencySource.GIT)
    resolved = asked(Index(a=[git], b=[]), ("a", "*"), ("b", "never"), ("gone", "*"))

    assert found(resolved) == ["a"]
    assert resolved.problems == (
        "package.json:3: b: nothing satisfies 'never'",
        "package.json:3: gone *: gone does not exist",
        "package.json:3: x git+https://code.invalid/x: taken from git, not from a registry: not checked",
    )


def test_an_artifact_is_asked_where_the_index_does_not_tell() -> None:
    """Python releases say what they depend on inside; an extra only if it is asked for."""
    index = Index(a=None, b=[], c=[], d=None)
    index.bare = {"d"}
    extra = edge("c", group=DependencyGroup.EXTRA, marker='extra == "fast"')
    index.inside = {"a": [edge("b"), extra]}

    assert found(asked(index, ("a", ">=1"))) == ["a", "b"]
    assert found(asked(index, ("a", ">=1"), ("a", "[fast]>=1"))) == ["a", "b", "c"]
    assert found(asked(index, ("a", ">=1"), ("a", ">=0"))) == ["a", "b"]
    assert found(asked(index, ("d", "*"))) == ["d"]


def test_the_number_of_ranges_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry that never ends is given up, and that is told."""
    monkeypatch.setattr(open_pins, "MAX_RESOLVED", 2)
    resolved = asked(Index(a=[], b=[], c=[]), ("a", "*"), ("b", "*"), ("c", "*"))

    assert found(resolved) == ["a", "b"]
    assert "more than 2 ranges" in resolved.problems[0]


def test_groups_of_pins_are_put_together() -> None:
    """A release that both a lockfile and a manifest name is asked about once, at all of its places."""
    a = ("npm", ProjectName("a"), Version("1.0.0"))
    one = Wanted(*a, (Place("b.lock", 2),), Version("0.9.0"))
    two = Wanted(*a, (Place("a.lock", 1),))
    other = Wanted("npm", ProjectName("b"), Version("1.0.0"), (HERE,))
    index = Index()

    assert together(cast("Any", index.ecosystem), [other, one], [two]) == (
        Wanted(*a, (Place("a.lock", 1), Place("b.lock", 2)), Version("0.9.0")),
        other,
    )
