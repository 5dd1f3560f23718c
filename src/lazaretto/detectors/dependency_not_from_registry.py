"""This update takes a dependency from somewhere else than the registry.

## What it detects
A dependency from a Git repository or a URL that the earlier release did not have, and an alias that installs a
project under another project's name.

## Why it matters
What such a place serves is not fixed, not scanned and not told to anybody: it may answer each machine differently.
npm 12 refuses Git and remote dependencies unless asked. A campaign of 126 packages fetched its payload so.

## What it misses
Registries that a project's own settings add; downloads made by code.

## References
- npm documentation, *package.json*: URLs as dependencies, Git URLs as dependencies
- PEP 508, direct references; MITRE ATT&CK T1195.001
"""

from collections.abc import Iterator

from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.model import Dependency, DependencySource
from lazaretto.core.question import INSTALLED, Tally, dependency_place, package_json
from lazaretto.core.update import Update

CARD = Card(
    id="dependency-not-from-registry",
    title="Dependency from outside the registry",
    variants={
        "url": "A dependency is fetched from a URL.",
        "git": "A dependency is fetched from a Git repository.",
        "alias": "A well-known project's name installs another project.",
    },
    group="dependency",
    why="What a server answers to one machine is not what anybody else has read.",
    attack=("T1195.001", "T1105"),
)

_INDEX = "module.exports = (a) => a;\n"
_BEFORE = {"package.json": package_json("1.0.0"), "index.js": _INDEX}
_GIT = {"codec": "git+https://git.invalid/codec.git#0123456789abcdef0123456789abcdef01234567"}

EXAMPLES = (
    Example(
        title="a dependency is fetched from a web server",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1", dependencies={"codec": "http://packages.invalid/codec.tgz"}),
            "index.js": _INDEX,
        },
        expect="url",
        at="package.json:6",
    ),
    Example(
        title="an optional dependency is fetched from a Git commit",
        before=_BEFORE,
        after={"package.json": package_json("1.0.1", optionalDependencies=_GIT), "index.js": _INDEX},
        expect="git",
        at="package.json:6",
    ),
    Example(
        title="the author's own tools come from Git",
        before=_BEFORE,
        after={"package.json": package_json("1.0.1", devDependencies=_GIT), "index.js": _INDEX},
    ),
    Example(
        title="a Git dependency that was always there",
        before={"package.json": package_json("1.0.0", dependencies=_GIT), "index.js": _INDEX},
        after={"package.json": package_json("1.0.1", dependencies=_GIT), "index.js": _INDEX},
    ),
)

_SOURCES = {DependencySource.URL: "url", DependencySource.GIT: "git", DependencySource.ALIAS: "alias"}
_MESSAGES = {
    "url": "fetches a dependency from a URL",
    "git": "fetches a dependency from a Git repository",
    "alias": "installs a project under another one's name",
}


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding for each variant; none at first contact."""
    tally = Tally(CARD)
    for pair in update.pairs:
        if pair.before is None:
            continue
        old = {_place(dependency) for dependency in pair.before.manifest.dependencies}
        for dependency in pair.after.manifest.dependencies:
            variant = _SOURCES.get(dependency.source)
            if variant is None or dependency.group not in INSTALLED or _place(dependency) in old:
                continue
            if variant == "alias" and not _takes_a_known_name(update, dependency):
                continue
            told = f"{dependency.name} from {dependency.requirement}"
            tally.say(variant, told, dependency_place(update, dependency))
    yield from tally.findings(_MESSAGES)


def _place(dependency: Dependency) -> tuple[str, str, str]:
    """What makes the source the same; the commit or version of it may change."""
    requirement = dependency.requirement.split("#", 1)[0] if dependency.source is DependencySource.GIT else ""
    return (dependency.name, dependency.source, requirement)


def _takes_a_known_name(update: Update, dependency: Dependency) -> bool:
    """Aliases that keep two majors side by side point at a well-known project or carry its name."""
    known = dependency.name in update.names and dependency.project not in update.names
    return known and not str(dependency.name).startswith(str(dependency.project))
