"""The ports of one file while it is read, and what passes them."""

from collections.abc import Iterable, Sequence

from lazaretto.core.facts import Call, Kind, Link, Moment, Port, Role

MAX_PORTS = 50_000
"""Names that one file gives to other files or takes from them: of more it is told."""

_OUTWARDS = frozenset((Kind.SECRET_READ, Kind.ENV_DUMP, Kind.NET_CONNECT, Kind.DECODE, Kind.DECRYPT))
SINKS = frozenset((Kind.NET_CONNECT, Kind.DNS_QUERY, Kind.PROCESS_SPAWN, Kind.CODE_EVAL))
_INWARDS = SINKS | {Kind.IMPORT}

Passing = tuple[tuple[Port, ...], tuple[Link, ...], tuple[Call, ...]]
"""The ports of a file, the data that pass them, and what runs when they are passed."""


def leaves(kind: Kind, role: Role | None) -> bool:
    """Whether it says something that data leave the file which come from a fact, or by a port."""
    return kind in _OUTWARDS if role is None else role in (Role.FROM, Role.TAKES)


def arrives(kind: Kind, role: Role | None) -> bool:
    """Whether it says something that data reach a fact, or a port, which another file may have handed over."""
    return kind in _INWARDS if role is None else role in (Role.TO, Role.GIVES)


Parts = dict[int, tuple[Role, str, str]]
"""For each handle that stands for a port its role, the name and the specifier."""


class Ports:
    """The ports of one file, as handles of its record, and what passes them."""

    def __init__(self) -> None:
        self.known: dict[tuple[Role, str, str], int] = {}
        self.parts: Parts = {}
        self.flows: dict[tuple[int, int], None] = {}
        self.calls: dict[tuple[int, int], None] = {}
        self.called: dict[int, None] = {}

    def finished(self, index: dict[int, int], moments: Sequence[Moment]) -> Passing:
        """Return the ports that anything passes through; ``index`` says where a fact has come to stand."""
        flows = self._whole(self.flows, index)
        calls = self._whole(self.calls, index)
        ends = dict(index)
        ports: list[Port] = []
        used = {end for pair in (*flows, *calls) for end in pair} | self.called.keys()
        for handle in sorted(used & self.parts.keys()):
            ports.append(Port(*self.parts[handle], moments[handle]))
            ends[handle] = -len(ports)
        links = sorted({(ends[source], ends[sink]) for source, sink in flows})
        runs = sorted({(ends[port], ends[end]) for port, end in calls})
        return tuple(ports), tuple(Link(*link) for link in links), tuple(Call(*run) for run in runs)

    def _whole(self, pairs: Iterable[tuple[int, int]], index: dict[int, int]) -> list[tuple[int, int]]:
        return [pair for pair in pairs if all(end in index or end in self.parts for end in pair)]
