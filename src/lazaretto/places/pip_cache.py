"""pip's cache: the answers that it keeps (``http-v2``, ``http``) and the wheels that it built (``wheels``).

An answer does not say what was asked for, so that the archive itself is looked at: the directory of a wheel, the first
name in a source distribution. Nothing is unpacked but that beginning.

Not seen: what ``pip cache purge`` removed; what was installed with ``--no-cache-dir``, as images usually do.
"""

import re
from collections.abc import Iterator

from lazaretto.app.inventory.ports import Claim, Disk, Folder, InventoryError, Readers
from lazaretto.core.inventory import Entry, Place, Proof, Unread
from lazaretto.places import _urls, _zips

KIND = "pip-cache"
OWNS = ()
READS = ("*/http/?/?/?/*", "*/http-v2/*", "*/wheels/*/*.whl")

MAX_DEPTH = 8
"""Folders of pip's cache below each other."""

_BEGINNING = 512
_DIST_INFO = re.compile(r"([A-Za-z0-9][\w.]*)-([0-9][\w.!+]*)\.dist-info/.*", re.ASCII)
_SDIST = re.compile(r"(?:\./)?([A-Za-z0-9][\w.-]*?)-([0-9][\w.!+]*)(?:/.*)?", re.ASCII)


def claim(folder: Folder, disk: Disk, readers: Readers) -> Iterator[Claim]:
    """Yield the cache that a folder is: by ``http-v2``, or by ``http`` beside another folder of pip's."""
    del disk, readers
    below = set(folder.folders)
    if "http-v2" in below or ("http" in below and below & {"selfcheck", "wheels"}):
        owns = tuple(f"{folder.path}/{name}" for name in ("http", "http-v2", "wheels") if name in below)
        yield Claim(Place(KIND, folder.shown, client="pip"), folder.path, owns=owns)


def read(claim: Claim, disk: Disk, readers: Readers) -> Iterator[Entry | Unread]:
    """Yield every archive, in the order of the cache's files."""
    del readers
    folders, number = disk.list(claim.target)[0], 0
    for below in ("http", "http-v2", "wheels"):
        for path in _files(f"{claim.target}/{below}", disk) if below in folders else ():
            try:
                release = _built(path) if below == "wheels" else _release(path, disk)
            except InventoryError as error:
                yield Unread(0, f"{path.removeprefix(claim.target)}: {error}")
                continue
            if release is not None:
                stat = disk.stat(path)
                at = None if stat is None else stat.modified
                yield Entry("pypi", *release, Proof.CACHED, number, first=at, last=at)
                number += 1


def _files(folder: str, disk: Disk) -> Iterator[str]:
    waiting = [(folder, 0)]
    while waiting:
        path, depth = waiting.pop()
        folders, files = disk.list(path)
        yield from (f"{path}/{name}" for name in files)
        if depth < MAX_DEPTH:
            waiting += [(f"{path}/{name}", depth + 1) for name in reversed(folders)]


def _built(path: str) -> tuple[str, str] | None:
    named = _urls.archive(path)
    return None if named is None else named[1:]


def _release(path: str, disk: Disk) -> tuple[str, str] | None:
    """Return the release of an answer; None of an index page, or whatever else was asked for."""
    head = disk.head(path, _BEGINNING)
    if b"PK\3\4" in head:
        match = next((match for name in _zips.names(path, disk) if (match := _DIST_INFO.fullmatch(name))), None)
        return None if match is None else (match.group(1), match.group(2).replace("_", "+"))
    if head[257:262] == b"ustar":
        match = _SDIST.fullmatch(head[:100].partition(b"\0")[0].decode("utf-8", "replace"))
        return None if match is None else (match.group(1), match.group(2))
    return None
