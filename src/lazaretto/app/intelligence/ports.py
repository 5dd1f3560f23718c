"""What the use cases ask of the place where imported intelligence lies."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct

from lazaretto.app.ports import PortError
from lazaretto.core.advisory import Advisory, VersionOrder
from lazaretto.core.exchange import Collection, Item, Told, Unread
from lazaretto.core.intel import Indicator, Tlp
from lazaretto.core.names import ProjectName, Purl, Version

CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far ahead of our clock a source may have been taken, before its age counts as unknown."""


SHIPPED = "lazaretto"
"""The name of the source that ships with the program."""


class IntelligenceError(PortError):
    """The intelligence that lies here cannot be read or written."""


class Named(VersionOrder, Protocol):
    """The part of an ecosystem that is needed here."""

    def purl(self, name: ProjectName, version: Version | None) -> Purl:
        """Return the package URL."""
        ...


class Taken(Struct, frozen=True):
    """One source as it lies here: when it was taken, from where, by which feed, what of it, and for how long it counts.

    ``max_age`` None: it tells what once happened, and does not grow old.
    """

    source: str
    feed: str
    place: str
    at: datetime
    items: Mapping[str, int] = {}
    unread: int = 0
    tlp: Tlp = Tlp.CLEAR
    licence: str = ""
    max_age: timedelta | None = None

    def stale(self, now: datetime, most: timedelta | None = None) -> bool:
        """Whether it is older than it or ``most`` allows, or of unknown age: taken by a clock ahead of ours."""
        limits = [one for one in (self.max_age, most) if one is not None]
        return self.at - now > CLOCK_TOLERANCE or any(now - self.at > limit for limit in limits)


class Book(Protocol):
    """The intelligence that lies here. Every method raises IntelligenceError."""

    def keyed(self, keys: Iterable[str]) -> tuple[Indicator, ...]:
        """Return every indicator with one of these keys, of every source."""
        ...

    def about(self, ecosystem: str, name: ProjectName) -> tuple[Advisory, ...]:
        """Return every advisory about a project, of every source."""
        ...

    def keys(self, sort: str) -> frozenset[str]:
        """Return all keys of a sort (``package``, ``digest``) of which anything is said."""
        ...

    def sources(self) -> tuple[Taken, ...]:
        """Return every source that was taken, by its name."""
        ...

    def unread(self, source: str) -> tuple[Unread, ...]:
        """Return what of a source was not taken, the first of it."""
        ...

    def collection(self, sources: Sequence[str], product: str, at: datetime) -> Collection:
        """Return all that lies here of some sources; of every one if none is named."""
        ...

    def mark(self, now: datetime) -> str:
        """Return what changes whenever something else may be said: by an import, or as time passes."""
        ...

    def replace(self, taken: Taken, items: Iterable[Item]) -> Taken:
        """Take a source in the place of what was there of it; return it with its counts. All or nothing.

        Raises what ``items`` raises, with everything as it was.
        """
        ...


class Feed(Protocol):
    """The names that a module ``feeds/<source>.py`` offers at module level."""

    URL: str
    LICENCE: str
    MAX_AGE: timedelta

    def claims(self, data: bytes) -> int:
        """Return how much the bytes look like this feed's, 0: not at all; cheap, and no promise that it reads them."""
        ...

    def read(self, data: bytes, told: Told) -> Iterable[Item]:
        """Yield what a document says, and what of it was not taken. Raises FeedError if it is none."""
        ...
