"""Where a picture, a sound, a film, a font or a document really ends, by walking its structure; nothing is decoded."""

import re
from functools import cache

STRICT = frozenset({"png", "jpeg", "gif", "wav", "webp"})
"""Formats whose file has a proper end, or is none of theirs."""

ENDED = STRICT | {
    "ttf", "otf", "woff", "woff2", "bmp", "eot", "ico", "cur", "icns", "gltf", "isobmff", "quicktime", "ogg", "aiff",
    "midi", "avi", "pdf",
}  # fmt: skip
"""Formats whose end is known; where one of the others says nothing, nothing is made of it."""


def end_of(name: str, data: bytes) -> int | None:
    """Return the offset behind the last byte that belongs to the format, or None if it has no proper end.

    ``name`` is one of ``ENDED``.
    """
    if name in _SIZED:
        return _sized(name, data)
    if name in ("ttf", "otf"):
        return _tables(data)
    if name == "png":
        return _png(data)
    if name == "jpeg":
        return _jpeg(data)
    if name == "gif":
        return _gif(data)
    return _OTHERS.get(name, _riff)(data)


_SIZED = {
    "woff": (8, "big"),
    "woff2": (8, "big"),
    "bmp": (2, "little"),
    "eot": (0, "little"),
    "icns": (4, "big"),
    "gltf": (8, "little"),
}
"""Format -> where its header says how long the file is (W3C WOFF 1 and 2, EOT; Microsoft's BITMAPFILEHEADER; glTF)."""


def _sized(name: str, data: bytes) -> int | None:
    at, order = _SIZED[name]
    size = int.from_bytes(data[at : at + 4], order)  # type: ignore[arg-type]
    return size if at + 4 < size <= len(data) else None


def _icon(data: bytes) -> int | None:
    """The pictures that the directory of an icon or a cursor lists, wherever they stand."""
    count = int.from_bytes(data[4:6], "little")
    end = 6 + 16 * count
    if not count or end > len(data):
        return None
    for at in range(6, 6 + 16 * count, 16):
        size, start = (int.from_bytes(data[at + place : at + place + 4], "little") for place in (8, 12))
        end = max(end, start + size)
    return end if end <= len(data) else None


def _boxes(data: bytes) -> int | None:
    """Boxes of length, type and data (ISO 14496-12, 4.2), up to what is none."""
    at = 0
    while at + 8 <= len(data) and all(32 <= byte < 127 or byte == 0xA9 for byte in data[at + 4 : at + 8]):
        size = int.from_bytes(data[at : at + 4])
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16])
        if size == 0:
            return len(data)
        if size < 8 or at + size > len(data):
            break
        at += size
    return at or None


def _ogg(data: bytes) -> int | None:
    """Pages, each with a table of the lengths of its segments (RFC 3533, 6)."""
    at = 0
    while data[at : at + 4] == b"OggS" and at + 27 <= len(data):
        table = data[at + 27 : at + 27 + data[at + 26]]
        at += 27 + len(table) + sum(table)
    return at if 0 < at <= len(data) else None


def _aiff(data: bytes) -> int | None:
    """One chunk holds the whole file; its length is padded to even (EA IFF 85)."""
    size = int.from_bytes(data[4:8])
    return min(8 + size + (size & 1), len(data)) if 8 + size <= len(data) else None


def _midi(data: bytes) -> int | None:
    """A header and tracks, each with its length (Standard MIDI Files 1.0)."""
    at = 0
    while data[at : at + 4] in (b"MThd", b"MTrk"):
        at += 8 + int.from_bytes(data[at + 4 : at + 8])
    return at if 0 < at <= len(data) else None


def _pdf(data: bytes) -> int | None:
    """The last line that says that the file ends (ISO 32000, 7.5.5)."""
    at = data.rfind(b"%%EOF")
    return at + 5 if at >= 0 else None


def _avi(data: bytes) -> int | None:
    """RIFF chunks in a row, as long films have them (OpenDML)."""
    at = 0
    while data[at : at + 4] == b"RIFF":
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + size + (size & 1)
    return at if 0 < at <= len(data) else None


_OTHERS = {
    "ico": _icon,
    "cur": _icon,
    "isobmff": _boxes,
    "quicktime": _boxes,
    "ogg": _ogg,
    "aiff": _aiff,
    "midi": _midi,
    "pdf": _pdf,
    "avi": _avi,
}


def _tables(data: bytes) -> int | None:
    """The tables of one font, wherever they stand (OpenType, table directory); collections have several."""
    count = int.from_bytes(data[4:6])
    if data[:4] == b"ttcf" or not count or 12 + 16 * count > len(data):
        return None
    end = 0
    for at in range(12, 12 + 16 * count, 16):
        size = int.from_bytes(data[at + 12 : at + 16])
        end = max(end, int.from_bytes(data[at + 8 : at + 12]) + size + (-size & 3))
    return min(end, len(data)) if end - 3 <= len(data) else None


def _png(data: bytes) -> int | None:
    """Chunks of length, type, data and checksum, up to IEND (PNG specification, 5.3)."""
    at = 8
    while at + 12 <= len(data):
        following = at + 12 + int.from_bytes(data[at : at + 4])
        if following > len(data):
            return None
        if data[at + 4 : at + 8] == b"IEND":
            return following
        at = following
    return None


def behind_pictures(data: bytes, end: int) -> int:
    """Return where the pictures end that cameras append to a JPEG that ends at ``end`` (CIPA DC-007)."""
    while True:
        start = behind_zeros(data, end)
        following = _jpeg(data, start + 2) if data.startswith(b"\xff\xd8", start) else None
        if following is None:
            return end
        end = following


def behind_zeros(data: bytes, at: int) -> int:
    """Return the offset of the next byte that is not zero, or the end."""
    match = _zeros().match(data, at)
    return match.end() if match else at


@cache
def _zeros() -> re.Pattern[bytes]:
    return re.compile(rb"\0*")


def _jpeg(data: bytes, at: int = 2) -> int | None:
    """Segments with a length, and entropy-coded data behind SOS, up to EOI (ITU T.81, annex B)."""
    while at + 2 <= len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xD9:
            return at + 2
        if marker == 0xFF:  # fill byte
            at += 1
        elif marker == 0x01 or 0xD0 <= marker <= 0xD8:
            at += 2
        else:
            at += 2 + max(2, int.from_bytes(data[at + 2 : at + 4]))
            if marker == 0xDA:
                at = _after_scan(data, at)
    return None


def _after_scan(data: bytes, at: int) -> int:
    """Return the offset of the next marker that is neither stuffing nor a restart."""
    while True:
        at = data.find(b"\xff", at)
        if at < 0 or at + 1 >= len(data):
            return len(data)
        if data[at + 1] != 0 and not 0xD0 <= data[at + 1] <= 0xD7:
            return at
        at += 2


def _gif(data: bytes) -> int | None:
    """Blocks and sub-blocks up to the trailer (GIF89a, 17 to 27)."""
    if len(data) < 13:
        return None
    at = 13 + _colour_table(data[10])
    while at < len(data):
        block = data[at]
        if block == 0x3B:
            return at + 1
        if block == 0x21:
            at = _sub_blocks(data, at + 2)
        elif block == 0x2C and at + 10 <= len(data):
            at = _sub_blocks(data, at + 11 + _colour_table(data[at + 9]))
        else:
            return None
    return None


def _colour_table(flags: int) -> int:
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _sub_blocks(data: bytes, at: int) -> int:
    while at < len(data) and data[at]:
        at += data[at] + 1
    return at + 1


def _riff(data: bytes) -> int | None:
    """One RIFF chunk holds the whole file; its length is padded to even."""
    size = int.from_bytes(data[4:8], "little")
    end = 8 + size + (size & 1)
    return min(end, len(data)) if 8 + size <= len(data) else None
