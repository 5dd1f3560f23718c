"""Words in a file that are meant for whoever reads it with a language model: shared by every language.

A program has no use for them, and no person is told so. They are told as a fact and go nowhere: nothing here, and
nothing that reads a fact, obeys a text. The value says what the words are for, and never repeats them, so that a
report can be read by a model, too.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache

from lazaretto.core.facts import Fact, Kind, Moment, Span

MAX_ADDRESSED = 20
"""Most facts about such words of one sort in one file: more of them say nothing new."""

# One of these stands in whatever the patterns match; looking for them costs next to nothing.
_NEEDLES = (b"nstruction", b"NSTRUCTION", b"eviewer", b"EVIEWER", b"canner", b"you know", b"not flag", b"not report")
_AROUND = 320
_ENOUGH = 2000

_OVERRIDE = rb"""
    \b(?:ignore|disregard|forget|override) \s+ (?:(?:all|any|the|your|my|of|these|every)\s+){0,3}
    (?:previous|prior|above|preceding|earlier|former|system|original) \s+ (?:\w+\s+)? instructions?\b
    | \b(?:ignore|disregard|forget|override) \s+ (?:all|any|your) \s+ (?:of\s+your\s+)? instructions?\b
    | \bforget \s+ (?:everything|all) \s+ (?:that\s+)? you \s+ know\b
"""
_SAFE = rb"(?:(?:completely|entirely|perfectly|totally)\s+)?(?:safe|benign|harmless|clean|legit(?:imate)?|trusted)\b"
_READER = rb"""
    \b(?:ai|llm|automated|security|malware|code|package)[\s-]+(?:(?:code|security|malware|model|based)[\s-]+)?
    (?:reviewers?|scanners?|analysts?|auditors?|analy[sz]ers?|assistants?|agents?|models?)\b
"""
_VERDICT = rb"""
    %(reader)s [^\n.]{0,40} (?:\n[^\n.]{0,20})? [:,] [^.]{0,140}
        (?: \b(?:is|are|as)\s+%(safe)s | \bdo\s+not\s+(?:flag|report|analy[sz]e|scan|block|quarantine)\b )
    | \bthis\s+(?:code|package|file|module|library|script)\s+is\s+%(safe)s [^.]{0,100}
        \b(?:do\s+not|don't|no\s+need\s+to)\s+(?:flag|report|analy[sz]e|scan|review)\b
    | \b(?:classify|mark|report|rate|label)\s+(?:this|the)\s+(?:code|package|file|module|library|script)\s+as\s+%(safe)s
        [^.]{0,100} \b(?:reviewer|scanner|instruction)
""" % {b"reader": _READER, b"safe": _SAFE}


def anything(_part: bytes) -> bool:
    """Say of every text that it may stand there."""
    return True


def addressed(
    data: bytes, moment: Moment = Moment.LOAD, may_hold: Callable[[bytes], bool] = anything
) -> tuple[Fact, ...]:
    """Return a ``prompt`` fact for each sort of such words and each line, in the order of the file.

    Values: ``override`` (instructions are to be put aside), ``verdict`` (the reader is told what to find).
    """
    places = sorted(_places(data, may_hold))
    if not places:
        return ()
    found: dict[tuple[int, str], Fact] = {}
    told: Counter[str] = Counter()
    line, position = 1, 0
    for start, end, what in places:
        line += data.count(b"\n", position, start)
        position = start
        if (line, what) not in found and told[what] < MAX_ADDRESSED:
            told[what] += 1
            column = start - (data.rfind(b"\n", 0, start) + 1)
            found[line, what] = Fact(Kind.PROMPT, what, Span(line, column, start, end), moment)
    return tuple(found.values())


def _places(data: bytes, may_hold: Callable[[bytes], bool]) -> Iterator[tuple[int, int, str]]:
    """Yield where such words stand; of each sort no more than will do."""
    full: Counter[str] = Counter()
    for start, end in _windows(data, may_hold):
        for what, source in (("override", _OVERRIDE), ("verdict", _VERDICT)):
            for match in _pattern(source).finditer(data, start, end) if full[what] < _ENOUGH else ():
                full[what] += 1
                yield match.start(), match.end(), what


def _windows(data: bytes, may_hold: Callable[[bytes], bool]) -> Iterator[tuple[int, int]]:
    """Yield the surroundings of the needles, those that touch each other as one: each byte is looked at once."""
    begin, end = -1, -2 * _AROUND
    for at in sorted(at for needle in filter(may_hold, _NEEDLES) for at in _found(data, needle)):
        if at - _AROUND > end:
            if begin >= 0:
                yield begin, end
            begin = max(0, at - _AROUND)
        end = at + _AROUND
    if begin >= 0:
        yield begin, end


def _found(data: bytes, needle: bytes) -> Iterator[int]:
    at = data.find(needle)
    while at >= 0:
        yield at
        at = data.find(needle, at + len(needle))


@cache
def _pattern(source: bytes) -> re.Pattern[bytes]:
    return re.compile(source, re.VERBOSE | re.IGNORECASE)
