"""Artifacts and index pages in a folder, each under its SHA-256.

Files are written beside their place and renamed, so that a reader never sees half of one; what is
read is hashed again, and what does not match is removed and counts as absent. Access is the user's.
"""

import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from lazaretto.core.names import Digest, sha256_digest

_PREFIX = "sha256:"


class BlobFolder:
    """Content-addressed files below ``folder``: ``sha256/9f/86d0...``. Several processes may use it at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, digest: Digest) -> bytes | None:
        """Return the bytes, or None. Raises OSError if the folder cannot be read."""
        path = self._path(digest)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        if sha256(data).hexdigest() != digest.removeprefix(_PREFIX):
            path.unlink(missing_ok=True)
            return None
        return data

    def put(self, data: bytes) -> Digest:
        """Store bytes under their SHA-256 and return it. Raises OSError."""
        digest = sha256_digest(sha256(data).hexdigest())
        path = self._path(digest)
        # A file of the right length is taken for the right one here; ``get`` looks closer and removes a wrong one.
        if not path.exists() or path.stat().st_size != len(data):
            # Only the last folder of a path gets the mode, so each is made by itself.
            for folder in (self._folder, path.parent.parent, path.parent):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write(path, data)
        return digest

    def trim(self, most: int) -> None:
        """Remove what was written the longest ago until at most ``most`` bytes are left. For caches."""
        found = []
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


def _write(path: Path, data: bytes) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
