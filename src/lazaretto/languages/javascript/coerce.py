"""Conversions between JavaScript values, for known values only."""

from collections.abc import Callable

from lazaretto.languages.javascript.syntax import format_number, number
from lazaretto.languages.javascript.values import UNDEFINED, Arr, Buf, Choice, Func, Obj, Regex, Sym, Value

Number = int | float
NAN = float("nan")


def to_text(value: Value, depth: int = 4) -> str | None:
    """Return ``String(value)``, or None if it is not known."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or value is None or value is UNDEFINED:
        return _NAMED[value]
    if isinstance(value, (int, float)):
        return format_number(value)
    if isinstance(value, Arr):
        return _array_text(value, depth)
    if isinstance(value, Buf):
        return value.data.decode("utf-8", "replace")
    if isinstance(value, Obj):
        return None if "toString" in value.props or value.klass is not None else "[object Object]"
    if isinstance(value, Regex):
        return f"/{value.source}/{value.flags}"
    return str(value.unit.text(value)) if isinstance(value, Func) and value.unit is not None else None


_NAMED: dict[Value, str] = {True: "true", False: "false", None: "null", UNDEFINED: "undefined"}


def _array_text(array: Arr, depth: int) -> str | None:
    if array.open or depth == 0:
        return None
    parts = ["" if item is None or item is UNDEFINED else to_text(item, depth - 1) for item in array.items]
    return None if any(part is None for part in parts) else ",".join(part or "" for part in parts)


def pattern_text(value: Value) -> str | None:
    """Return the text of a value with ``*`` for what is not known, or None if nothing is."""
    if isinstance(value, Sym):
        return value.text
    if isinstance(value, Choice):
        return None
    return to_text(value)


def to_number(value: Value) -> Number | None:
    """Return ``Number(value)``, or None if it is not known."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, str):
        return text_to_number(value)
    if value is None:
        return 0
    if value is UNDEFINED:
        return NAN
    if isinstance(value, (Arr, Obj, Buf)):
        text = to_text(value)
        return None if text is None else text_to_number(text)
    if isinstance(value, (Func, Regex)):
        return NAN
    return None


def text_to_number(text: str) -> Number:
    """Return ``Number(text)``."""
    clean = text.strip()
    if not clean:
        return 0
    if clean in ("Infinity", "+Infinity", "-Infinity"):
        return float(clean.replace("Infinity", "inf"))
    sign = -1 if clean[0] == "-" else 1
    body = clean[1:] if clean[0] in "+-" else clean
    if not body or not (body[0].isdigit() or body[0] == ".") or "_" in body or body[-1] == "n":
        return NAN
    if len(body) > 1 and body[0] == "0" and body.isdigit():
        return sign * int(body) if len(body) < 300 else NAN
    if len(body) > 1000:
        return NAN
    parsed = number(body)
    return NAN if parsed is None else sign * parsed


def to_int32(value: Number) -> int:
    """Return ToInt32 of a number (ECMA-262 7.1.6)."""
    if value != value or value in (float("inf"), float("-inf")):
        return 0
    wrapped = int(value) & 0xFFFFFFFF
    return wrapped - 0x100000000 if wrapped & 0x80000000 else wrapped


def tidy(value: Number) -> Number:
    """Return an integer where a float has no fraction, so that it prints and indexes as one."""
    if isinstance(value, float) and value == value and abs(value) < 2**53 and value == int(value):
        return int(value)
    if isinstance(value, int) and abs(value) >= 2**53:
        try:
            return float(value)
        except OverflowError:
            return float("inf") if value > 0 else float("-inf")
    return value


def parse_int(text: str, radix: int = 0) -> Number:
    """Return ``parseInt(text, radix)``."""
    clean = text.strip()
    sign = 1
    if clean[:1] in ("+", "-"):
        sign = -1 if clean[0] == "-" else 1
        clean = clean[1:]
    if radix in (0, 16) and clean[:2].lower() == "0x":
        clean, radix = clean[2:], 16
    radix = radix or 10
    if not 2 <= radix <= 36:
        return NAN
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"[:radix]
    end = 0
    lowered = clean.lower()
    while end < len(lowered) and end < 400 and lowered[end] in digits:
        end += 1
    return tidy(sign * int(lowered[:end], radix)) if end else NAN


def binary(operator: str, a: Number, b: Number) -> Number | bool | None:
    """Return ``a operator b`` for numbers, or None if the operator is not arithmetic."""
    if operator in ("<", ">", "<=", ">="):
        return compare(operator, a, b)
    arithmetic = _ARITHMETIC.get(operator)
    try:
        return tidy(arithmetic(a, b)) if arithmetic is not None else _bitwise(operator, a, b)
    except (OverflowError, ZeroDivisionError, ValueError, TypeError):
        return NAN


def _divided(a: Number, b: Number) -> Number:
    if b == 0:
        return NAN if a == 0 or a != a else float("inf") if a > 0 else float("-inf")
    return a / b


def _rest(a: Number, b: Number) -> Number:
    if b == 0 or a != a or b != b or abs(a) == float("inf"):
        return NAN
    rest = a if abs(b) == float("inf") else abs(a) % abs(b)
    return -abs(rest) if a < 0 else rest


def _power(a: Number, b: Number) -> Number:
    return float(a) ** float(b) if abs(a) < 1e150 and abs(b) < 1024 else NAN


_ARITHMETIC: dict[str, Callable[[Number, Number], Number]] = {
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": _divided,
    "%": _rest,
    "**": _power,
}


def compare(operator: str, a: Number | str, b: Number | str) -> bool:
    """Return the result of a relational operator on two numbers or two strings."""
    if operator == "<":
        return a < b  # type: ignore[operator]
    if operator == ">":
        return a > b  # type: ignore[operator]
    if operator == "<=":
        return a <= b  # type: ignore[operator]
    return a >= b  # type: ignore[operator]


def _bitwise(operator: str, a: Number, b: Number) -> Number | None:
    left, right = to_int32(a), to_int32(b)
    if operator == "^":
        return left ^ right
    if operator == "&":
        return left & right
    if operator == "|":
        return left | right
    shift = right & 31
    if operator == "<<":
        return to_int32(left << shift)
    if operator == ">>":
        return left >> shift
    if operator == ">>>":
        return (left & 0xFFFFFFFF) >> shift
    return None


def strictly_equal(a: Value, b: Value) -> bool | None:
    """Return ``a === b``, or None if it is not known."""
    if isinstance(a, (Sym, Choice)) or isinstance(b, (Sym, Choice)):
        return None
    if isinstance(a, str) and isinstance(b, str):
        return str(a) == str(b)
    numbers = (int, float)
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, numbers) and isinstance(b, numbers):
        return a == b
    return a is b


def loosely_equal(a: Value, b: Value) -> bool | None:
    """Return ``a == b``, or None if it is not known."""
    if isinstance(a, (Sym, Choice)) or isinstance(b, (Sym, Choice)):
        return None
    empty = (None, UNDEFINED)
    if a in empty or b in empty:
        return a in empty and b in empty
    if type(a) is type(b) or (isinstance(a, str) and isinstance(b, str)):
        return strictly_equal(a, b)
    primitive = (str, int, float, bool)
    if isinstance(a, primitive) or isinstance(b, primitive):
        left, right = to_number(a), to_number(b)
        if isinstance(a, str) or isinstance(b, str):
            texts = (to_text(a), to_text(b))
            if not isinstance(a, primitive) or not isinstance(b, primitive):
                return None if None in texts else texts[0] == texts[1]
        return None if left is None or right is None else left == right
    return a is b


def number_method(value: float, name: str, args: list[Value]) -> Value:
    """Return ``value.name(...args)`` where it can be known: only ``toString`` folds."""
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
