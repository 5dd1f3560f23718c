"""Text that a reader of the file does not see: shared by every language. Works on the bytes as published.

Two strengths. *Code* (the default) has no use for invisible characters. *Natural* text (documents, locale files)
uses direction marks and joiners in good faith, so only what no script of the world needs is reported there:
tag characters, long runs, and direction overrides (Unicode TR36 and the "Trojan Source" paper).
"""

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache

from msgspec.structs import replace

from lazaretto.core.facts import Fact, Kind, Moment, Span

FAR = 200
"""Blanks in one line after which text is out of sight in every editor and review page."""

MAX_HIDDEN = 20_000
"""Most lines of one file that are told for one way of hiding text; the last of them stands for all behind it."""

# UTF-8, so that a match gives the byte offset. Each pattern begins with two fixed bytes: they are what is searched for.
# Direction controls; zero-width characters; tag characters; variation selectors; letters that are drawn as nothing
# (Hangul fillers).
_PATTERNS = (
    ("bidi", b"\xe2\x80", rb"\xe2\x80[\xaa-\xae]"),
    ("bidi", b"\xe2\x81", rb"\xe2\x81[\xa6-\xa9]"),
    ("zero-width", b"\xe2\x80", rb"(?:\xe2\x80[\x8b-\x8d])+"),
    ("zero-width", b"\xe2\x81", rb"(?:\xe2\x81[\xa0-\xa4])+"),
    ("zero-width", b"\xef\xbb", rb"(?:\xef\xbb\xbf)+"),
    ("zero-width", b"\xe1\xa0", rb"(?:\xe1\xa0\x8e)+"),
    ("tag-characters", b"\xf3\xa0", rb"(?:\xf3\xa0[\x80\x81][\x80-\xbf])+"),
    ("variation-selectors", b"\xef\xb8", rb"(?:\xef\xb8[\x80-\x8f])+"),
    ("variation-selectors", b"\xf3\xa0", rb"(?:\xf3\xa0[\x84-\x87][\x80-\xbf])+"),
    ("filler", b"\xe3\x85", rb"(?:\xe3\x85\xa4)+"),
    ("filler", b"\xef\xbe", rb"(?:\xef\xbe\xa0)+"),
    ("filler", b"\xe1\x85", rb"(?:\xe1\x85[\x9f\xa0])+"),
)
_RUN = 4
"""Invisible characters in a row that can carry data."""

_FLAG = b"\xf0\x9f\x8f\xb4"  # the black flag that starts the emoji of England, Scotland and Wales
_OVERRIDE = (b"\xe2\x80\xad", b"\xe2\x80\xae")
_ISOLATES = (b"\xe2\x81\xa6", b"\xe2\x81\xa7", b"\xe2\x81\xa8")
_POP_ISOLATE = b"\xe2\x81\xa9"


def hidden_text(data: bytes, *, natural: bool = False, moment: Moment = Moment.LOAD) -> tuple[Fact, ...]:
    """Return a ``hidden_text`` fact for each line and each way of hiding, in the order of the file.

    Values: ``bidi``, ``zero-width``, ``tag-characters``, ``variation-selectors``, ``filler``, ``far-right``.
    ``natural`` chooses the weaker strength for text in human languages.
    """
    found: list[Fact] = []
    seen: set[tuple[int, str]] = set()
    counts: Counter[str] = Counter()
    last: dict[str, int] = {}
    line, position = 1, 0
    for start, end, what in sorted(_hits(data, natural=natural)):
        line += data.count(b"\n", position, start)
        position = start
        if (line, what) in seen:
            continue
        seen.add((line, what))
        counts[what] += 1
        if counts[what] > MAX_HIDDEN:
            one = found[last[what]]
            found[last[what]] = replace(one, span=Span(one.span.line, one.span.column, one.span.start, end))
            continue
        column = start - (data.rfind(b"\n", 0, start) + 1)
        last[what] = len(found)
        found.append(Fact(Kind.HIDDEN_TEXT, what, Span(line, column, start, end), moment))
    return tuple(found)


def _hits(data: bytes, *, natural: bool) -> Iterator[tuple[int, int, str]]:
    if not natural and _has_gap(data):
        for match in _pattern(rb"(?<![ \t])[ \t]{%d,}[^\s]" % FAR).finditer(data):
            yield match.end() - 1, match.end(), "far-right"
    if data.isascii():
        return
    # One byte is found many times faster than two, and most texts have none of these.
    present = {prefix for prefix in {prefix for _, prefix, _ in _PATTERNS} if prefix[:1] in data and prefix in data}
    runs: list[tuple[int, int, str]] = []
    for what, prefix, pattern in _PATTERNS:
        if prefix in present:
            runs += [(start, end, what) for start, end in _spans(data, prefix, _pattern(pattern))]
    isolates: dict[int, bool] = {}
    for start, end, what in _joined(runs):
        if what == "bidi":
            hides = not natural or _overrides(data, start, data[start:end], isolates)
        else:
            hides = _hides(data, start, end, what, natural=natural)
        if hides:
            yield start, end, what


def _has_gap(data: bytes) -> bool:
    """Whether so many blanks stand in a row: such a run covers four of the places that are a quarter of it apart."""
    step = FAR // 4
    sampled = _pattern(rb"(?=[ \t]{4})").finditer(data[::step])
    return any(not data[match.start() * step : match.start() * step + 3 * step].strip(b" \t") for match in sampled)


def _spans(data: bytes, prefix: bytes, pattern: re.Pattern[bytes]) -> Iterator[tuple[int, int]]:
    """Yield where a pattern matches that begins with ``prefix``: searching for two bytes is the fast part."""
    at = data.find(prefix)
    while at >= 0:
        match = pattern.match(data, at)
        if match is not None:
            yield match.span()
        at = data.find(prefix, at + len(prefix) if match is None else match.end())


def _joined(runs: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Return the runs in order, those of one kind that touch each other as one."""
    joined: list[tuple[int, int, str]] = []
    for start, end, what in sorted(runs):
        if joined and joined[-1][1] == start and joined[-1][2] == what and what != "bidi":
            joined[-1] = (joined[-1][0], end, what)
        else:
            joined.append((start, end, what))
    return joined


def _hides(data: bytes, start: int, end: int, what: str, *, natural: bool) -> bool:
    """Whether a run of invisible characters is more than its script needs."""
    text = data[start:end]
    count = sum(1 for byte in text if byte & 0xC0 != 0x80)
    if what == "zero-width":
        return _zero_width(data, start, text, natural=natural)
    if what == "tag-characters":
        flag = data[start - 4 : start] == _FLAG and text.endswith(b"\xf3\xa0\x81\xbf") and len(text) <= 28
        return not flag
    if what == "variation-selectors":
        return count >= (8 if natural else 4)
    return not natural or count >= 8


def _overrides(data: bytes, start: int, text: bytes, isolates: dict[int, bool]) -> bool:
    """Whether a direction control of natural text hides the real order: an override, or an isolate left open.

    ``isolates`` keeps, by its beginning, of which line that is true: one may hold very many of them.
    """
    if text in _OVERRIDE:
        return True
    if text not in _ISOLATES and text != _POP_ISOLATE:
        return False
    line_start = data.rfind(b"\n", 0, start) + 1
    if line_start not in isolates:
        line_end = data.find(b"\n", start)
        line = data[line_start : line_end if line_end >= 0 else len(data)]
        isolates[line_start] = sum(line.count(isolate) for isolate in _ISOLATES) != line.count(_POP_ISOLATE)
    return isolates[line_start]


def _zero_width(data: bytes, start: int, text: bytes, *, natural: bool) -> bool:
    if start == 0 and text.startswith(b"\xef\xbb\xbf"):
        text = text[3:]
    count = len(text) // 3
    if natural:
        return count >= 8
    # One such character is what user interfaces write where nothing should show ("\u200b" as a text of its own,
    # before a slash so that a line may break). Data take a run of them; a false name has one inside a word.
    end = start + len(text)
    inside_word = start > 0 and _is_word(data[start - 1 : start]) and _is_word(data[end : end + 1])
    return count >= _RUN or (count > 0 and inside_word)


def _is_word(byte: bytes) -> bool:
    return byte.isalnum() or byte in (b"_", b"$")


@cache
def _pattern(source: bytes) -> re.Pattern[bytes]:
    return re.compile(source)
