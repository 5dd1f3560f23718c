"""This update needs a project that its registry does not have.

## What it detects
A new dependency that a client would install, that the registry does not know, and that the package does not carry
itself.

## Why it matters
A name that nobody has may be claimed by anybody, at any time: whoever does is installed wherever this release is.
Names that were withdrawn, or that exist in a private registry only, are the same opening.

## What it misses
A dependency that was there when it was taken in, and disappeared later: only new ones are looked up. A name that the
user's own registry has.

## References
- Birsan, *Dependency Confusion* (2021); MITRE ATT&CK T1195.001
"""

from collections.abc import Iterator

from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.model import DependencySource
from lazaretto.core.question import Tally, dependency_place, new_edges, package_json
from lazaretto.core.update import Edge, Update

CARD = Card(
    id="dependency-unobtainable",
    title="Dependency that does not exist",
    variants={"no-project": "The registry has no project of the new dependency's name."},
    group="dependency",
    why="Whoever claims the name is installed wherever this release is.",
    attack=("T1195.001",),
)

_INDEX = "module.exports = (a) => a;\n"
_BEFORE = {"package.json": package_json("1.0.0"), "index.js": _INDEX}
_USING = "module.exports = require('tiny-codec');\n"

EXAMPLES = (
    Example(
        title="a new dependency is not in the registry",
        before=_BEFORE,
        after={"package.json": package_json("1.0.1", dependencies={"tiny-codec": "^2.0.0"}), "index.js": _USING},
        world={"absent": ["tiny-codec"]},
        expect="no-project",
        at="package.json:6",
    ),
    Example(
        title="a new dependency that is in the registry",
        before=_BEFORE,
        after={"package.json": package_json("1.0.1", dependencies={"tiny-codec": "^2.0.0"}), "index.js": _USING},
        world={"package": "example-package"},
    ),
    Example(
        title="the package carries the dependency itself",
        before=_BEFORE,
        after={
            "package.json": package_json(
                "1.0.1", dependencies={"tiny-codec": "2.0.0"}, bundleDependencies=["tiny-codec"]
            ),
            "index.js": _USING,
            "node_modules/tiny-codec/package.json": package_json("2.0.0").replace("example-package", "tiny-codec"),
            "node_modules/tiny-codec/index.js": _INDEX,
        },
        world={"absent": ["tiny-codec"]},
    ),
    Example(
        title="the author's own tools are in a private registry",
        before=_BEFORE,
        after={"package.json": package_json("1.0.1", devDependencies={"tiny-codec": "^2.0.0"}), "index.js": _INDEX},
        world={"absent": ["tiny-codec"]},
    ),
)

_MESSAGES = {"no-project": "needs a project that the registry does not have"}
_MISSING = "no such project"
"""How an edge says that its registry knows no project of this name."""


def detect(update: Update) -> Iterator[Finding]:
    """Yield at most one finding; none at first contact, where all dependencies are new."""
    tally = Tally(CARD)
    for edge in new_edges(update):
        if _is_missing(edge) and not _is_carried(update, edge):
            tally.say("no-project", str(edge.dependency.project), dependency_place(update, edge.dependency))
    yield from tally.findings(_MESSAGES)


def _is_missing(edge: Edge) -> bool:
    asked = edge.dependency.source in (DependencySource.REGISTRY, DependencySource.ALIAS)
    return asked and edge.project is None and edge.why.endswith(_MISSING)


def _is_carried(update: Update, edge: Edge) -> bool:
    folder = f"node_modules/{edge.dependency.name}/"
    return any(path.startswith(folder) for pair in update.pairs for path in pair.after.tree)
