"""Archives inside of packages: their members, in memory, bounded, as parts for whoever reads them.

Zip (also wheel, jar, docx, …), tar, gzip, bzip2 and xz are opened; what has another format stays a ``binary`` fact.
Of several streams one after the other the contents are one, as for every client.
"""

from collections.abc import Iterator
from typing import Protocol

from lazaretto.core.archive import ArchiveFault, BoundFault, Entry, EntryKind, Limits
from lazaretto.core.archive.inflate import PlainStream
from lazaretto.core.archive.tar import read_tar
from lazaretto.core.archive.zip import read_zip
from lazaretto.core.facts import Problem, Span
from lazaretto.core.inner import Inner, named
from lazaretto.languages._containers import behind_zeros
from lazaretto.languages._guess import guess

MAX_NESTED_ARCHIVE = 64 * 1024 * 1024
"""Largest archive inside a package that is opened, in bytes, packed and unpacked."""

XZ_MEMORY = 72 * 1024 * 1024
"""What unpacking xz may take: its greatest preset (``-9``) has a dictionary of 64 MiB, and needs a little beside it."""

LIMITS = Limits(
    packed=MAX_NESTED_ARCHIVE,
    unpacked=MAX_NESTED_ARCHIVE,
    file=MAX_NESTED_ARCHIVE // 2,
    members=10_000,
    ratio=1000,
)

OPENED = frozenset({"archive:zip", "archive:tar", "archive:gzip", "archive:bzip2", "archive:xz"})
"""Names of ``_magic.Magic`` that ``members`` opens."""

_FNAME, _FEXTRA = 8, 4
_UNNAMED = "member"
_PIECE = 64 * 1024
_STARTS = {"archive:gzip": b"\x1f\x8b", "archive:bzip2": b"BZh", "archive:xz": b"\xfd7zXZ"}


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def members(name: str, data: bytes, place: Span) -> Iterator[Inner | Problem]:
    """Yield the members of an archive, all of them at its place; a problem where it cannot be opened or believed."""
    try:
        for entry in _entries(name, data):
            if entry.kind is EntryKind.FILE and entry.data:
                dialect = guess(entry.data) if entry.name == _UNNAMED else ""
                step = f"archive[{named(entry.name)}]"
                yield Inner(entry.data, dialect, entry.name, (place,), step, lenient=bool(dialect), apart=True)
    except ArchiveFault as fault:
        yield Problem(place.line, f"a nested archive cannot be read: {fault}", unread=isinstance(fault, BoundFault))


def _entries(name: str, data: bytes) -> Iterator[Entry]:
    LIMITS.check_packed(len(data))
    if name == "archive:zip":
        yield from read_zip(data, LIMITS)
        return
    unpacked, rest = (data, b"") if name == "archive:tar" else _unpacked(name, data)
    if unpacked[257:262] == b"ustar":
        yield from read_tar(PlainStream(unpacked), LIMITS)
    else:
        yield Entry(EntryKind.FILE, _gzip_name(data) if name == "archive:gzip" else _UNNAMED, unpacked)
    if rest:
        yield Entry(EntryKind.FILE, _UNNAMED, rest)


def _unpacked(name: str, data: bytes) -> tuple[bytes, bytes]:
    """Return the content of all streams, and what stands behind the last one that is no padding."""
    found: list[bytes] = []
    at = size = 0
    for _ in range(LIMITS.streams):
        at, size = _stream(name, data, at, found, size)
        at = behind_zeros(data, at)
        if not data.startswith(_STARTS[name], at):
            return b"".join(found), data[at:]
    raise BoundFault(f"more than {LIMITS.streams} streams in one file")


def _stream(name: str, data: bytes, at: int, found: list[bytes], size: int) -> tuple[int, int]:
    """Unpack one stream; return where it ends, and how much was unpacked so far."""
    source, errors = _open(name)
    while not source.eof:
        piece = data[at : at + _PIECE]
        if not piece:
            raise ArchiveFault("the stream is truncated")
        at += len(piece)
        try:
            found.append(source.decompress(piece, MAX_NESTED_ARCHIVE + 1 - size))
        except errors as error:
            raise ArchiveFault(f"the stream is broken: {error}") from None
        size += len(found[-1])
        LIMITS.check_unpacked(size, len(data))
    return at - len(source.unused_data), size


def _open(name: str) -> tuple[_Decompressor, tuple[type[Exception], ...]]:
    if name == "archive:bzip2":
        import bz2

        return bz2.BZ2Decompressor(), (OSError, EOFError, ValueError)
    if name == "archive:xz":
        import lzma

        return lzma.LZMADecompressor(memlimit=XZ_MEMORY), (lzma.LZMAError, EOFError)
    import zlib

    return zlib.decompressobj(31), (zlib.error,)


def _gzip_name(data: bytes) -> str:
    """Return the name that a gzip header gives its content (RFC 1952, 2.3)."""
    flags = data[3] if len(data) > 3 else 0
    at = 10
    if flags & _FEXTRA:
        at += 2 + int.from_bytes(data[10:12], "little")
    end = data.find(b"\0", at, at + 256)
    return data[at:end].decode("latin-1") if flags & _FNAME and end >= 0 else _UNNAMED
