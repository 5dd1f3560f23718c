"""Marvin32, the hash by which an entry of a hive's log shows that it was written to its end."""

from struct import Struct as Layout

SEED = 0x82EF4D887A4E55C5
_MASK = 0xFFFFFFFF
_WORDS = Layout("<I")


def marvin(data: bytes, seed: int = SEED) -> int:
    """Return the hash of some bytes: 64 bits."""
    low, high = seed & _MASK, seed >> 32
    whole = len(data) & ~3
    tail = int.from_bytes(data[whole:] + b"\x80", "little")
    # Inlined: a log may be some million words long.
    for (word,) in (*_WORDS.iter_unpack(data[:whole]), (tail,), (0,)):
        low = (low + word) & _MASK
        high ^= low
        low = (((low << 20) | (low >> 12)) + high) & _MASK
        high = ((high << 9) | (high >> 23)) & _MASK
        high ^= low
        low = (((low << 27) | (low >> 5)) + high) & _MASK
        high = ((high << 19) | (high >> 13)) & _MASK
    return high << 32 | low
