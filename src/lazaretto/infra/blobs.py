"""Artifacts and index pages in a folder, each under its SHA-256.

Files are drafted beside and renamed, so that a reader never sees half of one; what is read is hashed
again, and what does not match is removed and counts as absent. Access is the user's.
"""

import os
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from msgspec import Struct

from lazaretto.app.ports import BlobError
from lazaretto.core.names import Digest, sha256_digest
from lazaretto.infra.clock import SystemClock

USED_SECONDS = 600.0
"""How exactly it is known when a blob was last used; what was used within this time is never trimmed."""

BESIDE = "told"
"""The folder of second names of blobs (``infra.cached_registry``), beside that of the first."""

MIN_FREE = 1 << 20
"""Bytes that must be free on the disk of a folder in which something can still be kept."""

_PREFIX = "sha256:"
_DRAFTS = "drafts"


class BlobFolder:
    """Content-addressed files below ``folder``: ``sha256/9f/86d0...``. Several processes may use it at once.

    Every method raises BlobError if the folder cannot be read or written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, digest: Digest) -> bytes | None:
        """Return the bytes, or None."""
        path = self.path(digest)
        with self._told("read"):
            try:
                data = path.read_bytes()
            except FileNotFoundError:
                return None
            if sha256(data).hexdigest() != digest.removeprefix(_PREFIX):
                path.unlink(missing_ok=True)
                return None
            note_use(path)
        return data

    def put(self, data: bytes) -> Digest:
        """Store bytes under their SHA-256 and return it."""
        digest = sha256_digest(sha256(data).hexdigest())
        path = self.path(digest)
        with self._told("written"):
            # A file of the right length is taken for the right one here; ``get`` looks closer and removes a wrong one.
            if note_use(path) != len(data):
                drafts = self.folder / _DRAFTS
                # Only the last folder of a path gets the mode, so each is made by itself.
                for folder in (self.folder, drafts, path.parent.parent, path.parent):
                    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                _write(path, drafts / f"{path.name}.{os.getpid()}.{os.urandom(4).hex()}", data)
        return digest

    def sweep(self) -> None:
        """Remove what was being written when its process was killed. For whoever is alone in the folder."""
        with self._told("swept"):
            for draft in (self.folder / _DRAFTS).glob("*"):
                draft.unlink(missing_ok=True)

    def probe(self) -> None:
        """Do nothing, if something could be kept now."""
        with self._told("written"):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = os.statvfs(self.folder)
            if found.f_bavail * found.f_frsize < MIN_FREE:
                raise OSError("less than a megabyte of its disk is free")

    def trim(self, most: int, spared: Callable[[], Container[Digest]] = frozenset) -> "Trimmed":
        """Remove what was not used for the longest time until at most ``most`` bytes are left.

        Never what is ``spared``, or was used just now. Whoever has a blob open reads it to its end; whoever finds it
        gone fetches it again. Several processes may trim at once.
        """
        with self._told("trimmed"):
            found, latest = [], _now() - USED_SECONDS
            for path in self.folder.glob("sha256/*/*"):
                with suppress(FileNotFoundError):  # another process trims too
                    stat = path.stat()
                    found.append((stat.st_mtime, stat.st_size, path))
            left, removed = sum(size for _, size, _ in found), 0
            kept = spared() if left > most else frozenset()
            for used, size, path in sorted(found):
                if left <= most or used >= latest:
                    break
                if Digest(f"{_PREFIX}{path.parent.name}{path.name}") not in kept:
                    path.unlink(missing_ok=True)
                    left, removed = left - size, removed + 1
            for path in self.folder.glob(f"{BESIDE}/*/*/*"):
                with suppress(FileNotFoundError):
                    if path.stat().st_nlink == 1:  # its first name is gone
                        path.unlink()
            return Trimmed(left, removed)

    def path(self, digest: Digest) -> Path:
        """Return where a blob is, if it is here. Raises ValueError for what is no SHA-256."""
        name = sha256_digest(digest.removeprefix(_PREFIX)).removeprefix(_PREFIX)
        return self.folder / "sha256" / name[:2] / name[2:]

    @contextmanager
    def _told(self, act: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise BlobError(f"the folder {self.folder} cannot be {act}: {error.strerror or error}") from error


class Trimmed(Struct, frozen=True):
    """What a trim came to: the bytes that are left, and how many blobs were removed."""

    left: int
    removed: int


def note_use(path: Path) -> int:
    """Note that a blob is used now, by its time, and return its size; -1 if it is not here."""
    try:
        stat = path.stat()
        if abs(_now() - stat.st_mtime) > USED_SECONDS / 2:
            os.utime(path)
    except FileNotFoundError:
        return -1
    except PermissionError:  # a folder that may only be read: nothing is trimmed there either
        return path.stat().st_size
    return stat.st_size


def _now() -> float:
    return SystemClock().now().timestamp()


def _write(path: Path, draft: Path, data: bytes) -> None:
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
