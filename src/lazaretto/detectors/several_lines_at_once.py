"""This update appeared together with a release of another line, which this project never did before.

## What it detects
Releases of two or more lines (majors, or minors below 1.0) of the project within two hours of each other, where no
two lines had ever appeared so close together in the project's history.

## Why it matters
Whoever holds a token for some hours wants every user, whatever range they pin: ua-parser-js was published on three
branches at once, axios on two within 39 minutes. Back-ports by maintainers do the same, but then again and again.

## What it misses
Attackers with one line; projects that release all lines together as a habit.

## References
- The public records of ua-parser-js 0.7.29/0.8.0/1.0.0 and axios 1.14.1/0.30.4
- MITRE ATT&CK T1195.002
"""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.model import Provided, Release
from lazaretto.core.question import index_place, package_json
from lazaretto.core.update import Update

CARD = Card(
    id="several-lines-at-once",
    title="Several release lines at once",
    variants={"never-before": "Another line was released within two hours, as never before in this project."},
    group="tempo",
    why="A stolen token is used on every line before it is revoked.",
    attack=("T1195.002",),
    needs=frozenset({Provided.TIME}),
)

WINDOW = timedelta(hours=2)
HABIT = 3
"""Earlier releases with a known time that a project must have before it can have a habit."""

_BEFORE = {"package.json": package_json("1.0.0"), "index.js": "module.exports = 1;\n"}
_AFTER = {"package.json": package_json("1.0.1"), "index.js": "module.exports = 2;\n"}


def _world(*others: tuple[str, str]) -> dict[str, object]:
    old = [("0.7.0", "2024-01-01T00:00:00Z"), ("0.7.1", "2024-06-01T00:00:00Z"), *others]
    return {
        "now": "2026-03-10T13:00:00Z",
        "history": [{"version": version, "published": published} for version, published in old],
        "before": {"published": "2026-01-10T12:00:00Z"},
        "after": {"published": "2026-03-10T12:00:00Z"},
    }


EXAMPLES = (
    Example(
        title="the old line is released half an hour before",
        before=_BEFORE,
        after=_AFTER,
        world=_world(("0.7.2", "2026-03-10T11:30:00Z")),
        expect="never-before",
        at="index:time:0",
    ),
    Example(
        title="three lines within minutes",
        before=_BEFORE,
        after=_AFTER,
        world=_world(("0.7.2", "2026-03-10T11:58:00Z"), ("0.8.0", "2026-03-10T11:59:00Z")),
        expect="never-before",
        at="index:time:0",
    ),
    Example(
        title="a project that always releases its lines together",
        before=_BEFORE,
        after=_AFTER,
        world=_world(("0.7.2", "2026-01-10T12:20:00Z"), ("0.7.3", "2026-03-10T11:30:00Z")),
    ),
    Example(
        title="two patches of one line on the same day",
        before=_BEFORE,
        after=_AFTER,
        world={"now": "2026-03-10T13:00:00Z", "after": {"published": "2026-03-10T12:00:00Z"}},
    ),
)


def detect(update: Update) -> Iterator[Finding]:
    """Yield at most one finding; none at first contact."""
    at = update.after.published
    if update.first_contact or at is None:
        return
    timed = sorted((r for r in update.releases if r.published is not None), key=_when)
    near = [r for r in timed if abs(_when(r) - at.timestamp()) <= WINDOW.total_seconds()]
    others = [r for r in near if line_of(r) != line_of(update.after)]
    old = [r for r in timed if r not in near and _when(r) < at.timestamp()]
    if not others or len(old) < HABIT or _released_together(old):
        return
    told = ", ".join(f"{r.version} at {r.published:%H:%M} UTC" for r in others[:3])
    text = f"{at:%Y-%m-%d %H:%M} UTC, and {told}"
    message = f"This update came together with other release lines: {text}"
    yield Finding(CARD.id, "never-before", message, (index_place(update, "time", text),))


def line_of(release: Release) -> str:
    """Return the release line: the major version, or the minor one below 1.0."""
    parts = release.version.partition("!")[2].split(".") if "!" in release.version else release.version.split(".")
    return ".".join(parts[:2]) if parts[0] == "0" else parts[0]


def _when(release: Release) -> float:
    return release.published.timestamp() if release.published else 0.0


def _released_together(timed: list[Release]) -> bool:
    return any(line_of(a) != line_of(b) and _when(b) - _when(a) <= WINDOW.total_seconds() for a, b in pairwise(timed))
