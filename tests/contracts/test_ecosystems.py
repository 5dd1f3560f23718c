"""What is asked of every ecosystem, present and future. Nothing here names one."""

from datetime import UTC, datetime
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto._plugins import discover
from lazaretto.app.ports import Ecosystem
from lazaretto.core.manifest import Manifest
from lazaretto.core.model import (
    Artifact,
    ArtifactKind,
    Dependency,
    DependencyGroup,
    DependencySource,
    Project,
    Release,
)
from lazaretto.core.names import Digest, ProjectName, Version
from lazaretto.core.tree import Blob, Tree
from tests.contracts import corpus

MODULES = discover("lazaretto.ecosystems", ("ECOSYSTEM",))
ECOSYSTEMS = [cast("Ecosystem", module.ECOSYSTEM) for module in MODULES]
GOLDEN = Path(__file__).parents[1] / "golden" / "versions"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
PATHS = (
    "package.json",
    "binding.gyp",
    "index.js",
    "lib/a.js",
    "node_modules/b/package.json",
    "plain-1.0.dist-info/METADATA",
    "plain-1.0.dist-info/RECORD",
    "plain-1.0.dist-info/WHEEL",
    "plain-1.0.dist-info/entry_points.txt",
    "plain-1.0.dist-info/top_level.txt",
    "plain.pth",
    "plain/__init__.py",
    "PKG-INFO",
    "setup.py",
    "setup.cfg",
    "pyproject.toml",
)
TEXTS = st.one_of(st.text(max_size=60), st.sampled_from(corpus.NAMES))
CONTENTS = st.one_of(st.sampled_from(corpus.SAMPLES), st.binary(max_size=200))
each = pytest.mark.parametrize("ecosystem", ECOSYSTEMS, ids=lambda ecosystem: ecosystem.ID)


def tree_of(files: dict[str, bytes]) -> Tree:
    """Return a tree with these files."""
    blobs = {
        path: Blob(digest=Digest(f"sha256:{sha256(data).hexdigest()}"), held=data)
        for path, data in sorted(files.items())
    }
    return Tree(files=blobs)


def golden(ecosystem: Ecosystem) -> list[str]:
    """Return the versions of the golden list, in ascending order."""
    return (GOLDEN / f"{ecosystem.ID}.txt").read_text(encoding="utf-8").split()


def key(ecosystem: Ecosystem, text: str) -> object:
    """Return the sort key of a version as it is written."""
    return ecosystem.sort_key(ecosystem.version(text))


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.rpartition(".")[2])
def test_id_is_the_name_of_the_folder(module: ModuleType) -> None:
    """An ecosystem is found where its id says."""
    assert module.__name__.rpartition(".")[2] == module.ECOSYSTEM.ID


@each
@given(text=TEXTS)
def test_normal_form_of_names(ecosystem: Ecosystem, text: str) -> None:
    """Any text has a normal form, which is its own normal form, or is refused with a reason."""
    try:
        name = ecosystem.name(text)
    except ValueError as error:
        assert str(error)
    else:
        assert ecosystem.name(name) == name
        assert name.isprintable()
        assert ecosystem.purl(name, None).startswith(f"pkg:{ecosystem.ID}/")


@each
@given(
    text=st.one_of(TEXTS, st.from_regex(r"v?\d+(\.\d+){0,4}([-+.]?(a|b|rc|dev|post|alpha)?[.-]?\d*)?", fullmatch=True))
)
def test_normal_form_of_versions(ecosystem: Ecosystem, text: str) -> None:
    """Any text has a canonical version, which is its own, with an order and a line; or is refused with a reason."""
    try:
        version = ecosystem.version(text)
    except ValueError as error:
        assert str(error)
    else:
        assert ecosystem.version(version) == version
        assert ecosystem.sort_key(version) == ecosystem.sort_key(ecosystem.version(version))
        assert type(ecosystem.prerelease(version)) is bool
        assert ecosystem.line(version)


@each
def test_order_of_versions(ecosystem: Ecosystem) -> None:
    """The golden list, made from the specification's own examples, is in strictly ascending order."""
    for low, high in pairwise(golden(ecosystem)):
        assert key(ecosystem, low) < key(ecosystem, high), f"{low} comes before {high}"  # type: ignore[operator]


@each
@given(data=st.data())
def test_order_is_total(ecosystem: Ecosystem, data: st.DataObject) -> None:
    """Any order of the golden list sorts back into it."""
    shuffled = data.draw(st.permutations(golden(ecosystem)))

    assert sorted(shuffled, key=lambda text: key(ecosystem, text)) == golden(ecosystem)  # type: ignore[arg-type, return-value]


@each
def test_precedence_agrees_with_the_order(ecosystem: Ecosystem) -> None:
    """What an advisory compares by never contradicts the total order; it only makes more versions equal."""
    for low, high in pairwise(golden(ecosystem)):
        ranks = [ecosystem.precedence(ecosystem.version(text)) for text in (low, high)]
        assert ranks[0] <= ranks[1], f"{low} comes before {high}"  # type: ignore[operator]


@pytest.mark.parametrize(("ecosystem", "one", "other"), [("npm", "1.0.0+a", "1.0.0+b"), ("pypi", "1.0", "1.0.0")])
def test_spellings_of_one_version_are_equal(ecosystem: str, one: str, other: str) -> None:
    """What a client takes for one version is one to an advisory."""
    (found,) = [item for item in ECOSYSTEMS if ecosystem == item.ID]

    assert found.precedence(found.version(one)) == found.precedence(found.version(other))


@each
@given(files=st.dictionaries(st.sampled_from(PATHS), CONTENTS, max_size=4))
@pytest.mark.parametrize("kind", list(ArtifactKind))
def test_manifest_never_raises(ecosystem: Ecosystem, kind: ArtifactKind, files: dict[str, bytes]) -> None:
    """Whatever the files of an artifact hold, its manifest is read; what is wrong is a problem."""
    tree = tree_of(files)
    artifact = Artifact(filename=f"plain-1.0.{kind.value}", kind=kind, url="")

    manifest = ecosystem.manifest(artifact, tree)

    assert isinstance(manifest, Manifest)
    assert ecosystem.manifest(artifact, tree) == manifest
    assert all(problem.reason for problem in manifest.problems)
    assert all(hook.path in tree for hook in manifest.hooks)


@each
@pytest.mark.parametrize("kind", list(ArtifactKind))
def test_no_manifest_is_a_problem(ecosystem: Ecosystem, kind: ArtifactKind) -> None:
    """An artifact without its manifest is incomplete, not one that declares nothing."""
    artifact = Artifact(filename=f"plain-1.0.{kind.value}", kind=kind, url="")

    assert ecosystem.manifest(artifact, tree_of({"a": b"1"})).problems


@each
@given(path=st.sampled_from(PATHS), specifier=TEXTS, data=CONTENTS)
def test_imports_stay_inside(ecosystem: Ecosystem, path: str, specifier: str, data: bytes) -> None:
    """An import leads to files of the artifact, or out of it; never anywhere else, and never to an error."""
    tree = tree_of(dict.fromkeys(PATHS, b"") | {path: data})
    manifest = ecosystem.manifest(Artifact(filename="plain-1.0", kind=ArtifactKind.TARBALL, url=""), tree)

    assert all(found in tree for found in ecosystem.resolve_import(path, specifier, tree, manifest))
    name = ecosystem.imported_name(specifier)
    assert name is None or name


@each
@given(requirement=TEXTS, source=st.sampled_from(DependencySource), at=st.none() | st.just(NOW))
def test_ranges_resolve_to_what_is_there(
    ecosystem: Ecosystem, requirement: str, source: DependencySource, at: datetime | None
) -> None:
    """Any range gives a release that the project has, or none."""
    name = ecosystem.name("plain")
    releases = tuple(release(ecosystem, name, text) for text in golden(ecosystem))
    project = Project(ecosystem=ecosystem.ID, name=name, releases=releases)
    dependency = Dependency(name=name, requirement=requirement, source=source, group=DependencyGroup.RUNTIME)

    found = ecosystem.resolve(dependency, project, at)

    assert found is None or found in releases


@each
def test_nothing_is_resolved_before_its_time(ecosystem: Ecosystem) -> None:
    """At an instant before a release was published, it is not chosen."""
    name = ecosystem.name("plain")
    known = release(ecosystem, name, "1.0.1", datetime(2026, 2, 1, tzinfo=UTC))
    old = release(ecosystem, name, "1.0.0", datetime(2025, 2, 1, tzinfo=UTC))
    project = Project(ecosystem=ecosystem.ID, name=name, releases=(old, known))
    dependency = Dependency(name=name, requirement=">=1.0.0")

    assert ecosystem.resolve(dependency, project, NOW) == old
    assert ecosystem.resolve(dependency, project, None) == known


@each
def test_choice_is_of_what_is_there(ecosystem: Ecosystem) -> None:
    """What matters on this platform is chosen among the artifacts of the release, and none of none."""
    name = ecosystem.name("plain")
    filenames = ("plain-1.0.tar.gz", "plain-1.0-py3-none-any.whl", "plain-1.0.tgz", "nonsense")
    kinds = (ArtifactKind.SDIST, ArtifactKind.WHEEL, ArtifactKind.TARBALL, ArtifactKind.WHEEL)
    artifacts = tuple(Artifact(filename=f, kind=k, url="") for f, k in zip(filenames, kinds, strict=True))
    bare = Release(ecosystem=ecosystem.ID, project=name, version=ecosystem.version("1.0.0"))
    full = Release(ecosystem=ecosystem.ID, project=name, version=bare.version, artifacts=artifacts)

    assert ecosystem.choose(bare) == ()
    assert ecosystem.choose(full)
    assert all(artifact in artifacts for artifact in ecosystem.choose(full))


def release(ecosystem: Ecosystem, name: ProjectName, text: str, published: datetime | None = None) -> Release:
    """Return a release of a version as it is written, published before ``NOW`` unless told otherwise."""
    version: Version = ecosystem.version(text)
    moment = published or datetime(2025, 1, 1, tzinfo=UTC)
    return Release(ecosystem=ecosystem.ID, project=name, version=version, published=moment)
