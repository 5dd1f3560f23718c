"""This update brings obfuscated code into a line that had none.

## What it detects
Code in the style of an obfuscator (string tables with a decoder, hexadecimal names, packers, jsfuck and the like)
that is new to the line at its reach, or a new obfuscated file in a line that already had some. Minification is not
obfuscation; a long encoded text or table is told apart, since honest files hold such data too. At first contact only
an obfuscated file that runs at installation counts much.

## Why it matters
Open source has no reason to hide its meaning from its reader between two patch releases. 47 of 75 documented
incidents were obfuscated.

## What it misses
Payloads written in plain or merely minified code; encodings that are decoded and executed in plain sight, which
decoded-code-executed asks.

## References
- MITRE ATT&CK T1027, Obfuscated Files or Information
"""

from collections.abc import Iterator

from lazaretto.core.encoded_program import EncodedPrograms
from lazaretto.core.facts import DEFINES, Fact, Kind, Reach
from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.question import ORDER, Tally, decoded, package_json, runs_by_itself, runs_when_loaded
from lazaretto.core.update import ArtifactView, Pair, Placed, Update

CARD = Card(
    id="obfuscation-added",
    title="Obfuscated code added",
    variants={
        "autorun": "Code that runs by itself is obfuscated, as in no earlier release.",
        "load": "Code that runs when a command is typed or its own module is imported is obfuscated, as never before.",
        "call": "Code that somebody calls is obfuscated, as in no earlier release.",
        "unreached": "A file that nothing loads is obfuscated, as in no earlier release.",
        "encoded-data": "Code that runs by itself holds a long encoded text or table, as in no earlier release.",
        "another-file": "The line already had obfuscated code; another file of it is new.",
        "first-contact-install": "There is no earlier release; code that runs at installation is obfuscated.",
        "first-contact": "There is no earlier release; code that runs at import is obfuscated.",
    },
    group="obfuscation",
    why="Who publishes source has no reason to hide it from its readers.",
    attack=("T1195.002", "T1027"),
)

_DATA = frozenset({"long-encoded", "char-codes"})
"""Styles that honest tables and inlined files share: they are data until something executes them."""

_PACKED = (
    "var _0x4f1c=['bG9n','cGFkZGVk','bGVuZ3Ro','c2xpY2U=','am9pbg==','cHVzaA==','c2hpZnQ='];"
    "(function(_0x2a1b,_0x3c2d){var _0x1e0f=function(_0x5a6b){while(--_0x5a6b){_0x2a1b['push'](_0x2a1b['shift']());}};"
    "_0x1e0f(++_0x3c2d);}(_0x4f1c,0x1a3));"
    "var _0x7d8e=function(_0x9f0a,_0x1b2c){_0x9f0a=_0x9f0a-0x0;var _0x3d4e=_0x4f1c[_0x9f0a];return atob(_0x3d4e);};"
    "var _0x5f6a=_0x7d8e('0x0'),_0x8b9c=_0x7d8e('0x1'),_0xad0e=_0x7d8e('0x2'),_0xcf1b=_0x7d8e('0x3');"
    "console[_0x5f6a](_0x8b9c,_0xad0e,_0xcf1b);\n"
)
_FUCK = "[][(![]+[])[+[]]+(![]+[])[!+[]+!+[]]+(![]+[])[+!+[]]+(!![]+[])[+[]]]" * 30 + ";\n"
_BEFORE = {"package.json": package_json("1.0.0"), "index.js": "module.exports = (a) => a;\n"}
_MINIFIED = (
    '"use strict";function e(e,t){for(var n=0;n<t.length;n++){var r=t[n];r.enumerable=r.enumerable||!1;'
    "Object.defineProperty(e,r.key,r)}}module.exports=function(t,n){return n&&e(t.prototype,n),t};\n"
)

EXAMPLES = (
    Example(
        title="a block with a rotated string table stands before the entry file's code",
        before=_BEFORE,
        after={"package.json": package_json("1.0.1"), "index.js": _PACKED + "module.exports = (a) => a;\n"},
        expect="autorun",
        at="index.js:1",
    ),
    Example(
        title="first contact with an install script in the same style",
        after={
            "package.json": package_json("1.0.0", scripts={"postinstall": "node setup.js"}),
            "setup.js": _PACKED,
        },
        expect="first-contact-install",
        at="setup.js:1",
    ),
    Example(
        title="the entry file gains a statement of brackets and signs alone",
        before=_BEFORE,
        after={"package.json": package_json("1.0.1"), "index.js": _FUCK + "module.exports = (a) => a;\n"},
        expect="autorun",
        at="index.js:1",
    ),
    Example(
        title="a package begins to ship a minified entry file",
        before=_BEFORE,
        after={"package.json": package_json("1.0.1"), "index.js": _MINIFIED},
    ),
    Example(
        title="a table of base64 fonts",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "module.exports = { a: 'd09GMgABAAAAAAPgABAAAAAAB3gAAAOAAAEAAAAAAAAAAAAAAAA' };\n",
        },
    ),
)

_MESSAGES = {
    "autorun": "runs obfuscated code without being called",
    "load": "brings obfuscated code that runs when its module is loaded",
    "call": "brings obfuscated code that is called",
    "unreached": "brings an obfuscated file that nothing loads",
    "encoded-data": "holds a long encoded text or table in code that runs without being called",
    "another-file": "brings another obfuscated file",
    "first-contact-install": "runs obfuscated code at installation",
    "first-contact": "runs obfuscated code at import",
}


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding for each variant, with what could be decoded of the obfuscated files."""
    tally = Tally(CARD)
    for pair in update.pairs:
        programs = EncodedPrograms(pair.after)
        for placed in pair.after.placed:
            variant = _variant(pair, placed, programs) if placed.fact.kind is Kind.OBFUSCATED else None
            if variant:
                tally.add(variant, pair, placed)
                tally.explain(variant, decoded(pair, placed.path))
    yield from tally.findings(_MESSAGES)


def _variant(pair: Pair, placed: Placed, programs: EncodedPrograms) -> str | None:
    if placed.fact.value in _DATA:
        return "encoded-data" if pair.before and runs_by_itself(placed) and pair.is_new_kind(placed) else None
    if pair.before is None:
        around = programs.around(placed) if placed.fact.value == DEFINES else ()
        if around and all(map(programs.only_defines, around)):
            return None  # charged as the text that it executes, which hides nothing from this reader
        return {Reach.INSTALL: "first-contact-install", Reach.IMPORT: "first-contact"}.get(placed.reach)
    if _is_new_style_of_code(pair.before, placed):
        if runs_by_itself(placed):
            return "autorun"
        if runs_when_loaded(placed):
            return "load"
        return "call" if placed.reach is Reach.CALL else "unreached"
    known = pair.before.facts.get(placed.path)
    was_there = known is not None and any(_is_code_style(fact) for fact in known.facts)
    return "another-file" if placed.path in pair.changes and not was_there else None


def _is_new_style_of_code(before: ArtifactView, placed: Placed) -> bool:
    """Whether no code of the earlier release was obfuscated where it is as easily reached."""
    return not any(ORDER[known.reach] <= ORDER[placed.reach] for known in before.placed if _is_code_style(known.fact))


def _is_code_style(fact: Fact) -> bool:
    return fact.kind is Kind.OBFUSCATED and fact.value not in _DATA
