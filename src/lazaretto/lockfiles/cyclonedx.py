"""CycloneDX in JSON and XML, 1.4 to 1.7: ``bom.json``, ``*.cdx.json``, ``bom.xml``, ``*.cdx.xml``.

Every component with a package URL of npm or PyPI is a pin, nested ones too; ``metadata.component`` is what the SBOM is
about, and none. Hashes are those of the component and of its ``distribution`` references.

Not seen: components without a package URL and of other ecosystems (told, with their number), and services. XML with a
document type is refused.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from lazaretto.core.pin import LockfileError, Pin
from lazaretto.lockfiles._located import Items, Table, bounded, text_of

if TYPE_CHECKING:
    from lazaretto.lockfiles._components import Component

MATCHES = ("bom.json", "*.cdx.json", "bom.xml", "*.cdx.xml")
ECOSYSTEM = ""
CLIENT = ""
SBOM = True

_VERSIONS = ("1.4", "1.5", "1.6", "1.7")


def parse(
    text: str,
    include: Callable[[str], str] | None = None,  # noqa: ARG001 - one signature for all formats
) -> Iterator[Pin]:
    """Yield every component of npm and PyPI; each pin says its own ecosystem.

    Raises:
        LockfileError: the text is neither JSON nor XML, not CycloneDX, or of an unknown version.
    """
    from lazaretto.lockfiles import _components, _json

    if _is_xml(text):
        from lazaretto.lockfiles import _cyclonedx_xml

        document = _cyclonedx_xml.read(bounded(text))
    else:
        document = _json.read(text)
    version = document.get("specVersion")
    if document.get("bomFormat") != "CycloneDX" or version not in _VERSIONS:
        line = document.lines.get("specVersion", 1)
        raise LockfileError(line, f"not CycloneDX of a known version: {', '.join(_VERSIONS)} are, as JSON and as XML")
    yield from _components.pins(_listed(document))


def links(text: str) -> Iterator[tuple[str, str]]:
    """Yield which component needs which, by the paths of their pins; what the SBOM is about is the project, ""."""
    import msgspec

    if _is_xml(text):
        from lazaretto.lockfiles import _cyclonedx_xml

        try:
            document: Any = _cyclonedx_xml.read(bounded(text))
        except LockfileError:
            return
        yield from _links(document)
        return
    try:
        document = msgspec.json.decode(text.removeprefix("\ufeff").encode("utf-8", "surrogatepass"))
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return  # whoever reads the pins says what is wrong
    if isinstance(document, dict):
        yield from _links(document)


def _is_xml(text: str) -> bool:
    return text.removeprefix("\ufeff").lstrip().startswith("<")


def _links(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    metadata = document.get("metadata")
    about = metadata.get("component") if isinstance(metadata, dict) else None
    paths = {about.get("bom-ref"): ""} if isinstance(about, dict) and isinstance(about.get("bom-ref"), str) else {}
    waiting = [("components", document.get("components"))]
    for place, rows in waiting:
        for index, row in enumerate(rows if isinstance(rows, list) else ()):
            if isinstance(row, dict):
                if isinstance(row.get("bom-ref"), str):
                    paths.setdefault(row["bom-ref"], f"{place}[{index}]")
                waiting.append((f"{place}[{index}].components", row.get("components")))
    rows = document.get("dependencies")
    for row in rows if isinstance(rows, list) else ():
        owner = row.get("ref") if isinstance(row, dict) else None
        needed = row.get("dependsOn") if isinstance(row, dict) else None
        for one in needed if isinstance(needed, list) and isinstance(owner, str) and owner in paths else ():
            if isinstance(one, str) and one in paths:
                yield paths[owner], paths[one]


def _listed(document: Table) -> "Iterator[Component]":
    """Yield every component, nested ones after the one they are part of, without recursion."""
    from lazaretto.lockfiles._components import Component

    waiting = [("components", document.rows("components"))]
    while waiting:
        place, rows = waiting.pop()
        for index, entry, line in rows.entries():
            path = f"{place}[{index}]"
            if not isinstance(entry, Table):
                yield Component("", None, line, path, "the row is not an object")
                continue
            purl_line = entry.lines.get("purl", line)
            kind = f"{entry.text('type') or 'component'} without a package URL"
            name = "/".join(filter(None, (entry.text("group"), entry.text("name"))))
            yield Component(name, entry.text("purl"), purl_line, path, kind, tuple(_hashes(entry)))
            inner = entry.get("components")
            if isinstance(inner, Items):
                waiting.append((f"{path}.components", inner))
            elif inner is not None:
                yield Component(name, None, line, path, "its components are not an array")


def _hashes(entry: Table) -> Iterator[tuple[str, str]]:
    holders = [entry]
    references = entry.get("externalReferences")
    if isinstance(references, Items):
        holders += [row for row in references if isinstance(row, Table) and row.text("type") == "distribution"]
    for holder in holders:
        rows = holder.get("hashes")
        for row in rows if isinstance(rows, Items) else ():
            if isinstance(row, Table):
                yield text_of(row.get("alg")) or "", text_of(row.get("content")) or ""
