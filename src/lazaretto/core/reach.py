"""When each place of an artifact runs: the module graph from the entry points.

INSTALL: loaded by something a client runs at installation (or at every interpreter start); IMPORT:
loaded when a consumer imports the package; CALL: only when called, or when a command is typed;
UNREACHED: no entry leads there. An entry file of an installation runs to its end, so all of it counts.
"""

from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct

from lazaretto.core.facts import Facts, Kind, Moment, Reach
from lazaretto.core.manifest import EntryRole, Manifest
from lazaretto.core.update import Placed

_ROLE = {EntryRole.INSTALL: Reach.INSTALL, EntryRole.IMPORT: Reach.IMPORT, EntryRole.COMMAND: Reach.CALL}

ImportResolver = Callable[[str, str], tuple[str, ...]]
"""(importing path, specifier) -> paths inside the artifact."""


ANY_FILE = ""
"""Stands for a load whose target cannot be known."""


class Loads(Struct, frozen=True):
    """What a file loads of its artifact when it is loaded itself, and when it is called; ``ANY_FILE`` for who knows."""

    at_once: tuple[str, ...] = ()
    when_called: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """Both."""
        return self.at_once + self.when_called


class Loader:
    """Says what files load. The imports of a file are resolved once, for graphs are walked again and again."""

    def __init__(self, resolve: ImportResolver) -> None:
        self._resolve = resolve
        self._known: dict[str, tuple[Facts, Loads]] = {}

    def loads(self, path: str, facts: Facts) -> Loads:
        """Return what a file with these facts loads."""
        known = self._known.get(path)
        if known is None or known[0] is not facts:
            known = self._known[path] = (facts, self._resolved(path, facts))
        return known[1]

    def targets(self, path: str, specifier: str) -> tuple[str, ...]:
        """Return the files of the artifact that one specifier, written in ``path``, loads."""
        return self._resolve(path, specifier)

    def _resolved(self, path: str, facts: Facts) -> Loads:
        targets: dict[Moment, dict[str, None]] = {moment: {} for moment in Moment}
        for fact in facts.facts:
            if fact.kind is Kind.IMPORT:
                found = self._resolve(path, fact.value) if fact.value else (ANY_FILE,)
                targets[fact.moment].update(dict.fromkeys(found))
        return Loads(tuple(targets[Moment.LOAD]), tuple(targets[Moment.CALL]))


def file_reaches(
    facts: Mapping[str, Facts],
    manifest: Manifest,
    loader: Loader,
    install_entries: Iterable[str] = (),
) -> dict[str, Reach]:
    """Return for each reached file how it is reached when it is loaded; files not named are UNREACHED.

    ``install_entries`` are further files that installation hooks run.
    """
    waiting: dict[Reach, list[str]] = {Reach.INSTALL: list(install_entries), Reach.IMPORT: [], Reach.CALL: []}
    for entry in manifest.entries:
        waiting[_ROLE[entry.role]].append(entry.path)
    reached: dict[str, Reach] = {}
    dynamic = False
    for reach, stack in waiting.items():  # easiest first: a file keeps the first reach it gets
        later = stack if reach is Reach.INSTALL else waiting[Reach.CALL]
        while stack:
            path = stack.pop()
            if path in reached:
                continue
            if path == ANY_FILE:
                dynamic = True
                continue
            reached[path] = reach
            if path in facts:
                loads = loader.loads(path, facts[path])
                stack.extend(loads.at_once)
                later.extend(loads.when_called)
    if dynamic:  # somebody loads a module whose name cannot be known: anything may be loaded
        for path in facts:
            reached.setdefault(path, Reach.CALL)
    return reached


_NONE: Mapping[tuple[str, int], Reach] = {}


def place(
    facts: Mapping[str, Facts],
    reaches: Mapping[str, Reach],
    install_entries: frozenset[str],
    sooner: Mapping[tuple[str, int], Reach] = _NONE,
) -> tuple[Placed, ...]:
    """Return every fact with its reach, in path order and, inside a file, in the order of the file.

    ``sooner`` names facts (by path and number) that are reached more easily than their file alone says.
    """
    placed = []
    for path in sorted(facts):
        reach = reaches.get(path, Reach.UNREACHED)
        runs_whole = reach is Reach.INSTALL and path in install_entries
        placed += [
            Placed(path, one, sooner.get((path, number)) or fact_reach(one.moment, reach, runs_whole=runs_whole))
            for number, one in enumerate(facts[path].facts)
        ]
    return tuple(placed)


def fact_reach(moment: Moment, reach: Reach, *, runs_whole: bool = False) -> Reach:
    """Return when a place runs that its file runs at this moment, in a file that is so reached."""
    if moment is Moment.LOAD or reach is Reach.UNREACHED or runs_whole:
        return reach
    return Reach.CALL
