"""Collects facts, flows and problems while code is read, and puts them in their final order."""

from collections import Counter
from collections.abc import Iterable

from lazaretto.core.facts import Fact, Facts, Flow, Kind, Moment, Problem, Role, bounded
from lazaretto.languages._sensitive import MACHINE
from lazaretto.languages.python.passing import MAX_PORTS, Ports, arrives, leaves
from lazaretto.languages.python.syntax import Source

MAX_FACTS = 20_000
MAX_FLOWS = 500
"""Flows between two kinds of facts: many that mean little do not keep out those that mean much."""
MAX_VALUES = 16
"""Most values of one kind at one place: code that is made in a loop says nothing more after that."""

MAX_PROBLEMS = 50

_SOURCES = frozenset((Kind.SECRET_READ, Kind.ENV_DUMP, Kind.WALLET_TOUCH, Kind.USER_WATCH))
_SENDERS = frozenset((Kind.NET_CONNECT, Kind.DNS_QUERY, Kind.PROCESS_SPAWN))
_RUNNERS = frozenset((Kind.CODE_EVAL, Kind.PROCESS_SPAWN))
_DECODED = frozenset((Kind.DECODE, Kind.DECRYPT))
_USES = _RUNNERS | {Kind.NET_CONNECT, Kind.FS_WRITE, Kind.IMPORT}
"""What the outcome of a computation has to be known for."""


_FLOWING = _SOURCES | _DECODED | {Kind.KEY_GIVEN, Kind.NET_CONNECT, Kind.DNS_QUERY, Kind.FS_WRITE, Kind.MODULE_HOOK}
"""What data may come from that make a flow."""


def flows_between(source: Kind, sink: Kind) -> bool:
    """Whether a flow from one kind of fact to the other says something."""
    if source in _SOURCES:
        return sink in _SENDERS
    if source is Kind.KEY_GIVEN:
        return sink in (Kind.NET_CONNECT, Kind.DNS_QUERY)
    if source is Kind.DNS_QUERY:
        return sink in _RUNNERS
    if source is Kind.NET_CONNECT:
        return sink is Kind.FS_WRITE or sink in _RUNNERS
    if source is Kind.FS_WRITE:
        return sink is Kind.PROCESS_SPAWN
    if source in (Kind.MODULE_HOOK, Kind.ENV_READ):
        return sink in (Kind.NET_CONNECT, Kind.DNS_QUERY)
    return source in _DECODED and (sink in _RUNNERS or sink is Kind.FS_WRITE)


class Entry:
    """A fact in the making. ``soft``: told only if a flow needs it. ``gone``: replaced by a better one."""

    __slots__ = ("end", "gone", "kind", "moment", "role", "soft", "start", "value", "via")

    def __init__(self, kind: Kind, value: str | None, start: int, end: int, moment: Moment, via: str) -> None:
        self.kind = kind
        self.role: Role | None = None
        self.value = value
        self.start = start
        self.end = end
        self.moment = moment
        self.via = via
        self.soft = False
        self.gone = False


class Record:
    """Everything found in one file. A handle is an index into ``entries``."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.problems: dict[tuple[int, str], bool] = {}
        self._known: dict[tuple[Kind, int, int, str | None, str], int] = {}
        self._flows: dict[tuple[int, int], str] = {}
        self._full = False
        self._values: dict[tuple[Kind, int], int] = {}
        self._unfinished: dict[int, str] = {}
        self._little: set[int] = set()
        self.ports = Ports()

    def add(
        self,
        kind: Kind,
        value: str | None,
        place: tuple[int, int],
        moment: Moment,
        via: str = "plain",
        *,
        soft: bool = False,
    ) -> int:
        """Note a fact and return its handle; the same fact at the same place is noted once."""
        value = None if value is None else bounded(value)
        key = (kind, place[0], place[1], value, via)
        handle = self._known.get(key)
        if handle is None:
            count = self._values[kind, place[0]] = self._values.get((kind, place[0]), 0) + 1
            if count > MAX_VALUES and kind is not Kind.IMPORT and value is not None:
                return self.add(kind, None, place, moment, via, soft=soft)
            if len(self.entries) >= MAX_FACTS:
                self._full = True
                return 0
            handle = self._known[key] = len(self.entries)
            entry = Entry(kind, value, place[0], place[1], moment, via)
            entry.soft = soft
            self.entries.append(entry)
            return handle
        entry = self.entries[handle]
        if moment is Moment.LOAD:
            entry.moment = moment
        if not soft:
            entry.soft = False
        return handle

    def has(self, kind: Kind, value: str) -> bool:
        """Whether a fact of this kind and value has been noted so far."""
        return any(entry.kind is kind and entry.value == value for entry in self.entries)

    def unfinished(self, place: tuple[int, int], reason: str, *, little: bool = False) -> int:
        """Return a handle for what a computation would have made that was not followed to its end.

        It is no fact; where it flows into something that runs or leaves the machine, it is a problem. What is made of
        ``little`` says no more than the text that makes it: written to a file, it hides nothing.
        """
        for handle in self._unfinished:
            if (self.entries[handle].start, self.entries[handle].end) == place:
                return handle
        entry = Entry(Kind.DECODE, None, *place, Moment.CALL, "unfinished")
        entry.gone = True
        self.entries.append(entry)
        self._unfinished[len(self.entries) - 1] = reason
        if little:
            self._little.add(len(self.entries) - 1)
        return len(self.entries) - 1

    def port(self, role: Role, name: str, specifier: str, moment: Moment) -> int:
        """Return the handle of a port: it stands for what passes there, as a fact's does for what came of it."""
        part = (role, name, specifier)
        handle = self.ports.known.get(part)
        if handle is None:
            if len(self.ports.known) >= MAX_PORTS and name != "*":
                self.problem(0, f"more than {MAX_PORTS} names are given to other files, or taken from them")
                return self.port(role, "*", "", moment)  # stands for all the others, and joins nothing
            handle = self.ports.known[part] = len(self.entries)
            self.ports.parts[handle] = part
            entry = Entry(Kind.IMPORT, None, 0, 0, moment, "port")
            entry.role, entry.gone = role, True
            self.entries.append(entry)
        elif moment is Moment.LOAD:
            self.entries[handle].moment = moment
        return handle

    def is_unfinished(self, handle: int) -> bool:
        """Whether a handle came from ``unfinished``."""
        return handle in self._unfinished

    def tells(self, handles: frozenset[int]) -> bool:
        """Whether data that come from any of these facts may make a flow that says something."""
        entries = self.entries
        return any(entries[handle].kind in _FLOWING or handle in self._unfinished for handle in handles)

    def real(self, handles: frozenset[int]) -> bool:
        """Whether any of these is a fact: what merely passes through a port may be anything."""
        return bool(handles) and not self.ports.parts.keys() >= handles

    def path_read(self, handle: int) -> str | None:
        """Return the path of a handle that stands for a file that is read."""
        entry = self.entries[handle]
        return entry.value if entry.kind is Kind.FS_READ else None

    def kind(self, handle: int) -> Kind:
        """Return what kind of fact a handle stands for."""
        return self.entries[handle].kind

    def flow(self, sources: Iterable[int], sink: int, how: str = "data") -> None:
        """Note that data go from each of these facts to the sink, where such a flow says something."""
        kind = self.entries[sink].kind
        ports = self.ports.parts
        for source in sources:
            if source in ports or sink in ports:
                start, end = self.entries[source], self.entries[sink]
                if how == "data" and source != sink and leaves(start.kind, start.role) and arrives(end.kind, end.role):
                    self.ports.flows[source, sink] = None
                continue
            if source in self._unfinished:
                written = kind is Kind.FS_WRITE and source in self._little
                if how == "data" and kind in _USES and not written:
                    self.problem(self.entries[source].start, self._unfinished[source])
                continue
            if source == sink or not flows_between(self.entries[source].kind, kind):
                continue
            if self.entries[source].kind is Kind.ENV_READ and not (self.entries[source].value or "").startswith(
                MACHINE
            ):
                continue
            if how == "data":
                self._flows[source, sink] = how
            else:
                self._flows.setdefault((source, sink), how)

    def problem(self, offset: int, reason: str, *, unread: bool = False) -> None:
        """Note that a place was not understood, or not read because a bound was met."""
        if unread or len(self.problems) < MAX_PROBLEMS:
            self.problems[offset, reason] = unread

    def finish(self, language: str, source: Source) -> Facts:
        """Return the facts in the order of the file."""
        if self._full:
            self.problem(0, f"more than {MAX_FACTS} facts: not all are told", unread=True)
        used = {handle for pair, how in self._flows.items() if how == "data" for handle in pair}
        used |= {end for pair in self.ports.flows for end in pair if not self.entries[end].gone}
        better = {(e.kind, e.start) for e in self.entries if e.value is not None and not e.gone}
        kept: dict[tuple[int, int, str, str, str], list[int]] = {}
        for handle, entry in enumerate(self.entries):
            if (entry.soft or entry.gone) and handle not in used:
                continue
            if entry.value is None and (entry.kind, entry.start) in better and handle not in used:
                continue
            key = (entry.start, entry.end, entry.kind.value, entry.value or "", entry.via)
            kept.setdefault(key, []).append(handle)
        index: dict[int, int] = {}
        facts: list[Fact] = []
        for key in sorted(kept):
            first = self.entries[kept[key][0]]
            load = any(self.entries[handle].moment is Moment.LOAD for handle in kept[key])
            for handle in kept[key]:
                index[handle] = len(facts)
            moment = Moment.LOAD if load else Moment.CALL
            facts.append(Fact(first.kind, first.value, source.span(first.start, first.end), moment, first.via))
        problems = sorted({(source.line(offset), reason, unread) for (offset, reason), unread in self.problems.items()})
        told = [*source.problems, *(Problem(*problem) for problem in problems)]
        passing = self.ports.finished(index, [entry.moment for entry in self.entries] if self.ports.known else ())
        return Facts(language, tuple(facts), self._finished_flows(index), tuple(told), *passing)

    def _finished_flows(self, index: dict[int, int]) -> tuple[Flow, ...]:
        best: dict[tuple[int, int], str] = {}
        kinds: dict[tuple[int, int], tuple[Kind, Kind]] = {}
        for (source, sink), how in self._flows.items():
            if source in index and sink in index and index[source] != index[sink]:
                pair = (index[source], index[sink])
                kinds[pair] = (self.entries[source].kind, self.entries[sink].kind)
                if best.get(pair) != "data":
                    best[pair] = how
        told: Counter[tuple[Kind, Kind]] = Counter()
        kept: list[Flow] = []
        for (source, sink), how in sorted(best.items(), key=lambda item: (item[1] != "data", item[0])):
            told[kinds[source, sink]] += 1
            if told[kinds[source, sink]] <= MAX_FLOWS:
                kept.append(Flow(source, sink, how))
        return tuple(sorted(kept, key=lambda flow: (flow.source, flow.sink)))
