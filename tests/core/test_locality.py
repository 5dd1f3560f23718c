"""TLSH as the reference implementation (py-tlsh 5.0.0) gives it, by recorded values, and the laws of a distance."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto.core.locality import MAX_CODE, distance, likeness, locality
from lazaretto.core.shape import likeness as of_any_kind

CODE = b"".join(b"const a%d = require('fs'), b%d = a%d.readFileSync('x%d');\n" % (i, i, i, i) for i in range(20))
NEAR = CODE.replace(b"x7", b"changed")
FAR = bytes((i * i * 31 + i // 7) % 256 for i in range(4000))
RECORDED = {
    CODE: "tlsh:T171211CC35FCCA3305AA80ADBD4F25B823B43E6453112B9C585ECB29B354B5865F63EE0",
    NEAR: "tlsh:T135214CC34FCCA3305AA806DBD4F21B823B03E6453112B9C585ECB29B354B4864F63EE0",
    FAR: "tlsh:T173811AE59027BFE0CB4521DE610E422838E0D7DCABEC74BD9A4B75AC6B8005F76B405C",
}
DIGEST = st.binary(min_size=35, max_size=35).map(lambda data: f"tlsh:T1{data.hex().upper()}")


@pytest.mark.parametrize(("data", "expected"), RECORDED.items())
def test_the_digest_is_that_of_the_reference(data: bytes, expected: str) -> None:
    """Letter for letter: what others publish is to be compared with it."""
    assert locality(data) == expected


def test_distances_are_those_of_the_reference() -> None:
    """31 for a changed word in a text of a kilobyte, 319 for something else."""
    code, near, far = RECORDED.values()
    assert (distance(code, near), distance(code, far)) == (31, 319)
    assert likeness(code, near) == pytest.approx(1 - 31 / 60)
    assert (likeness(code, far), of_any_kind(code, near)) == (0.0, likeness(code, near))


@pytest.mark.parametrize("data", [b"", b"a" * 49, b"a" * 5000, b"ab" * 400, b"\x00" * 60])
def test_too_little_has_none(data: bytes) -> None:
    """A few bytes, or the same again and again, say nothing."""
    assert locality(data) is None


def test_only_the_beginning_of_a_large_file_counts() -> None:
    """The work is bounded."""
    long = CODE * 100
    assert len(long) > MAX_CODE
    assert locality(long) == locality(long[:MAX_CODE])


@pytest.mark.parametrize("text", ["", "tlsh:", "tlsh:T1", "tlsh:T1zz", "minhash:00000000", "tlsh:T1" + "00" * 34])
def test_what_is_no_digest_is_near_nothing(text: str) -> None:
    """Whoever wrote it."""
    assert distance(text, RECORDED[CODE]) is None
    assert likeness(RECORDED[CODE], text) == 0.0


@given(one=DIGEST, other=DIGEST)
def test_a_distance_is_symmetric_and_nothing_to_itself(one: str, other: str) -> None:
    """Any two digests can be compared."""
    assert distance(one, other) == distance(other, one)
    assert distance(one, one) == 0
    assert 0.0 <= likeness(one, other) <= 1.0


@given(data=st.binary(max_size=400))
def test_any_bytes_have_one_or_none(data: bytes) -> None:
    """Always the same one, and near to itself."""
    found = locality(data)
    assert found == locality(data)
    assert found is None or (found.startswith("tlsh:T1") and len(found) == 77 and likeness(found, found) == 1.0)
