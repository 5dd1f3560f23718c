"""Where the bytes of a feed come from: a file on this machine, or an address, asked only for what has changed."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from lazaretto.app.advice import Fetched
from lazaretto.app.ports import PortError
from lazaretto.infra.http import HttpClient
from lazaretto.infra.redact import without_credentials
from lazaretto.infra.transport import Credentials, Limits

MAX_FEED = 1 << 30
"""Largest feed, in bytes."""

FEED_SECONDS = 600.0
"""Longest time that a feed may take to come."""


class FeedUnavailable(PortError):
    """The file of a feed cannot be read."""


def from_file(path: Path) -> Callable[[str], Fetched]:
    """Return what reads a file if it is another than before.

    It is as old as its time says: a copy that nobody renews any more grows stale, though it can be read.
    """

    def fetch(mark: str) -> Fetched:
        try:
            with path.open("rb") as file:
                status = os.fstat(file.fileno())
                at = datetime.fromtimestamp(status.st_mtime, UTC)
                found = f"file {status.st_mtime_ns} {status.st_size} {status.st_ino}"
                return Fetched(None if found == mark else file.read(MAX_FEED + 1), found, at)
        except OSError as error:
            raise FeedUnavailable(f"the feed {path} cannot be read: {error.strerror}") from None

    return fetch


def from_address(url: str, http: HttpClient, credentials: Credentials | None = None) -> Callable[[str], Fetched]:
    """Return what asks an address for what has changed: by its ETag, or else by what its bytes are.

    ``fetch`` raises what ``HttpClient.get`` raises.
    """
    limits = Limits(max_bytes=MAX_FEED, total=FEED_SECONDS)

    def fetch(mark: str) -> Fetched:
        etag = mark.removeprefix("etag ") if mark.startswith("etag ") else None
        answer = http.get(without_credentials(url), credentials=credentials, limits=limits, etag=etag)
        if answer.status == 304:
            return Fetched(None, mark)
        own = answer.headers.get("etag")
        found = f"etag {own}" if own else f"sha256 {sha256(answer.body).hexdigest()}"
        return Fetched(None if found == mark else answer.body, found)

    return fetch
