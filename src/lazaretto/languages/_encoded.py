"""Web addresses that stand in a string in an encoding: shared by every language.

Whoever writes an address in base64, in escapes, in hexadecimal or backwards does not want it to be read or found. Code
that decodes it may stand in another file, or be out of reach of an evaluator: the string itself is told.
"""

import re
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache

from lazaretto.core.facts import Fact, Kind, Moment, Span, bounded
from lazaretto.languages._addressed import anything

MAX_ENCODED = 50
"""Most places at which one such address is told."""

_QUOTES = b"\"'`"

# With what every such string begins (or ends, backwards): "http" encoded, and the base64 of it in escapes. These are
# searched for, and what is around them is looked at.
_WAYS = (
    ("base64", b"aHR0c", rb"[A-Za-z0-9+/_-]{12,}={0,2}"),
    ("hex", b"68747470", rb"(?:[0-9a-fA-F]{2}){10,}"),
    ("unescape", rb"\x68\x74\x74\x70", rb"(?:\\x[0-9a-fA-F]{2}){10,}"),
    ("unescape", rb"\x61\x48\x52\x30", rb"(?:\\x[0-9a-fA-F]{2}){10,}"),
)
_BACKWARDS = (b"//:ptth", b"//:sptth")
_ADDRESS = r"https?://[A-Za-z0-9\[][A-Za-z0-9.\-:\[\]]+(?:[/?#][!-~]*)?"


def encoded_addresses(
    data: bytes, moment: Moment = Moment.LOAD, may_hold: Callable[[bytes], bool] = anything
) -> tuple[Fact, ...]:
    """Return a ``literal.url`` fact for each address that is written in an encoding, in the order of the file."""
    facts: list[Fact] = []
    told: Counter[str] = Counter()
    line, position = 1, 0
    for start, end, way, address in sorted((*_forwards(data, may_hold), *_backwards(data, may_hold))):
        told[address] += 1
        if told[address] > MAX_ENCODED:
            continue
        line += data.count(b"\n", position, start)
        position = start
        column = start - (data.rfind(b"\n", 0, start) + 1)
        facts.append(Fact(Kind.LITERAL_URL, address, Span(line, column, start, end), moment, way))
    return tuple(facts)


def _forwards(data: bytes, may_hold: Callable[[bytes], bool]) -> Iterator[tuple[int, int, str, str]]:
    for way, needle, written in _WAYS:
        for at in _places(data, needle) if may_hold(needle) else ():
            match = _pattern(written).match(data, at) if data[at - 1] in _QUOTES else None
            if match is not None and match.end() < len(data) and data[match.end()] in _QUOTES:
                address = _address(_decoded(way, match[0]))
                if address is not None:
                    yield at, match.end(), way, address


def _backwards(data: bytes, may_hold: Callable[[bytes], bool]) -> Iterator[tuple[int, int, str, str]]:
    for needle in filter(may_hold, _BACKWARDS):
        quotes, before = dict.fromkeys(_QUOTES, -1), 0
        for at in _places(data, needle):
            for quote, last in quotes.items():  # each byte is looked at once, however long the strings are
                quotes[quote] = max(last, data.rfind(bytes([quote]), before, at))
            end, before = at + len(needle), at
            start = 1 + max(quotes.values())
            quoted = start > 0 and end < len(data) and data[end] in _QUOTES
            address = _address(data[start:end][::-1]) if quoted else None
            if address is not None:
                yield start, end, "reverse", address


def _places(data: bytes, needle: bytes) -> Iterator[int]:
    """Yield where a needle stands inside the data, not at its beginning."""
    at = data.find(needle, 1)
    while at >= 0:
        yield at
        at = data.find(needle, at + 1)


def _decoded(way: str, text: bytes) -> bytes:
    if way == "hex":
        return bytes.fromhex(text.decode("ascii"))
    if way == "unescape":
        raw = bytes.fromhex(text.replace(rb"\x", b"").decode("ascii"))
        return _decoded("base64", raw) if raw.startswith(b"aHR0") else raw
    plain = text.rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
    plain = plain[: len(plain) - (len(plain) % 4 == 1)]
    return b64decode(plain + b"=" * (-len(plain) % 4))


def _address(raw: bytes) -> str | None:
    """Return the address, or None: what looks like one from its beginning may be another thing altogether."""
    address = raw.decode("utf-8", "replace").strip()
    return bounded(address) if re.fullmatch(_ADDRESS, address) else None


@cache
def _pattern(source: bytes) -> re.Pattern[bytes]:
    return re.compile(source)
