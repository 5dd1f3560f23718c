"""Wheels and zipped sdists: directory and local headers must tell the same story."""

import binascii
import io
import random
import struct
import sys
import warnings
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto.core.archive import Limits, unpack
from tests.core.packing import SDIST, TGZ, WHEEL, contents, honest_zip, odd, outcome, refused

NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters="/\\:"), min_size=1, max_size=40
)
PATHS = st.lists(NAMES.filter(lambda name: name not in {".", ".."}), min_size=1, max_size=4).map("/".join)
METHODS = st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])


class _Pipe(io.BytesIO):
    """A file that cannot seek: makes zipfile write data descriptors."""

    def seekable(self) -> bool:
        return False

    def seek(self, *_: int) -> int:
        raise OSError

    def tell(self) -> int:
        raise OSError


def patched(packed: bytes, mark: bytes, at: int, value: bytes) -> bytes:
    """Return the archive with bytes at an offset from the first occurrence of a record's mark replaced."""
    where = packed.index(mark) + at
    return packed[:where] + value + packed[where + len(value) :]


@given(files=st.dictionaries(PATHS, st.binary(max_size=2000), max_size=6), method=METHODS)
def test_agrees_with_zipfile(files: dict[str, bytes], method: int) -> None:
    """What zipfile writes, stored or deflated, is read as it was; nothing is stripped from a wheel."""
    assert contents(unpack(WHEEL, honest_zip(files, method=method), Limits())) == files


@given(files=st.dictionaries(PATHS, st.binary(max_size=500), max_size=4), method=METHODS)
def test_data_descriptors(files: dict[str, bytes], method: int) -> None:
    """Archives written to a pipe have their sizes behind the members."""
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)

    assert contents(unpack(WHEEL, pipe.getvalue(), Limits())) == files


def test_zip64_members() -> None:
    """Sizes in the zip64 extra field, as zipfile writes them when told that a member may be large."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive, archive.open("a.py", "w", force_zip64=True) as file:
        file.write(b"x = 1\n")

    assert contents(unpack(WHEEL, packed.getvalue(), Limits())) == {"a.py": b"x = 1\n"}


def test_zip64_end_record() -> None:
    """An end record of all ones sends to the zip64 end record; where the two contradict each other it is refused."""
    packed = honest_zip({"a": b"1"})
    at = packed.index(b"PK\x05\x06")
    count, size, offset = struct.unpack("<HLL", packed[at + 10 : at + 20])
    wide = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, offset)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, at, 1)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    lying = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 7, 7, 0xFFFFFFFF, 0xFFFFFFFF, 0)

    assert contents(unpack(WHEEL, packed[:at] + wide + locator + end, Limits())) == {"a": b"1"}
    assert "contradict" in refused(WHEEL, packed[:at] + wide + locator + lying)
    assert "zip64" in refused(WHEEL, packed[:at] + end)
    assert "zip64" in refused(WHEEL, packed[:at] + wide + b"x" + locator + end)


def test_sdist_as_zip() -> None:
    """A zipped sdist loses its root like any sdist."""
    assert contents(unpack(SDIST, honest_zip({"x-1/setup.py": b"1", "x-1/a.py": b"2"}), Limits())) == {
        "setup.py": b"1",
        "a.py": b"2",
    }


def test_a_zip_is_no_npm_tarball() -> None:
    """The npm client does not unpack zips."""
    assert "not a gzip" in refused(TGZ, honest_zip({"package/a": b"1"}))


def test_duplicates() -> None:
    """The last entry of a name counts, and the duplicate is told."""
    packed = io.BytesIO()
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a", b"first")
        archive.writestr("a", b"last")
    tree = unpack(WHEEL, packed.getvalue(), Limits())

    assert contents(tree) == {"a": b"last"}
    assert odd(tree) == [("duplicate", "a")]


def test_modes() -> None:
    """Execute bits are known; a link is only a mode here, so its text is read as the file that pip writes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, mode in (("run", 0o100755), ("link", 0o120777)):
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, b"target")
        archive.mkdir("folder")
    tree = unpack(WHEEL, packed.getvalue(), Limits())

    assert tree.executable == frozenset({"run", "link"})
    assert contents(tree) == {"run": b"target", "link": b"target"}
    assert odd(tree) == [("link", "link")]


@pytest.mark.parametrize(("name", "kind"), [("../x", "parent-path"), ("/x", "absolute-path"), ("a\\b", "odd-name")])
def test_odd_names(name: str, kind: str) -> None:
    """Names that leave the folder are skipped, others are read; each is told."""
    assert [found for found, _ in odd(unpack(WHEEL, honest_zip({name: b"1"}), Limits()))] == [kind]


def test_what_belongs_to_nothing_is_told() -> None:
    """Bytes before, between and behind members and a comment: told unless they are a proper comment."""
    packed = honest_zip({"a": b"1"})
    commented = patched(packed, b"PK\x05\x06", 20, b"\x05\x00") + b"hello"

    assert odd(unpack(WHEEL, commented, Limits())) == []
    assert odd(unpack(WHEEL, packed + b"hello", Limits())) == [("trailing-data", "")]
    assert odd(unpack(WHEEL, b"#!/bin/sh\n" + packed, Limits())) == [("trailing-data", "")]


def test_hidden_member_is_refused() -> None:
    """A member that only a streaming reader would see is refused."""
    hidden = honest_zip({"evil.py": b"1"})

    assert "does not name" in refused(WHEEL, hidden[: hidden.index(b"PK\x01\x02")] + honest_zip({"a.py": b"2"}))


@pytest.mark.parametrize(
    ("mark", "at", "value", "word"),
    [
        (b"PK\x01\x02", 8, b"\x01", "encrypted"),
        (b"PK\x01\x02", 10, b"\x0c", "method 12"),
        (b"PK\x01\x02", 6, b"\x40", "method 8"),
        (b"PK\x01\x02", 8, b"\x20", "method 8"),
        (b"PK\x01\x02", 16, b"\0\0\0\0", "contradict"),
        (b"PK\x01\x02", 20, b"\xff", "truncated"),
        (b"PK\x01\x02", 46, b"evil", "contradict"),
        (b"PK\x01\x02", 42, b"\x05", "astray"),
        (b"PK\x03\x04", 30, b"evil", "contradict"),
        (b"PK\x03\x04", 8, b"\x00", "contradict"),
        (b"PK\x03\x04", 18, b"\x01", "contradict"),
        (b"PK\x05\x06", 4, b"\x01", "disks"),
        (b"PK\x05\x06", 10, b"\x07", "disks"),
        (b"PK\x05\x06", 16, b"\x00", "directory"),
        (b"PK\x05\x06", 12, b"\xff\xff", "outside"),
    ],
)
def test_contradictions_are_refused(mark: bytes, at: int, value: bytes, word: str) -> None:
    """Any record that lies about another."""
    packed = honest_zip({"name.py": b"print(1)\n" * 40, "other.py": b"2"})

    assert word in refused(WHEEL, patched(packed, mark, at, value))


def test_wrong_checksum_is_refused() -> None:
    """Both headers agree on a checksum that the bytes do not have."""
    packed = patched(patched(honest_zip({"a": b"1"}), b"PK\x03\x04", 14, bytes(4)), b"PK\x01\x02", 16, bytes(4))

    assert "checksum" in refused(WHEEL, packed)


def test_overlap_is_refused() -> None:
    """Two entries over the same bytes, as bombs and smuggled members use them."""
    packed = honest_zip({"a": b"1"})
    directory, end = packed.index(b"PK\x01\x02"), packed.index(b"PK\x05\x06")
    entry = packed[directory:end]
    fields = (b"PK\x05\x06", 0, 0, 2, 2, 2 * len(entry), directory, 0)

    assert "overlap" in refused(WHEEL, packed[:directory] + entry * 2 + struct.pack("<4s4H2LH", *fields))


def test_two_end_records_are_refused() -> None:
    """A comment that is itself a whole end record: which one counts differs among readers."""
    first, second = honest_zip({"a": b"1"}), honest_zip({"b": b"2"})
    commented = patched(first, b"PK\x05\x06", 20, len(second).to_bytes(2, "little")) + second

    assert "two end records" in refused(WHEEL, commented)


def test_second_name_is_refused() -> None:
    """Info-ZIP's Unicode path field gives an entry another name in some clients."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        info = zipfile.ZipInfo("good.py")
        extra = b"\x01" + bytes(4) + b"evil.py"
        info.extra = struct.pack("<HH", 0x7075, len(extra)) + extra
        archive.writestr(info, b"1")

    assert "second name" in refused(WHEEL, packed.getvalue())


def test_nul_in_a_name_is_refused() -> None:
    """Some readers cut a name at a NUL."""
    assert "NUL" in refused(WHEEL, honest_zip({"aXb.py": b"1"}).replace(b"aXb.py", b"a\0b.py"))


@pytest.mark.parametrize(
    ("limits", "word"),
    [
        (Limits(packed=100), "limit"),
        (Limits(unpacked=50_000), "unpacks"),
        (Limits(ratio=2, ratio_floor=1000), "bomb"),
        (Limits(members=1), "members"),
        (Limits(path=2), "characters"),
        (Limits(file=50_000), "one file"),
    ],
)
def test_limits(limits: Limits, word: str) -> None:
    """Each bound refuses, with a message that names it."""
    packed = honest_zip({"abc": bytes(100_000), "b": b"1"})

    assert word in refused(WHEEL, packed, limits)
    assert not isinstance(outcome(WHEEL, packed), str)


@given(noise=st.binary(max_size=600))
def test_any_bytes_give_a_tree_or_a_fault(noise: bytes) -> None:
    """Any bytes, and any bytes before a good end record."""
    outcome(WHEEL, noise)
    outcome(WHEEL, noise + b"PK\x05\x06" + bytes(18))
    outcome(SDIST, b"PK" + noise)


@given(data=st.data(), method=METHODS)
def test_damage_is_refused_or_read_as_zipfile_does(data: st.DataObject, method: int) -> None:
    """Bytes changed anywhere: a fault, or what zipfile reads, or told as odd."""
    packed = bytearray(honest_zip({"a/b.py": b"12" * 40, "c.py": b"3"}, method=method))
    for _ in range(data.draw(st.integers(1, 3))):
        packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
    result = outcome(WHEEL, bytes(packed))
    if isinstance(result, str) or result.oddities:
        return
    try:
        with zipfile.ZipFile(io.BytesIO(bytes(packed))) as archive:
            listed = {info.filename: archive.read(info) for info in archive.infolist() if not info.is_dir()}
    except (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError):
        return  # nothing is installed of what pip cannot open

    assert contents(result).items() <= {path.replace("//", "/"): value for path, value in listed.items()}.items()


def raw(
    *, name: bytes = b"a", data: bytes = b"1", extra: bytes = b"", size: int = 1, behind: bytes = b"", flags: int = 0
) -> bytes:
    """Return a zip of one stored member, its directory entry with an extra field and a size of its own."""
    crc = binascii.crc32(data)
    local = struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, flags, 0, 0, 0, crc, len(data), len(data), len(name), 0)
    body = local + name + data
    entry = struct.pack(
        "<4s6H3L5H2L",
        *(b"PK\x01\x02", 20, 20, flags, 0, 0, 0, crc, len(data), size, len(name), len(extra), 0, 0, 0, 0, 0),
    )
    directory = entry + name + extra + behind
    return body + directory + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(directory), len(body), 0)


WIDE = 0xFFFFFFFF


@pytest.mark.parametrize(
    ("packed", "reason"),
    [
        (raw(behind=b"more"), "more than its entries"),
        (raw(flags=1), "encrypted"),
        (raw(extra=struct.pack("<2HQ2HQ", 1, 8, 1, 1, 8, 1), size=WIDE), "twice"),
        (raw(size=WIDE), "lacks its zip64 sizes"),
        (raw(name=b"folder/"), "folder with contents"),
        (patched(raw(), b"PK\x01\x02", 16, b"\0\0\0\0"), "contradict"),
    ],
)
def test_directories_that_are_not_believed(packed: bytes, reason: str) -> None:
    """Whatever lets two clients unpack two different things is refused, with the reason."""
    assert contents(unpack(WHEEL, raw(), Limits())) == {"a": b"1"}
    assert reason in refused(WHEEL, packed)


def test_a_zip64_size_in_the_directory_alone() -> None:
    """A size of all ones stands in the extra field; the others are those of the entry."""
    packed = raw(extra=struct.pack("<2HQ", 1, 8, 1), size=WIDE)

    assert contents(unpack(WHEEL, packed, Limits())) == {"a": b"1"}


def test_a_broken_zip64_end_record() -> None:
    """Its length and its counts must be those of the standard."""
    packed = raw()
    at = packed.index(b"PK\x05\x06")
    count, size, offset = struct.unpack("<HLL", packed[at + 10 : at + 20])
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, at, 1)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, WIDE, WIDE, 0)
    wide = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count + 1, count, size, offset)

    assert "zip64 end record is broken" in refused(WHEEL, packed[:at] + wide + locator + end)


def test_a_mark_in_the_comment_that_is_no_end_record() -> None:
    """Only a second end record that fits is ambiguous; its mark in the last member's bytes is none."""
    packed = honest_zip({"a": b"PK\x05\x06" + bytes(30)}, method=zipfile.ZIP_STORED)

    assert contents(unpack(WHEEL, packed, Limits()))["a"].startswith(b"PK\x05\x06")


def test_a_member_that_is_a_bomb() -> None:
    """A member that unpacks to many times its size is refused, be the archive itself as large as it may."""
    noise = random.Random(0).randbytes(100_000)
    packed = honest_zip({"a": noise, "b": bytes(24 << 20)})

    assert "a bomb" in refused(WHEEL, packed)
    assert "a bomb" in refused(WHEEL, honest_zip({"b": bytes(24 << 20)}))


def test_a_library_that_was_padded_is_no_bomb() -> None:
    """Linkers fill up to page and section with zeros: a few megabytes of nothing are ordinary."""
    noise = random.Random(0).randbytes(100_000)

    assert contents(unpack(WHEEL, honest_zip({"a": noise, "lib.so": bytes(2 << 20)}), Limits()))


def test_a_zipped_sdist_without_one_root() -> None:
    """As pip does, nothing is stripped where a file stands beside the folder; notes on the archive are no members."""
    packed = honest_zip({"x-1/setup.py": b"1", "loose.py": b"2"}) + b"behind"

    assert contents(unpack(SDIST, packed, Limits())).keys() == {"x-1/setup.py", "loose.py"}
    assert contents(unpack(SDIST, honest_zip({"x-1/a.py": b"1"}) + b"behind", Limits())).keys() == {"a.py"}


def test_a_member_over_the_directory() -> None:
    """A descriptor that is part of the directory is refused: the member's end lies behind the directory's start."""
    crc = binascii.crc32(b"1")
    follows = struct.pack("<4s3L", b"PK\x07\x08", crc, 1, 1)
    local = struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, 8, 0, 0, 0, 0, 0, 0, 1, 0) + b"a" + b"1"
    entry = struct.pack("<4s6H3L5H2L", *(b"PK\x01\x02", 20, 20, 8, 0, 0, 0, crc, 1, 1, 1, 0, 0, 0, 0, 0, 0)) + b"a"

    def whole(offset: int) -> bytes:
        end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(entry), offset, 0)
        return local + follows + entry + end

    assert contents(unpack(WHEEL, whole(len(local + follows)), Limits())) == {"a": b"1"}
    assert isinstance(outcome(WHEEL, local + entry + follows), str)
    assert "contradicts" in refused(WHEEL, local + entry + whole(len(local))[-22:])


def test_zlib_in_the_place_of_isal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without isal the same zips give the same trees, and broken streams are refused with a reason."""
    packed = honest_zip({"a": b"x" * 70_000, "b": b"", "c": bytes(range(256)) * 40})
    broken = bytearray(packed)
    broken[40:44] = b"\xff\xff\xff\xff"
    with_isal = contents(unpack(WHEEL, packed, Limits()))
    monkeypatch.setitem(sys.modules, "isal", None)

    assert contents(unpack(WHEEL, packed, Limits())) == with_isal
    assert isinstance(outcome(WHEEL, bytes(broken)), str)
