"""JSON, read and printed on known values."""

import json
from typing import TYPE_CHECKING, Any

from lazaretto.languages.javascript.values import (
    DEEP,
    MAX_TEXT,
    UNDEFINED,
    Arr,
    Buf,
    Choice,
    Func,
    Obj,
    Sym,
    Text,
    Value,
    via_of,
)

if TYPE_CHECKING:
    from lazaretto.languages.javascript.interp import Interpreter


def parse(interp: "Interpreter", args: list[Value]) -> Value:
    """Return ``JSON.parse(text)``."""
    text = args[0] if args else UNDEFINED
    if not isinstance(text, str) or len(text) > MAX_TEXT:
        return interp.unknown(args)
    try:
        return _from_python(json.loads(text), via_of(text), interp.taints(args))
    except (ValueError, RecursionError):
        return interp.unknown(args)


def _from_python(value: Any, via: tuple[str, ...], taint: frozenset[int]) -> Value:
    if isinstance(value, str):
        return Text.of(value, via, taint)
    if isinstance(value, list):
        return Arr([_from_python(item, via, taint) for item in value], via, taint)
    if isinstance(value, dict):
        return Obj({str(key): _from_python(item, via, taint) for key, item in value.items()})
    return value


def stringify(interp: "Interpreter", args: list[Value]) -> Value:
    """Return ``JSON.stringify(value)``."""
    value = args[0] if args else UNDEFINED
    taint = interp.taints(args, DEEP)
    text = _json_text(value, 6)
    if text is None or len(text) > MAX_TEXT:
        return Sym(taint=taint, via=via_of(value))
    return Text.of(text, via_of(value), taint)


def _json_text(value: Value, depth: int) -> str | None:
    if depth == 0 or isinstance(value, (Sym, Choice, Buf, Func)):
        return None
    if value is UNDEFINED or value is None:
        return "null"
    if isinstance(value, (bool, int, float, str)):
        if isinstance(value, float) and (value != value or abs(value) == float("inf")):
            return "null"
        return json.dumps(str(value) if isinstance(value, str) else value, ensure_ascii=False)
    if isinstance(value, Arr):
        items = [None] if value.open else [_json_text(item, depth - 1) for item in value.items]
        return None if None in items else "[" + ",".join(item or "" for item in items) + "]"
    if isinstance(value, Obj):
        pairs = [(json.dumps(key), _json_text(item, depth - 1)) for key, item in value.props.items()]
        if value.dump is not None or any(text is None for _key, text in pairs):
            return None
        return "{" + ",".join(f"{key}:{text}" for key, text in pairs) + "}"
    return None
