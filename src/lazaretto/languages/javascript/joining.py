"""Concatenation of values that are known only in part."""

from typing import TYPE_CHECKING

from lazaretto.languages.javascript.coerce import pattern_text
from lazaretto.languages.javascript.values import (
    MAX_CHOICES,
    MAX_TEXT,
    UNDEFINED,
    Func,
    Obj,
    Sym,
    Text,
    Value,
    choice,
    merged,
    options,
    taint_of,
    via_of,
)

if TYPE_CHECKING:
    from lazaretto.languages.javascript.interp import Interpreter


def as_text(interp: "Interpreter", value: Obj) -> Value:
    """Return what an object of the file becomes in a text: its own ``toString`` or ``valueOf`` runs."""
    for name in ("Symbol.toPrimitive", "toString", "valueOf"):
        method = value.props.get(name)
        if isinstance(method, Func):
            return interp.enter(method, [], value)
    return value


def concat(parts: list[Value]) -> Value:
    """Concatenate texts; unknown parts become ``*``, alternatives are tried one by one."""
    combinations: list[list[Value]] = [[]]
    for part in parts:
        alternatives = options(part)
        if len(alternatives) == 1:
            for known in combinations:
                known.append(part)
            continue
        if len(alternatives) * len(combinations) > MAX_CHOICES:
            unknown = Sym(taint=taint_of(part))
            for known in combinations:
                known.append(unknown)
            continue
        combinations = [[*known, option] for known in combinations for option in alternatives]
    return choice([_concat_one(known) for known in combinations])


def _concat_one(parts: list[Value]) -> Value:
    texts: list[str] = []
    known = True
    via: tuple[str, ...] = ()
    size = 0
    for part in parts:
        if size > MAX_TEXT:
            break
        # What came out undefined is more often not followed than really undefined.
        text = None if part is UNDEFINED else pattern_text(part)
        if text is None or isinstance(part, (Sym, Obj)):
            known = False
        text = "*" if text is None else text
        if not (text == "*" and texts and texts[-1] == "*"):
            texts.append(text)
        size += len(text)
        if not isinstance(part, (int, float)):
            via = merged(via, via_of(part))
    taint = frozenset[int]().union(*(taint_of(part) for part in parts))
    if size > MAX_TEXT:
        return Sym(taint=taint, via=via)
    if known:
        return Text.of("".join(texts), via, taint)
    return Sym(text="".join(texts), taint=taint, via=via)
