"""The disk of a container image, as the inventory sees any disk: what was not kept of it is told."""

from collections.abc import Iterator
from datetime import UTC, datetime

from lazaretto.app.inventory.ports import History, Inside, InventoryError, Served, Stat, Wanted
from lazaretto.core.archive.limits import ArchiveFault
from lazaretto.core.archive.overlay import File, Overlay
from lazaretto.core.inventory import Unread
from lazaretto.infra._sources import BytesSource, unpacked


class ImageDisk:
    """``app.inventory.ports.Disk`` of layers that are laid over each other."""

    def __init__(self, overlay: Overlay) -> None:
        self._overlay = overlay

    def list(self, path: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the names of folders and of files, sorted."""
        found = self._overlay.node(path)
        if not isinstance(found, dict):
            raise InventoryError("cannot be listed: it is no folder of the image")
        folders = (name for name, node in found.items() if isinstance(node, dict))
        files = (name for name, node in found.items() if isinstance(node, File))
        return tuple(sorted(folders)), tuple(sorted(files))

    def stat(self, path: str) -> Stat | None:
        """Return size and time of a file; of one that nobody reads neither is known."""
        found = self._overlay.node(path)
        if not isinstance(found, File):
            return None
        return Stat(found.size, datetime.fromtimestamp(min(found.modified, 253_402_300_799), UTC))

    def read(self, path: str, limit: int) -> bytes:
        """Return the bytes of a file."""
        found = self._overlay.node(path)
        if not isinstance(found, File) or found.data is None:
            raise InventoryError("cannot be read: it is not kept of the image")
        if len(found.data) > limit:
            raise InventoryError(f"larger than {limit} bytes: not read")
        return found.data

    def lines(self, path: str, longest: int) -> Iterator[bytes]:
        """Yield the lines of a file, each cut to ``longest`` bytes."""
        for line in self.read(path, 1 << 40).splitlines(keepends=True):
            yield line[:longest]

    def head(self, path: str, size: int) -> bytes:
        """Return the first bytes of a file, unpacked if it is gzip."""
        try:
            return unpacked(BytesSource(self.read(path, 1 << 40))).read(size)
        except ArchiveFault as fault:
            raise InventoryError(f"cannot be read: {fault}") from fault

    def tail(self, path: str, size: int) -> bytes:
        """Return the last bytes of a file."""
        return self.read(path, 1 << 40)[-size:]

    def column(self, path: str, table: str, name: str) -> Iterator[str]:
        """Raise: a database is read from a disk alone."""
        raise InventoryError(f"{table}.{name} of {path} cannot be read inside an image")

    def history(self, path: str) -> History:
        """Raise: git reads from a disk alone."""
        raise InventoryError("a repository inside an image is not read")

    def served(self, path: str) -> Iterator[Served]:
        """Raise: a database is read from a disk alone."""
        raise InventoryError(f"{path} cannot be read inside an image")

    def images(self, path: str, wanted: Wanted) -> Iterator[Inside | Unread]:
        """Raise: images inside images are not looked into."""
        del wanted
        raise InventoryError(f"an image inside an image is not read: {path}")
