"""How each kind of expression is evaluated."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lazaretto.languages.javascript import calls, chains, implicit, outside
from lazaretto.languages.javascript.coerce import (
    tidy,
    to_int32,
    to_number,
    to_text,
)
from lazaretto.languages.javascript.members import assign_to, get, iterate, make_class
from lazaretto.languages.javascript.operators import add, operate
from lazaretto.languages.javascript.values import (
    UNDEFINED,
    UNKNOWN,
    Arr,
    Choice,
    Func,
    Obj,
    Regex,
    Scope,
    Sym,
    Text,
    Value,
    choice,
    merged,
    taint_of,
    truth,
    via_of,
)

if TYPE_CHECKING:
    from lazaretto.languages.javascript.interp import Interpreter

Code = list[Any]
MAX_ITEMS = 100_000


# One function for each kind of expression.


def _constant(_interp: "Interpreter", code: Code, _scope: Scope) -> Value:
    return code[3]


def _undefined(_interp: "Interpreter", _code: Code, _scope: Scope) -> Value:
    return UNDEFINED


def _identifier(interp: "Interpreter", code: Code, scope: Scope) -> Value:
    return interp.lookup(code[3], scope)


def _this(interp: "Interpreter", _code: Code, scope: Scope) -> Value:
    current: Scope | None = scope
    while current is not None:
        if current.function:
            return UNKNOWN if current.this is UNDEFINED else current.this
        current = current.parent
    return UNKNOWN


def _super(_interp: "Interpreter", _code: Code, scope: Scope) -> Value:
    function: Scope | None = scope
    while function is not None and not isinstance(function.this, Obj):
        function = function.parent
    klass = function.this.klass if function is not None and isinstance(function.this, Obj) else None
    return klass.outer if klass is not None and klass.outer is not None else UNKNOWN


def _template(interp: "Interpreter", code: Code, scope: Scope) -> Value:
    parts = []
    for part in code[3]:
        if isinstance(part, str):
            if part:
                parts.append(part)
        else:
            value = interp.eval(part, scope)
            outside.dumped(interp, value, part)
            parts.append(value)
    return interp.concat(parts)


def _array(interp: "Interpreter", code: Code, scope: Scope) -> Value:
    items: list[Value] = []
    made = Arr(items)
    for item in code[3]:
        if item[0] == "spread":
            value = interp.eval(item[3], scope)
            inner = iterate(interp, value, keys=False, code=item)
            if inner is None or len(items) + len(inner) > MAX_ITEMS:
                made.open = True
                made.taint |= taint_of(value)
            else:
                items.extend(inner)
                made.via = merged(made.via, via_of(value))
        else:
            items.append(interp.eval(item, scope))
    return made


def _object(interp: "Interpreter", code: Code, scope: Scope) -> Value:
    made = Obj()
    for key, value_code, kind in code[3]:
        if kind == "s":
            value = interp.eval(value_code, scope)
            if isinstance(value, Obj):
                made.props.update(value.props)
                made.taint |= value.taint
                made.dump = value.dump if made.dump is None else made.dump
            else:
                outside.spread(interp, made, value, value_code)
            continue
        name = key if isinstance(key, str) else _key(interp.eval(key, scope))
        value = interp.eval(value_code, scope)
        outside.consume(interp, value, value_code)
        if name is None:
            made.taint |= taint_of(value)
        elif kind == "g":
            made.getters = made.getters or {}
            made.getters[name] = value
        elif kind != "S":
            made.props[name] = value
        if name in implicit.CALLED:
            implicit.called(interp, value)
        if name == "env":
            outside.forgive_dump(interp, value)
    return made


def _key(value: Value) -> str | None:
    """Return the name of a computed key; a well-known symbol goes by its own (``[Symbol.toPrimitive]() { … }``)."""
    known = isinstance(value, Sym) and value.path.startswith(("Symbol.", implicit.INSPECTED))
    return value.path if known else to_text(value)


def _function(interp: "Interpreter", code: Code, scope: Scope) -> Value:
    if code[3]:
        named = Scope(scope)
        function = interp.function(code, named)
        named.vars[code[3]] = function
        return function
    return interp.function(code, scope)


def _unary(interp: "Interpreter", code: Code, scope: Scope) -> Value:
    operator = code[3]
    if operator == "delete":
        return _delete(interp, code[4], scope)
    value = interp.eval(code[4], scope)
    if operator == "void":
        return UNDEFINED
    if operator == "typeof":
        return _typeof(value)
    if operator == "!":
        answer = truth(value)
        return Sym() if answer is None else not answer
    number = to_number(value)
    if number is None:
        return Sym(taint=taint_of(value))
    return number if operator == "+" else tidy(-number) if operator == "-" else ~to_int32(number)


def _delete(interp: "Interpreter", target: Code, scope: Scope) -> Value:
    if target[0] in ("mem", "idx"):
        holder = interp.eval(target[3], scope)
        key = target[4] if target[0] == "mem" else interp.eval(target[4], scope)
        if isinstance(holder, Obj) and isinstance(key, str):
            holder.props.pop(str(key), None)
        elif isinstance(holder, Sym):
            outside.hooked(interp, holder, key, UNDEFINED, target, deleting=True)
    return True


def _typeof(value: Value) -> Value:
    if isinstance(value, (Sym, Choice)):
        return Sym()
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    if isinstance(value, (int, float)):
        return "number"
    if value is UNDEFINED:
        return "undefined"
    return "function" if isinstance(value, Func) else "object"


def _binary(interp: "Interpreter", code: Code, scope: Scope) -> Value:
    total = interp.eval(code[4][0], scope)
    for operand in code[4][1:]:
        other = interp.eval(operand, scope)
        if type(other) is Text and code[3] in ("===", "==", "!==", "!="):
            outside.consume(interp, other, operand)
        total = operate(interp, code[3], total, other)
    return total


def _concatenation(interp: "Interpreter", code: Code, scope: Scope) -> Value:
    if len(code[3]) == 2:
        left, right = interp.eval(code[3][0], scope), interp.eval(code[3][1], scope)
        outside.dumped(interp, left, code)
        outside.dumped(interp, right, code)
        return add(interp, left, right)
    total: Value = interp.eval(code[3][0], scope)
    parts: list[Value] = []
    for operand in code[3][1:]:
        value = interp.eval(operand, scope)
        outside.dumped(interp, value, operand)
        if parts:
            parts.append(value)
        elif isinstance(total, str) or (isinstance(value, str) and not isinstance(total, (int, float))):
            parts = [total, value]
        else:
            total = add(interp, total, value)
    return interp.concat(parts) if parts else total


def _logical(interp: "Interpreter", code: Code, scope: Scope) -> Value:
    operator = code[3]
    possible: list[Value] = []
    for position, operand in enumerate(code[4]):
        last = position == len(code[4]) - 1
        interp.uncertain += bool(possible)
        value = interp.eval(operand, scope)
        interp.uncertain -= bool(possible)
        if last:
            return choice([*possible, value]) if possible else value
        if operator == "??":
            answer = None if isinstance(value, (Sym, Choice)) else value is None or value is UNDEFINED
            stops = None if answer is None else not answer
        else:
            answer = truth(value)
            stops = None if answer is None else answer == (operator == "||")
        if stops is None:
            if operator != "&&":
                possible.append(value)
            else:
                possible.append(Sym(taint=taint_of(value)))
        elif stops:
            for rest in code[4][position + 1 :]:
                interp.skip([["expr", rest[1], rest[2], rest]], scope)
            return choice([*possible, value]) if possible else value
    return UNDEFINED


def _conditional(interp: "Interpreter", code: Code, scope: Scope) -> Value:
    possible: list[Value] = []
    for position, (condition, consequence) in enumerate(code[3]):
        answer = truth(interp.eval(condition, scope))
        if answer is False:
            interp.skip([["expr", consequence[1], consequence[2], consequence]], scope)
            continue
        interp.uncertain += answer is None or bool(possible)
        value = interp.eval(consequence, scope)
        interp.uncertain -= answer is None or bool(possible)
        if answer:
            for other_condition, other in code[3][position + 1 :]:
                interp.skip([["expr", other_condition[1], other[2], other]], scope)
            interp.skip([["expr", code[4][1], code[4][2], code[4]]], scope)
            return choice([*possible, value]) if possible else value
        possible.append(value)
    interp.uncertain += bool(possible)
    last = interp.eval(code[4], scope)
    interp.uncertain -= bool(possible)
    return choice([*possible, last]) if possible else last


def _assignment(interp: "Interpreter", code: Code, scope: Scope) -> Value:
    operator, target = code[3], code[4]
    if operator == "=":
        value = interp.eval(code[5], scope)
        outside.consume(interp, value, code[5])
        assign_to(interp, target, value, scope)
        return value
    old = interp.eval(target, scope)
    value = interp.eval(code[5], scope)
    if operator in ("||=", "&&=", "??="):
        result = choice([old, value])
    else:
        result = operate(interp, operator[:-1], old, value)
        outside.dumped(interp, value, code)
    uncertain = interp.uncertain
    if operator == "+=" and isinstance(old, (str, Sym)) and uncertain:
        # A text that grows in a loop: what it may have become covers what it was.
        interp.uncertain = 0
    assign_to(interp, target, result, scope)
    interp.uncertain = uncertain
    return result


def _update(interp: "Interpreter", code: Code, scope: Scope) -> Value:
    old = to_number(interp.eval(code[5], scope))
    if old is None or interp.uncertain:
        assign_to(interp, code[5], Sym(), scope)
        return Sym()
    new = tidy(old + (1 if code[3] == "++" else -1))
    assign_to(interp, code[5], new, scope)
    return new if code[4] else old


def _call(interp: "Interpreter", code: Code, scope: Scope) -> Value:
    return calls.call(interp, code, scope)


def _new(interp: "Interpreter", code: Code, scope: Scope) -> Value:
    return calls.construct(interp, code, scope)


def _member(interp: "Interpreter", code: Code, scope: Scope) -> Value:
    return get(interp, interp.eval(code[3], scope), code[4], code[1], code[2])


def _index(interp: "Interpreter", code: Code, scope: Scope) -> Value:
    value = interp.eval(code[3], scope)
    key = interp.eval(code[4], scope)
    if isinstance(key, str):
        outside.consume(interp, key, code[4])
    return get(interp, value, key, code[1], code[2])


def _dynamic_import(interp: "Interpreter", code: Code, scope: Scope) -> Value:
    args = [interp.eval(arg, scope) for arg in code[3]]
    return calls.call_value(interp, Sym(path="import"), args, UNDEFINED, code)


def _sequence(interp: "Interpreter", code: Code, scope: Scope) -> Value:
    value: Value = UNDEFINED
    for item in code[3]:
        value = interp.eval(item, scope)
    return value


def _regex(_interp: "Interpreter", code: Code, _scope: Scope) -> Value:
    return Regex(code[3], code[4])


def _meta(_interp: "Interpreter", code: Code, _scope: Scope) -> Value:
    return Sym(path=code[3] if code[3] == "import.meta" else "")


def _opaque(interp: "Interpreter", code: Code, scope: Scope) -> Value:
    taint = frozenset[int]()
    for part in code[3]:
        taint |= taint_of(interp.eval(part, scope))
    return Sym(taint=taint)


def _class(interp: "Interpreter", code: Code, scope: Scope) -> Value:
    return make_class(interp, code, scope)


def _pattern_value(_interp: "Interpreter", _code: Code, _scope: Scope) -> Value:
    return UNKNOWN


TABLE: dict[str, Callable[["Interpreter", Code, Scope], Value]] = {
    "num": _constant,
    "str": _constant,
    "lit": _constant,
    "undef": _undefined,
    "id": _identifier,
    "this": _this,
    "super": _super,
    "tpl": _template,
    "tag": implicit.tagged,
    "arr": _array,
    "obj": _object,
    "fn": _function,
    "cls": _class,
    "un": _unary,
    "bin": _binary,
    "cat": _concatenation,
    "log": _logical,
    "cond": _conditional,
    "asg": _assignment,
    "upd": _update,
    "call": _call,
    "chain": chains.run,
    "new": _new,
    "mem": _member,
    "idx": _index,
    "imp": _dynamic_import,
    "seq": _sequence,
    "await": implicit.awaited,
    "yield": implicit.yielded,
    "re": _regex,
    "meta": _meta,
    "opq": _opaque,
    "spread": implicit.spread,
    "opat": _pattern_value,
    "apat": _pattern_value,
    "dflt": _pattern_value,
    "rest": _pattern_value,
}
