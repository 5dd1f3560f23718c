"""This update takes a dependency from somewhere else than the registry.

## What it detects
A dependency from a Git repository or a URL that the earlier release did not have, and an alias that installs a
project under another project's name. A commit of the package's own repository is told apart: a forge serves a commit
of any fork under the name of the repository that was forked. So is a dependency that came from outside before, and now
comes from another host, repository or project.

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
from lazaretto.core.update import Pair, Update

CARD = Card(
    id="dependency-not-from-registry",
    title="Dependency from outside the registry",
    variants={
        "url": "A dependency is fetched from a URL.",
        "git": "A dependency is fetched from a Git repository.",
        "alias": "A well-known project's name installs another project.",
        "own-repository": "A commit of the package's own repository, which need not stand in any of its branches.",
        "moved": "A dependency that was fetched from outside before now comes from another host or project.",
    },
    group="dependency",
    why="What a server answers to one machine is not what anybody else has read.",
    attack=("T1195.001", "T1105"),
)

_INDEX = "module.exports = (a) => a;\n"
_BEFORE = {"package.json": package_json("1.0.0"), "index.js": _INDEX}
_URL = "https://packages.invalid/codec-%s.tgz"
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
        title="an optional dependency on a commit of the package's own repository",
        before={**_BEFORE, "package.json": package_json("1.0.0", repository="https://git.invalid/house/pad")},
        after={
            "package.json": package_json(
                "1.0.1",
                repository="https://git.invalid/house/pad",
                optionalDependencies={
                    "setup": "git+https://git.invalid/house/pad.git#0123456789abcdef0123456789abcdef"
                },
            ),
            "index.js": _INDEX,
        },
        expect="own-repository",
        at="package.json:7",
    ),
    Example(
        title="an alias that was there installs another project",
        before={
            "package.json": package_json("1.0.0", dependencies={"codec": "npm:codec-fork@^1.0.0"}),
            "index.js": _INDEX,
        },
        after={
            "package.json": package_json("1.0.1", dependencies={"codec": "npm:codex-fork@^1.0.0"}),
            "index.js": _INDEX,
        },
        expect="moved",
        at="package.json:6",
    ),
    Example(
        title="a dependency from a URL is fetched from the same host in another version",
        before={"package.json": package_json("1.0.0", dependencies={"codec": _URL % "1.0.0"}), "index.js": _INDEX},
        after={"package.json": package_json("1.0.1", dependencies={"codec": _URL % "1.0.1"}), "index.js": _INDEX},
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
    "own-repository": "fetches a dependency from a commit of its own repository",
    "moved": "fetches a dependency from another place than before",
}


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding for each variant; none at first contact."""
    tally = Tally(CARD)
    for pair in update.pairs:
        if pair.before is None:
            continue
        old = {dependency.name: dependency for dependency in pair.before.manifest.dependencies}
        for dependency in pair.after.manifest.dependencies:
            variant = _variant(update, pair, dependency, old.get(dependency.name))
            if variant and dependency.group in INSTALLED:
                told = f"{dependency.name} from {dependency.requirement}"
                tally.say(variant, told, dependency_place(update, dependency))
    yield from tally.findings(_MESSAGES)


def _variant(update: Update, pair: Pair, dependency: Dependency, was: Dependency | None) -> str | None:
    variant = _SOURCES.get(dependency.source)
    if variant is None:
        return None
    if was is not None and was.source is dependency.source and was.group in INSTALLED:
        return "moved" if _place(was) != _place(dependency) else None
    if variant == "alias":
        return variant if _takes_a_known_name(update, dependency) else None
    return "own-repository" if variant == "git" and _is_own_repository(pair, dependency) else variant


def _place(dependency: Dependency) -> str:
    """What makes the source the same; the commit or version of it may change."""
    if dependency.source is DependencySource.GIT:
        return dependency.requirement.split("#", 1)[0]
    if dependency.source is DependencySource.URL:
        return dependency.requirement.partition("://")[2].partition("/")[0].lower()
    return str(dependency.project)


def _is_own_repository(pair: Pair, dependency: Dependency) -> bool:
    """Whether the commit of a Git dependency is looked for in the package's own repository."""
    repository, _, commit = dependency.requirement.partition("#")
    told = [pair.after.manifest.fields.get(name) for name in ("repository", "repository.url")]
    homes = {_repository(value[0].strip('"')) for value in told if value is not None} - {""}
    return bool(commit) and _repository(repository) in homes


def _repository(text: str) -> str:
    """Return owner and name of a repository, however it is written."""
    path = text.rstrip("/").removesuffix(".git").replace(":", "/").split("/")
    return "/".join(path[-2:]).lower() if len(path) > 1 else ""


def _takes_a_known_name(update: Update, dependency: Dependency) -> bool:
    """Aliases that keep two majors side by side point at a well-known project or carry its name."""
    known = dependency.name in update.names and dependency.project not in update.names
    return known and not str(dependency.name).startswith(str(dependency.project))
