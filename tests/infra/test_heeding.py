"""The gate's advice with what was imported: only ever more is refused."""

from datetime import timedelta
from pathlib import Path

import pytest

from lazaretto.app.intelligence.obey import Rules
from lazaretto.app.intelligence.ports import IntelligenceError
from lazaretto.app.shelf import Advice, no_advice
from lazaretto.core.intel import Confidence, IndicatorKind
from lazaretto.core.names import Digest, ProjectName, Version
from lazaretto.core.policy import Outcome
from lazaretto.core.standing import Basis, Decision, Identity
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
    other = asked("npm", ProjectName("other"), (VERSION,))
    assert (other.against, other.since, other.held) == ({}, {}, frozenset())


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


def identity(version: Version, told: str) -> Identity:
    """Return what the ledger noted of an artifact."""
    return Identity("npm", NAME, version, f"x-{version}.tgz", told, NOW)


def decision(version: Version, told: str, digest: str) -> Decision:
    """Return a reading that allowed an artifact."""
    allowed = (Outcome.ALLOW, True, Basis.READ, "ABCDEFGH", "read", NOW)
    return Decision("npm", NAME, version, f"x-{version}.tgz", told, Digest(digest), *allowed)


@pytest.mark.parametrize(("confidence", "held"), [(Confidence.HIGH, False), (Confidence.LOW, True)])
def test_bytes_that_are_named(tmp_path: Path, confidence: Confidence, held: bool) -> None:
    """By the digest that the index tells, or by that of the bytes that were read and allowed."""
    book = SqliteIntelligence(tmp_path, NORMAL)
    values = {IndicatorKind.SHA512: "AB" * 64, IndicatorKind.SHA256: "cd" * 32}
    put(book, *(indicator(kind, value, confidence=confidence) for kind, value in values.items()))
    asked = advising(no_advice, book, {"npm": NPM}, None, lambda: NOW)("npm", NAME, (OLD, VERSION))
    good = identity(Version("2.0.0"), f"sha512:{'ef' * 64}")
    read = decision(VERSION, "sha1:x", f"sha256:{'cd' * 32}")
    known = asked.known([identity(OLD, f"sha512:{'ab' * 64}"), good], [read])
    assert known.advised is not None
    assert set(known.advised) == {OLD, VERSION}
    assert known.held == (frozenset({OLD, VERSION}) if held else frozenset())
    assert known.since == {OLD: NOW, VERSION: NOW}
    assert "is to be blocked" in known.advised[OLD]
    assert asked.known([good], []).advised == {}


def test_bytes_that_are_blocked_are_not_only_held(book: SqliteIntelligence) -> None:
    """What is doubted by name and named for sure by its bytes is blocked; without advice there is none of bytes."""
    put(book, indicator(IndicatorKind.SHA1, "ab" * 20), source="more")
    asked = advising(lambda *_: Advice({OLD: "MAL-1"}, held=frozenset({OLD})), book, {"npm": NPM}, None, lambda: NOW)
    found = asked("npm", NAME, (OLD,))
    assert found.known([identity(OLD, f"sha1:{'ab' * 20}")], []).held == frozenset()
    assert found.known([], []).held == {OLD}


def test_bytes_of_which_nothing_can_be_asked(book: SqliteIntelligence, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is cleared."""
    put(book, indicator(IndicatorKind.SHA1, "ab" * 20), source="more")
    asked = advising(no_advice, book, {"npm": NPM}, None, lambda: NOW)("npm", NAME, (OLD,))

    def broken(*_: object) -> None:
        raise IntelligenceError("gone")

    monkeypatch.setattr(SqliteIntelligence, "keyed", broken)
    assert asked.known([identity(OLD, f"sha1:{'ab' * 20}")], []).advised is None
