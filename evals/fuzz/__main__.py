"""Fuzz every parser and print a table: ``python -m evals.fuzz [--runs N] [--seconds S] [WORD ...]``.

Each target runs in a process of its own, from its seeds and from what earlier runs made of them (``.cache/fuzz``).
A finding ends its target's run; its input is kept beside, to be mended and put into ``tests/data/found``. Exit 1 if
there is one.
"""

import argparse
import re
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

from msgspec import Struct

from evals.fuzz.targets import FOUND, Target, targets

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / ".cache" / "fuzz"
OPTIONS = ("-max_len=4096", "-timeout=20", "-rss_limit_mb=3000", "-print_final_stats=1", "-verbosity=1")


class Row(Struct, frozen=True):
    """What came of one target."""

    name: str
    executions: int
    seconds: float
    edges: int
    finding: str = ""


def main() -> int:
    """Run the targets whose names hold one of the words; all of them without any."""
    parser = argparse.ArgumentParser(prog="python -m evals.fuzz")
    parser.add_argument("words", nargs="*", metavar="WORD", help="targets whose names hold it")
    parser.add_argument("--runs", type=int, default=20_000, help="executions of each target")
    parser.add_argument("--seconds", type=int, default=120, help="most seconds of each target")
    options = parser.parse_args()
    rows = []
    for target in targets().values():
        if not options.words or any(word in target.name for word in options.words):
            rows.append(fuzz(target, options.runs, options.seconds))
            print(line(rows[-1]), flush=True)
    found = [row for row in rows if row.finding]
    print(f"\n{len(rows)} targets, {sum(row.executions for row in rows):,} executions, {len(found)} findings")
    for row in found:
        print(f"\n{row.name}: {row.finding}")
    return 1 if found else 0


def fuzz(target: Target, runs: int, seconds: int) -> Row:
    """Fuzz one target and say what came of it."""
    corpus, crashes = KEPT / target.name / "corpus", KEPT / target.name / "findings"
    for folder in (corpus, crashes):
        folder.mkdir(parents=True, exist_ok=True)
    known = FOUND / target.name
    for seed in (*target.seeds, *(path.read_bytes() for path in sorted(known.glob("*")))):
        (corpus / sha256(seed).hexdigest()[:16]).write_bytes(seed)
    program = [sys.executable, "-m", "evals.fuzz.one", target.name, str(corpus), *OPTIONS]
    program += [f"-runs={runs}", f"-max_total_time={seconds}", f"-artifact_prefix={crashes}/"]
    start = time.monotonic()
    done = subprocess.run(program, cwd=ROOT, capture_output=True, check=False)
    told = (done.stdout + done.stderr).decode("utf-8", "replace")
    counts = re.findall(r"number_of_executed_units: (\d+)", told) or re.findall(r"^#(\d+)\t", told, re.MULTILINE)
    edges = re.findall(r" ft: (\d+) ", told)
    finding = ""
    if done.returncode:
        written = re.findall(r"Test unit written to (\S+)", told)
        raised = re.findall(r"(?m)^\s*=== Uncaught Python exception: ===\n(.*)$", told)
        finding = f"{raised[0] if raised else told[-400:]} ({written[0] if written else 'no input kept'})"
    return Row(
        target.name, int(counts[-1]) if counts else 0, time.monotonic() - start, int(edges[-1]) if edges else 0, finding
    )


def line(row: Row) -> str:
    """Return a row of the table."""
    verdict = "FINDING" if row.finding else "-"
    return f"| {row.name:45} | {row.executions:9,} | {row.edges:7,} | {row.seconds:5.0f} s | {verdict} |"


if __name__ == "__main__":
    sys.exit(main())
