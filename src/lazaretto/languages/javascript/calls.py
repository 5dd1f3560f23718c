"""Calls, members and assignments on things of the outside world: where values meet capabilities."""

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from lazaretto.core.facts import Moment
from lazaretto.languages.javascript import (
    buffers,
    effects,
    exporting,
    handling,
    implicit,
    outside,
    pages,
    sinks,
    textops,
)
from lazaretto.languages.javascript.arrayops import callable_value
from lazaretto.languages.javascript.builtins import FOLDERS
from lazaretto.languages.javascript.coerce import number_method, to_text
from lazaretto.languages.javascript.members import get, iterate, put
from lazaretto.languages.javascript.values import (
    DEEP,
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
    item_of,
    merged,
    options,
    taint_of,
    via_of,
)

if TYPE_CHECKING:
    from lazaretto.languages.javascript.interp import Interpreter

Code = list[Any]
Place = tuple[int, int]

MAX_PATH = 160
_INTEROP = re.compile(r"^_{0,2}(?:importDefault|importStar|toESM|toCommonJS|interop\w*|esModule\w*)$|^_+interop\w*$")
_SHORTER = re.compile(r"\.(?:create|extend|defaults|instance|agent)\(\)|\.(?:default|promises)(?=\.|$)")
_NOW = frozenset(
    "then catch finally forEach map filter some every find reduce flatMap nextTick pipe finished each".split()
)
_LISTEN = frozenset("on once addListener prependListener addEventListener subscribe".split())
_DUMPERS = frozenset(
    "JSON.stringify Object.keys Object.entries Object.values Object.getOwnPropertyNames Object.fromEntries "
    "@util.inspect @querystring.stringify Buffer.from Reflect.ownKeys structuredClone".split()
)
_SENDING = frozenset("write end send sendText update setHeader append set emit".split())
_PATTERN_METHODS = frozenset("replace replaceAll concat trim toString toLowerCase valueOf".split())
# Calls


def call(interp: "Interpreter", code: Code, scope: Scope) -> Value:
    """Evaluate a call expression."""
    callee = code[3]
    if callee[0] in ("mem", "idx"):
        receiver = interp.eval(callee[3], scope)
        key = callee[4] if callee[0] == "mem" else interp.eval(callee[4], scope)
        if callee[0] == "idx":
            outside.consume(interp, key, callee[4])
        args = arguments(interp, code[4], scope)
        return _method(interp, receiver, key, args, code)
    function = interp.eval(callee, scope)
    args = arguments(interp, code[4], scope)
    if callee[0] == "id" and len(args) >= 1 and _INTEROP.match(callee[3]):
        return args[0]
    interp.around = scope if callee[0] == "id" and callee[3] == "eval" else None
    return call_value(interp, function, args, UNDEFINED, code)


def arguments(interp: "Interpreter", codes: list[Code], scope: Scope) -> list[Value]:
    """Evaluate the arguments of a call."""
    args: list[Value] = []
    via: tuple[str, ...] = ()
    for code in codes:
        if code[0] == "spread":
            value = interp.eval(code[3], scope)
            items = iterate(interp, value, keys=False, code=code)
            via = merged(via, via_of(value))
            args.extend(items[:65536] if items is not None else [item_of(value)])
        else:
            args.append(interp.eval(code, scope))
    interp.spread_via = via
    return args


def call_value(interp: "Interpreter", function: Value, args: list[Value], this: Value, code: Code) -> Value:
    """Call whatever ``function`` is."""
    if isinstance(function, Choice):
        return choice([call_value(interp, option, args, this, code) for option in function.options])
    if isinstance(function, Func):
        return interp.enter(function, args, this)
    at = (interp.base + code[1], interp.base + code[2])
    if isinstance(function, Sym):
        return call_path(interp, function, args, this, at)
    callbacks_later(interp, args)
    return Sym(taint=interp.taints(args))


def _method(interp: "Interpreter", receiver: Value, key: Value, args: list[Value], code: Code) -> Value:
    if isinstance(receiver, Choice):
        return choice([_method(interp, option, key, args, code) for option in receiver.options])
    if isinstance(key, Choice):
        return choice([_method(interp, receiver, option, args, code) for option in key.options])
    name = str(key) if isinstance(key, str) else None
    if name is None and isinstance(receiver, (Obj, Sym)):
        return implicit.whichever(interp, receiver, key, args, code)
    reflected = isinstance(receiver, Sym) and receiver.path == "Reflect"
    if name in ("call", "apply", "bind") and isinstance(receiver, (Func, Sym)) and not reflected:
        return _indirect(interp, receiver, name, args, code)
    if name in ("then", "catch", "finally"):
        return _promised(interp, receiver, name, args, code)
    folded = _on_value(interp, receiver, name, args)
    if folded is not None:
        return folded
    function = get(interp, receiver, key, code[3][1], code[3][2])
    if isinstance(function, Sym) and not function.path and name is not None and isinstance(receiver, Sym):
        function = Sym(path=f"?.{name}", taint=receiver.taint, via=receiver.via, sink=receiver.sink)
    return call_value(interp, function, args, receiver, code)


def _on_value(interp: "Interpreter", receiver: Value, name: str | None, args: list[Value]) -> Value | None:
    """Call a method of a known primitive, array, buffer or expression; None if it is none of these."""
    if name is None:
        return None
    if isinstance(receiver, (str, Sym)):
        return _on_text(interp, receiver, name, args)
    if isinstance(receiver, Arr):
        own = receiver.props and name in receiver.props
        return None if own else interp.array_method(receiver, name, args)
    if isinstance(receiver, Buf):
        return buffers.buffer_method(interp, receiver, name, args)
    if isinstance(receiver, Regex):
        return textops.regex_method(interp, receiver, name, args)
    if isinstance(receiver, (int, float)) and not isinstance(receiver, bool):
        return number_method(receiver, name, args)
    if isinstance(receiver, Func) and name == "toString" and "toString" not in receiver.props:
        return interp.source.text(receiver)
    return None


def _on_text(interp: "Interpreter", receiver: "str | Sym", name: str, args: list[Value]) -> Value | None:
    if isinstance(receiver, str):
        if name == "split" and type(receiver) is Text:
            interp.record.spent.add(str(receiver))
        return textops.text_method(interp, receiver, name, args)
    if receiver.text is None or name not in _PATTERN_METHODS:
        return None
    result = textops.text_method(interp, receiver.text, name, args)
    text = str(result) if isinstance(result, str) else None
    return Sym(text=text, taint=receiver.taint | interp.taints(args), via=receiver.via)


def _indirect(interp: "Interpreter", function: Value, name: str, args: list[Value], code: Code) -> Value:
    this = args[0] if args else UNDEFINED
    if name == "bind":
        if isinstance(function, Func) and len(args) > 1:
            bound = Func(function.unit, function.base, function.code, function.scope, function.name)
            bound.bound = args[1:]
            return bound
        return function
    rest = args[1:]
    if name == "apply":
        rest = list(args[1].items) if len(args) > 1 and isinstance(args[1], Arr) else [UNKNOWN] if len(args) > 1 else []
    if isinstance(function, Sym) and function.path.split(".")[-1] in ("slice", "map", "forEach", "join", "reverse"):
        return _method(interp, this, function.path.rsplit(".", 1)[-1], rest, code)
    return call_value(interp, function, rest, this, code)


def _promised(interp: "Interpreter", receiver: Value, name: str, args: list[Value], code: Code) -> Value:
    if isinstance(receiver, Obj) and name in receiver.props:
        return call_value(interp, receiver.props[name], args, receiver, code)
    results: list[Value] = []
    for position, callback in enumerate(args[:2]):
        if not callable_value(callback):
            continue
        failed = name == "catch" or position == 1
        interp.uncertain += failed
        given = UNKNOWN if failed else receiver
        results.append(call_value(interp, callback, [] if name == "finally" else [given], UNDEFINED, code))
        interp.uncertain -= failed
    if name == "then" and results:
        return results[0]
    return receiver


def call_path(interp: "Interpreter", function: Sym, args: list[Value], this: Value, at: Place) -> Value:
    """Call a thing of the outside world by its path."""
    path = _shortened(function.path)
    if path.startswith("%resolve:"):
        interp.resolved[int(path[9:])].extend(args[:1])
        return UNDEFINED
    if path == "%global":
        return Sym(path="globalThis")
    if path in ("Reflect.apply", "Reflect.construct"):
        inner = args[-1].items if len(args) > 1 and isinstance(args[-1], Arr) else []
        return call_value(interp, args[0] if args else UNKNOWN, list(inner), UNDEFINED, [0, *_relative(interp, at)])
    if path in ("Reflect.get", "Reflect.set", "Object.defineProperty", "Object.defineProperties"):
        return _reflected(interp, path, args, at)
    if path in _DUMPERS:
        args = [handling.deep_dump(interp, outside.as_dump(interp, arg, at), at) for arg in args]
    elif path == "Object.assign":
        for arg in args[1:]:
            if args and isinstance(args[0], Obj):
                outside.spread_at(interp, args[0], arg, at)
    folder = FOLDERS.get(path)
    if folder is not None:
        return _fold(interp, folder(interp, args), args, at)
    effect = effects.effects().get(path)
    if effect is None:
        effect = _by_last_name(path)
    if effect is not None:
        return sinks.perform(
            interp, effect, Sym(path, function.text, function.taint, function.via, function.sink), args, this, at
        )
    return _unknown_call(interp, path, function, args, this, at)


@lru_cache(maxsize=4096)
def _shortened(path: str) -> str:
    return _SHORTER.sub("", path)


def _relative(interp: "Interpreter", at: Place) -> Place:
    return (at[0] - interp.base, at[1] - interp.base)


def _fold(interp: "Interpreter", result: Value, args: list[Value], at: Place) -> Value:
    chain = via_of(result)
    for arg in args[:1]:
        if type(arg) is Text and arg.via and len(chain) > len(arg.via):
            interp.record.spent.add(str(arg))
    callbacks = [arg for arg in args if isinstance(arg, Func)]
    if callbacks and not isinstance(result, Func) and isinstance(result, (Sym, Buf)):
        # zlib.inflate(data, callback) and the like
        for callback in callbacks:
            interp.enter(callback, [None, result])
    return result


def _by_last_name(path: str) -> effects.Effect | None:
    last = path.rsplit(".", 1)[-1]
    if last == "_compile":
        return ("eval", 0)
    if last == "sendBeacon":
        return ("net", 0)
    if last == "listen" and "()" in path and path.startswith("@"):
        return ("listen", 0)
    if last in ("signTransaction", "signAndSendTransaction", "signAllTransactions") and "." in path:
        return ("wallet", 0)
    if last == "request" and path.endswith("ethereum.request"):
        return ("wallet", 0)
    return None


def _unknown_call(interp: "Interpreter", path: str, function: Sym, args: list[Value], this: Value, at: Place) -> Value:
    name = path.rsplit(".", 1)[-1]
    exporting.handed_on(interp, function, args)
    taint = function.taint | interp.taints(args)
    via = merged(function.via, *(via_of(arg) for arg in args))
    if function.sink is not None and (name in _SENDING or path.startswith(handling.CLIENT)):
        handling.feed(interp, function.sink, args, at)
    if name == "pipe" and args:
        for target in options(args[0]):
            if isinstance(target, Sym) and target.sink is not None:
                interp.record.flow(function.taint, target.sink)
            elif isinstance(target, Sym) and target is not UNKNOWN:  # that one is shared by all files
                target.taint |= function.taint
        return args[0]
    last = _called_back(interp, path, function, args, this, at)
    if name in _LISTEN and isinstance(this, Sym):
        return this
    if last is not None and name in ("map", "then", "flatMap"):
        taint |= taint_of(last)
    longer = f"{path}()" if path and not path.startswith("?") and len(path) < MAX_PATH else ""
    if longer.startswith("process.") or path in outside.ENVIRONMENTS:
        longer = path + "()"
    return Sym(path=longer, taint=taint, via=via, sink=function.sink)


def _called_back(interp: "Interpreter", path: str, function: Sym, args: list[Value], this: Value, at: Place) -> Value:
    """Enter the callbacks that somebody unknown is given, now or when he likes; return what the last one gave."""
    name = path.rsplit(".", 1)[-1]
    here = name in _NOW or (name in _LISTEN and (path.startswith(("@", "process")) or bool(function.taint)))
    listened = pages.heard(interp, path, args, at)
    given = listened or Sym(taint=function.taint, via=function.via)
    last: Value = None
    for arg in args:
        if isinstance(arg, Func) and here:
            last = interp.enter(arg, [given, given], this if name in _LISTEN else UNDEFINED)
        elif isinstance(arg, Func) and listened is not None:
            interp.deferred.append((arg, [given], Moment.CALL))
        elif isinstance(arg, Func):
            interp.later.append((arg, [given, given, given]))
    return last


def callbacks_later(interp: "Interpreter", args: list[Value]) -> None:
    """Remember functions that were handed to somebody unknown: they may run when that somebody likes."""
    for arg in args:
        if isinstance(arg, Func):
            interp.later.append((arg, [UNKNOWN, UNKNOWN]))


def _reflected(interp: "Interpreter", path: str, args: list[Value], at: Place) -> Value:
    if len(args) < 2:
        return UNKNOWN
    start, end = _relative(interp, at)
    if path == "Reflect.get":
        return get(interp, args[0], args[1], start, end)
    if path == "Object.defineProperties":
        return args[0]
    value = args[2] if len(args) > 2 else UNDEFINED
    if path == "Object.defineProperty" and isinstance(value, Obj):
        getter = value.props.get("get")
        if isinstance(getter, Func) and isinstance(args[0], Obj) and isinstance(args[1], str):
            args[0].getters = args[0].getters or {}
            args[0].getters[str(args[1])] = getter
            return args[0]
        value = value.props.get("value", getter if getter is not None else UNDEFINED)
    for holder in options(args[0]):
        put(interp, holder, args[1], value, ["idx", start, end])
    return args[0]


# Construction


def construct(interp: "Interpreter", code: Code, scope: Scope) -> Value:
    """Evaluate a ``new`` expression."""
    function = interp.eval(code[3], scope)
    args = arguments(interp, code[4], scope)
    at = (interp.base + code[1], interp.base + code[2])
    return choice([_construct_one(interp, option, args, at) for option in options(function)])


def _construct_one(interp: "Interpreter", function: Value, args: list[Value], at: Place) -> Value:
    if isinstance(function, Func):
        return _instance(interp, function, args)
    if not isinstance(function, Sym):
        return Sym(taint=interp.taints(args))
    if function.path == "Promise":
        return _new_promise(interp, args)
    if function.path == "Proxy":
        pages.stood_for(interp, args[0] if args else UNKNOWN, args[1] if len(args) > 1 else UNKNOWN, at)
        return args[0] if args else UNKNOWN
    if function.path == "RegExp" and args and isinstance(args[0], str):
        return Regex(str(args[0]), to_text(args[1]) or "" if len(args) > 1 else "")
    if function.path in _CONTAINERS:
        return Sym(path=f"{function.path}()", taint=interp.taints(args, DEEP))
    return call_path(interp, function, args, UNDEFINED, at)


_CONTAINERS = frozenset("Map Set Error Date WeakMap WeakSet Headers FormData Blob URLSearchParams".split())


def _instance(interp: "Interpreter", function: Func, args: list[Value]) -> Obj:
    made = Obj(klass=function)
    if function.members is None:
        interp.enter(function, args, made)
        return made
    lineage: list[Func] = []
    owner: Func | None = function
    while owner is not None and owner not in lineage:
        lineage.append(owner)
        owner = owner.owner
    for level in reversed(lineage):
        fields = {name: value for name, value in (level.members or {}).items() if not isinstance(value, Func)}
        made.props.update(fields)
    for level in lineage:
        constructor = (level.members or {}).get("constructor")
        if isinstance(constructor, Func):
            interp.enter(constructor, args, made)
            break
    return made


def _new_promise(interp: "Interpreter", args: list[Value]) -> Value:
    if not args or not isinstance(args[0], Func):
        return UNKNOWN
    number = len(interp.resolved)
    interp.resolved[number] = []
    interp.enter(args[0], [Sym(path=f"%resolve:{number}"), Sym()])
    values = interp.resolved[number]
    return choice(values) if values else Sym()
