"""Python's literals with their places, as gyp files are written: texts, lists, dictionaries, and what is none of it.

A bounded reader of its own: what evaluates such a file (``eval``) is exactly what must not happen here.
"""

import re
from collections.abc import Iterator
from functools import cache

from msgspec import Struct

MAX_DEPTH = 60
"""Deepest nesting of a literal that is followed."""

_TOKEN = (
    r"[ \t\r\n\f\v]+|\\\r?\n|(?P<comment>#[^\n]*)"
    r"|(?P<text>(?i:[rbu]|br|rb)?(?:'''(?:[^\\]|\\.)*?'''|\"\"\"(?:[^\\]|\\.)*?\"\"\"|'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"))"
    r"|(?P<open>[\[{(])|(?P<close>[\]})])|(?P<sign>[,:])|(?P<number>[0-9][\w.]*)|(?P<name>\w+)|(?P<other>.)"
)
_ESCAPE = r"\\(?:(\r?\n)|([\\'\"abfnrtv])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{1,3}))"
_PLAIN = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_CONSTANTS = frozenset({"True", "False", "None"})
_CLOSING = {"[": "]", "{": "}", "(": ")"}


class Text(Struct, frozen=True):
    """A text, its parts joined, and where it stands."""

    value: str
    start: int
    end: int


class Other(Struct, frozen=True):
    """A number or a constant."""

    start: int


class Group(Struct, frozen=True):
    """A list, a tuple, or a dictionary as the row of its keys and values."""

    bracket: str
    items: tuple["Text | Other | Group", ...]
    start: int

    def pairs(self) -> Iterator[tuple[str, "Value"]]:
        """Yield the keys that are texts, with their values."""
        if self.bracket == "{":
            for key, value in zip(self.items[::2], self.items[1::2], strict=False):
                if isinstance(key, Text):
                    yield key.value, value


Value = Text | Other | Group


class Literal(Struct, frozen=True):
    """What a file says: its value, every text, what no literal holds (offset, token), and where reading ended."""

    value: Value | None
    texts: tuple[Text, ...]
    foreign: tuple[tuple[int, str], ...]
    defect: tuple[int, str] | None


def read_literal(source: str) -> Literal:
    """Return the literal that a file is. Never raises."""
    reader = _Reader()
    for match in _pattern(_TOKEN).finditer(source):
        if match.lastgroup not in (None, "comment"):
            reader.take(match.lastgroup or "", match[0], match.start())
            if reader.defect is not None:
                break
    return reader.finish()


class _Reader:
    """What has been read of a file, and which brackets are open."""

    def __init__(self) -> None:
        self._stack: list[tuple[str, int, list[Value]]] = [("", 0, [])]
        self._texts: list[Text] = []
        self._foreign: list[tuple[int, str]] = []
        self._before = ""
        self.defect: tuple[int, str] | None = None

    def take(self, kind: str, token: str, at: int) -> None:
        """Take one token."""
        if kind == "text":
            self._text(token, at)
        elif kind == "open":
            self._open(token, at)
        elif kind == "close":
            self._close(token, at)
        elif kind == "number" or token in _CONSTANTS:
            self._stack[-1][2].append(Other(at))
        elif kind != "sign":
            self._foreign.append((at, token))
        self._before = kind

    def finish(self) -> Literal:
        """Return everything."""
        if self.defect is None and len(self._stack) > 1:
            bracket, at, _ = self._stack[-1]
            self.defect = (at, f"{bracket!r} is never closed")
        outermost = self._stack[0][2]
        return Literal(outermost[0] if outermost else None, tuple(self._texts), tuple(self._foreign), self.defect)

    def _text(self, token: str, at: int) -> None:
        items = self._stack[-1][2]
        text = Text(_decoded(token), at, at + len(token))
        first = items[-1] if self._before == "text" else None
        if isinstance(first, Text):  # texts side by side are one (reference, 2.4.2)
            text = Text(first.value + text.value, first.start, text.end)
            items.pop()
            self._texts.pop()
        items.append(text)
        self._texts.append(text)

    def _open(self, token: str, at: int) -> None:
        if len(self._stack) > MAX_DEPTH:
            self.defect = (at, "nested too deeply to be read")
        if self._before not in ("", "open", "sign"):
            self._foreign.append((at, token))  # a call, or an index
        self._stack.append((token, at, []))

    def _close(self, token: str, at: int) -> None:
        bracket, start, items = self._stack[-1]
        if _CLOSING.get(bracket) != token:
            self.defect = (at, f"{token!r} closes nothing")
            return
        self._stack.pop()
        self._stack[-1][2].append(Group(bracket, tuple(items), start))


def _decoded(token: str) -> str:
    """Return what a text literal holds (Python reference, 2.4.1)."""
    prefix = token[: len(token) - len(token.lstrip("rRbBuU"))].lower()
    body = token[len(prefix) :]
    body = body[3:-3] if body[:3] in ("'''", '"""') and len(body) >= 6 else body[1:-1]
    return body if "r" in prefix else _pattern(_ESCAPE).sub(_escaped, body)


def _escaped(match: "re.Match[str]") -> str:
    if match[1]:
        return ""
    if match[2]:
        return _PLAIN.get(match[2], match[2])
    number = int(match[6], 8) if match[6] else int(match[3] or match[4] or match[5], 16)
    # The source is held as one character for each byte of its UTF-8: so is what an escape stands for.
    return chr(min(number, 0xFFFFF)).encode("utf-8", "replace").decode("latin-1")


@cache
def _pattern(source: str) -> re.Pattern[str]:
    return re.compile(source, re.DOTALL)
