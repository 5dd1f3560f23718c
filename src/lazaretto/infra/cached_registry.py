"""A registry whose artifacts are kept by digest, and whose latest pages are held in memory."""

import hashlib
import os
import re
import threading
from collections.abc import Iterable
from pathlib import Path

from lazaretto.app.ports import Registry, RegistryError
from lazaretto.core.model import Artifact, Project
from lazaretto.core.names import ProjectName
from lazaretto.infra.blobs import BESIDE, BlobFolder, note_use

MAX_PAGES = 96
"""Index pages that are held in memory; of a check of thousands of pins, those asked for last."""

_STRENGTH = ("sha512", "sha384", "sha256")
"""Digests an artifact may be kept under, strongest first. SHA-1 alone is not enough to believe a copy."""
_HEX = {name: re.compile(rf"[0-9a-f]{{{int(name[3:]) // 4}}}") for name in _STRENGTH}


class CachedRegistry:
    """Decorates a registry. Thread-safe; a copy is believed only if its bytes have the digest the index gives now.

    Artifacts without a strong digest are downloaded every time. A folder that cannot be written to
    makes it slower, never wrong.
    """

    def __init__(self, inner: Registry, folder: Path, blobs: BlobFolder | None = None) -> None:
        """``blobs``: where artifacts are kept under their SHA-256 too, which then is one copy under two names."""
        self._inner = inner
        self._folder = folder if blobs is None else blobs.folder / BESIDE
        self._blobs = blobs
        self._lock = threading.Lock()
        self._pages: dict[ProjectName, tuple[threading.Lock, list[Project | RegistryError]]] = {}

    def project(self, name: ProjectName) -> Project:
        """Return the page, got once while it is held. Raises what the inner registry raises, the same each time."""
        with self._lock:
            held = self._pages.pop(name) if name in self._pages else (threading.Lock(), [])
            self._pages[name] = held  # the one asked for last is the last to go
            if len(self._pages) > MAX_PAGES:
                del self._pages[next(iter(self._pages))]
        lock, answer = held
        with lock:
            if not answer:
                try:
                    answer.append(self._inner.project(name))
                except RegistryError as error:
                    answer.append(error)
        if isinstance(answer[0], RegistryError):
            raise answer[0]
        return answer[0]

    def download(self, artifact: Artifact) -> bytes:
        """Return the verified bytes. Raises what the inner registry raises."""
        path = self._path(artifact)
        if path is not None:
            try:
                data = path.read_bytes()
            except OSError:
                data = b""
            if data and all(
                hashlib.new(name, data).hexdigest() == artifact.digests[name] for name in _strong(artifact)
            ):
                note_use(path)
                return data
        data = self._inner.download(artifact)
        if path is not None:
            _keep(path, data, self._blobs)
        return data

    def prefetch(self, artifacts: Iterable[Artifact]) -> None:
        """Pass the hint on for what is not kept yet."""
        missing = [a for a in artifacts if (path := self._path(a)) is None or not path.exists()]
        if len(missing) > 1:  # a single download gains nothing
            self._inner.prefetch(missing)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know about the registry; see ``infra.registries``."""
        return getattr(self._inner, "notes", ())

    def close(self) -> None:
        """Forget what was begun ahead."""
        close = getattr(self._inner, "close", None)
        if close is not None:
            close()

    def _path(self, artifact: Artifact) -> Path | None:
        names = _strong(artifact)
        if not names:
            return None
        digest = artifact.digests[names[0]]
        return self._folder / names[0] / digest[:2] / digest


def _strong(artifact: Artifact) -> list[str]:
    """Return the kinds of digest that a copy can be believed by; what is no digest is no name of a file either."""
    return [name for name in _STRENGTH if _HEX[name].fullmatch(artifact.digests.get(name, ""))]


def _keep(path: Path, data: bytes, blobs: BlobFolder | None) -> None:
    """Write a copy, or a second name for that among the blobs, so that a reader sees all of it or nothing."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if blobs is None:
            temporary.write_bytes(data)
        else:
            temporary.hardlink_to(blobs.path(blobs.put(data)))
        temporary.replace(path)
        temporary.unlink(missing_ok=True)  # POSIX: renaming one name of a file to another of it does nothing
    except OSError:
        temporary.unlink(missing_ok=True)
