"""Which releases an advisory names: those it lists; where it lists none, those held here that its ranges cover."""

from collections.abc import Callable, Iterable

from msgspec import Struct

from lazaretto.app.inventory.exposed import Asked
from lazaretto.app.inventory.ports import InventoryStore
from lazaretto.app.ports import Ecosystem
from lazaretto.core.advisory import Advisory, Affected, Applies, affects
from lazaretto.core.names import Version


class Advised(Struct, frozen=True):
    """The releases to ask about, and what a reader should know of how they were found."""

    asked: tuple[Asked, ...]
    notes: tuple[str, ...]


def advised(
    store: InventoryStore, advisories: Iterable[Advisory], ecosystems: Iterable[str], house: Callable[[str], Ecosystem]
) -> Advised:
    """Return the releases that advisories name. Raises InventoryError.

    Reports of malware often cover every version by a range, and list those that are bad: the list is believed, and
    what only the range covers is told in a note.
    """
    known = frozenset(ecosystems)
    asked: list[Asked] = []
    notes: list[str] = []
    for advisory in advisories:
        if advisory.withdrawn is not None:
            notes.append(f"{advisory.id} was withdrawn on {advisory.withdrawn:%Y-%m-%d}: it names nothing any more")
            continue
        for affected in advisory.affected:
            if affected.ecosystem not in known:
                notes.append(f"{advisory.id} names {affected.name} of {affected.ecosystem}, which is not kept here")
                continue
            found = _of(store, advisory, affected, house(affected.ecosystem), notes)
            asked += found
    return Advised(tuple(sorted(set(asked))), tuple(dict.fromkeys(notes)))


def _of(
    store: InventoryStore, advisory: Advisory, affected: Affected, house: Ecosystem, notes: list[str]
) -> list[Asked]:
    try:
        name = house.name(affected.name)
    except ValueError as error:
        notes.append(f"{advisory.id} names {affected.name[:80]!r}: {error}")
        return []
    listed: list[Version] = []
    for text in affected.versions:
        try:
            listed.append(house.version(text))
        except ValueError as error:
            notes.append(f"{advisory.id} lists {text[:80]!r} of {name}: {error}")
    held = [Version(text) for text in store.versions(house.ID, name)]
    covered = {one: affects(advisory, house, name, one) for one in held if one not in listed}
    ranged = [one for one, applies in covered.items() if applies is Applies.YES]
    unclear = [one for one, applies in covered.items() if applies is Applies.UNCLEAR]
    if unclear:
        notes.append(f"{advisory.id} cannot be read for {name} {', '.join(unclear[:5])}: look for yourself")
    if listed and ranged:
        notes.append(
            f"{advisory.id} lists versions of {name}; {len(ranged)} others that only its range covers are not counted"
            f" ({', '.join(ranged[:5])})"
        )
    return [Asked(house.ID, name, one, advisory.id) for one in (listed or ranged)]
