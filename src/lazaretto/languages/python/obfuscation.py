"""Ways of writing that no person chooses: names that look alike, names in hexadecimal, packers' marks."""

import re
from functools import cache

_MASK = b"I" * 8
_ALIKE = bytes(ord("I") if byte in b"IlO01_" else 0 for byte in range(256))
"""Makes one byte of all that look alike: a name of them is then found much faster than by a pattern."""

_SLICED = b".__str__()["
"""How names are cut out of the names of other things, one character at a time."""

LEAST_NAMES = 5
"""So many different look-alike names make a style."""


@cache
def _alike() -> re.Pattern[bytes]:
    return re.compile(rb"[IlO01_]{8,}")


@cache
def _hexed() -> re.Pattern[bytes]:
    return re.compile(rb"\b_0x[0-9a-f]{4,}\b")


def styles(data: bytes) -> list[tuple[str, int, int]]:
    """Return (style, start, end) for each style of obfuscation that the names of a file show."""
    found: list[tuple[str, int, int]] = []
    first: dict[str, tuple[int, int]] = {}
    names: dict[str, set[bytes]] = {}
    for match in _alike().finditer(data) if _MASK in data.translate(_ALIKE) else ():
        name = match.group()
        if name[0] in b"01" or len(set(name) - {ord("_")}) < 2 or _in_word(data, *match.span()):
            continue
        first.setdefault("confusable-names", match.span())
        names.setdefault("confusable-names", set()).add(name)
    for match in _hexed().finditer(data) if b"_0x" in data else ():
        first.setdefault("hex-names", match.span())
        names.setdefault("hex-names", set()).add(match.group())
    for style, seen in sorted(names.items()):
        if len(seen) >= LEAST_NAMES:
            found.append((style, *first[style]))
    if data.count(_SLICED) >= LEAST_NAMES:
        at = data.find(_SLICED)
        found.append(("sliced-names", at, at + len(_SLICED)))
    for needle in (b"__pyarmor__", b"pyarmor_runtime"):
        at = data.find(needle)
        if at >= 0:
            found.append(("pyarmor", at, at + len(needle)))
            break
    return found


def sealed(data: bytes) -> list[tuple[int, str]]:
    """Return (offset, reason) where a file is a locked box: only its own native loader can read what it does."""
    found = _sealed().search(data) if _LOADER in data else None
    return [(found.start(), "sealed by PyArmor: its code cannot be read")] if found else []


_LOADER = b"__pyarmor__"


@cache
def _sealed() -> re.Pattern[bytes]:
    return re.compile(rb"(?m)^__pyarmor__\(")


def _in_word(data: bytes, start: int, end: int) -> bool:
    around = data[start - 1 : start] + data[end : end + 1]
    return any(byte in b"\"'" or byte in _WORD for byte in around)


_WORD = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")
