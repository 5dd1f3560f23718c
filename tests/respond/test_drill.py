"""The drill, small: everybody who took it is named and nobody else, and the report is one that a person can read."""

import json
import re
import subprocess
from pathlib import Path

import jsonschema
import pytest

from evals.drill.company import HOSTILE, make
from evals.drill.play import Outcome, Score, play
from lazaretto.bootstrap import DATA
from tests.respond.conftest import Responder

PARTS = (
    "What to do",
    "Who took it",
    "Credentials within reach",
    "Timeline",
    "Repairs",
    "What to block",
    "Still unknown",
)


@pytest.mark.slow
def test_the_drill(responder: Responder, tmp_path: Path) -> None:
    """Recall and precision are 1, no planted value is printed or written, and hostile names are inert everywhere."""
    company, report = tmp_path / "company", tmp_path / "report"
    sheet = make(company, 13, 8)
    outcome = play(responder, company, report, sheet)
    assert outcome.perfect, outcome.table()
    assert outcome.planted > 20

    markdown = (report / "incident.md").read_text()
    for part in PARTS:
        assert part in markdown
    page = (report / "incident.html").read_text()
    assert "\x1b" not in markdown + page + responder.printed
    assert "<script" not in page
    assert HOSTILE not in markdown + page
    assert "default-src 'none'" in page
    assert "<strong>npm token</strong>: <code>NPM_TOKEN</code>" in page
    assert markdown.index("Remove what stayed") < markdown.index("### Replace credentials")
    shown = responder.json("respond", "show", "drill", "--intel", str(company / "intel.json"))
    jsonschema.validate(shown, json.loads((DATA / "response.schema.json").read_bytes()))
    (file,) = (tmp_path / "own" / "lazaretto_state_dir" / "incidents").iterdir()
    assert file.stat().st_mode & 0o77 == 0
    assert not [value for value in sheet.planted if value in file.read_text()]
    jsonschema.validate(json.loads(file.read_bytes()), json.loads((DATA / "incident.schema.json").read_bytes()))
    schema = json.loads((DATA / "hostcheck.schema.json").read_bytes())
    for sweep in report.glob("sweep-*.json"):
        jsonschema.validate(json.loads(sweep.read_bytes()), schema)

    done = responder("respond", "close", "drill", "--reason", "it was a drill", "--intel", str(company / "intel.json"))
    assert done[0] == 0
    assert "steps were not marked done" in done[1]
    assert responder("respond", "add", "drill", "--note", "more")[0] == 2
    assert "closed" in responder("respond", "list")[1]


@pytest.mark.slow
def test_the_patch_applies(responder: Responder, tmp_path: Path) -> None:
    """What is given as a patch is one: git applies it to the company's own files, and only manifests change."""
    company = tmp_path / "company"
    make(company, 11, 0)
    kept = [path for path in (company / "repos").iterdir() if path.name.startswith("repo-")]
    for path in kept:
        assert responder("inventory", "add", "--quiet", "--name", path.name, str(path))[0] in {0, 3}
    disks = [word for path in kept for word in ("--disk", f"{path.name}={path}")]
    words = ("--campaign", "axios", "--intel", str(company / "intel.json"), *disks)
    assert responder("respond", "open", "x", *words, "--format", "patch", "-o", str(tmp_path / "x.patch"))[0] == 1
    patch = tmp_path / "x.patch"
    files = re.findall(r"(?m)^\+\+\+ b/(.*)$", patch.read_text())
    assert len(files) >= 4
    assert {Path(name).name for name in files} <= {"package.json", "pnpm-workspace.yaml"}
    subprocess.run(["git", "apply", "--check", str(patch)], cwd=company / "repos", check=True, capture_output=True)
    done = subprocess.run(["patch", "-p1", "-i", str(patch)], cwd=company / "repos", check=False, capture_output=True)
    assert done.returncode == 0, done.stdout


def test_the_score_tells_what_went_wrong() -> None:
    """A drill that could not fail would show nothing: what is missed, wrongly named or let out is told."""
    one = Score("who", 4, ["a"], ["x", "y"], 0.1)
    assert (one.recall, one.precision) == (0.75, 0.6)
    assert (Score("none", 0, [], [], 0.0).recall, Score("none", 0, [], [], 0.0).precision) == (1.0, 1.0)
    for outcome in (Outcome([one], [], 3), Outcome([], ["PLANTED"], 3)):
        assert not outcome.perfect
    table = Outcome([one], ["PLANTED"], 3).table()
    for words in ("missed: a", "wrong: y", "1 of 3 planted values got out"):
        assert words in table
    assert Outcome([Score("who", 1, [], [], 0.0)], [], 3).perfect
