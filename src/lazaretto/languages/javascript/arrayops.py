"""Methods of arrays, on arrays whose items are known as far as they need to be."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from lazaretto.languages.javascript.coerce import strictly_equal, to_text
from lazaretto.languages.javascript.textops import index
from lazaretto.languages.javascript.values import (
    DEEP,
    MAX_PARTS,
    MAX_TEXT,
    UNDEFINED,
    Arr,
    Func,
    Sym,
    Text,
    Value,
    merged,
    taint_of,
    truth,
    via_of,
)

if TYPE_CHECKING:
    from lazaretto.languages.javascript.interp import Interpreter

MAX_ITEMS = 100_000
_SHOWN = 64  # items of an array with unknown others that a callback is given
_OWN = 2  # parameters of a callback in front of the array: the item and its place
_CALLBACKS = frozenset(
    {"map", "forEach", "filter", "find", "findIndex", "some", "every", "flatMap", "reduce", "reduceRight", "sort"}
)


def array_method(interp: "Interpreter", array: Arr, name: str, args: list[Value]) -> Value:
    """Return ``array.name(...args)``; the array is changed where the method changes it."""
    if name in _CALLBACKS:
        return _with_callback(interp, array, name, args)
    method = _METHODS.get(name)
    if method is None or (array.open and name not in ("push", "join", "concat", "slice", "reverse")):
        return Sym(taint=taint_of(array) | interp.taints(args), via=array.via)
    return method(interp, array, args)


def _with_callback(interp: "Interpreter", array: Arr, name: str, args: list[Value]) -> Value:
    callback = args[0] if args else UNDEFINED
    taint = taint_of(array)
    if name == "sort":
        return _sorted(interp, array, callback)
    if not callable_value(callback):
        return Sym(taint=taint | interp.taints(args), via=array.via)
    if array.open:
        known = array.items[:_SHOWN] if name not in ("reduce", "reduceRight") else []
        given = [interp.call(callback, [one, Sym()]) for one in (*known, Sym(taint=taint, via=array.via))]
        return Sym(taint=taint | interp.taints(given, DEEP) if name in ("map", "flatMap") else taint, via=array.via)
    if name in ("reduce", "reduceRight"):
        return _reduced(interp, array, args, backwards=name == "reduceRight")
    if name in ("map", "flatMap", "forEach"):
        return _mapped(interp, array, name, callback)
    return _searched(interp, array, name, callback)


def _mapped(interp: "Interpreter", array: Arr, name: str, callback: Value) -> Value:
    kept: list[Value] = []
    interp.xor_inside = False
    seen = _seen(interp, array, callback)
    for position, item in enumerate(list(array.items)):
        result = interp.call(callback, [item, position, *seen])
        if name == "flatMap" and isinstance(result, Arr):
            kept.extend(result.items)
        else:
            kept.append(result)
    if name == "forEach":
        return UNDEFINED
    return Arr(kept, merged(array.via, ("xor",)) if interp.xor_inside else array.via, array.taint)


def _searched(interp: "Interpreter", array: Arr, name: str, callback: Value) -> Value:
    kept: list[Value] = []
    some = False
    seen = _seen(interp, array, callback)
    for position, item in enumerate(list(array.items)):
        answer = truth(interp.call(callback, [item, position, *seen]))
        if answer is None and name != "filter":
            return Sym(taint=taint_of(array), via=array.via)
        some = some or answer is None
        if answer is not False:
            kept.append(item)
        if answer and name in ("find", "findIndex"):
            return item if name == "find" else position
        if answer == (name == "some") and name in ("some", "every"):
            return answer
    if name == "filter":
        found = Arr(kept, array.via, array.taint)
        found.open = some  # each may be among them
        return found
    return {"some": False, "every": True, "findIndex": -1}.get(name, UNDEFINED)


def _seen(interp: "Interpreter", array: Arr, callback: Value) -> tuple[Value, ...]:
    """Return the array, for a callback that can see it: to look through it at each item takes its length squared."""
    body = interp.source.body(callback) if isinstance(callback, Func) and callback.bound is None else None
    if body is None or len(body[0]) > _OWN or any(parameter[0] == "rest" for parameter in body[0]):
        return (array,)
    return (array,) if "arguments" in interp.source.text(callback) else ()


def callable_value(value: Value) -> bool:
    """Whether a value can be called here: a function of the file, or a named thing of the outside."""
    return isinstance(value, Func) or (isinstance(value, Sym) and bool(value.path))


def _reduced(interp: "Interpreter", array: Arr, args: list[Value], *, backwards: bool) -> Value:
    items = list(reversed(array.items)) if backwards else list(array.items)
    if len(args) > 1:
        total = args[1]
    elif items:
        total = items.pop(0)
    else:
        return UNDEFINED
    for position, item in enumerate(items):
        total = interp.call(args[0], [total, item, position, array])
    return total


def _sorted(interp: "Interpreter", array: Arr, callback: Value) -> Value:
    from functools import cmp_to_key

    from lazaretto.languages.javascript.coerce import to_number

    if callback is UNDEFINED:
        keys = [to_text(item) for item in array.items]
        if any(key is None for key in keys):
            array.open = True
        else:
            pairs = sorted(zip(keys, range(len(keys)), strict=True), key=lambda pair: (pair[0] or "", pair[1]))
            array.items[:] = [array.items[position] for _key, position in pairs]
        return array
    unknown = False

    def order(a: Value, b: Value) -> int:
        nonlocal unknown
        answer = to_number(interp.call(callback, [a, b]))
        unknown = unknown or answer is None
        return 0 if not answer or answer != answer else -1 if answer < 0 else 1

    if len(array.items) <= 2000:
        array.items.sort(key=cmp_to_key(order))
    array.open = array.open or unknown
    return array


def _push(_interp: "Interpreter", array: Arr, args: list[Value]) -> Value:
    if len(array.items) + len(args) <= MAX_ITEMS:
        array.items.extend(args)
    else:
        array.open = True
    for arg in args:
        if type(arg) is Text and arg.via:
            array.via = merged(array.via, arg.via)
    return len(array.items)


def _unshift(_interp: "Interpreter", array: Arr, args: list[Value]) -> Value:
    if len(array.items) + len(args) <= MAX_ITEMS:
        array.items[:0] = args
    else:
        array.open = True
    return len(array.items)


def _join(interp: "Interpreter", array: Arr, args: list[Value]) -> Value:
    mark = to_text(args[0]) if args and args[0] is not UNDEFINED else ","
    taint = taint_of(array) | interp.taints(args)
    via = merged(array.via, *(via_of(item) for item in array.items[:MAX_ITEMS]))
    if mark is None:
        return Sym(taint=taint, via=via)
    if array.open or not all(isinstance(item, (str, int, float)) for item in array.items):
        return _joined_pattern(interp, array, mark, taint, via)
    parts = [to_text(item) or "" for item in array.items]
    if sum(map(len, parts)) > MAX_TEXT:
        return Sym(taint=taint, via=via)
    return Text.of(mark.join(parts), via, taint)


def _joined_pattern(interp: "Interpreter", array: Arr, mark: str, taint: frozenset[int], via: tuple[str, ...]) -> Value:
    parts: list[Value] = []
    for position, item in enumerate(array.items[:MAX_PARTS]):
        if position:
            parts.append(mark)
        parts.append("" if item is None or item is UNDEFINED else item)
    if array.open or len(array.items) > MAX_PARTS:
        parts.append(Sym(taint=taint, via=via))
    return interp.concat(parts)


def _slice(_interp: "Interpreter", array: Arr, args: list[Value]) -> Value:
    size = len(array.items)
    start, end = index(args, 0, 0, size), index(args, 1, size, size)
    if start is None or end is None:
        return Sym(taint=taint_of(array), via=array.via)
    part = Arr(array.items[start:end], array.via, array.taint)
    part.open = array.open
    return part


def _splice(_interp: "Interpreter", array: Arr, args: list[Value]) -> Value:
    size = len(array.items)
    start = index(args, 0, 0, size)
    count = index(args, 1, size)
    if start is None or count is None:
        array.open = True
        return Sym(taint=taint_of(array), via=array.via)
    removed = array.items[start : start + max(0, count)]
    array.items[start : start + max(0, count)] = args[2:]
    return Arr(removed, array.via, array.taint)


def _reverse(_interp: "Interpreter", array: Arr, _args: list[Value]) -> Value:
    array.items.reverse()
    if len(array.items) >= 4 and all(isinstance(item, str) and len(item) <= 2 for item in array.items):
        array.via = merged(array.via, ("reverse",))
    return array


def _concat(_interp: "Interpreter", array: Arr, args: list[Value]) -> Value:
    items = list(array.items)
    made = Arr(items, array.via, array.taint)
    made.open = array.open
    for arg in args:
        if isinstance(arg, Arr):
            items.extend(arg.items[: MAX_ITEMS - len(items)])
            made.via = merged(made.via, arg.via)
            made.open = made.open or arg.open
        else:
            items.append(arg)
    made.open = made.open or len(items) >= MAX_ITEMS
    return made


def _index_of(_interp: "Interpreter", array: Arr, args: list[Value]) -> Value:
    wanted = args[0] if args else UNDEFINED
    for position, item in enumerate(array.items):
        answer = strictly_equal(item, wanted)
        if answer is None:
            return Sym()
        if answer:
            return position
    return -1


def _includes(interp: "Interpreter", array: Arr, args: list[Value]) -> Value:
    found = _index_of(interp, array, args)
    return found if isinstance(found, Sym) else found >= 0


def _fill(_interp: "Interpreter", array: Arr, args: list[Value]) -> Value:
    array.items[:] = [args[0] if args else UNDEFINED] * len(array.items)
    return array


def _flat(_interp: "Interpreter", array: Arr, _args: list[Value]) -> Value:
    items: list[Value] = []
    for item in array.items:
        items.extend(item.items if isinstance(item, Arr) else (item,))
    return Arr(items[:MAX_ITEMS], array.via, array.taint)


def _at(_interp: "Interpreter", array: Arr, args: list[Value]) -> Value:
    at = index(args, 0, 0)
    if at is None:
        return Sym(taint=taint_of(array), via=array.via)
    return array.items[at] if -len(array.items) <= at < len(array.items) else UNDEFINED


_METHODS: "dict[str, Callable[[Interpreter, Arr, list[Value]], Value]]" = {
    "push": _push,
    "pop": lambda _i, array, _a: array.items.pop() if array.items else UNDEFINED,
    "shift": lambda _i, array, _a: array.items.pop(0) if array.items else UNDEFINED,
    "unshift": _unshift,
    "join": _join,
    "toString": lambda interp, array, _a: _join(interp, array, []),
    "slice": _slice,
    "splice": _splice,
    "reverse": _reverse,
    "toReversed": lambda interp, array, _a: _reverse(interp, Arr(list(array.items), array.via, array.taint), []),
    "concat": _concat,
    "indexOf": _index_of,
    "includes": _includes,
    "fill": _fill,
    "flat": _flat,
    "at": _at,
    "keys": lambda _i, array, _a: Arr(list(range(len(array.items)))),
    "values": lambda _i, array, _a: array,
    "entries": lambda _i, array, _a: Arr([Arr([n, item]) for n, item in enumerate(array.items)]),
}

NAMES = _CALLBACKS | frozenset(_METHODS)
"""Names of the methods of arrays."""
