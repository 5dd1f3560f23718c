"""This update makes importing it many times as dear.

## What it detects
Code, new or changed, that is loaded at installation or import and weighs at least half a megabyte more than it did, and
ten times all code that the earlier release had.

## Why it matters
Whoever imports a small helper now loads a large program, and pays for it at each start. That is a reason to look by
itself, and what the payloads that bring their own libraries look like.

## What it misses
Time that is spent without code of one's own: loops, sleeps, large dependencies; lines that were always large.

## References
- MITRE ATT&CK T1195.002; T1027.009, Embedded Payloads
"""

from collections.abc import Iterator

from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.question import AUTORUN, Tally, file_place, package_json
from lazaretto.core.update import Pair, Update

CARD = Card(
    id="import-cost-grown",
    title="Import many times as dear",
    variants={"tenfold": "What is loaded at import grew by half a megabyte at least, and ten times over."},
    group="shape",
    why="A helper that loads a program is no helper any more.",
    attack=("T1195.002", "T1027.009"),
)

LARGE = 500_000
"""Bytes of code that must be loaded in addition."""

TIMES = 10
"""How many times all code of the earlier release that must be."""

_CODE = (".js", ".cjs", ".mjs", ".py")
_BEFORE = {"package.json": package_json("1.0.0"), "index.js": "module.exports = (a) => a;\n"}
_PACKAGE = package_json("1.0.1")
_LONG = "exports.a = 1;\n" * 35_000

EXAMPLES = (
    Example(
        title="the entry file of a helper loads a program",
        before=_BEFORE,
        after={"package.json": _PACKAGE, "index.js": "module.exports = require('./lib/all');\n", "lib/all.js": _LONG},
        expect="tenfold",
        at="lib/all.js:1",
    ),
    Example(
        title="a Python package of one line becomes one of half a megabyte",
        ecosystem="pypi",
        before={"pad/__init__.py": "WIDTH = 2\n"},
        after={"pad/__init__.py": "WIDTH = 2\n" * 55_000},
        expect="tenfold",
        at="pad/__init__.py:1",
    ),
    Example(
        title="a program that nothing loads lies beside the helper",
        before=_BEFORE,
        after={"package.json": _PACKAGE, "index.js": "module.exports = (a) => a.trim();\n", "dist/all.min.js": _LONG},
    ),
    Example(
        title="a large library changes",
        before={**_BEFORE, "index.js": _LONG},
        after={"package.json": _PACKAGE, "index.js": _LONG + "exports.b = 2;\n"},
    ),
)

_MESSAGES = {"tenfold": "loads many times as much code at import as its line had at all"}


def detect(update: Update) -> Iterator[Finding]:
    """Yield at most one finding; none at first contact."""
    tally = Tally(CARD)
    for pair in update.pairs:
        if pair.before is None:
            continue
        grown = list(_grown(pair))
        more = sum(size for _, size in grown)
        had = sum(blob.size for path, blob in pair.before.tree.files.items() if path.endswith(_CODE))
        if more >= LARGE and more >= TIMES * had:
            path, _ = max(grown, key=lambda one: one[1])
            tally.say("tenfold", f"{more} bytes more, where {had} were", file_place(pair, path))
    yield from tally.findings(_MESSAGES)


def _grown(pair: Pair) -> Iterator[tuple[str, int]]:
    """Yield each file of code that runs by itself and changed, with the bytes that it gained."""
    for path, change in pair.changes.items():
        if change.after is not None and path.endswith(_CODE) and pair.after.reaches.get(path) in AUTORUN:
            yield path, change.after.size - (change.before.size if change.before else 0)
