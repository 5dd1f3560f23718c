"""Code that the values of a document carry: as it is, or encoded; data until somebody evaluates it.

A value counts only if it uses words with which code acts: documents are full of snippets and commands.
"""

import re
from collections.abc import Iterator
from functools import cache

from lazaretto.core.facts import Moment, Problem
from lazaretto.core.inner import Inner
from lazaretto.languages._guess import guess
from lazaretto.languages._lines import Lines
from lazaretto.languages._magic import magic_of

MAX_DOCUMENT = 64 * 1024 * 1024
"""Longest document whose values are looked at, in bytes."""

MAX_VALUES = 1000
"""Most values of one document that are read as code."""

_LONG = rb"\"(?=(?:[^\"\\]|\\.){60})([^\"\\]*+(?:\\.[^\"\\]*+)*+)(?:\"|\\?\Z)"
"""A text of at least 60 characters. One that never ends goes on to the end, so that no other begins inside it."""

_QUOTED = rb"\"sourcesContent\"\s*:\s*\["
_ENCODED = rb"(?:data:[\w/+.;=-]{0,80},)?(?:((?:[0-9a-fA-F]{2}){60,})|([A-Za-z0-9+/_-]{80,}={0,2}))\Z"
_ACTS = (
    rb"\beval\s*\(|\bnew\s+Function\b|\bchild_process\b|\bexecSync\b|\bspawn(?:Sync)?\s*\(|\bprocess\.env\b|\bfetch\s*\("
    rb"|\bXMLHttpRequest\b|\bsubprocess\b|\bos\.(?:system|popen|environ)\b|\bexec\s*\(|\b__import__\s*\(|\bsocket\s*\("
    rb"|\burlopen\s*\(|\bhttps?\.(?:get|request)\s*\("
)
_WORDS = (
    b"eval", b"Function", b"child_process", b"execSync", b"spawn", b"process.env", b"fetch", b"XMLHttpRequest",
    b"subprocess", b"os.", b"exec", b"__import__", b"socket", b"urlopen", b"http",
)  # fmt: skip
"""One of these stands in whatever ``_ACTS`` finds; to look for them costs next to nothing."""

_COMMAND = rb"\s*[\w./@:-]+\s+-{1,2}\w"
_RUNS = frozenset({"native", "bytecode"})


def carried(data: bytes, *, quoted: bool) -> Iterator[Inner | Problem]:
    """Yield the values of a document that are code, each once; ``quoted``: ``sourcesContent`` is left out."""
    if len(data) > MAX_DOCUMENT:
        yield Problem(
            1, f"a document of {len(data)} bytes is longer than {MAX_DOCUMENT}: its values were not read", unread=True
        )
        return
    places = None
    known: set[bytes] = set()
    skipped = _sources(data) if quoted else (0, 0)
    for match in _pattern(_LONG).finditer(data):
        if skipped[0] <= match.start() < skipped[1]:
            continue
        for text, dialect, step in _code(match[1]):
            if text in known:
                continue
            known.add(text)
            if len(known) > MAX_VALUES:
                yield Problem(1, f"more than {MAX_VALUES} values that are code: not all were read", unread=True)
                return
            places = places or Lines(data)
            place = (places.span(*match.span()),)
            yield Inner(text, dialect, "value", place, step, lenient=True, apart=True, moment=Moment.CALL)


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
        elif _acts(text) and (dialect := guess(text)):
            yield text, dialect, step
    elif _acts(value) and not _pattern(_COMMAND).match(value):
        text = _unescaped(value)
        if dialect := guess(text):
            yield text, dialect, "json"


def _acts(text: bytes) -> bool:
    return any(word in text for word in _WORDS) and _pattern(_ACTS).search(text) is not None


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
