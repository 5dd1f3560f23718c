"""A graph of releases as two columns of numbers, and what is asked of it: who is reached, and which few reach most.

Node by node the neighbours lie beside each other (compressed sparse rows), so that a million nodes and ten million
edges are read from a mapped file as they are, and nothing is built before the first answer.
"""

from array import array
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

NOBODY = 0xFFFF_FFFF
"""Stands where no node does: of a node that was not reached, and before the first step."""


class Rows(Struct, frozen=True):
    """The neighbours of each node: those of ``n`` lie in ``ends`` from ``starts[n]`` until ``starts[n + 1]``."""

    starts: Sequence[int]
    ends: Sequence[int]

    @property
    def count(self) -> int:
        """How many nodes there are."""
        return len(self.starts) - 1


class Reach(Struct, frozen=True):
    """Who is reached, by how many steps: ``levels[0]`` one step away. ``by`` names for each node the one before it.

    Of a node where the walk begins that is itself.
    """

    levels: tuple[Sequence[int], ...]
    by: Sequence[int]

    @property
    def count(self) -> int:
        """How many are reached, without those where the walk begins."""
        return sum(map(len, self.levels))


def reach(rows: Rows, roots: Iterable[int], steps: int | None = None) -> Reach:
    """Return who is reached from some nodes, level by level, each level in the order of numbers."""
    by = array("I", [NOBODY]) * rows.count
    starts, ends = rows.starts, rows.ends
    level = sorted(set(roots))
    for root in level:
        by[root] = root
    levels: list[list[int]] = []
    while level and (steps is None or len(levels) < steps):
        following: list[int] = []
        for node in level:
            for one in ends[starts[node] : starts[node + 1]]:
                if by[one] == NOBODY:
                    by[one] = node
                    following.append(one)
        following.sort()
        level = following
        if level:
            levels.append(level)
    return Reach(tuple(levels), by)


class Closures:
    """What each of many nodes reaches: one column of marks for all walks, so that a short one costs no more."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._marks = array("I", bytes(4 * rows.count))
        self._walk = 0

    def of(self, root: int) -> list[int]:
        """Return a node and all that it reaches."""
        self._walk += 1
        starts, ends, marks, walk = self._rows.starts, self._rows.ends, self._marks, self._walk
        marks[root] = walk
        found = [root]
        for node in found:
            for one in ends[starts[node] : starts[node + 1]]:
                if marks[one] != walk:
                    marks[one] = walk
                    found.append(one)
        return found


def bitset(members: Iterable[int]) -> int:
    """Return a set of small numbers as a number with a bit for each."""
    held = sorted(members)
    bits = bytearray((held[-1] >> 3) + 1 if held else 0)
    for one in held:
        bits[one >> 3] |= 1 << (one & 7)
    return int.from_bytes(bits, "little")


def path(found: Reach, node: int) -> list[int]:
    """Return the nodes by which one is reached, itself first, one where the walk began last."""
    steps = [node]
    while found.by[steps[-1]] != steps[-1]:
        steps.append(found.by[steps[-1]])
    return steps


def rows(count: int, owners: Sequence[int], ends: Sequence[int]) -> tuple["array[int]", "array[int]"]:
    """Return the rows of ``count`` nodes from two columns; of one node they keep the order of the columns."""
    starts = array("I", bytes(4 * (count + 1)))
    for owner in owners:
        starts[owner + 1] += 1
    for node in range(count):
        starts[node + 1] += starts[node]
    following, found = array("I", starts), array("I", bytes(4 * len(ends)))
    for owner, end in zip(owners, ends, strict=True):
        found[following[owner]] = end
        following[owner] += 1
    return starts, found


class Choke(Struct, frozen=True):
    """One of the few: what it reaches, and what it adds to those before it."""

    name: str
    reached: int
    added: int


def chokepoints(sets: Mapping[str, int], most: int) -> tuple[Choke, ...]:
    """Return the few whose sets together hold most, each the one that adds most to those before it.

    A set is a number with a bit for each member. Of what adds equally much, what reaches most is taken, then by name.
    Chosen so, they hold at least 63 % of what the best choice would (Nemhauser, Wolsey and Fisher 1978), which would
    take too long to find.
    """
    left = {name: (bits, bits.bit_count()) for name, bits in sets.items() if bits}
    covered, found = 0, list[Choke]()
    while left and len(found) < most:
        best, gain = "", 0
        for name, (bits, size) in sorted(left.items(), key=lambda one: (-one[1][1], one[0])):
            if size <= gain:
                break  # nobody after it can add more
            adds = (bits & ~covered).bit_count()
            if adds > gain:
                best, gain = name, adds
        if not gain:
            break
        bits, size = left.pop(best)
        covered |= bits
        found.append(Choke(best, size, gain))
    return tuple(found)
