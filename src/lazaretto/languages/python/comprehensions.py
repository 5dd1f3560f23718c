"""Comprehensions and generator expressions, item by item where the items are known."""

from collections.abc import Callable
from functools import reduce
from typing import TYPE_CHECKING

from lazaretto.languages.python.assign import assign
from lazaretto.languages.python.ir import Node
from lazaretto.languages.python.loops import MAX_NARROWED, UNROLL, cut_short, mentions, narrowed, truth
from lazaretto.languages.python.scope import Frame
from lazaretto.languages.python.values import (
    ITEM,
    Value,
    all_taint,
    all_via,
    constant,
    container,
    elements,
    item_of,
    join,
    known,
    unknown,
)

if TYPE_CHECKING:
    from lazaretto.languages.python.machine import Machine

MAX_ITEMS = 100_000
"""Most items of one comprehension or generator."""

MAX_LITTLE = 100
"""Longest comprehension, in bytes, whose text says all: what counting gives and such a text can hold no payload."""

SAMPLE = 1_024
"""Most items of such a comprehension once patience is no longer plenty: what can hide something needs the rest."""

_PLAIN = frozenset({"chr", "float", "int", "ord", "range", "repr", "str"})


def evaluate(vm: "Machine", node: Node, frame: Frame) -> Value:
    """Return the list, set, dict or generator (as a list) that a comprehension makes."""
    kind, element, value_node, clauses = node[3], node[4], node[5], node[6]
    inner = Frame(frame.code, frame.moment, frame, frame.function)
    inner.handles = frame.handles
    out: list[Value] = []
    keys: list[Value] = []

    def emit() -> None:
        if value_node is not None:
            keys.append(vm.ev(element, inner))
            out.append(vm.ev(value_node, inner))
        else:
            out.append(vm.ev(element, inner))

    before = len(inner.handles)
    vm.repeating += 1
    complete = _clauses(vm, clauses, 0, inner, emit, little=_says_little(node, frame))
    vm.repeating -= 1
    if not complete or not out:
        unfinished = frozenset(filter(vm.record.is_unfinished, inner.handles[before:]))
        result = unknown(all_taint(out) | unfinished)
        result.via = all_via(out)
        if value_node is None and 0 < len(out) <= MAX_NARROWED:
            result.attrs = {ITEM: reduce(join, out)}
        return result if out or not complete else constant([])
    if value_node is not None:
        pairs = {
            known(key) if _hashable(key) else ("unknown key", n): v
            for n, (key, v) in enumerate(zip(keys, out, strict=True))
        }
        return container("dict", pairs)
    return container("set" if kind == "set" else "list", out)


def _hashable(value: Value) -> bool:
    return isinstance(value.const, (str, int, bytes, float)) or value.const is None


def _says_little(node: Node, frame: Frame) -> bool:
    """Whether a comprehension is made of nothing but its own short text, what it counts, and numbers."""
    if node[2] - node[1] > MAX_LITTLE:
        return False
    bound = {name for clause in node[6] if clause[0] == "for" for name, _ in mentions([clause[1]])}
    for name, _ in mentions(node[4:]):
        value = None if name in bound else frame.lookup(name)
        if name not in bound and not (name in _PLAIN if value is None else _is_small(value)):
            return False
    return True


def _is_small(value: Value) -> bool:
    """Whether a value is a number that holds no text."""
    number: object = value.const
    return isinstance(number, (int, float)) and abs(number) < 1 << 32


def _clauses(
    vm: "Machine", clauses: list[Node], at: int, inner: Frame, emit: Callable[[], None], *, little: bool
) -> bool:
    """Run the clauses of a comprehension from ``at`` on; return whether all of them were followed exactly."""
    if at == len(clauses):
        emit()
        return True
    clause = clauses[at]
    if clause[0] == "if":
        answer = truth(vm.ev(clause[1], inner))
        if answer is False:
            return True
        name, texts = narrowed(vm, clause[1], inner) if answer is None else ("", [])
        for text in texts:
            inner.bind(name, text)
            _clauses(vm, clauses, at + 1, inner, emit, little=little)
        if texts:
            return False
        return _clauses(vm, clauses, at + 1, inner, emit, little=little) and answer is True
    source = vm.ev(clause[2], inner)
    items = elements(source)
    if items is None:
        assign(vm, clause[1], item_of(source), inner)
        _clauses(vm, clauses, at + 1, inner, emit, little=little)
        return False
    before, complete = vm.unknown_calls, True
    for count, item in enumerate(items):
        impure = vm.unknown_calls != before
        said = little and count >= SAMPLE and not vm.eager
        if count and (said or vm.spare <= 0 or count >= MAX_ITEMS or (impure and (count >= UNROLL or not vm.eager))):
            if said or vm.spare <= 0:
                cut_short(vm, clause[1], inner, little=little)
            return False
        assign(vm, clause[1], item, inner)
        complete = _clauses(vm, clauses, at + 1, inner, emit, little=little) and complete
    return complete
