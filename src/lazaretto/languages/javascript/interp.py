"""The partial evaluator: what a file's values are, what it calls, and when. Nothing real is ever called.

It walks the intermediate representation in the order in which the code would run. Where a condition is
not known both branches are read; a loop that cannot be counted is read once. Work is bounded by steps:
when they are used up every function is still entered, but only once, so that no call is overlooked.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lazaretto.core.facts import Kind, Moment, Role
from lazaretto.languages.javascript import arrayops, joining, longlists, values
from lazaretto.languages.javascript.entering import Entries
from lazaretto.languages.javascript.implicit import given
from lazaretto.languages.javascript.record import Recorder
from lazaretto.languages.javascript.values import (
    UNDEFINED,
    UNKNOWN,
    Arr,
    Choice,
    Func,
    Obj,
    Scope,
    Sym,
    Thunk,
    Value,
    choice,
    merged,
    options,
    taint_of,
    via_of,
)

if TYPE_CHECKING:
    from lazaretto.languages.javascript.source import Source

MAX_STEPS = 400_000
TOP_STEPS = 100_000
MAX_CALL_STEPS = 100_000
PLAIN_STEPS = 3000
MAX_EVAL_DEPTH = 170

FEW_BLOCKS = 12
"""Blocks within blocks of one function that count as depth. Honest code has no more, and in more of them, which cost
little, functions have to be entered all the same."""
_NESTING = frozenset({"blk", "if", "for", "forin", "while", "do", "try", "sw", "lab"})

_CONSTANTS = frozenset({"str", "num", "lit"})


class Thrown(Exception):
    """A JavaScript exception that is known to be thrown."""


class Frame:
    """One running function: what it may return, and how much work it has left."""

    __slots__ = ("limit", "returns", "yields")

    def __init__(self, limit: int) -> None:
        self.returns: list[Value] = []
        self.yields: list[Value] = []
        self.limit = limit


class Interpreter:
    """Evaluates the units of one file and records facts."""

    def __init__(self, source: "Source", record: Recorder) -> None:
        from lazaretto.languages.javascript import calls, expressions, outside, statements

        self.source = source
        self.record = record
        self.base = 0
        self.unit: Any = None
        self.steps = 0
        self.uncertain = 0
        self.maybe_exit = False
        self.saw_xor = False
        self.xor_inside = False
        self.spread_via: tuple[str, ...] = ()
        self.frame = Frame(TOP_STEPS)
        self.globals = Scope(None, function=True)
        self.around: Scope | None = None  # of a direct call of eval: its code sees these names
        self.created: list[Func] = []
        self.exports: list[tuple[str, str | None, Value]] = []
        self.own_modules: tuple[bytes, ...] = ()
        self.handed: list[tuple[int, Func, Value]] = []
        self.entered: set[tuple[int, int]] = set()
        self.deferred: list[tuple[Func, list[Value], Moment]] = []
        self.later: list[tuple[Func, list[Value]]] = []
        self.skipped: list[tuple[list[Any], Scope, Any, int, int]] = []
        self.resolved: dict[int, list[Value]] = {}
        self.entries = Entries(self)
        self.stack: list[tuple[int, int]] = []
        self._depth = 0
        self._blocks = 0
        self._too_deep = False
        self._expressions: dict[str, Callable[..., Value]] = expressions.TABLE
        self._statements: dict[str, Callable[..., Any]] = statements.TABLE
        self._bind = statements.bind
        self._calls = calls
        self._outside = outside

    # Evaluation

    def eval(self, code: list[Any] | None, scope: Scope) -> Value:
        """Return the value of an expression."""
        if code is None:
            return UNDEFINED
        self.steps += 1
        kind = code[0]
        # Names and constants are two of three expressions, and nothing stands inside them.
        if kind == "id":
            return self.lookup(code[3], scope)
        if kind in _CONSTANTS:
            return code[3]
        depth = self._depth
        if depth > MAX_EVAL_DEPTH:
            self._too_deep = True
            return UNKNOWN
        self._depth = depth + 1
        try:
            return self._expressions[kind](self, code, scope)
        finally:
            self._depth = depth

    def run(self, statements: list[Any], scope: Scope) -> Any:
        """Run a statement list; return None, or a signal (``ret``, ``brk``, ``cnt``) that ends it."""
        if longlists.is_long(statements):
            return longlists.run(self, statements, scope)
        self.hoist(statements, scope)
        for position, statement in enumerate(statements):
            if statement[0] == "fnd":
                continue
            signal = self.execute(statement, scope)
            if signal is not None:
                self.skip(statements[position + 1 :], scope)
                return signal
        return None

    def execute_top(self, statement: list[Any], scope: Scope) -> Any:
        """Run one statement of a top level: what it throws ends it and nothing else."""
        depth, uncertain, stack = self._depth, self.uncertain, len(self.stack)
        try:
            return self.execute(statement, scope)
        except Thrown:
            self._depth, self.uncertain = depth, uncertain
            del self.stack[stack:]
            return None

    def run_top(self, statements: list[Any], scope: Scope) -> None:
        """Run a top level: what is thrown ends one statement, not the reading."""
        if longlists.is_long(statements):
            longlists.run(self, statements, scope)
            return
        self.hoist(statements, scope)
        for statement in statements:
            if statement[0] != "fnd":
                self.execute_top(statement, scope)

    def execute(self, statement: list[Any], scope: Scope) -> Any:
        """Run one statement."""
        self.steps += 1
        depth = self._depth
        if depth > MAX_EVAL_DEPTH:
            self._too_deep = True
            return None
        blocks, nesting = self._blocks, statement[0] in _NESTING
        self._depth = depth + (blocks < FEW_BLOCKS or not nesting)
        self._blocks = blocks + nesting
        try:
            return self._statements[statement[0]](self, statement, scope)
        finally:
            self._depth, self._blocks = depth, blocks

    def hoist(self, statements: list[Any], scope: Scope) -> None:
        """Declare the functions of a statement list before anything runs."""
        for statement in statements:
            if statement[0] == "fnd":
                function = self.function(statement[3], scope)
                if function.name:
                    scope.vars[function.name] = function

    def skip(self, statements: list[Any], scope: Scope) -> None:
        """Remember code that does not run as far as is known: it is read last, so that it hides nothing."""
        rest = [statement for statement in statements if statement[0] != "fnd"]
        if rest and self.source.has_seed(self.base + rest[0][1], self.base + rest[-1][2]):
            self.skipped.append((rest, scope, self.unit, self.base, self.record.place))

    @property
    def exhausted(self) -> bool:
        """Whether the work that is allowed here has been done."""
        return self.steps > self.frame.limit

    @property
    def in_function(self) -> bool:
        """Whether a function of the file is running, as opposed to its top level."""
        return bool(self.stack)

    # Scopes

    def lookup(self, name: str, scope: Scope) -> Value:
        """Return what a name holds; a name that the file does not declare is a thing of the outside world."""
        current: Scope | None = scope
        while current is not None:
            if name in current.vars:
                found = current.vars[name]
                return self._force(found, current, name) if type(found) is Thunk else found
            current = current.parent
        return self._outside.global_value(name)

    def _force(self, thunk: Thunk, scope: Scope, name: str) -> Value:
        if thunk.busy or self._depth > MAX_EVAL_DEPTH - 40:
            return UNKNOWN
        thunk.busy = True
        thunk.run()
        if name not in scope.vars:
            # A ``var`` was declared further out, in the scope of its function.
            return self.lookup(name, scope.parent) if scope.parent is not None else UNDEFINED
        found = scope.vars[name]
        return UNKNOWN if isinstance(found, Thunk) else found

    def declare(self, name: str, value: Value, scope: Scope, *, function_level: bool = False) -> None:
        """Bind a name in this scope (``let``, ``const``) or in the function's (``var``)."""
        target = scope
        while function_level and not target.function and target.parent is not None:
            target = target.parent
        if function_level and self.uncertain and name in target.vars:
            value = self.joined(target.vars[name], value)
        target.vars[name] = value

    def assign(self, name: str, value: Value, scope: Scope) -> None:
        """Set a name where it is declared; under an unknown condition the old value stays possible."""
        current: Scope | None = scope
        while current is not None:
            if name in current.vars:
                known = current.vars[name]
                if isinstance(known, Thunk):
                    known = self._force(known, current, name)
                current.vars[name] = self.joined(known, value) if self.uncertain else value
                return
            current = current.parent
        self.globals.vars[name] = value

    @staticmethod
    def joined(old: Value, new: Value) -> Value:
        """Return a value that stands for the old and the new one."""
        if old is UNDEFINED or old is None or old is new:
            return new
        if isinstance(old, str) and old == "":
            return new
        return choice([old, new])

    # Functions

    def function(self, code: list[Any], scope: Scope) -> Func:
        """Make a function of the file from its place and the scope it stands in."""
        made = Func(self.unit, self.base, code, scope, code[3])
        if self.source.has_seed(self.base + code[1], self.base + code[2]):
            self.created.append(made)
        return made

    def call(self, function: Value, args: list[Value], this: Value = UNDEFINED) -> Value:
        """Call a value: enter a function of the file, or say what a thing of the outside does."""
        if isinstance(function, Func):
            return self.enter(function, args, this)
        if isinstance(function, Choice):
            return choice([self.call(option, args, this) for option in options(function)])
        if isinstance(function, Sym):
            return self._calls.call_path(self, function, args, UNDEFINED, (self.base, self.base))
        return Sym(taint=self.taints(args))

    def enter(self, function: Func, args: list[Value], this: Value = UNDEFINED) -> Value:
        """Run a function of the file with these arguments, if that is worth it and within bounds."""
        if function.bound is not None:
            args = [*function.bound, *args]
        key = function.key
        if key in self.entered:
            answer = self.entries.answer(function, args, this)
            if answer is not None:
                return answer
        if function.members is not None or not self.entries.worth(function, args, key):
            return Sym(taint=self.taints(args), via=merged(*(via_of(arg) for arg in args)))
        body = self.source.body(function)
        if body is None:
            return Sym(taint=self.taints(args))
        parameters, statements, arrow, _is_async = body
        inner = Scope(function.scope, function=True, this=function.scope_this(this, arrow=arrow))
        saved = (self.base, self.unit, self.frame, self.saw_xor, self.uncertain, self.record.place, self.maybe_exit)
        self.base, self.unit, self.saw_xor, self.maybe_exit = function.base, function.unit, False, False
        blocks, self._blocks = self._blocks, 0
        decoder = self.entries.decodes(key)
        started = self.steps
        if decoder:
            self.frame = Frame(min(MAX_STEPS, started + MAX_CALL_STEPS))
        else:
            self.frame = Frame(min(self.frame.limit, started + PLAIN_STEPS))
        self.record.place = key[0] + 1
        self.entered.add(key)
        self.stack.append(key)
        try:
            self._bind_parameters(function, parameters, args, inner, arrow=arrow)
            signal = self.run(statements, inner)
            if signal is not None and signal[0] == "ret":
                self.frame.returns.append(signal[1])
            result = choice(self.frame.returns) if self.frame.returns else UNDEFINED
            result = given(self.frame.yields, result)
            self.entries.returned(function, args, this, result)
            return result
        finally:
            self.stack.pop()
            self._blocks = blocks
            self.xor_inside = self.xor_inside or self.saw_xor
            inner_xor = self.saw_xor and bool(self.stack)
            if decoder:
                # Decoding is what the work is for: it is not charged to who asked for it.
                saved[2].limit = min(MAX_STEPS, saved[2].limit + self.steps - started)
            (self.base, self.unit, self.frame, self.saw_xor, self.uncertain, self.record.place, self.maybe_exit) = saved
            self.saw_xor = self.saw_xor or inner_xor

    def _bind_parameters(
        self, function: Func, parameters: list[Any], args: list[Value], scope: Scope, *, arrow: bool
    ) -> None:
        bind = self._bind
        if not arrow:
            scope.vars["arguments"] = Arr(args[:])
        keyed = self.source.keys.any
        for position, parameter in enumerate(parameters):
            if parameter[0] == "rest":
                bind(self, parameter[3], Arr(list(args[position:])), scope)
                break
            value = args[position] if position < len(args) else UNDEFINED
            if keyed and (value is UNDEFINED or value is UNKNOWN or self._from_outside(value)):
                value = self._handed(function, position, parameter, value)
            bind(self, parameter, value, scope)

    def _handed(self, function: Func, position: int, parameter: list[Any], value: Value) -> Value:
        """Return what nobody in this file hands over: key material, where a parameter takes it."""
        named = parameter[3] if parameter[0] == "dflt" else parameter
        if named[0] != "id" or not self.source.keys.taken(function, named[3], position):
            return value
        at = (self.base + named[1], self.base + named[2])
        given = frozenset({self.record.possible(Kind.KEY_GIVEN, named[3], *at)})
        return Sym(taint=given | value.taint if isinstance(value, Sym) else given)

    def _from_outside(self, value: Value) -> bool:
        """Whether a value is nothing but what another file may hand over."""
        return type(value) is Sym and bool(value.taint) and not value.path and not self.record.real(value.taint)

    @property
    def far_down(self) -> bool:
        """Whether there is too little depth left to enter a function."""
        return self._depth > MAX_EVAL_DEPTH - 70

    def note_depth(self) -> None:
        """Note that something matters which is nested too deeply to be followed."""
        self._too_deep = True

    @property
    def too_deep(self) -> bool:
        """Whether something was nested too deeply to be followed."""
        return self._too_deep

    # Values

    def taints(self, items: list[Value], depth: int = 1) -> frozenset[int]:
        """Return everything that these values came from."""
        found = values.NO_TAINT
        for item in items:
            taint = taint_of(item, depth)
            if taint:
                found |= taint
        return found

    def unknown(self, args: list[Value], step: str = "") -> Sym:
        """Return what a computation with unknown arguments gives: nothing but where it came from."""
        via = merged(*(via_of(arg) for arg in args), (step,) if step else ())
        return Sym(taint=self.taints(args), via=via)

    def array_method(self, array: Arr, name: str, args: list[Value]) -> Value:
        """Call a method of an array."""
        return arrayops.array_method(self, array, name, args)

    def arrives(self, specifier: str) -> frozenset[int]:
        """Return where everything of a module of the same package comes from; nothing for any other module."""
        return frozenset({self.record.port(Role.FROM, "", specifier)}) if specifier[:1] == "." else values.NO_TAINT

    def concat(self, parts: list[Value]) -> Value:
        """Concatenate texts; see ``joining.concat``."""
        return joining.concat([joining.as_text(self, part) if type(part) is Obj else part for part in parts])
