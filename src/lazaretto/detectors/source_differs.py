"""This update carries code that runs by itself and does not stand in the repository it is said to come from.

## What it detects
A hook, or a place that does something (starts a process, opens a connection, reads a credential, evaluates text) when
the release is installed or imported, in a file or a line that the tagged commit of its repository does not have.
Compared only where the user asks for it (``--source``); files that the repository itself says it builds are set aside
and told.

## Why it matters
Whoever takes over an account publishes from his own machine: what he adds is in no commit. event-stream's
flatmap-stream, ua-parser-js, coa, rc and many others were like that.

## What it misses
Code in what is built (a bundle in ``dist/``): it is told as not compared. Code that was committed, whoever did it. A
tag that was moved to a commit of the attacker's.

## References
- The public records of flatmap-stream 0.1.1, ua-parser-js 0.7.29 and coa 2.0.3
- MITRE ATT&CK T1195.002, Compromise Software Supply Chain
"""

from collections.abc import Iterator

from lazaretto.core.facts import Kind, Reach
from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.model import Provided
from lazaretto.core.question import Tally, harmless, hook_place, package_json, runs_by_itself
from lazaretto.core.source import Comparison
from lazaretto.core.update import Pair, Update

CARD = Card(
    id="source-differs",
    title="Code that is not in the repository",
    variants={
        "install": "A hook, or what runs at installation, stands in the artifact alone.",
        "import": "What runs when the release is imported stands in the artifact alone.",
    },
    group="source",
    why="Whoever publishes with a stolen account adds what no commit has.",
    attack=("T1195.002",),
    needs=frozenset({Provided.SOURCE}),
)

_DULL = frozenset(kind for kind in Kind if kind.value.startswith("literal.")) | {Kind.IMPORT}

_BEFORE = {"package.json": package_json("1.0.0"), "index.js": "module.exports = 1;\n"}
_AFTER = {"package.json": package_json("1.0.1"), "index.js": "module.exports = 2;\n"}
_STARTS = "require('child_process').execSync('node a.js');\n"

EXAMPLES = (
    Example(
        title="a hook that no commit has",
        before=_BEFORE,
        after={**_AFTER, "package.json": package_json("1.0.1", scripts={"postinstall": "node a.js"}), "a.js": _STARTS},
        world={"source": _AFTER},
        expect="install",
        at="package.json:6",
    ),
    Example(
        title="a line that starts a process, added to the main file after the commit",
        before=_BEFORE,
        after={**_AFTER, "index.js": "module.exports = 2;\n" + _STARTS},
        world={"source": _AFTER},
        expect="import",
        at="index.js:2",
    ),
    Example(
        title="the same code, committed",
        before=_BEFORE,
        after={**_AFTER, "index.js": "module.exports = 2;\n" + _STARTS},
        world={"source": {**_AFTER, "index.js": "module.exports = 2;\n" + _STARTS}},
    ),
    Example(
        title="a bundle that the repository says it builds",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1", main="dist/index.js", scripts={"build": "rollup -c"}),
            "dist/index.js": _STARTS,
        },
        world={
            "source": {
                "package.json": package_json("1.0.1", main="dist/index.js", scripts={"build": "rollup -c"}),
                "src/index.js": "export default 1;\n",
            }
        },
    ),
    Example(
        title="a document that no commit has",
        before=_BEFORE,
        after={**_AFTER, "NOTES.md": "See https://notes.invalid/.\n"},
        world={"source": _AFTER},
    ),
)

_MESSAGES = {
    "install": "runs at installation what its repository does not have",
    "import": "runs when it is imported what its repository does not have",
}


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding for each variant: the hooks and the places that stand in the artifact alone."""
    tally = Tally(CARD)
    for pair in update.pairs:
        compared = update.source.of(pair.after.artifact.filename) if update.source is not None else None
        if compared is not None:
            _alone(tally, pair, compared)
    yield from tally.findings(_MESSAGES)


def _alone(tally: Tally, pair: Pair, compared: Comparison) -> None:
    for hook in pair.after.manifest.hooks:
        if compared.alone(hook.path, hook.span.line):
            tally.say("install", f"{hook.name} in {hook.path}", hook_place(pair, hook))
    for placed in pair.after.placed:
        if placed.fact.kind in _DULL or harmless(placed.fact) or not runs_by_itself(placed):
            continue
        if compared.alone(placed.path, placed.fact.span.line):
            tally.add("install" if placed.reach is Reach.INSTALL else "import", pair, placed)
