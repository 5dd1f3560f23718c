"""What the graph needs of the world: a store of releases with their ranges, and the graph of an instant made of it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from lazaretto.app.ports import PortError
from lazaretto.core.graph import Rows

Key = tuple[str, str, str]
"""Ecosystem, name, version."""


class GraphError(PortError):
    """The graph cannot be read or written."""


class Described(Struct, frozen=True):
    """One release as a dump tells of it, names in their normal form: which ranges it needs, and whose it is."""

    ecosystem: str
    name: str
    version: str
    needs: tuple[tuple[str, str], ...] = ()
    accounts: tuple[str, ...] = ()
    published: datetime | None = None


class Listed(Struct, frozen=True):
    """One release of a project of the store: its row, and when it was published."""

    row: int
    version: str
    published: datetime | None


Resolve = Callable[[str, str, Sequence[Listed], Iterable[str]], Iterator[int | None]]
"""Of an ecosystem, a project, its releases and some ranges: for each range the row of the release that it leads to."""

Order = Callable[[str, Sequence[Listed]], Sequence[Listed]]
"""Releases of an ecosystem in ascending order."""


class Graph(Struct, frozen=True):
    """The graph at an instant: nodes are releases in the order of their names.

    ``rows`` are their rows in the store, ``projects`` the numbers of their projects, ``newest`` the newest node of each
    project.
    """

    rows: Sequence[int]
    projects: Sequence[int]
    newest: Sequence[int]
    needed_by: Rows
    needs: Rows


class GraphStore(Protocol):
    """The imported releases. Every method raises GraphError."""

    def put(self, releases: Iterable[Described]) -> int:
        """Take releases and return how many; of one that is there already what is told is joined."""
        ...

    def graph(self, at: datetime | None, resolve: Resolve, told: Callable[[str], None]) -> Graph | None:
        """Return the graph at an instant, made if it is not kept; None if nothing was imported."""
        ...

    def of(self, ecosystem: str, name: str) -> tuple[Listed, ...]:
        """Return the releases of a project."""
        ...

    def keys(self, rows: Iterable[int]) -> Mapping[int, Key]:
        """Return the names of releases."""
        ...

    def found(self, keys: Iterable[Key]) -> Iterator[tuple[Key, int]]:
        """Yield those releases that are in the store, with their rows."""
        ...

    def accounts(self, rows: Iterable[int]) -> Iterator[tuple[int, str]]:
        """Yield whose each release is."""
        ...

    def kept_by(self, account: str) -> frozenset[int]:
        """Return the releases of an account."""
        ...


class Pinned(Protocol):
    """The part of the inventory that the graph asks. Every method raises InventoryError."""

    def releases(self) -> Iterator[tuple[int, Key]]:
        """Yield every release that is or was held, with its row."""
        ...

    def of(self, ecosystem: str, name: str) -> tuple[tuple[int, str], ...]:
        """Return the releases of a project that are or were held, with their rows, in the order of versions."""
        ...

    def keys(self, rows: Iterable[int]) -> Mapping[int, Key]:
        """Return the names of releases."""
        ...

    def pins(self, at: datetime | None = None) -> Iterator[tuple[int, int]]:
        """Yield place and release of whatever was held at an instant (None: is held now), place by place."""
        ...

    def holders(self, releases: Iterable[int], at: datetime | None) -> Mapping[int, Mapping[int, int]]:
        """Return the places that held one of some releases at an instant: the numbers of the entries, and which."""
        ...

    def release(self, place: int, number: int, at: datetime | None) -> int | None:
        """Return the release of an entry; None if it was not there at an instant."""
        ...

    def owners(self, place: int) -> Mapping[int, Sequence[int]]:
        """Return who needs each entry of a place, by their numbers; -1 stands for the project."""
        ...

    def paths(self, places: Iterable[int]) -> Mapping[int, str]:
        """Return the paths of places."""
        ...
