"""What a release without a line does, by kind and place; and variants of detectors that the replays asked for."""

from types import ModuleType

import pytest
from msgspec.structs import replace

from lazaretto.core.facts import Fact, Flow, Kind, Moment, Reach
from lazaretto.core.manifest import Entry, EntryRole
from lazaretto.core.update import ArtifactView
from lazaretto.detectors import acts_at_first_contact, endless_loop_added, key_to_new_host, mail_copied
from tests.detectors.updates import fact, update, view

FILE = "lib/index.js"
HOOK = "https://discord.com.invalid/api/webhooks/1"
CALL = Moment.CALL


def called(*facts: Fact, path: str = FILE, flow: str | None = None) -> ArtifactView:
    """Return an artifact of one file that is imported; ``flow`` leads from the first fact to the second."""
    flows = {path: (Flow(0, 1, flow),)} if flow else {}
    return view({path: "new"}, {path: facts}, {path: Reach.IMPORT}, flows=flows)


def variants(detector: ModuleType, before: ArtifactView | None, after: ArtifactView) -> list[str]:
    """Return the variants that fire, in their order."""
    return [finding.variant for finding in detector.detect(update(before, after))]


NET = fact(Kind.NET_CONNECT, "https://files.invalid/x", moment=CALL)
PLACE = fact(Kind.NET_CONNECT, HOOK, moment=CALL)
SPAWN = fact(Kind.PROCESS_SPAWN, "/x/run", 2, moment=CALL)
EVAL = fact(Kind.CODE_EVAL, None, 2, moment=CALL)
DECODE = fact(Kind.DECODE, "id", moment=CALL)
WALLET = fact(Kind.WALLET_TOUCH, "solana", 2, moment=CALL)
SECRET = fact(Kind.SECRET_READ, "~/.npmrc", 2, moment=CALL)
LOGINS = fact(Kind.SECRET_READ, "~/x/Login Data", 2, moment=CALL)


WRITE = fact(Kind.FS_WRITE, "/x/run.exe", moment=CALL)
PROGRAM = fact(Kind.PROCESS_SPAWN, "start cmd.exe /c start /x/run.exe", 2, moment=CALL)
SCRIPT = fact(Kind.PROCESS_SPAWN, "node /x/run.js", 2, moment=CALL)
UNPACKED = fact(Kind.PROCESS_SPAWN, "wget -q https://files.invalid/x -O y && chmod +x y", moment=CALL)
STARTED = ["starts-program"]
LAYERED = fact(Kind.DECODE, "id", moment=CALL, via="base64>zlib>rot13>base64")


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (called(PLACE, SPAWN, flow="data"), ["starts-fetched", "payload-place"]),
        (called(NET, EVAL, flow="data"), ["executes-fetched"]),
        (called(NET, SPAWN, flow="data"), ["starts-download"]),
        (called(NET, SPAWN, flow="near"), []),
        (called(NET, SPAWN, flow="data", path="lib/tests/index.js"), []),
        (called(DECODE, EVAL, flow="data"), ["executes-decoded"]),
        (called(fact(Kind.DECODE, "id"), fact(Kind.CODE_EVAL, None, 2), flow="data"), []),
        (called(PLACE, WALLET), ["wallet-sent", "payload-place"]),
        (called(NET, WALLET), []),
        (called(NET, SECRET), ["secret-taken"]),
        (called(NET, LOGINS), ["browser-secrets"]),
        (called(NET, SECRET, path="test/index.js"), []),
        (called(fact(Kind.NET_CONNECT, f"{HOOK[:-1]}{{}}", moment=CALL)), ["messenger"]),
        (called(WRITE, PROGRAM, flow="data"), ["starts-program"]),
        (called(WRITE, SCRIPT, flow="data"), []),
        (called(WRITE, fact(Kind.PROCESS_SPAWN, "node /x/run.js", 2), flow="data"), ["load-starts", "starts-program"]),
        (called(WRITE, fact(Kind.PROCESS_SPAWN, "cmd.exe /c dir", 2, moment=CALL), flow="data"), []),
        (called(WRITE, fact(Kind.PROCESS_SPAWN, "git add x.py", 2), flow="data"), []),
        (called(WRITE, fact(Kind.PROCESS_SPAWN, "{} add x.py", 2), flow="data"), ["load-starts"]),
        (
            called(fact(Kind.CODE_EVAL, "x", via="base64"), fact(Kind.LITERAL_URL, "https://a.invalid", via="base64")),
            [],
        ),
        (called(UNPACKED), ["starts-program"]),
        (called(NET, fact(Kind.FS_WRITE, "/x/Startup/y", 2), fact(Kind.PERSIST, None, 2), flow="data"), STARTED),
        (called(NET, fact(Kind.FS_WRITE, "/x/Startup/y", 2), fact(Kind.PERSIST, None, 3), flow="data"), []),
        (called(NET, fact(Kind.FS_WRITE, "/x/Startup/y", 2), fact(Kind.PERSIST, None, 2), flow="near"), []),
        (called(fact(Kind.PROCESS_SPAWN, "chmod +x /x/run", moment=CALL)), []),
        (called(LAYERED, EVAL, flow="near"), ["executes-layers"]),
        (called(LAYERED, EVAL, flow="near", path="docs/index.js"), []),
        (called(fact(Kind.LITERAL_URL, "https://a.invalid", via="base64")), ["address-encoded"]),
        (called(fact(Kind.LITERAL_URL, "https://a.invalid", via="unescape")), ["address-encoded"]),
        (called(fact(Kind.LITERAL_URL, "https://a.invalid", via="base64>zlib")), ["address-encoded"]),
        (called(fact(Kind.LITERAL_URL, "https://a.invalid", moment=CALL, via="base64>zlib")), ["address-encoded"]),
        (called(fact(Kind.NET_CONNECT, "https://a.invalid", moment=CALL, via="xor")), ["address-encoded"]),
        (called(fact(Kind.NET_CONNECT, "drop.invalid", moment=CALL, via="reverse>base64")), ["address-encoded"]),
        (called(fact(Kind.NET_CONNECT, "{}", moment=CALL, via="reverse>base64")), []),
        (called(fact(Kind.PROCESS_SPAWN, "python3 -c 'import x'")), ["load-starts-code"]),
        (called(fact(Kind.PROCESS_SPAWN, "powershell.exe -WindowStyle hidden -Command x")), ["load-starts-code"]),
        (called(fact(Kind.PROCESS_SPAWN, "powershell -enc AAAA")), ["load-starts-code"]),
        (called(fact(Kind.PROCESS_SPAWN, "powershell -ExecutionPolicy Bypass -File x")), ["load-starts"]),
        (called(fact(Kind.PROCESS_SPAWN, "pythonw deps.pyw")), ["load-starts-code"]),
        (called(fact(Kind.PROCESS_SPAWN, "python3 -m pip install x")), ["load-starts-code"]),
        (called(fact(Kind.PROCESS_SPAWN, "python3 --version")), ["load-starts"]),
        (
            called(fact(Kind.NET_CONNECT, "https://files.invalid/x"), fact(Kind.PROCESS_SPAWN, "/x/run", 2)),
            ["load-both"],
        ),
        (called(fact(Kind.PROCESS_SPAWN, "git rev-parse HEAD")), []),
        (called(fact(Kind.PROCESS_SPAWN, "x --cflags")), []),
    ],
)
def test_a_release_without_a_line(after: ArtifactView, expected: list[str]) -> None:
    """What it does counts where it stands, but in tests; honest ways of building and asking do not."""
    assert variants(acts_at_first_contact, None, after) == expected
    assert variants(acts_at_first_contact, view({FILE: "old"}), after) == []


@pytest.mark.parametrize(
    ("written", "command", "expected"),
    [
        ("pad.exe", "start pad.exe", ["starts-program"]),
        ("/x/pad.exe", "cmd /c C:\\y\\pad.exe --quiet", ["starts-program"]),
        ("/x/pad.sh", "bash /x/pad.sh >/dev/null 2>&1", ["starts-download"]),
        ("/x/pad.bin", "chmod +x /x/pad.bin && /x/pad.bin", ["starts-download"]),
        ("pad.exe", "curl -o pad.exe https://files.invalid/x", []),
        ("pad.exe", "start other.exe", []),
        ("pad.zip", "unzip pad.zip", []),
        ("{}.exe", "start {}.exe", []),
        (None, "start pad.exe", []),
    ],
)
def test_what_is_fetched_is_started_by_its_name(written: str | None, command: str, expected: list[str]) -> None:
    """Two commands share nothing but the name of a file: what one has fetched, the other starts."""
    facts = (NET, fact(Kind.FS_WRITE, written, 2, moment=CALL), fact(Kind.PROCESS_SPAWN, command, 3, moment=CALL))

    assert variants(acts_at_first_contact, None, called(*facts, flow="data")) == expected
    assert variants(acts_at_first_contact, None, called(*facts, flow="near")) == []
    assert variants(acts_at_first_contact, None, called(*facts, flow="data", path="tools/get.sh")) == []
    assert variants(acts_at_first_contact, None, called(*facts, flow="data", path="all tests/get.js")) == []


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("{} -c /tmp/{}.c {}", []),
        ("'{}' --version 2>/dev/null", []),
        ("{} -c x.c", ["install-starts"]),
        ("{} -c /tmp/{}.c; run()", ["install-starts"]),
        ("cc-found -c /tmp/{}.c", ["install-starts"]),
    ],
)
def test_a_compiler_is_tried_on_a_file_that_is_thrown_away(command: str, expected: list[str]) -> None:
    """Which compiler is there is only known at run time, so what it is given has to tell."""
    after = view({FILE: "new"}, {FILE: (fact(Kind.PROCESS_SPAWN, command),)}, {FILE: Reach.INSTALL})

    assert variants(acts_at_first_contact, None, after) == expected


def test_a_tool_that_an_option_names_is_not_what_is_started() -> None:
    """A wrapper that is written for another tool to use starts nothing by itself."""
    wrapped = fact(Kind.FS_WRITE, "/x/cov.bat", moment=CALL)
    command = fact(Kind.PROCESS_SPAWN, "lcov --capture --gcov-tool /x/cov.bat", 2, moment=CALL)

    assert variants(acts_at_first_contact, None, called(wrapped, command, flow="data")) == []


@pytest.mark.parametrize(
    ("reach", "expected"), [(Reach.IMPORT, ["autorun"]), (Reach.CALL, ["load"]), (Reach.UNREACHED, [])]
)
def test_a_loop_without_end(reach: Reach, expected: list[str]) -> None:
    """It counts where something loads it: the package itself, or one of its modules."""
    after = view({FILE: "new"}, {FILE: (fact(Kind.LOOP_ENDLESS),)}, {FILE: reach})

    assert variants(endless_loop_added, view({FILE: "old"}), after) == expected
    assert variants(endless_loop_added, None, after) == []


def test_a_key_that_merely_stands_beside_a_connection() -> None:
    """Only what was followed all the way is sent."""
    given = fact(Kind.KEY_GIVEN, "privateKey", moment=CALL)

    assert variants(key_to_new_host, view({FILE: "old"}), called(given, NET, flow="near")) == []
    assert variants(key_to_new_host, view({FILE: "old"}), called(given, NET, flow="data")) == ["new-host"]


@pytest.mark.parametrize(
    ("text", "address", "reach", "path", "expected"),
    [
        ("send({bcc: 'desk@collect.invalid'})", "desk@collect.invalid", Reach.IMPORT, FILE, ["blind"]),
        ("send({ cc: 'desk@collect.invalid'})", "desk@collect.invalid", Reach.IMPORT, FILE, ["open"]),
        ("send({bcc: 'desk@example.com'})    ", "desk@example.com", Reach.IMPORT, FILE, []),
        ("send({bcc: 'desk@collect.invalid'})", "desk@collect.invalid", Reach.UNREACHED, FILE, []),
        ("send({bcc: 'desk@collect.invalid'})", "desk@collect.invalid", Reach.IMPORT, "README.md", []),
    ],
)
def test_a_copy_of_mail(text: str, address: str, reach: Reach, path: str, expected: list[str]) -> None:
    """A fixed address behind the word for a copy, where it runs and is no example."""
    placed = fact(Kind.LITERAL_EMAIL, address)
    after = view({path: text}, {path: (placed,)}, {path: reach})

    assert variants(mail_copied, view({FILE: "old"}), after) == expected


def test_a_copy_of_mail_in_no_file() -> None:
    """What a command of the manifest names stands in no file of the tree."""
    after = view(
        {FILE: "new"}, {"elsewhere": (fact(Kind.LITERAL_EMAIL, "desk@collect.invalid"),)}, {"elsewhere": Reach.IMPORT}
    )

    assert variants(mail_copied, view({FILE: "old"}), after) == []


@pytest.mark.parametrize(
    ("path", "reach", "moment", "expected"),
    [
        ("pad/more.js", Reach.CALL, Moment.LOAD, ["load-decodes"]),
        ("pad/more.js", Reach.CALL, CALL, ["executes-decoded"]),
        ("pad/more.js", Reach.UNREACHED, Moment.LOAD, ["executes-decoded"]),
        ("pad/more.ps1", Reach.CALL, Moment.LOAD, ["executes-decoded"]),
        ("pad/more.js", Reach.IMPORT, Moment.LOAD, []),
    ],
)
def test_decoded_text_that_a_module_executes(path: str, reach: Reach, moment: Moment, expected: list[str]) -> None:
    """When it is loaded by its own name, or when it is called; what runs by itself is asked elsewhere."""
    placed = fact(Kind.CODE_EVAL, "id", moment=moment, via="base64")
    after = view({path: "new"}, {path: (placed,)}, {path: reach})

    assert [one.variant for one in acts_at_first_contact.detect(update(None, after))] == expected


def test_a_command_that_is_typed_may_connect() -> None:
    """Its user asked for it; what also starts a program, or is a module besides, is told as ever."""
    net, spawn = fact(Kind.NET_CONNECT, "https://files.invalid/x"), fact(Kind.PROCESS_SPAWN, "/x/run", 2)

    def seen(path: str, *facts: Fact, role: EntryRole = EntryRole.COMMAND) -> list[str]:
        made = view({path: "new"}, {path: facts}, {path: Reach.CALL})
        manifest = replace(made.manifest, entries=(Entry(path, role),))
        return variants(acts_at_first_contact, None, replace(made, manifest=manifest))

    assert seen("bin.js", net) == []
    assert seen("bin.js", net, spawn) == ["load-both"]
    assert seen("bin.js", net, role=EntryRole.IMPORT) == ["load-connects"]
