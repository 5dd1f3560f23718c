"""Pages are got once and held within a bound; artifacts fetched ahead wait in the folder; an error stays the same."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lazaretto.app.ports import NotFound
from lazaretto.core.model import (
    Artifact,
    ArtifactKind,
    Dependency,
    Project,
    Provenance,
    Provided,
    Publisher,
    Release,
)
from lazaretto.core.names import Digest, ProjectName, Version
from lazaretto.infra import cached_registry
from lazaretto.infra.cached_registry import CachedRegistry

PADS = [ProjectName(f"pad{number}") for number in range(3)]


class Counting:
    """A registry that has every project but ``absent``, and counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.hinted: list[str] = []
        self.closed = False

    def project(self, name: ProjectName) -> Project:
        self.asked.append(name)
        if name == "absent":
            raise NotFound("no such project")
        return page(name)

    def download(self, artifact: Artifact) -> bytes:
        self.asked.append(artifact.filename)
        if "absent" in artifact.filename:
            raise NotFound(artifact.filename)
        return artifact.filename.encode()

    def prefetch(self, artifacts: Iterable[Artifact]) -> None:
        self.hinted += [artifact.filename for artifact in artifacts]

    def close(self) -> None:
        self.closed = True


def page(name: ProjectName) -> Project:
    """Return a page on which every field is told."""
    release = Release(
        ecosystem="npm",
        project=name,
        version=Version("1.0.0"),
        artifacts=(artifact(f"{name}.tgz"),),
        published=datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
        publisher=Publisher("somebody", "somebody@example.invalid"),
        attested=True,
        provenance=Provenance(repository="https://host.invalid/r"),
        dependencies=(Dependency(ProjectName("left"), "^1"),),
        tags=("latest",),
    )
    told = frozenset({Provided.TIME, Provided.PUBLISHER})
    digest = Digest("sha256:" + "0" * 64)
    return Project("npm", name, (release,), {"latest": release.version}, told, digest, "host.invalid")


def artifact(filename: str, *algorithms: str) -> Artifact:
    """Return an artifact whose bytes are its name."""
    digests = {name: hashlib.new(name, filename.encode()).hexdigest() for name in algorithms or ("sha512",)}
    return Artifact(filename, ArtifactKind.TARBALL, f"https://host.invalid/{filename}", digests)


def test_pages_are_held_within_a_bound_and_got_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of thousands of pins the pages used last are held; the others are the same when they are asked for again."""
    monkeypatch.setattr(cached_registry, "MAX_ENTRIES", 8)
    inner = Counting()
    registry = CachedRegistry(inner, tmp_path)
    first, second, _ = [registry.project(name) for name in PADS]
    assert registry.project(PADS[1]) is second
    again = registry.project(PADS[0])
    assert again == first
    assert again is not first
    assert registry.project(PADS[0]) is again
    assert inner.asked == PADS


class Remembering(Counting):
    """A registry that can say again what it said, and lets pages be taken as they were."""

    def __init__(self) -> None:
        super().__init__()
        self.said: dict[ProjectName, Project] = {}
        self.unasked = {PADS[0]}

    def project(self, name: ProjectName) -> Project:
        self.said[name] = super().project(name)
        return self.said[name]

    def remembers(self, name: ProjectName) -> bool:
        return name in self.said

    def again(self, name: ProjectName) -> Project | None:
        return self.said.get(name)

    def renew(self, name: ProjectName) -> bool:
        return name in self.unasked


def test_a_page_lies_where_the_registry_remembers_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not written down a second time; if it is not remembered any more, it is asked for."""
    monkeypatch.setattr(cached_registry, "MAX_ENTRIES", 5)
    monkeypatch.setattr("lazaretto.infra.cached_registry.Stow.keep", lambda *_: pytest.fail("written down"))
    inner = Remembering()
    registry = CachedRegistry(inner, tmp_path)
    for name in PADS:
        registry.project(name)
    assert registry.project(PADS[0]) is inner.said[PADS[0]]
    assert inner.asked == PADS
    del inner.said[PADS[1]]
    assert registry.project(PADS[1]) == page(PADS[1])
    assert inner.asked == [*PADS, PADS[1]]


def test_a_page_can_be_got_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If it was taken as it was: one that was asked for is as new as it gets."""
    monkeypatch.setattr(cached_registry, "MAX_ENTRIES", 5)
    inner = Remembering()
    registry = CachedRegistry(inner, tmp_path)
    first = [registry.project(name) for name in PADS[:2]]

    assert [registry.renew(name) for name in PADS] == [True, False, False]
    assert registry.project(PADS[0]) is not first[0]
    assert registry.project(PADS[1]) is first[1]
    assert inner.asked == [PADS[0], PADS[1], PADS[0]]
    assert not CachedRegistry(Counting(), tmp_path).renew(PADS[0])


def test_a_page_may_be_forgotten_while_it_is_in_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread may use it at that moment."""
    monkeypatch.setattr(cached_registry, "MAX_ENTRIES", 4)
    inner = Remembering()
    registry = CachedRegistry(inner, tmp_path)
    used = registry._pages._used

    def forgotten(name: ProjectName, said: Project) -> None:
        registry._pages.forget(name)
        used(name, said)

    monkeypatch.setattr(registry._pages, "_used", forgotten)

    assert [registry.project(name) for name in PADS] == [page(name) for name in PADS]


def test_a_page_is_held_although_it_is_larger_than_the_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page in use is never read anew each time."""
    monkeypatch.setattr(cached_registry, "MAX_ENTRIES", 1)
    registry = CachedRegistry(Counting(), tmp_path)
    assert registry.project(PADS[0]) is registry.project(PADS[0])


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


@pytest.mark.parametrize("held", [0, 1 << 20])
def test_what_is_fetched_ahead_is_fetched_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: int) -> None:
    """Whether its bytes are held or read again from the folder, whoever asks gets them; errors are told to him."""
    monkeypatch.setattr(cached_registry, "MAX_AHEAD", held)
    inner = Counting()
    registry = CachedRegistry(inner, tmp_path)
    wanted = [artifact("a.tgz"), artifact("b.tgz"), artifact("absent.tgz"), artifact("weak.tgz", "sha1")]
    registry.prefetch(wanted)
    registry.prefetch(wanted)
    assert registry.download(wanted[0]) == b"a.tgz"
    assert registry.download(wanted[1]) == b"b.tgz"
    with pytest.raises(NotFound, match=r"absent\.tgz"):
        registry.download(wanted[2])
    assert sorted(inner.asked) == ["a.tgz", "absent.tgz", "b.tgz"]
    assert set(inner.hinted) == {"weak.tgz"}  # where no copy may be believed, the registry itself fetches ahead
    assert registry.download(wanted[0]) == b"a.tgz"
    assert len(inner.asked) == 3
    registry.close()
    assert inner.closed


def test_bytes_that_cannot_be_kept_are_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that cannot be written to costs memory, not a second download."""
    monkeypatch.setattr(cached_registry, "MAX_AHEAD", 0)
    occupied = tmp_path / "file"
    occupied.write_bytes(b"")
    inner = Counting()
    registry = CachedRegistry(inner, occupied)
    wanted = [artifact("a.tgz"), artifact("b.tgz")]
    registry.prefetch(wanted)
    assert [registry.download(one) for one in wanted] == [b"a.tgz", b"b.tgz"]
    assert sorted(inner.asked) == ["a.tgz", "b.tgz"]
    registry.close()


def test_a_copy_that_was_changed_is_not_believed(tmp_path: Path) -> None:
    """The bytes in the folder are compared with the index each time."""
    inner = Counting()
    registry = CachedRegistry(inner, tmp_path)
    wanted = artifact("a.tgz")
    assert registry.download(wanted) == b"a.tgz"
    (copy,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    copy.write_bytes(b"other")
    assert registry.download(wanted) == b"a.tgz"
    assert inner.asked == ["a.tgz", "a.tgz"]
