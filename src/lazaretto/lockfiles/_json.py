"""JSON with the line of every key and item: strict, bounded in depth and size, without recursion.

With ``comments`` also what bun writes and Deno accepts: comments, and a comma before a closing bracket. A key that
stands twice in one object is an error: readers differ in which they believe.
"""

import re
from typing import Any, cast

from lazaretto.core.pin import LockfileError
from lazaretto.lockfiles._located import Items, Table, bounded

MAX_DEPTH = 200
"""Deepest nesting of objects and arrays."""

_SPACE = re.compile(r"[ \t\r\n]*+")
_SPACE_OR_COMMENT = re.compile(r"(?:[ \t\r\n]++|//[^\n]*+|/\*(?:[^*]|\*(?!/))*+\*/)*+")
_WORD = re.compile(
    r"""[{}\[\],:]
    | "(?:[^"\\\x00-\x1f]|\\[^\x00-\x1f])*+"
    | -?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?(?![\w.])
    | (?:true|false|null)(?!\w)""",
    re.VERBOSE,
)
_CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
_VALUE, _VALUE_OR_END, _KEY, _KEY_OR_END, _COLON, _COMMA_OR_END, _END = range(7)
_WANTED = ("a value", "a value or ]", "a key", "a key or }", "a colon", "a comma or the end", "the end")


def read(text: str, *, comments: bool = False) -> Table:
    """Return the object that a text holds.

    Raises:
        LockfileError: it is not JSON, not an object, too deep or too long, or has a key twice.
    """
    value = _Reader(bounded(text), comments=comments).value()
    if not isinstance(value, Table):
        raise LockfileError(1, "not a JSON object")
    return value


class _Reader:
    """One pass over the words, with a stack of what is open."""

    def __init__(self, text: str, *, comments: bool) -> None:
        self._text = text
        self._space = _SPACE_OR_COMMENT if comments else _SPACE
        self._lenient = comments
        self._at = 0
        self._line = 1
        self._counted = 0
        self._stack: list[tuple[Table | Items, str, int]] = []
        self._result: Any = None

    def value(self) -> object:
        """Return the whole document."""
        wanted, key, line = _VALUE, "", 1
        while True:
            word = self._word(wanted)
            if word is None:
                return self._result
            if wanted == _COLON:
                self._must(word == ":", wanted)
                wanted = _VALUE
            elif wanted in {_KEY, _KEY_OR_END} and word != "}":
                self._must(word[0] == '"', wanted)
                key, line, wanted = self._string(word), self._line, _COLON
            elif word in {"}", "]"}:
                self._must(wanted in {_KEY_OR_END, _VALUE_OR_END, _COMMA_OR_END}, wanted)
                wanted = self._close(word)
            elif wanted == _COMMA_OR_END:
                self._must(word == ",", wanted)
                wanted = self._after_comma()
            else:
                self._must(word not in {":", ","}, wanted)
                wanted = self._begin(word, key, line)

    def _word(self, wanted: int) -> str | None:
        self._at = cast("re.Match[str]", self._space.match(self._text, self._at)).end()
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        if wanted == _END and self._at == len(self._text):
            return None
        match = _WORD.match(self._text, self._at)
        if match is None or wanted == _END:
            found = self._text[self._at : self._at + 20]
            raise LockfileError(self._line, f"not JSON: {_WANTED[wanted]} is expected, not {found!r}")
        self._at = match.end()
        return match.group()

    def _must(self, holds: bool, wanted: int) -> None:  # noqa: FBT001 - an assertion about the text
        if not holds:
            raise LockfileError(self._line, f"not JSON: {_WANTED[wanted]} is expected")

    def _after_comma(self) -> int:
        if isinstance(self._stack[-1][0], Table):
            return _KEY_OR_END if self._lenient else _KEY
        return _VALUE_OR_END if self._lenient else _VALUE

    def _begin(self, word: str, key: str, line: int) -> int:
        if word in {"{", "["}:
            if len(self._stack) >= MAX_DEPTH:
                raise LockfileError(self._line, f"nested deeper than {MAX_DEPTH}")
            opened = Table(self._line) if word == "{" else Items(self._line)
            self._stack.append((opened, key, line))
            return _KEY_OR_END if word == "{" else _VALUE_OR_END
        return self._put(self._scalar(word), key, line)

    def _close(self, word: str) -> int:
        container, key, line = self._stack.pop()
        self._must((word == "}") == isinstance(container, Table), _COMMA_OR_END)
        return self._put(container, key, line)

    def _put(self, value: object, key: str, line: int) -> int:
        if not self._stack:
            self._result = value
            return _END
        container = self._stack[-1][0]
        if isinstance(container, Table):
            container.put(key, value, line)
        else:
            container.add(value, value.line if isinstance(value, (Table, Items)) else self._line)
        return _COMMA_OR_END

    def _scalar(self, word: str) -> object:
        if word[0] == '"':
            return self._string(word)
        if word in _CONSTANTS:
            return _CONSTANTS[word]
        return int(word) if len(word) < 20 and word.lstrip("-").isdigit() else float(word)

    def _string(self, word: str) -> str:
        if "\\" not in word:
            return word[1:-1]
        import msgspec

        try:
            return msgspec.json.decode(word.encode(), type=str)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise LockfileError(self._line, f"not JSON: a text that cannot be read: {word[:40]!r}") from error
