"""A bounded view of an unpacked artifact, held in memory: no path of an archive becomes a path on disk."""

from collections.abc import Iterator, Mapping
from typing import Protocol

from msgspec import Struct, field

from lazaretto.core.names import Digest


class Kept(Protocol):
    """Bytes that lie elsewhere than in memory, and are read anew each time."""

    def __len__(self) -> int: ...

    def __bytes__(self) -> bytes: ...


class Blob(Struct, frozen=True):
    """The bytes of one file, named by their digest. ``held`` is where they are: ask ``data`` once where it matters."""

    digest: Digest
    held: bytes | Kept

    @property
    def data(self) -> bytes:
        """The bytes themselves."""
        return bytes(self.held)  # of bytes that is the same object

    @property
    def size(self) -> int:
        """Length in bytes."""
        return len(self.held)


class Oddity(Struct, frozen=True):
    """Something in an archive that an honest packer does not write; nothing of it was followed.

    ``kind`` is one of ``link``, ``device``, ``duplicate``, ``absolute-path``, ``parent-path``,
    ``encrypted``, ``overlap``, ``odd-name``, ``case-collision``, ``trailing-data``.
    """

    kind: str
    path: str
    detail: str


class Tree(Struct, frozen=True, weakref=True):
    """Path inside the package root -> blob, in path order; ``oddities`` in archive order.

    ``executable`` holds the paths whose mode has an execute bit.
    """

    files: Mapping[str, Blob]
    oddities: tuple[Oddity, ...] = ()
    executable: frozenset[str] = field(default_factory=frozenset)

    def __iter__(self) -> Iterator[str]:
        return iter(self.files)

    def __contains__(self, path: object) -> bool:
        return path in self.files

    def get(self, path: str) -> Blob | None:
        """Return the blob at ``path``, or None."""
        return self.files.get(path)

    @property
    def size(self) -> int:
        """Sum of the sizes of all files in bytes."""
        return sum(blob.size for blob in self.files.values())
