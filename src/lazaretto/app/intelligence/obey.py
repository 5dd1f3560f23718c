"""What imported intelligence says of a release: one record for the verdict, and the same for the gate's pages."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from threading import Lock

from msgspec import Struct

from lazaretto.app.intelligence.ports import Book, IntelligenceError, Named, Taken
from lazaretto.core.exchange import package_of
from lazaretto.core.heed import Answer, Borne, HeedPolicy, digests, heed, spoken
from lazaretto.core.intel import Indicator
from lazaretto.core.names import ProjectName, Version
from lazaretto.core.policy import Outage, Outcome
from lazaretto.core.ruling import AdvisoryPolicy, rule
from lazaretto.core.update import Update
from lazaretto.core.verdict import CHECK_INTELLIGENCE, Record, RecordState

VERSION = 1


class Rules(Struct, frozen=True):
    """What imports mean. ``sources`` must lie here, none of them older than ``max_age`` (None: its own)."""

    heed: HeedPolicy = HeedPolicy()
    advisories: AdvisoryPolicy = AdvisoryPolicy()
    sources: tuple[str, ...] = ()
    max_age: timedelta | None = None


class Intelligence:
    """What lies here, asked for one ecosystem."""

    def __init__(self, book: Book, order: Named, rules: Rules) -> None:
        self._book = book
        self._order = order
        self._rules = rules

    def mark(self, now: datetime) -> str:
        """Return what an answer depends on. Raises IntelligenceError."""
        return "|".join([self._book.mark(now), *_lacking(self._rules, self._book.sources(), now)])

    def record(self, update: Update, now: datetime) -> Record:
        """Return the record on one release. A book that cannot be read gives an incomplete one."""
        name, version = update.after.project, update.after.version
        try:
            borne = {**spoken(update), **digests(update)}
            exact = own(self._book, self._order, name, version)
            said = heed(borne, self._book.keyed(borne), self._rules.heed, now, exact)
            ruled = ruling(self._book, self._order, name, version, self._rules, now)
            lacking = tuple(_lacking(self._rules, self._book.sources(), now))
        except IntelligenceError as error:
            return _record(Answer(), (str(error),))
        demands = (*ruled.demands, *said.demands)
        return _record(Answer(max(said.demand, ruled.demand), demands, said.notes), lacking)


def own(book: Book, order: Named, name: ProjectName, version: Version) -> tuple[Indicator, ...]:
    """Return the indicators that name a release: this version of its project, or all of them."""
    return tuple(one for one in book.keyed([_project(order, name)]) if _names(one, order, version))


def ruling(book: Book, order: Named, name: ProjectName, version: Version, rules: Rules, now: datetime) -> Answer:
    """Return what imported advisories ask for."""
    found = rule(book.about(order.ID, name), (), order, name, version, rules.advisories, now)
    return Answer(found.outcome, found.reasons)


def _record(said: Answer, problems: tuple[str, ...]) -> Record:
    return Record(
        check=CHECK_INTELLIGENCE,
        version=VERSION,
        state=RecordState.INCOMPLETE if problems else RecordState.COMPLETE,
        problems=problems,
        outage=Outage.INTELLIGENCE if problems else None,
        demand=said.demand,
        demands=said.demands,
        notes=said.notes,
    )


def _project(order: Named, name: ProjectName) -> str:
    return f"package:{order.ID}/{name}"


def _names(indicator: Indicator, order: Named, version: Version) -> bool:
    parts = package_of(indicator.value)
    return parts is not None and (not parts[2] or _same(parts[2], order, version))


def _same(text: str, order: Named, version: Version) -> bool:
    """Whether a version as it is written is this one; what is no version of the ecosystem is compared as it stands."""
    try:
        told = order.version(text)
    except ValueError:
        return text == version
    return told == version or order.precedence(told) == order.precedence(version)


def _lacking(rules: Rules, taken: Sequence[Taken], now: datetime) -> Iterable[str]:
    """Yield a sentence for each source that the settings ask for and that is missing or too old."""
    known = {one.source: one for one in taken}
    for name in rules.sources:
        if name not in known:
            yield f"the intelligence of {name} was never imported: lazaretto intel import … --source {name}"
        elif known[name].stale(now, rules.max_age):
            yield f"the intelligence of {name} is of {known[name].at:%Y-%m-%d %H:%MZ}, older than the policy allows"


class Said(Struct, frozen=True):
    """What is said against the versions of a project, which of them are held only, and since when it is said."""

    against: Mapping[Version, str] = {}
    held: frozenset[Version] = frozenset()
    since: Mapping[Version, datetime] = {}


class Pages:
    """The same for the versions of a page, which the gate asks for again and again. Safe in several threads.

    Only what names a release or its bytes can be said without reading it; what it speaks of is for its reading.
    """

    def __init__(self, book: Book, orders: Mapping[str, Named], rules: Rules, now: Callable[[], datetime]) -> None:
        self._book = book
        self._orders = orders
        self._rules = rules
        self._now = now
        self._lock = Lock()
        self._looked: datetime | None = None
        self._projects: frozenset[str] = frozenset()
        self._digests: frozenset[str] = frozenset()
        self._mark = ""
        self._at: Mapping[str, datetime] = {}

    def lacking(self) -> bool:
        """Whether a source that the settings ask for is missing or too old. Raises IntelligenceError."""
        return bool(self._rules.sources) and any(_lacking(self._rules, self._book.sources(), self._now()))

    def said(self, ecosystem: str, name: ProjectName, versions: Sequence[Version]) -> Said:
        """Return what is said against versions. Raises IntelligenceError."""
        now, order = self._now(), self._orders[ecosystem]
        self._look(now)
        if _project(order, name) not in self._projects:
            return Said()
        against, held, since = {}, set(), {}
        for version in versions:
            found = own(self._book, order, name, version)
            named = heed({}, (), self._rules.heed, now, found)
            ruled = ruling(self._book, order, name, version, self._rules, now)
            demand = max(named.demand, ruled.demand)
            if demand is Outcome.ALLOW:
                continue
            against[version] = "; ".join((*ruled.demands, *named.demands))
            taken = [self._at[source.name] for one in found for source in one.sources if source.name in self._at]
            since[version] = max(taken, default=max(self._at.values(), default=now))
            if demand is Outcome.HOLD:
                held.add(version)
        return Said(against, frozenset(held), since)

    def bytes_said(self, digests: Iterable[str]) -> Mapping[str, Answer]:
        """Return what is said against bytes, by their digest (``alg:hex``), as of the last look at the book.

        Raises IntelligenceError.
        """
        known = {digest: f"digest:{digest.partition(':')[2].lower()}" for digest in digests}
        hit = {digest: key for digest, key in known.items() if key in self._digests}
        if not hit:
            return {}
        now, found = self._now(), self._book.keyed(hit.values())
        said = {digest: heed({key: Borne(key)}, found, self._rules.heed, now) for digest, key in hit.items()}
        return {digest: answer for digest, answer in said.items() if answer.demand is not Outcome.ALLOW}

    @property
    def latest(self) -> datetime | None:
        """When the last source was taken."""
        return max(self._at.values(), default=None)

    def _look(self, now: datetime) -> None:
        """See what was imported meanwhile, within seconds."""
        with self._lock:
            if self._looked is None or now - self._looked > LOOK_AGAIN:
                mark = self._book.mark(now)
                if mark != self._mark:
                    self._mark, self._projects = mark, self._book.keys("package")
                    self._digests = self._book.keys("digest")
                    self._at = {one.source: one.at for one in self._book.sources()}
                self._looked = now


LOOK_AGAIN = timedelta(seconds=10)
"""After how long the gate looks whether something was imported."""
