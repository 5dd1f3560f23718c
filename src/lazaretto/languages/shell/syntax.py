"""The shape of a command script, whichever shell it is written for: words, commands, pipelines, groups.

Offsets are byte offsets into the file: scripts are held as Latin-1 text, one character per byte.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class PartKind(StrEnum):
    """What a piece of a word is."""

    TEXT = "text"
    VARIABLE = "variable"  # text: the name; operator: what follows it inside the braces
    CODE = "code"  # $( ) or backticks; text: the script
    PROCESS = "process"  # <( ) or >( )


class Part(Struct, frozen=True):
    """A piece of a word. ``quoted`` pieces are never split; ``body`` is the parsed script of a substitution."""

    kind: PartKind
    text: str
    start: int
    quoted: bool = False
    operator: str = ""
    body: tuple[Pipeline, ...] = ()


class Word(Struct, frozen=True):
    """One word of a command."""

    parts: tuple[Part, ...]
    start: int
    end: int


class Redirect(Struct, frozen=True):
    """A redirection: ``operator`` is one of ``> >> < <> >| &> &>> <<< <<``; a here-document is a word."""

    operator: str
    target: Word


class Simple(Struct, frozen=True):
    """A simple command: assignments, words, redirections."""

    assigns: tuple[tuple[str, Word], ...]
    words: tuple[Word, ...]
    redirects: tuple[Redirect, ...]
    start: int
    end: int


class Group(Struct, frozen=True):
    """A compound command, reduced to what it may run; ``variable`` takes each of ``items`` (for loops)."""

    body: tuple[Pipeline, ...]
    redirects: tuple[Redirect, ...]
    start: int
    subshell: bool = False
    variable: str = ""
    items: tuple[Word, ...] = ()


class Function(Struct, frozen=True):
    """A function definition: runs only when called."""

    name: str
    body: tuple[Pipeline, ...]
    start: int


class Pipeline(Struct, frozen=True):
    """Commands whose output feeds the next."""

    stages: tuple[Simple | Group | Function, ...]


class Script(Struct, frozen=True):
    """What was understood of a script; ``defects`` are (offset, reason) of what was not."""

    body: tuple[Pipeline, ...]
    defects: tuple[tuple[int, str], ...] = ()


MAX_NESTING = 40
"""Deepest nesting of groups and substitutions that is followed."""

TOO_DEEP = "nested too deeply"
TOO_LONG = "too long to be followed"
UNREAD = frozenset({TOO_DEEP, TOO_LONG})
"""The defects of what was not read, or not all of it: a bound was met."""

MAX_DEFECTS = 20
"""Most defects that are told of one script."""


def told(defects: list[tuple[int, str]]) -> tuple[tuple[int, str], ...]:
    """Return the defects that are told: that something was not read at all is always among them."""
    return tuple(sorted(defects, key=lambda defect: defect[1] not in UNREAD)[:MAX_DEFECTS])
