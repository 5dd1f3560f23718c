"""Parsing with tree-sitter: dialects, limits, and what counts as a part that was not understood.

The parsers are loaded on first use: importing this package costs nothing that the caller does not need.
"""

import re
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from lazaretto.core.facts import Problem

if TYPE_CHECKING:
    from tree_sitter import Node, Parser, Query, Tree

MAX_BYTES = 20 * 1024 * 1024
MAX_TOKENS = 3_000_000
"""Largest number of tokens (estimated) that is parsed at once: a tree costs about 110 bytes a token."""
MAX_PROBLEMS = 20

_PUNCTUATION = b"()[]{}<>.,;:?=+-*/%!&|^~"
_PROBE = 256 * 1024
_NOISE = 60


@cache
def parser(dialect: str) -> "Parser":
    """Return the parser of a dialect. Raises KeyError if there is no such dialect."""
    from tree_sitter import Language, Parser

    if dialect == "javascript":
        import tree_sitter_javascript

        return Parser(Language(tree_sitter_javascript.language()))
    import tree_sitter_typescript

    makers: dict[str, Callable[[], object]] = {
        "typescript": tree_sitter_typescript.language_typescript,
        "declaration": tree_sitter_typescript.language_typescript,
        "tsx": tree_sitter_typescript.language_tsx,
    }
    return Parser(Language(makers[dialect]()))


def token_estimate(data: bytes) -> int:
    """Return roughly how many tokens a text has, without reading it token by token."""
    plain = data.translate(None, _PUNCTUATION)
    quotes = plain.count(b'"') + plain.count(b"'") + plain.count(b"`")
    return len(data) - len(plain) + len(plain.split()) + 2 * quotes


def parse(dialect: str, data: bytes) -> "tuple[Tree | None, int]":
    """Parse; return the tree and how many bytes it covers (0 and None if there are too many tokens).

    Error recovery is slow (three seconds a megabyte on noise), and a parse cannot be interrupted safely:
    a long text is tried on growing prefixes first, and where one of them is full of errors that is where
    reading stops.
    """
    engine = parser(dialect)
    if len(data) > _PROBE:
        if token_estimate(data) > MAX_TOKENS:
            return None, 0
        size = _PROBE
        while size * 2 < len(data):
            start = _beginning(data, size)
            tree = engine.parse(start)
            if error_count(tree, _NOISE) >= _NOISE:
                tree = _mended(engine, start, tree)
                if error_count(tree, _NOISE) >= _NOISE:
                    return tree, size
            del tree  # two at once are too much memory for the longest files
            size *= 4
    tree = engine.parse(data)
    mend = tree.root_node.has_error and dialect != "declaration"  # nothing runs that: no error in it counts
    return _mended(engine, data, tree) if mend else tree, len(data)


def _beginning(data: bytes, size: int) -> bytes:
    """Return so many bytes of a text. A template that is open at their end is closed, lest its words are read as code.

    Whether one is open is guessed: a guess that is wrong costs an error at the end, and no more.
    """
    start = data[:size]
    ticks = start.count(b"`") - start.count(b"\\`")
    return start + b"`" if ticks % 2 else start


def _mended(engine: "Parser", data: bytes, tree: "Tree") -> "Tree":
    from lazaretto.languages.javascript.mending import mended

    return mended(engine, data, tree)


STATEMENT = ((b"", b""),)
FUNCTION = ((b"(", b")"), (b"(class{", b"})"))
"""What a part is put into: what a method is depends on what it stands in."""


def parse_part(
    dialect: str, data: bytes, start: int, end: int, surroundings: tuple[tuple[bytes, bytes], ...]
) -> "Tree | None":
    """Parse what stands in this range and nothing else, where it lies; None if it is not understood alone."""
    from tree_sitter import Parser, Point, Range

    nowhere = Point(0, 0)
    for before, after in surroundings:
        first = start - len(before)
        if first < 0:
            continue
        text = data[:first] + before + data[start:end] + after
        engine = Parser(parser(dialect).language, included_ranges=[Range(nowhere, nowhere, first, len(text))])
        tree = engine.parse(text)
        if not tree.root_node.has_error:
            return tree
    return None


@cache
def _function_query(dialect: str) -> "Query":
    from tree_sitter import Query

    language = parser(dialect).language
    assert language is not None
    return Query(
        language,
        "[(function_declaration) (arrow_function) (function_expression) (method_definition)"
        " (generator_function) (generator_function_declaration)] @f",
    )


def function_ranges(dialect: str, tree: "Tree") -> list[tuple[int, int]]:
    """Return the byte range of every function of a tree."""
    from tree_sitter import QueryCursor

    found = QueryCursor(_function_query(dialect)).captures(tree.root_node).get("f", [])
    return [(node.start_byte, node.end_byte) for node in found]


def error_count(tree: "Tree", most: int) -> int:
    """Count the places that the grammar did not understand, up to ``most``."""
    count = 0
    pending = [tree.root_node] if tree.root_node.has_error else []
    while pending and count < most:
        node = pending.pop()
        count += node.is_error or node.is_missing
        pending.extend(child for child in node.children if child.has_error or child.is_missing)
    return count


def problems(tree: "Tree", data: bytes, first_line: int = 1) -> tuple[Problem, ...]:
    """Return every place that the grammar did not understand, outermost first, at most ``MAX_PROBLEMS``."""
    if not tree.root_node.has_error:
        return ()
    found: list[Problem] = []
    pending: list[tuple[Node, str]] = [(tree.root_node, "")]
    while pending and len(found) < MAX_PROBLEMS:
        node, around = pending.pop()
        if node.is_error or node.is_missing:
            if not _is_grammar_gap(node, around, data):
                what = f"missing {node.type}" if node.is_missing else f"syntax error near {_excerpt(node, data)}"
                found.append(Problem(data.count(b"\n", 0, node.start_byte) + first_line, what))
            continue
        inside = node.type
        pending += [(child, inside) for child in reversed(node.children) if child.has_error or child.is_missing]
    return tuple(sorted(found, key=lambda problem: problem.line))


_GAPS = (
    re.compile(rb"\s*[\w$]*\??:?\s*\{?\s*-?(?:readonly\s*)?\[\s*[\w$]+\s+in\s+keyof\s"),
    re.compile(rb"\s*(?:import|export)\s*[\w$]*\s*=\s*[\w$.]+(?:\(\s*['\"][^'\"]*['\"]\s*\))?\s*;?\s*$"),
)


def _is_grammar_gap(node: "Node", around: str, data: bytes) -> bool:
    """Whether the error is a construct that Node or TypeScript accepts and the grammar does not know.

    The whole line must have the shape of such a construct; its words are read all the same, because
    the seeds of facts are found in the text and not in the tree. ``around`` is the type of the node around it: the
    parser is not asked for that, since it may not survive it in a tree that is full of errors.
    """
    if around == "template_string":
        # A tagged template may hold escapes that are none (ECMA-262 12.9.6); untagged ones do not run at all.
        return node.end_byte - node.start_byte <= 8 and data[node.start_byte : node.start_byte + 1] == b"\\"
    start = data.rfind(b"\n", 0, node.start_byte) + 1
    end = data.find(b"\n", node.end_byte)
    line = data[start : len(data) if end < 0 else end]
    return len(line) <= 200 and any(gap.match(line) for gap in _GAPS)


def _excerpt(node: "Node", data: bytes) -> str:
    text = data[node.start_byte : min(node.end_byte, node.start_byte + 30)].decode("utf-8", "replace")
    return repr(text)
