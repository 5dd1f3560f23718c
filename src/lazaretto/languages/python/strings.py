"""What a string or number token means (language reference, "Lexical analysis"); total and bounded."""

import re
from functools import cache

from lazaretto.languages.python.ir import Node

_SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", '"': '"', "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_SIMPLE["\n"] = ""

MAX_INT_DIGITS = 4000
"""Longer integers are not read: their conversion is quadratic."""


@cache
def _escapes() -> re.Pattern[str]:
    return re.compile(
        r"\\(?:(x[0-9a-fA-F]{2})|(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})|([0-7]{1,3})|N\{([^}]{1,80})\}|(\r?\n|.))", re.DOTALL
    )


def _unescaped(text: str, *, is_bytes: bool) -> str:
    if "\\" not in text:
        return text

    def replace(match: re.Match[str]) -> str:
        two, wide, octal, name, single = match.groups()
        if two:
            return chr(int(two[1:], 16))
        if octal:
            return chr(int(octal, 8) & (0xFF if is_bytes else 0x1FF))
        if is_bytes and (wide or name):
            return match.group()
        if wide:
            code = int(wide[1:], 16)
            return chr(code) if code < 0x110000 else match.group()
        if name:
            import unicodedata

            try:
                return unicodedata.lookup(name)
            except KeyError:
                return match.group()
        if single in ("\r\n", "\n"):
            return ""
        return _SIMPLE.get(single, match.group())

    return _escapes().sub(replace, text)


def prefix_of(token: bytes) -> str:
    """Return the lower-case prefix of a string token (``rb`` of ``rb'...'``)."""
    size = 0
    while size < 3 and size < len(token) and token[size : size + 1] not in (b"'", b'"'):
        size += 1
    return token[:size].decode("ascii", "replace").lower()


def string(token: bytes) -> str | bytes:
    """Return the value of a whole string token; f-strings without holes are plain strings."""
    first = token[:1]
    if first in (b"'", b'"'):
        prefix = ""
    else:
        prefix = prefix_of(token)
        token = token[len(prefix) :]
    width = 3 if len(token) >= 6 and token[:3] in (b"'''", b'"""') else 1
    return body(token[width : len(token) - width], prefix)


def body(raw: bytes, prefix: str) -> str | bytes:
    """Return the value of the text between the quotes of a token with this prefix."""
    if b"\r\n" in raw:
        raw = raw.replace(b"\r\n", b"\n")
    if "b" in prefix:
        if "r" in prefix or b"\\" not in raw:
            return raw
        return _unescaped(raw.decode("latin-1"), is_bytes=True).encode("latin-1", "replace")
    text = raw.decode("utf-8", "replace")
    if "f" in prefix:
        text = text.replace("{{", "{").replace("}}", "}")
    return text if "r" in prefix else _unescaped(text, is_bytes=False)


def number(token: bytes) -> int | float | None:
    """Return the value of a number token, or None if it is too long or not a real number."""
    text = token.decode("ascii", "replace").replace("_", "").lower().rstrip("l")
    if len(text) > MAX_INT_DIGITS:
        return None
    try:
        if text[:2] in ("0x", "0o", "0b"):
            return int(text, 0)
        if len(text) > 1 and text[0] == "0" and text.isdigit():
            return int(text, 8)
        return int(text) if text.isdigit() else float(text)
    except ValueError:
        return None


def shaped(value: Node, shapes: list[bytes], start: int, end: int) -> Node:
    """Return what stands in the hole of a formatted string: as it is, the letter of a number, or not to be known."""
    if all(shape in (b"!s", b":s", b":d", b":") for shape in shapes):
        return value
    if shapes == [b":c"]:  # what chr() gives
        return ["chain", start, end, ["name", start, end, "chr"], [["(", end, [value], []]]]
    return ["opaque", start, end, [value]]
