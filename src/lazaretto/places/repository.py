"""The history of a git repository: in which commit each pin entered a lockfile, and in which it left.

Every branch and tag counts, those of remotes too; bare repositories as well. An interval is told per file and release:
where branches differ, a release is there from the first commit that brings it until the last that takes it away, and
still there if the file of any branch names it. Times are those of the commits.

A repository elsewhere is fetched before it is read, and is then a bare one.

Not seen: what was never committed, files that a lockfile includes (``-r other.txt`` is read by its own name if it is a
lockfile by it), whether anybody installed from a commit.
"""

from collections import OrderedDict
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from lazaretto.app.inventory.formats import Format
from lazaretto.app.inventory.ports import Claim, Disk, Folder, History, InventoryError, Readers, Version
from lazaretto.core.dependency_paths import PROJECT
from lazaretto.core.inventory import Entry, Place, Proof, Sign, Unread
from lazaretto.core.pin import Pin, PinSource
from lazaretto.places import _pins

KIND = "history"
OWNS = (".git",)
READS = ()

MAX_BLOBS = 200_000
"""Versions of lockfiles of one repository that are read."""

_KEPT = 64
_NOT_THE_PROJECTS = frozenset({"node_modules", "bower_components", "site-packages"})
_Key = tuple[str, str, str, str]
"""Ecosystem, name, version; the range instead of a version where nothing is fixed."""


def claim(folder: Folder, disk: Disk, readers: Readers) -> Iterator[Claim]:
    """Yield the history of a repository that lies here: with its files, beside them (a worktree), or bare."""
    git = _git_folder(folder, disk)
    if git is None:
        return
    history = disk.history(git)
    try:
        yield Claim(Place(KIND, folder.shown), git, f"{history.mark()}:{len(readers.lockfiles.patterns)}", whole=True)
    finally:
        history.close()


def read(claim: Claim, disk: Disk, readers: Readers) -> Iterator[Entry | Unread]:
    """Yield an entry for each interval in which a file named a release, then what could not be read."""
    history = disk.history(claim.target)
    try:
        past = _Past(history, readers)
        try:
            past.read()
        except InventoryError as error:
            past.problems[f"the rest of the history: {error}"] = Unread(0, f"the rest of the history: {error}")
        yield from past.entries()
        yield from past.problems.values()
    finally:
        history.close()


def _git_folder(folder: Folder, disk: Disk) -> str | None:
    if ".git" in folder.folders:
        return f"{folder.path}/.git"
    if "HEAD" in folder.files and {"objects", "refs"} <= set(folder.folders):
        return folder.path
    if ".git" in folder.files:
        told = disk.read(f"{folder.path}/.git", 4096).decode("utf-8", "surrogateescape").strip()
        target = told.removeprefix("gitdir:").strip()
        path = target if target.startswith("/") else f"{folder.path}/{target}"
        if told.startswith("gitdir:") and disk.stat(f"{path}/HEAD") is not None:
            return path
    return None


class _Blob(NamedTuple):
    """What one version of a file names, each release once, and all of its pins."""

    text: str
    pins: list[Pin]
    keys: dict[_Key, int]


class _Interval:
    """One release in one file, from a commit on."""

    __slots__ = ("began", "by", "ended", "key", "line", "number", "owners", "signs", "until", "via")

    def __init__(self, key: _Key, number: int, line: int, signs: Sign, version: Version) -> None:
        self.key, self.number, self.line, self.signs = key, number, line, signs
        self.via: int | None = None
        self.owners: set[int] = set()
        self.began, self.by = version.at, version.commit
        self.ended: datetime | None = None
        self.until = ""


class _Past:
    """What has been read of a history."""

    def __init__(self, history: History, readers: Readers) -> None:
        self._history = history
        self._readers = readers
        self._blobs: OrderedDict[tuple[str, str], _Blob] = OrderedDict()
        self._intervals: dict[str, list[_Interval]] = {}
        self._open: dict[str, dict[_Key, _Interval]] = {}
        self._proofs: dict[str, Format] = {}
        self._last: dict[str, datetime] = {}
        self._count = self._read = 0
        self.problems: dict[str, Unread] = {}

    def read(self) -> None:
        """Follow every commit, then see what the branches still have."""
        patterns = self._readers.lockfiles.patterns
        for version in self._history.versions(patterns):
            form = self._form(version.path)
            if form is not None:
                self._version(version, form)
        still: dict[str, set[_Key]] = {}
        for path, blob in self._history.tips(patterns):
            form = self._form(path)
            if form is not None:
                still.setdefault(path, set()).update(self._blob(path, blob, form).keys)
        self._settle(still)

    def entries(self) -> Iterator[Entry]:
        """Yield an entry for each interval, file by file."""
        for path, intervals in sorted(self._intervals.items()):
            fixed = Proof.LISTED if self._proofs[path].sbom else Proof.FIXED
            for one in intervals:
                ecosystem, name, version, requirement = one.key
                until = f", left in {one.until[:12]}" if one.until else ""
                told = f"{path} since {one.by[:12]}{until}"
                yield Entry(
                    ecosystem=ecosystem,
                    name=name,
                    version=version,
                    proof=fixed if version else Proof.OPEN,
                    number=one.number,
                    line=one.line,
                    via=one.via,
                    first=one.began,
                    last=one.ended,
                    signs=one.signs,
                    note=told if version else requirement,
                    owners=tuple(sorted(one.owners)),
                )

    def _form(self, path: str) -> Format | None:
        *folders, name = path.split("/")
        form = None if _NOT_THE_PROJECTS.intersection(folders) else self._readers.lockfiles.of(name)
        if form is not None:
            self._proofs[path] = form
        return form

    def _version(self, version: Version, form: Format) -> None:
        before = self._blob(version.path, version.before, form).keys if version.before else {}
        after = self._blob(version.path, version.after, form) if version.after else _Blob("", [], {})
        opened = self._open.setdefault(version.path, {})
        self._last[version.path] = max(version.at, self._last.get(version.path, version.at))
        for key in before:
            if key not in after.keys:
                one = opened.pop(key, None)
                if one is not None:
                    one.ended, one.until = max(version.at, one.began), version.commit
        fresh = [key for key in after.keys if key not in opened]
        for key in fresh:
            pin = after.pins[after.keys[key]]
            signs = Sign.DEVELOPMENT if pin.dev else Sign.NONE
            opened[key] = _Interval(key, self._count, pin.line, signs, version)
            self._count += 1
            self._intervals.setdefault(version.path, []).append(opened[key])
        if fresh:
            self._paths(after, opened, fresh, form)

    def _paths(self, blob: _Blob, opened: dict[_Key, _Interval], fresh: list[_Key], form: Format) -> None:
        """Note by which path each new release came in, who needs it, and what it needs of those that were there."""
        needed = _pins.needs(form.module, blob.text, blob.pins)
        keys = [_key(pin) for pin in blob.pins]
        came = frozenset(fresh)

        def number(pin: int | None) -> int | None:
            if pin is None or pin == PROJECT:
                return pin
            known = opened.get(keys[pin])
            return None if known is None else known.number

        for key in fresh:
            opened[key].via = number(needed.via[blob.keys[key]])
        for key, owners in zip(keys, needed.owners, strict=True):
            for owner in owners if key in opened else ():
                if key in came or (owner != PROJECT and keys[owner] in came):
                    by = number(owner)
                    opened[key].owners.update(() if by is None else (by,))

    def _settle(self, still: dict[str, set[_Key]]) -> None:
        """End what no branch has any more, and take back the end of what one still has."""
        for path, intervals in self._intervals.items():
            has = still.get(path, set())
            latest = {one.key: one for one in intervals}
            for key, one in latest.items():
                if key in has:
                    one.ended, one.until = None, ""
                elif one.ended is None:
                    one.ended = max(self._last[path], one.began)

    def _blob(self, path: str, identifier: str, form: Format) -> _Blob:
        known = self._blobs.get((path, identifier))
        if known is not None:
            self._blobs.move_to_end((path, identifier))
            return known
        self._read += 1
        if self._read > MAX_BLOBS:
            raise InventoryError(f"more than {MAX_BLOBS} versions of lockfiles")
        found = self._blobs[path, identifier] = self._parsed(path, identifier, form)
        if len(self._blobs) > _KEPT:
            self._blobs.popitem(last=False)
        return found

    def _parsed(self, path: str, identifier: str, form: Format) -> _Blob:
        try:
            data = self._history.blob(identifier, _pins.MAX_LOCKFILE)
            text = data.decode("utf-8", "replace" if b"\0" in data else "strict")
        except (InventoryError, UnicodeDecodeError) as error:
            why = "not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
            self._problem(path, identifier, Unread(0, why))
            return _Blob("", [], {})
        pins, problems = _pins.pins_of(form.module, text, _nothing)
        for problem in problems:
            self._problem(path, identifier, problem)
        keys: dict[_Key, int] = {}
        for number, pin in enumerate(pins):
            if pin.source is PinSource.REGISTRY and pin.name and (pin.version or pin.requirement):
                keys.setdefault(_key(pin), number)
        return _Blob(text, pins, keys)

    def _problem(self, path: str, identifier: str, problem: Unread) -> None:
        """Note a problem once for each file: a lockfile that is not understood is not understood in every commit."""
        place = f"{path}:{problem.line}" if problem.line else path
        told = f"{place}: {problem.why} (first in blob {identifier[:12]})"
        self.problems.setdefault(f"{path}: {problem.why}", Unread(0, told))


def _key(pin: Pin) -> _Key:
    return pin.ecosystem, pin.name, pin.version or "", "" if pin.version else pin.requirement or ""


def _nothing(named: str) -> str:
    raise ValueError(f"{named[:80]!r} is included, and not read in a history")
