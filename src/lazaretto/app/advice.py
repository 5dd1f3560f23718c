"""What advisories say of the releases of a project, for the gate; and how they are brought up to date.

The gate asks for every page and every artifact, so the answer is remembered for each version until the advisories
change. A source that cannot be read any more leaves what it said before in force, until that is too old: then nothing
can be said at all, and the policy decides.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from threading import Lock
from typing import Protocol
from urllib.parse import unquote

from msgspec import Struct

from lazaretto.app.gate import ITSELF
from lazaretto.app.ports import PortError
from lazaretto.app.shelf import Advice
from lazaretto.core.act import Act
from lazaretto.core.advisory import Advisory, FeedError, VersionOrder
from lazaretto.core.chain import Entry
from lazaretto.core.names import ProjectName, Purl, Version
from lazaretto.core.policy import Outcome
from lazaretto.core.ruling import AdvisoryPolicy, FeedState, Ruling, rule

MAX_REMEMBERED = 5000
"""Projects whose answers are remembered; the longest unused go first."""

Project = tuple[str, ProjectName]


class Named(VersionOrder, Protocol):
    """The part of an ecosystem that is needed here."""

    def purl(self, name: ProjectName, version: Version | None) -> Purl:
        """Return the package URL."""
        ...


class AdvisoriesError(PortError):
    """The advisories that lie here cannot be read or written."""


class AdvisoryBook(Protocol):
    """The advisories that lie here, by project. Every method raises AdvisoriesError."""

    def of(self, ecosystem: str, name: ProjectName) -> tuple[Advisory, ...]:
        """Return every record about a project, of every source."""
        ...

    def states(self) -> Mapping[str, FeedState]:
        """Return where each source stands that was ever fetched or tried."""
        ...

    def generation(self) -> int:
        """Return a number that grows with every change."""
        ...

    def mark(self, source: str) -> str:
        """Return what the source was known by when it was last taken, to ask whether it has changed; or nothing."""
        ...

    def replace(self, source: str, advisories: Iterable[Advisory], fetched: datetime, mark: str) -> frozenset[Project]:
        """Take all records of a source in the place of those before; return the projects of which more or less is said.

        All or nothing: what ``advisories`` raises leaves everything as it was.
        """
        ...

    def unchanged(self, source: str, fetched: datetime) -> None:
        """Note that a source answered that nothing has changed."""
        ...

    def failed(self, source: str, problem: str) -> None:
        """Note that a source could not be taken. Its records, and their age, stay."""
        ...


class Fetched(Struct, frozen=True):
    """What came from a source: its bytes (None: nothing has changed), what they are known by, and as of when.

    ``at`` None: now, because whoever was asked has answered.
    """

    data: bytes | None
    mark: str = ""
    at: datetime | None = None


class Source(Struct, frozen=True):
    """One source of advisories: the name it is known by, and how its bytes come and are read.

    ``fetch`` takes what the last bytes were known by; it raises PortError. ``parse`` raises FeedError.
    """

    name: str
    fetch: Callable[[str], Fetched]
    parse: Callable[[bytes], Iterator[Advisory]]


def update(source: Source, book: AdvisoryBook, now: datetime) -> frozenset[Project]:
    """Bring one source up to date; return the projects of which it says something else than before.

    What goes wrong with the source is noted there and shows in its state. Raises AdvisoriesError if the book itself
    cannot be written.
    """
    try:
        found = source.fetch(book.mark(source.name))
        if found.data is None:
            book.unchanged(source.name, found.at or now)
            return frozenset()
        return book.replace(source.name, source.parse(found.data), found.at or now, found.mark)
    except AdvisoriesError:
        raise
    except (PortError, FeedError) as error:
        book.failed(source.name, str(error))
        return frozenset()


class Ledger(Protocol):
    """What the alarm needs of the ledger. Every method raises LedgerError."""

    def handed_out(self, project: Purl) -> tuple[tuple[Purl, int], ...]:
        """Return the releases of a project that were handed out, each with the number of clients that got it."""
        ...

    def act(self, act: Act) -> Entry:
        """Write an act at the end of the chain, and return its entry."""
        ...


class Adviser:
    """Says what advisories mean for versions (``app.shelf.Advise``). Safe to use from several threads."""

    def __init__(
        self,
        book: AdvisoryBook,
        sources: Iterable[str],
        ecosystems: Mapping[str, Named],
        policy: AdvisoryPolicy,
        now: Callable[[], datetime],
    ) -> None:
        """``sources`` are those that the settings name: one that was never fetched counts as stale."""
        self._book = book
        self._sources = tuple(sources)
        self._ecosystems = ecosystems
        self._policy = policy
        self._now = now
        self._lock = Lock()
        self._said: OrderedDict[Project, dict[Version, Ruling]] = OrderedDict()
        self._generation = -1
        self._states: Mapping[str, FeedState] = {}

    def refresh(self) -> None:
        """Look whether the advisories have changed, here or by another process. Raises AdvisoriesError."""
        states, generation = self._book.states(), self._book.generation()
        with self._lock:
            self._states = states
            if generation != self._generation:
                self._said.clear()
                self._generation = generation

    @property
    def feeds(self) -> tuple[FeedState, ...]:
        """Where every source stands that the settings name."""
        return tuple(self._states.get(name, FeedState(name, None)) for name in self._sources)

    def ages(self) -> Mapping[str, timedelta | None]:
        """Return how old each source is; None if that is not known."""
        now = self._now()
        return {feed.source: feed.age(now) for feed in self.feeds}

    def __call__(self, ecosystem: str, name: ProjectName, versions: Sequence[Version]) -> Advice:
        """Return what is said against versions, and which of them are cures."""
        if not self._sources:
            return Advice()
        now = self._now()
        try:
            said = self._answers(ecosystem, name, versions, now)
        except AdvisoriesError:
            return Advice(None)
        refused = [version for version in versions if said[version].outcome is not Outcome.ALLOW]
        since = {version: at for version in refused if (at := said[version].since) is not None}
        stale = any(feed.stale(now, self._policy.max_age) for feed in self.feeds)
        if stale and self._policy.stale is not Outcome.ALLOW:
            return Advice(None, {}, since)  # too old to clear a release, not to accuse one
        against = {version: "; ".join(said[version].reasons) for version in refused}
        cures = {version: ", ".join(said[version].cures) for version in versions if said[version].cures}
        held = frozenset(version for version in refused if said[version].outcome is Outcome.HOLD)
        return Advice(against, cures, since, held)

    def alarms(self, changed: Iterable[Project], ledger: Ledger) -> Iterator[Act]:
        """Write down, and yield, that something was handed out of which harm is said now. Raises LedgerError.

        ``changed`` are the projects of which something else is said than before; refresh first.
        """
        for ecosystem, name in sorted(changed):
            order = self._ecosystems[ecosystem]
            for purl, clients in ledger.handed_out(order.purl(name, None)):
                version = Version(unquote(purl.rpartition("@")[2]))
                reason = (self(ecosystem, name, (version,)).against or {}).get(version)
                if reason is None:
                    continue
                act = Act(self._now(), ITSELF, "alarm", purl, f"{reason}; handed out before, to {clients} client(s)")
                ledger.act(act)
                yield act

    def _answers(
        self, ecosystem: str, name: ProjectName, versions: Sequence[Version], now: datetime
    ) -> Mapping[Version, Ruling]:
        """Return for each version what all advisories together say of it."""
        key = (ecosystem, name)
        with self._lock:
            generation, known = self._generation, self._said.get(key, {})
            if key in self._said:
                self._said.move_to_end(key)
        missing = [version for version in versions if version not in known]
        if not missing:
            return known
        records, order = self._book.of(ecosystem, name), self._ecosystems[ecosystem]
        fresh = dict(known)
        for version in missing:
            fresh[version] = rule(records, (), order, name, version, self._policy, now)
        with self._lock:
            if generation == self._generation:  # else the records may have changed since they were read
                self._said[key] = fresh
                if len(self._said) > MAX_REMEMBERED:
                    self._said.popitem(last=False)
        return fresh
