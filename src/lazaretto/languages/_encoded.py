"""Web addresses that stand in a string in an encoding: shared by every language.

Whoever writes an address in base64, in escapes, in hexadecimal or backwards does not want it to be read or found. Code
that decodes it may stand in another file, or be out of reach of an evaluator: the string itself is told.
"""

import re
from base64 import b64decode
from collections.abc import Iterator
from functools import cache

from lazaretto.core.facts import Fact, Kind, Moment, Span

MAX_ENCODED = 50
"""Most facts about such strings in one file."""

# What every such string holds, and what is therefore searched for: "http" encoded, and its base64 in escapes.
_NEEDLES = (b"aHR0c", b"687474703", b"687474707", b"//:ptth", b"//:sptth", rb"\x68\x74\x74\x70", rb"\x61\x48\x52\x30")
_STRING = (
    rb"[\"'`](?:(?P<base64>aHR0c(?:Do|HM)[A-Za-z0-9+/_-]{6,400}={0,2})"
    rb"|(?P<escape>(?:\\x68\\x74\\x74\\x70|\\x61\\x48\\x52\\x30)(?:\\x[0-9a-fA-F]{2}){6,400})"
    rb"|(?P<hex>6874747073?(?:[0-9a-fA-F]{2}){6,400})|(?P<reverse>[!-~]{3,300}//:s?ptth))[\"'`]"
)
_ADDRESS = r"https?://[A-Za-z0-9\[][A-Za-z0-9.\-:\[\]]+(?:[/?#][!-~]*)?"


def encoded_addresses(data: bytes, moment: Moment = Moment.LOAD) -> tuple[Fact, ...]:
    """Return a ``literal.url`` fact for each address that is written in an encoding, in the order of the file."""
    if not any(needle in data for needle in _NEEDLES):
        return ()
    return tuple(_found(data, moment))[:MAX_ENCODED]


def _found(data: bytes, moment: Moment) -> Iterator[Fact]:
    line, position = 1, 0
    for match in _pattern(_STRING).finditer(data):
        way = match.lastgroup or ""
        address = _decoded(way, match[way])
        if address is None:
            continue
        start, end = match.span(way)
        line += data.count(b"\n", position, start)
        position = start
        column = start - (data.rfind(b"\n", 0, start) + 1)
        yield Fact(Kind.LITERAL_URL, address, Span(line, column, start, end), moment, way)


def _decoded(way: str, text: bytes) -> str | None:
    """Return the address, or None: what looks like one from its beginning may be another thing altogether."""
    if way == "hex":
        raw = bytes.fromhex(text[: len(text) - len(text) % 2].decode("ascii"))
    elif way == "reverse":
        raw = text[::-1]
    elif way == "escape":
        raw = bytes.fromhex(text.replace(rb"\x", b"").decode("ascii"))
        return _decoded("base64", raw) if raw.startswith(b"aHR0") else _address(raw)
    else:
        plain = text.rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
        raw = b64decode(plain[: len(plain) - (len(plain) % 4 == 1)] + b"=" * (-len(plain) % 4))
    return _address(raw)


def _address(raw: bytes) -> str | None:
    address = raw.decode("utf-8", "replace").strip()
    return address if re.fullmatch(_ADDRESS, address) else None


@cache
def _pattern(source: bytes) -> re.Pattern[bytes]:
    return re.compile(source)
