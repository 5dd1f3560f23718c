"""The book of intelligence: taken as a whole, found by key, and a mark for everything that changes what is said."""

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from lazaretto.app.intelligence.ports import IntelligenceError, Taken
from lazaretto.core.advisory import Advisory, Affected
from lazaretto.core.exchange import Item, Unread
from lazaretto.core.intel import Campaign, Indicator, IndicatorKind, IntrusionSet
from lazaretto.core.names import ProjectName
from lazaretto.infra.intelligence import MAX_UNREAD, SqliteIntelligence
from tests.app.test_intelligence import BAD, NORMAL, put
from tests.core.test_exchange import indicator
from tests.detectors.updates import NOW


@pytest.fixture
def book(tmp_path: Path) -> SqliteIntelligence:
    """Return a book that holds nothing yet."""
    return SqliteIntelligence(tmp_path, NORMAL)


def test_asking_makes_no_file(book: SqliteIntelligence) -> None:
    """A book in which nothing was ever written says nothing, and is not there."""
    assert book.keyed(["host:a.invalid"]) == ()
    assert book.sources() == ()
    assert book.keys("package") == frozenset()
    assert not book.path.exists()


def test_names_meet_in_their_normal_form(book: SqliteIntelligence) -> None:
    """However a list spells a project of PyPI; what can be no name is kept as it is written."""
    spelled = indicator(IndicatorKind.PACKAGE, "pkg:pypi/Plain.Example@1.0")
    odd = indicator(IndicatorKind.PACKAGE, "pkg:pypi/-@1.0")
    elsewhere = indicator(IndicatorKind.PACKAGE, "pkg:cargo/Plain@1.0")
    advisory = Advisory("MAL-1", NOW, (Affected("pypi", "Plain_Example"), Affected("npm", "b"), Affected("go", "x")))
    bare = Advisory("MAL-2", NOW, ())
    put(book, spelled, odd, elsewhere, advisory, bare)
    assert book.keyed(["package:pypi/plain-example"]) == (spelled,)
    assert book.about("pypi", ProjectName("plain-example")) == (advisory,)
    assert book.about("npm", ProjectName("b")) == (advisory,)
    keys = {"package:pypi/plain-example", "package:npm/b", "package:pypi/-", "package:cargo/Plain"}
    assert book.keys("package") == keys


def test_everything_comes_back(book: SqliteIntelligence) -> None:
    """Every sort of item, of every source or of one."""
    items: list[Item] = [BAD, Campaign("c", "C", NOW.date()), IntrusionSet("i", "I")]
    taken = put(book, *items, BAD)
    put(book, indicator(IndicatorKind.DOMAIN, "a.invalid"), source="other")
    assert taken.items == {"campaign": 1, "indicator": 1, "intrusion-set": 1}
    whole = book.collection([], "t", NOW)
    assert (len(whole.indicators), whole.campaigns, whole.actors) == (2, (items[1],), (items[2],))
    assert book.collection(["other"], "t", NOW).campaigns == ()


def test_many_keys_are_asked_for_in_pieces(book: SqliteIntelligence) -> None:
    """A release may speak of thousands of hosts."""
    put(book, indicator(IndicatorKind.DOMAIN, "h1234.invalid"))
    found = book.keyed(f"host:h{number}.invalid" for number in range(2000))
    assert [one.value for one in found] == ["h1234.invalid"]


def test_what_was_not_read_is_kept_up_to_a_bound(book: SqliteIntelligence) -> None:
    """All of it is counted; what was passed over is not counted as broken."""
    broken = [Unread(f"row {number}", "why") for number in range(MAX_UNREAD + 5)]
    taken = put(book, *broken, Unread("row x", "passed", broken=False))
    assert taken.unread == MAX_UNREAD + 5
    assert len(book.unread("feed")) == MAX_UNREAD


def test_the_mark_changes_with_what_is_said(book: SqliteIntelligence) -> None:
    """By an import, and as a validity begins or ends; not with time alone, nor by the same import again."""
    day = timedelta(days=1)
    put(book, indicator(IndicatorKind.DOMAIN, "a.invalid", valid_from=NOW + day, valid_until=NOW + 3 * day))
    first = book.mark(NOW)
    assert book.mark(NOW + day / 2) == first
    put(book, indicator(IndicatorKind.DOMAIN, "a.invalid", valid_from=NOW + day, valid_until=NOW + 3 * day))
    assert book.mark(NOW) == first
    marks = {book.mark(NOW + days * day) for days in (0, 1, 2, 3)}
    assert len(marks) == 3
    put(book, BAD)
    assert book.mark(NOW) not in marks


def test_an_import_that_fails_leaves_all_as_it_was(book: SqliteIntelligence) -> None:
    """One transaction."""
    put(book, BAD)

    def failing() -> Iterator[Item]:
        yield indicator(IndicatorKind.DOMAIN, "a.invalid")
        raise IntelligenceError("no more")

    with pytest.raises(IntelligenceError):
        book.replace(Taken("feed", "lists", "x", NOW), failing())
    assert book.collection([], "t", NOW).indicators == (BAD,)


def test_a_broken_book_is_an_error_and_stays(book: SqliteIntelligence) -> None:
    """It is state: whoever has it may mend it."""
    put(book, BAD)
    book.close()
    with sqlite3.connect(book.path) as connection:
        connection.execute("UPDATE item SET body = x'00'")
    with pytest.raises(IntelligenceError, match="broken indicator"):
        book.keyed(["package:npm/example-package"])
    book.close()
    book.path.write_bytes(b"no database" * 200)
    with pytest.raises(IntelligenceError, match="cannot be read"):
        book.sources()
    assert book.path.exists()


def test_a_kept_age(book: SqliteIntelligence) -> None:
    """For how long a source counts is kept with it."""
    taken = book.replace(Taken("feed", "lists", "x", NOW, max_age=timedelta(hours=3)), [BAD])
    assert book.sources() == (taken,)
    assert isinstance(book.collection([], "t", NOW).indicators[0], Indicator)
