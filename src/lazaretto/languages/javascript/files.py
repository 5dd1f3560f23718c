"""What reading, writing, deleting and moving files records."""

import re
from typing import TYPE_CHECKING

from lazaretto.core.facts import Kind
from lazaretto.languages.javascript import sensitive
from lazaretto.languages.javascript.coerce import pattern_text
from lazaretto.languages.javascript.handling import arg_at, enter_callbacks, named, path_of
from lazaretto.languages.javascript.values import (
    DEEP,
    UNDEFINED,
    UNKNOWN,
    Func,
    Obj,
    Sym,
    Value,
    options,
)

if TYPE_CHECKING:
    from lazaretto.languages.javascript.interp import Interpreter

Place = tuple[int, int]
_SELF = re.compile(r"^(?:__filename|(?:__dirname|\.)/(?:[\w.-]+\.[cm]?js|package\.json)|package\.json)$")
_OWN_MANIFEST = re.compile(r"^(?:(?:__dirname|\.|\*)/)?package\.json$")


def read(interp: "Interpreter", function: Sym, args: list[Value], position: int, _this: Value, at: Place) -> Value:
    """Record that a file is read, or opened for writing."""
    flags = arg_at(args, 1)
    if ".open" in function.path and isinstance(flags, str) and flags[:1] in ("w", "a"):
        return write(interp, function, args, position, UNDEFINED, at)
    target = path_of(arg_at(args, position))
    numbers = interp.record.emit_value(Kind.FS_READ, target, *at)
    taint = set(numbers)
    for option in options(target):
        text = pattern_text(option)
        if text:
            taint |= named(interp, text, at, reading=True)
    enter_callbacks(interp, args, [None, Sym(taint=frozenset(taint))])
    return Sym(path=f"{function.path}()", taint=frozenset(taint))


def probe(interp: "Interpreter", function: Sym, args: list[Value], position: int, _this: Value, at: Place) -> Value:
    """Record that a credential file is looked for; other look-ups do nothing."""
    for option in options(path_of(arg_at(args, position))):
        text = pattern_text(option)
        if text and "mkdir" not in function.path and sensitive.is_secret_path(text):
            interp.record.emit(Kind.FS_READ, text, *at)
    enter_callbacks(interp, args, [None, UNKNOWN])
    return Sym()


def write(interp: "Interpreter", function: Sym, args: list[Value], position: int, _this: Value, at: Place) -> Value:
    """Record that a file is written, and what flows into it."""
    target = path_of(arg_at(args, position))
    numbers = interp.record.emit_value(Kind.FS_WRITE, target, *at)
    for number in numbers:
        interp.record.flow(interp.taints(args[position + 1 :], DEEP), number)
    for option in options(target):
        text = pattern_text(option)
        if text and (sensitive.is_persistent_path(text) or sensitive.is_agent_path(text)):
            interp.record.emit(Kind.PERSIST, text, *at)
    enter_callbacks(interp, args, [None, UNKNOWN])
    return Sym(path=f"{function.path}()", sink=numbers[-1] if numbers else None)


def delete(interp: "Interpreter", _function: Sym, args: list[Value], position: int, _this: Value, at: Place) -> Value:
    """Record that files are deleted, and whether they are our own."""
    targets = args if position < 0 else [arg_at(args, position)]
    for target in targets:
        if isinstance(target, (Func, Obj)) and not isinstance(path_of(target), (str, Sym)):
            continue
        interp.record.emit_value(Kind.FS_DELETE, path_of(target), *at)
        for option in options(path_of(target)):
            text = pattern_text(option)
            if text and _SELF.match(text):
                interp.record.emit(Kind.FS_SELF_DELETE, text, *at)
    enter_callbacks(interp, args, [None])
    return Sym()


def move(interp: "Interpreter", function: Sym, args: list[Value], position: int, _this: Value, at: Place) -> Value:
    """Record that a file is moved, copied or linked."""
    source, target = path_of(arg_at(args, 0)), path_of(arg_at(args, position))
    taint = set()
    if "rename" not in function.path and "move" not in function.path:
        taint |= set(interp.record.emit_value(Kind.FS_READ, source, *at))
        for option in options(source):
            text = pattern_text(option)
            if text:
                taint |= named(interp, text, at, reading=True)
    else:
        for option in options(source):
            text = pattern_text(option)
            if text and _SELF.match(text):
                interp.record.emit(Kind.FS_SELF_DELETE, text, *at)
    for number in interp.record.emit_value(Kind.FS_WRITE, target, *at):
        interp.record.flow(frozenset(taint), number)
    for option in options(target):
        text = pattern_text(option)
        if text and _OWN_MANIFEST.match(text):
            interp.record.emit(Kind.FS_SELF_DELETE, text, *at)
        if text and sensitive.is_persistent_path(text):
            interp.record.emit(Kind.PERSIST, text, *at)
    enter_callbacks(interp, args, [None])
    return Sym()
