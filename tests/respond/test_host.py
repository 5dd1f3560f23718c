"""The sweep of a disk and of a running machine: what fits is found, what does not is not, and gaps are said."""

import os
import struct
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from lazaretto.core.host import HostReport
from lazaretto.core.intel import Confidence, Indicator, IndicatorKind, Use
from lazaretto.infra import host
from lazaretto.infra.host import sweep
from lazaretto.infra.host_running import peer_of

NOW = datetime(2026, 4, 1, tzinfo=UTC)
TOOL = b"stands for a tool; does nothing"
DIGEST = sha256(TOOL).hexdigest()


def one(kind: IndicatorKind, value: str, use: Use = Use.BLOCK) -> Indicator:
    """Return one indicator."""
    return Indicator(kind, value, use, Confidence.HIGH)


ALL = (
    one(IndicatorKind.FILE_PATH, "/tmp/ld.py"),
    one(IndicatorKind.FILE_PATH, "%PROGRAMDATA%\\system.bat"),
    one(IndicatorKind.FILE_PATH, "node_modules/plain-crypto-js/", Use.HUNT),
    one(IndicatorKind.REGISTRY_VALUE, "HKCU\\Run\\MicrosoftUpdate"),
    one(IndicatorKind.DOMAIN, "c2.invalid"),
    one(IndicatorKind.IPV4, "198.51.100.7"),
    one(IndicatorKind.SHA256, DIGEST),
)


def put(root: Path, name: str, data: bytes = b"x") -> None:
    """Write one file of a disk."""
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(data)


def look(root: Path, indicators: Sequence[Indicator] = ALL, **more: Any) -> HostReport:
    """Sweep a disk."""
    return sweep(str(root), indicators, "c", NOW, "lazaretto", **more)


def found(report: HostReport, root: Path) -> set[tuple[str, str]]:
    """Return where what was found."""
    return {(item.where.removeprefix(f"{root}/"), item.kind.value) for item in report.found}


def test_a_mounted_disk(tmp_path: Path) -> None:
    """Files at the paths of any system, folders anywhere, digests where droppers drop; near misses are none."""
    put(tmp_path, "tmp/ld.py", TOOL)
    put(tmp_path, "PROGRAMDATA/System.BAT")
    put(tmp_path, "srv/app/node_modules/plain-crypto-js/package.json")
    put(tmp_path, "var/tmp/renamed", TOOL)
    put(tmp_path, "opt/ld.py", TOOL)
    put(tmp_path, "srv/app/node_modules/crypto-js/package.json")
    put(tmp_path, "srv/plain-crypto-js/package.json")
    put(tmp_path, "srv/b/node_modules/plain-crypto-js")  # a file where a folder is meant
    report = look(tmp_path)
    assert found(report, tmp_path) == {
        ("tmp/ld.py", "file-path"),
        ("tmp/ld.py", "sha256"),
        ("PROGRAMDATA/System.BAT", "file-path"),
        ("srv/app/node_modules/plain-crypto-js", "file-path"),
        ("var/tmp/renamed", "sha256"),
    }
    assert report.files == 8
    assert "a mounted disk: there are no processes and no connections to look at" in report.notes
    assert "no registry hive lies here: registry values do not apply" in report.notes
    assert report.unread == ()


def test_a_disk_of_windows(tmp_path: Path) -> None:
    """It takes large and small letters for the same, wherever a path lies and however it is written."""
    put(tmp_path, "WINDOWS/system32/ntdll.dll")
    put(tmp_path, "programdata/Evil/RAT.exe", TOOL)
    put(tmp_path, "windows.old/NODE_MODULES/Plain-Crypto-JS/package.json")
    put(tmp_path, "users/A/appdata/local/TEMP/x", TOOL)
    wanted = (one(IndicatorKind.FILE_PATH, "C:\\PROGRAMDATA\\evil\\rat.EXE"), *ALL[2:])
    assert found(look(tmp_path, wanted), tmp_path) == {
        ("programdata/Evil/RAT.exe", "file-path"),
        ("programdata/Evil/RAT.exe", "sha256"),
        ("windows.old/NODE_MODULES/Plain-Crypto-JS", "file-path"),
        ("users/A/appdata/local/TEMP/x", "sha256"),
    }


def test_a_disk_of_macos(tmp_path: Path) -> None:
    """Its data lies on a volume of its own, which only its own system links into the root."""
    put(tmp_path, "System/Library/CoreServices/SystemVersion.plist")
    put(tmp_path, "System/Volumes/Data/Library/Caches/com.evil.mond", TOOL)
    put(tmp_path, "System/Volumes/Data/private/tmp/LD.py")
    wanted = (one(IndicatorKind.FILE_PATH, "/library/caches/com.evil.mond"), *ALL)
    assert found(look(tmp_path, wanted), tmp_path) == {
        ("System/Volumes/Data/Library/Caches/com.evil.mond", "file-path"),
        ("System/Volumes/Data/Library/Caches/com.evil.mond", "sha256"),
        ("System/Volumes/Data/private/tmp/LD.py", "file-path"),
    }


def test_a_disk_of_linux(tmp_path: Path) -> None:
    """It does not: another name is another file, but for a path that only Windows can have."""
    put(tmp_path, "tmp/LD.PY")
    put(tmp_path, "srv/x/SETUP.bat")
    put(tmp_path, "srv/y/evil/setup.BAT")
    wanted = (*ALL[:1], one(IndicatorKind.FILE_PATH, "setup.bat"), one(IndicatorKind.FILE_PATH, "Evil\\Setup.bat"))
    assert found(look(tmp_path, wanted), tmp_path) == {("srv/y/evil/setup.BAT", "file-path")}


def test_links_lead_nowhere_else(tmp_path: Path) -> None:
    """What lies outside the disk is not of it, however it is linked to; a loop has an end."""
    put(tmp_path, "outside/ld.py", TOOL)
    put(tmp_path, "outside/node_modules/plain-crypto-js/x")
    disk = tmp_path / "disk"
    disk.mkdir()
    (disk / "tmp").symlink_to(tmp_path / "outside")
    (disk / "loop").symlink_to("/")
    (disk / "up").symlink_to("../outside")
    assert look(disk).found == ()


def test_a_registry_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """What lies where a hive would, and is none, is a gap: no registry is no clean one."""
    put(tmp_path, "Users/a/NTUSER.DAT")
    assert look(tmp_path).unread == (f"{tmp_path}/Users/a/NTUSER.DAT: is too short to be a hive",)


def test_what_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders that may not be listed, files that are too large, more than is kept: each is said."""
    put(tmp_path, "tmp/large", b"12345")
    monkeypatch.setattr("lazaretto.infra.host_digests.MAX_FILE", 4)
    assert any("not hashed" in text for text in look(tmp_path).unread)
    monkeypatch.setattr(host, "MAX_HASHED", 0)
    put(tmp_path, "tmp/more")
    assert [text for text in look(tmp_path).unread if "to hash" in text] == [
        "more than 0 files to hash: the rest is not hashed"
    ]
    monkeypatch.setattr(host, "MAX_FOLDERS", 1)
    assert any("more than 1 folders" in text for text in look(tmp_path).unread)
    monkeypatch.setattr("lazaretto.infra.sealed.MAX_LISTED", 0)
    report = look(tmp_path)
    assert any("names: not looked at" in text for text in report.unread)
    monkeypatch.setattr(host, "MAX_UNREAD", 1)
    assert look(tmp_path).unread[-1].startswith("and ")


def test_progress_is_told(tmp_path: Path) -> None:
    """A long look says where it is."""
    for number in range(300):
        (tmp_path / f"d{number}").mkdir()
    told: list[str] = []
    sweep(str(tmp_path), ALL, "c", NOW, "x", told.append)
    assert told


def test_without_digests_nothing_is_hashed(tmp_path: Path) -> None:
    """Files are opened only where a digest is asked for."""
    put(tmp_path, "tmp/ld.py", TOOL)
    report = look(tmp_path, ALL[:1])
    assert found(report, tmp_path) == {("tmp/ld.py", "file-path")}


def process(proc: Path, number: int, *words: str, parent: int = 1, inode: str = "") -> None:
    """Write one process as proc(5) shows it."""
    folder = proc / str(number)
    (folder / "fd").mkdir(parents=True)
    (folder / "cmdline").write_bytes(b"\0".join(word.encode() for word in words) + b"\0")
    (folder / "stat").write_text(f"{number} (a) b) S {parent} 0")
    if inode:
        (folder / "fd" / "3").symlink_to(f"socket:[{inode}]")
        (folder / "fd" / "4").symlink_to("/dev/null")


def address(text: str, port: int) -> str:
    """Return an address as proc(5) writes it."""
    packed = bytes(map(int, text.split(".")))
    raw = packed[::-1] if sys.byteorder == "little" else packed
    return f"{raw.hex().upper()}:{port:04X}"


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """Return a ``/proc`` with one process that is controlled from elsewhere, and we ourselves."""
    proc = tmp_path / "proc"
    process(proc, 71, "python3", "/tmp/ld.py", "--password=PLANTED", inode="99")
    process(proc, 72, "vi", "notes")
    process(proc, os.getpid(), "lazaretto", "hostcheck", "c2.invalid", parent=80)
    process(proc, 80, "sh", "-c", "grep c2.invalid")
    (proc / "90").mkdir()
    (proc / "net").mkdir()
    line = " 0: 0100007F:0016 {} 01 0:0 0:0 0 0 0 {} 1"
    rows = [line.format(address("198.51.100.7", 8000), "99"), line.format(address("192.0.2.1", 80), "5"), "broken"]
    rows.append(line.format("ZZ:1", "1"))
    rows.append(line.format("00:1", "1"))
    rows.append(line.format(address("198.51.100.7", 8000), "98"))
    (proc / "net" / "tcp").write_text("\n".join(["head", *rows]) + "\n")
    return proc


def test_what_runs_here(proc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process by its words, a connection by its peer and whose it is; not we ourselves, and no password."""
    monkeypatch.setattr(host._Disk, "look", lambda _: None)
    report = look(Path("/"), proc=str(proc))
    told = {(item.where, item.what) for item in report.found}
    assert told == {
        ("process 71", "python3 with /tmp/ld.py in its words"),
        ("tcp connection to 198.51.100.7 port 8000", "of process 71"),
        ("tcp connection to 198.51.100.7 port 8000", "of a process that is not told"),
    }
    assert "PLANTED" not in repr(report)
    assert report.processes == 4
    assert report.connections == 5


def test_programs_that_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process by the file that it runs, whatever it calls itself; one whose file is gone by its digest."""
    monkeypatch.setattr(host._Disk, "look", lambda _: None)
    proc = tmp_path / "proc"
    gone = tmp_path / "renamed (deleted)"
    gone.write_bytes(TOOL)
    large = tmp_path / "large (deleted)"
    large.write_bytes(TOOL * 2)
    runs = {61: "/tmp/ld.py", 62: str(gone), 63: str(tmp_path / "ended (deleted)"), 64: str(large), 65: "/usr/bin/vi"}
    for number, target in runs.items():
        process(proc, number, "innocent")
        (proc / str(number) / "exe").symlink_to(target)
    process(proc, 66, "a thread of the kernel")
    monkeypatch.setattr("lazaretto.infra.host_digests.MAX_FILE", len(TOOL))
    report = look(Path("/"), proc=str(proc))
    assert {(item.where, item.kind.value, item.what) for item in report.found} == {
        ("process 61", "file-path", "runs /tmp/ld.py"),
        (f"process 62 runs {tmp_path}/renamed, whose file is gone", "sha256", "a file with this digest"),
    }
    assert [text for text in report.unread if "not hashed" in text] == [
        f"process 64 runs {tmp_path}/large, whose file is gone: larger than {len(TOOL)} bytes: not hashed"
    ]
    assert look(Path("/"), ALL[1:2], proc=str(proc)).found == ()


def test_processes_of_others_are_told(proc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose sockets are whose may be hidden: the connection is told all the same, and the gap too."""
    monkeypatch.setattr(host._Disk, "look", lambda _: None)
    real = os.listdir

    def listdir(path: Path) -> list[str]:
        if Path(path).name == "fd":
            raise PermissionError(13, "no")
        return real(path)

    monkeypatch.setattr(os, "listdir", listdir)
    report = look(Path("/"), proc=str(proc))
    assert any("belong to others" in text for text in report.unread)
    assert any(item.what == "of a process that is not told" for item in report.found)


def test_a_system_without_proc_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no ``/proc``, no processes were looked at, and that is no silence."""
    monkeypatch.setattr(host._Disk, "look", lambda _: None)
    report = look(Path("/"), proc=str(tmp_path / "none"))
    assert any("no processes were looked at" in text for text in report.unread)
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "tcp").write_bytes(b"head\n\xff")
    assert any("net/tcp" in text for text in look(Path("/"), proc=str(tmp_path)).unread)


def test_peers() -> None:
    """Both families, in the order of this machine; anything else is none."""
    assert peer_of(address("198.51.100.7", 443)) == ("198.51.100.7", 443)
    words = struct.unpack(">4I", bytes.fromhex("20010db8000000000000000000000001"))
    text = struct.pack("=4I", *words).hex()
    assert peer_of(f"{text}:0050") == ("2001:db8::1", 80)
    assert peer_of("nonsense") is None
    assert peer_of("00:1") is None
