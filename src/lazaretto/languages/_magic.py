"""What a file really is, by its first bytes: shared by the modules that claim by content. Names are not asked here."""

import re

from msgspec import Struct

ARRAY = b"\x93NUMPY"
"""How an array of numpy begins."""

_ARRAY_HEADER = 1024
_OLDEST_CLASS = 40
_MOST_PROGRAMS = 1000  # more do not fit into the page that macOS reads
_PROGRAMS = frozenset({b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf"})
WINDOW = 8192
"""How many first bytes decide whether a file is text."""


class Magic(Struct, frozen=True):
    """The real type of a file: ``name`` (``elf``, ``png``) and ``family``.

    Families: ``native``, ``bytecode``, ``archive``, ``image``, ``font``, ``audio``, ``video``, ``document``, ``data``.
    ``printable``: the magic itself is printable ASCII, so that a script can imitate it.
    """

    name: str
    family: str
    printable: bool = False


def is_text(data: bytes) -> bool:
    """Whether the first bytes can be text: UTF-16/32 with a byte order mark, or hardly any control character."""
    head = data[:WINDOW]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    if b"\0" in head:
        return False
    control = len(head) - len(head.translate(None, _CONTROL))
    return control * 50 <= len(head)


def magic_of(data: bytes) -> Magic | None:
    """Return the type that the first bytes say, or None. A printable magic counts only if the rest is no text."""
    head = data[:64]
    for prefix, name, family in _PREFIXES:
        if head.startswith(prefix):
            return Magic(name, family)
    special = _special(data, head)
    if special is not None:
        return special
    if head[:4] in _PRINTABLE_4 and not is_text(data):
        name, family = _PRINTABLE_4[head[:4]]
        if name == "riff":
            name, family = _RIFF.get(head[8:12], (name, family))
        return Magic(name, family, printable=True)
    return _weak(data, head)


def is_universal(data: bytes) -> bool:
    """Whether this is a universal file of Mach-O programs: classes of Java have the same magic.

    Such a file counts few programs, or one of those that it lists stands where it says.
    """
    count = int.from_bytes(data[4:8])
    places = (int.from_bytes(data[at : at + 4]) for at in range(16, 16 + 20 * min(count, _MOST_PROGRAMS), 20))
    return count < _OLDEST_CLASS or any(data[at : at + 4] in _PROGRAMS for at in places)


def _pickled(data: bytes, head: bytes) -> Magic | None:
    """Return what a pickle is, or an array of numpy: behind the header of one of objects stands a pickle (NEP 1)."""
    if head.startswith(ARRAY):
        objects = re.search(rb"'descr':\s*'\|?O", data[:_ARRAY_HEADER]) is not None
        return Magic("pickle", "bytecode") if objects else Magic("npy", "data")
    plain = head[:1] == b"\x80" and head[1:2] in b"\x02\x03\x04\x05" and len(head) > 2 and data.endswith(b".")
    return Magic("pickle", "bytecode") if plain else None


def _special(data: bytes, head: bytes) -> Magic | None:
    if head.startswith(b"\xca\xfe\xba\xbe") and len(head) >= 8:
        return Magic("macho", "native") if is_universal(data) else Magic("java-class", "bytecode")
    if head.startswith(b"MZ") and not is_text(data):
        return Magic("pe", "native", printable=True)
    if data[257:262] == b"ustar":
        return Magic("archive:tar", "archive", printable=True)
    if head[2:4] == b"\r\n" and b"\0" in head[4:16] and _is_pyc(head):
        return Magic("pyc", "bytecode")
    if head[2:4] == b"\xde\xc0" and b"\0" in data[:WINDOW]:
        return Magic("v8-bytecode", "bytecode")
    if head[:3] == b"BZh" and head[4:10] == b"1AY&SY":
        return Magic("archive:bzip2", "archive", printable=True)
    return _pickled(data, head)


def _weak(data: bytes, head: bytes) -> Magic | None:
    """Magics of two or three common bytes: believed only where the rest is binary."""
    if is_text(data):
        return None
    if head.startswith(b"BM"):
        return Magic("bmp", "image", printable=True)
    if head.startswith(b"ID3") or (head[:1] == b"\xff" and head[1:2] in _MP3_SYNC):
        return Magic("mp3", "audio", printable=head.startswith(b"ID3"))
    if head[4:8] == b"ftyp":
        return Magic("isobmff", "image" if head[8:11] in _STILL_BRANDS else "video", printable=True)
    if head[4:8] in {b"moov", b"mdat", b"wide", b"free"}:
        return Magic("quicktime", "video", printable=True)
    if head[34:36] == b"LP":
        return Magic("eot", "font")
    return None


def _is_pyc(head: bytes) -> bool:
    number = int.from_bytes(head[:2], "little")
    return 3000 <= number < 4500 or 62000 <= number < 62300


_CONTROL = bytes(byte for byte in range(32) if byte not in b"\t\n\v\f\r\b\x1b") + b"\x7f"
_MP3_SYNC = b"\xfb\xfa\xf3\xf2\xf1\xf9"
_STILL_BRANDS = frozenset({b"avi", b"hei", b"mif", b"hev"})
_RIFF = {b"WAVE": ("wav", "audio"), b"WEBP": ("webp", "image"), b"AVI ": ("avi", "video")}

_PREFIXES = (
    (b"\x7fELF", "elf", "native"),
    (b"\xcf\xfa\xed\xfe", "macho", "native"),
    (b"\xce\xfa\xed\xfe", "macho", "native"),
    (b"\xfe\xed\xfa\xce", "macho", "native"),
    (b"\xfe\xed\xfa\xcf", "macho", "native"),
    (b"\0asm", "wasm", "bytecode"),
    (b"dex\n0", "dex", "bytecode"),
    (b"\x1bLua", "lua-bytecode", "bytecode"),
    (b"BC\xc0\xde", "llvm-bitcode", "bytecode"),
    (b"\xc6\x1f\xbc\x03", "hermes-bytecode", "bytecode"),
    (b"PK\x03\x04", "archive:zip", "archive"),
    (b"PK\x05\x06", "archive:zip", "archive"),
    (b"\x1f\x8b", "archive:gzip", "archive"),
    (b"\xfd7zXZ\0", "archive:xz", "archive"),
    (b"7z\xbc\xaf\x27\x1c", "archive:7z", "archive"),
    (b"\x28\xb5\x2f\xfd", "archive:zstd", "archive"),
    (b"\x04\x22\x4d\x18", "archive:lz4", "archive"),
    (b"Rar!\x1a\x07", "archive:rar", "archive"),
    (b"!<arch>\n", "archive:ar", "archive"),
    (b"MSCF\0\0\0\0", "archive:cab", "archive"),
    (b"\x89PNG\r\n\x1a\n", "png", "image"),
    (b"\xff\xd8\xff", "jpeg", "image"),
    (b"\0\0\1\0", "ico", "image"),
    (b"\0\0\2\0", "cur", "image"),
    (b"II*\0", "tiff", "image"),
    (b"MM\0*", "tiff", "image"),
    (b"\0\0\0\x0cJXL ", "jxl", "image"),
    (b"\0\0\0\x0cjP  ", "jp2", "image"),
    (b"\0\1\0\0\0", "ttf", "font"),
    (b"\x1aE\xdf\xa3", "webm", "video"),
    (b"\0\0\1\xba", "mpeg", "video"),
    (b"\0\0\1\xb3", "mpeg", "video"),
    (b"SQLite format 3\0", "sqlite", "data"),
    (b"\x89HDF\r\n", "hdf5", "data"),
    (b"\xde\x12\x04\x95", "mo", "data"),
    (b"\x95\x04\x12\xde", "mo", "data"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole", "document"),
)

_PRINTABLE_4 = {
    b"GIF8": ("gif", "image"),
    b"8BPS": ("psd", "image"),
    b"icns": ("icns", "image"),
    b"OTTO": ("otf", "font"),
    b"true": ("ttf", "font"),
    b"ttcf": ("ttf", "font"),
    b"wOFF": ("woff", "font"),
    b"wOF2": ("woff2", "font"),
    b"OggS": ("ogg", "audio"),
    b"fLaC": ("flac", "audio"),
    b"MThd": ("midi", "audio"),
    b"FORM": ("aiff", "audio"),
    b"RIFF": ("riff", "audio"),
    b"%PDF": ("pdf", "document"),
    b"glTF": ("gltf", "data"),
    b"PAR1": ("parquet", "data"),
    b"ARRO": ("arrow", "data"),
    b"TZif": ("tzif", "data"),
    b"Cr24": ("archive:crx", "archive"),
}
