"""When each place of an artifact runs: the module graph from the entry points.

INSTALL: loaded by something a client runs at installation (or at every interpreter start); IMPORT:
loaded when a consumer imports the package; CALL: only when called, or when a command is typed;
UNREACHED: no entry leads there. An entry file of an installation runs to its end, so all of it counts.
"""

from collections.abc import Callable, Iterable, Mapping

from lazaretto.core.facts import Fact, Facts, Kind, Moment, Reach
from lazaretto.core.manifest import EntryRole, Manifest
from lazaretto.core.update import Placed

_ROLE = {EntryRole.INSTALL: Reach.INSTALL, EntryRole.IMPORT: Reach.IMPORT, EntryRole.COMMAND: Reach.CALL}

ImportResolver = Callable[[str, str], tuple[str, ...]]
"""(importing path, specifier) -> paths inside the artifact."""


def file_reaches(
    facts: Mapping[str, Facts],
    manifest: Manifest,
    resolve: ImportResolver,
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
        while stack:
            path = stack.pop()
            if path in reached:
                continue
            reached[path] = reach
            for fact in facts[path].facts if path in facts else ():
                if fact.kind is not Kind.IMPORT:
                    continue
                if not fact.value:
                    dynamic = True
                    continue
                runs_now = fact.moment is Moment.LOAD or reach is Reach.INSTALL
                (stack if runs_now else waiting[Reach.CALL]).extend(resolve(path, fact.value))
    if dynamic:  # somebody loads a module whose name cannot be known: anything may be loaded
        for path in facts:
            reached.setdefault(path, Reach.CALL)
    return reached


def place(
    facts: Mapping[str, Facts], reaches: Mapping[str, Reach], install_entries: frozenset[str]
) -> tuple[Placed, ...]:
    """Return every fact with its reach, in path order and, inside a file, in the order of the file."""
    placed = []
    for path in sorted(facts):
        reach = reaches.get(path, Reach.UNREACHED)
        runs_whole = reach is Reach.INSTALL and path in install_entries
        placed += [Placed(path, fact, _fact_reach(fact, reach, runs_whole=runs_whole)) for fact in facts[path].facts]
    return tuple(placed)


def _fact_reach(fact: Fact, reach: Reach, *, runs_whole: bool) -> Reach:
    if fact.moment is Moment.LOAD or reach is Reach.UNREACHED or runs_whole:
        return reach
    return Reach.CALL
