"""A packument as a client may see it: bytes in, bytes out, with fewer versions and other addresses.

What is left out disappears from ``versions``, ``time`` and ``dist-tags`` together. A version is seen only if the view
names its artifact: one without an artifact never is, since no decision could be about it. Every other field passes as
it was published, unread, so that the cost is that of copying.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

import msgspec
from msgspec import Struct

from lazaretto.core.names import ProjectName
from lazaretto.core.view import PageView
from lazaretto.ecosystems.npm.index import Dist, filename_of

T = TypeVar("T")

MIN_SHEET = 32 << 10
"""Bytes of versions after which a page is cut: more than what a compressor looks back on."""

_Fields = dict[str, msgspec.Raw]

_INSTALLED = tuple(
    "name version deprecated dependencies optionalDependencies devDependencies bundleDependencies bundledDependencies "
    "peerDependencies peerDependenciesMeta acceptDependencies bin directories dist engines cpu os libc funding "
    "_hasShrinkwrap hasInstallScript".split()
)
"""What the abbreviated form keeps of a version: all that an installation needs."""

_OF_LATEST = frozenset(
    "author bugs contributors description homepage keywords license readme readmeFilename repository".split()
)
"""What a registry copies from the release that ``latest`` names to the top of the page."""

_INTERNAL = frozenset(("_attachments", "_distfiles", "_uplinks", "__proto__"))
"""What a registry notes for itself (it names files), and the key that is none to a JavaScript program."""

_DIST = msgspec.json.Decoder(Dist)
_RAW = msgspec.json.Decoder(_Fields)
_NAME = msgspec.json.Decoder(str | None)
_TAGS = msgspec.json.Decoder(dict[str, str])
_TEXT = msgspec.json.Decoder(str)
_ENCODER = msgspec.json.Encoder()


def document(project: ProjectName, data: bytes, wanted: str, view: PageView) -> bytes | None:
    """Return the manifest of one version, named by itself or by a tag; None if it cannot be seen.

    Raises:
        ValueError: see ``Plate``.
    """
    found = Plate(project, data, view.address, "full").seen(view)
    piece = found.pieces.get(found.tags.get(wanted, wanted))
    return None if piece is None else piece.printed[piece.start :]


class _Piece(Struct, frozen=True):
    """A version as it is printed, from ``start`` on without its name; and the file name of its artifact."""

    filename: str
    printed: bytes
    start: int


class _Seen(Struct, frozen=True):
    """What a view leaves of the versions and tags, and the versions that it does not."""

    pieces: Mapping[str, _Piece]
    tags: Mapping[str, str]
    gone: frozenset[str]


class Plate:
    """A packument made ready to be printed in one form, as often as what may be seen of it changes.

    What a version says is printed once, here. A page is cut into sheets at the same versions each time: hiding one of
    them leaves all sheets as they were but its own, and those with the tags and the times.
    """

    def __init__(self, project: ProjectName, data: bytes, address: Callable[[str], str], form: str) -> None:
        """Raises ValueError: no packument, or that of another package; the message says where."""
        self._project = project
        self._full = form != "abbreviated"
        try:
            data.decode("utf-8")  # what is not decoded below is not looked at by anyone else either
        except UnicodeDecodeError as error:
            raise ValueError(f"the index page of {project} is no packument: not UTF-8 at byte {error.start}") from None
        self._top = self._fields(data, "")
        named = self._named()
        published = self._fields(self._top.get("versions"), "versions")
        if not named and "versions" not in self._top:
            raise ValueError(f"the index page of {project} is no packument: it has neither name nor versions")
        self._published = frozenset(published)
        self._pieces: dict[str, _Piece] = {}
        self._blocks: list[list[str]] = []
        size = MIN_SHEET
        for text, raw in published.items():
            piece = self._piece(text, raw, address)
            if piece is not None:
                if size >= MIN_SHEET:
                    self._blocks.append([])
                    size = 0
                self._blocks[-1].append(text)
                self._pieces[text] = piece
                size += len(piece.printed)
        self._tags = self._decoded(_TAGS, self._top.get("dist-tags", msgspec.Raw(b"{}")), "dist-tags")
        self._times = self._fields(self._top.get("time"), "time")

    def print(self, view: PageView) -> list[bytes]:
        """Return what the view leaves of the page, in sheets; its addresses are those that the plate was made with."""
        seen = self.seen(view)
        fields = self._all(seen) if self._full else self._for_installing(seen)
        if "versions" not in fields:
            return [_ENCODER.encode(fields)]
        names = list(fields)
        at = names.index("versions")
        before, after = ({name: fields[name] for name in part} for part in (names[:at], names[at + 1 :]))
        head = _ENCODER.encode(before)[:-1] + (b"," if before else b"") + b'"versions":{'
        tail = b"}" + (b"," if after else b"") + _ENCODER.encode(after)[1:]
        return [head, *self._sheets(seen), tail]

    def seen(self, view: PageView) -> _Seen:
        """Return what a view leaves."""
        shown = view.shown
        pieces = {text: piece for text, piece in self._pieces.items() if shown.get(piece.filename) == text}
        tags: Mapping[str, str] = self._tags if view.tags is None else view.tags
        left = {tag: text for tag, text in tags.items() if text in pieces and tag != "__proto__"}
        return _Seen(pieces, left, self._published - pieces.keys())

    def _sheets(self, seen: _Seen) -> Iterator[bytes]:
        begun = b""
        for block in self._blocks:
            sheet = b",".join([seen.pieces[text].printed for text in block if text in seen.pieces])
            if sheet:
                yield begun + sheet
                begun = b","

    def _all(self, seen: _Seen) -> dict[str, object]:
        """Return every field of the page; what ``versions`` holds is printed apart."""
        out: dict[str, object] = {name: raw for name, raw in self._top.items() if name not in _INTERNAL}
        if self._tags.get("latest") != seen.tags.get("latest"):
            out = {name: raw for name, raw in out.items() if name not in _OF_LATEST}
            latest = seen.pieces.get(seen.tags.get("latest", ""))
            fields = _RAW.decode(latest.printed[latest.start :]) if latest is not None else {}
            out.update((name, raw) for name, raw in fields.items() if name in _OF_LATEST)
        if "dist-tags" in out:
            out["dist-tags"] = seen.tags
        if "time" in out:
            out["time"] = self._dated(seen)
        return out

    def _for_installing(self, seen: _Seen) -> dict[str, object]:
        """Return what an installation needs, as a registry abbreviates it."""
        modified = self._dated(seen).get("modified", None if seen.gone else self._top.get("modified"))
        return {
            **({"name": self._top["name"]} if "name" in self._top else {}),
            **({"modified": modified} if modified is not None else {}),
            "dist-tags": seen.tags,
            "versions": None,
        }

    def _piece(self, text: str, raw: msgspec.Raw, address: Callable[[str], str]) -> _Piece | None:
        """Return a version as it is printed; None if it has no artifact that could be asked for."""
        fields = self._fields(raw, f"version {text[:80]!r}")
        filename = _filename(fields.get("dist"))
        if not filename:
            return None
        dist = {**self._fields(fields["dist"], "dist"), "tarball": address(filename)}
        whole: dict[str, object] = {**fields, "dist": dist}
        name = _ENCODER.encode(text) + b":"
        return _Piece(filename, name + _ENCODER.encode(whole if self._full else _installed(whole)), len(name))

    def _named(self) -> bool:
        if "name" not in self._top:
            return False
        name = self._decoded(_NAME, self._top["name"], "name")
        if name is not None and name != self._project:
            raise ValueError(f"the index page of {self._project} is that of another package: {name[:80]!r}")
        return name is not None

    def _dated(self, seen: _Seen) -> _Fields:
        """Return when what is left was published; if something is missing, the whole page is as old as what is left."""
        if not seen.gone:
            return self._times
        kept = {text: raw for text, raw in self._times.items() if text not in seen.gone}
        known = sorted(_texts(raw for text, raw in kept.items() if text in seen.pieces))
        for name, at in (("created", 0), ("modified", -1)):
            kept.pop(name, None)
            if known:
                kept[name] = msgspec.Raw(_ENCODER.encode(known[at]))
        return kept

    def _fields(self, raw: msgspec.Raw | bytes | None, place: str) -> _Fields:
        if raw is None or bytes(raw) == b"null":
            return {}
        fields = self._decoded(_RAW, raw, place)
        fields.pop("__proto__", None)
        return fields

    def _decoded(self, decoder: msgspec.json.Decoder[T], raw: msgspec.Raw | bytes, place: str) -> T:
        try:
            return decoder.decode(raw)
        except (msgspec.DecodeError, RecursionError) as error:
            where = f"broken at {place}" if place else "no packument"
            raise ValueError(f"the index page of {self._project} is {where}: {error}") from None


def _filename(dist: msgspec.Raw | None) -> str:
    """Return the file name of a version's artifact; empty if nothing can be asked for by it."""
    if dist is None:
        return ""
    try:
        return filename_of(_DIST.decode(dist).tarball or "")
    except msgspec.DecodeError:
        return ""


def _installed(fields: Mapping[str, object]) -> dict[str, object]:
    """Return a version as the abbreviated form has it, which says of scripts only whether there are any."""
    kept = {name: fields[name] for name in _INSTALLED if name in fields}
    if "scripts" in fields and "hasInstallScript" not in kept and _runs(fields["scripts"]):
        kept["hasInstallScript"] = True
    return kept


def _runs(scripts: object) -> bool:
    """Whether one of the scripts runs at installation; what is no table of scripts has none."""
    if not isinstance(scripts, msgspec.Raw):
        return False
    try:
        return not _RAW.decode(scripts).keys().isdisjoint(("preinstall", "install", "postinstall"))
    except msgspec.DecodeError:
        return False


def _texts(values: Iterable[msgspec.Raw]) -> Iterable[str]:
    for raw in values:
        try:
            yield _TEXT.decode(raw)
        except msgspec.DecodeError:
            continue
