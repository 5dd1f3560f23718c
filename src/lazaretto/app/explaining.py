"""What to read first to explain charges: small files that name the same things as the charged lines."""

import re
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from lazaretto.app.ports import Job
from lazaretto.core.verdict import Record

LEAST = 32 << 10
"""Bytes of small files that are always worth a look before large ones are read."""

SHARE = 4
"""How many times less than what they may spare small files have to be, taken together."""

_FIXED = 2 << 10
"""What reading a file costs whatever its size, in bytes."""

_WORD = re.compile(r"[A-Za-z_$][\w$]{5,}")
_COMMON = frozenset(
    "default delete export exports function import instanceof module prototype require return switch typeof undefined "
    "window object string number boolean include length result options".split()
)


class Charges(Struct, frozen=True):
    """What findings point at: files, and the words of the lines there. What rests on the index points at no file."""

    files: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.files)


NO_CHARGES = Charges()


def charges(records: Mapping[str, Record]) -> Charges:
    """Return what the findings of these records point at."""
    places = [e for record in records.values() for finding in record.findings for e in finding.evidence]
    inside = [place for place in places if not place.path.startswith("index:")]
    words = {word for place in inside for word in _WORD.findall(place.text)}
    return Charges(frozenset(place.path for place in inside), frozenset(words - _COMMON))


def alike(charged: Charges, large: Sequence[Job], others: Iterable[Job]) -> list[Job]:
    """Return few other files that together name what is charged, where they cost little beside the large ones.

    A bundle is made of modules that often lie beside it: what it does, and did, can be read there.
    """
    dialects = {job.dialect for job in large}
    left = max(LEAST, sum(job.blob.size for job in large) // SHARE)
    words = {word: word.encode() for word in sorted(charged.words)}
    named = {
        job.path: (job, _named(words, job.blob.data))
        for job in others
        if job.dialect in dialects and job.blob.size <= left
    }
    chosen: list[Job] = []
    while named:
        job, found = max(named.values(), key=lambda one: (len(one[1]) / (one[0].blob.size + _FIXED), one[0].path))
        if not found:
            break
        if job.blob.size <= left:
            chosen.append(job)
            left -= job.blob.size
            named = {path: (other, names - found) for path, (other, names) in named.items()}
        del named[job.path]
    return chosen


def _named(words: Mapping[str, bytes], data: bytes) -> set[str]:
    return {word for word, raw in words.items() if raw in data}
