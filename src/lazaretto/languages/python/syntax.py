"""Bytes to a syntax tree: encodings (PEP 263), line ends, and the parser, loaded on first use."""

import re
from bisect import bisect_right
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from lazaretto.core.facts import Problem, Span
from lazaretto.languages.python.lexical import without_many_comments

if TYPE_CHECKING:
    from tree_sitter import Node as TreeNode
    from tree_sitter import Parser

MAX_ERRORS = 20
"""Most syntax errors reported for one piece of code."""

_COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_PLAIN = frozenset(
    ("utf-8", "utf8", "utf-8-sig", "ascii", "us-ascii", "utf-8-unix", "utf-8-dos", "utf-8-mac", "utf8-unix")
)
ODD_ENCODINGS = frozenset(("utf-7", "unicode-escape", "raw-unicode-escape", "punycode", "idna", "uu", "hz"))
"""Source encodings in which the text that a person sees is not the text that runs."""


class Source:
    """One file as published, and the text that is parsed. Both differ only for a foreign encoding.

    ``data`` is UTF-8 whose lines end in a line feed; ``encoding`` is the declared one if it is not UTF-8.
    """

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.problems: list[Problem] = []
        self.encoding = ""
        data = raw
        if data.startswith(b"\xef\xbb\xbf"):
            data = b"   " + data[3:] if len(data) > 3 else b""
            data = self._without_mark(data)
        data = self._recode(data)
        self._published = data
        if b"\r" in data:
            data = re.sub(rb"\r(?!\n)", b"\n", data)
        self.data = data

    @staticmethod
    def _without_mark(data: bytes) -> bytes:
        # A byte order mark takes no column; blanks at the start of a file would be an indentation.
        return b"\f\f\f" + data[3:]

    def _recode(self, data: bytes) -> bytes:
        head = data[:400].split(b"\n", 2)[:2]
        for line in head:
            match = _COOKIE.match(line.lstrip(b"\f"))
            if match:
                name = match.group(1).decode("ascii", "replace").lower().replace("_", "-")
                return data if name in _PLAIN else self._decode(data, name)
            if line.strip() and not line.strip().startswith(b"#"):
                break
        return data

    def _decode(self, data: bytes, name: str) -> bytes:
        self.encoding = name
        if name in ODD_ENCODINGS:
            self.problems.append(Problem(1, f"source encoding {name[:40]} hides what runs"))
        elif data.isascii():
            return data
        try:
            return data.decode(name).encode("utf-8", "replace")
        except (LookupError, ValueError):
            self.problems.append(Problem(1, f"source encoding {name[:40]} cannot be decoded"))
            return data

    @cached_property
    def _starts(self) -> list[int]:
        starts = [0]
        # Lines are those that a person counts: a lone carriage return ends one for Python alone.
        starts.extend(match.end() for match in re.finditer(b"\n", self._published))
        return starts

    def line(self, offset: int) -> int:
        """Return the 1-based line of a byte offset in ``data``."""
        return bisect_right(self._starts, offset)

    def span(self, start: int, end: int) -> Span:
        """Return the place of ``data[start:end]`` in the file as published."""
        line = self.line(start)
        column = start - self._starts[line - 1]
        return Span(line, column, start, end)


@lru_cache(maxsize=1)
def _parser() -> "Parser":
    # Loading the grammar takes about 20 ms: only when a file has to be read.
    import tree_sitter_python
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_python.language()))


def parse(data: bytes) -> "TreeNode":
    """Return the root of the syntax tree of UTF-8 source."""
    return _parser().parse(without_many_comments(data)).root_node


def errors(root: "TreeNode") -> "list[TreeNode]":
    """Return the nodes that the grammar does not understand, at most ``MAX_ERRORS``."""
    if not root.has_error:
        return []
    found: list[TreeNode] = []
    stack = [root]
    while stack and len(found) < MAX_ERRORS:
        node = stack.pop()
        if node.is_missing or node.type == "ERROR":
            found.append(node)
        else:
            stack.extend(child for child in reversed(node.children) if child.has_error)
    return found or [root]
