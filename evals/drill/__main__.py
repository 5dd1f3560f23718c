"""The drill from one command: ``python -m evals.drill [--repositories N] [--machines N]`` (``make drill``).

A company is made in a folder, looked at, asked who took axios 1.14.1 in the window, swept machine by machine; an
incident is opened and its report written as Markdown, HTML, JSON and a patch. Recall and precision against the sheet
are printed. Exit 0 if both are 1 and no planted value got out.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from evals.drill.company import make
from evals.drill.play import Shell, play

HERE = Path(__file__).parent


def main() -> int:
    """Make the company, play, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repositories", type=int, default=300)
    parser.add_argument("--machines", type=int, default=40)
    parser.add_argument("--folder", type=Path, default=HERE.parent.parent / ".cache" / "drill")
    options = parser.parse_args()
    shutil.rmtree(options.folder, ignore_errors=True)
    began = time.monotonic()
    sheet = make(options.folder / "company", options.repositories, options.machines)
    print(f"{options.repositories} repositories, {options.machines} machines made in {time.monotonic() - began:.1f} s")
    outcome = play(_shell(options.folder), options.folder / "company", options.folder / "report", sheet)
    print(outcome.table())
    print(f"the report: {options.folder / 'report' / 'incident.html'}, .md, .json, .patch")
    return 0 if outcome.perfect else 1


def _shell(folder: Path) -> Shell:
    """Return what runs a command of Lazaretto with a state of its own."""
    lazaretto = str(Path(sys.prefix) / "bin" / "lazaretto")
    environ = dict(os.environ, LAZARETTO_STATE_DIR=str(folder / "state"), LAZARETTO_CACHE_DIR=str(folder / "cache"))

    def run(*words: str) -> tuple[int, str]:
        done = subprocess.run([lazaretto, *words], capture_output=True, text=True, env=environ, check=False)
        if done.returncode == 2 or "Traceback" in done.stderr:
            raise RuntimeError(done.stderr)
        return done.returncode, done.stdout + done.stderr

    return run


if __name__ == "__main__":
    sys.exit(main())
