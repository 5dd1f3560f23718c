"""Buffers and their encodings, on known bytes."""

import re
from typing import TYPE_CHECKING

from lazaretto.languages import _codecs
from lazaretto.languages.javascript.coerce import Number, to_int32, to_number
from lazaretto.languages.javascript.textops import index
from lazaretto.languages.javascript.values import (
    MAX_TEXT,
    UNDEFINED,
    Arr,
    Buf,
    Sym,
    Text,
    Value,
    is_known,
    merged,
    via_of,
)

if TYPE_CHECKING:
    from lazaretto.languages.javascript.interp import Interpreter


def buffer_from(args: list[Value], taint: frozenset[int]) -> Value:
    """Return ``Buffer.from(value, encoding)``."""
    value = args[0] if args else UNDEFINED
    encoding = str(args[1]).lower() if len(args) > 1 and isinstance(args[1], str) else "utf8"
    via = via_of(value)
    if isinstance(value, str):
        return encoded(value, encoding, via, taint)
    if isinstance(value, Buf):
        return Buf(value.data, via, taint)
    if isinstance(value, Arr):
        numbers = [to_number(item) for item in value.items]
        if value.open or any(item is None for item in numbers) or len(numbers) > MAX_TEXT:
            return Sym(taint=taint, via=via)
        data = bytes(to_int32(item) & 0xFF for item in numbers if item is not None)
        return Buf(data, merged(via, ("char-codes",)) if len(data) >= 8 else via, taint)
    if encoding in ("base64", "base64url", "hex"):
        via = merged(via, (encoding[:6],))
    return Sym(taint=taint, via=via)


def encoded(text: str, encoding: str, via: tuple[str, ...], taint: frozenset[int]) -> Value:
    """Return the bytes of ``text`` in an encoding of Node's Buffer."""
    if len(text) > 2 * MAX_TEXT:
        return Sym(taint=taint, via=via)
    if encoding in ("base64", "base64url"):
        data, step = _codecs.b64(text), "base64"
    elif encoding == "hex":
        digits = re.match(r"(?:[0-9a-fA-F]{2})*", text)
        data, step = _codecs.unhex(digits.group() if digits else ""), "hex"
    elif encoding in ("latin1", "binary", "ascii"):
        data, step = bytes(ord(character) & 0xFF for character in text), ""
    elif encoding in ("utf16le", "ucs2", "utf-16le", "ucs-2"):
        data, step = text.encode("utf-16-le", "surrogatepass"), ""
    else:
        data, step = text.encode("utf-8", "surrogatepass"), ""
    if data is None:
        return Sym(taint=taint, via=merged(via, (step,) if step else ()))
    return Buf(data, merged(via, (step,)) if step else via, taint)


def buffer_text(buffer: Buf, encoding: str = "utf8") -> str:
    """Return ``buffer.toString(encoding)``."""
    if encoding in ("base64", "base64url"):
        import base64

        text = base64.b64encode(buffer.data).decode("ascii")
    elif encoding == "hex":
        text = buffer.data.hex()
    elif encoding in ("latin1", "binary", "ascii"):
        text = buffer.data.decode("latin-1")
    elif encoding in ("utf16le", "ucs2", "utf-16le", "ucs-2"):
        text = buffer.data.decode("utf-16-le", "replace")
    else:
        text = buffer.data.decode("utf-8", "replace")
    return Text.of(text, buffer.via, buffer.taint)


def buffer_method(interp: "Interpreter", buffer: Buf, name: str, args: list[Value]) -> Value:
    """Return ``buffer.name(...args)`` where it can be known; treat it as an array of numbers otherwise."""
    if name in ("toString", "toLocaleString"):
        encoding = args[0].lower() if args and isinstance(args[0], str) else "utf8"
        start, end = index(args, 1, 0, len(buffer.data)), index(args, 2, len(buffer.data), len(buffer.data))
        part = Buf(buffer.data[start:end], buffer.via, buffer.taint)
        return buffer_text(part, encoding)
    if name in ("slice", "subarray"):
        start, end = index(args, 0, 0, len(buffer.data)), index(args, 1, len(buffer.data), len(buffer.data))
        return Buf(buffer.data[start:end], buffer.via, buffer.taint)
    if name in ("readUInt8", "at"):
        at = index(args, 0, 0)
        return buffer.data[at] if at is not None and -len(buffer.data) <= at < len(buffer.data) else UNDEFINED
    if name == "reverse":
        return Buf(buffer.data[::-1], merged(buffer.via, ("reverse",)), buffer.taint)
    if name == "map" and len(buffer.data) <= 65536:
        mapped = interp.array_method(Arr(list(buffer.data), buffer.via, buffer.taint), "map", args)
        if isinstance(mapped, Arr) and is_known(mapped):
            numbers: list[Number] = [to_number(item) or 0 for item in mapped.items]
            return Buf(bytes(to_int32(item) & 0xFF for item in numbers), mapped.via, buffer.taint)
        return Sym(taint=buffer.taint, via=buffer.via)
    if len(buffer.data) <= 65536:
        return interp.array_method(Arr(list(buffer.data), buffer.via, buffer.taint), name, args)
    return Sym(taint=buffer.taint, via=buffer.via)
