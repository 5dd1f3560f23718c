"""Which calls of the file's own functions are read: what leads to something of interest, or may compute a text.

Everything else gives a value of which nothing is known but where it came from. What a function did is remembered:
a call that tells it nothing new is not read again.
"""

import re
from functools import cached_property
from typing import TYPE_CHECKING

from lazaretto.core.facts import Moment
from lazaretto.languages.javascript.values import (
    UNDEFINED,
    Buf,
    Func,
    Scope,
    Sym,
    Value,
    is_blank,
    is_known,
    is_thing,
    options,
)

if TYPE_CHECKING:
    from lazaretto.languages.javascript.interp import Interpreter

Key = tuple[int, int]

MAX_CALL_DEPTH = 24
MAX_BLIND = 2
MAX_SEEDED = 6
MAX_HANDED = 64
"""How many things of the outside world one function is followed with, beyond that."""
MAX_DECODER = 12_000
SMALL = 400
PLAIN_SCORE = 12
DECODER_SCORE = 40
NUMBER_COST = 0.03
"""What a number takes off the score of a function that decodes: it may be one character of very many."""

BARREN_COST = 4
"""What a call that gave nothing takes off the score of a function that leaves nothing behind."""

_DECODING = (
    b"harCode", b"odePoint", b"charAt", b".reverse(", b"atob", b"base64", b"unescape", b"decodeURI", b"^", b"_0x",
    b".shift(", b"'hex'", b'"hex"',
)  # fmt: skip
"""What stands in code that decodes. Each for itself: one pattern for all has no beginning to look for."""

_GATHERING = re.compile(rb"\.(?:push|unshift|set|add|write|append)\(|[;{}>]\s*[\w$.]+\s*=[^=]|\]\s*=[^=]|\+=|\+\+|--")
_THIS = re.compile(rb"\bthis\b|\barguments\b")


class _Known:
    """What is known of one function of the file; what is looked for in its text is looked for when it matters."""

    def __init__(self, text: bytes, size: int) -> None:
        self.small = size <= SMALL
        self.decoding = size <= MAX_DECODER and any(word in text for word in _DECODING)
        self.score: float = DECODER_SCORE if self.decoding else PLAIN_SCORE if self.small else 0
        self.blind = 0
        self.handed: set[str] = set()
        self.answers: dict[tuple[Moment, Scope], Value] = {}
        self._text = text

    def is_handed(self, args: list[Value]) -> bool:
        """Whether the function is given a thing of the outside world that it was not given before."""
        paths = {option.path for arg in args if is_thing(arg) for option in options(arg) if type(option) is Sym}
        new = paths - self.handed if len(self.handed) < MAX_HANDED else set()
        self.handed |= new
        return bool(new)

    @cached_property
    def gathers(self) -> bool:
        """Whether a call may leave something behind."""
        return self.decoding or len(self._text) > MAX_DECODER or _GATHERING.search(self._text) is not None

    @cached_property
    def own(self) -> bool:
        """Whether a call may depend on more than its arguments and its scope."""
        return self.gathers or _THIS.search(self._text) is not None


class Entries:
    """The functions of a file that have been called, and what came of it."""

    def __init__(self, interp: "Interpreter") -> None:
        self._interp = interp
        self._known: dict[Key, _Known] = {}
        self.wanted: set[Key] = set()
        """Functions that are read though their text names nothing: who calls them may be handed something."""

    def decodes(self, key: Key) -> bool:
        """Whether a function looks as if decoding was what it is for."""
        return self._known[key].score > PLAIN_SCORE

    def worth(self, function: Func, args: list[Value], key: Key) -> bool:
        """Whether to read a call: it leads to something of interest, or it may compute a text from known values."""
        interp = self._interp
        known = self._known.get(key)
        if known is None:
            text = function.unit.data[function.code[1] : function.code[2]]
            known = self._known[key] = _Known(text, key[1] - key[0])
        seeded = interp.source.has_seed(*key)
        if len(interp.stack) >= MAX_CALL_DEPTH or interp.far_down:
            if seeded and key not in interp.entered:
                # Too far down to go on here: it is read for itself, at the same moment.
                interp.deferred.append((function, args, interp.record.moment))
            decodes = known.decoding and key not in interp.entered and args and all(map(is_known, args))
            if decodes and interp.record.moment is Moment.LOAD:
                interp.note_depth()  # what it decodes may be all that the file does
            self._hand_on(args)
            return False
        if (seeded or key in self.wanted) and key not in interp.entered:
            return key not in interp.stack
        if interp.exhausted:
            return False
        informed = known.score > 0 and all(map(is_known, args))
        if not informed and known.blind >= (MAX_SEEDED if seeded else MAX_BLIND):
            return interp.stack.count(key) < 2 and known.is_handed(args)
        again = interp.stack.count(key)
        if informed or again >= 2:
            return informed and again < 10
        known.blind += 1
        return seeded or known.small

    def _hand_on(self, args: list[Value]) -> None:
        """Note of a call that is not followed that it may hand what it is given to a function that it is given."""
        called = [arg for arg in args if type(arg) is Func]
        if called:
            given = Sym(taint=self._interp.taints(args))
            self._interp.later += [(function, [given, given]) for function in called]

    def answer(self, function: Func, args: list[Value], this: Value) -> Value | None:
        """Return what the same call gave before, if nothing that could change it is handed to the function."""
        known = self._known.get(function.key)
        if known is None or not known.answers or (known.score > 0 and all(map(is_known, args))):
            return None
        dull = all(map(_dull, args)) and (not known.own or _dull(this))
        return known.answers.get((self._interp.record.moment, function.scope)) if dull else None

    def returned(self, function: Func, args: list[Value], this: Value, result: Value) -> None:
        """Remember what a call gave."""
        known = self._known[function.key]
        empty = _dull(result)
        if not isinstance(result, (str, Buf)):
            number = known.decoding and type(result) in (int, float)
            known.score -= NUMBER_COST if number else BARREN_COST if empty and args and not known.gathers else 1
        if known.gathers or not (empty or isinstance(result, (str, Sym))):
            return
        if all(map(_dull, args)) and (not known.own or _dull(this)):
            known.answers[self._interp.record.moment, function.scope] = result


def _dull(value: Value) -> bool:
    """Whether a value says nothing: not known, with no name or origin, or a plain number or truth value."""
    if type(value) is Sym:
        return is_blank(value)
    return value is UNDEFINED or value is None or isinstance(value, (bool, int, float))
