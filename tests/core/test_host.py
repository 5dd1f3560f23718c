"""What of an indicator is looked for: only what may be, where it would lie, and nothing that would fit everything."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto.core.host import HOMES, Sought, address_fits, digest_fits, lies_at, sought
from lazaretto.core.intel import Confidence, Indicator, IndicatorKind, Use

NOW = datetime(2026, 4, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def looks_for(kind: IndicatorKind, value: str, use: Use = Use.BLOCK) -> Sought:
    """Return what is looked for because of one indicator."""
    return sought([Indicator(kind, value, use, Confidence.HIGH)], NOW)


LOCAL = "AppData/Local"
PROFILES = ("Users/*", "Windows/System32/config/systemprofile", "Windows/ServiceProfiles/*")


@pytest.mark.parametrize(
    ("value", "paths"),
    [
        ("/tmp/ld.py", {"tmp/ld.py", "private/tmp/ld.py"}),
        ("/etc/evil.conf", {"etc/evil.conf", "private/etc/evil.conf"}),
        ("/Library/Caches/com.apple.act.mond", {"Library/Caches/com.apple.act.mond"}),
        ("%PROGRAMDATA%\\wt.exe", {"ProgramData/wt.exe"}),
        ("%ALLUSERSPROFILE%\\wt.exe", {"ProgramData/wt.exe"}),
        ("%TEMP%\\6202033.vbs", {*(f"{one}/{LOCAL}/Temp/6202033.vbs" for one in PROFILES), "Windows/Temp/6202033.vbs"}),
        ("%LOCALAPPDATA%/Evil/", {f"{one}/{LOCAL}/Evil" for one in PROFILES}),
        ("$env:APPDATA\\evil.js", {f"{one}/AppData/Roaming/evil.js" for one in PROFILES}),
        ("${env:USERPROFILE}\\evil.js", {f"{one}/evil.js" for one in PROFILES}),
        ("%HOMEDRIVE%%HOMEPATH%\\evil.js", {f"{one}/evil.js" for one in PROFILES}),
        ("%SystemDrive%\\Users\\Public\\evil.js", {"Users/Public/evil.js"}),
        ("%ProgramFiles(x86)%\\Evil\\evil.js", {"Program Files (x86)/Evil/evil.js"}),
        ("C:\\Windows\\x.dll", {"Windows/x.dll"}),
        ("\\\\?\\c:\\WINDOWS\\x.dll", {"WINDOWS/x.dll"}),
        ("\\Windows\\x.dll", {"Windows/x.dll"}),
        ("Evil\\x.dll", {"Evil/x.dll"}),
        ("~evil/x.dll", {"~evil/x.dll"}),
        ("~/.config/evil", {f"{home}/.config/evil" for home in HOMES}),
        ("${HOME}/.config/evil", {f"{home}/.config/evil" for home in HOMES}),
        ("$XDG_CONFIG_HOME/evil", {f"{home}/.config/evil" for home in HOMES}),
        ("/opt/<random>/tool-<n>.sh", {"opt/*/tool-*.sh"}),
        ("node_modules/plain-crypto-js/", {"node_modules/plain-crypto-js"}),
        ("/tmp/.<random>", set()),
        ("/tmp/*", set()),
        ("C:", set()),
        ("../../etc/passwd", set()),
        ("%UNKNOWN%\\abc.exe", set()),
        ("$OTHER/abc.exe", set()),
        ("/", set()),
    ],
)
def test_where_a_path_lies(value: str, paths: set[str]) -> None:
    """Variables are those of any system whose disk may be mounted; what would fit too much is told, not sought."""
    found = looks_for(IndicatorKind.FILE_PATH, value)
    assert {"/".join(one.parts) for one in found.paths} == paths
    assert bool(found.not_sought) is not bool(paths)
    assert all(one.deep is value.startswith(("node_modules", "Evil", "~evil")) for one in found.paths)
    assert all(one.folder is value.endswith("/") for one in found.paths)


@pytest.mark.parametrize(
    ("value", "fold"),
    [
        ("C:\\PROGRAMDATA\\x.exe", True),
        ("c:/programdata/x.exe", True),
        ("%programdata%/x.exe", True),
        ("\\Windows\\x.dll", True),
        ("Evil\\x.dll", True),
        ("/Library/x.dylib", True),
        ("/Users/Shared/x.sh", True),
        ("/opt/x.sh", False),
        ("~/x.sh", False),
        ("evil/x.sh", False),
    ],
)
def test_whose_letters_are_the_same(value: str, *, fold: bool) -> None:
    """Windows and macOS take large and small letters of a path for the same, whatever way it is written."""
    (first, *_) = looks_for(IndicatorKind.FILE_PATH, value).paths
    assert first.fold is fold


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("/tmp/.<random>", "would fit too much"),
        ("%UNKNOWN%\\abc.exe", "what %UNKNOWN% stands for is not known"),
        ("$OTHER/abc.exe", "what $OTHER stands for is not known"),
        ("$env:UNHEARD\\abc.exe", "what $env:UNHEARD stands for is not known"),
        ("%TEMP%\\<random>", "would fit too much"),
        ("$env:TEMP\\<random>", "would fit too much"),
        ("~/*", "would fit too much"),
    ],
)
def test_why_a_path_is_not_looked_for(value: str, reason: str) -> None:
    """A variable that nobody knows here is another thing than a name that would fit everything."""
    assert looks_for(IndicatorKind.FILE_PATH, value).not_sought == (f"file-path {value}: {reason}",)


@pytest.mark.parametrize("use", [Use.KNOWN_GOOD, Use.DO_NOT_USE, Use.REFERENCE])
@pytest.mark.parametrize("kind", IndicatorKind)
def test_what_is_not_for_looking_is_never_looked_for(use: Use, kind: IndicatorKind) -> None:
    """A known-good release, a copied error and a mere reference find nothing."""
    value = {IndicatorKind.SHA256: "a" * 64, IndicatorKind.IPV4: "198.51.100.7"}.get(kind, "/tmp/abcdef")
    assert looks_for(kind, value, use) == Sought((), {}, (), (), (), ())


def test_do_not_block_is_told_by_its_digest_alone() -> None:
    """A genuine program is recognised where it lies, and its name makes nobody a suspect."""
    found = looks_for(IndicatorKind.SHA256, "A" * 64, Use.DO_NOT_BLOCK)
    told = digest_fits("/x", "a" * 64, found.digests)
    assert told is not None
    assert told.known
    assert "not to be blocked" in told.what
    assert digest_fits("/x", "b" * 64, found.digests) is None
    bad = digest_fits("/x", "a" * 64, looks_for(IndicatorKind.SHA256, "a" * 64).digests)
    assert bad is not None
    assert not bad.known
    assert not looks_for(IndicatorKind.FILE_PATH, "/usr/bin/pwsh", Use.DO_NOT_BLOCK).paths


def test_a_digest_with_a_digit_missing_is_told() -> None:
    """A widely copied sha1 of 39 digits would never fit: that is said."""
    found = looks_for(IndicatorKind.SHA1, "a" * 39)
    assert not found.digests
    assert "has not the length of one" in found.not_sought[0]


def test_what_is_no_longer_valid_is_told() -> None:
    """An address that changed hands accuses nobody."""
    for start, end in ((None, NOW - DAY), (NOW + DAY, None)):
        one = Indicator(IndicatorKind.DOMAIN, "c2.invalid", Use.BLOCK, valid_from=start, valid_until=end)
        found = sought([one], NOW)
        assert not found.words
        assert "not valid at this time" in found.not_sought[0]


@pytest.mark.parametrize(
    ("kind", "value", "address", "port", "fits"),
    [
        (IndicatorKind.IPV4, "198.51.100.7", "198.51.100.7", 80, True),
        (IndicatorKind.IPV4, "198.51.100.7:443", "198.51.100.7", 443, True),
        (IndicatorKind.IPV4, "198.51.100.7:443", "198.51.100.7", 80, False),
        (IndicatorKind.IPV4, "198.51.100.7", "::ffff:198.51.100.7", 80, True),
        (IndicatorKind.IPV6, "2001:db8::1", "2001:db8::1", 1, True),
        (IndicatorKind.CIDR, "198.51.100.0/24", "198.51.100.200", 1, True),
        (IndicatorKind.CIDR, "198.51.100.0/24", "192.0.2.1", 1, False),
        (IndicatorKind.CIDR, "198.51.100.0/24", "2001:db8::1", 1, False),
        (IndicatorKind.URL, "http://198.51.100.7:8000/6202033", "198.51.100.7", 8000, True),
        (IndicatorKind.URL, "http://c2.invalid:8000/6202033", "198.51.100.7", 8000, False),
        (IndicatorKind.PORT, "8000", "198.51.100.7", 8000, False),
        (IndicatorKind.IPV4, "198.51.100.7", "nonsense", 80, False),
    ],
)
def test_connections(kind: IndicatorKind, value: str, address: str, port: int, fits: bool) -> None:
    """A peer fits by its address and, where one is named, its port; a port alone fits nobody."""
    assert bool(list(address_fits(address, port, looks_for(kind, value)))) is fits


@pytest.mark.parametrize(
    ("kind", "value", "command", "fits"),
    [
        (IndicatorKind.DOMAIN, "c2.invalid", "curl http://c2.invalid:8000/x", True),
        (IndicatorKind.DOMAIN, "c2.invalid", "curl http://a.c2.invalid/", True),
        (IndicatorKind.DOMAIN, "c2.invalid", "curl http://notc2.invalid/", False),
        (IndicatorKind.DOMAIN, "c2.invalid", "curl http://c2.invalids/", False),
        (IndicatorKind.FILE_PATH, "/tmp/ld.py", "python3 /tmp/ld.py http://x", True),
        (IndicatorKind.FILE_PATH, "/tmp/ld.py", "python3 /tmp/ld.pyc", False),
        (IndicatorKind.FILE_PATH, "%TEMP%\\a.vbs", "cscript a.vbs", False),
        (IndicatorKind.FILE_PATH, "node_modules/abc", "node node_modules/abc", False),
        (IndicatorKind.PROCESS, "evil --daemon", "/usr/bin/evil --daemon -x", True),
        (IndicatorKind.PROCESS, "node -> curl -> python3", "node", False),
        (IndicatorKind.PROCESS, "sh", "sh", False),
        (IndicatorKind.STRING, "short", "a short text", False),
        (IndicatorKind.USER_AGENT, "mozilla/4.0 old", "curl -A mozilla/4.0 old", False),
    ],
)
def test_words_of_processes(kind: IndicatorKind, value: str, command: str, fits: bool) -> None:
    """A command fits by whole names; short words and descriptions fit nothing."""
    assert any(pattern.search(command) for pattern, _ in looks_for(kind, value).words) is fits


@given(kind=st.sampled_from(list(IndicatorKind)), value=st.text(max_size=40), use=st.sampled_from(list(Use)))
def test_any_indicator(kind: IndicatorKind, value: str, use: Use) -> None:
    """Whatever an indicator says, it is looked for or not, and breaks nothing."""
    found = looks_for(kind, value, use)
    assert all(".." not in one.parts for one in found.paths)


@pytest.mark.parametrize(
    ("value", "path", "lies"),
    [
        ("/tmp/ld.py", "/tmp/ld.py", True),
        ("/tmp/ld.py", "/private/tmp/LD.py", True),
        ("/tmp/ld.py", "/TMP/ld.py", False),
        ("/tmp/ld.py", "/srv/tmp/ld.py", False),
        ("/tmp/ld.py", "/tmp/ld.py/x", False),
        ("/opt/<name>/run", "/opt/evil/run", True),
        ("node_modules/evil/", "/srv/a/node_modules/evil/bin/run", True),
        ("node_modules/evil/", "/srv/a/node_modules/evil", False),
        ("node_modules/evil/", "/node_modules", False),
        ("evil.sh", "/srv/evil.sh", True),
        ("Evil\\rat.exe", "/mnt/c/evil/RAT.exe", True),
    ],
)
def test_whether_a_program_lies_there(value: str, path: str, *, lies: bool) -> None:
    """At the path itself, or in a folder that is meant; a name that only resembles it is another."""
    assert any(lies_at(pattern, path) for pattern in looks_for(IndicatorKind.FILE_PATH, value).paths) is lies
