"""Loops that nothing ends: the condition always holds, and no step of the body leaves."""

from typing import Any

_LEAVES = frozenset(("brk", "ret", "thr", "await", "yield"))
_CONSTANTS = frozenset(("lit", "num", "str"))
MAX_NODES = 4000
"""Most parts of a body that are looked at: a longer one is taken to end."""


def is_endless(test: list[Any] | None, body: list[Any]) -> bool:
    """Whether a loop with this condition (None: there is none) and this body can only be ended from outside."""
    return (test is None or _always(test)) and not _ends(body)


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


def _ends(body: list[Any]) -> bool:
    """Whether anything in the body may leave: a jump, a wait, or the end of the process."""
    pending: list[Any] = list(body)
    for _ in range(MAX_NODES):
        if not pending:
            return False
        part = pending.pop()
        if isinstance(part, (list, tuple)) and part:
            word = part[0]
            if isinstance(word, str) and (word in _LEAVES or (word == "id" and part[-1] in ("process", "Deno"))):
                return True
            pending.extend(part)
    return True
