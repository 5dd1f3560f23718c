"""Look at folders, histories, caches and logs, and write down which releases each of them speaks of.

One place that cannot be read does not keep the others from it: it is written down as not read, with the reason.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from lazaretto.app.inventory.formats import Formats
from lazaretto.app.inventory.ports import (
    Claim,
    Disk,
    Folder,
    Inside,
    InventoryError,
    InventoryStore,
    PlaceModule,
    Readers,
)
from lazaretto.app.inventory.wanted import WantedFiles
from lazaretto.app.ports import Ecosystem
from lazaretto.core.inventory import Entry, Place, Proof, Unread

MAX_FOLDERS = 2_000_000
"""Folders below one path that are looked into."""

MAX_UNREAD = 200
"""Problems of one place that are kept; of more, their number."""

MAX_ENTRIES = 2_000_000
"""Entries of one place: of a longer log the beginning is read, and that is said."""

_INSIDE = "!/"

MAX_NAME = 300
"""Longest name or version of an entry, in characters."""


class Root(Struct, frozen=True):
    """What somebody named: where it is, what it is called in the inventory, and whether it is one file."""

    path: str
    shown: str
    file: bool = False


class Added(Struct, frozen=True):
    """What came of it: places read, found unchanged, and gone; and what could not be read, with its place."""

    read: int
    unchanged: int
    gone: int
    unread: tuple[str, ...]


class Look(Struct, frozen=True):
    """What a look needs."""

    disk: Disk
    store: InventoryStore
    kinds: Sequence[PlaceModule]
    lockfiles: Formats
    ecosystem: Callable[[str], Ecosystem]
    now: datetime
    progress: Callable[[str], None]


def add(look: Look, roots: Sequence[Root]) -> Added:
    """Look at everything below the roots. Raises InventoryError if the inventory cannot be written."""
    run = _Run(look)
    for root in roots:
        run.root(root)
    return Added(run.read, run.unchanged, run.gone, tuple(run.unread))


class _Run:
    """One look, and what has come of it so far."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._readers = Readers(look.lockfiles, look.now, WantedFiles(look.kinds, look.lockfiles))
        self._owned = frozenset(name for kind in look.kinds for name in kind.OWNS)
        self._normal = _Normal(look.ecosystem)
        self._kept: set[Place] = set()
        self._same: set[str] = set()
        self._closed: set[str] = set()
        self.read = self.unchanged = self.gone = 0
        self.unread: list[str] = []

    def root(self, root: Root) -> None:
        """Look at everything below one root, then end what was there before and is no longer."""
        self._kept.clear()
        self._same.clear()
        complete = self._walk(root, self._look.disk)
        if complete and not root.file:  # of what could not be listed nobody knows whether it is gone
            self._end(root.shown)

    def _walk(self, root: Root, disk: Disk) -> bool:
        """Look at everything below one root of a disk; return whether all of it could be listed."""
        complete, outer = True, self._closed
        self._closed = set()
        for folder in self._folders(root, disk):
            if isinstance(folder, str):
                complete = False
                self.unread.append(folder)
                continue
            for kind in self._look.kinds:
                try:
                    for claim in kind.claim(folder, disk, self._readers):
                        self._closed.update(claim.owns)
                        complete &= self._claim(kind, claim, disk)
                except InventoryError as error:
                    complete = False
                    self.unread.append(f"{folder.shown}: {error}")
        self._closed = outer
        return complete

    def _end(self, root: str) -> None:
        """End what was below a root and is no longer there; what lies in a place that did not change is as it was."""
        kept = frozenset(_key(place) for place in self._kept)

        def there(place: Place) -> bool:
            above = place.path.split(_INSIDE)
            return _key(place) in kept or any(
                _INSIDE.join(above[:depth]) in self._same for depth in range(1, len(above))
            )

        self.gone += self._look.store.gone(root, there, self._look.now)

    def _folders(self, root: Root, disk: Disk) -> Iterator[Folder | str]:
        """Yield every folder, those above before those below; or why one cannot be listed."""
        if root.file:
            path, _, name = root.path.rpartition("/")
            yield Folder(path or "/", root.shown.rpartition("/")[0], (), (name,), named=True)
            return
        waiting: list[tuple[str, str, frozenset[str]]] = [(root.path, root.shown, frozenset())]
        count = 0
        while waiting:
            path, shown, above = waiting.pop()
            count += 1
            if count > MAX_FOLDERS:
                yield f"{root.shown}: more than {MAX_FOLDERS} folders: the rest is not read"
                return
            try:
                folders, files = disk.list(path)
            except InventoryError as error:
                yield f"{shown}: {error}"
                continue
            if count % 64 == 0:
                self._look.progress(shown)
            locked = above | self._look.lockfiles.locked(files)
            yield Folder(path, shown, folders, files, locked)
            if path in self._closed:
                continue
            below = [(f"{path}/{name}", f"{shown}/{name}", locked) for name in folders if name not in self._owned]
            waiting.extend(one for one in reversed(below) if one[0] not in self._closed)

    def _claim(self, kind: PlaceModule, claim: Claim, disk: Disk) -> bool:
        """Read a place, unless it is as it was; return whether all that lies in it could be listed."""
        store, now = self._look.store, self._look.now
        place = claim.place
        claim = replace(claim, place=replace(place, path=_writable(place.path), why=_writable(place.why)))
        self._kept.add(claim.place)
        if claim.stamp and store.stamp(claim.place) == claim.stamp:
            self.unchanged += 1
            self._same.add(claim.place.path)
            store.looked(claim.place, now)
            return True
        self._look.progress(str(claim.place))
        entries: list[Entry] = []
        unread: list[Unread] = []
        complete, inside = True, False
        try:
            for one in kind.read(claim, disk, self._readers):
                if isinstance(one, Inside):
                    inside = True
                    shown = f"{claim.place.path}{_INSIDE}{one.name}".rstrip("/")
                    complete &= self._walk(Root("", shown), one.disk)
                    continue
                found = self._normal.entry(one) if isinstance(one, Entry) else one
                if isinstance(found, Unread):
                    unread.append(Unread(found.line, _writable(found.why)))
                elif len(entries) >= MAX_ENTRIES:
                    unread.append(Unread(found.line, f"more than {MAX_ENTRIES} entries: the rest is not read"))
                    break
                else:
                    entries.append(found)
        except InventoryError as error:
            unread.append(Unread(0, str(error)))
        if inside and complete and not unread:
            self._end(f"{claim.place.path}!")
        if len(unread) > MAX_UNREAD:
            unread[MAX_UNREAD:] = [Unread(0, f"and {len(unread) - MAX_UNREAD} more problems")]
        store.put(claim, entries, unread, now)
        self.read += 1
        self.unread += [f"{claim.place}{f':{one.line}' if one.line else ''}: {one.why}" for one in unread]
        return complete and not (inside and unread)


def _writable(text: str) -> str:
    r"""Return text that can be written as UTF-8: names of files may hold bytes that are none, spelled ``\udcff``."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def _key(place: Place) -> str:
    return place.path + "\0" + place.kind


class _Normal:
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
            if len(self._known) > 500_000:  # bounded memory: the same spellings come again soon, or never
                self._known.clear()
            known = self._known[key] = self._names(entry)
        if isinstance(known, str):
            return Unread(entry.line, _writable(known))
        if known == (entry.name, entry.version) and entry.note.isascii():
            return entry
        return replace(entry, name=known[0], version=known[1], note=_writable(entry.note))

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
