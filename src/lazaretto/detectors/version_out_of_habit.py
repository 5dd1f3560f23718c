"""This update bears a version that its project would not have given it.

## What it detects
A leap over more than one major version where none was ever leapt over; a line that had slept for nine months while
newer ones were maintained, and is woken for the first time; and a word in the version (`-beta`, `.post`) in a project
that never used one. A project with fewer than eight releases has no habit.

## Why it matters
29 of 75 documented incidents stand out by their version or its time. An attacker wants the version that the most
users resolve to: higher than all others, or on each line that somebody still pins.

## What it misses
The next patch number, which most attackers take.

## References
- The public records of axios 0.30.4 (2026-03-31) and of dependency confusion with versions such as 99.9.9
- MITRE ATT&CK T1195.002
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.habit import published_earlier
from lazaretto.core.model import Release
from lazaretto.core.question import index_place, package_json
from lazaretto.core.update import Update

CARD = Card(
    id="version-out-of-habit",
    title="Version out of habit",
    variants={
        "leap": "More than one major version is leapt over, as never before in this project.",
        "woken-line": "A line that slept while newer ones were maintained is woken, as never before in this project.",
        "word": "The version has a word in it, as none of this project's ever had.",
    },
    group="tempo",
    why="Whoever publishes with a stolen token chooses the version that the most users get.",
    attack=("T1195.002",),
)

HABIT = 8
"""Earlier releases that a project must have before its versions can be a habit."""

SLEEP = timedelta(days=270)

_BEFORE = {"package.json": package_json("1.0.0"), "index.js": "module.exports = 1;\n"}


def _example(title: str, after: str, expect: str | None, *more: tuple[str, str]) -> Example:
    old = [(f"0.{n}.0", f"2023-0{n + 1}-01T00:00:00Z") for n in range(8)]
    return Example(
        title=title,
        before=_BEFORE,
        after={"package.json": package_json(after), "index.js": "module.exports = 2;\n"},
        world={
            "history": [{"version": version, "published": at} for version, at in (*old, *more)],
            "before": {"published": "2024-01-01T00:00:00Z"},
            "after": {"version": after},
        },
        expect=expect,
        at="index:version:0" if expect else None,
    )


EXAMPLES = (
    _example("the version leaps to a number that outdoes all others", "99.0.1", "leap"),
    _example("an old line is woken after two years", "1.0.1", "woken-line", ("2.0.0", "2025-01-01T00:00:00Z")),
    _example("a word appears in the version", "1.0.1-stable", "word"),
    _example("the next major version", "2.0.0", None),
    _example("the next patch", "1.0.1", None),
    _example(
        "a project that went over to years as versions long ago", "2026.0.0", None, ("2024.0.0", "2024-02-01T00:00:00Z")
    ),
)


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding for each variant; none at first contact, and none where there is no habit."""
    earlier = published_earlier(update)
    if update.first_contact or len(earlier) < HABIT:
        return
    numbers = [number for release in earlier if (number := _major(release)) is not None]
    for variant, told in (
        ("leap", _leap(update.after, numbers)),
        ("woken-line", _woken(update.after, earlier)),
        ("word", _word(update.after, earlier)),
    ):
        if told:
            message = f"This update has a version out of its project's habit: {told}"
            yield Finding(CARD.id, variant, message, (index_place(update, "version", told),))


def _major(release: Release) -> int | None:
    first = release.version.rpartition("!")[2].partition(".")[0]
    return int(first) if first.isdigit() and first.isascii() and len(first) < 19 else None


def _leap(after: Release, numbers: list[int]) -> str:
    """Say which majors were leapt over, if the project never did so."""
    now, known = _major(after), sorted(set(numbers))
    if now is None or not known or now <= known[-1] + 1:
        return ""
    leapt_before = any(high - low > 1 for low, high in pairwise(known))
    return "" if leapt_before else f"major version {now} after {known[-1]}"


def _woken(after: Release, earlier: tuple[Release, ...]) -> str:
    """Say how long the line of the release slept, if newer lines did not and no line was ever woken."""
    major, at = _major(after), after.published
    if major is None or at is None:
        return ""
    known = ((release.published, _major(release)) for release in earlier)
    timed = sorted((when, number) for when, number in known if when is not None and number is not None)
    if _sleep(timed, major, at) <= SLEEP:
        return ""
    if any(_sleep(timed[:index], number, when) > SLEEP for index, (when, number) in enumerate(timed)):
        return ""
    days = (at - max(when for when, number in timed if number == major)).days
    return f"the line {major}.x had slept for {days} days while newer lines had releases"


def _sleep(earlier: list[tuple[datetime, int]], major: int, at: datetime) -> timedelta:
    """Return how long a line had slept at an instant; nothing if no newer line had been released meanwhile."""
    own = [when for when, number in earlier if number == major]
    newer = [when for when, number in earlier if number > major]
    if not own or not newer or max(newer) <= max(own):
        return timedelta(0)
    return at - max(own)


def _word(after: Release, earlier: tuple[Release, ...]) -> str:
    """Say which word the version has, if none ever had one."""
    worded = _words(after.version)
    return f"the word {worded!r}" if worded and not any(_words(release.version) for release in earlier) else ""


def _words(version: str) -> str:
    return "".join(character for character in version.partition("+")[0] if character.isalpha())
