"""Operators on two values."""

from typing import TYPE_CHECKING

from lazaretto.languages.javascript.coerce import (
    binary,
    compare,
    loosely_equal,
    strictly_equal,
    tidy,
    to_number,
)
from lazaretto.languages.javascript.values import (
    UNDEFINED,
    Arr,
    Buf,
    Choice,
    Func,
    Obj,
    Sym,
    Value,
    merged,
    taint_of,
    via_of,
)

if TYPE_CHECKING:
    from lazaretto.languages.javascript.interp import Interpreter


def operate(interp: "Interpreter", operator: str, a: Value, b: Value) -> Value:
    """Return ``a operator b``."""
    if operator == "+":
        return add(interp, a, b)
    if operator in ("===", "!==", "==", "!="):
        same = strictly_equal(a, b) if len(operator) == 3 else loosely_equal(a, b)
        return Sym() if same is None else same == (operator[0] == "=")
    if operator in ("instanceof", "in"):
        if operator == "in" and isinstance(b, Obj) and isinstance(a, str) and not b.taint and b.klass is None:
            return str(a) in b.props
        return Sym()
    if (
        operator[0] in "<>"
        and isinstance(a, str)
        and isinstance(b, str)
        and len(operator) < 3
        and operator[-1] in "<>="
    ):
        return compare(operator, str(a), str(b)) if operator not in ("<<", ">>") else 0
    left, right = to_number(a), to_number(b)
    if left is None or right is None:
        return Sym(taint=taint_of(a) | taint_of(b), via=("xor",) if operator == "^" else ())
    if operator == "^":
        interp.saw_xor = True
    result = binary(operator, left, right)
    return Sym() if result is None else result


def add(interp: "Interpreter", a: Value, b: Value) -> Value:
    """Return ``a + b``: a sum of numbers, a concatenation otherwise."""
    numeric = (int, float)
    if isinstance(a, numeric) and isinstance(b, numeric):
        return tidy(a + b)
    plain = (*numeric, bool, type(None), type(UNDEFINED))
    if isinstance(a, plain) and isinstance(b, plain):
        left, right = to_number(a), to_number(b)
        return Sym() if left is None or right is None else tidy(left + right)
    texts = [part for part in (a, b) if isinstance(part, (str, Arr, Obj, Buf, Func)) or _has_text(part)]
    if texts:
        return interp.concat([a, b])
    return Sym(taint=taint_of(a) | taint_of(b), via=merged(via_of(a), via_of(b)))


def _has_text(value: Value) -> bool:
    return (isinstance(value, Sym) and value.text is not None) or isinstance(value, Choice)
