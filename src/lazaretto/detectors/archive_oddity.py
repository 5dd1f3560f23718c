"""This update is packed as no honest packer packs.

## What it detects
Members that leave the package (absolute or parent paths, links, devices), that hide what is there (duplicates,
overlaps, encryption, data after the end), or whose names are made to confuse (control characters, names that differ
in case alone), of a sort that the earlier release did not have.

## Why it matters
Where two unpackers disagree about what an archive holds, a scanner reads one file and a client installs another.

## What it misses
Oddities that the line always had. What is refused outright (see the limits of the reader) never comes this far.

## References
- PEP 625, PEP 427; npm documentation, *package tarballs*
- MITRE ATT&CK T1036, Masquerading
"""

from collections.abc import Iterator, Mapping

from lazaretto.core.finding import Card, Evidence, Example, Finding
from lazaretto.core.question import Tally, package_json, shown
from lazaretto.core.tree import Oddity, Tree
from lazaretto.core.update import Pair, Update

CARD = Card(
    id="archive-oddity",
    title="Oddly packed archive",
    variants={
        "ambiguous": "Unpackers may disagree: duplicates, overlaps, encrypted members, data after the end.",
        "escaping": "Members point out of the package: absolute or parent paths, links, devices.",
        "odd-name": "Names are made to confuse: control characters, or a difference in case alone.",
        "first-contact": "There is no earlier release; unpackers may disagree, or members point out of the package.",
    },
    group="shape",
    why="A scanner may read one file where a client installs another.",
    attack=("T1195.002", "T1036"),
)

_SORTS: Mapping[str, str] = {
    "duplicate": "ambiguous",
    "overlap": "ambiguous",
    "encrypted": "ambiguous",
    "trailing-data": "ambiguous",
    "absolute-path": "escaping",
    "parent-path": "escaping",
    "link": "escaping",
    "device": "escaping",
    "odd-name": "odd-name",
    "case-collision": "odd-name",
}

_BEFORE = {"package.json": package_json("1.0.0"), "index.js": "module.exports = (a) => a;\n"}
_AFTER = {"package.json": package_json("1.0.1"), "index.js": "module.exports = (a) => a;\n"}

EXAMPLES = (
    Example(
        title="two files differ in case alone",
        before=_BEFORE,
        after={**_AFTER, "Index.js": "module.exports = (a) => a + 1;\n"},
        expect="odd-name",
        at="Index.js:0",
    ),
    Example(
        title="a name ends in white space",
        before=_BEFORE,
        after={**_AFTER, "index.js ": "module.exports = (a) => a + 1;\n"},
        expect="odd-name",
        at="index.js :0",
    ),
    Example(
        title="a folder of fixtures is added",
        before=_BEFORE,
        after={**_AFTER, "fixtures/a b.txt": "a\n", "fixtures/\u00fc.txt": "b\n"},
    ),
    Example(
        title="a file changes", before=_BEFORE, after={**_AFTER, "index.js": "module.exports = (a) => a.trim();\n"}
    ),
)

_MESSAGES = {
    "ambiguous": "is packed so that unpackers may disagree",
    "escaping": "is packed with members that point out of it",
    "odd-name": "is packed with names that confuse",
    "first-contact": "is packed oddly",
}


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding for each variant."""
    tally = Tally(CARD)
    for pair in update.pairs:
        had = {oddity.kind for oddity in _oddities(pair.before.tree)} if pair.before else set()
        for oddity in _oddities(pair.after.tree):
            variant = _SORTS.get(oddity.kind, "odd-name")
            if pair.before is None:
                variant = "first-contact" if variant != "odd-name" else ""
            if variant and oddity.kind not in had:
                tally.say(variant, f"{oddity.kind} {shown(oddity.path)}", _place(pair, oddity))
    yield from tally.findings(_MESSAGES)


def _oddities(tree: Tree) -> Iterator[Oddity]:
    """Yield what the reader of the archive saw, and what the names alone show."""
    yield from tree.oddities
    seen: dict[str, str] = {}
    for path in tree:
        other = seen.setdefault(path.casefold(), path)
        if other != path:
            yield Oddity("case-collision", other, f"beside {path}")
        elif path != path.strip() or min(path, default=" ") < " " or "\\" in path:
            yield Oddity("odd-name", path, "white space at an end, control characters or back-slashes")


def _place(pair: Pair, oddity: Oddity) -> Evidence:
    """Name the member if it was read; what was not read has no path in the tree."""
    path = oddity.path if oddity.path in pair.after.tree else "index:archive"
    text = f"{oddity.kind}: {shown(oddity.path)} {shown(oddity.detail)}"
    return Evidence(path=path, text=text, artifact=pair.after.artifact.filename)
