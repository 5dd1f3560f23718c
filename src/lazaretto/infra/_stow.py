"""Bytes that a run need not hold in memory all at once: kept in a file that has no name, and read when asked for.

What is kept is hostile, and stays bytes: the file has no path, nobody else can open it, and it is gone with whoever
holds it last.
"""

import _thread
import os
import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from lazaretto.app.ports import EngineError
from lazaretto.core.tree import Tree

if TYPE_CHECKING:
    from typing import IO


class Stow:
    """Keeps bytes in a temporary file, made on first use. Several threads may use it.

    Where no file can be written the bytes stay in memory: that costs memory, never an answer.
    """

    def __init__(self) -> None:
        self._lock = _thread.allocate_lock()
        self._file: IO[bytes] | None = None
        self._end = 0

    def keep(self, data: bytes) -> "bytes | Stowed":
        """Return what stands for these bytes: themselves, if they could not be written."""
        with self._lock:
            try:
                if self._file is None:
                    self._file = _nameless()
                at, self._end = self._end, self._end + len(data)
                _write(self._file.fileno(), data, at)
            except OSError:
                return data
        return Stowed(self, at, len(data))

    def read(self, at: int, size: int) -> bytes:
        """Return bytes that were kept.

        Raises:
            EngineError: they cannot be read any more.
        """
        if self._file is None:
            raise EngineError("nothing was kept")
        pieces = []
        try:
            while size > 0:
                piece = os.pread(self._file.fileno(), size, at)
                if not piece:
                    raise EngineError("a temporary file was cut off while it was in use")
                pieces.append(piece)
                at += len(piece)
                size -= len(piece)
        except OSError as error:
            raise EngineError(f"a temporary file cannot be read: {error.strerror}") from None
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def __del__(self) -> None:
        if self._file is not None:
            self._file.close()


class Stowed(Struct, frozen=True, eq=False):
    """Bytes that lie in a file (``core.tree.Kept``)."""

    stow: Stow
    at: int
    size: int

    def __len__(self) -> int:
        return self.size

    def __bytes__(self) -> bytes:
        return self.stow.read(self.at, self.size)


class Room:
    """How much memory is left for files. What was taken together is left when the last of its trees goes."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = _thread.allocate_lock()
        self._taken: list[tuple[int, list[weakref.ref[Tree]]]] = []

    def left(self) -> int:
        """Return how many bytes more may be held."""
        with self._lock:
            self._taken = [(size, trees) for size, trees in self._taken if any(tree() is not None for tree in trees)]
            return self._size - sum(size for size, _ in self._taken)

    def take(self, size: int, trees: Sequence[Tree]) -> None:
        """Note what is held for these trees."""
        with self._lock:
            self._taken.append((size, [weakref.ref(tree) for tree in trees]))


def _nameless() -> "IO[bytes]":
    from tempfile import TemporaryFile

    return TemporaryFile(buffering=0)


def _write(descriptor: int, data: bytes, at: int) -> None:
    rest = memoryview(data)
    while rest:
        written = os.pwrite(descriptor, rest, at)
        rest, at = rest[written:], at + written
