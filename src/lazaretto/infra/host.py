"""The sweep of a machine, or of a mounted disk, for what a campaign leaves behind. Nothing is changed or executed.

Files are looked for at the paths of the indicators, and anywhere below the root where an indicator names no absolute
path; files in the places where droppers drop are hashed. The registry of Windows is looked into where its hives lie. On
the running machine (the root is ``/``) the words and programs of every process, and the peers of every connection, are
compared too.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from lazaretto.core.host import (
    HAUNTS,
    SCHEMA,
    Found,
    HostReport,
    PathPattern,
    Sought,
    digest_fits,
    fits,
    order,
    sought,
)
from lazaretto.core.intel import Indicator, IndicatorKind
from lazaretto.infra.host_digests import digests_of, kinds_of
from lazaretto.infra.host_registry import Registry
from lazaretto.infra.host_running import Running
from lazaretto.infra.sealed import Sealed, SealedError

MAX_FOLDERS = 1_000_000
"""Folders below the root that are looked into."""

MAX_HASHED = 20_000
"""Files of one sweep that are hashed."""

MAX_UNREAD = 200
"""Problems of one sweep that are told one by one; of more, their number."""

_FOLDING = (("Windows", "System32"), ("System", "Library", "CoreServices"))
"""What only the disk of a system has that takes large and small letters of a name for the same."""

_MAC_DATA = ("System", "Volumes", "Data")
_NOT_DISKS = frozenset({"proc", "sys"})


def sweep(
    root: str,
    indicators: Sequence[Indicator],
    campaign: str,
    at: datetime,
    product: str,
    progress: Callable[[str], None] = lambda _: None,
    *,
    proc: str = "/proc",
) -> HostReport:
    """Return what lies on a disk, and what runs if it is that of this machine."""
    wanted = sought(indicators, at)
    tree = Sealed(root)
    disk = _Disk(tree, wanted, progress)
    disk.look()
    notes, processes, connections = [], 0, 0
    found = list(disk.found)
    if os.path.abspath(root) == "/":
        running = Running(Path(proc), wanted)
        found += running.look()
        processes, connections = running.processes, running.connections
        disk.unread += running.unread
    else:
        notes.append("a mounted disk: there are no processes and no connections to look at")
    registry = Registry(tree, wanted.registry, progress)
    found += registry.look()
    disk.unread += registry.unread
    named = any(one.kind is IndicatorKind.REGISTRY_VALUE for _, one in wanted.registry)
    if named and not registry.hives and not registry.unread:
        notes.append("no registry hive lies here: registry values do not apply")
    unread = disk.unread[:MAX_UNREAD]
    if len(disk.unread) > MAX_UNREAD:
        unread.append(f"and {len(disk.unread) - MAX_UNREAD} more")
    return HostReport(
        schema=SCHEMA,
        product=product,
        root=os.path.abspath(root),
        campaign=campaign,
        looked=at,
        indicators=len(indicators),
        files=disk.files,
        processes=processes,
        connections=connections,
        found=tuple(sorted(dict.fromkeys(found), key=order)),
        not_sought=wanted.not_sought,
        unread=tuple(unread),
        notes=tuple(notes),
        hives=registry.hives,
    )


class _Deep(NamedTuple):
    """A pattern for what may lie anywhere; ``parts`` are in small letters if ``fold``."""

    pattern: PathPattern
    parts: tuple[str, ...]
    fold: bool


class _Disk:
    """What is looked for in files."""

    def __init__(self, tree: Sealed, wanted: Sought, progress: Callable[[str], None]) -> None:
        self._tree = tree
        self._wanted = wanted
        self._progress = progress
        self._mounted = tree.root != "/"
        self._folds = False
        self._hashed: set[str] = set()
        self._kinds = kinds_of(wanted)
        self.found: list[Found] = []
        self.unread: list[str] = []
        self.files = 0

    def shown(self, path: str) -> str:
        """Return a path as somebody at this machine finds it."""
        return self._tree.shown(path)

    def look(self) -> None:
        """Look at fixed paths, at the haunts of droppers, then at everything."""
        self._folds = any(True for parts in _FOLDING for _ in self._find(parts, fold=True))
        deep = [self._prepared(one) for one in self._wanted.paths if one.deep]
        for pattern in self._wanted.paths:
            if not pattern.deep:
                for path in self._lying(pattern.parts, fold=pattern.fold or self._folds):
                    self._fits(pattern, path)
        for haunt in HAUNTS if self._kinds else ():
            for folder in self._lying(tuple(haunt.split("/")), fold=self._folds):
                for name in self._names(folder):
                    if self._tree.is_file(f"{folder}/{name}"):
                        self._hash(f"{folder}/{name}")
        if deep:
            self._walk(deep)

    def _lying(self, parts: tuple[str, ...], *, fold: bool) -> Iterator[str]:
        """Yield the paths of a pattern, on the volume of macOS's data too, which its system links into its root."""
        yield from self._find(parts, fold=fold)
        if self._mounted:
            yield from self._find((*_MAC_DATA, *parts), fold=fold)

    def _find(self, parts: tuple[str, ...], *, fold: bool) -> Iterator[str]:
        """Yield the paths of a pattern; what cannot be listed is written down."""
        try:
            yield from self._tree.find(parts, fold=fold)
        except SealedError as error:
            self.unread.append(f"{self.shown('/'.join(parts))}: {error}")

    def _names(self, folder: str) -> list[str]:
        try:
            return [one.name for one in self._tree.list(folder) if not one.folder and not one.link]
        except SealedError as error:
            self.unread.append(f"{self.shown(folder)}: {error}")
            return []

    def _fits(self, pattern: PathPattern, path: str) -> None:
        folder = self._tree.is_folder(path)
        if pattern.folder and not folder:
            return
        self.found.append(fits(pattern, self.shown(path), "a folder at this path" if folder else "a file at this path"))
        if not folder:
            self._hash(path)

    def _prepared(self, pattern: PathPattern) -> _Deep:
        fold = pattern.fold or self._folds
        return _Deep(pattern, tuple(part.casefold() for part in pattern.parts) if fold else pattern.parts, fold)

    def _walk(self, deep: Sequence[_Deep]) -> None:
        """Look for what may lie anywhere: the end of every path is compared, and no link is followed."""
        waiting = [""]
        count = 0
        while waiting:
            above = waiting.pop()
            count += 1
            if count > MAX_FOLDERS:
                self.unread.append(f"{self.shown('')}: more than {MAX_FOLDERS} folders: the rest is not looked at")
                return
            if count % 256 == 0:
                self._progress(self.shown(above))
            try:
                listed = self._tree.list(above)
            except SealedError as error:
                self.unread.append(f"{self.shown(above)}: {error}")
                continue
            self.files += sum(not one.folder for one in listed)
            for one in listed:
                path = f"{above}/{one.name}".lstrip("/")
                folded = one.name.casefold()
                for pattern, parts, fold in deep:
                    name = folded if fold else one.name
                    if fnmatchcase(name, parts[-1]) and _ends(path.casefold() if fold else path, parts):
                        self._fits(pattern, path)
                if one.folder and not one.link and not (not above and one.name in _NOT_DISKS):
                    waiting.append(path)

    def _hash(self, path: str) -> None:
        if path in self._hashed or not self._kinds:
            return
        if len(self._hashed) >= MAX_HASHED:
            if len(self._hashed) == MAX_HASHED:
                self.unread.append(f"more than {MAX_HASHED} files to hash: the rest is not hashed")
                self._hashed.add("")
            return
        self._hashed.add(path)
        try:
            digests = tuple(self._digests(path))
        except (OSError, SealedError) as error:
            self.unread.append(f"{self.shown(path)}: {error}")
            return
        for digest in digests:
            found = digest_fits(self.shown(path), digest, self._wanted.digests)
            if found is not None:
                self.found.append(found)

    def _digests(self, path: str) -> Iterator[str]:
        """Yield the digests of a file, of each kind that is asked for. Raises OSError, SealedError."""
        file = self._tree.open(path)
        if file is not None:
            with file:
                yield from digests_of(file, self._kinds)


def _ends(path: str, parts: tuple[str, ...]) -> bool:
    last = path.split("/")[-len(parts) :]
    return len(last) == len(parts) and all(map(fnmatchcase, last, parts))
