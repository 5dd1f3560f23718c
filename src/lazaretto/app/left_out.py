"""What only a source distribution holds: files that its build does not run, and that no installation has (ADR 0013)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from lazaretto.app.carried import Carried
from lazaretto.app.opened import Part
from lazaretto.core.facts import Facts, Kind, Reach
from lazaretto.core.model import ArtifactKind
from lazaretto.core.reach import Loader
from lazaretto.core.update import Placed

_RUNS = frozenset({Kind.IMPORT, Kind.CODE_EVAL, Kind.PROCESS_SPAWN})
"""Facts by which code runs other code."""


def left_out(
    paths: Iterable[str],
    part: Part,
    wheels: Sequence[Part],
    facts: Mapping[str, Facts],
    reaches: Mapping[str, Reach],
    placed: Sequence[Placed],
    loader: Loader,
) -> frozenset[str]:
    """Return those of ``paths`` that stand in a source distribution alone.

    The wheels of the same release show what a build of it carries. It must be known all that the build runs, a file
    must be none of it, and nothing that is carried may import it. Anything else may reach a machine and run there.
    """
    if part.artifact.kind is not ArtifactKind.SDIST or not wheels or not _build_is_known(facts, reaches, placed):
        return frozenset()
    carried = Carried(wheels)
    entries = {entry.path for entry in part.manifest.entries} | {part.manifest.path}
    alone = {
        path
        for path in paths
        if path in part.wanted
        and path not in entries
        and reaches.get(path) is not Reach.INSTALL
        and not carried.has(path, part)
    }
    for user in facts if alone else ():
        named = alone.intersection(_loaded(loader, user, facts[user]))
        if named and carried.has(user, part):
            alone -= named
    return frozenset(alone)


def _build_is_known(facts: Mapping[str, Facts], reaches: Mapping[str, Reach], placed: Sequence[Placed]) -> bool:
    """Whether all that an installation from source runs was read and understood, and names what it runs in its turn."""
    run = [path for path, reach in reaches.items() if reach is Reach.INSTALL]
    if any(path not in facts or not facts[path].complete for path in run):
        return False
    at_install = (one.fact for one in placed if one.reach is Reach.INSTALL)
    return not any(fact.kind in _RUNS and not fact.value for fact in at_install)


def _loaded(loader: Loader, path: str, facts: Facts) -> Iterator[str]:
    loads = loader.loads(path, facts)
    yield from loads.at_once
    yield from loads.when_called
