"""The facts and flows that reading a file has found so far."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from lazaretto.core.facts import Call, Fact, Flow, Kind, Link, Moment, Port, Problem, Role, Span, bounded
from lazaretto.languages import _codecs
from lazaretto.languages._lines import LinesAhead
from lazaretto.languages._sensitive import MACHINE
from lazaretto.languages.javascript import linking
from lazaretto.languages.javascript.coerce import pattern_text
from lazaretto.languages.javascript.linking import Found
from lazaretto.languages.javascript.pages import OF_PAGES, absolute
from lazaretto.languages.javascript.values import UNDEFINED, Buf, Sym, Text, Value, options, taint_of, via_of

MAX_FLOWS = 500
"""Flows between two kinds of facts: many that mean little do not keep out those that mean much."""

MAX_LITERALS = 20_000
"""Most texts of one kind that are told: tables of a file's own addresses keep out no other."""

MAX_PORTED = 20_000
"""Flows between facts and ports, for each pair of kinds: of more it is told."""

MAX_PORTS = 50_000
"""Names that one file gives to other files or takes from them: of more it is told."""

MAX_CALLS = 100_000
"""Things that run when an export is called, of all exports together: of more it is told."""

MAX_PATTERN = 400
MAX_FACTS_AT = 12
"""Most values that one place contributes for one kind: a loop over a table names what it names."""

LAYERS = frozenset({"base64", "hex", "xor", "char-codes", "zlib", "reverse", "unescape", "table-layer"})

_SECRETS = (Kind.SECRET_READ, Kind.ENV_DUMP)
_OUT = (Kind.NET_CONNECT, Kind.DNS_QUERY, Kind.PROCESS_SPAWN)
_FAMILIES: frozenset[tuple[Kind | Role, Kind | Role]] = frozenset(
    [(source, sink) for source in _SECRETS for sink in _OUT]
    + [(Kind.KEY_GIVEN, sink) for sink in (Kind.NET_CONNECT, Kind.DNS_QUERY)]
    + [(Kind.NET_CONNECT, sink) for sink in (Kind.FS_WRITE, Kind.CODE_EVAL, Kind.PROCESS_SPAWN)]
    + [(Kind.DNS_QUERY, Kind.CODE_EVAL), (Kind.DNS_QUERY, Kind.PROCESS_SPAWN)]
    + [(Kind.FS_WRITE, Kind.PROCESS_SPAWN), (Kind.DECODE, Kind.CODE_EVAL), (Kind.DECRYPT, Kind.CODE_EVAL)]
    + [(Kind.USER_WATCH, Kind.NET_CONNECT), (Kind.USER_WATCH, Kind.DNS_QUERY), (Kind.BROWSER_HOOK, Kind.NET_CONNECT)]
    + [(Kind.MODULE_HOOK, Kind.NET_CONNECT), (Kind.ENV_READ, Kind.NET_CONNECT), (Kind.ENV_READ, Kind.DNS_QUERY)]
    + [(Kind.DECODE, Kind.PROCESS_SPAWN), (Kind.DECRYPT, Kind.PROCESS_SPAWN)]
)
_OUTWARDS: frozenset[Kind | Role] = frozenset(
    (*_SECRETS, Kind.NET_CONNECT, Kind.DECODE, Kind.DECRYPT, Role.FROM, Role.TAKES)
)
_INWARDS: frozenset[Kind | Role] = frozenset((*_OUT, Kind.CODE_EVAL, Kind.IMPORT))
_FAMILIES |= frozenset((source, sink) for source in _OUTWARDS for sink in (Role.TO, Role.GIVES))
_FAMILIES |= frozenset((source, sink) for source in (Role.FROM, Role.TAKES) for sink in _INWARDS)


_ROLES = frozenset(Role)


Passing = tuple[tuple[Port, ...], tuple[Link, ...], tuple[Call, ...]]
"""The ports of a file, the data that pass them, and what runs when they are passed."""


class Recorder:
    """Collects facts by position; ``finish`` gives them in the order of the file."""

    def __init__(self) -> None:
        self.moment = Moment.LOAD
        self.place = 0
        self.pinned: tuple[int, int] | None = None
        self.pinned_via = ""
        self.spent: set[str] = set()
        self._found: list[Found] = []
        self._index: dict[tuple[Kind | Role, str | None, int, int], int] = {}
        self._ports: dict[int, str] = {}
        self._patterns: dict[int, str] = {}
        self._calls: dict[tuple[int, int], None] = {}
        self._heard: set[int] | None = None
        self._at: dict[tuple[Kind, int, int], int] = {}
        self._flows: dict[tuple[int, int], str] = {}
        self._flows_between: Counter[tuple[Kind | Role, Kind | Role]] = Counter()
        self._literals: set[tuple[Kind, str]] = set()
        self._literal_kinds: Counter[Kind] = Counter()
        self._problems: dict[tuple[int, str], None] = {}

    def problem(self, start: int, reason: str) -> None:
        """Remember that something at a byte offset was not understood."""
        self._problems[(start, reason)] = None

    def emit(self, kind: Kind, value: str | None, start: int, end: int, via: str = "plain") -> int:
        """Record a fact and return its number. The same fact at the same place is recorded once."""
        if self.pinned is not None:
            start, end = self.pinned
            via = self.pinned_via if via == "plain" else f"{self.pinned_via}>{via}"
        if value is not None:
            value = bounded(str(value))  # never a Text: facts are plain
        key = (kind, value, start, end)
        known = self._index.get(key)
        if known is not None:
            if self.moment is Moment.LOAD:
                self._found[known].moment = Moment.LOAD
            if self._heard is not None:
                self._heard.add(known)
            return known
        place = (kind, start, end)
        if self._at.get(place, 0) >= MAX_FACTS_AT:
            return self._index.get((kind, None, start, end)) or self._add((kind, None, start, end), via)
        self._at[place] = self._at.get(place, 0) + 1
        return self._add(key, via)

    def port(self, role: Role, name: str, specifier: str = "") -> int:
        """Return the number of a port: it stands for what passes there, as a fact stands for what came of it."""
        key = (role, f"{specifier}\0{name}", 0, 0)
        known = self._index.get(key)
        if known is None:
            if len(self._ports) >= MAX_PORTS:
                self.problem(0, f"more than {MAX_PORTS} names are given to other files, or taken from them")
                return next(iter(self._ports))
            known = self._add(key, "")
            self._found[known].value = str(name)  # what a decoded name carries has no place in a port
            self._found[known].dropped = True
            self._ports[known] = str(specifier)
        elif self.moment is Moment.LOAD:
            self._found[known].moment = Moment.LOAD
        if self._heard is not None and role is Role.TO:
            self._heard.add(known)
        return known

    @contextmanager
    def heard(self, port: int) -> Iterator[None]:
        """Remember everything that is recorded meanwhile as what runs when a port is passed."""
        before, self._heard = self._heard, set()
        try:
            yield
        finally:
            for number in sorted(self._heard):
                if len(self._calls) >= MAX_CALLS:
                    self.problem(0, f"more than {MAX_CALLS} things run when other files call this one")
                    break
                if number not in self._ports or self._found[number].kind is Role.TO:
                    self._calls[port, number] = None
            self._heard = before if before is None else before | self._heard

    def calls(self, port: int, end: int) -> None:
        """Remember that something may run when a port is passed."""
        self._calls[port, end] = None

    def calls_back(self, name: str) -> None:
        """Remember that an export calls a function that it is given."""
        self._calls[self.port(Role.TAKES, name), self.port(Role.GIVES, name)] = None

    def real(self, taint: frozenset[int]) -> bool:
        """Whether any of this is a fact: what merely passes through a port may be anything."""
        return bool(taint) and not self._ports.keys() >= taint

    def passing(self, taint: frozenset[int], role: Role) -> list[tuple[int, str, str]]:
        """Return the ports of a role among these numbers: number, name and specifier."""
        if self._ports.keys().isdisjoint(taint):
            return []
        ports = [n for n in sorted(taint & self._ports.keys()) if self._found[n].kind is role]
        return [(n, self._found[n].value or "", self._ports[n]) for n in ports]

    def narrowed(self, taint: frozenset[int], name: str) -> frozenset[int]:
        """Return where one member of a module comes from, if ``taint`` is where the module comes from."""
        if self._ports.keys().isdisjoint(taint):
            return taint
        found = set(taint)
        for number, known, specifier in self.passing(taint, Role.FROM):
            if not known:
                found.discard(number)
            if known != "*":
                found.add(self.port(Role.FROM, f".{name}" if known else name, specifier))
        return frozenset(found)

    def constant(self, name: str, text: str) -> None:
        """Remember that an export is a text that is known."""
        number = self.port(Role.GIVES, name)
        if self._ports.get(number) == "":
            self._patterns[number] = text[:MAX_PATTERN]

    def pattern(self, number: int, text: str | None) -> None:
        """Remember what is known of the text of a fact whose value is not."""
        if text and self._ports:
            self._patterns.setdefault(number, text[:MAX_PATTERN])

    def _add(self, key: tuple[Kind | Role, str | None, int, int], via: str) -> int:
        number = len(self._found)
        found = Found(*key, self.moment, via)
        found.place = self.place
        found.nested = self.pinned is not None
        if self._heard is not None:
            self._heard.add(number)
        self._found.append(found)
        self._index[key] = number
        return number

    def emit_value(self, kind: Kind, value: Value, start: int, end: int) -> list[int]:
        """Record a fact for each text that a value may have; what flows into the value flows into the fact."""
        numbers = []
        for option in options(value):
            text = whole = None if option is UNDEFINED or option is None else pattern_text(option)
            if text is not None and "*" in text and len(text.strip("*:/-. ?&=")) < 3:
                text = None
            number = self.emit(kind, text, start, end, via=">".join(via_of(option)) or "plain")
            self.flow(taint_of(option), number)
            if self._ports and whole is not None and "*" in whole:
                self.pattern(number, whole)
            numbers.append(number)
        return numbers

    def literal(self, kind: Kind, value: str, start: int, end: int, moment: Moment) -> None:
        """Record a literal once for the file, at its first place."""
        key = (kind, value)
        if key in self._literals:
            return
        if self._literal_kinds[kind] >= MAX_LITERALS:
            self.problem(0, f"more than {MAX_LITERALS} texts of one kind: not all are told")
            return
        self._literal_kinds[kind] += 1
        self._literals.add(key)
        before, self.moment = self.moment, moment
        self.emit(kind, value, start, end)
        self.moment = before

    def flow(self, sources: frozenset[int], sink: int, how: str = "data") -> None:
        """Record that facts flow into another one, if this pair of kinds means anything."""
        target = self._found[sink].kind
        for source in sorted(sources):
            between = (self._found[source].kind, target)
            if source != sink and between in _FAMILIES and self._has_room(between):
                if self._says_little(self._found[source], self._found[sink]):
                    continue
                if source not in self._ports:
                    self._found[source].dropped = False
                self._flows_between[between] += (source, sink) not in self._flows
                self._flows[(source, sink)] = how

    def _has_room(self, between: tuple[Kind | Role, Kind | Role]) -> bool:
        """Whether another flow between two kinds is kept. Where one is not that passes a port, that is told."""
        if _ROLES.isdisjoint(between):
            return self._flows_between[between] < MAX_FLOWS
        if self._flows_between[between] < MAX_PORTED:
            return True
        self.problem(0, f"more than {MAX_PORTED} flows to and from other files")
        return False

    @staticmethod
    def _says_little(source: Found, sink: Found) -> bool:
        """Whether a flow is what pages and programs do every day: no host of the code's own, a setting."""
        value = source.value or ""
        if source.kind is Kind.ENV_READ:
            return not value.startswith(MACHINE)
        return value.startswith(OF_PAGES) and not absolute(sink.value)

    def paths_read(self, taint: frozenset[int]) -> list[str]:
        """Return the paths of the files that data were read from."""
        found = (self._found[number] for number in sorted(taint))
        return [fact.value for fact in found if fact.kind is Kind.FS_READ and fact.value]

    def possible(self, kind: Kind, value: str, start: int, end: int) -> int:
        """Return the number of a fact that counts only if it flows into another one."""
        new = len(self._found)
        number = self.emit(kind, value, start, end)
        if number == new:
            self.drop(number)
        return number

    def has(self, kind: Kind, value: str) -> bool:
        """Whether a fact of this kind and value has been recorded so far."""
        return any(found.kind is kind and found.value == value for found in self._found)

    def drop(self, number: int) -> None:
        """Take a fact back."""
        self._found[number].dropped = True

    def decoded(self, value: Value, start: int, end: int) -> frozenset[int]:
        """Record a decoded value, if it went through a real layer and is worth showing; return the fact."""
        if type(value) is Text and value.via and LAYERS.intersection(value.via):
            if any(self._found[n].kind is Kind.DECODE and self._found[n].value == value for n in value.taint):
                return frozenset()
            least = 8 if value.via == ("char-codes",) else 6 if value.via == ("reverse",) else 4
            if _codecs.is_text(value, least):
                return frozenset({self.emit(Kind.DECODE, str(value), start, end, ">".join(value.via))})
        elif isinstance(value, Buf) and value.via and LAYERS.intersection(value.via):
            kind = _codecs.binary_kind(value.data)
            if kind is not None:
                return frozenset({self.emit(Kind.DECODE, kind, start, end, ">".join(value.via))})
        elif isinstance(value, Sym) and value.via and LAYERS.intersection(value.via):
            return frozenset({self.emit(Kind.DECODE, None, start, end, ">".join(value.via))})
        return frozenset()

    def finish(self, data: bytes) -> tuple[tuple[Fact, ...], tuple[Flow, ...], tuple[Problem, ...], Passing]:
        """Return facts in file order, flows between them, problems, and what passes through the file's ports.

        ``data`` is the file, to count lines in.
        """
        paths, many = linking.written_paths(self._found)
        for sources, sink in paths:
            self.flow(sources, sink)
        if many:
            self.problem(0, "too many files are written and programs started to say which belong together")
        linked = {sink for _source, sink in self._flows}
        for sources, sink in linking.scopes(self._found, linked, lambda a, b: (a, b) in _FAMILIES):
            self.flow(sources, sink, "scope")
        known_places: dict[tuple[Kind | Role, int, int, bool], int] = {}
        for number, found in enumerate(self._found):
            if found.value is not None and not found.dropped:
                known_places.setdefault((found.kind, found.start, found.end, found.nested), number)
        kept, gave_way = [], {}
        for number, found in enumerate(self._found):
            if found.dropped or found.kind in _ROLES or (found.kind is Kind.DECODE and found.value in self.spent):
                continue
            place = (found.kind, found.start, found.end, found.nested)
            if found.value is None and place in known_places:
                gave_way[number] = known_places[place]
                continue
            kept.append(number)
        kept.sort(
            key=lambda n: (self._found[n].start, self._found[n].end, self._found[n].kind, self._found[n].value or "")
        )
        order = {number: position for position, number in enumerate(kept)}
        # A fact without a value gives way to one with a value at the same place, and hands it its flows.
        order |= {number: order[other] for number, other in gave_way.items() if other in order}
        lines = LinesAhead(data)
        facts = tuple(self._fact(self._found[number], lines) for number in kept)
        flows = tuple(
            sorted(
                (
                    Flow(source=order[source], sink=order[sink], how=how)
                    for (source, sink), how in self._flows.items()
                    if source in order and sink in order and order[source] != order[sink]
                ),
                key=lambda flow: (flow.source, flow.sink),
            )
        )
        lines = LinesAhead(data)
        problems = tuple(Problem(lines.at(start)[0], reason, unread=True) for start, reason in sorted(self._problems))
        return facts, flows, problems, self._passing(order)

    def _passing(self, order: dict[int, int]) -> Passing:
        """Return the ports that anything passes through, and what does."""
        pairs = [pair for pair in self._flows if not self._ports.keys().isdisjoint(pair)]
        used = {number for pair in (*pairs, *self._calls) for number in pair}
        used |= {n for n in self._ports if n in self._patterns or self._found[n].kind is Role.TO}
        ends = dict(order)
        for number in sorted(used & self._ports.keys()):
            ends[number] = -1 - (len(ends) - len(order))
        ports = tuple(self._port(number) for number in ends if number not in order)
        links = sorted((ends[a], ends[b], self._patterns.get(b, "")) for a, b in pairs if a in ends and b in ends)
        calls = sorted((ends[port], ends[end]) for port, end in self._calls if end in ends)
        return ports, tuple(Link(*link) for link in links), tuple(Call(*call) for call in calls)

    def _port(self, number: int) -> Port:
        found = self._found[number]
        return Port(Role(found.kind), found.value or "", self._ports[number], found.moment, self._patterns.get(number))

    @staticmethod
    def _fact(found: Found, lines: LinesAhead) -> Fact:
        line, column = lines.at(found.start)
        span = Span(line=line, column=column, start=found.start, end=found.end)
        return Fact(kind=Kind(found.kind), value=found.value, span=span, moment=found.moment, via=found.via)
