"""Command lines that code starts: which of them are worth reading as the shell would, and as parts of their file."""

import re
from collections.abc import Iterator
from functools import cache

from lazaretto.core.facts import Facts, Kind
from lazaretto.core.inner import Inner

MAX_COMMANDS = 200
"""Most command lines of one file that are read."""

MAX_COMMAND = 64 * 1024
"""Longest command line that is read, in characters."""

_WORTH = (
    r"\b(?:powershell|pwsh|cmd|mshta|certutil|bitsadmin|curl|wget|base64|osascript|wscript|cscript)(?:\.exe)?\b"
    r"|\b(?:ba|z|da)?sh\b\s+-\w*c|\|\s*(?:ba|z|da)?sh\b|\bsetx\b|\blaunchctl\s+setenv\b|\bcore\.hooksPath\b"
)


def commands(facts: Facts) -> Iterator[Inner]:
    """Yield the command lines that a file starts and that a shell would make more of than one program's name.

    That nobody knows which shell it is, or that the line has holes in it, is no reason to hold anything.
    """
    seen: set[str] = set()
    for fact in facts.facts:
        text = fact.value
        if fact.kind is Kind.PROCESS_SPAWN and text and text not in seen and len(text) <= MAX_COMMAND:
            if _worth().search(text) is None:
                continue
            seen.add(text)
            step = "" if fact.via == "plain" else fact.via
            data = text.encode("utf-8", "replace")
            yield Inner(data, "command", places=(fact.span,), step=step, lenient=True, apart=True, moment=fact.moment)
            if len(seen) >= MAX_COMMANDS:
                return


@cache
def _worth() -> re.Pattern[str]:
    return re.compile(_WORTH, re.IGNORECASE)
