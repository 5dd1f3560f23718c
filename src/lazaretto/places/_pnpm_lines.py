"""What pnpm prints: a summary of what a project asks for, the scripts it starts, or a JSON document on each line.

On a terminal and in a CI it names only what the project itself asks for, each line below a heading (``dependencies:``);
``--reporter=ndjson`` names everything that was fetched or found in its store, and every script.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise

import msgspec

from lazaretto.core.inventory import Sign

_HEADINGS = frozenset({"dependencies:", "devDependencies:", "optionalDependencies:", "peerDependencies:"})
_NAME = re.compile(r"(?:@[\w.~-]{1,214}/)?[A-Za-z0-9_][\w.~-]{0,213}")
_VERSION = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+(?:[-+][\w.+~-]*)?")
_RELEASE = re.compile(rf"({_NAME.pattern})@({_VERSION.pattern})")
_STORED = re.compile(rf"(@[\w.~-]{{1,214}}\+)?({_NAME.pattern})@({_VERSION.pattern})")
_SHELLS = frozenset({"preinstall$", "install$", "postinstall$", "prepare$"})
_GOT = frozenset({"fetched", "found_in_store"})

Told = tuple[str, str, Sign]
"""Name, version, and what was seen of it."""


class _Line(msgspec.Struct):
    """The part of a line of ``--reporter=ndjson`` that is of interest."""

    name: str = ""
    time: float = 0
    status: str = ""
    package: str = msgspec.field(default="", name="packageId")
    path: str = msgspec.field(default="", name="depPath")
    script: str | None = None


_LINE = msgspec.json.Decoder(_Line)


class Summary:
    """Follows the lines of a log: whether one of them is an item of pnpm's summary, its heading says."""

    def __init__(self) -> None:
        self._listed = False

    def take(self, words: list[str]) -> Told | None:
        """Return what an item says was added; what was taken away is none, nor a folder, nor a git address."""
        if not self._listed:
            self._listed = len(words) == 1 and words[0] in _HEADINGS
            return None
        name, version = [*(words[3:5] if words[2:3] == ["<-"] else words[1:3]), "", ""][:2]
        known = bool(_NAME.fullmatch(name) and _VERSION.fullmatch(version))
        self._listed = words[:1] in (["+"], ["-"]) and (known or "<-" in words)
        return (name, version, Sign.NONE) if self._listed and known and words[0] == "+" else None


def document(text: str) -> tuple[datetime | None, Told | None]:
    """Return when a line of JSON was written, and what it tells."""
    try:
        line = _LINE.decode(text)
        at = datetime.fromtimestamp(line.time / 1000, UTC) if line.time else None
    except (msgspec.DecodeError, RecursionError, UnicodeError, ValueError, OverflowError, OSError):
        return None, None
    if line.name == "pnpm:progress" and line.status in _GOT:
        return at, _release(line.package, Sign.NONE)
    if line.name == "pnpm:lifecycle" and line.script is not None:
        return at, _release(line.path, Sign.SCRIPT | Sign.SCRIPT_RAN)
    return at, None


def scripts(words: list[str]) -> Iterator[Told]:
    """Yield the releases whose script a line says was started, or was not.

    ``.../esbuild@0.21.5/node_modules/esbuild postinstall$ node install.js``, and the same with ``: Running postinstall
    script...``; newer ones leave the version away, and are not understood. ``Ignored build scripts: esbuild@0.21.5``.
    """
    if "Ignored" in words and "scripts:" in words:
        for word in words[words.index("scripts:") + 1 :]:
            told = _release(word.rstrip(",."), Sign.SCRIPT | Sign.SCRIPTS_OFF)
            if told is not None:
                yield told
        return
    for word, after in pairwise(words):
        if "/node_modules/" in word and (after in _SHELLS or (after == "Running" and word.endswith(":"))):
            folder = word.rpartition("/node_modules/")[0].rpartition("/")[2]
            match = _STORED.match(folder)
            if match is not None:
                scope = (match.group(1) or "").replace("+", "/")
                yield scope + match.group(2), match.group(3), Sign.SCRIPT | Sign.SCRIPT_RAN
            return


def _release(text: str, signs: Sign) -> Told | None:
    """Return the release of an identifier of pnpm's: peers stand behind it in brackets."""
    match = _RELEASE.fullmatch(text.partition("(")[0].removeprefix("/"))
    return None if match is None else (match.group(1), match.group(2), signs)
