"""The disk as the inventory sees it: read only, no link followed, every read bounded."""

import gzip
import os
import sqlite3
import stat as modes
import zlib
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, cast
from urllib.parse import quote

from lazaretto.app.inventory.ports import History, Inside, InventoryError, Served, Stat, Wanted
from lazaretto.core.archive.limits import ArchiveFault
from lazaretto.core.inventory import Unread
from lazaretto.infra._sources import FileSource, unpacked
from lazaretto.infra.git_history import GitHistory

MAX_LOG = 8 << 30
"""Bytes of one log that are read, unpacked."""


class LocalDisk:
    """``app.inventory.ports.Disk`` of this machine, mounted disks included."""

    def list(self, path: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the names of folders and of files, sorted. Links are neither."""
        folders, files = [], []
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.name)
                    elif entry.is_file(follow_symlinks=False):
                        files.append(entry.name)
        except OSError as error:
            raise InventoryError(f"cannot be listed: {error.strerror}") from error
        return tuple(sorted(folders)), tuple(sorted(files))

    def stat(self, path: str) -> Stat | None:
        """Return size and time of a file; None if there is no such file."""
        try:
            found = os.stat(path, follow_symlinks=False)
        except (OSError, ValueError):
            return None
        if not modes.S_ISREG(found.st_mode):
            return None
        return Stat(found.st_size, datetime.fromtimestamp(max(0, found.st_mtime), UTC))

    def read(self, path: str, limit: int) -> bytes:
        """Return the bytes of a file, if there are not too many."""
        try:
            with self._open(path) as file:
                data = file.read(limit + 1)
        except (OSError, ValueError) as error:
            raise InventoryError(f"cannot be read: {_words(error)}") from error
        if len(data) > limit:
            raise InventoryError(f"larger than {limit} bytes: not read")
        return data

    def lines(self, path: str, longest: int) -> Iterator[bytes]:
        """Yield the lines of a file, unpacked if its name ends in ``.gz``, each cut to ``longest`` bytes."""
        try:
            with self._open(path) as file:
                stream = cast("BinaryIO", gzip.GzipFile(fileobj=file)) if path.endswith(".gz") else file
                yield from _lines(stream, longest)
        except (OSError, EOFError, zlib.error, ValueError) as error:
            raise InventoryError(f"cannot be read: {_words(error)}") from error

    def history(self, path: str) -> History:
        """Return the history of the repository whose git folder this is."""
        return GitHistory(path)

    def served(self, path: str) -> Iterator[Served]:
        """Yield what a firewall's ledger says was handed out; the file is opened for reading alone."""
        address = f"file:{quote(str(Path(path).absolute()))}?mode=ro"
        try:
            with closing(sqlite3.connect(address, uri=True)) as connection:
                for at, client, purl, outcome in connection.execute(
                    "SELECT at, client, purl, outcome FROM served ORDER BY id"
                ):
                    yield Served(datetime.fromisoformat(at), str(client), str(purl), str(outcome))
        except (sqlite3.Error, OSError, ValueError, TypeError) as error:
            raise InventoryError(f"the ledger cannot be read: {error}") from error

    def head(self, path: str, size: int) -> bytes:
        """Return the first bytes of a file, unpacked if it is gzip."""
        try:
            with self._open(path) as file:
                return unpacked(FileSource(file.fileno())).read(size)
        except (OSError, ValueError, ArchiveFault) as error:
            raise InventoryError(f"cannot be read: {_words(error)}") from error

    def tail(self, path: str, size: int) -> bytes:
        """Return the last bytes of a file."""
        try:
            with self._open(path) as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - size))
                return file.read(size)
        except (OSError, ValueError) as error:
            raise InventoryError(f"cannot be read: {_words(error)}") from error

    def column(self, path: str, table: str, name: str) -> Iterator[str]:
        """Yield a column of text of a table; the file is opened for reading alone."""
        address = f"file:{quote(str(Path(path).absolute()))}?mode=ro"
        try:
            with closing(sqlite3.connect(address, uri=True)) as connection:
                for (value,) in connection.execute(f'SELECT "{name}" FROM "{table}"'):  # noqa: S608 - our own words
                    yield str(value)
        except (sqlite3.Error, OSError, ValueError) as error:
            raise InventoryError(f"the database cannot be read: {error}") from error

    def images(self, path: str, wanted: Wanted) -> Iterator[Inside | Unread]:
        """Yield what lies in the images of a layout or of an archive."""
        from lazaretto.infra.image import ArchiveShelf, FolderShelf, images

        if os.path.isdir(path):
            with closing(FolderShelf(path, self._descriptor)) as shelf:
                yield from images(shelf, wanted)
            return
        try:
            file = self._open(path)
        except (OSError, ValueError) as error:
            raise InventoryError(f"cannot be read: {_words(error)}") from error
        with file:
            yield from images(ArchiveShelf(file.fileno()), wanted)

    @staticmethod
    def _open(path: str) -> BinaryIO:
        """Open a file that is one: no link, no pipe that would never end, no device."""
        return os.fdopen(LocalDisk._descriptor(path), "rb")

    @staticmethod
    def _descriptor(path: str) -> int:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        if not modes.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise ValueError("it is no ordinary file")
        return descriptor


def _lines(stream: BinaryIO, longest: int) -> Iterator[bytes]:
    """Yield lines; of one that is too long the rest is passed over. Raises ValueError beyond the bound."""
    total, inside = 0, False
    while piece := stream.readline(longest):
        total += len(piece)
        if total > MAX_LOG:
            raise ValueError(f"more than {MAX_LOG} bytes: the rest is not read")
        if not inside:
            yield piece
        inside = not piece.endswith(b"\n")


def _words(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
