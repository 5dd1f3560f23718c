"""pnpm's store: every package that a user's pnpm ever unpacked, and when.

Up to version 10 a file of JSON stands for each package (``index/`` or, before that, among the files themselves); since
version 11 a database lists them, without a time. A store outlives the projects that it was filled for.

Not seen: packages from git and from other addresses; what ``pnpm store prune`` removed.
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from lazaretto.app.inventory.ports import Claim, Disk, Folder, InventoryError, Readers
from lazaretto.core.inventory import Entry, Place, Proof, Sign, Unread

KIND = "pnpm-store"
OWNS = ()
READS = ("*/v[0-9]*/files/*/*-index.json", "*/v[0-9]*/index/*/*.json")

MAX_INDEX = 16 << 20
"""Largest file that stands for one package, in bytes."""

_STORE = re.compile(r"v[0-9]{1,3}")
_HEX = re.compile(r"[0-9a-f]{2}")
_NAMED = re.compile(r"((?:@[^/@\s]+/)?[^/@\s]+)@([0-9]+\.[0-9]+\.[0-9]+[^\s()/]*)")


class _Package(msgspec.Struct):
    name: Any = None
    version: Any = None
    build: Any = msgspec.field(default=None, name="requiresBuild")


_PACKAGE = msgspec.json.Decoder(_Package)


def claim(folder: Folder, disk: Disk, readers: Readers) -> Iterator[Claim]:
    """Yield the store that a folder is: ``v10`` with folders of two hexadecimal digits in ``files``."""
    del readers
    if not _STORE.fullmatch(folder.path.rpartition("/")[2]) or "files" not in folder.folders:
        return
    if any(map(_HEX.fullmatch, disk.list(f"{folder.path}/files")[0])):
        owns = (f"{folder.path}/files", f"{folder.path}/index")
        yield Claim(Place(KIND, folder.shown, client="pnpm"), folder.path, owns=owns)


def read(claim: Claim, disk: Disk, readers: Readers) -> Iterator[Entry | Unread]:
    """Yield every package, in the order of the store's files."""
    del readers
    folders, files = disk.list(claim.target)
    number = 0
    for path in (path for name in ("files", "index") if name in folders for path in _indexes(claim.target, name, disk)):
        made = _entry(path, number, disk)
        if made is not None:
            yield made if isinstance(made, Entry) else Unread(0, f"{path.removeprefix(claim.target)}: {made.why}")
            number += 1
    for key in disk.column(f"{claim.target}/index.db", "package_index", "key") if "index.db" in files else ():
        match = _NAMED.fullmatch(key.rpartition("\t")[2])
        if match is not None:
            yield Entry("npm", match.group(1), match.group(2), Proof.CACHED, number)
            number += 1


def _indexes(store: str, below: str, disk: Disk) -> Iterator[str]:
    for folder in disk.list(f"{store}/{below}")[0]:
        for name in disk.list(f"{store}/{below}/{folder}")[1]:
            if name.endswith(".json" if below == "index" else "-index.json"):
                yield f"{store}/{below}/{folder}/{name}"


def _entry(path: str, number: int, disk: Disk) -> Entry | Unread | None:
    """Return the package of an index file; older ones may say its name by their own alone, or not at all."""
    try:
        package = _PACKAGE.decode(disk.read(path, MAX_INDEX))
    except (InventoryError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Unread(0, str(error)[:200])
    name, version = package.name, package.version
    if not isinstance(name, str) or not isinstance(version, str):
        match = _NAMED.search(path.rpartition("/")[2].removesuffix(".json").replace("+", "/"))
        if match is None:
            return None
        name, version = match.groups()
    stat = disk.stat(path)
    at = None if stat is None else stat.modified
    signs = Sign.SCRIPT if package.build is True else Sign.NONE
    return Entry("npm", name, version, Proof.CACHED, number, first=at, last=at, signs=signs)
