"""Where the texts and comments of a source are, as every version of Python agrees.

The reference manual's lexical analysis (2.4) is enough for that: a quote begins a text wherever it stands outside one,
and the same quote ends it. Only replacement fields are read differently since Python 3.12 (PEP 701), where they may
hold quotes of their own. Where it would matter, the answer is that nobody knows.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator

_BEGIN = re.compile(rb"#[^\n]*|(\w*)(\"\"\"|'''|\"|')")
_ENDS = {
    b'"': re.compile(rb'(?:[^"\\\n]|\\.)*+"', re.DOTALL),
    b"'": re.compile(rb"(?:[^'\\\n]|\\.)*+'", re.DOTALL),
    b'"""': re.compile(rb'(?:[^"\\]|\\.|"(?!""))*+"""', re.DOTALL),
    b"'''": re.compile(rb"(?:[^'\\]|\\.|'(?!''))*+'''", re.DOTALL),
}
_FIELD = re.compile(rb"\{[^{}'\"\\#\n]*\}")
_FEW = 50
"""Lines of comment in a row that the parser takes in its stride: from each of them it reads all that follow again."""
_MANY_COMMENTS = re.compile(rb"(?:^[ \t\f]*+#[^\n]*+\n(?:[ \t\f\r]*+\n)*+){%d,}+" % _FEW, re.MULTILINE)
_ESCAPE = b"\x1b"
"""In a stateful encoding (ISO 2022) it turns quotes into halves of characters."""


class Texts:
    """The texts and comments of UTF-8 source, as far as they are known from its start on."""

    def __init__(self, data: bytes) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        at = 0 if _ESCAPE not in data else len(data)
        while (begin := _BEGIN.search(data, at)) is not None:
            quote = begin.group(2)
            at = begin.end() if quote is None else _end(data, begin, quote)
            if at < 0:
                return
            self._starts.append(begin.start())
            self._ends.append(at)

    def comments(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Yield where the known comments of this source begin and end."""
        for start, end in zip(self._starts, self._ends, strict=True):
            if data.startswith(b"#", start):
                yield start, end

    def hold(self, offset: int) -> bool:
        """Whether it is known that a text or a comment stands at a byte offset."""
        number = bisect_right(self._starts, offset) - 1
        return number >= 0 and offset < self._ends[number]


def without_many_comments(data: bytes) -> bytes:
    """Return source of the same length, in which many lines of comment in a row are blank."""
    runs = [match.span() for match in _MANY_COMMENTS.finditer(data)]
    if not runs:
        return data
    starts = [start for start, _end in runs]
    blanked = bytearray(data)
    for start, end in Texts(data).comments(data):
        number = bisect_right(starts, start) - 1
        if number >= 0 and start < runs[number][1]:
            blanked[start:end] = b" " * (end - start)
    return bytes(blanked)


def _end(data: bytes, begin: re.Match[bytes], quote: bytes) -> int:
    """Return where a text ends; -1 if it does not, or not everywhere at the same place."""
    found = _ENDS[quote].match(data, begin.end())
    if found is None:
        return -1
    prefix = begin.group(1).lower()
    if len(prefix) <= 2 and not {102, 116}.isdisjoint(prefix):  # f, t
        body = found.group()[: -len(quote)].replace(b"{{", b"").replace(b"}}", b"")
        left = _FIELD.sub(b"", _FIELD.sub(b"", body))  # fields may stand in the format of another
        if b"{" in left or b"}" in left:
            return -1
    return found.end()
