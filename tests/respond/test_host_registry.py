"""The registry of a mounted disk: indicators are found in its hives, with the key, the value, the file and the time."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lazaretto.app.ports import EngineError
from lazaretto.core.host import HostReport, RegistryEntry
from lazaretto.core.intel import Confidence, Indicator, IndicatorKind, Use
from lazaretto.infra import host_registry
from lazaretto.infra.host import sweep
from lazaretto.outputs._ascii import document
from lazaretto.outputs._paper import Paper
from lazaretto.surfaces.cli.hostcheck import render
from tests import hives
from tests.hives import Value, hive, key, path

NOW = datetime(2026, 4, 1, tzinfo=UTC)
CHANGED = datetime(2026, 3, 31, 0, 30, tzinfo=UTC)
RUN = r"Software\Microsoft\Windows\CurrentVersion\Run"
EVIL = path(RUN, Value("MicrosoftUpdate", r"C:\ProgramData\system.bat --token=PLANTED"))


def one(value: str, use: Use = Use.BLOCK) -> Indicator:
    """Return one indicator."""
    return Indicator(IndicatorKind.REGISTRY_VALUE, value, use, Confidence.HIGH, context="persistence")


def look(root: Path, *indicators: Indicator | str, **more: Any) -> HostReport:
    """Sweep a disk."""
    wanted = [one(item) if isinstance(item, str) else item for item in indicators]
    return sweep(str(root), wanted, "c", NOW, "lazaretto", **more)


def entries(report: HostReport) -> set[tuple[str, str | None]]:
    """Return the keys and values that were found."""
    return {(found.registry.key, found.registry.value) for found in report.found if found.registry is not None}


def write(root: Path, files: dict[str, bytes]) -> None:
    """Write files of a disk."""
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)


def test_a_value_of_one_user(tmp_path: Path) -> None:
    """Which hive, which key, which value, since when; its data is told to nobody."""
    write(tmp_path, {"Users/a/NTUSER.DAT": hive(EVIL), "Users/b/ntuser.dat": hive(path(RUN, Value("OneDrive", "x")))})
    report = look(tmp_path, rf"HKCU\{RUN}\MicrosoftUpdate")
    (found,) = report.found
    assert found.where == f"{tmp_path}/Users/a/NTUSER.DAT"
    assert found.registry == RegistryEntry(rf"HKCU\{RUN}", "MicrosoftUpdate", CHANGED)
    assert found.what == rf"the value MicrosoftUpdate of HKCU\{RUN}, last written 2026-03-31T00:30:00Z"
    assert (found.use, found.confidence, found.context) == (Use.BLOCK, Confidence.HIGH, "persistence")
    assert (report.hives, report.unread) == (2, ())
    assert "PLANTED" not in repr(report)


def test_every_hive_has_its_place(tmp_path: Path) -> None:
    """The machine's, the system's, the users', their classes', those of the accounts of Windows itself."""
    write(
        tmp_path,
        {
            "WINDOWS/system32/CONFIG/software": hive(
                key("Evil"), key("Wow6432Node", key("Evil", Value("x", "1"))), key("Classes", key("evil"))
            ),
            "WINDOWS/system32/CONFIG/SYSTEM": hive(
                key("ControlSet002", key("Services", key("Evil"))), key("Select", Value("Current", 2))
            ),
            "WINDOWS/system32/CONFIG/DEFAULT": hive(key("Software", key("Evil"))),
            "WINDOWS/ServiceProfiles/LocalService/NTUSER.DAT": hive(key("Software", key("Evil"))),
            "Documents and Settings/b/NTUSER.DAT": hive(key("Software", key("Evil"))),
            "Users/a/AppData/Local/Microsoft/Windows/UsrClass.dat": hive(key("evil", Value("", "z"))),
        },
    )
    report = look(
        tmp_path,
        r"HKLM\SOFTWARE\Evil",
        r"HKLM\SYSTEM\CurrentControlSet\Services\Evil",
        r"HKCU\Software\Evil",
        r"HKCR\evil\(Default)",
        r"HKCR\evil",
    )
    assert entries(report) == {
        (r"HKLM\SOFTWARE\Evil", None),
        (r"HKLM\SOFTWARE\Wow6432Node\Evil", None),
        (r"HKLM\SOFTWARE\Classes\evil", None),
        (r"HKLM\SYSTEM\ControlSet002\Services\Evil", None),
        (r"HKU\.DEFAULT\Software\Evil", None),
        (r"HKU\S-1-5-19\Software\Evil", None),
        (r"HKCU\Software\Evil", None),
        (r"HKCU\Software\Classes\evil", None),
        (r"HKCU\Software\Classes\evil", ""),
    }
    assert (report.hives, report.unread) == (6, ())
    assert "the value (default) of" in repr(report.found)


def test_uses_are_honoured(tmp_path: Path) -> None:
    """What blocks and what is hunted is looked for; known good, wrong or mere reference finds nothing."""
    write(tmp_path, {"Users/a/NTUSER.DAT": hive(EVIL)})
    text = rf"HKCU\{RUN}\MicrosoftUpdate"
    found = {use: look(tmp_path, one(text, use)) for use in Use}
    assert {use for use, report in found.items() if report.found} == {Use.BLOCK, Use.HUNT}
    assert {use for use, report in found.items() if report.hives} == {Use.BLOCK, Use.HUNT}


def test_data_counts_where_it_is_named(tmp_path: Path) -> None:
    """A value of another name with the same data is found, and one of the same name with other data is not."""
    write(tmp_path, {"Users/a/NTUSER.DAT": hive(path(RUN, Value("Renamed", r"C:\ProgramData\system.bat")))})
    assert entries(look(tmp_path, rf"HKCU\{RUN}|%PROGRAMDATA%\system.bat")) == {(rf"HKCU\{RUN}", "Renamed")}
    assert look(tmp_path, rf"HKCU\{RUN}\Renamed|C:\other.bat").found == ()


def test_what_starts_a_program_stays_when_it_is_gone(tmp_path: Path) -> None:
    """A file of Windows is looked for where it would be started from, whatever that entry is called."""
    services = key("Services", key("Innocent", Value("ImagePath", r"C:\ProgramData\Evil\rat.exe -k")))
    write(
        tmp_path,
        {
            "Users/a/NTUSER.DAT": hive(path(RUN, Value("OneDrive", r'"C:\Users\a\AppData\Roaming\evil.js" /q'))),
            "Windows/System32/config/SYSTEM": hive(key("ControlSet001", services), key("Select", Value("Current", 1))),
        },
    )
    paths = (
        r"%APPDATA%\evil.js",
        r"%PROGRAMDATA%\Evil\rat.exe",
        "/Library/evil.js",
        r"Evil\evil.js",
        r"%TEMP%\<n>evil.js",
    )
    report = look(tmp_path, *(Indicator(IndicatorKind.FILE_PATH, value, Use.HUNT) for value in paths))
    assert {(found.value, found.kind, found.registry.value) for found in report.found if found.registry} == {
        (paths[0], IndicatorKind.FILE_PATH, "OneDrive"),
        (paths[1], IndicatorKind.FILE_PATH, "ImagePath"),
    }
    assert len(report.found) == 2


def test_changes_in_logs_are_seen(tmp_path: Path) -> None:
    """A hive that was not written to its end is read with its logs; without them that is a gap."""
    before, after = hive(path(RUN), numbers=(8, 7)), hive(EVIL, numbers=(8, 8))
    write(tmp_path, {"Users/a/NTUSER.DAT": before})
    report = look(tmp_path, rf"HKCU\{RUN}\MicrosoftUpdate")
    assert report.found == ()
    assert report.unread == (
        f"{tmp_path}/Users/a/NTUSER.DAT: it was not written to its end, and no log of it has the rest",
    )
    write(tmp_path, {"Users/a/ntuser.dat.LOG1": hives.log(before, [after], 7), "Users/a/ntuser.dat.LOG2": b""})
    report = look(tmp_path, rf"HKCU\{RUN}\MicrosoftUpdate")
    assert (len(report.found), report.unread) == (1, ())


def test_what_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too large, no file, no hive, too many, no reader: each is a gap."""
    text = rf"HKCU\{RUN}\MicrosoftUpdate"
    write(tmp_path, {f"Users/{name}/NTUSER.DAT": hive(EVIL) for name in "abc"})
    write(tmp_path, {"Users/d/NTUSER.DAT": b"no hive", "Users/e/NTUSER.DAT/x": b""})
    report = look(tmp_path, text)
    assert (len(report.found), report.hives) == (3, 3)
    assert sorted(line.rpartition(": ")[2] for line in report.unread) == [
        "is no ordinary file",
        "is too short to be a hive",
    ]
    monkeypatch.setattr(host_registry, "MAX_HIVES", 1)
    report = look(tmp_path, text)
    assert (len(report.found), "more than 1 hives" in report.unread[0]) == (1, True)
    monkeypatch.setattr(host_registry, "MAX_HIVE", 10)
    assert any("larger than 10 bytes" in line for line in look(tmp_path, text).unread)

    def none(*_: object) -> object:
        raise EngineError("no fork")

    monkeypatch.setattr("lazaretto.infra.hives.HiveReaders.__init__", none)
    report = look(tmp_path, text)
    assert (report.found, report.hives, "no registry was looked into: no fork" in report.unread[0]) == ((), 0, True)


def test_folders_that_cannot_be_listed_and_logs_that_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder with too many names is a gap; a log of a hive that needs none is not."""
    write(tmp_path, {"Users/a/NTUSER.DAT": hive(EVIL), "Users/a/NTUSER.DAT.LOG1": b"x" * 100})
    monkeypatch.setattr(host_registry, "MAX_LOG", 10)
    report = look(tmp_path, rf"HKCU\{RUN}\MicrosoftUpdate")
    assert (len(report.found), report.unread) == (1, ())
    monkeypatch.setattr("lazaretto.infra.sealed.MAX_LISTED", 0)
    assert any("names: not looked at" in line for line in look(tmp_path, rf"HKCU\{RUN}\MicrosoftUpdate").unread)


def test_what_is_not_sought_is_said(tmp_path: Path) -> None:
    """A key that every Windows has is no trace of anybody; hives are not even opened for it."""
    write(tmp_path, {"Users/a/NTUSER.DAT": hive(EVIL)})
    report = look(tmp_path, rf"HKCU\{RUN}")
    assert (report.found, report.hives) == ((), 0)
    assert report.not_sought == (rf"registry-value HKCU\{RUN}: names a key that every Windows has, and nothing in it",)


def test_progress_is_told(tmp_path: Path) -> None:
    """Which of how many hives is being read."""
    write(tmp_path, {"Users/a/NTUSER.DAT": hive(EVIL)})
    told: list[str] = []
    look(tmp_path, rf"HKCU\{RUN}\MicrosoftUpdate", progress=told.append)
    assert f"{tmp_path}/Users/a/NTUSER.DAT (1 of 1)" in told


def test_hostile_names_are_inert(tmp_path: Path) -> None:
    """Names of keys and values come from the disk: in no output do they act."""
    names: Sequence[str] = ("\x1b[2J", "\u202egnp", "::error::x", "</script>", "a\nb")
    keys = [key(f"Evil{name}", Value(f"Value{name}", "x")) for name in names]
    write(tmp_path, {"Windows/System32/config/SOFTWARE": hive(key("Corp", *keys))})
    report = look(tmp_path, r"HKLM\SOFTWARE\Corp\Evil*\Value*", r"HKLM\SOFTWARE\Corp\Evil*")
    assert len(report.found) == 2 * len(keys)
    text = render(report, Paper(200, colour=False), verbose=True)
    assert "\x1b" not in text
    assert "\u202e" not in text
    shown = json.loads(document(report))["found"]
    assert {item["registry"]["written"] for item in shown} == {"2026-03-31T00:30:00Z"}
    assert "1 registry hive looked at" in text
