"""The words of a piece of source: of its code, and of the texts by which code may look a thing up.

What a comment or a docstring says nobody can call. Python's own rules for where texts begin and end are few enough for
one pattern; whatever does not fit it is taken for code, which errs on the side of following.
"""

import re
import unicodedata
from functools import cache

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
    """Return how a name is used: each attribute chain behind it, with ``(`` if that is called, ``=`` if it is bound.

    ``os.path.join(a)`` gives ``.path.join`` and ``(`` for ``os``. None if it cannot be told.
    """
    word = name.encode()
    found: dict[tuple[str, str], None] = {}
    at = code.find(word)
    while at >= 0:
        end = at + len(word)
        if not _WORD.issuperset(code[at - 1 : at]) or not at:
            match = _chain().match(code, end)
            if match is not None:
                found["".join(match.group(1).decode().split()), (match.group(2) or b"").decode()] = None
        at = code.find(word, end)
    return list(found) if found or code.isascii() else None


_WORD = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")


def _code(source: bytes) -> bytes:
    """Return source without texts and comments; all of it if they cannot be told apart with certainty."""
    parts = _texts().split(source)
    if len(parts) == 1 or any(parts[2::3]):
        return source
    kept = parts[::3]
    for text in filter(None, parts[1::3]):
        width = 3 if len(text) >= 6 and text[:3] in (b'"""', b"'''") else 1
        inner = text[width:-width]
        if b"{" in inner:
            if not _formatted().fullmatch(inner):
                return source
            kept += _holes().findall(inner)
    return b" ".join(kept)


_TRIPLE = rb"%b(?:[^%b\\]++|\\.|%b(?!%b))*+%b"
_SINGLE = rb"%b(?:[^%b\\\n]++|\\(?:\r\n|.))*+%b"
_TEXT = b"|".join(
    [
        *(_TRIPLE % (quote * 3, quote, quote, quote * 2, quote * 3) for quote in (b'"', b"'")),
        *(_SINGLE % (quote, quote, quote) for quote in (b'"', b"'")),
    ]
)
_PLAIN = rb"(?:[^{}\"'#\\]|'[^'\"{}\\\n]*+'|\"[^'\"{}\\\n]*+\")*+"
_HOLE = rb"%b(?:\{%b\}%b)*+" % (_PLAIN, _PLAIN, _PLAIN)


@cache
def _texts() -> re.Pattern[bytes]:
    """Comments; formatted texts (1), which hold code; other texts; and a quote that begins or ends none of these (2)."""
    return re.compile(
        rb"#[^\n]*+|\b(?:[fFtT][rR]?|[rR][fFtT])(%b)|(?:\b[bBuUrR]{1,2})?+(?:%b)|([\"'])" % (_TEXT, _TEXT), re.DOTALL
    )


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
    return re.compile(rb"(?<=[\[(,])(?:\s|#[^\n]*\n|\\\r?\n)*+[A-Za-z]{0,2}[\"']{1,3}([\w.]++)(?=[\"'])")


@cache
def _names() -> re.Pattern[bytes]:
    """Texts of one (dotted) word, wherever they stand."""
    return re.compile(rb"[\"']([\w.]++)(?=[\"'])")


@cache
def _chain() -> re.Pattern[bytes]:
    return re.compile(rb"(?![\w\x80-\xff])((?:\s*\.\s*[A-Za-z_]\w*+)*+)\s*(\(|=(?!=)|(?:as|import)\b)?")
