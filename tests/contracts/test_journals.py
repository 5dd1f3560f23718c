"""What is asked of every journal: append-only, byte for byte, the last verdict counts."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lazaretto.app.ports import JournalError
from lazaretto.core.model import Provided
from lazaretto.core.names import ProjectName, Purl
from lazaretto.infra import stores
from lazaretto.infra.journal import Journal, SqliteJournal

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
AXIOS = Purl("pkg:npm/axios@1.14.1")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    """Return a journal that holds nothing."""
    if request.param == "sqlite":
        made: Journal = SqliteJournal(tmp_path / "state")
    else:
        server = request.getfixturevalue("postgres")
        made = stores.journal(stores.pool(server.database(), server.password_file))
    yield made
    made.close()


@given(key=st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=9), report=st.binary(max_size=3000))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_reports_come_back_byte_for_byte(journal: Journal, key: str, report: bytes) -> None:
    """What is found is what was written."""
    journal.append(key, AXIOS, "hold", report, AT)

    assert journal.find(key) == report


def test_the_last_report_of_a_key_counts(journal: Journal) -> None:
    """A key written twice gives the later report, also after opening again; an unknown key gives none."""
    journal.append("key", AXIOS, "hold", b"first", AT)
    journal.append("key", AXIOS, "allow", b"second", AT)
    journal.close()

    assert journal.find("key") == b"second"
    assert journal.find("other") is None


def test_the_last_report_of_a_release_is_found(journal: Journal) -> None:
    """Whatever its key: what was written last about a release comes back; of another release nothing does."""
    journal.append("one", AXIOS, "hold", b"first", AT)
    journal.append("two", AXIOS, "block", b"second", AT)

    assert journal.latest(AXIOS) == b"second"
    assert journal.latest(Purl("pkg:npm/axios@1.14.0")) is None


def test_what_is_refused_is_told_latest_first(journal: Journal) -> None:
    """A release whose last verdict is allow is not refused, whatever it was before; no more are told than asked for."""
    for number, (version, outcome) in enumerate([("1", "hold"), ("2", "block"), ("1", "allow"), ("3", "hold")]):
        journal.append(str(number), Purl(f"pkg:npm/axios@{version}"), outcome, f"{version} {outcome}".encode(), AT)

    assert journal.refused(9) == (b"3 hold", b"2 block")
    assert journal.refused(1) == (b"3 hold",)


def test_suspects_are_what_was_not_allowed_last(journal: Journal) -> None:
    """The latest verdict counts; of several artifacts of a version, any; an unknown outcome is no permission."""
    verdicts = [
        ("pkg:npm/axios@1.0.0", "block"),
        ("pkg:npm/axios@1.0.0", "allow"),
        ("pkg:npm/axios@1.1.0", "allow"),
        ("pkg:npm/axios@1.1.0", "hold"),
        ("pkg:npm/axios@1.2.0?file_name=a.tgz", "block"),
        ("pkg:npm/axios@1.2.0?file_name=b.tgz", "allow"),
        ("pkg:npm/axios@1.3.0", "perhaps"),
        ("pkg:npm/axios@1.4.0", "allow"),
        ("pkg:pypi/axios@1.4.0", "block"),
        ("pkg:npm/%40scope/axios@1.4.0", "block"),
    ]
    for number, (subject, outcome) in enumerate(verdicts):
        journal.append(str(number), Purl(subject), outcome, b"", AT)

    assert journal.suspects("npm", ProjectName("axios")) == {"1.1.0", "1.2.0", "1.3.0"}
    assert journal.suspects("npm", ProjectName("@scope/axios")) == {"1.4.0"}


def test_what_a_registry_ever_told(journal: Journal) -> None:
    """Fields once told stay known, so that their loss is seen; equal notes are written once."""
    name = ProjectName("axios")
    assert journal.provided("r.invalid", "npm", name) is None
    for fields in ([Provided.TIME, Provided.PUBLISHER], [Provided.PUBLISHER, Provided.TIME], [Provided.TIME]):
        journal.note_provided("r.invalid", "npm", name, fields, AT)

    assert journal.provided("r.invalid", "npm", name) == frozenset({Provided.TIME, Provided.PUBLISHER})
    assert journal.provided("other.invalid", "npm", name) is None
    assert journal._database.read("SELECT count(*) FROM provided") == [(2,)]


def test_times_are_utc(journal: Journal) -> None:
    """A time without a zone is refused."""
    with pytest.raises(ValueError, match="time zone"):
        journal.append("key", AXIOS, "hold", b"", AT.replace(tzinfo=None))


@pytest.mark.parametrize("statement", ["DELETE FROM {}", "UPDATE {} SET at = 'never'"])
@pytest.mark.parametrize("table", ["verdict", "provided"])
def test_the_database_refuses_to_change_a_row(journal: Journal, statement: str, table: str) -> None:
    """Not even with the program's own connection is a row changed or removed."""
    journal.append("key", AXIOS, "hold", b"report", AT)
    journal.note_provided("registry.invalid", "npm", ProjectName("axios"), [Provided.TIME], AT)
    with pytest.raises(JournalError, match="append-only"):
        journal._database.write(statement.format(table), ())
