"""The scripts of a page: elements, event attributes and addresses, as JavaScript that stands where it stands.

Everything else of the page becomes blank, so that each place in the script is its place in the file.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import cache

from lazaretto.core.inner import Inner

MAX_PAGE = 2 * 1024 * 1024
"""Longest page whose scripts are read, in bytes."""

MAX_SCRIPTS = 2000
"""Most scripts and attributes of one page that are read."""

_ELEMENT = rb"<script\b([^>]{0,500})>"
_END = rb"</script\s*>"
_TYPE = rb"\btype\s*=\s*[\"']?([^\"'\s>]*)"
_LANG = rb"\blang\s*=\s*[\"']?([a-z]*)"
_ATTRIBUTE = rb"\son[a-z]{3,20}\s*=\s*(?:\"([^\"]{1,20000})\"|'([^']{1,20000})')"
_ADDRESS = (
    rb"\b(?:href|src|action|formaction|data)\s*=\s*"
    rb"(?:\"\s*javascript:([^\"]{1,20000})\"|'\s*javascript:([^']{1,20000})')"
)
_RUN = frozenset((
    b"", b"module", b"text/javascript", b"application/javascript", b"text/ecmascript", b"application/ecmascript",
    b"application/x-javascript", b"text/babel", b"text/jscript",
))  # fmt: skip


def scripts(data: bytes) -> Iterator[Inner]:
    """Yield the scripts of a page, at most one part for each language. Templates hold what is no script: lenient."""
    if len(data) > MAX_PAGE:
        return
    spans: dict[str, list[tuple[int, int]]] = {}
    for dialect, start, end in _found(data):
        spans.setdefault(dialect, []).append((start, end))
    for dialect, found in sorted(spans.items()):
        yield Inner(_blanked(data, sorted(found)[:MAX_SCRIPTS]), dialect, step="markup", lenient=True, masked=True)


def _found(data: bytes) -> Iterator[tuple[str, int, int]]:
    elements: list[tuple[int, int]] = []
    at = 0
    while (match := _pattern(_ELEMENT).search(data, at)) is not None:
        end = _pattern(_END).search(data, match.end())
        at = end.end() if end else len(data)
        elements.append((match.start(), at))
        dialect = _dialect(match[1])
        if dialect:
            yield dialect, match.end(), end.start() if end else len(data)
    for pattern in (_ATTRIBUTE, _ADDRESS):
        for match in _pattern(pattern).finditer(data):
            before = bisect_right(elements, (match.start(), len(data))) - 1
            if before < 0 or match.start() >= elements[before][1]:
                group = 1 if match[1] is not None else 2
                yield "javascript", match.start(group), match.end(group)


def _dialect(attributes: bytes) -> str:
    """Return who reads a script element; an empty text for data and templates."""
    kind, language = _pattern(_TYPE).search(attributes), _pattern(_LANG).search(attributes)
    if kind and kind[1].lower() in (b"text/vbscript", b"vbscript"):
        return "vbscript"
    if language and language[1].lower() in (b"ts", b"tsx"):
        return "tsx" if language[1].lower() == b"tsx" else "typescript"
    return "javascript" if kind is None or kind[1].lower() in _RUN else ""


def _blanked(data: bytes, spans: list[tuple[int, int]]) -> bytes:
    """Return the page with nothing but the scripts in it, each a statement of its own."""
    pieces: list[bytes] = []
    at = 0
    for start, end in spans:
        if start < at:
            continue
        blank = data[at:start].translate(_BLANK)
        pieces += [f"{blank[:-1].decode('ascii')};".encode() if at and blank else blank, data[start:end]]
        at = end
    return b"".join((*pieces, data[at:].translate(_BLANK)))


_BLANK = bytes(byte if byte in b"\n\r" else 32 for byte in range(256))


@cache
def _pattern(source: bytes) -> re.Pattern[bytes]:
    return re.compile(source, re.IGNORECASE)
