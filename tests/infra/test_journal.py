"""The journal: append-only, byte for byte, several processes at once."""

import os
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from lazaretto.app.ports import BlobError, JournalError
from lazaretto.core.model import Provided
from lazaretto.core.names import ProjectName, Purl
from lazaretto.infra.blobs import BlobFolder
from lazaretto.infra.clock import SystemClock
from lazaretto.infra.journal import SqliteJournal, split_purl

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
AXIOS = Purl("pkg:npm/axios@1.14.1")


@pytest.fixture
def journal(tmp_path: Path) -> SqliteJournal:
    """An empty journal."""
    return SqliteJournal(tmp_path / "state")


def test_asking_makes_no_file(journal: SqliteJournal) -> None:
    """A journal that nobody has written to is not made by asking it."""
    assert journal.find("key") is None
    assert journal.suspects("npm", ProjectName("axios")) == frozenset()
    assert not journal.path.exists()


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


def test_a_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the last step fails, no half file stays behind."""

    def fail(*_: object) -> Path:
        raise OSError(28, "no space")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(BlobError, match="no space"):
        BlobFolder(tmp_path).put(b"hello")

    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_folder_that_fails_is_an_error_of_its_port(tmp_path: Path) -> None:
    """Whatever the system says: whoever asked can answer it, and nothing is taken for absent."""
    blobs = BlobFolder(tmp_path)
    digest = blobs.put(b"hello")
    (stored,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    stored.unlink()
    stored.mkdir()
    with pytest.raises(BlobError, match="cannot be read"):
        blobs.get(digest)
    with pytest.raises(BlobError, match="cannot be written"):
        blobs.put(b"hello")
    os.utime(stored, (0, 0))  # what was used just now is never trimmed
    with pytest.raises(BlobError, match="cannot be trimmed"):
        blobs.trim(-1)


def test_drafts_are_swept_away(tmp_path: Path) -> None:
    """What was being written when its process was killed is no blob, and blobs stay; also where nothing is yet."""
    blobs = BlobFolder(tmp_path / "blobs")
    blobs.sweep()
    digest = blobs.put(b"hello")
    (tmp_path / "blobs" / "drafts" / "half").write_bytes(b"hel")
    blobs.sweep()

    assert list((tmp_path / "blobs" / "drafts").iterdir()) == []
    assert blobs.get(digest) == b"hello"


def test_a_folder_says_whether_it_has_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Less than a megabyte is none."""
    blobs = BlobFolder(tmp_path / "blobs")
    blobs.probe()
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_bavail=255, f_frsize=4096))
    with pytest.raises(BlobError, match="less than a megabyte"):
        blobs.probe()


def test_blobs_are_the_users_alone(tmp_path: Path) -> None:
    """Nobody else may read the files or list the folder; one that was changed is removed."""
    blobs = BlobFolder(tmp_path / "blobs")
    digest = blobs.put(b"hello")
    (stored,) = [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]
    assert stored.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "blobs").stat().st_mode & 0o777 == 0o700
    stored.write_bytes(b"hellx")

    assert blobs.get(digest) is None
    assert not stored.exists()


def test_the_clock_is_utc() -> None:
    """The system's clock gives an instant with its zone."""
    assert SystemClock().now().tzinfo is UTC
