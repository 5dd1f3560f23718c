"""npm's cache (``_cacache``): every archive that a user's npm ever fetched, and when.

The index holds lines of a digest and a JSON record; a record without an integrity takes an earlier one back. An archive
that is cached was downloaded by this user or build, whatever the lockfiles say now; ``npx`` leaves no other trace.

Not seen: whether a script of it ran; what ``npm cache clean`` removed.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from lazaretto.app.inventory.ports import Claim, Disk, Folder, InventoryError, Readers
from lazaretto.core.inventory import Entry, Place, Proof, Unread
from lazaretto.places import _urls

KIND = "npm-cache"
OWNS = ("_cacache",)
READS = ("*/_cacache/index-v*",)

MAX_BUCKET = 16 << 20
"""Largest file of the index, in bytes."""

_INDEX = re.compile(r"index-v\d{1,3}")


class _Record(msgspec.Struct):
    key: str
    integrity: Any = None
    time: Any = None


_DECODER = msgspec.json.Decoder(_Record)


def claim(folder: Folder, disk: Disk, readers: Readers) -> Iterator[Claim]:
    """Yield the cache in a folder."""
    del disk, readers
    if "_cacache" in folder.folders:
        yield Claim(Place(KIND, f"{folder.shown}/_cacache", client="npm"), f"{folder.path}/_cacache")


def read(claim: Claim, disk: Disk, readers: Readers) -> Iterator[Entry | Unread]:
    """Yield every archive that the index names, in the order of its files."""
    del readers
    number = 0
    for index in disk.list(claim.target)[0]:
        if not _INDEX.fullmatch(index):
            continue
        for path in _buckets(f"{claim.target}/{index}", disk):
            try:
                text = disk.read(path, MAX_BUCKET)
            except InventoryError as error:
                yield Unread(0, f"{path.removeprefix(claim.target)}: {error}")
                continue
            for found in _records(text, path.removeprefix(claim.target)):
                if isinstance(found, Unread):
                    yield found
                    continue
                named = _urls.archive(found.key)
                if named is not None:
                    ecosystem, name, version = named
                    at = _instant(found.time)
                    yield Entry(ecosystem, name, version, Proof.CACHED, number, first=at, last=at)
                    number += 1


def _buckets(index: str, disk: Disk) -> Iterator[str]:
    """Yield the files of an index, two folders deep."""
    for first in disk.list(index)[0]:
        for second in disk.list(f"{index}/{first}")[0]:
            yield from (f"{index}/{first}/{second}/{name}" for name in disk.list(f"{index}/{first}/{second}")[1])


def _records(text: bytes, place: str) -> Iterator[_Record | Unread]:
    """Yield the last record of each key of a file; one without an integrity takes the key back."""
    kept: dict[str, _Record] = {}
    for line in text.split(b"\n"):
        body = line.partition(b"\t")[2]
        if not body:
            continue
        try:
            record = _DECODER.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            yield Unread(0, f"{place}: a record is not understood")
            continue
        if record.integrity:
            kept[record.key] = record
        else:
            kept.pop(record.key, None)
    yield from kept.values()


def _instant(value: object) -> datetime | None:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < 4e12:
        return None
    return datetime.fromtimestamp(value / 1000, UTC)
