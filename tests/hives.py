"""Hives of Windows' registry, and their logs, as small as they can be: inert, written for the tests alone."""

import struct
from collections.abc import Sequence
from typing import NamedTuple

from lazaretto.core.hive.cells import checksum
from lazaretto.core.hive.marvin import marvin

WRITTEN = 134_193_906_000_000_000
"""2026-03-31T00:30:00Z in tenths of a microsecond since 1601."""

NOTHING = 0xFFFFFFFF


class Value(NamedTuple):
    """A value. A text is written as Windows does; bytes as they are."""

    name: str
    data: str | bytes | int = ""
    kind: int = 0


class Key(NamedTuple):
    """A key with what is in it."""

    name: str
    values: tuple[Value, ...] = ()
    keys: tuple["Key", ...] = ()
    flags: int = 0
    written: int = WRITTEN


def key(name: str, *inside: "Key | Value", flags: int = 0, written: int = WRITTEN) -> Key:
    """Return a key with what is in it."""
    values = tuple(one for one in inside if isinstance(one, Value))
    return Key(name, values, tuple(one for one in inside if isinstance(one, Key)), flags, written)


def path(text: str, *inside: Key | Value) -> Key:
    """Return keys, one below the other, the last with what is in it."""
    *above, name = text.split("\\")
    made = key(name, *inside)
    for other in reversed(above):
        made = key(other, made)
    return made


def hive(*inside: Key | Value, lists: str = "lh", minor: int = 5, numbers: tuple[int, int] = (7, 7)) -> bytes:
    """Return a hive. ``lists``: the form of lists of keys: li, lf, lh, or ri (of lists of two)."""
    return Writer(lists, minor).hive(key("ROOT", *inside, flags=0x0C), numbers)


class Writer:
    """Writes one hive into one bin."""

    def __init__(self, lists: str = "lh", minor: int = 5) -> None:
        self.bins = bytearray(32)
        self._lists = lists
        self._minor = minor

    def cell(self, content: bytes) -> int:
        """Write a cell in use, and return its offset."""
        offset = len(self.bins)
        size = -(-(len(content) + 4) // 8) * 8
        self.bins += struct.pack("<i", -size) + content.ljust(size - 4, b"\0")
        return offset

    def hive(self, root: Key, numbers: tuple[int, int]) -> bytes:
        """Return the whole."""
        at = self.cell(bytes(76 + len(root.name)))  # where Windows has it: first of all
        self.bins[at + 4 : at + 80 + len(root.name)] = self._content(root)
        size = -(-len(self.bins) // 4096) * 4096
        left = size - len(self.bins)
        if left:
            self.bins += struct.pack("<i", left).ljust(left, b"\0")
        self.bins[:32] = struct.pack("<4sIIQQI", b"hbin", 0, size, 0, WRITTEN, 0)
        return based(bytes(self.bins), at, numbers, minor=self._minor)

    def key(self, one: Key) -> int:
        """Write a key with all that is in it."""
        return self.cell(self._content(one))

    def _content(self, one: Key) -> bytes:
        values = [self._value(value) for value in one.values]
        listed = self.cell(struct.pack(f"<{len(values)}I", *values)) if values else NOTHING
        below = [(child.name, self.key(child)) for child in one.keys]
        keys = self.listed(below) if below else NOTHING
        name, narrow = _name(one.name)
        flags = one.flags | (0x20 if narrow else 0)
        head = struct.pack(
            "<2sHQI7I", b"nk", flags, one.written, 0, 0, len(below), 0, keys, NOTHING, len(values), listed
        )
        return head + struct.pack("<II20xHH", NOTHING, NOTHING, len(name), 0) + name

    def listed(self, below: Sequence[tuple[str, int]]) -> int:
        """Write a list of keys."""
        if self._lists == "ri":
            halves = [self._leaf("li", below[at : at + 2]) for at in range(0, len(below), 2)]
            return self.cell(struct.pack(f"<2sH{len(halves)}I", b"ri", len(halves), *halves))
        return self._leaf(self._lists, below)

    def _leaf(self, form: str, below: Sequence[tuple[str, int]]) -> int:
        content = struct.pack("<2sH", form.encode(), len(below))
        for name, offset in below:
            content += struct.pack("<I", offset)
            if form == "lf":
                content += name.encode("latin-1", "replace")[:4].ljust(4, b"\0")
            elif form == "lh":
                content += struct.pack("<I", _hash(name))
        return self.cell(content)

    def _value(self, one: Value) -> int:
        kind, data = one.kind, one.data
        if isinstance(data, str):
            kind, data = kind or 1, f"{data}\0".encode("utf-16-le")
        elif isinstance(data, int):
            kind, data = kind or 4, struct.pack("<I", data)
        name, narrow = _name(one.name)
        size = len(data)
        if size <= 4:
            size, at = size | 0x80000000, int.from_bytes(data, "little")
        elif size > 16344 and self._minor > 3:
            pieces = [self.cell(data[begin : begin + 16344]) for begin in range(0, size, 16344)]
            segments = self.cell(struct.pack(f"<{len(pieces)}I", *pieces))
            at = self.cell(struct.pack("<2sHI", b"db", len(pieces), segments))
        else:
            at = self.cell(data)
        return self.cell(struct.pack("<2sHIIIHH", b"vk", len(name), size, at, kind, int(narrow), 0) + name)


def based(bins: bytes, root: int, numbers: tuple[int, int], minor: int = 5, kind: int = 0) -> bytes:
    """Return bins with the first block before them."""
    head = struct.pack("<4sIIQIIIIIII", b"regf", *numbers, WRITTEN, 1, minor, kind, 1, root, len(bins), 1)
    return _summed(head.ljust(4096, b"\0")) + bins


def _summed(block: bytes) -> bytes:
    return block[:508] + struct.pack("<I", checksum(block)) + block[512:]


def log(before: bytes, after: Sequence[bytes], first: int) -> bytes:
    """Return a log of the newer form: what led from one hive to the next, each step an entry."""
    made = bytearray(
        _summed(before[:4] + struct.pack("<II", first, first) + before[12:28] + b"\x06\0\0\0" + before[32:])[:512]
    )
    for number, hive_after in enumerate(after, first):
        old, new = before[4096:], hive_after[4096:]
        places = [at for at in range(0, len(new), 4096) if old[at : at + 4096] != new[at : at + 4096]]
        made += entry(number, len(new), [(at, new[at : at + 4096]) for at in places])
        before = hive_after
    return bytes(made)


def entry(number: int, size: int, pages: Sequence[tuple[int, bytes]]) -> bytes:
    """Return one entry of a log."""
    body = b"".join(struct.pack("<II", at, len(page)) for at, page in pages) + b"".join(page for _, page in pages)
    body = body.ljust(-(-(len(body) + 40) // 512) * 512 - 40, b"\0")
    head = struct.pack("<4sIIIIIQ", b"HvLE", len(body) + 40, 0, number, size, len(pages), marvin(body))
    return head + struct.pack("<Q", marvin(head)) + body


def old_log(before: bytes, after: bytes) -> bytes:
    """Return a log of the older form: a map of pages, and the pages."""
    head = _summed(before[:4] + struct.pack("<II", 9, 9) + before[12:28] + b"\x01\0\0\0" + before[32:])[:512]
    old, new = before[4096:], after[4096:]
    dirty = [old[at : at + 512] != new[at : at + 512] for at in range(0, len(old), 512)]
    bits = sum(1 << number for number, one in enumerate(dirty) if one).to_bytes(-(-len(dirty) // 8), "little")
    listed = b"DIRT" + bits
    pages = b"".join(new[512 * number : 512 * number + 512] for number, one in enumerate(dirty) if one)
    return head + listed.ljust(-(-len(listed) // 512) * 512, b"\0") + pages


def _name(text: str) -> tuple[bytes, bool]:
    try:
        return text.encode("latin-1"), True
    except UnicodeEncodeError:
        return text.encode("utf-16-le"), False


def _hash(name: str) -> int:
    found = 0
    for letter in name.upper():
        found = (37 * found + ord(letter)) & 0xFFFFFFFF
    return found
