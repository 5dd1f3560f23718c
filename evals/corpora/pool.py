"""Items through a few processes, one result a line: what was done is not done again."""

import multiprocessing
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from evals.corpora.items import Item
from evals.corpora.judge import Judge, Judged, Surveyed, app
from evals.corpora.layouts import Archive

T = TypeVar("T", bound=msgspec.Struct)

_AHEAD = 4
"""Items that wait for each process."""

_judges: list[Judge] = []


def _start() -> None:
    _judges.append(Judge(app()))


def survey(item: Item) -> Surveyed:
    """Survey an item in a process of the pool."""
    return _judges[0].survey(item)


def judge(item: Item) -> Judged:
    """Judge an item in a process of the pool."""
    return _judges[0].judge(item)


def name(path: str) -> Archive | None:
    """Name an archive in a process of the pool."""
    return _judges[0].name(path)


def known(path: Path, kind: type[T]) -> list[T]:
    """Return the results that a file holds; a line that was cut short is none."""
    results: list[T] = []
    if path.is_file():
        decoder = msgspec.json.Decoder(kind)
        for line in path.read_bytes().splitlines():
            try:
                results.append(decoder.decode(line))
            except msgspec.MsgspecError:
                continue
    return results


def through(work: Callable[[Any], T | None], items: Sequence[Any], path: Path, title: str, processes: int) -> None:
    """Do the work for each item, and append each result to the file as it comes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as sink:
        for count, result in enumerate(_results(work, items, processes), 1):
            if result is not None:
                sink.write(msgspec.json.encode(result) + b"\n")
                sink.flush()
            if count % 50 == 0 or count == len(items):
                print(f"{title}: {count} of {len(items)}", file=sys.stderr, flush=True)


def _results(work: Callable[[Any], T | None], items: Iterable[Any], processes: int) -> Iterator[T | None]:
    """Yield results as they come. A process that dies takes its pool with it: what waited there is begun again."""
    left = list(items)
    again = False
    while left:
        done: set[int] = set()
        try:
            for index, result in _once(work, left, processes):
                done.add(index)
                yield result
        except BrokenProcessPool:
            if again and not done:
                raise
            again = True
            time.sleep(1)
        left = [item for index, item in enumerate(left) if index not in done]


def _once(work: Callable[[Any], T | None], items: Sequence[Any], processes: int) -> Iterator[tuple[int, T | None]]:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context, initializer=_start) as pool:
        waiting: dict[Future[T | None], int] = {}
        ahead = iter(enumerate(items))
        while True:
            while len(waiting) < processes * _AHEAD and (following := next(ahead, None)) is not None:
                waiting[pool.submit(work, following[1])] = following[0]
            if not waiting:
                return
            finished, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in finished:
                yield waiting.pop(future), future.result()
