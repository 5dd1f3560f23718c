"""What does not fit into memory comes back as it was, and where no file can be had it stays in memory."""

import gc
import os
import tempfile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto.app.ports import EngineError
from lazaretto.core.tree import Blob, Tree
from lazaretto.infra import _stow, engine
from lazaretto.infra._stow import Room, Stow, Stowed
from lazaretto.infra.engine import Engine, InlineEngine
from tests.core.packing import honest_tgz
from tests.infra.test_engine import TARBALL, WORDS


@given(st.lists(st.binary(max_size=3000), max_size=20))
def test_everything_comes_back(pieces: list[bytes]) -> None:
    """Whatever is kept is read again as it was, in any order."""
    stow = Stow()
    kept = [stow.keep(piece) for piece in pieces]
    assert [bytes(one) for one in reversed(kept)] == pieces[::-1]
    assert [len(one) for one in kept] == list(map(len, pieces))


def test_the_file_has_no_name(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hostile bytes lie under no path, and the file goes with its last bytes."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = set(os.listdir("/dev/fd"))
    kept = Stow().keep(b"x" * 5000)
    assert isinstance(kept, Stowed)
    assert list(tmp_path.iterdir()) == []
    assert bytes(kept) == b"x" * 5000
    del kept
    gc.collect()
    assert set(os.listdir("/dev/fd")) <= before


def test_without_a_file_bytes_stay_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a temporary folder, or with a full disk, reads all the same."""

    def full() -> Any:
        raise OSError("no space left")

    monkeypatch.setattr(_stow, "_nameless", full)
    data = b"as it is"
    assert Stow().keep(data) is data


def test_a_file_that_was_cut_off_is_an_error() -> None:
    """Bytes that are gone are never taken for none."""
    stow = Stow()
    kept = stow.keep(b"0123456789")
    assert isinstance(kept, Stowed)
    assert stow._file is not None
    os.ftruncate(stow._file.fileno(), 4)
    with pytest.raises(EngineError, match="cut off"):
        bytes(kept)
    with pytest.raises(EngineError, match="nothing"):
        Stow().read(0, 1)


def test_room_is_left_with_the_last_tree() -> None:
    """What trees hold counts for as long as one of them is in use."""
    room = Room(100)
    trees = [Tree({}), Tree({})]
    room.take(70, trees)
    assert room.left() == 30
    trees.pop()
    assert room.left() == 30
    trees.pop()
    assert room.left() == 100


def test_trees_are_the_same_wherever_their_bytes_lie(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files beyond the bound differ in nothing, are read as the others are, and equal ones are still held once."""
    files = {f"package/{number}": os.urandom(70_000) for number in range(5)} | {"package/twin": b"twin" * 9000}
    archives = [(TARBALL, honest_tgz(files)), (TARBALL, honest_tgz(files | {"package/0": b"other"}))]
    expected = InlineEngine([WORDS]).unpack_many(archives)
    monkeypatch.setattr(engine, "MAX_HELD", 100_000)
    with Engine([WORDS], workers=2) as confined:
        old, new = (tree for tree in confined.unpack_many(archives) if isinstance(tree, Tree))
        assert [contents(tree) for tree in (old, new)] == [contents(tree) for tree in expected]
        held = [blob for blob in old.files.values() if isinstance(blob.held, bytes)]
        assert sum(blob.size for blob in held) <= 100_000
        assert len(held) < len(old.files)
        assert all(old.files[path] is new.files[path] for path in old.files if path != "0")
        assert confined.unpack(*archives[0]).files["1"].size == 70_000


def contents(tree: Any) -> dict[str, tuple[str, int, bytes]]:
    """Return what is in a tree, wherever it is held."""
    files: dict[str, Blob] = dict(tree.files)
    return {path: (blob.digest, blob.size, blob.data) for path, blob in files.items()}
