"""JSON and its relatives: whether it is what a client would read, and text hidden in it.

Dialects: ``json`` (a broken document is a problem: it may be something else under that name),
``jsonc`` (comments, trailing commas, fixtures: no problem), ``sourcemap`` and ``notebook`` (Jupyter: the code of its
cells is read). In the values of a document code that acts, as it is or in base64 or hexadecimal, is read as code that
somebody may evaluate; of a source map that goes for all but the sources that it quotes.

## What it cannot see
Code in values that does not look like Python or JavaScript, or that is encoded in another way; what the sources say
that a source map quotes, beside hidden text; the outputs of a notebook's cells, which a viewer may run; cells in
languages other than Python, JavaScript, TypeScript and shells.
"""

import re
from collections.abc import Iterator
from functools import cache

from lazaretto.core.facts import Facts, Problem
from lazaretto.core.inner import Inner
from lazaretto.core.language import Claim, Units
from lazaretto.languages._addressed import addressed
from lazaretto.languages._carried import carried
from lazaretto.languages._hidden import hidden_text
from lazaretto.languages._magic import is_text
from lazaretto.languages._names import FIXTURES, LOOSE_JSON, STRICT_JSON, ending
from lazaretto.languages._notebooks import cells
from lazaretto.languages._utf16 import as_utf8, in_published

ID = "data"
VERSION = 4
DIALECTS = ("json", "jsonc", "sourcemap", "notebook")
"""Every dialect that ``read`` takes."""

MAX_JSON = 64 * 1024 * 1024
"""Largest document that is parsed, in bytes."""

TOO_SMALL_TO_ACT = 16
"""A broken document shorter than this cannot do anything under another name either."""


def claim(path: str, data: bytes) -> Claim | None:
    """Offer to read a file with an ending of JSON, if it is text at all."""
    last = ending(path)
    if (last not in STRICT_JSON and last not in LOOSE_JSON) or not is_text(data):
        return None
    if last == "ipynb":
        return Claim("notebook", 50)
    if last == "map":
        return Claim("sourcemap", 50)
    fixture = not FIXTURES.isdisjoint(path.lower().split("/")[:-1])
    return Claim("json" if last in STRICT_JSON and not fixture else "jsonc", 50)


def read(dialect: str, data: bytes, units: Units) -> Facts:
    """Return hidden text, and a problem for a ``json`` document that no reading makes valid. Never raises."""
    text = as_utf8(data)
    found = (*hidden_text(text, natural=True), *addressed(text))
    problems = tuple(_problems(text.removeprefix(b"\xef\xbb\xbf"))) if dialect == "json" else ()
    return Facts(language=ID, facts=in_published(found, text, data), problems=problems)


def inner(dialect: str, data: bytes, facts: Facts) -> Iterator[Inner | Problem]:
    """Yield the code of a notebook's cells, or what values carry."""
    if dialect == "notebook":
        yield from cells(data)
    else:
        yield from carried(data, quoted=dialect == "sourcemap")


def _problems(text: bytes) -> list[Problem]:
    if len(text) > MAX_JSON:
        return [Problem(1, f"JSON of {len(text)} bytes is larger than the {MAX_JSON} that are parsed", unread=True)]
    reason = _defect(text)
    if reason is None or len(text.strip()) < TOO_SMALL_TO_ACT:
        return []
    if _defect(_without_comments(text)) is None or _is_lines(text):
        return []
    return [Problem(1, f"not valid JSON: {reason}")]


def _defect(text: bytes) -> str | None:
    """Return why a text is not JSON, or None if it is."""
    import msgspec

    try:
        msgspec.json.decode(text, type=msgspec.Raw)
        # A raw value is only skipped over: decode for real what is small enough to cost nothing.
        if len(text) <= 1024 * 1024:
            msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        return str(error)[:120]
    return None


def _is_lines(text: bytes) -> bool:
    """Whether every line is a document of its own (JSON Lines)."""
    lines = [line for line in text.splitlines() if line.strip()]
    return len(lines) > 1 and all(_defect(line) is None for line in lines)


def _without_comments(text: bytes) -> bytes:
    """Return the document without comments and trailing commas (JSONC, as editors and compilers read it)."""

    def keep_strings(match: re.Match[bytes]) -> bytes:
        return match.group() if match.group().startswith(b'"') else b" "

    bare = _pattern(rb'"(?:[^"\\\n]|\\.)*"|//[^\n]*|/\*.*?\*/').sub(keep_strings, text)
    return _pattern(rb'("(?:[^"\\\n]|\\.)*")|,(?=\s*[\]}])').sub(lambda match: match.group(1) or b"", bare)


@cache
def _pattern(source: bytes) -> re.Pattern[bytes]:
    return re.compile(source, re.DOTALL)
