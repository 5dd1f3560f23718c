"""This update brings a second interpreter.

## What it detects
At first contact, code that runs by itself and fetches or starts another runtime (Bun, Deno, a Node or Python of its
own). In an update, a function that does so where no release of the line did anywhere; what runs by itself there is
asked by autorun-capability-gained.

## Why it matters
A runtime of one's own escapes what watches the usual one. 14 of 75 documented incidents fetched Bun to run their
payload, and next to no honest package does.

## What it misses
Runtimes that the package carries itself (binary-added), and those that a shell finds on the machine.

## References
- The public records of the Shai-Hulud campaigns (2025, 2026)
- MITRE ATT&CK T1105, Ingress Tool Transfer; T1059
"""

from collections.abc import Iterator

from lazaretto.core.facts import Kind, Reach
from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.question import Tally, package_json, runs_by_itself
from lazaretto.core.update import Update

CARD = Card(
    id="second-runtime-fetched",
    title="Second interpreter",
    variants={
        "call": "A function fetches or starts a second interpreter; no earlier release did anywhere.",
        "first-contact": "There is no earlier release; code that runs by itself fetches a second interpreter.",
    },
    group="capability",
    why="A runtime of one's own escapes what watches the usual one.",
    attack=("T1195.002", "T1105", "T1059"),
)

_BEFORE = {"package.json": package_json("1.0.0"), "index.js": "module.exports = (a) => a;\n"}
_RUN = "const { execSync } = require('child_process');\n"
_TOOL = _RUN + "exports.setup = function setup() { return execSync('npx -y bun test'); };\n"

EXAMPLES = (
    Example(
        title="first contact with an installer that fetches another runtime",
        after={
            "package.json": package_json("1.0.0", scripts={"preinstall": "node setup.js"}),
            "index.js": "module.exports = (a) => a;\n",
            "setup.js": _RUN + "execSync('npm install -g bun');\n",
        },
        expect="first-contact",
        at="setup.js:2",
    ),
    Example(
        title="a function begins to fetch another runtime",
        before=_BEFORE,
        after={"package.json": package_json("1.0.1"), "index.js": _TOOL},
        expect="call",
        at="index.js:2",
    ),
    Example(
        title="a test runner that always started another runtime",
        before={"package.json": package_json("1.0.0"), "index.js": _TOOL},
        after={"package.json": package_json("1.0.1"), "index.js": _TOOL.replace("test", "test --bail")},
    ),
    Example(
        title="first contact with a test runner that does it when it is called",
        after={"package.json": package_json("1.0.0"), "index.js": _TOOL},
    ),
    Example(
        title="a program that starts the interpreter it runs in",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "const { spawn } = require('child_process');\n"
            "exports.work = function work(file) { return spawn(process.execPath, [file]); };\n",
        },
    ),
)

_MESSAGES = {
    "call": "fetches or starts a second interpreter when it is called, the first in this line",
    "first-contact": "fetches or starts a second interpreter without being called",
}


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding for each variant."""
    tally = Tally(CARD)
    for pair in update.pairs:
        for placed in pair.gained(Kind.RUNTIME_FETCH):
            if pair.before is None:
                if runs_by_itself(placed):
                    tally.add("first-contact", pair, placed)
            elif placed.reach is Reach.CALL and Kind.RUNTIME_FETCH not in pair.before.kinds:
                tally.add("call", pair, placed)
    yield from tally.findings(_MESSAGES)
