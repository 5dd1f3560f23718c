"""The bounded abstract evaluator: it follows values through a file without ever calling the real thing.

Each statement is read at least once, in order; what a test cannot decide is read on both sides and joined. Loops and
calls are followed as long as the budget lasts; then their values become unknown, never their effects.
"""

from lazaretto.core.facts import Kind, Moment
from lazaretto.languages.python.expressions import EXPRESSIONS
from lazaretto.languages.python.interest import Chooser
from lazaretto.languages.python.ir import Node
from lazaretto.languages.python.loops import dead
from lazaretto.languages.python.record import Record
from lazaretto.languages.python.scope import Call, ClassInfo, Frame, Function
from lazaretto.languages.python.scoped import beside
from lazaretto.languages.python.statements import STATEMENTS
from lazaretto.languages.python.values import Value, all_taint, unknown

MAX_LEVELS = 150
"""Deepest nesting of evaluation (expressions, blocks and calls together)."""

SPARE_STEPS = 150_000
"""How many steps may be spent on repeating code: loops, and functions called again with other arguments."""

RESERVE = 110_000
"""How many of these steps are kept for computations on constants: what decodes a payload has to be followed."""


class Machine:
    """State of one reading. Statements and expressions live in modules of their own."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.level = 0
        self.calls = 0
        self.spare = SPARE_STEPS
        self.unknown_calls = 0
        self.strangers = 0
        self.undecided = 0
        self.functions: list[Function] = []
        self.classes: list[ClassInfo] = []
        self.surveyed: dict[int, object] = {}
        """Blocks and functions by their addresses; they are kept, lest another gets the address of one that is gone."""
        self.written: dict[str, int] = {}
        self.payloads: dict[int, list[Value]] = {}
        self.callees: dict[Function, dict[Function, None]] = {}
        self.calls_out: dict[Function | None, dict[int, None]] = {}
        self.calls_back: dict[Function | None, dict[int, str]] = {}
        self.handed: dict[tuple[int, Function], int] = {}
        self.main_moment = Moment.CALL
        self.repeating = 0
        self.chooser = Chooser(record)
        self.imported: dict[str, None] = {}
        self.call_ranges: list[tuple[int, int]] = []
        self.kept: list[Node] = []  # nodes are told apart by identity: they must outlive the reading

    # -- evaluation -------------------------------------------------------------------------------------------

    def ev(self, node: Node, frame: Frame) -> Value:
        """Return what an expression is, noting everything that evaluating it would do."""
        level = self.level
        if level >= MAX_LEVELS:
            self.too_deep(node, frame)
            return unknown()
        self.level = level + 1
        if self.repeating:
            self.spare -= 1
        value = EXPRESSIONS[node[0]](self, node, frame)
        self.level = level
        return value

    def run(self, block: list[Node], frame: Frame) -> str:
        """Run statements; return "" or how control left: ``return``, ``break``, ``continue``, ``raise``."""
        if self.level >= MAX_LEVELS:
            if block:
                self.too_deep(block[0], frame)
            return ""
        self.level += 1
        signal = ""
        owed = frame.owed
        for index, statement in enumerate(block):
            if self.repeating:
                self.spare -= 1
            if owed:
                owed.pop(id(statement), None)
            signal = STATEMENTS[statement[0]](self, statement, frame)
            if signal:
                # What stands behind is read too, at the end: the judgement that it cannot run may be wrong.
                if index + 1 < len(block):
                    owed.setdefault(id(block[index + 1]), (frame.code, block[index + 1 :]))
                break
        self.level -= 1
        return signal

    def settle(self, frame: Frame) -> None:
        """Read what no path has reached so far."""
        while frame.owed:
            code, rest = frame.owed.pop(next(iter(frame.owed)))
            before, frame.code = frame.code, code
            dead(self, rest, frame)
            frame.code = before

    def too_deep(self, node: Node, frame: Frame) -> None:
        """Note that a place is nested too deep to be followed."""
        self.record.problem(frame.code.place(node[1], node[2])[0], "nested too deep to be followed", unread=True)

    @property
    def eager(self) -> bool:
        """Whether code that is no computation on constants may still be followed again."""
        return self.spare > RESERVE

    def lost(self, frame: Frame) -> None:
        """Count a call whose effects nobody knows."""
        self.unknown_calls += 1
        self.strangers += frame.moment is Moment.LOAD

    # -- facts ------------------------------------------------------------------------------------------------

    def emit(
        self,
        kind: Kind,
        value: str | None,
        place: tuple[int, int],
        frame: Frame,
        via: tuple[str, ...] = (),
        *,
        soft: bool = False,
    ) -> int:
        """Note a fact at a place of the whole file and return its handle."""
        chain = frame.code.via + via
        handle = self.record.add(kind, value, place, frame.moment, ">".join(chain) if chain else "plain", soft=soft)
        if not soft:
            frame.handles.append(handle)
        return handle

    def sink(
        self, kind: Kind, value: str | None, call: Call, data: list[Value] | None = None, via: tuple[str, ...] = ()
    ) -> int:
        """Note a fact and the flows into it from the data given (all arguments, if none are named)."""
        handle = self.emit(kind, value, call.place, call.frame, via)
        self.record.flow(sorted(all_taint(call.data() if data is None else data)), handle)
        return handle

    def scope_flows(self, frame: Frame) -> None:
        """Note what stands in one function: weaker than a value that was followed."""
        for sources, sink in beside(list(dict.fromkeys(frame.handles)), self.record.kind):
            self.record.flow(sources, sink, "scope")

    def release(self, frame: Frame) -> None:
        """Let go of everything that was read: cycles would keep it until the next search for garbage, which is slow."""
        for function in self.functions:
            function.frame.names.clear()
            function.answers.clear()
            function.defaults.clear()
            function.last = function.slot = function.expression = None
        for info in self.classes:
            info.members.clear()
            info.instance.ref = None
            info.instance.attrs = None
        frame.names.clear()
        self.functions.clear()
        self.surveyed.clear()
        self.callees.clear()
        self.handed.clear()
        self.calls_back.clear()
        self.calls_out.clear()

    def interesting(self, function: Function) -> bool:
        """Whether the text of a function names anything that could matter."""
        return self.chooser.interesting(function)
