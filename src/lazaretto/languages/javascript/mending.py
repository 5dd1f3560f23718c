"""What the languages allow and the grammars do not, put otherwise before it is parsed again.

Each mend is as long as what it stands for and means the same to a reader: a name by another letter, blanks for a word
that only a type checker obeys, a semicolon for the end of line that stands for one. Places stay those of the file as
published, and names and strings are read there: only the tree is that of the mended text. A mend is kept where fewer
places are left that are not understood, and what is left stays a problem.
"""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Parser, Tree

MAX_SINGLE = 512 * 1024
"""Longest text to which mends are applied one by one, each with a parse of its own."""

_Replacement = bytes | Callable[[re.Match[bytes]], bytes]

_RESERVED = (
    rb"break|case|catch|class|const|continue|debugger|delete|do|else|enum|export|extends|false|finally|for|function|if"
    rb"|import|in|instanceof|new|null|return|super|switch|this|throw|true|try|typeof|var|void|while|with|yield"
)
"""Words that no variable may be called (12.7.2)."""
_TYPES = rb"any|bigint|boolean|never|number|object|string|symbol|undefined|unknown"
_TARGET = rb"[\w$]+(?:\.[\w$#]+|\[[\w$'\"]+\])*"
_COMMENTS = rb"(?:\s|//[^\n]{0,300}+\n|/\*(?:[^*]|\*(?!/)){0,20000}+\*/)*+"
_SIGNATURE = (
    rb"(?:<(?:[^();]|\((?:[^()]|\([^()]*\))*\)){0,600}>)?"
    rb"\(%s(?:(?:\.\.\.)?[\w$]+\??\s*:|\{[^{}]*\}\s*:|\)\s*:)" % _COMMENTS
)
"""How the signature of a call begins: no call does, for what it is given has no types."""
_LINE_COMMENTS = (b"//", b"<!--", b"-->", b"#!")


def _ended(found: re.Match[bytes]) -> bytes:
    """Return a semicolon for the end of a line; never where that may end a comment, which would go on behind it."""
    line = found.string[found.string.rfind(b"\n", 0, found.end() - 1) + 1 : found.end()]
    return found[0] if any(mark in line for mark in _LINE_COMMENTS) else found[0][:-1] + b";"


def _other_word(found: re.Match[bytes]) -> bytes:
    """Return a word as one of the same length that is not reserved."""
    word = found[1]
    return found[0].replace(word, word[:-1] + word[-1:].swapcase(), 1)


def _other_words(found: re.Match[bytes]) -> bytes:
    return found[1] + re.sub(rb"\b(%s)\b(?=\s*[,}]|\s+as\b)" % _RESERVED, _other_word, found[2])


def _without(found: re.Match[bytes]) -> bytes:
    """Return what was found with blanks for its first group, that may go over several lines."""
    return found[0].replace(found[1], re.sub(rb"[^\n]", b" ", found[1]), 1)


def _declared(found: re.Match[bytes]) -> bytes:
    return b"const".ljust(len(found[0]))


def _name(found: re.Match[bytes]) -> bytes:
    return b"_" * len(found[0])


_VARIANT = rb"\b(in\s+out|in|out)(?=\s+(?!(?:as|satisfies|of|in|instanceof)\b)[A-Za-z_$])"
_TEXT = rb"(?:'[^'\n]*'|\"[^\"\n]*\")"
_FROM = rb"\bfrom\s*" + _TEXT
_KEY = rb"(?:[\w$]+|%s)" % _TEXT

MENDS: tuple[tuple[re.Pattern[bytes], _Replacement], ...] = (
    # A line ends a statement where the next word could not go on with it (12.10.1): a bracket behind a name that is
    # declared, or behind a private name that stands alone; a list that is spread; a word that begins like an operator;
    # in types, the signature of another call.
    (re.compile(rb"\blet[ \t]+[A-Za-z_$][\w$]*\n(?=[ \t]*\[)"), _ended),
    (re.compile(rb"[\n{;][ \t]*(?:static[ \t]+)?#[\w$]+[ \t]*\n(?=\s*\[)"), _ended),
    (re.compile(rb"(?<=[\w$)\]}])\n(?=\s*\[\s*\.\.\.)"), _ended),
    (re.compile(rb"(?<=[\w$)\]}>'\"`])(?<!=>)\n(?=[ \t]*in(?:stanceof[\w$]|(?!stanceof\b)[\w$]))"), _ended),
    (re.compile(rb"(?<=[\w$)\]}>'\"])(?<!=>)(?<!extends)\n(?=%s%s)" % (_COMMENTS, _SIGNATURE)), _ended),
    (re.compile(rb"(?<=[\w$)\]}>'\"])(?<!=>)[ \t](?=//[^\n]*\n\s*%s)" % _SIGNATURE), b";"),
    # Any word may be an exported or imported name (16.2.2, 16.2.3), and the label of a member of a tuple.
    (re.compile(rb"\b((?:im|ex)port\b[^{}();'\"=]*\{)([^{}();=]*\})"), _other_words),
    (re.compile(rb"\bas[ \t]+(%s)(?=\s*[,}])" % _RESERVED), _other_word),
    (re.compile(rb"(?<=[\[,])\s*(%s|%s)(?=\s*\??:)" % (_RESERVED, _TYPES)), _other_word),
    # A string may hold any byte (12.9.4); the parser takes this one for the end of the file.
    (re.compile(rb"\x00"), b"\x01"),
    # What is assigned to may stand in parentheses (13.15.1).
    (re.compile(rb"([:,\[]\s*|\.\.\.)\((%s%s\s*)\)(?=\s*(?:[,}\]]|=[^=>]))" % (_COMMENTS, _TARGET)), rb"\1 \2 "),
    # Declarations that are disposed of declare as others do; what is deferred, or of a type, is imported all the same.
    (re.compile(rb"\b(?:await[ \t]+)?using(?=[ \t]+[\w$]+\s*(?:=[^=>]|of\b))"), _declared),
    (re.compile(rb"\bimport[ \t]+(defer|source)(?=[ \t]+(?!from\s*['\"])[\w$*{])"), _without),
    (
        re.compile(_FROM + rb"(\s*(?:assert|with)\s*\{\s*(?:%s\s*:\s*%s\s*(?:,\s*|(?=\}))){0,20}+\})" % (_KEY, _TEXT)),
        _without,
    ),
    # What a type checker alone obeys: variance, accessors, types that are passed on; and a type that is called type.
    (re.compile(rb"(?<=[<,])%s%s" % (_COMMENTS, _VARIANT)), _without),
    (re.compile(rb"\](\+)(?=\?\s*:)"), _without),
    (re.compile(rb"((?<!\\)(?:\\\\)*)\\`"), rb"\1__"),
    (re.compile(rb"\b(accessor)(?=[ \t]+[\w$#\[])"), _without),
    (re.compile(rb"\bexport\s+(type)(?=\s*\*)"), _without),
    (re.compile(rb"\b(type)\b(?!\s+(?!(?:extends|in|is|as)\b)[A-Za-z_$]|\s*[{*])"), _other_word),
    (re.compile(rb"\bimport\(\s*(?:'[^'\n]*'|\"[^\"\n]*\")\s*\)(?=(?:\.[\w$]+)*(?:<[\w\s,.]*>)?\[\])"), _name),
)
"""Each by itself: a pattern, and what is put in its place."""


def mended(engine: "Parser", data: bytes, tree: "Tree") -> "Tree":
    """Return the tree that is understood best: of the text as it is, with everything mended, or with what helps."""
    whole = data
    for pattern, replacement in MENDS:
        whole = pattern.sub(replacement, whole)
    if whole == data:
        return tree
    best, least = tree, _not_understood(tree)
    again = engine.parse(whole)
    if again.root_node.has_error and len(data) <= MAX_SINGLE:
        for pattern, replacement in MENDS:
            one = pattern.sub(replacement, data)
            if one != data and least:
                tried = engine.parse(one)
                left = _not_understood(tried)
                if left < least:
                    best, least, data = tried, left, one
    return again if _not_understood(again) < least else best


def _not_understood(tree: "Tree") -> int:
    """Return how many bytes stand in what the grammar did not understand."""
    count = 0
    pending = [tree.root_node] if tree.root_node.has_error else []
    while pending:
        node = pending.pop()
        if node.is_error or node.is_missing:
            count += node.end_byte - node.start_byte + 1
        else:
            pending.extend(child for child in node.children if child.has_error or child.is_missing)
    return count
