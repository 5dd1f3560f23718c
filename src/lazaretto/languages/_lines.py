"""Places in a text: the offsets of its lines are found once, so that many places cost no more than one."""

from bisect import bisect_right

from lazaretto.core.facts import Span


class Lines:
    """The lines of a text, or of the bytes of a file."""

    def __init__(self, text: str | bytes) -> None:
        self._starts = [0]
        at = self._find(text, 0)
        while at >= 0:
            self._starts.append(at + 1)
            at = self._find(text, at + 1)

    def span(self, start: int, end: int) -> Span:
        """Return the place between two offsets."""
        line = bisect_right(self._starts, start)
        return Span(line, start - self._starts[line - 1], start, end)

    @staticmethod
    def _find(text: str | bytes, at: int) -> int:
        return text.find("\n", at) if isinstance(text, str) else text.find(b"\n", at)


class LinesAhead:
    """Turns offsets into lines and columns; the offsets must not go back."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._line = 1
        self._counted = 0

    def at(self, offset: int) -> tuple[int, int]:
        """Return the 1-based line and the 0-based column in bytes."""
        self._line += self._data.count(b"\n", self._counted, offset)
        self._counted = offset
        return self._line, offset - self._data.rfind(b"\n", 0, offset) - 1
