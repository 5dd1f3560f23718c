"""What words fold to, and one command with its folded arguments."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct


class Value(Struct, frozen=True):
    """A text of which ``known`` says whether it is complete (else it shows the source of what is unknown).

    ``taint`` holds the indices of the facts it came from; ``via`` the decode chain.
    """

    text: str
    known: bool = True
    taint: tuple[int, ...] = ()
    via: str = "plain"


NOTHING = Value("")
"""An empty output."""


class Call(Struct, frozen=True):
    """One command about to run: its name (no folder, no ``.exe``) and its arguments."""

    name: str
    program: Value
    args: tuple[Value, ...]
    stdin: Value | None
    start: int
    end: int

    @property
    def text(self) -> str:
        """The command line, folded."""
        return " ".join(value.text for value in (self.program, *self.args))

    @property
    def taint(self) -> tuple[int, ...]:
        """Every fact that an argument or the input came from."""
        return merge(*(value.taint for value in self.args), self.stdin.taint if self.stdin else ())

    def output(self, *taint: int) -> Value:
        """Return what the command prints when that is not followed: unknown, from ``taint`` and the arguments."""
        return Value(f"$({self.text})", known=False, taint=merge(self.taint, taint))

    def inner(self, name: str, args: tuple[Value, ...]) -> Call:
        """Return the command that this one runs (``sudo``, ``xargs``)."""
        return Call(name, args[0], args[1:], self.stdin, self.start, self.end)


class Options(Struct, frozen=True):
    """Arguments, told apart: ``given`` in order, with a value where the option takes one; ``operands``."""

    given: tuple[tuple[str, Value], ...]
    operands: tuple[Value, ...]

    def get(self, *names: str) -> Value | None:
        """Return the value of the last of these options, or None."""
        return next((value for name, value in reversed(self.given) if name in names), None)

    def all(self, *names: str) -> Iterator[Value]:
        """Yield the values of all of these options."""
        return (value for name, value in self.given if name in names)

    def has(self, *names: str) -> bool:
        """Whether one of these options is given."""
        return any(name in names for name, _ in self.given)


def options(
    args: tuple[Value, ...], short: str = "", long: frozenset[str] = frozenset(), *, first: bool = False
) -> Options:
    """Tell options from operands as getopt does.

    ``short`` lists the letters and ``long`` the words that take a value; ``first`` stops at the first operand.
    """
    given: list[tuple[str, Value]] = []
    operands: list[Value] = []
    index = 0
    while index < len(args):
        text = args[index].text
        index += 1
        if text == "--":
            operands += args[index:]
            break
        if text.startswith("--"):
            name, equals, inline = text.partition("=")
            if equals:
                given.append((name, Value(inline, args[index - 1].known, args[index - 1].taint, args[index - 1].via)))
            elif name[2:] in long and index < len(args):
                given.append((name, args[index]))
                index += 1
            else:
                given.append((name, NOTHING))
        elif text.startswith("-") and len(text) > 1 and not args[index - 1].text.startswith("- "):
            index = _letters(args, index, short, given)
        else:
            operands.append(args[index - 1])
            if first:
                operands += args[index:]
                break
    return Options(tuple(given), tuple(operands))


def _letters(args: tuple[Value, ...], index: int, short: str, given: list[tuple[str, Value]]) -> int:
    """Take a cluster of letters; the first that wants a value gets the rest, or the next argument."""
    word = args[index - 1]
    for at, letter in enumerate(word.text[1:], 1):
        if letter not in short:
            given.append((f"-{letter}", NOTHING))
            continue
        rest = word.text[at + 1 :]
        if rest:
            given.append((f"-{letter}", Value(rest, word.known, word.taint, word.via)))
        elif index < len(args):
            given.append((f"-{letter}", args[index]))
            index += 1
        else:
            given.append((f"-{letter}", NOTHING))
        break
    return index


def merge(*taints: tuple[int, ...]) -> tuple[int, ...]:
    """Return the union in ascending order."""
    return tuple(sorted({index for taint in taints for index in taint}))
