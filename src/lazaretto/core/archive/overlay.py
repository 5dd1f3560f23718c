"""The files of a container image: its layers laid over each other in order, with what each of them takes away.

Folders are mappings by name, so that a whiteout of a whole tree costs one step. Links are not followed and not listed,
as on any disk that the inventory looks at; a hard link is the file that it is the same as.
"""

from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct

from lazaretto.core.archive.layer import Layered, Member, Source, members
from lazaretto.core.archive.limits import ArchiveFault

MAX_NODES = 4_000_000
"""Files and folders of one image."""


class File(Struct, frozen=True, gc=False):
    """A file of an image; ``data`` is None if nobody asked for its contents."""

    size: int = 0
    modified: float = 0.0
    data: bytes | None = None


_PLAIN = File()
_TAKE_AWAY = frozenset({Layered.HIDES, Layered.OPAQUE})
_Folder = dict[str, object]


def scan(opened: Callable[[], Source], wanted: Callable[[str, int], bool]) -> tuple[list[Member], str]:
    """Return the members of a layer, and why the rest of it could not be read.

    A hard link may be wanted while the file that it is the same as, seen before it, is not: the layer is then read a
    second time.
    """
    found, why = _scanned(opened, wanted)
    files = {one.path: one for one in found if one.kind is Layered.FILE}
    links = ((one, files.get(one.target)) for one in found if one.kind is Layered.SAME)
    lacking = {file.path for one, file in links if file and file.data is None and wanted(one.path, file.size)}
    if lacking:
        return _scanned(opened, lambda path, size: path in lacking or wanted(path, size))
    return found, why


def _scanned(opened: Callable[[], Source], wanted: Callable[[str, int], bool]) -> tuple[list[Member], str]:
    found: list[Member] = []
    try:
        for one in members(opened(), wanted):
            if len(found) >= MAX_NODES:
                return found, f"more than {MAX_NODES} members: the rest is not read"
            found.append(one)
    except ArchiveFault as fault:
        return found, str(fault)
    return found, ""


class Overlay:
    """The files of an image, layer by layer."""

    def __init__(self) -> None:
        self._root: _Folder = {}

    def lay(self, layer: Sequence[Member]) -> None:
        """Lay one layer over the others.

        Its whiteouts come first: they hide what lies below, never what the same layer brings (OCI image layer
        specification), wherever in it they stand.
        """
        for one in layer:
            if one.kind is Layered.HIDES:
                folder, _, name = one.path.rpartition("/")
                found = self.node(folder)
                if isinstance(found, dict):
                    found.pop(name, None)
            elif one.kind is Layered.OPAQUE:
                found = self.node(one.path)
                if isinstance(found, dict):
                    found.clear()
        for one in layer:
            if one.kind not in _TAKE_AWAY:
                self._add(one)

    def node(self, path: str) -> object:
        """Return what lies at a path: a mapping of names, a File, or None for anything else."""
        found: object = self._root
        for part in path.split("/"):
            if part:
                found = found.get(part) if isinstance(found, dict) else None
        return found

    def _add(self, one: Member) -> None:
        folder, name = self._folder(one.path.split("/"))
        if one.kind is Layered.FOLDER:
            if not isinstance(folder.get(name), dict):
                folder[name] = {}
        elif one.kind is Layered.FILE:
            folder[name] = _PLAIN if one.data is None else File(one.size, one.modified, one.data)
        elif one.kind is Layered.SAME:
            same = self.node(one.target)
            folder[name] = same if isinstance(same, File) else None
        else:
            folder[name] = None

    def _folder(self, parts: Sequence[str]) -> tuple[_Folder, str]:
        """Return the folder in which a member lies, made if it is not there, and its name."""
        folder = self._root
        for part in parts[:-1]:
            below = folder.get(part)
            if not isinstance(below, dict):
                below = folder[part] = {}
            folder = below
        return folder, parts[-1]


def laid(layers: Iterable[Sequence[Member]]) -> Overlay:
    """Return layers laid over each other, the lowest first."""
    overlay = Overlay()
    for layer in layers:
        overlay.lay(layer)
    return overlay
