"""The ports of one file while it is read, and what passes them."""

from collections.abc import Sequence

from lazaretto.core.facts import Kind, Link, Moment, Port, Role

MAX_PORTS = 400

_OUTWARDS = frozenset((Kind.SECRET_READ, Kind.ENV_DUMP, Kind.NET_CONNECT, Kind.DECODE, Kind.DECRYPT))
SINKS = frozenset((Kind.NET_CONNECT, Kind.DNS_QUERY, Kind.PROCESS_SPAWN, Kind.CODE_EVAL))
_INWARDS = SINKS | {Kind.IMPORT}

Passing = tuple[tuple[Port, ...], tuple[Link, ...]]
"""The ports of a file, and the data that pass them."""


def leaves(kind: Kind, role: Role | None) -> bool:
    """Whether it says something that data leave the file which come from a fact, or by a port."""
    return kind in _OUTWARDS if role is None else role in (Role.FROM, Role.TAKES)


def arrives(kind: Kind, role: Role | None) -> bool:
    """Whether it says something that data reach a fact, or a port, which another file may have handed over."""
    return kind in _INWARDS if role is None else role in (Role.TO, Role.GIVES)


class Ports:
    """The ports of one file, as handles of its record, and what passes them."""

    def __init__(self) -> None:
        self.known: dict[tuple[Role, str, str], int] = {}
        self.parts: dict[int, tuple[Role, str, str]] = {}
        self.flows: dict[tuple[int, int], None] = {}

    def finished(self, index: dict[int, int], moments: Sequence[Moment]) -> Passing:
        """Return the ports that anything passes through; ``index`` says where a fact has come to stand."""
        if not self.flows:
            return (), ()
        pairs = [pair for pair in self.flows if all(end in index or end in self.parts for end in pair)]
        ends = dict(index)
        ports: list[Port] = []
        for handle in sorted({end for pair in pairs for end in pair} & self.parts.keys()):
            ports.append(Port(*self.parts[handle], moments[handle]))
            ends[handle] = -len(ports)
        links = sorted({(ends[source], ends[sink]) for source, sink in pairs})
        return tuple(ports), tuple(Link(*link) for link in links)
