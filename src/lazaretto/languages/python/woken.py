"""What runs when another file calls a function of this one: its facts, and the calls of other files' functions in it.

A function that another file calls at import runs at import, whatever this file says. Which functions call which was
noted while they were followed (``Machine.callees``, ``Machine.calls_out``); what stands in a function that stands in
another belongs to the inner one, which may never be called.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from lazaretto.core.facts import Kind, Moment, Role
from lazaretto.languages.python.scope import Frame, Function

if TYPE_CHECKING:
    from lazaretto.languages.python.machine import Machine

Callers = dict[Function, list[Function]]

_LITERAL = frozenset(kind for kind in Kind if kind.value.startswith("literal."))


def running(frame: Frame) -> Function | None:
    """Return the function whose body a frame is a part of; None for the module."""
    part: Frame | None = frame
    while part is not None and part.function is None:
        part = part.parent
    return None if part is None else part.function


def tell(vm: "Machine", exports: Iterable[tuple[str, Function]], handed: Iterable[tuple[int, Function]]) -> None:
    """Note for each export what a call of it runs, function by function; ``handed``: what other files may call back."""
    record = vm.record
    exports = list(exports)
    callers = _callers(vm)
    _call_back(vm, exports, callers)
    own = _own_facts(vm)
    out = vm.calls_out
    telling = _telling([*own, *(function for function in out if function is not None)], callers)
    numbers: dict[Function, int] = {}

    def inner(function: Function) -> int:
        """Return the port that stands for a run of a function; no other file can ask for it by this name."""
        if function not in numbers:
            numbers[function] = record.port(Role.TAKES, f":{len(numbers)}", "", Moment.CALL)
        return numbers[function]

    waiting: dict[Function, None] = {}
    for name, function in exports:
        if function in telling:
            waiting[function] = None
            record.ports.calls[record.port(Role.TAKES, name, "", Moment.CALL), inner(function)] = None
    for port, function in handed:
        if function in telling:
            waiting[function] = None
            record.ports.calls[port, inner(function)] = None
    queue = list(waiting)
    for function in queue:
        for end in (*own.get(function, ()), *out.get(function, ())):
            record.ports.calls[inner(function), end] = None
        for callee in vm.callees.get(function, ()):
            if callee in telling:
                record.ports.calls[inner(function), inner(callee)] = None
                if callee not in waiting:
                    waiting[callee] = None
                    queue.append(callee)


def _call_back(vm: "Machine", exports: list[tuple[str, Function]], callers: Callers) -> None:
    """Note which exports call what they are given, when they are called: not what a function does that they make."""
    ports = vm.record.ports
    named: dict[str, list[Function]] = {}
    for name, export in exports:
        named.setdefault(name, []).append(export)
    for function, given in vm.calls_back.items():
        made = function is None or (function.frame.parent is not None and not function.frame.is_class)
        run = _telling([function], callers) if function is not None and not made else ()
        for port, name in given.items():
            if any(export in run for export in named.get(name, ())):
                ports.calls[vm.record.port(Role.TAKES, name, "", Moment.CALL), port] = None


def _callers(vm: "Machine") -> Callers:
    callers: Callers = {}
    for caller, callees in vm.callees.items():
        for callee in callees:
            callers.setdefault(callee, []).append(caller)
    return callers


def _telling(first: list[Function], callers: Callers) -> set[Function]:
    """Return functions and all that call them, however far."""
    found = set(first)
    queue = first
    for function in queue:
        for caller in callers.get(function, ()):
            if caller not in found:
                found.add(caller)
                queue.append(caller)
    return found


def _own_facts(vm: "Machine") -> dict[Function, list[int]]:
    """Return for each function the facts that stand in it, and in no function inside it."""
    spans = [
        (start, -end, function)
        for function in vm.functions
        if function.slot is not None and function.code.fixed is None
        for start, end in [function.code.place(function.slot.inner, function.slot.end)]
    ]
    spans.sort(key=lambda span: span[:2])
    facts = sorted(
        (entry.start, handle)
        for handle, entry in enumerate(vm.record.entries)
        if entry.role is None and not entry.gone and entry.kind not in _LITERAL
    )
    found: dict[Function, list[int]] = {}
    around: list[tuple[int, Function]] = []
    at = 0
    for start, handle in facts:
        while at < len(spans) and spans[at][0] <= start:
            around.append((-spans[at][1], spans[at][2]))
            at += 1
        while around and around[-1][0] <= start:
            around.pop()
        if around:
            found.setdefault(around[-1][1], []).append(handle)
    return found
