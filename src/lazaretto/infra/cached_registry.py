"""A registry whose artifacts are kept by digest, and whose pages are got once: the latest are held in memory."""

import hashlib
import os
import re
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import msgpack

from lazaretto.app.ports import BlobError, Registry, RegistryError
from lazaretto.core.model import Artifact, Project
from lazaretto.core.names import ProjectName
from lazaretto.core.tree import Kept
from lazaretto.infra._stow import Stow
from lazaretto.infra.blobs import BESIDE, BlobFolder, note_use

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

MAX_ENTRIES = 60_000
"""Releases, artifacts and dependencies on the index pages that are held in memory, about half a kilobyte each."""

MAX_AHEAD = 16 << 20
"""Bytes of artifacts fetched ahead that are held in memory; others are read again from the folder."""

THREADS = 4
"""Artifacts that are fetched ahead at the same time."""

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
        self._pages = _Pages(inner)
        self._lock = threading.Lock()
        self._begun: dict[Path, Future[bytes | None]] = {}
        self._pool: ThreadPoolExecutor | None = None
        self._ahead = 0

    def project(self, name: ProjectName) -> Project:
        """Return the page, got once in a run. Raises what the inner registry raises, the same each time."""
        return self._pages.get(name)

    def renew(self, name: ProjectName) -> bool:
        """Get a page anew the next time, if the registry was not asked for it in this run; return whether it is."""
        renew = getattr(self._inner, "renew", None)
        if renew is None or not renew(name):
            return False
        self._pages.forget(name)
        return True

    def download(self, artifact: Artifact) -> bytes:
        """Return the verified bytes. Raises what the inner registry raises."""
        path = self._path(artifact)
        if path is None:
            return self._inner.download(artifact)
        with self._lock:
            begun = self._begun.pop(path, None)
        data = begun.result() if begun is not None else None
        if data is not None:
            with self._lock:
                self._ahead -= len(data)
            return data
        return _kept(path, artifact) or self._bring(artifact, path)

    def prefetch(self, artifacts: Iterable[Artifact]) -> None:
        """Begin to bring into the folder what is not there yet; what may not be kept there is only hinted at."""
        missing = [
            (artifact, path) for artifact in artifacts if (path := self._path(artifact)) is None or not path.exists()
        ]
        if len(missing) < 2:  # a single download gains nothing
            return
        self._inner.prefetch([artifact for artifact, path in missing if path is None])
        with self._lock:
            for artifact, path in missing:
                if path is not None and path not in self._begun:
                    self._begun[path] = self._executor().submit(self._bring_ahead, artifact, path)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know about the registry; see ``infra.registries``."""
        return getattr(self._inner, "notes", ())

    def close(self) -> None:
        """Forget what was begun ahead."""
        with self._lock:
            pool, self._pool = self._pool, None
            self._begun.clear()
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)
        close = getattr(self._inner, "close", None)
        if close is not None:
            close()

    def _executor(self) -> "ThreadPoolExecutor":
        from concurrent.futures import ThreadPoolExecutor

        if self._pool is None:
            self._pool = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="download")
        return self._pool

    def _bring(self, artifact: Artifact, path: Path) -> bytes:
        data = self._inner.download(artifact)
        _keep(path, data, self._blobs)
        return data

    def _bring_ahead(self, artifact: Artifact, path: Path) -> bytes | None:
        """Return the bytes, or None if they need not be held: they are in the folder."""
        data = self._inner.download(artifact)
        kept = _keep(path, data, self._blobs)
        with self._lock:
            if kept and self._ahead + len(data) > MAX_AHEAD:
                return None
            self._ahead += len(data)
        return data

    def _path(self, artifact: Artifact) -> Path | None:
        names = _strong(artifact)
        if not names:
            return None
        digest = artifact.digests[names[0]]
        return self._folder / names[0] / digest[:2] / digest


class _Page:
    """What is known of one page: what it says or why it cannot be had, or where what it says is kept, or was left."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.answer: Project | RegistryError | None = None
        self.kept: bytes | Kept | None = None
        self.left = False


class _Pages:
    """The pages of one run. Those used last are held; the others lie where the registry remembers what they say.

    Of one that remembers nothing they lie encoded in a temporary file.
    """

    def __init__(self, inner: Registry) -> None:
        self._inner = inner
        self._again: Callable[[ProjectName], Project | None] = getattr(inner, "again", lambda _: None)
        self._remembers: Callable[[ProjectName], bool] = getattr(inner, "remembers", lambda _: False)
        self._stow = Stow()
        self._lock = threading.Lock()
        self._known: dict[ProjectName, _Page] = {}
        self._held: dict[ProjectName, int] = {}
        self._entries = 0

    def get(self, name: ProjectName) -> Project:
        """Return a page. Raises what the registry raised when it was asked."""
        with self._lock:
            page = self._known.setdefault(name, _Page())
        with page.lock:
            answer = page.answer
            if answer is None:
                answer = page.answer = self._got(name, page)
        if isinstance(answer, RegistryError):
            raise answer
        self._used(name, answer)
        return answer

    def forget(self, name: ProjectName) -> None:
        """Get a page anew the next time."""
        with self._lock:
            self._known.pop(name, None)
            self._entries -= self._held.pop(name, 0)

    def _got(self, name: ProjectName, page: _Page) -> Project | RegistryError:
        if page.kept is not None:
            return msgpack.decode(bytes(page.kept), type=Project)
        try:
            # Let go, it lies where the registry remembers it, if no other run has replaced it meanwhile.
            return (self._again(name) if page.left else None) or self._inner.project(name)
        except RegistryError as error:
            return error

    def _used(self, name: ProjectName, project: Project) -> None:
        """Note which page was used last, and let go those that were not used for longest."""
        with self._lock:
            size = self._held.pop(name, 0)
            if not size:
                size = _entries(project)
                self._entries += size
            self._held[name] = size  # the one used last is the last to go
            while self._entries > MAX_ENTRIES and len(self._held) > 1:
                oldest = next(iter(self._held))
                self._entries -= self._held.pop(oldest)
                if (page := self._known.get(oldest)) is not None:  # it may have been forgotten while it was in use
                    self._let_go(oldest, page)

    def _let_go(self, name: ProjectName, page: _Page) -> None:
        if isinstance(page.answer, Project):
            page.left = page.kept is None and self._remembers(name)
            if page.kept is None and not page.left:
                page.kept = self._stow.keep(msgpack.encode(page.answer))
            page.answer = None


def _entries(project: Project) -> int:
    return 1 + sum(1 + len(one.artifacts) + len(one.dependencies or ()) for one in project.releases)


def _strong(artifact: Artifact) -> list[str]:
    """Return the kinds of digest that a copy can be believed by; what is no digest is no name of a file either."""
    return [name for name in _STRENGTH if _HEX[name].fullmatch(artifact.digests.get(name, ""))]


def _kept(path: Path, artifact: Artifact) -> bytes | None:
    """Return the copy in the folder, if its bytes have every strong digest."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    right = all(hashlib.new(name, data).hexdigest() == artifact.digests[name] for name in _strong(artifact))
    if not data or not right:
        return None
    note_use(path)
    return data


def _keep(path: Path, data: bytes, blobs: BlobFolder | None) -> bool:
    """Write a copy, or a second name for that among the blobs, so that a reader sees all of it or nothing.

    Returns whether it is there.
    """
    temporary = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if blobs is None:
            temporary.write_bytes(data)
        else:
            temporary.hardlink_to(blobs.path(blobs.put(data)))
        temporary.replace(path)
        temporary.unlink(missing_ok=True)  # POSIX: renaming one name of a file to another of it does nothing
    except (OSError, BlobError):
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        return False
    return True
