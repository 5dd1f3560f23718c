"""``python -m lazaretto`` and the ``lazaretto`` command."""

import gc
import os
import sys


def main() -> None:
    """Run the command line and end the process with its exit code.

    A short-lived process has nothing to gain from looking for cycles, nor from taking itself apart: what
    it writes is flushed and committed by then, and readers end when their sockets close.
    """
    gc.set_threshold(200_000, 20, 20)
    from lazaretto.surfaces.cli import main as command_line

    code = command_line(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
