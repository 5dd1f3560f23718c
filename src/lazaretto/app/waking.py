"""What an update loads more easily than before: the files that stand unchanged on both sides, and are woken."""

from collections.abc import Callable, Mapping
from heapq import heapify, heappop, heappush

from msgspec import Struct

from lazaretto.app.foreign import led_to
from lazaretto.app.opened import Opened, Part
from lazaretto.app.ports import Job
from lazaretto.core.facts import Facts, Reach
from lazaretto.core.manifest import EntryRole
from lazaretto.core.reach import ANY_FILE, Loader

REACHES = tuple(Reach)
RANK = {reach: rank for rank, reach in enumerate(REACHES)}
"""How little it takes for a file to be loaded: the least first."""

AsCode = Callable[[str, Facts], Facts]
"""(path, what a file is) -> what it is when code loads it."""


class Side(Struct, frozen=True, eq=False):
    """One side of an update as far as it is known: all facts, and what changed taken for the code that it may be."""

    part: Part
    facts: Mapping[str, Facts]
    changed: Mapping[str, Facts]
    reaches: Mapping[str, Reach]
    loader: Loader

    def loads(self, path: str, facts: Facts, reach: Reach | None = None) -> dict[str, Reach]:
        """Return what a file loads of its artifact: at once (IMPORT), or when called; all at INSTALL if it is run then.

        ``ANY_FILE`` is among it if nobody knows what.
        """
        found = self.loader.loads(path, facts)
        later = dict.fromkeys(found.when_called, Reach.INSTALL if reach is Reach.INSTALL else Reach.CALL)
        return later | dict.fromkeys(found.at_once, Reach.INSTALL if reach is Reach.INSTALL else Reach.IMPORT)

    def reaches_at(self, path: str, reach: Reach) -> bool:
        """Whether a file is known to be reached as easily as this."""
        return RANK[self.reaches.get(path, Reach.UNREACHED)] <= RANK[reach]


class Waking(Struct, frozen=True):
    """Earlier sides that must be read before one can tell, and what is loaded more easily than before: path -> how."""

    unread: list[Job]
    woken: dict[str, Reach]


def waking(ecosystem: str, pair: Opened, before: Side, after: Side, as_code: AsCode) -> Waking:
    """Say which files the update may load more easily than before, as far as is known.

    Those are what a changed file newly loads, or loads earlier; what the manifest newly names; and all
    that these lead to. A file that was reached as easily before is none.
    """
    gained = _newly_run(before, after)
    unread = []
    earlier = {job.path: job for job in pair.earlier()}
    for path, loads in _new_loads(ecosystem, before, after).items():
        if path in earlier and path not in before.facts:
            unread.append(earlier[path])
        old = before.changed.get(path)
        had = before.loads(path, old, before.reaches.get(path)) if old is not None else {}
        for target, reach in loads.items():
            if RANK[reach] < RANK[had.get(target, Reach.UNREACHED)]:
                gained[target] = min(gained.get(target, reach), reach, key=RANK.__getitem__)
    return Waking(unread, _closure(before, after, gained, as_code))


def _newly_run(before: Side, after: Side) -> dict[str, Reach]:
    """Return what installation newly runs, and what the manifest newly names."""
    installed = [path for path, reach in after.reaches.items() if reach is Reach.INSTALL]
    gained = {path: Reach.INSTALL for path in installed if before.reaches.get(path) is not Reach.INSTALL}
    named = {(entry.path, entry.role) for entry in before.part.manifest.entries}
    for entry in after.part.manifest.entries:
        if (entry.path, entry.role) not in named:
            gained.setdefault(entry.path, Reach.CALL if entry.role is EntryRole.COMMAND else Reach.IMPORT)
    return gained


def _new_loads(ecosystem: str, before: Side, after: Side) -> dict[str, dict[str, Reach]]:
    """Return what changed files load that is not known to have been loaded as easily before."""
    found: dict[str, dict[str, Reach]] = {}
    for path, facts in after.changed.items():
        loads = after.loads(path, facts, after.reaches.get(path))
        new = {target: reach for target, reach in loads.items() if not before.reaches_at(target, reach)}
        if new:
            found[path] = new
    wanted = after.part.wanted
    led = led_to(ecosystem, [wanted[path] for path in found if path not in after.reaches], wanted.values())
    return {path: loads for path, loads in found.items() if path in after.reaches or path in led}


def _closure(before: Side, after: Side, gained: Mapping[str, Reach], as_code: AsCode) -> dict[str, Reach]:
    """Return what newly loaded files lead to, each at the easiest reach, as far as it was not reached so before."""
    woken: dict[str, Reach] = {}
    wanted = after.part.wanted
    waiting = [(RANK[reach], path) for path, reach in gained.items()]
    heapify(waiting)
    anything = False
    while waiting:
        rank, path = heappop(waiting)
        if path == ANY_FILE and not anything:
            anything = True
            waiting += [(RANK[Reach.CALL], other) for other in wanted if other not in woken]
            heapify(waiting)
        reach = REACHES[rank]
        if path in woken or path not in wanted or before.reaches_at(path, reach):
            continue
        woken[path] = reach
        if path in after.facts:
            code = after.changed.get(path) or as_code(path, after.facts[path])
            for target, later in after.loads(path, code, reach).items():
                heappush(waiting, (max(rank, RANK[later]), target))
    return woken
