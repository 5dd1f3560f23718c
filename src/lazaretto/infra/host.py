"""The sweep of a machine, or of a mounted disk, for what a campaign leaves behind. Nothing is changed or executed.

Files are looked for at the paths of the indicators, and anywhere below the root where an indicator names no absolute
path; files in the places where droppers drop are hashed. On the running machine (the root is ``/``) the words of every
process and the peers of every connection are compared too. The registry of Windows is looked into where its hives lie.
"""

import os
import socket
import struct
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from hashlib import new
from pathlib import Path
from typing import NamedTuple

from lazaretto.core.host import (
    DIGESTS,
    HAUNTS,
    SCHEMA,
    Found,
    HostReport,
    PathPattern,
    Sought,
    address_fits,
    digest_fits,
    fits,
    order,
    sought,
)
from lazaretto.core.intel import Indicator, IndicatorKind
from lazaretto.infra.host_registry import Registry
from lazaretto.infra.sealed import Sealed, SealedError

MAX_FOLDERS = 1_000_000
"""Folders below the root that are looked into."""

MAX_HASHED = 20_000
"""Files of one sweep that are hashed."""

MAX_FILE = 256 << 20
"""Largest file that is hashed, in bytes."""

MAX_UNREAD = 200
"""Problems of one sweep that are told one by one; of more, their number."""

MAX_COMMAND = 64 << 10
"""Bytes of a command line that are compared."""

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
        running = _Running(Path(proc), wanted)
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
        self._kinds = tuple(kind for kind in DIGESTS if any(one.kind is kind for one in wanted.digests.values()))
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
            digests = self._digests(path)
        except (OSError, SealedError) as error:
            self.unread.append(f"{self.shown(path)}: {error}")
            return
        for digest in digests:
            found = digest_fits(self.shown(path), digest, self._wanted.digests)
            if found is not None:
                self.found.append(found)

    def _digests(self, path: str) -> list[str]:
        """Return the digests of a file, of each kind that is asked for. Raises OSError, SealedError."""
        digests = [new(kind.value, usedforsecurity=False) for kind in self._kinds]
        size = 0
        file = self._tree.open(path)
        if file is None:
            return []
        with file:
            while piece := file.read(1 << 20):
                size += len(piece)
                if size > MAX_FILE:
                    raise SealedError(f"larger than {MAX_FILE} bytes: not hashed")
                for one in digests:
                    one.update(piece)
        return [one.hexdigest() for one in digests]


def _ends(path: str, parts: tuple[str, ...]) -> bool:
    last = path.split("/")[-len(parts) :]
    return len(last) == len(parts) and all(map(fnmatchcase, last, parts))


class _Running:
    """What runs on this machine, and to whom it is connected (proc(5))."""

    def __init__(self, proc: Path, wanted: Sought) -> None:
        self._proc = proc
        self._wanted = wanted
        self._own = self._ancestors(os.getpid())
        self._sockets: dict[str, str] = {}
        self.processes = self.connections = 0
        self.unread: list[str] = []

    def look(self) -> Iterator[Found]:
        """Yield what fits."""
        hidden = 0
        for number in self._numbers():
            words = self._words(number)
            if words is None:
                continue
            self.processes += 1
            hidden += not self._note_sockets(number)
            if number in self._own:  # we ourselves, and whoever called us, name the indicators
                continue
            for pattern, one in self._wanted.words:
                match = pattern.search(words)
                if match is not None:  # of the other words nothing is told: a password may be among them
                    what = f"{_program(words)} with {match[0]} in its words"
                    yield Found(f"process {number}", one.kind, one.value, one.use, one.confidence, what, one.context)
        yield from self._connections()
        if hidden:
            self.unread.append(
                f"{hidden} processes belong to others: to whom they are connected is told without a name"
            )

    def _numbers(self) -> list[int]:
        try:
            return sorted(int(name) for name in os.listdir(self._proc) if name.isdecimal())
        except OSError as error:
            self.unread.append(f"{self._proc}: {error.strerror}: no processes were looked at")
            return []

    def _words(self, number: int) -> str | None:
        try:
            with (self._proc / str(number) / "cmdline").open("rb") as file:
                raw = file.read(MAX_COMMAND)
        except OSError:
            return None  # it has ended
        return raw.replace(b"\0", b" ").decode("utf-8", "replace").strip()

    def _note_sockets(self, number: int) -> bool:
        """Note whose sockets are whose; False if that may not be seen."""
        folder = self._proc / str(number) / "fd"
        try:
            for name in os.listdir(folder):
                try:
                    target = os.readlink(folder / name)
                except FileNotFoundError:
                    continue
                if target.startswith("socket:["):
                    self._sockets[target[8:-1]] = str(number)
        except FileNotFoundError:
            return True
        except OSError:
            return False
        return True

    def _connections(self) -> Iterator[Found]:
        for name in ("tcp", "tcp6", "udp", "udp6"):
            try:
                lines = (self._proc / "net" / name).read_text("ascii").splitlines()[1:]
            except FileNotFoundError:
                continue
            except (OSError, ValueError) as error:
                self.unread.append(f"{self._proc}/net/{name}: {error}")
                continue
            for line in lines:
                fields = line.split()
                if len(fields) < 10:
                    continue
                self.connections += 1
                peer = _peer(fields[2])
                if peer is None:
                    continue
                address, port = peer
                whose = self._sockets.get(fields[9], "")
                for one in address_fits(address, port, self._wanted):
                    where = f"{name} connection to {address} port {port}"
                    what = f"of process {whose}" if whose else "of a process that is not told"
                    yield Found(where, one.kind, one.value, one.use, one.confidence, what, one.context)

    def _ancestors(self, number: int) -> frozenset[int]:
        found: set[int] = set()
        while number > 1 and number not in found:
            found.add(number)
            try:
                stat = (self._proc / str(number) / "stat").read_text("utf-8", "replace")
                number = int(stat.rpartition(")")[2].split()[1])
            except (OSError, ValueError, IndexError):
                break
        return frozenset(found)


def _program(words: str) -> str:
    """Return the name of the program alone."""
    return words.partition(" ")[0].rpartition("/")[2][:80]


def _peer(text: str) -> tuple[str, int] | None:
    """Return address and port as proc(5) writes them: hexadecimal, each four bytes in the order of this machine."""
    address, _, port = text.partition(":")
    try:
        raw = bytes.fromhex(address)
        if len(raw) not in {4, 16}:
            return None
        words = struct.unpack(f"={len(raw) // 4}I", raw)
        packed = struct.pack(f">{len(words)}I", *words) if sys.byteorder == "little" else raw
        family = socket.AF_INET if len(raw) == 4 else socket.AF_INET6
        return socket.inet_ntop(family, packed), int(port, 16)
    except (ValueError, OSError):
        return None
