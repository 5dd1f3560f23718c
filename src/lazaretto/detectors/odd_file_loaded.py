"""This update runs code out of a file whose name does not look like code.

## What it detects
A new or changed file that runs by itself although its name is that of a text, a log, data or a licence, and a new
hidden file of code (its name begins with a dot) that does; and a new file whose name differs from that of another
one, or from plain letters, only by letters of another alphabet that look the same.

## Why it matters
Reviewers and scanners look at what is named as code. A name is all that it takes to be passed over.

## What it misses
Files that are read and evaluated (decoded-code-executed and capability questions see the evaluation); names that are
odd in ways that only people see.

## References
- MITRE ATT&CK T1036.008, Masquerade File Type; T1564.001, Hidden Files and Directories; Unicode TR39, Confusables
"""

from collections.abc import Iterator

from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.question import AUTORUN, Tally, file_place, package_json, shown
from lazaretto.core.update import ChangeStatus, Pair, Update

CARD = Card(
    id="odd-file-loaded",
    title="Code under an odd name",
    variants={
        "look-alike": "A new file's name has letters that only look like the plain ones.",
        "named-as-data": "Code that runs by itself stands in a file named as text or data.",
        "hidden-file": "Code that runs by itself stands in a new file whose name begins with a dot.",
    },
    group="shape",
    why="What is not named as code is not read as code by people.",
    attack=("T1195.002", "T1036.008", "T1564.001"),
)

_DATA = (
    ".txt", ".log", ".dat", ".bin", ".md", ".cfg", ".ini", ".tmp", ".bak", ".csv", ".lock", ".license", ".map",
    ".cache",
)  # fmt: skip
_CODE = (".js", ".cjs", ".mjs", ".py", ".sh")
_ALIKE = str.maketrans(
    "аеорсухіјѕһԁԛԝɡıοανɩօսАВЕКМНОРСТХІЈЅΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",  # noqa: RUF001 - the letters in question
    "aeopcyxijshdqwgioavlouABEKMHOPCTXIJSABEZHIKMNOPTYX",
)
"""Letters of Cyrillic, Greek, Armenian and the phonetic alphabet that look like plain ones."""

_BEFORE = {"package.json": package_json("1.0.0"), "index.js": "module.exports = (a) => a;\n"}
_PACKAGE = package_json("1.0.1")

EXAMPLES = (
    Example(
        title="the entry file loads code from a text file",
        before=_BEFORE,
        after={
            "package.json": _PACKAGE,
            "index.js": "require('./notes.txt');\nmodule.exports = (a) => a;\n",
            "notes.txt": "globalThis.padded = true;\n",
        },
        expect="named-as-data",
        at="notes.txt:1",
    ),
    Example(
        title="the entry file loads a hidden file",
        before=_BEFORE,
        after={
            "package.json": _PACKAGE,
            "index.js": "require('./.pad.js');\nmodule.exports = (a) => a;\n",
            ".pad.js": "globalThis.padded = true;\n",
        },
        expect="hidden-file",
        at=".pad.js:1",
    ),
    Example(
        title="a second entry file with a letter of another alphabet",
        before=_BEFORE,
        after={
            "package.json": _PACKAGE,
            **{k: v for k, v in _BEFORE.items() if k != "package.json"},
            "ind\u0435x.js": "",
        },
        expect="look-alike",
        at="ind\u0435x.js:1",
    ),
    Example(
        title="settings of a linter, which nothing of the package loads",
        before=_BEFORE,
        after={
            "package.json": _PACKAGE,
            "index.js": "module.exports = (a) => a;\n",
            ".eslintrc.js": "module.exports = {};\n",
        },
    ),
    Example(
        title="a text that is read, and a file named in its author's own alphabet",
        before=_BEFORE,
        after={
            "package.json": _PACKAGE,
            "index.js": "module.exports = require('fs').readFileSync(__dirname + '/notes.txt', 'utf8');\n",
            "notes.txt": "Nothing.\n",
            "docs/\u043f\u0440\u0438\u043c\u0435\u0440.js": "exports.a = 1;\n",
        },
    ),
)

_MESSAGES = {
    "look-alike": "brings a file whose name only looks like plain letters",
    "named-as-data": "runs code that stands in a file named as text or data",
    "hidden-file": "runs code that stands in a hidden file",
}


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding for each variant; none at first contact."""
    tally = Tally(CARD)
    for pair in update.pairs:
        if pair.before is None:
            continue
        for path, change in pair.changes.items():
            if change.after is None:
                continue
            added = change.status is ChangeStatus.ADDED
            variant = "look-alike" if added and is_look_alike(path) else _loaded(pair, path, added=added)
            if variant:
                tally.say(variant, shown(path), file_place(pair, path))
    yield from tally.findings(_MESSAGES)


def is_look_alike(path: str) -> bool:
    """Whether the name of a file of code mixes plain letters with others that only look like them."""
    name = path.rpartition("/")[2]
    if name.isascii() or not name.endswith(_CODE):
        return False
    stem = name.rpartition(".")[0]
    return stem.translate(_ALIKE).isascii() and any(letter.isascii() and letter.isalpha() for letter in stem)


def _loaded(pair: Pair, path: str, *, added: bool) -> str | None:
    """Return the variant of a file that runs by itself."""
    name = path.rpartition("/")[2].lower()
    if pair.after.reaches.get(path) not in AUTORUN:
        return None
    if name.endswith(_DATA):
        facts = pair.after.facts.get(path)
        return "named-as-data" if facts is not None and facts.language in ("javascript", "python") else None
    return "hidden-file" if added and name.startswith(".") and name.endswith(_CODE) else None
