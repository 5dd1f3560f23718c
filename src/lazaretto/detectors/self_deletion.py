"""This update deletes its own files, or carries a second manifest to put in their place.

## What it detects
Code that deletes or writes over the file it stands in, or replaces its own manifest, new to the line; and a second
manifest of the same package under another name (`package.md`, `package.json.bak`) that states another version.
At first contact both are asked as well: no honest package cleans up after its own installer.

## Why it matters
It removes the evidence. After the axios compromise the folder of the dependency held a clean manifest of an earlier
version, so that `npm ls` and auditors saw nothing.

## What it misses
Traces that are removed by a process which the payload starts; a second manifest inside an archive.

## References
- The public record of axios 1.14.1 (2026-03-31)
- MITRE ATT&CK T1070.004, File Deletion; T1036.005
"""

from collections.abc import Iterator

from msgspec import DecodeError, Struct, json

from lazaretto.core.facts import Fact, Kind
from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.question import Tally, decoded, file_place, package_json, runs_by_itself
from lazaretto.core.update import Pair, Update

CARD = Card(
    id="self-deletion",
    title="Deletes or replaces its own files",
    variants={
        "autorun": "Code that runs by itself deletes or writes over its own file, or replaces its own manifest.",
        "call": "A function deletes or writes over its own file, or replaces its own manifest.",
        "second-manifest": "The archive carries a second manifest of this package with another version.",
    },
    group="self-deletion",
    why="Honest code has no reason to remove the traces of its own installation.",
    attack=("T1195.002", "T1070.004", "T1036.005"),
)

MAX_MANIFEST = 65_536
"""Largest file that is looked at as a second manifest, in bytes."""

_BEFORE = {"package.json": package_json("1.0.0"), "index.js": "module.exports = (a) => a;\n"}

EXAMPLES = (
    Example(
        title="an install script deletes itself",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1", scripts={"postinstall": "node setup.js"}),
            "index.js": "module.exports = (a) => a;\n",
            "setup.js": "const fs = require('fs');\nfs.unlinkSync(__filename);\n",
        },
        expect="autorun",
        at="setup.js:2",
    ),
    Example(
        title="first contact with a package that brings a clean manifest to swap in",
        after={
            "package.json": package_json("1.0.1", scripts={"postinstall": "node setup.js"}),
            "package.md": package_json("1.0.0"),
            "setup.js": "console.log('done');\n",
        },
        expect="second-manifest",
        at="package.md:1",
    ),
    Example(
        title="an install script removes its download folder",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1", scripts={"postinstall": "node setup.js"}),
            "index.js": "module.exports = (a) => a;\n",
            "setup.js": "require('fs').rmSync('build-cache', { recursive: true, force: true });\n",
        },
    ),
    Example(
        title="a lock file and a manifest of another package manager",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "package-lock.json": package_json("1.0.0"),
            "bower.json": package_json("0.9.0"),
            "index.js": "module.exports = (a) => a;\n",
        },
    ),
)

_MESSAGES = {
    "autorun": "deletes or replaces its own files without being called",
    "call": "deletes or replaces its own files when it is called",
    "second-manifest": "carries a second manifest with another version",
}


class _Identity(Struct):
    """The two fields of a manifest that are compared; whatever else it holds is skipped."""

    name: str
    version: str


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding for each variant."""
    tally = Tally(CARD)
    for pair in update.pairs:
        for placed in pair.gained(Kind.FS_SELF_DELETE, Kind.FS_DELETE, Kind.FS_WRITE):
            if not _is_own(placed.fact):
                continue
            if runs_by_itself(placed):
                tally.add("autorun", pair, placed)
                tally.explain("autorun", decoded(pair, placed.path))
            elif pair.before is not None and pair.is_new_kind(placed):
                tally.add("call", pair, placed)
        for path, version in _second_manifests(pair):
            tally.say("second-manifest", f"{path} says {version}", file_place(pair, path, version))
    yield from tally.findings(_MESSAGES)


def _is_own(fact: Fact) -> bool:
    """Whether what is deleted or written is the file itself or its manifest, by the names that code has for them."""
    value = fact.value or ""
    if fact.kind is Kind.FS_SELF_DELETE:
        return True
    if value.endswith(("__dirname/package.json", "__dirname/../package.json")):
        return True
    # To write over the file that runs removes its traces as well. Python's name stands for many files in setup scripts.
    return value.endswith("__filename") or (fact.kind is Kind.FS_DELETE and value.endswith("__file__"))


def _second_manifests(pair: Pair) -> Iterator[tuple[str, str]]:
    """Yield (path, version) of files beside the manifest that claim to be this package in another version."""
    manifest = pair.after.manifest
    for path, change in pair.changes.items():
        blob = change.after
        if blob is None or path == manifest.path or "/" in path or not _may_be_swapped_in(path.lower()):
            continue
        if blob.size > MAX_MANIFEST or not blob.data.lstrip().startswith(b"{"):
            continue
        try:
            found = json.decode(blob.data, type=_Identity)
        except (DecodeError, UnicodeDecodeError):
            continue
        if found.name == manifest.name and found.version != manifest.version:
            yield path, found.version


def _may_be_swapped_in(name: str) -> bool:
    """Whether no tool has a use for a manifest of this name; lock files and other managers' manifests do."""
    if name.endswith(".json"):
        return name.lstrip("._-").startswith("package") and not name.startswith("package-lock")
    return True
