"""Recorded differences between two releases, as diffoscope prints them in Markdown: what they show of both sides.

A report holds the contents of files that both sides have, and of those only the lines around what changed. Code that
is cut out of a function is given the beginning of one again, so that it is not taken for code that runs at once. What
is on one side alone, and what a report leaves out, nobody sees: figures from such reports are a lower bound.
"""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from msgspec import Struct

_COMPARING = re.compile(r"^#+ Comparing `([^`]+)` & `([^`]+)`\s*$")
_HUNK = re.compile(r"^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")
_ARCHIVES = (".tar", ".tar.gz", ".whl", ".zip", ".tgz", ".tar.bz2")
_MADE = ("PKG-INFO", "METADATA", "RECORD", "SOURCES.txt")
MAX_LINES = 400_000
"""Longest report that is read, in lines."""


class Sides(Struct, frozen=True):
    """What a report shows of the earlier and the later release: path -> text, without the folder of the release."""

    before: dict[str, str]
    after: dict[str, str]
    wheel: bool


def sides(report: str) -> Sides:
    """Return both sides of a report."""
    lines = report.split("\n", MAX_LINES)[:MAX_LINES]
    wheel = ".whl" in (lines[0] if lines else "")
    before: dict[str, str] = {}
    after: dict[str, str] = {}
    for old, new, diff in _sections(lines):
        if old.endswith(_ARCHIVES) or PurePosixPath(new).name in _MADE:
            continue
        python = new.endswith((".py", ".pyi"))
        one, two = _texts(diff, 0, python=python), _texts(diff, 1, python=python)
        if one or two:
            before[_bare(old, wheel=wheel)] = one
            after[_bare(new, wheel=wheel)] = two
    return Sides(before, after, wheel)


def _bare(path: str, *, wheel: bool) -> str:
    return path if wheel else path.partition("/")[2] or path


def _sections(lines: list[str]) -> Iterator[tuple[str, str, list[str]]]:
    """Yield (earlier path, later path, lines of the difference) for each file whose content is compared."""
    pair: tuple[str, str] | None = None
    diff: list[str] | None = None
    for line in lines:
        if diff is not None:
            if line == "```":
                if pair is not None:
                    yield (*pair, diff)
                pair = diff = None
            else:
                diff.append(line)
        elif line == "```diff":
            diff = []
        elif line.startswith("#"):
            match = _COMPARING.match(line)
            pair = (match[1], match[2]) if match else None


def _texts(diff: list[str], side: int, *, python: bool) -> str:
    """Return the text of one side: the lines of each hunk, and what a hunk of Python needs to be read by itself."""
    pieces: list[str] = []
    lines: list[str] = []
    first = 1
    for line in (*diff, "@@ -1 +1 @@"):
        match = _HUNK.match(line)
        if match is None:
            if line[:1] in (" ", "+-"[1 - side]):
                lines.append(line[1:])
            continue
        if lines:
            pieces.append("\n".join([*(_opening(lines) if python and first > 1 else ()), *lines]))
        lines, first = [], int(match[1 + side])
    return "\n\n".join(pieces) + "\n" if pieces else ""


def _opening(lines: list[str]) -> Iterator[str]:
    """Yield the heads of the blocks that the first line of a hunk stands in."""
    first = next((line for line in lines if line.strip()), "")
    depth = len(first) - len(first.lstrip(" "))
    step = next(size for size in (4, 2, 1) if depth % size == 0)
    inner = first.lstrip().startswith(("def ", "async def ", "class ", "@"))
    for indent in range(0, depth, step):
        owner = inner or indent < depth - step
        yield " " * indent + ("class _:" if owner and indent == 0 else "def _(self, *_):")
