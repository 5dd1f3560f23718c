"""Reading one file: parse, evaluate, and put the facts together."""

from collections import deque
from typing import Any

from lazaretto.core.facts import Facts, Moment, Problem
from lazaretto.core.language import Units
from lazaretto.languages.javascript import exporting, grammar, graph, literals, seeds, style
from lazaretto.languages.javascript.endless import loops
from lazaretto.languages.javascript.interp import Interpreter, Thrown
from lazaretto.languages.javascript.keys import Keys
from lazaretto.languages.javascript.pieces import PieceReader
from lazaretto.languages.javascript.record import Recorder
from lazaretto.languages.javascript.source import Source, Unit
from lazaretto.languages.javascript.values import UNKNOWN, Scope, Sym
from lazaretto.languages.javascript.vocabulary import Vocabulary, vocabulary

SMALL_FILE = 64 * 1024
TOO_DEEP = "nested too deeply to be followed everywhere"


def read_file(dialect: str, data: bytes, units: Units) -> Facts:
    """Return the facts of a file. Never raises on any bytes."""
    if len(data) > grammar.MAX_BYTES:
        reason = f"larger than {grammar.MAX_BYTES} bytes: not read"
        return Facts(language="javascript", problems=(Problem(line=1, reason=reason, unread=True),))
    record = Recorder()
    source = Source(dialect)
    problems, words = _evaluate(dialect, data, source, record, units)
    style.mark(data, words, record)
    facts, flows, more, passing = record.finish(data)
    return Facts("javascript", facts, flows, (*problems, *more), *passing)


def _evaluate(
    dialect: str, data: bytes, source: Source, record: Recorder, units: Units
) -> tuple[tuple[Problem, ...], Vocabulary]:
    """Record what the code does; return what was not understood, and the words of the file."""
    _make_room(len(data))
    pieces = PieceReader(dialect, units)
    shell = pieces.read(data)
    if shell is not None:
        literals.collect(sorted(pieces.literals, key=lambda found: found[1:]), record)
        source.seeds = sorted(pieces.words)
        words = pieces.vocabulary(data)
        deep = _follow(data, shell, pieces.functions, words, source, record)
        if deep or any(unit.lowerer.deep for unit in pieces.shells) or any(piece.deep for _d, piece in pieces.pieces):
            record.problem(0, TOO_DEEP)
        pieces.remember()
        _read.append((len(data), pieces))
        return (), words
    del pieces
    words = vocabulary(data)
    tree, covered = grammar.parse(dialect, data)
    if tree is None:
        literals.collect(literals.find(data, None, words), record)
        return (Problem(line=1, reason="too many tokens to be parsed", unread=True),), words
    found = grammar.problems(tree, data)
    if covered < len(data):
        line = data.count(b"\n", 0, covered) + 1
        found = (*found, Problem(line=line, reason="syntax errors throughout: the rest was not read"))
    unit = Unit(data, tree)
    literals.collect(literals.find(data, tree, words), record)
    source.seeds = seeds.positions(data, words)
    functions = grammar.function_ranges(dialect, tree) if source.seeds else []
    if _follow(data, unit, functions, words, source, record) or unit.lowerer.deep:
        record.problem(0, TOO_DEEP)
    _read.append((len(data), unit))
    return found, words


KEPT = 1024 * 1024
"""How many bytes of text stay parsed: to take trees apart costs as much as to make a tenth of them."""

_read: deque[tuple[int, Unit | PieceReader]] = deque()
"""What was read last, and how long it is. A process that reads little ends before it has to be taken apart."""


def _make_room(size: int) -> None:
    while _read and size + sum(length for length, _ in _read) > KEPT:
        _read.popleft()[1].close()


def _follow(
    data: bytes, unit: Unit, ranges: list[tuple[int, int]], words: Vocabulary, source: Source, record: Recorder
) -> bool:
    """Evaluate a file if there is anything of interest in it; return whether it was nested too deeply."""
    if not source.seeds:
        exporting.constants(data, record)
        return False
    source.keys = Keys(data, words)
    source.loops = loops(data)
    source.direct, source.seeds = interest(data, source.seeds, graph.Functions(ranges), source.keys)
    interp = Interpreter(source, record)
    try:
        run(interp, unit, unit.statements())
    except (MemoryError, SystemError):
        raise  # there was no room, for us or for the interpreter itself: in another process there may be
    except Exception as error:  # noqa: BLE001 - a defect of the evaluator must not silence a file: it is incomplete
        record.problem(0, f"not followed to the end: {type(error).__name__}")
    if source.endless.spent:
        record.problem(0, "loops within loops: too much to say whether they end")
    return interp.too_deep or source.nested_deep


def interest(data: bytes, found: list[int], functions: graph.Functions, keys: Keys) -> tuple[list[int], list[int]]:
    """Return the places of interest (words, uses of modules), and with them all that leads there by calls."""
    direct = sorted({*found, *graph.alias_uses(data, functions, seeds.bindings(data))})
    callers = graph.closure(data, functions, seeds.strong(data, direct))
    return sorted({*direct, *keys.near(callers, functions)}), sorted({*direct, *callers})


def run(interp: Interpreter, unit: Any, statements: list[Any]) -> None:
    """Run a file as loading it would, then what only others may call, then what seems never to run."""
    interp.unit, interp.base = unit, 0
    scope = Scope(interp.globals, function=True, this=Sym(path="module.exports"))
    interp.run_top(statements, scope)
    interp.record.moment = Moment.CALL
    interp.uncertain = 0
    exporting.settle(interp, unit, scope)
    if len(unit.data) > SMALL_FILE:
        # What only others call is read where it stands; who calls it does not matter any more.
        interp.source.seeds = interp.source.direct
    _run_rest(interp)


def _run_rest(interp: Interpreter) -> None:
    """Enter every function with a seed that nothing has entered, until there are no more."""
    done = 0
    for _round in range(100_000):
        if interp.deferred:
            function, args, interp.record.moment = interp.deferred.pop(0)
            if function.key not in interp.entered:
                _enter(interp, function, args)
            interp.record.moment = Moment.CALL
        elif interp.later:
            function, args = interp.later.pop(0)
            if function.key not in interp.entered and interp.source.has_seed(*function.key):
                _enter(interp, function, args)
        elif interp.skipped:
            statements, scope, unit, base, place = interp.skipped.pop(0)
            interp.unit, interp.base, interp.record.place = unit, base, place
            interp.uncertain = 1
            interp.run_top(statements, Scope(scope))
            interp.uncertain = 0
        elif done < len(interp.created):
            function = interp.created[done]
            done += 1
            if function.key not in interp.entered and interp.source.has_seed(*function.key):
                _enter(interp, function, [])
        else:
            return
    interp.record.problem(0, "too much code to be followed everywhere")


def _enter(interp: Interpreter, function: Any, args: list[Any]) -> None:
    body = interp.source.body(function)
    missing = len(body[0]) - len(args) if body is not None else 0
    try:
        interp.enter(function, [*args, *[UNKNOWN] * missing], UNKNOWN)
    except Thrown:
        interp.uncertain = 0
