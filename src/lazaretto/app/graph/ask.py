"""Who depends on a release, and how far a release or an account reaches: over what was imported of an ecosystem.

What was imported tells ranges, and whom they lead to at an instant; what our own places fixed is asked in ``held``.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from lazaretto.app.graph.ports import Graph, GraphError, GraphStore, Key, Listed, Pinned
from lazaretto.app.graph.resolving import admitted, resolver
from lazaretto.app.ports import Ecosystem
from lazaretto.core.graph import NOBODY, Reach, path, reach

SCHEMA = "1"

MAX_PATH = 12
"""Releases of a path of dependencies that are told."""


class Source(StrEnum):
    """What is asked: GRAPH: what was imported of an ecosystem. INVENTORY: our own places."""

    GRAPH = "graph"
    INVENTORY = "inventory"


class Dependent(Struct, frozen=True):
    """One release that needs what was asked about: in how many steps, by which path, what was asked about last.

    Of the inventory also: in how many places it does, and in how many of these the project itself asks for it. Distance
    and path are then those of the place where the path is shortest.
    """

    ecosystem: str
    name: str
    version: str
    distance: int
    path: tuple[str, ...]
    places: int | None = None
    asked_for: int | None = None


class Dependents(Struct, frozen=True):
    """Who depends on some releases at an instant; ``dependents`` are the nearest, ``places`` those of the inventory.

    ``asked_for`` is in how many places the project itself asks for these releases; only the inventory tells.
    """

    schema: str
    of: Source
    asked: tuple[str, ...]
    at: datetime | None
    direct: int
    releases: int
    projects: int
    distances: tuple[int, ...]
    dependents: tuple[Dependent, ...]
    places: tuple[str, ...] = ()
    places_count: int = 0
    asked_for: int | None = None
    notes: tuple[str, ...] = ()


class Asking(Struct, frozen=True):
    """What the questions need."""

    store: GraphStore
    inventory: Pinned
    house: Callable[[str], Ecosystem]
    at: datetime | None
    progress: Callable[[str], None]


def releases_of(asking: Asking, of: Source, ecosystem: str, name: str, wanted: str | None) -> tuple[Listed, ...]:
    """Return the releases of a project, those alone that a version or a range admits. Raises GraphError."""
    house = asking.house(ecosystem)
    own = house.name(name)
    if of is Source.GRAPH:
        releases = asking.store.of(ecosystem, own)
        where = "nothing that was imported (`lazaretto graph import`) tells of"
    else:
        releases = tuple(Listed(row, version, None) for row, version in asking.inventory.of(ecosystem, own))
        where = "no place of the inventory (`lazaretto inventory add`) has or had"
    if not releases:
        raise GraphError(f"{where} {ecosystem}:{own}")
    if wanted is None:
        return releases
    exact = [one for one in releases if one.version == wanted]
    found = exact or admitted(house, own, releases, wanted)
    if not found:
        raise GraphError(f"{where} a release of {ecosystem}:{own} that satisfies {wanted!r}")
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
        of=Source.GRAPH,
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


def graph_of(asking: Asking) -> Graph:
    """Return the graph of the instant. Raises GraphError if nothing was imported."""
    graph = asking.store.graph(asking.at, resolver(asking.house, asking.at), asking.progress)
    if graph is None:
        raise GraphError("nothing is imported: `lazaretto graph import DUMP` (JSON lines, packuments, project pages)")
    return graph


def told_path(keys: Sequence[Key]) -> tuple[str, ...]:
    """Return a path as it is told: of a long one its two ends."""
    steps = [f"{name}@{version}" for _, name, version in keys]
    if len(steps) > MAX_PATH:
        steps[MAX_PATH - 2 : -1] = [f"({len(steps) - MAX_PATH + 1} more)"]
    return tuple(steps)


def _told(asking: Asking, graph: Graph, found: Reach, most: int) -> list[Dependent]:
    """Return the nearest dependents by their names, with the paths that lead from them."""
    nearest = [(node, depth) for depth, level in enumerate(found.levels, 1) for node in level[:most]][:most]
    paths = {node: path(found, node) for node, _ in nearest}
    keys = asking.store.keys({graph.rows[node] for steps in paths.values() for node in steps})
    told = []
    for node, depth in nearest:
        ecosystem, name, version = keys[graph.rows[node]]
        steps = told_path([keys[graph.rows[one]] for one in paths[node]])
        told.append(Dependent(ecosystem, name, version, depth, steps))
    return told


def _places(asking: Asking, graph: Graph, found: Reach) -> list[str]:
    """Return the places of the inventory that hold what was asked about, or something that depends on it."""
    nodes = {row: node for node, row in enumerate(graph.rows)}
    rows = {key: row for row, key in asking.inventory.releases()}
    held = {rows[key] for key, row in asking.store.found(rows) if row in nodes and found.by[nodes[row]] != NOBODY}
    places = {place for place, release in asking.inventory.pins() if release in held} if held else set()
    return sorted(asking.inventory.paths(places).values())
