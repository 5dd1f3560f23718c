"""Bounded decompression: gzip as a stream, deflate of one zip member. By isal, else by zlib.

The two libraries give the same bytes and refuse the same input; isal is two to three times faster.
"""

from typing import Protocol

from lazaretto.core.archive.limits import KIB, ArchiveFault, BoundFault, Limits

_INPUT = 1024 * KIB
_OUTPUT = 1024 * KIB
_GZIP_MAGIC = b"\x1f\x8b"


class Decompressor(Protocol):
    """The part of ``isal.igzip_lib.IgzipDecompressor`` in use (that of ``bz2.BZ2Decompressor``)."""

    @property
    def eof(self) -> bool:
        """Whether the stream has ended."""
        ...

    @property
    def needs_input(self) -> bool:
        """Whether more can only come from more input."""
        ...

    @property
    def unused_data(self) -> bytes:
        """What stands after the end of the stream, of the input so far."""
        ...

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """Take input and return at most ``max_length`` bytes."""
        ...


class ZlibDecompressor:
    """zlib behind the interface of isal, for machines that isal has no build for."""

    def __init__(self, *, gzip: bool) -> None:
        import zlib

        self._stream = zlib.decompressobj(31 if gzip else -15)
        self._rest = b""
        self.unused_data = b""
        self.eof = False
        self.needs_input = True

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """Return at most ``max_length`` bytes. Raises zlib.error."""
        if not max_length:
            self._rest += data
            return b""
        out = self._stream.decompress(self._rest + data if self._rest else data, max(0, max_length))
        self._rest = self._stream.unconsumed_tail
        self.eof = self._stream.eof
        self.unused_data = self._stream.unused_data
        # zlib may hold back output when all input is taken and the cap was met: ask again first.
        self.needs_input = not self.eof and not self._rest and len(out) != max_length
        return out


def open_decompressor(*, gzip: bool) -> tuple[Decompressor, type[Exception]]:
    """Return a decompressor and the exception that it raises on broken input."""
    try:
        from isal import igzip_lib
    except ImportError:
        import zlib

        return ZlibDecompressor(gzip=gzip), zlib.error
    flag = igzip_lib.DECOMP_GZIP if gzip else igzip_lib.DECOMP_DEFLATE
    error: type[Exception] = igzip_lib.IsalError  # type: ignore[assignment]  # its stub declares an instance
    return igzip_lib.IgzipDecompressor(flag), error


def is_gzip(data: bytes) -> bool:
    """Whether the bytes begin as a gzip stream does (RFC 1952)."""
    return data[:2] == _GZIP_MAGIC


class PlainStream:
    """Bytes that are not compressed, read as a stream."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self.trailing = 0

    def read(self, size: int) -> bytes:
        """Return the next ``size`` bytes, fewer only at the end."""
        piece = self._data[self._at : self._at + size]
        self._at += len(piece)
        return piece


class GzipStream:
    """The unpacked bytes of a gzip file, which may hold several streams one after the other.

    ``trailing`` is the number of bytes after the last stream that are not zero padding; it is known
    once everything has been read. Clients ignore such bytes, so they are told and not believed.
    """

    def __init__(self, data: bytes, limits: Limits) -> None:
        limits.check_packed(len(data))
        self._data = data
        self._limits = limits
        self._fed = 0
        self._total = 0
        self._streams = 0
        self._ended = False
        self._buffer = b""
        self._at = 0
        self.trailing = 0
        self._open()

    def read(self, size: int) -> bytes:
        """Return the next ``size`` bytes, fewer only at the end.

        Raises:
            ArchiveFault: broken or truncated stream, or a limit is reached.
        """
        have = len(self._buffer) - self._at
        if have >= size:
            piece = self._buffer[self._at : self._at + size]
            self._at += size
            return piece
        pieces = [self._buffer[self._at :]]
        while have < size and not self._ended:
            piece = self._more(max(size - have, _OUTPUT))
            have += len(piece)
            pieces.append(piece)
        whole = pieces[-1] if len(pieces) == 2 and not pieces[0] else b"".join(pieces)
        self._buffer, self._at = whole, min(size, len(whole))
        return whole if len(whole) <= size else whole[:size]

    def _open(self) -> None:
        self._streams += 1
        if self._streams > self._limits.streams:
            raise BoundFault(f"more than {self._limits.streams} gzip streams in one file")
        self._decompressor, self._error = open_decompressor(gzip=True)

    def _more(self, size: int) -> bytes:
        source = self._decompressor
        piece = b""
        if source.needs_input:
            piece = self._data[self._fed : self._fed + _INPUT]
            self._fed += len(piece)
            if not piece:
                raise ArchiveFault("the gzip stream is truncated")
        try:
            out = source.decompress(piece, size)
        except self._error as error:
            raise ArchiveFault(f"the gzip stream is broken: {error}") from None
        self._total += len(out)
        self._limits.check_unpacked(self._total, len(self._data))
        if source.eof:
            self._next(self._fed - len(source.unused_data))
        return out

    def _next(self, end: int) -> None:
        """Go on with the stream that begins at ``end``, or stop there."""
        begin = _after_zeros(self._data, end)
        if is_gzip(self._data[begin : begin + 2]):
            if begin != end:
                # Python's reader goes on after zero padding, Node's stops at it.
                raise ArchiveFault("a gzip stream follows zero padding: clients disagree on it")
            self._fed = end
            self._open()
            return
        self._ended = True
        self.trailing = len(self._data) - begin


def _after_zeros(data: bytes, at: int) -> int:
    while piece := data[at : at + 64 * KIB]:
        rest = piece.lstrip(b"\0")
        if rest:
            return at + len(piece) - len(rest)
        at += len(piece)
    return len(data)


def inflate_member(packed: bytes, size: int, name: str) -> bytes:
    """Return the ``size`` bytes of a deflated zip member.

    Raises:
        ArchiveFault: broken, truncated, or another size than the directory tells.
    """
    source, error_type = open_decompressor(gzip=False)
    try:
        out = source.decompress(packed, size + 1)
        if len(out) <= size and not source.eof and not source.needs_input:
            out += source.decompress(b"", size + 1 - len(out))
    except error_type as error:
        raise ArchiveFault(f"{name[:200]!r}: the deflate stream is broken: {error}") from None
    if len(out) != size or not source.eof or source.unused_data:
        raise ArchiveFault(f"{name[:200]!r}: unpacked size differs from the {size} bytes that the directory tells")
    return out
