"""What belongs together though no value was followed: facts of one function, files and the commands that name them.

Whoever knows how many of them are looked at can put as many of no interest in front: so every place where a flow may
end is asked, and of each kind that may flow there those that stand nearest before it.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

from lazaretto.core.facts import Kind, Moment, Role

NEAREST = 100
"""Facts of one kind before another fact that may flow into it."""

MAX_PATHS = 2000
"""Most paths that are written, and most commands, that are compared with each other."""

Linked = Iterator[tuple[frozenset[int], int]]
"""The numbers of facts, and that of the fact into which they flow."""

_SOURCES = (Kind.SECRET_READ, Kind.ENV_DUMP, Kind.DECRYPT, Kind.NET_CONNECT)
_LITERALS = frozenset(kind for kind in Kind if kind.value.startswith("literal."))


class Found:
    """A fact in the making."""

    __slots__ = ("dropped", "end", "kind", "moment", "nested", "place", "start", "value", "via")

    def __init__(self, kind: Kind | Role, value: str | None, start: int, end: int, moment: Moment, via: str) -> None:
        self.kind = kind
        self.value = value
        self.start = start
        self.end = end
        self.moment = moment
        self.via = via
        self.place = 0
        self.dropped = False
        self.nested = False


def scopes(found: list[Found], linked: set[int], means: Callable[[Kind | Role, Kind | Role], bool]) -> Linked:
    """Yield flows between facts of one function, into those where nothing is known to flow yet.

    ``means`` says whether a flow between two kinds means anything.
    """
    places: defaultdict[int, list[int]] = defaultdict(list)
    for number, fact in enumerate(found):
        if not fact.dropped and fact.kind not in _LITERALS:
            places[fact.place].append(number)
    for numbers in places.values():
        before = {kind: _by_start(found, (n for n in numbers if found[n].kind is kind)) for kind in _SOURCES}
        for sink in numbers:
            if sink in linked or _carries_nothing(found[sink]):
                continue
            near: set[int] = set()
            for kind, sources in before.items():
                if means(kind, found[sink].kind) and (kind, found[sink].kind) != (Kind.NET_CONNECT, Kind.FS_WRITE):
                    end = bisect_left(sources, (found[sink].start, -1))
                    near.update(number for _start, number in sources[max(0, end - NEAREST) : end])
            if near:
                yield frozenset(near), sink


def _by_start(found: list[Found], numbers: Iterable[int]) -> list[tuple[int, int]]:
    return sorted((found[number].start, number) for number in numbers)


def _carries_nothing(sink: Found) -> bool:
    """Whether it is a command, or code, that is known to the last letter."""
    return sink.kind in (Kind.PROCESS_SPAWN, Kind.CODE_EVAL) and sink.value is not None and "*" not in sink.value


def written_paths(found: list[Found]) -> tuple[Linked, bool]:
    """Return flows from files that are written to commands that name them, and whether there are too many to tell."""
    written: defaultdict[str, list[int]] = defaultdict(list)
    commands: defaultdict[str, list[int]] = defaultdict(list)
    for number, fact in enumerate(found):
        if fact.kind is Kind.FS_WRITE and fact.value and len(fact.value) > 3:
            written[fact.value].append(number)
        elif fact.kind is Kind.PROCESS_SPAWN and fact.value:
            commands[fact.value].append(number)
    many = bool(written and commands) and max(len(written), len(commands)) > MAX_PATHS
    paths = list(written.items())[:MAX_PATHS]
    named = list(commands)[:MAX_PATHS]
    together = "\0".join(named)
    linked = (
        (frozenset(numbers), sink)
        for path, numbers in paths
        if path in together
        for command in named
        if path in command
        for sink in commands[command]
    )
    return linked, many
