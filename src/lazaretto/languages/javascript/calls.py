"""Calls, members and assignments on things of the outside world: where values meet capabilities."""

import re
from typing import TYPE_CHECKING, Any

from lazaretto.core.facts import Kind
from lazaretto.languages.javascript import effects, sensitive, sinks, textops
from lazaretto.languages.javascript.arrayops import callable_value
from lazaretto.languages.javascript.builtins import FOLDERS
from lazaretto.languages.javascript.coerce import to_number, to_text
from lazaretto.languages.javascript.lower import format_number
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
    via_of,
)

if TYPE_CHECKING:
    from lazaretto.languages.javascript.interp import Interpreter

Code = list[Any]
Place = tuple[int, int]

MAX_PATH = 160
_INTEROP = re.compile(r"^_{0,2}(?:importDefault|importStar|toESM|toCommonJS|interop\w*|esModule\w*)$|^_+interop\w*$")
_SHORTER = re.compile(r"\.(?:create|extend|defaults|instance|agent)\(\)|\.(?:default|promises)(?=\.|$)")
_CONSTRUCTORS = frozenset({"String", "Array", "Number", "Object", "Boolean", "RegExp", "Promise", "?constructor"})
_HOMES = frozenset({"HOME", "USERPROFILE", "HOMEPATH"})
_TEMPS = frozenset({"TMPDIR", "TEMP", "TMP"})
_NOW = frozenset(
    "then catch finally forEach map filter some every find reduce flatMap nextTick pipe finished each".split()
)
_LISTEN = frozenset("on once addListener prependListener addEventListener subscribe".split())
_DUMPERS = frozenset(
    "JSON.stringify Object.keys Object.entries Object.values Object.getOwnPropertyNames Object.fromEntries "
    "@util.inspect @querystring.stringify Buffer.from Reflect.ownKeys structuredClone".split()
)
_PATTERN_METHODS = frozenset("replace replaceAll concat trim toString toLowerCase valueOf".split())
_ENV = frozenset({"process.env", "import.meta.env", "Deno.env.toObject()", "Bun.env"})


def global_path(name: str) -> str:
    """Return the path of a name that the file does not declare."""
    return "globalThis" if name in effects.GLOBAL_OBJECTS else name


def global_value(name: str) -> Value:
    """Return the value of a name that the file does not declare."""
    if name == "NaN":
        return float("nan")
    if name == "Infinity":
        return float("inf")
    if name in ("__filename", "__dirname"):
        return Sym(path=name, text=name)
    return Sym(path=global_path(name))


# Members


def member(interp: "Interpreter", holder: Sym, key: Value, start: int, end: int) -> Value:
    """Return ``holder[key]`` of a thing of the outside world."""
    name = key if isinstance(key, str) else format_number(key) if isinstance(key, (int, float)) else None
    path = holder.path
    if path in _ENV:
        return _environment(interp, None if name is None else str(name), start, end)
    if name is None:
        return Sym(taint=holder.taint | taint_of(key), via=holder.via)
    if not path:
        if name == "constructor":
            return Sym(path="?constructor", taint=holder.taint)
        return Sym(taint=holder.taint, via=holder.via, sink=holder.sink)
    return _named_member(holder, str(name))


def _named_member(holder: Sym, name: str) -> Value:
    path = holder.path
    if path == "globalThis":
        return global_value(name)
    if name == "constructor" and path in _CONSTRUCTORS:
        return Sym(path="Function")
    if path.startswith("@") and name in ("default", "promises"):
        return holder
    if name == "require" and path.split(".", 1)[0] in ("process", "module", "require"):
        return Sym(path="require")
    if path == "process.argv" and name == "1":
        return Sym(path="process.argv.1", text="__filename")
    if path == "import.meta":
        if name in ("filename", "dirname"):
            return Sym(path=f"__{name}", text=f"__{name}")
        return Sym(path="import.meta.url", text="__filename") if name == "url" else Sym(path=f"import.meta.{name}")
    if path == "process" and name == "execPath":
        return Sym(path="process.execPath", text="node")
    if path == "@process":
        path = "process"
    elif path == "@buffer" and name == "Buffer":
        return Sym(path="Buffer")
    elif path == "@util" and name in ("TextDecoder", "TextEncoder"):
        return Sym(path=name)
    elif path == "@path" and name in ("posix", "win32"):
        return holder
    elif path == "@path" and name == "sep":
        return "/"
    elif path == "@os" and name == "EOL":
        return "\n"
    longer = f"{path}.{name}"
    if len(longer) > MAX_PATH:
        longer = ""
    return Sym(path=longer, taint=holder.taint, via=holder.via, sink=holder.sink)


def _environment(interp: "Interpreter", name: str | None, start: int, end: int) -> Value:
    at = (interp.base + start, interp.base + end)
    taint = {interp.record.emit(Kind.ENV_READ, name, *at)}
    if name is None:
        return Sym(taint=frozenset(taint))
    if sensitive.is_secret_variable(name):
        taint.add(interp.record.emit(Kind.SECRET_READ, name, *at))
    text = "~" if name in _HOMES else "$TMPDIR" if name in _TEMPS else f"${name}"
    return Sym(text=text, taint=frozenset(taint))


# Calls


def call(interp: "Interpreter", code: Code, scope: Scope) -> Value:
    """Evaluate a call expression."""
    callee = code[3]
    if callee[0] in ("mem", "idx"):
        receiver = interp.eval(callee[3], scope)
        key = callee[4] if callee[0] == "mem" else interp.eval(callee[4], scope)
        if callee[0] == "idx":
            consume(interp, key, callee[4])
        args = arguments(interp, code[4], scope)
        return _method(interp, receiver, key, args, code)
    function = interp.eval(callee, scope)
    args = arguments(interp, code[4], scope)
    if callee[0] == "id" and len(args) >= 1 and _INTEROP.match(callee[3]):
        return args[0]
    return call_value(interp, function, args, UNDEFINED, code)


def arguments(interp: "Interpreter", codes: list[Code], scope: Scope) -> list[Value]:
    """Evaluate the arguments of a call."""
    from lazaretto.languages.javascript.expressions import iterate

    args: list[Value] = []
    for code in codes:
        if code[0] == "spread":
            value = interp.eval(code[3], scope)
            items = iterate(interp, value, keys=False, code=code)
            args.extend(items[:65536] if items is not None else [Sym(taint=taint_of(value), via=via_of(value))])
        else:
            args.append(interp.eval(code, scope))
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
    if name in ("call", "apply", "bind") and isinstance(receiver, (Func, Sym)):
        return _indirect(interp, receiver, name, args, code)
    if name in ("then", "catch", "finally"):
        return _promised(interp, receiver, name, args, code)
    folded = _on_value(interp, receiver, name, args)
    if folded is not None:
        return folded
    from lazaretto.languages.javascript.expressions import get

    function = get(interp, receiver, key, code[3][1], code[3][2])
    if isinstance(function, Sym) and not function.path and name is not None and isinstance(receiver, Sym):
        function = Sym(path=f"?.{name}", taint=receiver.taint, via=receiver.via, sink=receiver.sink)
    return call_value(interp, function, args, receiver, code)


def _on_value(interp: "Interpreter", receiver: Value, name: str | None, args: list[Value]) -> Value | None:
    """Call a method of a known primitive, array, buffer or expression; None if it is none of these."""
    if name is None:
        return None
    if isinstance(receiver, str):
        result = textops.text_method(interp, receiver, name, args)
        if name == "split" and type(receiver) is Text:
            interp.record.spent.add(str(receiver))
        return result
    if isinstance(receiver, Sym) and receiver.text is not None and name in _PATTERN_METHODS:
        result = textops.text_method(interp, receiver.text, name, args)
        if isinstance(result, str):
            return Sym(text=str(result), taint=receiver.taint | interp.taints(args), via=receiver.via)
        return Sym(taint=receiver.taint | interp.taints(args), via=receiver.via)
    if isinstance(receiver, Arr):
        if receiver.props and name in receiver.props:
            return None
        return interp.array_method(receiver, name, args)
    if isinstance(receiver, Buf):
        return textops.buffer_method(interp, receiver, name, args)
    if isinstance(receiver, Regex):
        return textops.regex_method(interp, receiver, name, args)
    if isinstance(receiver, (int, float)) and not isinstance(receiver, bool):
        return _number_method(receiver, name, args)
    if isinstance(receiver, Func) and name == "toString" and "toString" not in receiver.props:
        return interp.source.text(receiver)
    return None


def _number_method(value: float, name: str, args: list[Value]) -> Value:
    radix = to_number(args[0]) if args else 10
    if name == "toString" and radix is not None and 2 <= radix <= 36 and value == value and abs(value) < 2**53:
        if radix == 10:
            return format_number(value)
        if value == int(value):
            return in_radix(int(value), int(radix))
    return Sym()


def in_radix(value: int, radix: int) -> str:
    """Print an integer in a radix from 2 to 36."""
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    out = ""
    rest = abs(value)
    while rest:
        rest, digit = divmod(rest, radix)
        out = digits[digit] + out
    return ("-" if value < 0 else "") + (out or "0")


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
    path = _SHORTER.sub("", function.path)
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
        args = [sinks.deep_dump(interp, _as_dump(interp, arg, at), at) for arg in args]
    elif path == "Object.assign":
        for arg in args[1:]:
            if args and isinstance(args[0], Obj):
                _spread_at(interp, args[0], arg, at)
    folder = FOLDERS.get(path)
    if folder is not None:
        return _fold(interp, folder(interp, args), args, at)
    effect = effects.effects().get(path)
    if effect is None:
        effect = _by_last_name(path)
    if effect is not None:
        return sinks.perform(interp, effect, Sym(path, function.text, function.taint, function.via, function.sink), args, this, at)
    return _unknown_call(interp, path, function, args, this, at)


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


def _unknown_call(
    interp: "Interpreter", path: str, function: Sym, args: list[Value], this: Value, at: Place
) -> Value:
    name = path.rsplit(".", 1)[-1]
    taint = function.taint | interp.taints(args)
    via = merged(function.via, *(via_of(arg) for arg in args))
    if function.sink is not None and name in ("write", "end", "send", "sendText", "update", "setHeader", "append", "set"):
        sinks.feed(interp, function.sink, args, at)
    if name == "pipe" and args:
        for target in options(args[0]):
            if isinstance(target, Sym) and target.sink is not None:
                interp.record.flow(function.taint, target.sink)
            elif isinstance(target, Sym):
                target.taint |= function.taint
        return args[0]
    here = name in _NOW or (name in _LISTEN and (path.startswith(("@", "process")) or bool(function.taint)))
    given = Sym(taint=function.taint, via=function.via)
    last: Value = None
    for arg in args:
        if isinstance(arg, Func):
            if here:
                last = interp.enter(arg, [given, given])
            else:
                interp.later.append((arg, [given, given, given]))
    if name in _LISTEN and isinstance(this, Sym):
        return this
    if last is not None and name in ("map", "then", "flatMap"):
        taint |= taint_of(last)
    longer = f"{path}()" if path and not path.startswith("?") and len(path) < MAX_PATH else ""
    if longer.startswith("process.") or path in _ENV:
        longer = path + "()"
    return Sym(path=longer, taint=taint, via=via, sink=function.sink)


def callbacks_later(interp: "Interpreter", args: list[Value]) -> None:
    """Remember functions that were handed to somebody unknown: they may run when that somebody likes."""
    for arg in args:
        if isinstance(arg, Func):
            interp.later.append((arg, [UNKNOWN, UNKNOWN]))


def _reflected(interp: "Interpreter", path: str, args: list[Value], at: Place) -> Value:
    from lazaretto.languages.javascript.expressions import get, put

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
        made = Obj(klass=function)
        if function.members is None:
            interp.enter(function, args, made)
            return made
        lineage: list[Func] = []
        owner: Func | None = function
        while owner is not None and len(lineage) < 8:
            lineage.append(owner)
            owner = owner.owner
        for level in reversed(lineage):
            for name, value in (level.members or {}).items():
                if not isinstance(value, Func):
                    made.props[name] = value
        for level in lineage:
            constructor = (level.members or {}).get("constructor")
            if isinstance(constructor, Func):
                interp.enter(constructor, args, made)
                break
        return made
    if not isinstance(function, Sym):
        return Sym(taint=interp.taints(args))
    if function.path == "Promise":
        return _new_promise(interp, args)
    if function.path == "Proxy":
        return args[0] if args else UNKNOWN
    if function.path == "RegExp" and args and isinstance(args[0], str):
        return Regex(str(args[0]), to_text(args[1]) or "" if len(args) > 1 else "")
    if function.path in ("Map", "Set", "Error", "Date", "WeakMap", "WeakSet", "Headers", "FormData", "Blob"):
        made = Obj()
        made.taint = interp.taints(args)
        return Sym(path=f"{function.path}()", taint=made.taint)
    return call_path(interp, function, args, UNDEFINED, at)


def _new_promise(interp: "Interpreter", args: list[Value]) -> Value:
    if not args or not isinstance(args[0], Func):
        return UNKNOWN
    number = len(interp.resolved)
    interp.resolved[number] = []
    interp.enter(args[0], [Sym(path=f"%resolve:{number}"), Sym()])
    values = interp.resolved[number]
    return choice(values) if values else Sym()


# The environment as a whole


def _as_dump(interp: "Interpreter", value: Value, at: Place) -> Value:
    if isinstance(value, Sym) and value.path in _ENV:
        return Sym(taint=value.taint | {interp.record.emit(Kind.ENV_DUMP, None, *at)})
    return value


def dumped(interp: "Interpreter", value: Value, code: Code) -> None:
    """Record that the whole environment was used as a text or gone through."""
    if isinstance(value, Sym) and value.path in _ENV:
        number = interp.record.emit(Kind.ENV_DUMP, None, interp.base + code[1], interp.base + code[2])
        value.taint |= {number}


def spread(interp: "Interpreter", target: Obj, value: Value, code: Code) -> None:
    """Copy an unknown object into a literal; the environment stays recognisable in it."""
    _spread_at(interp, target, value, (interp.base + code[1], interp.base + code[2]))


def _spread_at(interp: "Interpreter", target: Obj, value: Value, at: Place) -> None:
    if isinstance(value, Sym) and value.path in _ENV:
        target.dump = interp.record.emit(Kind.ENV_DUMP, None, *at)
    else:
        target.taint |= taint_of(value)


def forgive_dump(interp: "Interpreter", value: Value) -> None:
    """Take back that the environment was dumped: it is handed on to a child process, as usual."""
    for option in options(value):
        if isinstance(option, Obj) and option.dump is not None:
            interp.record.drop(option.dump)


# Replacing things of the outside world


_BROWSER = frozenset(
    "fetch XMLHttpRequest XMLHttpRequest.prototype.open XMLHttpRequest.prototype.send WebSocket WebSocket.prototype.send "
    "XMLHttpRequest.prototype.setRequestHeader ethereum ethereum.request ethereum.send ethereum.sendAsync solana "
    "solana.request solana.signTransaction solana.signAndSendTransaction navigator.sendBeacon navigator.clipboard.writeText "
    "EventTarget.prototype.addEventListener HTMLFormElement.prototype.submit Storage.prototype.setItem Response.prototype.json "
    "Response.prototype.text Document.prototype.createElement".split()
)
_BUILT_IN = frozenset(
    "http https http2 fs child_process net tls dns crypto module vm os process stream zlib dgram worker_threads".split()
)
_PROTOTYPES = frozenset({"Module", "Function", "Promise", "JSON", "Buffer"})


def hooked(
    interp: "Interpreter", holder: Sym, key: Value, value: Value, target: Code, *, deleting: bool = False
) -> None:
    """Record an assignment to a member of an outside thing, if it replaces what others call."""
    name = to_text(key)
    at = (interp.base + target[1], interp.base + target[2])
    if isinstance(value, Func) and (holder.taint or holder.sink is not None):
        interp.enter(value, [Sym(taint=holder.taint, via=holder.via)])
    path = holder.path
    if path == "globalThis" and name is not None and name not in _BROWSER and not deleting:
        interp.globals.vars[name] = value
    if deleting or not path or isinstance(value, (bool, int, float)) or value is None or value is UNDEFINED:
        return
    full = name if path == "globalThis" else f"{path}.{name if name is not None else '*'}"
    if full in _BROWSER or path in ("ethereum", "solana"):
        interp.record.emit(Kind.BROWSER_HOOK, full, *at)
    elif path.startswith(("require.cache", "require.extensions", "@module", "module.constructor")):
        interp.record.emit(Kind.MODULE_HOOK, (full or "").removeprefix("@"), *at)
    elif path.startswith("@") and path[1:].split(".")[0] in _BUILT_IN and "()" not in path:
        interp.record.emit(Kind.MODULE_HOOK, (full or "").removeprefix("@"), *at)


# Imports and decoded values


def imported(interp: "Interpreter", specifier: str, code: Code) -> Sym:
    """Record a static import and return the module."""
    interp.record.emit(Kind.IMPORT, specifier, interp.base + code[1], interp.base + code[2])
    return Sym(path=effects.module_path(specifier))


def static_import(interp: "Interpreter", code: Code, scope: Scope) -> None:
    """Run an ``import`` statement: record it and bind its names."""
    module = imported(interp, code[3], code)
    for name in (code[4], code[5]):
        if name:
            interp.declare(name, module, scope)
    for original, local in code[6]:
        interp.declare(local, module if original == "default" else _named_member(module, original), scope)


def consume(interp: "Interpreter", value: Value, code: Code) -> None:
    """Record a decoded value where it is used or kept."""
    if type(value) is Text and value.via:
        found = interp.record.decoded(value, interp.base + code[1], interp.base + code[2])
        if found:
            value.taint |= found
    elif isinstance(value, (Choice, Arr)):
        items = value.options if isinstance(value, Choice) else value.items[:200]
        for item in items:
            if type(item) is Text and item.via:
                item.taint |= interp.record.decoded(item, interp.base + code[1], interp.base + code[2])
    elif isinstance(value, Buf) and value.via:
        value.taint |= interp.record.decoded(value, interp.base + code[1], interp.base + code[2])
