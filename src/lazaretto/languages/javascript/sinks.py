"""What an effect records: the value it is given, the facts that follow from the value, and what flows in."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from lazaretto.core.facts import Kind
from lazaretto.languages._sensitive import MACHINE
from lazaretto.languages.javascript import effects, files, loading, pages, sensitive
from lazaretto.languages.javascript.coerce import pattern_text
from lazaretto.languages.javascript.handling import arg_at, client, deep_dump, enter_callbacks, named, result_of
from lazaretto.languages.javascript.outside import as_dump, consume, report
from lazaretto.languages.javascript.values import (
    DEEP,
    MAX_PARTS,
    UNDEFINED,
    UNKNOWN,
    Arr,
    Func,
    Obj,
    Sym,
    Value,
    merged,
    options,
    taint_of,
    via_of,
)

if TYPE_CHECKING:
    from lazaretto.languages.javascript.interp import Interpreter

Place = tuple[int, int]
_NODE = re.compile(r"^(?:.*[\\/])?node(?:\.exe)?$")


def perform(
    interp: "Interpreter", effect: effects.Effect, function: Sym, args: list[Value], this: Value, at: Place
) -> Value:
    """Record what calling ``function`` does and return what is known of its result."""
    name, position = effect
    for arg in args:
        _decoded(interp, arg, at)
    handler = _HANDLERS[name]
    return handler(interp, function, args, position, this, at)


def _decoded(interp: "Interpreter", value: Value, at: Place) -> None:
    relative = [0, at[0] - interp.base, at[1] - interp.base]
    consume(interp, value, relative)
    if isinstance(value, Obj):
        for item in list(value.props.values()):
            consume(interp, item, relative)
    elif isinstance(value, Sym) and value.via:
        value.taint |= interp.record.decoded(value, *at)


def _create_require(*_ignored: object) -> Value:
    return Sym(path="require")


def _eval(interp: "Interpreter", function: Sym, args: list[Value], position: int, _this: Value, at: Place) -> Value:
    code = arg_at(args, position)
    if isinstance(code, Func) or not args:
        return UNKNOWN
    numbers = interp.record.emit_value(Kind.CODE_EVAL, code, *at)
    loading.load_read(interp, code, at)
    for option in options(code):
        if isinstance(option, str):
            interp.source.read_nested(interp, str(option), at, via_of(option))
    return result_of(function, numbers)


def _function(interp: "Interpreter", function: Sym, args: list[Value], _p: int, _this: Value, at: Place) -> Value:
    code = args[-1] if args else ""
    if isinstance(code, str) and code.strip() in ("return this", "return this;", ""):
        # The portable way to name the global object; what is done with it is seen elsewhere.
        interp.record.emit_value(Kind.CODE_EVAL, code, *at)
        return Sym(path="%global")
    numbers = interp.record.emit_value(Kind.CODE_EVAL, code, *at)
    loading.load_read(interp, code, at)
    if isinstance(code, str):
        interp.source.read_nested(interp, str(code), at, via_of(code))
    return result_of(function, numbers)


def _timer(interp: "Interpreter", function: Sym, args: list[Value], _p: int, _this: Value, at: Place) -> Value:
    first = arg_at(args, 0)
    for option in options(first):
        if isinstance(option, Func):
            interp.enter(option, args[2:])
        elif isinstance(option, str) and function.path != "setImmediate":
            _eval(interp, function, [option], 0, UNDEFINED, at)
        elif isinstance(option, Sym) and (option.text is not None or interp.record.real(option.taint) or option.via):
            interp.record.emit_value(Kind.CODE_EVAL, option, *at)
        elif isinstance(option, Sym) and option.path:
            interp.call(option, args[2:])
    return Sym()


def address(value: Value) -> Value:
    """Return the URL or host that a request's options name."""
    if not isinstance(value, Obj):
        return value
    for key in ("url", "href", "uri"):
        if key in value.props:
            inner = value.props[key]
            return address(inner) if isinstance(inner, Obj) else inner
    host = value.props.get("hostname", value.props.get("host", value.props.get("baseURL", UNKNOWN)))
    text = pattern_text(host)
    if text is None:
        return host
    port, path = pattern_text(value.props.get("port", "")), pattern_text(value.props.get("path", ""))
    scheme = pattern_text(value.props.get("protocol", "")) or ""
    whole = f"{scheme}//{text}" if scheme.endswith(":") else text
    whole += f":{port}" if port and ":" not in text else ""
    whole += path if path and path.startswith("/") else ""
    via = via_of(host)
    return Sym(text=whole, taint=taint_of(value), via=via)


def _net(interp: "Interpreter", function: Sym, args: list[Value], position: int, _this: Value, at: Place) -> Value:
    target = address(arg_at(args, position))
    if isinstance(target, Func):
        target = UNKNOWN
    if isinstance(target, str) and len(args) > 1 and isinstance(args[1], Obj) and "baseURL" in args[1].props:
        target = interp.concat([args[1].props["baseURL"], target])
    numbers = interp.record.emit_value(Kind.NET_CONNECT, target, *at)
    sent = interp.taints([deep_dump(interp, as_dump(interp, arg, at), at) for arg in args], DEEP)
    for number in numbers:
        interp.record.flow(sent, number)
    taint = set(numbers)
    for option in options(target):
        text = pattern_text(option)
        if text:
            taint |= named(interp, text, at, reading=True)
    result = Sym(path=f"{function.path}()"[:160], taint=frozenset(taint), sink=numbers[-1] if numbers else None)
    enter_callbacks(interp, args, [Sym(path="@http.response", taint=frozenset(taint)), Sym(taint=frozenset(taint))] * 2)
    return result


def _xhr(interp: "Interpreter", function: Sym, args: list[Value], position: int, this: Value, at: Place) -> Value:
    result = _net(interp, function, args, position, this, at)
    if isinstance(this, Sym) and this is not UNKNOWN and isinstance(result, Sym):
        this.sink, this.taint = result.sink, this.taint | result.taint
    return UNDEFINED


_KEPT = frozenset({"agent", "key", "passphrase", "pfx", "privateKey"})
"""Options by which a client shows who it is without sending them: TLS and SSH sign with a key, and keep it."""


def _socket_connect(interp: "Interpreter", function: Sym, args: list[Value], _p: int, this: Value, at: Place) -> Value:
    target = arg_at(args, 0)
    if isinstance(target, (int, float)) and isinstance(arg_at(args, 1), (str, Sym)):
        target = interp.concat([args[1], ":", target])
    elif isinstance(target, (int, float)):
        target = f"localhost:{target}"
    elif isinstance(target, Obj) and not _KEPT.isdisjoint(target.props):
        told = Obj({name: value for name, value in target.props.items() if name not in _KEPT}, target.klass)
        told.taint, target = target.taint, told
    return _net(interp, function, [target, *args[1:]], 0, this, at)


def _datagram(interp: "Interpreter", function: Sym, args: list[Value], _p: int, this: Value, at: Place) -> Value:
    texts = [arg for arg in args[1:] if isinstance(arg, (str, Sym))]
    target = texts[-1] if texts else UNKNOWN
    numbers = interp.record.emit_value(Kind.NET_CONNECT, target, *at)
    for number in numbers:
        interp.record.flow(interp.taints(args[:1], DEEP), number)
    return result_of(function, numbers)


def _server(interp: "Interpreter", function: Sym, args: list[Value], _p: int, _this: Value, _at: Place) -> Value:
    for arg in args:
        if isinstance(arg, Func):
            interp.later.append((arg, [UNKNOWN, UNKNOWN]))
    return Sym(path=f"{function.path}()")


def _listen(interp: "Interpreter", function: Sym, args: list[Value], _p: int, this: Value, at: Place) -> Value:
    first = arg_at(args, 0)
    if isinstance(first, Obj):
        first = first.props.get("port", first.props.get("path", UNKNOWN))
    interp.record.emit_value(Kind.NET_LISTEN, UNKNOWN if isinstance(first, Func) else first, *at)
    enter_callbacks(interp, args, [])
    return this


def _debugger(interp: "Interpreter", function: Sym, args: list[Value], _p: int, this: Value, at: Place) -> Value:
    """``inspector.open(port, host)``: whoever finds the port has evaluated what he likes."""
    interp.record.emit_value(Kind.CODE_EVAL, UNKNOWN, *at)
    return _listen(interp, function, args, _p, this, at)


def _dns(interp: "Interpreter", function: Sym, args: list[Value], position: int, _this: Value, at: Place) -> Value:
    numbers = interp.record.emit_value(Kind.DNS_QUERY, arg_at(args, position), *at)
    given = Sym(taint=frozenset(numbers))
    enter_callbacks(interp, args, [None, given, given])
    return result_of(function, numbers)


def _spawn_shell(
    interp: "Interpreter", function: Sym, args: list[Value], position: int, _this: Value, at: Place
) -> Value:
    return _spawned(interp, function, arg_at(args, position), args, at)


def _spawn(interp: "Interpreter", function: Sym, args: list[Value], position: int, _this: Value, at: Place) -> Value:
    program = arg_at(args, position)
    parts: list[Value] = [program]
    given = arg_at(args, position + 1)
    if isinstance(program, Func) or program is UNDEFINED:
        return UNKNOWN
    for listed in options(given):
        if isinstance(listed, Arr):
            for item in listed.items[:MAX_PARTS]:
                parts.extend((" ", item))
            if listed.open or len(listed.items) > MAX_PARTS:
                parts.extend((" ", UNKNOWN))
            _script(interp, program, listed, at)
            break
        if isinstance(listed, Sym):
            parts.extend((" ", listed))
            break
    loading.told_by_file(interp, program, at)
    return _spawned(interp, function, interp.concat(parts), args, at)


def _script(interp: "Interpreter", program: Value, listed: Arr, at: Place) -> None:
    """A script handed to a new Node process is loaded like an import."""
    text = pattern_text(program)
    if text is None or not _NODE.match(text):
        return
    items = [pattern_text(item) for item in listed.items[:MAX_PARTS]]
    for position, item in enumerate(items):
        if item in ("-e", "--eval", "-p", "--print") and position + 1 < len(items):
            _eval(interp, Sym(), listed.items, position + 1, UNDEFINED, at)
            return
        if item and not item.startswith("-"):
            if "*" not in item:
                interp.record.emit(Kind.IMPORT, item.replace("__dirname/", "./"), *at)
            return


def _spawned(interp: "Interpreter", function: Sym, command: Value, args: list[Value], at: Place) -> Value:
    numbers = interp.record.emit_value(Kind.PROCESS_SPAWN, command, *at)
    for option in options(command):
        text = pattern_text(option)
        if text:
            for kind, value in sensitive.in_command(text):
                interp.record.emit(kind, value, *at)
            if _NODE.match(text.split(" ", 1)[0]) and isinstance(option, str) and " " in text and "-" not in text:
                interp.record.emit(Kind.IMPORT, text.split()[1].replace("__dirname/", "./"), *at)
    for number in numbers:
        interp.record.flow(interp.taints([arg for arg in args if not isinstance(arg, Obj)]), number)
    loading.told_by_file(interp, command, at)
    for arg in args[1:]:
        loading.of_child(interp, arg, at)
    given = Sym(path="@child_process.output")
    enter_callbacks(interp, args, [None, given, given])
    return Sym(path=f"{function.path}()", sink=numbers[-1] if numbers else None)


def _fork(interp: "Interpreter", function: Sym, args: list[Value], _p: int, _this: Value, at: Place) -> Value:
    script = arg_at(args, 0)
    loading.load(interp, Sym(path="fork"), [script], 0, UNDEFINED, at)
    given = [arg.props.get("execArgv") for arg in args[1:] if isinstance(arg, Obj)]
    for listed in given:
        if isinstance(listed, Arr) and listed.items:
            _spawn(interp, function, ["node", Arr([*listed.items, script])], 0, UNDEFINED, at)
    return _spawned(interp, function, interp.concat(["node ", script]), args, at)


def _spawn_argv(interp: "Interpreter", function: Sym, args: list[Value], _p: int, _this: Value, at: Place) -> Value:
    first = arg_at(args, 0)
    if isinstance(first, Obj):
        first = first.props.get("cmd", UNKNOWN)
    if isinstance(first, Arr) and first.items:
        return _spawn(interp, function, [first.items[0], Arr(first.items[1:])], 0, UNDEFINED, at)
    return _spawned(interp, function, first, args, at)


def _worker(interp: "Interpreter", function: Sym, args: list[Value], _p: int, this: Value, at: Place) -> Value:
    settings = arg_at(args, 1)
    if isinstance(settings, Obj) and settings.props.get("eval") is True:
        return _eval(interp, function, args, 0, this, at)
    loading.load(interp, function, args, 0, this, at)
    return Sym(path=f"{function.path}()")


def _import_native(
    interp: "Interpreter", function: Sym, args: list[Value], position: int, this: Value, at: Place
) -> Value:
    name = arg_at(args, position)
    if isinstance(name, str) and name in ("spawn_sync", "process_wrap"):
        interp.record.emit(Kind.PROCESS_SPAWN, None, *at)
        return Sym(path=f"{function.path}()")
    if "dlopen" in function.path:
        return loading.load(interp, function, args, position, this, at)
    return Sym(path=f"{function.path}()")


def _decrypt(interp: "Interpreter", function: Sym, args: list[Value], position: int, _this: Value, at: Place) -> Value:
    cipher = arg_at(args, position)
    if isinstance(cipher, Obj):
        cipher = cipher.props.get("name", UNKNOWN)
    if not isinstance(cipher, (str, Sym)) or position < 0:
        cipher = UNKNOWN if position >= -1 else function.path.split(".")[-2].lstrip("@")
    numbers = interp.record.emit_value(Kind.DECRYPT, cipher, *at)
    via = merged(*(via_of(arg) for arg in args), ("decrypt",))
    return Sym(path=f"{function.path}()", taint=frozenset(numbers) | interp.taints(args), via=via)


def _secret(interp: "Interpreter", function: Sym, args: list[Value], _p: int, _this: Value, at: Place) -> Value:
    service = pattern_text(arg_at(args, 0)) or "*"
    number = interp.record.emit(Kind.SECRET_READ, f"keychain:{service}", *at)
    return result_of(function, [number])


def _watch(what: str) -> "Callable[[Interpreter, Sym, list[Value], int, Value, Place], Value]":
    def watch(interp: "Interpreter", function: Sym, args: list[Value], _p: int, _this: Value, at: Place) -> Value:
        number = interp.record.emit(Kind.USER_WATCH, what, *at)
        given = Sym(taint=frozenset({number}))
        enter_callbacks(interp, args, [given, given])
        return result_of(function, [number])

    return watch


def _machine(interp: "Interpreter", function: Sym, _a: list[Value], _p: int, _this: Value, at: Place) -> Value:
    what = MACHINE + function.path.rpartition(".")[2]
    return Sym(path=f"{function.path}()", taint=frozenset({interp.record.possible(Kind.ENV_READ, what, *at)}))


def _exchange(interp: "Interpreter", function: Sym, _a: list[Value], _p: int, _this: Value, at: Place) -> Value:
    if interp.record.has(Kind.USER_WATCH, "clipboard"):
        interp.record.emit(Kind.USER_WATCH, "clipboard exchanged", *at)
    return Sym(path=f"{function.path}()")


def _wallet(interp: "Interpreter", function: Sym, args: list[Value], _p: int, _this: Value, at: Place) -> Value:
    first = arg_at(args, 0)
    method = first.props.get("method", UNKNOWN) if isinstance(first, Obj) else first
    text = pattern_text(method) or function.path
    number = interp.record.emit(Kind.WALLET_TOUCH, text, *at)
    return result_of(function, [number])


def _dotenv(interp: "Interpreter", _f: Sym, _args: list[Value], _p: int, _this: Value, at: Place) -> Value:
    interp.record.emit(Kind.FS_READ, ".env", *at)
    return UNKNOWN


def _nothing(*_ignored: object) -> Value:
    return UNKNOWN


_HANDLERS: "dict[str, Callable[[Interpreter, Sym, list[Value], int, Value, Place], Value]]" = {
    "import": loading.load,
    "create_require": _create_require,
    "eval": _eval,
    "function": _function,
    "timer": _timer,
    "net": _net,
    "client": client,
    "xhr": _xhr,
    "socket": _net,
    "socket_connect": _socket_connect,
    "datagram": _datagram,
    "server": _server,
    "listen": _listen,
    "debugger": _debugger,
    "dns": _dns,
    "read": files.read,
    "probe": files.probe,
    "write": files.write,
    "delete": files.delete,
    "move": files.move,
    "spawn_shell": _spawn_shell,
    "spawn": _spawn,
    "spawn_argv": _spawn_argv,
    "fork": _fork,
    "worker": _worker,
    "import_native": _import_native,
    "decrypt": _decrypt,
    "decipher": _decrypt,
    "secret": _secret,
    "wallet": _wallet,
    "clipboard": _watch("clipboard"),
    "machine": _machine,
    "exchange": _exchange,
    "keyboard": _watch("keyboard"),
    "screen": _watch("screen"),
    "dotenv": _dotenv,
    "report": report,
    "none": _nothing,
    **pages.HANDLERS,
    "wasm": loading.instantiate,
}
