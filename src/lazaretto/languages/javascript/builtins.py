"""Functions of the language and of Node that only compute: folded here, never called.

``FOLDERS`` maps the path of a thing (``String.fromCharCode``, ``@path.join``) to its meaning. Paths
are those of ``Sym.path``: a module starts with ``@``.
"""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lazaretto.languages import _codecs
from lazaretto.languages.javascript import buffers, json_text, paths
from lazaretto.languages.javascript.coerce import NAN, parse_int, text_to_number, tidy, to_int32, to_number, to_text
from lazaretto.languages.javascript.values import (
    MAX_TEXT,
    UNDEFINED,
    Arr,
    Buf,
    Obj,
    Sym,
    Text,
    Value,
    is_known,
    merged,
    taint_of,
    via_of,
)

if TYPE_CHECKING:
    from lazaretto.languages.javascript.interp import Interpreter

Folder = Callable[["Interpreter", list[Value]], Value]


def _from_char_code(interp: "Interpreter", args: list[Value]) -> Value:
    numbers = [to_number(arg) for arg in args]
    if any(number is None for number in numbers):
        return interp.unknown(args, "char-codes")
    codes = [to_int32(number) & 0x1FFFFF for number in numbers if number is not None]
    text = "".join(chr(code) if code < 0x110000 else "\ufffd" for code in codes)
    step = ("xor", "char-codes") if interp.saw_xor else ("char-codes",)
    return Text.of(text, merged(interp.spread_via, step), interp.taints(args))


def _atob(interp: "Interpreter", args: list[Value]) -> Value:
    text = args[0] if args else UNDEFINED
    if not isinstance(text, str):
        return interp.unknown(args, "base64")
    data = _codecs.b64(text)
    if data is None:
        return interp.unknown(args, "base64")
    return Text.of(data.decode("latin-1"), merged(via_of(text), ("base64",)), interp.taints(args))


def _btoa(interp: "Interpreter", args: list[Value]) -> Value:
    text = args[0] if args else UNDEFINED
    if not isinstance(text, str) or len(text) > MAX_TEXT:
        return interp.unknown(args)
    buffer = Buf(bytes(ord(character) & 0xFF for character in text), via_of(text), interp.taints(args))
    return buffers.buffer_text(buffer, "base64")


def _decode_with(step: str, decoder: Callable[[str], str | None]) -> Folder:
    def fold(interp: "Interpreter", args: list[Value]) -> Value:
        text = args[0] if args else UNDEFINED
        decoded = decoder(text) if isinstance(text, str) else None
        if decoded is None:
            return interp.unknown(args, step)
        changed = (step,) if decoded != text else ()
        return Text.of(decoded, merged(via_of(text), changed), interp.taints(args))

    return fold


def _encode_component(interp: "Interpreter", args: list[Value]) -> Value:
    from urllib.parse import quote

    text = to_text(args[0]) if args else None
    if text is None or len(text) > MAX_TEXT:
        return interp.unknown(args)
    return Text.of(quote(text, safe="-_.!~*'()", errors="replace"), via_of(args[0]), interp.taints(args))


def _parse_int(interp: "Interpreter", args: list[Value]) -> Value:
    text = to_text(args[0]) if args else None
    radix = to_number(args[1]) if len(args) > 1 and args[1] is not UNDEFINED else 0
    if text is None or radix is None:
        return interp.unknown(args)
    return parse_int(text, to_int32(radix))


def _parse_float(interp: "Interpreter", args: list[Value]) -> Value:
    text = to_text(args[0]) if args else None
    if text is None:
        return interp.unknown(args)
    end = 0
    clean = text.strip()
    while end < len(clean) and (clean[end].isdigit() or clean[end] in ".+-eE"):
        end += 1
    while end and (text_to_number(clean[:end]) != text_to_number(clean[:end])):
        end -= 1
    return text_to_number(clean[:end]) if end else NAN


def _string(interp: "Interpreter", args: list[Value]) -> Value:
    if not args:
        return ""
    if isinstance(args[0], (str, Sym)):
        return args[0]
    text = to_text(args[0])
    return interp.unknown(args) if text is None else Text.of(text, via_of(args[0]), interp.taints(args))


def _number(interp: "Interpreter", args: list[Value]) -> Value:
    value = to_number(args[0]) if args else 0
    return interp.unknown(args) if value is None else value


def _is_nan(interp: "Interpreter", args: list[Value]) -> Value:
    value = to_number(args[0]) if args else NAN
    return interp.unknown(args) if value is None else value != value


def _math(name: str) -> Folder:
    simple: dict[str, Callable[..., Any]] = {
        "floor": math.floor,
        "ceil": math.ceil,
        "trunc": math.trunc,
        "abs": abs,
        "round": lambda x: math.floor(x + 0.5),
        "sqrt": math.sqrt,
        "sign": lambda x: (x > 0) - (x < 0),
        "max": lambda *xs: max(xs, default=float("-inf")),
        "min": lambda *xs: min(xs, default=float("inf")),
        "pow": lambda x, y: float(x) ** float(y),
        "log": math.log,
        "sin": math.sin,
        "cos": math.cos,
    }
    operation = simple[name]

    def fold(interp: "Interpreter", args: list[Value]) -> Value:
        numbers = [to_number(arg) for arg in args]
        if any(number is None for number in numbers):
            return interp.unknown(args)
        try:
            result = operation(*numbers)
        except (ValueError, OverflowError, TypeError, ZeroDivisionError):
            return NAN
        return NAN if isinstance(result, complex) else tidy(result)

    return fold


def _object_list(what: str) -> Folder:
    def fold(interp: "Interpreter", args: list[Value]) -> Value:
        value = args[0] if args else UNDEFINED
        if isinstance(value, Arr) and not value.open:
            pairs = [(str(position), item) for position, item in enumerate(value.items)]
        elif isinstance(value, Obj) and value.dump is None:
            pairs = list(value.props.items())
        else:
            made = Arr([], via_of(value), interp.taints(args))
            made.open = True
            return made
        if isinstance(value, Obj) and value.taint:
            made = Arr([*(key if what == "keys" else item for key, item in pairs)], via_of(value), value.taint)
            made.open = True
            return made
        if what == "keys":
            return Arr([key for key, _item in pairs])
        if what == "values":
            return Arr([item for _key, item in pairs], via_of(value))
        return Arr([Arr([key, item]) for key, item in pairs], via_of(value))

    return fold


def _assign(interp: "Interpreter", args: list[Value]) -> Value:
    target = args[0] if args else UNDEFINED
    if isinstance(target, Obj):
        for source in args[1:]:
            if isinstance(source, Obj):
                target.props.update(source.props)
                target.taint |= source.taint
                target.dump = source.dump if source.dump is not None else target.dump
            else:
                target.taint |= taint_of(source)
    elif isinstance(target, Sym) and target.path in ("exports", "module.exports"):
        for source in args[1:]:
            for name, value in source.props.items() if isinstance(source, Obj) else ():
                interp.exports.append((target.path, name, value))
    return target


def _from_entries(interp: "Interpreter", args: list[Value]) -> Value:
    source = args[0] if args else UNDEFINED
    made = Obj()
    made.taint = interp.taints(args)
    if isinstance(source, Arr):
        for pair in source.items:
            if isinstance(pair, Arr) and len(pair.items) == 2:
                key = to_text(pair.items[0])
                if key is not None:
                    made.props[key] = pair.items[1]
    return made


def _array_from(interp: "Interpreter", args: list[Value]) -> Value:
    source = args[0] if args else UNDEFINED
    made: Value
    if isinstance(source, str):
        made = Arr(list(source), via_of(source))
    elif isinstance(source, Buf):
        made = Arr(list(source.data[:MAX_TEXT]), source.via, source.taint)
    elif isinstance(source, Arr):
        made = Arr(list(source.items), source.via, source.taint)
        made.open = source.open
    elif isinstance(source, Obj) and isinstance(source.props.get("length"), int):
        made = Arr([UNDEFINED] * max(0, min(int(source.props["length"]), 65536)))
    else:
        made = Arr([], via_of(source), interp.taints(args))
        made.open = True
    return interp.array_method(made, "map", args[1:]) if len(args) > 1 else made


def _array(_interp: "Interpreter", args: list[Value]) -> Value:
    if len(args) == 1 and isinstance(args[0], int) and not isinstance(args[0], bool):
        return Arr([UNDEFINED] * max(0, min(args[0], 65536)))
    return Arr(list(args))


def _buffer_from(interp: "Interpreter", args: list[Value]) -> Value:
    return buffers.buffer_from(args, interp.taints(args))


def _buffer_concat(interp: "Interpreter", args: list[Value]) -> Value:
    parts = args[0].items if args and isinstance(args[0], Arr) else []
    if not parts or not all(isinstance(part, Buf) for part in parts):
        return interp.unknown(args)
    data = b"".join(part.data for part in parts)
    return Buf(data[: MAX_TEXT * 2], merged(*(part.via for part in parts)), interp.taints(args))


def _bytes(interp: "Interpreter", args: list[Value]) -> Value:
    if len(args) == 1 and isinstance(args[0], int) and not isinstance(args[0], bool):
        return Arr([0] * max(0, min(args[0], 65536)))
    if args and isinstance(args[0], Arr):
        return Arr(list(args[0].items), args[0].via, args[0].taint)
    return args[0] if args and isinstance(args[0], Buf) else interp.unknown(args)


def _inflate(interp: "Interpreter", args: list[Value]) -> Value:
    source = args[0] if args else UNDEFINED
    data = _codecs.inflate(source.data) if isinstance(source, Buf) else None
    if data is None or not isinstance(source, Buf):
        return interp.unknown(args, "zlib")
    return Buf(data, merged(source.via, ("zlib",)), source.taint)


def _symbol(text: str) -> Folder:
    return lambda _interp, _args: Sym(text=text)


def _identity(_interp: "Interpreter", args: list[Value]) -> Value:
    return args[0] if args else UNDEFINED


def _text_decoded(interp: "Interpreter", args: list[Value]) -> Value:
    value = args[0] if args else UNDEFINED
    if isinstance(value, Arr):
        value = buffers.buffer_from([value], interp.taints(args))
    return buffers.buffer_text(value) if isinstance(value, Buf) else interp.unknown(args)


FOLDERS: dict[str, Folder] = {
    "String": _string,
    "Number": _number,
    "Boolean": lambda interp, args: interp.unknown(args),
    "String.fromCharCode": _from_char_code,
    "String.fromCodePoint": _from_char_code,
    "String.raw": _identity,
    "atob": _atob,
    "btoa": _btoa,
    "decodeURIComponent": _decode_with("percent", _codecs.unpercent),
    "decodeURI": _decode_with("percent", _codecs.unpercent),
    "unescape": _decode_with("unescape", _codecs.unescape),
    "encodeURIComponent": _encode_component,
    "encodeURI": _identity,
    "escape": _identity,
    "parseInt": _parse_int,
    "Number.parseInt": _parse_int,
    "parseFloat": _parse_float,
    "Number.parseFloat": _parse_float,
    "isNaN": _is_nan,
    "Number.isNaN": _is_nan,
    "JSON.parse": json_text.parse,
    "JSON.stringify": json_text.stringify,
    "Object.keys": _object_list("keys"),
    "Object.values": _object_list("values"),
    "Object.entries": _object_list("entries"),
    "Object.getOwnPropertyNames": _object_list("keys"),
    "Object.assign": _assign,
    "Object.fromEntries": _from_entries,
    "Object.freeze": _identity,
    "Object.seal": _identity,
    "Object.create": lambda interp, args: Obj(),
    "Array": _array,
    "Array.of": lambda interp, args: Arr(list(args)),
    "Array.from": _array_from,
    "Array.isArray": lambda interp, args: isinstance(args[0], Arr) if args and is_known(args[0]) else Sym(),
    "Buffer": _buffer_from,
    "Buffer.from": _buffer_from,
    "Buffer.concat": _buffer_concat,
    "Buffer.alloc": lambda interp, args: _bytes(interp, args[:1]),
    "Buffer.allocUnsafe": lambda interp, args: _bytes(interp, args[:1]),
    "Uint8Array": _bytes,
    "Uint8Array.from": _array_from,
    "Uint8ClampedArray": _bytes,
    "TextDecoder().decode": _text_decoded,
    "TextEncoder().encode": _buffer_from,
    "@path.join": paths.join_path,
    "@path.resolve": paths.resolve_path,
    "@path.normalize": paths.join_path,
    "@path.basename": paths.basename,
    "@path.dirname": paths.dirname,
    "@os.homedir": _symbol("~"),
    "@os.tmpdir": _symbol("$TMPDIR"),
    "@os.platform": lambda interp, args: Sym(),
    "process.cwd": _symbol("."),
    "@url.fileURLToPath": _identity,
    "@url.pathToFileURL": _identity,
    "URL": paths.fold_url,
    "@url.URL": paths.fold_url,
    "@util.promisify": _identity,
    "@util.inspect": json_text.stringify,
    "@querystring.stringify": json_text.stringify,
    "Promise.resolve": _identity,
    "Symbol": lambda interp, args: Sym(),
    **{f"Math.{name}": _math(name) for name in "floor ceil trunc abs round sqrt sign max min pow log sin cos".split()},
    **{
        f"@zlib.{name}": _inflate
        for name in (
            "inflateSync",
            "gunzipSync",
            "unzipSync",
            "inflateRawSync",
            "inflate",
            "gunzip",
            "unzip",
            "inflateRaw",
        )
    },
}
