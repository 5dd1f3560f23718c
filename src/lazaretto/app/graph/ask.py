"""The questions: who depends on a release, how far a release or an account reaches, which few accounts reach most."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from msgspec import Struct

from lazaretto.app.graph.ports import Graph, GraphError, GraphStore, Key, Listed, Pinned
from lazaretto.app.graph.resolving import admitted, resolver
from lazaretto.app.ports import Ecosystem
from lazaretto.core.graph import NOBODY, Choke, Closures, Reach, bitset, chokepoints, path, reach

SCHEMA = "1"

MAX_PATH = 12
"""Releases of a path of dependencies that are told."""

MAX_STEPS = 40_000_000
"""Dependencies that are followed to find out on whose accounts a sample of an ecosystem depends."""

MAX_SAMPLE = 10_000
"""Projects of an ecosystem that stand for all of them where choke points are looked for."""


class Dependent(Struct, frozen=True):
    """One release that needs what was asked about: in how many steps, by which path, what was asked about last."""

    ecosystem: str
    name: str
    version: str
    distance: int
    path: tuple[str, ...]


class Dependents(Struct, frozen=True):
    """Who depends on some releases at an instant; ``dependents`` are the nearest, ``places`` those of the inventory."""

    schema: str
    asked: tuple[str, ...]
    at: datetime | None
    direct: int
    releases: int
    projects: int
    distances: tuple[int, ...]
    dependents: tuple[Dependent, ...]
    places: tuple[str, ...] = ()
    places_count: int = 0


class Choked(Struct, frozen=True):
    """One account: how many it reaches, how many of these nobody before it does, and through which projects."""

    account: str
    reached: int
    added: int
    through: tuple[str, ...]


class Chokepoints(Struct, frozen=True):
    """Which few accounts would reach most: of what, of how many that were counted, and how many there are."""

    schema: str
    of: str
    at: datetime | None
    counted: int
    whole: int
    together: int
    accounts: tuple[Choked, ...]


class Asking(Struct, frozen=True):
    """What the questions need."""

    store: GraphStore
    inventory: Pinned
    house: Callable[[str], Ecosystem]
    at: datetime | None
    progress: Callable[[str], None]


def nodes_of(asking: Asking, ecosystem: str, name: str, wanted: str | None) -> tuple[Listed, ...]:
    """Return the releases of a project, those alone that a version or a range admits. Raises GraphError."""
    house = asking.house(ecosystem)
    own = house.name(name)
    releases = asking.store.of(ecosystem, own)
    if not releases:
        raise GraphError(f"nothing is known of {ecosystem}:{own}: import a dump or a page that has it")
    if wanted is None:
        return releases
    exact = [one for one in releases if one.version == wanted]
    found = exact or admitted(house, own, releases, wanted)
    if not found:
        raise GraphError(f"no release of {ecosystem}:{own} that is known satisfies {wanted!r}")
    return tuple(found)


def dependents(
    asking: Asking, rows: Iterable[int], asked: Sequence[str], *, steps: int | None, most: int, places: bool
) -> Dependents:
    """Return who depends on releases of the store. Raises GraphError, and InventoryError where places are asked for."""
    graph = graph_of(asking)
    wanted = frozenset(rows)
    roots = [node for node, row in enumerate(graph.rows) if row in wanted]
    found = reach(graph.needed_by, roots, steps)
    projects = bytearray(len(graph.newest))
    for level in found.levels:
        for node in level:
            projects[graph.projects[node]] = 1
    held = _places(asking, graph, found) if places else []
    return Dependents(
        schema=SCHEMA,
        asked=tuple(asked),
        at=asking.at,
        direct=len(found.levels[0]) if found.levels else 0,
        releases=found.count,
        projects=sum(projects),
        distances=tuple(map(len, found.levels)),
        dependents=tuple(_told(asking, graph, found, most)),
        places=tuple(held[:most]),
        places_count=len(held),
    )


def choke(asking: Asking, most: int, *, of_inventory: bool) -> Chokepoints:
    """Return which few accounts would reach most: of the places of the inventory, or of the projects of the graph."""
    graph = graph_of(asking)
    whole, sets, through = _of_places(asking, graph) if of_inventory else _of_projects(asking, graph)
    found = chokepoints(sets, most)
    together = 0
    for one in found:
        together |= sets[one.name]
    return Chokepoints(
        schema=SCHEMA,
        of="places of the inventory" if of_inventory else "projects of the graph",
        at=asking.at,
        counted=whole[0],
        whole=whole[1],
        together=together.bit_count(),
        accounts=tuple(_choked(asking, graph, one, through) for one in found),
    )


def graph_of(asking: Asking) -> Graph:
    """Return the graph of the instant. Raises GraphError if nothing was imported."""
    graph = asking.store.graph(asking.at, resolver(asking.house, asking.at), asking.progress)
    if graph is None:
        raise GraphError("nothing is imported: `lazaretto graph import DUMP` (JSON lines, packuments, project pages)")
    return graph


def _told(asking: Asking, graph: Graph, found: Reach, most: int) -> list[Dependent]:
    """Return the nearest dependents by their names, with the paths that lead from them."""
    nearest = [(node, depth) for depth, level in enumerate(found.levels, 1) for node in level[:most]][:most]
    paths = {node: path(found, node) for node, _ in nearest}
    keys = asking.store.keys({graph.rows[node] for steps in paths.values() for node in steps})
    told = []
    for node, depth in nearest:
        ecosystem, name, version = keys[graph.rows[node]]
        steps = [f"{keys[graph.rows[one]][1]}@{keys[graph.rows[one]][2]}" for one in paths[node]]
        if len(steps) > MAX_PATH:
            steps[MAX_PATH - 2 : -1] = [f"({len(steps) - MAX_PATH + 1} more)"]
        told.append(Dependent(ecosystem, name, version, depth, tuple(steps)))
    return told


def _places(asking: Asking, graph: Graph, found: Reach) -> list[str]:
    """Return the places of the inventory that hold what was asked about, or something that depends on it."""
    nodes = {row: node for node, row in enumerate(graph.rows)}
    rows = {key: row for row, key in asking.inventory.releases()}
    held = {rows[key] for key, row in asking.store.found(rows) if row in nodes and found.by[nodes[row]] != NOBODY}
    places = {place for place, release in asking.inventory.pins() if release in held} if held else set()
    return sorted(asking.inventory.paths(places).values())


def _owners(asking: Asking, graph: Graph, projects: Iterable[int]) -> dict[int, list[str]]:
    """Return whose each project is: whoever its newest release names."""
    of_row = {graph.rows[graph.newest[project]]: project for project in projects}
    found: dict[int, list[str]] = {}
    for row, account in asking.store.accounts(of_row):
        found.setdefault(of_row[row], []).append(account)
    return found


_Sets = tuple[tuple[int, int], dict[str, int], dict[str, list[tuple[int, int]]]]
"""How many were counted of how many; for each account the set of what it reaches; its projects, with how many each."""


def _of_places(asking: Asking, graph: Graph) -> _Sets:
    """Of the inventory: an account reaches a place that holds a project of it, in whatever version."""
    nodes = {row: node for node, row in enumerate(graph.rows)}
    by_name: dict[tuple[str, str], int] = {}
    project_of: dict[int, int] = {}
    for row, (ecosystem, name, _) in asking.inventory.releases():
        if (ecosystem, name) not in by_name:
            known = next((one.row for one in asking.store.of(ecosystem, name) if one.row in nodes), None)
            by_name[ecosystem, name] = -1 if known is None else graph.projects[nodes[known]]
        if by_name[ecosystem, name] >= 0:
            project_of[row] = by_name[ecosystem, name]
    numbers: dict[int, int] = {}
    members: dict[int, list[int]] = {}
    for place, row in asking.inventory.pins():
        number = numbers.setdefault(place, len(numbers))
        project = project_of.get(row)
        if project is not None:
            members.setdefault(project, []).append(number)
    return (len(numbers), len(numbers)), *_joined(asking, graph, members)


def _of_projects(asking: Asking, graph: Graph) -> _Sets:
    """Of the graph: an account reaches a project whose newest release needs, at whatever depth, one of its projects.

    Where there are too many, some stand for the others; the numbers are then those of the sample.
    """
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
    return (counted, whole), *_joined(asking, graph, members)


def _spread(numbers: Sequence[int]) -> Iterable[int]:
    """Yield numbers so that those up to any point lie about evenly: by the reversed bits of their places."""
    bits = max(1, (len(numbers) - 1).bit_length())
    order = sorted(range(len(numbers)), key=lambda place: int(f"{place:0{bits}b}"[::-1], 2))
    return (numbers[place] for place in order)


def _joined(
    asking: Asking, graph: Graph, members: dict[int, list[int]]
) -> tuple[dict[str, int], dict[str, list[tuple[int, int]]]]:
    sets: dict[str, int] = {}
    through: dict[str, list[tuple[int, int]]] = {}
    for project, accounts in _owners(asking, graph, members).items():
        bits = bitset(members[project])
        for account in accounts:
            sets[account] = sets.get(account, 0) | bits
            through.setdefault(account, []).append((bits.bit_count(), project))
    return sets, through


def _choked(asking: Asking, graph: Graph, one: Choke, through: dict[str, list[tuple[int, int]]]) -> Choked:
    most = sorted(through[one.name], key=lambda pair: (-pair[0], pair[1]))[:10]
    rows = [graph.rows[graph.newest[project]] for _, project in most]
    keys: dict[int, Key] = dict(asking.store.keys(rows))
    return Choked(one.name, one.reached, one.added, tuple(f"{keys[row][0]}:{keys[row][1]}" for row in rows))
