"""Pickles: the opcodes read as a list, never run: which names they import and call, and with what.

A pickle is a program for a small stack machine (CPython's ``pickletools``). The stack is followed with values that
are known: texts, tuples, names. What it would call is told by name; nothing is looked up, and nothing is built.

## What it cannot see
What a called function of the package itself does with the pickled values; arguments that the pickle computes by
calling something; files that ``joblib`` or ``torch`` write in formats of their own around the pickle, beyond the first
byte that is no opcode (which is said).
"""

from collections.abc import Iterable, Iterator

from lazaretto.core.facts import MAX_VALUE, Fact, Facts, Kind, Problem
from lazaretto.core.inner import Inner
from lazaretto.core.language import Claim, Units
from lazaretto.languages._magic import ARRAY
from lazaretto.languages._opcodes import Machine

ID = "pickle"
VERSION = 3
DIALECTS = ("pickle",)
"""Every dialect that ``read`` takes."""

MAX_BYTES = 64 * 1024 * 1024
"""Longest pickle that is read, in bytes."""

_ENDINGS = (".pkl", ".pickle")
_OLD = frozenset(b"(]}c)lNIKJVSU")
"""First bytes of a pickle of the protocols 0 and 1, which have no header."""


def claim(path: str, data: bytes) -> Claim | None:
    """Offer to read old pickles by their ending; of later ones ``binary`` says what they are, and hands them over."""
    if path.lower().endswith(_ENDINGS) and data[:1] and data[0] in _OLD and data.rstrip().endswith(b"."):
        return Claim("pickle", 65)
    return Claim("pickle", 60) if data[:1] == b"\x80" and data[1:2] in b"\2\3\4\5" and data.endswith(b".") else None


def read(dialect: str, data: bytes, units: Units) -> Facts:
    """Return the facts of a pickle. Never raises: what is no opcode, or does not hold, is a problem."""
    if len(data) > MAX_BYTES:
        return Facts(
            ID, problems=(Problem(1, f"a pickle of {len(data)} bytes is longer than {MAX_BYTES}", unread=True),)
        )
    machine = Machine(data, _start(data))
    machine.run()
    return Facts(ID, tuple(machine.facts.values()), (), tuple(machine.problems))


def _start(data: bytes) -> int:
    """Return where the pickle begins: behind the header, if it is that of an array (NEP 1)."""
    if not data.startswith(ARRAY):
        return 0
    wide = 2 if data[6:7] == b"\1" else 4
    return 8 + wide + int.from_bytes(data[8 : 8 + wide], "little")


def inner(dialect: str, data: bytes, facts: Facts) -> Iterable[Inner | Problem]:
    """Yield the code and the commands that the pickle would run, also those that are too long for a fact."""
    whole: dict[Fact, str] = {}
    if any(len(fact.value or "") >= MAX_VALUE for fact in facts.facts):
        machine = Machine(data, _start(data))
        machine.run()
        whole = machine.whole
    return (part for fact in facts.facts if fact.value for part in _part(fact, whole.get(fact, fact.value)))


def _part(fact: Fact, value: str) -> Iterator[Inner]:
    if fact.kind is Kind.CODE_EVAL and fact.via == "pickle":
        yield Inner(value.encode("utf-8", "replace"), "python", places=(fact.span,), step="pickle", lenient=True)
    elif fact.kind is Kind.PROCESS_SPAWN and fact.via == "pickle":
        yield Inner(value.encode("utf-8", "replace"), "command", places=(fact.span,), step="pickle", lenient=True)
