"""The names in a zip, from its end alone: nothing of it is unpacked."""

import struct

from lazaretto.app.inventory.ports import Disk, InventoryError

MAX_DIRECTORY = 4 << 20
"""Bytes from the end of a zip in which its directory has to lie; of a longer one the last names are seen."""

MAX_NAMES = 20_000
"""Names of one zip that are looked at."""

_END, _ENTRY = b"PK\5\6", b"PK\1\2"
_HEAD = 46


def names(path: str, disk: Disk) -> list[str]:
    """Return the names that the directory of a zip lists. Raises InventoryError if it is none."""
    data = disk.tail(path, MAX_DIRECTORY)
    end = data.rfind(_END)
    if end < 0 or len(data) < end + 22:
        raise InventoryError("it is no whole zip")
    count, size = struct.unpack("<HI", data[end + 10 : end + 16])
    at = max(0, end - size)
    found: list[str] = []
    while len(found) < min(count, MAX_NAMES) and data[at : at + 4] == _ENTRY and at + _HEAD <= end:
        name, extra, comment = struct.unpack("<HHH", data[at + 28 : at + 34])
        found.append(data[at + _HEAD : at + _HEAD + name].decode("utf-8", "replace"))
        at += _HEAD + name + extra + comment
    return found
