"""The page of a project as a client may see it: JSON or HTML in and out, with fewer files and other addresses.

What is left out disappears from ``files`` and ``versions`` together. A file is seen only if the view names it; where
two files share a name and not their digest, neither is. Between JSON and HTML all survives that the standards name in
both (PEP 503, 592, 629, 658, 691, 700, 708, 714, 740, 792); from JSON to JSON every field does.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec
from msgspec import Struct

from lazaretto.core.names import ProjectName
from lazaretto.core.view import PageView
from lazaretto.ecosystems.pypi import names, versions
from lazaretto.ecosystems.pypi.index import File, is_json

MIN_SHEET = 32 << 10
"""Bytes of files, as the index tells them, after which a page is cut."""

_Fields = dict[str, msgspec.Raw]

_FIELDS = msgspec.json.Decoder(_Fields)
_FILES = msgspec.json.Decoder(list[msgspec.Raw])
_FILE = msgspec.json.Decoder(File)
_NAME = msgspec.json.Decoder(str | None)
_VERSIONS = msgspec.json.Decoder(list[str])
_ENCODER = msgspec.json.Encoder()


def render(project: ProjectName, data: bytes, media_type: str, view: PageView, form: str) -> bytes:
    """Return the page in a form, with what the view leaves of it.

    Raises:
        ValueError: neither JSON nor HTML of this form, or the page of another project; the message says where.
    """
    return b"".join(Plate(project, data, media_type, view.address, form).print(view))


class _Told(Struct, frozen=True):
    """A file as the index tells it, and whether it tells a provenance."""

    raw: msgspec.Raw
    proven: bool


class Plate:
    """An index page made ready to be printed in one form, as often as what may be seen of it changes.

    What a page says of a file is printed once, when it is first seen. A page is cut into sheets at the same files each
    time: hiding one of them leaves all sheets as they were but its own, and the one with the versions.
    """

    def __init__(
        self, project: ProjectName, data: bytes, media_type: str, address: Callable[[str], str], form: str
    ) -> None:
        """Raises ValueError as ``render``."""
        if not is_json(project, media_type):
            from lazaretto.ecosystems.pypi import html

            data = html.as_json(project, data)
        self._project = project
        self._address = address
        self._json = form == "json"
        self._printed: dict[str, bytes] = {}
        try:
            data.decode("utf-8")  # what is not decoded below is not looked at by anyone else either
            self._top = _FIELDS.decode(data)
            name = _NAME.decode(self._top.get("name", b"null"))
            files = _FILES.decode(self._top.get("files", b"null"))
            self._versions = _VERSIONS.decode(self._top.get("versions", b"[]"))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ValueError(f"the index page of {project} is no project detail: {error}") from None
        if name is not None and names.normal(name) != project:
            raise ValueError(f"the index page of {project} is that of another project: {name[:80]!r}")
        self._files = _told(project, files)
        self._blocks = tuple(_cut(self._files))

    def print(self, view: PageView) -> list[bytes]:
        """Return what the view leaves of the page, in sheets. Raises ValueError as ``render``.

        Its addresses are those that the plate was made with.
        """
        shown = view.shown
        blocks = [[name for name in block if name in shown] for block in self._blocks]
        left = {versions.parse(shown[name]) for block in blocks for name in block} - {None}
        top: dict[str, object] = dict(self._top)
        if "versions" in top:
            top["versions"] = [text for text in self._versions if versions.parse(text) in left]
        pieces = [[self._piece(name) for name in block] for block in blocks if block]
        if self._json:
            at = list(top).index("files")
            before, after = dict(list(top.items())[:at]), dict(list(top.items())[at + 1 :])
            head = _ENCODER.encode(before)[:-1] + (b"," if before else b"") + b'"files":['
            tail = b"]" + (b"," if after else b"") + _ENCODER.encode(after)[1:]
            return [head, *(b"," * bool(number) + b",".join(block) for number, block in enumerate(pieces)), tail]
        from lazaretto.ecosystems.pypi import print_html

        return [print_html.head(self._project, _ENCODER.encode(top)), *map(b"".join, pieces), print_html.TAIL]

    def _piece(self, filename: str) -> bytes:
        """Return what is printed of a file."""
        printed = self._printed.get(filename)
        if printed is None:
            told, address = self._files[filename], self._address(filename)
            fields: dict[str, object] = {**_FIELDS.decode(told.raw), "url": address}
            if told.proven:
                fields["provenance"] = f"{address}.provenance"
            printed = _ENCODER.encode(fields)
            if not self._json:
                from lazaretto.ecosystems.pypi import print_html

                printed = print_html.line(self._project, printed)
            self._printed[filename] = printed
        return printed


def _told(project: ProjectName, files: Sequence[msgspec.Raw]) -> Mapping[str, _Told]:
    """Return the files by name, without those that share a name and not their digest."""
    known: dict[str, File] = {}
    told: dict[str, _Told] = {}
    unclear: set[str] = set()
    for number, raw in enumerate(files):
        try:
            file = _FILE.decode(raw)
        except msgspec.DecodeError as error:
            raise ValueError(f"the index page of {project} is broken at files[{number}]: {error}") from None
        same = known.setdefault(file.filename, file)
        if same is file:
            told[file.filename] = _Told(raw, isinstance(file.provenance, str))
        elif same.hashes != file.hashes or not file.hashes:
            unclear.add(file.filename)
    return {filename: one for filename, one in told.items() if filename not in unclear}


def _cut(files: Mapping[str, _Told]) -> Iterator[list[str]]:
    """Yield the names of the files that stand on one sheet."""
    block: list[str] = []
    size = 0
    for filename, one in files.items():
        block.append(filename)
        size += len(bytes(one.raw))
        if size >= MIN_SHEET:
            yield block
            block, size = [], 0
    yield block
