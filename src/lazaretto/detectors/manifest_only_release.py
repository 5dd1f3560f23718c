"""This update changes nothing but its manifest, and the manifest now installs or runs something new.

## What it detects
A release whose code is the same to the byte, while its manifest gains a dependency that the line never had, or
something that runs at installation. A release that only raises the ranges of known dependencies is not meant.

## Why it matters
Whoever holds a stolen token, and not the repository, repacks the last artifact and changes one line. An honest
release that needs a new dependency changes the code that uses it.

## What it misses
Attackers who touch any file for the look of it.

## References
- The public record of axios 1.14.1 and 0.30.4 (2026-03-31)
- MITRE ATT&CK T1195.002
"""

from collections.abc import Iterator

from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.habit import is_sibling
from lazaretto.core.question import Tally, dependency_place, hook_place, new_edges, only_manifest_changed, package_json
from lazaretto.core.update import Update

CARD = Card(
    id="manifest-only-release",
    title="Nothing but the manifest changed",
    variants={
        "new-hook": "The code is the same, and something new runs at installation.",
        "new-dependency": "The code is the same, and there is a new dependency.",
    },
    group="shape",
    why="A release for the sake of one line of the manifest is what a stolen token can make.",
    attack=("T1195.002",),
)

_INDEX = "module.exports = (a) => a;\n"
_BEFORE = {"package.json": package_json("1.0.0", dependencies={"left": "^1.0.0"}), "index.js": _INDEX}
_WORLD = {
    "dependency": [
        {
            "name": name,
            "version": "2.0.0",
            "published": "2026-01-01T00:00:00Z",
            "publisher": "newcomer <newcomer@mail.invalid>",
            "files": {"package.json": package_json("2.0.0").replace("example-package", name), "index.js": _INDEX},
        }
        for name in ("left", "tiny-codec")
    ]
}

EXAMPLES = (
    Example(
        title="one line of the manifest adds a dependency",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1", dependencies={"left": "^1.0.0", "tiny-codec": "^2.0.0"}),
            "index.js": _INDEX,
        },
        world=_WORLD,
        expect="new-dependency",
        at="package.json:7",
    ),
    Example(
        title="one line of the manifest adds an install script",
        before=_BEFORE,
        after={
            "package.json": package_json(
                "1.0.1", dependencies={"left": "^1.0.0"}, scripts={"install": "node index.js"}
            ),
            "index.js": _INDEX,
        },
        expect="new-hook",
        at="package.json:9",
    ),
    Example(
        title="a release that raises the range of a dependency",
        before=_BEFORE,
        after={"package.json": package_json("1.0.1", dependencies={"left": "^2.0.0"}), "index.js": _INDEX},
        world=_WORLD,
    ),
    Example(
        title="a new dependency together with the code that uses it",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1", dependencies={"left": "^1.0.0", "tiny-codec": "^2.0.0"}),
            "index.js": "module.exports = require('tiny-codec');\n",
        },
        world=_WORLD,
    ),
)

_MESSAGES = {
    "new-hook": "changes no code, and lets something new run at installation",
    "new-dependency": "changes no code, and adds a dependency",
}


def detect(update: Update) -> Iterator[Finding]:
    """Yield at most one finding for each variant."""
    if update.first_contact or not update.pairs or not all(only_manifest_changed(pair) for pair in update.pairs):
        return
    tally = Tally(CARD)
    for change in update.hooks_changed():
        tally.say("new-hook", change.hook.name, hook_place(change.pair, change.hook))
    for edge in new_edges(update):
        if not is_sibling(update, edge):
            tally.say("new-dependency", str(edge.dependency.name), dependency_place(update, edge.dependency))
    yield from tally.findings(_MESSAGES)
