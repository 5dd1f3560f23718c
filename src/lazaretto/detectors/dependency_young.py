"""This update depends on a project that hardly exists at the instant of the question.

## What it detects
A new dependency whose project first appeared shortly before it is asked for: within 72 hours, within 30 days (alone,
or with a resolved release younger than a day), or within 90 days. Projects of the same house (same npm scope, same
publisher, same attested repository) are told apart: splitting a package in two is honest work.

## Why it matters
The payload of axios 1.14.1 sat in a dependency that was 18 hours old, its weaponised patch 22 minutes old. Every
documented incident that added a dependency added a young one; established packages hardly ever do.

## What it misses
A dependency that appeared only after the release that needs it, and times that cannot be true (a mirror may tell when
it took a release in): such an age is unknown. Dependencies prepared months before (event-stream's was some weeks
old); an old project that was taken over, whose new release is read as an update of its own.

## References
- The public records of event-stream 3.3.6, axios 1.14.1
- MITRE ATT&CK T1195.001
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.habit import age_of, is_sibling
from lazaretto.core.model import Provided
from lazaretto.core.question import Tally, dependency_place, new_edges, package_json
from lazaretto.core.update import Edge, Update

CARD = Card(
    id="dependency-young",
    title="New dependency on a young project",
    variants={
        "hours": "The project of a new dependency first appeared less than 72 hours before.",
        "fresh-release": "The project is younger than 30 days and the release that is resolved younger than a day.",
        "days": "The project of a new dependency first appeared less than 30 days before.",
        "weeks": "The project of a new dependency first appeared less than 90 days before.",
        "sibling": "A young project of the same scope, publisher or repository.",
    },
    group="dependency",
    why="Nobody had the time to look at it.",
    attack=("T1195.001",),
    needs=frozenset({Provided.TIME}),
)

_INDEX = "module.exports = (a) => a;\n"
_PADS = {"index.js": "module.exports = 1;\n"}


def _world(
    first: str, name: str = "pad-codec", publisher: str = "newcomer <newcomer@mail.invalid>"
) -> dict[str, object]:
    """Return a world in which the dependency appeared at ``first`` and the update on 10 March."""
    files = {**_PADS, "package.json": package_json("1.0.0").replace("example-package", name)}
    return {
        "now": "2026-03-10T12:10:00Z",
        "before": {"published": "2026-01-10T12:00:00Z", "publisher": "keeper <keeper@mail.invalid>"},
        "after": {"published": "2026-03-10T12:00:00Z", "publisher": "keeper <keeper@mail.invalid>"},
        "dependency": [
            {"name": name, "version": "1.0.0", "published": first, "publisher": publisher, "files": files},
        ],
    }


def _release(version: str, published: str) -> dict[str, object]:
    """Return a release of the dependency."""
    files = {**_PADS, "package.json": package_json(version).replace("example-package", "pad-codec")}
    return {"name": "pad-codec", "version": version, "published": published, "files": files}


def _after(name: str = "pad-codec") -> dict[str, str]:
    return {"package.json": package_json("1.0.1", dependencies={name: "^1.0.0"}), "index.js": _INDEX}


_BEFORE = {"package.json": package_json("1.0.0"), "index.js": _INDEX}

EXAMPLES = (
    Example(
        title="a dependency whose project is eighteen hours old",
        before=_BEFORE,
        after=_after(),
        world=_world("2026-03-09T18:00:00Z"),
        expect="hours",
        at="package.json:6",
    ),
    Example(
        title="a dependency whose project is three weeks old",
        before=_BEFORE,
        after=_after(),
        world=_world("2026-02-17T12:00:00Z"),
        expect="days",
        at="package.json:6",
    ),
    Example(
        title="a new dependency on a project that is a year old",
        before=_BEFORE,
        after=_after(),
        world=_world("2025-03-01T12:00:00Z"),
    ),
    Example(
        title="another range for a dependency that was there before",
        before={"package.json": package_json("1.0.0", dependencies={"pad-codec": "~1.0.0"}), "index.js": _INDEX},
        after=_after(),
        world=_world("2026-03-09T18:00:00Z"),
    ),
    Example(
        title="a release of two years ago, whose dependency was young when it appeared",
        before=_BEFORE,
        after=_after(),
        world={**_world("2026-03-09T18:00:00Z"), "now": "2028-03-10T12:10:00Z"},
    ),
    Example(
        title="a dependency that a mirror took in after the release that needs it",
        before=_BEFORE,
        after=_after(),
        world={**_world("2026-03-10T12:05:00Z"), "now": "2026-03-10T13:00:00Z"},
    ),
    Example(
        title="a dependency whose releases a mirror took in against their order",
        before=_BEFORE,
        after=_after(),
        world={
            **_world("2026-03-09T18:00:00Z"),
            "dependency": [
                _release("1.0.0", "2026-03-09T18:00:00Z"),
                _release("1.0.1", "2026-03-09T17:00:00Z"),
            ],
        },
    ),
    Example(
        title="a part that the same publisher split off on the same day",
        before=_BEFORE,
        after=_after(),
        world=_world("2026-03-10T11:00:00Z", publisher="keeper <keeper@mail.invalid>"),
        expect="sibling",
        at="package.json:6",
    ),
)

_MESSAGES = {
    "hours": "depends on a project that is hours old",
    "fresh-release": "depends on a project that is days old, in a release that is hours old",
    "days": "depends on a project that is days old",
    "weeks": "depends on a project that is weeks old",
    "sibling": "depends on a young project of its own house",
}


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding for each variant, at the manifest line of each dependency."""
    tally = Tally(CARD)
    for edge in new_edges(update):
        age, first = age_of(update, edge), edge.project.first_published if edge.project else None
        if age is None or first is None:
            continue
        variant = _variant(age, edge, first + age)
        if variant:
            variant = "sibling" if is_sibling(update, edge) else variant
            name = edge.dependency.project
            told = f"{name} (first seen {first:%Y-%m-%d %H:%M} UTC, {_spoken(age)} before)"
            tally.say(variant, told, dependency_place(update, edge.dependency))
    yield from tally.findings(_MESSAGES)


def _variant(age: timedelta, edge: Edge, at: datetime) -> str | None:
    if age < timedelta(hours=72):
        return "hours"
    if age < timedelta(days=30):
        released = edge.resolved.published if edge.resolved else None
        fresh = released is not None and timedelta(0) <= at - released < timedelta(hours=24)
        return "fresh-release" if fresh else "days"
    return "weeks" if age < timedelta(days=90) else None


def _spoken(age: timedelta) -> str:
    if age < timedelta(hours=1):
        return f"{age.seconds // 60} minutes"
    return f"{age.total_seconds() / 3600:.0f} hours" if age < timedelta(days=3) else f"{age.days} days"
