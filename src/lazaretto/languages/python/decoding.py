"""Decoders of Python's standard library, computed on constants within bounds; ``via`` names each step."""

import re
from collections.abc import Callable
from typing import Any

from lazaretto.languages import _codecs
from lazaretto.languages.python.folding import step
from lazaretto.languages.python.values import NOTHING, Value, all_taint, constant, known, unknown

Decoder = Callable[[bytes], bytes | None]


def _hexed(data: bytes) -> bytes | None:
    return _codecs.unhex(data)


def _ascii85(data: bytes) -> bytes | None:
    return _codecs.b85(data.removeprefix(b"<~").removesuffix(b"~>"), ascii85=True)


def _lzma(data: bytes) -> bytes | None:
    return _codecs.decompress(data, "lzma")


def _bz2(data: bytes) -> bytes | None:
    return _codecs.decompress(data, "bz2")


def _inflate(data: bytes) -> bytes | None:
    return _codecs.inflate(data)


def _base64(data: bytes) -> bytes | None:
    return _codecs.b64(data)


def _quoted(data: bytes) -> bytes | None:
    import binascii

    return binascii.a2b_qp(data) if len(data) <= _codecs.MAX_DECODED else None


def _uu(data: bytes) -> bytes | None:
    import binascii

    out = bytearray()
    for line in data[: 2 * _codecs.MAX_DECODED].splitlines():
        if line.startswith(b"begin ") or line in (b"end", b"", b"`"):
            continue
        try:
            out += binascii.a2b_uu(line + b"\n")
        except binascii.Error:
            return None
    return bytes(out)


_B32HEX = bytes.maketrans(b"0123456789ABCDEFGHIJKLMNOPQRSTUV", b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")

_URLSAFE = bytes.maketrans(b"-_", b"+/")

DECODERS: dict[str, tuple[str, Decoder]] = {
    **{
        f"base64.{name}": ("base64", _base64)
        for name in ("b64decode", "standard_b64decode", "urlsafe_b64decode", "decodebytes", "decodestring")
    },
    "binascii.a2b_base64": ("base64", _base64),
    "base64.b32decode": ("base32", _codecs.b32),
    "base64.b32hexdecode": ("base32hex", lambda data: _codecs.b32(data.upper().translate(_B32HEX))),
    "base64.b16decode": ("hex", _hexed),
    "binascii.unhexlify": ("hex", _hexed),
    "binascii.a2b_hex": ("hex", _hexed),
    "builtins.bytes.fromhex": ("hex", _hexed),
    "builtins.bytearray.fromhex": ("hex", _hexed),
    "base64.b85decode": ("base85", _codecs.b85),
    "base64.a85decode": ("ascii85", _ascii85),
    "binascii.a2b_uu": ("uu", _uu),
    "binascii.a2b_qp": ("quopri", _quoted),
    "quopri.decodestring": ("quopri", _quoted),
    "zlib.decompress": ("zlib", _inflate),
    "zlib.decompressobj().decompress": ("zlib", _inflate),
    "gzip.decompress": ("gzip", _inflate),
    "bz2.decompress": ("bz2", _bz2),
    "lzma.decompress": ("lzma", _lzma),
}
"""Dotted name -> (step, function from bytes to bytes)."""

STEPS = frozenset(name for name, _ in DECODERS.values()) | {
    "rot13",
    "xor",
    "reverse",
    "chr",
    "marshal",
    "unicode_escape",
    "translate",
    "int-bytes",
}
"""Steps that turn something unreadable into a value; ``concat``, ``join`` or ``format`` only put it together."""


def is_decoded(via: tuple[str, ...]) -> bool:
    """Whether a chain holds a real decoding step."""
    return any(name in STEPS for name in via)


def decode(sym: str, args: list[Value]) -> Value | None:
    """Return what a decoder gives for its first argument; None if ``sym`` is no decoder.

    Of what the decoder would refuse comes a value without a chain: nothing was decoded.
    """
    found = DECODERS.get(sym)
    if found is None:
        return None
    name, function = found
    data = as_bytes(known(args[0])) if args else None
    taint = all_taint(args)
    if name == "base64" and not args[1:] and data is not None and _raises(sym, data):
        return unknown(taint)  # nothing comes out, and nothing behind it runs
    if data is None:
        made = unknown(taint)
        made.via = step(args[0].via, name) if args else (name,)
        return made
    decoded = function(data)
    if decoded is None:
        made = unknown(taint)
        made.via = step(args[0].via, name)
        return made
    return constant(decoded, step(args[0].via, name), taint)


def _raises(sym: str, data: bytes) -> bool:
    """Whether the decoder refuses these bytes, as it does a name that a build is to replace (``@PAYLOAD@``)."""
    import binascii

    try:
        binascii.a2b_base64(data.translate(_URLSAFE) if "urlsafe" in sym else data)
    except binascii.Error:
        return True
    return False


def as_bytes(value: Any) -> bytes | None:
    """Return what a decoder would read of a constant."""
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    return None


def _rot13(value: Any) -> Any:
    return _codecs.rot13(value) if isinstance(value, str) else None


_CODECS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "rot13": ("rot13", _rot13),
    "hex": ("hex", lambda value: _binary(value, _hexed)),
    "base64": ("base64", lambda value: _binary(value, _base64)),
    "zlib": ("zlib", lambda value: _binary(value, _inflate)),
    "zip": ("zlib", lambda value: _binary(value, _inflate)),
    "bz2": ("bz2", lambda value: _binary(value, _bz2)),
    "uu": ("uu", lambda value: _binary(value, _uu)),
    "quopri": ("quopri", lambda value: _binary(value, _quoted)),
}


def _binary(value: Any, function: Decoder) -> bytes | None:
    data = as_bytes(value)
    return None if data is None else function(data)


_TEXT_CODECS = re.compile(
    r"utf(8|8sig|16|16le|16be|32|32le|32be|7)|ascii|usascii|latin1|iso8859\d*|l1|cp\d{3,4}|unicodeescape|rawunicodeescape"
    r"|punycode|idna|charmap|mac[a-z0-9]+|koi8[a-z]|gb[a-z0-9]+|big5[a-z]*|shiftjis[a-z0-9]*|euc[a-z0-9]+|hz|iso2022[a-z0-9]+"
    r"|johab|kz1048|ptcp154|tis620|hproman8"
)
_ESCAPES = ("unicodeescape", "rawunicodeescape", "utf7", "punycode")
_CHARSET = "charset"
"""A step between character sets in which other letters stand for the ones that are meant."""
_MARKS = b"\xff\xfe\xef\xbb\xbf"


def codec(receiver: Value, const: Any, direction: str, name: Any) -> Value:
    """Return ``const.encode(name)`` or ``const.decode(name)`` (also ``codecs.decode``)."""
    if not isinstance(name, str):
        return unknown(receiver.taint)
    plain = re.sub(r"[-_ ]|codec$", "", name.lower())
    if plain in _CODECS:
        label, function = _CODECS[plain]
        if direction == "encode" and label != "rot13":
            return unknown(receiver.taint)
        answer = function(const)
        if answer is None:
            return unknown(receiver.taint)
        return constant(answer, step(receiver.via, label), receiver.taint)
    if not _TEXT_CODECS.fullmatch(plain):
        return unknown(receiver.taint)
    try:
        if direction == "encode" and isinstance(const, str):
            data = const.encode(name, "replace")
            wide = plain.startswith(("utf16", "utf32")) and data.isascii() and not const.isascii()
            return constant(data, step(receiver.via, _CHARSET) if wide else receiver.via, receiver.taint)
        if direction == "decode" and isinstance(const, (bytes, bytearray, str)):
            text = _decoded(const, name, plain)
            return constant(text, _shown(receiver.via, plain, as_bytes(const) or b"", text), receiver.taint)
    except (ValueError, LookupError, TypeError, UnicodeError):
        pass
    return unknown(receiver.taint)


def _shown(via: tuple[str, ...], plain: str, data: bytes, text: str) -> tuple[str, ...]:
    """Return the steps with which a text was had from bytes: one more if no reader of the bytes would have seen it."""
    if plain in _ESCAPES:
        return step(via, "unicode_escape")
    # In UTF-16 plain letters have a zero beside them; in EBCDIC they are others.
    other = text.isascii() and data.lstrip(_MARKS).replace(b"\0", b"") != text.replace("\0", "").encode()
    return step(via, _CHARSET) if other else via


def _decoded(const: Any, name: str, plain: str) -> str:
    from lazaretto.languages.python import strings

    data = as_bytes(const) or b""
    if plain == "unicodeescape":  # the codec itself warns about odd escapes
        text = strings.body(data.replace(b"\\\n", b"\n"), "")
        return text if isinstance(text, str) else ""
    return data.decode(name, "replace")


def xored(data: Any, key: Any) -> bytes | None:
    """Return data combined with a repeated key."""
    first, second = as_bytes(data), as_bytes(key)
    return None if first is None or second is None else _codecs.xor(first, second)


def known_bytes(value: Value) -> bytes | None:
    """Return the constant of a value as bytes, or None."""
    const = known(value)
    return None if const is NOTHING else as_bytes(const)
