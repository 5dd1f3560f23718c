"""Decoders that the partial evaluators share: bounded and total.

Every function returns ``None`` where the real thing would fail or where the result would exceed
``MAX_DECODED`` bytes. Nothing here raises on any input, and nothing is ever executed.
"""

import base64
import binascii
import zlib

MAX_DECODED = 256 * 1024
"""Longest decoded value in bytes; a longer one is not decoded at all."""

_MAX_ENCODED = 2 * MAX_DECODED
_BASE64_ALPHABET = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_")
_URL_SAFE = bytes.maketrans(b"-_", b"+/")


def b64(text: str | bytes, *, lenient: bool = True) -> bytes | None:
    """Decode base64 or base64url, with or without padding.

    Lenient decoding skips foreign characters and stops at the first ``=``, as Node's Buffer and
    Python's ``b64decode`` (without ``validate``) practically do; strict decoding refuses them.
    """
    raw = _ascii(text)
    if raw is None or len(raw) > _MAX_ENCODED:
        return None
    body = raw.split(b"=", 1)[0]
    kept = bytes(byte for byte in body if byte in _BASE64_ALPHABET)
    if not lenient and (len(kept) != len(body) or raw[len(body) :].strip(b"=") or len(kept) % 4 == 1):
        return None
    if len(kept) % 4 == 1:
        kept = kept[:-1]
    try:
        decoded = base64.b64decode(kept.translate(_URL_SAFE) + b"=" * (-len(kept) % 4))
    except (binascii.Error, ValueError):
        return None
    return _bounded(decoded)


def unhex(text: str | bytes) -> bytes | None:
    """Decode pairs of hexadecimal digits (white space between pairs is allowed)."""
    raw = _ascii(text)
    if raw is None or len(raw) > 2 * _MAX_ENCODED:
        return None
    try:
        return _bounded(bytes.fromhex(raw.decode("ascii")))
    except ValueError:
        return None


def b32(text: str | bytes) -> bytes | None:
    """Decode base32 (RFC 4648), upper or lower case, with or without padding."""
    raw = _ascii(text)
    if raw is None or len(raw) > _MAX_ENCODED:
        return None
    body = raw.rstrip(b"=").upper()
    try:
        return _bounded(base64.b32decode(body + b"=" * (-len(body) % 8)))
    except (binascii.Error, ValueError):
        return None


def b85(text: str | bytes, *, ascii85: bool = False) -> bytes | None:
    """Decode base85 in Python's alphabet, or Ascii85."""
    raw = _ascii(text)
    if raw is None or len(raw) > _MAX_ENCODED:
        return None
    try:
        return _bounded(base64.a85decode(raw) if ascii85 else base64.b85decode(raw))
    except ValueError:
        return None


def xor(data: bytes, key: bytes) -> bytes | None:
    """Combine data with a repeated key by exclusive or."""
    if not key or len(data) > MAX_DECODED or len(key) > MAX_DECODED:
        return None
    repeated = (key * (len(data) // len(key) + 1))[: len(data)]
    number = int.from_bytes(data, "big") ^ int.from_bytes(repeated, "big")
    return number.to_bytes(len(data), "big")


def inflate(data: bytes, limit: int = MAX_DECODED) -> bytes | None:
    """Decompress gzip, zlib or raw deflate, whichever it is, to at most ``limit`` bytes."""
    if not data or len(data) > MAX_DECODED:
        return None
    for window in (zlib.MAX_WBITS | 32, -zlib.MAX_WBITS):
        decompressor = zlib.decompressobj(window)
        try:
            out = decompressor.decompress(data, limit)
        except zlib.error:
            continue
        return out if decompressor.eof else None
    return None


def decompress(data: bytes, method: str, limit: int = MAX_DECODED) -> bytes | None:
    """Decompress with ``zlib`` (also gzip and raw deflate), ``bz2`` or ``lzma``, to at most ``limit`` bytes."""
    if method == "zlib":
        return inflate(data, limit)
    if not data or len(data) > MAX_DECODED:
        return None
    if method == "bz2":
        import bz2

        try:
            bunzip = bz2.BZ2Decompressor()
            out = bunzip.decompress(data, limit)
        except (OSError, ValueError):
            return None
        return out if bunzip.eof else None
    if method == "lzma":
        import lzma

        try:
            unxz = lzma.LZMADecompressor(memlimit=64 * 1024 * 1024)
            out = unxz.decompress(data, limit)
        except lzma.LZMAError:
            return None
        return out if unxz.eof else None
    return None


def rot13(text: str) -> str | None:
    """Rotate Latin letters by thirteen places."""
    return _rotated(text, 13)


def caesar(text: str, shift: int) -> str | None:
    """Rotate Latin letters by ``shift`` places."""
    return _rotated(text, shift % 26)


def reverse(text: str) -> str | None:
    """Return the text backwards."""
    return text[::-1] if len(text) <= MAX_DECODED else None


def unpercent(text: str) -> str | None:
    """Decode ``%XX`` as UTF-8 (``decodeURIComponent``); None if it is malformed."""
    if len(text) > _MAX_ENCODED:
        return None
    pieces = text.split("%")
    out = bytearray(pieces[0].encode("utf-8", "surrogatepass"))
    for piece in pieces[1:]:
        try:
            out.append(int(piece[:2], 16) if len(piece) >= 2 else -1)
        except ValueError:
            return None
        out += piece[2:].encode("utf-8", "surrogatepass")
    return utf8(bytes(out))


def unescape(text: str) -> str | None:
    """Decode ``%XX`` and ``%uXXXX`` as code units (ECMAScript annex B.2.1.2); never fails."""
    if len(text) > _MAX_ENCODED:
        return None
    out = []
    position = 0
    while position < len(text):
        size = 6 if text[position : position + 2] == "%u" else 3
        digits = text[position + (2 if size == 6 else 1) : position + size]
        if text[position] == "%" and len(digits) == (4 if size == 6 else 2) and _is_hex(digits):
            out.append(chr(int(digits, 16)))
            position += size
        else:
            out.append(text[position])
            position += 1
    return "".join(out)


def utf8(data: bytes) -> str | None:
    """Decode strict UTF-8 of at most ``MAX_DECODED`` bytes."""
    if len(data) > MAX_DECODED:
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def is_text(text: str, least: int = 4) -> bool:
    """Whether a decoded value reads as text: long enough, and nearly all of it printable."""
    if len(text) < least:
        return False
    sample = text[:4096]
    good = sum(1 for character in sample if character.isprintable() or character in "\t\r\n")
    return good >= 0.95 * len(sample)


_MAGICS = (
    (b"\x7fELF", "elf"),
    (b"MZ", "pe"),
    (b"\xcf\xfa\xed\xfe", "macho"),
    (b"\xfe\xed\xfa\xcf", "macho"),
    (b"\xca\xfe\xba\xbe", "macho"),
    (b"\x00asm", "wasm"),
    (b"PK\x03\x04", "zip"),
    (b"\x1f\x8b", "gzip"),
)


def binary_kind(data: bytes) -> str | None:
    """Return what a decoded value is by its magic number (``elf``, ``pe``, ``wasm``, ...), or None."""
    for magic, kind in _MAGICS:
        if data.startswith(magic) and len(data) > 16:
            return kind
    return None


def _ascii(text: str | bytes) -> bytes | None:
    if isinstance(text, bytes):
        return text
    try:
        return text.encode("ascii", "ignore")
    except UnicodeError:
        return None


def _bounded(data: bytes) -> bytes | None:
    return data if len(data) <= MAX_DECODED else None


def _is_hex(digits: str) -> bool:
    return all(digit in "0123456789abcdefABCDEF" for digit in digits)


def _rotated(text: str, shift: int) -> str | None:
    if len(text) > MAX_DECODED:
        return None
    out = []
    for character in text:
        code = ord(character)
        base = 65 if 65 <= code <= 90 else 97 if 97 <= code <= 122 else 0
        out.append(chr((code - base + shift) % 26 + base) if base else character)
    return "".join(out)
