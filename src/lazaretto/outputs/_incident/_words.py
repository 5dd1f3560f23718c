"""What the formats of an incident say in the same words."""

import re
from collections.abc import Iterator

from lazaretto.app.inventory.report import ReportedExposure
from lazaretto.app.respond.response import Event, Response, Task
from lazaretto.core.inert import inert
from lazaretto.core.playbook import Phase
from lazaretto.outputs._paper import quiet

PHASES = {
    Phase.BLOCK: "Stop what still comes in",
    Phase.ISOLATE: "Isolate",
    Phase.PRESERVE: "Keep evidence",
    Phase.DISARM: "Remove what stayed, and what waits for a revocation",
    Phase.REVOKE: "Replace credentials",
    Phase.PURGE: "Empty caches and mirrors",
    Phase.REPAIR: "Repair lockfiles",
    Phase.REBUILD: "Build anew",
    Phase.NOTIFY: "Tell those who are concerned",
    Phase.WATCH: "Watch",
}
TRAP = "Do not revoke anything yet: what was installed may react to it. First isolate and disarm, then revoke."


_COMMAND = re.compile(r"^(\s*):(?=:)")


def plain(line: str) -> str:
    """Return a line to copy, as it is, but for what a terminal or a CI runner would act on; a tab is harmless."""
    return _COMMAND.sub(r"\1\\u{3a}", quiet("\t".join(inert(part) for part in line.split("\t"))))


def when(event: Event) -> str:
    """Return an instant as it is written: UTC, and no more of it than is known."""
    return f"{event.at:%Y-%m-%d}" if event.day else f"{event.at:%Y-%m-%d %H:%M:%SZ}"


def times(one: ReportedExposure) -> str:
    """Return since when until when it was there."""
    first = f"{one.first:%Y-%m-%d %H:%M:%SZ}" if one.first else "not known"
    if one.first is not None and one.first == one.last:
        return f"at {first}"
    return f"since {first}, {'still there' if one.last is None else f'until {one.last:%Y-%m-%d %H:%M:%SZ}'}"


def how_taken(one: ReportedExposure) -> str:
    """Return by which path of dependencies it came; empty if the place does not tell."""
    if not one.path:
        return ""
    return "asked for directly" if len(one.path) == 1 else f"through {' > '.join(one.path)}"


def by_phase(response: Response) -> Iterator[tuple[Phase, str, list[Task]]]:
    """Yield the phases that have tasks, in their order, with their words."""
    for phase, words in PHASES.items():
        tasks = [task for task in response.tasks if task.phase is phase]
        if tasks:
            yield phase, words, tasks


def by_place(response: Response) -> list[list[ReportedExposure]]:
    """Return the exposures, those of one place and time that say the same of it together."""
    groups: dict[tuple[str, ...], list[ReportedExposure]] = {}
    for one in (seen.exposure for seen in response.exposures):
        key = (one.place.path, one.place.kind, times(one), one.confidence, one.ran)
        groups.setdefault(key, []).append(one)
    return list(groups.values())


def where(group: list[ReportedExposure]) -> str:
    """Return a place, and the lines in it that name what it took."""
    lines = ",".join(dict.fromkeys(str(one.line) for one in group if one.line))
    return f"{group[0].place}{f':{lines}' if lines else ''}"


def releases(group: list[ReportedExposure]) -> list[str]:
    """Return what a place took."""
    return list(dict.fromkeys(f"{one.name}@{one.version}" for one in group))


def ways(group: list[ReportedExposure]) -> list[str]:
    """Return how it came to a place, and what only that place knows."""
    texts = (text for one in group for text in (str(one.proof), how_taken(one), one.note))
    return list(dict.fromkeys(filter(None, texts)))


def window(response: Response) -> str:
    """Return the time that is asked about."""
    one = response.window
    return f"{one.start:%Y-%m-%d %H:%MZ} to {one.end:%Y-%m-%d %H:%MZ}" if one else "not named"
