"""Fingerprints of code: what two programs have in common when names, numbers and layout are taken away.

Tokens are normalised (identifiers, numbers and strings lose their text), runs of five of them are hashed, and the
smallest hashes are kept: a bottom-k sketch (Broder, 1997), from which the share of common runs is estimated.
"""

import re
import zlib
from collections.abc import Iterable

from lazaretto.core import locality

SIZE = 64
"""Hashes kept of one fingerprint."""

MAX_CODE = 256 << 10
"""Bytes of one file that a fingerprint is made of; what follows is left out."""

_RUN = 5
_LEAST = 24
"""Different runs that code must have, or its fingerprint says nothing."""

PREFIX = "minhash:"
"""What a fingerprint begins with."""

_WIDTH = 8
# A quote that nothing closes is one token all the same: from each of many, the rest would be read again.
_TOKEN = re.compile(
    rb"""(?P<s>"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?|`(?:[^`\\]|\\.)*`?)"""
    rb"|(?P<n>\d[\w.]*)|(?P<w>[A-Za-z_$][\w$]*)|(?P<p>[^\s\w])"
)
_KEPT = frozenset(
    b"if else for while do switch case return function class new try catch finally throw await async yield import "
    b"from export const let var def lambda with as in not and or eval exec require".split()
)


def shape(data: bytes) -> str | None:
    """Return the fingerprint of a file's code, or None if there is too little of it."""
    words = [_normal(match) for match in _TOKEN.finditer(data[:MAX_CODE])]
    runs = {zlib.crc32(b" ".join(words[at : at + _RUN])) for at in range(len(words) - _RUN + 1)}
    if len(runs) < _LEAST:
        return None
    return PREFIX + "".join(f"{one:0{_WIDTH}x}" for one in sorted(runs)[:SIZE])


def likeness(one: str, other: str) -> float:
    """Return the estimated share of runs that two fingerprints have in common, from 0 to 1.

    Of two digests of their bytes, how near these lie.
    """
    if one.startswith(locality.PREFIX):
        return locality.likeness(one, other)
    left, right = _hashes(one), _hashes(other)
    if not left or not right:
        return 0.0
    union = sorted(left | right)[:SIZE]
    return sum(value in left and value in right for value in union) / len(union)


def nearest(one: str, others: Iterable[str]) -> float:
    """Return the greatest likeness to any of the others."""
    return max((likeness(one, other) for other in others), default=0.0)


def _hashes(text: str) -> frozenset[str]:
    body = text.removeprefix(PREFIX)
    if body == text or len(body) % _WIDTH:
        return frozenset()
    return frozenset(body[at : at + _WIDTH] for at in range(0, len(body), _WIDTH))


def _normal(match: "re.Match[bytes]") -> bytes:
    kind, text = match.lastgroup, match[0]
    if kind == "w":
        return text if text in _KEPT else b"w"
    return text if kind == "p" else (kind or "").encode()
