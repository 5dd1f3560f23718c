"""The command line: parse, ask a use case, print a report, return an exit code.

Exit codes: 0 allowed and complete; 1 held or blocked; 2 usage or settings; 3 could not check
everything; 4 nothing to check.
"""

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from lazaretto.app.report import EXIT_INCOMPLETE, EXIT_USAGE


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code. Prints errors without a traceback."""
    from lazaretto.surfaces.cli.parser import build

    for stream in (sys.stdout, sys.stderr):
        # A locale that lacks a character must not end a run in a traceback; what replaces a stream may lack the method.
        getattr(stream, "reconfigure", lambda **_: None)(errors="backslashreplace")
    options = build(only=arguments[0] if arguments else None).parse_args(arguments)
    try:
        command = import_module(f"lazaretto.surfaces.cli.{options.command}")
        code: int = command.run(options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _fail("interrupted; nothing was decided", EXIT_INCOMPLETE)
    except BrokenPipeError:
        # Whoever read our output has gone; point stdout elsewhere, or Python complains once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_INCOMPLETE
    except Exception as error:  # noqa: BLE001 - whatever happens, the exit code must not say "refused"
        known = _known(error)
        return _fail(*known) if known is not None else _defect(error)
    return code


def _known(error: Exception) -> tuple[str, int] | None:
    """Return the words and the exit code for an error that a user can do something about."""
    from lazaretto._plugins import PluginError
    from lazaretto.app.ports import PortError
    from lazaretto.settings import SettingsError
    from lazaretto.surfaces.cli.common import UsageError

    if isinstance(error, UsageError | SettingsError | PluginError):
        return str(error), EXIT_USAGE
    if isinstance(error, PortError):
        return str(error), EXIT_INCOMPLETE
    if type(error).__name__ == "ReplayFormatError":  # by name: its module is loaded only where replays are read
        return str(error), EXIT_USAGE
    return None


def _defect(error: Exception) -> int:
    """Print what a developer needs to know. A defect of ours decides nothing, so it must not look like a verdict."""
    from traceback import format_exception

    return _fail("".join(format_exception(error)) + "this is a defect of Lazaretto: please report it", EXIT_INCOMPLETE)


def _fail(message: str, code: int) -> int:
    from lazaretto.core.inert import inert

    for line in message.splitlines() or [""]:
        sys.stderr.write(f"lazaretto: {inert(line)}\n")
    return code
