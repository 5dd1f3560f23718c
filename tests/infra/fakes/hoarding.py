"""A language that has no room for a second file, and none at all for one that is too large."""

import ctypes

from lazaretto.core.facts import Facts
from lazaretto.core.language import Claim, Units

ID = "hoarding"
VERSION = 1
DIALECTS = ("hoarded", "hoarded-politely")

_read: list[bytes] = []


def claim(path: str, data: bytes) -> Claim | None:
    """Offer nothing."""
    return None


def read(dialect: str, data: bytes, units: Units) -> Facts:
    """Read one file, and die of the next one, as C does that is given no memory, or as Python does."""
    if _read or data == b"too large":
        if dialect == "hoarded":
            ctypes.string_at(0)
        raise MemoryError
    _read.append(data)
    return Facts(data.decode())
