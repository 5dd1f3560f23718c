"""This update is the first release of its project, and its version outdoes any other.

## What it detects
Where nothing was released before, a major version of nines: 999 and more of them, or 99 if an index lists no other
release.

## Why it matters
A client that asks a public and a private registry takes the higher version of the two. Whoever claims the name of a
company's own package in public, to be installed instead of it, gives it a version that the company will never reach.
A person who meant to install the private package should look, whatever the release does: the next one may do more.

## What it misses
A version that outdoes the private one by little, which takes knowing it; a release that is looked at as an archive
alone and counts to 99, for there are projects that came to 99 honestly.

## References
- The public record of dependency confusion (Birsan, *Dependency Confusion*, 2021)
- MITRE ATT&CK T1195.002
"""

import re
from collections.abc import Iterator

from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.habit import published_earlier
from lazaretto.core.question import index_place, package_json
from lazaretto.core.update import Update

CARD = Card(
    id="version-outdoes-all",
    title="First version outdoes any other",
    variants={"first": "The first version of a project is a number that outdoes any other."},
    group="first-contact",
    why="A client that asks two registries takes the higher version: a stranger's, if it is 999.",
    attack=("T1195.002",),
)

_NINES = re.compile(r"(?:\d+!)?(9{2,})(?![0-9])")
_SURELY = 3
"""Nines of a major version that no project ever counted up to."""


def _example(title: str, version: str, expect: str | None, **index: object) -> Example:
    return Example(
        title=title,
        after={"package.json": package_json(version), "index.js": "module.exports = 1;\n"},
        world={"after": {"version": version, **index}},
        expect=expect,
        at="index:version:0" if expect else None,
    )


EXAMPLES = (
    _example("a version that outdoes whatever a company calls its own package of this name", "9999.9.9", "first"),
    _example("nobody listed a release of this name before", "99.10.9", "first"),
    _example("an archive by itself, of a project which counts as its browser does", "99.0.3", None, published=None),
    _example("the first version is a year", "2026.1.0", None),
    _example("a first version with nines behind its major one", "0.999.99", None),
    Example(
        title="a project that came to it from below",
        before={"package.json": package_json("98.1.0"), "index.js": "module.exports = 1;\n"},
        after={"package.json": package_json("99.0.0"), "index.js": "module.exports = 2;\n"},
        world={"before": {"version": "98.1.0"}, "after": {"version": "99.0.0"}},
    ),
)


def detect(update: Update) -> Iterator[Finding]:
    """Yield a finding if this is the first release of its project, by all that is known."""
    nines = _NINES.match(update.after.version)
    if nines is None or not update.first_contact or published_earlier(update):
        return
    if len(nines[1]) >= _SURELY or update.after.published is not None:
        message = f"The first version of this project is {update.after.version}: a number that outdoes any other"
        yield Finding(CARD.id, "first", message, (index_place(update, "version", update.after.version),))
