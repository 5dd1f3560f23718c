"""Calls that would only repeat an earlier one: what a function reads decides what it does.

A script may call its functions thousands of times. A call is walked again if anything that the function, or one that
it calls, may read has another value than it had in a call before; else what came out then is what comes out now.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache

from msgspec import Struct

from lazaretto.languages.shell.syntax import Function, Group, Part, PartKind, Pipeline, Simple, Word
from lazaretto.languages.shell.values import Value

MAX_TOGETHER = 300
"""Most functions that are asked together what they read; a call of more of them is always walked."""

MAX_KEPT = 64 * 1024
"""Longest text of a variable in which it is looked for itself."""

Essence = tuple[str | None, tuple[int, ...]] | None
"""What is known of a value."""


class State(Struct, frozen=True):
    """All that decides what a call of a function does; what it reads may be more than can be found out."""

    function: int
    read: tuple[Essence, ...] | None
    given: Essence
    world: tuple[object, ...]
    pin: tuple[int, int] | None


class Outcome(Struct, frozen=True):
    """What a call printed, and which variables it changed."""

    printed: Value
    changed: dict[str, Value]


class Reads:
    """What the functions of a script read, each looked at once."""

    def __init__(self) -> None:
        self._functions: dict[str, list[Function]] = {}
        self._own: dict[int, _Reading] = {}
        self._names: dict[int, tuple[str, ...] | None] = {}

    def define(self, function: Function) -> None:
        """Take a function that the script defines, perhaps one of several with this name."""
        self._functions.setdefault(function.name, []).append(function)
        self._names.clear()

    def names(self, function: Function) -> tuple[str, ...] | None:
        """Return the names of all variables that a function and those it calls may read; None if they are too many."""
        if id(function) not in self._names:
            self._names[id(function)] = self._all(function)
        return self._names[id(function)]

    def _all(self, function: Function) -> tuple[str, ...] | None:
        names: set[str] = set()
        seen: set[int] = set()
        waiting = [function]
        while waiting:
            one = waiting.pop()
            if id(one) in seen:
                continue
            seen.add(id(one))
            own = self._own.get(id(one))
            if own is None:
                own = self._own[id(one)] = _Reading(one)
            if own.told or len(seen) > MAX_TOGETHER:  # it calls what it is told to
                return None
            names |= own.names
            for word in own.words & self._functions.keys():
                waiting += self._functions[word]
        return tuple(sorted(names))


class _Reading:
    """What one function reads before it sets it: all of it is walked in order, and on every branch."""

    def __init__(self, function: Function) -> None:
        self.names: set[str] = set()
        self.words: set[str] = set()
        self.told = False
        self._set: set[str] = set()
        self._body(function.body)

    def _body(self, body: tuple[Pipeline, ...]) -> None:
        for pipeline in body:
            for stage in pipeline.stages:
                if isinstance(stage, Simple):
                    self._simple(stage)
                elif isinstance(stage, Group):
                    self._group(stage)
                else:
                    self._apart(stage.body)

    def _group(self, group: Group) -> None:
        self._words((*group.items, *(one.target for one in group.redirects)))
        if group.variable:
            self._set.add(group.variable)
        if group.subshell:
            self._apart(group.body)
        else:
            self._body(group.body)

    def _apart(self, body: tuple[Pipeline, ...]) -> None:
        """Read what runs in a shell of its own, or not now: what it sets is set for nobody else."""
        if body:
            before = set(self._set)
            self._body(body)
            self._set = before

    def _simple(self, command: Simple) -> None:
        assigned = (word for _, word in command.assigns)
        self._words((*assigned, *command.words, *(one.target for one in command.redirects)))
        if not command.words:
            self._set.update(name for name, _ in command.assigns)
        elif any(part.kind is not PartKind.TEXT for part in command.words[0].parts):
            self.told = True

    def _words(self, words: Sequence[Word]) -> None:
        for word in words:
            for part in word.parts:
                self._part(part)

    def _part(self, part: Part) -> None:
        if part.kind is PartKind.VARIABLE:
            self._read(part.text)
        if part.kind is PartKind.TEXT or part.operator:
            text = part.operator or part.text
            self.words.update(_compiled(r"[\w.:+-]+").findall(text))
            for name in _compiled(r"[$%!]\{?([A-Za-z_]\w*|\d+|[@*])").findall(text):
                for spelling in (name, name.lower(), name.upper(), f":{name.lower()}"):
                    self._read(spelling)
        self._apart(part.body)

    def _read(self, name: str) -> None:
        if name not in self._set:
            self.names.add(name)


def becomes(name: str, old: Value | None, value: Value) -> Value:
    """Return what a variable becomes: one that is unknown and put behind its own name again stays what it was.

    So autoconf keeps a stack in ``x=x=$x``, which ``eval $x`` takes apart, and which would double at each call.
    """
    if old is None or value.known or len(value.text) > MAX_KEPT or old.text not in value.text:
        return value
    return value if value.text.replace(old.text, "", 1).replace(f"{name}=", "") else old


def essence(value: Value | None) -> Essence:
    """Return what is known of a value: nothing but where it came from, if all of it is one unknown thing."""
    if value is None:
        return None
    empty = not value.known and _compiled(r"\$\([^()]*\)|\$\{?:?\w+\}?").fullmatch(value.text)
    return (None if empty else value.text, value.taint)


def essences(names: Sequence[str] | None, variables: Mapping[str, Value]) -> tuple[Essence, ...] | None:
    """Return what is known of variables."""
    return None if names is None else tuple(essence(variables.get(name)) for name in names)


@cache
def _compiled(source: str) -> re.Pattern[str]:
    return re.compile(source)
