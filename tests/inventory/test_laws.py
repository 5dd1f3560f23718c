"""The laws of the inventory: same input, same answer; twice is once; order is nothing; any bytes end in words."""

import random
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lazaretto.app.inventory import add as adding
from lazaretto.app.inventory import reading
from lazaretto.app.inventory.add import Look, Root, add
from lazaretto.app.inventory.exposed import Asked, exposed
from lazaretto.app.inventory.ports import Claim, Folder, InventoryError, PlaceModule, Readers, Stat
from lazaretto.core.inventory import Entry, Place, Proof, Unread
from lazaretto.core.names import ProjectName, Version
from lazaretto.ecosystems.npm import ECOSYSTEM as NPM
from lazaretto.ecosystems.pypi import ECOSYSTEM as PYPI
from lazaretto.infra.disk import LocalDisk
from lazaretto.infra.inventory import SqliteInventory
from lazaretto.surfaces.cli.inventory import formats, kinds
from tests.inventory.company import lockfile

NOW = datetime(2026, 4, 1, tzinfo=UTC)
KINDS = kinds()
FORMATS = formats()
ECOSYSTEMS: dict[str, Any] = {"npm": NPM, "pypi": PYPI}
ASKED = [Asked("npm", ProjectName("axios"), Version("1.14.1"))]


class Files(LocalDisk):
    """A disk in memory."""

    def __init__(self, files: Mapping[str, bytes], at: datetime = NOW) -> None:
        self.files = dict(files)
        self.at = at

    def list(self, path: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return what lies in a folder."""
        below = [name.removeprefix(f"{path}/").split("/") for name in self.files if name.startswith(f"{path}/")]
        folders, files = {one[0] for one in below if len(one) > 1}, {one[0] for one in below if len(one) == 1}
        return tuple(sorted(folders)), tuple(sorted(files))

    def stat(self, path: str) -> Stat | None:
        """Return size and time."""
        return Stat(len(self.files[path]), self.at) if path in self.files else None

    def read(self, path: str, limit: int) -> bytes:
        """Return bytes."""
        if path not in self.files or len(self.files[path]) > limit:
            raise InventoryError("cannot be read")
        return self.files[path]

    def head(self, path: str, size: int) -> bytes:
        """Return the first bytes."""
        return self.read(path, 1 << 30)[:size]

    def tail(self, path: str, size: int) -> bytes:
        """Return the last bytes."""
        return self.read(path, 1 << 30)[-size:]

    def lines(self, path: str, longest: int) -> Iterator[bytes]:
        """Yield lines."""
        yield from (line[:longest] for line in self.read(path, 1 << 30).split(b"\n"))


def look(disk: LocalDisk, store: SqliteInventory, roots: list[str], now: datetime = NOW) -> tuple[str, ...]:
    """Look at roots; return what could not be read."""
    done = add(
        Look(disk, store, KINDS, FORMATS, ECOSYSTEMS.__getitem__, now, lambda _: None),
        [Root(root, root) for root in roots],
    )
    return done.unread


def dump(store: SqliteInventory) -> list[str]:
    """Return everything that a store holds, by names instead of by numbers."""
    rows = store._read(
        """SELECT path, kind, ecosystem, name, version, proof, number, line, via, began, ended, signs, note
        FROM entry JOIN place ON place.id = place JOIN release ON release.id = release ORDER BY 1, 2, number""",
        (),
    )
    return [*map(repr, store.places()), *map(repr, rows)]


def answer(store: SqliteInventory) -> bytes:
    """Return who is exposed, as bytes."""
    return msgspec.json.encode(exposed(store, ASKED, None))


projects = st.lists(
    st.tuples(st.booleans(), st.booleans(), st.sampled_from(["package-lock.json", "a/package-lock.json", "b.log"])),
    max_size=5,
)


def company(made: list[tuple[bool, bool, str]]) -> dict[str, bytes]:
    """Return the files of a company; a log that is a lockfile says nothing."""
    return {f"/c/{n}/{name}": lockfile(bad=bad, direct=direct).encode() for n, (bad, direct, name) in enumerate(made)}


@settings(max_examples=20, deadline=None)
@given(made=projects, seed=st.integers(0, 99))
def test_twice_is_once_and_order_is_nothing(made: list[tuple[bool, bool, str]], seed: int) -> None:
    """The same places give the same bytes, however often and in whatever order they are added."""
    disk = Files(company(made))
    roots = [f"/c/{number}" for number in range(len(made))]
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        one, other = SqliteInventory(Path(first)), SqliteInventory(Path(second))
        look(disk, one, roots)
        once = dump(one)
        look(disk, one, roots)
        assert dump(one) == once
        random.Random(seed).shuffle(roots)
        look(disk, other, roots)
        assert dump(other) == once
        assert answer(other) == answer(one)
        one.close()
        other.close()


def test_what_left_has_an_end_and_what_came_back_has_two(tmp_path: Path) -> None:
    """A pin that a lockfile no longer has ends at the last look that saw it; one that is back begins anew."""
    store, path = SqliteInventory(tmp_path), "/c/package-lock.json"
    for day, bad in enumerate([True, True, False, True]):
        at = NOW + timedelta(days=day)
        look(Files({path: lockfile(bad=bad).encode() + b" " * day}, at), store, ["/c"], at)
    times = [(one.entry.first, one.entry.last) for one in exposed(store, ASKED, None).exposures]
    assert sorted(times, key=str) == [(NOW, NOW + timedelta(days=1)), (NOW + timedelta(days=3), None)]


def test_a_place_that_is_gone_ends(tmp_path: Path) -> None:
    """A file that is no longer there had it until the last look; what lies beside the root is not touched."""
    store = SqliteInventory(tmp_path)
    files = {"/c/package-lock.json": lockfile().encode(), "/c0/package-lock.json": lockfile().encode()}
    look(Files(files), store, ["/c", "/c0"])
    look(Files({"/c/README": b""}), store, ["/c"], NOW + timedelta(days=1))
    found = {one.place.path: one.entry.last for one in exposed(store, ASKED, None).exposures}
    assert found == {"/c/package-lock.json": NOW, "/c0/package-lock.json": None}
    look(Files(files), store, ["/c"], NOW + timedelta(days=2))
    assert not any(one.gone for one in store.places())


def test_what_cannot_be_listed_is_not_gone(tmp_path: Path) -> None:
    """A folder that cannot be read says nothing of what it holds."""

    class Closed(Files):
        def list(self, path: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
            if path == "/c/a":
                raise InventoryError("cannot be listed: Permission denied")
            return super().list(path)

    store, files = SqliteInventory(tmp_path), {"/c/a/package-lock.json": lockfile().encode()}
    look(Files(files), store, ["/c"])
    assert look(Closed(files), store, ["/c"]) == ("/c/a: cannot be listed: Permission denied",)
    assert not any(one.gone for one in store.places())


NAMES = {
    "lockfile": ("package-lock.json", "yarn.lock", "bom.json", "requirements.txt", "package.json"),
    "node_modules": ("node_modules/.package-lock.json", "node_modules/a/package.json", "node_modules/.pnpm/a@1.0.0/x"),
    "site-packages": ("site-packages/a-1.dist-info/INSTALLER", "site-packages/\x1b.dist-info/METADATA"),
    "npm-cache": ("_cacache/index-v5/aa/bb/cc",),
    "build-log": ("b.log",),
    "proxy-log": ("access.log",),
    "history": (".git",),
    "firewall": (),
    "image": ("oci-layout", "index.json", "a.tar", "b.tgz"),
    "pnpm-store": ("files/aa/bb-index.json", "index/aa/bb-a@1.0.0.json", "index.db"),
    "yarn-cache": ("v6/npm-a-1.0.0-x/node_modules/a/.yarn-metadata.json", "a-npm-1.0.0-0123456789-1.zip"),
    "bun-cache": ("a@1.0.0-x@@@1/package.json", "@s/a@1.0.0@@@1/package.json"),
    "uv-cache": ("CACHEDIR.TAG", "wheels-v5/pypi/a/1.0-py3-none-any.http", "sdists-v9/index/x/a/1.0/revision.http"),
    "pip-cache": ("http-v2/a/b", "wheels/a/a-1.0-py3-none-any.whl"),
}


def test_every_kind_is_asked() -> None:
    """A new kind needs files that it reads, here."""
    assert {kind.KIND for kind in KINDS} == set(NAMES)


def any_bytes(kind: PlaceModule, data: bytes) -> None:
    """Read a place of which every file holds these bytes."""
    top = "/c/v10" if kind.KIND == "pnpm-store" else "/c"
    disk = Files({f"{top}/{name}": data for name in NAMES[kind.KIND]})
    readers = Readers(FORMATS, NOW)
    try:
        folders, files = disk.list(top)
        for claim in kind.claim(Folder(top, top, folders, files), disk, readers):
            assert isinstance(claim, Claim)
            for one in kind.read(claim, disk, readers):
                assert isinstance(one, Entry | Unread)
    except InventoryError as error:
        assert str(error)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.KIND)
@settings(max_examples=40, deadline=None)
@given(data=st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode), st.just(b'0\t{"key": 1}')))
def test_any_bytes_are_read_or_told(kind: PlaceModule, data: bytes) -> None:
    """Whatever a place holds becomes entries, or words about what is wrong: nothing else is raised."""
    any_bytes(kind, data)


def test_numbers_of_proofs_are_kept(tmp_path: Path) -> None:
    """The store's file says by numbers how a place knows: every kind of proof comes back as it was."""
    store = SqliteInventory(tmp_path)
    entries = [Entry("npm", "a", "1.0.0", proof, number) for number, proof in enumerate(Proof)]
    store.put(Claim(Place("x", "/x"), "/x"), entries, (), NOW)
    assert [one.entry.proof for one in store.holding("npm", "a", "1.0.0")] == list(Proof)
    assert [store._read("SELECT proof FROM entry ORDER BY number", ())] == [[(n,) for n in range(len(Proof))]]


def test_a_broken_inventory_is_told(tmp_path: Path) -> None:
    """A file that is no inventory raises the error of the port."""
    (tmp_path / "inventory.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(InventoryError, match="cannot be read"):
        list(SqliteInventory(tmp_path).places())


def test_bounds_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many folders, entries or problems, too long a name: the beginning is read, and the rest is told."""
    store = SqliteInventory(tmp_path)
    monkeypatch.setattr(adding, "MAX_FOLDERS", 2)
    deep = {"/c/a/b/package-lock.json": lockfile().encode()}
    assert look(Files(deep), store, ["/c"]) == ("/c: more than 2 folders: the rest is not read",)
    monkeypatch.setattr(adding, "MAX_FOLDERS", 1000)
    monkeypatch.setattr(reading, "MAX_ENTRIES", 1)
    pins = "".join(f"a{number}==1.0\n" for number in range(3)) + "-- what\n??\n" + f"{'b' * 400}==1.0\n"
    told = look(Files({"/c/requirements.txt": pins.encode()}), store, ["/c"])
    assert told[0] == "/c/requirements.txt:2: more than 1 entries: the rest is not read"
    monkeypatch.setattr(reading, "MAX_ENTRIES", 1000)
    monkeypatch.setattr(reading, "MAX_UNREAD", 1)
    assert look(Files({"/e/requirements.txt": pins.encode()}), store, ["/e"])[1].endswith("more problems")
    monkeypatch.setattr(reading, "MAX_UNREAD", 1000)
    told = look(Files({"/d/requirements.txt": pins.encode()}), store, ["/d"])
    assert "/d/requirements.txt:6: a name or version of more than 300 characters" in told
    assert [one.entries for one in store.places() if one.place.path.startswith("/d")] == [3]


def test_what_cannot_be_claimed_is_told(tmp_path: Path) -> None:
    """A folder of which a kind cannot say what it is does not keep the others from saying theirs."""
    files = {"/c/.git": b"x" * 5000, "/c/package-lock.json": lockfile().encode()}
    store, steps = SqliteInventory(tmp_path), list[str]()
    files |= {f"/c/{number}/x": b"" for number in range(70)}
    many = Look(Files(files), store, KINDS, FORMATS, ECOSYSTEMS.__getitem__, NOW, steps.append)
    assert add(many, [Root("/c", "/c")]).unread == ("/c: cannot be read",)
    assert [one.place.path for one in exposed(store, ASKED, None).exposures] == ["/c/package-lock.json"]
    assert "/c/package-lock.json" in steps
    assert len(steps) > 1


def test_one_file_is_one_place(tmp_path: Path) -> None:
    """What is named alone is read, whatever lies beside it; nothing is gone because of it."""
    store = SqliteInventory(tmp_path)
    files = {"/c/package-lock.json": lockfile().encode(), "/c/d/package-lock.json": lockfile().encode()}
    look(Files(files), store, ["/c"])
    add(
        Look(Files(files), store, KINDS, FORMATS, ECOSYSTEMS.__getitem__, NOW, lambda _: None),
        [Root("/c/package-lock.json", "/c/package-lock.json", file=True)],
    )
    assert not any(one.gone for one in store.places())
    assert len(list(store.places())) == 2


def test_a_transaction_that_fails_leaves_everything_as_it_was(tmp_path: Path) -> None:
    """Half of a place is never written."""
    store, path = SqliteInventory(tmp_path), "/c/package-lock.json"
    look(Files({path: lockfile().encode()}), store, ["/c"])
    before = dump(store)
    twice = [Entry("npm", "a", "1.0.0", Proof.FIXED, 1, first=cast("datetime", "no time"))]
    with pytest.raises(AttributeError):
        store.put(Claim(Place("lockfile", path), path), twice, (), NOW)
    assert dump(store) == before
    store.close()
    assert dump(store) == before
