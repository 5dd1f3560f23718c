"""npm's names, versions, ranges and what its client picks."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from lazaretto.core.model import Dependency, DependencyGroup, DependencySource, Release
from lazaretto.core.names import ProjectName, Version
from lazaretto.ecosystems.npm import ECOSYSTEM, specs
from lazaretto.ecosystems.npm.ranges import MAX_RANGE, parse_range, satisfies
from tests.ecosystems.trees import day, project

GOLDEN = [
    line.split("\t")
    for line in (Path(__file__).parent / "npm_ranges.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]
VERSIONS = st.from_regex(r"[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}(-[a-z0-9]{1,3}(\.[0-9]{1,2})?)?", fullmatch=True)
RANGES = st.sampled_from(sorted({wanted for wanted, _, _ in GOLDEN}))


def need(requirement: str, source: DependencySource = DependencySource.REGISTRY) -> Dependency:
    """Return an edge to ``pad``."""
    return Dependency(ProjectName("pad"), requirement, source=source)


def test_golden_ranges() -> None:
    """Every range of the golden list, made with npm's own library, takes what npm takes and nothing else."""
    wrong = []
    for wanted, version, expected in GOLDEN:
        parsed = parse_range(wanted)
        if parsed is None or satisfies(version, parsed) != (expected == "yes"):
            wrong.append((wanted, version, expected))

    assert len(GOLDEN) >= 120
    assert not wrong


@pytest.mark.parametrize("text", ["latest", "next-1", "~", "1.2.3.4", ">1.x.3", "git", "1" * 20, "x" * (MAX_RANGE + 1)])
def test_no_range(text: str) -> None:
    """What npm would take for a dist-tag is no range."""
    assert parse_range(text) is None


@given(VERSIONS, VERSIONS)
def test_ranges_agree_with_the_order(low: str, high: str) -> None:
    """A final version lies in ``>=low <high`` exactly if the order says so."""
    version = ECOSYSTEM.version(high.partition("-")[0])
    low_version = ECOSYSTEM.version(low)
    wanted = parse_range(f">={low_version}")

    assert wanted is not None
    assert satisfies(version, wanted) == (ECOSYSTEM.sort_key(version) >= ECOSYSTEM.sort_key(low_version))


@given(RANGES, VERSIONS)
def test_a_union_takes_no_less(wanted: str, version: str) -> None:
    """Adding an alternative never takes away a final version."""
    alone, both = parse_range(wanted), parse_range(f"{wanted} || 7.7.7")
    final = version.partition("-")[0]

    assert alone is not None
    assert both is not None
    assert not satisfies(final, alone) or satisfies(final, both)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.2.3", "1.2.3"),
        ("v1.2.3", "1.2.3"),
        (" =1.2.3 ", "1.2.3"),
        ("1.2.3+b7", "1.2.3"),
        ("1.2.3beta", "1.2.3-beta"),
    ],
)
def test_versions_are_cleaned(text: str, expected: str) -> None:
    """A version is printed as npm prints it."""
    assert ECOSYSTEM.version(text) == expected


@pytest.mark.parametrize(
    "text", ["", "1", "1.2", "1.2.x", "latest", "1.2.3.4", "99999999999999999.0.0", "1.2.3-" + "a" * 300]
)
def test_no_version(text: str) -> None:
    """What npm takes for no version is refused with a reason."""
    with pytest.raises(ValueError, match="not a semantic version"):
        ECOSYSTEM.version(text)


@pytest.mark.parametrize(
    ("version", "line"), [("1.2.3", "1"), ("0.30.4", "0.30"), ("0.0.3", "0.0"), ("12.0.0-rc.1", "12")]
)
def test_release_lines(version: str, line: str) -> None:
    """The line is the major, and under zero the minor."""
    assert ECOSYSTEM.line(Version(version)) == line


@pytest.mark.parametrize("text", ["axios", "@babel/core", "JSONStream", "lodash.merge", "@types/node", "a", "@a/_b"])
def test_names(text: str) -> None:
    """A name that a registry can hold is its own normal form: npm compares exactly."""
    assert ECOSYSTEM.name(text) == text


@pytest.mark.parametrize(
    "text",
    ["", "@", "@a", "@/b", "a/b", ".a", "_a", "-a", "a b", "a\x00", "node_modules", "@a/b/c", "@a/.b", "ä", "a%2f"],
)
def test_no_names(text: str) -> None:
    """What no registry can hold is refused."""
    with pytest.raises(ValueError, match="not an npm package name"):
        ECOSYSTEM.name(text)


def test_purls() -> None:
    """The scope is percent-encoded, the slash is not (ECMA-427)."""
    assert ECOSYSTEM.purl(ProjectName("@babel/core"), Version("8.0.0-rc.1")) == "pkg:npm/%40babel/core@8.0.0-rc.1"
    assert ECOSYSTEM.purl(ProjectName("axios"), None) == "pkg:npm/axios"


@pytest.mark.parametrize(
    ("spec", "source"),
    [
        ("^1.0.0", DependencySource.REGISTRY),
        ("latest", DependencySource.REGISTRY),
        ("", DependencySource.REGISTRY),
        ("npm:other@^1", DependencySource.ALIAS),
        ("git+https://code.invalid/a/b.git#v1", DependencySource.GIT),
        ("git@code.invalid:a/b.git", DependencySource.GIT),
        ("someone@code.invalid:a/b", DependencySource.GIT),
        ("github:owner/repository", DependencySource.GIT),
        ("owner/repository#semver:^1", DependencySource.GIT),
        ("ssh://git@code.invalid/a/b", DependencySource.GIT),
        ("https://github.com/owner/repository", DependencySource.GIT),
        ("https://github.com/owner/repository/archive/v1.tar.gz", DependencySource.URL),
        ("http://files.invalid/a.tgz", DependencySource.URL),
        ("ftp://files.invalid/a.tgz", DependencySource.URL),
        ("file:../a", DependencySource.FILE),
        ("./a", DependencySource.FILE),
        ("/a/b", DependencySource.FILE),
        ("~/a", DependencySource.FILE),
        ("a.tgz", DependencySource.FILE),
        ("workspace:*", DependencySource.FILE),
        ("C:\\a", DependencySource.FILE),
    ],
)
def test_sources(spec: str, source: DependencySource) -> None:
    """The right-hand side of a dependency says where it is taken from."""
    assert specs.dependency("pad", spec, DependencyGroup.RUNTIME).source is source


def test_alias_names_the_real_package() -> None:
    """Behind ``npm:`` stand the package that is really installed and its range."""
    edge = specs.dependency("pad", "npm:@evil/pad@~2", DependencyGroup.RUNTIME)

    assert (edge.name, edge.project, edge.requirement) == ("pad", "@evil/pad", "~2")
    assert specs.dependency("pad", "npm:other", DependencyGroup.RUNTIME).requirement == "*"


def releases(**options: Release | None) -> dict[str, Release | None]:
    """Return three plain releases."""
    return {"1.0.0": None, "1.1.0": None, "2.0.0-rc.1": None}


def test_highest_is_picked() -> None:
    """Without tags the highest version of the range is taken."""
    found = ECOSYSTEM.resolve(need("^1.0.0"), project("npm", releases()), None)

    assert found is not None
    assert found.version == "1.1.0"


def test_latest_is_preferred() -> None:
    """``latest`` wins over a higher version of the range, as in npm."""
    found = ECOSYSTEM.resolve(need(">=1.0.0"), project("npm", releases(), {"latest": "1.0.0"}), None)

    assert found is not None
    assert found.version == "1.0.0"


def test_tags_are_resolved() -> None:
    """A dist-tag is followed; an unknown one leads nowhere."""
    page = project("npm", releases(), {"next": "2.0.0-rc.1"})
    found = ECOSYSTEM.resolve(need("next"), page, None)

    assert found is not None
    assert found.version == "2.0.0-rc.1"
    assert ECOSYSTEM.resolve(need("nightly"), page, None) is None


def test_deprecated_comes_last() -> None:
    """A deprecated release is taken only if nothing else satisfies the range, ``latest`` or not."""
    old = Release("npm", ProjectName("pad"), Version("1.1.0"), deprecated="do not use")
    page = project("npm", {"1.0.0": None, "1.1.0": old}, {"latest": "1.1.0"})
    first, only = ECOSYSTEM.resolve(need("^1.0.0"), page, None), ECOSYSTEM.resolve(need("^1.1.0"), page, None)

    assert first is not None
    assert first.version == "1.0.0"
    assert only == old


def test_the_future_is_hidden() -> None:
    """At an instant, what was published later is not there; a tag falls back to the highest before it."""
    made = {f"1.{n}.0": Release("npm", ProjectName("pad"), Version(f"1.{n}.0"), published=day(n + 1)) for n in range(3)}
    page = project("npm", dict(made), {"latest": "1.2.0"})

    for wanted in ("^1.0.0", "latest", "*"):
        found = ECOSYSTEM.resolve(need(wanted), page, day(2))
        assert found is not None
        assert found.version == "1.1.0"
    assert ECOSYSTEM.resolve(need("1.2.0"), page, day(2)) is None


def test_exact_versions() -> None:
    """A version is taken exactly, however it is written, prerelease or not."""
    page = project("npm", releases())
    for text in ("2.0.0-rc.1", "=2.0.0-rc.1", "v2.0.0-rc.1"):
        found = ECOSYSTEM.resolve(need(text), page, None)
        assert found is not None
        assert found.version == "2.0.0-rc.1"


def test_what_is_not_from_the_registry_is_not_resolved() -> None:
    """Git, addresses and paths have no release in the index."""
    page = project("npm", releases())

    assert ECOSYSTEM.resolve(need("*", DependencySource.GIT), page, None) is None
    assert ECOSYSTEM.resolve(replace(need("*"), source=DependencySource.ALIAS), page, None) is not None
