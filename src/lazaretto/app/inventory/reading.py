"""Reading one place: its entries with names in their normal form, and what of it cannot be read. Here, or elsewhere.

A process that reads for another is given a claim and returns what came of it; nothing of a place depends on another.
"""

from collections.abc import Callable, Iterator
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from lazaretto.app.inventory.ports import Claim, Disk, Inside, InventoryError, PlaceModule, Readers
from lazaretto.app.ports import Ecosystem
from lazaretto.core.inventory import Entry, Proof, Unread

MAX_UNREAD = 200
"""Problems of one place that are kept; of more, their number."""

MAX_ENTRIES = 2_000_000
"""Entries of one place: of a longer log the beginning is read, and that is said."""

MAX_NAME = 300
"""Longest name or version of an entry, in characters."""

MAX_SPELLINGS = 500_000
"""Spellings of releases whose normal form is held in memory."""


class Outcome(Struct, frozen=True):
    """What came of reading a place."""

    entries: tuple[Entry, ...]
    unread: tuple[Unread, ...]


class Elsewhere(Protocol):
    """Reads places of this machine's disk in other processes."""

    @property
    def many(self) -> int:
        """How many places may wait to be read."""
        ...

    def submit(self, kind: str, claim: Claim) -> Callable[[], Outcome]:
        """Begin to read a place; what is returned waits for it. That raises InventoryError if the process ended."""
        ...


def read_place(
    kind: PlaceModule, claim: Claim, disk: Disk, readers: Readers, normal: "Normal", inside: Callable[[Inside], None]
) -> Outcome:
    """Return what came of reading a place; ``inside`` is told of each disk that lies in it."""
    entries: list[Entry] = []
    unread: list[Unread] = []
    try:
        for one in _known(kind.read(claim, disk, readers), normal, inside):
            if isinstance(one, Unread):
                unread.append(Unread(one.line, writable(one.why)))
            elif len(entries) >= MAX_ENTRIES:
                unread.append(Unread(one.line, f"more than {MAX_ENTRIES} entries: the rest is not read"))
                break
            else:
                entries.append(one)
    except InventoryError as error:
        unread.append(Unread(0, str(error)))
    if len(unread) > MAX_UNREAD:
        unread[MAX_UNREAD:] = [Unread(0, f"and {len(unread) - MAX_UNREAD} more problems")]
    return Outcome(tuple(entries), tuple(unread))


def writable(text: str) -> str:
    r"""Return text that can be written as UTF-8: names of files may hold bytes that are none, spelled ``\udcff``."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def _known(
    told: Iterator[Entry | Unread | Inside], normal: "Normal", inside: Callable[[Inside], None]
) -> Iterator[Entry | Unread]:
    for one in told:
        if isinstance(one, Inside):
            inside(one)
        else:
            yield normal.entry(one) if isinstance(one, Entry) else one


class Normal:
    """Names and versions as their ecosystems write them; each spelling is asked about once."""

    def __init__(self, ecosystem: Callable[[str], Ecosystem]) -> None:
        self._ecosystem = ecosystem
        self._houses: dict[str, Ecosystem] = {}
        self._known: dict[tuple[str, str, str], tuple[str, str] | str] = {}

    def entry(self, entry: Entry) -> Entry | Unread:
        """Return an entry with normal names; what has none is not read, and that is said with its line."""
        key = (entry.ecosystem, entry.name, entry.version)
        known = self._known.get(key)
        if known is None:
            if len(self._known) > MAX_SPELLINGS:  # the same spellings come again soon, or never
                self._known.clear()
            known = self._known[key] = self._names(entry)
        if isinstance(known, str):
            return Unread(entry.line, writable(known))
        if known == (entry.name, entry.version) and entry.note.isascii():
            return entry
        return replace(entry, name=known[0], version=known[1], note=writable(entry.note))

    def _names(self, entry: Entry) -> tuple[str, str] | str:
        if len(entry.name) > MAX_NAME or len(entry.version) > MAX_NAME:
            return f"a name or version of more than {MAX_NAME} characters"
        try:
            house = self._houses.get(entry.ecosystem) or self._ecosystem(entry.ecosystem)
            self._houses[entry.ecosystem] = house
            name = house.name(entry.name)
            return name, "" if entry.proof is Proof.OPEN else house.version(entry.version)
        except ValueError as error:
            return str(error)
