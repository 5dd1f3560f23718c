"""One deflated member: exactly as many bytes as the directory tells, from either library."""

import sys
import zlib

import pytest

from lazaretto.core.archive import ArchiveFault
from lazaretto.core.archive.inflate import ZlibDecompressor, inflate_member


def deflated(data: bytes) -> bytes:
    """Return a raw deflate stream."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


@pytest.fixture(params=["isal", "zlib"], autouse=True)
def _library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask the same of both libraries."""
    if request.param == "zlib":
        monkeypatch.setitem(sys.modules, "isal", None)


@pytest.mark.parametrize("data", [b"", b"a", b"ab" * 5000, bytes(300_000)])
def test_members_of_the_told_size(data: bytes) -> None:
    """What was packed comes back."""
    assert inflate_member(deflated(data), len(data), "a") == data


@pytest.mark.parametrize(
    ("packed", "size"),
    [
        (deflated(b"abc"), 2),
        (deflated(b"abc"), 4),
        (deflated(b"abc") + b"more", 3),
        (deflated(b"abc")[:-1], 3),
        (deflated(bytes(300_000))[:-4], 300_000),
        (b"", 0),
    ],
)
def test_other_sizes_are_refused(packed: bytes, size: int) -> None:
    """More, less, something behind the stream, or no end of it."""
    with pytest.raises(ArchiveFault, match=r"differs|broken"):
        inflate_member(packed, size, "a")


def test_a_broken_stream_is_refused() -> None:
    """A block type that deflate does not have (RFC 1951, 3.2.3)."""
    with pytest.raises(ArchiveFault, match="the deflate stream is broken"):
        inflate_member(b"\x07\xff\xff", 10, "a")


def test_nothing_asked_for_is_kept() -> None:
    """A limit of zero takes the input and gives nothing yet."""
    source = ZlibDecompressor(gzip=False)

    assert source.decompress(deflated(b"abc"), 0) == b""
    assert source.decompress(b"", 10) == b"abc"
    assert source.eof
