"""Ways of writing that no person chooses: names that look alike, names in hexadecimal, packers' marks."""

import re
from functools import cache

LEAST_NAMES = 5
"""So many different look-alike names make a style."""


@cache
def _names() -> re.Pattern[bytes]:
    return re.compile(rb"(?<![A-Za-z0-9_\"'])(?=[IlO01_]{8,}(?![A-Za-z0-9_]))[IlO_][IlO01_]*|\b_0x[0-9a-f]{4,}\b")


def styles(data: bytes) -> list[tuple[str, int, int]]:
    """Return (style, start, end) for each style of obfuscation that the names of a file show."""
    found: list[tuple[str, int, int]] = []
    first: dict[str, tuple[int, int]] = {}
    names: dict[str, set[bytes]] = {}
    for match in _names().finditer(data):
        name = match.group()
        style = "hex-names" if name.startswith(b"_0x") else "confusable-names"
        if style == "confusable-names" and len(set(name) - {ord("_")}) < 2:
            continue
        first.setdefault(style, match.span())
        names.setdefault(style, set()).add(name)
    for style, seen in sorted(names.items()):
        if len(seen) >= LEAST_NAMES:
            found.append((style, *first[style]))
    for needle in (b"__pyarmor__", b"pyarmor_runtime"):
        at = data.find(needle)
        if at >= 0:
            found.append(("pyarmor", at, at + len(needle)))
            break
    return found
