"""Words in a file that are meant for whoever reads it with a language model: shared by every language.

A program has no use for them, and no person is told so. They are told as a fact and go nowhere: nothing here, and
nothing that reads a fact, obeys a text. The value says what the words are for, and never repeats them, so that a
report can be read by a model, too.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache

from lazaretto.core.facts import Fact, Kind, Moment, Span

MAX_ADDRESSED = 20
"""Most facts about such words in one file."""

MAX_LOOKED_AT = 2000
"""Most places of one file that are looked at."""

# One of these stands in whatever the patterns match; looking for them costs next to nothing.
_NEEDLES = (b"nstruction", b"NSTRUCTION", b"eviewer", b"EVIEWER", b"canner", b"you know", b"not flag", b"not report")
_AROUND = 240

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
    line, position = 1, 0
    for start, end, what in places:
        line += data.count(b"\n", position, start)
        position = start
        column = start - (data.rfind(b"\n", 0, start) + 1)
        found.setdefault((line, what), Fact(Kind.PROMPT, what, Span(line, column, start, end), moment))
    return tuple(found.values())[:MAX_ADDRESSED]


def _places(data: bytes, may_hold: Callable[[bytes], bool]) -> set[tuple[int, int, str]]:
    found: set[tuple[int, int, str]] = set()
    for needle in filter(may_hold, _NEEDLES):
        at, looked = data.find(needle), 0
        while at >= 0 and looked < MAX_LOOKED_AT and len(found) < MAX_ADDRESSED:
            start = max(0, at - _AROUND)
            for what, match in _matches(data[start : at + _AROUND]):
                found.add((start + match.start(), start + match.end(), what))
            # What stands close by was seen already.
            at, looked = data.find(needle, at + _AROUND), looked + 1
    return found


def _matches(window: bytes) -> Iterator[tuple[str, re.Match[bytes]]]:
    for what, source in (("override", _OVERRIDE), ("verdict", _VERDICT)):
        match = _pattern(source).search(window)
        if match is not None:
            yield what, match


@cache
def _pattern(source: bytes) -> re.Pattern[bytes]:
    return re.compile(source, re.VERBOSE | re.IGNORECASE)
