"""The gate's advice with what was imported: only ever more is refused."""

from datetime import timedelta
from pathlib import Path

import pytest

from lazaretto.app.intelligence.obey import Rules
from lazaretto.app.intelligence.ports import IntelligenceError
from lazaretto.app.shelf import Advice, no_advice
from lazaretto.core.intel import Confidence, IndicatorKind
from lazaretto.core.names import ProjectName, Version
from lazaretto.ecosystems.npm import ECOSYSTEM as NPM
from lazaretto.infra.heeding import advising
from lazaretto.infra.intelligence import SqliteIntelligence
from tests.app.test_intelligence import BAD, NAME, NORMAL, VERSION, put
from tests.core.test_exchange import indicator
from tests.detectors.updates import NOW

OLD = Version("1.0.0")


@pytest.fixture
def book(tmp_path: Path) -> SqliteIntelligence:
    """Return a book that names two versions, one of them without being sure."""
    made = SqliteIntelligence(tmp_path, NORMAL)
    put(made, BAD, indicator(IndicatorKind.PACKAGE, "pkg:npm/example-package@1.0.0", confidence=Confidence.LOW))
    return made


def advise(book: SqliteIntelligence, advice: Advice, rules: Rules | None = None) -> Advice:
    """Ask about both versions, where advisories say something."""
    asked = advising(lambda *_: advice, book, {"npm": NPM}, rules, lambda: NOW)
    return asked("npm", NAME, (OLD, VERSION))


def test_without_advisories(book: SqliteIntelligence) -> None:
    """What was imported alone."""
    asked = advising(no_advice, book, {"npm": NPM}, None, lambda: NOW)
    found = asked("npm", NAME, (OLD, VERSION))
    assert found.against is not None
    assert set(found.against) == {OLD, VERSION}
    assert found.held == {OLD}
    assert asked("npm", ProjectName("other"), (VERSION,)) == Advice()


def test_with_advisories(book: SqliteIntelligence) -> None:
    """Both reasons are told; held is what nobody blocks; a cure that is accused is none; the later time counts."""
    later = NOW + timedelta(days=1)
    given = Advice({OLD: "MAL-1"}, {VERSION: "GHSA-1", OLD: "GHSA-2"}, {OLD: later}, frozenset())
    found = advise(book, given)
    assert found.against is not None
    assert found.against[OLD].startswith("MAL-1; ")
    assert found.held == frozenset()
    assert found.fixes == {}
    assert found.since == {OLD: later, VERSION: NOW}
    held = advise(book, Advice({OLD: "MAL-1"}, held=frozenset({OLD})))
    assert held.held == {OLD}


def test_what_cannot_be_asked_clears_nobody(book: SqliteIntelligence, monkeypatch: pytest.MonkeyPatch) -> None:
    """Advisories that are too old, a source that is missing, a book that is broken."""
    stale = advise(book, Advice(None))
    assert (stale.against, set(stale.since)) == (None, {OLD, VERSION})
    assert advise(book, Advice(), Rules(sources=("other",))).against is None

    def broken(*_: object) -> None:
        raise IntelligenceError("gone")

    monkeypatch.setattr(SqliteIntelligence, "keyed", broken)
    assert advise(book, Advice()).against is None
