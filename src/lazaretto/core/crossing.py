"""Flows across the files of one artifact: what one reads and another sends, downloads and executes, spells out.

A file alone knows what passes its ports (``facts.Port``). Here the ports of files that load one another are joined, and
data are followed from facts to facts: purely, within bounds, in an order that does not depend on the machine. Only
what a module gives or takes is followed, by the name of the export; what goes through a data base, an event or a global
variable is not seen.
"""

from collections.abc import Collection, Iterator, Mapping
from itertools import groupby, islice

from msgspec import Struct

from lazaretto.core.facts import Fact, Facts, Kind, Link, Port, Problem, Reach, Role
from lazaretto.core.reach import Loader, fact_reach
from lazaretto.core.update import Crossing, Placed
from lazaretto.core.ways import AT_HOME, WHOLE, Exports, Node, Way

MAX_STEPS = 1_000_000
"""Most steps from port to port in one artifact: where data go on, that is told."""

MAX_WAY = 10
"""Most methods on one way through Python, where they go by their names alone, and most steps of one that strays.

On a longer way through a large program everything meets everything.
"""

MAX_CROSSINGS = 5_000
"""Most flows between files that are followed in one artifact: that there are more is told."""

MAX_ALIKE = 1_000
"""Most files in which one name is looked for that they hand on to one another: that there are more is told."""

SPLIT = "split-files"
"""How a value was recovered whose pieces stand in several files, where nobody who means no harm would spell it so."""

_SOURCES = frozenset((Kind.SECRET_READ, Kind.ENV_DUMP, Kind.NET_CONNECT, Kind.DECODE, Kind.DECRYPT))
_SINKS = frozenset((Kind.NET_CONNECT, Kind.DNS_QUERY, Kind.PROCESS_SPAWN, Kind.CODE_EVAL))
_TAKEN = frozenset((Kind.SECRET_READ, Kind.ENV_DUMP))
_SENDS = frozenset((Kind.NET_CONNECT, Kind.DNS_QUERY))
_MEANT = frozenset(
    [(source, sink) for source in _TAKEN for sink in _SINKS - {Kind.CODE_EVAL}]
    + [(source, sink) for source in _SOURCES - _TAKEN
       for sink in (Kind.PROCESS_SPAWN, Kind.CODE_EVAL)]
)  # fmt: skip
_RANK = {reach: rank for rank, reach in enumerate(Reach)}
_MIN_PATH = 4
_ORDER = (*sorted(_TAKEN), Kind.DECRYPT, Kind.DECODE, Kind.NET_CONNECT)


class Crossed(Struct, frozen=True):
    """What following an artifact across its files has found.

    ``sooner`` names facts that run sooner than their own file says, because another file calls them.
    """

    crossings: tuple[Crossing, ...] = ()
    spelt: tuple[Placed, ...] = ()
    sooner: Mapping[Node, Reach] = {}
    problems: tuple[tuple[str, Problem], ...] = ()


def crossed(facts: Mapping[str, Facts], reaches: Mapping[str, Reach], loader: Loader) -> Crossed:
    """Return the flows that go from one file to another, and the values whose pieces stand in several files."""
    ported = {path: facts[path] for path in sorted(facts) if facts[path].ports}
    written = tuple(_written(facts, reaches))
    if not ported:
        return Crossed(written)
    walk = _Walk(ported, facts, reaches, loader)
    found = (*walk.crossings(), *written)
    return Crossed(found, tuple(walk.spelt()), walk.sooner(), walk.problems())


class _Walk:
    """The module graph as the ports of its files, and the ways through it."""

    def __init__(
        self,
        facts: Mapping[str, Facts],
        everything: Mapping[str, Facts],
        reaches: Mapping[str, Reach],
        loader: Loader,
    ) -> None:
        self._facts = facts
        self._everything = everything
        self._reaches = reaches
        self._loader = loader
        self._next: dict[Node, list[Node]] = {}
        self._before: dict[Node, list[Node]] = {}
        self._meant: dict[tuple[str, str], tuple[str, ...]] = {}
        self._exports: dict[str, Exports] = {}
        self._known: dict[tuple[str, Role, str], list[Node]] = {}
        self._problems: dict[tuple[str, str], None] = {}
        self._constants: dict[Node, list[str]] = {}
        for path, read in facts.items():
            for flow in read.flows:
                if flow.how == "data":
                    self._next.setdefault((path, flow.source), []).append((path, flow.sink))
            for link in read.links:
                self._next.setdefault((path, link.source), []).append((path, link.sink))
        for path, read in facts.items():
            for number, port in enumerate(read.ports):
                self._join(path, (path, -1 - number), port)
        for path, exports in self._exports.items():
            for number in exports.all:
                self._next.setdefault((path, number), []).append((path, WHOLE))
        self._ranks: dict[Node, int] = {}
        self._call()

    def _call(self) -> None:
        """Work out when what other files call is run: as soon as the soonest of them calls it."""
        runs: dict[Node, list[Node]] = {}
        calls_back: set[Node] = set()
        for path, read in self._facts.items():
            for call in read.calls:
                if call.end < 0 and read.ports[-1 - call.end].role is Role.GIVES:
                    calls_back.add((path, call.port))
                else:
                    runs.setdefault((path, call.port), []).append((path, call.end))
        queue = [
            (path, -1 - number)
            for path, read in self._facts.items()
            for number, port in enumerate(read.ports)
            if port.role is Role.TO
        ]
        steps = MAX_STEPS
        for node in queue:
            rank = self._own_rank(node)
            if rank >= _RANK[Reach.CALL]:
                continue
            entered = [after for after in self._next.get(node, ()) if after[1] < 0]
            # An argument that reaches a fact does not run it: a function that is made and handed out keeps it, too.
            # What an object of Python keeps of them its methods may hand on, which nobody has called.
            keeps = [after for after in entered if self._facts[after[0]].language != "python"]
            passed = (end for after in keeps for end in self._next.get(after, ()) if end[1] < 0)
            woken = [*(end for after in entered for end in runs.get(after, ())), *passed]
            if not calls_back.isdisjoint(entered) or self._port(node).role is Role.TAKES:
                woken += runs.get(node, ())
            steps -= len(woken)
            if steps < 0:
                self._unfinished(node[0])
                return
            for end in woken:
                if rank < self._own_rank(end):
                    self._ranks[end] = rank
                    if end[1] < 0:
                        queue.append(end)

    def sooner(self) -> Mapping[Node, Reach]:
        """Return the facts that run sooner than their file says."""
        return {node: tuple(Reach)[rank] for node, rank in self._ranks.items() if node[1] >= 0}

    def problems(self) -> tuple[tuple[str, Problem], ...]:
        """Return what was not followed to its end, each with the file where it was left."""
        return tuple((path, Problem(0, reason)) for path, reason in self._problems)

    def _unfinished(self, path: str) -> None:
        self._problems[path, "what goes from file to file was not followed to its end: there is too much of it"] = None

    def _join(self, path: str, node: Node, port: Port) -> None:
        if port.role not in (Role.FROM, Role.TO) or port.name == "*":
            return
        wanted = Role.GIVES if port.role is Role.FROM else Role.TAKES
        targets = self._targets(path, port.specifier)
        others = [other for target in targets for other in self._named(target, wanted, port.name)]
        if port.role is Role.TO:
            self._next.setdefault(node, []).extend(others)
            return
        for other in others:
            self._next.setdefault(other, []).append(node)
            numbers = self._of(other[0]).all if other[1] == WHOLE else [other[1]]
            values = (value for n in numbers if (value := self._port((other[0], n)).value) is not None)
            self._constants.setdefault(node, []).extend(islice(values, 2))  # which of two it is nobody knows

    def _targets(self, path: str, specifier: str) -> tuple[str, ...]:
        """Return the files that a specifier of a file means: many names are asked for by the same one."""
        found = self._meant.get((path, specifier))
        if found is None:
            found = self._meant[path, specifier] = self._loader.targets(path, specifier)
        return found

    def _of(self, path: str) -> Exports:
        """Return what a file gives and takes."""
        found = self._exports.get(path)
        if found is None:
            found = self._exports[path] = Exports(
                self._everything[path], python=self._everything[path].language == "python"
            )
        return found

    def _named(self, path: str, role: Role, name: str) -> list[Node]:
        """Return the ports that a name of a file means: its own, and those of files whose names it has."""
        known = self._known.get((path, role, name))
        if known is not None:
            return known
        found: list[Node] = []
        queue = [path] if path in self._everything else []
        seen = set(queue)
        for one in queue:
            exports = self._of(one)
            found += [(one, number) for number in exports.of(role, name)]
            for specifier in (*exports.stars, *exports.imports.get(name, ())):
                for target in self._targets(one, specifier):
                    if target in self._everything and target not in seen:
                        seen.add(target)
                        queue.append(target)
            if len(seen) > MAX_ALIKE:
                self._unfinished(path)
                break
        if not found and queue and name.isidentifier():  # PEP 562: what it gives itself, not what it hands on
            own = {link.sink for link in self._everything[path].links if link.source >= 0}
            found = [(path, number) for number in self._of(path).of(role, "__getattr__") if number in own]
        self._known[path, role, name] = found
        return found

    def _port(self, node: Node) -> Port:
        return self._everything[node[0]].ports[-1 - node[1]]

    def _own_rank(self, node: Node) -> int:
        known = self._ranks.get(node)
        if known is not None:
            return known
        path, end = node
        if end == WHOLE:
            return 0
        part = self._facts[path].facts[end] if end >= 0 else self._port(node)
        return _RANK[fact_reach(part.moment, self._reaches.get(path, Reach.UNREACHED))]

    def crossings(self) -> Iterator[Crossing]:
        """Yield the flows from a fact of one file to a fact that only a way over ports leads to."""
        steps, told = MAX_STEPS, 0
        leading: dict[Kind, set[Node]] = {}
        starts = {
            (_ORDER.index(read.facts[link.source].kind), path, link.source)
            for path, read in self._facts.items()
            for link in read.links
            if link.source >= 0 and read.facts[link.source].kind in _SOURCES
        }
        for _, path, start in sorted(starts):  # what matters most first, lest the rest take its place
            kind = self._facts[path].facts[start].kind
            if kind not in leading:
                leading[kind] = self._leading({sink for source, sink in _MEANT if source is kind})
            found, steps = self._follow((path, start), steps, leading[kind])
            for (where, end), rank in sorted(found.items()):
                for one in self._told(path, start, where, end, tuple(Reach)[rank]):
                    told += 1
                    yield one
            if steps <= 0 or told >= MAX_CROSSINGS:
                self._unfinished(path)
                return

    def _leading(self, sinks: Collection[Kind]) -> set[Node]:
        """Return the places from which data may get to a fact of some kinds, by whatever way."""
        if not self._before:
            for node, nexts in self._next.items():
                for after in nexts:
                    self._before.setdefault(after, []).append(node)
        queue = [
            (path, number)
            for path, read in self._facts.items()
            for number, fact in enumerate(read.facts)
            if fact.kind in sinks
        ]
        found = set(queue)
        for node in queue:
            for before in self._before.get(node, ()):
                if before not in found and (before[1] < 0 or node[1] < 0):
                    found.add(before)
                    queue.append(before)
        return found

    def _follow(self, start: Node, steps: int, leading: Collection[Node]) -> tuple[dict[Node, int], int]:
        """Return the facts that data from ``start`` reach over ports, with the easiest way in which they get there.

        A rank is carried while data are handed in: what an exported function does with its arguments happens when it
        is called, not when its own file says so.
        """
        found: dict[Node, int] = {}
        seen: dict[tuple[Node, bool], dict[Way, int]] = {}
        queue: list[tuple[Node, int | None, int, int, Way]] = [(start, None, 0, 0, AT_HOME)]
        most = MAX_WAY if self._facts[start[0]].language == "python" else MAX_STEPS
        for node, carried, gone, length, way in queue:
            for after in self._next.get(node, ()) if gone < most else ():
                if after not in leading:
                    continue
                steps -= 1
                if steps < 0:
                    return found, 0
                over = after[1] < 0 or node[1] < 0
                farther = way.to(node, after, self._name(after)) if over else None
                if farther is None or (farther.strays and length >= most):
                    continue
                rank, onwards = self._arrive(after, carried)
                known = seen.setdefault((after, onwards is not None), {})
                farther = farther.among(known)
                if any(known.get(one, len(_RANK)) <= rank for one in farther.wider()):
                    continue
                known[farther] = rank
                if after[1] >= 0:
                    found[after] = min(rank, found.get(after, rank))
                else:
                    queue.append((after, onwards, gone + self._is_method(after), length + 1, farther))
        return found, steps

    def _name(self, node: Node) -> tuple[Role | None, str]:
        if node[1] >= 0 or node[1] == WHOLE:
            return None, ""
        port = self._port(node)
        return port.role, port.name

    def _is_method(self, node: Node) -> bool:
        return node[1] != WHOLE and self._port(node).name.startswith(".")

    def _arrive(self, node: Node, carried: int | None) -> tuple[int, int | None]:
        """Return the rank of being at a node, and what is carried from there."""
        own = self._own_rank(node)
        if node[1] == WHOLE:
            return own, None
        if node[1] >= 0:
            return (own if carried is None else min(own, carried)), None
        role = self._port(node).role
        if role is Role.TO:
            rank = own if carried is None else min(own, carried)
            return rank, rank
        if role is Role.TAKES:
            return carried or 0, carried
        return own, None

    def _told(self, path: str, number: int, where: str, end: int, reach: Reach) -> Iterator[Crossing]:
        source, sink = self._facts[path].facts[number], self._facts[where].facts[end]
        ends = [sink]
        if sink.kind is Kind.PROCESS_SPAWN and source.kind is not Kind.ENV_DUMP:
            # What flows into a command flows to where the command connects.
            ends += [one for one in self._facts[where].facts if one.span == sink.span and one.kind in _SENDS]
        start = tuple(Reach)[self._own_rank((path, number))]
        if source.kind in _TAKEN:
            # A client sends its key when it is called, whatever else its program sends by itself.
            reach = max(start, reach, key=_RANK.__getitem__)
        placed = Placed(path, source, start)
        for one in ends:
            if (source.kind, one.kind) in _MEANT:
                yield Crossing(placed, Placed(where, one, reach))

    def spelt(self) -> Iterator[Placed]:
        """Yield facts whose value is unknown to their file, and known once the constants of other files are."""
        for path, read in self._facts.items():
            incoming = [link for link in read.links if link.sink >= 0 and link.source < 0]
            for sink, links in groupby(sorted(incoming, key=lambda link: (link.sink, -link.source)), lambda x: x.sink):
                fact = read.facts[sink]
                text, via = (
                    self._spell(path, read, fact, list(links)) if fact.kind in _SINKS | {Kind.IMPORT} else ("", "")
                )
                if text:
                    reach = tuple(Reach)[self._own_rank((path, sink))]
                    yield Placed(path, Fact(fact.kind, text, fact.span, fact.moment, via), reach)

    def _spell(self, path: str, read: Facts, fact: Fact, links: list[Link]) -> tuple[str, str]:
        if fact.value and "*" not in fact.value:
            return "", ""
        ports = [read.ports[-1 - link.source] for link in links]
        constants = [self._constants.get((path, link.source), []) for link in links]
        if any(len(known) != 1 for known in constants) or any(port.role is not Role.FROM for port in ports):
            return "", ""
        pieces = [known[0] for known in constants]
        pattern = links[0].pattern if links[0].pattern.count("*") == len(pieces) else "*" * len(pieces)
        parts = pattern.split("*")
        text = parts[0] + "".join(piece + part for piece, part in zip(pieces, parts[1:], strict=True))
        several = len(pieces) + sum(map(bool, parts)) > 1
        apart = len({port.specifier for port in ports}) > 1
        hides = several and "/" not in text if fact.kind is Kind.IMPORT else apart and fact.kind not in _SENDS
        return text, SPLIT if hides else "concat"


def _written(facts: Mapping[str, Facts], reaches: Mapping[str, Reach]) -> Iterator[Crossing]:
    """Yield downloads that one file writes, and another file starts by the same path."""
    started = [
        (path, fact, fact.value)
        for path, read in sorted(facts.items())
        for fact in read.facts
        if fact.kind is Kind.PROCESS_SPAWN and fact.value
    ]
    commands = "\0".join(dict.fromkeys(command for _, _, command in started))
    for path, read in sorted(facts.items()) if started else ():
        for flow in read.flows:
            if flow.how == "data" and _is(read, flow.source, Kind.NET_CONNECT) and _is(read, flow.sink, Kind.FS_WRITE):
                source, written = read.facts[flow.source], read.facts[flow.sink].value or ""
                if len(written) < _MIN_PATH or written not in commands:
                    continue
                for other, fact, command in started:
                    if other != path and written in command:
                        reach = fact_reach(fact.moment, reaches.get(other, Reach.UNREACHED))
                        start = fact_reach(source.moment, reaches.get(path, Reach.UNREACHED))
                        yield Crossing(Placed(path, source, start), Placed(other, fact, reach))


def _is(read: Facts, number: int, kind: Kind) -> bool:
    return number < len(read.facts) and read.facts[number].kind is kind
