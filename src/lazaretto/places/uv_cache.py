"""uv's cache: every wheel that was downloaded, and every source distribution that was built.

The names of its folders and files say which. A file of metadata alone (``.msgpack``) is none: uv asks for it to
resolve, and may never download the wheel.

Not seen: packages from git and from other addresses; what ``uv cache prune`` removed.
"""

import re
from collections.abc import Iterator

from lazaretto.app.inventory.ports import Claim, Disk, Folder, Readers
from lazaretto.core.inventory import Entry, Place, Proof, Unread

KIND = "uv-cache"
OWNS = ()
READS = ("*/wheels-v[0-9]*/*.http", "*/wheels-v[0-9]*/*.rev", "*/revision.http", "*/revision.rev")

_BUCKETS = re.compile(r"(?:archive|wheels|built-wheels|sdists|simple)-v[0-9]{1,3}")
_WHEELS = re.compile(r"wheels-v[0-9]{1,3}")
_SDISTS = re.compile(r"(?:sdists|built-wheels)-v[0-9]{1,3}")
_VERSION = re.compile(r"[0-9][\w.!+]*", re.ASCII)
_POINTERS = (".http", ".rev")


def claim(folder: Folder, disk: Disk, readers: Readers) -> Iterator[Claim]:
    """Yield the cache that a folder is."""
    del disk, readers
    buckets = [name for name in folder.folders if _BUCKETS.fullmatch(name)]
    if "CACHEDIR.TAG" in folder.files and buckets:
        owns = tuple(f"{folder.path}/{name}" for name in folder.folders)
        yield Claim(Place(KIND, folder.shown, client="uv"), folder.path, owns=owns)


def read(claim: Claim, disk: Disk, readers: Readers) -> Iterator[Entry | Unread]:
    """Yield every release, in the order of names, one for each of its files."""
    del readers
    number = 0
    for bucket in disk.list(claim.target)[0]:
        wheels = _WHEELS.fullmatch(bucket) is not None
        if not wheels and not _SDISTS.fullmatch(bucket):
            continue
        for project in _projects(f"{claim.target}/{bucket}", disk):
            found = _wheels(project, disk) if wheels else _built(project, disk)
            for version, path in found:
                stat = disk.stat(path)
                at = None if stat is None else stat.modified
                name = project.rpartition("/")[2]
                yield Entry("pypi", name, version.replace("_", "+"), Proof.CACHED, number, first=at, last=at)
                number += 1


def _projects(bucket: str, disk: Disk) -> Iterator[str]:
    """Yield the folders of projects: those of the usual index, then those of others, by a digest of each."""
    indexes = disk.list(bucket)[0]
    if "pypi" in indexes:
        yield from (f"{bucket}/pypi/{name}" for name in disk.list(f"{bucket}/pypi")[0])
    for digest in disk.list(f"{bucket}/index")[0] if "index" in indexes else ():
        yield from (f"{bucket}/index/{digest}/{name}" for name in disk.list(f"{bucket}/index/{digest}")[0])


def _wheels(project: str, disk: Disk) -> Iterator[tuple[str, str]]:
    """Yield version and file of each wheel: ``1.0-py3-none-any.http``; older versions wrote the name before it."""
    for name in disk.list(project)[1]:
        if name.endswith(_POINTERS):
            parts = name.split("-")
            version = next((part for part in parts[:2] if _VERSION.fullmatch(part)), None)
            if version is not None and len(parts) > 3:
                yield version, f"{project}/{name}"


def _built(project: str, disk: Disk) -> Iterator[tuple[str, str]]:
    """Yield version and file of each source distribution that was fetched."""
    for version in disk.list(project)[0]:
        files = disk.list(f"{project}/{version}")[1]
        pointer = next((f"revision{end}" for end in _POINTERS if f"revision{end}" in files), None)
        if _VERSION.fullmatch(version) and pointer is not None:
            yield version, f"{project}/{version}/{pointer}"
