"""Methods of strings, bytes, lists and dicts, and pure builtins, on what is known. Never the real thing on unknowns."""

from typing import Any

from lazaretto.languages.python.folding import concatenated, result, step
from lazaretto.languages.python.values import (
    HOLE,
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
    spill,
    unknown,
)

_PURE = {
    str: frozenset(
        "capitalize casefold count encode endswith find format format_map index isalnum isalpha isascii "
        "isdecimal isdigit "
        "isidentifier islower isnumeric isprintable isspace istitle isupper join lower lstrip partition removeprefix "
        "removesuffix replace rfind rindex rpartition rsplit rstrip split splitlines startswith strip swapcase title "
        "translate maketrans upper zfill center ljust rjust expandtabs".split()
    ),
    int: frozenset("bit_length to_bytes conjugate".split()),
    dict: frozenset("get keys values items copy".split()),
    tuple: frozenset("count index".split()),
}
_PURE[bytes] = _PURE[str] | {"decode", "hex", "maketrans"}
_PURE[bytearray] = _PURE[bytes]
_PURE[list] = frozenset("copy count index".split())

_STEPS = {
    "replace": "replace",
    "join": "join",
    "format": "format",
    "translate": "translate",
    "format_map": "format",
    "to_bytes": "int-bytes",
}

_MUTATORS = frozenset(
    "append extend insert pop reverse sort clear remove update add setdefault popitem __setitem__".split()
)


def method(receiver: Value, name: str, args: list[Value], keywords: dict[str, Value]) -> Value | None:
    """Return what a method of a known (or partly known) value gives, or None if this is not one."""
    const = receiver.const
    if name in _MUTATORS and (receiver.items is not None or isinstance(const, (list, dict, set, bytearray))):
        return _mutate(receiver, name, args)
    if name == "join" and isinstance(const, (str, bytes)) and len(args) == 1:
        return _joined(receiver, args[0])
    if name == "format" and isinstance(const, str):
        found = _format(receiver, args, keywords)
        if found is not None:
            return found
    if isinstance(receiver.items, dict) and name in ("get", "keys", "values", "items", "copy"):
        return _partial_dict(receiver.items, name, args)
    const = known(receiver)
    if const is NOTHING:
        return _text_method(receiver, name, args)
    if name in ("tobytes", "tostring", "tounicode") and isinstance(const, (bytes, str)):
        return receiver  # of what is taken for its bytes: a view of memory, an array
    allowed = next((names for kind, names in _PURE.items() if isinstance(const, kind)), None)
    if allowed is None or name not in allowed:
        return None
    return _fold(receiver, const, name, args, keywords)


def _fold(receiver: Value, const: Any, name: str, args: list[Value], keywords: dict[str, Value]) -> Value:
    sources = [receiver, *args, *keywords.values()]
    values = [known(arg) for arg in args]
    named = {key: known(value) for key, value in keywords.items()}
    if NOTHING in (*map(_mark, values), *map(_mark, named.values())) or not _cheap(const, name, values):
        return unknown(all_taint(sources))
    if name in ("encode", "decode"):
        from lazaretto.languages.python.decoding import codec

        return codec(receiver, const, name, values[0] if values else named.get("encoding", "utf-8"))
    try:
        answer = getattr(const, name)(*values, **named)
    except Exception:  # noqa: BLE001 - a method of a builtin type on constants: whatever it refuses is unknown
        return unknown(all_taint(sources))
    if isinstance(const, dict) and name in ("keys", "values", "items"):
        answer = list(answer)
    if hasattr(answer, "__len__") and len(answer) > MAX_SIZE:
        return unknown(all_taint(sources))
    return result(answer, sources, _STEPS.get(name, ""))


def _mark(value: Any) -> Any:
    return NOTHING if value is NOTHING else None


def _cheap(const: Any, name: str, args: list[Any]) -> bool:
    if name in ("zfill", "center", "ljust", "rjust", "expandtabs", "to_bytes"):
        return all(not isinstance(arg, int) or arg <= 4096 for arg in args)
    if name == "replace" and len(args) >= 2 and hasattr(args[0], "__len__") and hasattr(args[1], "__len__"):
        return len(const) // max(len(args[0]), 1) * len(args[1]) + len(const) <= MAX_SIZE
    if name in ("format", "format_map"):
        return False
    return not hasattr(const, "__len__") or len(const) <= MAX_SIZE


def _joined(receiver: Value, arg: Value) -> Value | None:
    parts = elements(arg)
    if parts is None:
        return unknown(all_taint([arg]))
    consts = [known(part) for part in parts]
    separator = receiver.const
    sources = [receiver, arg]
    kind = str if isinstance(separator, str) else (bytes, bytearray)
    if all(isinstance(const, kind) for const in consts):
        size = sum(len(const) for const in consts) + len(separator) * len(consts)
        if size > MAX_SIZE:
            return unknown(all_taint(sources))
        return result(separator.join(consts), sources, "join" if len(consts) > 1 else "")
    if len(parts) > 256 or not isinstance(separator, str):
        return unknown(all_taint(sources))
    return partial(separator.join(holes(part) for part in parts), [receiver, *parts])


def _format(receiver: Value, args: list[Value], keywords: dict[str, Value]) -> Value | None:
    import string

    values: list[Value] = []
    auto = 0
    try:
        pieces = list(string.Formatter().parse(receiver.const))
    except ValueError:
        return unknown(all_taint(args))
    if len(pieces) > 1000:
        return unknown(all_taint(args))
    for literal, field, spec, _ in pieces:
        if literal:
            values.append(constant(literal))
        if field is None:
            continue
        name = field
        if not name:
            name, auto = str(auto), auto + 1
        value = args[int(name)] if name.isdigit() and int(name[:6]) < len(args) else keywords.get(name)
        if spec and value is not None:
            value = _specified(value, spec)
        values.append(value if value is not None else unknown(all_taint(args)))
    return concatenated([constant(""), *values], "format")


def _specified(value: Value, spec: str) -> Value:
    const = known(value)
    if const is NOTHING or len(spec) > 8 or any(len(run) > 3 for run in spec.split() if run.isdigit()):
        return unknown(value.taint)
    if not isinstance(const, (int, str, float)) or (
        any(c.isdigit() for c in spec) and int("".join(filter(str.isdigit, spec))) > 4096
    ):
        return unknown(value.taint)
    try:
        return constant(format(const, spec), value.via, value.taint)
    except (ValueError, TypeError):
        return unknown(value.taint)


def _text_method(receiver: Value, name: str, args: list[Value]) -> Value | None:
    """Methods of a text with holes that leave it readable."""
    if receiver.text is None or receiver.sym is not None:
        return None
    if name in ("strip", "rstrip", "lstrip", "encode", "decode", "lower", "upper", "expandtabs"):
        return receiver
    if name == "replace" and len(args) == 2:
        old, new = known(args[0]), known(args[1])
        if isinstance(old, str) and isinstance(new, str) and old and HOLE not in old and len(new) < 1000:
            return partial(receiver.text.replace(old, new), [receiver, *args])
    if name in ("split", "rsplit", "splitlines"):
        return container("list", [receiver])
    if name in ("format", "format_map"):
        return receiver
    return None


def _partial_dict(items: dict[Any, Value], name: str, args: list[Value]) -> Value:
    if name == "get":
        key = args[0].const if args else NOTHING
        try:
            found = items.get(key) if key is not NOTHING else None
        except TypeError:
            found = None
        return found or (args[1] if len(args) > 1 else unknown(all_taint(items.values())))
    if name == "values":
        return container("list", list(items.values()))
    if name == "keys":
        return container("list", [constant(key) for key in items])
    if name == "items":
        return container("list", [container("tuple", [constant(key), value]) for key, value in items.items()])
    made = container("dict", dict(items))
    made.kind = "dict"
    return made


def _mutate(receiver: Value, name: str, args: list[Value]) -> Value:
    const = receiver.const
    consts = [known(arg) for arg in args]
    plain = all(arg is not NOTHING for arg in consts) and not any(arg.taint or arg.mark for arg in args)
    if const is not NOTHING and plain and name not in ("sort", "__setitem__"):
        if len(const) > MAX_SIZE:
            return unknown()
        if any(arg.via for arg in args):
            receiver.via = all_via([receiver, *args])
        try:
            return constant(getattr(const, name)(*consts), receiver.via)
        except Exception:  # noqa: BLE001 - whatever a builtin container refuses is unknown
            return unknown()
    if isinstance(const, (set, bytearray)):
        receiver.taint |= all_taint(args)
        receiver.const = NOTHING
        return unknown(receiver.taint)
    if name == "sort":
        return unknown()
    return _mutate_parts(receiver, spill(receiver), name, args)


def _mutate_parts(receiver: Value, items: "list[Value] | dict[Any, Value]", name: str, args: list[Value]) -> Value:
    if len(items) > 100_000:
        receiver.taint |= all_taint(args)
        return unknown(receiver.taint)
    if isinstance(items, dict):
        if name == "update" and args and isinstance(args[0].items, dict):
            items.update(args[0].items)
        elif name == "update" and args and isinstance(args[0].const, dict):
            items.update({key: constant(part) for key, part in args[0].const.items()})
        elif name in ("setdefault", "__setitem__") and len(args) == 2:
            key = args[0].const
            items[key if isinstance(key, (str, int, bytes)) else ("unknown key", len(items))] = args[1]
            return args[1]
        else:
            receiver.taint |= all_taint(args)
        return unknown(all_taint(items.values()))
    if name in ("append", "add") and args:
        items.append(args[0])
    elif name in ("extend", "update") and args:
        items.extend(elements(args[0]) or [unknown(all_taint(args))])
    elif name == "insert" and len(args) == 2:
        at = known(args[0])
        items.insert(at if isinstance(at, int) else 0, args[1])
    elif name == "pop" and items:
        at = known(args[0]) if args else -1
        return items.pop(at) if isinstance(at, int) and -len(items) <= at < len(items) else unknown(all_taint(items))
    elif name == "reverse":
        items.reverse()
    elif name == "clear":
        items.clear()
    else:
        receiver.taint |= all_taint(args)
    return unknown()


def reversed_text(value: Value) -> Value:
    """Return a constant backwards."""
    const = known(value)
    if isinstance(const, (str, bytes, list, tuple)):
        return constant(const[::-1], step(value.via, "reverse"), value.taint)
    return unknown(value.taint)
