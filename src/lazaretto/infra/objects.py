"""Blobs in an S3-compatible object store, for several firewalls that act as one.

What comes back is hashed again, and what does not match is removed and counts as absent: the store is not believed.
An object is written only where there is none, so that nobody replaces what another has written. Every request has an
end. Needs obstore (the extra ``cluster``); credentials are those of the usual variables (``AWS_ACCESS_KEY_ID``, …).
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, TypeVar

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, NotSupportedError, PreconditionError
from obstore.store import S3Store

from lazaretto.app.ports import BlobError
from lazaretto.core.names import Digest, sha256_digest
from lazaretto.infra.clock import SystemClock
from lazaretto.infra.pruning import AT_A_TIME, JUST_NOW, Kept
from lazaretto.infra.redact import plain

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig, S3Config

    from lazaretto.infra.blobs import BlobFolder

REQUEST_SECONDS = 30
"""Seconds that one request to the store may take."""

RETRY_SECONDS = 20
"""Seconds after which a failed request is not begun again."""

MAX_RETRIES = 3
"""How often a request is begun again after a failure of the connection or the server."""

MAX_OBJECT = 2 << 30
"""Largest object that is read, in bytes."""

_PREFIX, _FOLDER = "sha256:", "sha256"
_T = TypeVar("_T")


class ObjectStore:
    """Content-addressed objects below an address: ``s3://bucket/prefix``. Several threads may use it."""

    def __init__(self, url: str, endpoint: str = "", region: str = "") -> None:
        """Without ``endpoint`` or ``region`` the usual variables tell them. Raises BlobError if it cannot be used."""
        config: S3Config = {}
        if endpoint:
            config["endpoint"] = endpoint
        if region:
            config["region"] = region
        client: ClientConfig = {
            "timeout": timedelta(seconds=REQUEST_SECONDS),
            "connect_timeout": timedelta(seconds=3),
            "allow_http": endpoint.startswith("http://"),
        }
        retry: RetryConfig = {"max_retries": MAX_RETRIES, "retry_timeout": timedelta(seconds=RETRY_SECONDS)}
        self.place = url
        self._store = self._told(
            "used", lambda: S3Store.from_url(url, config=config, client_options=client, retry_config=retry)
        )

    def get(self, digest: Digest) -> bytes | None:
        """Return the bytes, or None. Raises BlobError if the store cannot be asked."""
        path = _path(digest)
        data = self._told("read", lambda: self._get(path))
        if data is None or sha256(data).hexdigest() == digest.removeprefix(_PREFIX):
            return data
        self._told("cleaned", lambda: obstore.delete(self._store, path))
        return None

    def put(self, data: bytes) -> Digest:
        """Store bytes under their SHA-256 and return it. Raises BlobError."""
        digest = sha256_digest(sha256(data).hexdigest())
        self._told("written", lambda: self._put(_path(digest), data))
        return digest

    def kept(self) -> Iterator[Kept]:
        """Yield what is kept; whatever else lies below the address is nobody's here. Raises BlobError."""
        pages = self._told("listed", lambda: iter(obstore.list(self._store, _FOLDER, chunk_size=AT_A_TIME)))
        while (page := self._told("listed", lambda: next(pages, None))) is not None:
            for one in page:
                with suppress(ValueError):
                    digest = sha256_digest(one["path"].removeprefix(f"{_FOLDER}/").replace("/", "", 1))
                    yield Kept(digest, one["size"], one["last_modified"])

    def remove(self, digests: Iterable[Digest]) -> None:
        """Remove objects; one that is gone already is no error. Raises BlobError."""
        paths = list(map(_path, digests))
        self._told("cleaned", lambda: obstore.delete(self._store, paths))

    def _get(self, path: str) -> bytes | None:
        try:
            found = obstore.get(self._store, path)
        except FileNotFoundError:
            return None
        if found.meta["size"] > MAX_OBJECT:
            raise BlobError(f"an object of {found.meta['size']} bytes in {self.place}: {path}")
        return bytes(found.bytes())

    def _put(self, path: str, data: bytes) -> None:
        try:
            obstore.put(self._store, path, data, mode="create")
        except (AlreadyExistsError, PreconditionError):
            # What has the right length is taken for the right one here; ``get`` looks closer and removes a wrong one.
            # What is old is written again: it is in use, and must not be pruned before that is written down.
            found = obstore.head(self._store, path)
            if found["size"] != len(data) or found["last_modified"] < _now() - JUST_NOW / 2:
                obstore.put(self._store, path, data)
        except NotSupportedError:  # a store without conditions: the same name has the same bytes all the same
            obstore.put(self._store, path, data)

    def _told(self, act: str, work: Callable[[], _T]) -> _T:
        try:
            return work()
        except (BaseError, OSError, ValueError) as error:
            why = plain(str(error).partition("\n")[0], 300)
            raise BlobError(f"the object store {self.place} cannot be {act}: {why}") from error


class CachedBlobs:
    """A store with a folder in front of it: what was read or written here comes from the disk.

    Whoever has both bounds the folder (``BlobFolder.trim``): what is gone from it still comes from the store.
    """

    def __init__(self, front: "BlobFolder", back: ObjectStore) -> None:
        self._front = front
        self._back = back

    def get(self, digest: Digest) -> bytes | None:
        """Return the bytes, or None. Raises BlobError if the store cannot be asked."""
        data = None
        with suppress(BlobError):  # the folder makes it faster, and nothing else
            data = self._front.get(digest)
        if data is None:
            data = self._back.get(digest)
            if data is not None:
                self._keep(data)
        return data

    def put(self, data: bytes) -> Digest:
        """Store bytes under their SHA-256 and return it. Raises BlobError if the store cannot be asked."""
        digest = self._back.put(data)
        self._keep(data)
        return digest

    def _keep(self, data: bytes) -> None:
        with suppress(BlobError):
            self._front.put(data)


def _path(digest: Digest) -> str:
    name = sha256_digest(digest.removeprefix(_PREFIX)).removeprefix(_PREFIX)
    return f"{_FOLDER}/{name[:2]}/{name[2:]}"


def _now() -> datetime:
    return SystemClock().now()
