"""Loops: followed round by round as long as that can tell anything new, and what a test is worth."""

from typing import TYPE_CHECKING

from lazaretto.languages.python.assign import assign
from lazaretto.languages.python.ir import Node
from lazaretto.languages.python.scope import Branches, Frame
from lazaretto.languages.python.values import (
    NO_TAINT,
    NOTHING,
    Value,
    constant,
    container,
    elements,
    item_of,
    known,
    things_in,
    unknown,
)

if TYPE_CHECKING:
    from lazaretto.languages.python.machine import Machine

UNROLL = 64
"""Loops over at most this many known items are always followed item by item."""

MAX_ROUNDS = 60_000
MAX_NARROWED = 16
"""Most texts that a name is taken to be in turn, of which a test says that it is one of them."""

CUT_SHORT = "a long computation on constants is not followed"


def truth(value: Value) -> bool | None:
    """Return whether a value is true, if that is known."""
    const = known(value)
    if const is not NOTHING:
        return bool(const)
    if value.items is not None and value.items:
        return True
    return None


def narrowed(vm: "Machine", test: Node, frame: Frame) -> tuple[str, list[Value]]:
    """Return the name of which a test says that it is one of a few known texts, and these; nothing for other tests."""
    if test[0] != "cmp" or len(test[4]) != 1 or test[4][0][0] != "in" or test[3][0] != "name":
        return "", []
    asked = frame.lookup(test[3][3])
    if asked is None or asked.const is not NOTHING or asked.text is not None or asked.ref is not None or asked.sym:
        return "", []
    among = vm.ev(test[4][0][1], frame)
    found = elements(among) if isinstance(among.const, (list, tuple, set, frozenset)) or among.items else None
    if not found or len(found) > MAX_NARROWED or not all(isinstance(known(one), str) for one in found):
        return "", []
    return test[3][3], [constant(known(one), one.via, one.taint | asked.taint) for one in found]


def dead(vm: "Machine", block: list[Node], frame: Frame) -> None:
    """Read a block that would not run as far as we know: once, and without believing its bindings."""
    if not block or id(block) in vm.surveyed:
        return
    vm.surveyed[id(block)] = block
    branches = Branches(frame)
    branches.begin()
    vm.run(block, frame)
    branches.end(leaves=True)


def run_for(vm: "Machine", node: Node, frame: Frame) -> str:
    """``for target in items``: item by item if they are known, else once for all of them."""
    source = vm.ev(node[4], frame)
    items = elements(source)
    target, body, other = node[3], node[5], node[6]
    if items is None:
        branches = Branches(frame)
        branches.begin()
        assign(vm, target, item_of(source), frame)
        signal = vm.run(body, frame)
        branches.end(leaves=signal in ("return", "raise"))
        branches.merge(exhaustive=False)
        vm.run(other, frame)
        return ""
    before = vm.unknown_calls
    vm.repeating += 1
    signal = ""
    for count, item in enumerate(items):
        if count and _enough(vm, count, impure=vm.unknown_calls != before):
            for thing in things_in(container("list", items[count:])):
                assign(vm, target, thing, frame)
                vm.run(body, frame)
            _widen(vm, body, frame, _cut_short(vm, node, frame))
            break
        assign(vm, target, item, frame)
        signal = vm.run(body, frame)
        if signal in ("break", "return", "raise"):
            break
    vm.repeating -= 1
    if not items:
        dead(vm, body, frame)
    if signal != "break":
        vm.run(other, frame)
    return signal if signal in ("return", "raise") else ""


def _enough(vm: "Machine", count: int, *, impure: bool) -> bool:
    if impure:
        return count >= UNROLL or not vm.eager
    return count >= MAX_ROUNDS or vm.spare <= 0


def _cut_short(vm: "Machine", node: Node, frame: Frame) -> frozenset[int]:
    """Say what a loop made that was not followed to its end for want of steps: it may have been a decoder."""
    return cut_short(vm, node, frame) if vm.spare <= 0 else NO_TAINT


def cut_short(vm: "Machine", node: Node, frame: Frame, *, little: bool = False) -> frozenset[int]:
    """Return the taint of what an unfinished computation makes: where that runs, something was not understood."""
    handle = vm.record.unfinished(frame.code.place(node[1], node[2]), CUT_SHORT, little=little)
    frame.handles.append(handle)
    return frozenset((handle,))


_SAMPLED = frozenset((32, 1024, 8192))
"""After so many rounds a loop is asked whether it still changes anything."""


def _state(frame: Frame) -> dict[str, object]:
    return {name: _summary(value) for name, value in frame.names.items()}


def _summary(value: Value, depth: int = 2) -> object:
    const = value.const
    if isinstance(const, (list, dict, set, bytearray)):
        return len(const), list(const)[-8:]
    parts: object = None
    if depth and value.items is not None:
        inner = list(value.items.values()) if isinstance(value.items, dict) else value.items
        parts = len(inner), [_summary(part, depth - 1) for part in inner[-8:]]
    if depth and value.attrs:
        parts = parts, [_summary(part, depth - 1) for part in list(value.attrs.values())[:32]]
    return const, value.text, parts


def _stands_still(before: dict[str, object], frame: Frame) -> bool:
    """Whether a round has changed nothing: then no round will, and the loop is left by something we do not see."""
    return before == _state(frame)


def run_while(vm: "Machine", node: Node, frame: Frame) -> str:
    """``while test``: round by round as long as the test is known and nothing outside is called."""
    body, before, count = node[4], (vm.unknown_calls, vm.undecided), 0
    signal = ""
    before_round: dict[str, object] = {}
    vm.repeating += 1
    while True:
        answer = truth(vm.ev(node[3], frame))
        if answer is False:
            break
        if answer is None:
            branches = Branches(frame)
            branches.begin()
            vm.run(body, frame)
            branches.end(leaves=False)
            branches.merge(exhaustive=False)
            count += 1
            break
        signal = vm.run(body, frame)
        count += 1
        if signal in ("break", "return", "raise") or (count in _SAMPLED and _stands_still(before_round, frame)):
            break
        if count + 1 in _SAMPLED:
            before_round = _state(frame)
        if (vm.unknown_calls, vm.undecided) != before or _enough(vm, count, impure=False):
            _widen(vm, body, frame, _cut_short(vm, node, frame))
            break
    vm.repeating -= 1
    if not count:
        dead(vm, body, frame)
    vm.run(node[5], frame)
    return signal if signal in ("return", "raise") else ""


def _widen(vm: "Machine", body: list[Node], frame: Frame, made: frozenset[int]) -> None:
    """Forget the constants of names that a loop binds, as it was not followed to its end; keep their origin.

    ``made`` is the taint of what the rest of the loop would have made; it may be in whatever the loop mentions.
    """
    for name, attribute in sorted(mentions(body)) if made else ():
        mentioned = frame.lookup(name)
        if mentioned is not None and attribute and mentioned.attrs:
            mentioned = mentioned.attrs.get(attribute)
        if mentioned is not None and mentioned.ref is None and mentioned.sym is None:
            mentioned.taint |= made
    _forget(body, frame, made)


def mentions(body: list[Node]) -> set[tuple[str, str]]:
    """Return every name that a piece of code mentions, each with the attribute that is taken of it, if one is."""
    found: set[tuple[str, str]] = set()
    waiting: list[object] = [body]
    while waiting:
        part = waiting.pop()
        if not isinstance(part, (list, tuple)):
            continue
        if len(part) > 3 and part[0] == "name":
            found.add((part[3], ""))
        elif len(part) > 4 and part[0] == "chain" and part[3][0] == "name" and part[4] and part[4][0][0] == ".":
            found.add((part[3][3], part[4][0][2]))
        waiting.extend(part)
    return found


def _forget(body: list[Node], frame: Frame, made: frozenset[int]) -> None:
    for statement in body:
        head = statement[0]
        if head in ("assign", "aug"):
            for target in statement[3] if head == "assign" else [statement[3]]:
                old = frame.names.get(target[3]) if target[0] == "name" else None
                if old is not None and old.const is not NOTHING:
                    frame.bind(target[3], unknown(old.taint | made))
        elif head in ("for", "while"):
            _forget(statement[5 if head == "for" else 4], frame, made)
        elif head == "if":
            for _, block in statement[3]:
                _forget(block, frame, made)
            _forget(statement[4], frame, made)
