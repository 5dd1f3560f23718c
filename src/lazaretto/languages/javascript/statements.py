"""How each kind of statement runs, and how patterns bind names."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lazaretto.core.facts import Kind, Moment
from lazaretto.languages.javascript import exporting, longlists, outside
from lazaretto.languages.javascript.coerce import strictly_equal, to_text
from lazaretto.languages.javascript.interp import Thrown
from lazaretto.languages.javascript.members import assign_to, get, iterate, make_class
from lazaretto.languages.javascript.values import (
    UNDEFINED,
    UNKNOWN,
    Arr,
    Obj,
    Scope,
    Sym,
    Value,
    choice,
    item_of,
    taint_of,
    truth,
    via_of,
)

if TYPE_CHECKING:
    from lazaretto.languages.javascript.interp import Interpreter

Code = list[Any]
MAX_ITERATIONS = 20_000


def bind(interp: "Interpreter", pattern: Code, value: Value, scope: Scope, kind: str = "let") -> None:
    """Bind the names of a pattern to the parts of a value."""
    how = pattern[0]
    if how == "id":
        interp.declare(pattern[3], value, scope, function_level=kind == "var")
        return
    if how == "dflt":
        if value is UNDEFINED:
            value = interp.eval(pattern[4], scope)
        elif isinstance(value, Sym) and not value.path and not interp.record.real(value.taint) and value.text is None:
            value = choice([interp.eval(pattern[4], scope), value])
        bind(interp, pattern[3], value, scope, kind)
        return
    if how not in ("opat", "apat"):
        if how != "opq":
            assign_to(interp, pattern, value, scope)
        return
    for key, part in _parts(interp, pattern, scope):
        if part[0] == "rest":
            rest: Value = value if isinstance(value, (Sym, Obj)) else Sym(taint=taint_of(value), via=via_of(value))
            if isinstance(value, Arr) and isinstance(key, int):
                rest = Arr(value.items[key:], value.via, value.taint)
            bind(interp, part[3], rest, scope, kind)
        else:
            piece = get(interp, value, key, part[1], part[2])
            bind(interp, part, piece, scope, kind)


def _parts(interp: "Interpreter", pattern: Code, scope: Scope) -> list[tuple[Any, Code]]:
    if pattern[0] == "apat":
        return [(position, part) for position, part in enumerate(pattern[3]) if part is not None]
    found = []
    for key, part in pattern[3]:
        found.append((to_text(interp.eval(key, scope)) if isinstance(key, list) else key, part))
    return found


def _expression(interp: "Interpreter", code: Code, scope: Scope) -> None:
    interp.eval(code[3], scope)


def _variables(interp: "Interpreter", code: Code, scope: Scope) -> None:
    for pattern, initial in code[4]:
        if initial is None:
            if pattern[0] == "id" and (code[3] != "var" or pattern[3] not in scope.vars):
                interp.declare(pattern[3], UNDEFINED, scope, function_level=code[3] == "var")
            continue
        value = interp.eval(initial, scope)
        outside.consume(interp, value, initial)
        if pattern[0] == "id" and initial[0] == "fn" and getattr(value, "name", "") is None:
            value.name = pattern[3]
        bind(interp, pattern, value, scope, code[3])


def _return(interp: "Interpreter", code: Code, scope: Scope) -> Any:
    value = interp.eval(code[3], scope)
    if interp.uncertain:
        interp.frame.returns.append(value)
        interp.maybe_exit = True
        return ("may", value)
    return ("ret", value)


def _if(interp: "Interpreter", code: Code, scope: Scope) -> Any:
    arms, otherwise = code[3], code[4]
    for position, (condition, body) in enumerate(arms):
        answer = truth(interp.eval(condition, scope))
        if answer is None:
            return _either(interp, arms[position:], otherwise, scope)
        if answer:
            for _condition, other in arms[position + 1 :]:
                interp.skip(other, scope)
            interp.skip(otherwise, scope)
            return interp.run(body, Scope(scope))
        interp.skip(body, scope)
    return interp.run(otherwise, Scope(scope)) if otherwise else None


def _either(interp: "Interpreter", arms: list[Any], otherwise: list[Any], scope: Scope) -> Any:
    """Read every branch, because the condition is not known."""
    signals = []
    interp.uncertain += 1
    for position, (condition, body) in enumerate(arms):
        if position:
            interp.eval(condition, scope)
        signals.append(interp.run(body, Scope(scope)))
    signals.append(interp.run(otherwise, Scope(scope)))
    interp.uncertain -= 1
    if any(signal is not None for signal in signals):
        interp.maybe_exit = True
    if signals and all(signal is not None and signal[0] in ("ret", "may") for signal in signals):
        if interp.uncertain:
            return ("may", UNDEFINED)
        return ("ret", interp.frame.returns.pop() if interp.frame.returns else UNDEFINED)
    return None


def _loop(
    interp: "Interpreter",
    test: Callable[[], bool | None],
    body: list[Any],
    scope: Scope,
    step: Callable[[], object] | None = None,
    label: str | None = None,
) -> Any:
    """Run a loop as long as its condition is known to hold; read the body once where it is not known."""
    count = 0
    outer_exit = interp.maybe_exit
    while True:
        answer = test()
        if answer is False:
            if count == 0:
                interp.skip(body, scope)
            interp.maybe_exit = outer_exit
            return None
        blind = answer is None or interp.exhausted or count >= MAX_ITERATIONS
        interp.maybe_exit = False
        interp.steps += 1
        interp.uncertain += blind
        signal = interp.run(body, Scope(scope))
        if step is not None:
            step()
        interp.uncertain -= blind
        count += 1
        left = interp.maybe_exit
        interp.maybe_exit = outer_exit
        if signal is not None:
            if signal[0] == "brk" and (signal[1] is None or signal[1] == label):
                return None
            if signal[0] == "ret" or (signal[0] in ("brk", "cnt") and signal[1] is not None and signal[1] != label):
                return signal
        if blind or left:
            return None


def _for(interp: "Interpreter", code: Code, scope: Scope, label: str | None = None) -> Any:
    _op, _start, _end, first, test, step, body = code
    inner = Scope(scope)
    if first is not None:
        interp.execute(first, inner)
    _endless(interp, code, test, body)

    def condition() -> bool | None:
        return True if test is None else truth(interp.eval(test, inner))

    return _loop(interp, condition, body, inner, lambda: interp.eval(step, inner), label)


def _while(interp: "Interpreter", code: Code, scope: Scope, label: str | None = None) -> Any:
    _endless(interp, code, code[3], code[4])
    return _loop(interp, lambda: truth(interp.eval(code[3], scope)), code[4], scope, None, label)


def _endless(interp: "Interpreter", code: Code, test: Code | None, body: list[Any]) -> None:
    """Note a loop that runs when the file is loaded and that nothing ends."""
    if interp.record.moment is Moment.LOAD and interp.source.endless.holds(test, body):
        interp.record.emit(Kind.LOOP_ENDLESS, None, interp.base + code[1], interp.base + code[2])


def _do(interp: "Interpreter", code: Code, scope: Scope, label: str | None = None) -> Any:
    first = True

    def condition() -> bool | None:
        nonlocal first
        if first:
            first = False
            return True
        return truth(interp.eval(code[3], scope))

    return _loop(interp, condition, code[4], scope, None, label)


def _for_in(interp: "Interpreter", code: Code, scope: Scope, label: str | None = None) -> Any:
    _op, _start, _end, how, target, right, body = code
    value = interp.eval(right, scope)
    items = iterate(interp, value, keys=how == "in", code=right)
    known = items is not None
    if items is None:
        items = [item_of(value)]
    position = 0

    def condition() -> bool | None:
        return (position < len(items)) if known or position else None

    inner = Scope(scope)

    def enter() -> bool | None:
        nonlocal position
        answer = condition()
        if answer is not False and position < len(items):
            if target is not None:
                _set_loop_name(interp, target, items[position], inner)
            position += 1
        return answer

    return _loop(interp, enter, body, inner, None, label)


def _set_loop_name(interp: "Interpreter", target: Code, value: Value, scope: Scope) -> None:
    uncertain, interp.uncertain = interp.uncertain, 0
    bind(interp, target, value, scope)
    interp.uncertain = uncertain


def _block(interp: "Interpreter", code: Code, scope: Scope) -> Any:
    return interp.run(code[3], Scope(scope))


def _cuts(interp: "Interpreter", code: Code, scope: Scope) -> Any:
    """Run the pieces of a file that stand in a list which is not long itself."""
    return longlists.run(interp, [code], scope)


def _function(interp: "Interpreter", code: Code, scope: Scope) -> None:
    return None


def _class(interp: "Interpreter", code: Code, scope: Scope) -> None:
    made = make_class(interp, code[3], scope)
    if code[3][3]:
        interp.declare(code[3][3], made, scope)


def _try(interp: "Interpreter", code: Code, scope: Scope) -> Any:
    _op, _start, _end, body, parameter, handler, finalizer = code
    state = (interp.uncertain, interp._depth)
    try:
        signal = interp.run(body, Scope(scope))
        thrown = False
    except Thrown:
        interp.uncertain, interp._depth = state
        signal, thrown = None, True
    if handler:
        inner = Scope(scope)
        if parameter is not None:
            bind(interp, parameter, UNKNOWN, inner)
        if thrown:
            signal = interp.run(handler, inner)
        elif interp.source.has_seed(interp.base + handler[0][1], interp.base + handler[-1][2]):
            interp.uncertain += 1
            interp.run(handler, inner)
            interp.uncertain -= 1
    if finalizer:
        last = interp.run(finalizer, Scope(scope))
        signal = last if last is not None else signal
    return signal


def _throw(interp: "Interpreter", code: Code, scope: Scope) -> Any:
    interp.eval(code[3], scope)
    if interp.uncertain:
        interp.maybe_exit = True
        return ("may", UNDEFINED)
    if interp.in_function:
        raise Thrown
    return None


def _break(interp: "Interpreter", code: Code, _scope: Scope) -> Any:
    return ("brk", code[3])


def _continue(interp: "Interpreter", code: Code, _scope: Scope) -> Any:
    return ("cnt", code[3])


def _labelled(interp: "Interpreter", code: Code, scope: Scope) -> Any:
    loops = {"for": _for, "while": _while, "do": _do, "forin": _for_in}
    if len(code[4]) == 1 and code[4][0][0] in loops:
        return loops[code[4][0][0]](interp, code[4][0], scope, code[3])
    signal = interp.run(code[4], Scope(scope))
    return None if signal is not None and signal[0] == "brk" and signal[1] == code[3] else signal


def _switch(interp: "Interpreter", code: Code, scope: Scope) -> Any:
    value = interp.eval(code[3], scope)
    arms = code[4]
    inner = Scope(scope)
    chosen: int | None = None
    unknown = isinstance(value, Sym) or truth(value) is None
    for position, (test, _body) in enumerate(arms):
        if test is None or unknown:
            continue
        answer = strictly_equal(interp.eval(test, inner), value)
        if answer is None:
            unknown = True
        elif answer:
            chosen = position
            break
    if unknown:
        interp.uncertain += 1
        for _test, body in arms:
            interp.run(body, inner)
        interp.uncertain -= 1
        return None
    if chosen is None:
        chosen = next((position for position, (test, _body) in enumerate(arms) if test is None), len(arms))
    signal = None
    for position, (_test, body) in enumerate(arms):
        if position < chosen or signal is not None:
            interp.skip(body, inner)
            continue
        signal = interp.run(body, inner)
    return None if signal is not None and signal[0] == "brk" and signal[1] is None else signal


def _import(interp: "Interpreter", code: Code, scope: Scope) -> None:
    outside.static_import(interp, code, scope)


def _export_from(interp: "Interpreter", code: Code, _scope: Scope) -> None:
    module = outside.imported(interp, code[3], code)
    exporting.passed_on(interp, module, code)


TABLE: dict[str, Callable[["Interpreter", Code, Scope], Any]] = {
    "expr": _expression,
    "var": _variables,
    "ret": _return,
    "if": _if,
    "for": _for,
    "forin": _for_in,
    "while": _while,
    "do": _do,
    "blk": _block,
    "cuts": _cuts,
    "fnd": _function,
    "clsd": _class,
    "try": _try,
    "thr": _throw,
    "brk": _break,
    "cnt": _continue,
    "lab": _labelled,
    "sw": _switch,
    "import": _import,
    "exportfrom": _export_from,
}
