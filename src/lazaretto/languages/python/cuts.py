"""Large files in pieces that are known by their content, so that the cost of a new version follows what it changed.

A file is cut before statements at column 0 whose line hashes to a boundary; the place of a boundary depends on the text
around it alone, so an insertion moves no other cut. Cuts stand only if each of them parses without error; otherwise the
file is read whole. Facts are the same either way.
"""

import re
from functools import cache
from hashlib import sha256
from zlib import crc32

from msgspec import DecodeError, msgpack

from lazaretto.core.language import Units
from lazaretto.core.names import sha256_digest
from lazaretto.languages.python.lower import Lowerer, Slot
from lazaretto.languages.python.program import Piece, lower_piece

SMALL = 64 * 1024
"""Files up to this many bytes are read whole."""

_LEAST = 8 * 1024
_MOST = 64 * 1024
_EVERY = 8

_BROKEN = b"\xc0"  # msgpack's nil: this cut does not parse alone


@cache
def _anchors() -> re.Pattern[bytes]:
    return re.compile(rb"\n(?:def |class |import |from |@|async def )[^\n]*")


def cut_offsets(data: bytes) -> list[int]:
    """Return where the pieces of a file start; the first is 0."""
    starts = [0]
    for match in _anchors().finditer(data):
        start = match.start() + 1
        size = start - starts[-1]
        if size < _LEAST or (size < _MOST and crc32(match.group()[1:]) % _EVERY):
            continue
        if data[start : start + 1] != b"@" and _belongs_above(data, start):
            continue
        starts.append(start)
    return starts


def _belongs_above(data: bytes, start: int) -> bool:
    """Whether a definition stands right behind the lines of a decorator."""
    end = start - 1
    line = data[data.rfind(b"\n", 0, max(end, 0)) + 1 : max(end, 0)]
    return line.startswith((b"@", b")", b"]", b"#")) or line.rstrip().endswith(b"\\")


def pieces_of(data: bytes, dialect: str, units: Units) -> list[Piece] | None:
    """Return the lowered cuts of a file, from memory where they are known; None if it cannot be cut."""
    starts = cut_offsets(data)
    if len(starts) < 2:
        return None
    parts = [data[start:end] for start, end in zip(starts, [*starts[1:], len(data)], strict=True)]
    digests = [sha256_digest(sha256(part).hexdigest()) for part in parts]
    known = units.get(dialect, dict.fromkeys(digests))
    if any(known.get(digest) == _BROKEN for digest in digests):
        return None
    pieces: list[Piece] = []
    for start, part, digest in zip(starts, parts, digests, strict=True):
        piece = _remembered(known.get(digest), part, start)
        if piece is None:
            piece = lower_piece(part, start)
            if piece.errors:
                units.put(dialect, digest, _BROKEN)
                return None
            piece.digest = digest
        pieces.append(piece)
    return pieces


def remember(pieces: list[Piece], dialect: str, units: Units) -> None:
    """Write down the new cuts of a file that was read, with the bodies of those functions that were of interest."""
    for piece in pieces:
        if piece.digest is None:
            continue
        try:
            units.put(dialect, piece.digest, msgpack.encode([piece.block, piece.marks, piece.problems], enc_hook=_flat))
        except RecursionError:
            continue  # nested too deep to be written down: read again next time


def _flat(value: object) -> object:
    if isinstance(value, Slot):
        return [value.start, value.end, value.inner, value.block, value.problems]
    raise TypeError(type(value).__name__)


def _remembered(unit: bytes | None, data: bytes, base: int) -> Piece | None:
    if unit is None:
        return None
    try:
        block, marks, problems = msgpack.decode(unit)
        told = [(offset, reason) for offset, reason in problems]
        return Piece(data, base, block, [tuple(mark) for mark in marks], told, errors=False, lowerer=Lowerer(data))
    except (DecodeError, ValueError, TypeError, RecursionError):
        return None  # not ours, or damaged: as good as forgotten
