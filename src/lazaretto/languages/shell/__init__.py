"""Command scripts: POSIX shells, Windows batch files, PowerShell, and the text of single commands.

Dialects: ``shell`` (sh, bash, dash, zsh), ``command`` (an npm script, the command line of a spawned process),
``batch`` and ``powershell``. A ``code.eval`` of text in another language names it as the last step of ``via``
(``javascript``, ``python``, ``perl``, …), so that whoever reads that language can go on.

## What it cannot see
What a command prints on the machine where it runs, and what depends on it; functions and loops are read once. Perl,
Ruby, PHP and Lua inside a command are named and not read. PowerShell's objects and .NET calls are known as far as
the field uses them to fetch and to run: loops over bytes, streams that unpack, and types that it compiles are not
followed. In batch files the arguments of ``call :label`` are unknown, and ``set /a`` is not computed.
"""

from collections.abc import Iterator

from lazaretto.core.facts import Facts, Flow, Kind, Problem
from lazaretto.core.inner import Inner
from lazaretto.core.language import Claim, Units
from lazaretto.languages._addressed import addressed
from lazaretto.languages._hidden import hidden_text
from lazaretto.languages._names import ASSETS, ending
from lazaretto.languages._utf16 import as_utf8, in_published

ID = "shell"
VERSION = 11
DIALECTS = ("shell", "command", "batch", "powershell")
"""Every dialect that ``read`` takes."""

MAX_SCRIPT = 2 * 1024 * 1024
"""Longest script that is read, in bytes."""

_WINDOWS = r"(?i)(?:^|[\s;&|])[.\w%-]+\\[\w.\\-]|\.(?:bat|cmd|ps1)\b|\b(?:cmd|powershell|pwsh)(?:\.exe)?\b"

_HOSTS = frozenset({"osascript", "wscript", "cscript", "mshta", "vbscript"})
_BODIES = frozenset({"javascript", "python"})

_ENDINGS = {
    **dict.fromkeys(("sh", "bash", "zsh", "ksh", "command"), "shell"),
    **dict.fromkeys(("bat", "cmd"), "batch"),
    **dict.fromkeys(("ps1", "psm1", "psd1"), "powershell"),
}
_SHEBANGS = {b"sh": "shell", b"bash": "shell", b"dash": "shell", b"zsh": "shell", b"ksh": "shell", b"ash": "shell",
             b"pwsh": "powershell", b"powershell": "powershell"}  # fmt: skip


def claim(path: str, data: bytes) -> Claim | None:
    """Offer to read a script, by its first line or its ending."""
    last = ending(path)
    if data.startswith(b"#!") and last not in ASSETS:
        words = data[2:256].split(b"\n", 1)[0].split()
        names = [word.rpartition(b"/")[2] for word in words]
        if names[:1] == [b"env"]:
            names = [name for name in names[1:] if not name.startswith(b"-") and b"=" not in name]
        if names and names[0] in _SHEBANGS:
            return Claim(_SHEBANGS[names[0]], 90)
    return Claim(_ENDINGS[last], 50) if last in _ENDINGS else None


def read(dialect: str, data: bytes, units: Units) -> Facts:
    """Return the facts of a script. Never raises: what does not fit the grammar becomes a problem."""
    if len(data) > MAX_SCRIPT:
        return Facts(
            ID,
            hidden_text(data),
            (),
            (Problem(1, f"a script of {len(data)} bytes is longer than {MAX_SCRIPT}", unread=True),),
        )
    text = as_utf8(data)
    hidden = (*hidden_text(text), *addressed(text))
    try:
        read_as = _walk(dialect, text)
    except RecursionError:
        read_as = Facts(ID, problems=(Problem(1, "nested too deeply to be read", unread=True),))
    facts = in_published((*read_as.facts, *hidden), text, data)
    return Facts(ID, facts, read_as.flows, read_as.problems)


def inner(dialect: str, data: bytes, facts: Facts) -> Iterator[Inner]:
    """Yield the text that is handed to another language: script hosts, ``node -e``, ``python -c``.

    What a single command carries is read as part of its hook, by whoever reads the hook.
    """
    read_on = _HOSTS if dialect == "command" else _HOSTS | _BODIES
    for fact in facts.facts:
        language = fact.via.rpartition(">")[2]
        if fact.kind is Kind.CODE_EVAL and fact.value and language in read_on:
            yield Inner(fact.value.encode("utf-8", "replace"), language, places=(fact.span,), lenient=True)


def _walk(dialect: str, data: bytes) -> Facts:
    import re

    if data.startswith(b"\xef\xbb\xbf"):
        data = b"   " + data[3:]  # the mark counts in every offset, and says nothing
    text = data.decode("latin-1")
    facts = _read_as(dialect, text)
    if dialect == "command" and re.search(_WINDOWS, text):
        facts = _with_more(facts, _read_as("batch", text))  # npm runs the same text with cmd on Windows
    return facts


def _read_as(dialect: str, text: str) -> Facts:
    from lazaretto.languages.shell import batch, posix, powershell
    from lazaretto.languages.shell.commands import dispatch
    from lazaretto.languages.shell.machine import Machine

    parse = {"batch": batch.parse, "powershell": powershell.parse}.get(dialect, posix.parse)
    machine = Machine(text, dispatch, parse, folds_case=dialect in {"batch", "powershell"})
    machine.read(parse(text, 0))
    flows = tuple(Flow(source, sink, "data") for source, sink in sorted(machine.flows))
    return Facts(ID, tuple(machine.facts), flows, tuple(machine.problems))


def _with_more(first: Facts, second: Facts) -> Facts:
    """Return the facts of one reading with those that only a second one has, and the flows of both."""
    known = {(fact.kind, fact.value): index for index, fact in reversed(list(enumerate(first.facts)))}
    facts = list(first.facts)
    place = []
    for fact in second.facts:
        index = known.setdefault((fact.kind, fact.value), len(facts))
        if index == len(facts):
            facts.append(fact)
        place.append(index)
    more = {(place[flow.source], place[flow.sink]) for flow in second.flows if place[flow.source] != place[flow.sink]}
    flows = sorted(more | {(flow.source, flow.sink) for flow in first.flows})
    return Facts(ID, tuple(facts), tuple(Flow(source, sink, "data") for source, sink in flows), first.problems)
