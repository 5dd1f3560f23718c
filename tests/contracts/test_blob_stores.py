"""What is asked of every store of blobs: exactly the bytes of a digest come back, or nothing."""

from collections.abc import Callable
from pathlib import Path

import obstore
import pytest
from msgspec import Struct

from lazaretto.app.ports import BlobStore
from lazaretto.core.names import Digest
from lazaretto.infra.blobs import BlobFolder
from lazaretto.infra.objects import CachedBlobs, ObjectStore
from tests.services import KEYS


class Kept(Struct):
    """A store, and what damages the one blob in it behind its back."""

    blobs: BlobStore
    damage: Callable[[bytes], None]


def _folder(folder: Path) -> Kept:
    def damage(data: bytes) -> None:
        (stored,) = [path for path in folder.rglob("*") if path.is_file()]
        stored.write_bytes(data)

    return Kept(BlobFolder(folder), damage)


def _objects(objects: ObjectStore) -> Kept:
    def damage(data: bytes) -> None:
        (path,) = [one["path"] for page in obstore.list(objects._store) for one in page]
        obstore.put(objects._store, path, data)

    return Kept(objects, damage)


@pytest.fixture(params=["folder", *(pytest.param(name, marks=pytest.mark.slow) for name in ("objects", "cached"))])
def kept(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kept:
    """Return a store that holds nothing."""
    if request.param == "folder":
        return _folder(tmp_path / "blobs")
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    store = request.getfixturevalue("store")
    made = _objects(ObjectStore(store.bucket(), store.endpoint))
    if request.param == "cached":
        assert isinstance(made.blobs, ObjectStore)
        return Kept(CachedBlobs(BlobFolder(tmp_path / "blobs"), made.blobs), _folder(tmp_path / "blobs").damage)
    return made


@pytest.mark.parametrize("data", [b"", b"hello", b"\0" * (1 << 20)])
def test_bytes_come_back_under_their_digest(kept: Kept, data: bytes) -> None:
    """Written twice is written once; what was never written is absent."""
    digest = kept.blobs.put(data)

    assert kept.blobs.put(data) == digest
    assert kept.blobs.get(digest) == data
    assert kept.blobs.get(Digest(f"sha256:{'0' * 64}")) is None


def test_changed_bytes_never_come_back(kept: Kept) -> None:
    """A blob that was changed in its place is not handed out, and can be written again."""
    digest = kept.blobs.put(b"hello")
    kept.damage(b"hellx")
    assert kept.blobs.get(digest) in {None, b"hello"}
    assert kept.blobs.put(b"hello") == digest
    assert kept.blobs.get(digest) == b"hello"
    kept.damage(b"cut")

    assert kept.blobs.put(b"hello") == digest
    assert kept.blobs.get(digest) == b"hello"


def test_a_digest_is_no_path(kept: Kept) -> None:
    """What is no digest names nothing."""
    with pytest.raises(ValueError, match="not a SHA-256"):
        kept.blobs.get(Digest("../../etc/passwd"))
