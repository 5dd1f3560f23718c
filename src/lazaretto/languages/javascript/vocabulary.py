"""The words of a text, each once: what is not among them need not be looked for.

Cutting a text at everything that is no word character costs less than one regular expression with many
alternatives or a search for each of a hundred words, and every reader of the text can use it.
"""

_CHUNK = 256 * 1024
"""How much is cut up at once: the words of a large file would take more room than its tree."""

_WORD = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
_BLANKED = bytes(byte if byte in _WORD else 32 for byte in range(256))


def vocabulary(data: bytes) -> set[bytes]:
    """Return the words of a text, bounded as regular expressions bound words."""
    blanked = data.translate(_BLANKED)
    if len(data) <= _CHUNK:
        return set(blanked.split())
    found: set[bytes] = set()
    start = 0
    while start < len(blanked):
        end = blanked.find(b" ", start + _CHUNK)
        end = len(blanked) if end < 0 else end
        found.update(blanked[start:end].split())
        start = end
    return found
