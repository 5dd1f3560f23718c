"""Bringing intelligence in, what it asks of a release and of a page, and what may be passed on."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lazaretto.app.analyse import Analyser, Question
from lazaretto.app.intelligence.bring import bring, feed_for
from lazaretto.app.intelligence.obey import Intelligence, Pages, Rules
from lazaretto.app.intelligence.pass_on import passed_on
from lazaretto.app.intelligence.ports import IntelligenceError, Taken
from lazaretto.core.advisory import Advisory, Affected
from lazaretto.core.exchange import Collection, Item, Told
from lazaretto.core.finding import Example
from lazaretto.core.intel import Campaign, Confidence, Indicator, IndicatorKind, Source, Tlp, Use
from lazaretto.core.names import ProjectName, Version
from lazaretto.core.policy import Outage, Outcome
from lazaretto.core.verdict import CHECK_INTELLIGENCE, RecordState
from lazaretto.ecosystems.npm import ECOSYSTEM as NPM
from lazaretto.ecosystems.pypi import ECOSYSTEM as PYPI
from lazaretto.feeds import lists, osv, stix
from lazaretto.infra.intelligence import SqliteIntelligence
from tests.core.test_exchange import indicator
from tests.detectors.updates import NOW, fact, update, view
from tests.examples import NOW as THEN
from tests.examples import build_world, rules

FEEDS: Any = {"lists": lists, "osv": osv, "stix": stix}
TOLD = Told(Source("feed"))
NAME, VERSION = ProjectName("example-package"), Version("1.0.1")
BAD = indicator(IndicatorKind.PACKAGE, "pkg:npm/example-package@1.0.1", sources=(Source("feed"),))
NORMAL = {"npm": NPM.name, "pypi": PYPI.name}


@pytest.fixture
def book(tmp_path: Path) -> SqliteIntelligence:
    """Return a book that holds nothing yet."""
    return SqliteIntelligence(tmp_path, NORMAL)


def put(book: SqliteIntelligence, *items: Item, source: str = "feed", at: datetime = NOW) -> Taken:
    """Take items as a source."""
    return book.replace(Taken(source, "lists", "x.csv", at), items)


def test_a_document_is_read_by_the_feed_that_claims_it(book: SqliteIntelligence) -> None:
    """Or by the one that is named; what nobody claims is refused, and so is a name that is none."""
    assert feed_for(b"a.invalid\n", FEEDS, None) == "lists"
    assert feed_for(b'{"objects": [], "type": 1}', FEEDS, None) == "stix"
    assert feed_for(b"a.invalid\n", FEEDS, "osv") == "osv"
    with pytest.raises(IntelligenceError, match=r"no feed 'x' \(there are: lists, osv, stix\)"):
        feed_for(b"", FEEDS, "x")
    with pytest.raises(IntelligenceError, match="looks like nothing"):
        feed_for(b"\0\0", FEEDS, None)


def test_several_documents_are_one_source(book: SqliteIntelligence) -> None:
    """What was there of it before is gone; each place says in which document it is."""
    put(book, BAD)
    documents = [("a.csv", b"type,value\ndomain,no host\n"), ("b.txt", b"a.invalid\n")]
    taken = bring(documents, FEEDS, book, TOLD, NOW, max_age=timedelta(days=1))
    assert (taken.source, taken.feed, taken.place) == ("feed", "lists", "a.csv, b.txt")
    assert (taken.items, taken.unread) == ({"indicator": 1}, 1)
    assert [one.place for one in book.unread("feed")] == ["a.csv: row 2"]
    assert book.sources() == (taken,)
    assert book.keyed(["package:npm/example-package"]) == ()


def test_a_document_that_is_none_changes_nothing(book: SqliteIntelligence) -> None:
    """All or nothing, and the error says which and why."""
    put(book, BAD)
    with pytest.raises(IntelligenceError, match=r"x\.json cannot be read as stix: document: is no bundle"):
        bring([("x.json", b"{}")], FEEDS, book, TOLD, NOW, wanted="stix")
    assert book.keyed(["package:npm/example-package"]) == (BAD,)


def intelligence(book: SqliteIntelligence, rules: Rules | None = None) -> Intelligence:
    """Return what is asked for npm."""
    return Intelligence(book, NPM, rules or Rules())


def test_a_release_that_is_named_is_blocked(book: SqliteIntelligence) -> None:
    """By its version, or by its project as a whole; another version is not."""
    other = indicator(IndicatorKind.PACKAGE, "pkg:npm/example-package@1.0.0")
    odd = indicator(IndicatorKind.PACKAGE, "pkg:npm/example-package@odd")
    seen = update(None, view({}))
    put(book, other, odd)
    assert intelligence(book).record(seen, NOW).demand is Outcome.ALLOW
    put(book, BAD)
    record = intelligence(book).record(seen, NOW)
    assert (record.state, record.demand) == (RecordState.COMPLETE, Outcome.BLOCK)
    put(book, indicator(IndicatorKind.PACKAGE, "pkg:npm/example-package"))
    assert intelligence(book).record(seen, NOW).demand is Outcome.BLOCK


def test_an_imported_advisory_is_obeyed(book: SqliteIntelligence) -> None:
    """Malware blocks, as with the firewall's own."""
    advisory = Advisory("MAL-2030-1", NOW, (Affected("npm", "example-package", ("1.0.1",)),))
    put(book, advisory)
    record = intelligence(book).record(update(None, view({})), NOW)
    assert record.demand is Outcome.BLOCK
    assert record.demands == ("advisory MAL-2030-1 reports malware in this version",)


def test_hosts_that_it_speaks_of(book: SqliteIntelligence) -> None:
    """Held with the place; what is hunted is a note."""
    from lazaretto.core.facts import Kind

    seen = update(None, view({"a.js": "x\n"}, {"a.js": [fact(Kind.NET_CONNECT, "https://c2.invalid/x", 1)]}))
    put(book, indicator(IndicatorKind.DOMAIN, "c2.invalid"))
    record = intelligence(book).record(seen, NOW)
    assert record.demand is Outcome.HOLD
    assert "a.js:1" in record.demands[0]
    put(book, indicator(IndicatorKind.DOMAIN, "c2.invalid", Use.HUNT))
    record = intelligence(book).record(seen, NOW)
    assert (record.demand, len(record.notes)) == (Outcome.ALLOW, 1)


class Broken:
    """A book that cannot be read."""

    def keyed(self, keys: Iterable[str]) -> tuple[Indicator, ...]:
        raise IntelligenceError("the disk is gone")


def test_a_book_that_cannot_be_read_is_incomplete() -> None:
    """What it would say is not known, and what is not known is held."""
    record = Intelligence(Broken(), NPM, Rules()).record(update(None, view({})), NOW)  # type: ignore[arg-type]
    assert (record.state, record.outage) == (RecordState.INCOMPLETE, Outage.INTELLIGENCE)
    assert record.problems == ("the disk is gone",)


def test_a_source_that_the_settings_want_must_be_there_and_fresh(book: SqliteIntelligence) -> None:
    """Missing or too old, the record is incomplete; what it says against a release still counts."""
    wanted = Rules(sources=("feed",), max_age=timedelta(hours=24))
    seen = update(None, view({}))
    assert "never imported" in intelligence(book, wanted).record(seen, NOW).problems[0]
    put(book, BAD)
    fresh = intelligence(book, wanted).record(seen, NOW + timedelta(hours=1))
    assert (fresh.state, fresh.demand) == (RecordState.COMPLETE, Outcome.BLOCK)
    old = intelligence(book, wanted).record(seen, NOW + timedelta(days=2))
    assert (old.outage, old.demand) == (Outage.INTELLIGENCE, Outcome.BLOCK)
    assert "older than the policy allows" in old.problems[0]
    marks = {intelligence(book, wanted).mark(NOW + timedelta(hours=hours)) for hours in (1, 48)}
    assert len(marks) == 2


def test_the_verdict_meets_the_demand(book: SqliteIntelligence) -> None:
    """The check is required where something was imported; without an import it is not made."""
    world, name, version, now = build_world(Example(title="", before={"a.js": "1\n"}, after={"a.js": "1\n"}))
    put(book, BAD, at=THEN)

    def ask(asked: Intelligence | None) -> Any:
        analyser = Analyser(world.ecosystem, world, world, rules(), now, intelligence=lambda: asked)
        return analyser.release(Question(ProjectName(name), Version(version)))

    assert CHECK_INTELLIGENCE not in ask(None).records
    blocked = ask(intelligence(book))
    assert blocked.outcome is Outcome.BLOCK
    assert blocked.verdict.for_cause
    assert "is to be blocked" in blocked.verdict.reasons[0]


def pages(book: SqliteIntelligence, clock: list[datetime], rules: Rules | None = None) -> Pages:
    """Return what the gate asks; the clock shows the first of a list."""
    return Pages(book, {"npm": NPM, "pypi": PYPI}, rules or Rules(), lambda: clock[0])


def test_versions_of_a_page(book: SqliteIntelligence) -> None:
    """What names a version refuses it, with since when; a project of which nothing is said costs one look."""
    doubtful = indicator(IndicatorKind.PACKAGE, "pkg:npm/example-package@1.0.0", confidence=Confidence.LOW)
    put(book, BAD, doubtful)
    asked = pages(book, [NOW])
    said = asked.said("npm", NAME, [Version("0.9.0"), Version("1.0.0"), VERSION])
    assert set(said.against) == {"1.0.0", "1.0.1"}
    assert said.held == {"1.0.0"}
    assert said.since == {"1.0.0": NOW, "1.0.1": NOW}
    assert not asked.said("npm", ProjectName("other"), [VERSION]).against
    assert not asked.lacking()


def test_the_gate_sees_an_import_within_seconds(book: SqliteIntelligence) -> None:
    """And looks no more often than that."""
    put(book, indicator(IndicatorKind.DOMAIN, "a.invalid"), source="other")
    clock = [NOW]
    asked = pages(book, clock)
    assert not asked.said("npm", NAME, [VERSION]).against
    put(book, BAD)
    assert not asked.said("npm", NAME, [VERSION]).against
    clock[0] = NOW + timedelta(seconds=11)
    assert asked.said("npm", NAME, [VERSION]).against
    clock[0] = NOW + timedelta(seconds=22)
    assert asked.said("npm", NAME, [VERSION]).against


def test_a_wanted_source_that_is_lacking(book: SqliteIntelligence) -> None:
    """The gate is told."""
    assert pages(book, [NOW], Rules(sources=("feed",))).lacking()


def test_the_age_of_a_source() -> None:
    """By its own limit or another; taken by a clock ahead of ours, it is of unknown age."""
    own = Taken("s", "lists", "x", NOW, max_age=timedelta(days=1))
    assert not own.stale(NOW)
    assert own.stale(NOW + timedelta(days=2))
    assert own.stale(NOW + timedelta(hours=2), timedelta(hours=1))
    assert own.stale(NOW - timedelta(hours=1))
    assert not Taken("s", "lists", "x", NOW).stale(NOW + timedelta(days=1000))


def test_what_may_leave() -> None:
    """By its marking, its validity, and the campaign that is asked for; what stays is counted."""
    campaign = Campaign("c-1", "Plain", NOW.date())
    green = indicator(IndicatorKind.DOMAIN, "a.invalid", tlp=Tlp.GREEN, campaign="c-1")
    red = indicator(IndicatorKind.DOMAIN, "b.invalid", tlp=Tlp.RED)
    gone = indicator(IndicatorKind.DOMAIN, "c.invalid", valid_until=NOW)
    whole = Collection("t", NOW, (green, red, gone), campaigns=(campaign, Campaign("c-2", "Other", NOW.date())))
    left = passed_on(whole, NOW, Tlp.GREEN)
    assert left.collection.indicators == (green,)
    assert left.kept_back == {"marked TLP:RED (--tlp red lets it leave)": 1, "no longer valid": 1}
    for asked in ("c-1", "Plain"):
        only = passed_on(whole, NOW, Tlp.RED, asked)
        assert only.collection.indicators == (green,)
        assert only.collection.campaigns == (campaign,)
        assert not only.kept_back
