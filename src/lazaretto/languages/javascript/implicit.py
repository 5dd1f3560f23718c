"""What the language calls of its own accord, and what it hands over (ECMA-262, 7.1.1, 7.4, 13.3.11, 25.5.2, 27.7)."""

from typing import TYPE_CHECKING

from lazaretto.languages.javascript.members import get
from lazaretto.languages.javascript.values import (
    UNDEFINED,
    UNKNOWN,
    Arr,
    Func,
    Obj,
    Scope,
    Sym,
    Value,
    options,
    taint_of,
)

if TYPE_CHECKING:
    from lazaretto.languages.javascript.interp import Interpreter
    from lazaretto.languages.javascript.syntax import IR

INSPECTED = "@util.inspect.custom"
CALLED = frozenset({"toJSON", "Symbol.iterator", "Symbol.asyncIterator", INSPECTED})
"""Methods of an object that nobody names who calls them: it is written as JSON, gone through, or shown."""

MAX_YIELDS = 5000
MAX_MEMBERS = 16
"""Most members of one object that are called where it is not known which."""


def called(interp: "Interpreter", value: Value) -> None:
    """Follow such a method of an object when it would be used: soon after it was made."""
    if isinstance(value, Func):
        interp.deferred.append((value, [], interp.record.moment))


def spread(interp: "Interpreter", code: "IR", scope: Scope) -> Value:
    """``...value``, where it stands for itself."""
    return interp.eval(code[3], scope)


def tagged(interp: "Interpreter", code: "IR", scope: Scope) -> Value:
    """``tag`text ${hole}` ``: the texts between the holes as an array, which has them as they were written as well."""
    function = interp.eval(code[3], scope)
    template = code[4]
    if not any(isinstance(option, Func) for option in options(function)):
        return interp._calls.call_value(interp, function, [interp.eval(template, scope)], UNDEFINED, code)
    parts = template[3] if template[0] == "tpl" else [template[3]]
    texts: list[Value] = [part for part in parts if isinstance(part, str)]
    holes = [interp.eval(part, scope) for part in parts if not isinstance(part, str)]
    given = Arr(texts)
    given.props = {"raw": Arr(texts[:])}
    return interp._calls.call_value(interp, function, [given, *holes], UNDEFINED, code)


def whichever(interp: "Interpreter", receiver: "Obj | Sym", key: Value, args: list[Value], code: "IR") -> Value:
    """Call a member whose name nobody knows: each one, where somebody outside says which, or with what."""
    if isinstance(receiver, Obj) and interp.record.real(interp.taints([key, *args])):
        for member in [member for member in receiver.props.values() if isinstance(member, Func)][:MAX_MEMBERS]:
            interp.enter(member, args, receiver)
    function = get(interp, receiver, key, code[3][1], code[3][2])
    if isinstance(receiver, Sym) and receiver.path == "@child_process":
        function = Sym(path="@child_process.spawn", taint=taint_of(key))
    return interp._calls.call_value(interp, function, args, receiver, code)


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
