"""What stands inside a file and is written in another language: scripts of a page, members of an archive, a payload.

A language module that finds such parts offers ``inner``; it names the dialect, or a path to claim by, and nothing
else: modules know nothing of each other. Here the parts are read by whoever reads them, to a bounded depth and size,
and what they say is put at its place in the file as published.
"""

from collections.abc import Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from lazaretto.core.facts import Fact, Facts, Flow, Kind, Moment, Problem, Span
from lazaretto.core.language import LanguageModule, NoUnits, Units

MAX_DEPTH = 3
"""How many files may stand inside one another: a script in a page in an archive."""

MAX_COST = 12 * 1024 * 1024
"""Bytes of code that are read inside one file; text and data count a twentieth, the file itself nothing."""

MAX_PARTS = 5000
"""Most parts that are read inside one file."""

MAX_INNER_FACTS = 20_000
"""Most facts that the parts of one file add to its own."""

_PLAIN = 20
_NAME = 120


class Inner(Struct, frozen=True):
    """A part of a file.

    ``dialect`` says who reads it; if it is empty, whoever claims ``path``. ``places`` says where it stands: nothing,
    if its offsets are those of the file; one place for all of it; or a place for each of its lines. ``step`` is what
    stands before ``Fact.via``. What is ``lenient`` is run by nobody as it stands there (a template, a guess at the
    language): not to understand it is no problem; not to read it is one. What stands ``apart`` imports nothing of this
    package. Where the file is ``masked``, so that only the part is left of it, blanks hide nothing. ``moment`` is when
    all of it runs, where that is known: a command when the call does that starts it, data that somebody may evaluate
    when it is called.
    """

    data: bytes
    dialect: str = ""
    path: str = ""
    places: tuple[Span, ...] = ()
    step: str = ""
    lenient: bool = False
    apart: bool = False
    masked: bool = False
    moment: Moment | None = None


def read_through(table: Mapping[str, LanguageModule], dialect: str, data: bytes, units: Units) -> Facts:
    """Return the facts of a file and of all that stands inside it."""
    module = table[dialect]
    facts = module.read(dialect, data, units)
    if not hasattr(module, "inner"):
        return facts
    return _Descent(table).join(module, dialect, data, facts, 0)


def version_of(table: Mapping[str, LanguageModule], dialect: str) -> int:
    """Return what changes whenever the facts of a file in this dialect may change, its parts' languages counted in."""
    module = table[dialect]
    if not hasattr(module, "inner"):
        return module.VERSION
    # Versions only ever grow, and so does their sum; the module's own stands in front.
    return module.VERSION * 100_000 + sum(other.VERSION for other in dict.fromkeys(table.values()))


class _Descent:
    """The reading of one file's parts: what they may still cost."""

    def __init__(self, table: Mapping[str, LanguageModule]) -> None:
        self._table = table
        self._modules = tuple(dict.fromkeys(table.values()))
        self._cost = MAX_COST
        self._parts = MAX_PARTS

    def join(self, module: LanguageModule, dialect: str, data: bytes, own: Facts, depth: int) -> Facts:
        """Return the facts of a file with those of its parts behind them."""
        joined: _Joined | None = None  # most files have no parts
        inner = getattr(module, "inner", None)
        for part in inner(dialect, data, own) if inner is not None else ():
            joined = joined or _Joined(own)
            if isinstance(part, Problem):
                joined.problems.append(part)
                continue
            named = part.dialect or self._claimed(part)
            if named not in self._table:
                continue
            reason = self._refusal(part, named, depth, whole=part.data is data)
            if reason:
                joined.problems.append(Problem(part.places[0].line if part.places else 1, reason, unread=True))
                break
            reader = self._table[named]
            read = reader.read(named, part.data, NoUnits())
            joined.add(part, self.join(reader, named, part.data, read, depth + 1), len(data))
        return own if joined is None else joined.finish()

    def _claimed(self, part: Inner) -> str:
        offers = [offer for module in self._modules if (offer := module.claim(part.path, part.data)) is not None]
        return max(offers, key=lambda offer: offer.rank).dialect if offers else ""

    def _refusal(self, part: Inner, dialect: str, depth: int, *, whole: bool) -> str:
        """Return why a part is not read, and count what it costs; an empty text if it is."""
        self._parts -= 1
        if not whole:
            self._cost -= len(part.data) // (1 if getattr(self._table[dialect], "SAMPLE", b"") else _PLAIN)
        if depth >= MAX_DEPTH:
            return f"more than {MAX_DEPTH} files inside one another: the innermost was not read"
        if self._cost < 0:
            return f"more than {MAX_COST} bytes of code inside the file: not all was read"
        return f"more than {MAX_PARTS} parts inside the file: not all were read" if self._parts < 0 else ""


class _Joined:
    """The facts of a file while those of its parts are added."""

    def __init__(self, own: Facts) -> None:
        self._own = own
        self._facts = list(own.facts)
        self._flows = list(own.flows)
        self._known = {_key(fact): number for number, fact in enumerate(own.facts)}
        self._room = MAX_INNER_FACTS
        self.problems = list(own.problems)

    def add(self, part: Inner, read: Facts, size: int) -> None:
        """Add what a part says, where it stands."""
        numbers: dict[int, int] = {}
        for number, fact in enumerate(read.facts):
            if (part.apart and fact.kind is Kind.IMPORT) or (part.masked and fact.kind is Kind.HIDDEN_TEXT):
                continue
            told = replace(
                fact,
                span=_place(part, fact.span, size),
                via=_via(part.step, fact.via),
                moment=part.moment or fact.moment,
            )
            known = self._known.get(_key(told))
            if known is None:
                self._room -= 1
                if self._room < 0:
                    self._full()
                    break
                known = self._known[_key(told)] = len(self._facts)
                self._facts.append(told)
            numbers[number] = known
        self._flows += [
            Flow(numbers[flow.source], numbers[flow.sink], flow.how)
            for flow in read.flows
            if flow.source in numbers and flow.sink in numbers and numbers[flow.source] != numbers[flow.sink]
        ]
        self.problems += _problems(part, read)

    def _full(self) -> None:
        problem = Problem(1, f"more than {MAX_INNER_FACTS} facts inside the file: not all are told", unread=True)
        if problem not in self.problems:
            self.problems.append(problem)

    def finish(self) -> Facts:
        """Return everything."""
        return Facts(
            self._own.language,
            tuple(self._facts),
            tuple(dict.fromkeys(self._flows)),
            tuple(dict.fromkeys(self.problems)),
            self._own.ports,
            self._own.links,
            self._own.calls,
        )


def _key(fact: Fact) -> tuple[Kind, str | None, Span]:
    return (fact.kind, fact.value, fact.span)


def _place(part: Inner, span: Span, size: int) -> Span:
    if not part.places:
        return span if span.end <= size else Span(1, 0, 0, 0)
    return part.places[min(span.line, len(part.places)) - 1]


def _via(step: str, via: str) -> str:
    if not step:
        return via
    return step if via == "plain" else f"{step}>{via}"


def _problems(part: Inner, read: Facts) -> Iterator[Problem]:
    where = f"{named(part.path)}: " if part.path else ""
    for problem in read.problems:
        if part.lenient and not problem.unread:
            continue
        line = part.places[min(max(problem.line, 1), len(part.places)) - 1].line if part.places else problem.line
        yield Problem(line, f"{where}{problem.reason}", problem.unread)


def named(path: str) -> str:
    """Return the name of a part as one word of a chain: on one line, without its separator, bounded."""
    return "".join(c if c.isprintable() and c != ">" else "?" for c in path[-_NAME:]).strip() or "?"
