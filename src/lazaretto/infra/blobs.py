"""Artifacts and index pages in a folder, each under its SHA-256.

Files are drafted beside and renamed, so that a reader never sees half of one; what is read is hashed
again, and what does not match is removed and counts as absent. Access is the user's.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from lazaretto.app.ports import BlobError
from lazaretto.core.names import Digest, sha256_digest

MIN_FREE = 1 << 20
"""Bytes that must be free on the disk of a folder in which something can still be kept."""

_PREFIX = "sha256:"
_DRAFTS = "drafts"


class BlobFolder:
    """Content-addressed files below ``folder``: ``sha256/9f/86d0...``. Several processes may use it at once.

    Every method raises BlobError if the folder cannot be read or written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, digest: Digest) -> bytes | None:
        """Return the bytes, or None."""
        path = self._path(digest)
        with self._told("read"):
            try:
                data = path.read_bytes()
            except FileNotFoundError:
                return None
            if sha256(data).hexdigest() != digest.removeprefix(_PREFIX):
                path.unlink(missing_ok=True)
                return None
        return data

    def put(self, data: bytes) -> Digest:
        """Store bytes under their SHA-256 and return it."""
        digest = sha256_digest(sha256(data).hexdigest())
        path = self._path(digest)
        with self._told("written"):
            # A file of the right length is taken for the right one here; ``get`` looks closer and removes a wrong one.
            if not path.exists() or path.stat().st_size != len(data):
                drafts = self._folder / _DRAFTS
                # Only the last folder of a path gets the mode, so each is made by itself.
                for folder in (self._folder, drafts, path.parent.parent, path.parent):
                    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                _write(path, drafts / f"{path.name}.{os.getpid()}.{os.urandom(4).hex()}", data)
        return digest

    def sweep(self) -> None:
        """Remove what was being written when its process was killed. For whoever is alone in the folder."""
        with self._told("swept"):
            for draft in (self._folder / _DRAFTS).glob("*"):
                draft.unlink(missing_ok=True)

    def probe(self) -> None:
        """Do nothing, if something could be kept now."""
        with self._told("written"):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = os.statvfs(self._folder)
            if found.f_bavail * found.f_frsize < MIN_FREE:
                raise OSError("less than a megabyte of its disk is free")

    def trim(self, most: int) -> None:
        """Remove what was written the longest ago until at most ``most`` bytes are left. For caches."""
        found = []
        with self._told("trimmed"):
            for path in self._folder.glob("sha256/*/*"):
                with suppress(FileNotFoundError):  # another process trims too
                    stat = path.stat()
                    found.append((stat.st_mtime_ns, stat.st_size, path))
            left = sum(size for _, size, _ in found)
            for _, size, path in sorted(found):
                if left <= most:
                    return
                path.unlink(missing_ok=True)
                left -= size

    def _path(self, digest: Digest) -> Path:
        name = sha256_digest(digest.removeprefix(_PREFIX)).removeprefix(_PREFIX)
        return self._folder / "sha256" / name[:2] / name[2:]

    @contextmanager
    def _told(self, act: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise BlobError(f"the folder {self._folder} cannot be {act}: {error.strerror or error}") from error


def _write(path: Path, draft: Path, data: bytes) -> None:
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
