"""Measure the inventory on lockfiles made from real ones: ``python -m evals.exposure [--projects N] [--commits N]``.

Real lockfiles are asked of npm as it is configured (``--package-lock-only``: nothing is installed). From their entries
projects of a thousand pins each are drawn, with versions of their own; some of them take axios 1.14.1, through what it
brings or directly, and a few only mention it in ``overrides``. Who took it is written down apart and compared with the
answer. ``exposed`` is measured beside ``grep`` over the same files, and a repository is made with ``git fast-import``.
"""

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evals.measure import Run, middle, run

HERE = Path(__file__).parent
CACHE = HERE.parent / ".cache" / "exposure"
SETS = {
    "next": ("next@14", "@storybook/react@8", "axios@1.13.2"),
    "jest": ("webpack-dev-server@5", "eslint@9", "jest@29", "axios@1.13.2"),
    "cli": ("@angular/cli@18", "typescript@5", "express@4", "axios@1.13.2"),
    "build": ("gulp@5", "mocha@10", "nyc@15", "@babel/preset-env@7", "axios@1.13.2"),
}
PINS = 1000
BAD = {
    "node_modules/axios": {
        "version": "1.14.1",
        "dependencies": {"follow-redirects": "^1.15.0", "plain-crypto-js": "^4.2.1"},
    },
    "node_modules/plain-crypto-js": {"version": "4.2.1", "hasInstallScript": True},
}
TARGET = "axios@1.14.1"


def main() -> int:
    """Make what is measured, measure it, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--projects", type=int, default=10_000)
    parser.add_argument("--commits", type=int, default=10_000)
    parser.add_argument("--every", type=int, default=3, help="every n-th commit changes the lockfile (default: 3)")
    parser.add_argument("--peers", type=int, default=20, help="projects about which npm is asked too (default: 20)")
    parser.add_argument("--folder", type=Path, default=CACHE, help="where it is made: 4 GB for 10,000 projects")
    options = parser.parse_args()
    pool = entries(options.folder / "real")
    print(f"{len(pool):,} entries of {len(SETS)} real lockfiles")
    ok = projects(options.folder, pool, options.projects, options.peers)
    return 0 if history(options.folder, pool, options.commits, options.every) and ok else 1


def entries(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the entries of the real lockfiles by their paths; asked for once, then kept."""
    found: dict[str, dict[str, Any]] = {}
    for name, wanted in SETS.items():
        lockfile = folder / name / "package-lock.json"
        if not lockfile.is_file():
            lockfile.parent.mkdir(parents=True, exist_ok=True)
            (lockfile.parent / "package.json").write_text('{"name": "measured", "version": "1.0.0"}')
            flags = ["--package-lock-only", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
            npm = shutil.which("npm") or "npm"
            subprocess.run([npm, "install", *flags, *wanted], cwd=lockfile.parent, check=True)
        for path, entry in json.loads(lockfile.read_text())["packages"].items():
            if path:
                found.setdefault(path, entry)
    return found


def lockfile_of(pool: dict[str, dict[str, Any]], chance: random.Random, *, bad: str) -> dict[str, Any]:
    """Return a lockfile of ``PINS`` pins. ``bad``: "" for none, "direct", "deep", or "mentioned"."""
    paths = chance.sample(sorted(pool), min(PINS, len(pool)))
    chosen = set(paths)
    packages: dict[str, Any] = {}
    for path in sorted(paths):
        owner = path.rpartition("/node_modules/")[0]
        if path.endswith(("node_modules/axios", "/plain-crypto-js")) or (owner and owner not in chosen):
            continue
        entry = dict(pool[path])
        if chance.random() < 0.3:
            entry["version"] = re.sub(r"\.\d+$", lambda _: f".{chance.randrange(40)}", entry["version"])
        packages[path] = entry
    top = [path for path in packages if path.count("node_modules/") == 1]
    asked = {path.removeprefix("node_modules/"): "*" for path in chance.sample(top, min(60, len(top)))}
    root: dict[str, Any] = {"name": "measured", "version": "1.0.0", "dependencies": asked}
    if bad in {"direct", "deep"}:
        packages |= BAD
        owner = chance.choice([path for path in top if path.removeprefix("node_modules/") in asked])
        if bad == "direct":
            asked["axios"] = "^1.13.0"
        else:
            packages[owner] = {**packages[owner], "dependencies": {"axios": "^1.13.0"}}
    elif bad == "mentioned":
        root["overrides"] = {"axios": "1.14.1"}
    return {"name": "measured", "version": "1.0.0", "lockfileVersion": 3, "packages": {"": root, **packages}}


def projects(folder: Path, pool: dict[str, dict[str, Any]], count: int, peers: int) -> bool:
    """Make the projects, add them, ask, and compare with what is written down apart, with ``grep`` and with npm."""
    made = folder / f"projects-{count}"
    sheet = make_projects(made, pool, count)
    size = sum(path.stat().st_size for path in made.rglob("package-lock.json"))
    shutil.rmtree(folder / "state", ignore_errors=True)
    environ = dict(os.environ, LAZARETTO_STATE_DIR=str(folder / "state"), LAZARETTO_CACHE_DIR=str(folder / "cache"))
    lazaretto, log = str(Path(sys.prefix) / "bin" / "lazaretto"), folder / "log"
    added = run([lazaretto, "inventory", "add", "--quiet", str(made)], environ, log)
    again = run([lazaretto, "inventory", "add", "--quiet", str(made)], environ, log)
    asked = middle([run([lazaretto, "exposed", TARGET, "--quiet"], environ, log) for _ in range(5)])
    answer = folder / "answer.json"
    run([lazaretto, "exposed", TARGET, "--quiet", "--format", "json"], environ, answer)
    found = {Path(one["place"]["path"]).parent.name for one in json.loads(answer.read_text())["exposures"]}
    pattern = ["grep", "-rnA1", "--include=package-lock.json", '/axios": {', str(made)]
    searched = middle([run([shutil.which("grep") or "grep", *pattern[1:]], environ, log) for _ in range(3)])
    rescanned, same = rescan(made, environ, log, peers, found)
    graph = [lazaretto, "graph", "chokepoints", "--by", "project", "-n", "1", "--format", "json", "--quiet"]
    choke = run(graph, environ, answer)
    most_held = json.loads(answer.read_text())["points"][0]["through"][0]
    graph = [lazaretto, "graph", "dependents", "--of", "inventory", "--format", "json", "--quiet"]
    needing = {one: middle([run([*graph, one], environ, answer) for _ in range(5)]) for one in (TARGET, most_held)}
    held = json.loads(answer.read_text())
    database = sum(path.stat().st_size for path in (folder / "state").glob("inventory.sqlite*"))
    print(f"\n{count:,} projects, {size / 1e9:.2f} GB of lockfiles; inventory {database / 1e6:.0f} MB")
    row("inventory add", added, f"{count / added.cpu * 60:,.0f} lockfiles a minute of processor")
    row("inventory add, again", again, "nothing changed")
    row(f"exposed {TARGET}", asked, f"median of 5; {len(found)} places")
    row(f"graph dependents {TARGET}", needing[TARGET], "median of 5; by the links of the places themselves")
    words = f"what is held most: {held['places_count']:,} places, {held['releases']:,} releases depend on it"
    row(f"graph dependents {most_held}", needing[most_held], f"median of 5; {words}")
    row("graph chokepoints --by project", choke, "over every pin")
    row(
        "grep of the lockfiles",
        searched,
        "median of 3, from the page cache; which version follows is not yet looked at",
    )
    if rescanned:
        each, cpu = middle(rescanned), sum(one.cpu for one in rescanned)
        told = f"{cpu:,.0f} s of processor together, {cpu / len(rescanned) * count:,.0f} s for all; {same} agree"
        row("npm ls of one project", each, f"median of {len(rescanned)} that lie evenly; {told}")
    missed, wrong = sorted(sheet - found), sorted(found - sheet)
    print(f"answer sheet: {len(sheet)} took it, {len(missed)} missed, {len(wrong)} wrongly named")
    return not missed and not wrong


def rescan(made: Path, environ: dict[str, str], log: Path, peers: int, found: set[str]) -> tuple[list[Run], int]:
    """Ask npm itself, which reads each lockfile anew; return what it took, and of how many it says what we say."""
    npm, everybody = shutil.which("npm"), sorted(made.glob("p*"))
    took, same = list[Run](), 0
    for one in everybody[:: max(1, len(everybody) // peers)][:peers] if npm and peers else ():
        words = [npm or "", "ls", "axios", "--all", "--package-lock-only", "--prefix", str(one)]
        took.append(run(words, environ, log))
        same += (TARGET in log.read_text("utf-8", "replace").split()) == (one.name in found)
    return took, same


def make_projects(made: Path, pool: dict[str, dict[str, Any]], count: int) -> set[str]:
    """Write the projects, unless they are there; return the names of those that took the release."""
    sheet = made / "sheet.json"
    if not sheet.is_file():
        chance = random.Random(20260331)  # noqa: S311 - the same projects everywhere
        took = []
        for number in range(count):
            kind = {0: "direct", 1: "deep", 2: "mentioned"}.get(chance.randrange(50), "")
            folder = made / f"p{number:05}"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "package-lock.json").write_text(json.dumps(lockfile_of(pool, chance, bad=kind), indent=2))
            if kind in {"direct", "deep"}:
                took.append(folder.name)
        sheet.write_text(json.dumps(took))
    return set(json.loads(sheet.read_text()))


def history(folder: Path, pool: dict[str, dict[str, Any]], commits: int, every: int) -> bool:
    """Make a repository, add it, and see whether the commits in which the release came and went are told."""
    repository = folder / f"history-{commits}-{every}.git"
    if not repository.is_dir():
        git = shutil.which("git") or "git"
        subprocess.run([git, "init", "-q", "--bare", str(repository)], check=True)
        with subprocess.Popen(
            [git, f"--git-dir={repository}", "fast-import", "--quiet"], stdin=subprocess.PIPE
        ) as done:
            if done.stdin is not None:
                for piece in stream(pool, commits, every):
                    done.stdin.write(piece)
        if done.returncode:
            return False
    shutil.rmtree(folder / "state-history", ignore_errors=True)
    environ = dict(os.environ, LAZARETTO_STATE_DIR=str(folder / "state-history"))
    lazaretto, log = str(Path(sys.prefix) / "bin" / "lazaretto"), folder / "log"
    added = run([lazaretto, "inventory", "add", "--quiet", str(repository)], environ, log)
    answer = folder / "answer.json"
    run([lazaretto, "exposed", TARGET, "--quiet", "--format", "json"], environ, answer)
    found = json.loads(answer.read_text())["exposures"]
    print()
    row(f"history of {commits:,} commits", added, f"every {every}. changes a lockfile of {PINS} pins")
    for entry in found:
        print(f"  {TARGET}: {entry['first']} to {entry['last']} ({entry['note']})")
    return len(found) == 1


def stream(pool: dict[str, dict[str, Any]], commits: int, every: int) -> Iterator[bytes]:
    """Yield what ``git fast-import`` is fed: one line of commits, a minute apart."""
    chance = random.Random(20260331)  # noqa: S311 - the same repository everywhere
    document = lockfile_of(pool, chance, bad="")
    packages = document["packages"]
    for number in range(commits):
        at = 1_770_000_000 + 60 * number
        path, content = "README.md", f"{number}\n".encode()
        if number % every == 0:
            for name in chance.sample(sorted(name for name in packages if name), 3):
                packages[name]["version"] = f"{chance.randrange(9)}.{chance.randrange(99)}.{chance.randrange(99)}"
            for name, entry in BAD.items():
                if commits // 2 <= number < commits // 2 + 5 * every:
                    packages[name] = entry
                else:
                    packages.pop(name, None)
            path, content = "web/package-lock.json", json.dumps(document, indent=2).encode()
        yield f"commit refs/heads/main\ncommitter A <a@b.invalid> {at} +0000\ndata 1\nx\n".encode()
        yield f"M 100644 inline {path}\ndata {len(content)}\n".encode() + content + b"\n"


def row(what: str, took: Run, words: str) -> None:
    """Print a line of the table."""
    print(f"{what:34} {took.wall:8.2f} s  {took.cpu:8.2f} s cpu  {took.peak:6.0f} MiB  exit {took.code}  {words}")


if __name__ == "__main__":
    sys.exit(main())
