"""Blobs are bounded: the longest unused go first, nothing that is in use, and what is gone is fetched again."""

import os
import time
from collections.abc import Iterable
from hashlib import sha256, sha512
from pathlib import Path

from lazaretto.core.model import Artifact, ArtifactKind, Project
from lazaretto.core.names import Digest, ProjectName
from lazaretto.infra.blobs import USED_SECONDS, BlobFolder
from lazaretto.infra.cached_registry import CachedRegistry

HOUR = 3600.0


def aged(blobs: BlobFolder, digest: Digest, hours: float) -> None:
    """Let a blob have been used for the last time some hours ago."""
    at = time.time() - hours * HOUR
    os.utime(blobs.path(digest), (at, at))


def test_the_longest_unused_go_first(tmp_path: Path) -> None:
    """Use is what counts, not when a blob was written; as much stays as may."""
    blobs = BlobFolder(tmp_path)
    digests = [blobs.put(bytes([number]) * 1000) for number in range(5)]
    for number, digest in enumerate(digests):
        aged(blobs, digest, 10 - number)
    assert blobs.get(digests[0]) is not None  # the oldest is used
    blobs.put(bytes([1]) * 1000)  # and the next one is put there once more
    assert blobs.trim(5000).removed == 0
    trimmed = blobs.trim(3000)

    assert (trimmed.left, trimmed.removed) == (3000, 2)
    assert [blobs.get(digest) is not None for digest in digests] == [True, True, False, False, True]


def test_what_is_used_now_and_what_is_spared_stays(tmp_path: Path) -> None:
    """Also if that is more than may be kept."""
    blobs = BlobFolder(tmp_path)
    now, report, old = (blobs.put(text) for text in (b"now", b"report", b"old"))
    for digest in (report, old):
        aged(blobs, digest, 2)
    aged(blobs, now, (USED_SECONDS - 60) / HOUR)
    blobs.trim(0, lambda: frozenset({report}))

    assert [blobs.get(digest) is not None for digest in (now, report, old)] == [True, True, False]


def test_whoever_reads_reads_to_the_end(tmp_path: Path) -> None:
    """A blob that is open while it is removed is whole to whoever has it open."""
    blobs = BlobFolder(tmp_path)
    digest = blobs.put(b"x" * 100_000)
    aged(blobs, digest, 2)
    with blobs.path(digest).open("rb") as file:
        first = file.read(10)
        assert blobs.trim(0).removed == 1
        assert first + file.read() == b"x" * 100_000
    assert blobs.get(digest) is None


class Fetching:
    """A registry that has one tarball, and counts how often it is asked for it."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.asked = 0

    def project(self, name: ProjectName) -> Project:
        raise NotImplementedError

    def download(self, artifact: Artifact) -> bytes:
        self.asked += 1
        return self.data

    def prefetch(self, artifacts: Iterable[Artifact]) -> None:
        """There is one."""


def test_an_artifact_is_kept_once(tmp_path: Path) -> None:
    """Under the digest that the index tells and under its own; both names go with it, and it is fetched again."""
    data = b"tarball" * 1000
    artifact = Artifact("x.tgz", ArtifactKind.TARBALL, "http://up.invalid/x.tgz", {"sha512": sha512(data).hexdigest()})
    blobs, inner = BlobFolder(tmp_path), Fetching(data)
    registry = CachedRegistry(inner, tmp_path / "unused", blobs)
    for _ in range(3):
        assert registry.download(artifact) == data
    digest = Digest(f"sha256:{sha256(data).hexdigest()}")
    blobs.put(data)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert (inner.asked, blobs.get(digest)) == (1, data)
    assert len({path.stat().st_ino for path in files}) == 1
    assert len(files) == 2
    aged(blobs, digest, 2)
    blobs.trim(0)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert registry.download(artifact) == data
    assert inner.asked == 2
    blobs.path(digest).write_bytes(b"x")  # a copy that is no longer what it was is replaced under both names
    assert registry.download(artifact) == blobs.get(digest) == data
    assert inner.asked == 3
