"""The shared decoders: they decode, and they are bounded and total."""

import base64
import bz2
import gzip
import lzma
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto.languages import _codecs


@given(st.binary(max_size=200))
def test_round_trips(data: bytes) -> None:
    """What was encoded comes back."""
    assert _codecs.b64(base64.b64encode(data)) == data
    assert _codecs.b64(base64.urlsafe_b64encode(data).rstrip(b"=").decode()) == data
    assert _codecs.unhex(data.hex()) == data
    assert _codecs.b32(base64.b32encode(data)) == data
    assert _codecs.b85(base64.b85encode(data)) == data
    assert _codecs.b85(base64.a85encode(data), ascii85=True) == data
    assert _codecs.inflate(gzip.compress(data)) == data
    assert _codecs.inflate(zlib.compress(data)) == data
    assert _codecs.decompress(bz2.compress(data), "bz2") == data
    assert _codecs.decompress(lzma.compress(data), "lzma") == data


@given(st.binary(max_size=200), st.binary(min_size=1, max_size=20))
def test_xor_is_its_own_inverse(data: bytes, key: bytes) -> None:
    """Combining twice with one key gives the text back."""
    once = _codecs.xor(data, key)

    assert once is not None
    assert _codecs.xor(once, key) == data


@given(st.text(max_size=200), st.binary(max_size=200))
def test_total(text: str, data: bytes) -> None:
    """Nothing raises on any input."""
    for decode in (_codecs.b64, _codecs.unhex, _codecs.b32, _codecs.b85):
        decode(text)
        decode(data)
    for convert in (_codecs.rot13, _codecs.reverse, _codecs.unpercent, _codecs.unescape):
        convert(text)
    for method in ("zlib", "bz2", "lzma", "other"):
        _codecs.decompress(data, method)
    _codecs.is_text(text)
    _codecs.binary_kind(data)


def test_bounds() -> None:
    """A bomb is not decoded, and neither is a key that is empty."""
    assert _codecs.inflate(zlib.compress(b"0" * (_codecs.MAX_DECODED + 1))) is None
    assert _codecs.decompress(bz2.compress(b"0" * (_codecs.MAX_DECODED + 1)), "bz2") is None
    assert _codecs.b64("A" * (4 * _codecs.MAX_DECODED)) is None
    assert _codecs.xor(b"a", b"") is None


@pytest.mark.parametrize(("text", "decoded"), [("%41%u0042%", "AB%"), ("a%zz", "a%zz")])
def test_unescape_keeps_what_is_no_escape(text: str, decoded: str) -> None:
    """Annex B of ECMA-262: malformed escapes stay as they are; decodeURIComponent refuses them."""
    assert _codecs.unescape(text) == decoded
    assert _codecs.unpercent(text) is None


def test_strict_base64_refuses_noise() -> None:
    """Strict decoding is for those who ask whether a text is base64 at all."""
    assert _codecs.b64("aGk=", lenient=False) == b"hi"
    assert _codecs.b64("aG k=", lenient=False) is None
