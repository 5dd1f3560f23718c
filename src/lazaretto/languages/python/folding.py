"""Operators on what is known: constants are computed within bounds, texts with holes are kept as such."""

import re
from functools import reduce
from typing import Any

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
    join,
    known,
    partial,
    render,
    unknown,
)

_MAX_BITS = 1 << 20

_WIDTH = re.compile(r"[0-9]{5,}|\*")


def step(chain: tuple[str, ...], name: str) -> tuple[str, ...]:
    """Return the chain with one more step; the same step twice in a row is told once."""
    if not name or (chain and chain[-1] == name):
        return chain
    return (*chain, name) if len(chain) < 12 else chain


def result(value: Any, sources: list[Value], name: str = "") -> Value:
    """Return a computed constant that keeps the origin of what it was computed from."""
    via = all_via(sources)
    return constant(value, step(via, name) if name else via, all_taint(sources))


def concatenated(values: list[Value], name: str) -> Value:
    """Return the text of values written one behind the other (f-strings, adjacent strings)."""
    texts = [render(value) for value in values]
    whole = all(text is not None and known(value) is not NOTHING for text, value in zip(texts, values, strict=True))
    text = "".join(holes(value) for value in values)
    if len(text) > MAX_SIZE:
        return unknown(all_taint(values))
    if whole:
        return result(text, values, name if len(values) > 1 else "")
    return partial(text, values)


def summed(values: list[Value]) -> Value:
    """Return a long sum at once: adding pair by pair would copy every prefix."""
    consts = [known(value) for value in values]
    if all(isinstance(const, str) for const in consts):
        text = "".join(consts)
        return result(text, values, "concat") if len(text) <= MAX_SIZE else unknown(all_taint(values))
    if all(isinstance(const, (bytes, bytearray)) for const in consts):
        return result(b"".join(consts), values, "concat")
    value = values[0]
    for operand in values[1:]:
        value = binary("+", value, operand)
    return value


def binary(op: str, left: Value, right: Value) -> Value:
    """Return ``left op right``."""
    one, two = known(left), known(right)
    if one is not NOTHING and two is not NOTHING:
        answer = _computed(op, one, two)
        if answer is not NOTHING:
            name = ""
            if isinstance(answer, (str, bytes, bytearray)):
                name = {"+": "concat", "%": "format"}.get(op, "")
            if op == "^":
                return constant(answer, step(all_via([left, right]), "xor"), left.taint | right.taint)
            return result(answer, [left, right], name)
        return unknown(all_taint([left, right]))
    return _unknown_binary(op, left, right)


def _listed(value: Value) -> bool:
    return value.kind in ("list", "tuple") or isinstance(value.const, (list, tuple))


def _unknown_binary(op: str, left: Value, right: Value) -> Value:
    if op == "+":
        first, second = elements(left), elements(right)
        if first is not None and second is not None and (left.kind or right.kind):
            return container(left.kind or right.kind, first + second)
        if _textual(left) or _textual(right):
            return partial(holes(left) + holes(right), [left, right])
        if left.alts and _listed(right) and all(map(_listed, left.alts)):  # words put behind one of several commands
            return reduce(join, (binary(op, one, right) for one in left.alts))
        if _listed(left) or _listed(right):  # a command with words that are only known at run time
            begin = [unknown(all_taint([left]))] if first is None else first
            end = [unknown(all_taint([right]))] if second is None else second
            return container(left.kind or right.kind or "list", begin + end)
    elif op == "/" and (left.sym in PATHS or right.sym in PATHS):
        return joined_path([left, right])
    elif op == "%" and isinstance(left.const, str):
        return _percent(left.const, right)
    elif op == "|" and (isinstance(left.items, dict) or isinstance(right.items, dict)):
        merged: dict[Any, Value] = {}
        for side in (left, right):
            if isinstance(side.items, dict):
                merged.update(side.items)
            elif isinstance(side.const, dict):
                merged.update({key: constant(part) for key, part in side.const.items()})
        return container("dict", merged)
    return unknown(all_taint([left, right]))


PATHS = frozenset(("pathlib.Path()", "pathlib.PurePath()", "pathlib.PosixPath()", "pathlib.WindowsPath()"))
"""Symbols of path objects; their ``text`` is the path."""


def joined_path(parts: list[Value]) -> Value:
    """Return a path object (or path text) made of parts."""
    text = ""
    for part in parts:
        shown = part.text if part.sym in PATHS and part.text is not None else holes(part)
        text = shown if not text or shown.startswith(("/", "~")) else f"{text.rstrip('/')}/{shown}"
    made = partial(text, parts)
    made.text = text
    made.sym = "pathlib.Path()"
    made.mark = parts[0].mark if len(parts) == 1 else made.mark
    return made


def _textual(value: Value) -> bool:
    return value.text is not None or isinstance(value.const, (str, bytes))


def _percent(pattern: str, right: Value) -> Value:
    parts = elements(right) if right.kind == "tuple" or isinstance(right.const, tuple) else [right]
    supply = iter(parts or [])

    def fill(match: re.Match[str]) -> str:
        if match.group() == "%%":
            return "%"
        return holes(next(supply, unknown()))

    if isinstance(right.items, dict):
        return partial(re.sub(r"%\([^)]*\)[sdr]", "{}", pattern), [right])
    return partial(re.sub(r"%[-+#0 ]*[0-9.]*[a-zA-Z%]", fill, pattern), [right])


def _computed(op: str, one: Any, two: Any) -> Any:
    if not _affordable(op, one, two):
        return NOTHING
    operation = _OPERATIONS.get(op)
    if operation is None:
        return NOTHING
    try:
        answer = operation(one, two)
    except (ArithmeticError, TypeError, ValueError, LookupError, MemoryError):
        return NOTHING
    return answer if _fits(answer) else NOTHING


def _fits(value: Any) -> bool:
    if isinstance(value, int):
        return value.bit_length() <= _MAX_BITS
    return not hasattr(value, "__len__") or len(value) <= MAX_SIZE


def _affordable(op: str, one: Any, two: Any) -> bool:
    """Whether computing can neither take long nor make something big."""
    match op:
        case "*":
            return _small_product(one, two)
        case "**":
            return _small_power(one, two)
        case "<<":
            return isinstance(two, int) and 0 <= two <= 1 << 16
        case "%" if isinstance(one, (str, bytes)):
            pattern = one if isinstance(one, str) else one.decode("latin-1")
            return len(pattern) <= 1 << 18 and not _WIDTH.search(pattern) and _short(two)
        case "//" | "/" | "%":
            return all(not isinstance(part, int) or part.bit_length() <= 1 << 16 for part in (one, two))
        case "+" if hasattr(one, "__len__") and hasattr(two, "__len__"):
            return len(one) + len(two) <= MAX_SIZE
    return True


def _small_product(one: Any, two: Any) -> bool:
    for sequence, count in ((one, two), (two, one)):
        if isinstance(count, int) and hasattr(sequence, "__len__"):
            return len(sequence) * max(count, 0) <= MAX_SIZE and count.bit_length() < 64
    return all(not isinstance(part, int) or part.bit_length() <= 1 << 14 for part in (one, two))


def _small_power(one: Any, two: Any) -> bool:
    if not (isinstance(one, int) and isinstance(two, int)):
        return isinstance(one, (int, float)) and isinstance(two, (int, float)) and abs(two) < 1000
    return 0 <= two <= 4096 and one.bit_length() * max(two, 1) <= 1 << 16


def _short(value: Any) -> bool:
    if isinstance(value, (str, bytes)):
        return len(value) <= 1 << 18
    if isinstance(value, int):
        return value.bit_length() < 4000
    if isinstance(value, (list, tuple)):
        return len(value) <= 256 and all(_short(part) for part in value if not isinstance(part, (list, tuple, dict)))
    if isinstance(value, dict):
        return len(value) <= 256 and all(
            _short(part) for part in value.values() if not isinstance(part, (list, tuple, dict))
        )
    return True


_OPERATIONS: dict[str, Any] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
    "**": lambda a, b: a**b,
    "<<": lambda a, b: a << b,
    ">>": lambda a, b: a >> b,
    "&": lambda a, b: a & b,
    "|": lambda a, b: a | b,
    "^": lambda a, b: a ^ b,
}

_COMPARISONS: dict[str, Any] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "in": lambda a, b: a in b,
    "not in": lambda a, b: a not in b,
    "is": lambda a, b: a is b,
    "is not": lambda a, b: a is not b,
}


def compare(op: str, left: Value, right: Value) -> Value:
    """Return ``left op right`` for one comparison."""
    one, two = known(left), known(right)
    if one is NOTHING or two is NOTHING:
        return unknown()
    operation = _COMPARISONS.get(op)
    if operation is None:
        return unknown()
    if op in ("is", "is not") and not (one is None or two is None or isinstance(one, bool)):
        return unknown()
    try:
        return constant(bool(operation(one, two)))
    except TypeError:
        return unknown()


def unary(sign: str, value: Value) -> Value:
    """Return ``sign value``."""
    const = known(value)
    if const is NOTHING:
        return unknown(value.taint)
    try:
        if sign == "not":
            return constant(not const)
        if sign == "-":
            return result(-const, [value])
        if sign == "~":
            return result(~const, [value])
        return result(+const, [value])
    except TypeError:
        return unknown()
