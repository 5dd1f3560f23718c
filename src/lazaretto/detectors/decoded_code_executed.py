"""This update executes code or commands that it first decodes.

## What it detects
An evaluation or a process whose text was hidden in an encoding (base64, hex, reversed, xor, compressed, marshalled,
character codes), or a flow from a decoding or decryption to an evaluation or a process, that the line never had.
The decoded text stands in the evidence.

## Why it matters
Nobody encodes a command for the machine's sake. 47 of 75 documented incidents hide their payload so; honest code
that evaluates does it in plain text.

## What it misses
Code that is decoded by a routine that no one can follow without running it (obfuscation-added may see its style);
decoding whose result goes through a file or another process.

## References
- MITRE ATT&CK T1140, Deobfuscate/Decode Files or Information; T1027.013
"""

from collections.abc import Iterator

from lazaretto.core.encoded_program import EncodedPrograms
from lazaretto.core.facts import Kind
from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.question import (
    AUTORUN,
    Tally,
    decoded,
    hidden,
    new_chains,
    package_json,
    runs_by_itself,
    runs_when_loaded,
)
from lazaretto.core.update import Pair, Placed, Update

CARD = Card(
    id="decoded-code-executed",
    title="Decoded text is executed",
    variants={
        "autorun": "Code that runs by itself executes text that was encoded.",
        "load": "Code that runs when a command is typed or its own module is imported executes text that was encoded.",
        "call": "A function executes text that was encoded.",
        "defines": "Encoded text is executed that is known in full, and only defines what others may call.",
        "first-contact": "There is no earlier release; code that runs by itself executes text that was encoded.",
        "first-contact-defines": "There is no earlier release; executed encoded text only defines things.",
    },
    group="obfuscation",
    why="Encoding hides a command from people, not from the machine.",
    attack=("T1195.002", "T1140", "T1027.013"),
)

_SINKS = (Kind.CODE_EVAL, Kind.PROCESS_SPAWN)
_BEFORE = {"package.json": package_json("1.0.0"), "index.js": "module.exports = (a) => a;\n"}

EXAMPLES = (
    Example(
        title="the entry file starts a command written in base64",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "const c = require('child_process');\n"
            "c.exec(Buffer.from('ZWNobyBwYWRkZWQ=', 'base64').toString());\nmodule.exports = (a) => a;\n",
        },
        expect="autorun",
        at="index.js:2",
    ),
    Example(
        title="a Python module evaluates text that was encoded",
        ecosystem="pypi",
        before={"pad/__init__.py": "WIDTH = 2\n"},
        after={
            "pad/__init__.py": "import base64\nexec(base64.b64decode('cHJpbnQoInBhZGRlZCIp'))\nWIDTH = 2\n",
        },
        expect="autorun",
        at="pad/__init__.py:2",
    ),
    Example(
        title="first contact with an install script that evaluates a hexadecimal string",
        after={
            "package.json": package_json("1.0.0", scripts={"postinstall": "node setup.js"}),
            "setup.js": "eval(Buffer.from('636f6e736f6c652e6c6f672831293b', 'hex').toString());\n",
        },
        expect="first-contact",
        at="setup.js:1",
    ),
    Example(
        title="a picture in base64 that is only shown",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "exports.icon = Buffer.from('aGVsbG8gd29ybGQsIHRoaXMgaXMgYSBwaWN0dXJl', 'base64');\n",
        },
    ),
    Example(
        title="a template engine that evaluates what it has just written",
        before={"package.json": package_json("1.0.0"), "index.js": "exports.t = (s) => new Function('d', s);\n"},
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "exports.t = (s) => new Function('d', 'with (d) {' + s + '}');\n",
        },
    ),
    Example(
        title="first contact with an install script that starts a plain command",
        after={
            "package.json": package_json("1.0.0", scripts={"postinstall": "node setup.js"}),
            "setup.js": "require('child_process').execFileSync('node', ['--version']);\n",
        },
    ),
)

_MESSAGES = {
    "autorun": "executes, without being called, text that was encoded",
    "load": "executes, when its module is loaded, text that was encoded",
    "call": "executes, when it is called, text that was encoded",
    "defines": "executes text that was encoded, which only defines what others may call",
    "first-contact": "executes, without being called, text that was encoded",
    "first-contact-defines": "executes text that was encoded, which only defines what others may call",
}


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding for each variant, with everything that the files hide."""
    tally = Tally(CARD)
    for pair in update.pairs:
        for placed, defines in _executed(pair):
            if variant := _variant(pair, placed, defines=defines):
                tally.add(variant, pair, placed)
                tally.explain(variant, decoded(pair, placed.path))
    yield from tally.findings(_MESSAGES)


def _variant(pair: Pair, placed: Placed, *, defines: bool) -> str | None:
    autorun = runs_by_itself(placed)
    if pair.before is None:
        return ("first-contact-defines" if defines else "first-contact") if autorun else None
    if autorun or runs_when_loaded(placed):
        return "defines" if defines else "autorun" if autorun else "load"
    return "call"


def _executed(pair: Pair) -> Iterator[tuple[Placed, bool]]:
    """Yield the places that execute decoded text: known text first, then what only a flow tells.

    With each, whether all that it executes only defines things. What such a program starts when somebody calls it is
    told by itself elsewhere, unless its command was encoded once more.
    """
    programs = EncodedPrograms(pair.after)
    defining = set()
    for placed in pair.gained(*_SINKS):
        if not hidden(placed.fact):
            continue
        if placed.fact.kind is Kind.CODE_EVAL and programs.only_defines(placed):
            defining.add((placed.path, placed.fact.span))
            yield placed, True
        elif (placed.path, placed.fact.span) not in defining or programs.hidden_itself(placed):
            yield placed, False
    for chain, new_kind in new_chains(pair, (Kind.DECODE, Kind.DECRYPT), _SINKS):
        if chain.data and (new_kind or chain.reach in AUTORUN):
            sink = chain.sink
            if (sink.path, sink.fact.span) not in defining or sink.fact.kind is Kind.PROCESS_SPAWN:
                yield sink, False
