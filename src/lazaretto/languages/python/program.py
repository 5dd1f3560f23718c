"""From source to facts: parse, lower, run the load-time code, follow what is worth it, tell when it runs."""

import re
from bisect import bisect_right
from functools import cache
from typing import Any

from msgspec import Struct

from lazaretto.core.facts import Facts, Kind, Moment
from lazaretto.core.names import Digest
from lazaretto.languages._addressed import addressed
from lazaretto.languages._encoded import encoded_addresses
from lazaretto.languages._hidden import FAR, hidden_text
from lazaretto.languages.python import literals, obfuscation, ports, strings
from lazaretto.languages.python.calls import asked, survey
from lazaretto.languages.python.ir import DEEP, Node
from lazaretto.languages.python.literals import Mark
from lazaretto.languages.python.lower import PYTHON_2, Lowerer
from lazaretto.languages.python.machine import Machine
from lazaretto.languages.python.misread import unexplained
from lazaretto.languages.python.record import Record
from lazaretto.languages.python.scope import Code, Frame, Function
from lazaretto.languages.python.syntax import ODD_ENCODINGS, Source, parse
from lazaretto.languages.python.values import Value, constant

MAX_BYTES = 32 * 1024 * 1024
"""Longest file that is parsed."""

MAX_ROUNDS = 100
"""How many functions deep, each made by the one around it, functions that nobody calls are followed."""


class Piece(Struct):
    """A lowered piece of a file: the whole, or one cut. Offsets are relative to ``base``."""

    data: bytes
    base: int
    block: list[Any]
    marks: list[Mark]
    problems: list[tuple[int, str]]
    errors: bool
    lowerer: Lowerer
    digest: Digest | None = None
    """Under which it is to be remembered, if it is new."""

    def found(self) -> list[tuple[int, str]]:
        """Return every problem of the piece, also of what was lowered later."""
        return [*self.problems, *self.lowerer.problems]


def lower_piece(data: bytes, base: int = 0, *, eager: bool = False) -> Piece:
    """Parse and lower one piece of UTF-8 source; ``eager``: also the bodies of all functions."""
    root = parse(data)
    lowerer = Lowerer(data, eager=eager)
    block = lowerer.block(root)
    wrong = (unexplained(root, data) if root.has_error else []) + lowerer.problems
    lowerer.problems = []
    marks = literals.import_marks(root, data) + literals.marks(root, data)
    return Piece(data, base, block, marks, wrong, root.has_error, lowerer)


def lower_literal(data: bytes) -> Node:
    """Return the lowered form of one big literal."""
    lowerer = Lowerer(data, tables=True)
    block = lowerer.block(parse(data))
    return block[0][3] if block and block[0][0] == "expr" else ["opaque", 0, 0, []]


def read_pieces(source: Source, pieces: list[Piece], language: str) -> Facts:
    """Return the facts of a file from its lowered pieces."""
    record = Record()
    vm = Machine(record)
    if is_setup(source.data):
        vm.main_moment = Moment.LOAD
    block: list[Node] = []
    for piece in pieces:
        block.append(["piece", 0, 0, Code(piece.data, piece.base, lowerer=piece.lowerer, broken=piece.errors)])
        block.extend(piece.block)
        vm.chooser.imported |= literals.imported_words(piece.marks)
    frame = Frame(Code(b""), Moment.LOAD)
    _document(frame, source.data)
    vm.run(block, frame)
    vm.settle(frame)
    asked(vm, frame)
    vm.scope_flows(frame)
    follow(vm, frame)
    ports.settle(vm, frame)
    tell_marks(vm, pieces)
    tell_text(vm, source)
    for piece in pieces:
        for offset, reason in piece.found():
            record.problem(offset + piece.base, reason, unread=reason in DEEP)
    vm.release(frame)
    return record.finish(language, source)


def _document(frame: Frame, data: bytes) -> None:
    """Bind ``__doc__``, if it is used: a program may be written in it."""
    found = _docstring().match(data) if b"__doc__" in data else None
    if found is not None:
        frame.names["__doc__"] = constant(strings.string(found[1]), ("file",))


@cache
def _names_nothing() -> re.Pattern[str]:
    """Return what finds an import of a name that came out empty, as in a branch that is never taken: it cannot run."""
    return re.compile(r"\s*(?:import|from)\s*")


@cache
def _docstring() -> re.Pattern[bytes]:
    body = rb"(?:[^\\]|\\.)*?"
    quoted = rb"|".join(quote + body + quote for quote in (rb'"""', rb"'''", rb'"', rb"'"))
    return re.compile(rb"(?:\s|#[^\n]*\n)*([rRuU]?(?:" + quoted + rb"))", re.DOTALL)


def is_setup(data: bytes) -> bool:
    """Whether a file is a build script, which runs as the main program."""
    return b"setup(" in data and (b"setuptools" in data or b"distutils" in data)


def follow(vm: Machine, frame: Frame) -> None:
    """Follow the functions that nobody called, as far as their text names anything that matters."""
    for _ in range(MAX_ROUNDS):
        waiting = [function for function in vm.functions if not function.runs]
        vm.chooser.names.add_all(frame, vm.functions)
        chosen = vm.chooser.choose(waiting)
        if not chosen:
            return
        for function in chosen:
            maker = function.owner.find("__init__") if function.owner is not None else None
            for one in (maker.ref if maker is not None else None, function):
                # What an object is made of its methods use: its constructor goes first.
                if isinstance(one, Function) and not one.runs and (one is function or len(one.parameters) > 1):
                    survey(vm, one)
    vm.record.problem(0, "functions made by functions by functions: not followed to the end", unread=True)


def tell_marks(vm: Machine, pieces: list[Piece]) -> None:
    """Note imports and literals, each with the moment of the function that it stands in."""
    ranges = sorted(
        (*function.code.place(function.slot.inner, function.slot.end), function.loaded)
        for function in vm.functions
        if function.slot is not None and function.code.fixed is None
    )
    ranges += [(start, end, False) for start, end in vm.call_ranges]
    moments = _Moments(sorted(ranges))
    seen: set[tuple[str, str, Moment]] = set()
    touched = [(e.start, e.end) for e in vm.record.entries if e.kind is Kind.WALLET_TOUCH]
    for piece in pieces:
        base = piece.base
        for kind, value, start, end in sorted(piece.marks, key=lambda mark: mark[2]):
            moment = moments.at(start + base)
            if kind == Kind.WALLET_TOUCH and any(first <= start + base < last for first, last in touched):
                continue  # told already, where it is used
            if (kind, value, moment) not in seen:
                seen.add((kind, value, moment))
                vm.record.add(Kind(kind), value, (start + base, end + base), moment)


class _Moments:
    """Answers when a place runs, from the ranges of functions and of the main guard."""

    def __init__(self, ranges: list[tuple[int, int, bool]]) -> None:
        self._starts = [start for start, _, _ in ranges]
        self._ranges = ranges

    def at(self, offset: int) -> Moment:
        """Return the moment of the innermost range that holds the offset; a CALL around it is not undone."""
        at = bisect_right(self._starts, offset) - 1
        for index in range(at, max(at - 400, -1), -1):
            start, end, loaded = self._ranges[index]
            if start <= offset < end:
                return Moment.LOAD if loaded else Moment.CALL
        return Moment.LOAD


def tell_text(vm: Machine, source: Source) -> None:
    """Note what the text itself shows: hidden characters, obfuscated names, an encoding that hides."""
    for fact in (*(hidden_text(source.raw) if _may_hide(source.raw) else ()), *addressed(source.raw)):
        vm.record.add(fact.kind, fact.value, (fact.span.start, fact.span.end), fact.moment)
    for fact in encoded_addresses(source.data):
        vm.record.add(fact.kind, fact.value, (fact.span.start, fact.span.end), fact.moment, fact.via)
    for style, start, end in obfuscation.styles(source.data):
        vm.record.add(Kind.OBFUSCATED, style, (start, end), Moment.LOAD)
    for offset, reason in obfuscation.sealed(source.data):
        vm.record.problem(offset, reason)
    if source.encoding in ODD_ENCODINGS:
        vm.record.add(Kind.HIDDEN_TEXT, f"encoding {source.encoding}", (0, 0), Moment.LOAD)


_TABS = bytes.maketrans(b"\t", b" ")


def _may_hide(data: bytes) -> bool:
    """A quick look that spares plain ASCII without long runs of blanks the search for hidden text."""
    return not data.isascii() or b" " * FAR in data.translate(_TABS)


def run_text(
    vm: Machine,
    text: str,
    place: tuple[int, int],
    frame: Frame,
    via: tuple[str, ...],
    *,
    main: bool,
    own: bool = False,
    whole: bool = True,
) -> Value | None:
    """Read decoded text as code that runs at a place; ``main``: as a program of its own.

    ``own``: it is called what this module is called: what it keeps for a main program runs when this one is that.
    ``whole``: the text is known in full, so that what cannot be parsed is a problem and not a hole in it.
    """
    if _names_nothing().fullmatch(text):
        return None
    data = text.encode("utf-8", "replace")
    piece = lower_piece(data, eager=True)
    code = Code(data, 0, place, frame.code.via + via, frame.code.depth + 1)
    vm.kept.extend(piece.block)
    for _, reason in piece.found() if whole else ():
        if reason == PYTHON_2:
            continue  # an evaluator of today refuses it; what it would do is told all the same
        vm.record.problem(place[0], f"code given to an evaluator: {reason}", unread=reason in DEEP)
    chain = ">".join(code.via) if code.via else "plain"
    for kind, shown, _, _ in piece.marks:
        vm.record.add(Kind(kind), shown, place, frame.moment, chain)
    inner = Frame(code, frame.moment) if main else frame
    before, frame.code = frame.code, code
    guard = vm.main_moment
    if not own:
        vm.main_moment = frame.moment
    value: Value | None = None
    if len(piece.block) == 1 and piece.block[0][0] == "expr":
        value = vm.ev(piece.block[0][3], inner)
    else:
        vm.run(piece.block, inner)
        vm.settle(inner)
    if main:
        vm.scope_flows(inner)
    frame.code, vm.main_moment = before, guard
    return value
