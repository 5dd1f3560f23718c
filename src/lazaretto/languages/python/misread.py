"""Which places that the grammar does not know may hide something, and which are only newer syntax.

Interpreters learn syntax faster than grammars do. What stands beside such a place is parsed and followed all the
same, so it is a problem only if it could be more than it seems: tokens that were skipped and could be a call or an
import, or words of interest that the parser took for the inside of a text or a comment because it lost count.
"""

import re
from functools import cache
from typing import TYPE_CHECKING

from lazaretto.languages.python import interest
from lazaretto.languages.python.lexical import Texts
from lazaretto.languages.python.syntax import MAX_ERRORS, errors

if TYPE_CHECKING:
    from tree_sitter import Node as TreeNode

_TELLING = frozenset(("@", "import", "from", "exec", "print"))
"""Tokens that, skipped, may have been the start of something that runs."""

_NAMED = frozenset(("def", "class"))

MAX_SKIPPED = 400
"""Bytes of tokens that may be skipped in all; of a text that is no Python more are."""

_TEXTS = frozenset(("string", "string_content", "string_start", "string_end", "escape_sequence", "comment"))


def unexplained(root: "TreeNode", data: bytes) -> list[tuple[int, str]]:
    """Return the places (byte offset, reason) that were not understood and may hide something."""
    found = errors(root)
    skipped = [_skipped(node) for node in found]
    size = sum(token.end_byte - token.start_byte for tokens in skipped for token in tokens)
    told = len(found) < MAX_ERRORS and size <= MAX_SKIPPED and not any(map(_may_run, skipped))
    if told and not _swallowed(root, data):
        return []
    return [(node.start_byte, _reason(node)) for node in found]


def _reason(node: "TreeNode") -> str:
    return f"syntax error: missing {node.type}" if node.is_missing else "syntax error"


def _skipped(node: "TreeNode") -> "list[TreeNode]":
    """Return the tokens that belong to nothing; what stands between them was parsed, and what is missing is nothing."""
    return [] if node.is_missing else [child for child in node.children if not child.child_count]


def _may_run(tokens: "list[TreeNode]") -> bool:
    """Whether skipped tokens could do something."""
    kinds = [token.type for token in tokens]
    for number, (token, kind) in enumerate(zip(tokens, kinds, strict=True)):
        if kind in _TELLING or (kind == "identifier" and _text(token) in interest.words()):
            return True
        if kind == "(" and _NAMED.isdisjoint(
            (*kinds[max(0, number - 2) : number], *map(_text, tokens[max(0, number - 2) : number]))
        ):
            return True
    return False


def _text(node: "TreeNode") -> str:
    return (node.text or b"").decode("utf-8", "replace")


def _swallowed(root: "TreeNode", data: bytes) -> bool:
    """Whether words of interest, used as code would use them, stand inside what was wrongly taken for a text."""
    texts: Texts | None = None
    for match in _uses().finditer(data):
        node = root.descendant_for_byte_range(match.start(), match.start())
        if node is not None and node.type in _TEXTS:
            texts = texts or Texts(data)
            if not texts.hold(match.start()):
                return True
    return False


@cache
def _uses() -> "re.Pattern[bytes]":
    words = b"|".join(sorted(re.escape(word.encode()) for word in interest.words()))
    return re.compile(rb"\b(?:(?:" + words + rb")(?:\.\w+){0,4}\s{0,4}\(|(?:import|from)\s{1,4}(?:" + words + rb")\b)")
