"""CycloneDX in XML, as the same mappings and sequences as in JSON, with the line of each element.

The parser is Expat, which the standard library brings. A document type is refused before anything of it is read: an
SBOM needs none, and without one there are no entities, neither those that grow nor those that name files. Depth and
number of elements are bounded.
"""

from typing import Any
from xml.parsers import expat

from lazaretto.core.pin import LockfileError
from lazaretto.lockfiles._located import Items, Table

MAX_DEPTH = 100
"""Elements of an SBOM below each other."""

MAX_ELEMENTS = 5_000_000
"""Elements of one SBOM."""

NAMESPACE = "http://cyclonedx.org/schema/bom/"

_LISTS = {"components": "component", "dependencies": "dependency", "hashes": "hash", "externalReferences": "reference"}


class _Element:
    __slots__ = ("attributes", "children", "line", "name", "text")

    def __init__(self, name: str, attributes: dict[str, str], line: int) -> None:
        self.name, self.attributes, self.line = name, attributes, line
        self.children: list[_Element] = []
        self.text: list[str] = []


def read(text: str) -> Table:
    """Return a document as if it were JSON. Raises LockfileError with the line."""
    parser = expat.ParserCreate("utf-8", "}")
    above = [_Element("", {}, 1)]
    count = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        line = parser.CurrentLineNumber
        if len(above) > MAX_DEPTH or count > MAX_ELEMENTS:
            raise LockfileError(line, f"deeper than {MAX_DEPTH} elements, or more than {MAX_ELEMENTS}: it is not read")
        element = _Element(name, attributes, line)
        above[-1].children.append(element)
        above.append(element)

    def end(_name: str) -> None:
        above.pop()

    def characters(data: str) -> None:
        above[-1].text.append(data)

    def refused(*_: object) -> None:
        raise LockfileError(parser.CurrentLineNumber, "it has a document type: an SBOM needs none, and it is not read")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = characters, refused
    try:
        parser.Parse(text.encode("utf-8", "surrogatepass"), True)
    except expat.ExpatError as error:
        raise LockfileError(max(1, error.lineno), f"not XML: {expat.ErrorString(error.code)}") from None
    return _document(above[0].children[0])


def _document(root: _Element) -> Table:
    space, _, name = root.name.rpartition("}")
    found = _table(root)
    if name == "bom" and space.startswith(NAMESPACE):
        found.put("bomFormat", "CycloneDX", root.line)
        found.put("specVersion", space.removeprefix(NAMESPACE), root.line)
    return found


def _table(element: _Element) -> Table:
    """Return an element as a mapping: its attributes, its elements, lists of them where JSON has one."""
    found = Table(element.line)
    for key, value in element.attributes.items():
        if key in {"type", "bom-ref", "ref", "alg"}:
            found.put(key, value, element.line)
    for child in element.children:
        name = child.name.rpartition("}")[2]
        if name in _LISTS:
            found.put(name, _items(child, _LISTS[name]), child.line)
        elif name == "component":
            found.put(name, _table(child), child.line)
        elif name == "metadata":
            found.put(name, _table(child), child.line)
        elif name in {"name", "group", "version", "purl"}:
            found.put(name, "".join(child.text).strip(), child.line)
    if element.name.endswith("}hash"):
        found.put("content", "".join(element.text).strip(), element.line)
    if element.name.endswith("}dependency"):
        needed = Items(element.line)
        for child in element.children:
            needed.add(child.attributes.get("ref"), child.line)
        found.put("dependsOn", needed, element.line)
    return found


def _items(element: _Element, wanted: str) -> Items:
    found = Items(element.line)
    for child in element.children:
        value: Any = _table(child) if child.name.rpartition("}")[2] == wanted else None
        found.add(value, child.line)
    return found
