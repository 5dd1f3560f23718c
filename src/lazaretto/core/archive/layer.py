"""One layer of a container image, as Go's tar reader unpacks it: names, what is taken away, and the contents asked for.

A layer may hold gigabytes of which a few kilobytes are of interest: everything else is passed over, never held. Where
``tar.py`` refuses what two clients read differently, a layer has one reader, and only what is broken ends it.
"""

from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import Protocol

from msgspec import Struct

from lazaretto.core.archive.limits import ArchiveFault

MAX_HEADER = 1 << 20
"""Largest extended header of a member, in bytes."""

MAX_DEPTH = 200
"""Folders of a path in a layer."""

MAX_NAME = 4096
"""Longest path in a layer, in characters."""

_BLOCK = 512
_DIGITS = 20
_FILES = b"0\x007S"
_HIDES = ".wh."
_OPAQUE = ".wh..wh..opq"


class Source(Protocol):
    """Where the unpacked bytes of a layer come from."""

    def read(self, size: int) -> bytes:
        """Return the next ``size`` bytes, fewer only at the end. Raises ArchiveFault."""
        ...

    def skip(self, size: int) -> int:
        """Pass over ``size`` bytes and return how many there were. Raises ArchiveFault."""
        ...


class Layered(Enum):
    """What a member of a layer is. HIDES takes away what lies below by this name, OPAQUE all that lies in a folder."""

    FILE = "file"
    FOLDER = "folder"
    SAME = "hard link"
    OTHER = "link or device"
    HIDES = "whiteout"
    OPAQUE = "opaque whiteout"


class Member(Struct, frozen=True):
    """One member. ``path`` has no slash at its ends; ``target`` is what a hard link is the same as.

    ``modified`` is in seconds. ``data`` is None of a file that was not asked for.
    """

    kind: Layered
    path: str
    size: int = 0
    modified: float = 0.0
    target: str = ""
    data: bytes | None = None


def members(source: Source, wanted: Callable[[str, int], bool]) -> Iterator[Member]:
    """Yield the members of a layer in their order; ``wanted`` says of path and size whether contents are kept.

    It is asked once for each file, when the source stands at its first byte.

    Raises:
        ArchiveFault: truncated, a wrong checksum, a header that is broken or too large. What came before it counts.
    """
    extended: dict[str, str] = {}
    while (block := _header(source)) is not None:
        flag, size = block[156], _number(block[124:136])
        if flag in b"xXgLK":
            records = _extension(source, flag, size)
            if flag != ord("g"):
                extended |= records
            continue
        path = _path(extended.get("path") or _name(block))
        told = extended.get("size", "")
        size = int(told) if told.isdecimal() and len(told) < _DIGITS else size
        target = extended.get("linkpath") or _text(block[157:257])
        kept = flag in _FILES and path is not None and wanted(path, size)
        held = size if flag in _FILES or flag not in b"123456" else 0
        data = None
        if kept:
            data = _take(source, held)
        else:
            _pass(source, held)
        if path is not None:
            yield _member(block, flag, path, size, target, data)
        extended = {}


def _member(block: bytes, flag: int, path: str, size: int, target: str, data: bytes | None) -> Member:
    folder, _, name = path.rpartition("/")
    if name == _OPAQUE:
        return Member(Layered.OPAQUE, folder)
    if name.startswith(_HIDES):
        return Member(Layered.HIDES, f"{folder}/{name[4:]}".lstrip("/"))
    if flag == ord("5"):
        return Member(Layered.FOLDER, path)
    if flag == ord("1"):
        return Member(Layered.SAME, path, target=_path(target) or "")
    if flag not in _FILES:
        return Member(Layered.OTHER, path)
    return Member(Layered.FILE, path, size, float(_number(block[136:148])), "", data)


def _header(source: Source) -> bytes | None:
    """Return the next header, None at the end mark or where the stream ends."""
    block = source.read(_BLOCK)
    if not block.strip(b"\0"):
        return None
    if len(block) < _BLOCK:
        raise ArchiveFault("the layer is truncated inside a header")
    if _number(block[148:156]) != sum(block) - sum(block[148:156]) + 256:
        raise ArchiveFault("a header of the layer has a wrong checksum")
    return block


def _path(name: str) -> str | None:
    """Return a path without ``.`` and slashes at its ends; None for the root and what would lead out of it."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if not parts or ".." in parts or len(parts) > MAX_DEPTH or len(name) > MAX_NAME or "\0" in name:
        return None
    return "/".join(parts)


def _name(block: bytes) -> str:
    prefix = _text(block[345:500]) if block[257:263] == b"ustar\0" else ""
    return f"{prefix}/{_text(block[:100])}" if prefix else _text(block[:100])


def _text(raw: bytes) -> str:
    return raw.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def _number(raw: bytes) -> int:
    """Return a number of a header: octal, or base-256 if the top bit of the first byte is set; never below zero."""
    if raw[0] & 0x80:
        return 0 if raw[0] == 0xFF else int.from_bytes(bytes([raw[0] & 0x7F]) + raw[1:], "big")
    text = raw.partition(b"\0")[0].strip()
    if text.strip(b"01234567"):
        raise ArchiveFault("a header of the layer has a broken number")
    return int(text, 8) if text else 0


def _extension(source: Source, flag: int, size: int) -> Mapping[str, str]:
    if size > MAX_HEADER:
        raise ArchiveFault(f"an extended header of the layer has more than {MAX_HEADER} bytes")
    data = _take(source, size)
    if flag in b"LK":
        return {"path" if flag == ord("L") else "linkpath": _text(data)}
    records: dict[str, str] = {}
    while data.strip(b"\0"):
        length, _, rest = data[:20].partition(b" ")
        if not length.isdigit() or not rest or not len(length) + 2 < int(length) <= len(data):
            raise ArchiveFault("an extended header of the layer is broken")
        key, _, value = data[len(length) + 1 : int(length) - 1].partition(b"=")
        if key in (b"path", b"linkpath", b"size"):
            records[key.decode("ascii")] = value.decode("utf-8", "surrogateescape")
        data = data[int(length) :]
    return records


def _take(source: Source, size: int) -> bytes:
    data = source.read(size)
    if len(data) < size or len(source.read(-size % _BLOCK)) < -size % _BLOCK:
        raise ArchiveFault("the layer is truncated inside a member")
    return data


def _pass(source: Source, size: int) -> None:
    whole = size + -size % _BLOCK
    if source.skip(whole) < whole:
        raise ArchiveFault("the layer is truncated inside a member")
