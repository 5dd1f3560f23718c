"""Cython source (``.pyx``, ``.pxd``, ``.pxi``): read as the Python that is left when the types of C are taken away.

Each line stays at its place. C functions and classes become Python's, casts and declarations go, and what is
``cimport``-ed or declared of C's library to start a process or to delete a file becomes the function of ``os`` that
does the same. What ``include`` names is an import.

## What it cannot see
C code: that which a docstring of ``cdef extern`` carries verbatim, and that of the libraries that are linked. Pointers,
templates and what several lines declare together are read as far as Python's parser gets; what it does not understand
there is no problem, since this reader's own rewriting may be the cause, and the compiled module is read as a program.
"""

import re
from collections.abc import Iterator
from functools import cache

from lazaretto.core.facts import Fact, Facts, Kind, Moment, Problem, Span, bounded
from lazaretto.core.inner import Inner
from lazaretto.core.language import Claim, Units
from lazaretto.languages._hidden import hidden_text
from lazaretto.languages._lines import Lines
from lazaretto.languages._magic import is_text
from lazaretto.languages._names import ending
from lazaretto.languages._utf16 import as_utf8, in_published

ID = "cython"
VERSION = 3
DIALECTS = ("cython",)
"""Every dialect that ``read`` takes."""

MAX_SOURCE = 8 * 1024 * 1024
"""Longest source that is read, in bytes."""

_INCLUDE = rb"(?m)^[ \t]*include[ \t]+[\"']([^\"'\n]+)[\"']"


def claim(path: str, data: bytes) -> Claim | None:
    """Offer to read Cython by its endings, also where the first line names Python: Python could not read it."""
    return Claim("cython", 95) if ending(path) in ("pyx", "pxd", "pxi") and is_text(data) else None


def read(dialect: str, data: bytes, units: Units) -> Facts:
    """Return hidden text and what is included. Never raises."""
    text = as_utf8(data)
    hidden = hidden_text(text)
    if len(text) > MAX_SOURCE:
        problem = Problem(1, f"a source of {len(text)} bytes is longer than {MAX_SOURCE}", unread=True)
        return Facts(ID, in_published(hidden, text, data), (), (problem,))
    lines = Lines(text)
    included = [
        Fact(Kind.IMPORT, bounded(f"./{match[1].decode('utf-8', 'replace')}"), lines.span(*match.span(1)), Moment.LOAD)
        for match in _pattern(_INCLUDE).finditer(text)
    ]
    return Facts(ID, in_published((*dict.fromkeys(included), *hidden), text, data))


def inner(dialect: str, data: bytes, facts: Facts) -> Iterator[Inner]:
    """Yield the source as Python."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or len(data) > MAX_SOURCE:
        return
    rewritten = list(_rewritten(data.split(b"\n")))
    places: list[Span] = []
    start = 0
    for number, line in enumerate(data.split(b"\n"), 1):
        places.append(Span(number, 0, start, start + len(line)))
        start += len(line) + 1
    yield Inner(b"\n".join(rewritten), "python", places=tuple(places), lenient=True)


def _rewritten(lines: list[bytes]) -> Iterator[bytes]:
    """Yield each line as Python's; lines of C's declarations are blank but for what they let the program do."""
    declares = -1
    for line in lines:
        stripped = line.strip()
        indent = len(line) - len(line.lstrip())
        if stripped and indent <= declares:
            declares = -1
        if declares >= 0:
            yield _borrowed(line, declares)
        elif _pattern(_DECLARES).match(stripped):
            declares = indent
            yield b""
        else:
            yield line[:indent] + _statement(stripped)


def _borrowed(line: bytes, indent: int) -> bytes:
    found = _pattern(_LIBRARY + rb"\s*\(").findall(line)
    return b" " * indent + b"from os import " + b", ".join(dict.fromkeys(found)) if found else b""


def _statement(line: bytes) -> bytes:
    """Return one line without what only Cython has."""
    for source, instead in _WHOLE:
        match = _pattern(source).match(line)
        if match:
            return match.expand(instead)
    imported = _pattern(rb"from\s+[\w.]+\s+cimport\s+(.*)").match(line)
    if imported:
        names = _pattern(_LIBRARY + rb"\b(\s+as\s+\w+)?").findall(imported[1])
        return b"from os import " + b", ".join(name + other for name, other in names) if names else b"pass"
    function = _function(line)
    if function is not None:
        return function
    line = _pattern(_VARIABLE).sub(rb"\1", line)
    return _pattern(_ADDRESS).sub(rb"\1", _pattern(_CAST).sub(rb"\1", line))


def _function(line: bytes) -> bytes | None:
    """Return the head of a function as Python's, or None if the line begins with none."""
    head = _pattern(_FUNCTION).match(line)
    if head is None:
        return None
    depth, end = 1, -1
    for bracket in _pattern(rb"[()]").finditer(line, head.end()):
        depth += 1 if bracket[0] == b"(" else -1
        if not depth:
            end = bracket.start()
            break
    tail = _pattern(_TAIL).match(line, end + 1) if end >= 0 else None
    if tail is None:
        return None
    rest = b":" if line.endswith(b":") else line[tail.end() - 1 :]
    return b"def " + head[1] + b"(" + _arguments(line[head.end() : end]) + b")" + rest


def _arguments(text: bytes) -> bytes:
    """Return the names and defaults of arguments."""
    found = []
    for part in _split(text):
        name, equals, default = part.partition(b"=")
        words = _pattern(rb"[\w*]+").findall(_pattern(rb"\[[^\]]*\]|\bnot\s+None\b|:.*").sub(b"", name))
        if words:
            stars = b"*" * words[0].count(b"*") if len(words) == 1 else b""
            found.append(stars + words[-1].strip(b"*") + equals + default)
    return b", ".join(found)


def _split(text: bytes) -> list[bytes]:
    """Return the arguments: the commas inside brackets part nothing."""
    parts = [bytearray()]
    depth = 0
    for character in text:
        depth += (character in b"([{") - (character in b")]}")
        if character == 44 and depth == 0:
            parts.append(bytearray())
        else:
            parts[-1].append(character)
    return [bytes(part) for part in parts]


# C's functions that Python's ``os`` has under the same name.
_LIBRARY = rb"\b(system|popen|execv|execve|execvp|execvpe|unlink|remove|rmdir|getenv|setenv|fork|kill)"
_DECLARES = (
    rb"(?:cdef|cpdef|ctypedef)\s+(?:(?:public|api|packed|extern|readonly)\s+)*(?:from\s.*|struct\b.*|enum\b.*|union\b.*"
    rb"|fused\b.*):\s*(?:#.*)?$"
)
_WHOLE = (
    (rb"(?:cdef|cpdef)\s+(?:(?:public|api)\s+)*(class\s.*)", rb"\1"),
    (rb"cdef\s*:", rb"if 1:"),
    (rb"ctypedef\b.*", rb"pass"),
    (rb"from\s+libc\s+cimport\s+stdlib\b.*", rb"import os as stdlib"),
    (rb"from\s+posix\s+cimport\s+(unistd|stdlib|stdio)\b.*", rb"import os as \1"),
    (rb"cimport\b.*", rb"pass"),
    (rb"include\b.*", rb"pass"),
    (rb"DEF\s+(.*)", rb"\1"),
    (rb"IF\s+(.*)", rb"if \1"),
    (rb"ELIF\s+(.*)", rb"elif \1"),
    (rb"ELSE\s*:", rb"else:"),
    (rb"property\s+(\w+)\s*:", rb"class \1:"),
    (rb"for\s+(\w+)\s+from\s+(.*):", rb"for \1 in (\2):"),
)
_FUNCTION = rb"(?:cdef|cpdef|def)\s+(?:[\w.*&\[\]:, ]*[ *&])?(\w+)\s*\("
_TAIL = rb"\s*(?:(?:except\b|noexcept\b|nogil\b|with\s+gil\b|->)[^:]*)?:"
_VARIABLE = rb"^(?:cdef|cpdef)\s+(?:[\w.*&\[\]:, ]*?[ *&])?(\w+\s*(?:=.*)?)$"
_CAST = rb"((?:^|[=(,\[:+*/-]|\b(?:return|in|and|or|not))\s*)<[\w\s.*\[\]:,?]{1,80}>\s*(?=[\w(\"'&<])"
_ADDRESS = rb"(?<=[(,=] )&(\w)|(?<=[(,=])&(?=\w)"


@cache
def _pattern(source: bytes) -> re.Pattern[bytes]:
    return re.compile(source)
