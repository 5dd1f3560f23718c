"""Measure the graph: ``python -m evals.graph_bench [--packages N] [--folder DIR]``.

An ecosystem is made: each package needs about ten that are older, popular ones more often, by ranges, and has one of
a tenth as many maintainers. It is imported and asked, each time by a process of its own; the same edges are asked of
SQLite by a recursive query in the same run, and both have to give the same numbers.
"""

import argparse
import json
import os
import random
import shutil
import sqlite3
import sys
import time
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from evals.measure import Run, middle, run

CACHE = Path(__file__).parent.parent / ".cache" / "graph"
QUERY = "WITH RECURSIVE r (x) AS (VALUES (?) UNION SELECT e.s FROM r JOIN e ON e.d = r.x) SELECT count(*) - 1 FROM r"


def main() -> int:
    """Make what is measured, measure it, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--packages", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, default=CACHE, help="where it is made: 3 GB for a million packages")
    options = parser.parse_args()
    folder, count = options.folder, options.packages
    folder.mkdir(parents=True, exist_ok=True)
    dump = folder / f"dump-{count}.jsonl"
    edges = made(dump, count)
    print(f"{count:,} packages, {edges:,} edges, {dump.stat().st_size / 1e9:.2f} GB of JSON lines")
    shutil.rmtree(folder / "state", ignore_errors=True)
    environ = dict(os.environ, LAZARETTO_STATE_DIR=str(folder / "state"), LAZARETTO_CACHE_DIR=str(folder / "cache"))
    lazaretto, log = str(Path(sys.prefix) / "bin" / "lazaretto"), folder / "log"
    row("import", run([lazaretto, "graph", "import", "--quiet", str(dump)], environ, log), "")
    asked = [f"p{count // 200}", f"p{count // 2}", "p3"]
    words = [lazaretto, "graph", "dependents", "--quiet", "--format", "json"]
    row("first question of an instant", run([*words, asked[0]], environ, log), "every range is resolved")
    found = {}
    for name in asked:
        middling = middle([run([*words, name], environ, folder / f"answer-{name}") for _ in range(3)])
        found[name] = json.loads((folder / f"answer-{name}").read_text())["releases"]
        row(f"dependents {name}", middling, f"{found[name]:,} releases")
    row("chokepoints -n 3", run([lazaretto, "graph", "chokepoints", "--quiet"], environ, folder / "chokes"), "")
    print((folder / "chokes").read_text().strip().splitlines()[-1])
    return 0 if peer(folder / "peer.sqlite", count, found) else 1


def made(dump: Path, count: int) -> int:
    """Write the dump, unless it is there; return how many edges it has."""
    total = dump.with_suffix(".count")
    if not total.is_file():
        written = 0
        with dump.open("w") as file:
            for number, needs in packages(count):
                written += len(needs)
                line = {"package": f"p{number}", "version": f"1.{number % 7}.{number % 11}"}
                line |= {"dependencies": {f"p{one}": f"^1.{one % 7}.0" for one in needs}}  # type: ignore[dict-item]
                line |= {"maintainers": [f"m{number * 7919 % max(1, count // 10)}"]}  # type: ignore[dict-item]
                file.write(json.dumps(line) + "\n")
        total.write_text(str(written))
    return int(total.read_text())


def packages(count: int) -> Iterator[tuple[int, list[int]]]:
    """Yield each package with those that it needs: older ones, and popular ones more often."""
    chance = random.Random(20260331)  # noqa: S311 - the same ecosystem everywhere
    for number in range(count):
        wanted = min(number, int(chance.random() * 21))
        yield number, sorted({int(chance.random() ** 3 * number) for _ in range(wanted)})


def peer(path: Path, count: int, found: dict[str, int]) -> bool:
    """Ask the same of SQLite's recursion, and say whether the answers are the same."""
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA cache_size = -400000")
    connection.execute("CREATE TABLE e (d INTEGER, s INTEGER, PRIMARY KEY (d, s)) WITHOUT ROWID")
    start = time.process_time()
    pairs = chain.from_iterable(((one, number) for one in needs) for number, needs in packages(count))
    connection.executemany("INSERT INTO e VALUES (?, ?)", sorted(pairs))
    connection.commit()
    print(f"{'SQLite, its table made':<34}{time.process_time() - start:>8.1f} s of processor")
    same = True
    for name, expected in found.items():
        start = time.process_time()
        (answer,) = connection.execute(QUERY, (int(name[1:]),)).fetchone()
        print(f"{f'SQLite, recursive, {name}':<34}{time.process_time() - start:>8.2f} s of processor, {answer:,}")
        same &= answer == expected
    return same


def row(name: str, one: Run, told: str) -> None:
    """Print one line of the table."""
    print(f"{name:<34}{one.cpu:>8.2f} s of processor, {one.wall:>7.2f} s, {one.peak:>6.0f} MB  {told}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
