"""The text of one file as the evaluator sees it: trees, lowered functions, and code inside strings."""

from bisect import bisect_left
from typing import TYPE_CHECKING, Any

from lazaretto.languages.javascript import grammar
from lazaretto.languages.javascript.endless import Endless
from lazaretto.languages.javascript.keys import Keys
from lazaretto.languages.javascript.lower import Lowerer
from lazaretto.languages.javascript.syntax import FUNCTION_TYPES, IR
from lazaretto.languages.javascript.values import Func, Scope, Sym

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node, Tree

    from lazaretto.languages.javascript.interp import Interpreter

NESTED_BASE = 1 << 40
MAX_NESTED = 256 * 1024
MAX_NESTED_DEPTH = 3
MAX_NESTED_TEXTS = 2000
MAX_NESTED_TOTAL = 4 * 1024 * 1024
"""How many texts that are evaluated are read, and how many characters of them."""
MAX_LOWERED = 256 * 1024
"""How many bytes of functions stay lowered at once, outer ones counted alone: they take some fifty times as much."""


class Unit:
    """A text with its tree: a whole file, a cut of it, or code that was found inside a string."""

    def __init__(self, data: bytes, tree: "Tree") -> None:
        self.data = data
        self.tree = tree
        self.lowerer = Lowerer(data)
        self.bodies: dict[tuple[int, int], list[Any]] = {}
        self._lowered = 0
        self.pieces: list[tuple[Any, int]] = []

    def statements(self) -> list[IR]:
        """Lower the top level."""
        return self.lowerer.statements(self.tree.root_node.named_children)

    @staticmethod
    def load(statement: IR) -> IR:
        """Return a statement itself; pieces of a cut file keep theirs packed until they run."""
        return statement

    def body(self, start: int, end: int) -> list[Any] | None:
        """Lower the function that stands in this range, once."""
        key = (start, end)
        known = self.bodies.get(key)
        if known is None:
            node = self.lowerer.functions.get(key) or self._find(start, end)
            if node is None:
                return None
            self._lowered += end - start
            if self._lowered > MAX_LOWERED:
                self.bodies.clear()
                self._lowered = end - start
            known = self.bodies[key] = self.lowerer.function_body(node)
        return known

    def _find(self, start: int, end: int) -> "Node | None":
        node = self.tree.root_node.descendant_for_byte_range(start, max(start, end - 1))
        while node is not None:
            if node.type in FUNCTION_TYPES and (node.start_byte, node.end_byte) == (start, end):
                return node
            node = node.parent
        return None

    def text(self, function: Func) -> str:
        """Return the source text of a function."""
        return self.data[function.code[1] : function.code[2]].decode("utf-8", "replace")

    def close(self) -> None:
        """Give up the tree and what was lowered, which values that hold each other would keep for long."""
        del self.tree
        self.bodies.clear()
        self.pieces.clear()
        self.lowerer.functions.clear()


class Source:
    """One file: where its seeds are, and the bodies of its functions."""

    def __init__(self, dialect: str) -> None:
        self.dialect = dialect
        self._seeds: list[int] = []
        self._seeded: dict[tuple[int, int], bool] = {}
        self.direct: list[int] = []
        self.loops: list[int] = []
        self.endless = Endless()
        self.keys = Keys()
        self._nested: set[str] = set()
        self._nested_size = 0
        self._depth = 0
        self._next_base = NESTED_BASE
        self.nested_deep = False

    @property
    def seeds(self) -> list[int]:
        """Where words of interest stand, in order."""
        return self._seeds

    @seeds.setter
    def seeds(self, positions: list[int]) -> None:
        self._seeds = positions
        self._seeded.clear()

    def has_seed(self, start: int, end: int) -> bool:
        """Whether a word of interest stands in this range of the file."""
        known = self._seeded.get((start, end))
        if known is None:
            at = bisect_left(self._seeds, start)
            known = start >= NESTED_BASE or (at < len(self._seeds) and self._seeds[at] < end)
            self._seeded[start, end] = known
        return known

    def has_loop(self, start: int, end: int) -> bool:
        """Whether a loop that may have no end stands in this range of the file."""
        at = bisect_left(self.loops, start)
        return at < len(self.loops) and self.loops[at] < end

    def expand(self, statements: list[IR], unit: Any, base: int) -> "Iterator[tuple[Any, int, IR]]":
        """Yield the statements of a list with the unit they belong to; pieces stand for their statements."""
        for statement in statements:
            if statement[0] != "cuts":
                yield unit, base, statement
                continue
            for piece, offset in unit.pieces:
                yield from self.expand(piece.statements(), piece, base + offset)

    def body(self, function: Func) -> list[Any] | None:
        """Return ``[parameters, statements, is_arrow, is_async]`` of a function."""
        if function.members is not None:
            return None
        found: list[Any] | None = function.unit.body(function.code[1], function.code[2])
        return found

    def text(self, function: Func) -> str:
        """Return the source text of a function."""
        text: str = function.unit.text(function)
        return text

    def read_nested(self, interp: "Interpreter", code: str, at: tuple[int, int], via: tuple[str, ...]) -> None:
        """Read code that stands in a string which is evaluated: its facts stand at the place of the evaluation."""
        if code in self._nested or self._depth >= MAX_NESTED_DEPTH:
            return
        if len(self._nested) >= MAX_NESTED_TEXTS or self._nested_size > MAX_NESTED_TOTAL:
            interp.record.problem(at[0], "more evaluated code than is read")
            return
        if len(code) < 4 or len(code) > MAX_NESTED:
            if len(code) > MAX_NESTED:
                interp.record.problem(at[0], "evaluated code too long to be read")
            return
        self._nested.add(code)
        self._nested_size += len(code)
        data = code.encode("utf-8", "surrogatepass")
        tree, _covered = grammar.parse("javascript", data)
        if tree is None or grammar.error_count(tree, 1):
            data = b"function _(){" + data + b"\n}_()"
            tree, _covered = grammar.parse("javascript", data)
            if tree is None or grammar.error_count(tree, 1):
                return
        self._run_nested(interp, Unit(data, tree), at, via)

    def _run_nested(self, interp: "Interpreter", unit: Unit, at: tuple[int, int], via: tuple[str, ...]) -> None:
        record = interp.record
        saved = (interp.base, interp.unit, record.pinned, record.pinned_via)
        interp.base, interp.unit = self._next_base, unit
        self._next_base += MAX_NESTED * 2
        if record.pinned is None:
            record.pinned = at
        record.pinned_via = ">".join((*via, "eval")) if via else "eval"
        self._depth += 1
        try:
            around, interp.around = interp.around, None
            scope = Scope(around or interp.globals, function=around is None, this=Sym(path="globalThis"))
            if around is None:
                scope.vars["require"] = Sym(path="require")
            interp.run_top(unit.statements(), scope)
        finally:
            self._depth -= 1
            self.nested_deep = self.nested_deep or unit.lowerer.deep
            interp.base, interp.unit, record.pinned, record.pinned_via = saved
