"""Yarn's caches: the folders of version 1 and the archives of later ones, those in a project (``.yarn/cache``) too.

Version 1 keeps a package's manifest in ``.yarn-metadata.json``; later ones name an archive by the package, and a scoped
package's name is in the archive's own directory, since ``@a/b-c`` and ``@a-b/c`` have one file name.

Not seen: packages from git and from other addresses, and those that a project patches.
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from lazaretto.app.inventory.ports import Claim, Disk, Folder, InventoryError, Readers
from lazaretto.core.inventory import Entry, Place, Proof, Unread
from lazaretto.places import _zips

KIND = "yarn-cache"
OWNS = ()
READS = ("*/.yarn-metadata.json", "*-npm-*.zip")

MAX_MANIFEST = 4 << 20
"""Largest manifest that version 1 keeps of a package, in bytes."""

_VERSION_1 = re.compile(r"v[0-9]{1,2}")
_FOLDER = re.compile(r"npm-.+-[0-9]+\.[0-9]+\.[0-9]+.*")
_ARCHIVE = re.compile(r"(@?[^@\s]+)-npm-([0-9]+\.[0-9]+\.[0-9]+[^\s]*?)-[0-9a-f]{10}(?:-[0-9a-z]{1,130})?\.zip")
_SCOPED = re.compile(r"node_modules/@[^/]+/[^/]+/")


class _Manifest(msgspec.Struct):
    name: Any = None
    version: Any = None


class _Metadata(msgspec.Struct):
    manifest: _Manifest


_METADATA = msgspec.json.Decoder(_Metadata)


def claim(folder: Folder, disk: Disk, readers: Readers) -> Iterator[Claim]:
    """Yield a cache: a folder of version 1 with packages in it, or one with archives of later versions."""
    del readers
    for name in folder.folders:
        target = f"{folder.path}/{name}"
        if _VERSION_1.fullmatch(name) and any(map(_FOLDER.fullmatch, disk.list(target)[0])):
            yield Claim(Place(KIND, f"{folder.shown}/{name}", client="yarn"), target, owns=(target,))
    if any(map(_ARCHIVE.fullmatch, folder.files)):
        yield Claim(Place(KIND, folder.shown, client="yarn"), folder.path)


def read(claim: Claim, disk: Disk, readers: Readers) -> Iterator[Entry | Unread]:
    """Yield every package, in the order of names."""
    del readers
    folders, files = disk.list(claim.target)
    number = 0
    for made in (
        *(_kept(claim.target, name, disk) for name in folders),
        *(_archived(claim.target, name, disk) for name in files),
    ):
        if isinstance(made, Unread):
            yield made
        elif made is not None:
            name, version, path = made
            stat = disk.stat(path)
            at = None if stat is None else stat.modified
            yield Entry("npm", name, version, Proof.CACHED, number, first=at, last=at)
            number += 1


def _kept(cache: str, name: str, disk: Disk) -> tuple[str, str, str] | Unread | None:
    """Return name, version and file of a package that version 1 keeps."""
    if not _FOLDER.fullmatch(name):
        return None
    try:
        path = _metadata(f"{cache}/{name}/node_modules", disk)
        manifest = _METADATA.decode(disk.read(path, MAX_MANIFEST)).manifest
    except (InventoryError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Unread(0, f"{name[:200]}: {str(error)[:200]}")
    if not isinstance(manifest.name, str) or not isinstance(manifest.version, str):
        return Unread(0, f"{name[:200]}: its manifest names no release")
    return manifest.name, manifest.version, path


def _metadata(folder: str, disk: Disk) -> str:
    """Return the path of the one package in a folder, which may be scoped."""
    inner = disk.list(folder)[0][:1]
    if inner and inner[0].startswith("@"):
        folder = f"{folder}/{inner[0]}"
        inner = disk.list(folder)[0][:1]
    return f"{folder}/{inner[0] if inner else '.'}/.yarn-metadata.json"


def _archived(cache: str, name: str, disk: Disk) -> tuple[str, str, str] | Unread | None:
    """Return name, version and file of a package of which a later version keeps the archive."""
    match = _ARCHIVE.fullmatch(name)
    if match is None:
        return None
    package, path = match.group(1), f"{cache}/{name}"
    if package.startswith("@"):
        try:
            first = next(filter(_SCOPED.match, _zips.names(path, disk)), "")
        except InventoryError as error:
            return Unread(0, f"{name[:200]}: {error}")
        scoped = "/".join(first.split("/")[1:3])
        if scoped.replace("/", "-") != package:
            return Unread(0, f"{name[:200]}: its directory names no such package")
        package = scoped
    return package, match.group(2), path
