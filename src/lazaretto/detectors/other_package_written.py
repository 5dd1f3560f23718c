"""This update writes into another package, as its line of releases never did.

## What it detects
Files that are written, moved or deleted where other packages lie: above the package's own folder in `node_modules` or
`site-packages`, at a path that names which; and the code of an application that is installed for the user or all of
them (`app.asar`).

## Why it matters
A patch of another package survives the removal of the one that made it, and no lockfile, digest or audit tells of it.
Releases of 2025 patched wallets and servers that were installed beside them.

## What it misses
Packages found by what the running program tells (`require.resolve`); tools whose line always patched others.

## References
- The public record of packages that patched `ethers` and `atomic` in place (2025)
- MITRE ATT&CK T1554, Compromise Host Software Binary
"""

import re
from collections.abc import Iterator
from functools import cache

from lazaretto.core.facts import Kind
from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.question import Tally, decoded, package_json, runs_by_itself
from lazaretto.core.update import ArtifactView, Placed, Update

CARD = Card(
    id="other-package-written",
    title="Writes into another package",
    variants={
        "autorun": "Code that runs by itself writes to a file of another package, as no earlier release did.",
        "call": "A function writes to a file of another package; no earlier release did.",
        "first-contact": "There is no earlier release; code that runs by itself writes to a file of another package.",
    },
    group="spread",
    why="What is written there stays when this package is removed, and no digest covers it.",
    attack=("T1195.002", "T1554"),
)

_BEFORE = {"package.json": package_json("1.0.0"), "index.js": "module.exports = (a) => a;\n"}
_PATCH = (
    "const fs = require('fs');\nconst path = require('path');\n"
    "fs.appendFileSync(path.join(__dirname, '..', 'express', 'index.js'), '// patched');\nmodule.exports = (a) => a;\n"
)

EXAMPLES = (
    Example(
        title="the entry file adds to a package that lies beside it",
        before=_BEFORE,
        after={"package.json": package_json("1.0.1"), "index.js": _PATCH},
        expect="autorun",
        at="index.js:3",
    ),
    Example(
        title="a function of a helper writes into node_modules of whoever runs it",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "exports.fix = () => require('fs').writeFileSync('node_modules/express/index.js', '');\n",
        },
        expect="call",
        at="index.js:1",
    ),
    Example(
        title="first contact with an install script that does",
        after={
            "package.json": package_json("1.0.0", scripts={"postinstall": "node index.js"}),
            "index.js": _PATCH,
        },
        expect="first-contact",
        at="index.js:3",
    ),
    Example(
        title="the code of an application of the user is exchanged",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "const folder = process.env.LOCALAPPDATA + '/exodus/resources';\n"
            "require('fs').copyFileSync(__dirname + '/app.bin', folder + '/app.asar');\n",
        },
        expect="autorun",
        at="index.js:2",
    ),
    Example(
        title="a builder of applications writes what it builds",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "exports.pack = (out) => require('fs').writeFileSync(out + '/resources/app.asar', '');\n",
        },
    ),
    Example(
        title="a package writes its own cache and a file of the project",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "const fs = require('fs');\nconst path = require('path');\n"
            "fs.writeFileSync(path.join(__dirname, '..', '.cache', 'pad.json'), '{}');\n"
            "fs.writeFileSync('node_modules/.cache/example-package/a.json', '{}');\nmodule.exports = (a) => a;\n",
        },
    ),
    Example(
        title="a tool that always patched packages",
        before={"package.json": package_json("1.0.0"), "index.js": _PATCH},
        after={"package.json": package_json("1.0.1"), "index.js": _PATCH + "exports.version = 2;\n"},
    ),
)

_MESSAGES = {
    "autorun": "writes, without being called, to a file of another package",
    "call": "writes, when it is called, to a file of another package",
    "first-contact": "writes, without being called, to a file of another package",
}
_WRITES = (Kind.FS_WRITE, Kind.FS_DELETE)
# A folder of packages and the name of one in it, but for what tools keep there (``.cache``, ``.bin``); the code of an
# application of Electron where such are installed.
_OTHERS = r"""
    (?:^|/) (?:node_modules|site-packages|dist-packages) / (?![.*{]) (?:@[\w.-]+/)? [\w.-]+ / [^/]
    | ^ (?:\./|__dirname/|\{\}/)? (?P<up>(?:\.\./){1,4}) (?![.*{]) (?:@[\w.-]+/)? [\w-]+ / (?:[\w.-]+/){0,6}
      [\w.-]+\.(?:[cm]?js|py|json|node) $
    | (?:^~ | APPDATA | ProgramFiles | ^/Applications | ^/opt | ^/usr ) [^*{}]* /resources/(?:app\.asar|app/)
"""


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding for each variant."""
    tally = Tally(CARD)
    for pair in update.pairs:
        own = str(update.after.project).lower()
        had = _had(pair.before, own) if pair.before else frozenset()
        for placed in pair.gained(*_WRITES):
            alone = runs_by_itself(placed)
            if not _of_another(placed, own) or (True in had if alone else had) or (pair.before is None and not alone):
                continue
            variant = "first-contact" if pair.before is None else "autorun" if alone else "call"
            tally.add(variant, pair, placed)
            tally.explain(variant, decoded(pair, placed.path))
    yield from tally.findings(_MESSAGES)


def _had(view: ArtifactView, own: str) -> frozenset[bool]:
    """Return for each place where the line did it whether it ran by itself."""
    return frozenset(runs_by_itself(one) for one in view.placed if one.fact.kind in _WRITES and _of_another(one, own))


def _of_another(placed: Placed, own: str) -> bool:
    """Whether a path lies in another package than the one whose file names it."""
    path = (placed.fact.value or "").replace("\\", "/")
    found = _others().search(path)
    if found is None or (found["up"] and found["up"].count("/") not in _beside(placed.path, own)):
        return False
    return own not in path.lower().split("/")


def _beside(path: str, own: str) -> tuple[int, ...]:
    """Return how many folders up from a file other packages lie: beside its own (npm), or where its own is (PyPI)."""
    depth = path.count("/")
    if path.endswith(".py"):
        return (depth,)
    return (depth + 1, depth + 2) if own.startswith("@") else (depth + 1,)


@cache
def _others() -> re.Pattern[str]:
    return re.compile(_OTHERS, re.VERBOSE)
