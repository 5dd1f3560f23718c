"""One member of an archive, as its reader saw it; names are still the archive's own."""

from enum import Enum

from msgspec import Struct


class EntryKind(Enum):
    """What a member is. Links and devices are named, never followed or made."""

    FILE = 1
    FOLDER = 2
    LINK = 3
    DEVICE = 4
    NOTE = 5  # not a member: something odd about the archive as a whole


class Entry(Struct, frozen=True):
    """One member, in archive order.

    ``data`` holds the bytes of a FILE. ``odd`` lists (oddity kind, detail) that the reader noticed.
    """

    kind: EntryKind
    name: str
    data: bytes = b""
    executable: bool = False
    odd: tuple[tuple[str, str], ...] = ()


def decode_name(raw: bytes) -> str:
    """Return a member's name as text; bytes that are not UTF-8 become U+FFFD, as in npm."""
    return raw.decode("utf-8", "replace")
