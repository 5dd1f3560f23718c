"""Calls of the functions of a script: walked for all that they are given, and once for the same thing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazaretto.languages.shell.repeats import Outcome, Reads, State, essence, essences
from lazaretto.languages.shell.syntax import Function
from lazaretto.languages.shell.values import Call, Value, merge

if TYPE_CHECKING:
    from lazaretto.languages.shell.machine import Machine

MAX_WITHIN = 2
"""How often a function is walked inside itself, if what it is given is not known."""

Pin = tuple[int, int] | None
"""Where the facts of a script inside a script stand."""

_GIVEN = ("@", "*", "#", ":args")


def _is_known(value: Value) -> bool:
    """Whether nothing of a value depends on where it is used: a pattern stands for the files that there are."""
    return value.known and "*" not in value.text and "?" not in value.text


class Calls:
    """The functions that a script defines, and what came of their calls."""

    def __init__(self) -> None:
        self._defined: dict[int, tuple[Function, Pin]] = {}
        self._walked: set[int] = set()
        self._active: list[State] = []
        self._outcomes: dict[State, Outcome] = {}
        self._reads = Reads()
        self._stopped = 0

    def define(self, function: Function, pin: Pin) -> None:
        """Take a function; one of this name that was never called is kept as well: it may be the one."""
        if id(function) not in self._defined:
            self._defined[id(function)] = (function, pin)
            self._reads.define(function)

    def uncalled(self) -> list[tuple[Function, Pin]]:
        """Return the functions that were not walked, by name, and count them as walked."""
        left = [one for number, one in self._defined.items() if number not in self._walked]
        self._walked.update(id(function) for function, _ in left)
        return sorted(left, key=lambda one: one[0].name)

    def run(self, machine: Machine, function: Function, call: Call) -> Value:
        """Walk a function with its arguments, unless all that it reads is what it was before."""
        outer = dict(machine.variables)
        joined = Value(
            " ".join(v.text for v in call.args), all(v.known for v in call.args), merge(*(v.taint for v in call.args))
        )
        machine.variables.update({str(number): value for number, value in enumerate(call.args, 1)})
        machine.variables.update({"@": joined, "*": joined, ":args": joined, "#": Value(str(len(call.args)))})
        outcome = self._outcome(machine, function, call, outer)
        machine.variables.update(outcome.changed)
        for name in (*_GIVEN, *(str(number) for number in range(1, len(call.args) + 1))):
            if name in outer:
                machine.variables[name] = outer[name]
            else:
                machine.variables.pop(name, None)
        return outcome.printed

    def _outcome(self, machine: Machine, function: Function, call: Call, outer: dict[str, Value]) -> Outcome:
        state = self._state(machine, function, call)
        known = self._outcomes.get(state) if state.read is not None else None
        if known is not None:
            return known
        if self._turns(state, call):
            self._stopped += 1
            return Outcome(Value(f"$({call.text})", known=False, taint=call.taint), {})
        stopped = self._stopped
        self._active.append(state)
        printed = self._walk(machine, function, call)
        self._active.pop()
        changed = {
            name: value
            for name, value in machine.variables.items()
            if outer.get(name) is not value and name not in _GIVEN and not name.isdecimal()
        }
        outcome = Outcome(printed, changed)
        if state.read is not None and (stopped == self._stopped or not self._active):
            self._outcomes[state] = outcome  # what is stopped depends on who calls
        return outcome

    def _walk(self, machine: Machine, function: Function, call: Call) -> Value:
        walked = id(function) in self._walked
        self._walked.add(id(function))
        if walked:
            return machine.repeat(function.body, call.stdin, call.start)
        return machine.run(function.body, call.stdin)

    def _turns(self, state: State, call: Call) -> bool:
        """Whether a function that is being walked calls itself for nothing new, or for what nobody knows."""
        inside = [one for one in self._active if one.function == state.function]
        unknown = not call.args or not all(_is_known(value) for value in call.args)
        again = any(one.read == state.read and one.given == state.given for one in inside if one.read is not None)
        return again or (unknown and len(inside) >= MAX_WITHIN)

    def _state(self, machine: Machine, function: Function, call: Call) -> State:
        """Return all that decides what a call does; the first one is walked whatever it reads."""
        known = id(function) in self._walked
        read = essences(self._reads.names(function), machine.variables) if known else None
        world = (
            machine.writes, len(machine.loaded), len(machine.unpacked), machine.cwd, tuple(machine.aliases.items()),
            machine.moment,
        )  # fmt: skip
        return State(id(function), read, essence(call.stdin), world, machine.pin)
