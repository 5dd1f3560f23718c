"""The part of YAML that settings are written in: nested mappings, lists and scalars in block style.

Anchors, tags, flow style over several lines and multi-line scalars are refused with their line, so that what is not
understood is told instead of read wrongly. The whole of YAML would need a parser that is bigger than this program's
other readers of settings together.
"""

import re
from collections.abc import Iterator

from msgspec import Struct

MAX_DEPTH = 20
"""Deepest nesting of a file of settings."""

_KEY = re.compile(
    r"""("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s#"'\[\]{},&*!|>%@`-][^#]*?|-[^\s#][^#]*?)\s*:(?:\s+(.*)|$)"""
)


class YamlError(Exception):
    """The text is not understood. ``line`` is where."""

    def __init__(self, line: int, why: str) -> None:
        self.line = line
        super().__init__(f"line {line}: {why}")


class Scalar(Struct, frozen=True):
    """A value that stands at a path of keys and list positions (``updates``, ``0``, ``cooldown``, ``default-days``)."""

    path: tuple[str, ...]
    value: str
    line: int


class _Line(Struct, frozen=True):
    indent: int
    text: str
    number: int


def scalars(text: str) -> tuple[Scalar, ...]:
    """Return every scalar of a document with its path, in the order of the text.

    Raises:
        YamlError: something is written in a way that this reader does not know.
    """
    lines = list(_lines(text))
    found: list[Scalar] = []
    end = _block(lines, 0, (), found) if lines else 0
    if end < len(lines):
        raise YamlError(lines[end].number, "the indent fits nothing above")
    return tuple(found)


def _lines(text: str) -> Iterator[_Line]:
    for number, raw in enumerate(text.splitlines(), 1):
        body = _uncommented(raw).rstrip()
        stripped = body.lstrip(" ")
        if not stripped or stripped == "---":
            continue
        if stripped.startswith("\t"):
            raise YamlError(number, "a tab is no indent")
        if stripped == "..." or stripped.startswith("%"):
            raise YamlError(number, "a directive, or a second document")
        yield _Line(len(body) - len(stripped), stripped, number)


def _uncommented(raw: str) -> str:
    """Return a line without its comment: ``#`` at the start or after a space, outside quotes."""
    quote = ""
    for at, character in enumerate(raw):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'" and (at == 0 or raw[at - 1] in " \t:[{,-"):
            quote = character
        elif character == "#" and (at == 0 or raw[at - 1] in " \t"):
            return raw[:at]
    return raw


def _block(lines: list[_Line], start: int, path: tuple[str, ...], found: list[Scalar]) -> int:
    """Read the mapping or list that begins at a line; return the line after it."""
    if len(path) > MAX_DEPTH:
        raise YamlError(lines[start].number, "nested too deeply")
    indent, at, position = lines[start].indent, start, 0
    listed = _is_item(lines[start].text)
    while at < len(lines) and lines[at].indent == indent and _is_item(lines[at].text) == listed:
        line = lines[at]
        if listed:
            inner = line.text[1:].lstrip(" ")
            here = (*path, str(position))
            position += 1
            if inner and (_is_item(inner) or _KEY.fullmatch(inner)):
                lines[at] = _Line(indent + len(line.text) - len(inner), inner, line.number)
                at = _block(lines, at, here, found)
            else:
                at = _value(lines, at, here, inner, found)
        else:
            match = _KEY.fullmatch(line.text)
            if match is None:
                raise YamlError(line.number, "this is no key with a value")
            at = _value(lines, at, (*path, _plain(match[1], line.number)), match[2] or "", found)
    return at


def _value(lines: list[_Line], at: int, path: tuple[str, ...], text: str, found: list[Scalar]) -> int:
    """Read what stands behind a key or a dash, or the block below it; return the line after it."""
    line = lines[at]
    if text:
        found.extend(_inline(path, text, line.number))
        following = lines[at + 1] if at + 1 < len(lines) else None
        if following is not None and following.indent > line.indent and not _is_item(line.text):
            raise YamlError(following.number, "a value over several lines")
        return at + 1
    if at + 1 < len(lines):
        below = lines[at + 1]
        deeper = below.indent > line.indent
        if deeper or (below.indent == line.indent and _is_item(below.text) and not _is_item(line.text)):
            return _block(lines, at + 1, path, found)
    found.append(Scalar(path, "", line.number))
    return at + 1


def _inline(path: tuple[str, ...], text: str, number: int) -> Iterator[Scalar]:
    if text in ("[]", "{}"):
        return
    if text.startswith("["):
        if not text.endswith("]") or any(sign in text[1:-1] for sign in "[]{}"):
            raise YamlError(number, "a list over several lines, or inside another")
        for position, item in enumerate(part for part in text[1:-1].split(",") if part.strip()):
            yield Scalar((*path, str(position)), _plain(item.strip(), number), number)
        return
    yield Scalar(path, _plain(text, number), number)


def _plain(text: str, number: int) -> str:
    """Return a scalar without its quotes."""
    if text[0] in "\"'":
        if len(text) < 2 or text[-1] != text[0]:
            raise YamlError(number, "a quote that does not end on its line")
        body = text[1:-1]
        return body.replace("''", "'") if text[0] == "'" else body
    if text[0] in "&*!|>{%@`" or text.startswith("? "):
        raise YamlError(number, "an anchor, a tag, a flow mapping or a multi-line text")
    return text


def _is_item(text: str) -> bool:
    return text == "-" or text.startswith("- ")
