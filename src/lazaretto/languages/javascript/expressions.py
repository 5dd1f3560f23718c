"""How each kind of expression is evaluated."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lazaretto.languages.javascript import calls
from lazaretto.languages.javascript.coerce import (
    binary,
    compare,
    loosely_equal,
    strictly_equal,
    tidy,
    to_int32,
    to_number,
    to_text,
)
from lazaretto.languages.javascript.values import (
    UNDEFINED,
    UNKNOWN,
    Arr,
    Buf,
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
    options,
    taint_of,
    truth,
    via_of,
)

if TYPE_CHECKING:
    from lazaretto.languages.javascript.interp import Interpreter

Code = list[Any]
MAX_ITEMS = 100_000


def get(interp: "Interpreter", value: Value, key: Any, start: int, end: int) -> Value:
    """Return ``value[key]``; ``key`` is a text, an index, or an unknown value."""
    if isinstance(value, Choice):
        return choice([get(interp, option, key, start, end) for option in value.options])
    if isinstance(key, Choice):
        return choice([get(interp, value, option, start, end) for option in key.options])
    if isinstance(value, Sym):
        return calls.member(interp, value, key, start, end)
    if isinstance(key, Sym) or key is None:
        return Sym(taint=taint_of(value), via=via_of(value))
    if isinstance(key, float) and key == int(key):
        key = int(key)
    if isinstance(value, Arr):
        return _array_member(value, key)
    if isinstance(value, str):
        return _text_member(value, key)
    if isinstance(value, Buf):
        if isinstance(key, int):
            return value.data[key] if 0 <= key < len(value.data) else UNDEFINED
        return len(value.data) if key == "length" else Sym(taint=value.taint, via=value.via)
    if isinstance(value, Obj):
        return _object_member(interp, value, key)
    if isinstance(value, Func):
        return _function_member(value, key)
    if isinstance(value, Regex):
        return value.last if key == "lastIndex" else value.source if key == "source" else UNKNOWN
    return UNDEFINED if value is None or value is UNDEFINED else UNKNOWN


def _array_member(array: Arr, key: Any) -> Value:
    if isinstance(key, str) and key.isdigit() and len(key) < 7:
        key = int(key)
    if isinstance(key, int):
        if 0 <= key < len(array.items):
            return array.items[key]
        return Sym(taint=array.taint, via=array.via) if array.open else UNDEFINED
    if key == "length":
        return UNKNOWN if array.open else len(array.items)
    if array.props and key in array.props:
        return array.props[key]
    return UNDEFINED if not array.taint else Sym(taint=array.taint)


def _text_member(text: str, key: Any) -> Value:
    if isinstance(key, str) and key.isdigit() and len(key) < 7:
        key = int(key)
    if isinstance(key, int):
        return Text.of(text[key], via_of(text), taint_of(text)) if 0 <= key < len(text) else UNDEFINED
    return len(text) if key == "length" else Sym(taint=taint_of(text)) if key in ("constructor",) else UNDEFINED


def _object_member(interp: "Interpreter", value: Obj, key: Any) -> Value:
    name = to_text(key)
    if name is None:
        return Sym(taint=taint_of(value))
    if name in value.props:
        return value.props[name]
    if value.getters and name in value.getters:
        return interp.call(value.getters[name], [], value)
    owner: Func | None = value.klass
    for _level in range(8):
        if owner is None:
            break
        if owner.members is not None and name in owner.members:
            return owner.members[name]
        prototype = owner.props.get("prototype")
        if isinstance(prototype, Obj) and name in prototype.props:
            return prototype.props[name]
        owner = owner.owner
    if value.dump is not None or value.taint or value.klass is not None:
        return Sym(taint=taint_of(value))
    return Sym(path="Function") if name == "constructor" else UNDEFINED


def _function_member(function: Func, key: Any) -> Value:
    name = to_text(key)
    if name is None:
        return UNKNOWN
    if name in function.props:
        return function.props[name]
    if name == "constructor":
        return Sym(path="Function")
    if name == "prototype":
        made = function.props["prototype"] = Obj()
        return made
    return function.name if name == "name" and function.name else UNDEFINED


def assign_to(interp: "Interpreter", target: Code, value: Value, scope: Scope) -> None:
    """Set a name, a member or a pattern."""
    kind = target[0]
    if kind == "id":
        interp.assign(target[3], value, scope)
    elif kind in ("mem", "idx"):
        holder = interp.eval(target[3], scope)
        key = target[4] if kind == "mem" else interp.eval(target[4], scope)
        for option in options(holder):
            put(interp, option, key, value, target)
    elif kind == "dflt":
        assign_to(interp, target[3], value, scope)
    elif kind in ("opat", "apat", "arr", "obj"):
        if kind == "opat":
            for key, part in target[3]:
                assign_to(interp, part, get(interp, value, key if isinstance(key, str) else None, *part[1:3]), scope)
        else:
            for position, part in enumerate(target[3]):
                if part is not None and isinstance(part, list) and part[0] in ("id", "mem", "idx"):
                    assign_to(interp, part, get(interp, value, position, part[1], part[2]), scope)


def put(interp: "Interpreter", holder: Value, key: Value, value: Value, target: Code) -> None:
    """Set ``holder[key] = value``."""
    if isinstance(holder, Sym):
        calls.hooked(interp, holder, key, value, target)
        return
    if isinstance(holder, Arr):
        _put_item(interp, holder, key, value)
        return
    name = to_text(key)
    if isinstance(holder, Obj):
        if name is None or isinstance(key, Sym):
            holder.taint |= taint_of(value)
        else:
            old = holder.props.get(name, UNDEFINED)
            holder.props[name] = interp.joined(old, value) if interp.uncertain else value
    elif isinstance(holder, Func) and name is not None:
        holder.props[name] = value


def _put_item(interp: "Interpreter", array: Arr, key: Value, value: Value) -> None:
    if isinstance(key, float) and key == int(key):
        key = int(key)
    if isinstance(key, int) and 0 <= key < len(array.items):
        array.items[key] = interp.joined(array.items[key], value) if interp.uncertain else value
    elif isinstance(key, int) and key == len(array.items) and key < 100_000:
        array.items.append(value)
    elif isinstance(key, int) and len(array.items) <= key < min(len(array.items) + 1024, 100_000):
        array.items.extend([UNDEFINED] * (key - len(array.items)))
        array.items.append(value)
    elif key == "length" and isinstance(value, int):
        del array.items[value:]
    elif isinstance(key, str):
        array.props = array.props or {}
        array.props[str(key)] = value
    else:
        array.open = True
        array.taint |= taint_of(value)


def iterate(interp: "Interpreter", value: Value, *, keys: bool, code: Code) -> list[Value] | None:
    """Return the items (or keys) of a value, or None if they are not known."""
    if isinstance(value, Arr) and not value.open:
        return list(range(len(value.items))) if keys else list(value.items)
    if isinstance(value, str):
        return list(range(len(value))) if keys else list(value)
    if isinstance(value, Buf):
        return list(range(len(value.data))) if keys else list(value.data)
    if isinstance(value, Obj) and keys and value.dump is None and not value.taint:
        return list(value.props)
    if keys:
        calls.dumped(interp, value, code)
    return None


def make_class(interp: "Interpreter", code: Code, scope: Scope) -> Func:
    """Make a class: a function with members."""
    made = Func(interp.unit, interp.base, code, scope, code[3])
    made.members = {}
    base = interp.eval(code[4], scope) if code[4] is not None else UNDEFINED
    made.owner = base if isinstance(base, Func) and base.members is not None else None
    inner = Scope(scope, function=True, this=made)
    if code[3]:
        inner.vars[code[3]] = made
    for key, static, kind, body in code[5]:
        name = key if isinstance(key, str) else to_text(interp.eval(key, scope)) or ""
        if kind == "b":
            interp.run(body, Scope(inner))
        elif kind == "m":
            method = interp.function(body, inner)
            method.name = name
            (made.props if static else made.members)[name] = method
        elif static:
            made.props[name] = interp.eval(body, inner)
        else:
            made.members[name] = interp.eval(body, inner)
    return made


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


def _super(_interp: "Interpreter", _code: Code, _scope: Scope) -> Value:
    return UNKNOWN


def _template(interp: "Interpreter", code: Code, scope: Scope) -> Value:
    parts = []
    for part in code[3]:
        if isinstance(part, str):
            if part:
                parts.append(part)
        else:
            value = interp.eval(part, scope)
            calls.dumped(interp, value, part)
            parts.append(value)
    return interp.concat(parts)


def _tagged(interp: "Interpreter", code: Code, scope: Scope) -> Value:
    text = interp.eval(code[4], scope)
    function = interp.eval(code[3], scope)
    return interp._calls.call_value(interp, function, [text], UNDEFINED, code)


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
                calls.spread(interp, made, value, value_code)
            continue
        name = key if isinstance(key, str) else to_text(interp.eval(key, scope))
        value = interp.eval(value_code, scope)
        calls.consume(interp, value, value_code)
        if name is None:
            made.taint |= taint_of(value)
        elif kind == "g":
            made.getters = made.getters or {}
            made.getters[name] = value
        elif kind != "S":
            made.props[name] = value
        if name == "env":
            calls.forgive_dump(interp, value)
    return made


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
            calls.hooked(interp, holder, key, UNDEFINED, target, deleting=True)
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
            calls.consume(interp, other, operand)
        total = operate(interp, code[3], total, other)
    return total


def operate(interp: "Interpreter", operator: str, a: Value, b: Value) -> Value:
    """Return ``a operator b``."""
    if operator == "+":
        return add(interp, a, b)
    if operator in ("===", "!==", "==", "!="):
        same = strictly_equal(a, b) if len(operator) == 3 else loosely_equal(a, b)
        return Sym() if same is None else same == (operator[0] == "=")
    if operator in ("instanceof", "in"):
        if operator == "in" and isinstance(b, Obj) and isinstance(a, str) and not b.taint and b.klass is None:
            return str(a) in b.props
        return Sym()
    if operator[0] in "<>" and isinstance(a, str) and isinstance(b, str) and len(operator) < 3 and operator[-1] in "<>=":
        return compare(operator, str(a), str(b)) if operator not in ("<<", ">>") else 0
    left, right = to_number(a), to_number(b)
    if left is None or right is None:
        return Sym(taint=taint_of(a) | taint_of(b), via=("xor",) if operator == "^" else ())
    if operator == "^":
        interp.saw_xor = True
    result = binary(operator, left, right)
    return Sym() if result is None else result


def add(interp: "Interpreter", a: Value, b: Value) -> Value:
    """Return ``a + b``: a sum of numbers, a concatenation otherwise."""
    numeric = (int, float)
    if isinstance(a, numeric) and isinstance(b, numeric):
        return tidy(a + b)
    plain = (*numeric, bool, type(None), type(UNDEFINED))
    if isinstance(a, plain) and isinstance(b, plain):
        left, right = to_number(a), to_number(b)
        return Sym() if left is None or right is None else tidy(left + right)
    texts = [part for part in (a, b) if isinstance(part, (str, Arr, Obj, Buf, Func)) or _has_text(part)]
    if texts:
        return interp.concat([a, b])
    return Sym(taint=taint_of(a) | taint_of(b), via=merged(via_of(a), via_of(b)))


def _has_text(value: Value) -> bool:
    return (isinstance(value, Sym) and value.text is not None) or isinstance(value, Choice)


def _concatenation(interp: "Interpreter", code: Code, scope: Scope) -> Value:
    if len(code[3]) == 2:
        left, right = interp.eval(code[3][0], scope), interp.eval(code[3][1], scope)
        calls.dumped(interp, left, code)
        calls.dumped(interp, right, code)
        return add(interp, left, right)
    total: Value = interp.eval(code[3][0], scope)
    parts: list[Value] = []
    for operand in code[3][1:]:
        value = interp.eval(operand, scope)
        calls.dumped(interp, value, operand)
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
        calls.consume(interp, value, code[5])
        assign_to(interp, target, value, scope)
        return value
    old = interp.eval(target, scope)
    value = interp.eval(code[5], scope)
    if operator in ("||=", "&&=", "??="):
        result = choice([old, value])
    else:
        result = operate(interp, operator[:-1], old, value)
        calls.dumped(interp, value, code)
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
        calls.consume(interp, key, code[4])
    return get(interp, value, key, code[1], code[2])


def _dynamic_import(interp: "Interpreter", code: Code, scope: Scope) -> Value:
    args = [interp.eval(arg, scope) for arg in code[3]]
    return calls.call_value(interp, Sym(path="import"), args, UNDEFINED, code)


def _sequence(interp: "Interpreter", code: Code, scope: Scope) -> Value:
    value: Value = UNDEFINED
    for item in code[3]:
        value = interp.eval(item, scope)
    return value


def _await(interp: "Interpreter", code: Code, scope: Scope) -> Value:
    return interp.eval(code[3], scope)


def _regex(_interp: "Interpreter", code: Code, _scope: Scope) -> Value:
    return Regex(code[3], code[4])


def _meta(_interp: "Interpreter", code: Code, _scope: Scope) -> Value:
    return Sym(path=code[3] if code[3] in ("import.meta",) else "")


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
    "tag": _tagged,
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
    "new": _new,
    "mem": _member,
    "idx": _index,
    "imp": _dynamic_import,
    "seq": _sequence,
    "await": _await,
    "re": _regex,
    "meta": _meta,
    "opq": _opaque,
    "spread": _await,
    "opat": _pattern_value,
    "apat": _pattern_value,
    "dflt": _pattern_value,
    "rest": _pattern_value,
}
