"""Bun's cache: a folder for each release, named ``name@1.0.0@@@1``.

Of a version with a prerelease or a build the folder's name has a digest, so that the manifest inside is asked; else the
name is believed before it: a release cannot change that.

Not seen: packages from git and from other addresses.
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from lazaretto.app.inventory.ports import Claim, Disk, Folder, InventoryError, Readers
from lazaretto.core.inventory import Entry, Place, Proof, Unread

KIND = "bun-cache"
OWNS = ()
READS = ("*@@@[0-9]*/package.json",)

MAX_MANIFEST = 4 << 20
"""Largest manifest of a package, in bytes."""

_KEPT = re.compile(r"([^@\s]+)@([0-9]+\.[0-9]+\.[0-9]+)([-+][^@\s]*)?(?:@@[^@\s]+)?@@@[0-9]{1,3}")


class _Manifest(msgspec.Struct):
    version: str


_MANIFEST = msgspec.json.Decoder(_Manifest)


def claim(folder: Folder, disk: Disk, readers: Readers) -> Iterator[Claim]:
    """Yield the cache that a folder is."""
    del readers
    scoped = (name for name in folder.folders if name.startswith("@"))
    if any(map(_KEPT.fullmatch, folder.folders)) or any(
        map(_KEPT.fullmatch, (one for name in scoped for one in disk.list(f"{folder.path}/{name}")[0]))
    ):
        yield Claim(Place(KIND, folder.shown, client="bun"), folder.path, owns=(folder.path,))


def read(claim: Claim, disk: Disk, readers: Readers) -> Iterator[Entry | Unread]:
    """Yield every release, in the order of names."""
    del readers
    number = 0
    for name in _releases(claim.target, disk):
        match = _KEPT.fullmatch(name.rpartition("/")[2])
        if match is None:
            continue
        path = f"{claim.target}/{name}/package.json"
        version: Any = match.group(2)
        if match.group(3):
            try:
                version = _MANIFEST.decode(disk.read(path, MAX_MANIFEST)).version
            except (InventoryError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                yield Unread(0, f"{name[:200]}: {str(error)[:200]}")
                continue
        stat = disk.stat(path)
        at = None if stat is None else stat.modified
        called = f"{name.rpartition('/')[0]}/{match.group(1)}".lstrip("/")
        yield Entry("npm", called, version, Proof.CACHED, number, first=at, last=at)
        number += 1


def _releases(cache: str, disk: Disk) -> Iterator[str]:
    for name in disk.list(cache)[0]:
        if name.startswith("@") and not _KEPT.fullmatch(name):
            yield from (f"{name}/{inner}" for inner in disk.list(f"{cache}/{name}")[0])
        else:
            yield name
