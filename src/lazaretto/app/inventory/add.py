"""Look at folders, histories, caches and logs, and write down which releases each of them speaks of.

One place that cannot be read does not keep the others from it: it is written down as not read, with the reason.
"""

from collections import deque
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
from lazaretto.app.inventory.reading import Elsewhere, Normal, Outcome, read_place, writable
from lazaretto.app.inventory.wanted import WantedFiles
from lazaretto.app.ports import Ecosystem
from lazaretto.core.inventory import Place, Unread

MAX_FOLDERS = 2_000_000
"""Folders below one path that are looked into."""

_INSIDE = "!/"


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
    elsewhere: Elsewhere | None = None


def add(look: Look, roots: Sequence[Root]) -> Added:
    """Look at everything below the roots. Raises InventoryError if the inventory cannot be written."""
    run = _Run(look)
    for root in roots:
        run.root(root)
    return Added(run.read, run.unchanged, run.gone, tuple(run.unread()))


class _Run:
    """One look, and what has come of it so far."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._readers = Readers(look.lockfiles, look.now, WantedFiles(look.kinds, look.lockfiles))
        self._owned = frozenset(name for kind in look.kinds for name in kind.OWNS)
        self._normal = Normal(look.ecosystem)
        self._kept: set[Place] = set()
        self._same: set[str] = set()
        self._closed: set[str] = set()
        self._waiting: deque[tuple[int, Claim, Callable[[], Outcome]]] = deque()
        self._problems: list[tuple[int, str]] = []
        self._found = 0
        self.read = self.unchanged = self.gone = 0

    def unread(self) -> list[str]:
        """Return what could not be read, in the order in which it was found, whoever read it and when."""
        return [told for _, told in sorted(self._problems, key=lambda one: one[0])]

    def root(self, root: Root) -> None:
        """Look at everything below one root, then end what was there before and is no longer."""
        self._kept.clear()
        self._same.clear()
        complete = self._walk(root, self._look.disk)
        self._take(0)
        if complete and not root.file:  # of what could not be listed nobody knows whether it is gone
            self._end(root.shown)

    def _walk(self, root: Root, disk: Disk) -> bool:
        """Look at everything below one root of a disk; return whether all of it could be listed."""
        complete, outer = True, self._closed
        self._closed = set()
        for folder in self._folders(root, disk):
            if isinstance(folder, str):
                complete = False
                self._problem(folder)
                continue
            for kind in self._look.kinds:
                try:
                    for claim in kind.claim(folder, disk, self._readers):
                        self._closed.update(claim.owns)
                        complete &= self._claim(kind, claim, disk)
                except InventoryError as error:
                    complete = False
                    self._problem(f"{folder.shown}: {error}")
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
        claim = replace(claim, place=replace(place, path=writable(place.path), why=writable(place.why)))
        self._kept.add(claim.place)
        if claim.stamp and store.stamp(claim.place) == claim.stamp:
            self.unchanged += 1
            self._same.add(claim.place.path)
            store.looked(claim.place, now)
            return True
        self._look.progress(str(claim.place))
        elsewhere = self._look.elsewhere
        if elsewhere is not None and disk is self._look.disk and not claim.holds:
            self._waiting.append((self._next(), claim, elsewhere.submit(kind.KIND, claim)))
            self._take(elsewhere.many)
            return True
        self._take(0)  # what was found before is written before: the same order, whoever reads
        inner: list[bool] = []

        def inside(one: Inside) -> None:
            shown = f"{claim.place.path}{_INSIDE}{one.name}".rstrip("/")
            inner.append(self._walk(Root("", shown), one.disk))

        outcome = read_place(kind, claim, disk, self._readers, self._normal, inside)
        whole = all(inner) and not (inner and outcome.unread)
        if inner and whole:
            self._end(f"{claim.place.path}!")
        self._put(self._next(), claim, outcome)
        return whole

    def _take(self, most: int) -> None:
        """Write what was read elsewhere, in the order in which it was found, until ``most`` are waited for."""
        while len(self._waiting) > most:
            number, claim, wait = self._waiting.popleft()
            try:
                outcome = wait()
            except InventoryError as error:
                outcome = Outcome((), (Unread(0, str(error)),))
            self._put(number, claim, outcome)

    def _put(self, number: int, claim: Claim, outcome: Outcome) -> None:
        self._look.store.put(claim, outcome.entries, outcome.unread, self._look.now)
        self.read += 1
        for one in outcome.unread:
            line = f":{one.line}" if one.line else ""
            self._problems.append((number, f"{claim.place}{line}: {one.why}"))

    def _problem(self, told: str) -> None:
        self._problems.append((self._next(), told))

    def _next(self) -> int:
        self._found += 1
        return self._found


def _key(place: Place) -> str:
    return place.path + "\0" + place.kind
