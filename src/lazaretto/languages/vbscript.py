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

_ENCODED = b"#@~^"
_TEXT = r'"(?:[^"\n]|""){0,20000}"'
_CALL = r"(?:chrw?|strreverse|replace|lcase|ucase|trim)\s*\([^()\n]{0,500}(?:\([^()\n]{0,500}\)[^()\n]{0,500}){0,9}\)"
_WORD = rf"(?:{_TEXT}|{_CALL}|[a-z_]\w*)"
_VALUE = rf"({_WORD}(?:\s*[&+]\s*{_WORD}){{0,500}})"
_SET = rf"(?im)^[ \t]*(?:const[ \t]+)?([a-z_]\w*)[ \t]*=[ \t]*{_VALUE}[ \t]*(?:'.*)?$"
_ACTS = (
    (Kind.PROCESS_SPAWN, rf"\.(?:run|exec)\b[ \t]{{0,20}}\(?[ \t]{{0,20}}{_VALUE}"),
    (Kind.PROCESS_SPAWN, rf"\.shellexecute\b[ \t]{{0,20}}\(?[ \t]{{0,20}}{_VALUE}"),
    (Kind.PROCESS_SPAWN, rf"win32_process[^\n]{{0,200}}\.create\b[ \t]{{0,20}}\(?[ \t]{{0,20}}{_VALUE}"),
    (Kind.NET_CONNECT, rf"\.open\b[ \t]{{0,20}}\(?[ \t]{{0,20}}\"(?:get|post|put|head)\"\s*,\s*{_VALUE}"),
    (Kind.FS_WRITE, rf"\.(?:savetofile|createtextfile)\b[ \t]{{0,20}}\(?[ \t]{{0,20}}{_VALUE}"),
    (Kind.FS_DELETE, rf"\.(?:deletefile|deletefolder)\b[ \t]{{0,20}}\(?[ \t]{{0,20}}{_VALUE}"),
    (Kind.CODE_EVAL, rf"(?<![\w.])(?:execute|executeglobal|eval)\b[ \t]{{0,20}}\(?[ \t]{{0,20}}{_VALUE}"),
    (Kind.FS_WRITE, rf"\.regwrite\b[ \t]{{0,20}}\(?[ \t]{{0,20}}{_VALUE}"),
)


def claim(path: str, data: bytes) -> Claim | None:
    """Offer to read VBScript by its ending."""
    return Claim("vbscript", 50) if ending(path) in ("vbs", "vbe") else None


def read(dialect: str, data: bytes, units: Units) -> Facts:
    """Return the facts of a script. Never raises; an encoded script is a problem."""
    if len(data) > MAX_SCRIPT:
        problem = Problem(1, f"a script of {len(data)} bytes is longer than {MAX_SCRIPT}", unread=True)
        return Facts(ID, problems=(problem,))
    raw = as_utf8(data)
    if raw.lstrip().startswith(_ENCODED):
        return Facts(ID, (Fact(Kind.OBFUSCATED, "vbe", Span(1, 0, 0, 4), Moment.LOAD),), (), (Problem(1, "encoded"),))
    text = _bare(raw.decode("latin-1"))
    sets: dict[str, list[str]] = {}
    for match in _pattern(_SET).finditer(text):
        sets.setdefault(match[1].lower(), []).append(match[2])
    known = {name: values[0] for name, values in sets.items() if len(values) == 1}
    named = _named(text)
    facts = sorted((*_facts(text, known), *named.facts), key=lambda fact: (fact.span.start, fact.kind))
    return Facts(
        ID, in_published((*dict.fromkeys(facts), *hidden_text(raw), *addressed(raw)), raw, data), (), named.problems
    )


def inner(dialect: str, data: bytes, facts: Facts) -> Iterator[Inner]:
    """Yield the command lines that the script starts, and the code that it evaluates."""
    for fact in facts.facts:
        named = {Kind.PROCESS_SPAWN: "command", Kind.CODE_EVAL: "vbscript"}.get(fact.kind)
        if named and fact.value:
            yield Inner(fact.value.encode("utf-8", "replace"), named, places=(fact.span,), step=ID, lenient=True)


def _bare(text: str) -> str:
    """Return the text with lines that go on joined, and comments blank; the length stays the same."""
    text = _pattern(r"[ \t]_[ \t]*\r?\n").sub(lambda match: " " * len(match[0]), text)
    blank = _pattern(rf"({_TEXT})|(?:'|\brem\b)[^\n]*")
    return blank.sub(lambda match: match[1] or " " * len(match[0]), text)


def _facts(text: str, known: dict[str, str]) -> Iterator[Fact]:
    lines = Lines(text)
    for kind, pattern in _ACTS:
        for match in _pattern(pattern).finditer(text):
            value, via = _folded(match[1], known, 4)
            if not value and value is not None:
                continue
            told = None if value is None else bounded(value)
            yield Fact(kind, told, lines.span(*match.span()), Moment.LOAD, via)
            if kind is Kind.FS_WRITE and value and persist_path(value):
                yield Fact(Kind.PERSIST, told, lines.span(*match.span()), Moment.LOAD, via)


def _named(text: str) -> Strings:
    """Return what the texts of a script name."""
    lines = Lines(text)
    quoted = ((_unquoted(match[0]), lines.span(*match.span())) for match in _pattern(_TEXT).finditer(text))
    return text_facts(quoted, Moment.LOAD)


def _folded(value: str, known: dict[str, str], depth: int) -> tuple[str | None, str]:
    """Return what constant texts give together, and by which steps; None if a part is unknown."""
    parts: list[str] = []
    steps: dict[str, None] = {}
    for word in _pattern(_WORD).findall(value):
        one: str | None = None
        if word.startswith('"'):
            one = _unquoted(word)
        elif "(" in word:
            one, step = _called(word, known, depth)
            steps[step] = None
        elif word.lower() in known and depth:
            one, via = _folded(known[word.lower()], known, depth - 1)
            steps.update(dict.fromkeys(step for step in via.split(">") if step != "plain"))
        if one is None or sum(map(len, parts)) > 20_000:
            return None, "plain"
        parts.append(one)
    return "".join(parts), ">".join(steps) or "plain"


def _called(word: str, known: dict[str, str], depth: int) -> tuple[str | None, str]:
    name, _, rest = word.partition("(")
    name, arguments = name.strip().lower(), rest.rpartition(")")[0]
    if name.startswith("chr"):
        digits = arguments.strip()
        number = int(digits) if digits.isdecimal() and len(digits) < 7 else -1
        return (chr(number) if 0 <= number < 0x110000 else None), "chr"
    values = [_folded(part, known, depth - 1)[0] for part in _split(arguments)] if depth else []
    if not values or None in values:
        return None, name
    texts = [value or "" for value in values]
    if name == "replace" and len(texts) >= 3:
        found = texts[0].replace(texts[1], texts[2]) if texts[1] and len(texts[2]) < 100 else texts[0]
        return found[:20_000], "replace"
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
