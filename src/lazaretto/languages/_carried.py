"""Code that the values of a document carry: as it is, or encoded; data until somebody evaluates it.

A value counts only if it uses words with which code acts: documents are full of snippets and commands.
"""

import re
from collections.abc import Iterator
from functools import cache

from lazaretto.core.facts import Moment
from lazaretto.core.inner import Inner
from lazaretto.languages._guess import guess
from lazaretto.languages._lines import Lines
from lazaretto.languages._magic import magic_of

MAX_DOCUMENT = 8 * 1024 * 1024
"""Longest document whose values are looked at, in bytes."""

MAX_VALUES = 50
"""Most values of one document that are read as code."""

_LONG = rb"\"((?:[^\"\\]|\\.){60,})\""
_QUOTED = rb"\"sourcesContent\"\s*:\s*\["
_ENCODED = rb"(?:data:[\w/+.;=-]{0,80},)?(?:((?:[0-9a-fA-F]{2}){60,})|([A-Za-z0-9+/_-]{80,}={0,2}))\Z"
_ACTS = (
    rb"\beval\s*\(|\bnew\s+Function\b|\bchild_process\b|\bexecSync\b|\bspawn(?:Sync)?\s*\(|\bprocess\.env\b|\bfetch\s*\("
    rb"|\bXMLHttpRequest\b|\bsubprocess\b|\bos\.(?:system|popen|environ)\b|\bexec\s*\(|\b__import__\s*\(|\bsocket\s*\("
    rb"|\burlopen\s*\(|\bhttps?\.(?:get|request)\s*\("
)
_COMMAND = rb"\s*[\w./@:-]+\s+-{1,2}\w"
_RUNS = frozenset({"native", "bytecode"})


def carried(data: bytes, *, quoted: bool) -> Iterator[Inner]:
    """Yield the values of a document that are code; ``quoted``: what ``sourcesContent`` lists is left out."""
    if len(data) > MAX_DOCUMENT:
        return
    places = None
    count = 0
    skipped = _sources(data) if quoted else (0, 0)
    for match in _pattern(_LONG).finditer(data):
        if skipped[0] <= match.start() < skipped[1]:
            continue
        for text, dialect, step in _code(match[1]):
            places = places or Lines(data)
            place = (places.span(*match.span()),)
            yield Inner(text, dialect, "value", place, step, lenient=True, apart=True, moment=Moment.CALL)
            count += 1
        if count >= MAX_VALUES:
            return


def _sources(data: bytes) -> tuple[int, int]:
    """Return where the sources stand that a map quotes."""
    start = _pattern(_QUOTED).search(data)
    if start is None:
        return (0, 0)
    end = start.end()
    while match := _pattern(rb"\s*(?:null|\"(?:[^\"\\]|\\.)*\")\s*,?").match(data, end):
        end = match.end()
    return start.end(), end


def _code(value: bytes) -> Iterator[tuple[bytes, str, str]]:
    """Yield the code that one value is: (text, dialect, step)."""
    encoded = _pattern(_ENCODED).match(value.replace(b"\\/", b"/"))
    if encoded is not None:
        text, step = _decoded(encoded[2], encoded[1])
        magic = magic_of(text)
        if magic is not None and magic.family in _RUNS:
            yield text, "", step
        elif (dialect := guess(text)) and _pattern(_ACTS).search(text):
            yield text, dialect, step
    elif _pattern(_ACTS).search(value) and not _pattern(_COMMAND).match(value):
        text = _unescaped(value)
        if dialect := guess(text):
            yield text, dialect, "json"


def _decoded(base64: bytes | None, hexadecimal: bytes | None) -> tuple[bytes, str]:
    from binascii import Error, a2b_base64, unhexlify

    if hexadecimal is not None:
        return unhexlify(hexadecimal), "json>hex"
    try:
        return a2b_base64((base64 or b"").translate(_STANDARD).rstrip(b"=") + b"=="), "json>base64"
    except Error:
        return b"", "json>base64"


def _unescaped(value: bytes) -> bytes:
    import msgspec

    try:
        return msgspec.json.decode(b'"' + value + b'"', type=str).encode("utf-8", "replace")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return value


_STANDARD = bytes.maketrans(b"-_", b"+/")


@cache
def _pattern(source: bytes) -> re.Pattern[bytes]:
    return re.compile(source, re.DOTALL)
