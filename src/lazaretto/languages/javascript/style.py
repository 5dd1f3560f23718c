"""How a text is written: obfuscation styles, and text that a person does not see.

Minified code is not obfuscated: nothing here looks at line length, short names or entropy alone.
"""

import re
from collections.abc import Iterator
from functools import cache

from lazaretto.core.facts import Kind, Moment
from lazaretto.languages import _hidden
from lazaretto.languages._addressed import addressed
from lazaretto.languages._encoded import encoded_addresses
from lazaretto.languages.javascript.record import Recorder
from lazaretto.languages.javascript.vocabulary import Vocabulary

MIN_HEX_NAMES = 12
MIN_ENCODED = 1200
MIN_LINE = 480
_TERM = (
    rb"parseInt\([\w$]{1,20}\((?:\w{1,12}|[\"'][^\"'\s]{1,12}[\"'])(?:,[^()\s]{1,20})?\)\)"
    rb"\s{0,4}/\s{0,4}\w{1,12}\){0,4}"
)
"""One term of the sum by which an obfuscator checks that its table of strings has been rotated far enough."""


@cache
def _patterns() -> "dict[str, re.Pattern[bytes]]":
    return {
        "hex-names": re.compile(rb"\b_0x[0-9a-f]{3,}\b"),
        "packed": re.compile(rb"eval\s*\(\s*function\s*\(\s*p\s*,\s*a\s*,\s*c\s*,\s*k\s*,\s*e\s*,\s*[rd]\s*\)"),
        "jsfuck": re.compile(rb"[\[\]()!+]{200}"),
        "char-codes": re.compile(
            rb"(?:fromCharCode(?:\.apply\([^\[]{0,20})?|Buffer\.from|Uint8Array)\s*[(\[]?\s*\[?\s*(?:(?:0x[0-9a-f]{2}|\d{1,3})\s*,\s*){24}"
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
            # The sum by which the table's rotation is checked stays what it is when a minifier rewrites all around it.
            rb"|" + _TERM + rb"(?:[-+*(\s]{1,8}" + _TERM + rb"){3}"
        ),
    }


# A pattern is only tried where all groups of hints have a word in the text: a search for a word is far cheaper.
_HINTS: tuple[tuple[str, tuple[tuple[bytes, ...], ...]], ...] = (
    ("packed", ((b"p,a,c,k,e", b"p, a, c, k, e"), (b"eval",))),
    ("jsfuck", ((b"+!+[]", b"+!![]"), (b"[![]]", b"[+[]]", b"(![]+[])"))),
    ("string-array", ((b"parseInt",), (b"push",), (b"shift",), (b"while(", b"for(;;)"), (b"catch(", b"catch{"))),
)
# The order of the cases stands in a text, which is split at bars: the split is looked for first.
_SPLITS = (b'("|")', b"('|')")
MAX_ORDER = 4000


def mark(data: bytes, words: Vocabulary, record: Recorder) -> None:
    """Record the obfuscation styles and the hidden text of a file."""
    record.moment = Moment.LOAD
    patterns = _patterns()
    if words.may_hold(b"_0x") and len(_hex_names(data)) >= MIN_HEX_NAMES:
        _first(patterns["hex-names"], "hex-names", data, record)
    for style, hints in _HINTS:
        if all(any(words.may_hold(hint) and hint in data for hint in group) for group in hints):
            _first(patterns[style], style, data, record)
    _flattened(data, record)
    _char_codes(data, words, record)
    if len(data) > MIN_ENCODED:
        _long_encoded(data, record)
    for fact in (*_hidden.hidden_text(data), *addressed(data, may_hold=words.may_hold)):
        record.emit(fact.kind, fact.value, fact.span.start, fact.span.end)
    for fact in encoded_addresses(data, may_hold=words.may_hold):
        record.emit(fact.kind, fact.value, fact.span.start, fact.span.end, fact.via)


def _first(pattern: "re.Pattern[bytes]", style: str, data: bytes, record: Recorder) -> None:
    match = pattern.search(data)
    if match is not None:
        record.emit(Kind.OBFUSCATED, style, match.start(), min(match.end(), match.start() + 200))


def _flattened(data: bytes, record: Recorder) -> None:
    pattern = _patterns()["control-flow-flattening"]
    for split in _SPLITS:
        at = data.find(split)
        while at >= 0:
            match = pattern.search(data, max(0, at - MAX_ORDER), at + len(split))
            if match is not None:
                record.emit(
                    Kind.OBFUSCATED, "control-flow-flattening", match.start(), min(match.end(), match.start() + 200)
                )
                return
            at = data.find(split, at + len(split))


def _char_codes(data: bytes, words: Vocabulary, record: Recorder) -> None:
    pattern = _patterns()["char-codes"]
    for word in (b"fromCharCode", b"Buffer.from(", b"Uint8Array("):
        at = data.find(word) if words.may_hold(word) else -1
        while at >= 0:
            match = pattern.match(data, at)
            if match is not None:
                record.emit(Kind.OBFUSCATED, "char-codes", at, at + 200)
                return
            at = data.find(word, at + len(word))


def _hex_names(data: bytes) -> set[bytes]:
    pattern = _patterns()["hex-names"]
    names = set()
    at = data.find(b"_0x")
    while at >= 0:
        match = pattern.match(data, at)
        if match is not None:
            names.add(match.group())
        at = data.find(b"_0x", at + 3)
    return names


def _long_encoded(data: bytes, record: Recorder) -> None:
    for start, end in _long_lines(data):
        match = _encoded_in(data[start:end])
        if match is not None:
            record.emit(Kind.OBFUSCATED, "long-encoded", start + match, start + match + 200)
            return


def _long_lines(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield where the lines longer than ``MIN_LINE`` stand; shorter ones are passed over many at a time."""
    start = 0
    while len(data) - start > MIN_LINE:
        near = data.rfind(b"\n", start, start + MIN_LINE + 1)
        if near < 0:
            end = data.find(b"\n", start)
            end = len(data) if end < 0 else end
            yield start, end
            near = end
        start = near + 1


def _encoded_in(line: bytes) -> int | None:
    for match in _patterns()["long-encoded"].finditer(line):
        text = match.group()[1:-1]
        before = line[max(0, match.start() - 60) : match.start()]
        # An inlined picture, font or source map names its type; a table of digits or one letter is no code.
        if b"data:" in before or len(set(text[:2000])) < 12 or text.startswith((b"iVBOR", b"d09GM", b"AGFzb")):
            continue
        return match.start()
    return None
