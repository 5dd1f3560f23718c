"""Reading tar: POSIX ustar and pax, GNU long names, old v7. Bytes in, entries out, nothing on disk.

Where npm's reader (node-tar) and pip's (tarfile) are known to disagree on what a header means, the
archive is refused: one of the two would see files that the other does not.
"""

from collections.abc import Iterator, Mapping
from typing import Protocol

from lazaretto.core.archive.entry import Entry, EntryKind, decode_name
from lazaretto.core.archive.limits import ArchiveFault, BoundFault, Limits

BLOCK = 512
_ZERO = bytes(BLOCK)
_FILE_TYPES = b"0\x007"
_FOLDER = ord("5")
_LINKS: Mapping[int, str] = {ord("1"): "hard link to", ord("2"): "symbolic link to"}
_DEVICES: Mapping[int, str] = {ord("3"): "character device", ord("4"): "block device", ord("6"): "named pipe"}
_NUMBERS = ((100, 108), (108, 116), (116, 124), (136, 148), (329, 337), (337, 345))
"""Mode, owner, group, time, device numbers: (first byte, behind the last)."""
_NEGATIVE = 0xFF
_AMBIGUOUS_GLOBAL = ("path", "linkpath", "size")


class Stream(Protocol):
    """Where the unpacked bytes come from; ``trailing`` is known at the end."""

    trailing: int

    def read(self, size: int) -> bytes:
        """Return the next ``size`` bytes, fewer only at the end."""
        ...


def read_tar(stream: Stream, limits: Limits) -> Iterator[Entry]:
    """Yield the members of a tar stream in their order.

    Raises:
        ArchiveFault: truncated, bad checksum, over a limit, or read differently by different clients.
    """
    count = 0
    extended: dict[str, str] = {}
    while (block := _next_header(stream)) is not None:
        count += 1
        limits.check_members(count)
        flag = block[156]
        if flag in b"xXgLK":
            _extend(extended, flag, stream, _number(block[124:136]), limits)
            continue
        yield _member(block, flag, extended, stream, limits)
        extended = {}
    if extended:
        raise ArchiveFault("the tar ends after an extended header that belongs to no member")
    yield from _trailing(stream)


def _next_header(stream: Stream) -> bytes | None:
    """Return the next header block, or None at the end of the archive."""
    block = stream.read(BLOCK)
    if block == _ZERO:
        second = stream.read(BLOCK)
        if second.strip(b"\0"):
            # node-tar goes on after a single zero block, tarfile stops at it.
            raise ArchiveFault("members after a single end mark: clients disagree on them")
        return None
    if len(block) < BLOCK:
        if block.strip(b"\0"):
            raise ArchiveFault("the tar is truncated inside a header")
        return None
    told = _number(block[148:156])
    if told != sum(block) - sum(block[148:156]) + 256 and told != _signed_sum(block):
        raise ArchiveFault("a tar header has a wrong checksum")
    _check_numbers(block)
    return block


def _check_numbers(block: bytes) -> None:
    """Refuse broken numbers also where nobody needs them: tarfile ends there in silence, node-tar goes on."""
    for start, stop in _NUMBERS:
        field = block[start:stop]
        if field.translate(None, b"01234567\0") and field[0] != _NEGATIVE:
            _number(field)


def _signed_sum(block: bytes) -> int:
    """Return the checksum as some old packers computed it: over signed characters."""
    plain = block[:148] + b" " * 8 + block[156:]
    return sum(byte - 256 if byte > 127 else byte for byte in plain)


def _member(block: bytes, flag: int, extended: Mapping[str, str], stream: Stream, limits: Limits) -> Entry:
    if "GNU.sparse.major" in extended or "GNU.sparse.size" in extended or flag == ord("S"):
        raise ArchiveFault("sparse members are not read")
    name = extended.get("path") or _header_name(block)
    size = _pax_size(extended) if "size" in extended else _number(block[124:136])
    if flag == _FOLDER or flag in _LINKS or flag in _DEVICES or (flag in _FILE_TYPES and name.endswith("/")):
        if size and flag != _FOLDER:
            # Some readers skip the contents, others take them for the next headers.
            raise ArchiveFault(f"{name[:200]!r} is a folder, link or device with contents: clients disagree on it")
        return _empty_member(block, flag, name, extended)
    if flag not in _FILE_TYPES:
        # tarfile unpacks unknown types as files, node-tar skips them.
        raise ArchiveFault(f"{name[:200]!r} has the unknown type {flag:#04x}: clients disagree on it")
    if block[157] or extended.get("linkpath"):
        # node-tar skips such a header and takes the contents for the next ones.
        raise ArchiveFault(f"{name[:200]!r} is a file with a link target: clients disagree on it")
    limits.check_file(name, size)
    data = stream.read(size)
    padding = -size % BLOCK
    if len(data) != size or len(stream.read(padding)) != padding:
        raise ArchiveFault(f"the tar is truncated inside {name[:200]!r}")
    return Entry(kind=EntryKind.FILE, name=name, data=data, executable=bool(_number(block[100:108]) & 0o111))


def _empty_member(block: bytes, flag: int, name: str, extended: Mapping[str, str]) -> Entry:
    if flag in _LINKS:
        target = extended.get("linkpath") or decode_name(_text(block[157:257]))
        return Entry(kind=EntryKind.LINK, name=name, odd=(("link", f"{_LINKS[flag]} {target}"),))
    if flag in _DEVICES:
        return Entry(kind=EntryKind.DEVICE, name=name, odd=(("device", _DEVICES[flag]),))
    return Entry(kind=EntryKind.FOLDER, name=name)


def _header_name(block: bytes) -> str:
    name, prefix = _text(block[0:100]), _text(block[345:500])
    if prefix and block[257:265] == b"ustar\x0000":
        return decode_name(prefix + b"/" + name)
    if prefix and block[257:265] != b"ustar  \0":
        # tarfile uses the prefix whatever the format is, node-tar only in exact ustar.
        raise ArchiveFault(f"{decode_name(name)[:200]!r} has a name prefix in a format without one")
    return decode_name(name)


def _text(raw: bytes) -> bytes:
    return raw.partition(b"\0")[0]


def _number(raw: bytes) -> int:
    """Return a header's number: octal text, or base-256 if the top bit of the first byte is set."""
    if raw[0] == 0x80:
        return int.from_bytes(raw[1:], "big")
    text = _text(raw).strip()
    if not text:
        return 0
    if text.strip(b"01234567"):
        raise ArchiveFault(f"a tar header has the broken number {raw!r}")
    return int(text, 8)


def _extend(extended: dict[str, str], flag: int, stream: Stream, size: int, limits: Limits) -> None:
    """Read what an extended header says of the next member (or, type g, of all that follow)."""
    if size > limits.header:
        raise BoundFault(f"an extended tar header has {size} bytes; the limit is {limits.header}")
    data = stream.read(size + -size % BLOCK)
    if len(data) < size:
        raise ArchiveFault("the tar is truncated inside an extended header")
    data = data[:size]
    if flag in b"LK":
        records = {"path" if flag == ord("L") else "linkpath": decode_name(_text(data))}
    else:
        records = _pax_records(data)
    if flag == ord("g"):
        if any(key in records for key in _AMBIGUOUS_GLOBAL):
            # tarfile applies a global path to every member, node-tar to none.
            raise ArchiveFault("a global tar header sets the path or size of members: clients disagree on it")
        return
    for key, value in records.items():
        if extended.get(key, value) != value:
            raise ArchiveFault(f"two extended tar headers give one member different values of {key[:100]!r}")
        extended[key] = value


def _pax_records(data: bytes) -> dict[str, str]:
    r"""Parse ``length key=value\\n`` records (POSIX.1-2001, pax interchange format)."""
    records: dict[str, str] = {}
    at = 0
    while at < len(data):
        if data[at] == 0 and not data[at:].strip(b"\0"):
            break
        space = data.find(b" ", at, at + 20)
        digits = data[at:space] if space > 0 else b""
        end = at + int(digits) if digits.isdigit() else 0
        key, mark, value = data[space + 1 : end - 1].partition(b"=")
        if end <= space + 2 or end > len(data) or data[end - 1] != 0x0A or not mark:
            raise ArchiveFault("an extended tar header is broken")
        name = decode_name(key)
        if name in records and name in _AMBIGUOUS_GLOBAL:
            raise ArchiveFault(f"an extended tar header gives {name!r} twice")
        records[name] = decode_name(value)
        at = end
    return records


def _pax_size(extended: Mapping[str, str]) -> int:
    text = extended["size"]
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise ArchiveFault(f"an extended tar header has the broken size {text[:40]!r}")
    return int(text)


def _trailing(stream: Stream) -> Iterator[Entry]:
    """Read to the end, so that bounds and checksums of the whole stream hold; tell what is not padding."""
    hidden = 0
    while rest := stream.read(1 << 20):
        hidden += len(rest) if rest.strip(b"\0") else 0
    if hidden:
        note = (("trailing-data", f"{hidden} bytes after the end of the tar"),)
        yield Entry(kind=EntryKind.NOTE, name="", odd=note)
    if stream.trailing:
        note = (("trailing-data", f"{stream.trailing} bytes after the gzip stream"),)
        yield Entry(kind=EntryKind.NOTE, name="", odd=note)
