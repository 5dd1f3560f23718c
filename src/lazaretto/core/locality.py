"""TLSH: a digest of bytes that changes little where they change little (Oliver, Cheng and Chen, 2013; version T1).

The same text as the reference implementation gives, with 128 buckets and one byte of checksum, so that what others
publish of their samples can be compared with what is seen here. Names count in it, other than in ``shape``.
"""

import math

PREFIX = "tlsh:"
"""What such a fingerprint begins with."""

MAX_CODE = 64 << 10
"""Bytes of one file that a digest is made of; what follows is left out."""

_LEAST = 50
_BUCKETS = 128
_CODE = 32
_FAR = 60.0
"""Distance at which nothing is left of a likeness: half of it is where the paper's authors still call two alike."""

# The permutation of RFC 3074 (Pearson), in the order of the reference implementation.
_PEARSON = bytes(
    (
        1, 87, 49, 12, 176, 178, 102, 166, 121, 193, 6, 84, 249, 230, 44, 163, 14, 197, 213, 181, 161, 85, 218, 80, 64,
        239, 24, 226, 236, 142, 38, 200, 110, 177, 104, 103, 141, 253, 255, 50, 77, 101, 81, 18, 45, 96, 31, 222, 25,
        107, 190, 70, 86, 237, 240, 34, 72, 242, 20, 214, 244, 227, 149, 235, 97, 234, 57, 22, 60, 250, 82, 175, 208, 5,
        127, 199, 111, 62, 135, 248, 174, 169, 211, 58, 66, 154, 106, 195, 245, 171, 17, 187, 182, 179, 0, 243, 132, 56,
        148, 75, 128, 133, 158, 100, 130, 126, 91, 13, 153, 246, 216, 219, 119, 68, 223, 78, 83, 88, 201, 99, 122, 11,
        92, 32, 136, 114, 52, 10, 138, 30, 48, 183, 156, 35, 61, 26, 143, 74, 251, 94, 129, 162, 63, 152, 170, 7, 115,
        167, 241, 206, 3, 150, 55, 59, 151, 220, 90, 53, 23, 131, 125, 173, 15, 238, 79, 95, 89, 16, 105, 137, 225, 224,
        217, 160, 37, 123, 118, 73, 2, 157, 46, 116, 9, 145, 134, 228, 207, 212, 202, 215, 69, 229, 27, 188, 67, 124,
        168, 252, 42, 4, 29, 108, 21, 247, 19, 205, 39, 203, 233, 40, 186, 147, 198, 192, 155, 33, 164, 191, 98, 204,
        165, 180, 117, 76, 140, 36, 210, 172, 41, 54, 159, 8, 185, 232, 113, 196, 231, 47, 146, 120, 51, 65, 28, 144,
        254, 221, 93, 189, 194, 139, 112, 43, 71, 109, 184, 209,
    )
)  # fmt: skip


def locality(data: bytes) -> str | None:
    """Return the digest of a file's first bytes, ``tlsh:T1…``, or None if they are too few or too uniform for one."""
    data = data[:MAX_CODE]
    if len(data) < _LEAST:
        return None
    buckets, checksum = _counted(data)
    ordered = sorted(buckets)
    q1, q2, q3 = (ordered[_BUCKETS * part // 4 - 1] for part in (1, 2, 3))
    if sum(count > 0 for count in buckets) <= _BUCKETS // 2 or not q3:
        return None
    code = bytearray(_CODE)
    for number, count in enumerate(buckets):
        code[number // 4] |= ((count > q1) + (count > q2) + (count > q3)) << (number % 4 * 2)
    ratios = (q1 * 100 // q3 % 16) | (q2 * 100 // q3 % 16) << 4
    head = bytes(map(_swapped, (checksum, _length(len(data)), ratios)))
    return f"{PREFIX}T1{(head + bytes(reversed(code))).hex().upper()}"


def _counted(data: bytes) -> tuple[list[int], int]:
    """Return how often each bucket is hit by the six triplets of a window of five bytes, and the checksum."""
    table = _PEARSON
    buckets = [0] * 256
    checksum = 0
    e, d, c, b = data[0], data[1], data[2], data[3]
    for a in data[4:]:
        checksum = table[table[table[1 ^ a] ^ b] ^ checksum]
        first, second = table[table[49 ^ a] ^ b], table[table[12 ^ a] ^ b]
        buckets[table[first ^ c]] += 1
        buckets[table[second ^ d]] += 1
        buckets[table[table[table[178 ^ a] ^ c] ^ d]] += 1
        buckets[table[table[table[166 ^ a] ^ c] ^ e]] += 1
        buckets[table[table[table[84 ^ a] ^ b] ^ e]] += 1
        buckets[table[table[table[230 ^ a] ^ d] ^ e]] += 1
        b, c, d, e = a, b, c, d
    return buckets[:_BUCKETS], checksum


def _length(size: int) -> int:
    """Return the logarithm of a length, in the three scales of the reference implementation."""
    if size <= 656:
        return math.floor(math.log(size) / 0.4054651)
    if size <= 3199:
        return math.floor(math.log(size) / 0.26236426 - 8.72777)
    return math.floor(math.log(size) / 0.095310180 - 62.5472) & 0xFF


def _swapped(byte: int) -> int:
    return (byte & 0xF) << 4 | byte >> 4


def distance(one: str, other: str) -> int | None:
    """Return how far two digests lie apart, 0 if they are the same; None if one of them is none."""
    left, right = _bytes(one), _bytes(other)
    if left is None or right is None:
        return None
    far = int(left[0] != right[0])
    length = _around(_swapped(left[1]), _swapped(right[1]), 256)
    far += length if length <= 1 else length * 12
    for shift in (4, 0):
        ratio = _around(left[2] >> shift & 0xF, right[2] >> shift & 0xF, 16)
        far += ratio if ratio <= 1 else (ratio - 1) * 12
    pairs = ((a >> shift & 3, b >> shift & 3) for a, b in zip(left[3:], right[3:], strict=True) for shift in _SHIFTS)
    return far + sum(_APART[a][b] for a, b in pairs)


_SHIFTS = (0, 2, 4, 6)
_APART = tuple(tuple(6 if abs(a - b) == 3 else abs(a - b) for b in range(4)) for a in range(4))


def likeness(one: str, other: str) -> float:
    """Return what is left of a likeness at the distance of two digests: 1 if they are the same, 0 far apart."""
    far = distance(one, other)
    return 0.0 if far is None else max(0.0, 1.0 - far / _FAR)


def _around(one: int, other: int, size: int) -> int:
    apart = abs(one - other)
    return min(apart, size - apart)


def _bytes(text: str) -> bytes | None:
    body = text.removeprefix(PREFIX).removeprefix("T1")
    try:
        found = bytes.fromhex(body)
    except ValueError:
        return None
    return found if len(found) == _CODE + 3 else None
