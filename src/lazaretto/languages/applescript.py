"""AppleScript, in files and in the text of ``osascript -e``: shell commands, evaluated scripts, keys, the clipboard.

Dialects: ``applescript``, and ``osascript`` for what a shell hands to it. Constant texts are joined (``&``), ``quoted
form of`` and properties are followed, and what ``do shell script`` starts is read as a shell's command.

## What it cannot see
Compiled scripts (``.scpt``) beside their strings; handlers with parameters, lists and ``text item delimiters``; what
another application does when it is told to. JavaScript for Automation is read only if its file says that it is
JavaScript.
"""

import re
from collections.abc import Iterator
from functools import cache

from lazaretto.core.facts import Fact, Facts, Kind, Moment, Problem, bounded
from lazaretto.core.inner import Inner
from lazaretto.core.language import Claim, Units
from lazaretto.languages._addressed import addressed
from lazaretto.languages._hidden import hidden_text
from lazaretto.languages._lines import Lines
from lazaretto.languages._names import ending
from lazaretto.languages._strings import Strings, text_facts
from lazaretto.languages._utf16 import as_utf8, in_published

ID = "applescript"
VERSION = 3
DIALECTS = ("applescript", "osascript")
"""Every dialect that ``read`` takes."""

MAX_SCRIPT = 1024 * 1024
"""Longest script that is read, in bytes."""

_ENDINGS = frozenset({"applescript", "scptd"})
_TEXT = r'"(?:[^"\\]|\\.){0,20000}"'
_WORD = rf"(?:{_TEXT}|quoted\s+form\s+of\s+\w+|\w+|\([^()\n]{{0,2000}}\))"
_VALUE = rf"({_WORD}(?:\s*&\s*{_WORD}){{0,200}})"
_SET = rf"(?im)^[ \t]*(?:set|property)[ \t]+(\w+)(?:[ \t]+to|[ \t]*:)[ \t]+{_VALUE}[ \t]*$"
_ACTS = (
    (Kind.PROCESS_SPAWN, rf"do\s+shell\s+script\s+{_VALUE}"),
    (Kind.CODE_EVAL, rf"(?:run|load)\s+script\s+{_VALUE}"),
    (Kind.NET_CONNECT, rf"open\s+location\s+{_VALUE}"),
    (Kind.FS_DELETE, rf"\bdelete\s+(?:file|folder|POSIX\s+file)\s+{_VALUE}"),
    (Kind.PERSIST, r"make\s+(?:new\s+)?login\s+item\b()"),
    (Kind.SECRET_READ, r"(?:display\s+dialog[^\n]{0,2000}?hidden\s+answer\s+(?:true|yes))()"),
    (Kind.SECRET_READ, r"\bthe\s+clipboard\b()"),
    (Kind.PROCESS_SPAWN, r"\bactivate\s+application\s+(" + _TEXT + ")"),
)


def claim(path: str, data: bytes) -> Claim | None:
    """Offer to read AppleScript by its ending or its first line."""
    if data.startswith(b"#!") and b"osascript" in data[:100].split(b"\n", 1)[0]:
        return None if b"JavaScript" in data[:100].split(b"\n", 1)[0] else Claim("applescript", 90)
    return Claim("applescript", 50) if ending(path) in _ENDINGS else None


def read(dialect: str, data: bytes, units: Units) -> Facts:
    """Return the facts of a script. Never raises."""
    if len(data) > MAX_SCRIPT:
        problem = Problem(1, f"a script of {len(data)} bytes is longer than {MAX_SCRIPT}", unread=True)
        return Facts(ID, problems=(problem,))
    raw = as_utf8(data)
    text = raw.decode("latin-1")
    known = {match[1].lower(): match[2] for match in _pattern(_SET).finditer(_joined(text))}
    named = _named(_joined(text))
    facts = sorted((*_facts(_joined(text), known), *named.facts), key=lambda fact: (fact.span.start, fact.kind))
    return Facts(
        ID, in_published((*dict.fromkeys(facts), *hidden_text(raw), *addressed(raw)), raw, data), (), named.problems
    )


def inner(dialect: str, data: bytes, facts: Facts) -> Iterator[Inner]:
    """Yield the commands that the script hands to a shell."""
    for fact in facts.facts:
        if fact.kind is Kind.PROCESS_SPAWN and fact.value:
            yield Inner(fact.value.encode("utf-8", "replace"), "command", places=(fact.span,), step=ID, lenient=True)


def _joined(text: str) -> str:
    """Return the text with lines that go on in the next one joined, and comments blank; the length stays the same."""
    text = text.replace("\u00c2\u00ac\n", "   ").replace("\u00ac\n", "  ")
    return _pattern(r"(?m)^[ \t]*--[^\n]*|^[ \t]*#(?!!)[^\n]*").sub(
        lambda match: _pattern(r"[^\n]").sub(" ", match[0]), text
    )


def _facts(text: str, known: dict[str, str]) -> Iterator[Fact]:
    lines = Lines(text)
    for kind, pattern in _ACTS:
        for match in _pattern(f"(?i){pattern}").finditer(text):
            value = _folded(match[1], known, 4) if match[1] else " ".join(match[0].split())[:80]
            yield Fact(kind, None if value is None else bounded(value), lines.span(*match.span()), Moment.LOAD)


def _named(text: str) -> Strings:
    """Return what the texts of a script name."""
    lines = Lines(text)
    quoted = ((_unquoted(match[0]), lines.span(*match.span())) for match in _pattern(_TEXT).finditer(text))
    return text_facts(quoted, Moment.LOAD)


def _folded(value: str, known: dict[str, str], depth: int) -> str | None:
    """Return what constant texts and known variables give together; None if a part is unknown."""
    parts: list[str] = []
    for word in _pattern(_WORD).findall(value):
        name = word.split()[-1].lower()
        if word.startswith('"'):
            parts.append(_unquoted(word))
        elif depth and (word.startswith("(") or name in known):
            meant = _folded(word[1:-1] if word.startswith("(") else known[name], known, depth - 1)
            if meant is None or sum(map(len, parts)) > 20_000:
                return None
            parts.append(meant)
        else:
            return None
    return "".join(parts)


def _unquoted(text: str) -> str:
    return text[1:-1].replace('\\"', '"').replace("\\\\", "\\").encode("latin-1", "replace").decode("utf-8", "replace")


@cache
def _pattern(source: str) -> re.Pattern[str]:
    return re.compile(source)
