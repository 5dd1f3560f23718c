"""Check five projects of different kinds as a user would for the first time: ``python -m evals.projects``.

The projects are those of ``manifests/``: each asks for well-known frameworks, and its own client (``make clients``)
fixes what that brings today; nothing is installed. Each is then checked with an empty journal and
an empty cache; artifacts alone are kept, in ``.cache/projects/artifacts``.

Printed is a row for each, then every release that is not allowed and what was not understood, with the reason.
A lockfile that is already in ``.cache/projects/KIND`` is kept: remove it to resolve anew.
"""

import argparse
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from evals.measure import Run, run
from evals.updates import explain
from lazaretto.infra.pipconf import load
from tests.clients.rig import program

ROOT = Path(__file__).parent.parent
WORK = ROOT / ".cache" / "projects"
MANIFESTS = Path(__file__).parent / "manifests"

LOCKS = {
    "npm": ("package-lock.json", ("npm", "install", "--package-lock-only", "--ignore-scripts", "--no-audit")),
    "pnpm": ("pnpm-lock.yaml", ("pnpm", "install", "--lockfile-only", "--ignore-scripts")),
    "yarn": ("yarn.lock", ("berry", "install", "--mode=update-lockfile")),
    "uv": ("uv.lock", ("uv", "lock", "--no-build")),
    "poetry": ("poetry.lock", ("poetry", "lock")),
}
MOST_INCOMPLETE = 0.005
"""Share of files that may be not understood."""


class Outcome(NamedTuple):
    """One project: what the process took, its report, and how many files were read."""

    kind: str
    run: Run
    report: dict[str, Any]
    files: int


def main() -> int:
    """Print the table and the reasons; return 0 if few enough files are not understood and nothing failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=sorted(LOCKS), help="one kind of project")
    parser.add_argument("--nice", type=int, default=0, help="how much to yield to other work")
    options = parser.parse_args()
    os.nice(options.nice)
    outcomes = []
    for kind in options.only or LOCKS:
        outcomes.append(check(kind, lock(kind)))
        print(row(outcomes[-1]), flush=True)
    print()
    for outcome in outcomes:
        reasons(outcome)
    return 0 if all(good(outcome) for outcome in outcomes) else 1


def lock(kind: str) -> Path:
    """Return the folder of a project whose lockfile its own client has made."""
    folder = WORK / kind
    folder.mkdir(parents=True, exist_ok=True)
    name, (client, *words) = LOCKS[kind]
    if not (folder / name).exists():
        shutil.copytree(MANIFESTS / kind, folder, dirs_exist_ok=True)
        if kind == "poetry":
            ask_as_pip(folder)
        environ = {**os.environ, "YARN_ENABLE_SCRIPTS": "0", "YARN_ENABLE_TELEMETRY": "0"}
        environ["POETRY_VIRTUALENVS_CREATE"] = "false"
        subprocess.run([*invocation(client), *words], cwd=folder, env=environ, check=True, stdout=subprocess.DEVNULL)
    return folder / name


def ask_as_pip(folder: Path) -> None:
    """Let Poetry ask the index that pip asks: the interface that it asks by itself is one that few mirrors have."""
    index = load(os.environ, folder).indexes[0].url.rstrip("/")
    source = f'\n[[tool.poetry.source]]\nname = "as-pip"\nurl = "{index}"\npriority = "primary"\n'
    with (folder / "pyproject.toml").open("a") as manifest:
        manifest.write(source)


def invocation(client: str) -> list[str]:
    """Return the words that start a client: pnpm's own program, since the script that would link it is not run."""
    path = program(client)
    return ["node", path] if path.endswith(".js") else [path]


def check(kind: str, lockfile: Path) -> Outcome:
    """Check a lockfile with fresh state."""
    state = WORK / f"state-{kind}"
    shutil.rmtree(state, ignore_errors=True)
    (state / "cache").mkdir(parents=True)
    artifacts = WORK / "artifacts"
    artifacts.mkdir(exist_ok=True)
    (state / "cache" / "artifacts").symlink_to(artifacts)
    environ = {**os.environ, "LAZARETTO_CACHE_DIR": str(state / "cache"), "LAZARETTO_STATE_DIR": str(state / "state")}
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    program = str(Path(sys.prefix) / "bin" / "lazaretto")
    report = state / "report.json"
    command = [program, "check", str(lockfile), "--format", "json", "--quiet"]
    taken = run(command, environ, report, alone=True)
    with sqlite3.connect(state / "cache" / "facts.sqlite") as database:
        (files,) = database.execute("SELECT count(*) FROM facts").fetchone()
    return Outcome(kind, taken, json.loads(report.read_text()), files)


def row(outcome: Outcome) -> str:
    """Return the figures of a project in one line."""
    updates = outcome.report["updates"]
    verdicts = Counter(update["verdict"] for update in updates)
    seconds, processor = outcome.run.wall, outcome.run.cpu
    return (
        f"{outcome.kind}: {len(updates)} releases: {verdicts['allow']} allowed, {verdicts['hold']} held, "
        f"{verdicts['block']} blocked; {outcome.files} files, {len(incompletes(outcome))} not understood; "
        f"{len(outcome.report.get('problems', []))} problems; {seconds:.0f} s, processor {processor:.0f} s, "
        f"largest process {outcome.run.peak:.0f} MiB"
    )


def incompletes(outcome: Outcome) -> list[str]:
    """Return what was not understood, with its release."""
    return [
        f"{update['purl']} {record['check']}: {problem}"
        for update in outcome.report["updates"]
        for record in update["records"]
        for problem in record.get("problems", [])
    ]


def reasons(outcome: Outcome) -> None:
    """Print why what is not allowed is not, and what was not understood elsewhere."""
    for problem in outcome.report.get("problems", []):
        print(f"{outcome.kind} problem {problem[:300]}")
    for update in outcome.report["updates"]:
        if update["verdict"] != "allow" or not update["complete"]:
            print(f"{outcome.kind} {update['verdict']} {update['charge']:g} dB {update['purl']}")
            explain(update, "    ")


def good(outcome: Outcome) -> bool:
    """Whether the share of what was not understood is small enough and nothing is blocked."""
    few = len(incompletes(outcome)) <= MOST_INCOMPLETE * outcome.files
    return few and outcome.report["verdict"] != "block"


if __name__ == "__main__":
    sys.exit(main())
