"""This update ends a long silence of its project.

## What it detects
A release that comes more than nine months after the newest release of any line before it.

## Why it matters
A dormant project has few eyes on it and, often, an account whose e-mail domain has lapsed: 15 of 75 documented
incidents woke one. Alone it says next to nothing, beside a new publisher or a new hook it says more.

## What it misses
Projects that release often.

## References
- Zahan et al., *What are Weak Links in the npm Supply Chain?* (arXiv 2112.10165)
- MITRE ATT&CK T1195.002
"""

from collections.abc import Iterator
from datetime import timedelta

from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.habit import published_earlier
from lazaretto.core.model import Provided
from lazaretto.core.question import index_place, package_json
from lazaretto.core.update import Update

CARD = Card(
    id="release-after-silence",
    title="Release after a long silence",
    variants={"silence": "No line of the project had a release for more than nine months."},
    group="tempo",
    why="Few people look at a project that sleeps.",
    attack=("T1195.002",),
    needs=frozenset({Provided.TIME}),
)

SILENCE = timedelta(days=270)

_BEFORE = {"package.json": package_json("1.0.0"), "index.js": "module.exports = 1;\n"}
_AFTER = {"package.json": package_json("1.0.1"), "index.js": "module.exports = 2;\n"}

EXAMPLES = (
    Example(
        title="a release after three years",
        before=_BEFORE,
        after=_AFTER,
        world={"before": {"published": "2023-03-01T00:00:00Z"}},
        expect="silence",
        at="index:time:0",
    ),
    Example(
        title="a Python project after a year",
        ecosystem="pypi",
        before={"pad/__init__.py": "WIDTH = 2\n"},
        after={"pad/__init__.py": "WIDTH = 3\n"},
        world={"before": {"published": "2025-03-01T00:00:00Z"}},
        expect="silence",
        at="index:time:0",
    ),
    Example(title="a release after six weeks", before=_BEFORE, after=_AFTER, world={"package": "example-package"}),
    Example(
        title="an old line sleeps while another is maintained",
        before=_BEFORE,
        after=_AFTER,
        world={
            "before": {"published": "2023-03-01T00:00:00Z"},
            "history": [{"version": "2.0.0", "published": "2026-03-01T00:00:00Z"}],
        },
    ),
)


def detect(update: Update) -> Iterator[Finding]:
    """Yield at most one finding; none at first contact."""
    at = update.after.published
    times = [release.published for release in published_earlier(update) if release.published is not None]
    if update.first_contact or at is None or not times or at - max(times) <= SILENCE:
        return
    told = f"{(at - max(times)).days} days after the newest release before it"
    yield Finding(CARD.id, "silence", f"This update ends a silence: {told}", (index_place(update, "time", told),))
