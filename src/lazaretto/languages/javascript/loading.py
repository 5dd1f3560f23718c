"""Code that comes from somewhere else: modules by name, by path or by address, and files that are evaluated."""

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from lazaretto.core.facts import Kind
from lazaretto.languages import _codecs
from lazaretto.languages.javascript import effects
from lazaretto.languages.javascript.coerce import pattern_text
from lazaretto.languages.javascript.handling import arg_at
from lazaretto.languages.javascript.values import (
    UNDEFINED,
    UNKNOWN,
    Func,
    Obj,
    Sym,
    Value,
    choice,
    options,
    taint_of,
    via_of,
)

if TYPE_CHECKING:
    from lazaretto.languages.javascript.interp import Interpreter

Place = tuple[int, int]
MAX_OFFERED = 500
"""Most functions that a WebAssembly module is given and that are entered."""

_OWN_FILE = re.compile(r"(?:__dirname|\.)/+([\w@.+/-]+)$")
_OWN_JSON = re.compile(r"@\.{1,2}/[\w@.+/-]*\.json\.\w")
_SCRIPTS = (".sh", ".bash", ".bat", ".cmd", ".ps1")
_CODE_ENDINGS = (".js", ".cjs", ".mjs", ".ts", ".jsx", ".tsx", ".mts", ".cts", "/index")
_PRELOADED = re.compile(r"--(?:import|require|loader|experimental-loader)[= ]([^\s*]+)|-r ([^\s*]+)")
_CODE_IN_ADDRESS = re.compile(
    r"data:(?:text|application)/[\w.+-]*(?:javascript|ecmascript)[^,]{0,80}?(;base64)?,", re.IGNORECASE
)


def load(interp: "Interpreter", function: Sym, args: list[Value], position: int, _this: Value, at: Place) -> Value:
    """Record that a module is loaded and return it."""
    modules: list[Value] = []
    for option in options(arg_at(args, position)):
        text = pattern_text(option)
        if isinstance(option, Obj):
            text = pattern_text(option.props.get("href", UNKNOWN))
        known = text is not None and "*" not in text and option is not UNDEFINED
        via = ">".join(via_of(option)) or "plain"
        specifier = str(text) if text is not None and known else ""
        specifier = specifier.replace("__dirname/", "./").removeprefix("file://")
        number = interp.record.emit(Kind.IMPORT, specifier, *at, via=via)
        if specifier[:6].lower().startswith(("http:", "https:", "data:")):
            _from_address(interp, specifier, at, via)
        if function.path == "require.resolve":
            modules.append(option if known else UNKNOWN)
        elif known:
            modules.append(Sym(path=effects.module_path(specifier), taint=interp.arrives(specifier)))
        else:
            modules.append(Sym(taint=taint_of(option)))
        interp.record.flow(taint_of(option), number)
        if not known:
            interp.record.pattern(number, text)
            if text is not None and _CODE_IN_ADDRESS.match(text):
                interp.record.emit_value(Kind.CODE_EVAL, Sym(taint=taint_of(option), via=via_of(option)), *at)
    return choice(modules)


def of_child(interp: "Interpreter", settings: Value, at: Place) -> None:
    """Follow what the environment of a new Node makes it load before anything else (``NODE_OPTIONS``)."""
    given = settings.props.get("env") if isinstance(settings, Obj) else None
    wanted = given.props.get("NODE_OPTIONS") if isinstance(given, Obj) else None
    for option in options(wanted) if wanted is not None else ():
        for match in _PRELOADED.finditer(pattern_text(option) or ""):
            load(interp, Sym(path="import"), [match[1] or match[2]], 0, UNDEFINED, at)


def _from_address(interp: "Interpreter", address: str, at: Place, via: str) -> None:
    """Code is loaded from the network, or stands in the address itself."""
    match = _CODE_IN_ADDRESS.match(address)
    if match is not None:
        data = unquote_to_bytes(address[match.end() :])
        decoded = _codecs.b64(data) if match.group(1) else data
        if decoded is not None:
            text = decoded.decode("utf-8", "replace")
            steps = ("base64",) if match.group(1) else ("unescape",)
            interp.record.emit(Kind.CODE_EVAL, text, *at, via=steps[0])
            interp.source.read_nested(interp, text, at, steps)
    elif address[:4].lower() == "http":
        connected = interp.record.emit(Kind.NET_CONNECT, address, *at, via=via)
        run = interp.record.emit(Kind.CODE_EVAL, None, *at, via=via)
        interp.record.flow(frozenset({connected}), run)


def load_read(interp: "Interpreter", code: Value, at: Place) -> None:
    """Record that a file of the package is loaded: its text was read, and is evaluated now.

    What is no file of code, or is the running file itself, hid the code that it held.
    """
    for option in options(code):
        if isinstance(option, Sym) and _OWN_JSON.match(option.path):
            _hidden_in_file(interp, option, at)
    for path in interp.record.paths_read(taint_of(code)):
        match = _OWN_FILE.match(path)
        if match is not None:
            interp.record.emit(Kind.IMPORT, f"./{match.group(1)}", *at)
        if path == "__filename" or (match is not None and not path.endswith(_CODE_ENDINGS)):
            _hidden_in_file(interp, code, at)


def told_by_file(interp: "Interpreter", command: Value, at: Place) -> None:
    """Record that a whole command line stands in a file of the package, which is none of code: it was hidden there."""
    for option in options(command):
        if (pattern_text(option) or "*")[0] != "*":
            continue  # the program is known, only what it is told is not
        paths = interp.record.paths_read(taint_of(option))
        own = any(_OWN_FILE.match(path) and not path.endswith((*_CODE_ENDINGS, *_SCRIPTS)) for path in paths)
        if own or (isinstance(option, Sym) and _OWN_JSON.match(option.path)):
            _hidden_in_file(interp, command, at)


def _hidden_in_file(interp: "Interpreter", code: Value, at: Place) -> None:
    found = interp.record.emit(Kind.DECODE, None, *at, via="file")
    run = interp.record.emit_value(Kind.CODE_EVAL, code, *at)[-1]
    interp.record.flow(frozenset({found}), run)


def instantiate(
    interp: "Interpreter", function: Sym, args: list[Value], _position: int, _this: Value, _at: Place
) -> Value:
    """Enter the functions that a WebAssembly module is given: it calls them with what it holds."""
    given = Sym(taint=interp.taints(args[:1]))
    offered = [value for group in _members(arg_at(args, 1)) for value in (group, *_members(group))]
    for value in offered[:MAX_OFFERED]:
        if isinstance(value, Func):
            interp.enter(value, [given, given, given])
    return Sym(path=f"{function.path}()", taint=given.taint)


def _members(value: Value) -> list[Value]:
    return list(value.props.values()) if isinstance(value, Obj) else []
