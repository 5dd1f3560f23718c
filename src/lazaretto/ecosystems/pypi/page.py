"""The page of a project as a client may see it: JSON or HTML in and out, with fewer files and other addresses.

What is left out disappears from ``files`` and ``versions`` together. A file is seen only if the view names it; where
two files share a name and not their digest, neither is. Between JSON and HTML all survives that the standards name in
both (PEP 503, 592, 629, 658, 691, 700, 708, 714, 740, 792); from JSON to JSON every field does.
"""

import msgspec

from lazaretto.core.names import ProjectName
from lazaretto.core.view import PageView
from lazaretto.ecosystems.pypi import names, versions
from lazaretto.ecosystems.pypi.index import File, is_json

_Fields = dict[str, msgspec.Raw]

_FIELDS = msgspec.json.Decoder(_Fields)
_FILES = msgspec.json.Decoder(list[msgspec.Raw])
_FILE = msgspec.json.Decoder(File)
_NAME = msgspec.json.Decoder(str | None)
_VERSIONS = msgspec.json.Decoder(list[str])


def render(project: ProjectName, data: bytes, media_type: str, view: PageView, form: str) -> bytes:
    """Return the page in a form, with what the view leaves of it.

    Raises:
        ValueError: neither JSON nor HTML of this form, or the page of another project; the message says where.
    """
    if not is_json(project, media_type):
        from lazaretto.ecosystems.pypi import html

        data = html.as_json(project, data)
    page = _filtered(project, data, view)
    if form == "json":
        return page
    from lazaretto.ecosystems.pypi import print_html

    return print_html.document(project, page)


class Plate:
    """An index page in one form. It is small, and printed whole each time."""

    def __init__(self, project: ProjectName, data: bytes, media_type: str, form: str) -> None:
        self._what = (project, data, media_type)
        self._form = form

    def print(self, view: PageView) -> list[bytes]:
        """Return what the view leaves of the page, in one sheet. Raises ValueError as ``render``."""
        return [render(*self._what, view, self._form)]


def _filtered(project: ProjectName, data: bytes, view: PageView) -> bytes:
    try:
        data.decode("utf-8")  # what is not decoded below is not looked at by anyone else either
        top = _FIELDS.decode(data)
        name = _NAME.decode(top.get("name", b"null"))
        raw = _FILES.decode(top.get("files", b"null"))
        told = _VERSIONS.decode(top.get("versions", b"[]"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"the index page of {project} is no project detail: {error}") from None
    if name is not None and names.normal(name) != project:
        raise ValueError(f"the index page of {project} is that of another project: {name[:80]!r}")
    out: dict[str, object] = dict(top)
    files, shown = _files(project, raw, view)
    out["files"] = files
    if "versions" in top:
        out["versions"] = [text for text in told if versions.parse(text) in shown]
    return msgspec.json.encode(out)


def _files(
    project: ProjectName, raw: list[msgspec.Raw], view: PageView
) -> tuple[list[dict[str, object]], frozenset[object]]:
    """Return what is left of the files, and the versions that they are of."""
    known: dict[str, File] = {}
    unclear: set[str] = set()
    kept: dict[str, dict[str, object]] = {}
    for number, one in enumerate(raw):
        try:
            file = _FILE.decode(one)
        except msgspec.DecodeError as error:
            raise ValueError(f"the index page of {project} is broken at files[{number}]: {error}") from None
        if file.filename not in view.shown:
            continue
        same = known.setdefault(file.filename, file)
        if same is not file:
            if same.hashes != file.hashes or not file.hashes:
                unclear.add(file.filename)
            continue
        address = view.address(file.filename)
        fields: dict[str, object] = {**_FIELDS.decode(one), "url": address}
        if isinstance(file.provenance, str):
            fields["provenance"] = f"{address}.provenance"
        kept[file.filename] = fields
    files = [fields for filename, fields in kept.items() if filename not in unclear]
    return files, frozenset(versions.parse(view.shown[name]) for name in kept if name not in unclear) - {None}
