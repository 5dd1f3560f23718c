"""The ports of one file while it is read, and what passes them."""

from collections.abc import Container, Sequence

from lazaretto.core.facts import Call, Kind, Link, Moment, Port, Role

MAX_PORTS = 400
MAX_CALLS = 200
"""Most things that are told of what one call of an export does."""

_OUTWARDS = frozenset((Kind.SECRET_READ, Kind.ENV_DUMP, Kind.NET_CONNECT, Kind.DECODE, Kind.DECRYPT))
_INWARDS = frozenset((Kind.NET_CONNECT, Kind.DNS_QUERY, Kind.PROCESS_SPAWN, Kind.CODE_EVAL, Kind.IMPORT))

Passing = tuple[tuple[Port, ...], tuple[Link, ...], tuple[Call, ...]]
"""The ports of a file, the data that pass them, and what runs when they are passed."""


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
        self.calls: dict[tuple[int, int], None] = {}
        self.heard: list[tuple[int, int, int]] = []
        """What runs when a port is passed: the port, and the handles from the first to behind the last."""

    def _is(self, handle: int, role: Role) -> bool:
        part = self.parts.get(handle)
        return part is not None and part[0] is role

    def finished(self, index: dict[int, int], acts: Container[int], moments: Sequence[Moment]) -> Passing:
        """Return the ports that anything passes through.

        ``index`` says where a fact has come to stand; ``acts`` which of them do more than name something.
        """
        if not self.parts:
            return (), (), ()
        pairs = [pair for pair in self.flows if all(end in index or end in self.parts for end in pair)]
        calls = [(port, end) for port, end in self.calls if end in index or end in self.parts]
        for port, first, last in self.heard:
            found = [end for end in range(first, last) if end in acts or self._is(end, Role.TO)]
            calls += [(port, end) for end in found[:MAX_CALLS]]
        used = {end for pair in (*pairs, *calls) for end in pair}
        used |= {handle for handle, part in self.parts.items() if part[0] is Role.TO and moments[handle] is Moment.LOAD}
        ends = dict(index)
        ports: list[Port] = []
        for handle in sorted(used & self.parts.keys()):
            ports.append(Port(*self.parts[handle], moments[handle]))
            ends[handle] = -len(ports)
        links = sorted({(ends[source], ends[sink]) for source, sink in pairs})
        called = sorted({(ends[port], ends[end]) for port, end in calls})
        return tuple(ports), tuple(Link(*link) for link in links), tuple(Call(*call) for call in called)
