"""A fact in the making, while its file is read."""

from lazaretto.core.facts import Kind, Moment, Role


class Found:
    """A fact, or what passes a port, before it is known whether it is told."""

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
