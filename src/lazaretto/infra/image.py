"""Container images as files: which layers each of them has, by an OCI layout or by a manifest of ``docker save``.

An archive is walked once for its members; a layer is then read where it lies. One that is itself packed is unpacked
again for each layer, so that nothing of it has to be kept. Digests are not compared: what an image holds is asked, not
whether it is the one that a registry has.
"""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Protocol, TypeVar, cast

import msgspec

from lazaretto.app.inventory.ports import Inside, InventoryError, Wanted
from lazaretto.core.archive.layer import Layered, Member, Source, members
from lazaretto.core.archive.limits import ArchiveFault
from lazaretto.core.archive.overlay import laid, scan
from lazaretto.core.inventory import Unread
from lazaretto.infra._sources import At, FileSource, Part, unpacked
from lazaretto.infra.image_disk import ImageDisk

MAX_DOCUMENT = 4 << 20
"""Largest index or manifest of an image, in bytes."""

MAX_IMAGES = 200
"""Images of one archive or layout."""

MAX_LAYERS = 500
"""Layers of one image."""

_Told = TypeVar("_Told")
_DIGEST = re.compile(r"(sha256|sha512):([0-9a-f]{64,128})")
_NAME = re.compile(r"[^A-Za-z0-9._:@-]")
_REFERENCE = "org.opencontainers.image.ref.name"
_CONTAINERD = "io.containerd.image.name"
_ATTACHED = "vnd.docker.reference.type"


class _Platform(msgspec.Struct):
    os: str = ""
    architecture: str = ""


class _Descriptor(msgspec.Struct):
    digest: str
    platform: _Platform | None = None
    annotations: dict[str, str] | None = None


class _Document(msgspec.Struct):
    """An index (``manifests``) or a manifest (``layers``)."""

    manifests: list[_Descriptor] | None = None
    layers: list[_Descriptor] | None = None


class _Saved(msgspec.Struct, rename="pascal"):
    """One image of ``manifest.json``."""

    config: str = ""
    repo_tags: list[str] | None = None
    layers: list[str] = []


class Image(msgspec.Struct, frozen=True):
    """One image: what it is called, and the paths of its layers, the lowest first."""

    name: str
    layers: tuple[str, ...]


class Shelf(Protocol):
    """Where the parts of images lie. Both methods raise InventoryError."""

    def document(self, name: str) -> bytes | None:
        """Return a small part; None if it is not there."""
        ...

    def opened(self, name: str) -> Source:
        """Return a part as a source."""
        ...


def images(shelf: Shelf, wanted: Wanted) -> Iterator[Inside | Unread]:
    """Yield the disk of each image, and what of it cannot be read. Raises InventoryError."""
    found, problems = _listed(shelf)
    yield from problems
    uses = Counter(layer for image in found for layer in image.layers)
    kept: dict[str, tuple[list[Member], str]] = {}
    for image in found:
        layers = []
        for layer in image.layers:
            scanned = kept.pop(layer, None) or _layer(shelf, layer, wanted)
            uses[layer] -= 1
            if uses[layer]:
                kept[layer] = scanned
            layers.append(scanned[0])
            if scanned[1]:
                yield Unread(0, f"{image.name or 'the image'}, layer {layer[-71:]}: {scanned[1]}")
        yield Inside(image.name if len(found) > 1 else "", ImageDisk(laid(layers)))


def _layer(shelf: Shelf, name: str, wanted: Wanted) -> tuple[list[Member], str]:
    try:
        return scan(lambda: unpacked(shelf.opened(name)), wanted)
    except (InventoryError, ArchiveFault) as error:
        return [], str(error)


def _listed(shelf: Shelf) -> tuple[list[Image], list[Unread]]:
    """Return the images that lie on a shelf, by an index where there is one; and what is wrong with what it says."""
    index = shelf.document("index.json")
    saved = None if index is not None else shelf.document("manifest.json")
    if index is None and saved is None:
        raise InventoryError("neither an index nor a manifest of images lies in it")
    problems: list[Unread] = []
    found = _saved(saved, problems) if saved is not None else _indexed(shelf, cast("bytes", index), problems)
    whole = list(dict.fromkeys(found))
    if len(whole) > MAX_IMAGES:
        problems.append(Unread(0, f"more than {MAX_IMAGES} images: the rest is not read"))
    return whole[:MAX_IMAGES], problems


def _saved(data: bytes, problems: list[Unread]) -> list[Image]:
    found = []
    for one in _decoded(data, list[_Saved], "manifest.json"):
        tags = one.repo_tags or [re.sub(r"^.*/|\.json$", "", one.config)[:12]]
        found.append(_image(tags[0], "", one.layers, problems))
    return found


def _indexed(shelf: Shelf, data: bytes, problems: list[Unread]) -> list[Image]:
    """Return the images of an index, those of the indexes in it too; what is attached to one (a signature) is none."""
    waiting = [("", one) for one in _decoded(data, _Document, "index.json").manifests or ()]
    found: list[Image] = []
    seen: set[str] = set()
    for called, one in waiting:
        notes = one.annotations or {}
        name = notes.get(_CONTAINERD) or notes.get(_REFERENCE) or called
        if _ATTACHED in notes or one.digest in seen or len(seen) > 4 * MAX_IMAGES:
            continue
        seen.add(one.digest)
        try:
            blob = shelf.document(_blob(one.digest))
            document = _decoded(blob or b"(nothing)", _Document, "it")
        except InventoryError as error:
            problems.append(Unread(0, f"manifest {one.digest[:80]}: {error}"))
            continue
        if document.manifests is not None:
            waiting += [(name, inner) for inner in document.manifests]
            continue
        told = f"{one.platform.os}-{one.platform.architecture}" if one.platform else ""
        layers = [layer.digest for layer in document.layers or ()]
        found.append(_image(name or one.digest.partition(":")[2][:12], told, map(_blob_or_none, layers), problems))
    return found


def _image(name: str, platform: str, layers: "Sequence[str] | Iterator[str]", problems: list[Unread]) -> Image:
    called = _NAME.sub("_", f"{name}{f'@{platform}' if platform else ''}")[:120]
    paths = tuple(layers)
    if len(paths) > MAX_LAYERS:
        problems.append(Unread(0, f"{called}: more than {MAX_LAYERS} layers: the upper ones are not read"))
    return Image(called, paths[:MAX_LAYERS])


def _blob(digest: str) -> str:
    match = _DIGEST.fullmatch(digest)
    if match is None:
        raise InventoryError("its digest is not understood")
    return f"blobs/{match.group(1)}/{match.group(2)}"


def _blob_or_none(digest: str) -> str:
    """Return the path of a layer; of a digest that is not understood one that nothing has, so that it is told."""
    with suppress(InventoryError):
        return _blob(digest)
    return f"blobs/{digest[:80]!r}"


def _decoded(data: bytes, kind: type[_Told], what: str) -> _Told:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InventoryError(f"{what} is not understood: {str(error)[:200]}") from error


class FolderShelf:
    """An OCI layout as a folder. No link is followed."""

    def __init__(self, path: str, opened: Callable[[str], int]) -> None:
        self._path = path
        self._opened = opened
        self._descriptors: list[int] = []

    def document(self, name: str) -> bytes | None:
        """Return a small part."""
        path = f"{self._path}/{name}"
        return _small(FileSource(self._open(path))) if os.path.lexists(path) else None

    def opened(self, name: str) -> Source:
        """Return a part."""
        return FileSource(self._open(f"{self._path}/{name}"))

    def close(self) -> None:
        """Close what was opened."""
        for one in self._descriptors:
            os.close(one)
        self._descriptors.clear()

    def _open(self, path: str) -> int:
        try:
            self._descriptors.append(self._opened(path))
        except (OSError, ValueError) as error:
            raise InventoryError(f"cannot be read: {getattr(error, 'strerror', None) or error}") from error
        return self._descriptors[-1]


class ArchiveShelf:
    """An archive of an OCI layout or of ``docker save``, packed or not. Raises InventoryError if it is none."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._places: dict[str, tuple[int, int]] = {}
        self._links: dict[str, str] = {}
        try:
            source = unpacked(FileSource(descriptor))
        except ArchiveFault as fault:
            raise InventoryError(str(fault)) from fault

        def noted(path: str, size: int) -> bool:
            self._places[path] = (source.at, size)
            return False

        try:
            for one in members(source, noted):
                if one.kind is Layered.SAME:
                    self._links[one.path] = one.target
        except ArchiveFault as fault:
            if not self._places:
                raise InventoryError(f"it is no archive of an image: {fault}") from fault

    def document(self, name: str) -> bytes | None:
        """Return a small part."""
        return _small(self.opened(name)) if name in self._places else None

    def opened(self, name: str) -> Source:
        """Return a part. Older versions of Docker write a layer once and link to it."""
        place = self._places.get(self._links.get(name, name))
        if place is None:
            raise InventoryError("it is not there, or the archive is truncated before it")
        source: At = unpacked(FileSource(self._descriptor))
        source.skip(place[0])
        return Part(source, place[1])


def _small(source: Source) -> bytes:
    try:
        data = source.read(MAX_DOCUMENT + 1)
    except ArchiveFault as fault:
        raise InventoryError(str(fault)) from fault
    if len(data) > MAX_DOCUMENT:
        raise InventoryError(f"larger than {MAX_DOCUMENT} bytes: not read")
    return data
