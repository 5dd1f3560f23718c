"""The scripts of a page or a picture in SVG: elements, event attributes and addresses, as JavaScript where it stands.

Everything else of the page becomes blank, so that each place in the script is its place in the file. What is written
with character references, or encoded in an address, is decoded and stands at the place of the whole.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import cache

from lazaretto.core.facts import Problem, Span
from lazaretto.core.inner import Inner
from lazaretto.languages._lines import Lines

MAX_PAGE = 16 * 1024 * 1024
"""Longest page whose scripts are read, in bytes."""

_ELEMENT = rb"<(?:\w{1,20}:)?script\b"
_END = rb"</(?:\w{1,20}:)?script\s*>"
_CDATA = rb"\s*(?:(?://|/\*)\s*)?<!\[CDATA\[(?:\s*\*/)?"
_CDATA_END = rb"(?:(?://|/\*)\s*)?\]\]>(?:\s*\*/)?\s*\Z"
_VALUE = rb"\s(%b)\s*=\s*(?:\"([^\"]+)\"|'([^']+)'|([^\s\"'>]+))"
_EVENTS = _VALUE % rb"on[a-z]{3,20}"
_ADDRESSES = _VALUE % rb"(?:[\w-]{1,20}:)?(?:href|src|action|formaction|data|to|from|values|srcdoc)"
_EMBEDDED = {
    b"text/html": "markup",
    b"image/svg+xml": "markup",
    b"application/xhtml+xml": "markup",
    b"text/javascript": "javascript",
    b"application/javascript": "javascript",
}
_CLOSED = rb"\"[^\"]*\"|'[^']*'|`[^`]*`|//.*|/\*.*?\*/"
_TYPE = rb"\btype\s*=\s*[\"']?([^\"'\s>]*)"
_LANG = rb"\blang\s*=\s*[\"']?([a-z]*)"
_ATTRIBUTE = rb"\son[a-z]{3,20}\s*=\s*(?:\"([^\"]+)\"|'([^']+)')"
_ADDRESS = (
    rb"\b(?:href|src|action|formaction|data|to|from|values)\s*=\s*"
    rb"(?:\"\s*javascript:([^\"]+)\"|'\s*javascript:([^']+)')"
)
_RUN = frozenset((
    b"", b"module", b"text/javascript", b"application/javascript", b"text/ecmascript", b"application/ecmascript",
    b"application/x-javascript", b"text/babel", b"text/jscript",
))  # fmt: skip


def scripts(data: bytes) -> Iterator[Inner | Problem]:
    """Yield the scripts of a page, at most one part for each language. Templates hold what is no script: lenient."""
    if len(data) > MAX_PAGE:
        reason = f"a page of {len(data)} bytes is longer than {MAX_PAGE}: its scripts were not read"
        yield Problem(1, reason, unread=True)
        return
    spans: dict[str, list[tuple[int, int]]] = {}
    for dialect, start, end in _found(data):
        spans.setdefault(dialect, []).append((start, end))
    lines = Lines(data)
    for dialect, found in sorted(spans.items()):
        places = sorted(found)
        apart = [one for one in places if _is_open(data[slice(*one)])] if len(places) > 1 else []
        joined = _blanked(data, sorted({*places}.difference(apart)))
        yield Inner(joined, dialect, step="markup", lenient=True, masked=True)
        for start, end in apart:
            yield _part(data[start:end], dialect, lines.span(start, end), "markup")
    known: set[tuple[str, bytes]] = set()
    for part in _encoded(data):
        if (part.dialect, part.data) not in known:
            known.add((part.dialect, part.data))
            yield part


def _encoded(data: bytes) -> Iterator[Inner]:
    """Yield what attributes hold that is no script as it is written: references, addresses with data, pages."""
    lines = Lines(data)
    for match in _pattern(_EVENTS).finditer(data):
        value = match[2] or match[3] or match[4]
        if b"&" in value or match[4] is not None:
            yield _part(_dereferenced(value), "javascript", lines.span(*match.span()), "markup")
    for match in _pattern(_ADDRESSES).finditer(data):
        value = match[2] or match[3] or match[4]
        place = lines.span(*match.span())
        if match[1].lower() == b"srcdoc":
            yield _part(_dereferenced(value), "markup", place, "markup>srcdoc")
            continue
        plain = _dereferenced(value).translate(None, b"\t\r\n").lstrip(_LEADING)
        if plain[:11].lower() == b"javascript:" and (match[4] is not None or b"&" in value):
            yield _part(plain[11:], "javascript", place, "markup")
        elif plain[:5].lower() == b"data:":
            yield from _data_address(plain, place)


def _data_address(address: bytes, place: Span) -> Iterator[Inner]:
    """Yield the page, picture or script that an address holds itself (RFC 2397)."""
    head, comma, body = address[5:].partition(b",")
    words = head.lower().split(b";")
    dialect = _EMBEDDED.get(words[0].strip(), "")
    if not comma or not dialect:
        return
    from urllib.parse import unquote_to_bytes

    text, step = unquote_to_bytes(body), "markup>data-address"
    if words[-1].strip() == b"base64":
        from binascii import Error, a2b_base64

        try:
            text = a2b_base64(text + b"==")
        except Error:
            return  # no browser opens it either
        step = "markup>base64"
    yield _part(text, dialect, place, step)


def _part(text: bytes, dialect: str, place: Span, step: str) -> Inner:
    return Inner(text, dialect, places=(place,), step=step, lenient=True)


def _dereferenced(value: bytes) -> bytes:
    """Return a value with its character references decoded (HTML, 13.2.5.72)."""
    if b"&" not in value:
        return value
    from html import unescape

    return unescape(value.decode("utf-8", "replace")).encode("utf-8", "replace")


def _found(data: bytes) -> Iterator[tuple[str, int, int]]:
    elements: list[tuple[int, int]] = []
    at = 0
    xml = data.removeprefix(b"\xef\xbb\xbf").lstrip()[:5].lower() in (b"<?xml", b"<svg ", b"<svg>")
    while (match := _pattern(_ELEMENT).search(data, at)) is not None:
        first = data.find(b">", match.end()) + 1
        if not first:
            break
        attributes = data[match.end() : first - 1]
        if xml and attributes.endswith(b"/"):
            at = first  # an empty element of XML
            continue
        end = _pattern(_END).search(data, first)
        at = end.end() if end else len(data)
        elements.append((match.start(), at))
        dialect = _dialect(attributes)
        if dialect:
            yield dialect, *_within_cdata(data, first, end.start() if end else len(data))
    for pattern in (_ATTRIBUTE, _ADDRESS):
        for match in _pattern(pattern).finditer(data):
            before = bisect_right(elements, (match.start(), len(data))) - 1
            if before < 0 or match.start() >= elements[before][1]:
                group = 1 if match[1] is not None else 2
                yield "javascript", match.start(group), match.end(group)


def _within_cdata(data: bytes, first: int, last: int) -> tuple[int, int]:
    """Return where a script begins and ends without the marks of XML around it."""
    opening = _pattern(_CDATA).match(data, first, last)
    first = opening.end() if opening else first
    at = data.rfind(b"]]>", first, last)
    if at >= 0:
        before = max(first, at - _MARK)
        closing = _pattern(_CDATA_END).search(data, before, last)
        last = closing.start() if closing else last
    return first, last


def _dialect(attributes: bytes) -> str:
    """Return who reads a script element; an empty text for data and templates."""
    kind, language = _pattern(_TYPE).search(attributes), _pattern(_LANG).search(attributes)
    if kind and kind[1].lower() in (b"text/vbscript", b"vbscript"):
        return "vbscript"
    if language and language[1].lower() in (b"ts", b"tsx"):
        return "tsx" if language[1].lower() == b"tsx" else "typescript"
    return "javascript" if kind is None or kind[1].lower() in _RUN else ""


def _is_open(script: bytes) -> bool:
    """Whether a script may not end by itself: together with others it would swallow what follows."""
    pairs = ((b"{", b"}"), (b"(", b")"), (b"[", b"]"))
    last = _pattern(_CLOSED).sub(b"", script[script.rfind(b"\n") + 1 :])
    return (
        b"<!--" in last
        or last.count(b"/") % 2 == 1
        or script.rfind(b"/*") > script.rfind(b"*/")
        or script.count(b"`") % 2 == 1
        or any(script.count(opening) > script.count(closing) for opening, closing in pairs)
    )


def _blanked(data: bytes, spans: list[tuple[int, int]]) -> bytes:
    """Return the page with nothing but the scripts in it, each a statement of its own."""
    pieces: list[bytes] = []
    at = 0
    for start, end in spans:
        if start < at:
            continue
        blank = data[at:start].translate(_BLANK)
        if at and len(blank) > 1:
            blank = blank[:-2] + b"\r;"  # of JavaScript's ends of a line the one that moves no place
        pieces += [blank, data[start:end]]
        at = end
    return b"".join((*pieces, data[at:].translate(_BLANK)))


_MARK = 20
"""Bytes in front of the end of a CDATA section in which a comment may begin that hides it."""

_LEADING = bytes(range(33))
_BLANK = bytes(byte if byte in b"\n\r" else 32 for byte in range(256))


@cache
def _pattern(source: bytes) -> re.Pattern[bytes]:
    return re.compile(source, re.IGNORECASE)
