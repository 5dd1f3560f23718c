"""This update is one of several that its project brought out within the hour, as it never did before.

## What it detects
A third release of one line within an hour, in a project with at least ten earlier releases of which no three of one
line ever came so close together.

## Why it matters
Whoever attacks with a stolen token corrects mistakes in public: the payload that did not run, the file that was left
out. Maintainers mend a broken release in haste, too, so this says little alone.

## What it misses
Attackers whose first release works; projects that publish on every commit. Bursts over the packages of one publisher
need the index of all of them, and an update shows one.

## References
- The public records of jscrambler and Joyfill (2026)
- MITRE ATT&CK T1195.002
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.model import Provided, Release
from lazaretto.core.question import index_place, package_json
from lazaretto.core.update import Update

CARD = Card(
    id="releases-in-haste",
    title="Releases in haste",
    variants={"third-in-an-hour": "It is the third of its line within an hour, as never before in this project."},
    group="tempo",
    why="What is corrected within minutes was published without a rehearsal.",
    attack=("T1195.002",),
    needs=frozenset({Provided.TIME}),
)

WINDOW = timedelta(hours=1)
MANY = 3
HABIT = 10
"""Earlier releases with a known time that a project must have before it can have a habit."""

_BEFORE = {"package.json": package_json("1.0.0"), "index.js": "module.exports = 1;\n"}
_AFTER = {"package.json": package_json("1.0.9"), "index.js": "module.exports = 2;\n"}


def _example(title: str, expect: str | None, *others: tuple[str, str]) -> Example:
    old = [(f"0.9.{n}", f"2025-{n + 1:02}-01T00:00:00Z") for n in range(10)]
    return Example(
        title=title,
        before=_BEFORE,
        after=_AFTER,
        world={
            "now": "2026-03-10T13:00:00Z",
            "history": [{"version": version, "published": at} for version, at in (*old, *others)],
            "before": {"published": "2026-01-10T12:00:00Z"},
            "after": {"version": "1.0.9", "published": "2026-03-10T12:00:00Z"},
        },
        expect=expect,
        at="index:time:0" if expect else None,
    )


EXAMPLES = (
    _example(
        "two releases of the line stand in the half hour before it",
        "third-in-an-hour",
        ("1.0.7", "2026-03-10T11:31:00Z"),
        ("1.0.8", "2026-03-10T11:45:00Z"),
    ),
    _example(
        "three within minutes",
        "third-in-an-hour",
        ("1.0.7", "2026-03-10T11:57:00Z"),
        ("1.0.8", "2026-03-10T11:58:00Z"),
    ),
    _example("a release is mended once", None, ("1.0.8", "2026-03-10T11:45:00Z")),
    _example(
        "a project that publishes on every commit",
        None,
        ("0.9.20", "2025-11-10T11:01:00Z"),
        ("0.9.21", "2025-11-10T11:20:00Z"),
        ("0.9.22", "2025-11-10T11:40:00Z"),
        ("1.0.7", "2026-03-10T11:31:00Z"),
        ("1.0.8", "2026-03-10T11:45:00Z"),
    ),
)


def detect(update: Update) -> Iterator[Finding]:
    """Yield at most one finding; none at first contact."""
    at = update.after.published
    if update.first_contact or at is None:
        return
    line = _line(update.after)
    near = sorted(when for when in _times(update.releases, line) if timedelta(0) <= at - when <= WINDOW)
    older = [release for release in update.releases if release.published and at - release.published > WINDOW]
    if len(near) < MANY or len(older) < HABIT or _was_hasty(older):
        return
    told = f"{len(near)} releases of the line between {near[0]:%Y-%m-%d %H:%M} and {at:%H:%M} UTC"
    yield Finding(
        CARD.id, "third-in-an-hour", f"This update comes in haste: {told}", (index_place(update, "time", told),)
    )


def _line(release: Release) -> str:
    return release.version.partition(".")[0]


def _times(releases: Iterable[Release], line: str) -> list[datetime]:
    return [release.published for release in releases if release.published is not None and _line(release) == line]


def _was_hasty(releases: list[Release]) -> bool:
    """Whether three releases of one line ever came within the window."""
    for line in {_line(release) for release in releases}:
        times = sorted(_times(releases, line))
        if any(last - first <= WINDOW for first, last in zip(times, times[MANY - 1 :], strict=False)):
            return True
    return False
