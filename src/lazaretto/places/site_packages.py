"""What lies installed in ``site-packages``: virtual environments, pipx, uv tools, the system's own Python.

The name of each ``*.dist-info`` folder says what is installed and ``INSTALLER`` who installed it (PEP 376, 627); an
``.egg-info`` folder or file counts too.

Not seen: what was put there without metadata.
"""

import re
from collections.abc import Iterator

from lazaretto.app.inventory.ports import Claim, Disk, Folder, InventoryError, Readers
from lazaretto.core.dependency_paths import PROJECT
from lazaretto.core.inventory import Entry, Place, Proof, Unread

KIND = "site-packages"
OWNS = ("site-packages", "dist-packages")
READS = ("*-info", "*/*-info/METADATA", "*/*-info/PKG-INFO", "*/*-info/INSTALLER", "*/*-info/REQUESTED")

MAX_INSTALLER = 100
"""Longest name of an installer, in bytes."""

_DISTRIBUTION = re.compile(r"([A-Za-z0-9][\w.-]*?)-([0-9][\w.!+]*?)(?:-py[0-9.]+)?\.(?:dist|egg)-info", re.ASCII)


def claim(folder: Folder, disk: Disk, readers: Readers) -> Iterator[Claim]:
    """Yield the trees of a folder; they are always read anew."""
    del disk, readers
    for name in OWNS:
        if name in folder.folders:
            yield Claim(Place(KIND, f"{folder.shown}/{name}", client="pip"), f"{folder.path}/{name}")


def read(claim: Claim, disk: Disk, readers: Readers) -> Iterator[Entry | Unread]:
    """Yield every distribution, in the order of names."""
    del readers
    folders, files = disk.list(claim.target)
    for number, name in enumerate(sorted((*folders, *files))):
        if not name.endswith((".dist-info", ".egg-info")):
            continue
        match = _DISTRIBUTION.fullmatch(name)
        if match is None:
            yield Unread(0, f"{name[:100]}: the name of its metadata tells no version")
            continue
        path = f"{claim.target}/{name}"
        stat = disk.stat(f"{path}/METADATA") or disk.stat(f"{path}/PKG-INFO") or disk.stat(path)
        asked = disk.stat(f"{path}/REQUESTED") is not None  # PEP 376: somebody named it, it was not a dependency
        yield Entry(
            ecosystem="pypi",
            name=match.group(1),
            version=match.group(2).replace("_", "+"),
            proof=Proof.INSTALLED,
            number=number,
            via=PROJECT if asked else None,
            owners=(PROJECT,) if asked else (),
            first=None if stat is None else stat.modified,
            note=f"{name}{_installer(path, disk)}",
        )


def _installer(path: str, disk: Disk) -> str:
    try:
        told = disk.read(f"{path}/INSTALLER", MAX_INSTALLER).decode("utf-8", "replace").strip()
    except InventoryError:
        return ""
    return f", installed by {told}" if told else ""
