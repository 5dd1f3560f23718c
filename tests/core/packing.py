"""Archives for tests, honest ones by the standard library and dishonest ones by hand."""

import gzip
import io
import tarfile
import zipfile
from collections.abc import Iterable, Mapping

from lazaretto.core.archive import ArchiveFault, Limits, unpack
from lazaretto.core.model import ArtifactKind
from lazaretto.core.tree import Tree

TGZ, SDIST, WHEEL = ArtifactKind.TARBALL, ArtifactKind.SDIST, ArtifactKind.WHEEL


def header(
    name: bytes = b"package/a.js",
    *,
    size: int | bytes = 0,
    flag: bytes = b"0",
    magic: bytes = b"ustar\x0000",
    link: bytes = b"",
    prefix: bytes = b"",
    mode: bytes = b"0000644\0",
    checksum: bytes | None = None,
) -> bytes:
    """Return one tar header block, with a right checksum unless one is given."""
    digits = size if isinstance(size, bytes) else b"%011o\0" % size
    block = bytearray(512)
    fields = (
        (0, name),
        (100, mode),
        (124, digits),
        (148, b" " * 8),
        (156, flag),
        (157, link),
        (257, magic),
        (345, prefix),
    )
    for at, value in fields:
        block[at : at + len(value)] = value
    block[148:156] = b"%06o\0 " % sum(block) if checksum is None else checksum
    return bytes(block)


def member(name: bytes, data: bytes = b"", **fields: object) -> bytes:
    """Return a tar member: header, contents, padding."""
    return header(name, size=len(data), **fields) + data + bytes(-len(data) % 512)  # type: ignore[arg-type]


def tgz(*members: bytes, end: bytes = bytes(1024)) -> bytes:
    """Return a compressed tar of hand-made members."""
    return gzip.compress(b"".join(members) + end, 1, mtime=0)


def pax(**records: str) -> bytes:
    """Return a pax header for the next member."""
    data = b"".join(pax_record(key.encode(), value.encode()) for key, value in records.items())
    return member(b"PaxHeader", data, flag=b"x")


def pax_record(key: bytes, value: bytes) -> bytes:
    """Return one record, its length counting itself."""
    body = b" " + key + b"=" + value + b"\n"
    length = len(body)
    while len(str(length)) + len(body) != length:
        length = len(str(length)) + len(body)
    return str(length).encode() + body


def honest_tgz(files: Mapping[str, bytes], *, form: int = tarfile.PAX_FORMAT) -> bytes:
    """Return a compressed tar as ``tarfile`` writes it, the same at any time."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=form) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return gzip.compress(packed.getvalue(), 1, mtime=0)


def honest_zip(files: Mapping[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip as ``zipfile`` writes it to a file, the same at any time."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return packed.getvalue()


def contents(tree: Tree) -> dict[str, bytes]:
    """Return path -> bytes of a tree."""
    return {path: blob.data for path, blob in tree.files.items()}


def odd(tree: Tree) -> list[tuple[str, str]]:
    """Return (kind, path) of every oddity."""
    return [(oddity.kind, oddity.path) for oddity in tree.oddities]


def outcome(kind: ArtifactKind, data: bytes, limits: Limits | None = None) -> Tree | str:
    """Return the tree or the fault's message; anything else that is raised fails the test."""
    try:
        return unpack(kind, data, limits or Limits())
    except ArchiveFault as fault:
        return str(fault)


def refused(kind: ArtifactKind, data: bytes, limits: Limits | None = None) -> str:
    """Return why an archive is refused; it must be."""
    result = outcome(kind, data, limits)
    assert isinstance(result, str), f"unpacked: {list(result.files)}"
    return result


def read_by_tarfile(data: bytes, names: Iterable[str] = ()) -> dict[str, bytes]:
    """Return what the standard library finds: name -> bytes of regular files."""
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
        found = {}
        for info in archive:
            file = archive.extractfile(info) if info.isreg() else None
            if file is not None:
                found[info.name] = file.read()
        return found
