"""Artifacts: fetched once, verified before a byte is returned, fetched ahead in a few threads."""

import hashlib
import hmac
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from lazaretto.app.ports import Untrusted
from lazaretto.core.model import Artifact
from lazaretto.infra.redact import plain, shown

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

THREADS = 4
"""Downloads at the same time."""

_ALGORITHMS = ("sha512", "sha384", "sha256", "sha224", "sha1", "md5")


def verify(artifact: Artifact, data: bytes) -> None:
    """Compare bytes with the size and every digest that the index gave.

    Raises:
        Untrusted: one differs, or none of the digests is of a kind that can be computed.
    """
    where = f"{plain(artifact.filename, 120)} ({shown(artifact.url)})"
    if artifact.size is not None and artifact.size != len(data):
        raise Untrusted(f"{where} has {len(data)} bytes, the index says {artifact.size}: do not install it")
    known = [name for name in _ALGORITHMS if name in artifact.digests]
    if artifact.digests and not known:
        raise Untrusted(
            f"{where} has only digests that are not understood: {plain(', '.join(sorted(artifact.digests)), 120)}"
        )
    for name in known:
        expected = artifact.digests[name]
        got = hashlib.new(name, data, usedforsecurity=False).hexdigest()
        if not hmac.compare_digest(got.encode(), expected.lower().encode()):
            raise Untrusted(
                f"{where} is not what the index names: "
                f"{name} expected {plain(expected, 128)}, got {got}; do not install it"
            )


class Downloads:
    """Fetches and verifies; what was begun ahead is waited for, and its error told to whoever asks."""

    def __init__(self, fetch: Callable[[Artifact], bytes]) -> None:
        self._fetch = fetch
        self._lock = threading.Lock()
        self._ahead: dict[str, Future[bytes]] = {}
        self._pool: ThreadPoolExecutor | None = None

    def get(self, artifact: Artifact) -> bytes:
        """Return the bytes of an artifact. Raises what ``fetch`` and ``verify`` raise."""
        with self._lock:
            future = self._ahead.pop(artifact.url, None)
        data = future.result() if future is not None else self._fetch(artifact)
        verify(artifact, data)
        return data

    def ahead(self, artifacts: Iterable[Artifact]) -> None:
        """Begin to fetch these."""
        from concurrent.futures import ThreadPoolExecutor

        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="download")
            for artifact in artifacts:
                if artifact.url not in self._ahead:
                    self._ahead[artifact.url] = self._pool.submit(self._fetch, artifact)

    def close(self) -> None:
        """Forget what was begun and not asked for."""
        with self._lock:
            pool, self._pool = self._pool, None
            self._ahead.clear()
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)
