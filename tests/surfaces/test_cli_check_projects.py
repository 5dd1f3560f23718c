"""``lazaretto check`` of whole projects: several lockfiles, manifests without one, what is staged."""

import json
from pathlib import Path

import pytest

from tests.surfaces.site import Machine, Site
from tests.surfaces.test_cli_check import git, line_of, project


def put(folder: Path, path: str, text: str) -> None:
    """Write a file of a project, and the folders above it."""
    place = folder / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text, encoding="utf-8")


def test_every_folder_of_a_monorepo_is_looked_at_if_asked(machine: Machine) -> None:
    """Each lockfile has its own lines and its own tally; what was installed decides nothing."""
    site = machine.site
    pad, left = site.publish("pad", "1.0.0"), site.publish("left", "1.0.0")
    folder = project(machine, site.lockfile({"pad": ("1.0.0", pad)}))
    put(folder, "services/web/pnpm-lock.yaml", pnpm("left", "1.0.0", left))
    put(folder, "services/api/yarn.lock", f'# yarn lockfile v1\n\npad@^1:\n  version "1.0.0"\n  integrity {pad}\n')
    put(folder, "services/web/node_modules/other/package-lock.json", "broken")
    put(folder, ".hidden/package-lock.json", "broken")

    assert [one["name"] for one in machine.run("check", str(folder), "--format", "json").report["updates"]] == ["pad"]
    ran = machine.run("check", str(folder), "--recursive", "--format", "json")
    assert ran.code == 0
    assert {(place["purl"], place["path"], place["line"]) for place in ran.report["places"]} == {
        ("pkg:npm/pad@1.0.0", "package-lock.json", line_of(folder, '"node_modules/pad"')),
        ("pkg:npm/pad@1.0.0", "services/api/yarn.lock", 3),
        ("pkg:npm/left@1.0.0", "services/web/pnpm-lock.yaml", 4),
    }
    for name in ("package-lock.json", "services/api/yarn.lock", "services/web/pnpm-lock.yaml"):
        assert f"{name}: 1 entries, 0 problems" in ran.err


def pnpm(name: str, version: str, integrity: str) -> str:
    """Return a lockfile of pnpm with one package."""
    return f"lockfileVersion: '9.0'\n\npackages:\n  {name}@{version}:\n    resolution: {{integrity: {integrity}}}\n"


def test_a_manifest_without_a_lockfile_is_checked_as_it_would_resolve_now(machine: Machine) -> None:
    """The range, then the range of what it resolves to; what nothing satisfies and what is elsewhere is told."""
    site = machine.site
    site.publish("pad", "1.0.0", age=90)
    site.publish("pad", "1.1.0", {"package.json": Site.manifest("pad", "1.1.0", dependencies={"deep": "^2.0.0"})})
    site.publish("pad", "2.0.0", age=60)
    site.publish("deep", "2.3.0")
    ranges = {"pad": "^1.0.0", "gone": "1", "pad2": "npm:pad@>=9", "tool": "github:team/tool"}
    text = json.dumps({"dependencies": ranges}, indent=1)
    folder = project(machine, text, "package.json")
    ran = machine.run("check", str(folder), "--format", "json")

    assert ran.code == 3
    assert ("pad", "1.1.0") in {(one["name"], one["version"]) for one in ran.report["updates"]}
    assert ("pkg:npm/pad@1.1.0", "package.json", 3) in {
        (one["purl"], one["path"], one["line"]) for one in ran.report["places"]
    }
    problems = "\n".join(ran.report["problems"])
    assert "package.json:4: " in problems
    assert "package.json:5: pad: nothing satisfies '>=9'" in problems
    assert "package.json:6: tool: taken from a repository (github:team/tool)" in problems
    assert "as it would be resolved now" in ran.err


def test_a_lockfile_goes_before_the_manifest(machine: Machine) -> None:
    """Beside it and above it: what is locked is what gets installed."""
    good = machine.site.publish("pad", "1.0.0")
    folder = project(machine, machine.site.lockfile({"pad": ("1.0.0", good)}))
    put(folder, "package.json", '{"dependencies": {"gone": "*"}}')
    put(folder, "packages/member/package.json", '{"dependencies": {"gone": "*"}}')

    assert machine.run("check", str(folder), "--recursive").code == 0


def test_staged_is_what_the_next_commit_would_change(machine: Machine) -> None:
    """The index against the last commit, whatever lies in the folder meanwhile."""
    site = machine.site
    pins = {"pad": ("1.0.0", site.publish("pad", "1.0.0", age=90))}
    folder = project(machine, site.lockfile(pins))
    git(folder, "init", "-q")
    git(folder, "add", ".")
    ran = machine.run("check", str(folder), "--staged", "--format", "json")
    assert [one["name"] for one in ran.report["updates"]] == ["pad"], "before the first commit all of it is new"
    git(folder, "commit", "-q", "-m", "first")
    assert machine.run("check", str(folder), "--staged").code == 4

    project(machine, site.lockfile({**pins, "left": ("1.0.0", site.publish("left", "1.0.0"))}))
    assert machine.run("check", str(folder), "--staged").code == 4, "changed, but not staged"
    git(folder, "add", ".")
    project(machine, "broken")
    ran = machine.run("check", str(folder), "--staged", "--format", "json")
    assert (ran.code, [one["name"] for one in ran.report["updates"]]) == (0, ["left"])
    ran = machine.run("check", str(folder / "package-lock.json"), "--staged", "--format", "json")
    assert (ran.code, [one["name"] for one in ran.report["updates"]]) == (0, ["left"])
    assert machine.run("check", str(folder / "yarn.lock"), "--staged").code == 3
    with pytest.raises(SystemExit) as ended:
        machine.run("check", str(folder), "--staged", "--since", "HEAD")
    assert ended.value.code == 2


def test_a_binary_lockfile_is_told(machine: Machine) -> None:
    """It is not read, and the run says how to get one that is."""
    folder = machine.folder / "binary"
    folder.mkdir()
    (folder / "bun.lockb").write_bytes(b"#!/usr/bin/env bun\nbun-lockfile-format-v0\n\0\xff\xfe")
    ran = machine.run("check", str(folder), "--format", "json")

    assert ran.code == 3
    assert "--save-text-lockfile" in ran.report["problems"][0]


def test_a_link_out_of_the_project_is_told(machine: Machine) -> None:
    """Whatever protocol a client gives it."""
    text = '# yarn lockfile v1\n\n"in@link:./in":\n  version "0.0.0"\n\n"out@link:../out":\n  version "0.0.0"\n'
    ran = machine.run("check", str(project(machine, text, "yarn.lock")), "--format", "json")

    (problem,) = ran.report["problems"]
    assert problem.startswith("yarn.lock:6: out ")
