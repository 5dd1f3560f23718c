"""``python -m lazaretto`` and the ``lazaretto`` command."""

import sys


def main() -> int:
    """Run the command line; return the exit code."""
    from lazaretto.surfaces.cli import main as command_line

    return command_line(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
