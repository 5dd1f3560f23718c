"""This update brings the first binary of its line, or a file that is not what its name says.

## What it detects
A program or library for a processor, or bytecode, in a line that had none, and whether code that runs by itself loads
it at once; a nested archive in a line that had none;
and files whose content belies their name, or that carry something behind their end (a program named as a picture, a
sound with data after its last sample).

## Why it matters
Nobody reviews a binary. Payloads have come as fonts, sounds, pictures, test files and libraries.

## What it misses
Lines that always ship binaries; data hidden inside a well-formed picture.

## References
- The public records of eslint-config-prettier (2025) and telnyx (2026)
- MITRE ATT&CK T1036.008, Masquerade File Type; T1027.003, Steganography
"""

from collections.abc import Iterator

from lazaretto.core.facts import Kind
from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.question import Tally, package_json, runs_by_itself
from lazaretto.core.update import ArtifactView, Pair, Placed, Update

CARD = Card(
    id="binary-added",
    title="Binary added",
    variants={
        "disguised": "A file is not what its name says, or carries something behind its end.",
        "loaded": "The line had no native library, and code that runs by itself loads one now.",
        "native": "The line had no native program or library, and has one now.",
        "bytecode": "The line had no bytecode, and has some now.",
        "archive": "The line had no nested archive, and has one now.",
        "first-contact": "There is no earlier release; a program or bytecode bears the name of something else.",
    },
    group="shape",
    why="Nobody reviews a binary.",
    attack=("T1195.002", "T1036.008", "T1027.003"),
)

_NATIVE = ("elf", "pe", "macho", "node")
_BYTECODE = ("pyc", "pickle", "dex", "v8-bytecode", "hermes-bytecode", "lua-bytecode", "java-class", "llvm-bitcode")
_BEFORE = {"package.json": package_json("1.0.0"), "index.js": "module.exports = (a) => a;\n"}
_AFTER = {"package.json": package_json("1.0.1"), "index.js": "module.exports = (a) => a;\n"}
_ELF = "\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00"

EXAMPLES = (
    Example(
        title="a pure JavaScript package gains a native program",
        before=_BEFORE,
        after={**_AFTER, "bin/pad": _ELF},
        expect="native",
        at="bin/pad:1",
    ),
    Example(
        title="the entry file loads the first native library of its line",
        before=_BEFORE,
        after={**_AFTER, "index.js": "module.exports = require('./pad.node');\n", "pad.node": _ELF},
        expect="loaded",
        at="pad.node:1",
    ),
    Example(
        title="a native program is named as a picture",
        before=_BEFORE,
        after={**_AFTER, "assets/logo.png": _ELF},
        expect="disguised",
        at="assets/logo.png:1",
    ),
    Example(
        title="a script is named as a font",
        before=_BEFORE,
        after={**_AFTER, "assets/pad.woff2": "#!/bin/sh\necho padded\n"},
        expect="disguised",
        at="assets/pad.woff2:1",
    ),
    Example(
        title="a native package rebuilds its library",
        before={**_BEFORE, "pad.node": _ELF},
        after={**_AFTER, "pad.node": _ELF + "\x01"},
    ),
    Example(
        title="a document and a style sheet are added",
        before=_BEFORE,
        after={**_AFTER, "docs/guide.md": "# Guide\n", "pad.css": "a { color: red }\n"},
    ),
)

_MESSAGES = {
    "disguised": "brings a file that is not what its name says",
    "loaded": "loads, without being called, the first native library of its line",
    "native": "brings the first native program or library of its line",
    "bytecode": "brings the first bytecode of its line",
    "archive": "brings the first nested archive of its line",
    "first-contact": "carries a program under the name of something else",
}


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding for each variant."""
    tally = Tally(CARD)
    for pair in update.pairs:
        had = {sort_of(value) for value in _values(pair.before)} if pair.before else set()
        for placed in pair.after.placed:
            if placed.fact.kind is Kind.BINARY and (variant := _variant(pair, placed, had)):
                tally.add(variant, pair, placed)
    yield from tally.findings(_MESSAGES)


def sort_of(value: str) -> str | None:
    """Return the variant that a real type belongs to, or None for what every package may carry."""
    if " named " in value or value.startswith("trailing-data"):
        return "disguised"
    if value in _NATIVE:
        return "native"
    if value in _BYTECODE:
        return "bytecode"
    return "archive" if value.startswith("archive:") else None


def _values(view: ArtifactView) -> Iterator[str]:
    return (placed.fact.value or "" for placed in view.placed if placed.fact.kind is Kind.BINARY)


def _variant(pair: Pair, placed: Placed, had: set[str | None]) -> str | None:
    value = placed.fact.value or ""
    sort = sort_of(value)
    if pair.before is None:
        real = value.split(" named ", 1)[0]
        return "first-contact" if sort == "disguised" and real in (*_NATIVE, *_BYTECODE) else None
    if sort == "disguised":
        native = value.split(" named ", 1)[0] in _NATIVE
        if native and had.isdisjoint(("native", "disguised")) and runs_by_itself(placed):
            return "loaded"
        return sort if placed.path in pair.changes and not _was_so_before(pair.before, placed) else None
    if sort in had:
        return None
    return "loaded" if sort == "native" and runs_by_itself(placed) else sort


def _was_so_before(before: ArtifactView, placed: Placed) -> bool:
    facts = before.facts.get(placed.path)
    return facts is not None and any(fact.kind is Kind.BINARY for fact in facts.facts)
