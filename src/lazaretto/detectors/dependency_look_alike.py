"""This update depends on a project whose name is near a well-known one.

## What it detects
A new dependency that is not itself well known and whose name is one edit away from a well-known name, equal to it but
for separators or look-alike characters, a well-known name in another or without its scope, or a well-known name with a
prefix or suffix that lends itself to confusion. Projects with a year or twenty releases behind them are left alone.

## Why it matters
`plain-crypto-js` was chosen so that a reviewer of one changed line reads `crypto-js`.

## What it misses
Names that resemble nothing; names that mislead by meaning; look-alikes that have become established.

## References
- Vu et al., *Typosquatting and Combosquatting Attacks on the Python Ecosystem* (2020)
- MITRE ATT&CK T1036.005, Match Legitimate Resource Name or Location
"""

from collections.abc import Iterator
from datetime import timedelta

from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.habit import age_of, is_sibling
from lazaretto.core.model import DependencySource
from lazaretto.core.question import Tally, dependency_place, new_edges, package_json
from lazaretto.core.update import Edge, Update

CARD = Card(
    id="dependency-look-alike",
    title="New dependency with a misleading name",
    variants={
        "misspelt": "The name is one edit, or look-alike characters, away from a well-known name.",
        "scope": "The name is a well-known one in another scope, or without its scope.",
        "affixed": "The name is a well-known one with a prefix or suffix.",
    },
    group="dependency",
    why="It is meant to be taken for the other one.",
    attack=("T1195.001", "T1036.005"),
)

MIN_LENGTH = 5
"""Shortest well-known name that is compared: among shorter ones nearly everything is one edit apart."""

ESTABLISHED_AGE = timedelta(days=365)
ESTABLISHED_RELEASES = 20

_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789-_."
_PREFIXES = (
    "plain", "easy", "simple", "node", "js", "py", "python", "real", "true", "new", "fast", "lib", "the", "my", "pure",
)  # fmt: skip
_SUFFIXES = (
    "js", "node", "py", "python", "lib", "core", "utils", "util", "helper", "helpers", "plus", "pro", "next", "latest",
    "fixed", "patch", "official", "native", "lite", "api", "sdk", "v2", "x", "dev", "module", "package",
)  # fmt: skip
_INDEX = "module.exports = (a) => a;\n"
_BEFORE = {"package.json": package_json("1.0.0"), "index.js": _INDEX}


def _world(name: str) -> dict[str, object]:
    files = {"index.js": _INDEX, "package.json": package_json("1.0.0").replace("example-package", name)}
    release = {"name": name, "version": "1.0.0", "published": "2026-02-01T00:00:00Z", "files": files}
    return {"dependency": [{**release, "publisher": "newcomer <newcomer@mail.invalid>"}]}


def _after(name: str) -> dict[str, str]:
    return {"package.json": package_json("1.0.1", dependencies={name: "^1.0.0"}), "index.js": _INDEX}


EXAMPLES = (
    Example(
        title="a letter of a well-known name is doubled",
        before=_BEFORE,
        after=_after("expresss"),
        world=_world("expresss"),
        expect="misspelt",
        at="package.json:6",
    ),
    Example(
        title="a well-known name behind a plain word",
        before=_BEFORE,
        after=_after("plain-lodash"),
        world=_world("plain-lodash"),
        expect="affixed",
        at="package.json:6",
    ),
    Example(
        title="a name of its own",
        before=_BEFORE,
        after=_after("zebra-crossing-signals"),
        world=_world("zebra-crossing-signals"),
    ),
    Example(
        title="the well-known project itself",
        before=_BEFORE,
        after=_after("lodash"),
        world=_world("lodash"),
    ),
)

_MESSAGES = {
    "misspelt": "depends on a name that is nearly a well-known one",
    "scope": "depends on a well-known name in another scope",
    "affixed": "depends on a well-known name with something added",
}


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding for each variant, at the manifest line of each dependency."""
    tally = Tally(CARD)
    for edge in new_edges(update):
        name = str(edge.dependency.project)
        if edge.dependency.source not in (DependencySource.REGISTRY, DependencySource.ALIAS) or name in update.names:
            continue
        if _established(update, edge) or is_sibling(update, edge):
            continue
        resembled = look_alike(name, update.names)
        if resembled:
            variant, known = resembled
            tally.say(variant, f"{name} (near {known})", dependency_place(update, edge.dependency))
    yield from tally.findings(_MESSAGES)


def _established(update: Update, edge: Edge) -> bool:
    if edge.project is None:
        return False
    age = age_of(update, edge)
    return (age is not None and age > ESTABLISHED_AGE) or len(edge.project.releases) >= ESTABLISHED_RELEASES


def look_alike(name: str, known: frozenset[str]) -> tuple[str, str] | None:
    """Return (variant, the well-known name) that a name resembles, or None. Takes some thousand look-ups."""
    scope, _, bare = name.rpartition("/")
    for candidate in sorted(_one_edit_away(name)):
        if len(candidate.rpartition("/")[2]) >= MIN_LENGTH and candidate in known:
            return "misspelt", candidate
    if scope and len(bare) >= MIN_LENGTH and bare in known:
        return "scope", bare
    if not scope and (joined := _scoped(name)) in known:
        return "scope", joined
    words = bare.replace("_", "-").replace(".", "-").split("-")
    for trimmed, affix, affixes in ((words[1:], words[0], _PREFIXES), (words[:-1], words[-1], _SUFFIXES)):
        for separator in "-_.":
            rest = separator.join(trimmed)
            if affix in affixes and len(rest) >= MIN_LENGTH and rest in known:
                return "affixed", rest
    return None


def _scoped(name: str) -> str:
    """``babel-core`` -> ``@babel/core``."""
    head, _, tail = name.partition("-")
    return f"@{head}/{tail}"


def _one_edit_away(name: str) -> set[str]:
    """Return what one insertion, deletion, change or swap makes of a name, and its look-alikes."""
    made = {name[:at] + name[at + 1 :] for at in range(len(name))}
    made |= {name[:at] + name[at + 1] + name[at] + name[at + 2 :] for at in range(len(name) - 1)}
    for letter in _LETTERS:
        made |= {name[:at] + letter + name[at:] for at in range(len(name) + 1)}
        made |= {name[:at] + letter + name[at + 1 :] for at in range(len(name))}
    made |= {name.replace("rn", "m"), name.replace("vv", "w"), name.translate(str.maketrans("01358", "olesb"))}
    made |= {name.replace("-", ""), name.replace("_", "-"), name.replace(".", "-"), name.replace("-", ".")}
    return made - {name}
