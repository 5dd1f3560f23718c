"""Whole processes, timed from outside: wall seconds, processor seconds, and the largest resident set."""

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple


class Run(NamedTuple):
    """One finished process: seconds of wall and processor time, peak memory in MiB, and the exit code."""

    wall: float
    cpu: float
    peak: float
    code: int


def run(command: Sequence[str], environ: Mapping[str, str], log: Path) -> Run:
    """Run a command to its end with its output in ``log``, and return what the kernel says of it.

    Peak memory is that of the largest single process, the command's children included.
    """
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
    cpu = usage.ru_utime + usage.ru_stime
    return Run(wall, cpu, usage.ru_maxrss / 1024, os.waitstatus_to_exitcode(status))


def middle(runs: Sequence[Run]) -> Run:
    """Return the median of each figure, and the worst exit code."""
    return Run(
        median(r.wall for r in runs),
        median(r.cpu for r in runs),
        max(r.peak for r in runs),
        max((r.code for r in runs), key=abs),
    )
