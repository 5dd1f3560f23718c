"""Container images without a daemon: what lies in them is found, and what a later layer takes away is not."""

import importlib
import io
import json
import os
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lazaretto.app.inventory import reading, wanted
from lazaretto.app.inventory.ports import Inside, InventoryError
from lazaretto.core.archive import layer as layers
from lazaretto.core.archive import overlay
from lazaretto.core.archive.layer import Layered, Member
from lazaretto.core.archive.limits import ArchiveFault
from lazaretto.core.inventory import Entry, Proof, Unread
from lazaretto.infra import _sources, image
from lazaretto.infra._sources import BytesSource
from lazaretto.infra.disk import LocalDisk
from lazaretto.infra.image_disk import ImageDisk
from tests.inventory.company import lockfile
from tests.inventory.conftest import Person
from tests.inventory.images import Layer, layer, oci, packed, saved, written
from tests.inventory.test_laws import ECOSYSTEMS, FORMATS, KINDS

BASE = layer(
    {
        "usr/lib/python3/site-packages/litellm-1.82.7.dist-info/METADATA": b"Name: litellm\n",
        "usr/lib/python3/site-packages/litellm-1.82.7.dist-info/INSTALLER": b"pip\n",
        "srv/old/package-lock.json": lockfile().encode(),
        "srv/kept/": b"",
        "./big.bin": b"\0" * 3_000_000,
    }
)
APP = layer(
    {
        "app/package-lock.json": lockfile().encode(),
        "app/node_modules/axios/package.json": b'{"name": "axios", "version": "1.14.1"}',
        "srv/.wh.old": b"",
    }
)


def found(person: Person, release: str = "axios@1.14.1") -> list[str]:
    """Return the paths of whoever has a release, below the work folder."""
    return [one["place"]["path"].removeprefix(f"{person.folder}/") for one in person.asks(release)["exposures"]]


@pytest.mark.parametrize("kind", ["layout", "archive", "packed archive", "docker save"])
def test_every_form_of_an_image(person: Person, kind: str) -> None:
    """An OCI layout, its archive, that archive packed, and what ``docker save`` writes say the same."""
    files = saved(BASE, APP) if kind == "docker save" else oci((BASE, packed(APP)))
    if kind == "layout":
        written(person.folder / "image.tar", files)
    else:
        data = layer(files)
        name = "image.tar.gz" if kind == "packed archive" else "image.tar"
        (person.folder / name).write_bytes(packed(data) if kind == "packed archive" else data)
    assert person.adds(person.folder) == 0
    named = "image.tar.gz" if kind == "packed archive" else "image.tar"
    assert found(person) == [f"{named}!/app/node_modules", f"{named}!/app/package-lock.json"]
    assert found(person, "pypi:litellm@1.82.7") == [f"{named}!/usr/lib/python3/site-packages"]


def test_several_images_share_layers(person: Person) -> None:
    """Each image is told by its name; a hostile name is none of a path's."""
    files = oci((BASE, APP), (BASE,), (APP,), names=["a/../b:1", "base:1", "c\n\x1b[2J:2"])
    (person.folder / "i.tar").write_bytes(layer(files))
    assert person.adds(person.folder) == 0
    assert found(person) == [
        "i.tar!/a_.._b:1@linux-arm64/app/node_modules",
        "i.tar!/a_.._b:1@linux-arm64/app/package-lock.json",
        "i.tar!/base:1@linux-arm64/srv/old/package-lock.json",
        "i.tar!/c___2J:2@linux-arm64/app/node_modules",
        "i.tar!/c___2J:2@linux-arm64/app/package-lock.json",
    ]


def test_an_unchanged_image_costs_nothing_and_a_changed_one_ends_what_left(person: Person) -> None:
    """What lies in an image that did not change is not gone; of one that did, what is no longer in it is."""
    target = person.folder / "i.tar"
    target.write_bytes(layer(oci((BASE, APP))))
    assert person.adds(person.folder) == 0
    assert "0 places read" in (told := person.runs("inventory", "add", str(person.folder))[1])
    assert "0 gone" in told
    target.write_bytes(layer(oci((BASE,))))
    os.utime(target, (1, 1))
    assert "2 gone" in person.runs("inventory", "add", str(target))[1]
    lasting = [one for one in person.asks("axios@1.14.1")["exposures"] if one["last"] is None]
    assert [one["place"]["path"].rpartition("!")[2] for one in lasting] == ["/srv/old/package-lock.json"]


def test_what_is_broken_is_told_and_the_rest_is_read(person: Person) -> None:
    """A layer that is truncated, missing or of an unknown packing does not keep the others from being read."""
    broken = [APP[:-9000], packed(APP)[:300], b"\x28\xb5\x2f\xfd" + b"x" * 20, b"no layer" * 200]
    files = oci((BASE, *broken))
    lost = json.loads(files["index.json"])["manifests"][0]["digest"]
    inner = json.loads(files[f"blobs/sha256/{lost[7:]}"])
    inner["manifests"] += [{"digest": f"sha256:{'1' * 64}"}, {"digest": "md5:1"}]
    files[f"blobs/sha256/{lost[7:]}"] = json.dumps(inner).encode()
    (person.folder / "i.tar").write_bytes(layer(files))
    assert person.adds(person.folder) == 3
    told = "\n".join(person.asks("axios@1.14.1")["unread"])
    for words in ("truncated inside", "what is packed", "broken number", "digest is not understood"):
        assert words in told, words
    assert "i.tar!/app/package-lock.json" in found(person)
    (person.folder / "i.tar").write_bytes(layer({"index.json": b"{", "oci-layout": b""}))
    assert person.adds(person.folder) == 3
    assert "index.json is not understood" in str(person.asks("axios@1.14.1")["unread"])


def test_archives_that_are_no_images_are_left_alone(person: Person) -> None:
    """A package's tarball is none."""
    (person.folder / "a-1.0.0.tgz").write_bytes(packed(layer({"package/package-lock.json": lockfile().encode()})))
    (person.folder / "broken.tar.gz").write_bytes(b"\x1f\x8bxx")
    assert person.adds(person.folder) == 4


def test_a_hard_link_has_the_contents_of_what_it_is_the_same_as(person: Person) -> None:
    """What pnpm installs is linked to its store, whose names say nothing."""
    files: Layer = {"store/aa/bb": lockfile().encode(), "app/package-lock.json": "store/aa/bb", "app/gone": "nowhere"}
    (person.folder / "i.tar").write_bytes(layer(oci((layer(files),))))
    assert person.adds(person.folder) == 0
    assert found(person) == ["i.tar!/app/package-lock.json"]


def test_layers_lie_over_each_other() -> None:
    """A file takes the place of a folder, an opaque folder hides what is below, and its own files stay."""
    file = Member(Layered.FILE, "a/b", 1, 0.0, "", b"1")
    laid = overlay.laid(
        [
            [file, Member(Layered.FILE, "a/c"), Member(Layered.FILE, "d"), Member(Layered.FILE, "e/f")],
            [Member(Layered.FILE, "a/n", 1, 0.0, "", b"2"), Member(Layered.OPAQUE, "a"), Member(Layered.OPAQUE, "zz")],
            [Member(Layered.FOLDER, "d"), Member(Layered.FILE, "e"), Member(Layered.HIDES, "q/x")],
            [Member(Layered.FILE, "d/below/x"), Member(Layered.OTHER, "l"), Member(Layered.FOLDER, "d")],
        ]
    )
    disk = ImageDisk(laid)
    assert disk.list("/") == (("a", "d"), ("e",))
    assert disk.list("/a") == ((), ("n",))
    assert disk.read("/a/n", 10) == disk.head("/a/n", 9) == disk.tail("/a/n", 9) == b"2"
    assert list(disk.lines("/a/n", 5)) == [b"2"]
    assert disk.stat("/a") is None
    for act in (
        lambda: disk.list("/l"),
        lambda: disk.read("/e", 1),
        lambda: disk.read("/a/n", 0),
        lambda: disk.history("/"),
        lambda: disk.served("/"),
        lambda: disk.column("/", "a", "b"),
        lambda: disk.images("/", lambda *_: True),
    ):
        with pytest.raises(InventoryError):
            act()


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=600), at=st.integers(0, len(APP)), cut=st.integers(0, len(APP)))
def test_any_bytes_are_members_or_a_fault(data: bytes, at: int, cut: int) -> None:
    """Nothing but the fault of an archive is raised, and no path leads out."""
    broken = (APP[:at] + data + APP[at + len(data) :])[:cut]
    members, why = overlay.scan(lambda: BytesSource(broken), lambda *_: True)
    overlay.laid([members])
    assert all(".." not in one.path.split("/") for one in members)
    assert isinstance(why, str)


def test_bounds_of_a_layer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Too many members, too long an extended header, too deep a path, too much unpacked: told, and no more is read."""
    monkeypatch.setattr(overlay, "MAX_NODES", 2)
    members, why = overlay.scan(lambda: BytesSource(layer({str(n): b"" for n in range(5)})), lambda *_: False)
    assert (len(members), why) == (2, "more than 2 members: the rest is not read")
    long = layer({"a/" * 300 + "x": b"", "é" * 60: b"1"})
    assert [one.path for one in layers.members(BytesSource(long), lambda *_: False)] == ["é" * 60]
    monkeypatch.setattr(layers, "MAX_HEADER", 10)
    with pytest.raises(ArchiveFault, match="extended header"):
        list(layers.members(BytesSource(long), lambda *_: False))
    monkeypatch.setattr(_sources, "MAX_UNPACKED", 1000)
    (tmp_path / "i.tar").write_bytes(layer(oci((packed(BASE),))))
    told = list(LocalDisk().images(str(tmp_path / "i.tar"), lambda *_: False))
    assert "more than 1000 bytes unpacked" in str(told[0])
    monkeypatch.setattr(image, "MAX_DOCUMENT", 5)
    with pytest.raises(InventoryError, match="larger than 5 bytes"):
        list(LocalDisk().images(str(tmp_path / "i.tar"), lambda *_: False))
    monkeypatch.undo()
    monkeypatch.setattr(image, "MAX_LAYERS", 1)
    monkeypatch.setattr(image, "MAX_IMAGES", 1)
    (tmp_path / "i.tar").write_bytes(layer(oci((BASE, APP), (APP, BASE))))
    told = list(LocalDisk().images(str(tmp_path / "i.tar"), lambda *_: False))
    assert sum(isinstance(one, Inside) for one in told) == 1
    assert [
        "more than 1 layers" in str(one) or "more than 1 images" in str(one) for one in told if isinstance(one, Unread)
    ]


def test_what_is_no_image_is_told(tmp_path: Path) -> None:
    """A folder or an archive that names no image, a link in a layout: an error of the port, and none of a file."""
    with pytest.raises(InventoryError, match="neither"):
        list(LocalDisk().images(str(tmp_path), lambda *_: False))
    with pytest.raises(InventoryError):
        list(LocalDisk().images(str(tmp_path / "none.tar"), lambda *_: False))
    (tmp_path / "x.tar").write_bytes(b"x" * 2000)
    with pytest.raises(InventoryError, match="no archive"):
        list(LocalDisk().images(str(tmp_path / "x.tar"), lambda *_: False))
    written(tmp_path / "l", oci((BASE,)))
    (tmp_path / "l" / "index.json").unlink()
    (tmp_path / "l" / "index.json").symlink_to("/etc/hostname")
    with pytest.raises(InventoryError, match="cannot be read"):
        list(LocalDisk().images(str(tmp_path / "l"), lambda *_: False))


def zstd() -> Any:
    """Return what packs with zstd: the standard library, or what is like it before Python 3.14."""
    name = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
    return importlib.import_module(name)


def test_layers_packed_with_zstd(person: Person) -> None:
    """What lies in such a layer is found as in any other; several frames, and frames to be skipped, are one stream."""
    half = len(APP) // 2
    skipped = b"\x50\x2a\x4d\x18\x04\0\0\0skip"
    frames = zstd().compress(APP[:half]) + skipped + zstd().compress(APP[half:])
    (person.folder / "i.tar").write_bytes(layer(oci((BASE, frames))))
    assert person.adds(person.folder) == 0
    assert "i.tar!/app/package-lock.json" in found(person)
    (person.folder / "i.tar").write_bytes(layer(oci((BASE, frames[: len(frames) // 2]))))
    assert person.adds(person.folder) == 3
    assert "what is packed is truncated" in str(person.asks("axios@1.14.1")["unread"])


def test_zstd_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """What unpacks to too much, is broken, or asks for more than 128 MiB to look back into is told, and not held."""
    monkeypatch.setattr(_sources, "MAX_UNPACKED", 1 << 20)
    bomb = zstd().compress(bytes(8 << 20))
    assert len(bomb) < 2000
    with pytest.raises(ArchiveFault, match="more than 1048576 bytes"):
        _sources.unpacked(BytesSource(bomb)).skip(8 << 20)
    wide = b"\x28\xb5\x2f\xfd\x00" + bytes([18 << 3]) + b"\x01\x00\x00"  # RFC 8878: a window of 256 MiB
    for broken in (b"\x28\xb5\x2f\xfd" + b"x" * 20, wide):
        with pytest.raises(ArchiveFault, match="what is packed is broken"):
            _sources.unpacked(BytesSource(broken)).read(9)


def test_zstd_where_nothing_unpacks_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """What would be needed is said."""

    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(_sources, "import_module", missing)
    with pytest.raises(ArchiveFault, match=r"lazaretto\[images\]"):
        _sources.unpacked(BytesSource(b"\x28\xb5\x2f\xfdabc"))


def tar(form: int, members: list[tarfile.TarInfo], headers: dict[str, str] | None = None) -> bytes:
    """Return a tar of empty members in a format."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form, pax_headers=headers) as archive:
        for member in members:
            archive.addfile(member)
    return buffer.getvalue()


def test_every_form_of_a_header() -> None:
    """Long names of GNU and of POSIX, headers for all, prefixes, numbers beyond octal: what Go's reader takes."""
    long, link = tarfile.TarInfo(f"{'d' * 90}/{'x' * 60}"), tarfile.TarInfo("l")
    link.type, link.linkname = tarfile.SYMTYPE, "y" * 200
    long.mtime = 8**12
    same = tarfile.TarInfo("h")
    same.type, same.linkname = tarfile.LNKTYPE, "z" * 150
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        data = tar(form, [long, link, same], {"comment": "for all"} if form == tarfile.PAX_FORMAT else None)
        found = list(layers.members(BytesSource(data), lambda *_: False))
        assert [one.path for one in found] == [long.name, "l", "h"]
        assert found[1].kind is Layered.OTHER
        assert found[2].target == "z" * 150
    prefixed = list(
        layers.members(
            BytesSource(tar(tarfile.USTAR_FORMAT, [tarfile.TarInfo(f"{'p' * 90}/{'q' * 50}")])), lambda *_: True
        )
    )
    assert prefixed[0].path == f"{'p' * 90}/{'q' * 50}"
    whole = tar(tarfile.PAX_FORMAT, [long])
    for at, data, why in ((512, b"x", "broken"), (600, b"", "truncated inside"), (300, b"", "inside a header")):
        broken = whole[:at] + data + whole[at + len(data) :] if data else whole[:at]
        with pytest.raises(ArchiveFault, match=why):
            list(layers.members(BytesSource(broken), lambda *_: False))
    sized = layer({"a": b"123"})
    for cut, kept in ((514, True), (600, False)):
        with pytest.raises(ArchiveFault, match="inside a member"):
            list(layers.members(BytesSource(sized[:cut]), lambda *_, kept=kept: kept))
    away = list(layers.members(BytesSource(layer({"a/.wh..wh..opq": b"", ".wh.b": b""})), lambda *_: False))
    assert [(one.kind, one.path) for one in away] == [(Layered.OPAQUE, "a"), (Layered.HIDES, "b")]
    changed = bytearray(sized)
    changed[0] ^= 1
    with pytest.raises(ArchiveFault, match="wrong checksum"):
        list(layers.members(BytesSource(bytes(changed)), lambda *_: False))


def test_what_is_too_large_to_keep_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a file beyond the bound the contents are left; nobody's files are left as well."""
    kept = wanted.WantedFiles(KINDS, FORMATS)
    assert kept("a/package-lock.json", 5)
    assert not kept("a/libc.so.6", 5)
    monkeypatch.setattr(wanted, "MAX_KEPT_FILE", 4)
    assert not kept("a/package-lock.json", 5)


def test_spellings_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names whose normal form is known are held in bounded memory; a note that cannot be written is spelled out."""
    monkeypatch.setattr(reading, "MAX_SPELLINGS", 0)
    normal = reading.Normal(ECOSYSTEMS.__getitem__)
    for name in ("A_b", "c", "A_b"):
        entry = Entry("pypi", name, "1.0.0", Proof.LISTED, 0, note="\udcff")
        told = normal.entry(entry)
        assert isinstance(told, Entry)
        assert (told.name, told.note) == (name.lower().replace("_", "-"), "\\udcff")
    strange = normal.entry(Entry("npm", "\udcff", "1.0.0", Proof.LISTED, 0, line=7))
    assert isinstance(strange, Unread)
    assert strange.line == 7
    assert "\udcff" not in strange.why
