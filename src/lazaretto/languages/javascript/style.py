"""How a text is written: obfuscation styles, and text that a person does not see.

Minified code is not obfuscated: nothing here looks at line length, short names or entropy alone.
"""

import re
from functools import cache

from lazaretto.core.facts import Kind, Moment
from lazaretto.languages.javascript.record import Recorder

MIN_HEX_NAMES = 12
MIN_ENCODED = 1200
MIN_LINE = 480


@cache
def _patterns() -> "dict[str, re.Pattern[bytes]]":
    return {
        "hex-names": re.compile(rb"\b_0x[0-9a-f]{3,}\b"),
        "packed": re.compile(rb"eval\s*\(\s*function\s*\(\s*p\s*,\s*a\s*,\s*c\s*,\s*k\s*,\s*e\s*,\s*[rd]\s*\)"),
        "jsfuck": re.compile(rb"[\[\]()!+]{200}"),
        "char-codes": re.compile(
            rb"(?:fromCharCode(?:\.apply\([^\[]{0,20})?\s*[(\[]|(?:Buffer\.from|new\s+Uint8Array)\(\s*)\s*\[?\s*(?:(?:0x[0-9a-f]{2}|\d{1,3})\s*,\s*){24,}"
        ),
        "long-encoded": re.compile(
            rb"[\"'`](?:[A-Za-z0-9+/_-]{1200,}={0,2}|(?:[0-9a-fA-F]{2}){600,}|(?:\\x[0-9a-fA-F]{2}){120,}|(?:\\u[0-9a-fA-F]{4}){120,})[\"'`]"
        ),
        "control-flow-flattening": re.compile(
            rb"[\"'](?:\d{1,3}\|){3,}\d{1,3}[\"']\s*(?:\.\s*split|\[\s*[\"'](?:split|\\x73\\x70\\x6c\\x69\\x74)[\"']\s*\])\s*\(\s*[\"']\|"
        ),
        "string-array": re.compile(
            rb"\(\s*function\s*\(\s*([\w$]+)\s*,\s*[\w$]+\s*\)\s*\{[^{}]{0,400}(?:while\s*\(\s*(?:!!\[\]|true|!0)\s*\)|for\s*\(;;\))"
            rb"\s*\{\s*try\s*\{[\s\S]{0,1500}?parseInt[\s\S]{0,1500}?(?:push[\"']?\]?|\.push)\s*\("
        ),
        "invisible": re.compile(
            rb"\xe2\x80[\x8b-\x8f\xaa-\xae]|\xe2\x81[\xa0-\xa4\xa6-\xa9]|\xef\xbb\xbf|\xef\xb8[\x80-\x8f]|\xf3\xa0[\x80-\x87][\x80-\xbf]|\xe3\x85\xa4|\xef\xbe\xa0"
        ),
    }


# A pattern is only tried where all groups of hints have a word in the text: a search for a word is far cheaper.
_HINTS: tuple[tuple[str, tuple[tuple[bytes, ...], ...]], ...] = (
    ("packed", ((b"p,a,c,k,e", b"p, a, c, k, e"), (b"eval",))),
    ("jsfuck", ((b"![]+[]", b"[]+[]", b"![]+!![]"), (b"[![]]", b"[+[]]", b"[+!+[]]", b"[+!![]]"))),
    ("char-codes", ((b"fromCharCode", b"Buffer.from([", b"Uint8Array(["), (b",",))),
    ("control-flow-flattening", ((b'"|"', b"'|'", b"x7c"), (b"split", b"x73"))),
    ("string-array", ((b"parseInt",), (b"push",), (b"shift",), (b"while(", b"for(;;)"), (b"catch(", b"catch{"))),
)


def mark(data: bytes, record: Recorder) -> None:
    """Record the obfuscation styles and the hidden text of a file."""
    record.moment = Moment.LOAD
    patterns = _patterns()
    if b"_0x" in data:
        names = {match.group() for match in patterns["hex-names"].finditer(data)}
        if len(names) >= MIN_HEX_NAMES:
            _first(patterns["hex-names"], "hex-names", data, record)
    for style, hints in _HINTS:
        if all(any(hint in data for hint in group) for group in hints):
            _first(patterns[style], style, data, record)
    if len(data) > MIN_ENCODED:
        _long_encoded(data, record)
    _hidden(data, record)


def _first(pattern: "re.Pattern[bytes]", style: str, data: bytes, record: Recorder) -> None:
    match = pattern.search(data)
    if match is not None:
        record.emit(Kind.OBFUSCATED, style, match.start(), min(match.end(), match.start() + 200))


def _long_encoded(data: bytes, record: Recorder) -> None:
    start = 0
    for line in data.split(b"\n"):
        if len(line) > MIN_LINE:
            match = _encoded_in(line)
            if match is not None:
                record.emit(Kind.OBFUSCATED, "long-encoded", start + match, start + match + 200)
                return
        start += len(line) + 1


def _encoded_in(line: bytes) -> int | None:
    for match in _patterns()["long-encoded"].finditer(line):
        text = match.group()[1:-1]
        before = line[max(0, match.start() - 60) : match.start()]
        # An inlined picture, font or source map names its type; a table of digits or one letter is no code.
        if b"data:" in before or len(set(text[:2000])) < 12 or text.startswith((b"iVBOR", b"d09GM", b"AGFzb")):
            continue
        return match.start()
    return None


def _hidden(data: bytes, record: Recorder) -> None:
    if b"    " * 50 in data or b"\t" * 50 in data:
        far = _far_right(data)
        if far is not None:
            record.emit(Kind.HIDDEN_TEXT, "far-right", far, far + 1)
    if data.isascii():
        return
    runs = 0
    last = -10
    for match in _patterns()["invisible"].finditer(data):
        found = match.group()
        start = match.start()
        runs = runs + 1 if start - last <= 4 else 1
        last = start
        what = _invisible(data, found, start, runs)
        if what is not None:
            record.emit(Kind.HIDDEN_TEXT, what, start, start + len(found))
            if what != "bidi":
                return


def _far_right(data: bytes) -> int | None:
    """Return where code stands so far to the right that nobody sees it."""
    for gap in (b" " * 200, b"\t" * 50):
        at = data.find(gap)
        while at >= 0:
            end = at
            while end < len(data) and data[end] in b" \t":
                end += 1
            line = data.rfind(b"\n", 0, at) + 1
            if end < len(data) and data[end] not in b"\r\n" and (data[line:at].strip() or end - line >= 400):
                rest = data[end : end + 2]
                if not rest.startswith((b"//", b"*", b"|", b"\\")):
                    return end
            at = data.find(gap, end + 1)
    return None


def _invisible(data: bytes, found: bytes, start: int, runs: int) -> str | None:
    """Say what an invisible character is for, or None where it is ordinary (joiners, a BOM, one selector)."""
    if found == b"\xef\xbb\xbf":
        return None
    if found[:2] == b"\xf3\xa0":
        flag = data.rfind(b"\xf0\x9f\x8f\xb4", max(0, start - 40), start) >= 0
        return None if flag or runs < 4 else "tag-characters"
    if found[:2] == b"\xef\xb8":
        return "variation-selectors" if runs >= 8 else None
    if found in _BIDI:
        return "bidi"
    if found in (b"\xe3\x85\xa4", b"\xef\xbe\xa0"):
        return "invisible-letters" if runs >= 4 or _in_word(data, start, len(found)) else None
    if found in (b"\xe2\x80\x8e", b"\xe2\x80\x8f"):
        return None
    if runs >= 8:
        return "zero-width"
    return "zero-width" if found != b"\xe2\x80\x8d" and _in_word(data, start, len(found)) else None


_BIDI = frozenset(
    (b"\xe2\x80\xaa", b"\xe2\x80\xab", b"\xe2\x80\xad", b"\xe2\x80\xae")
    + (b"\xe2\x81\xa6", b"\xe2\x81\xa7", b"\xe2\x81\xa8", b"\xe2\x81\xa9")
)


def _in_word(data: bytes, start: int, size: int) -> bool:
    """Whether a character stands between two letters of a name."""
    before, after = data[start - 1 : start], data[start + size : start + size + 1]
    return (before.isalnum() or before in (b"_", b"$")) and (after.isalnum() or after in (b"_", b"$"))
