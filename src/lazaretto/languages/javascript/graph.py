"""Which functions lead to a place of interest: a call graph by name and lexical scope, built on demand.

Reading everything that a program might call is too slow and reading only where seeds stand would miss who
calls them. So every reference to a function that contains a seed becomes a seed itself, and so on.
"""

import re
from array import array
from bisect import bisect_right
from collections import deque
from collections.abc import Iterable

from lazaretto.languages.javascript import seeds

MAX_REFERENCES = 300
MAX_NAMES = 400
MAX_HITS = 1500
MAX_ADDED = 6000
MAX_SCANS = 24
MIN_SCANNED = 16 * 1024 * 1024
_BOUND = re.compile(rb"([A-Za-z_$][\w$]*)[\"']?\]?\s*[:=]\s*\(?\s*(?:async\s*)?$")
_BINDS = (b":", b"=", b"(", b"c")
_DECLARED = re.compile(rb"(?:async\s+)?function\s*\*?\s*([A-Za-z_$][\w$]*)")
_METHOD = re.compile(rb"(?:(?:async|static|get|set|public|private|protected)\s+|\*\s*)*#?([A-Za-z_$][\w$]*)\s*[(<]")
_COMMON = frozenset(
    b"constructor get set then catch default render toString valueOf apply call bind next init value"
    b" exports module".split()
)


class Functions:
    """The functions of a text: where they start and end, and which one stands in which."""

    def __init__(self, ranges: Iterable[tuple[int, int]]) -> None:
        ordered = sorted(set(ranges), key=lambda item: (item[0], -item[1]))
        self.starts = array("q", (start for start, _end in ordered))
        self.ends = array("q", (end for _start, end in ordered))
        self.parents = array("q", bytes(8 * len(ordered)))
        stack: list[int] = []
        for number, (start, _end) in enumerate(ordered):
            while stack and self.ends[stack[-1]] <= start:
                stack.pop()
            self.parents[number] = stack[-1] if stack else -1
            stack.append(number)

    def innermost(self, position: int) -> int:
        """Return the number of the function that a position stands in, or -1."""
        number = bisect_right(self.starts, position) - 1
        while number >= 0 and self.ends[number] <= position:
            number = self.parents[number]
        return number


def alias_uses(data: bytes, functions: Functions, bound: list[tuple[bytes, int]]) -> list[int]:
    """Return where names that hold a module (or something taken out of one) are used, within their scopes."""
    uses: dict[int, None] = {}
    seen: set[tuple[bytes, int]] = set()
    pending = list(bound)
    while pending and len(seen) < MAX_NAMES:
        name, position = pending.pop()
        scope = functions.innermost(position)
        if (name, scope) in seen:
            continue
        seen.add((name, scope))
        low, high = (functions.starts[scope], functions.ends[scope]) if scope >= 0 else (0, len(data))
        at = data.find(name, low, high)
        while at >= 0 and len(uses) < MAX_ADDED:
            after = at + len(name)
            if _refers(data, at, after, method=False):
                if data[after : after + 1] in _USED or data[after : after + 2] == b"?.":
                    uses[at] = None
                if len(name) > 1 or scope >= 0:
                    pending.extend((other, at) for other in seeds.rebound(data, at))
            at = data.find(name, after, high)
    return sorted(uses)


_USED = (b".", b"(", b"[")


def closure(data: bytes, functions: Functions, strong: list[int]) -> list[int]:
    """Return the positions of all references that lead, call by call, to one of the ``strong`` positions.

    Nearest callers come first; in a large bundle the search ends when its share of work is done.
    """
    added: dict[int, None] = {}
    marked: set[int] = set()
    pending = deque(strong)
    work = 0
    while pending:
        number = functions.innermost(pending.popleft())
        while number >= 0 and number not in marked:
            marked.add(number)
            parent = functions.parents[number]
            work += functions.ends[parent] - functions.starts[parent] if parent >= 0 else len(data)
            if work > MAX_SCANS * len(data) + MIN_SCANNED:
                return sorted(added)
            for reference in _references(data, functions, number):
                if reference not in added:
                    if len(added) >= MAX_ADDED:
                        return sorted(added)
                    added[reference] = None
                    pending.append(reference)
            number = functions.parents[number]
    return sorted(added)


def _references(data: bytes, functions: Functions, number: int) -> list[int]:
    start, end = functions.starts[number], functions.ends[number]
    name, method = _name(data, start)
    if name is None or (method and name in _COMMON) or len(name) > 80:
        return []
    parent = functions.parents[number]
    low, high = (functions.starts[parent], functions.ends[parent]) if parent >= 0 else (0, len(data))
    found: list[int] = []
    hits = 0
    position = data.find(name, low, high)
    while position >= 0:
        hits += 1
        if hits > MAX_HITS or len(found) > MAX_REFERENCES:
            return []
        after = position + len(name)
        if _refers(data, position, after, method=method) and not start <= position < min(end, start + len(name) + 40):
            found.append(position)
        position = data.find(name, after, high)
    return found


_WORD = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$")


def _refers(data: bytes, start: int, end: int, *, method: bool) -> bool:
    """Whether the name at this place stands alone, as a call of a member if it is one."""
    if end < len(data) and data[end] in _WORD:
        return False
    before = data[start - 1] if start else 32
    if method:
        before = data[start - 2] if before == 35 and start > 1 else before  # a private name: ``this.#name(``
        return before == 46 and data[end : end + 1] == b"("
    return before not in _WORD and before != 46 and data[end : end + 1] != b":"


def _name(data: bytes, start: int) -> tuple[bytes | None, bool]:
    """Return the name that a function is called by, and whether it is called as a member."""
    declared = _DECLARED.match(data, start)
    if declared is not None:
        return declared.group(1), False
    # What a function is bound by ends just before it: most functions have something else there.
    bound = (
        _BOUND.search(data, max(0, start - 80), start)
        if data[max(0, start - 80) : start].rstrip()[-1:] in _BINDS
        else None
    )
    if bound is not None:
        member = data[bound.start(1) - 1 : bound.start(1)] in (b".", b'"', b"'") or b":" in bound.group()
        return bound.group(1), member
    method = _METHOD.match(data, start)
    if method is not None and data[start : start + 8] != b"function":
        return (method.group(1), True) if method.group(1) != b"async" else (None, False)
    return None, False
