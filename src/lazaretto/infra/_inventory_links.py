"""Which entry of a place needs which, as the inventory keeps it: one packed value for each place.

A thousand pins have some two thousand such links. As rows of a table, those of ten million pins would double the file,
and are never searched: whoever asks about a place walks it from one of its entries.
"""

import zlib
from collections.abc import Iterable, Mapping

import msgspec

from lazaretto.core.inventory import Entry

Links = Mapping[int, tuple[int, ...]]
"""Of each entry of a place, by number, those that need it; -1 stands for the project."""

MAX_PACKED = 256 << 20
"""Links of one place, in bytes, unpacked."""

_LINKS = msgspec.msgpack.Decoder(dict[int, tuple[int, ...]])
_PROJECT = -1


def of_entries(entries: Iterable[Entry]) -> Links:
    """Return the links of entries that were read: what is no entry of the place is left out."""
    found = {one.number: one.owners for one in entries}
    return {
        number: tuple(owner for owner in owners if owner == _PROJECT or owner in found)
        for number, owners in found.items()
        if owners
    }


def carried(before: Links, now: Links, moved: Mapping[int, int], ended: frozenset[int]) -> Links:
    """Return the links of a place that was read anew: those of what it no longer has are kept.

    Args:
        before: links by the numbers that entries had.
        now: links by the numbers that they have.
        moved: from the number that an entry had to the one that it has.
        ended: the new numbers of what the place no longer has.
    """
    found = dict(now)
    for one, owners in before.items():
        number = moved.get(one)
        if number is None:
            continue
        those = [_PROJECT if owner == _PROJECT else moved[owner] for owner in owners if owner in moved or owner < 0]
        if number not in ended:  # what both still are is told by what was read now
            those = [owner for owner in those if owner in ended]
        if those:
            found[number] = tuple(sorted({*found.get(number, ()), *those}))
    return found


def packed(links: Links) -> bytes:
    """Return links as they are written."""
    return zlib.compress(msgspec.msgpack.encode(links), 1)


def unpacked(data: bytes) -> Links:
    """Return links that were written. Raises ValueError if they are not whole."""
    taken = zlib.decompressobj()
    try:
        found = taken.decompress(data, MAX_PACKED)
        if taken.unconsumed_tail or not taken.eof:
            raise ValueError("the links of a place are not whole")
        return _LINKS.decode(found)
    except (zlib.error, msgspec.DecodeError) as error:
        raise ValueError(f"the links of a place are not whole: {error}") from error
