"""Places read by other processes: parsing holds the interpreter, so that threads would not help.

They are started when enough waits to be worth it, each anew and not as a copy of this process, whose database is open.
"""

import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from lazaretto.app.inventory.ports import Claim, InventoryError
from lazaretto.app.inventory.reading import Outcome

AHEAD = 8
"""Places that wait for each process: more hold memory, and gain nothing."""

WORTH = 48
"""Places that are read here before others are asked: to start a process costs as much as dozens of lockfiles."""

Read = Callable[[str, Claim], Outcome]
_state: dict[str, Read] = {}


class PlaceReaders:
    """``app.inventory.reading.Elsewhere``. ``prepare`` is called in each process, and returns what reads a place."""

    def __init__(self, prepare: Callable[[], Read], processes: int) -> None:
        self._prepare = prepare
        self._processes = processes
        self._here: Read | None = None
        self._count = 0
        self._pool: ProcessPoolExecutor | None = None

    @property
    def many(self) -> int:
        """How many places may wait to be read."""
        return 0 if self._pool is None else AHEAD * self._processes

    def submit(self, kind: str, claim: Claim) -> Callable[[], Outcome]:
        """Begin to read a place: here, until there are enough of them."""
        self._count += 1
        if self._processes < 2 or self._count <= WORTH:
            self._here = self._here or self._prepare()
            done = self._here(kind, claim)
            return lambda: done
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self._processes, context, _prepared, (self._prepare,))
        try:
            future = self._pool.submit(_read, kind, claim)
        except BrokenProcessPool as error:
            future = Future()
            future.set_exception(error)
        return lambda: _waited(future)

    def close(self) -> None:
        """End the processes."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _prepared(prepare: Callable[[], Read]) -> None:
    _state["read"] = prepare()


def _read(kind: str, claim: Claim) -> Outcome:
    return _state["read"](kind, claim)


def _waited(future: "Future[Outcome]") -> Outcome:
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise InventoryError("the process that read it ended: it may have run out of memory") from error
