"""From syntax to IR: patterns, and what every part of the lowering shares. See ``lower.py`` for the whole."""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from lazaretto.languages.javascript.syntax import IR, MAX_DEPTH, child_of, first_of, parts_of, slots_of

if TYPE_CHECKING:
    from tree_sitter import Node


class Patterns:
    """Lowers the left sides of bindings; ``deep`` tells whether something was nested too deeply to be lowered."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.deep = False
        self.functions: dict[tuple[int, int], Node] = {}
        self._depth = 0

    def text(self, node: "Node") -> str:
        """Return the source text of a node."""
        return self.data[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def expression(self, node: "Node") -> IR:
        """Lower one expression; ``Expressions`` knows how."""
        raise TypeError(f"{type(self).__name__} lowers no expressions")

    def _field(self, node: "Node", name: str) -> IR:
        child = node.child_by_field_name(name)
        return ["undef", node.start_byte, node.end_byte] if child is None else self.expression(child)

    def _key(self, node: "Node") -> Any:
        return self.text(node)

    def pattern(self, node: "Node") -> IR:
        """Lower the left side of a binding or an assignment."""
        if self._depth > MAX_DEPTH:
            self.deep = True
            return ["opq", node.start_byte, node.end_byte, []]
        self._depth += 1
        try:
            method = _pattern_table().get(node.type)
            lowered: IR = self.expression(node) if method is None else method(self, node)
            return lowered
        finally:
            self._depth -= 1

    def _p_identifier(self, node: "Node") -> IR:
        return ["id", node.start_byte, node.end_byte, self.text(node)]

    _p_shorthand_property_identifier_pattern = _p_identifier

    def _p_object_pattern(self, node: "Node") -> IR:
        parts = [self._property_pattern(child) for child in parts_of(node)]
        return ["opat", node.start_byte, node.end_byte, parts]

    def _p_array_pattern(self, node: "Node") -> IR:
        parts = [None if part is None else self.pattern(part) for part in slots_of(node)]
        return ["apat", node.start_byte, node.end_byte, parts]

    def _p_assignment_pattern(self, node: "Node") -> IR:
        left = self.pattern(child_of(node, "left"))
        return ["dflt", node.start_byte, node.end_byte, left, self._field(node, "right")]

    def _p_rest_pattern(self, node: "Node") -> IR:
        return ["rest", node.start_byte, node.end_byte, self._pattern_or_nothing(first_of(node), node)]

    def _p_required_parameter(self, node: "Node") -> IR:
        value = node.child_by_field_name("value")
        inner = self._pattern_or_nothing(node.child_by_field_name("pattern"), node)
        return inner if value is None else ["dflt", node.start_byte, node.end_byte, inner, self.expression(value)]

    _p_optional_parameter = _p_required_parameter

    def _p_lexical_declaration(self, node: "Node") -> IR:
        first = first_of(node)
        return self._pattern_or_nothing(None if first is None else first.child_by_field_name("name"), node)

    _p_variable_declaration = _p_lexical_declaration

    def _pattern_or_nothing(self, inner: "Node | None", node: "Node") -> IR:
        return ["opq", node.start_byte, node.end_byte, []] if inner is None else self.pattern(inner)

    def _property_pattern(self, node: "Node") -> IR:
        kind = node.type
        if kind == "pair_pattern":
            return [self._key(child_of(node, "key")), self.pattern(child_of(node, "value"))]
        if kind == "object_assignment_pattern":
            left = self.pattern(child_of(node, "left"))
            return [left[3], ["dflt", node.start_byte, node.end_byte, left, self._field(node, "right")]]
        lowered = self.pattern(node)
        return [lowered[3] if lowered[0] == "id" else None, lowered]


@cache
def _pattern_table() -> dict[str, Callable[[Any, "Node"], Any]]:
    return dispatch(Patterns, "_p_")


def dispatch(kind: type, prefix: str) -> dict[str, Callable[[Any, "Node"], Any]]:
    """Return the methods of a class whose names start with ``prefix``, by the rest of the name: a node type."""
    return {name[len(prefix) :]: getattr(kind, name) for name in dir(kind) if name.startswith(prefix)}
