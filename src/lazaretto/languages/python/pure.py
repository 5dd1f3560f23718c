"""Pure builtins and library functions on constants: what they give, computed within bounds."""

from collections.abc import Callable
from typing import Any

from lazaretto.languages.python.folding import joined_path, result, step
from lazaretto.languages.python.methods import reversed_text
from lazaretto.languages.python.packing import PACKING
from lazaretto.languages.python.scope import Call
from lazaretto.languages.python.values import (
    MAX_SIZE,
    NOTHING,
    Value,
    all_taint,
    all_via,
    constant,
    container,
    elements,
    holes,
    known,
    partial,
    render,
    unknown,
)

MAX_RANGE = 200_000
MAX_DIGITS = 4000
"""Longest text that is read as a number."""


def _chr(call: Call) -> Value:
    code = known(call.args[0]) if call.args else NOTHING
    if isinstance(code, int) and 0 <= code < 0x110000:
        return constant(chr(code), step(all_via(call.args), "chr"), all_taint(call.args))
    return unknown(all_taint(call.args))


def _range(call: Call) -> Value:
    bounds = [known(arg) for arg in call.args]
    if 1 <= len(bounds) <= 3 and all(isinstance(b, int) and b.bit_length() < 63 for b in bounds):
        if len(bounds) == 3 and bounds[2] == 0:
            return unknown()
        made = range(*bounds)
        if len(made) <= MAX_RANGE:
            return constant(made)
    return unknown()


def _bytes(call: Call) -> Value:
    if not call.args:
        return constant(b"" if call.sym == "builtins.bytes" else bytearray())
    const = known(call.args[0])
    maker: Any = bytearray if call.sym == "builtins.bytearray" else bytes
    try:
        if isinstance(const, str):
            return result(maker(const.encode("utf-8", "replace")), call.args)
        if isinstance(const, int):
            return constant(maker(const)) if 0 <= const <= MAX_SIZE else unknown()
        if isinstance(const, (list, tuple, bytes, bytearray, range)):
            name = "chr" if isinstance(const, (list, tuple)) and len(const) > 3 else ""
            made = result(maker(const), call.args, name)
            parts = call.args[0].items
            if "xor" in all_via(parts.values() if isinstance(parts, dict) else parts or ()):
                made.via = step(call.args[0].via, "xor")
            return made
    except (TypeError, ValueError):
        pass
    made = unknown(all_taint(call.args))
    made.via = all_via(call.args)
    return made


def _str(call: Call) -> Value:
    if not call.args:
        return constant("")
    value = call.args[0]
    const = known(value)
    if isinstance(const, (bytes, bytearray)):
        if len(call.args) > 1 or "encoding" in call.keywords:
            from lazaretto.languages.python.decoding import codec

            return codec(value, const, "decode", known(call.arg(1, "encoding") or constant("utf-8")))
        return result(repr(const[:MAX_SIZE]), [value])
    if isinstance(const, (str, int, float)):
        shown = render(value) if not isinstance(const, bool) else str(const)
        return result(shown, [value]) if shown is not None else unknown()
    return value if value.text is not None or value.sym is not None else unknown(all_taint([value]))


def _int(call: Call) -> Value:
    consts = [known(arg) for arg in call.args] + [known(v) for v in call.keywords.values()]
    if consts and not any(const is NOTHING for const in consts):
        first = consts[0]
        if isinstance(first, (str, bytes)) and len(first) > MAX_DIGITS:
            return unknown()
        try:
            return result(int(*consts), call.args)
        except (TypeError, ValueError, OverflowError):
            pass
    return unknown(all_taint(call.args))


def _float(call: Call) -> Value:
    first = known(call.args[0]) if len(call.args) == 1 else NOTHING
    if isinstance(first, (str, bytes, int, float)) and not (
        isinstance(first, (str, bytes)) and len(first) > MAX_DIGITS
    ):
        try:
            return result(float(first), call.args)
        except (ValueError, OverflowError):
            pass
    return unknown(all_taint(call.args))


def _listed(call: Call) -> Value:
    kind = call.sym.rpartition(".")[2]
    if not call.args:
        return constant([] if kind == "list" else () if kind == "tuple" else set())
    parts = elements(call.args[0])
    if parts is None:
        return unknown(all_taint(call.args))
    return container("tuple" if kind == "tuple" else "set" if kind in ("set", "frozenset") else "list", parts)


def _dict(call: Call) -> Value:
    pairs: dict[Any, Value] = {}
    if call.args:
        source = call.args[0]
        if isinstance(source.items, dict):
            pairs.update(source.items)
        elif isinstance(source.const, dict):
            pairs.update({key: constant(value) for key, value in source.const.items()})
        else:
            for item in elements(source) or ():
                pair = elements(item)
                key = known(pair[0]) if pair and len(pair) == 2 else NOTHING
                if pair is None or not isinstance(key, (str, int, bytes)):
                    return unknown(all_taint(call.data()))
                pairs[key] = pair[1]
            if elements(source) is None:
                return unknown(all_taint(call.data()))
    pairs.update(call.keywords)
    made = container("dict", pairs)
    made.kind = "dict"
    return made


def _reversed(call: Call) -> Value:
    value = call.args[0] if call.args else unknown()
    if isinstance(known(value), (str, bytes)):
        parts = elements(reversed_text(value)) or []
        made = container("list", parts)
        made.via = step(value.via, "reverse")
        return made
    items = elements(value)
    return container("list", items[::-1]) if items is not None else unknown(all_taint(call.args))


def _enumerate(call: Call) -> Value:
    parts = elements(call.args[0]) if call.args else None
    start = known(call.arg(1, "start") or constant(0))
    if parts is None or not isinstance(start, int):
        taint = all_taint(call.args)
        return unknown(taint)
    return _pairs([[constant(start + n), part] for n, part in enumerate(parts)])


def _zip(call: Call) -> Value:
    columns = [elements(arg) for arg in call.args]
    found = [column for column in columns if column is not None]
    if len(found) != len(columns):
        return unknown(all_taint(call.args))
    return _pairs([list(row) for row in zip(*found, strict=False)])


def _pairs(rows: list[list[Value]]) -> Value:
    made = Value()
    made.kind = "list"
    made.items = [container("tuple", row) for row in rows]
    return made


def _cycle(call: Call) -> Value:
    parts = elements(call.args[0]) if call.args else None
    if not parts:
        return unknown(all_taint(call.args))
    size = max(1, min(MAX_RANGE // len(parts), 20_000 // len(parts) + 1))
    made = Value()
    made.kind = "list"
    made.items = parts * size
    return made


def _generic(function: Callable[..., Any], limit: int = MAX_SIZE) -> Callable[[Call], Value]:
    def fold(call: Call) -> Value:
        consts = [known(arg) for arg in call.args]
        if any(c is NOTHING for c in consts) or any(hasattr(c, "__len__") and len(c) > limit for c in consts):
            return unknown(all_taint(call.args))
        try:
            answer = function(*consts)
        except Exception:  # noqa: BLE001 - a builtin on constants: whatever it refuses is unknown
            return unknown(all_taint(call.args))
        return result(answer, call.args)

    return fold


def _from_bytes(call: Call) -> Value:
    data, order = known(call.args[0]) if call.args else NOTHING, known(call.arg(1, "byteorder") or constant("big"))
    if isinstance(data, (bytes, bytearray, list, tuple)) and order in ("big", "little") and len(data) <= 1 << 17:
        try:
            return result(int.from_bytes(data, order), call.args)
        except (TypeError, ValueError):
            pass
    return unknown(all_taint(call.args))


def _path_join(call: Call) -> Value:
    if all(isinstance(known(arg), str) for arg in call.args):
        text = ""
        for arg in call.args:
            part = known(arg)
            text = part if part.startswith("/") or not text else f"{text.rstrip('/')}/{part}"
        return result(text, call.args)
    made = joined_path(call.args)
    made.sym = None
    return made


def _path_same(call: Call) -> Value:
    """Functions of paths that leave the text as it is: expanduser, abspath, realpath, normpath, fspath."""
    return call.args[0] if call.args else unknown()


def _path(call: Call) -> Value:
    if not call.args:
        return joined_path([constant(".")])
    if call.args[0].sym == "__file__":
        return call.args[0]
    return joined_path(call.args)


def _home(call: Call) -> Value:
    return joined_path([constant("~")])


def _basename(call: Call) -> Value:
    shown = render(call.args[0]) if call.args else None
    return unknown(all_taint(call.args)) if not shown else partial(shown.rpartition("/")[2], call.args)


def _quote(call: Call) -> Value:
    return (
        call.args[0]
        if call.args and call.args[0].const is not NOTHING
        else partial(holes(call.args[0]), call.args)
        if call.args
        else unknown()
    )


def _ord(value: Any) -> int:
    return ord(value)


FOLDS: dict[str, Callable[[Call], Value]] = {
    **PACKING,
    "builtins.chr": _chr,
    "builtins.unichr": _chr,
    "builtins.range": _range,
    "builtins.xrange": _range,
    "builtins.bytes": _bytes,
    "builtins.bytearray": _bytes,
    "builtins.memoryview": _bytes,
    "builtins.str": _str,
    "builtins.unicode": _str,
    "builtins.int": _int,
    "builtins.float": _float,
    "builtins.list": _listed,
    "builtins.tuple": _listed,
    "builtins.set": _listed,
    "builtins.frozenset": _listed,
    "builtins.iter": _listed,
    "builtins.dict": _dict,
    "builtins.reversed": _reversed,
    "builtins.enumerate": _enumerate,
    "builtins.zip": _zip,
    "itertools.cycle": _cycle,
    "builtins.ord": _generic(_ord),
    "builtins.len": _generic(len),
    "builtins.sum": _generic(sum, 100_000),
    "builtins.min": _generic(min, 100_000),
    "builtins.max": _generic(max, 100_000),
    "builtins.sorted": _generic(sorted, 100_000),
    "builtins.hex": _generic(hex),
    "builtins.bin": _generic(bin),
    "builtins.abs": _generic(abs),
    "builtins.ascii": _generic(ascii, 2000),
    "builtins.repr": _generic(repr, 2000),
    "builtins.int.from_bytes": _from_bytes,
    "os.path.join": _path_join,
    "posixpath.join": _path_join,
    "ntpath.join": _path_join,
    **{f"os.path.{name}": _path_same for name in "expanduser expandvars abspath realpath normpath".split()},
    "os.fspath": _path_same,
    "os.fsencode": _path_same,
    "os.path.basename": _basename,
    **{f"pathlib.{name}": _path for name in "Path PurePath PosixPath WindowsPath".split()},
    "pathlib.Path.home": _home,
    "shlex.quote": _quote,
    "pipes.quote": _quote,
    "textwrap.dedent": lambda call: call.args[0] if call.args else unknown(),
    "inspect.cleandoc": lambda call: call.args[0] if call.args else unknown(),
    "sys.intern": lambda call: call.args[0] if call.args else unknown(),
    "typing.cast": lambda call: call.args[1] if len(call.args) > 1 else unknown(),
}
"""Dotted name -> what a call of it gives."""
