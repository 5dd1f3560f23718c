"""UTF-16 files (Windows editors write them): read as UTF-8, told in the places of the file as published."""

from collections.abc import Iterable

import msgspec

from lazaretto.core.facts import Fact, Span

_MARKS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}


def as_utf8(data: bytes) -> bytes:
    """Return the text of a file in UTF-8: decoded if it begins with a mark of UTF-16, else as it is."""
    encoding = _MARKS.get(data[:2])
    return data if encoding is None else data[2:].decode(encoding, "replace").encode("utf-8", "replace")


def in_published(facts: Iterable[Fact], text: bytes, data: bytes) -> tuple[Fact, ...]:
    """Return facts about ``as_utf8(data)`` with their spans in ``data``; unchanged if it is no UTF-16."""
    facts = tuple(facts)
    if data[:2] not in _MARKS or not facts:
        return facts
    wanted = {0, len(text)}
    for fact in facts:
        wanted |= {fact.span.start, fact.span.end, fact.span.start - fact.span.column}
    places: dict[int, int] = {}
    before, place = 0, 2
    for offset in sorted(wanted):
        place += len(text[before:offset].decode("utf-8", "replace").encode("utf-16-le"))
        before = max(before, offset)
        places[offset] = min(place, len(data))
    return tuple(msgspec.structs.replace(fact, span=_moved(fact.span, places)) for fact in facts)


def _moved(span: Span, places: dict[int, int]) -> Span:
    start, end = places[span.start], places[span.end]
    return Span(span.line, start - places[span.start - span.column], start, end)
