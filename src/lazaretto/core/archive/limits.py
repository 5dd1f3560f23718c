"""What an archive may cost, and the one error that says it cost more or could not be believed."""

from msgspec import Struct

KIB = 1024
MIB = 1024 * KIB


class ArchiveFault(ValueError):
    """The archive is broken, over a limit, or read differently by different clients.

    Nothing of it may be believed. The message says what is wrong and where.
    """


class BoundFault(ArchiveFault):
    """The archive is over a limit: it may be all right, and was not read."""


class Limits(Struct, frozen=True):
    """Upper bounds on one archive; sizes in bytes. Reaching one is a refusal, never a cut.

    Memory follows the archive's own size, not these figures: the reader holds the packed bytes and
    one member at a time, the caller the files. The largest packages in ordinary use (compilers,
    native wheels) unpack to 25-250 MiB; the bounds stand above them so that only the unusual few
    are refused. ``ratio`` is unpacked to packed size, asked for only beyond ``ratio_floor``: small
    files of zeros compress without limit and harm nobody, and linkers pad libraries with megabytes of
    them. Deflate itself cannot pass 1032 to 1.
    """

    packed: int = 512 * MIB
    unpacked: int = 1024 * MIB
    file: int = 256 * MIB
    ratio: int = 200
    ratio_floor: int = 16 * MIB
    members: int = 50_000
    path: int = 1024
    depth: int = 64
    header: int = 1 * MIB
    streams: int = 4096

    def check_packed(self, size: int) -> None:
        """Raise ArchiveFault if the archive itself is too large."""
        if size > self.packed:
            raise BoundFault(f"the archive has {size} bytes; the limit is {self.packed}")

    def check_unpacked(self, unpacked: int, packed: int) -> None:
        """Raise ArchiveFault if ``packed`` bytes give too many bytes: too large, or a bomb."""
        if unpacked > self.unpacked:
            raise BoundFault(f"the archive unpacks to more than {self.unpacked} bytes")
        if unpacked > self.ratio_floor and unpacked > self.ratio * packed:
            raise BoundFault(f"the archive unpacks to more than {self.ratio} times its size: a bomb")

    def check_members(self, count: int) -> None:
        """Raise ArchiveFault if there are too many members."""
        if count > self.members:
            raise BoundFault(f"the archive has more than {self.members} members")

    def check_file(self, name: str, size: int) -> None:
        """Raise ArchiveFault if one member is too large."""
        if size > self.file:
            raise BoundFault(f"{name[:200]!r} has {size} bytes; the limit for one file is {self.file}")
