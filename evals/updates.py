"""Read real benign updates and print what was said of each: ``python -m evals.updates``.

The list is ``updates.toml``. Exit 0 if nothing is blocked and at most one update is held.
"""

import json
import os
import subprocess
import sys
import time
import tomllib
from pathlib import Path

HERE = Path(__file__).parent


def main() -> int:
    """Print a line per update, and why for those that are not allowed."""
    updates = tomllib.loads((HERE / "updates.toml").read_text())["updates"]
    wanted = sys.argv[1:]
    counts = {"allow": 0, "hold": 0, "block": 0}
    for update in updates:
        if wanted and not any(word in update for word in wanted):
            continue
        start = time.perf_counter()
        program = [str(Path(sys.prefix) / "bin" / "lazaretto"), "diff", *update.split(), "--format", "json", "--quiet"]
        done = subprocess.run(program, capture_output=True, text=True, env=os.environ, check=False)
        seconds = time.perf_counter() - start
        if not done.stdout:
            print(f"error  {update}: {done.stderr.strip()[:300]}", flush=True)
            counts["hold"] += 1
            continue
        report = json.loads(done.stdout)["updates"][0]
        counts[report["verdict"]] += 1
        print(f"{report['verdict']:6} {report['charge']:5.1f} dB {seconds:6.2f} s  {update}", flush=True)
        explain(report, "        ")
    print(f"\n{sum(counts.values())} updates: " + ", ".join(f"{n} {word}" for word, n in counts.items()))
    return 0 if counts["block"] == 0 and counts["hold"] <= 1 else 1


def explain(report: dict, indent: str) -> None:  # type: ignore[type-arg]
    """Print every charge and every incomplete check, of new dependencies too."""
    for finding in report["findings"]:
        places = ", ".join(f"{e['path']}:{e.get('line', 0)}" for e in finding["evidence"][:3])
        print(f"{indent}+{finding['weight']:g} {finding['id']}/{finding['variant']} at {places}")
    for record in report["records"]:
        for problem in record.get("problems", [])[:5]:
            print(f"{indent}incomplete {record['check']}: {problem[:200]}")
    for edge in report["edges"]:
        inner = edge.get("update")
        if inner:
            judged = f"{inner['verdict']} {inner['charge']:g} dB"
            print(f"{indent}new dependency {edge['name']} {edge.get('resolved')}: {judged}")
            explain(inner, indent + "  ")


if __name__ == "__main__":
    sys.exit(main())
