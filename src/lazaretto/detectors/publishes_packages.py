"""This update publishes packages, or writes the pipelines of other projects, as its line of releases never did.

## What it detects
Code that runs by itself and starts the publishing command of a package manager, asks a registry for the user's
tokens, or writes a workflow file into whatever project it finds itself in; new to the line. A function that publishes
counts little: release tools do it for whoever calls them.

## Why it matters
This is how a worm moves: it takes the token of the machine it is installed on and publishes itself in that user's
packages. Nothing that is being installed or imported has anything to publish.

## What it misses
Uploads that speak the registry's protocol themselves; publishing by a second stage that is fetched.

## References
- The public records of the Shai-Hulud campaigns (2025, 2026)
- MITRE ATT&CK T1195.002; T1677, Poisoned Pipeline Execution
"""

import re
from collections.abc import Iterator
from functools import cache

from lazaretto.core.facts import Kind
from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.question import Tally, decoded, package_json, runs_by_itself
from lazaretto.core.update import ArtifactView, Pair, Placed, Update

CARD = Card(
    id="publishes-packages",
    title="Publishes from inside a package",
    variants={
        "autorun": "Code that runs by itself publishes a package or asks a registry for the user's tokens.",
        "workflow": "Code that runs by itself writes a workflow of a pipeline.",
        "call": "A function publishes a package; no earlier release did anywhere.",
        "first-contact": "There is no earlier release; code that runs by itself publishes a package.",
    },
    group="spread",
    why="What is being installed has nothing to publish.",
    attack=("T1195.002", "T1677"),
)

_KINDS = (Kind.PROCESS_SPAWN, Kind.LITERAL_COMMAND, Kind.NET_CONNECT, Kind.LITERAL_URL, Kind.FS_WRITE)
_BEFORE = {"package.json": package_json("1.0.0"), "index.js": "module.exports = (a) => a;\n"}
_RUN = "const { execSync } = require('child_process');\n"
_TOOL = _RUN + "exports.release = function release(to) { return execSync('npm publish --access public'); };\n"

EXAMPLES = (
    Example(
        title="an install script publishes the package it finds",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1", scripts={"postinstall": "node spread.js"}),
            "index.js": "module.exports = (a) => a;\n",
            "spread.js": _RUN + "execSync('npm version patch && npm publish --tag latest');\n",
        },
        expect="autorun",
        at="spread.js:2",
    ),
    Example(
        title="a Python package uploads at import",
        ecosystem="pypi",
        before={"pad/__init__.py": "WIDTH = 2\n"},
        after={
            "pad/__init__.py": "import subprocess, sys\n"
            "subprocess.run([sys.executable, '-m', 'twine', 'upload', 'dist/pad.whl'])\nWIDTH = 2\n"
        },
        expect="autorun",
        at="pad/__init__.py:2",
    ),
    Example(
        title="the entry file writes a workflow into the project around it",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "const fs = require('fs');\n"
            "fs.writeFileSync('.github/workflows/pad.yml', 'on: push');\nmodule.exports = (a) => a;\n",
        },
        expect="workflow",
        at="index.js:2",
    ),
    Example(
        title="a function publishes, the first in its line",
        before=_BEFORE,
        after={"package.json": package_json("1.0.1"), "index.js": _TOOL},
        expect="call",
        at="index.js:2",
    ),
    Example(
        title="a release tool that always published",
        before={"package.json": package_json("1.0.0"), "index.js": _TOOL},
        after={"package.json": package_json("1.0.1"), "index.js": _TOOL.replace("public", "restricted")},
    ),
    Example(
        title="a generator writes a workflow for whoever calls it",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "const fs = require('fs');\n"
            "exports.create = function create() { fs.writeFileSync('.github/workflows/ci.yml', 'on: push'); };\n",
        },
    ),
    Example(
        title="the author's own script publishes, and no client runs it",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1", scripts={"release": "npm publish", "prepublishOnly": "npm test"}),
            "index.js": "module.exports = (a) => a;\n",
        },
    ),
)

_MESSAGES = {
    "autorun": "publishes a package, or asks for the user's tokens, without being called",
    "workflow": "writes a workflow of a pipeline without being called",
    "call": "publishes a package when it is called, the first in this line",
    "first-contact": "publishes a package, or asks for the user's tokens, without being called",
}
_PUBLISHES = r"""
    \b(?:npm|pnpm|yarn|bun)(?:\.cmd|\.exe)? (?:\s+-{1,2}[\w-]+(?:[= ][^\s;&|-]\S*)?){0,4} (?:\s+npm)? \s+publish\b
    | \b(?:lerna|changeset|vsce|ovsx|jsr|deno|cargo|poetry|uv|flit|hatch|pdm)\s+publish\b
    | \btwine["',\s]+upload\b | \bgem\s+push\b | \bsetup\.py\b.{0,80}\bupload\b
    | /-/npm/v1/tokens\b
"""


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding for each variant."""
    tally = Tally(CARD)
    for pair in update.pairs:
        had = _had(pair.before) if pair.before else frozenset()
        for placed in pair.gained(*_KINDS):
            variant = _variant(pair, placed)
            if variant is None or _act(placed) in had:
                continue
            tally.add(variant, pair, placed)
            tally.explain(variant, decoded(pair, placed.path))
    yield from tally.findings(_MESSAGES)


def publishes(text: str | None) -> bool:
    """Whether a command or an address publishes a package, or lists the tokens of a user."""
    return (
        text is not None
        and ("publish" in text or "upload" in text or "/-/npm" in text or " push" in text)
        and (_pattern().search(text) is not None)
    )


def _act(placed: Placed) -> str | None:
    if placed.fact.kind is Kind.FS_WRITE:
        return "workflow" if ".github/workflows/" in (placed.fact.value or "").replace("\\", "/") else None
    return "publish" if publishes(placed.fact.value) else None


def _variant(pair: Pair, placed: Placed) -> str | None:
    act, alone = _act(placed), runs_by_itself(placed)
    if act is None or (act == "workflow" and not alone):
        return None
    if pair.before is None:
        return "first-contact" if alone and act == "publish" else None
    if act == "workflow":
        return act
    called = placed.fact.kind in (Kind.PROCESS_SPAWN, Kind.LITERAL_COMMAND)
    return "autorun" if alone else "call" if called else None


def _had(view: ArtifactView) -> frozenset[str | None]:
    return frozenset(_act(placed) for placed in view.placed if placed.fact.kind in _KINDS)


@cache
def _pattern() -> re.Pattern[str]:
    return re.compile(_PUBLISHES, re.VERBOSE | re.IGNORECASE)
