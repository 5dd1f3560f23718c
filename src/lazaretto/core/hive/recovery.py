"""What lies in the logs of a hive alone: Windows writes changes there first, and into the hive when it has time.

A hive that was not written to its end is recovered as Windows does when it loads one: the first block from a log if its
own is damaged, then every entry of the logs that is whole, in the order of their numbers, from the first that the hive may lack. The
logs of older systems hold pages and a map of them. Logs of a hive that is clean say nothing.
"""

from collections.abc import Iterator, Sequence
from struct import Struct as Layout

from msgspec import Struct

from lazaretto.core.hive.cells import BASE, Base, HiveFault, base_of
from lazaretto.core.hive.marvin import marvin

MAX_GROWTH = 64 << 20
"""Bytes by which a log may make a hive longer."""

_SECTOR = 512
_PRIMARY, _OLD_LOGS, _NEW_LOG = 0, frozenset({1, 2}), 6
_ENTRY = Layout("<4sIIIIIQQ")
_PAGE = Layout("<II")
_NUMBERS = Layout("<II")
_SIZE = Layout("<I")
_FIRST_BIN_WRITTEN = Layout("<20xQ")


class Recovered(Struct, frozen=True):
    """A hive as it is when it is loaded. ``gap`` says what of its latest changes could not be had; empty: nothing."""

    data: bytes | bytearray
    gap: str = ""
    applied: int = 0


class _Entry(Struct, frozen=True):
    number: int
    size: int
    pages: tuple[tuple[int, bytes], ...]


def recovered(data: bytes, logs: Sequence[bytes]) -> Recovered:
    """Return a hive with what its logs add to it. Raises HiveFault if it is none, and no log tells what it was."""
    base = base_of(data)
    if base.kind != _PRIMARY:
        raise HiveFault("is the log of a hive, and no hive")
    if base.clean:
        return Recovered(data)
    known = [(head, log) for log in logs for head in _heads(log)]
    made = bytearray(data)
    if not base.intact:
        newest = max((head for head, _ in known), key=lambda head: head.primary, default=None)
        if newest is None:
            return Recovered(data, "its first block is damaged, and no log of it can be read")
        base = _mended(made, base, newest)
    entries = sorted(
        (entry for head, log in known if head.kind == _NEW_LOG for entry in _entries(log)), key=lambda one: one.number
    )
    applied = 0
    for entry in entries:
        if entry.number < base.secondary or (applied and entry.number < wanted):
            continue
        if applied and entry.number != wanted:
            return Recovered(made, "its logs have a gap: the latest changes are not in them", applied)
        if not _write(made, entry):
            return Recovered(made, "its logs say more than it can hold: the latest changes are left out", applied)
        applied += 1
        wanted = entry.number + 1
    if not applied:
        for head, log in known:
            if head.kind in _OLD_LOGS and head.written == _written(made, base) and _write_pages(made, base, log):
                return Recovered(made, applied=1)
        return Recovered(made, "it was not written to its end, and no log of it adds the rest")
    return Recovered(made, applied=applied)


def _heads(log: bytes) -> Iterator[Base]:
    """Yield what the first block of a log says, if it is one that was written to its end."""
    try:
        head = base_of(log)
    except HiveFault:
        return
    if head.clean and (head.kind in _OLD_LOGS or head.kind == _NEW_LOG):
        yield head


def _mended(made: bytearray, base: Base, head: Base) -> Base:
    """Take root and size from the first block of a log, where the hive's own is damaged."""
    made[32:44] = Layout("<III").pack(1, head.root, head.size)
    return Base(head.primary, 0, base.written, head.minor, _PRIMARY, head.root, head.size, intact=True)


def _written(made: bytearray, base: Base) -> int:
    """Return when a hive was written, from its first bin if its first block was damaged."""
    if base.secondary or len(made) < BASE + _FIRST_BIN_WRITTEN.size:
        return base.written
    found: int = _FIRST_BIN_WRITTEN.unpack_from(made, BASE)[0]
    return found


def _entries(log: bytes) -> Iterator[_Entry]:
    """Yield the entries of a log up to the first that is not whole."""
    at = _SECTOR
    while at + _ENTRY.size <= len(log):
        signature, size, _, number, bins, count, first, second = _ENTRY.unpack_from(log, at)
        whole = signature == b"HvLE" and _ENTRY.size <= size <= len(log) - at
        listed = at + _ENTRY.size + count * _PAGE.size
        if not whole or size % _SECTOR or listed > at + size or marvin(log[at : at + 32]) != second:
            return
        if marvin(log[at + _ENTRY.size : at + size]) != first:
            return
        pages = []
        begin = listed
        for place, length in _PAGE.iter_unpack(log[at + _ENTRY.size : listed]):
            if begin + length > at + size:
                return
            pages.append((place, log[begin : begin + length]))
            begin += length
        yield _Entry(number, bins, tuple(pages))
        at += size


def _write(made: bytearray, entry: _Entry) -> bool:
    """Write the pages of an entry; False if they would lie where no hive reaches."""
    end = BASE + entry.size
    if end > len(made) + MAX_GROWTH or any(place + len(page) > entry.size for place, page in entry.pages):
        return False
    if end > len(made):
        made.extend(bytes(end - len(made)))
    for place, page in entry.pages:
        made[BASE + place : BASE + place + len(page)] = page
    made[4:12] = _NUMBERS.pack(entry.number, entry.number)
    made[40:44] = _SIZE.pack(entry.size)
    return True


def _write_pages(made: bytearray, base: Base, log: bytes) -> bool:
    """Write the pages of a log of the old form: a map of them, a bit for each, and then the pages."""
    bits = base.size // _SECTOR
    end = _SECTOR + 4 + -(-bits // 8)
    if log[_SECTOR : _SECTOR + 4] != b"DIRT" or end > len(log):
        return False
    begin = -(-end // _SECTOR) * _SECTOR
    for number, bit in enumerate(int.from_bytes(log[_SECTOR + 4 : end], "little").to_bytes(-(-bits // 8), "little")):
        for inner in range(8):
            if bit >> inner & 1:
                place = BASE + (8 * number + inner) * _SECTOR
                page = log[begin : begin + _SECTOR]
                if len(page) < _SECTOR or place + _SECTOR > len(made):
                    return False
                made[place : place + _SECTOR] = page
                begin += _SECTOR
    return True
