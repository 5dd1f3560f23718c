"""This update puts a line into a source file that is nothing like the lines the file had before.

## What it detects
A file of code that stays what it was (most of its lines stand as before, all of them short enough to be read) and
gains a line that is many times longer than any of them and denser: hardly a blank in it, and more bits in a character
or more digits and signs among them. What is measured is measured against the same file's earlier version.

## Why it matters
A payload that is put into a grown file by hand or by a worm is written in one line and not in the style of the house.

## What it misses
Payloads in the file's own style; files that are new, or that were minified before or are now as a whole; long lines in
files of data.

## References
- MITRE ATT&CK T1027, Obfuscated Files or Information
- Garrett et al., *Detecting Suspicious Package Updates* (ICSE NIER 2019)
"""

from collections.abc import Iterator
from math import log2

from lazaretto.core.facts import Reach, Span
from lazaretto.core.finding import Card, Evidence, Example, Finding
from lazaretto.core.question import AUTORUN, Tally, package_json, span_place
from lazaretto.core.update import ChangeStatus, FileChange, Pair, Update

CARD = Card(
    id="style-broken",
    title="Line unlike all others of its file added",
    variants={
        "autorun": "A file that runs by itself gained a line that is far longer and denser than any it had.",
        "elsewhere": "Another file of code gained such a line.",
    },
    group="obfuscation",
    why="Whoever grows a file writes in its style; whoever breaks in does not.",
    attack=("T1195.002", "T1027"),
)

MAX_COMPARED = 1024 * 1024
"""Largest file that is compared with its earlier version, in bytes."""

_LANGUAGES = frozenset({"javascript", "python", "shell"})
_READABLE = 300
_TIMES = 4
_LEAST = 600
_KEPT = 0.7
_FEWEST = 8
_DENSER = 0.35
_BLANKS = 0.06
_MORE_SIGNS = 0.2
_LETTERS = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ \t\r\n"

_CODE = "".join(f"exports.f{n} = function (a, b) {{\n  return a + b + {n};\n}};\n" for n in range(6))
_DENSE = "const q=[" + ",".join(f'"{n * 7919:x}{n * 104729:x}Zq{n}"' for n in range(60)) + "];\n"
_LONG = "// " + "a sentence of many words that somebody wrote into a single line " * 20 + "\n"

EXAMPLES = (
    Example(
        title="a readable entry file gains one long dense line",
        before={"package.json": package_json("1.0.0"), "index.js": _CODE},
        after={"package.json": package_json("1.0.1"), "index.js": _CODE + _DENSE},
        expect="autorun",
        at="index.js:19",
    ),
    Example(
        title="a file that nothing loads gains such a line",
        before={"package.json": package_json("1.0.0"), "index.js": "exports.a = 1;\n", "lib/b.js": _CODE},
        after={"package.json": package_json("1.0.1"), "index.js": "exports.a = 1;\n", "lib/b.js": _CODE + _DENSE},
        expect="elsewhere",
        at="lib/b.js:19",
    ),
    Example(
        title="a file of a few lines",
        before={"package.json": package_json("1.0.0"), "index.js": "exports.a = 1;\n"},
        after={"package.json": package_json("1.0.1"), "index.js": "exports.a = 1;\n" + _DENSE},
    ),
    Example(
        title="a long comment in words",
        before={"package.json": package_json("1.0.0"), "index.js": _CODE},
        after={"package.json": package_json("1.0.1"), "index.js": _CODE + _LONG},
    ),
    Example(
        title="a file that is minified as a whole now",
        before={"package.json": package_json("1.0.0"), "index.js": _CODE},
        after={"package.json": package_json("1.0.1"), "index.js": _CODE.replace("\n", "").replace("  ", "") * 3},
    ),
)

_MESSAGES = {
    "autorun": "puts a line that is unlike all others into a file that runs by itself",
    "elsewhere": "puts a line that is unlike all others into a file of code",
}


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding for each variant; none at first contact."""
    tally = Tally(CARD)
    for pair in update.pairs:
        for path, change in pair.changes.items():
            facts = pair.after.facts.get(path)
            if facts is None or facts.language not in _LANGUAGES:
                continue
            line = _line_unlike(change)
            if line:
                reach = pair.after.reaches.get(path, Reach.UNREACHED)
                variant = "autorun" if reach in AUTORUN else "elsewhere"
                tally.say(variant, path, _place(pair, path, line, reach))
    yield from tally.findings(_MESSAGES)


def _has_long_line(data: bytes) -> bool:
    """Whether any line has ``_LEAST`` bytes: told by jumps of that length, since most files have none."""
    start = 0
    while start + _LEAST <= len(data):
        end = data.rfind(b"\n", start, start + _LEAST)
        if end < 0:
            return True
        start = end + 1
    return False


def _line_unlike(change: FileChange) -> int:
    """Return the number of the first line that is unlike all lines that the file had before; 0 if none is."""
    before, after = change.before, change.after
    if change.status is not ChangeStatus.CHANGED or before is None or after is None:
        return 0
    if max(before.size, after.size) > MAX_COMPARED or after.size <= before.size + _LEAST // 2:
        return 0
    if not _has_long_line(after.data):
        return 0
    old = before.data.split(b"\n")
    longest = max(len(line) for line in old)
    if len(old) < _FEWEST or longest > _READABLE:
        return 0
    new = after.data.split(b"\n")
    limit = max(_LEAST, _TIMES * longest)
    odd = [number for number, line in enumerate(new, 1) if len(line) >= limit]
    if not odd or len(set(old) & set(new)) < _KEPT * len(set(old)):
        return 0
    return next((number for number in odd if _is_dense(new[number - 1], before.data)), 0)


def _is_dense(line: bytes, usual: bytes) -> bool:
    """Whether a line has hardly a blank, and tells more in each character than the file did, or has more signs."""
    bare = line.strip()
    if bare.count(b" ") >= _BLANKS * len(bare):
        return False
    return _entropy(bare) > _entropy(usual) + _DENSER or _signs(bare) > _signs(usual) + _MORE_SIGNS


def _signs(data: bytes) -> float:
    """Return the share of what is neither a letter nor a blank."""
    return len(data.translate(None, _LETTERS)) / len(data)


def _entropy(data: bytes) -> float:
    """Return the bits that one byte tells (Shannon)."""
    counts = [count for byte in range(256) if (count := data.count(byte))]
    return -sum(count / len(data) * log2(count / len(data)) for count in counts)


def _place(pair: Pair, path: str, line: int, reach: Reach) -> Evidence:
    return span_place(pair, path, Span(line, 0, 0, 0), reach=reach)
