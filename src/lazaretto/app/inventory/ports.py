"""What the inventory needs of the world: a disk that is only read, the history of a repository, and a store."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from lazaretto.app.inventory.formats import Formats
from lazaretto.app.ports import PortError
from lazaretto.core.inventory import Entry, Place, Unread


class InventoryError(PortError):
    """The inventory cannot be read or written; or a place cannot be looked at, with the reason."""


class Stat(Struct, frozen=True):
    """Size in bytes, and when the file was last written."""

    size: int
    modified: datetime

    @property
    def stamp(self) -> str:
        """What changes whenever the file does."""
        return f"{self.size}:{self.modified.timestamp():.6f}"


class Folder(Struct, frozen=True):
    """One folder on a disk: where it is, what it is called to a reader, and what lies in it, sorted.

    ``locked`` are the ecosystems of which a lockfile lies here or in a folder above, up to the one that was named.
    ``named`` says that somebody named its one file: what it is, is then to be found out from its content.
    """

    path: str
    shown: str
    folders: tuple[str, ...]
    files: tuple[str, ...]
    locked: frozenset[str] = frozenset()
    named: bool = False


class Served(Struct, frozen=True):
    """One artifact that the firewall handed out."""

    at: datetime
    client: str
    purl: str
    outcome: str


class Version(Struct, frozen=True):
    """What one commit made of one file: the blob that it was before and is after, None if there was or is none."""

    commit: str
    at: datetime
    path: str
    before: str | None
    after: str | None


class History(Protocol):
    """The commits of a repository, by plumbing alone: no hook, no filter, nothing checked out, nothing fetched."""

    def mark(self) -> str:
        """Return what changes whenever a branch or tag does. Raises InventoryError."""
        ...

    def versions(self, patterns: Sequence[str]) -> Iterator[Version]:
        """Yield every change of files of these names, parents before children. Raises InventoryError."""
        ...

    def tips(self, patterns: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Yield path and blob of such files at every branch. Raises InventoryError."""
        ...

    def blob(self, identifier: str, limit: int) -> bytes:
        """Return a blob. Raises InventoryError if it is missing or larger than ``limit``."""
        ...

    def close(self) -> None:
        """End the processes."""
        ...


class Disk(Protocol):
    """A disk that is only read. No link is followed."""

    def list(self, path: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the names of folders and of files, sorted; of what cannot be listed InventoryError is raised."""
        ...

    def stat(self, path: str) -> Stat | None:
        """Return size and time of a file; None if there is no such file."""
        ...

    def read(self, path: str, limit: int) -> bytes:
        """Return the bytes of a file. Raises InventoryError if it cannot be read or is larger than ``limit``."""
        ...

    def lines(self, path: str, longest: int) -> Iterator[bytes]:
        """Yield the lines of a file, unpacked if its name ends in ``.gz``, each cut to ``longest`` bytes.

        Raises InventoryError, also in the middle.
        """
        ...

    def history(self, path: str) -> History:
        """Return the history of the repository whose git folder this is."""
        ...

    def served(self, path: str) -> Iterator[Served]:
        """Yield what a firewall's ledger says was handed out. Raises InventoryError."""
        ...

    def head(self, path: str, size: int) -> bytes:
        """Return the first bytes of a file, at most ``size``, unpacked if it is gzip. Raises InventoryError."""
        ...

    def tail(self, path: str, size: int) -> bytes:
        """Return the last bytes of a file, at most ``size``. Raises InventoryError."""
        ...

    def column(self, path: str, table: str, name: str) -> Iterator[str]:
        """Yield a column of text of a table of an SQLite file, in its own order. Raises InventoryError."""
        ...

    def images(self, path: str, wanted: "Wanted") -> "Iterator[Inside | Unread]":
        """Yield what lies in each container image of an archive or of an OCI layout, and what cannot be read of it.

        ``wanted`` says of a path and a size whether contents are kept. Raises InventoryError.
        """
        ...


class Inside(Struct, frozen=True):
    """A disk that lies in a place: what is found on it is told with the place's path, ``!/`` and this name before."""

    name: str
    disk: Disk


class Claim(Struct, frozen=True):
    """A place that a kind recognised. ``target`` is what to read; ``stamp`` is empty if that is always read anew.

    ``whole`` says that the place tells its own past: what was written down of it before is then replaced. ``owns`` are
    paths of folders that no kind looks into any more. ``holds`` says that disks lie in it.
    """

    place: Place
    target: str
    stamp: str = ""
    whole: bool = False
    owns: tuple[str, ...] = ()
    holds: bool = False


Wanted = Callable[[str, int], bool]
"""Of a path and a size, whether some kind of place reads such a file."""


class Readers(Struct, frozen=True):
    """What a kind of place may need besides the disk: the lockfile formats, the present instant, what images keep."""

    lockfiles: Formats
    now: datetime
    wanted: Wanted = lambda _path, _size: False


class PlaceModule(Protocol):
    """The names a module ``places/<kind>.py`` exposes. ``OWNS``: names of folders that no other kind looks into.

    ``READS``: which files it asks the size, the time or the contents of, besides lockfiles: shell patterns of names, or
    of paths if they hold a slash. Of a container image only such files are kept.
    """

    KIND: str
    OWNS: tuple[str, ...]
    READS: tuple[str, ...]

    def claim(self, folder: Folder, disk: Disk, readers: Readers) -> Iterator[Claim]:
        """Yield the places of this kind in a folder. Raises InventoryError if one of them cannot be looked at."""
        ...

    def read(self, claim: Claim, disk: Disk, readers: Readers) -> Iterator[Entry | Unread | Inside]:
        """Yield what a place says, names and versions as written, and disks that lie in it, to be looked into.

        Raises InventoryError; what came before counts.
        """
        ...


class Held(Struct, frozen=True):
    """An entry of the store, and the row of its place."""

    row: int
    place: Place
    entry: Entry


class Known(Struct, frozen=True):
    """A place of the store: when it was last looked at, how many entries it has or has had, and what was not read."""

    place: Place
    looked: datetime
    entries: int
    gone: bool
    unread: tuple[Unread, ...]


class InventoryStore(Protocol):
    """The embedded store. Every method raises InventoryError."""

    def stamp(self, place: Place) -> str | None:
        """Return the stamp under which a place was last read; None if it is not known."""
        ...

    def put(self, claim: Claim, entries: Iterable[Entry], unread: Sequence[Unread], looked: datetime) -> None:
        """Take what a place says now: what it no longer says ends at the last look, all or nothing."""
        ...

    def looked(self, place: Place, at: datetime) -> None:
        """Note that a place was found unchanged."""
        ...

    def gone(self, root: str, kept: Callable[[Place], bool], at: datetime) -> int:
        """End every place under ``root`` that is no longer there; return how many."""
        ...

    def places(self) -> Iterator[Known]:
        """Yield every place, in order."""
        ...

    def not_read(self) -> tuple[int, tuple[tuple[Place, Unread], ...]]:
        """Return how many places there are now, and what of them could not be read, in order."""
        ...

    def counts(self) -> Mapping[str, int]:
        """Return how many places, releases, entries and problems there are."""
        ...

    def holding(self, ecosystem: str, name: str, version: str) -> Iterator[Held]:
        """Yield every entry of one release, in the order of places; ``version`` empty: the OPEN ones of a project."""
        ...

    def versions(self, ecosystem: str, name: str) -> tuple[str, ...]:
        """Return the versions of a project that are held anywhere."""
        ...

    def chain(self, row: int, number: int) -> tuple[Entry, ...]:
        """Return what leads to an entry, the one that the project asks for first, without the entry itself."""
        ...

    def brought(self, row: int, number: int) -> tuple[Entry, ...]:
        """Return what an entry leads to in its place, and what those lead to, bounded."""
        ...

    def beside(self, path: str, ecosystem: str, name: str) -> tuple[Held, ...]:
        """Return the entries of a project in places at exactly this path."""
        ...
