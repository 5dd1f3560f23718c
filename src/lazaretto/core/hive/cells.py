"""The cells of a hive: keys, their values, and the data of these, from bytes that may say anything.

Nothing is believed: an offset leads into the file or nowhere, a list is as long as the cell that it lies in, and every
step is counted. The hints by which Windows finds a name (its first letters, its hash) are not looked at, so that nobody
hides a key behind a wrong one.
"""

from collections.abc import Iterator
from struct import Struct as Layout
from typing import NamedTuple, TypeAlias

from msgspec import Struct

MAX_STEPS = 4_000_000
"""Keys and values of one hive that are looked at."""

MAX_DATA = 1 << 20
"""Bytes of one value's data that are compared."""

MAX_SEGMENTS = MAX_DATA // 4096
"""Pieces in which the data of one value may lie."""

BASE = 4096
"""Bytes before the first bin: where offsets begin."""

Data: TypeAlias = bytes | bytearray | memoryview
"""The bytes of a hive, or of a log."""

NOTHING = 0xFFFFFFFF
"""An offset that leads nowhere."""

_BASE = Layout("<4sIIQIIIIII")
_CHECKSUM_AT = 508
_SIZE = Layout("<i")
_KEY = Layout("<2sHQ4x7I")
_NAME_AT = 76
_NAME_LENGTH = Layout("<68xH")
_VALUE = Layout("<2sHIIIH2x")
_LIST = Layout("<2sH")
_BIG = Layout("<2sHI")
_WORD = Layout("<I")
_INLINE = 0x80000000
_PIECE = 16344
"""Data of more bytes lies in pieces, from version 1.4 on."""

_MINORS = range(3, 7)
_NARROW_KEY, _NARROW_VALUE = 0x20, 1
LINK, HANDLE = 0x10, 0x40
"""What a key can be besides one: a link to another, or a number in the place of its values."""


class HiveFault(ValueError):
    """Something of a hive that cannot be read: the message says what, for a person."""


class Base(Struct, frozen=True):
    """What the first block of a hive, or of its log, says of it. ``intact``: its checksum is right."""

    primary: int
    secondary: int
    written: int
    minor: int
    kind: int
    root: int
    size: int
    intact: bool

    @property
    def clean(self) -> bool:
        """Whether it was written to its end: nothing of it lies in a log alone."""
        return self.intact and self.primary == self.secondary


class Key(NamedTuple):
    """One key. ``written`` is in FILETIME: tenths of a microsecond since 1601, UTC."""

    offset: int
    name: str
    flags: int
    written: int
    subkeys: int
    subkeys_at: int
    values: int
    values_at: int


class Value(NamedTuple):
    """One value. ``size`` and ``at`` are as stored: data of up to four bytes lies in ``at`` itself."""

    name: str
    kind: int
    size: int
    at: int


def base_of(data: Data) -> Base:
    """Return what the first block says. Raises HiveFault if this is no hive, or one of a version that is not known."""
    if len(data) < _CHECKSUM_AT + 4:
        raise HiveFault("is too short to be a hive")
    signature, primary, secondary, written, major, minor, kind, form, root, size = _BASE.unpack_from(data)
    if signature != b"regf":
        raise HiveFault("does not begin as a hive does")
    intact = checksum(data) == _WORD.unpack_from(data, _CHECKSUM_AT)[0]
    if intact and (major != 1 or minor not in _MINORS or form != 1):
        raise HiveFault(f"is of version {major}.{minor}, format {form}: not known here")
    return Base(primary, secondary, written, minor, kind, root, size, intact)


def checksum(data: Data) -> int:
    """Return the checksum of a first block: its words, joined by *exclusive or*; two outcomes stand for others."""
    found = 0
    for (word,) in _WORD.iter_unpack(data[:_CHECKSUM_AT]):
        found ^= word
    return {0: 1, 0xFFFFFFFF: 0xFFFFFFFE}.get(found, found)


class Cells:
    """The keys and values of one hive. Everything raises HiveFault where it cannot be read.

    ``faults`` are those that did not end a list: the other names of it were read.
    """

    def __init__(self, data: Data) -> None:
        self._data = data
        base = base_of(data)
        self._end = min(len(data), BASE + base.size)
        self._minor = base.minor
        self._steps = 0
        self._names: dict[int, dict[str, list[int]]] = {}
        self._values: dict[int, list[Value]] = {}
        self.faults: dict[str, None] = {}
        self.root = self.key(base.root)

    def spend(self, steps: int = 1) -> None:
        """Count what is looked at, also what was read before: a hive may lead in circles. Raises HiveFault."""
        self._steps += steps
        if self._steps > MAX_STEPS:
            raise HiveFault(f"has more than {MAX_STEPS} keys and values on the way: the rest is not looked at")

    def key(self, offset: int) -> Key:
        """Return the key at an offset."""
        start, end = self._cell(offset)
        if end - start < _NAME_AT:
            raise HiveFault(f"the key at {offset:#x} is cut short")
        signature, flags, written, _, subkeys, _, at, _, values, values_at = _KEY.unpack_from(self._data, start)
        if signature != b"nk":
            raise HiveFault(f"there is no key at {offset:#x}")
        (length,) = _NAME_LENGTH.unpack_from(self._data, start + 4)
        name = self._name(start + _NAME_AT, length, end, narrow=bool(flags & _NARROW_KEY))
        return Key(offset, name, flags, written, subkeys, at, values, values_at)

    def names(self, key: Key) -> dict[str, list[int]]:
        """Return where the keys below one lie, by name, large and small letters taken for the same."""
        known = self._names.get(key.offset)
        if known is None:
            known, count = {}, 0
            for offset in self._listed(key):
                count += 1
                try:
                    known.setdefault(self.key(offset).name.casefold(), []).append(offset)
                except HiveFault as fault:
                    self.faults[str(fault)] = None
            if count != key.subkeys:
                self.faults[f"of {key.subkeys} keys below the one at {key.offset:#x} {count} are listed"] = None
            self._names[key.offset] = known
        return known

    def values(self, key: Key) -> list[Value]:
        """Return the values of a key; none of one that has a number in their place."""
        known = self._values.get(key.offset)
        if known is None:
            known = []
            if not key.values or key.flags & HANDLE:
                return known
            start, end = self._cell(key.values_at)
            if key.values > (end - start) // 4:
                raise HiveFault(f"the list of values at {key.values_at:#x} is cut short")
            for number in range(key.values):
                self.spend()
                try:
                    known.append(self._value(_WORD.unpack_from(self._data, start + 4 * number)[0]))
                except HiveFault as fault:
                    self.faults[str(fault)] = None
            self._values[key.offset] = known
        return known

    def data(self, value: Value) -> bytes:
        """Return the data of a value."""
        size = value.size & ~_INLINE
        if value.size & _INLINE:
            if size > 4:
                raise HiveFault(f"a value says that {size} bytes lie in four")
            return _WORD.pack(value.at)[:size]
        if not size:
            return b""
        if size > MAX_DATA:
            raise HiveFault(f"a value has {size} bytes of data, of which at most {MAX_DATA} are compared")
        start, end = self._cell(value.at)
        if size > _PIECE and self._minor > 3 and self._data[start : start + 2] == b"db":
            return self._joined(start, end, size)
        if size > end - start:
            raise HiveFault(f"the data at {value.at:#x} is cut short")
        return bytes(self._data[start : start + size])

    def _joined(self, start: int, end: int, size: int) -> bytes:
        """Return data that lies in pieces."""
        if end - start < _BIG.size:
            raise HiveFault("the list of a value's pieces is cut short")
        _, count, listed = _BIG.unpack_from(self._data, start)
        start, end = self._cell(listed)
        if count > MAX_SEGMENTS or count > (end - start) // 4:
            raise HiveFault("the list of a value's pieces is cut short")
        pieces = bytearray()
        for number in range(count):
            self.spend()
            begin, until = self._cell(_WORD.unpack_from(self._data, start + 4 * number)[0])
            pieces += self._data[begin : min(until, begin + _PIECE, begin + size - len(pieces))]
        if len(pieces) != size:
            raise HiveFault("the pieces of a value's data are not as long as it is")
        return bytes(pieces)

    def _listed(self, key: Key) -> Iterator[int]:
        """Yield the offsets of the keys below one: from its list, or from the lists that this one names."""
        if not key.subkeys or key.subkeys_at == NOTHING:
            return
        signature, offsets = self._list(key.subkeys_at)
        if signature != b"ri":
            yield from offsets
            return
        for offset in offsets:
            try:
                signature, below = self._list(offset)
            except HiveFault as fault:
                self.faults[str(fault)] = None
                continue
            if signature == b"ri":
                self.faults[f"the list at {offset:#x} is one of lists inside another"] = None
                continue
            yield from below

    def _list(self, offset: int) -> tuple[bytes, Iterator[int]]:
        start, end = self._cell(offset)  # which has room for the head of a list, however small it is
        signature, count = _LIST.unpack_from(self._data, start)
        if signature not in {b"li", b"lf", b"lh", b"ri"}:
            raise HiveFault(f"there is no list of keys at {offset:#x}")
        width = 8 if signature in {b"lf", b"lh"} else 4  # with a hint beside each offset, or without
        start += _LIST.size
        if count > (end - start) // width:
            raise HiveFault(f"the list of keys at {offset:#x} is cut short")
        return signature, self._offsets(start, count, width)

    def _offsets(self, start: int, count: int, width: int) -> Iterator[int]:
        for number in range(count):
            self.spend()
            yield _WORD.unpack_from(self._data, start + width * number)[0]

    def _value(self, offset: int) -> Value:
        start, end = self._cell(offset)
        if end - start < _VALUE.size:
            raise HiveFault(f"the value at {offset:#x} is cut short")
        signature, length, size, at, kind, flags = _VALUE.unpack_from(self._data, start)
        if signature != b"vk":
            raise HiveFault(f"there is no value at {offset:#x}")
        return Value(self._name(start + _VALUE.size, length, end, narrow=bool(flags & _NARROW_VALUE)), kind, size, at)

    def _name(self, start: int, length: int, end: int, *, narrow: bool) -> str:
        if length > end - start:
            raise HiveFault(f"a name before {end:#x} is cut short")
        raw = bytes(self._data[start : start + length])
        return raw.decode("latin-1") if narrow else raw.decode("utf-16-le", "replace")

    def _cell(self, offset: int) -> tuple[int, int]:
        """Return where the content of a cell that is in use begins and ends in the file."""
        start = BASE + offset
        if offset % 8 or start + _SIZE.size > self._end:
            raise HiveFault(f"the cell at {offset:#x} lies nowhere")
        (size,) = _SIZE.unpack_from(self._data, start)
        if size >= 0:
            raise HiveFault(f"the cell at {offset:#x} is not in use")
        if start - size > self._end or -size < 8:
            raise HiveFault(f"the cell at {offset:#x} reaches too far")
        return start + _SIZE.size, start - size
