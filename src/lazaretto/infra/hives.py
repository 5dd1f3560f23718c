"""Hives looked into by a confined reader, each by one of its own: what one is made to say says nothing of the next."""

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Self

from msgspec import MsgspecError, msgpack

from lazaretto.app.ports import EngineError
from lazaretto.core.hive.find import Answer, Wanted
from lazaretto.infra import _wire as wire
from lazaretto.infra._pool import Pool, Stopped
from lazaretto.infra.confined import Bounds

_BOUNDS = Bounds(cpu=60, wall=120.0)
"""What one hive may take: its logs are checked word by word."""


class HiveReaders:
    """Looks into hives, one at a time. Raises EngineError where no process can be confined."""

    def __init__(self, bounds: Bounds = _BOUNDS) -> None:
        self._wall = bounds.wall
        self._pool = Pool({}, bounds, 1, single_use=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.close()

    def look(self, hive: bytes, logs: Sequence[bytes], wanted: Sequence[Wanted]) -> Answer:
        """Return what a hive with these logs has of what is wanted. Raises EngineError."""
        readers = self._pool.take(1)
        reader = readers[0]
        try:
            reader.deadline = time.monotonic() + self._wall
            files = (hive, *logs)
            with suppress(wire.Closed):  # events will say so
                reader.channel.send(wire.Search(msgpack.encode(wanted), tuple(map(len, files))), files)
            while True:
                for _, message, _ in self._pool.events(readers):
                    if isinstance(message, wire.Searched):
                        return _believed(message.answer, wanted)
                    reason = message.reason if isinstance(message, Stopped | wire.Failed) else "it answered nonsense"
                    raise EngineError(f"its reader was stopped: {reason}")
        finally:
            self._pool.give_back(readers)


def _believed(answer: bytes, wanted: Sequence[Wanted]) -> Answer:
    """Return an answer that can be one. Raises EngineError: hostile bytes may have taken the reader over."""
    try:
        found = msgpack.decode(answer, type=Answer)
    except MsgspecError:
        found = None
    if found is None or not {hit.number for hit in found.hits} <= {one.number for one in wanted}:
        raise EngineError("its reader was stopped: it answered nonsense")
    return found
