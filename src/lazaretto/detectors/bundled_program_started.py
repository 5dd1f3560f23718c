"""This update starts, without being called, a program that comes with it.

## What it detects
A process that is started at installation or import and whose command names a program or a library among the files of
the package, in a line that never started one there.

## Why it matters
torchtriton 3.0.0 (2022) started a program of its own when it was imported, eslint-config-prettier 10.1.6 (2025) handed
a library to the system's loader when it was installed. What such a file does cannot be read as a script can.

## What it misses
Programs under a name that the command does not show; programs that are called, which is what wrappers of tools do;
lines that always start their own program.

## References
- The public records of torchtriton 3.0.0 and eslint-config-prettier 10.1.6
- MITRE ATT&CK T1218.011, T1204
"""

import re
from collections.abc import Iterator

from lazaretto.core.facts import Kind
from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.question import Tally, package_json, runs_by_itself
from lazaretto.core.update import ArtifactView, Pair, Placed, Update

CARD = Card(
    id="bundled-program-started",
    title="A program of the package is started",
    variants={
        "autorun": "Code that runs by itself starts a program or library of the package, as the line never did.",
        "first-contact": "There is no earlier release; code that runs by itself starts a program of the package.",
    },
    group="capability",
    why="Nobody reviews a binary, and this one is not waited for.",
    attack=("T1195.002", "T1204", "T1218.011"),
)

_REAL = frozenset(("elf", "pe", "macho", "node", "malformed:elf", "malformed:pe", "malformed:macho"))
_NAMED = (".exe", ".dll", ".so", ".dylib", ".scr")
_BETWEEN = re.compile(r"[\s,;'\"]+")

_BEFORE = {"package.json": package_json("1.0.0"), "index.js": "module.exports = (a) => a;\n"}
_START = (
    "const { spawn } = require('child_process');\nspawn(__dirname + '/bin/pad', [], { detached: true });\n"
    "module.exports = (a) => a;\n"
)
_ELF = "\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00"

EXAMPLES = (
    Example(
        title="the entry file starts a program beside it",
        before=_BEFORE,
        after={"package.json": package_json("1.0.1"), "index.js": _START, "bin/pad": _ELF},
        expect="autorun",
        at="index.js:2",
    ),
    Example(
        title="first contact with a package whose import starts its own program",
        ecosystem="pypi",
        after={
            "pad/__init__.py": "import os, subprocess\n"
            "subprocess.Popen([os.path.join(os.path.dirname(__file__), 'pad')])\n",
            "pad/pad": _ELF,
        },
        expect="first-contact",
        at="pad/__init__.py:2",
    ),
    Example(
        title="a wrapper starts its program when it is called",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "module.exports = (a) => require('child_process').spawn(__dirname + '/bin/pad', [a]);\n",
            "bin/pad": _ELF,
        },
    ),
    Example(
        title="the entry file starts a program of the system",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "require('child_process').spawn('uname', ['-a']);\nmodule.exports = (a) => a;\n",
            "bin/pad": _ELF,
        },
    ),
)

_MESSAGES = {
    "autorun": "starts a program that comes with it, without being called",
    "first-contact": "starts a program that comes with it, without being called",
}


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding, at the command and at the program."""
    tally = Tally(CARD)
    for pair in update.pairs:
        started = [placed for placed in pair.gained(Kind.PROCESS_SPAWN) if runs_by_itself(placed)]
        for placed, program in _pairs(pair, started):
            variant = "autorun" if pair.before is not None else "first-contact"
            tally.add(variant, pair, placed)
            tally.say(variant, program)
    yield from tally.findings(_MESSAGES)


def _pairs(pair: Pair, started: list[Placed]) -> Iterator[tuple[Placed, str]]:
    if not started:
        return
    programs = _programs(pair.after)
    had = {path.rsplit("/", 1)[-1] for path in _started(pair.before)} if pair.before else set()
    for placed in started:
        for name in _names(placed.fact.value):
            if name in programs and name not in had:
                yield placed, programs[name]
                break


def _programs(view: ArtifactView) -> dict[str, str]:
    """Return the programs and libraries of an artifact: file name -> path."""
    real = {p.path for p in view.placed if p.fact.kind is Kind.BINARY and p.fact.value in _REAL}
    named = {path for path in view.tree.files if path.lower().endswith(_NAMED)}
    return {path.rsplit("/", 1)[-1]: path for path in sorted(real | named)}


def _started(view: ArtifactView) -> Iterator[str]:
    for placed in view.placed:
        if placed.fact.kind is Kind.PROCESS_SPAWN and runs_by_itself(placed):
            yield from _names(placed.fact.value)


def _names(command: str | None) -> Iterator[str]:
    """Yield the file names among the first words of a command that are paths or have an ending."""
    for word in _BETWEEN.split((command or "")[:400]):
        name = word.replace("\\", "/").rsplit("/", 1)[-1]
        if name and (name != word or name.lower().endswith(_NAMED)):
            yield name
