"""This update loops without end as soon as it is loaded.

## What it detects
A loop in JavaScript that runs by itself, whose condition always holds (none, a constant, or a bound at infinity) and
whose body never leaves, waits or ends the process, in a line that had none.

## Why it matters
colors 1.4.1 was published to stop every program that loads it, in protest. Code that is loaded has to come to an end
before the program that loads it can begin, so an honest module holds no such loop.

## What it misses
Loops whose end depends on data; a stop without a loop (a stream that never ends, a lock that is never given back);
recursion; loops in other languages; a file in which nothing else is worth reading.

## References
- The public record of colors 1.4.1 (2022-01-08)
- MITRE ATT&CK T1499, Endpoint Denial of Service
"""

from collections.abc import Iterator

from lazaretto.core.facts import Kind
from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.question import Tally, package_json, runs_by_itself, runs_when_loaded
from lazaretto.core.update import Update

CARD = Card(
    id="endless-loop-added",
    title="Endless loop added",
    variants={
        "autorun": "The loop runs at installation or when the package is imported.",
        "load": "The loop runs when one module of the package is loaded.",
    },
    group="destruction",
    why="What loads this never comes to its own code.",
    attack=("T1195.002", "T1499"),
)

_INDEX = "const pad = require('./pad');\nmodule.exports = pad;\n"
_PAD = "module.exports = (text) => text.trim();\n"
_BEFORE = {"package.json": package_json("1.0.0"), "index.js": _INDEX, "pad.js": _PAD}

EXAMPLES = (
    Example(
        title="the entry file counts to infinity",
        before=_BEFORE,
        after={
            **_BEFORE,
            "package.json": package_json("1.0.1"),
            "index.js": _INDEX + "for (let i = 1; i < Infinity; i++) {\n  console.log('testing');\n}\n",
        },
        expect="autorun",
        at="index.js:3",
    ),
    Example(
        title="a worker waits for its work without end, when it is called",
        before=_BEFORE,
        after={
            **_BEFORE,
            "package.json": package_json("1.0.1"),
            "index.js": _INDEX + "exports.work = async (queue) => { for (;;) await queue.next(); };\n",
        },
    ),
    Example(
        title="a table is built when the module is loaded, by a loop that breaks off",
        before=_BEFORE,
        after={
            **_BEFORE,
            "package.json": package_json("1.0.1"),
            "index.js": _INDEX + "let size = 1;\nfor (;;) {\n  size *= 2;\n  if (size > 512) break;\n}\n",
        },
    ),
)

_MESSAGES = {
    "autorun": "loops without end when it is installed or imported",
    "load": "loops without end when one of its modules is loaded",
}


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding for each variant."""
    tally = Tally(CARD)
    for pair in update.pairs:
        for placed in pair.gained(Kind.LOOP_ENDLESS) if pair.before else ():
            if runs_by_itself(placed):
                tally.add("autorun", pair, placed)
            elif runs_when_loaded(placed):
                tally.add("load", pair, placed)
    yield from tally.findings(_MESSAGES)
