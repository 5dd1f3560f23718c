"""Lines for a terminal: wrapped to its width in columns, painted after they are measured, no space at their ends."""

from collections.abc import Iterator

_COLOURS = {"allow": "32", "hold": "33", "block": "31", "dim": "2", "bold": "1", "decoded": "36"}
_MIN_TEXT = 24
"""Columns that text keeps however deep it is nested."""


_COLON = "\\u{3a}"


def quiet(text: str) -> str:
    """Return text in which a CI runner finds no command: ``##[`` and ``##vso[`` act wherever they stand in a line."""
    return text.replace("##", "#\\u{23}") if "##[" in text or "##vso" in text else text


def columns(text: str) -> int:
    """Return how many columns a text takes: East Asian wide and fullwidth characters take two (Unicode UAX 11)."""
    if text.isascii():
        return len(text)
    from unicodedata import east_asian_width

    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def cut(text: str, width: int) -> str:
    """Return as much of a text as fits into ``width`` columns, with an ellipsis if something is missing."""
    return text if columns(text) <= width else f"{_fitting(text, width - 1).rstrip()}…"


def wrapped(text: str, first: int, rest: int) -> Iterator[str]:
    """Yield the text in lines of at most ``first``, then ``rest`` columns, broken in words only if need be.

    No line begins with ``::``, not even an indented one: a CI runner would take it for a command to itself.
    """
    if "::" in text:
        spare = len(_COLON) - 1
        for line in _broken(text, max(1, first - spare), max(1, rest - spare)):
            yield _COLON + line[1:] if line.startswith("::") else line
    else:
        yield from _broken(text, first, rest)


def _broken(text: str, first: int, rest: int) -> Iterator[str]:
    width, line = first, ""
    for word in text.split():
        piece = word
        joined = f"{line} {piece}" if line else piece
        if columns(joined) <= width:
            line = joined
            continue
        if line:
            yield line
            width, line = rest, ""
        while columns(piece) > width:
            head = _head(piece, width)
            yield head
            piece, width = piece[len(head) :], rest
        line = piece
    if line:
        yield line


def _head(text: str, width: int) -> str:
    """Return the longest beginning that fits; at least one character, so that whoever wraps comes to an end."""
    return _fitting(text, width) or text[:1]


def _fitting(text: str, width: int) -> str:
    if text.isascii():
        return text[: max(0, width)]
    taken = used = 0
    for character in text:
        used += columns(character)
        if used > width:
            break
        taken += 1
    return text[:taken]


class Paper:
    """Lines under construction, ``width`` columns wide."""

    def __init__(self, width: int, *, colour: bool) -> None:
        self._colour = colour
        self._width = max(40, width)
        self.lines: list[str] = []

    def add(self, text: str = "") -> None:
        """Add a line as it is."""
        self.lines.append(text)

    def paint(self, text: str, colour: str | None) -> str:
        """Return text in a colour, if there are colours."""
        return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if self._colour and colour and text else text

    def wrap(self, text: str, indent: str = "", hang: str = "  ", colour: str | None = None) -> None:
        """Add text in as many lines as it takes; ``hang`` is added to the indent of all but the first."""
        indent, room = self._room(indent)
        for number, line in enumerate(wrapped(quiet(text), room, room - len(hang))):
            self.add(f"{indent}{hang if number else ''}{self.paint(line, colour)}")

    def quote(self, text: str, indent: str) -> None:
        """Add a line of code, cut to what fits; its own indent says nothing here."""
        indent, room = self._room(indent)
        if text.strip():
            self.add(f"{indent}{self.paint('|', 'dim')} {cut(quiet(text.strip()), room - 2)}")

    def row(self, left: str, right: str = "", indent: str = "", word: str = "", colour: str | None = "bold") -> None:
        """Add a line with a figure flush right; ``word``, a verdict, stands before it in its colour.

        What does not fit beside the figure goes on below.
        """
        indent, room = self._room(indent)
        room -= len(word) + 1 if word else 0
        head = f"{self.paint(word.upper(), word)} " if word else ""
        beside = room - columns(right) - 1 if right else room
        lines = list(wrapped(quiet(left), max(1, beside), room)) or [""]
        gap = " " * max(1, room - columns(lines[0]) - columns(right)) if right else ""
        self.add(f"{indent}{head}{self.paint(lines[0], colour)}{gap}{right}")
        under = " " * (len(word) + 1 if word else 2)
        for line in lines[1:]:
            self.add(f"{indent}{under}{self.paint(line, colour)}")

    def text(self) -> str:
        """Return all lines, with one line feed at the end."""
        return "\n".join(line.rstrip() for line in self.lines).strip("\n") + "\n"

    def _room(self, indent: str) -> tuple[str, int]:
        """Return the indent, less of it where it would leave no room for text, and the columns beside it."""
        kept = indent[: max(0, self._width - _MIN_TEXT)]
        return kept, self._width - len(kept)


def plural(count: int, one: str, several: str | None = None) -> str:
    """Return a count with its noun: ``1 file``, ``2 files``."""
    return f"{count} {one if count == 1 else several or one + 's'}"
