"""By which path each pin of a project comes in: the shortest one from what the project itself asks for."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence

PROJECT = -1
"""Stands for the project itself, where a pin's number would."""


def shortest(count: int, links: Iterable[tuple[int, int]], direct: Iterable[int]) -> tuple[int | None, ...]:
    """Return for each of ``count`` pins the number of the pin that leads to it: PROJECT, another's, or None.

    ``links`` are pairs (needs, needed), with PROJECT for the project. Without any link of the project's, what it asks
    for is ``direct``; without these as well, what nothing else needs. Of equally short paths it is the one through
    the pin that comes first, whatever the order of the links.
    """
    needed: dict[int, list[int]] = {}
    has_owner: set[int] = set()
    for owner, one in links:
        needed.setdefault(owner, []).append(one)
        if owner != one:
            has_owner.add(one)
    roots: Iterable[int] = needed.get(PROJECT, ()) or tuple(direct)
    if not roots and has_owner:
        roots = (number for number in range(count) if number not in has_owner)
    return _breadth_first(count, needed, sorted(set(roots)))


def _breadth_first(count: int, needed: Mapping[int, list[int]], roots: Sequence[int]) -> tuple[int | None, ...]:
    via: list[int | None] = [None] * count
    for root in roots:
        via[root] = PROJECT
    level = deque(roots)
    while level:
        following: list[int] = []
        for owner in level:
            for one in sorted(needed.get(owner, ())):
                if via[one] is None:
                    via[one] = owner
                    following.append(one)
        level = deque(sorted(following))
    return tuple(via)
