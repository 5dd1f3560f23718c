"""Types of Python's standard library whose values are bytes in another dress: packed numbers, identifiers, addresses.

What they give for constants is computed within bounds; the step of ``via`` says that a text was made of numbers.
"""

from collections.abc import Callable
from typing import Any

from lazaretto.languages.python.folding import result
from lazaretto.languages.python.scope import Call
from lazaretto.languages.python.values import MAX_SIZE, NOTHING, Value, all_taint, constant, known, unknown

_MADE = "int-bytes"
_MAX_FORMAT = 200
_CODES = frozenset("bBhHiIlLqQ")


def _packed(call: Call) -> Value:
    """``struct.pack(format, ...)``."""
    import struct

    values = [known(arg) for arg in call.args]
    shape = values[0] if values else NOTHING
    if isinstance(shape, (str, bytes)) and len(shape) <= _MAX_FORMAT and NOTHING not in values:
        try:
            if struct.calcsize(shape) <= MAX_SIZE:
                return result(struct.pack(shape, *values[1:]), call.args, _MADE)
        except (struct.error, TypeError, OverflowError):
            pass
    return unknown(all_taint(call.args))


def _array(call: Call) -> Value:
    """``array.array(code, items)``, as the bytes that it holds; one of letters as their text."""
    from array import array

    code, items = (known(arg) for arg in (*call.args, unknown(), unknown())[:2])
    if (
        isinstance(code, str)
        and isinstance(items, (list, tuple, bytes, bytearray, str))
        and len(items) <= MAX_SIZE // 8
    ):
        try:
            if code in _CODES:
                return result(array(code, items).tobytes(), call.args, _MADE)
            if code == "u" and isinstance(items, (str, list)):
                return result("".join(items), call.args)
        except (TypeError, ValueError, OverflowError):
            pass
    return unknown(all_taint(call.args))


def _identifier(call: Call) -> Value:
    """``uuid.UUID(text)``: sixteen bytes of anything (RFC 9562)."""
    text, data = known(call.arg(0, "hex") or unknown()), known(call.arg(1, "bytes") or unknown())
    if isinstance(text, str) and len(text) <= _MAX_FORMAT:
        digits = text.replace("urn:", "").replace("uuid:", "").strip("{}").replace("-", "")
        data = bytes.fromhex(digits) if _sixteen(digits) else b""
    if not isinstance(data, bytes) or len(data) != 16:
        return unknown(all_taint(call.data()))
    little = data[3::-1] + data[5:3:-1] + data[7:5:-1] + data[8:]
    return _with(call, {"bytes": data, "bytes_le": little, "hex": data.hex(), "int": int.from_bytes(data, "big")})


def _sixteen(digits: str) -> bool:
    return len(digits) == 32 and all(digit in "0123456789abcdefABCDEF" for digit in digits)


def _address(call: Call) -> Value:
    """``ipaddress.ip_address(text)``: four or sixteen bytes of anything."""
    from ipaddress import ip_address

    given = known(call.args[0]) if call.args else NOTHING
    if isinstance(given, (str, int)) and not isinstance(given, bool):
        try:
            made = ip_address(given)
        except ValueError:
            return unknown(all_taint(call.args))
        return _with(call, {"packed": made.packed})
    return unknown(all_taint(call.args))


def _with(call: Call, attributes: dict[str, Any]) -> Value:
    made = unknown(all_taint(call.data()))
    made.attrs = {name: result(value, call.data(), _MADE) for name, value in attributes.items()}
    return made


def _table(call: Call) -> Value:
    """``str.maketrans(from, to)``, ``bytes.maketrans(from, to)``."""
    values = [known(arg) for arg in call.args]
    if NOTHING in values or any(hasattr(value, "__len__") and len(value) > _MAX_FORMAT for value in values):
        return unknown(all_taint(call.args))
    maker: Any = bytes.maketrans if call.sym.startswith("builtins.bytes") else str.maketrans
    try:
        return constant(maker(*values))
    except (TypeError, ValueError):
        return unknown(all_taint(call.args))


PACKING: dict[str, Callable[[Call], Value]] = {
    "struct.pack": _packed,
    "array.array": _array,
    "uuid.UUID": _identifier,
    **{f"ipaddress.{name}": _address for name in ("ip_address", "IPv4Address", "IPv6Address")},
    "builtins.str.maketrans": _table,
    "builtins.bytes.maketrans": _table,
    "builtins.bytearray.maketrans": _table,
    "string.maketrans": _table,
}
"""Dotted name -> what a call of it gives."""
