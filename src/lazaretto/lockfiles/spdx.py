"""SPDX 2.2 and 2.3 as JSON and as tag-value, and 3.0 as JSON: ``*.spdx.json`` and ``*.spdx``.

Every package with a package URL of npm or PyPI among its external references is a pin. The one package that a document
describes is the project itself, and none.

Not seen: packages without a package URL and of other ecosystems (told, with their number), files and snippets, and
other serialisations (RDF, YAML, spreadsheets).
"""

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from lazaretto.core.pin import LockfileError, Pin
from lazaretto.lockfiles._located import Items, Table, bounded

if TYPE_CHECKING:
    from lazaretto.lockfiles._components import Component

MATCHES = ("*.spdx.json", "*.spdx")
ECOSYSTEM = ""
CLIENT = ""
SBOM = True

_VERSIONS = ("SPDX-2.2", "SPDX-2.3")


def parse(
    text: str,
    include: Callable[[str], str] | None = None,  # noqa: ARG001 - one signature for all formats
) -> Iterator[Pin]:
    """Yield every package of npm and PyPI; each pin says its own ecosystem.

    Raises:
        LockfileError: the text is not SPDX of a known version.
    """
    from lazaretto.lockfiles import _components, _json, _spdx_tags

    text = bounded(text)
    if not text.lstrip().startswith("{"):
        yield from _components.pins(_spdx_tags.packages(text, _VERSIONS))
        return
    document = _json.read(text)
    if "@graph" in document:
        yield from _components.pins(_graph(document))
        return
    if document.get("spdxVersion") not in _VERSIONS:
        line = document.lines.get("spdxVersion", 1)
        raise LockfileError(line, f"not SPDX of a known version: {', '.join(_VERSIONS)} and 3.0 are")
    yield from _components.pins(_packages(document))


def _packages(document: Table) -> "Iterator[Component]":
    from lazaretto.lockfiles._components import Component

    subject = _described(document)
    for index, entry, line in document.rows("packages").entries():
        path = f"packages[{index}]"
        if not isinstance(entry, Table):
            yield Component("", None, line, path, "the row is not an object")
            continue
        if subject is not None and entry.text("SPDXID") == subject:
            continue
        purls = list(_references(entry, "externalRefs", "referenceType", "purl", "referenceLocator"))
        hashes = tuple(_hashes(entry, "checksums", "checksumValue"))
        name = entry.text("name") or ""
        found: list[tuple[str | None, int]] = [*purls] or [(None, line)]
        for purl, at in found:
            yield Component(name, purl, at, path, "package without a package URL", hashes)


def _described(document: Table) -> str | None:
    """Return the package that the document is about, if it is one alone."""
    found = {one for one in document.rows("documentDescribes") if isinstance(one, str)}
    for row in document.rows("relationships"):
        if isinstance(row, Table) and row.get("relationshipType") == "DESCRIBES":
            found.add(row.text("relatedSpdxElement") or "")
    return found.pop() if len(found) == 1 else None


def _graph(document: Table) -> "Iterator[Component]":
    """Yield the packages of SPDX 3: elements of one flat list, each with its type."""
    from lazaretto.lockfiles._components import Component

    rows = document.rows("@graph")
    roots: set[str] = set()
    for row in rows:
        if isinstance(row, Table) and row.get("type") in {"SpdxDocument", "software_Sbom", "Bom"}:
            named = row.get("rootElement")
            roots.update(one for one in (named if isinstance(named, Items) else [named]) if isinstance(one, str))
    packages = {str(row.get("spdxId")) for row in rows if isinstance(row, Table) and _is_package(row)}
    subjects = roots & packages
    for index, entry, line in rows.entries():
        path = f"@graph[{index}]"
        if not isinstance(entry, Table):
            yield Component("", None, line, path, "the row is not an object")
        elif _is_package(entry) and not (len(subjects) == 1 and entry.get("spdxId") in subjects):
            own = entry.text("software_packageUrl")
            purls = [(own, entry.lines["software_packageUrl"])] if own else []
            purls += _references(entry, "externalIdentifier", "externalIdentifierType", "packageUrl", "identifier")
            hashes = tuple(_hashes(entry, "verifiedUsing", "hashValue"))
            name = entry.text("name") or ""
            for purl, at in dict(purls).items() or [(None, line)]:
                yield Component(name, purl, at, path, "package without a package URL", hashes)


def _is_package(entry: Table) -> bool:
    return entry.get("type") in ("software_Package", "ai_AIPackage", "dataset_DatasetPackage")  # it may be unhashable


def _references(entry: Table, rows: str, key: str, wanted: str, value: str) -> Iterator[tuple[str, int]]:
    found = entry.get(rows)
    for row in found if isinstance(found, Items) else ():
        if isinstance(row, Table) and row.get(key) == wanted and row.text(value):
            yield str(row[value]), row.lines[value]


def _hashes(entry: Table, rows: str, value: str) -> Iterator[tuple[str, str]]:
    found = entry.get(rows)
    for row in found if isinstance(found, Items) else ():
        if isinstance(row, Table) and row.text("algorithm"):
            yield re.sub(r"^.*[_/]", "", str(row["algorithm"])), row.text(value) or ""
