"""Container images as files: OCI layouts (folders and archives) and what ``docker save`` or ``podman save`` writes.

Layers are read in memory, without a daemon, and laid over each other in order with what each of them takes away. What
then lies in the image (lockfiles, ``node_modules``, ``site-packages``, caches) is told as a place of its own kind, its
path after ``!/``; the image itself is a place without entries. A platform that is there is looked at, whichever it is.

Not seen: what a later layer took away, packages of the distribution, images that only a daemon keeps, and layers packed
with zstd before Python 3.14 where the extra ``images`` is not installed (that is told).
"""

import re
from collections.abc import Iterator

from lazaretto.app.inventory.ports import Claim, Disk, Folder, Inside, InventoryError, Readers
from lazaretto.core.inventory import Entry, Place, Unread

KIND = "image"
OWNS = ()
READS = ()

_ARCHIVE = re.compile(r"(?i).*\.(?:tar|tar\.gz|tgz|oci)")
_FIRST = re.compile(
    rb"(?:\./)?(?:oci-layout|index\.json|manifest\.json|repositories|blobs(?:/.*)?|[0-9a-f]{64}(?:\.json|/.*)?)"
)
_NAME_BYTES = 100


def claim(folder: Folder, disk: Disk, readers: Readers) -> Iterator[Claim]:
    """Yield the layout that a folder is, and every archive in it that begins as an image does."""
    del readers
    if {"oci-layout", "index.json"} <= set(folder.files) and not folder.named:
        stat = disk.stat(f"{folder.path}/index.json")
        if stat is not None:
            yield Claim(Place(KIND, folder.shown), folder.path, stat.stamp, holds=True)
    for name in folder.files:
        target = f"{folder.path}/{name}"
        stat = disk.stat(target) if _ARCHIVE.fullmatch(name) else None
        if stat is not None and _begins(target, disk):
            yield Claim(Place(KIND, f"{folder.shown}/{name}"), target, stat.stamp, holds=True)


def read(claim: Claim, disk: Disk, readers: Readers) -> Iterator[Entry | Unread | Inside]:
    """Yield the disk of each image, and what of it cannot be read."""
    yield from disk.images(claim.target, readers.wanted)


def _begins(target: str, disk: Disk) -> bool:
    """Whether the first member of an archive is one of an image: whoever reads it says what else is wrong."""
    try:
        return _FIRST.fullmatch(disk.head(target, _NAME_BYTES).partition(b"\0")[0]) is not None
    except InventoryError:
        return False
