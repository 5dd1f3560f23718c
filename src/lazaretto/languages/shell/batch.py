"""The parser for Windows batch files: simple commands, pipes, groups, ``%variables%``; enough to see what runs.

``cmd`` has no grammar that was ever published; this reader follows its documented rules (``cmd /?``, ``for /?``) and
takes every branch. Jumps are ignored: every line counts as run.
"""

import re
from functools import cache

from lazaretto.languages.shell.syntax import Part, PartKind, Pipeline, Redirect, Script, Simple, Word, told

MAX_LINE = 8192
"""Longest command line that ``cmd`` takes, in characters."""

_PREFIX = r"""(?ix)\s*(?:
    @ | \( | \) | else\b | call\s+(?!:)
    | start\s+(?:"[^"]*"\s+)?(?:/\S+\s+)*
    | (?:else\s+)?if\s+(?:/i\s+)?(?:not\s+)?(?:
        exist\s+(?:"[^"]*"|\S+) | defined\s+\S+ | errorlevel\s+\d+
        | (?:"[^"]*"|[^\s="]+)\s*(?:==|\bequ\b|\bneq\b|\blss\b|\bleq\b|\bgtr\b|\bgeq\b)\s*(?:"[^"]*"|[^\s"]+)
    )
    | for\s+(?:/\S+\s+)?(?:"[^"]*"\s+)?%%?\w\s+in\s*\([^)\n]*\)\s*do\b
)"""
"""What stands in front of a command without being one: conditions, loops, ``call``, ``start``."""

_VARIABLE = r"%([A-Za-z_][\w.()]*)(?::~(-?\d+)(?:,(-?\d+))?|:([^%=~\n][^%=\n]*)=([^%\n]*))?%|!([A-Za-z_]\w*)!"


def parse(source: str, offset: int = 0) -> Script:
    """Return the commands of a batch file whose first character stands at byte ``offset``."""
    body: list[Pipeline] = []
    defects: list[tuple[int, str]] = []
    at = 0
    source = _compiled(r"\^\r?\n").sub(lambda match: " " * len(match.group()), source)
    for line in source.split("\n"):
        stripped = line.strip().lstrip("@").lstrip()
        if not _compiled(r"(?i)(?:::|rem\b|:\w)").match(stripped):
            if len(line) > MAX_LINE:
                defects.append((offset + at, f"a line of {len(line)} bytes is longer than cmd takes"))
            body += _line(line[:MAX_LINE].rstrip("\r"), offset + at)
            body += _loop_sources(line[:MAX_LINE], offset + at)
        at += len(line) + 1
    return Script(tuple(body), told(defects))


def _line(line: str, offset: int) -> list[Pipeline]:
    """Return the pipelines of one line, split at ``&``, ``&&`` and ``||`` outside quotes."""
    found: list[Pipeline] = []
    stages: list[Simple] = []
    start = 0
    for at, operator in [*_operators(line), (len(line), "")]:
        simple = _simple(line[start:at], offset + start)
        if simple is not None:
            stages.append(simple)
        start = at + max(1, len(operator))
        if operator != "|" and stages:
            found.append(Pipeline(tuple(stages)))
            stages = []
    return found


def _operators(line: str) -> list[tuple[int, str]]:
    found = []
    quoted = False
    at = 0
    while at < len(line):
        here = line[at]
        if here == "^" and not quoted:
            at += 1
        elif here == '"':
            quoted = not quoted
        elif here == ")" and not quoted and _compiled(r"(?i)\)\s*(?:else\b|$|[&|)])").match(line, at):
            found.append((at, "&"))
        elif here in "&|" and not quoted and line[at - 1 : at] not in {">", "<"}:
            operator = line[at : at + 2] if line[at : at + 2] in {"&&", "||"} else here
            found.append((at, operator))
            at += len(operator) - 1
        at += 1
    return found


def _simple(text: str, offset: int) -> Simple | None:
    """Return one command without the conditions in front of it."""
    at = 0
    while match := _compiled(_PREFIX).match(text, at):
        if match.end() == at:
            break
        at = match.end()
    assign = _compiled(r"(?is)\s*set\s+(?:/[ap]\s+)?\"?([\w.]+)=(.*?)\"?\s*\)?\s*").fullmatch(text, at)
    if assign:
        start = offset + assign.start(2)
        word = Word(tuple(_pieces(_unescape(assign.group(2)), start)), start, offset + len(text))
        return Simple(((assign.group(1).lower(), word),), (), (), offset + at, offset + len(text))
    words, redirects = _words(text, at, offset)
    if not words and not redirects:
        return None
    start = words[0].start if words else offset + at
    return Simple((), tuple(words), tuple(redirects), start, offset + len(text))


def _words(text: str, at: int, offset: int) -> tuple[list[Word], list[Redirect]]:
    words: list[Word] = []
    redirects: list[Redirect] = []
    operator = ""
    for match in _compiled(
        r"\d?(>>|>&\d|>|<)|((?:\"[^\"]*\"?|\^[\s\S]|[^\s\"^<>,;=()]|[=,;](?=\S)|\((?=[^)\s]*\)))+)"
    ).finditer(text, at):
        if match.group(1):
            operator = match.group(1) if "&" not in match.group(1) else ""
            continue
        start = offset + match.start(2)
        word = Word(tuple(_pieces(_unescape(match.group(2)), start)), start, offset + match.end())
        if operator:
            redirects.append(Redirect(operator, word))
            operator = ""
        else:
            words.append(word)
    return words, redirects


def _unescape(text: str) -> str:
    """Return a word without carets and quotes; a quoted word keeps its carets."""
    return "".join(
        piece[1:].removesuffix('"') if piece.startswith('"') else _compiled(r"\^(.?)").sub(r"\1", piece)
        for piece in _compiled(r'"[^"]*"?|[^"]+').findall(text)
    )


def _pieces(text: str, start: int) -> list[Part]:
    """Return the pieces of a word: text, and ``%variables%`` (with ``:~start,length`` as the shell's substring)."""
    parts: list[Part] = []
    at = 0
    text = _compiled(r"(?i)%~dp0\\?|%cd%\\?").sub("./", text)  # the folder of the file itself
    for match in _compiled(_VARIABLE).finditer(text):
        if match.start() > at:
            parts.append(Part(PartKind.TEXT, text[at : match.start()], start, quoted=True))
        operator = ""
        if match.group(2):
            operator = f":{match.group(2)}" + (f":{match.group(3)}" if match.group(3) else "")
        if match.group(4):
            old = _compiled(r"[/*?\[\\]").sub(r"\\\g<0>", match.group(4))
            operator = f"//{old}/{match.group(5)}"
        name = (match.group(1) or match.group(6)).lower()
        parts.append(Part(PartKind.VARIABLE, name, start, quoted=True, operator=operator))
        at = match.end()
    if at < len(text) or not parts:
        parts.append(Part(PartKind.TEXT, text[at:], start, quoted=True))
    return parts


def _loop_sources(line: str, offset: int) -> list[Pipeline]:
    """Return the commands whose output ``for /f`` reads."""
    found: list[Pipeline] = []
    for match in _compiled(r"(?i)\bin\s*\(\s*[`'](.+?)[`']\s*\)\s*do\b").finditer(line):
        found += _line(match.group(1), offset + match.start(1))
    return found


@cache
def _compiled(source: str) -> re.Pattern[str]:
    return re.compile(source)
