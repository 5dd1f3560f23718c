"""What advisories mean for a gate: against versions, cures, and nothing at all where they are too old."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

import pytest

from lazaretto.app import advice
from lazaretto.app.advice import Adviser, AdvisoriesError, Project
from lazaretto.app.shelf import Advice
from lazaretto.core.act import Act, content
from lazaretto.core.advisory import Advisory, Affected, Event, EventKind, Range, RangeKind
from lazaretto.core.chain import START, Entry, append
from lazaretto.core.names import ProjectName, Purl, Version
from lazaretto.core.policy import Outcome
from lazaretto.core.ruling import AdvisoryPolicy, FeedState
from lazaretto.ecosystems.npm import ECOSYSTEM as NPM

NOW = datetime(2030, 1, 2, tzinfo=UTC)
NAME = ProjectName("plain")
OLD, BAD, FIXED = Version("1.0.0"), Version("1.0.1"), Version("1.0.2")
EVENTS = (Event(EventKind.INTRODUCED, "0"), Event(EventKind.FIXED, "1.0.2"))
FLAW = Advisory("GHSA-1", NOW, (Affected("npm", "plain", ranges=(Range(RangeKind.SEMVER, EVENTS),)),))
MALWARE = Advisory("MAL-1", NOW, (Affected("npm", "plain", ("1.0.1",)),))


class Book:
    """The port in memory, which counts what it is asked and can break."""

    def __init__(self, *records: Advisory, fetched: datetime | None = NOW) -> None:
        self.records = records
        self.fetched = fetched
        self.number = 1
        self.asked = 0
        self.broken = False

    def of(self, ecosystem: str, name: ProjectName) -> tuple[Advisory, ...]:
        self.asked += 1
        if self.broken:
            raise AdvisoriesError("the disk is full of holes")
        return self.records

    def states(self) -> Mapping[str, FeedState]:
        return {"osv": FeedState("osv", self.fetched, len(self.records))}

    def generation(self) -> int:
        return self.number

    def mark(self, source: str) -> str:
        return ""

    def replace(self, source: str, advisories: Iterable[Advisory], fetched: datetime, mark: str) -> frozenset[Project]:
        self.records, self.number = tuple(advisories), self.number + 1
        return frozenset()

    def unchanged(self, source: str, fetched: datetime) -> None:
        self.fetched = fetched

    def failed(self, source: str, problem: str) -> None:
        raise AssertionError


def adviser(book: Book, *sources: str, policy: AdvisoryPolicy | None = None, now: datetime = NOW) -> Adviser:
    """Return an adviser that has looked at the book."""
    made = Adviser(book, sources or ("osv",), {"npm": NPM}, policy or AdvisoryPolicy(), lambda: now)
    made.refresh()
    return made


def test_malware_is_held_against_and_cures_are_known() -> None:
    """Each version has what is said against it, in a sentence, and what it fixes."""
    said = adviser(Book(FLAW, MALWARE))("npm", NAME, (OLD, BAD, FIXED))

    assert said.against == {BAD: "advisory MAL-1 reports malware in this version"}
    assert said.fixes == {FIXED: "GHSA-1"}
    assert said.since == {BAD: MALWARE.modified}


def test_what_is_not_understood_is_held_and_what_is_is_blocked() -> None:
    """Malware in versions that nobody can read is no malware in this one, and not nothing: held, as in ``rule``."""
    unclear = Advisory("MAL-2", NOW, (Affected("npm", "plain", ranges=(Range(RangeKind.GIT, EVENTS),)),))
    said = adviser(Book(unclear, MALWARE))("npm", NAME, (OLD, BAD))
    held = adviser(Book(FLAW), policy=AdvisoryPolicy(vulnerability=Outcome.HOLD))("npm", NAME, (OLD, BAD, FIXED))

    assert said.held == {OLD}
    assert BAD in (said.against or {})
    assert held.held == set(held.against or {})
    assert held.held


def test_one_version_is_answered_as_on_its_page() -> None:
    """Page and artifact ask in different ways and get the same answer."""
    book = Book(FLAW, MALWARE)
    page = adviser(book)("npm", NAME, (OLD, BAD, FIXED))
    assert page.against is not None

    for version in (OLD, BAD, FIXED):
        said = adviser(book)("npm", NAME, (version,))
        assert said.against is not None
        assert said.against.get(version) == page.against.get(version)
        assert said.fixes.get(version) == page.fixes.get(version)


def test_without_sources_nothing_is_asked() -> None:
    """Whoever names no source has no advisories, and nothing is stale."""
    book = Book(MALWARE, fetched=None)
    made = Adviser(book, (), {"npm": NPM}, AdvisoryPolicy(), lambda: NOW)

    assert made("npm", NAME, (BAD,)) == Advice()
    assert book.asked == 0


@pytest.mark.parametrize(("fetched", "source"), [(NOW - timedelta(hours=25), "osv"), (None, "osv"), (NOW, "other")])
def test_what_is_stale_says_nothing(fetched: datetime | None, source: str) -> None:
    """Too old, never fetched, or never heard of: nothing can be said, unless the policy takes what there is."""
    book = Book(MALWARE, fetched=fetched)

    said = adviser(book, source)("npm", NAME, (BAD,))
    assert (said.against, said.fixes) == (None, {})
    assert said.since.keys() == {BAD}  # it still accuses: a permission from before does not come back
    lenient = adviser(book, source, policy=AdvisoryPolicy(stale=Outcome.ALLOW))
    assert lenient("npm", NAME, (OLD, BAD)).against == {BAD: "advisory MAL-1 reports malware in this version"}


def test_a_broken_book_says_nothing() -> None:
    """What cannot be read is not a permission, and is asked again the next time."""
    book = Book(MALWARE)
    made = adviser(book)
    book.broken = True
    assert made("npm", NAME, (BAD,)) == Advice(None)

    book.broken = False
    assert made("npm", NAME, (BAD,)).against


def test_answers_are_remembered_until_something_changes() -> None:
    """The book is asked once for a project, and again after a refresh that finds something new."""
    book = Book(FLAW)
    made = adviser(book)
    for _ in range(3):
        assert made("npm", NAME, (BAD,)).against == {}
    made("npm", NAME, (OLD, BAD))
    made.refresh()
    made("npm", NAME, (OLD, BAD))
    assert book.asked == 2

    book.replace("osv", [MALWARE], NOW, "")
    made.refresh()
    assert made("npm", NAME, (BAD,)).against
    assert book.asked == 3


def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only so many projects are remembered, the longest unused forgotten first."""
    monkeypatch.setattr(advice, "MAX_REMEMBERED", 2)
    book = Book()
    made = adviser(book)
    for name in ("a", "b", "a", "c", "a"):
        made("npm", ProjectName(name), (OLD,))
    assert book.asked == 3
    made("npm", ProjectName("b"), (OLD,))
    assert book.asked == 4


def test_a_change_in_between_is_not_remembered() -> None:
    """An answer from before a change, that is ready after it, is not kept."""

    class Changing(Book):
        def of(self, ecosystem: str, name: ProjectName) -> tuple[Advisory, ...]:
            found = super().of(ecosystem, name)
            if self.asked == 1:
                self.replace("osv", [MALWARE], NOW, "")
                made.refresh()
            return found

    book = Changing(FLAW)
    made = adviser(book)

    assert made("npm", NAME, (BAD,)).against == {}
    assert made("npm", NAME, (BAD,)).against


def test_ages_are_told() -> None:
    """For the numbers that are watched: each source with its age."""
    made = adviser(Book(fetched=NOW - timedelta(hours=2)), "osv", "other")

    assert made.ages() == {"osv": timedelta(hours=2), "other": None}


class Handed:
    """The ledger's part, with what was handed out, and the acts that were written."""

    def __init__(self, *purls: str) -> None:
        self.purls = tuple((Purl(purl), number) for number, purl in enumerate(purls, 1))
        self.acts: list[Act] = []

    def handed_out(self, project: Purl) -> tuple[tuple[Purl, int], ...]:
        return tuple(pair for pair in self.purls if pair[0].startswith(f"{project}@"))

    def act(self, act: Act) -> Entry:
        self.acts.append(act)
        return append(START, content(act))


def test_what_was_handed_out_before_is_an_alarm() -> None:
    """Of what is said to do harm now and was handed out: an act in the chain, that says to how many."""
    ledger = Handed("pkg:npm/plain@1.0.0", "pkg:npm/plain@1.0.1", "pkg:npm/plain-other@1.0.1")
    made = adviser(Book(FLAW, MALWARE))
    alarms = list(made.alarms({("npm", NAME), ("npm", ProjectName("never-asked"))}, ledger))

    assert alarms == ledger.acts
    assert [(act.what, act.subject) for act in alarms] == [("alarm", "pkg:npm/plain@1.0.1")]
    assert alarms[0].reason == "advisory MAL-1 reports malware in this version; handed out before, to 2 client(s)"
    assert list(made.alarms((), ledger)) == []
