"""Things of the outside world as values: their members, the environment, and what replaces them."""

import re
from typing import TYPE_CHECKING, Any

from lazaretto.core.facts import Kind
from lazaretto.languages.javascript import effects, pages, sensitive
from lazaretto.languages.javascript.coerce import to_text
from lazaretto.languages.javascript.syntax import format_number
from lazaretto.languages.javascript.values import (
    NO_TAINT,
    UNDEFINED,
    Arr,
    Buf,
    Choice,
    Func,
    Obj,
    Scope,
    Sym,
    Text,
    Value,
    options,
    taint_of,
)

if TYPE_CHECKING:
    from lazaretto.languages.javascript.interp import Interpreter

Code = list[Any]
Place = tuple[int, int]

MAX_PATH = 160
_CONSTRUCTORS = frozenset({"String", "Array", "Number", "Object", "Boolean", "RegExp", "Promise", "?constructor"})
_FUNCTIONS = re.compile(
    r"(?:(?:Array|String|Number|Object|Promise|RegExp)\.prototype|Array|Object|String|Number|Promise|Math|JSON|Reflect|Symbol"
    r"|Date|console)\.\w+$|(?:eval|parseInt|parseFloat|isNaN|isFinite|fetch|atob|btoa|escape|unescape|structuredClone"
    r"|setTimeout|setInterval|setImmediate|queueMicrotask|encodeURI(?:Component)?|decodeURI(?:Component)?|require"
    r"|Error|TypeError|Map|Set|Date|Symbol|BigInt)$"
)
"""Functions of the language and of its surroundings: the constructor of each is ``Function`` (ECMA-262, 20.2.3.1)."""
_HOMES = frozenset({"HOME", "USERPROFILE", "HOMEPATH"})
_TEMPS = frozenset({"TMPDIR", "TEMP", "TMP"})
ENVIRONMENTS = frozenset({"process.env", "import.meta.env", "Deno.env.toObject()", "Bun.env"})


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
    if path in ENVIRONMENTS:
        return _environment(interp, None if name is None else str(name), start, end)
    if name is None:
        return Sym(f"{path}.?" if path[:2] == "@." else "", taint=holder.taint | taint_of(key), via=holder.via)
    if not path:
        if name == "constructor":
            return Sym(path="?constructor", taint=holder.taint)
        given = handed(interp, str(name), (interp.base + start, interp.base + end))
        return Sym(taint=holder.taint | given, via=holder.via, sink=holder.sink)
    if name == "cookie" and path == "document":
        return pages.cookies(interp, (interp.base + start, interp.base + end))
    found = named_member(holder, str(name))
    if path[:2] == "@." and isinstance(found, Sym) and found is not holder:
        found.taint = interp.record.narrowed(found.taint, str(name))
    return found


def handed(interp: "Interpreter", name: str, at: tuple[int, int]) -> frozenset[int]:
    """Return what stands for the token of who calls a server, if something unknown is asked for it by its name."""
    if name not in _HANDED:
        return NO_TAINT
    return frozenset({interp.record.possible(Kind.KEY_GIVEN, name, *at)})


_HANDED = frozenset({"authorization", "Authorization", "proxy-authorization"})


def named_member(holder: Sym, name: str) -> Value:
    """Return the member of an outside thing whose name is known."""
    path = _SAME.get(holder.path, holder.path)
    if path == "globalThis":
        return global_value(name)
    if name == "constructor" and (path in _CONSTRUCTORS or _FUNCTIONS.match(path)):
        return Sym(path="Function")
    if (path.startswith("@") and name in ("default", "promises")) or (path == "@path" and name in ("posix", "win32")):
        return holder
    if name == "require" and path.split(".", 1)[0] in ("process", "module", "require"):
        return Sym(path="require")
    longer = f"{path}.{name}"
    known = _KNOWN.get(longer)
    if known is not None:
        return Sym(path=known[0], text=known[1]) if known[0] else known[1]
    if len(longer) > MAX_PATH:
        longer = ""
    return Sym(path=longer, taint=holder.taint, via=holder.via, sink=holder.sink)


_SAME = {"@process": "process"}
# Members that are something of their own: the path they go by (none for a plain text) and their text, if known.
_KNOWN: dict[str, tuple[str, str | None]] = {
    "process.argv.1": ("process.argv.1", "__filename"),
    "process.execPath": ("process.execPath", "node"),
    "import.meta.url": ("import.meta.url", "__filename"),
    "import.meta.filename": ("__filename", "__filename"),
    "import.meta.dirname": ("__dirname", "__dirname"),
    "@buffer.Buffer": ("Buffer", None),
    "@util.TextDecoder": ("TextDecoder", None),
    "@util.TextEncoder": ("TextEncoder", None),
    "@path.sep": ("", "/"),
    "@os.EOL": ("", "\n"),
}


def _environment(interp: "Interpreter", name: str | None, start: int, end: int) -> Value:
    at = (interp.base + start, interp.base + end)
    taint = {interp.record.emit(Kind.ENV_READ, name, *at)}
    if name is None:
        return Sym(taint=frozenset(taint))
    if sensitive.is_secret_variable(name):
        taint.add(interp.record.emit(Kind.SECRET_READ, name, *at))
    text = "~" if name in _HOMES else "$TMPDIR" if name in _TEMPS else f"${name}"
    return Sym(text=text, taint=frozenset(taint))


# The environment as a whole


def as_dump(interp: "Interpreter", value: Value, at: Place) -> Value:
    """Return the environment as a value that was dumped; any other value as it is."""
    if isinstance(value, Sym) and value.path in ENVIRONMENTS:
        return Sym(taint=value.taint | {interp.record.emit(Kind.ENV_DUMP, None, *at)})
    return value


def report(interp: "Interpreter", function: Sym, _a: list[Value], _p: int, _this: Value, at: Place) -> Value:
    """Return a diagnostic report of Node: the environment stands in it."""
    return Sym(path=f"{function.path}()", taint=frozenset({interp.record.emit(Kind.ENV_DUMP, None, *at)}))


def dumped(interp: "Interpreter", value: Value, code: Code) -> None:
    """Record that the whole environment was used as a text or gone through."""
    if isinstance(value, Sym) and value.path in ENVIRONMENTS:
        number = interp.record.emit(Kind.ENV_DUMP, None, interp.base + code[1], interp.base + code[2])
        value.taint |= {number}


def spread(interp: "Interpreter", target: Obj, value: Value, code: Code) -> None:
    """Copy an unknown object into a literal; the environment stays recognisable in it."""
    spread_at(interp, target, value, (interp.base + code[1], interp.base + code[2]))


def spread_at(interp: "Interpreter", target: Obj, value: Value, at: Place) -> None:
    """Copy an unknown object into another; see ``spread``."""
    if isinstance(value, Sym) and value.path in ENVIRONMENTS:
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
    """fetch XMLHttpRequest XMLHttpRequest.prototype.open XMLHttpRequest.prototype.send WebSocket
    WebSocket.prototype.send XMLHttpRequest.prototype.setRequestHeader ethereum ethereum.request ethereum.send
    ethereum.sendAsync solana solana.request solana.signTransaction solana.signAndSendTransaction navigator.sendBeacon
    navigator.clipboard.writeText EventTarget.prototype.addEventListener HTMLFormElement.prototype.submit
    Storage.prototype.setItem Response.prototype.json Response.prototype.text Document.prototype.createElement
    """.split()
)
_BY_ITSELF = frozenset({"Error.prepareStackTrace"})
"""What the engine calls of its own accord."""
_BUILT_IN = frozenset(
    "http https http2 fs child_process net tls dns crypto module vm os process stream zlib dgram worker_threads".split()
)


def hooked(
    interp: "Interpreter", holder: Sym, key: Value, value: Value, target: Code, *, deleting: bool = False
) -> None:
    """Record an assignment to a member of an outside thing, if it replaces what others call."""
    name = to_text(key)
    at = (interp.base + target[1], interp.base + target[2])
    if isinstance(value, Func) and (interp.record.real(holder.taint) or holder.sink is not None):
        interp.enter(value, [Sym(taint=holder.taint, via=holder.via)])
    path = holder.path
    if path in ("exports", "module.exports", "module") and not deleting:
        interp.exports.append((path, name, value))
    if path == "globalThis" and name is not None and name not in _BROWSER and not deleting:
        interp.globals.vars[name] = value
    if deleting or not path or isinstance(value, (bool, int, float)) or value is None or value is UNDEFINED:
        return
    full = name if path == "globalThis" else f"{path}.{name if name is not None else '*'}"
    pages.assigned(interp, path, name, value, at)
    if full in _BY_ITSELF and isinstance(value, Func):
        interp.deferred.append((value, [], interp.record.moment))
    if full in _BROWSER or path in ("ethereum", "solana"):
        pages.replaced(interp, value, interp.record.emit(Kind.BROWSER_HOOK, full, *at))
    elif path.startswith(("require.cache", "require.extensions", "@module", "module.constructor")):
        pages.replaced(interp, value, interp.record.emit(Kind.MODULE_HOOK, (full or "").removeprefix("@"), *at))
    elif path.startswith("@") and path[1:].split(".")[0] in _BUILT_IN and "()" not in path:
        pages.replaced(interp, value, interp.record.emit(Kind.MODULE_HOOK, (full or "").removeprefix("@"), *at))
    elif _FUNCTIONS.match(full or ""):
        # Whatever is missing somewhere is filled in like this; it counts if what is handed to it goes away.
        pages.replaced(interp, value, interp.record.possible(Kind.MODULE_HOOK, full or "", *at))


# Imports and decoded values


def imported(interp: "Interpreter", specifier: str, code: Code) -> Sym:
    """Record a static import and return the module."""
    interp.record.emit(Kind.IMPORT, specifier, interp.base + code[1], interp.base + code[2])
    return Sym(path=effects.module_path(specifier), taint=interp.arrives(specifier))


def static_import(interp: "Interpreter", code: Code, scope: Scope) -> None:
    """Run an ``import`` statement: record it and bind its names."""
    module = imported(interp, code[3], code)
    for name in (code[4], code[5]):
        if name:
            interp.declare(name, module, scope)
    for original, local in code[6]:
        member = module if original == "default" else named_member(module, original)
        if member is not module and module.taint and isinstance(member, Sym):
            member.taint = interp.record.narrowed(module.taint, original)
        interp.declare(local, member, scope)


def consume(interp: "Interpreter", value: Value, code: Code) -> None:
    """Record a decoded value where it is used or kept."""
    if type(value) is Text and value.via:
        found = interp.record.decoded(value, interp.base + code[1], interp.base + code[2])
        if found:
            value.taint |= found
    elif isinstance(value, (Choice, Arr)):
        items = value.options if isinstance(value, Choice) else value.items
        for item in items:
            if type(item) is Text and item.via:
                item.taint |= interp.record.decoded(item, interp.base + code[1], interp.base + code[2])
    elif isinstance(value, Buf) and value.via:
        value.taint |= interp.record.decoded(value, interp.base + code[1], interp.base + code[2])
