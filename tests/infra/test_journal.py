"""The journal: append-only, byte for byte, several processes at once."""

import os
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto.app.ports import JournalError
from lazaretto.core.model import Provided
from lazaretto.core.names import Digest, ProjectName, Purl
from lazaretto.infra.blobs import BlobFolder
from lazaretto.infra.clock import SystemClock
from lazaretto.infra.journal import SqliteJournal, split_purl

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
AXIOS = Purl("pkg:npm/axios@1.14.1")


@pytest.fixture
def journal(tmp_path: Path) -> SqliteJournal:
    """An empty journal."""
    return SqliteJournal(tmp_path / "state")


@pytest.fixture(scope="module")
def filling(tmp_path_factory: pytest.TempPathFactory) -> SqliteJournal:
    """One journal for many examples."""
    return SqliteJournal(tmp_path_factory.mktemp("state"))


@given(key=st.text(max_size=9), report=st.binary(max_size=3000))
def test_reports_come_back_byte_for_byte(filling: SqliteJournal, key: str, report: bytes) -> None:
    """What is found is what was written."""
    filling.append(key, AXIOS, "hold", report, AT)

    assert filling.find(key) == report


def test_the_last_report_of_a_key_counts(journal: SqliteJournal) -> None:
    """A key written twice gives the later report, also after opening again; an unknown key gives none."""
    journal.append("key", AXIOS, "hold", b"first", AT)
    journal.append("key", AXIOS, "allow", b"second", AT)
    journal.close()

    assert journal.find("key") == b"second"
    assert journal.find("other") is None


def test_asking_makes_no_file(journal: SqliteJournal) -> None:
    """A journal that nobody has written to is not made by asking it."""
    assert journal.find("key") is None
    assert journal.suspects("npm", ProjectName("axios")) == frozenset()
    assert not journal.path.exists()


def test_suspects_are_what_was_not_allowed_last(journal: SqliteJournal) -> None:
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


@pytest.mark.parametrize("statement", ["DELETE FROM {}", "UPDATE {} SET at = 'never'"])
@pytest.mark.parametrize("table", ["verdict", "provided"])
def test_nothing_is_changed_or_deleted(journal: SqliteJournal, statement: str, table: str) -> None:
    """The database itself refuses to change or delete a row."""
    journal.append("key", AXIOS, "hold", b"report", AT)
    journal.note_provided("registry.invalid", "npm", ProjectName("axios"), [Provided.TIME], AT)
    database = sqlite3.connect(journal.path)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        database.execute(statement.format(table))
    database.close()


def test_what_a_registry_ever_told(journal: SqliteJournal) -> None:
    """Fields once told stay known, so that their loss is seen; equal notes are written once."""
    name = ProjectName("axios")
    assert journal.provided("r.invalid", "npm", name) is None
    for fields in ([Provided.TIME, Provided.PUBLISHER], [Provided.PUBLISHER, Provided.TIME], [Provided.TIME]):
        journal.note_provided("r.invalid", "npm", name, fields, AT)

    assert journal.provided("r.invalid", "npm", name) == frozenset({Provided.TIME, Provided.PUBLISHER})
    assert journal.provided("other.invalid", "npm", name) is None
    database = sqlite3.connect(journal.path)
    assert database.execute("SELECT count(*) FROM provided").fetchone() == (2,)
    database.close()


def test_times_are_utc(journal: SqliteJournal) -> None:
    """A time without a zone is refused."""
    with pytest.raises(ValueError, match="time zone"):
        journal.append("key", AXIOS, "hold", b"", AT.replace(tzinfo=None))
    assert SystemClock().now().tzinfo is UTC


@pytest.mark.parametrize("durable", [False, True])
def test_durable_or_not(tmp_path: Path, *, durable: bool) -> None:
    """Both modes keep what was written; the durable one syncs each commit."""
    journal = SqliteJournal(tmp_path, durable=durable)
    journal.append("key", AXIOS, "hold", b"report", AT)
    writer = journal._database._writer  # type: ignore[attr-defined]


    assert writer.execute("PRAGMA synchronous").fetchone() == (2 if durable else 1,)
    assert journal.path.stat().st_mode & 0o777 == 0o600


def test_a_journal_that_cannot_be_used_is_an_error(tmp_path: Path) -> None:
    """Broken, of a later version, or with a broken report: told, never passed over."""
    (tmp_path / "journal.sqlite").write_bytes(b"no database" * 500)
    with pytest.raises(JournalError, match="cannot be written"):
        SqliteJournal(tmp_path).append("key", AXIOS, "hold", b"", AT)
    journal = SqliteJournal(tmp_path / "other")
    journal.append("key", AXIOS, "hold", b"", AT)
    assert journal.find("key") == b""
    database = sqlite3.connect(journal.path)
    database.execute("INSERT INTO verdict SELECT NULL, 'bad', subject, '', '', '', '', at, x'00' FROM verdict")
    database.execute("PRAGMA user_version = 99")
    database.commit()
    database.close()
    with pytest.raises(JournalError, match="broken report"):
        journal.find("bad")
    with pytest.raises(JournalError, match="later version"):
        SqliteJournal(tmp_path / "other").find("key")


@pytest.mark.parametrize(
    ("purl", "parts"),
    [
        ("pkg:npm/axios@1.0.0", ("npm", "axios", "1.0.0")),
        ("pkg:npm/%40babel/core@7.0.0-rc.1%2Bb", ("npm", "@babel/core", "7.0.0-rc.1+b")),
        ("pkg:npm/@babel/core@7.0.0", ("npm", "@babel/core", "7.0.0")),
        ("pkg:npm/@babel/core", ("npm", "@babel/core", "")),
        ("pkg:pypi/requests@2.0?file_name=x.whl#sub", ("pypi", "requests", "2.0")),
    ],
)
def test_purls(purl: str, parts: tuple[str, str, str]) -> None:
    """Type, name and version of a package URL."""
    assert split_purl(Purl(purl)) == parts


def test_no_purl() -> None:
    """Another text is refused."""
    with pytest.raises(ValueError, match="not a package URL"):
        split_purl(Purl("axios@1"))


WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from lazaretto.infra.journal import SqliteJournal
journal = SqliteJournal(Path(sys.argv[1]))
for n in range(40):
    journal.append(f"{sys.argv[2]}-{n}", f"pkg:npm/x@{n}", "hold", b"r", datetime.now(UTC))
    assert journal.find(f"{sys.argv[2]}-{n}") == b"r"
"""


def test_several_processes_at_once(tmp_path: Path) -> None:
    """Processes that begin the same journal and write to it at the same time all succeed."""
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2] / "src")}
    command = [sys.executable, "-c", WRITER, str(tmp_path / "new")]
    writers = [subprocess.Popen([*command, str(n)], env=environment, stderr=subprocess.PIPE) for n in range(4)]

    assert [writer.communicate()[1].decode() for writer in writers] == [""] * 4
    assert len(SqliteJournal(tmp_path / "new").suspects("npm", ProjectName("x"))) == 40


def test_blobs(tmp_path: Path) -> None:
    """Bytes come back under their digest; a changed file is removed; an unknown one is absent."""
    blobs = BlobFolder(tmp_path / "blobs")
    digest = blobs.put(b"hello")
    assert blobs.put(b"hello") == digest
    assert blobs.get(digest) == b"hello"
    (stored,) = [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]
    assert stored.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "blobs").stat().st_mode & 0o777 == 0o700
    stored.write_bytes(b"hellx")

    assert blobs.get(digest) is None
    assert not stored.exists()
    assert blobs.put(b"hello") == digest
    stored.write_bytes(b"cut")
    assert blobs.put(b"hello") == digest
    assert blobs.get(digest) == b"hello"
    with pytest.raises(ValueError, match="not a SHA-256"):
        blobs.get(Digest("../../etc/passwd"))


def test_a_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the last step fails, no half file stays behind."""

    def fail(*_: object) -> Path:
        raise OSError(28, "no space")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="no space"):
        BlobFolder(tmp_path).put(b"hello")

    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
