"""Bounds an object store that several firewalls share: what none of them used for the longest time goes first.

An object store does not know when something was read, and a firewall knows only what it handed out itself. The ledger
knows it of all: what was handed out to whom, by whichever of them, is written there before its first byte goes out. So
all come to the same order, and two that prune at once remove the same objects. What is gone costs a download: it is
fetched again from its registry, and handed out only if it has the digest that was decided on.
"""

from collections.abc import Callable, Container, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct

from lazaretto.core.names import Digest
from lazaretto.infra.blobs import Trimmed

JUST_NOW = timedelta(hours=1)
"""What was stored within this time stays: a decision on it, or a report that it is, may be about to be written down."""

PERIOD = timedelta(hours=1)
"""How often a store is looked through, by whichever firewall comes first: listing it takes a request per thousand."""

AT_A_TIME = 1000
"""Most objects that one request removes."""


class Kept(Struct, frozen=True):
    """An object, and when it was stored, by the clock of the store."""

    digest: Digest
    size: int
    stored: datetime


class Prunable(Protocol):
    """A store whose objects can be listed and removed; each method raises BlobError."""

    def kept(self) -> Iterable[Kept]:
        """Yield what is kept."""
        ...

    def remove(self, digests: Iterable[Digest]) -> None:
        """Remove objects; one that is gone already is no error."""
        ...


def prune(
    store: Prunable,
    most: int,
    spared: Callable[[], Container[Digest]],
    used: Callable[[], Mapping[Digest, datetime]],
    now: datetime,
) -> Trimmed:
    """Remove what was not used for the longest time until at most ``most`` bytes are left.

    Never what is ``spared``, nor what was stored or used just now. Both functions are called if anything must go, and
    after the store was listed: what has been written down meanwhile counts.
    """
    found = list(store.kept())
    left = sum(one.size for one in found)
    if left <= most:
        return Trimmed(left, 0)
    last, stays = used(), spared()
    latest = now - JUST_NOW
    order = sorted((max(one.stored, last.get(one.digest, one.stored)), one.digest, one.size) for one in found)
    gone = []
    for at, digest, size in order:
        if left <= most or at >= latest:
            break
        if digest not in stays:
            gone.append(digest)
            left -= size
    for at_most in range(0, len(gone), AT_A_TIME):
        store.remove(gone[at_most : at_most + AT_A_TIME])
    return Trimmed(left, len(gone))
