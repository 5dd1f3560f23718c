"""The commands as people run them: what they print, what they refuse, how they end."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from lazaretto.app.respond.ports import IncidentError
from lazaretto.infra import incidents, intel_file
from lazaretto.infra.incidents import IncidentFiles
from lazaretto.surfaces.cli import hostcheck, respond
from tests.inventory.company import lockfile, tree, write
from tests.respond.company import incident
from tests.respond.conftest import Responder

INTEL: dict[str, Any] = {
    "campaigns": [
        {
            "id": "2026-03-axios",
            "name": "axios",
            "first_seen": "2026-03-30",
            "payload": "worm",
            "packages": ["pkg:npm/axios@1.14.1"],
        }
    ],
    "indicators": [
        {"kind": "file-path", "value": "/tmp/ld.py", "use": "block", "context": "the tool"},
        {"kind": "package", "value": "pkg:npm/axios@1.14.0", "use": "known_good"},
        {"kind": "file-path", "value": "/tmp/.<x>", "use": "hunt"},
        {
            "kind": "sha256",
            "value": "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
            "use": "do_not_block",
        },
    ],
}


@pytest.fixture
def intel(tmp_path: Path) -> str:
    """Return a file of what is known."""
    path = tmp_path / "intel.json"
    path.write_text(json.dumps(INTEL))
    return str(path)


@pytest.fixture
def hit(responder: Responder) -> Responder:
    """Return somebody of whom one project was hit."""
    write(responder.folder / "app" / "package-lock.json", lockfile())
    write(responder.folder / "app" / "package.json", '{"dependencies": {"axios": "^1.13.0"}}\n')
    tree(responder.folder / "app")
    responder("inventory", "add", str(responder.folder / "app"))
    return responder


def test_an_incident_from_beginning_to_end(hit: Responder, intel: str) -> None:
    """It opens, accumulates, shows what is done, and closes with what is not."""
    code, text = hit("respond", "open", "x", "--campaign", "axios", "--intel", intel)
    assert code == 1
    told = " ".join(text.split())
    for words in (
        "a tampered release was taken: axios (open)",
        "releases pkg:npm/axios@1.14.1",
        "Do not revoke anything yet",
        "app/node_modules",
        "asked for directly",
        "[ ] Stop every publication of yours (worm/freeze-publishing)",
        "Still unknown",
        "--verbose, or --format",
    ):
        assert words in told, words
    assert hit("respond", "open", "x", "--release", "axios@1.14.1")[0] == 3
    done = ("--done", "general/rebuild", "--note", "all is new", "--by", "me", "--no-look", "--intel", intel)
    code, text = hit("respond", "add", "x", *done, "--verbose")
    assert "[x] Build the machines on which it ran anew (general/rebuild)" in " ".join(text.split())
    assert "me, 20" in text
    assert "me: all is new" in text
    assert "$ lazaretto firewall review" not in text
    assert "lazaretto firewall block pkg:npm/axios@1.14.1 --reason 'incident x'" in text
    assert hit("respond", "show", "x", "--format", "patch")[1].count('+    "axios": "1.14.0"') == 0
    assert '"axios": "1.14.0"' in hit("respond", "show", "x", "--format", "patch")[1]
    code, text = hit("respond", "close", "x", "--reason", "over", "--intel", intel)
    assert code == 0
    assert "x is closed; " in text
    assert "open: general/stop-taking" in text
    assert "general/rebuild" not in text
    code, text = hit("respond", "list")
    assert (code, text.split()[:2]) == (0, ["x", "closed"])
    assert hit("respond", "close", "x", "--reason", "again")[0] == 2


def test_reports_are_written_where_it_is_said(hit: Responder, intel: str, tmp_path: Path) -> None:
    """Each format goes into a file as it is."""
    hit("respond", "open", "x", "--release", "axios@1.14.1", "--title", "ours")
    for name in respond.formats():
        out = tmp_path / f"out.{name}"
        assert hit("respond", "show", "x", "--format", name, "--output", str(out))[0] == 1
        assert out.read_text()
    assert "ours" in (tmp_path / "out.html").read_text()
    assert hit("respond", "show", "x", "-o", str(tmp_path / "none" / "x"))[0] == 2


def test_nobody_hit(responder: Responder) -> None:
    """Nobody as far as was looked, nothing to look at, and not all read have each an exit code."""
    assert responder("respond", "list")[0] == 4
    assert responder("respond", "open", "empty", "--release", "axios@1.14.1")[0] == 4
    write(responder.folder / "a" / "package-lock.json", lockfile(bad=False))
    responder("inventory", "add", str(responder.folder / "a"))
    code, text = responder("respond", "open", "none", "--release", "axios@1.14.1", "--format", "markdown")
    assert code == 0
    assert "Nobody, as far as was looked." in text
    write(responder.folder / "a" / "b" / "package-lock.json", "{")
    responder("inventory", "add", str(responder.folder / "a"))
    assert responder("respond", "add", "none", "--format", "html")[0] == 3


@pytest.mark.parametrize(
    "words",
    [
        ("open", "x"),
        ("open", "a/b", "--release", "axios@1.14.1"),
        ("open", "x", "--release", "axios"),
        ("open", "x", "--release", "axios@1.14.1", "--campaign", "none"),
        ("open", "x", "--release", "axios@1.14.1", "--payload", "kindness"),
        ("open", "x", "--release", "axios@1.14.1", "--payload", " "),
        ("open", "x", "--release", "axios@1.14.1", "--window", "yesterday"),
        ("open", "x", "--release", "axios@1.14.1", "--disk", "a"),
        ("open", "x", "--release", "axios@1.14.1", "--disk", "a=/nowhere"),
        ("open", "x", "--release", "axios@1.14.1", "--host-report", "none.json"),
        ("open", "x", "--release", "axios@1.14.1", "--done", "general/none"),
        ("open", "x", "--release", "axios@1.14.1", "--playbooks", "none"),
        ("show", "none"),
        ("add", "none", "--note", "x"),
    ],
)
def test_wrong_usage(responder: Responder, words: tuple[str, ...]) -> None:
    """What cannot be understood is said, nothing is written, and no exit code looks like an answer."""
    assert responder("respond", *words)[0] in {2, 3}
    assert responder("respond", "list")[0] == 4


def test_a_sweep_is_added(hit: Responder, intel: str, tmp_path: Path) -> None:
    """What was found on a disk stands in the report; a file that is none is refused."""
    disk = tmp_path / "disk"
    write(disk / "tmp" / "ld.py", "x")
    write(disk / "tmp" / "genuine", "x")
    code, text = hit("hostcheck", str(disk), "--intel", intel, "--format", "json")
    assert code == 1
    (tmp_path / "sweep.json").write_text(text)
    hit("respond", "open", "x", "--campaign", "axios", "--intel", intel, "--host-report", str(tmp_path / "sweep.json"))
    for name in ("markdown", "html"):
        shown = hit("respond", "show", "x", "--format", name, "--intel", intel)[1]
        assert "tmp/ld.py" in shown
        assert "known, not to be blocked" in shown
    (tmp_path / "sweep.json").write_text("{}")
    assert hit("respond", "add", "x", "--intel", intel, "--host-report", str(tmp_path / "sweep.json"))[0] == 2


def test_hostcheck_for_a_person(responder: Responder, intel: str, tmp_path: Path) -> None:
    """What was found, where, why it matters; what was not sought; and how it ends."""
    disk = tmp_path / "disk"
    (disk / "tmp").mkdir(parents=True)
    code, text = responder("hostcheck", str(disk), "--intel", intel, "--verbose")
    assert code == 0
    assert "Nothing found in" in text
    assert "would fit too much" in text
    write(disk / "tmp" / "ld.py", "y")
    code, text = responder("hostcheck", str(disk), "--intel", intel, "--campaign", "2026-03-axios")
    assert code == 1
    assert "1 thing that fits 2026-03-axios" in " ".join(text.split())
    assert "the tool" in text
    assert responder("hostcheck", str(disk), "--intel", intel, "--exit-zero")[0] == 0


@pytest.mark.parametrize("words", [("nowhere",), (".",), (".", "--campaign", "none"), (".", "--campaign", "a")])
def test_hostcheck_wrong_usage(responder: Responder, words: tuple[str, ...], tmp_path: Path) -> None:
    """A folder that is none, a campaign that is not known, or not the only one."""
    path = tmp_path / "two.json"
    two = [{**INTEL["campaigns"][0], "id": f"a-{number}"} for number in range(2)]
    path.write_text(json.dumps({"campaigns": two}))
    assert responder("hostcheck", *words, "--intel", str(path))[0] == 2


def test_hostcheck_exit_codes(responder: Responder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No indicators at all is 4; what could not be read is 3, and is listed up to a bound."""
    path = tmp_path / "none.json"
    path.write_text(json.dumps({**INTEL, "indicators": []}))
    (tmp_path / "disk").mkdir()
    assert responder("hostcheck", str(tmp_path / "disk"), "--intel", str(path))[0] == 4
    many = [{"kind": "registry-value", "value": "HKCU\\Software\\Evil", "use": "block"}]
    path.write_text(json.dumps({**INTEL, "indicators": many}))
    for number in range(12):
        write(tmp_path / "disk" / "Users" / f"u{number:02}" / "NTUSER.DAT", "x")
    code, text = responder("hostcheck", str(tmp_path / "disk"), "--intel", str(path))
    assert code == 3
    assert "and 2 more that were not looked at: --verbose" in text
    monkeypatch.setattr(hostcheck, "_SHOWN", 1)
    assert "and 11 more" in responder("hostcheck", str(tmp_path / "disk"), "--intel", str(path))[1]


def test_intelligence_is_read_strictly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another shape, or too much of it, is an error with its file; no file is no knowledge."""
    path = tmp_path / "x.json"
    for text in ("{", '{"more": 1}', '{"indicators": [{"kind": "spell"}]}'):
        path.write_text(text)
        with pytest.raises(IncidentError, match=r"x\.json"):
            intel_file.intel(path)
    with pytest.raises(IncidentError):
        intel_file.intel(tmp_path / "none")
    path.write_text(json.dumps(INTEL))
    assert len(intel_file.intel(path).of_campaign("2026-03-axios")) == 4
    assert intel_file.intel(path).of_campaign("another") == ()
    monkeypatch.setattr(intel_file, "MAX_INTEL", 1)
    with pytest.raises(IncidentError, match="larger than 1 bytes"):
        intel_file.intel(path)


def test_incidents_are_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written is read back; a later schema, a broken file, one that is too large is said."""
    files = IncidentFiles(tmp_path / "i")
    one = incident()
    files.write(one, new=True)
    assert files.read("axios") == one
    path = files.path("axios")
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(IncidentError, match="already"):
        files.write(one, new=True)
    other = IncidentFiles(tmp_path / "i")
    other.write(other.read("axios"), new=False)
    other.write(replace(other.read("axios"), title="theirs"), new=False)
    with pytest.raises(IncidentError, match="somebody else changed"):
        files.write(one, new=False)
    path.write_text(path.read_text().replace('"schema": "1"', '"schema": "9"'))
    with pytest.raises(IncidentError, match="schema '9'"):
        files.read("axios")
    path.write_text("{")
    with pytest.raises(IncidentError, match=r"axios\.json"):
        files.read("axios")
    monkeypatch.setattr(incidents, "MAX_INCIDENT", 0)
    with pytest.raises(IncidentError, match="larger than 0"):
        files.read("axios")
    with pytest.raises(IncidentError, match="known: axios"):
        files.read("other")
    (tmp_path / "file").write_text("")
    with pytest.raises(IncidentError, match="cannot be written"):
        IncidentFiles(tmp_path / "file").write(one, new=True)


def test_who_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody, where the system names nobody."""
    monkeypatch.setattr("getpass.getuser", lambda: (_ for _ in ()).throw(KeyError("nobody")))
    assert respond._user(None) == "somebody"
    assert respond._user("me") == "me"
    assert datetime.now(UTC).tzinfo is UTC
