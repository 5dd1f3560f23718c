"""A packument as a client may see it: bytes in, bytes out, with fewer versions and other addresses.

What is left out disappears from ``versions``, ``time`` and ``dist-tags`` together. A version is seen only if the view
names its artifact: one without an artifact never is, since no decision could be about it. Every other field passes as
it was published, unread, so that the cost is that of copying.
"""

from collections.abc import Iterable, Mapping
from typing import TypeVar

import msgspec

from lazaretto.core.names import ProjectName
from lazaretto.core.view import PageView
from lazaretto.ecosystems.npm.index import Dist, filename_of

T = TypeVar("T")

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


def render(project: ProjectName, data: bytes, view: PageView, form: str) -> bytes:
    """Return the page in a form, with what the view leaves of it.

    Raises:
        ValueError: no packument, or that of another package; the message says where.
    """
    page = _Page(project, data, view)
    return page.abbreviated() if form == "abbreviated" else page.full()


def document(project: ProjectName, data: bytes, wanted: str, view: PageView) -> bytes | None:
    """Return the manifest of one version, named by itself or by a tag; None if it cannot be seen.

    Raises:
        ValueError: see ``render``.
    """
    page = _Page(project, data, view)
    found = page.versions.get(page.tags.get(wanted, wanted))
    return None if found is None else _ENCODER.encode(found)


class _Page:
    """A packument after the view was applied."""

    def __init__(self, project: ProjectName, data: bytes, view: PageView) -> None:
        self._project = project
        try:
            data.decode("utf-8")  # what is not decoded below is not looked at by anyone else either
        except UnicodeDecodeError as error:
            raise ValueError(f"the index page of {project} is no packument: not UTF-8 at byte {error.start}") from None
        self._top = self._fields(data, "")
        named = self._named()
        published = self._fields(self._top.get("versions"), "versions")
        if not named and "versions" not in self._top:
            raise ValueError(f"the index page of {project} is no packument: it has neither name nor versions")
        self.versions = self._visible(published, view)
        self._gone = published.keys() - self.versions.keys()
        upstream = self._decoded(_TAGS, self._top.get("dist-tags", msgspec.Raw(b"{}")), "dist-tags")
        tags: Mapping[str, str] = upstream if view.tags is None else view.tags
        self.tags = {tag: text for tag, text in tags.items() if text in self.versions and tag != "__proto__"}
        self._moved = upstream.get("latest") != self.tags.get("latest")

    def full(self) -> bytes:
        """Print every field of the page."""
        out: dict[str, object] = {name: raw for name, raw in self._top.items() if name not in _INTERNAL}
        if self._moved:
            out = {name: raw for name, raw in out.items() if name not in _OF_LATEST}
            latest = self.versions.get(self.tags.get("latest", ""), {})
            out.update((name, raw) for name, raw in latest.items() if name in _OF_LATEST)
        if "dist-tags" in out:
            out["dist-tags"] = self.tags
        if "versions" in self._top:
            out["versions"] = self.versions
        if "time" in out:
            out["time"] = self._times()
        return _ENCODER.encode(out)

    def abbreviated(self) -> bytes:
        """Print what an installation needs, as a registry abbreviates it."""
        modified = self._times().get("modified", None if self._gone else self._top.get("modified"))
        return _ENCODER.encode(
            {
                **({"name": self._top["name"]} if "name" in self._top else {}),
                **({"modified": modified} if modified is not None else {}),
                "dist-tags": self.tags,
                "versions": {text: _installed(fields) for text, fields in self.versions.items()},
            }
        )

    def _named(self) -> bool:
        if "name" not in self._top:
            return False
        name = self._decoded(_NAME, self._top["name"], "name")
        if name is not None and name != self._project:
            raise ValueError(f"the index page of {self._project} is that of another package: {name[:80]!r}")
        return name is not None

    def _visible(self, published: _Fields, view: PageView) -> dict[str, dict[str, object]]:
        visible: dict[str, dict[str, object]] = {}
        for text, raw in published.items():
            fields = self._fields(raw, f"version {text[:80]!r}")
            filename = _filename(fields.get("dist"))
            if filename and view.shown.get(filename) == text:
                dist = {**self._fields(fields["dist"], "dist"), "tarball": view.address(filename)}
                visible[text] = {**fields, "dist": dist}
        return visible

    def _times(self) -> _Fields:
        """Return when what is left was published; if something is missing, the whole page is as old as what is left."""
        times = self._fields(self._top.get("time"), "time")
        if not self._gone:
            return times
        kept = {text: raw for text, raw in times.items() if text not in self._gone}
        known = sorted(_texts(raw for text, raw in kept.items() if text in self.versions))
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
