"""Loops that nothing ends: the condition always holds, and no step of the body leaves."""

import re
from typing import Any

_LEAVES = frozenset(("brk", "ret", "thr", "await", "yield"))
_CONSTANTS = frozenset(("lit", "num", "str"))
_LOOPS = re.compile(
    rb"\bfor\s*+\([^;()]{0,200}+;\s*+(?:true|1|!0|[\w$]++\s*+(?:<|!==?)\s*+(?:Infinity|1\s*+/\s*+0))?+\s*+;"
    rb"|\bwhile\s*+\(\s*+(?:true|1|!0)\s*+\)"
)
MAX_PARTS = 1_000_000
"""Most parts of bodies that are looked at in one file. Loops stand within loops, and each is asked."""


class Endless:
    """Asks of the loops of one file whether anything ends them."""

    def __init__(self) -> None:
        self._left = MAX_PARTS

    @property
    def spent(self) -> bool:
        """Whether there was too much to look at."""
        return self._left <= 0

    def holds(self, test: list[Any] | None, body: list[Any]) -> bool:
        """Whether a loop with this condition (None: there is none) and this body can only be ended from outside."""
        return (test is None or _always(test)) and not self._ends(body)

    def _ends(self, body: list[Any]) -> bool:
        """Whether anything in the body may leave: a jump, a wait, or the end of the process."""
        pending: list[Any] = [body]
        while pending and self._left > 0:
            part = pending.pop()
            self._left -= 1
            word = part[0] if part else None
            if isinstance(word, str) and (word in _LEAVES or (word == "id" and part[-1] in ("process", "Deno"))):
                return True
            pending.extend(inner for inner in part if isinstance(inner, (list, tuple)))
        return bool(pending)


def loops(data: bytes) -> list[int]:
    """Return where loops begin whose condition seems to hold always; what they mean is decided by evaluation."""
    return [match.start() for match in _LOOPS.finditer(data)]


def _always(code: list[Any]) -> bool:
    if code[0] in _CONSTANTS:
        return bool(code[3])
    if code[0] == "un" and code[3] == "!" and code[4][0] in _CONSTANTS:
        return not code[4][3]
    if code[0] != "bin" or len(code[4]) != 2:
        return False
    left, right = map(_infinite, code[4])
    return (right and code[3] in ("<", "!=", "!==")) or (left and code[3] in (">", "!=", "!=="))


def _infinite(code: list[Any]) -> bool:
    """Whether an expression is infinite: by its name, or as minifiers write it (``1 / 0``)."""
    if code[0] == "id":
        return bool(code[3] == "Infinity")
    if code[0] != "bin" or code[3] != "/" or len(code[4]) != 2:
        return False
    above, below = code[4]
    return above[0] in _CONSTANTS and below[0] in _CONSTANTS and above[3] == 1 and below[3] == 0
