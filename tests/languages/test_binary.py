"""Files that are no text: what they are, what they pretend to be, and what follows their end."""

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto.core.facts import Facts, Kind
from lazaretto.core.language import NoUnits
from lazaretto.languages import binary, elf


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


PNG = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", bytes(13)) + _chunk(b"IDAT", b"x") + _chunk(b"IEND", b"")
GIF = (
    b"GIF89a"
    + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0)
    + bytes(6)
    + b"\x21\xf9\x04\0\0\0\0\0"
    + b"\x2c"
    + bytes(9)
    + b"\x02\x02\x44\x01\0"
    + b"\x3b"
)
JPEG = b"\xff\xd8\xff\xe0\x00\x04ab" + b"\xff\xda\x00\x04ab" + b"\x12\xff\x00\x34\xff\xd0\x56" + b"\xff\xd9"
WAV = b"RIFF" + struct.pack("<I", 40) + b"WAVE" + bytes(36)
ELF = b"\x7fELF\x02\x01\x01\0" + bytes(64)
PE = b"MZ\x90\0" + bytes(64)


def read(path: str, data: bytes) -> Facts:
    """Claim a file as the analyser does, and read it."""
    claim = binary.claim(path, data)
    assert claim is not None
    return binary.read(claim.dialect, data, NoUnits())


def said(path: str, data: bytes) -> list[str | None]:
    """Return the values of the ``binary`` facts of a file."""
    return [fact.value for fact in read(path, data).facts if fact.kind is Kind.BINARY]


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (ELF, "elf"),
        (ELF + b"napi_register_module_v1", "node"),
        (PE, "pe"),
        (b"\xcf\xfa\xed\xfe" + bytes(32), "macho"),
        (b"\xca\xfe\xba\xbe\0\0\0\x02" + bytes(32), "macho"),
        (b"\xca\xfe\xba\xbe\0\0\0\x34" + bytes(32), "java-class"),
        (b"\0asm\1\0\0\0", "wasm"),
        (b"\xa7\x0d\r\n\0\0\0\0" + bytes(16), "pyc"),
        (b"dex\n035\0", "dex"),
        (b"PK\x03\x04" + bytes(30), "archive:zip"),
        (b"\x1f\x8b\x08\0" + bytes(10), "archive:gzip"),
        (b"\xfd7zXZ\0" + bytes(10), "archive:xz"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(10), "archive:7z"),
        (b"x" * 100 + bytes(157) + b"ustar\0", "archive:tar"),
        (b"\x80\x04\x95\x05\0\0\0.", "pickle"),
        (bytes(range(256)), "unknown"),
    ],
)
def test_real_type_by_magic(data: bytes, name: str) -> None:
    """What can run, and what holds other files, is told by its content, whatever its name."""
    assert said("payload", data) == [name]
    assert said("x.dat", data) == [name]


@pytest.mark.parametrize(
    ("path", "data"),
    [("a.png", PNG), ("a.gif", GIF), ("a.jpg", JPEG), ("a.wav", WAV), ("a.jpg", PNG), ("a.pdf", b"%PDF-1.7\n\0\1")],
)
def test_assets_say_nothing(path: str, data: bytes) -> None:
    """A picture, a sound or a document under a name of its kind is no fact."""
    assert read(path, data) == Facts(language="binary")


@pytest.mark.parametrize(
    ("path", "data", "value"),
    [
        ("logo.png", ELF, "elf named png"),
        ("notes.txt", ELF, "elf named txt"),
        ("font.woff2", b"PK\x03\x04" + bytes(9), "archive:zip named woff2"),
        ("logo.png", bytes(range(256)), "unknown named png"),
        ("style.css", b"\x1f\x8b\x08\0\0", "archive:gzip named css"),
        ("image.jpg", PE, "pe named jpg"),
    ],
)
def test_content_is_not_what_the_name_says(path: str, data: bytes, value: str) -> None:
    """A false name is told with the real type."""
    assert said(path, data) == [value]


def test_a_native_under_the_name_of_code_is_also_not_read() -> None:
    """A file that should be code and is a binary is incomplete."""
    facts = read("index.js", ELF)
    assert said("index.js", ELF) == ["elf named js"]
    assert not facts.complete


@pytest.mark.parametrize("data", [b"GIF89a=1;/*\0*/alert()", b"MZ=1;/*\0\0\0\0*/", b"BM=1;//\0\0"])
def test_code_that_begins_like_a_picture_is_left_to_its_language(data: bytes) -> None:
    """A script may imitate a printable magic: whoever reads the language must judge it."""
    claim = binary.claim("index.js", data)
    assert claim is None or claim.rank < 50


SIZED = {
    "a.ico": b"\0\0\1\0\1\0" + bytes(8) + (4).to_bytes(4, "little") + (22).to_bytes(4, "little") + b"\x89\0\0\1",
    "a.mp4": (16).to_bytes(4) + b"ftypisom\0\0\2\0" + (12).to_bytes(4) + b"mdat\0\1\2\3",
    "b.mp4": (16).to_bytes(4) + b"ftypisom\0\0\2\0" + (1).to_bytes(4) + b"mdat" + (20).to_bytes(8) + b"\0\1\2\3",
    "a.ogg": b"OggS" + bytes(22) + b"\1\4\0\1\2\3",
    "a.aiff": b"FORM" + (5).to_bytes(4) + b"AIFF\0\0",
    "a.mid": b"MThd" + (6).to_bytes(4) + bytes(6) + b"MTrk" + (1).to_bytes(4) + b"\0",
    "a.pdf": b"%PDF-1.7\n\0\1\n%%EOF",
    "a.avi": b"RIFF" + (8).to_bytes(4, "little") + b"AVI \0\1\2\3" + b"RIFF" + (4).to_bytes(4, "little") + b"AVIX",
    "a.icns": b"icns" + (12).to_bytes(4) + b"\0\1\2\3",
    "a.bmp": b"BM" + (12).to_bytes(4, "little") + bytes(6),
}


@pytest.mark.parametrize("path", SIZED)
def test_what_rides_behind_other_formats(path: str) -> None:
    """Of every format whose end is known, what follows it is told and read; cut short it is none of theirs."""
    whole = SIZED[path]

    assert told(path, whole) == []
    assert told(path, whole + b"\0\0\n") == []
    assert told(path, whole + b"import os\nos.system('whoami')\n")[0] == "trailing-data:30"
    assert told(path, whole[:-3]) in ([], ["trailing-data:9"]) or path.startswith("b.")


def told(path: str, data: bytes) -> list[str | None]:
    """Return what is said of a file's type."""
    claim = binary.claim(path, data)
    assert claim is not None
    return [fact.value for fact in binary.read(claim.dialect, data, NoUnits()).facts]


@pytest.mark.parametrize(("path", "data"), [("a.png", PNG), ("a.gif", GIF), ("a.jpg", JPEG), ("a.wav", WAV)])
def test_data_behind_the_end(path: str, data: bytes) -> None:
    """What follows the end is told with its length and place; padding is not."""
    facts = read(path, data + b"payload")
    assert [fact.value for fact in facts.facts] == ["trailing-data:7"]
    assert facts.facts[0].span.start == len(data)
    assert read(path, data + b"\0\0\n").facts == ()


def test_second_picture_of_a_camera() -> None:
    """A JPEG behind a JPEG is what cameras write."""
    assert read("a.jpg", JPEG + JPEG).facts == ()


@pytest.mark.parametrize(
    ("path", "data"), [("a.png", PNG[:-8]), ("a.gif", GIF[:-1]), ("a.jpg", JPEG[:-2]), ("a.wav", WAV[:-9])]
)
def test_a_picture_without_an_end_is_told(path: str, data: bytes) -> None:
    """A structure that does not end is not passed off as a picture."""
    assert [value and value.split(":")[0] for value in said(path, data)] == ["malformed"]


def test_addresses_in_bytecode() -> None:
    """URLs and addresses with a port among the strings are literals, each once; of programs their own modules tell."""
    strings = b"\0https://a.invalid/x\x00192.0.2.7:8080\0https://a.invalid/x\0 1.2.3.4 \0"
    found = [(fact.kind, fact.value) for fact in read("tool", b"dex\n035\0" + strings).facts]
    assert found[1:] == [(Kind.LITERAL_URL, "https://a.invalid/x"), (Kind.LITERAL_IP, "192.0.2.7:8080")]
    assert [fact.kind for fact in read("tool", ELF + strings).facts] == [Kind.BINARY]
    assert {fact.kind for fact in elf.read("elf", ELF + strings, NoUnits()).facts} >= {kind for kind, _ in found[1:]}


@given(
    data=st.binary(max_size=300),
    prefix=st.sampled_from(
        [b"", *(one[:20] for one in SIZED.values()), PNG[:20], GIF[:15], JPEG[:6], WAV[:20], ELF[:8]]
    ),
)
def test_any_bytes_are_read(data: bytes, prefix: bytes) -> None:
    """Nothing raises on any content under any dialect, and the answer is the same every time."""
    for dialect in ("binary", "binary:png", "binary:js"):
        assert binary.read(dialect, prefix + data, NoUnits()) == binary.read(dialect, prefix + data, NoUnits())
