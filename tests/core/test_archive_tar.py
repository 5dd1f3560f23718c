"""npm tarballs and sdists: what a client would unpack is read, what clients disagree on is refused."""

import gzip
import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto.core.archive import Limits, digest_of, unpack
from lazaretto.core.archive.inflate import GzipStream
from tests.core.packing import (
    SDIST,
    TGZ,
    contents,
    header,
    honest_tgz,
    member,
    odd,
    outcome,
    pax,
    pax_record,
    read_by_tarfile,
    refused,
    tgz,
)

NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters="/\\:"), min_size=1, max_size=80
)
PATHS = st.lists(NAMES.filter(lambda name: name not in {".", ".."}), min_size=1, max_size=5).map("/".join)


@given(files=st.dictionaries(PATHS, st.binary(max_size=3000), max_size=8), form=st.sampled_from([0, 1, 2]))
def test_agrees_with_tarfile(files: dict[str, bytes], form: int) -> None:
    """What tarfile writes in ustar, GNU or pax format is read as tarfile reads it, minus the first component."""
    try:
        packed = honest_tgz({f"package/{path}": data for path, data in files.items()}, form=form)
    except (ValueError, UnicodeEncodeError):
        return  # ustar cannot hold every name
    expected = {name.partition("/")[2]: data for name, data in read_by_tarfile(packed).items()}

    assert contents(unpack(TGZ, packed, Limits())) == expected


def test_files_are_named_by_digest_and_sorted() -> None:
    """Paths come in order, whatever the archive's; each blob is named by its SHA-256."""
    tree = unpack(TGZ, honest_tgz({"package/b": b"2", "package/a": b"1"}), Limits())

    assert list(tree.files) == ["a", "b"]
    assert tree.files["a"].digest == digest_of(b"1")


def test_npm_strips_whatever_comes_first() -> None:
    """The npm client drops the first path component, whatever it is called, of each member by itself."""
    tree = unpack(TGZ, honest_tgz({"package/a.js": b"1", "other/b.js": b"2", "./c/d.js": b"3"}), Limits())

    assert contents(tree) == {"a.js": b"1", "b.js": b"2", "c/d.js": b"3"}


def test_npm_skips_what_has_no_folder() -> None:
    """A member beside the package folder has no path left after stripping: told, not unpacked."""
    tree = unpack(TGZ, honest_tgz({"stray.js": b"1", "package/a.js": b"2"}), Limits())

    assert contents(tree) == {"a.js": b"2"}
    assert odd(tree) == [("odd-name", "stray.js")]


def test_sdist_loses_its_only_root() -> None:
    """The pip client drops the leading folder of an sdist if all members share one."""
    assert contents(unpack(SDIST, honest_tgz({"x-1.0/setup.py": b"1", "x-1.0/x/a.py": b"2"}), Limits())) == {
        "setup.py": b"1",
        "x/a.py": b"2",
    }


def test_sdist_with_two_roots_keeps_them() -> None:
    """The pip client leaves an sdist alone whose members do not share a folder."""
    assert list(unpack(SDIST, honest_tgz({"x/setup.py": b"1", "y/a.py": b"2"}), Limits()).files) == [
        "x/setup.py",
        "y/a.py",
    ]


def test_execute_bit() -> None:
    """Paths whose mode has an execute bit are known."""
    packed = tgz(member(b"package/run", b"#!", mode=b"0000755\0"), member(b"package/read", b""))

    assert unpack(TGZ, packed, Limits()).executable == frozenset({"run"})


def test_last_duplicate_wins() -> None:
    """Clients overwrite: the last one counts, and the duplicate is told."""
    tree = unpack(TGZ, tgz(member(b"package/a", b"first"), member(b"package/./a", b"last")), Limits())

    assert contents(tree) == {"a": b"last"}
    assert odd(tree) == [("duplicate", "a")]


def test_file_that_is_a_folder_too() -> None:
    """A path that is both a file and a folder is unpacked differently everywhere: told."""
    assert odd(unpack(TGZ, tgz(member(b"package/a", b""), member(b"package/a/b", b"")), Limits())) == [
        ("duplicate", "a")
    ]


@pytest.mark.parametrize(
    ("flag", "kind"), [(b"1", "link"), (b"2", "link"), (b"3", "device"), (b"4", "device"), (b"6", "device")]
)
def test_links_and_devices_are_told_and_never_made(flag: bytes, kind: str) -> None:
    """A link or device becomes an oddity; what a link would show elsewhere is not read through it."""
    tree = unpack(TGZ, tgz(member(b"package/l", link=b"/etc/passwd", flag=flag), member(b"package/a", b"1")), Limits())

    assert contents(tree) == {"a": b"1"}
    assert odd(tree) == [(kind, "l")]


@pytest.mark.parametrize(
    ("name", "path", "kind"),
    [
        (b"package/../../x", None, "parent-path"),
        (b"package//etc/x", "etc/x", "absolute-path"),
        (b"/package/x", "package/x", "absolute-path"),
        (b"package/C:/x", "x", "absolute-path"),
        (b"package/a\\b", "a\\b", "odd-name"),
        (b"package/a\x1b[2Jb", "a\x1b[2Jb", "odd-name"),
        (b"package/\xff", "\ufffd", "odd-name"),
        ("package/\u202egpj.js".encode(), "\u202egpj.js", "odd-name"),
    ],
)
def test_names_that_an_honest_packer_does_not_write(name: bytes, path: str | None, kind: str) -> None:
    """Roots are cut off as npm does, a path that leaves its folder is skipped; each is told."""
    tree = unpack(TGZ, tgz(member(name, b"1")), Limits())

    assert contents(tree) == ({path: b"1"} if path else {})
    assert [found for found, _ in odd(tree)] == [kind]


def test_case_collision() -> None:
    """Two paths that differ only in case are one file on some systems: told, both kept."""
    tree = unpack(TGZ, tgz(member(b"package/A.js", b"1"), member(b"package/a.js", b"2")), Limits())

    assert contents(tree) == {"A.js": b"1", "a.js": b"2"}
    assert odd(tree) == [("case-collision", "a.js")]


def test_old_formats() -> None:
    """Old v7 without a magic, its folders as names with a slash; base-256 sizes; signed checksums."""
    old = header(b"package/\xe9", magic=b"", size=3, flag=b"\0")
    signed = sum(byte - 256 if byte > 127 else byte for byte in old[:148] + b" " * 8 + old[156:])
    old = old[:148] + b"%06o\0 " % signed + old[156:]
    packed = tgz(
        member(b"package/lib/", magic=b"", flag=b"\0"),
        old + b"abc" + bytes(509),
        header(b"package/b", size=b"\x80" + (2).to_bytes(11, "big")) + b"xy" + bytes(510),
    )

    assert contents(unpack(TGZ, packed, Limits())) == {"\ufffd": b"abc", "b": b"xy"}


def test_long_names() -> None:
    """GNU long names, pax paths and the ustar prefix all give the whole name."""
    packed = tgz(
        member(b"././@LongLink", b"package/gnu" + b"g" * 200 + b"\0", flag=b"L", magic=b"ustar  \0"),
        member(b"package/cut", b"1", magic=b"ustar  \0"),
        pax(path="package/pax" + "p" * 200),
        member(b"package/cut", b"2"),
        member(b"b", b"3", prefix=b"package/a"),
        pax(size="2"),
        header(b"package/sized") + b"45" + bytes(510),
    )

    assert contents(unpack(TGZ, packed, Limits())) == {
        "gnu" + "g" * 200: b"1",
        "pax" + "p" * 200: b"2",
        "a/b": b"3",
        "sized": b"45",
    }


def test_global_header_of_git_archive() -> None:
    """A global header with a comment, as ``git archive`` writes it, changes nothing."""
    comment = pax_record(b"comment", b"9" * 40)

    assert contents(unpack(SDIST, tgz(member(b"g", comment, flag=b"g"), member(b"x-1/a", b"1")), Limits())) == {
        "a": b"1"
    }


REFUSED = {
    "checksum": tgz(header(b"package/a", checksum=b"000000\0 ")),
    "single end mark": tgz(member(b"package/a", b"1"), end=bytes(512) + member(b"package/b", b"2") + bytes(1024)),
    "truncated inside": tgz(header(b"package/a", size=2000) + b"short", end=b""),
    "inside a header": tgz(member(b"package/a", b"1"), end=b"x" * 100),
    "sparse": tgz(member(b"package/a", b"x", flag=b"S")),
    "unknown type": tgz(member(b"package/a", b"x", flag=b"Z")),
    "folder, link or device": tgz(member(b"package/d/", b"x" * 512, flag=b"0")),
    "a file with a link target": tgz(member(b"package/a", b"x", link=b"package/b")),
    "link or device with contents": tgz(member(b"package/l", b"x" * 512, flag=b"2", link=b"x")),
    "name prefix": tgz(member(b"a", b"x", prefix=b"package", magic=b"")),
    "global tar header": tgz(member(b"g", pax_record(b"path", b"p/x"), flag=b"g"), member(b"package/a", b"1")),
    "different values": tgz(pax(path="package/x"), pax(path="package/y"), member(b"package/a", b"1")),
    "belongs to no member": tgz(pax(path="package/x")),
    "broken size": tgz(pax(size="-1"), member(b"package/a", b"1")),
    "header is broken": tgz(member(b"p", b"99 path=x\n", flag=b"x"), member(b"package/a", b"1")),
    "extended tar header is": tgz(member(b"p", b"path=x\n", flag=b"x"), member(b"package/a", b"1")),
    "twice": tgz(member(b"p", pax_record(b"path", b"p/x") * 2, flag=b"x"), member(b"package/a", b"1")),
    "broken number": tgz(header(b"package/a", size=b"9999999")),
    "has the broken number b'0x": tgz(member(b"package/a", b"1", mode=b"0x00644\0")),
    "truncated inside an extended": tgz(header(b"p", size=900, flag=b"x") + b"9", end=b""),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_refused_where_believing_the_rest_would_be_wrong(reason: str) -> None:
    """Truncated, wrong checksums, and every construct on which npm's and pip's readers are known to disagree."""
    assert reason in refused(TGZ, REFUSED[reason])
    assert reason in refused(SDIST, REFUSED[reason])


def test_what_follows_the_end_is_told() -> None:
    """Bytes behind the tar or behind the gzip stream are read by no client: told."""
    behind_tar = tgz(member(b"package/a", b"1"), end=bytes(1024) + b"hidden")
    behind_gzip = tgz(member(b"package/a", b"1")) + b"hidden"

    assert odd(unpack(TGZ, behind_tar, Limits())) == [("trailing-data", "")]
    assert odd(unpack(TGZ, behind_gzip, Limits())) == [("trailing-data", "")]
    assert odd(unpack(TGZ, tgz(member(b"package/a", b"1")) + bytes(700), Limits())) == []


def test_gzip_in_several_streams() -> None:
    """Streams one after the other are one file; after zero padding clients disagree, and it is refused."""
    tar = member(b"package/a", b"1" * 2000) + bytes(1024)
    halves = gzip.compress(tar[:700]), gzip.compress(tar[700:])

    assert contents(unpack(TGZ, halves[0] + halves[1], Limits())) == {"a": b"1" * 2000}
    assert "padding" in refused(TGZ, halves[0] + bytes(10) + halves[1])


def test_broken_gzip_is_refused() -> None:
    """A wrong checksum of the stream, a wrong length, a cut anywhere."""
    packed = honest_tgz({"package/a": b"abc" * 500})

    assert "broken" in refused(TGZ, packed[:-8] + bytes(4) + packed[-4:])
    assert "broken" in refused(TGZ, packed[:-4] + bytes(4))
    assert all(refused(TGZ, packed[:cut]) for cut in range(0, len(packed) - 1, 7))


def test_plain_tar_is_read_for_npm_only() -> None:
    """The npm client unpacks a tar that is not compressed, pip does not."""
    tar = member(b"package/a", b"1") + bytes(1024)

    assert contents(unpack(TGZ, tar, Limits())) == {"a": b"1"}
    assert "not a" in refused(SDIST, tar)


@pytest.mark.parametrize(
    ("limits", "word"),
    [
        (Limits(packed=100), "limit"),
        (Limits(unpacked=5000), "unpacks"),
        (Limits(ratio=2, ratio_floor=1000), "bomb"),
        (Limits(members=2), "members"),
        (Limits(path=10), "characters"),
        (Limits(depth=1), "deep"),
        (Limits(file=2000), "one file"),
        (Limits(header=100), "header"),
    ],
)
def test_limits(limits: Limits, word: str) -> None:
    """Each bound refuses, with a message that names it."""
    packed = tgz(
        pax(path="package/" + "d/" * 3 + "n" * 300),
        member(b"package/cut", b"1" * 3000),
        member(b"package/b/c", b"2" * 1000),
        member(b"package/c", b"3"),
    )

    assert word in refused(TGZ, packed, limits)
    assert not isinstance(outcome(TGZ, packed), str)


def test_a_bomb_is_refused_early() -> None:
    """A stream that unpacks to far more than 200 times its size is refused after 200 times its size."""
    bomb = gzip.compress(bytes(64 << 20))

    assert "bomb" in refused(TGZ, bomb)


def test_many_streams_are_refused() -> None:
    """A file of empty gzip streams costs a bounded time."""
    assert "streams" in refused(TGZ, gzip.compress(b"") * 5000)


@given(sizes=st.lists(st.integers(0, 4000), max_size=12), data=st.binary(min_size=1, max_size=300))
def test_reading_in_pieces(sizes: list[int], data: bytes) -> None:
    """The stream gives the same bytes in whatever pieces they are asked for."""
    whole = data * 40
    stream = GzipStream(gzip.compress(whole), Limits())
    pieces = [stream.read(size) for size in sizes]

    assert b"".join(pieces) == whole[: sum(sizes)]
    assert stream.read(len(whole)) == whole[sum(sizes) :]


@given(noise=st.binary(max_size=2000), kind=st.sampled_from([TGZ, SDIST]))
def test_any_bytes_give_a_tree_or_a_fault(noise: bytes, kind: object) -> None:
    """Any bytes, also as a tar inside a valid gzip stream, give a tree or ArchiveFault and nothing else."""
    outcome(kind, noise)  # type: ignore[arg-type]
    outcome(kind, gzip.compress(noise, 1))  # type: ignore[arg-type]


@given(data=st.data())
def test_any_damage_gives_a_tree_or_a_fault(data: st.DataObject) -> None:
    """Single bytes changed anywhere in a tar, with the checksum repaired or not."""
    tar = bytearray(
        pax(path="package/long") + member(b"package/a", b"1" * 600) + member(b"package/b", b"") + bytes(1024)
    )
    for _ in range(data.draw(st.integers(1, 4))):
        tar[data.draw(st.integers(0, len(tar) - 1))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        for start in range(0, len(tar), 512):
            block = tar[start : start + 512]
            if block[257:262] == b"ustar":
                block[148:156] = b" " * 8
                tar[start + 148 : start + 156] = b"%06o\0 " % sum(block)
    packed = gzip.compress(bytes(tar), 1)
    result = outcome(TGZ, packed)

    if not isinstance(result, str) and not result.oddities:
        listed = {name.partition("/")[2]: content for name, content in read_by_tarfile(packed).items()}
        assert {path: blob.data for path, blob in result.files.items()}.items() <= _normal(listed).items()


def _normal(files: dict[str, bytes]) -> dict[str, bytes]:
    return {"/".join(part for part in path.split("/") if part not in {"", "."}): data for path, data in files.items()}


def test_zlib_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without isal, zlib gives the same trees and refuses the same archives."""
    good = [honest_tgz({"package/a": b"x" * 50_000, "package/b": b""}), tgz(member(b"package/a", b"1")) + b"tail"]
    bad = [good[0][:-5], good[0][:40] + b"\0" + good[0][41:], gzip.compress(bytes(24 << 20))]
    with_isal = [outcome(TGZ, packed) for packed in good + bad]
    monkeypatch.setitem(__import__("sys").modules, "isal", None)
    with_zlib = [outcome(TGZ, packed) for packed in good + bad]

    assert with_zlib[: len(good)] == with_isal[: len(good)]
    assert all(isinstance(result, str) for result in with_isal[len(good) :] + with_zlib[len(good) :])


def test_large_member_spans_chunks() -> None:
    """A member larger than any internal chunk, beside small ones."""
    large = bytes(range(256)) * 20_000
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as archive:
        for name, data in (("package/s", b"1"), ("package/l", large), ("package/t", b"2")):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))

    assert contents(unpack(TGZ, packed.getvalue(), Limits(ratio=10_000))) == {"s": b"1", "l": large, "t": b"2"}


def test_an_extended_header_that_is_padded() -> None:
    """Some packers fill a pax header's records with NULs; they end the records."""
    records = pax_record(b"path", b"package/long.js")
    packed = tgz(member(b"PaxHeader", records + bytes(20), flag=b"x"), member(b"package/short.js", b"1"))

    assert contents(unpack(TGZ, packed, Limits())) == {"long.js": b"1"}
