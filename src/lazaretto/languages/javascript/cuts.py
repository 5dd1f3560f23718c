"""Cutting a large file into content-defined pieces at its top-level statements.

A boundary is an *anchor*: a line at one indentation that starts with a declaration keyword, after a
line that ends in ``;`` or ``}``. Which anchors become boundaries depends on the anchor line's own
hash, so that an insertion moves no boundary but those beside it. A cutting is only a proposal: it
holds if every piece parses without error as a statement list and the shell around them (what stands before and
after, with a marker between) parses with the marker as one statement of a statement list.
"""

import re
import zlib
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node, Tree

MIN_FILE = 64 * 1024
MIN_CUT = 2 * 1024
MAX_CUT = 128 * 1024
MARKER = b"lazaretto_cut_here_;"
_ONE_IN = 6
_INDENTS = (b"", b"  ", b"\t", b"    ")
_KEYWORDS = rb"(?:function|var|let|const|class|import|export|async\s+function)\b"
_ENDS = (b";", b"}")
_MAX_GAP = 400
"""How many blanks may stand between an anchor and the statement before it."""
_LIST_TYPES = ("program", "statement_block")


@cache
def _anchor_lines() -> re.Pattern[bytes]:
    return re.compile(rb"\n(" + b"|".join(_INDENTS) + rb")(" + _KEYWORDS + rb"[^\n]{0,200})")


class Cutting:
    """A proposal: the ranges of the pieces, and the text of the shell with the marker between."""

    __slots__ = ("first", "last", "ranges", "shell")

    def __init__(self, data: bytes, bounds: list[int]) -> None:
        self.first, self.last = bounds[0], bounds[-1]
        self.ranges = list(pairwise(bounds))
        self.shell = data[: self.first] + MARKER + data[self.last :]


def propose(data: bytes) -> Cutting | None:
    """Return a cutting of a large file, or None if it offers no anchors."""
    if len(data) <= MIN_FILE or MARKER[:-1] in data:
        return None
    found = _anchors(data)
    for anchors in found.values():
        if not anchors or anchors[-1][0] - anchors[0][0] < 0.8 * len(data):
            continue
        bounds = _bounds(anchors)
        if len(bounds) >= 3:
            return Cutting(data, bounds)
    return None


def _anchors(data: bytes) -> dict[bytes, list[tuple[int, bytes]]]:
    """Return for each indentation where its anchors stand, and their lines."""
    found: dict[bytes, list[tuple[int, bytes]]] = {indent: [] for indent in _INDENTS}
    for match in _anchor_lines().finditer(data):
        start = match.start()
        if data[max(0, start - _MAX_GAP) : start].rstrip().endswith(_ENDS):
            found[match.group(1)].append((start + 1, match.group(2)))
    return found


def _bounds(anchors: list[tuple[int, bytes]]) -> list[int]:
    bounds = [anchors[0][0]]
    previous = anchors[0][0]
    for position, line in anchors[1:]:
        if position - bounds[-1] > MAX_CUT and previous > bounds[-1]:
            bounds.append(previous)
        if position - bounds[-1] >= MIN_CUT and zlib.crc32(line) % _ONE_IN == 0:
            bounds.append(position)
        previous = position
    if anchors[-1][0] > bounds[-1]:
        bounds.append(anchors[-1][0])
    return bounds


def open_shell(tree: "Tree", cutting: Cutting) -> bool:
    """Check the shell's tree and move it to the file's own coordinates.

    Returns whether the marker stands there as one statement of a statement list. Then the marker's node
    covers all pieces, and everything behind it lies where it lies in the file.
    """
    if tree.root_node.has_error:
        return False
    end = cutting.first + len(MARKER)
    node: Node | None = tree.root_node.descendant_for_byte_range(cutting.first, end - 1)
    while node is not None and node.type != "expression_statement":
        node = node.parent
    if node is None or (node.start_byte, node.end_byte) != (cutting.first, end):
        return False
    if node.parent is None or node.parent.type not in _LIST_TYPES:
        return False
    point = node.start_point
    tree.edit(cutting.first, end, cutting.last, point, (point[0], point[1] + len(MARKER)), (point[0] + 1, 0))
    return True
