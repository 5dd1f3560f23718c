"""Which facts of one function stand beside each other: much of no interest between them keeps none of them apart."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator

from lazaretto.core.facts import Kind
from lazaretto.languages.python.record import flows_between

FEW = 200
"""As many facts of one function are all taken to stand beside each other."""

NEAREST = 8
"""Of more, two stand beside each other if no more than so many facts of either kind stand between them."""


def beside(handles: list[int], kind: Callable[[int], Kind]) -> Iterator[tuple[list[int], int]]:
    """Yield for each fact of a function, in the order of its handles, those that something may flow from."""
    if len(handles) <= FEW:
        yield from ((handles, handle) for handle in handles)
        return
    places: defaultdict[Kind, list[int]] = defaultdict(list)
    for place, handle in enumerate(handles):
        places[kind(handle)].append(place)
    for kind_of_sink, sinks in places.items():
        sources = [among for source, among in places.items() if flows_between(source, kind_of_sink)]
        for number, place in enumerate(sinks if sources else ()):
            first = sinks[number - NEAREST] if number >= NEAREST else 0
            last = sinks[number + NEAREST] if number + NEAREST < len(sinks) else len(handles)
            near: list[int] = []
            for among in sources:
                at = bisect_left(among, place)
                others = among[max(0, at - NEAREST) : at + NEAREST]
                near += [handles[other] for other in others if first <= other <= last]
            yield near, handles[place]
