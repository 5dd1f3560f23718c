"""What lies in the logs of a hive alone: Windows writes changes there first, and into the hive when it has time.

A hive that was not written to its end is recovered as Windows does when it loads one: its first block from a log, if
its own is damaged; then each entry of the logs that is whole, in the order of their numbers, from the first that it may
lack. The logs of older systems hold pages and a map of them. Logs of a hive that is clean say nothing.
"""

from collections.abc import Collection, Iterator, Sequence
from struct import Struct as Layout

from msgspec import Struct

from lazaretto.core.hive.cells import BASE, Base, Data, HiveFault, base_of
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

    data: Data
    gap: str = ""
    applied: int = 0


class _Entry(Struct, frozen=True):
    number: int
    size: int
    pages: tuple[tuple[int, bytes], ...]


def recovered(data: Data, logs: Sequence[Data]) -> Recovered:
    """Return a hive with what its logs add to it. Raises HiveFault if it is none."""
    base = base_of(data)
    if base.kind != _PRIMARY:
        raise HiveFault("is the log of a hive, and no hive")
    if base.clean:
        return Recovered(data)
    known = [(head, log) for log in logs for head in _heads(log)]
    since = base.secondary if base.intact else 0
    entries = {one.number: one for head, log in known if head.kind == _NEW_LOG for one in _entries(log, since)}
    made = bytearray(data)
    if base.intact:
        written, first = {base.written}, since
    else:
        if not known:
            return Recovered(data, "its first block is damaged, and there is no log to mend it from")
        written, first = {base.written, _first_bin_written(data)}, _last_run(entries)
        base = _mended(made, max((head for head, _ in known), key=_primary))
    if entries:
        return _replayed(made, sorted((one for one in entries.values() if one.number >= first), key=_number))
    for head, log in known:
        if head.kind in _OLD_LOGS and head.written in written and _write_pages(made, base, log):
            return Recovered(made, applied=1)
    return Recovered(data, "it was not written to its end, and no log of it has the rest")


def _replayed(made: bytearray, entries: Sequence[_Entry]) -> Recovered:
    """Write entries in their order, as long as none is missing between them."""
    for applied, entry in enumerate(entries):
        if entry.number != entries[0].number + applied:
            return Recovered(made, "an entry of its logs is missing: the latest changes are not seen", applied)
        if not _write(made, entry):
            return Recovered(made, "an entry of its logs lies where no hive reaches: it is not seen", applied)
    return Recovered(made, applied=len(entries))


def _number(entry: _Entry) -> int:
    return entry.number


def _primary(base: Base) -> int:
    return base.primary


def _last_run(entries: Collection[int]) -> int:
    """Return the first of the numbers that lead up to the highest without a gap."""
    number = max(entries, default=0)
    while number - 1 in entries:
        number -= 1
    return number


def _heads(log: Data) -> Iterator[Base]:
    """Yield what the first block of a log says, if it is one that was written to its end."""
    try:
        head = base_of(log)
    except HiveFault:
        return
    if head.clean and (head.kind in _OLD_LOGS or head.kind == _NEW_LOG):
        yield head


def _mended(made: bytearray, head: Base) -> Base:
    """Take version, root and size from the first block of a log, where the hive's own is damaged."""
    made[24:28] = _SIZE.pack(head.minor)
    made[36:44] = _NUMBERS.pack(head.root, head.size)
    return head


def _first_bin_written(data: Data) -> int:
    """Return when a hive was last written, as its first bin says it."""
    if len(data) < BASE + _FIRST_BIN_WRITTEN.size:
        return 0
    found: int = _FIRST_BIN_WRITTEN.unpack_from(data, BASE)[0]
    return found


def _entries(log: Data, since: int) -> Iterator[_Entry]:
    """Yield the entries of a log from a number on, up to the first that is not whole."""
    at = _SECTOR
    while at + _ENTRY.size <= len(log):
        signature, size, _, number, bins, count, first, second = _ENTRY.unpack_from(log, at)
        begin = at + _ENTRY.size + count * _PAGE.size
        end = at + size
        if signature != b"HvLE" or size % _SECTOR or not begin <= end <= len(log):
            return
        if number >= since:
            body = bytes(log[at + _ENTRY.size : end])
            if marvin(bytes(log[at : at + 32])) != second or marvin(body) != first:
                return
            yield _Entry(number, bins, tuple(_pages(body, count)))
        at = end


def _pages(body: bytes, count: int) -> Iterator[tuple[int, bytes]]:
    """Yield where each page of an entry belongs, and the page."""
    at = count * _PAGE.size
    for place, size in _PAGE.iter_unpack(body[:at]):
        yield place, body[at : at + size]
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


def _write_pages(made: bytearray, base: Base, log: Data) -> bool:
    """Write the pages of a log of the old form: a map of them, a bit for each, and then the pages."""
    bits = base.size // _SECTOR
    end = _SECTOR + 4 + -(-bits // 8)
    if log[_SECTOR : _SECTOR + 4] != b"DIRT" or end > len(log):
        return False
    begin = -(-end // _SECTOR) * _SECTOR
    for number, byte in enumerate(log[_SECTOR + 4 : end]):
        for inner in range(8):
            if byte >> inner & 1:
                place = BASE + (8 * number + inner) * _SECTOR
                page = log[begin : begin + _SECTOR]
                if len(page) < _SECTOR or place + _SECTOR > len(made):
                    return False
                made[place : place + _SECTOR] = page
                begin += _SECTOR
    return True
