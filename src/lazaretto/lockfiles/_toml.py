"""TOML through the standard library, bounded, and the lines of its ``[[name]]`` headers, which it does not tell."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lazaretto.core.pin import LockfileError, Pin
from lazaretto.lockfiles._located import text_of

MAX_CHARACTERS = 32 << 20
"""Longest text; the parser of the standard library reads about two million characters a second."""

MAX_KEY = 64
"""Parts of one dotted key: the parser's work grows with their square."""

_DOTTED = re.compile(
    r"""(?<![\w"'-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){%d}""" % MAX_KEY  # noqa: UP031 - braces
)
_KEY = re.compile(r"""[ \t]*+["']?([\w.-]++)["']?[ \t]*+=""")
_TEXT = re.compile(r""""([^"\\]*+)"|'([^']*+)'""")
_QUOTES = re.compile(r"\"\"\"|'''")


def read(text: str) -> Mapping[str, Any]:
    """Return the document.

    Raises:
        LockfileError: it is not TOML, or too large for its parser.
    """
    import tomllib

    if len(text) > MAX_CHARACTERS:
        raise LockfileError(1, f"longer than {MAX_CHARACTERS >> 20} Mi characters: it is not read")
    deep = _DOTTED.search(text)
    if deep is not None:
        raise LockfileError(text.count("\n", 0, deep.start()) + 1, f"a key of more than {MAX_KEY} parts")
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise LockfileError(_error_line(text, str(error)), f"not TOML: {error}") from error


def headers(text: str, name: str) -> list[int]:
    """Return the line of each ``[[name]]``, in order; what stands inside a text of several lines is none."""
    found = []
    inside = ""
    for number, line in enumerate(text.split("\n"), 1):
        if not inside and line.replace(" ", "").replace("\t", "").lstrip("\ufeff").startswith(f"[[{name}]]"):
            found.append(number)
        for quotes in _QUOTES.findall(line.partition("#")[0] if not inside else line):
            inside = "" if inside == quotes else inside or quotes
    return found


def tables(document: Mapping[str, Any], name: str) -> list[Any]:
    """Return an array of tables. Raises LockfileError if it is something else."""
    rows = document.get(name, [])
    if not isinstance(rows, list):
        raise LockfileError(1, f"{name!r} must be an array of tables")
    return rows


def pins(
    document: Mapping[str, Any],
    text: str,
    name: str,
    ecosystem: str,
    make: Callable[[str, Mapping[str, Any], int, str], Pin | None],
) -> Iterator[Pin]:
    """Yield what ``make`` makes of each ``[[name]]``: of its ``name``, itself, its line and path; None: no pin.

    A table without a name is a pin with a problem. Raises LockfileError if there is no such array.
    """
    lines = headers(text, name)
    for index, entry in enumerate(tables(document, name)):
        line, path = lines[index] if index < len(lines) else 1, f"{name}[{index}]"
        called = text_of(entry.get("name")) if isinstance(entry, dict) else None
        if called is None:
            yield Pin(ecosystem, "", None, line, path, problem="the entry has no name")
            continue
        made = make(called, entry, line, path)
        if made is not None:
            yield made


def table(value: object) -> Mapping[str, Any]:
    """Return a table, or an empty one if it is something else."""
    return value if isinstance(value, dict) else {}


def key_lines(text: str) -> dict[str, int]:
    """Return the first line on which each bare or quoted key is given a value."""
    found: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), 1):
        match = _KEY.match(line)
        if match is not None:
            found.setdefault(match.group(1), number)
    return found


def text_lines(text: str) -> dict[str, list[int]]:
    """Return the lines on which each text is quoted, the first one last; of those without escapes."""
    found: dict[str, list[int]] = {}
    for number, line in enumerate(text.split("\n"), 1):
        for double, single in _TEXT.findall(line):
            found.setdefault(double or single, []).append(number)
    for lines in found.values():
        lines.reverse()
    return found


def _error_line(text: str, message: str) -> int:
    match = re.search(r"line (\d+)", message)
    return int(match.group(1)) if match else text.count("\n") + 1
