"""A strict JSON reader that keeps the place of every key, and tells of duplicate ones.

npm reads a manifest with JavaScript's ``JSON.parse``: the last of two equal keys wins, silently. A
person who reviews it may have seen the first, so a duplicate is reported.
"""

import re
from functools import lru_cache
from typing import Any

from msgspec import Struct, field

from lazaretto.core.facts import Problem, Span

MAX_DEPTH = 200
"""Deepest nesting that is read."""


class Key(Struct, frozen=True):
    """A key of an object: its path from the root, its place, and the value."""

    path: tuple[str, ...]
    span: Span
    value: Any


class Document(Struct):
    """A document that was read: its value (None if broken), its keys outside of arrays in text order, what was odd."""

    value: Any = None
    keys: list[Key] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


class _Broken(Exception):
    """The text is not JSON here."""


@lru_cache(maxsize=1)
def _token() -> re.Pattern[bytes]:
    return re.compile(
        rb'[ \t\r\n]*(?:([\[\]{}:,])|("(?:[^"\\\x00-\x1f]|\\.)*")'
        rb"|(-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)(?![0-9A-Za-z.])"
        rb"|(true|false|null)(?![0-9A-Za-z]))"
    )


def read(data: bytes) -> Document:
    """Return the document. Never raises: what is wrong becomes a problem."""
    document = Document()
    start = 0
    if data.startswith(b"\xef\xbb\xbf"):
        start = 3
        document.problems.append(Problem(1, "the file starts with a byte order mark"))
    try:
        data[start:].decode("utf-8")
    except UnicodeDecodeError as error:
        document.problems.append(Problem(_line(data, start + error.start), "not UTF-8"))
        return document
    reader = _Reader(data, start, document)
    try:
        document.value = reader.whole()
    except _Broken as error:
        document.value = None
        document.problems.append(Problem(_line(data, reader.at), f"not JSON: {error}"))
    return document


def _line(data: bytes, at: int) -> int:
    return data.count(b"\n", 0, at) + 1


class _Reader:
    """One pass over the tokens, with the line kept up to date."""

    def __init__(self, data: bytes, at: int, document: Document) -> None:
        self.data = data
        self.at = at
        self.document = document
        self.match = _token().match
        self.line = 1
        self.counted = 0
        self.arrays = 0

    def whole(self) -> object:
        value = self.value((), 0)
        if self.data[self.at :].strip(b" \t\r\n"):
            raise _Broken("text after the end of the document")
        return value

    def next(self) -> re.Match[bytes]:
        match = self.match(self.data, self.at)
        if match is None:
            raise _Broken("unexpected character" if self.data[self.at :].strip() else "it ends too early")
        self.at = match.end()
        return match

    def value(self, path: tuple[str, ...], depth: int) -> object:
        match = self.next()
        if match[2] is not None:
            return self.text(match[2])
        scalar = match[3] or match[4]
        if scalar is not None:
            return self.scalar(scalar)
        if depth >= MAX_DEPTH:
            raise _Broken(f"nested deeper than {MAX_DEPTH}")
        if match[1] == b"{":
            return self.mapping(path, depth)
        if match[1] == b"[":
            return self.array(path, depth)
        raise _Broken("a value is missing")

    def mapping(self, path: tuple[str, ...], depth: int) -> dict[str, object]:
        found: dict[str, object] = {}
        match = self.next()
        if match[1] == b"}":
            return found
        while True:
            if match[2] is None:
                raise _Broken("a key must be a string")
            key, span = self.text(match[2]), self.span(match)
            if self.next()[1] != b":":
                raise _Broken("a colon is missing after a key")
            place = (*path, key)
            slot = len(self.document.keys)
            if not self.arrays:  # an array is one value: what stands inside has no place of its own
                self.document.keys.append(Key(place, span, None))
            value = self.value(place, depth + 1)
            if not self.arrays:
                self.document.keys[slot] = Key(place, span, value)
            if key in found and found[key] != value:
                self.document.problems.append(Problem(span.line, f"the key {'.'.join(place)[:200]!r} stands twice"))
            found[key] = value
            match = self.next()
            if match[1] == b"}":
                return found
            if match[1] != b",":
                raise _Broken("a comma is missing between two keys")
            match = self.next()

    def array(self, path: tuple[str, ...], depth: int) -> list[object]:
        found: list[object] = []
        before = self.at
        if self.next()[1] == b"]":
            return found
        self.at = before
        self.arrays += 1
        while True:
            found.append(self.value((*path, str(len(found))), depth + 1))
            sign = self.next()[1]
            if sign == b"]":
                self.arrays -= 1
                return found
            if sign != b",":
                raise _Broken("a comma is missing between two values")

    def text(self, raw: bytes) -> str:
        if b"\\" not in raw:
            return raw[1:-1].decode("utf-8")
        from json import JSONDecodeError, loads

        try:
            text = str(loads(raw))
        except JSONDecodeError as error:
            raise _Broken(error.msg) from None
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")  # no lone surrogates

    def scalar(self, raw: bytes) -> object:
        if raw in (b"true", b"false", b"null"):
            return {b"true": True, b"false": False, b"null": None}[raw]
        if len(raw) > 400:
            raise _Broken("a number of more than 400 digits")
        return float(raw) if raw.strip(b"-0123456789") else int(raw)

    def span(self, match: re.Match[bytes]) -> Span:
        start, end = match.span(2)
        self.line += self.data.count(b"\n", self.counted, start)
        self.counted = start
        return Span(self.line, start - (self.data.rfind(b"\n", 0, start) + 1), start, end)
