"""The digests by which a sweep recognises files: of each kind that an indicator names."""

from collections.abc import Iterator, Sequence
from hashlib import new
from typing import BinaryIO

from lazaretto.core.host import DIGESTS, Sought
from lazaretto.core.intel import IndicatorKind
from lazaretto.infra.sealed import SealedError

MAX_FILE = 256 << 20
"""Largest file that is hashed, in bytes."""


def kinds_of(wanted: Sought) -> tuple[IndicatorKind, ...]:
    """Return the kinds of digests that are asked for."""
    return tuple(kind for kind in DIGESTS if any(one.kind is kind for one in wanted.digests.values()))


def digests_of(file: BinaryIO, kinds: Sequence[IndicatorKind]) -> Iterator[str]:
    """Yield the digests of a file, of each of these kinds. Raises OSError, SealedError."""
    digests = [new(kind.value, usedforsecurity=False) for kind in kinds]
    size = 0
    while piece := file.read(1 << 20):
        size += len(piece)
        if size > MAX_FILE:
            raise SealedError(f"larger than {MAX_FILE} bytes: not hashed")
        for one in digests:
            one.update(piece)
    yield from (one.hexdigest() for one in digests)
