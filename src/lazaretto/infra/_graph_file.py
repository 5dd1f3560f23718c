"""The graph of one instant as a file of numbers that is mapped into memory: nothing is built to answer."""

import mmap
import os
import sys
from array import array
from collections.abc import Sequence
from pathlib import Path

from lazaretto.app.graph.ports import Graph
from lazaretto.core.graph import Rows, rows

_MAGIC = 0x4C5A4731
_HEAD = 4


def write(
    path: Path,
    numbers: Sequence[int],
    projects: Sequence[int],
    newest: Sequence[int],
    edges: tuple["array[int]", "array[int]"],
) -> None:
    """Write a graph, all or nothing; ``edges`` are who needs and what is needed."""
    count, (needing, needed) = len(numbers), edges
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        with beside.open("wb") as file:
            array("I", [_MAGIC, count, len(needed), len(newest)]).tofile(file)
            for column in (numbers, projects, newest):
                array("I", column).tofile(file)
            for owners, ends in ((needed, needing), (needing, needed)):
                for part in rows(count, owners, ends):
                    part.tofile(file)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def read(path: Path) -> Graph:
    """Return a graph. Raises ValueError if the file is not whole, OSError if it cannot be read."""
    with path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    view = memoryview(mapped).cast("I") if len(mapped) % 4 == 0 else memoryview(b"").cast("I")
    if len(view) < _HEAD or view[0] != _MAGIC or sys.byteorder not in ("little", "big"):
        raise ValueError("it is no graph of this machine")
    count, edges, projects = view[1:_HEAD]
    sizes = (count, count, projects, count + 1, edges, count + 1, edges)
    if len(view) != _HEAD + sum(sizes):
        raise ValueError("it is not whole")
    parts, at = list[Sequence[int]](), _HEAD
    for size in sizes:
        parts.append(view[at : at + size])
        at += size
    return Graph(parts[0], parts[1], parts[2], Rows(parts[3], parts[4]), Rows(parts[5], parts[6]))
