"""The ways between the files of one artifact: what a file gives and takes by name, and who called whom on a way."""

from collections.abc import Collection

from msgspec import Struct

from lazaretto.core.facts import Facts, Kind, Role

MAX_CALLERS = 1
"""Calls of a way that are remembered, the last ones: what comes back from one before them may go to anybody."""

MAX_WAYS = 8
"""Ways to one place that are told apart; who comes by another one is taken to come from anywhere."""

MAX_STRAYS = 1
"""How often on one way an export may give to one file what another one handed in: it may have kept it meanwhile."""

WHOLE = -(1 << 40)
"""In the place of a port: all that a file gives."""

Node = tuple[str, int]
"""A file, and a fact (0 and up) or a port (-1 and down) of it."""

_ITSELF = ("", "default")


class Exports:
    """What one file gives or takes, by name: the numbers of its ports."""

    def __init__(self, read: Facts, *, python: bool) -> None:
        self.stars: dict[str, None] = {}
        self.all: list[int] = []
        self._named: dict[tuple[Role, str], list[int]] = {}
        self.imports: dict[str, dict[str, None]] = {}
        """For each name that a module of Python imports and has since: the modules that it comes from."""
        for fact in read.facts if python else ():
            if fact.kind is Kind.IMPORT and fact.value:
                module, _, name = fact.value.rpartition(".")
                self.imports.setdefault(name, {})[module if module.strip(".") else f"{module}."] = None
        for number, port in enumerate(read.ports):
            if port.name == "*":
                if port.role is Role.FROM:
                    self.stars[port.specifier] = None
            elif port.role in (Role.GIVES, Role.TAKES):
                self._named.setdefault((port.role, port.name), []).append(-1 - number)
                if port.role is Role.GIVES:
                    self.all.append(-1 - number)

    def of(self, role: Role, name: str) -> list[int]:
        """Return the ports that a name means. A module as a whole has all its exports, and they are parts of it."""
        if role is Role.GIVES and not name:
            return [WHOLE] if self.all else []
        names = ("", "default") if name in ("", "default") else (name, "") if role is Role.GIVES else (name,)
        if name.startswith("."):  # of a module that is an object as a whole the members are its exports
            names = (*names, name[1:])
        return [number for one in names for number in self._named.get((role, one), ())]


class Way(Struct, frozen=True):
    """What is known of where data on their way have come from: they come back to who handed them in.

    ``callers`` are the calls that have not returned, each the file that calls and the name of the export; ``due`` is
    the file to which an export returns just now, None where any file may have asked; ``strays`` is how often it was
    another one.
    """

    callers: tuple[tuple[str, str], ...] = ()
    due: str | None = None
    strays: int = 0

    def to(self, node: Node, after: Node, port: tuple[Role | None, str]) -> "Way | None":
        """Return the way when it goes on from one node to the next; None if nobody's data ever go so."""
        role, name = port
        name = "" if name in _ITSELF else name
        if role is Role.TAKES and node[0] != after[0]:
            return Way((*self.callers, (node[0], name))[-MAX_CALLERS:], None, self.strays)
        if role is Role.GIVES:
            if self.callers and self.callers[-1][1] == name:
                return Way(self.callers[:-1], self.callers[-1][0], self.strays)
            # Something that the file keeps: whoever asks for it gets it.
            strays = self.strays + bool(self.callers)
            return Way((), None, strays) if strays <= MAX_STRAYS else None
        if role is Role.FROM:
            strays = self.strays + (self.due not in (None, after[0]))
            return Way(self.callers, None, strays) if strays <= MAX_STRAYS else None
        return self

    def among(self, known: Collection["Way"]) -> "Way":
        """Return the way as far as it is told apart from those that have come to the same place before."""
        return Way((), self.due, self.strays) if len(known) >= MAX_WAYS and self not in known else self

    def wider(self) -> "tuple[Way, ...]":
        """Return the way and those that lead wherever it does."""
        return (self, Way((), self.due, self.strays), Way((), None, self.strays))


AT_HOME = Way()
"""The way of data that nobody has handed in."""
