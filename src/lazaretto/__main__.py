"""``python -m lazaretto`` and the ``lazaretto`` command."""

import gc
import os
import sys
from collections.abc import Callable, Sequence


def _command_line() -> Callable[[Sequence[str]], int]:
    """Return the surface that the first word belongs to: no surface imports another."""
    if sys.argv[1:2] in (["firewall"], ["audit"]):
        from lazaretto.surfaces.firewall.command import main as firewall

        return firewall
    if sys.argv[1:2] in _READING:
        from lazaretto.app.likely import ecosystem
        from lazaretto.infra._zygote import start_early

        start_early(ecosystem(sys.argv[2:]) if sys.argv[1:2] in _ONE_HOUSE else None)
    from lazaretto.surfaces.cli import main as command_line

    return command_line


_READING = (["scan"], ["diff"], ["check"], ["replay"])
"""Commands that read archives: what they read with starts while the rest is imported."""

_ONE_HOUSE = (["scan"], ["diff"])
"""Commands whose words tell what they will read."""


def main() -> None:
    """Run the command line and end the process with its exit code.

    A short-lived process has nothing to gain from looking for cycles, nor from taking itself apart: what
    it writes is flushed and committed by then, and readers end when their sockets close.
    """
    gc.set_threshold(200_000, 20, 20)
    code = _command_line()(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
