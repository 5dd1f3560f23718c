"""What a module gives to the other files of its package, and what it takes from them: its ports.

Only what the file alone knows is said here; ``core.crossing`` joins the ports of files that load one another. A name
that is imported from anywhere but the modules that the evaluator knows may be another file's: which file, and whether
there is one, the artifact says.
"""

from bisect import bisect_left
from functools import cache
from typing import TYPE_CHECKING

from lazaretto.core.facts import Moment, Role
from lazaretto.languages.python import interest
from lazaretto.languages.python.passing import SINKS, leaves
from lazaretto.languages.python.scope import Frame, Function
from lazaretto.languages.python.values import NO_TAINT, Value, all_taint

if TYPE_CHECKING:
    from lazaretto.languages.python.machine import Machine

MAX_EXPORTS = 64
"""Most exports of one file that are followed."""

MAX_FUNCTIONS = 100
"""Most functions of a file of which those are read once more that the file has called itself."""

MAX_PASSED = 8 * 1024
"""Longest file whose names are followed that are mere values or other files' things: longer ones are no index."""

_NO_PORT: tuple[Role | None, str, str] = (None, "", "")
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


def member(vm: "Machine", value: Value, dotted: str, moment: Moment) -> frozenset[int]:
    """Return where a member of a value comes from: if that is another file's module, the member is its own port."""
    taint = value.taint | value.mark
    parts = vm.record.ports.parts
    if not taint or parts.keys().isdisjoint(taint):
        return taint
    module, _, name = dotted.rpartition(".")
    if "(" in module:  # what a function or class of that module has made: its data stay, and its methods are there
        return taint | imported(vm, module.partition("(")[0].rpartition(".")[0] or ".", name, moment)
    rest = {handle for handle in taint if handle not in parts or parts[handle][0] is not Role.FROM}
    if len(rest) == len(taint):
        return taint
    return frozenset(rest) | imported(vm, module if module.strip(".") else f"{module}.", name, moment)


def called(vm: "Machine", callee: Value, taint: frozenset[int], frame: Frame) -> None:
    """Note what data something is given that may be another file's, or that another file gave as a callback.

    Only data are followed: that a call alone makes another file's code run sooner is no fact here, for whoever builds
    a package asks git for its version through several modules.
    """
    if not taint or not callee.taint:
        return
    record = vm.record
    for handle in sorted(callee.taint):
        role, name, specifier = record.ports.parts.get(handle, _NO_PORT)
        if role is Role.FROM:
            record.flow(sorted(taint), record.port(Role.TO, name, specifier, frame.moment))
        elif role is Role.TAKES:
            record.flow(sorted(taint), record.port(Role.GIVES, name, "", frame.moment))


def given(vm: "Machine", function: Function) -> frozenset[int]:
    """Return what stands for all that other files may hand to a function of the module, or of one of its classes."""
    name = exported_name(function)
    return frozenset((vm.record.port(Role.TAKES, name, "", Moment.CALL),)) if name else NO_TAINT


def exported_name(function: Function) -> str:
    """Return by which name other files call a function, or nothing."""
    outer = function.frame
    if function.owner is None:
        return function.name if outer.parent is None and function.slot is not None else ""
    if outer.parent is None or outer.parent.parent is not None:
        return ""
    return function.owner.name if function.name == "__init__" else function.name


def settle(vm: "Machine", frame: Frame, size: int) -> None:
    """Follow what the module exports, now that it has run: functions by what they give, values as they are."""
    from lazaretto.languages.python.calls import survey

    sinks = sorted(entry.start for entry in vm.record.entries if entry.role is None and entry.kind in SINKS)
    for function in [one for one in vm.functions if one.effective and exported_name(one)][:MAX_EXPORTS]:
        if id(function) not in vm.surveyed and len(vm.functions) < MAX_FUNCTIONS and _has_sink(function, sinks):
            survey(vm, function)
        if function.last is not None:
            _gives(vm, exported_name(function), all_taint([function.last]), soft=True)
    for name, value in list(frame.names.items())[: MAX_EXPORTS if size <= MAX_PASSED else 0]:
        if value.ref is None:
            _passes_on(vm, name, value)


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
    """A name of the module is data, or a thing of another file, and other files may ask this one for it."""
    taint = all_taint([value])
    _gives(vm, name, taint)
    for handle in sorted(taint & vm.record.ports.parts.keys()):
        role, known, specifier = vm.record.ports.parts[handle]
        if role is Role.FROM and value.sym is not None and value.sym.endswith(f".{known}"):
            taken = vm.record.port(Role.TAKES, name, "", Moment.CALL)
            vm.record.flow((taken,), vm.record.port(Role.TO, known, specifier, Moment.CALL))
