"""Lines of logs as clients and servers write them, and lines as nobody honest does."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto.app.inventory.formats import Formats
from lazaretto.app.inventory.ports import Claim, Folder, Readers, Stat
from lazaretto.core.inventory import Entry, Place, Sign, Unread
from lazaretto.infra.disk import LocalDisk
from lazaretto.places import _server_lines, _urls, build_log, proxy_log

READERS = Readers(Formats({}), datetime(2026, 4, 1, tzinfo=UTC))


class Memory(LocalDisk):
    """A disk of one log."""

    def __init__(self, *lines: str | bytes) -> None:
        self._lines = [line if isinstance(line, bytes) else line.encode() for line in lines]

    def lines(self, path: str, longest: int) -> Iterator[bytes]:
        """Yield the lines, cut."""
        del path
        yield from (line[:longest] + b"\n" for line in self._lines)

    def stat(self, path: str) -> Stat | None:
        """Return anything."""
        del path
        return Stat(1, READERS.now)


def read(kind: object, *lines: str | bytes) -> list[Entry]:
    """Return the entries of a log."""
    claim = Claim(Place("x", "x"), "x")
    found = list(kind.read(claim, Memory(*lines), READERS))  # type: ignore[attr-defined]
    return [one for one in found if isinstance(one, Entry)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("npm http fetch GET 200 https://r.invalid/axios/-/axios-1.14.1.tgz 12ms (cache miss)", "axios 1.14.1"),
        ("12 http cache https://r.invalid/@s%2fb/-/b-2.0.0-rc.1.tgz 3ms (cache hit)", "@s/b 2.0.0-rc.1"),
        ("2026-03-31T00:25:13.1Z \x1b[1mnpm\x1b[22m http fetch GET 200 https://r.invalid/a/-/a-1.0.0.tgz", "a 1.0.0"),
        ('verbose 4.2 Performing "GET" request to "https://r.invalid/a/-/a-1.0.0.tgz".'.rstrip("."), "a 1.0.0"),
        ("➤ YN0013: │ axios@npm:1.14.1 can't be found in the cache and will be fetched", "axios 1.14.1"),
        ("➤ YN0085: │ + @s/b@npm:1.0.0", "@s/b 1.0.0"),
        ("  Downloading https://r.invalid/packages/aa/litellm-1.82.7-py3-none-any.whl (9 kB)", "litellm 1.82.7"),
        ("  Using cached Some_Thing-1.0-cp311-cp311-manylinux_2_17_x86_64.whl", "Some_Thing 1.0"),
        ("  Downloading thing-1.0.tar.gz (4 kB)", "thing 1.0"),
        ("Successfully installed a-b-1.0 c-2.0rc1", "a-b 1.0, c 2.0rc1"),
        ("> esbuild@0.25.0 postinstall", "esbuild 0.25.0 ran"),
        ("7 info run @s/b@1.0.0 postinstall node_modules/@s/b node x", "@s/b 1.0.0 ran"),
        ("npm error 404 GET 404 https://r.invalid/axios/-/axios-1.14.1.tgz", "axios 1.14.1 refused"),
        (" + requests==2.32.4", "requests 2.32.4"),
        ("2026-03-31T00:25:13.1Z  ~ charset-normalizer==3.5.3", "charset-normalizer 3.5.3"),
        (" - requests==2.32.3", ""),
        (" + mine==1.0 (from file:///srv/mine)", ""),
        ("+ requests>=2", ""),
        ("DEBUG No cache entry for: https://r.invalid/packages/58/idna-3.20-py3-none-any.whl", ""),
        ("DEBUG Sending fresh GET request for: https://r.invalid/packages/58/idna-3.20-py3-none-any.whl", "idna 3.20"),
        (".../esbuild@0.21.5/node_modules/esbuild postinstall$ node install.js", "esbuild 0.21.5 ran"),
        ("node_modules/.pnpm/@s+b@1.0.0_p@2.0.0/node_modules/@s/b: Running postinstall script...", "@s/b 1.0.0 ran"),
        (".../node_modules/esbuild postinstall$ node install.js", ""),
        (".../esbuild@0.21.5/node_modules/esbuild postinstall: Done", ""),
        ("  ╰─▶ Ignored build scripts: esbuild@0.21.5, x@file:../x.tgz, b@1.0.0.", "esbuild 0.21.5 off, b 1.0.0 off"),
        ("Successfully installed a-1.0 b", "a 1.0"),
        ("+ express 4.19.2", ""),
        ("Downloading litellm-1.82.7-py3-none-any.whl.metadata (4 kB)", ""),
        ("see https://r.invalid/axios/-/axios-1.14.1.tgz", ""),
        ("we talked about axios@1.14.1 today", ""),
        ("➤ YN0085: │ - axios@npm:1.14.1", ""),
    ],
)  # fmt: skip
def test_build_logs(line: str, expected: str) -> None:
    """What a line of a client tells: fetched, installed, started, refused; what is only mentioned is not told."""
    words = {Sign.SCRIPT | Sign.SCRIPT_RAN: " ran", Sign.REFUSED: " refused", Sign.NONE: ""}
    words[Sign.SCRIPT | Sign.SCRIPTS_OFF] = " off"
    found = read(build_log, line)
    assert ", ".join(f"{one.name} {one.version}{words[one.signs]}" for one in found) == expected


PNPM = """Lockfile is up to date, resolution step is skipped
Packages: +9 -8
+++++++++--------
Progress: resolved 9, reused 63, downloaded 9, added 9, done

dependencies:
- express 4.19.2
+ express 4.21.0
+ ax <- axios 1.14.1 (1.14.2 is available)
+ mine <- ../mine

devDependencies:
+ @s/b 2.0.0-rc.1 deprecated

Done in 660ms using pnpm v12.4.2
+ echo 1.2.3
dependencies:
+ echo one
+ echo 1.2.3"""


@pytest.mark.parametrize("before", ["", "2026-03-31T00:25:13.1234567Z "])
def test_a_summary_of_pnpm(before: str) -> None:
    """What stands below a heading was added, under its own name; what a shell repeats of its commands is no release."""
    found = read(build_log, *(before + line for line in PNPM.splitlines()))
    assert [f"{one.name} {one.version}" for one in found] == ["express 4.21.0", "axios 1.14.1", "@s/b 2.0.0-rc.1"]
    assert all(one.line in {8, 9, 13} for one in found)


def test_pnpm_writes_json() -> None:
    """Everything that was fetched or found in the store, and each script that was started, when it was."""
    lines = [
        '{"time":1774916713000,"name":"pnpm:progress","status":"resolved","packageId":"ms@2.1.3"}',
        '{"time":1774916714000,"name":"pnpm:progress","status":"fetched","packageId":"ms@2.1.3"}',
        '{"time":1774916715000,"name":"pnpm:progress","status":"found_in_store","packageId":"@s/b@1.0.0(p@2.0.0)"}',
        '{"time":1774916715000,"name":"pnpm:progress","status":"fetched","packageId":"file:../mine-1.2.3.tgz"}',
        '{"time":1774916716000,"name":"pnpm:lifecycle","depPath":"esbuild@0.21.5","script":"x","stage":"postinstall"}',
        '{"time":1774916716000,"name":"pnpm:lifecycle","depPath":"esbuild@0.21.5","line":"x","stage":"postinstall"}',
        '{"time":9e99,"name":"pnpm:progress","status":"fetched","packageId":"a@1.0.0"}',
        '{"time":"x","name":"pnpm:progress","status":"fetched","packageId":"a@1.0.0"}',
        '{"name":"pnpm:progress","status":"fetched","packageId":"a@1.0.0"}',
    ]
    found = read(build_log, *lines)
    told = [(f"{one.name} {one.version}", one.first and one.first.second, bool(one.signs)) for one in found]
    assert told == [
        ("ms 2.1.3", 14, False),
        ("@s/b 1.0.0", 15, False),
        ("esbuild 0.21.5", 16, True),
        ("a 1.0.0", 16, False),
    ]


def test_times_of_a_build_log() -> None:
    """A line has its own time, or that of the line before."""
    first, second = read(build_log, "2026-03-31T02:25:13+02:00 Downloading a-1.0.tar.gz", "Downloading b-1.0.tar.gz")
    assert first.first == second.first == datetime(2026, 3, 31, 0, 25, 13, tzinfo=UTC)
    assert read(build_log, "2026-99-31T02:25:13Z Downloading a-1.0.tar.gz")[0].first is None


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('192.0.2.7 - - [31/Mar/2026:00:25:12 +0200] "GET /npm/@s%2fb/-/b-1.0.0.tgz?x HTTP/1.1" 200 9 "-" "npm"',
         "@s/b 1.0.0 at 2026-03-30T22:25:12+00:00 by 192.0.2.7"),
        ('192.0.2.7 - ann [31/Mar/2026:00:25:12 +0000] "GET /a/-/a-1.0.0.tgz HTTP/1.1" 304 0',
         "a 1.0.0 at 2026-03-31T00:25:12+00:00 by ann at 192.0.2.7"),
        ("info  --- 2026-03-31T00:25:12.000Z http <-- 200, user: null(192.0.2.9), req: 'GET /a/-/a-1.0.0.tgz', bytes",
         "a 1.0.0 at 2026-03-31T00:25:12+00:00 by 192.0.2.9"),
        ("http <-- 200, user: ann(192.0.2.9 via 192.0.2.1), req: 'GET /a/-/a-1.0.0.tgz', bytes: 0/9",
         "a 1.0.0 at None by ann at 192.0.2.9"),
        (('{"level":35,"time":1774916712000,"remoteIP":"192.0.2.9","user":"ann","status":200,'
         '"request":{"method":"GET","url":"/a/-/a-1.0.0.tgz"}}'),
         "a 1.0.0 at 2026-03-31T00:25:12+00:00 by ann at 192.0.2.9"),
        ('192.0.2.7 - - [31/Xxx/2026:00:25:12 +0000] "GET /a/-/a-1.0.0.tgz HTTP/1.1" 200 0',
         "a 1.0.0 at None by 192.0.2.7"),
        (('192.0.2.7 - ann [31/Mar/2026:00:25:12 +0000] "GET /repository/npm-proxy/a/-/a-1.0.0.tgz HTTP/1.1"'
         ' 200 - 566123 57 "npm/11.0.0" [qtp123-45]'),
         "a 1.0.0 at 2026-03-31T00:25:12+00:00 by ann at 192.0.2.7"),
        ("2026-03-31T00:25:12.000Z|4f1c|192.0.2.7|ann|GET|/api/npm/npm-remote/a/-/a-1.0.0.tgz|200|-1|566123|57|npm/11",
         "a 1.0.0 at 2026-03-31T00:25:12+00:00 by ann at 192.0.2.7"),
        ("2026-03-31T00:25:12.000+0000|4f1c|192.0.2.7|anonymous|GET|/api/pypi/p/packages/a-1.0.tar.gz|200|-1|9|5|pip",
         "a 1.0 at 2026-03-31T00:25:12+00:00 by 192.0.2.7"),
        ('192.0.2.7 - - [31/Mar/2026:00:25:12 +0000] "GET /a HTTP/1.1" 200 0', None),
    ],
)  # fmt: skip
def test_server_logs(line: str, expected: str | None) -> None:
    """nginx, Apache, Verdaccio, Nexus and Artifactory: what was handed out, when, to whom."""
    found = read(proxy_log, line)
    told = [
        f"{one.name} {one.version} at {one.first and one.first.isoformat()} by "
        + one.note.removeprefix("asked for by ").rpartition(",")[0]
        for one in found
    ]
    assert told == ([expected] if expected else [])
    assert _server_lines.recognised("x", Memory("warming up", line))


def test_a_refusal_is_no_download() -> None:
    """What a server did not hand out is told as asked for."""
    line = '192.0.2.7 - - [31/Mar/2026:00:25:12 +0000] "GET /a/-/a-1.0.0.tgz HTTP/1.1" 403 0'
    assert read(proxy_log, line)[0].signs is Sign.REFUSED


def test_lines_of_an_unknown_format_are_told() -> None:
    """A log that names archives in a way that is not known has not been read."""
    found = list(proxy_log.read(Claim(Place("x", "x"), "x"), Memory("a b", "?? /a/-/a-1.0.0.tgz ??"), READERS))
    assert found == [Unread(2, "1 lines name an archive and are of no known format")]


def test_each_log_is_of_one_kind() -> None:
    """A server's log is no build's, whatever its name."""
    line = '192.0.2.7 - - [31/Mar/2026:00:25:12 +0000] "GET /a HTTP/1.1" 200 0'
    folder = Folder("x", "x", (), ("registry.log",))
    for content, kinds in ((line, [proxy_log]), ("hello", [build_log])):
        claimed = [kind for kind in (build_log, proxy_log) if list(kind.claim(folder, Memory(content), READERS))]
        assert claimed == kinds
    named = Folder("x", "x", (), ("console.out",), named=True)
    assert list(build_log.claim(named, Memory("hello"), READERS))


@given(text=st.text())
def test_any_line_is_read_or_passed_over(text: str) -> None:
    """No text raises, and what is found of it is a release."""
    for kind in (build_log, proxy_log):
        for one in read(kind, text):
            assert one.name
            assert one.version
    named = _urls.archive(text)
    assert named is None or all(named)


@pytest.mark.parametrize(
    "piece", ["GET ", "a", "@a/", "> a@1.0.0 ", "1.0.0-", "200, user: ", "/-/", " [31/", '"', "%2f"]
)
def test_no_line_takes_long(piece: str) -> None:
    """A line made to be slow costs no more than its length."""
    line = (piece * 20_000)[:16_384]
    start = time.process_time()
    for text in (line, f"GET {line}.tgz", f"Downloading {line}.whl", f"{line} req: 'GET"):
        read(build_log, text)
        read(proxy_log, text)
    assert time.process_time() - start < 1.0
