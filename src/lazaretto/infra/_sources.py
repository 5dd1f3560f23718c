"""Bytes of a file as sources of layers: a range of it, and what is packed in it, unpacked piece by piece."""

import os
from collections.abc import Callable
from importlib import import_module
from typing import Any, Protocol

from lazaretto.core.archive.inflate import Decompressor, open_decompressor
from lazaretto.core.archive.layer import Source
from lazaretto.core.archive.limits import ArchiveFault

MAX_UNPACKED = 64 << 30
"""Bytes of one packed layer, or one packed archive of an image, that are read unpacked."""

_PIECE = 1 << 20
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


class At(Source, Protocol):
    """A source that knows how far it has been read."""

    at: int


class FileSource:
    """The bytes of an open file, by position: several may read one file."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._size = os.fstat(descriptor).st_size
        self.at = 0

    def read(self, size: int) -> bytes:
        """Return the next bytes, fewer only at the end."""
        found: list[bytes] = []
        while size > 0:
            try:
                piece = os.pread(self._descriptor, min(size, _PIECE), self.at)
            except OSError as error:
                raise ArchiveFault(f"cannot be read: {error.strerror}") from error
            if not piece:
                break
            found.append(piece)
            self.at += len(piece)
            size -= len(piece)
        return b"".join(found)

    def skip(self, size: int) -> int:
        """Pass over bytes without reading them."""
        passed = max(0, min(size, self._size - self.at))
        self.at += passed
        return passed


class BytesSource:
    """Bytes that are there."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def read(self, size: int) -> bytes:
        """Return the next bytes, fewer only at the end."""
        data = self._data[self.at : self.at + size]
        self.at += len(data)
        return data

    def skip(self, size: int) -> int:
        """Pass over bytes."""
        return len(self.read(size))


class Part:
    """The bytes of another source from where it stands, so many of them."""

    def __init__(self, source: Source, size: int) -> None:
        self._source = source
        self._left = size
        self.at = 0

    def read(self, size: int) -> bytes:
        """Return the next bytes, fewer only at the end."""
        data = self._source.read(min(size, self._left))
        self._left -= len(data)
        self.at += len(data)
        return data

    def skip(self, size: int) -> int:
        """Pass over bytes."""
        passed = self._source.skip(min(size, self._left))
        self._left -= passed
        self.at += passed
        return passed


class Unpacking:
    """What is packed in another source, in one stream or in several that follow each other."""

    def __init__(
        self, source: Source, first: bytes, opened: Callable[[], tuple[Decompressor, type[Exception]]]
    ) -> None:
        self._source = source
        self._opened = opened
        self._stream, self._error = opened()
        self._fed = first
        self._buffer = b""
        self.at = 0

    def read(self, size: int) -> bytes:
        """Return the next bytes, fewer only at the end."""
        found: list[bytes] = []
        while size > 0:
            if not self._buffer:
                self._buffer = self._piece()
                if not self._buffer:
                    break
            piece = self._buffer[:size]
            self._buffer = self._buffer[size:]
            found.append(piece)
            size -= len(piece)
            self.at += len(piece)
        if self.at > MAX_UNPACKED:
            raise ArchiveFault(f"more than {MAX_UNPACKED} bytes unpacked: the rest is not read")
        return b"".join(found)

    def skip(self, size: int) -> int:
        """Pass over bytes: they are unpacked, and forgotten."""
        passed = 0
        while passed < size and (piece := len(self.read(min(size - passed, _PIECE)))):
            passed += piece
        return passed

    def _piece(self) -> bytes:
        """Return some unpacked bytes, none at the end."""
        while True:
            if self._stream.eof:
                rest = self._stream.unused_data or self._source.read(_PIECE)
                if not rest.strip(b"\0"):
                    return b""
                self._stream, self._error = self._opened()
                self._fed = rest
            elif self._stream.needs_input and not self._fed:
                self._fed = self._source.read(_PIECE)
                if not self._fed:
                    raise ArchiveFault("what is packed is truncated")
            fed, self._fed = self._fed, b""
            try:
                piece = self._stream.decompress(fed, _PIECE)
            except self._error as error:
                raise ArchiveFault(f"what is packed is broken: {error}") from error
            if piece:
                return piece


def unpacked(source: Source) -> At:
    """Return the bytes of a source, unpacked if they are gzip or zstd. Raises ArchiveFault."""
    first = source.read(4)
    if first[:2] == _GZIP:
        return Unpacking(source, first, lambda: open_decompressor(gzip=True))
    if first == _ZSTD:
        return Unpacking(source, first, _zstd())
    return _Begun(first, source)


class _Begun:
    """A source of which the first bytes have been looked at."""

    def __init__(self, first: bytes, source: Source) -> None:
        self._first = first
        self._source = source
        self.at = 0

    def read(self, size: int) -> bytes:
        data, self._first = self._first[:size], self._first[size:]
        if len(data) < size:
            data += self._source.read(size - len(data))
        self.at += len(data)
        return data

    def skip(self, size: int) -> int:
        passed = len(self._first[:size])
        self._first = self._first[size:]
        passed += self._source.skip(size - passed)
        self.at += passed
        return passed


def _zstd() -> Callable[[], tuple[Decompressor, type[Exception]]]:
    for name in ("compression.zstd", "backports.zstd"):
        try:
            module: Any = import_module(name)
        except ImportError:
            continue
        return lambda: (module.ZstdDecompressor(), module.ZstdError)
    raise ArchiveFault("packed with zstd, which needs Python 3.14, or the extra: lazaretto[images]")
