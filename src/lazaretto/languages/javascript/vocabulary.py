"""The words of a text, each once: what is not among them need not be looked for.

Cutting a text at everything that is no word character costs less than one regular expression with many
alternatives or a search for each of a hundred words, and every reader of the text can use it.
"""

import re
from collections.abc import Iterable
from functools import cache, cached_property

_CHUNK = 256 * 1024
"""How much is cut up at once: the words of a large file would take more room than its tree."""

_WORD = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
_BLANKED = bytes(byte if byte in _WORD else 32 for byte in range(256))


class Vocabulary:
    """The words of one text."""

    def __init__(self, words: set[bytes]) -> None:
        self.words = words

    @cached_property
    def _text(self) -> bytes:
        return b" ".join(self.words)

    def may_hold(self, part: bytes) -> bool:
        """Whether this may stand in the text: whether what it has of a word stands in one."""
        return _longest_run(part) in self._text


@cache
def _longest_run(part: bytes) -> bytes:
    return max(re.findall(rb"[0-9A-Za-z_]+", part), key=len, default=b"")


def vocabulary(data: bytes) -> Vocabulary:
    """Return the words of a text, bounded as regular expressions bound words."""
    blanked = data.translate(_BLANKED)
    if len(data) <= _CHUNK:
        return Vocabulary(set(blanked.split()))
    found: set[bytes] = set()
    start = 0
    while start < len(blanked):
        end = blanked.find(b" ", start + _CHUNK)
        end = len(blanked) if end < 0 else end
        found.update(blanked[start:end].split())
        start = end
    return Vocabulary(found)


def together(parts: Iterable[Vocabulary]) -> Vocabulary:
    """Return the words of a text that was cut at ends of lines, from those of its parts."""
    return Vocabulary(set().union(*(part.words for part in parts)))
