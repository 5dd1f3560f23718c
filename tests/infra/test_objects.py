"""The object store: a store that is away or wrong is an error with its place, and what is on the disk still comes."""

import os
from pathlib import Path

import obstore
import pytest

from lazaretto.app.ports import BlobError
from lazaretto.infra import objects as module
from lazaretto.infra.blobs import BlobFolder
from lazaretto.infra.objects import CachedBlobs, ObjectStore
from tests.services import KEYS, Store, free_port

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the usual variables."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)


def test_what_was_read_here_comes_from_the_disk(store: Store, tmp_path: Path) -> None:
    """Another's blob is fetched once; then it comes while the store is away, and only from here."""
    bucket = store.bucket()
    digest = ObjectStore(bucket, store.endpoint, "us-east-1").put(b"hello")
    front = BlobFolder(tmp_path)
    assert CachedBlobs(front, ObjectStore(bucket, store.endpoint)).get(digest) == b"hello"
    away = CachedBlobs(front, ObjectStore(bucket, f"http://127.0.0.1:{free_port()}"))

    assert away.get(digest) == b"hello"
    with pytest.raises(BlobError, match=r"the object store s3://bucket\d+/some/prefix cannot be written"):
        away.put(b"other")


def test_what_is_gone_from_the_folder_in_front_comes_from_the_store(store: Store, tmp_path: Path) -> None:
    """The folder may be bounded at any time; nothing is lost by it."""
    front = BlobFolder(tmp_path)
    blobs = CachedBlobs(front, ObjectStore(store.bucket(), store.endpoint))
    digests = [blobs.put(bytes([number]) * 1000) for number in range(6)]
    for number, digest in enumerate(digests):
        os.utime(front.path(digest), (number, number))
    assert front.trim(3000).removed == 3

    assert front.get(digests[0]) is None
    assert front.get(digests[-1]) is not None
    assert blobs.get(digests[0]) == b"\0" * 1000


def test_a_folder_in_front_that_fails_costs_nothing_but_time(store: Store, tmp_path: Path) -> None:
    """It is a cache: a full disk, or a file in its place, keeps nobody from what is in the store."""
    (tmp_path / "front").write_text("no folder")
    blobs = CachedBlobs(BlobFolder(tmp_path / "front"), ObjectStore(store.bucket(), store.endpoint))

    assert blobs.get(blobs.put(b"hello")) == b"hello"


def test_a_store_that_is_away_is_told_without_a_secret(store: Store) -> None:
    """The message names the place, and neither key nor body."""
    digest = ObjectStore(store.bucket(), store.endpoint).put(b"hello")
    for made in (
        ObjectStore("s3://bucket/prefix", f"http://127.0.0.1:{free_port()}"),
        ObjectStore("s3://no-such-bucket/prefix", store.endpoint),
    ):
        with pytest.raises(BlobError) as caught:
            made.put(b"hello")
        assert made.place in str(caught.value)
        assert "secret" not in str(caught.value)
    with pytest.raises(BlobError, match="cannot be read"):
        ObjectStore("s3://bucket/prefix", f"http://127.0.0.1:{free_port()}").get(digest)


def test_an_object_of_any_size_is_not_read(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is larger than anything that was ever put there is refused before it is in memory."""
    made = ObjectStore(store.bucket(), store.endpoint)
    digest = made.put(b"hello")
    monkeypatch.setattr(module, "MAX_OBJECT", 4)

    with pytest.raises(BlobError, match="an object of 5 bytes"):
        made.get(digest)


def test_a_store_without_conditions_is_good_enough(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing can be written only if it is absent, it is written: the same name has the same bytes."""
    made = ObjectStore(store.bucket(), store.endpoint)
    put = obstore.put

    def plain(*arguments: object, mode: str = "") -> object:
        if mode:
            raise obstore.exceptions.NotSupportedError("no conditions")
        return put(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(obstore, "put", plain)
    digest = made.put(b"hello")

    assert made.get(digest) == b"hello"
