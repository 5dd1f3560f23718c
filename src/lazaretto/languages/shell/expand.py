"""Folds words to values: variables with their operators, brace lists, splitting, joined pieces."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

from lazaretto.languages.shell.syntax import Part, PartKind, Word
from lazaretto.languages.shell.values import Value, merge

if TYPE_CHECKING:
    from lazaretto.languages.shell.machine import Machine

MAX_TEXT = 1024 * 1024
"""Longest folded text, in bytes; a longer one is cut, and unknown."""


def words(machine: Machine, word: Word) -> list[Value]:
    """Return the arguments that a word becomes: usually one, more if an unquoted value holds blanks."""
    alone = word.parts[0] if len(word.parts) == 1 else None
    if alone and alone.kind is PartKind.TEXT and not alone.quoted:
        listed = _compiled(r"\{([^{}\s]*,[^{}\s]*)\}").fullmatch(alone.text)
        if listed:
            return [Value(item) for item in listed.group(1).split(",")]
        return [Value(alone.text)]
    folded = value(machine, word)
    splits = any(not part.quoted and part.kind is not PartKind.TEXT for part in word.parts)
    if splits:
        machine.cut(folded, word.start)
    if splits and folded.known and (" " in folded.text or "\n" in folded.text or "\t" in folded.text):
        return [Value(text, True, folded.taint, folded.via) for text in folded.text.split()]
    return [folded] if folded.text or not splits else []


def joined(pieces: Iterable[str]) -> tuple[str, bool]:
    """Return texts as one, and whether that is all of it: what is longer than ``MAX_TEXT`` is cut."""
    kept: list[str] = []
    room = MAX_TEXT
    for piece in pieces:
        kept.append(piece[:room])
        room -= len(piece)
        if room < 0:
            break
    return "".join(kept), room >= 0


def value(machine: Machine, word: Word) -> Value:
    """Return what a word folds to, as one text."""
    if len(word.parts) == 1:
        return _part(machine, word.parts[0])
    pieces = [_part(machine, part) for part in word.parts]
    text, whole = joined(piece.text for piece in pieces)
    via = ">".join(dict.fromkeys(piece.via for piece in pieces if piece.via != "plain"))
    known = whole and all(piece.known for piece in pieces)
    return Value(text, known, merge(*(piece.taint for piece in pieces)), via or "plain")


def _part(machine: Machine, part: Part) -> Value:
    if part.kind is PartKind.TEXT:
        return Value(part.text)
    if part.kind is PartKind.VARIABLE:
        return _variable(machine, part)
    printed = machine.substitute(part)
    if part.kind is PartKind.PROCESS:  # the word is the name of a pipe; what matters is what comes out of it
        machine.files[tidy(part.text)] = printed
        return Value(part.text, False, printed.taint, printed.via)
    return printed


def _variable(machine: Machine, part: Part) -> Value:
    found = machine.variable(part)
    operator = part.operator
    if operator.startswith((":-", "-", ":=", "=")) and not found.known and part.text not in machine.variables:
        default = operator.lstrip(":")[1:]
        if default and not found.taint and "$" not in default and "`" not in default:
            return Value(default.strip("\"'"), known=False)
    if not operator or not found.known:
        return found
    changed = _operate(found.text, operator)
    if changed is None:
        return Value(f"${{{part.text}{operator}}}", False, found.taint, found.via)
    text, whole = joined((changed,))
    return Value(text, whole, found.taint, found.via)


def _operate(text: str, operator: str) -> str | None:
    """Return a known value under a substring, replacement, trimming or case operator; None if not followed."""
    cut = _compiled(r":\s*(-?\d{1,9})(?::(-?\d{1,9}))?").fullmatch(operator)
    if cut:
        start, length = int(cut.group(1)), cut.group(2)
        rest = text[start:]
        return rest if length is None else rest[: int(length)]
    replaced = _compiled(r"/(/?)((?:[^/*?\[\\]|\\.)+)(?:/([^$`]*))?").fullmatch(operator)
    if replaced:
        old = re.sub(r"\\(.)", r"\1", replaced.group(2))
        new = replaced.group(3) or ""
        return replaced_in(text, old, new, -1 if replaced.group(1) else 1)
    if operator.startswith((":-", "-", ":=", "=", ":?", "?")):
        return text
    trimmed = _compiled(r"(%%?|##?)([^*?\[$`]*)").fullmatch(operator)
    if trimmed:
        affix = trimmed.group(2)
        return text.removesuffix(affix) if operator.startswith("%") else text.removeprefix(affix)
    return {"^^": text.upper(), ",,": text.lower()}.get(operator)


def replaced_in(text: str, old: str, new: str, count: int = -1) -> str:
    """Return a text with one piece exchanged for another; what would be longer than ``MAX_TEXT`` is not finished."""
    most = 2 * MAX_TEXT // max(1, len(new)) + 1
    return text.replace(old, new, most if count < 0 else min(count, most))


def program_name(text: str, *, folds_case: bool = False) -> str:
    """Return the name of a program without folder and ending (``/usr/bin/curl`` -> ``curl``)."""
    name = re.split(r"[/\\]", text)[-1] if "/" in text or "\\" in text else text
    lower = name.lower()
    for last in (".exe", ".cmd", ".bat", ".com"):
        if lower.endswith(last) and len(lower) > len(last):
            return lower[: -len(last)]
    return lower if folds_case else name


def tidy(path: str) -> str:
    """Return a path as the key of a file: ``./a//b`` and ``a/b`` are the same."""
    from posixpath import normpath

    return normpath(path.replace("\\", "/")) if path else ""


@cache
def _compiled(source: str) -> re.Pattern[str]:
    return re.compile(source, re.DOTALL)
