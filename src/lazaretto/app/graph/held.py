"""Who depends on a release in our own places: by what they fixed or installed, not by what ranges would lead to.

Each place that holds the release is walked upwards from there, so that nobody counts as a dependent who only elsewhere
depends on it: that A needs B in one project and B needs C in another does not make A need C.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from lazaretto.app.graph.ask import SCHEMA, Asking, Dependent, Dependents, Source, told_path
from lazaretto.core.dependency_paths import PROJECT


class _Seen(Struct):
    """One dependent: in how many places, in how many of these the project asks for it; its shortest path, by rows."""

    places: int
    asked_for: int
    path: tuple[int, ...]


class _Walk(Struct):
    """One place: the release of each entry that was met, and for each dependent, nearest first, the one below it.

    ``asked_for``: whether the project itself asks for what was asked about. ``direct`` are those that it does ask for.
    """

    asked_for: bool
    rows: dict[int, int]
    below: dict[int, int]
    direct: set[int]

    def path(self, number: int) -> tuple[int, ...]:
        """Return the releases by which an entry leads to what was asked about, its own first."""
        steps = [number]
        while steps[-1] in self.below:
            steps.append(self.below[steps[-1]])
        return tuple(self.rows[one] for one in steps)


def dependents_held(
    asking: Asking, rows: Iterable[int], asked: Sequence[str], *, steps: int | None, most: int
) -> Dependents:
    """Return who depends on releases of the inventory, with the places that hold them. Raises InventoryError."""
    holders = asking.inventory.holders(rows, asking.at)
    seen: dict[int, _Seen] = {}
    asked_for = 0
    for count, (place, holding) in enumerate(holders.items()):
        walk = _walk(asking, place, holding, steps)
        asked_for += walk.asked_for
        _take(seen, walk)
        if count % 100 == 0:
            asking.progress(f"{count} of {len(holders)} places")
    keys = asking.inventory.keys(dict.fromkeys(row for one in seen.values() for row in one.path))
    order = sorted(seen, key=lambda row: (len(seen[row].path), -seen[row].places, keys[row]))
    lengths = [len(one.path) - 1 for one in seen.values()]
    distances = tuple(lengths.count(depth) for depth in range(1, max(lengths, default=0) + 1))
    paths = asking.inventory.paths(holders)
    return Dependents(
        schema=SCHEMA,
        of=Source.INVENTORY,
        asked=tuple(asked),
        at=asking.at,
        direct=distances[0] if distances else 0,
        releases=len(seen),
        projects=len({keys[row][:2] for row in seen}),
        distances=distances,
        dependents=tuple(
            Dependent(
                *keys[row],
                distance=len(seen[row].path) - 1,
                path=told_path([keys[one] for one in seen[row].path]),
                places=seen[row].places,
                asked_for=seen[row].asked_for,
            )
            for row in order[:most]
        ),
        places=tuple(sorted(paths.values())[:most]),
        places_count=len(paths),
        asked_for=asked_for,
    )


def kept_here(asking: Asking, rows: Iterable[int]) -> frozenset[int]:
    """Return the releases of the inventory that are of the same projects as some that were imported, in any version."""
    projects = {(ecosystem, name) for ecosystem, name, _ in asking.store.keys(rows).values()}
    return frozenset(row for project in projects for row, _ in asking.inventory.of(*project))


def _walk(asking: Asking, place: int, holding: Mapping[int, int], steps: int | None) -> _Walk:
    """Follow from some entries of a place upwards, level by level, those that were there at the instant."""
    owners = asking.inventory.owners(place)
    found = _Walk(any(PROJECT in owners.get(number, ()) for number in holding), dict(holding), {}, set())
    looked = set(holding)
    level, depth = list(holding), 0
    while level and (steps is None or depth < steps):
        following: list[int] = []
        for number in level:
            for owner in owners.get(number, ()):
                if owner == PROJECT or owner in looked:
                    continue
                looked.add(owner)
                row = asking.inventory.release(place, owner, asking.at)
                if row is not None:
                    found.rows[owner], found.below[owner] = row, number
                    following.append(owner)
                    if PROJECT in owners.get(owner, ()):
                        found.direct.add(row)
        level, depth = sorted(following), depth + 1
    return found


def _take(seen: dict[int, _Seen], walk: _Walk) -> None:
    """Count what one place has: each release once, however many copies of it there are."""
    here: set[int] = set()
    depths = dict.fromkeys(walk.rows, 0)
    for number, below in walk.below.items():  # those below come first
        row = walk.rows[number]
        depths[number] = depths[below] + 1
        if row in here:
            continue
        here.add(row)
        one = seen.get(row)
        if one is None:
            one = seen[row] = _Seen(0, 0, walk.path(number))
        elif depths[number] < len(one.path) - 1:
            one.path = walk.path(number)
        one.places += 1
        one.asked_for += row in walk.direct
