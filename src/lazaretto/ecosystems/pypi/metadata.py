"""Core metadata (``METADATA``, ``PKG-INFO``): headers as in an e-mail (RFC 822), with the place of each."""

from collections.abc import Iterator

import msgspec
from msgspec import Struct, field

from lazaretto.core.facts import Problem, Span
from lazaretto.core.model import Dependency
from lazaretto.ecosystems.pypi import requirements

MAX_BYTES = 8 * 1024 * 1024
"""Largest metadata file that is read."""

_MAX_HEADERS = 5000


class Header(Struct, frozen=True):
    """One header: its name in lower case, its unfolded value, and its place."""

    name: str
    value: str
    span: Span


class Metadata(Struct):
    """The headers of a metadata file in order, and what was wrong with it."""

    headers: list[Header] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def first(self, name: str) -> str | None:
        """Return the value of the first header of this name, or None."""
        return next((header.value for header in self.headers if header.name == name), None)


def read(data: bytes) -> Metadata:
    """Return the headers up to the first empty line, as an e-mail parser takes them. Never raises."""
    found = Metadata()
    if len(data) > MAX_BYTES:
        found.problems.append(Problem(0, f"the metadata is larger than {MAX_BYTES} bytes"))
        return found
    name, parts, span = "", [], Span(1, 0, 0, 0)
    for number, start, raw in _lines(data):
        text = raw.decode("utf-8", "replace")
        if "�" in text and b"\xef\xbf\xbd" not in raw:
            found.problems.append(Problem(number, "not UTF-8"))
        if text[:1] in (" ", "\t") and name:
            parts.append(text.strip())
            span = Span(span.line, 0, span.start, start + len(raw))
            continue
        if name:
            found.headers.append(Header(name, "\n".join(parts), span))
            name = ""
        if not text.strip():
            return found
        key, colon, value = text.partition(":")
        if not colon or not key or any(character.isspace() for character in key):
            found.problems.append(Problem(number, f"no header: {text.strip()[:80]!r}; what follows was not read"))
            return found
        if len(found.headers) >= _MAX_HEADERS:
            found.problems.append(Problem(number, f"more than {_MAX_HEADERS} headers"))
            return found
        name, parts, span = key.lower(), [value.strip()], Span(number, 0, start, start + len(raw))
    if name:
        found.headers.append(Header(name, "\n".join(parts), span))
    return found


def dependencies(found: Metadata) -> tuple[Dependency, ...]:
    """Return the edges of ``Requires-Dist``; one that cannot be read becomes a problem of ``found``."""
    edges = []
    for header in found.headers:
        if header.name == "requires-dist":
            try:
                edges.append(requirements.dependency(header.value))
            except ValueError as error:
                found.problems.append(Problem(header.span.line, f"Requires-Dist: {error}"))
    return tuple(dict.fromkeys(edges))


def fields(found: Metadata) -> dict[str, tuple[str, Span]]:
    """Return every header as JSON text with its place; ``requires-dist.<name>`` by the project it names."""
    result: dict[str, tuple[str, Span]] = {}
    for header in found.headers:
        key = header.name
        if key == "requires-dist":
            end = next((at for at, sign in enumerate(header.value) if sign in " <>=!~;[(@"), len(header.value))
            key = f"{key}.{header.value[:end].lower()}"
        while key in result:
            key += "#"
        result[key] = (msgspec.json.encode(header.value).decode(), header.span)
    return result


def _lines(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield number, offset and text of each line of the headers."""
    start = number = 0
    while start < len(data):
        end = data.find(b"\n", start)
        end = len(data) if end < 0 else end
        number += 1
        yield number, start, data[start:end].rstrip(b"\r")
        start = end + 1
