"""What a module gives to the other files of its package, and what it takes from them: its ports.

Only what the file alone knows is said here; ``core.crossing`` joins the ports of files that load one another. A name
that is imported from anywhere but the modules that the evaluator knows may be another file's: which file, and whether
there is one, the artifact says.
"""

from bisect import bisect_left
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from lazaretto.core.facts import Moment, Role
from lazaretto.languages.python import interest, woken
from lazaretto.languages.python.passing import SINKS, Parts, leaves
from lazaretto.languages.python.scope import Bound, Frame, Function
from lazaretto.languages.python.values import NO_TAINT, Value, all_taint

if TYPE_CHECKING:
    from lazaretto.languages.python.machine import Machine

MAX_FUNCTIONS = 1_000
"""Most functions of a file that are read once more because the file has called them itself: of more it is told."""

_ELSEWHERE = frozenset(
    "__future__ abc argparse ast builtins collections contextlib copy dataclasses datetime decimal enum fractions"
    " functools glob hashlib hmac inspect io itertools json logging math numbers operator pkg_resources platform"
    " pprint queue random re setuptools signal stat string struct sys tempfile textwrap threading time traceback types"
    " typing typing_extensions unittest uuid warnings weakref numpy pytest".split()
)
"""Modules that are no file of a package that is read, and of which the evaluator knows nothing to follow."""


@cache
def _outside() -> frozenset[str]:
    from lazaretto.languages.python.effects import table

    roots = {name.partition(".")[0] for name in table.names()}
    return interest.words() | frozenset(roots) | _ELSEWHERE


def imported(vm: "Machine", module: str, name: str, moment: Moment) -> frozenset[int]:
    """Return where a name of a module comes from, or the module itself, if it may be another file's."""
    if module[:1] != "." and module.partition(".")[0] in _outside():
        return NO_TAINT
    return frozenset((vm.record.port(Role.FROM, name, module, moment),))


def everything(vm: "Machine", module: str, moment: Moment) -> None:
    """Note that a file has all that a module has."""
    for handle in imported(vm, module, "*", moment):
        vm.record.ports.called[handle] = None


def member(vm: "Machine", value: Value, dotted: str, moment: Moment) -> frozenset[int]:
    """Return where a member of a value comes from: if that is another file's module, the member is its own port."""
    taint = value.taint | value.mark
    parts = vm.record.ports.parts
    if not taint or parts.keys().isdisjoint(taint):
        return taint
    module, _, name = dotted.rpartition(".")
    found = {handle for handle in taint if handle not in parts or parts[handle][0] is not Role.FROM}
    if len(found) == len(taint):
        return taint
    for handle in taint - found:
        _, known, specifier = parts[handle]
        if known:  # a method, or a field, of what that module has: it goes by its name
            found.add(vm.record.port(Role.FROM, f".{name}", specifier, moment))
    if "(" in module:  # what a function or class of that module has made: its data stay
        return frozenset(found).union(one for one in taint if one not in parts or not parts[one][1].startswith("."))
    return frozenset(found) | imported(vm, module if module.strip(".") else f"{module}.", name, moment)


def called(vm: "Machine", callee: Value, args: Sequence[Value], taint: frozenset[int], frame: Frame) -> None:
    """Note that something is called that may be another file's, or that another file gave as a callback, and its data.

    What is called is noted without data, too: it runs then.
    """
    record = vm.record
    parts = record.ports.parts
    data: list[int] | None = None
    for handle in _meant(callee, parts):
        role, name, specifier = parts[handle]
        if role is Role.FROM:
            name = f"{name}()" if (callee.sym or "").endswith("()") else name
            port = record.port(Role.TO, name, specifier, frame.moment)
            function = woken.running(frame)
            vm.calls_out.setdefault(function, {})[port] = None
            if function is None:
                record.ports.called[port] = None
            _hand_over(vm, handle, port, args, frame.moment)
        elif role is Role.TAKES:
            port = record.port(Role.GIVES, name, "", frame.moment)
            vm.calls_back.setdefault(woken.running(frame), {})[port] = name
        else:
            continue
        if data is None:
            data = [one for one in sorted(taint) if leaves(record.entries[one].kind, record.entries[one].role)]
        for one in data:
            record.ports.flows[one, port] = None


def _meant(callee: Value, parts: Parts) -> list[int]:
    """Return the ports that a call means: of a member by its name, else of the thing itself."""
    handles = sorted(callee.taint & parts.keys())
    last = f".{(callee.sym or '').rpartition('.')[2]}"
    return [one for one in handles if parts[one][1] in (last, last[1:])] or handles


def _hand_over(vm: "Machine", source: int, port: int, args: Sequence[Value], moment: Moment) -> None:
    """Note the functions among what another file's function is given: it may call them, with what it gives."""
    record = vm.record
    for value in args:
        if isinstance(value.ref, Function):
            vm.handed[port, value.ref] = source
        elif isinstance(value.ref, Bound):
            vm.handed[port, value.ref.function] = source
        elif value.sym is not None and not value.sym.endswith("()"):
            for other in _meant(value, record.ports.parts):
                role, name, specifier = record.ports.parts[other]
                if role is Role.FROM and other != source:
                    theirs = record.port(Role.TO, name, specifier, moment)
                    record.ports.calls[port, theirs] = None
                    record.ports.flows[source, theirs] = None


def called_here(vm: "Machine", function: Function, frame: Frame) -> None:
    """Note that a function of this file is called."""
    caller = woken.running(frame)
    if caller is not None:
        vm.callees.setdefault(caller, {})[function] = None


def given(vm: "Machine", function: Function) -> frozenset[int]:
    """Return what stands for all that other files may hand to a function of the module, or of one of its classes."""
    name = exported_name(function)
    return frozenset((vm.record.port(Role.TAKES, name, "", Moment.CALL),)) if name else NO_TAINT


def exported_name(function: Function) -> str:
    """Return by which name other files call a function, or nothing. A method's begins with a dot."""
    outer = function.frame
    if function.owner is None:
        return function.name if outer.parent is None and function.slot is not None else ""
    if outer.parent is None or outer.parent.parent is not None:
        return ""
    return function.owner.name if function.name == "__init__" else f".{function.name}"


def settle(vm: "Machine", frame: Frame) -> None:
    """Follow what the module exports, now that it has run: functions by what they give, values as they are."""
    from lazaretto.languages.python.calls import survey

    sinks = sorted(entry.start for entry in vm.record.entries if entry.role is None and entry.kind in SINKS)
    exports = [(name, one) for one in vm.functions if (name := exported_name(one))]
    again = [one for _, one in exports if one.effective and id(one) not in vm.surveyed and _has_sink(one, sinks)]
    for (_, function), source in vm.handed.items():
        function.given |= {source}
        if function.slot is None or _has_sink(function, sinks):
            again.append(function)
    again = list(dict.fromkeys(again))
    for function in again[:MAX_FUNCTIONS]:
        survey(vm, function)
    if len(again) > MAX_FUNCTIONS:
        vm.record.problem(0, f"more than {MAX_FUNCTIONS} functions that other files may call: not all were read")
    for name, function in exports:
        if function.effective and function.last is not None:
            _gives(vm, name, all_taint([function.last]), soft=True)
    exports += _further(vm, frame, exports)
    woken.tell(vm, exports, vm.handed)


def _further(vm: "Machine", frame: Frame, exports: list[tuple[str, Function]]) -> list[tuple[str, Function]]:
    """Tell of what the module has but functions of its own, and return the functions that can be reached so."""
    found: list[tuple[str, Function]] = []
    for name, value in list(frame.names.items()):
        if value.ref is None:
            _passes_on(vm, name, value)
        if isinstance(value.ref, Function) and exported_name(value.ref) != name:
            found.append((name, value.ref))
        items = value.items.values() if isinstance(value.items, dict) else value.items or ()
        found += [(name, item.ref) for item in items if isinstance(item.ref, Function)]
    for info in vm.classes:
        for name, value in (*info.members.items(), *(info.instance.attrs or {}).items()):
            if value.ref is None:
                _gives(vm, f".{name}", all_taint([value]))
    for name, function in exports:
        made = function.last.ref if function.last is not None else None
        if isinstance(made, Function):
            found += [(f"{name}()", made), (name, made)] if made is not function else []
    for name, function in found:
        _also_called(vm, name, function)
    return found


def _also_called(vm: "Machine", name: str, function: Function) -> None:
    """A function of the module has another name, too: what it takes and gives by that one."""
    own = exported_name(function)
    if own:
        taken = vm.record.port(Role.TAKES, name, "", Moment.CALL)
        vm.record.ports.flows[taken, vm.record.port(Role.TAKES, own, "", Moment.CALL)] = None
    if function.last is not None:
        _gives(vm, name, all_taint([function.last]), soft=True)


def _has_sink(function: Function, sinks: list[int]) -> bool:
    """Whether something that a caller may feed stands in a function that takes anything."""
    if function.slot is None or not function.parameters:
        return False
    start, end = function.code.place(function.slot.start, function.slot.end)
    return bisect_left(sinks, start) < bisect_left(sinks, end)


def _gives(vm: "Machine", name: str, taint: frozenset[int], *, soft: bool = False) -> None:
    """Note what an export gives; what a flow alone would tell (``soft``) is told where a function gives it."""
    entries = [(handle, vm.record.entries[handle]) for handle in sorted(taint)]
    told = [
        handle
        for handle, entry in entries
        if leaves(entry.kind, entry.role) and (entry.role is not None or not entry.gone) and (soft or not entry.soft)
    ]
    if told:
        vm.record.flow(told, vm.record.port(Role.GIVES, name, "", Moment.CALL))


def _passes_on(vm: "Machine", name: str, value: Value) -> None:
    """A name of the module is data, or a thing of another file, and other files may ask this one for it.

    What is imported under its own name is not told: that an import statement says.
    """
    parts = vm.record.ports.parts
    taint = all_taint([value])
    if value.sym is None:
        _gives(vm, name, taint)
        return
    for handle in sorted(taint & parts.keys()):
        role, known, specifier = parts[handle]
        if role is Role.FROM and name != known and value.sym.endswith(f".{known}" if known else specifier):
            vm.record.flow((handle,), vm.record.port(Role.GIVES, name, "", Moment.CALL))
            taken = vm.record.port(Role.TAKES, name, "", Moment.CALL)
            vm.record.flow((taken,), vm.record.port(Role.TO, known, specifier, Moment.CALL))
    if taint - parts.keys():
        _gives(vm, name, taint - parts.keys())
