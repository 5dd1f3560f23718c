"""From member names to paths inside the package root, as the ecosystem's own client would unpack them.

npm (pacote, node-tar): the first path component goes, whatever it is; links and devices are not
made; a ``..`` is skipped; roots such as ``/`` and ``C:`` are cut off. pip: an sdist loses its
leading folder if all members share one; a wheel is taken as it is.
"""

from msgspec import Struct

from lazaretto.core.archive.entry import Entry, EntryKind
from lazaretto.core.archive.limits import ArchiveFault, Limits
from lazaretto.core.model import ArtifactKind
from lazaretto.core.tree import Oddity


class Layout(Struct, frozen=True, array_like=True):
    """What became of the members: (path, index of the FILE member) in path order, and what is odd."""

    files: tuple[tuple[str, int], ...]
    oddities: tuple[Oddity, ...]
    executable: tuple[str, ...]


class _Seen(Struct, frozen=True):
    kind: EntryKind
    name: str
    executable: bool
    odd: tuple[tuple[str, str], ...]
    index: int


class LayoutBuilder:
    """Takes the members one by one, without their bytes, and lays them out at the end."""

    def __init__(self, kind: ArtifactKind, limits: Limits) -> None:
        self._kind = kind
        self._limits = limits
        self._seen: list[_Seen] = []
        self._files = 0

    def add(self, entry: Entry) -> int | None:
        """Note a member; a FILE gets its index among the files.

        Raises:
            ArchiveFault: the name is too long or too deep.
        """
        name = entry.name
        if len(name) > self._limits.path:
            raise ArchiveFault(f"a path has {len(name)} characters; the limit is {self._limits.path}")
        if name.count("/") > self._limits.depth:
            raise ArchiveFault(f"{name[:200]!r} is more than {self._limits.depth} folders deep")
        index = self._files if entry.kind is EntryKind.FILE else -1
        self._seen.append(_Seen(entry.kind, name, entry.executable, entry.odd, index))
        if index < 0:
            return None
        self._files += 1
        return index

    def finish(self) -> Layout:
        """Return the layout of everything that was added."""
        strip = self._kind is ArtifactKind.TARBALL or (self._kind is ArtifactKind.SDIST and self._one_root())
        files: dict[str, int] = {}
        executable: dict[str, bool] = {}
        oddities: list[Oddity] = []
        for seen in self._seen:
            path, problems = _place(seen.name, strip=strip, npm=self._kind is ArtifactKind.TARBALL)
            if seen.kind is EntryKind.FOLDER:
                continue
            oddities += [Oddity(kind, path or seen.name, detail) for kind, detail in seen.odd + problems]
            if seen.kind is not EntryKind.FILE or path is None:
                continue
            if path in files:
                oddities.append(Oddity("duplicate", path, "stands more than once in the archive; the last one counts"))
            files[path] = seen.index
            executable[path] = seen.executable
        oddities += _collisions(files)
        return Layout(
            files=tuple(sorted(files.items())),
            oddities=tuple(oddities),
            executable=tuple(sorted(path for path, set_ in executable.items() if set_)),
        )

    def _one_root(self) -> bool:
        """Whether all members share one leading folder (pip's rule; folders and links count)."""
        roots = set()
        for seen in self._seen:
            if seen.kind is not EntryKind.NOTE:
                root, mark, _ = seen.name.lstrip("/").partition("/")
                if not mark and seen.kind is not EntryKind.FOLDER:
                    return False
                roots.add(root)
        return len(roots) == 1


def _place(name: str, *, strip: bool, npm: bool) -> tuple[str | None, tuple[tuple[str, str], ...]]:
    """Return the path inside the root (None: a client skips it) and what is odd about the name."""
    odd: list[tuple[str, str]] = []
    if not name.isprintable() or "\\" in name or "\ufffd" in name:
        odd.append(("odd-name", f"backslash, control or invisible character, or not UTF-8: {name!r}"))
    path = name if npm else name.lstrip("/")
    if strip:
        path = path.partition("/")[2]
        if not path and name:
            return None, (*odd, ("odd-name", f"outside the package folder: {name!r}"))
    rooted = _without_root(path) if npm else path
    if name[:1] == "/" or rooted != path or _has_drive(path):
        odd.append(("absolute-path", f"an absolute path: {name!r}"))
    parts = [part for part in rooted.split("/") if part not in ("", ".")]
    if ".." in parts:
        return None, (*odd, ("parent-path", f"leaves its folder: {name!r}"))
    if not parts:
        return None, (*odd, ("odd-name", f"names no file: {name!r}")) if name else tuple(odd)
    return "/".join(parts), tuple(odd)


def _has_drive(path: str) -> bool:
    return path[1:2] == ":" and path[0].isascii() and path[0].isalpha()


def _without_root(path: str) -> str:
    """Cut off every root and drive at the front, as node-tar does on all systems."""
    while True:
        if path[:1] in ("/", "\\") and path:
            path = path[1:]
        elif _has_drive(path):
            path = path[2:]
        else:
            return path


def _collisions(files: dict[str, int]) -> list[Oddity]:
    """Tell of paths that some file systems cannot keep apart, and of files that are folders too."""
    oddities = []
    folded: dict[str, str] = {}
    folders: dict[str, None] = {}
    for path in files:
        first = folded.setdefault(path.casefold(), path)
        if first != path:
            oddities.append(Oddity("case-collision", path, f"differs only in case from {first!r}"))
        folder = path.rpartition("/")[0]
        while folder and folder not in folders:
            folders[folder] = None
            folder = folder.rpartition("/")[0]
    clash = "both a file and a folder; clients keep one of them"
    return oddities + [Oddity("duplicate", path, clash) for path in folders if path in files]
