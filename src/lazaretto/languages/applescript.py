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
from lazaretto.languages._bracketed import brackets
from lazaretto.languages._commands import CUT, was_cut
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

MAX_BRACKETS = 12
"""Deepest nesting of brackets inside brackets of a value that is followed."""

MAX_FOLDED = 1024 * 1024
"""Longest text that is put together, in characters."""

MAX_DEPTH = 50
"""How often a value may lead to another one that is set further down in the script."""

_ENDINGS = frozenset({"applescript", "scptd"})
_TEXT = r'"(?:[^"\\]++|\\.)*+"'
_WORD = rf"(?:{_TEXT}|quoted\s+form\s+of\s+\w+|\w+|{brackets(_TEXT, MAX_BRACKETS)})"
_VALUE = rf"({_WORD}(?:\s*+&\s*+{_WORD})*+)"
_SET = rf"(?im)^[ \t]*(?:set|property)[ \t]+(\w+)(?:[ \t]+to|[ \t]*:)[ \t]+{_VALUE}[ \t]*$"
_ACTS = (
    (Kind.PROCESS_SPAWN, rf"do\s+shell\s+script\s+(?:{_VALUE}|(?=\())"),
    (Kind.CODE_EVAL, rf"(?:run|load)\s+script\s+(?:{_VALUE}|(?=\())"),
    (Kind.NET_CONNECT, rf"open\s+location\s+(?:{_VALUE}|(?=\())"),
    (Kind.FS_DELETE, rf"\bdelete\s+(?:file|folder|POSIX\s+file)\s+{_VALUE}"),
    (Kind.PERSIST, r"make\s+(?:new\s+)?login\s+item\b()"),
    (Kind.SECRET_READ, r"display\s+dialog(?:(?!display\s+dialog)[^\n])*?hidden\s+answer\s+(?:true|yes)()"),
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
        return Facts(
            ID, problems=(Problem(1, f"a script of {len(data)} bytes is longer than {MAX_SCRIPT}", unread=True),)
        )
    raw = as_utf8(data)
    text = _joined(raw.decode("latin-1"))
    script = _Script(text)
    named = _named(text)
    facts = sorted((*script.acts(), *named.facts), key=lambda fact: (fact.span.start, fact.kind))
    told = in_published((*dict.fromkeys(facts), *hidden_text(raw), *addressed(raw)), raw, data)
    return Facts(ID, told, (), (*script.problems, *named.problems))


def inner(dialect: str, data: bytes, facts: Facts) -> Iterator[Inner | Problem]:
    """Yield the commands that the script hands to a shell."""
    for fact in facts.facts:
        if fact.kind is Kind.PROCESS_SPAWN and fact.value:
            if was_cut(fact.value):
                yield Problem(fact.span.line, CUT, unread=True)
            yield Inner(fact.value.encode("utf-8", "replace"), "command", places=(fact.span,), step=ID, lenient=True)


def _joined(text: str) -> str:
    """Return the text with lines that go on in the next one joined, and comments blank; the length stays the same."""
    text = text.replace("\u00c2\u00ac\n", "   ").replace("\u00ac\n", "  ")
    return _pattern(r"(?m)^[ \t]*--[^\n]*|^[ \t]*#(?!!)[^\n]*").sub(
        lambda match: _pattern(r"[^\n]").sub(" ", match[0]), text
    )


def _named(text: str) -> Strings:
    """Return what the texts of a script name."""
    lines = Lines(text)
    quoted = ((_unquoted(match[0]), lines.span(*match.span())) for match in _pattern(_TEXT).finditer(text))
    return text_facts(quoted, Moment.LOAD)


class _Script:
    """A script, read from its first line to its last: what is set, and what is done with it."""

    def __init__(self, text: str) -> None:
        self.problems: list[Problem] = []
        self._text = text
        self._lines = Lines(text)
        self._sets = list(_pattern(_SET).finditer(text))
        self._known: dict[str, str | None] = {}
        self._later = {match[1].lower(): match[2] for match in self._sets}

    def acts(self) -> Iterator[Fact]:
        """Yield what the script does, each with the values that were set before it."""
        events: list[tuple[int, Kind | None, re.Match[str]]] = [(match.start(), None, match) for match in self._sets]
        for act, pattern in _ACTS:
            events += ((match.start(), act, match) for match in _pattern(f"(?i){pattern}").finditer(self._text))
        for start, kind, match in sorted(events, key=lambda event: (event[0], event[1] is not None)):
            if kind is None:
                self._known[match[1].lower()] = self._folded(match[2], start, 0)
                continue
            if match[1] is None:
                self._unread(start, "brackets are nested too deeply")
            value = None if match[1] is None else self._folded(match[1], start, 0)
            value = " ".join(match[0].split())[:80] if match[1] == "" else value
            span = self._lines.span(*match.span())
            yield Fact(kind, None if value is None else bounded(value), span, Moment.LOAD)

    def _folded(self, value: str, at: int, depth: int) -> str | None:
        """Return what constant texts and known variables give together; None if a part is unknown."""
        parts: list[str] = []
        size = 0
        for match in _pattern(_WORD).finditer(value):
            meant = self._word(match[0], at, depth)
            if meant is None:
                return None
            parts.append(meant)
            size += len(meant)
            if size > MAX_FOLDED:
                self._unread(at, f"a text of more than {MAX_FOLDED} characters: not followed")
                return None
        return "".join(parts)

    def _word(self, word: str, at: int, depth: int) -> str | None:
        name = word.rsplit(maxsplit=1)[-1].lower()
        if word.startswith('"'):
            return _unquoted(word)
        if not word.startswith("("):
            if name in self._known:
                return self._known[name]
            if name not in self._later:
                return None
        if depth >= MAX_DEPTH:
            self._unread(at, f"more than {MAX_DEPTH} values that lead to one another: not followed")
            return None
        if word.startswith("("):
            return self._folded(word[1:-1], at, depth + 1)
        self._known[name] = None  # if it leads to itself
        self._known[name] = found = self._folded(self._later[name], at, depth + 1)
        return found

    def _unread(self, at: int, reason: str) -> None:
        problem = Problem(self._lines.span(at, at).line, reason, unread=True)
        if all(one.reason != reason for one in self.problems):
            self.problems.append(problem)


def _unquoted(text: str) -> str:
    return text[1:-1].replace('\\"', '"').replace("\\\\", "\\").encode("latin-1", "replace").decode("utf-8", "replace")


@cache
def _pattern(source: str) -> re.Pattern[str]:
    return re.compile(source)
