"""This update adds a dependency that none of its files imports.

## What it detects
A new run-time or optional dependency that no file of the new release names in an import and no script runs. If
moreover nothing but the manifest changed, the dependency can only be there to be installed.

## Why it matters
A dependency that is never imported is installed all the same, and its install script runs all the same: the axios
release of 2026-03-31 changed one line of JSON and no file used what it added.

## What it misses
A dependency that is imported for show (event-stream did). Honest unused ones exist: plug-ins, type declarations,
platform packages, pins of a transitive dependency; alone this weighs little.

## References
- The public record of axios 1.14.1 (2026-03-31)
- MITRE ATT&CK T1195.001
"""

from collections.abc import Iterator

from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.habit import is_sibling
from lazaretto.core.model import DependencyGroup
from lazaretto.core.question import Tally, dependency_place, new_edges, only_manifest_changed, package_json
from lazaretto.core.update import Edge, Update

CARD = Card(
    id="dependency-unused",
    title="New dependency that nothing imports",
    variants={
        "manifest-only": "Nothing imports the new dependency, and no code changed.",
        "unused": "Nothing imports the new dependency.",
    },
    group="dependency",
    why="What nobody imports is there to be installed.",
    attack=("T1195.001",),
)

_INDEX = "module.exports = (a) => a;\n"
_BEFORE = {"package.json": package_json("1.0.0"), "index.js": _INDEX}
_WORLD = {
    "dependency": [
        {
            "name": "tiny-codec",
            "version": "2.0.0",
            "published": "2026-01-01T00:00:00Z",
            "publisher": "newcomer <newcomer@mail.invalid>",
            "files": {
                "package.json": package_json("2.0.0").replace("example-package", "tiny-codec"),
                "index.js": "module.exports = (a) => a;\n",
            },
        }
    ]
}
_MANIFEST = package_json("1.0.1", dependencies={"tiny-codec": "^2.0.0"})

EXAMPLES = (
    Example(
        title="only the manifest changed, and it names a dependency that no file uses",
        before=_BEFORE,
        after={"package.json": _MANIFEST, "index.js": _INDEX},
        world=_WORLD,
        expect="manifest-only",
        at="package.json:6",
    ),
    Example(
        title="code changed too, but no file uses the new dependency",
        before=_BEFORE,
        after={"package.json": _MANIFEST, "index.js": "module.exports = (a) => a.trim();\n"},
        world=_WORLD,
        expect="unused",
        at="package.json:6",
    ),
    Example(
        title="the entry file imports the new dependency",
        before=_BEFORE,
        after={"package.json": _MANIFEST, "index.js": "module.exports = require('tiny-codec');\n"},
        world=_WORLD,
    ),
    Example(
        title="a peer dependency, which the user of the package imports",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1", peerDependencies={"tiny-codec": "^2.0.0"}),
            "index.js": "module.exports = (a) => a.trim();\n",
        },
        world=_WORLD,
    ),
)

_MESSAGES = {
    "manifest-only": "changes nothing but its manifest and adds a dependency that nothing imports",
    "unused": "adds a dependency that nothing imports",
}


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding for each variant, at the manifest line of each dependency."""
    tally = Tally(CARD)
    unchanged = bool(update.pairs) and all(only_manifest_changed(pair) for pair in update.pairs)
    for edge in new_edges(update):
        if not edge.imported and _should_be_imported(update, edge):
            variant = "manifest-only" if unchanged else "unused"
            tally.say(variant, str(edge.dependency.name), dependency_place(update, edge.dependency))
    yield from tally.findings(_MESSAGES)


def _should_be_imported(update: Update, edge: Edge) -> bool:
    """Whether an honest dependency of this sort is named by code: no types, no platform parts, no peers."""
    name, dependency = str(edge.dependency.name), edge.dependency
    if dependency.group not in (DependencyGroup.RUNTIME, DependencyGroup.OPTIONAL):
        return False
    if name.startswith(("@types/", "types-")) or dependency.marker:
        return False
    if dependency.group is DependencyGroup.OPTIONAL:
        ours = str(update.after.project).lstrip("@").split("/", 1)[0]
        return not name.lstrip("@").startswith(ours) and not is_sibling(update, edge)
    return True
