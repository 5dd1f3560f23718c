"""Which few accounts, or projects, would reach most: of the inventory's places, or of the projects of the graph."""

from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from msgspec import Struct

from lazaretto.app.graph.ask import SCHEMA, Asking, Source, graph_of
from lazaretto.app.graph.ports import Graph, GraphError
from lazaretto.core.graph import Closures, bitset, chokepoints

MAX_STEPS = 40_000_000
"""Dependencies that are followed to find out on whose accounts a sample of an ecosystem depends."""

MAX_SAMPLE = 10_000
"""Projects of an ecosystem that stand for all of them where choke points are looked for."""

MAX_THROUGH = 10
"""Projects, or versions, through which a choke point reaches most, that are told."""


_Key = TypeVar("_Key", int, str)


REACHED = {Source.INVENTORY: "places of the inventory", Source.GRAPH: "projects of the graph"}
"""What is reached, in words."""


class By(StrEnum):
    """What is looked for: ACCOUNT: who keeps projects, which only imports tell. PROJECT: the projects themselves."""

    ACCOUNT = "account"
    PROJECT = "project"


class Choked(Struct, frozen=True):
    """One account or project: how many it reaches, how many of these nobody before it does, and through what.

    An account reaches through projects, a project through those of its versions that most places hold.
    """

    name: str
    reached: int
    added: int
    through: tuple[str, ...]


class Chokepoints(Struct, frozen=True):
    """Which few would reach most: of what, of how many that were counted, and how many there are."""

    schema: str
    of: Source
    by: By
    at: datetime | None
    counted: int
    whole: int
    together: int
    points: tuple[Choked, ...]


class _Reached(Struct):
    """How many were counted of how many; for each name the set of what it reaches, and through what, most first."""

    counted: int
    whole: int
    sets: dict[str, int]
    through: dict[str, tuple[str, ...]]


class _Held(Struct):
    """How many places the inventory has, and for each release that any of them holds the set of these."""

    count: int
    releases: dict[tuple[str, str, str], int]


def choke(asking: Asking, most: int, of: Source, by: By) -> Chokepoints:
    """Return which few would reach most. Raises GraphError where what is asked is only known of imports."""
    if of is Source.INVENTORY:
        held = _held(asking)
        made = _by_name(held) if by is By.PROJECT else _of_places(asking, held)
    else:
        made = _of_projects(asking, by)
    found = chokepoints(made.sets, most)
    together = 0
    for one in found:
        together |= made.sets[one.name]
    return Chokepoints(
        schema=SCHEMA,
        of=of,
        by=by,
        at=asking.at,
        counted=made.counted,
        whole=made.whole,
        together=together.bit_count(),
        points=tuple(Choked(one.name, one.reached, one.added, made.through[one.name]) for one in found),
    )


def _held(asking: Asking) -> _Held:
    """Return who holds what, in one pass over every pin: nothing but a number is kept of each."""
    count, before = 0, -1
    members: defaultdict[int, array[int]] = defaultdict(lambda: array("I"))
    for place, row in asking.inventory.pins(asking.at):
        if place != before:
            before, count = place, count + 1
        members[row].append(count - 1)
    keys = asking.inventory.releases()  # a range is not among them: it holds no release
    return _Held(count, {key: bitset(members[row]) for row, key in keys if row in members})


def _by_name(held: _Held) -> _Reached:
    """Each project reaches the places that hold it, in whatever version."""
    sets: dict[str, int] = {}
    versions: dict[str, Counter[str]] = {}
    for (ecosystem, name, version), bits in held.releases.items():
        project = f"{ecosystem}:{name}"
        sets[project] = sets.get(project, 0) | bits
        versions.setdefault(project, Counter())[f"{name}@{version}"] = bits.bit_count()
    through = {project: tuple(one for one, _ in _most(counted)) for project, counted in versions.items()}
    return _Reached(held.count, held.count, sets, through)


def _of_places(asking: Asking, held: _Held) -> _Reached:
    """An account reaches a place that holds a project of it, in whatever version."""
    try:
        graph = graph_of(asking)
    except GraphError as error:
        raise GraphError(f"who keeps what is told by imports alone, and {error}; or ask --by project") from error
    nodes = {row: node for node, row in enumerate(graph.rows)}
    project_of: dict[tuple[str, str], int | None] = {}
    sets: dict[int, int] = {}
    for (ecosystem, name, _), bits in held.releases.items():
        if (ecosystem, name) not in project_of:
            known = next((one.row for one in asking.store.of(ecosystem, name) if one.row in nodes), None)
            project_of[ecosystem, name] = None if known is None else graph.projects[nodes[known]]
        project = project_of[ecosystem, name]
        if project is not None:
            sets[project] = sets.get(project, 0) | bits
    return _Reached(held.count, held.count, *_joined(asking, graph, sets, sets.__getitem__))


def _of_projects(asking: Asking, by: By) -> _Reached:
    """Of the graph: a project is reached if its newest release needs, at whatever depth, one of an account's, or it.

    Where there are too many, some stand for the others; the numbers are then those of the sample.
    """
    graph = graph_of(asking)
    whole = len(graph.newest)
    closures = Closures(graph.needs)
    members: dict[int, list[int]] = {}
    steps, counted = 0, 0
    for number, project in enumerate(_spread(range(0, whole, max(1, whole // MAX_SAMPLE)))):
        found = closures.of(graph.newest[project])
        for one in found:
            members.setdefault(graph.projects[one], []).append(number)
        starts = graph.needs.starts
        steps, counted = steps + sum(starts[one + 1] - starts[one] for one in found), number + 1
        if steps > MAX_STEPS:
            break
        if number % 100 == 0:
            asking.progress(f"{number} of {min(whole, MAX_SAMPLE)} projects")
    if by is By.ACCOUNT:
        return _Reached(counted, whole, *_joined(asking, graph, members, lambda project: bitset(members[project])))
    names = _names(asking, graph, members)
    sets = {names[project]: bitset(those) for project, those in members.items()}
    return _Reached(counted, whole, sets, dict.fromkeys(sets, ()))


def _spread(numbers: Sequence[int]) -> Iterable[int]:
    """Yield numbers so that those up to any point lie about evenly: by the reversed bits of their places."""
    bits = max(1, (len(numbers) - 1).bit_length())
    order = sorted(range(len(numbers)), key=lambda place: int(f"{place:0{bits}b}"[::-1], 2))
    return (numbers[place] for place in order)


def _joined(
    asking: Asking, graph: Graph, projects: Iterable[int], reached: Callable[[int], int]
) -> tuple[dict[str, int], dict[str, tuple[str, ...]]]:
    """Return what each account reaches by all that it keeps, and through which projects most."""
    sets: dict[str, int] = {}
    through: dict[str, Counter[int]] = {}
    for project, accounts in _owners(asking, graph, projects).items():
        bits = reached(project)
        for account in accounts:
            sets[account] = sets.get(account, 0) | bits
            through.setdefault(account, Counter())[project] = bits.bit_count()
    most = {account: [project for project, _ in _most(counted)] for account, counted in through.items()}
    names = _names(asking, graph, {project for those in most.values() for project in those})
    return sets, {account: tuple(names[project] for project in those) for account, those in most.items()}


def _names(asking: Asking, graph: Graph, projects: Iterable[int]) -> dict[int, str]:
    of_row = {graph.rows[graph.newest[project]]: project for project in projects}
    keys = asking.store.keys(of_row)
    return {project: f"{keys[row][0]}:{keys[row][1]}" for row, project in of_row.items()}


def _owners(asking: Asking, graph: Graph, projects: Iterable[int]) -> dict[int, list[str]]:
    """Return whose each project is: whoever its newest release names."""
    of_row = {graph.rows[graph.newest[project]]: project for project in projects}
    found: dict[int, list[str]] = {}
    for row, account in asking.store.accounts(of_row):
        found.setdefault(of_row[row], []).append(account)
    return found


def _most(counted: "Counter[_Key]") -> list[tuple[_Key, int]]:
    """Return what is counted most often, and of equals the first in their own order."""
    return sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))[:MAX_THROUGH]
