"""What the language calls of its own accord, and what a generator gives (ECMA-262, 7.1.1, 7.4, 25.5.2, 27.7)."""

from typing import TYPE_CHECKING

from lazaretto.languages.javascript.values import UNDEFINED, UNKNOWN, Arr, Func, Obj, Scope, Sym, Value

if TYPE_CHECKING:
    from lazaretto.languages.javascript.interp import Interpreter
    from lazaretto.languages.javascript.syntax import IR

INSPECTED = "@util.inspect.custom"
CALLED = frozenset({"toJSON", "Symbol.iterator", "Symbol.asyncIterator", INSPECTED})
"""Methods of an object that nobody names who calls them: it is written as JSON, gone through, or shown."""

MAX_YIELDS = 5000


def called(interp: "Interpreter", value: Value) -> None:
    """Follow such a method of an object when it would be used: soon after it was made."""
    if isinstance(value, Func):
        interp.deferred.append((value, [], interp.record.moment))


def spread(interp: "Interpreter", code: "IR", scope: Scope) -> Value:
    """``...value``, where it stands for itself."""
    return interp.eval(code[3], scope)


def awaited(interp: "Interpreter", code: "IR", scope: Scope) -> Value:
    """``await value``: whatever has a method ``then`` is asked by it."""
    value = interp.eval(code[3], scope)
    asked = value.props.get("then") if isinstance(value, Obj) else None
    return interp.enter(asked, [Sym(), Sym()], value) if isinstance(asked, Func) else value


def yielded(interp: "Interpreter", code: "IR", scope: Scope) -> Value:
    """``yield value``, ``yield* values``: what a generator gives one after the other."""
    value = interp.eval(code[3], scope)
    more = value.items if code[4] and isinstance(value, Arr) else [value]
    if len(interp.frame.yields) + len(more) <= MAX_YIELDS:
        interp.frame.yields += more
    return UNKNOWN


def given(yields: list[Value], result: Value) -> Value:
    """Return what a call gives: of a generator, what it yields."""
    if not yields:
        return result
    made = Arr(yields)
    made.open = len(yields) >= MAX_YIELDS or result is not UNDEFINED
    return made
