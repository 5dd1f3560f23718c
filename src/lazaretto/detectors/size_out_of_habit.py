"""This update grew as its line of releases never did.

## What it detects
A large new file of code at the top of the package that nothing of the earlier release accounts for; a file of code
that became many times as long; and a package that as a whole became ten times as large.

## Why it matters
19 of 75 documented incidents grew so: payloads are bundled with all that they need, and are dropped where no build
would put them. Bundlers that are newly used do the same to honest packages, so the weights are small.

## What it misses
Small payloads; packages whose files were always large.

## References
- The public records of the Shai-Hulud campaigns (2025, 2026)
- MITRE ATT&CK T1195.002; T1027.009, Embedded Payloads
"""

from collections.abc import Iterator

from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.question import Tally, file_place, package_json
from lazaretto.core.update import ArtifactView, ChangeStatus, FileChange, Pair, Update

CARD = Card(
    id="size-out-of-habit",
    title="Size out of habit",
    variants={
        "file-at-the-top": "A large file of code is new at the top of the package, and outweighs the line's code.",
        "file-grown": "A file of code became many times as long.",
        "package-grown": "The package became ten times as large.",
    },
    group="shape",
    why="A payload brings all that it needs.",
    attack=("T1195.002", "T1027.009"),
)

LARGE = 300_000
"""Bytes from which a new file of code is large."""

GROWN = 200_000
"""Bytes that a file must have gained at least."""

TIMES = 8
"""How many times as long a file must have become at least."""

PACKAGE_GROWN = 5_000_000
PACKAGE_TIMES = 10

_CODE = (".js", ".cjs", ".mjs", ".py", ".pyw", ".sh", ".ps1")
_BEFORE = {"package.json": package_json("1.0.0"), "index.js": "module.exports = (a) => a;\n" * 80}
_AFTER = {"package.json": package_json("1.0.1"), "index.js": "module.exports = (a) => a;\n" * 80}
_LONG = "exports.a = 1;\n" * 24_000

EXAMPLES = (
    Example(
        title="a bundle appears at the top of a small package",
        before=_BEFORE,
        after={**_AFTER, "bundle.js": _LONG},
        expect="file-at-the-top",
        at="bundle.js:1",
    ),
    Example(
        title="the entry file becomes a hundred times as long",
        before=_BEFORE,
        after={**_AFTER, "index.js": _LONG},
        expect="file-grown",
        at="index.js:1",
    ),
    Example(
        title="the bundle moves to the top",
        before={**_BEFORE, "dist/bundle.js": _LONG},
        after={**_AFTER, "bundle.js": _LONG},
    ),
    Example(title="a build is added where builds are", before=_BEFORE, after={**_AFTER, "dist/bundle.js": _LONG}),
    Example(title="a file grows by a half", before=_BEFORE, after={**_AFTER, "index.js": _AFTER["index.js"] * 2}),
)

_MESSAGES = {
    "file-at-the-top": "brings a large file of code at its top that outweighs all code of the line",
    "file-grown": "has a file of code that became many times as long",
    "package-grown": "became ten times as large",
}


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding for each variant; none at first contact."""
    tally = Tally(CARD)
    for pair in update.pairs:
        if pair.before is None:
            continue
        told = False
        for change in pair.changes.values():
            variant = _variant(pair, pair.before, change)
            if variant and change.after is not None:
                told = True
                detail = f"{change.before.size if change.before else 0} -> {change.after.size} bytes"
                tally.say(variant, f"{change.path}, {detail}", file_place(pair, change.path, detail))
        before, after = pair.before.tree.size, pair.after.tree.size
        if not told and after - before >= PACKAGE_GROWN and after >= PACKAGE_TIMES * before:
            largest = max(pair.changes.values(), key=lambda change: change.after.size if change.after else 0)
            tally.say("package-grown", f"{before} -> {after} bytes", file_place(pair, largest.path))
    yield from tally.findings(_MESSAGES)


def _variant(pair: Pair, before: ArtifactView, change: FileChange) -> str | None:
    if change.after is None or not change.path.endswith(_CODE):
        return None
    size, was = change.after.size, change.before.size if change.before else 0
    if change.status is ChangeStatus.CHANGED:
        return "file-grown" if size - was >= GROWN and size >= TIMES * max(was, 1) else None
    if size < LARGE or "/" in change.path:
        return None
    gone = (one.before.size for one in pair.changes.values() if one.after is None and one.before is not None)
    return None if size < _code(before) or any(2 * was > size for was in gone) else "file-at-the-top"


def _code(view: ArtifactView) -> int:
    """Return the bytes of all code of an artifact."""
    return sum(blob.size for path, blob in view.tree.files.items() if path.endswith(_CODE))
