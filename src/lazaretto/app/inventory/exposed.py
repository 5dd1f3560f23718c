"""Who has a release: every place of the inventory, with what leads to it, what stands beside it, and reasons."""

import posixpath
from collections.abc import Iterator, Sequence

from msgspec import Struct

from lazaretto.app.inventory.ports import Held, InventoryStore
from lazaretto.core.exposure import Beside, Exposure, Window, Within, judge
from lazaretto.core.inventory import Entry, Proof
from lazaretto.core.names import ProjectName, Version

MAX_BESIDE = 20
"""Entries of an installed tree that are set beside one of a lockfile."""


class Asked(Struct, frozen=True, order=True):
    """One release that is asked about, and the advisory that names it, if one does."""

    ecosystem: str
    name: ProjectName
    version: Version
    advisory: str = ""


class Answer(Struct, frozen=True):
    """Every place that has one of the releases; the versions of the same projects that others have; what was not read.

    ``outside`` are those that were certainly not there in the time that was asked about. ``places`` is how many were
    looked at.
    """

    asked: tuple[Asked, ...]
    window: Window | None
    exposures: tuple[Exposure, ...]
    outside: tuple[Exposure, ...]
    near: tuple[str, ...]
    unread: tuple[str, ...]
    places: int
    notes: tuple[str, ...] = ()


def exposed(store: InventoryStore, asked: Sequence[Asked], window: Window | None) -> Answer:
    """Return who has one of the releases, by exactly their versions. Raises InventoryError.

    A version that is only mentioned (npm's ``overrides``, Yarn's ``resolutions``) is no entry of any place, so that it
    is no exposure.
    """
    found = [_judged(store, one, window) for release in sorted(set(asked)) for one in _holding(store, release)]
    near: dict[str, None] = {}
    meant = {(one.ecosystem, one.name, one.version) for one in asked}
    for ecosystem, name in sorted({(one.ecosystem, one.name) for one in asked}):
        for version in store.versions(ecosystem, name):
            if (ecosystem, name, version) not in meant:
                near[f"{ecosystem}:{name}@{version}"] = None
    places, problems = store.not_read()
    unread = [f"{place}{f':{one.line}' if one.line else ''}: {one.why}" for place, one in problems]
    return Answer(
        asked=tuple(sorted(set(asked))),
        window=window,
        exposures=tuple(one for one in found if one.within is not Within.NO),
        outside=tuple(one for one in found if one.within is Within.NO),
        near=tuple(near),
        unread=tuple(unread),
        places=places,
    )


def _holding(store: InventoryStore, release: Asked) -> Iterator[Held]:
    return store.holding(release.ecosystem, release.name, release.version)


def _judged(store: InventoryStore, held: Held, window: Window | None) -> Exposure:
    entry = held.entry
    via = entry.via is not None and entry.via >= 0
    chain = store.chain(held.row, entry.number) if via else ()
    known = via or entry.via == -1
    return judge(
        held.place,
        entry,
        path=tuple(map(_called, (*chain, entry))) if known else (),
        brought=store.brought(held.row, entry.number),
        beside=_beside(store, held) if entry.proof in {Proof.FIXED, Proof.LISTED} else (),
        window=window,
    )


def _beside(store: InventoryStore, held: Held) -> tuple[Beside, ...]:
    """Return what the tree that lies beside a lockfile has of the same project, and what that brought."""
    folder = posixpath.dirname(held.place.path)
    found: list[Beside] = []
    for one in store.beside(f"{folder}/node_modules", held.entry.ecosystem, held.entry.name)[:MAX_BESIDE]:
        same = one.entry.version == held.entry.version
        found.append(Beside(one.place, one.entry, store.brought(one.row, one.entry.number) if same else ()))
    return tuple(found)


def _called(entry: Entry) -> str:
    return f"{entry.name}@{entry.version}"
