"""Archives, read in memory: bytes in, a ``Tree`` out. No path of an archive becomes a path on disk.

``unpack`` does everything at once. ``entries`` and ``LayoutBuilder`` are its two halves, for a caller
that passes the files on one by one and never holds them all.
"""

from collections.abc import Iterator
from hashlib import sha256

from lazaretto.core.archive.entry import Entry, EntryKind
from lazaretto.core.archive.inflate import GzipStream, PlainStream, is_gzip
from lazaretto.core.archive.layout import Layout, LayoutBuilder
from lazaretto.core.archive.limits import ArchiveFault, BoundFault, Limits
from lazaretto.core.archive.tar import Stream, read_tar
from lazaretto.core.archive.zip import read_zip
from lazaretto.core.model import ArtifactKind
from lazaretto.core.names import Digest
from lazaretto.core.tree import Blob, Tree

__all__ = [
    "ArchiveFault",
    "BoundFault",
    "Entry",
    "EntryKind",
    "Layout",
    "LayoutBuilder",
    "Limits",
    "digest_of",
    "entries",
    "unpack",
]

_ZIP_MAGIC = b"PK"
_TAR_MAGIC = b"ustar"


def digest_of(data: bytes) -> Digest:
    """Return the digest that names these bytes."""
    return Digest("sha256:" + sha256(data).hexdigest())


def entries(kind: ArtifactKind, data: bytes, limits: Limits) -> Iterator[Entry]:
    """Yield the members of an artifact in archive order.

    Raises:
        ArchiveFault: not an archive of this kind, broken, over a limit, or ambiguous.
    """
    limits.check_packed(len(data))
    zipped = kind is ArtifactKind.WHEEL or (kind is ArtifactKind.SDIST and data[:2] == _ZIP_MAGIC)
    if zipped:
        return read_zip(data, limits)
    stream: Stream
    if is_gzip(data):
        stream = GzipStream(data, limits)
    elif kind is ArtifactKind.TARBALL and data[257:262] == _TAR_MAGIC:
        stream = PlainStream(data)  # npm unpacks a tar that is not compressed, too
    else:
        raise ArchiveFault(f"not a {'zip or ' if kind is ArtifactKind.SDIST else ''}gzip archive")
    return read_tar(stream, limits)


def unpack(kind: ArtifactKind, data: bytes, limits: Limits) -> Tree:
    """Return the files of an artifact, as the ecosystem's own client would unpack them.

    Raises:
        ArchiveFault: not an archive of this kind, broken, over a limit, or ambiguous.
    """
    builder = LayoutBuilder(kind, limits)
    blobs = [
        Blob(digest_of(entry.data), entry.data)
        for entry in entries(kind, data, limits)
        if builder.add(entry) is not None
    ]
    layout = builder.finish()
    return Tree(
        files={path: blobs[index] for path, index in layout.files},
        oddities=layout.oddities,
        executable=frozenset(layout.executable),
    )
