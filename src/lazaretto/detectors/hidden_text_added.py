"""This update adds text to code that a reader of the code does not see.

## What it detects
Code pushed far to the right behind white space, bidirectional controls, zero-width and tag characters or variation
selectors in files that run, in lines that the earlier release did not have; and the same in instruction files of
coding agents.

## Why it matters
A reviewer approves what the screen shows. Code behind a thousand spaces, or carried in characters of no width, was
made to be missed; honest source has next to none.

## What it misses
A single such character as a string literal or in a character class, as tables of entities and patterns have them, and
a few of them among other letters in a line of a bundle.
Text in files that neither run nor instruct an agent; look-alike letters inside identifiers.

## References
- Boucher and Anderson, *Trojan Source* (CVE-2021-42574)
- Unicode Technical Report 36; MITRE ATT&CK T1027
"""

import re
from collections.abc import Iterator

from lazaretto.core.facts import Kind, Reach
from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.question import Tally, is_document, package_json
from lazaretto.core.update import Pair, Placed, Update

CARD = Card(
    id="hidden-text-added",
    title="Hidden text added to code",
    variants={
        "far-right": "Code stands far to the right, behind white space.",
        "bidi": "Bidirectional control characters change the order in which code is shown.",
        "invisible": "Code holds characters of no width, tag characters or variation selectors.",
        "in-agent-config": "Instructions for a coding agent hold text that is not shown.",
        "first-contact": "There is no earlier release; code that runs by itself is hidden from its reader.",
    },
    group="hidden-text",
    why="It was made to be missed by whoever reviews it.",
    attack=("T1195.002", "T1027"),
)

_BEFORE = {"package.json": package_json("1.0.0"), "index.js": "module.exports = (a) => a;\n"}
_FAR = "module.exports = (a) => a;" + " " * 600 + "require('child_process').exec('whoami');\n"

EXAMPLES = (
    Example(
        title="a statement stands six hundred columns to the right",
        before=_BEFORE,
        after={"package.json": package_json("1.0.1"), "index.js": _FAR},
        expect="far-right",
        at="index.js:1",
    ),
    Example(
        title="a string carries a payload in variation selectors",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "const s = '" + "\U000e0141\U000e0142\U000e0143\U000e0144" * 10 + "';\n"
            "module.exports = (a) => a + s.length;\n",
        },
        expect="invisible",
        at="index.js:1",
    ),
    Example(
        title="a comment reverses the order of what follows",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "module.exports = (a) => a;\n/* \u202e } \u2066if (admin)\u2069 \u2066 begin */\n",
        },
        expect="bidi",
        at="index.js:2",
    ),
    Example(
        title="a comment reverses the order behind a table of such characters",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "exports.table = {lre:'\u202a',rlo:'\u202e'};"
            " /* \u202e } \u2066if (admin)\u2069 \u2066 begin */\n",
        },
        expect="bidi",
        at="index.js:1",
    ),
    Example(
        title="a comment that puts the character between quotes",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "module.exports = (a) => a; /* '\u202e' } if (admin) begin */\n",
        },
        expect="bidi",
        at="index.js:1",
    ),
    Example(
        title="a table of entities and a pattern in a bundle",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": 'var e={lre:"\u202a",pdf:"\u202c",rlo:\'\u202e\',lri:"\u2066",'
            'zwsp:"\u200b",filler:"\u3164"};'
            "module.exports=function(a){return a.replace(/[\u202a-\u202e\u2066-\u2069]/g,'')+e.lre};\n",
        },
    ),
    Example(
        title="a pattern with brackets in its class",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "module.exports = (a) => a.match(`([!-\\\\[\\\\]-\u2027\u202a-\ud7fe]+)`);\n",
        },
    ),
    Example(
        title="an emoji with a joiner in a message",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "module.exports = (a) => a + '\U0001f469\u200d\U0001f4bb\ufe0f';\n",
        },
    ),
    Example(
        title="a byte order mark and deep indentation",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "\ufeffmodule.exports = (a) => {\n" + " " * 40 + "return a;\n};\n",
        },
    ),
    Example(
        title="the same hidden character as in the release before",
        before={"package.json": package_json("1.0.0"), "index.js": "exports.zwsp = '\u200b';\n"},
        after={"package.json": package_json("1.0.1"), "index.js": "exports.zwsp = '\u200b';\nexports.a = 1;\n"},
    ),
)

_AGENT_FILES = ("claude.md", "agents.md", "gemini.md", ".cursorrules", "copilot-instructions.md", ".windsurfrules")
_MESSAGES = {
    "far-right": "puts code far to the right, where no screen shows it",
    "bidi": "changes the order in which code is shown",
    "invisible": "puts characters into code that are not shown",
    "in-agent-config": "hides text in the instructions for a coding agent",
    "first-contact": "runs code that its reader does not see",
}


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding for each variant."""
    tally = Tally(CARD)
    for pair in update.pairs:
        for placed in pair.after.placed:
            if placed.fact.kind is Kind.HIDDEN_TEXT and (variant := _variant(pair, placed)):
                tally.add(variant, pair, placed)
    yield from tally.findings(_MESSAGES)


def _variant(pair: Pair, placed: Placed) -> str | None:
    value = (placed.fact.value or "").lower()
    sort = "far-right" if "right" in value else "bidi" if "bidi" in value else "invisible"
    if pair.before is None:
        return "first-contact" if sort == "far-right" and placed.reach in (Reach.INSTALL, Reach.IMPORT) else None
    line = placed.fact.span.line
    if not pair.is_new_line(placed.path, line) or pair.is_moved_line(placed.path, line):
        return None
    if _instructs_an_agent(placed.path):
        return "in-agent-config"
    if is_document(placed.path) or placed.reach is Reach.UNREACHED or _is_table(pair, placed):
        return None
    return sort


_SINGLE = rb"\xe2\x80[\xaa-\xae]|\xe2\x81[\xa6-\xa9]|\xe3\x85\xa4|\xef\xbe\xa0|\xe1\x85[\x9f\xa0]"
"""Direction controls and letters drawn as nothing, in UTF-8: what a reader reports one by one."""

_LOOK_BACK = 400
"""Bytes before a character in which the start of a comment is looked for."""

_CLASS = 96
"""Longest character class, in bytes, on either side of a character."""

_UNREAD = 4096
"""Length in bytes from which a line is one of a bundle: nobody approves it by what a screen shows of it."""

_MOST = 16
"""Most such characters that a table of a line holds by the way: fewer bits than any payload has."""

_LETTERS = 24
"""Bytes on either side of a character in which other letters that are not ASCII stand if it is one of a table."""


def _is_table(pair: Pair, placed: Placed) -> bool:
    """Whether every such character of the line is a short string, or stands in a class or a table of letters."""
    blob, span = pair.after.tree.get(placed.path), placed.fact.span
    if blob is None or not re.fullmatch(_SINGLE, blob.data[span.start : span.end]):
        return False
    data = blob.data
    start, end = data.rfind(b"\n", 0, span.start) + 1, data.find(b"\n", span.start)
    end = end if end >= 0 else len(data)
    found = [match.span() for match in re.compile(_SINGLE).finditer(data, start, end)]
    bundled = end - start >= _UNREAD and len(found) <= _MOST
    return all(
        (_is_data(data, *one) or (bundled and _among_letters(data, *one))) and not _in_comment(data, one[0])
        for one in found
    )


def _among_letters(data: bytes, start: int, end: int) -> bool:
    """Whether letters that are seen and not ASCII stand closely before and behind: tables of entities and of names."""
    sides = data[max(0, start - _LETTERS) : start], data[end : end + _LETTERS]
    texts = [re.sub(_SINGLE, b"", side).decode("utf-8", "ignore") for side in sides]
    return all(any(not letter.isascii() and letter.isprintable() for letter in text) for text in texts)


def _is_data(data: bytes, start: int, end: int) -> bool:
    """Whether quotes hold this character with at most one other, or brackets hold this control with no code."""
    left, right = data[max(0, start - _CLASS) : start], data[end : end + _CLASS]
    opening, closing = re.search(rb"""(["'`])([^\s"'`]{0,4})$""", left), re.match(rb"""([^\s"'`]{0,4})(["'`])""", right)
    if opening and closing and opening[1] == closing[2]:
        return len((opening[2] + closing[1]).decode("utf-8", "replace")) <= 1
    control = data.startswith((b"\xe2\x80", b"\xe2\x81"), start)  # the other letters may be names
    left = re.sub(rb"\\+[\[\]]", b"", left)  # escaped: such a bracket is one of those that the class is about
    ends = re.search(rb"""\[[^\s\]"'`*/]*$""", left), re.match(rb"""[^\s\["'`*/]*\]""", right)
    return control and all(ends)


def _in_comment(data: bytes, at: int) -> bool:
    """Whether a comment seems to have begun before; the start of one inside a string does not count."""
    before = data[max(0, at - _LOOK_BACK) : at]
    opened = [match.start() for match in re.finditer(rb"""(?<!["'`*\\])/\*""", before)]
    if opened and before.rfind(b"*/") < opened[-1]:
        return True
    line = before[before.rfind(b"\n") + 1 :]
    return bool(re.search(rb"""(?<![:"'`\\])//|(?:^|\s)\#""", line))


def _instructs_an_agent(path: str) -> bool:
    parts = path.lower().split("/")
    return parts[-1] in _AGENT_FILES or any(part in (".claude", ".cursor") for part in parts)
