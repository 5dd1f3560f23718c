"""The words of a piece of source: of its code, and of the texts by which code may look a thing up.

What a comment or a docstring says nobody can call. Python's own rules for where texts begin and end are few enough for
one pattern; whatever does not fit it is taken for code, which errs on the side of following.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache

from msgspec import Struct


class Wording(Struct, frozen=True):
    """The words of one piece of source."""

    code: bytes
    """What is left without comments and without the letters of texts; the holes of formatted texts are code."""
    words: frozenset[str]
    """Every word of the code."""
    spoken: frozenset[str]
    """Every word that is a text of its own where it may name a thing."""


_IDENTIFIER = bytes(byte if chr(byte).isalnum() or byte == ord("_") else ord(" ") for byte in range(128)) + b" " * 128

_BY_NAME = frozenset("getattr getattr_static __getattr__ __dict__ modules getitem itemgetter".split())
"""Words of code that finds things by a name; what else does is of interest by itself."""


def tokens(text: bytes) -> frozenset[str]:
    """Return every word of a piece of source, as Python would compare it."""
    if text.isascii():
        return frozenset(text.translate(_IDENTIFIER).decode().split())
    plain = unicodedata.normalize("NFKC", text.decode("utf-8", "replace"))
    return frozenset(re.findall(r"[^\W\d]\w*", plain))


def wording(source: bytes, *, whole: bool = False) -> Wording:
    """Return the words of a body of code; ``whole``: without telling texts from code."""
    code = source if whole else _code(source)
    words = tokens(code)
    if code is source:
        return Wording(code, words, frozenset())
    pattern = _arguments() if _BY_NAME.isdisjoint(words) else _names()
    return Wording(code, words, tokens(b" ".join(pattern.findall(source))))


def uses(code: bytes, name: str) -> list[tuple[str, str]] | None:
    """Return how a name is used: each chain of attributes behind it, and ``(`` if that is called, ``=`` if it is bound.

    ``os.path.join(a)`` gives ``.path.join`` and ``(`` for ``os``; an import binds. None if it cannot be told.
    """
    if len(name) > _LONGEST or not code.isascii():
        return None
    word = name.encode()
    found: dict[tuple[str, str], None] = {}
    for start, end in _places(code, word):
        match = _use().match(code, end)
        if match is None:
            continue
        chain, how = "".join(match.group(1)[:_LONGEST].decode().split()), match.group(2) or b""
        if how == b"as" and b"import" not in code[max(0, start - _LONGEST) : start].rpartition(b"\n")[2]:
            how = b""  # a clause of ``except`` or ``with``: the thing itself goes nowhere
        found[chain, "=" if how in _BINDING else how.decode()] = None
    return list(found)


_BINDING = (b"as", b"import")
_WORD = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")
_SHORT = 2
_LONGEST = 200


def _places(code: bytes, word: bytes) -> Iterator[tuple[int, int]]:
    """Yield where a word begins and ends; what ends in the middle of another is sorted out by the pattern behind."""
    if len(word) <= _SHORT:  # found in the middle of other words far too often
        for match in _short(word).finditer(code):
            yield match.span()
        return
    at = code.find(word)
    while at >= 0:
        end = at + len(word)
        if at == 0 or code[at - 1] not in _WORD:
            yield at, end
        at = code.find(word, end)


@lru_cache(maxsize=256)
def _short(word: bytes) -> re.Pattern[bytes]:
    return re.compile(rb"(?<!\w)%b(?!\w)" % re.escape(word))


@cache
def _use() -> re.Pattern[bytes]:
    return re.compile(rb"(?!\w)((?:\s*\.\s*[A-Za-z_]\w*+){0,8}+)\s*(\(|=(?!=)|(?:as|import)\b)?")


def _code(source: bytes) -> bytes:
    """Return source without texts and comments; all of it if they cannot be told apart with certainty."""
    parts = _texts().split(source)
    if len(parts) == 1 or any(odd is not None for odd in (*parts[2::5], *parts[4::5])):
        return source
    kept = [part if part[-1:] not in _PREFIX else _prefix().sub(b"", part) for part in parts[::5]]
    for rest in filter(None, (*parts[1::5], *parts[3::5])):
        inner = rest[2:-3] if len(rest) >= 5 and rest[:2] in (b'""', b"''") else rest[:-1]
        if b"{" in inner:
            if not _formatted().fullmatch(inner):
                return source
            kept += _holes().findall(inner)
    return b'"'.join(kept)


_PREFIX = (b"f", b"r", b"b", b"u", b"t", b"F", b"R", b"B", b"U", b"T")
_TRIPLE = rb"%b(?:[^%b\\]++|\\.|%b(?!%b))*+%b"
_SINGLE = rb"(?:[^%b\\\n]++|\\(?:\r\n|.))*+%b"


@cache
def _texts() -> re.Pattern[bytes]:
    """Comments and texts. For either quote two groups: a formatted text behind its first quote; a quote that is none.

    Behind a quote that begins no text nothing is told any more, or a line of them would be searched again and again.
    """
    kinds = [b"#[^\\n]*+"]
    for quote in (b'"', b"'"):
        rest = (
            b"(?:" + _TRIPLE % (quote * 2, quote, quote, quote * 2, quote * 3) + b"|" + _SINGLE % (quote, quote) + b")"
        )
        behind = b"(?:(?<=[fFtT]%b)|(?<=[fFtT][rR]%b))" % (quote, quote)
        kinds.append(b"%b(?:%b(%b)|%b|().*)" % (quote, behind, rest, rest))
    return re.compile(b"|".join(kinds), re.DOTALL)


@cache
def _prefix() -> re.Pattern[bytes]:
    return re.compile(rb"(?<![\w\x80-\xff])[A-Za-z]{1,2}\Z")


_PLAIN = rb"(?:[^{}\"'#\\]|'[^'\"{}\\\n]*+'|\"[^'\"{}\\\n]*+\")*+"
_HOLE = rb"%b(?:\{%b\}%b)*+" % (_PLAIN, _PLAIN, _PLAIN)


@cache
def _formatted() -> re.Pattern[bytes]:
    """A formatted text none of whose holes holds anything by which its end could be mistaken."""
    return re.compile(rb"(?:[^{}]++|\{\{|\}\}|\{%b\})*+" % _HOLE)


@cache
def _holes() -> re.Pattern[bytes]:
    return re.compile(rb"\{\{|\}\}|\{(%b)\}" % _HOLE)


@cache
def _arguments() -> re.Pattern[bytes]:
    """Texts of one (dotted) word that may be an index or an argument."""
    return re.compile(rb"[\[(,](?:\s++|#[^\n]{0,200}\n|\\\r?\n){0,8}+[A-Za-z]{0,2}[\"']{1,3}([\w.]++)(?=[\"'])")


@cache
def _names() -> re.Pattern[bytes]:
    """Texts of one (dotted) word, wherever they stand."""
    return re.compile(rb"[\"']([\w.]++)(?=[\"'])")
