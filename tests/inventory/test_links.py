"""Which pin needs which, of every lockfile format that tells: what is asked of each of them, and what leads where."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto._plugins import discover
from lazaretto.core.dependency_paths import PROJECT, shortest
from lazaretto.core.pin import LockfileError
from lazaretto.lockfiles import cyclonedx, package_lock, pnpm_lock, poetry_lock, uv_lock, yarn_lock

MODULES = [module for module in discover("lazaretto.lockfiles", ("MATCHES", "parse")) if hasattr(module, "links")]
SEEDS = Path(__file__).parents[1] / "contracts" / "lockfiles"
Links = Callable[[str], Iterator[tuple[str, str]]]

each = pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.rpartition(".")[2])


def pairs(module: ModuleType, text: str) -> set[tuple[str, str]]:
    """Return what a format says, as names instead of paths."""
    names = {"": ""} | {pin.path: pin.name for pin in module.parse(text)}
    return {(names[owner], names[one]) for owner, one in module.links(text) if owner in names and one in names}


@each
def test_links_of_seeds_are_between_pins(module: ModuleType) -> None:
    """A link that ends nowhere is worth nothing: of files that are well-formed, each end is a pin or the project."""
    for path in SEEDS.iterdir():
        if path.name in module.MATCHES:
            text = path.read_text("utf-8")
            known = {"", *(pin.path for pin in module.parse(text))}
            assert {one for pair in module.links(text) for one in pair} <= known


@each
@given(text=st.one_of(st.text(), st.sampled_from(["{}", "[[package]]\nname = ", "__metadata:\n", '{"packages": []}'])))
def test_any_text_gives_links_or_a_located_error(module: ModuleType, text: str) -> None:
    """Nothing that a file holds raises anything else."""
    try:
        found = list(module.links(text))
    except LockfileError as error:
        assert error.line >= 1
    else:
        assert all(isinstance(owner, str) and isinstance(one, str) for owner, one in found)


def test_npm_looks_upwards() -> None:
    """What a package needs lies in its own folder, else in that of one above."""
    text = """{"lockfileVersion": 3, "packages": {
        "": {"dependencies": {"a": "1"}}, "w": {"devDependencies": {"b": "1"}},
        "node_modules/a": {"version": "1.0.0", "dependencies": {"b": "2", "c": "1", "gone": "1"}},
        "node_modules/a/node_modules/b": {"version": "2.0.0", "dependencies": {"c": "1"}},
        "node_modules/b": {"version": "1.0.0"}, "node_modules/c": {"version": "1.0.0"}}}"""
    found = set(package_lock.links(text))
    assert ("packages.node_modules/a", "packages.node_modules/a/node_modules/b") in found
    assert ("packages.node_modules/a/node_modules/b", "packages.node_modules/c") in found
    assert ("", "packages.node_modules/b") in found
    assert pairs(package_lock, text) == {("", "a"), ("", "b"), ("a", "b"), ("a", "c"), ("b", "c")}


def test_npm_of_version_1() -> None:
    """``requires`` names what lies in the entry's own dependencies, or in those around it."""
    text = """{"lockfileVersion": 1, "dependencies": {"a": {"version": "1.0.0", "requires": {"b": "1", "c": "1"},
        "dependencies": {"b": {"version": "2.0.0", "requires": {"c": "1"}}}}, "c": {"version": "1.0.0"}}}"""
    assert ("dependencies.a", "dependencies.a.dependencies.b") in set(package_lock.links(text))
    assert pairs(package_lock, text) == {("a", "b"), ("a", "c"), ("b", "c")}


RESOLVED = "    resolution: {integrity: sha512-AA==}\n"


@pytest.mark.parametrize(
    ("version", "first", "second", "snapshot"),
    [
        ("'9.0'", "a@1.0.0", "'@s/b@2.0.0'", "snapshots:\n\n  a@1.0.0(p@1.0.0):\n"),
        ("'6.0'", "/a@1.0.0", "/@s/b@2.0.0", ""),
        ("5.4", "/a/1.0.0", "/@s/b/2.0.0", ""),
    ],
)
def test_pnpm(version: str, first: str, second: str, snapshot: str) -> None:
    """Every version of the lockfile that has been written."""
    needs = "    dependencies:\n      '@s/b': 2.0.0\n\n"
    text = f"lockfileVersion: {version}\n\npackages:\n\n  {second}:\n{RESOLVED}\n  {first}:\n{RESOLVED}"
    assert pairs(pnpm_lock, f"{text}\n{snapshot}{needs}" if snapshot else f"{text}{needs}") == {("a", "@s/b")}


def test_yarn() -> None:
    """Both formats of Yarn: what is needed is named by the range, which several may share."""
    classic = '"@s/b@^2.0.0", "@s/b@^2.1.0":\n  version "2.1.0"\n\na@^1.0.0:\n  version "1.0.0"\n  dependencies:\n'
    assert pairs(yarn_lock, f'{classic}    "@s/b" "^2.0.0"\n') == {("a", "@s/b")}
    berry = '__metadata:\n  version: 8\n\n"a@npm:^1.0.0":\n  version: 1.0.0\n  resolution: "a@npm:1.0.0"\n'
    berry += '  dependencies:\n    "@s/b": "npm:^2.0.0"\n\n"@s/b@npm:^2.0.0, @s/b@npm:^2.1.0":\n  version: 2.1.0\n'
    assert pairs(yarn_lock, f'{berry}  resolution: "@s/b@npm:2.1.0"\n') == {("a", "@s/b")}


def test_python() -> None:
    """Uv and Poetry: the names of what is needed may be spelled otherwise."""
    uv = 'version = 1\n\n[[package]]\nname = "a"\nversion = "1"\nsource = { registry = "https://r.invalid" }\n'
    uv += 'dependencies = [\n    { name = "b-c", marker = "x" },\n]\n\n[[package]]\nname = "b-c"\nversion = "1"\n'
    assert pairs(uv_lock, f'{uv}source = {{ registry = "https://r.invalid" }}\n') == {("a", "b-c")}
    poetry = '[[package]]\nname = "a"\nversion = "1"\nfiles = []\n\n[package.dependencies]\nB_c = ">=1"\n\n'
    assert pairs(poetry_lock, f'{poetry}[[package]]\nname = "b-c"\nversion = "1"\nfiles = []\n') == {("a", "b-c")}


def test_cyclonedx() -> None:
    """What the SBOM is about is the project."""
    text = """{"bomFormat": "CycloneDX", "specVersion": "1.5", "metadata": {"component": {"bom-ref": "app"}},
        "components": [{"bom-ref": "x", "purl": "pkg:npm/a@1.0.0", "components": [
            {"bom-ref": "y", "purl": "pkg:npm/b@1.0.0"}]}],
        "dependencies": [{"ref": "app", "dependsOn": ["x"]}, {"ref": "x", "dependsOn": ["y", "lost"]}]}"""
    assert pairs(cyclonedx, text) == {("", "a"), ("a", "b")}


edges = st.lists(st.tuples(st.integers(-1, 12), st.integers(0, 12)), max_size=60)


@given(links=edges, order=st.randoms())
def test_shortest_path_does_not_depend_on_the_order_of_links(links: list[tuple[int, int]], order: object) -> None:
    """The same graph gives the same paths; every step of a path is a link, and no path runs in a circle."""
    found = shortest(13, links, ())
    shuffled = list(links)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    assert shortest(13, shuffled, ()) == found
    for number, via in enumerate(found):
        if any(owner == PROJECT for owner, _ in links) and via is not None:
            assert (via, number) in links
        seen = set()
        at: int | None = number
        while at is not None and at != PROJECT:
            assert at not in seen
            seen.add(at)
            at = found[at]


def test_without_links_the_direct_ones_are_direct() -> None:
    """A format that tells only what is asked for directly tells that; one that tells nothing gives no path."""
    assert shortest(3, (), (1,)) == (None, PROJECT, None)
    assert shortest(2, (), ()) == (None, None)
    assert shortest(2, ((0, 1),), ()) == (PROJECT, 0)
