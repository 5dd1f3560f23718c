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


def links(text: str, needed: re.Pattern[str], section: str = "dependencies = [") -> Iterator[tuple[str, str]]:
    """Yield which ``[[package]]`` needs which, as ``package[0]``: by the lines of a section that ``needed`` matches.

    Line by line, because the parser takes ten times as long; of several packages of one name the first is meant.
    """
    paths: dict[str, str] = {}
    needs: list[tuple[str, str]] = []
    number, inside = -1, False
    for line in text.split("\n"):
        if line.startswith("[[package]]"):
            number, inside = number + 1, False
        elif line.startswith('name = "') and number >= 0:
            paths.setdefault(_plain_name(line[8:].partition('"')[0]), f"package[{number}]")
        elif line.rstrip() == section:
            inside = True
        elif inside and (match := needed.match(line)) is not None:
            needs.append((f"package[{number}]", _plain_name(match.group(1))))
        elif inside and line.startswith(("]", "[")):
            inside = False
    yield from ((needing, paths[name]) for needing, name in needs if name in paths)


def _plain_name(text: str) -> str:
    """Return a name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", text).lower()


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
