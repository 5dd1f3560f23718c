"""Whole processes, timed from outside: wall seconds, processor seconds, and the largest resident set."""

import ctypes
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import resource

_PR_SET_CHILD_SUBREAPER = 36


class Run(NamedTuple):
    """One finished process: seconds of wall and processor time, peak memory in MiB, and the exit code."""

    wall: float
    cpu: float
    peak: float
    code: int


def run(command: Sequence[str], environ: Mapping[str, str], log: Path, *, alone: bool = False) -> Run:
    """Run a command to its end with its output in ``log``, and return what the kernel says of it.

    Peak memory is that of the largest single process, the command's children included. Where the command is ``alone``,
    the only one that this process starts meanwhile, those that it leaves behind are waited for and counted: our readers
    are.
    """
    before = _children() if alone else frozenset()
    if alone:
        _adopt(orphans=True)
    with log.open("wb") as sink:
        start = time.perf_counter()
        pid = os.posix_spawn(
            command[0],
            list(command),
            dict(environ),
            file_actions=[
                (os.POSIX_SPAWN_DUP2, sink.fileno(), 1),
                (os.POSIX_SPAWN_DUP2, sink.fileno(), 2),
            ],
        )
        _, status, usage = os.wait4(pid, 0)
        wall = time.perf_counter() - start
    usages = [usage, *(_left_behind(before) if alone else ())]
    if alone:
        _adopt(orphans=False)
    cpu = sum(one.ru_utime + one.ru_stime for one in usages)
    return Run(wall, cpu, max(one.ru_maxrss for one in usages) / 1024, os.waitstatus_to_exitcode(status))


def _adopt(*, orphans: bool) -> None:
    """Become the parent of what children leave behind, or no longer."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, int(orphans), 0, 0, 0)


def _left_behind(before: frozenset[int]) -> "Iterator[resource.struct_rusage]":
    """Yield what the kernel says of each process that has become ours; those that were are not waited for."""
    while left := _children() - before:
        for pid in sorted(left):
            yield os.wait4(pid, 0)[2]


def _children() -> frozenset[int]:
    """Return the processes that are children of this one: a pool that was used leaves one that never ends."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended meanwhile
            if int(stat.read_text().rpartition(")")[2].split()[1]) == os.getpid():
                found.add(int(stat.parent.name))
    return frozenset(found)


def middle(runs: Sequence[Run]) -> Run:
    """Return the median of each figure, and the worst exit code."""
    return Run(
        median(r.wall for r in runs),
        median(r.cpu for r in runs),
        max(r.peak for r in runs),
        max((r.code for r in runs), key=abs),
    )
