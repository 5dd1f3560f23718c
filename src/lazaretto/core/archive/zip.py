"""Reading zip (APPNOTE 6.3.10, zip64 included) by its central directory. Bytes in, entries out.

Some installers read the central directory, others the local headers as they stream by. Both must
tell the same story here: a local header that differs, members that overlap, and members that the
directory does not name are refused.
"""

import struct
from collections.abc import Iterator
from zlib import crc32

from msgspec import Struct

from lazaretto.core.archive.entry import Entry, EntryKind, decode_name
from lazaretto.core.archive.inflate import inflate_member
from lazaretto.core.archive.limits import ArchiveFault, Limits

_END = struct.Struct("<4s4H2LH")
_END_MARK = b"PK\x05\x06"
_END64 = struct.Struct("<4sQ2H2L4Q")
_END64_MARK = b"PK\x06\x06"
_LOCATOR = struct.Struct("<4sLQL")
_LOCATOR_MARK = b"PK\x06\x07"
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_CENTRAL_MARK = b"PK\x01\x02"
_LOCAL = struct.Struct("<4s5H3L2H")
_LOCAL_MARK = b"PK\x03\x04"
_DESCRIPTOR_MARK = b"PK\x07\x08"
_MAX_COMMENT = 0xFFFF
_FULL16, _FULL32 = 0xFFFF, 0xFFFFFFFF
_ENCRYPTED, _DESCRIPTOR, _UTF8 = 0x1 | 0x40 | 0x2000, 0x8, 0x800
_STORED, _DEFLATED, _PATCH = 0, 8, 0x20
_NEWEST = 63  # version of the format, times ten; zipfile refuses later ones
_ZIP64_EXTRA, _UNICODE_PATH_EXTRA = 0x0001, 0x7075


class _End(Struct, frozen=True):
    """Where the central directory is; ``shift`` is what stands before the archive proper."""

    directory: int
    size: int
    count: int
    shift: int
    trailing: int


class _Record(Struct, frozen=True):
    """One entry of the central directory."""

    raw_name: bytes
    name: str
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    mode: int
    local: int


def read_zip(data: bytes, limits: Limits) -> Iterator[Entry]:
    """Yield the members of a zip archive in the order of its directory.

    Raises:
        ArchiveFault: broken, encrypted, over a limit, overlapping, or contradicting itself.
    """
    limits.check_packed(len(data))
    try:
        end = _find_end(data)
        records = tuple(_directory(data, end, limits))
        spans = [_local_span(data, record) for record in records]
    except struct.error:
        raise ArchiveFault("the zip is truncated inside a record") from None
    notes = _check_layout(data, end, records, spans)
    total = 0
    for record, (start, _, _) in zip(records, spans, strict=True):
        total += record.size
        limits.check_unpacked(total, len(data))
        yield _member(data, record, start, limits)
    if notes:
        yield Entry(kind=EntryKind.NOTE, name="", odd=notes)


def _find_end(data: bytes) -> _End:
    """Find the end record; a second candidate that also fits is refused as ambiguous."""
    floor = max(0, len(data) - _END.size - _MAX_COMMENT)
    at = data.rfind(_END_MARK, floor)
    if at < 0 or at + _END.size > len(data):
        raise ArchiveFault("not a zip: it has no end record")
    other = data.rfind(_END_MARK, floor, at)
    while other >= 0:
        if _comment_end(data, other) == len(data):
            raise ArchiveFault("the zip has two end records: clients disagree on them")
        other = data.rfind(_END_MARK, floor, other)
    _, disk, start_disk, here, count, size, offset, _ = _END.unpack_from(data, at)
    trailing = max(0, len(data) - _comment_end(data, at))
    if disk != start_disk or here != count or disk not in (0, _FULL16):
        raise ArchiveFault("the zip is one of several disks")
    behind = at
    if data[at - _LOCATOR.size : at - _LOCATOR.size + 4] == _LOCATOR_MARK and at >= _LOCATOR.size:
        behind, count, size, offset = _end64(data, at, count, size, offset)
    elif count == _FULL16 or _FULL32 in (size, offset):
        raise ArchiveFault("the zip needs a zip64 end record and has none")
    shift = behind - size - offset
    if shift < 0:
        raise ArchiveFault("the zip's directory lies outside the file")
    return _End(directory=behind - size, size=size, count=count, shift=shift, trailing=trailing)


def _comment_end(data: bytes, at: int) -> int:
    return at + _END.size + int.from_bytes(data[at + 20 : at + 22], "little")


def _end64(data: bytes, at: int, count: int, size: int, offset: int) -> tuple[int, int, int, int]:
    """Return where the zip64 end record stands, and its count, size and offset of the directory."""
    _, disk, _, disks = _LOCATOR.unpack_from(data, at - _LOCATOR.size)
    where = at - _LOCATOR.size - _END64.size
    if where < 0 or data[where : where + 4] != _END64_MARK or disk or disks > 1:
        raise ArchiveFault("the zip's zip64 end record is not where it must be")
    _, length, _, _, disk, start_disk, here, total, size64, offset64 = _END64.unpack_from(data, where)
    if length != _END64.size - 12 or disk or start_disk or here != total:
        raise ArchiveFault("the zip's zip64 end record is broken")
    for small, large, full in ((count, total, _FULL16), (size, size64, _FULL32), (offset, offset64, _FULL32)):
        if small not in (large, full):
            raise ArchiveFault("the zip's two end records contradict each other")
    return where, total, size64, offset64


def _directory(data: bytes, end: _End, limits: Limits) -> Iterator[_Record]:
    limits.check_members(end.count)
    at, stop = end.directory, end.directory + end.size
    for _ in range(end.count):
        fields = _CENTRAL.unpack_from(data, at)
        mark, _, needed, flags, method, _, _, crc, packed, size, named, extra, comment, _, _, external, local = fields
        follows = at + _CENTRAL.size
        at = follows + named + extra + comment
        if mark != _CENTRAL_MARK or at > stop:
            raise ArchiveFault("the zip's directory is broken")
        raw = data[follows : follows + named]
        extras = _extras(data[follows + named : follows + named + extra])
        size, packed, local = _widen(extras, size, packed, local)
        name = _name(raw, flags, extras)
        if flags & _ENCRYPTED:
            raise ArchiveFault(f"{name[:200]!r} is encrypted")
        if method not in (_STORED, _DEFLATED) or flags & _PATCH or needed & 0xFF > _NEWEST:
            raise ArchiveFault(f"{name[:200]!r} is packed in a way that is not read (method {method})")
        yield _Record(raw, name, flags, method, crc, packed, size, external >> 16, local + end.shift)
    if at != stop:
        raise ArchiveFault("the zip's directory holds more than its entries")


def _extras(raw: bytes) -> dict[int, bytes]:
    extras: dict[int, bytes] = {}
    at = 0
    while at + 4 <= len(raw):
        tag, length = raw[at] | raw[at + 1] << 8, raw[at + 2] | raw[at + 3] << 8
        if tag in extras and tag in (_ZIP64_EXTRA, _UNICODE_PATH_EXTRA):
            raise ArchiveFault("a zip entry has an extra field twice")
        extras[tag] = raw[at + 4 : at + 4 + length]
        at += 4 + length
    return extras


def _widen(extras: dict[int, bytes], *values: int) -> tuple[int, ...]:
    """Return the values, those that are all ones replaced by the zip64 extra field's, in its order."""
    if _FULL32 not in values:
        return values
    wide = extras.get(_ZIP64_EXTRA, b"")
    widened = []
    for value in values:
        if value != _FULL32:
            widened.append(value)
            continue
        if len(wide) < 8:
            raise ArchiveFault("a zip entry lacks its zip64 sizes")
        widened.append(int.from_bytes(wide[:8], "little"))
        wide = wide[8:]
    return tuple(widened)


def _name(raw: bytes, flags: int, extras: dict[int, bytes]) -> str:
    if b"\0" in raw:
        raise ArchiveFault(f"{raw[:100]!r}: a zip name with a NUL is cut by some clients and not by others")
    name = decode_name(raw) if flags & _UTF8 else raw.decode("cp437")
    # Info-ZIP's second name (version, CRC-32 of the first, UTF-8) wins in some clients.
    second = extras.get(_UNICODE_PATH_EXTRA)
    if second is not None and second[5:] not in (raw, name.encode()):
        raise ArchiveFault(f"{name[:200]!r} has a second name: clients disagree on it")
    return name


def _local_span(data: bytes, record: _Record) -> tuple[int, int, int]:
    """Return (start of the bytes, their end, end with descriptor); the local header must agree."""
    fields = _LOCAL.unpack_from(data, record.local)
    mark, _, flags, method, _, _, crc, packed, size, named, extra = fields
    follows = record.local + _LOCAL.size
    start = follows + named + extra
    stop = start + record.packed
    if mark != _LOCAL_MARK or stop > len(data):
        raise ArchiveFault(f"{record.name[:200]!r}: the zip is truncated or its directory points astray")
    told: tuple[int, ...] = (size, packed)
    if _FULL32 in told:
        told = _widen(_extras(data[follows + named : start]), size, packed)
    same = data[follows : follows + named] == record.raw_name and method == record.method
    same = same and not (flags ^ record.flags) & (_ENCRYPTED | _DESCRIPTOR | _UTF8)
    if not flags & _DESCRIPTOR:
        same = same and (*told, crc) == (record.size, record.packed, record.crc)
        end = stop
    else:
        # Where a descriptor follows, the header says nothing (zeros) or the truth.
        same = same and told[0] in (0, record.size) and told[1] in (0, record.packed) and crc in (0, record.crc)
        end = _descriptor_end(data, stop, record)
    if not same:
        raise ArchiveFault(f"{record.name[:200]!r}: local header and directory contradict each other")
    return start, stop, end


def _descriptor_end(data: bytes, at: int, record: _Record) -> int:
    crc = record.crc.to_bytes(4, "little")
    for mark in (_DESCRIPTOR_MARK, b""):
        for width in (4, 8):
            if record.packed >> (8 * width) or record.size >> (8 * width):
                continue
            sizes = record.packed.to_bytes(width, "little") + record.size.to_bytes(width, "little")
            if data.startswith(mark + crc + sizes, at):
                return at + len(mark) + 4 + 2 * width
    raise ArchiveFault(f"{record.name[:200]!r}: the data descriptor contradicts the directory")


def _check_layout(
    data: bytes, end: _End, records: tuple[_Record, ...], spans: list[tuple[int, int, int]]
) -> tuple[tuple[str, str], ...]:
    """Refuse overlaps and hidden members; tell of bytes that belong to nothing."""
    at = 0
    notes = []
    for begin, stop in sorted((record.local, span[2]) for record, span in zip(records, spans, strict=True)):
        if begin < at:
            raise ArchiveFault("members of the zip overlap")
        notes += _gap(data, at, begin)
        at = stop
    if at > end.directory:
        raise ArchiveFault("a member of the zip overlaps the directory")
    notes += _gap(data, at, end.directory)
    if end.trailing:
        notes.append(("trailing-data", f"{end.trailing} bytes after the zip"))
    return tuple(notes)


def _gap(data: bytes, start: int, stop: int) -> list[tuple[str, str]]:
    if start == stop:
        return []
    if data.find(_LOCAL_MARK, start, stop) >= 0:
        raise ArchiveFault("the zip holds a member that its directory does not name")
    return [("trailing-data", f"{stop - start} bytes at offset {start} that belong to no member")]


def _member(data: bytes, record: _Record, start: int, limits: Limits) -> Entry:
    if record.name.endswith("/"):
        if record.size:
            raise ArchiveFault(f"{record.name[:200]!r} is a folder with contents: clients disagree on it")
        return Entry(kind=EntryKind.FOLDER, name=record.name)
    limits.check_file(record.name, record.size)
    packed = data[start : start + record.packed]
    if record.method == _DEFLATED:
        if record.size > limits.ratio_floor:
            limits.check_unpacked(record.size, max(1, record.packed))
        unpacked = inflate_member(packed, record.size, record.name)
    else:
        unpacked = packed
    if len(unpacked) != record.size or crc32(unpacked) != record.crc:
        raise ArchiveFault(f"{record.name[:200]!r} has a wrong size or checksum")
    # A link in a zip is a mode only: pip writes the link's text as an ordinary file, so that is read.
    linked = record.mode & 0o170000 == 0o120000
    odd = (("link", "a symbolic link by its mode; unpacked as a file"),) if linked else ()
    return Entry(EntryKind.FILE, record.name, unpacked, executable=bool(record.mode & 0o111), odd=odd)
