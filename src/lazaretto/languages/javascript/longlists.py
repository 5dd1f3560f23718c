"""Very long statement lists: what touches nothing of interest is left until it is needed."""

from typing import TYPE_CHECKING, Any

from lazaretto.languages.javascript.syntax import declared_names
from lazaretto.languages.javascript.values import Scope, Thunk

if TYPE_CHECKING:
    from lazaretto.languages.javascript.interp import Interpreter

BIG_LIST = 64 * 1024
SMALL_STATEMENT = 4096


def is_long(statements: list[Any]) -> bool:
    """Whether a statement list takes so much of a file that it is worth skipping in it."""
    return bool(statements) and statements[-1][2] - statements[0][1] > BIG_LIST


def run(interp: "Interpreter", statements: list[Any], scope: Scope) -> Any:
    """Run a very long statement list: what touches nothing of interest is left until it is needed."""
    parts = list(interp.source.expand(statements, interp.unit, interp.base))
    saved = (interp.unit, interp.base)
    try:
        for unit, base, statement in parts:
            if statement[0] == "fnd":
                interp.unit, interp.base = unit, base
                interp.hoist([statement], scope)
        for unit, base, statement in parts:
            interp.unit, interp.base = unit, base
            kind, start, end = (
                (statement[3] if statement[0] == "lazy" else statement[0]),
                statement[1],
                statement[2],
            )
            if kind == "fnd":
                continue
            if not (
                interp.source.has_seed(base + start, base + end) or interp.source.has_loop(base + start, base + end)
            ):
                if kind in ("var", "clsd"):
                    _postpone(interp, unit, base, statement, scope)
                    continue
                if kind != "expr" or end - start > SMALL_STATEMENT:
                    continue
            signal = interp.execute_top(unit.load(statement), scope)
            if signal is not None and signal[0] == "ret" and interp.in_function:
                return signal
    finally:
        interp.unit, interp.base = saved
    return None


def _postpone(interp: "Interpreter", unit: Any, base: int, statement: list[Any], scope: Scope) -> None:
    names = statement[4] if statement[0] == "lazy" else declared_names(statement)

    def run() -> None:
        saved = (interp.unit, interp.base, interp.uncertain, interp.record.place)
        interp.unit, interp.base, interp.uncertain, interp.record.place = unit, base, 0, 0
        for name in names:
            if isinstance(scope.vars.get(name), Thunk):
                del scope.vars[name]
        try:
            interp.execute_top(unit.load(statement), scope)
        finally:
            interp.unit, interp.base, interp.uncertain, interp.record.place = saved

    thunk = Thunk(run)
    for name in names:
        scope.vars.setdefault(name, thunk)
