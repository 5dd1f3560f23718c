"""Whole processes, timed from outside."""

import os
import subprocess
import sys
from pathlib import Path

from evals.measure import run


def test_what_a_command_leaves_behind_is_counted_and_nothing_else_is_waited_for(tmp_path: Path) -> None:
    """A process of ours that never ends (a pool's tracker) must not be waited for; a reader that outlives must."""
    ours = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        code = "import os, time\nif os.fork() == 0:\n    time.sleep(0.2)\n    print('ended', flush=True)\n"
        done = run([sys.executable, "-c", code], os.environ, tmp_path / "log", alone=True)

        assert done.code == 0
        assert done.cpu > 0
        assert (tmp_path / "log").read_text() == "ended\n"
        assert ours.poll() is None
    finally:
        ours.communicate(b"\n")
