"""What the words of intel share that bring things in: files, addresses, feeds."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from msgspec import Struct

from lazaretto._plugins import discover
from lazaretto.app.intelligence.ports import Feed, Taken
from lazaretto.core.exchange import Unread
from lazaretto.infra.feed_source import MAX_FEED
from lazaretto.outputs._paper import plural
from lazaretto.surfaces.cli.common import Progress, UsageError

if TYPE_CHECKING:
    from lazaretto.infra.http import HttpClient
    from lazaretto.infra.transport import Credentials


class Imported(Struct, frozen=True):
    """What an import prints: what was taken, and what was not."""

    taken: Taken
    unread: tuple[Unread, ...]


class ListedSource(Struct, frozen=True):
    """One source, whether it is too old, and what of it was not taken."""

    taken: Taken
    stale: bool
    unread: tuple[Unread, ...]


class Listed(Struct, frozen=True):
    """Every source that was imported, and those that the settings ask for and that are missing."""

    sources: tuple[ListedSource, ...]
    missing: tuple[str, ...]


def feeds() -> Mapping[str, Feed]:
    """Return every feed by its name."""
    found = discover("lazaretto.feeds", ("URL", "LICENCE", "MAX_AGE", "claims", "read"))
    return {module.__name__.rpartition(".")[2]: cast("Feed", module) for module in found}


def counted(taken: Taken) -> str:
    """Return how much of what was taken, for a person."""
    found = [
        plural(count, "advisory", "advisories") if kind == "advisory" else plural(count, kind.replace("-", " "))
        for kind, count in taken.items.items()
    ]
    return ", ".join(found) or "nothing"


def source_name(place: str) -> str:
    """Return the name of a source after the file or host that it comes from."""
    if "://" in place:
        return place.partition("://")[2].partition("/")[0]
    return Path(place).name.partition(".")[0] or place


def documents(places: Sequence[str], token: str, progress: Progress) -> Iterator[tuple[str, bytes]]:
    """Yield each document with its place. Raises UsageError, and what a registry's client raises."""
    for place in places:
        progress(f"reading {place}")
        if place.startswith(("http://", "https://")):
            yield place, _fetched(place, token)
        elif "://" in place:
            raise UsageError(f"{place} is neither a file nor an http address")
        else:
            yield place, _read(Path(place))


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_FEED + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None


def _fetched(address: str, token: str) -> bytes:
    from lazaretto.infra.taxii import collection, is_collection

    http, credentials = _client(token)
    if is_collection(address):
        return collection(address, http, credentials)
    from lazaretto.infra.feed_source import from_address

    return from_address(address, http, credentials)("").data or b""


def _client(token: str) -> "tuple[HttpClient, Credentials | None]":
    from lazaretto.infra.http import HttpClient
    from lazaretto.infra.redact import Secret
    from lazaretto.infra.transport import Credentials, Transport, environment_proxies

    environment = dict(os.environ)
    own = tuple(filter(None, (environment.get("SSL_CERT_FILE"),)))
    transport = Transport(proxies=environment_proxies(environment), ca_files=own)
    return HttpClient(transport), Credentials(Secret(f"Bearer {token}")) if token else None
