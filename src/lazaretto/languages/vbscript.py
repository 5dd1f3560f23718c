"""VBScript (``.vbs``, scripts of pages and of Windows script files): processes, downloads, files, the registry, eval.

Dialects: ``vbscript``; ``wscript``, ``cscript`` and ``mshta`` for the text that a shell hands to them. Texts are
folded: ``&``, ``Chr``, ``StrReverse``, ``Replace``, and variables that are set once to something constant.

## What it cannot see
Encoded scripts (``.vbe``, which is said); loops that build a text, arrays, and functions of the script's own; what an
object that is created by a computed name does.
"""

import re
from collections.abc import Iterator
from functools import cache

from lazaretto.core.facts import Fact, Facts, Kind, Moment, Problem, Span, bounded
from lazaretto.core.inner import Inner
from lazaretto.core.language import Claim, Units
from lazaretto.languages._addressed import addressed
from lazaretto.languages._bracketed import brackets
from lazaretto.languages._commands import CUT, was_cut
from lazaretto.languages._hidden import hidden_text
from lazaretto.languages._lines import Lines
from lazaretto.languages._names import ending
from lazaretto.languages._sensitive import persist_path
from lazaretto.languages._strings import Strings, text_facts
from lazaretto.languages._utf16 import as_utf8, in_published

ID = "vbscript"
VERSION = 3
DIALECTS = ("vbscript", "wscript", "cscript", "mshta")
"""Every dialect that ``read`` takes."""

MAX_SCRIPT = 1024 * 1024
"""Longest script that is read, in bytes."""

MAX_BRACKETS = 12
"""Deepest nesting of calls inside calls that is followed."""

MAX_FOLDED = 1024 * 1024
"""Longest text that is put together, in characters."""

MAX_DEPTH = 60
"""How often a value may lead to another one: a variable, or what a function is given."""

_ENCODED = b"#@~^"
_TEXT = r'"(?:[^"\n]++|"")*+"'
_FUNCTION = r"(?:chrw?|strreverse|replace|lcase|ucase|trim)[ \t]*+"
_CALL = rf"{_FUNCTION}{brackets(_TEXT, MAX_BRACKETS)}"
_WORD = rf"(?:{_TEXT}|{_CALL}|[a-z_]\w*|{brackets(_TEXT, MAX_BRACKETS)})"
_VALUE = rf"({_WORD}(?:\s*+[&+]\s*+{_WORD})*+)"
_GIVEN = rf"[ \t]*+(?:\([ \t]*+)?(?:{_VALUE}|(?=\())"
_SET = rf"(?im)^[ \t]*(?:const[ \t]+)?([a-z_]\w*)[ \t]*=[ \t]*{_VALUE}[ \t]*(?:'.*)?$"
_ACTS = (
    (Kind.PROCESS_SPAWN, rf"\.(?:run|exec)\b{_GIVEN}"),
    (Kind.PROCESS_SPAWN, rf"\.shellexecute\b{_GIVEN}"),
    (Kind.PROCESS_SPAWN, rf"win32_process(?:(?!win32_process)[^\n])*?\.create\b{_GIVEN}"),
    (Kind.NET_CONNECT, rf"\.open\b[ \t]*+(?:\([ \t]*+)?\"(?:get|post|put|head)\"\s*+,\s*+(?:{_VALUE}|(?=\())"),
    (Kind.FS_WRITE, rf"\.(?:savetofile|createtextfile)\b{_GIVEN}"),
    (Kind.FS_DELETE, rf"\.(?:deletefile|deletefolder)\b{_GIVEN}"),
    (Kind.CODE_EVAL, rf"(?<![\w.])(?:execute|executeglobal|eval)\b{_GIVEN}"),
    (Kind.FS_WRITE, rf"\.regwrite\b{_GIVEN}"),
)


def claim(path: str, data: bytes) -> Claim | None:
    """Offer to read VBScript by its ending."""
    return Claim("vbscript", 50) if ending(path) in ("vbs", "vbe") else None


def read(dialect: str, data: bytes, units: Units) -> Facts:
    """Return the facts of a script. Never raises; an encoded script is a problem."""
    if len(data) > MAX_SCRIPT:
        return Facts(
            ID, problems=(Problem(1, f"a script of {len(data)} bytes is longer than {MAX_SCRIPT}", unread=True),)
        )
    raw = as_utf8(data)
    if raw.lstrip().startswith(_ENCODED):
        return Facts(ID, (Fact(Kind.OBFUSCATED, "vbe", Span(1, 0, 0, 4), Moment.LOAD),), (), (Problem(1, "encoded"),))
    text = _bare(raw.decode("latin-1"))
    sets: dict[str, list[str]] = {}
    for match in _pattern(_SET).finditer(text):
        sets.setdefault(match[1].lower(), []).append(match[2])
    known = {name: values[0] for name, values in sets.items() if len(values) == 1}
    fold = _Fold(known)
    named = _named(text)
    facts = sorted((*_facts(text, fold), *named.facts), key=lambda fact: (fact.span.start, fact.kind))
    told = in_published((*dict.fromkeys(facts), *hidden_text(raw), *addressed(raw)), raw, data)
    problems = tuple(Problem(1, reason, unread=True) for reason in fold.unread)
    return Facts(ID, told, (), (*problems, *named.problems))


def inner(dialect: str, data: bytes, facts: Facts) -> Iterator[Inner | Problem]:
    """Yield the command lines that the script starts, and the code that it evaluates."""
    for fact in facts.facts:
        named = {Kind.PROCESS_SPAWN: "command", Kind.CODE_EVAL: "vbscript"}.get(fact.kind)
        if named and fact.value:
            if was_cut(fact.value):
                yield Problem(fact.span.line, CUT, unread=True)
            yield Inner(fact.value.encode("utf-8", "replace"), named, places=(fact.span,), step=ID, lenient=True)


def _bare(text: str) -> str:
    """Return the text with lines that go on joined, and comments blank; the length stays the same."""
    text = _pattern(r"[ \t]_[ \t]*\r?\n").sub(lambda match: " " * len(match[0]), text)
    blank = _pattern(rf"({_TEXT})|(?:'|\brem\b)[^\n]*")
    return blank.sub(lambda match: match[1] or " " * len(match[0]), text)


def _facts(text: str, fold: "_Fold") -> Iterator[Fact]:
    lines = Lines(text)
    for kind, pattern in _ACTS:
        for match in _pattern(pattern).finditer(text):
            if match[1] is None or _pattern(rf"\b{_FUNCTION}\(").match(text, match.end(1) - len(_last_word(match[1]))):
                fold.unread["brackets are nested too deeply"] = None
            value, via = (None, "plain") if match[1] is None else fold.folded(match[1])
            if not value and value is not None:
                continue
            told = None if value is None else bounded(value)
            yield Fact(kind, told, lines.span(*match.span()), Moment.LOAD, via)
            if kind is Kind.FS_WRITE and value and persist_path(value):
                yield Fact(Kind.PERSIST, told, lines.span(*match.span()), Moment.LOAD, via)


def _last_word(value: str) -> str:
    found = _pattern(r"\w*\Z").search(value[-20:])
    return found[0] if found else ""


def _named(text: str) -> Strings:
    """Return what the texts of a script name."""
    lines = Lines(text)
    quoted = ((_unquoted(match[0]), lines.span(*match.span())) for match in _pattern(_TEXT).finditer(text))
    return text_facts(quoted, Moment.LOAD)


class _Fold:
    """What constant texts give together, with the variables that are set once."""

    def __init__(self, known: dict[str, str]) -> None:
        self.unread: dict[str, None] = {}
        self._known = known
        self._found: dict[str, tuple[str | None, str]] = {}
        self._depth = 0

    def folded(self, value: str) -> tuple[str | None, str]:
        """Return the text of a value, and by which steps it was found; None if a part is unknown."""
        if self._depth >= MAX_DEPTH:
            self.unread[f"more than {MAX_DEPTH} values that lead to one another: not followed"] = None
            return None, "plain"
        self._depth += 1
        found = self._joined(value)
        self._depth -= 1
        return found

    def _joined(self, value: str) -> tuple[str | None, str]:
        parts: list[str] = []
        steps: dict[str, None] = {}
        size = 0
        for match in _pattern(_WORD).finditer(value):
            one, via = self._word(match[0])
            steps.update(dict.fromkeys(step for step in via.split(">") if step != "plain"))
            if one is None:
                return None, "plain"
            parts.append(one)
            size += len(one)
            if size > MAX_FOLDED:
                self.unread[f"a text of more than {MAX_FOLDED} characters: not followed"] = None
                return None, "plain"
        return "".join(parts), ">".join(steps) or "plain"

    def _word(self, word: str) -> tuple[str | None, str]:
        if word.startswith('"'):
            return _unquoted(word), "plain"
        if "(" in word:
            return self.folded(word[1:-1]) if word.startswith("(") else self._called(word)
        name = word.lower()
        if name not in self._found and name in self._known:
            self._found[name] = (None, "plain")  # if it leads to itself
            self._found[name] = self.folded(self._known[name])
        return self._found.get(name, (None, "plain"))

    def _called(self, word: str) -> tuple[str | None, str]:
        name, _, rest = word.partition("(")
        name, arguments = name.strip().lower(), rest.rpartition(")")[0]
        if name.startswith("chr"):
            digits = arguments.strip()
            number = int(digits) if digits.isdecimal() and len(digits) < 7 else -1
            return (chr(number) if 0 <= number < 0x110000 else None), "chr"
        values = [self.folded(part)[0] for part in _split(arguments)]
        texts = [value for value in values if value is not None]
        if not texts or len(texts) < len(values):
            return None, name
        if name == "replace" and len(texts) >= 3:
            longer = texts[0].count(texts[1]) * len(texts[2]) if texts[1] else 0
            if longer > MAX_FOLDED:
                self.unread[f"a text of more than {MAX_FOLDED} characters: not followed"] = None
                return None, name
            return texts[0].replace(texts[1], texts[2]) if texts[1] else texts[0], name
        return {"strreverse": texts[0][::-1], "lcase": texts[0].lower(), "ucase": texts[0].upper(),
                "trim": texts[0].strip()}.get(name), {"strreverse": "reverse"}.get(name, name)  # fmt: skip


def _split(arguments: str) -> list[str]:
    """Return the arguments of a call: the commas that stand in a text or a bracket part nothing."""
    parts = [""]
    deep, quoted = 0, False
    for character in arguments:
        quoted ^= character == '"'
        deep += (character == "(") - (character == ")") if not quoted else 0
        if character == "," and not quoted and deep == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _unquoted(text: str) -> str:
    return text[1:-1].replace('""', '"').encode("latin-1", "replace").decode("utf-8", "replace")


@cache
def _pattern(source: str) -> re.Pattern[str]:
    return re.compile(source, re.IGNORECASE)
