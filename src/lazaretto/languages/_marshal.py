"""A bounded reader of CPython's marshal format: code objects, with their names and constants. Builds nothing else.

``marshal.loads`` is not used: hostile bytes can crash the interpreter in it. Here every length is checked against the
bytes that are left, depth and count are bounded, and a number is skipped rather than made.
"""

from typing import Any

from msgspec import Struct

MAX_OBJECTS = 2_000_000
"""Most objects of one marshalled file."""

MAX_NESTING = 200
"""Deepest nesting of one marshalled file."""

MAX_CONSTANTS = 2_000_000
"""Most constants of one file that are looked through for texts, however often they are referred to."""

_AFTER_3_7, _AFTER_3_10 = 3400, 3450
_REFERENCE = 0x80
_FIXED = {ord("i"): 4, ord("I"): 8, ord("g"): 8, ord("y"): 16}
_NOTHING = frozenset(b"0NFTS.")


class Unreadable(Exception):
    """The bytes do not follow the format; the message says where."""


class TooMuch(Unreadable):
    """There is more than is read."""


class Code(Struct, frozen=True):
    """One code object: where it stands, its instructions, the names that it uses, and the texts among its constants."""

    name: str
    start: int
    end: int
    instructions: bytes
    names: tuple[str, ...]
    constants: tuple[str, ...]


class Reader:
    """Reads one value after the other from an offset; ``codes`` collects every code object, inner ones first."""

    def __init__(self, data: bytes, at: int, number: int) -> None:
        self._data = data
        self._at = at
        self._new = number >= _AFTER_3_10
        self._counts = 6 if _AFTER_3_7 <= number < _AFTER_3_10 else 5
        self._references: list[Any] = []
        self._objects = 0
        self._depth = 0
        self._constants = MAX_CONSTANTS
        self.codes: list[Code] = []

    def value(self) -> Any:
        """Return the next value: a text, bytes, a tuple of such, a code object, or None for anything else."""
        self._objects += 1
        self._depth += 1
        if self._objects > MAX_OBJECTS or self._depth > MAX_NESTING:
            raise TooMuch("too many objects, or nested too deeply")
        tag = self._take(1)[0]
        kind, kept = tag & 0x7F, bool(tag & _REFERENCE)
        place = len(self._references)
        if kept:
            self._references.append(None)
        found = self._read(kind)
        if kept:
            self._references[place] = found
        self._depth -= 1
        return found

    def _read(self, kind: int) -> Any:
        sign = chr(kind)
        if kind in _NOTHING:
            return None
        if kind in _FIXED:
            self._take(_FIXED[kind])
        elif sign in "lfx":
            self._number(sign)
        elif sign == "r":
            index = self._size()
            if index >= len(self._references):
                raise Unreadable(f"a reference at offset {self._at} leads nowhere")
            return self._references[index]
        elif sign in "zZuatAs":
            return self._text(sign)
        elif sign in ")([<>":
            count = self._take(1)[0] if sign == ")" else self._size()
            return self._items(count)
        elif sign in "{:":
            self._rest(sign)
        elif sign == "c":
            return self._code()
        else:
            raise Unreadable(f"type {kind:#x} at offset {self._at}")
        return None

    def _text(self, sign: str) -> str | bytes:
        if sign in "zZ":
            return self._take(self._take(1)[0]).decode("latin-1")
        found = self._take(self._size())
        return found if sign == "s" else found.decode("utf-8", "replace")

    def _number(self, sign: str) -> None:
        """Read over digits of 15 bits, or over numbers that are written as text."""
        if sign == "l":
            self._take(2 * abs(self._signed()))
            return
        for _ in range(2 if sign == "x" else 1):
            self._take(self._take(1)[0])

    def _rest(self, sign: str) -> None:
        """Read over a mapping, which ends with nothing, or a slice of three."""
        if sign == ":":
            self._items(3)
            return
        while self._data[self._at : self._at + 1] != b"0":
            self.value()
            self.value()
        self._at += 1

    def _items(self, count: int) -> tuple[Any, ...]:
        if count > len(self._data) - self._at:
            raise Unreadable(f"{count} items at offset {self._at}: more than the file can hold")
        return tuple(self.value() for _ in range(count))

    def _code(self) -> None:
        start = self._at - 1
        self._take(4 * self._counts)
        instructions, constants, names = self.value(), self.value(), self.value()
        for _ in range(2 if self._new else 3):  # names and kinds of variables, or three tuples of names
            self.value()
        self.value()  # the file
        name = self.value()
        if self._new:
            self.value()  # the qualified name
        self._take(4)
        for _ in range(2 if self._new else 1):  # lines, exceptions
            self.value()
        self.codes.append(
            Code(
                name if isinstance(name, str) else "?",
                start,
                self._at,
                instructions if isinstance(instructions, bytes) else b"",
                tuple(one for one in names if isinstance(one, str)) if isinstance(names, tuple) else (),
                tuple(self._texts(constants)),
            )
        )

    def _texts(self, value: Any) -> list[str]:
        """Return the texts of a constant, those in tuples too, each tuple once; bytes as Latin-1."""
        found: list[str] = []
        waiting = [value]
        known: set[int] = set()
        while waiting:
            one = waiting.pop()
            self._constants -= 1
            if self._constants < 0:
                raise TooMuch("too many constants")
            if isinstance(one, str):
                found.append(one)
            elif isinstance(one, bytes):
                found.append(one.decode("latin-1"))
            elif isinstance(one, tuple) and id(one) not in known:  # few bytes can refer to one another without end
                known.add(id(one))
                waiting += reversed(one)
        return found

    def _take(self, size: int) -> bytes:
        found = self._data[self._at : self._at + size]
        if size < 0 or len(found) < size:
            raise Unreadable(f"{size} bytes at offset {self._at} lead out of the file")
        self._at += size
        return found

    def _size(self) -> int:
        return int.from_bytes(self._take(4), "little")

    def _signed(self) -> int:
        return int.from_bytes(self._take(4), "little", signed=True)
