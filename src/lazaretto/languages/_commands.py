"""Command lines that code starts: which of them are worth reading as the shell would, and as parts of their file."""

import re
from collections.abc import Iterator
from functools import cache

from lazaretto.core.facts import MAX_VALUE, Facts, Kind, Problem
from lazaretto.core.inner import Inner

MAX_COMMANDS = 200
"""Most command lines of one file that are read."""

CUT = "a command line is longer than what is told of it: the rest was not read"
"""The problem of a command whose value was cut."""

_WORTH = (
    r"\b(?:powershell|pwsh|cmd|mshta|certutil|bitsadmin|curl|wget|base64|osascript|wscript|cscript)(?:\.exe)?\b"
    r"|\b(?:ba|z|da)?sh\b\s+-\w*c|\|\s*(?:ba|z|da)?sh\b|\bsetx\b|\blaunchctl\s+setenv\b|\bcore\.hooksPath\b"
)


def commands(facts: Facts) -> Iterator[Inner | Problem]:
    """Yield the command lines that a file starts and that a shell would make more of than one program's name.

    That nobody knows which shell it is, or that the line has holes in it, is no reason to hold anything.
    """
    seen: set[str] = set()
    for fact in facts.facts:
        text = fact.value
        if fact.kind is not Kind.PROCESS_SPAWN or not text or text in seen:
            continue
        cut = was_cut(text)
        if cut:
            yield Problem(fact.span.line, CUT, unread=True)
        if not cut and _worth().search(text) is None:
            continue
        if len(seen) >= MAX_COMMANDS:
            yield Problem(fact.span.line, f"more than {MAX_COMMANDS} command lines: not all were read", unread=True)
            return
        seen.add(text)
        step = "" if fact.via == "plain" else fact.via
        data = text.encode("utf-8", "replace")
        yield Inner(data, "command", places=(fact.span,), step=step, lenient=True, apart=True, moment=fact.moment)


def was_cut(value: str) -> bool:
    """Whether the value of a fact is only the beginning of a command; code on the line is read by its own language."""
    return len(value) == MAX_VALUE and value.endswith("\u2026") and _code().match(value) is None


@cache
def _code() -> re.Pattern[str]:
    return re.compile(r"\S*(?:python[\d.]*(?:\.exe)?(?: -\w+)* -c|node(?:\.exe)?(?: -\S+)* (?:-e|--eval|-p)) ")


@cache
def _worth() -> re.Pattern[str]:
    return re.compile(_WORTH, re.IGNORECASE)
