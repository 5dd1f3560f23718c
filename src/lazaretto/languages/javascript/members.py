"""Reading and setting members of values; iteration; classes."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lazaretto.languages.javascript import arrayops, outside, textops
from lazaretto.languages.javascript.coerce import to_text
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
    is_thing,
    options,
    taint_of,
    via_of,
)

if TYPE_CHECKING:
    from lazaretto.languages.javascript.interp import Interpreter

Code = list[Any]

MEMBERS_A_STEP = 16
"""How many members are looked at for one step of work."""


def get(interp: "Interpreter", value: Value, key: Any, start: int, end: int) -> Value:
    """Return ``value[key]``; ``key`` is a text, an index, or an unknown value."""
    kind = type(value)
    kind_of_key = type(key)
    if kind is Choice:
        return choice([get(interp, option, key, start, end) for option in value.options])
    if kind_of_key is Choice:
        return choice([get(interp, value, option, start, end) for option in key.options])
    if kind is Sym:
        return outside.member(interp, value, key, start, end)
    if kind_of_key is Sym or key is None:
        return _any_member(interp, value)
    if kind_of_key is float and key.is_integer():
        key = int(key)
    if kind is Obj:
        return _object_member(interp, value, key)
    reader = _READERS.get(kind)
    return reader(value, key) if reader is not None else UNDEFINED


def _any_member(interp: "Interpreter", value: Value) -> Value:
    """Return what a member is whose name nobody knows: not known, or one of the things that lie there."""
    unknown = Sym(taint=taint_of(value), via=via_of(value))
    if isinstance(value, Arr):
        members = value.items
    elif isinstance(value, (Obj, Func)):
        members = list(value.props.values())
    else:
        return unknown
    interp.steps += len(members) // MEMBERS_A_STEP
    things = [member for member in members if is_thing(member)]
    return choice([*things, unknown]) if things else unknown


def _buffer_member(value: Buf, key: Any) -> Value:
    if isinstance(key, int):
        return value.data[key] if 0 <= key < len(value.data) else UNDEFINED
    return len(value.data) if key == "length" else Sym(taint=value.taint, via=value.via)


def _regex_member(value: Regex, key: Any) -> Value:
    return value.last if key == "lastIndex" else value.source if key == "source" else UNKNOWN


def _array_member(array: Arr, key: Any) -> Value:
    if isinstance(key, str) and key.isdigit() and len(key) < 7:
        key = int(key)
    if isinstance(key, int):
        if 0 <= key < len(array.items):
            return array.items[key]
        return Sym(taint=array.taint, via=array.via) if array.open else UNDEFINED
    if key == "length":
        return UNKNOWN if array.open else len(array.items)
    if key == "constructor":
        return Sym(path="Array")
    if array.props and key in array.props:
        return array.props[key]
    if array.taint:
        return Sym(taint=array.taint)
    return Sym(path=f"Array.prototype.{key}") if key in arrayops.NAMES else UNDEFINED


def _text_member(text: str, key: Any) -> Value:
    if isinstance(key, str) and key.isdigit() and len(key) < 7:
        key = int(key)
    if isinstance(key, int):
        return Text.of(text[key], via_of(text), taint_of(text)) if 0 <= key < len(text) else UNDEFINED
    if key == "constructor":
        return Sym(path="String")
    if isinstance(key, str) and key in textops.NAMES:
        return Sym(path=f"String.prototype.{key}")
    return len(text) if key == "length" else UNDEFINED


def _object_member(interp: "Interpreter", value: Obj, key: Any) -> Value:
    name = to_text(key)
    if name is None:
        return Sym(taint=taint_of(value))
    if name in value.props:
        return value.props[name]
    if value.getters and name in value.getters:
        return interp.call(value.getters[name], [], value)
    owner: Func | None = value.klass
    outer: Sym | None = None
    seen: set[int] = set()
    while owner is not None and id(owner) not in seen:
        seen.add(id(owner))
        outer = owner.outer or outer
        if owner.members is not None and name in owner.members:
            return owner.members[name]
        prototype = owner.props.get("prototype")
        if isinstance(prototype, Obj) and name in prototype.props:
            return prototype.props[name]
        owner = owner.owner
    if outer is not None:
        return outside.member(interp, outer, name, 0, 0)
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


_READERS: dict[type, Callable[[Any, Any], Value]] = {
    Arr: _array_member,
    str: _text_member,
    Text: _text_member,
    Buf: _buffer_member,
    Func: _function_member,
    Regex: _regex_member,
}


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
        outside.hooked(interp, holder, key, value, target)
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
    if isinstance(key, float) and key.is_integer():
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
        outside.dumped(interp, value, code)
    return None


def make_class(interp: "Interpreter", code: Code, scope: Scope) -> Func:
    """Make a class: a function with members."""
    made = Func(interp.unit, interp.base, code, scope, code[3])
    made.members = {}
    base = interp.eval(code[4], scope) if code[4] is not None else UNDEFINED
    made.owner = base if isinstance(base, Func) and base.members is not None else None
    made.outer = base if isinstance(base, Sym) and base.path.startswith("@.") else None
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
