"""From syntax to IR: expressions, patterns, functions and classes. See ``lower.py`` for the whole."""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from lazaretto.languages.javascript import chains
from lazaretto.languages.javascript.lower_patterns import Patterns, dispatch
from lazaretto.languages.javascript.syntax import (
    IGNORED,
    IR,
    MAX_DEPTH,
    WRAPPERS,
    child_of,
    first_of,
    format_number,
    number,
    parts_of,
    slots_of,
    unescaped,
)

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_CALLS_NESTED = 70
"""How deep calls are nested before what leans to the left is taken for a chain, and not descended any further."""


class Expressions(Patterns):
    """Lowers expressions, patterns, functions and classes of one tree.

    ``deep`` tells whether something was nested too deeply to be lowered.
    """

    _in_chain = False

    def body(self, node: "Node | None") -> list[IR]:
        """Lower a statement or block as a list of statements; ``Lowerer`` knows how."""
        raise TypeError(f"{type(self).__name__} lowers no statements")

    # Functions and classes

    def _function(self, node: "Node") -> IR:
        name = node.child_by_field_name("name")
        key = (node.start_byte, node.end_byte)
        self.functions[key] = node
        named = self.text(name) if name is not None and name.type == "identifier" else None
        return ["fn", *key, named]

    def function_body(self, node: "Node") -> list[Any]:
        """Lower a function: ``[parameters, statements, is_arrow, is_async]``."""
        depth, self._depth = self._depth, 0
        try:
            single = node.child_by_field_name("parameter")
            listed = node.child_by_field_name("parameters")
            nodes = [single] if single is not None else parts_of(listed) if listed is not None else []
            parameters = [self.pattern(child) for child in nodes]
            body = node.child_by_field_name("body")
            if body is not None and body.type != "statement_block":
                value = self.expression(body)
                statements: list[IR] = [["ret", body.start_byte, body.end_byte, value]]
            else:
                statements = self.body(body)
        finally:
            self._depth = depth
        head = self.data[node.start_byte : node.start_byte + 6]
        return [parameters, statements, node.type == "arrow_function", head == b"async "]

    def _x_class(self, node: "Node") -> IR:
        name = node.child_by_field_name("name")
        body = node.child_by_field_name("body")
        heritage = next((child for child in node.named_children if child.type == "class_heritage"), None)
        base = first_of(heritage) if heritage is not None else None
        if base is not None and base.type == "extends_clause":
            base = base.child_by_field_name("value")
        members = []
        for child in body.named_children if body is not None else []:
            member = self._member(child)
            if member is not None:
                members.append(member)
        title = None if name is None else self.text(name)
        return ["cls", node.start_byte, node.end_byte, title, self._opt(base), members]

    _x_class_declaration = _x_class

    def _member(self, node: "Node") -> list[Any] | None:
        kind = node.type
        static = any(child.type == "static" for child in node.children[:3])
        if kind == "method_definition":
            return [self._key(child_of(node, "name")), static, "m", self._function(node)]
        if kind in ("field_definition", "public_field_definition"):
            key = node.child_by_field_name("property") or node.child_by_field_name("name")
            value = node.child_by_field_name("value")
            if key is None or value is None:
                return None
            return [self._key(key), static, "f", self.expression(value)]
        if kind == "class_static_block":
            body = node.child_by_field_name("body")
            return ["", True, "b", self.body(body)]
        return None

    # Expressions

    def expression(self, node: "Node") -> IR:
        """Lower one expression."""
        kind = node.type
        if kind == "identifier":
            return ["id", node.start_byte, node.end_byte, self.text(node)]
        while kind in WRAPPERS:
            inner = first_of(node) if kind != "type_assertion" else node.named_children[-1]
            if inner is None:
                break
            node = inner
            kind = node.type
        if self._depth > MAX_CALLS_NESTED and (
            self._depth > MAX_DEPTH or (kind == "call_expression" and not self._in_chain)
        ):
            return self._chain(node)
        self._depth += 1
        try:
            method = _table().get(kind)
            if method is None:
                return self._opaque(node)
            lowered: IR = method(self, node)
            return lowered
        finally:
            self._depth -= 1

    def _chain(self, node: "Node") -> IR:
        """Lower what is nested deeply: a chain is long and not deep, and anything else soon too deep."""
        links = [] if self._in_chain else chains.spine(node)
        if not links:
            self.deep = True
            return ["opq", node.start_byte, node.end_byte, []]
        depth, self._depth, self._in_chain = self._depth, MAX_CALLS_NESTED, True
        try:
            base = self.expression(links[-1].named_children[0])
            codes = [self._link(link) for link in reversed(links)]
        finally:
            self._depth, self._in_chain = depth, False
        return ["chain", node.start_byte, node.end_byte, base, chains.joined(codes)]

    def _link(self, node: "Node") -> IR:
        start, end = node.start_byte, node.end_byte
        if node.type == "member_expression":
            return ["mem", start, end, None, self.text(child_of(node, "property"))]
        if node.type == "subscript_expression":
            return ["idx", start, end, None, self._field(node, "index")]
        arguments = child_of(node, "arguments")
        if arguments.type == "template_string":
            return ["tag", start, end, None, self._x_template_string(arguments)]
        return ["call", start, end, None, [self.expression(child) for child in parts_of(arguments)]]

    def _opaque(self, node: "Node") -> IR:
        parts = [self.expression(child) for child in node.named_children if child.type not in IGNORED]
        return ["opq", node.start_byte, node.end_byte, parts]

    def _opt(self, node: "Node | None") -> IR | None:
        return None if node is None else self.expression(node)

    def _x_identifier(self, node: "Node") -> IR:
        return ["id", node.start_byte, node.end_byte, self.text(node)]

    _x_shorthand_property_identifier = _x_identifier

    def _x_undefined(self, node: "Node") -> IR:
        return ["undef", node.start_byte, node.end_byte]

    def _x_this(self, node: "Node") -> IR:
        return ["this", node.start_byte, node.end_byte]

    def _x_true(self, node: "Node") -> IR:
        return ["lit", node.start_byte, node.end_byte, True]

    def _x_false(self, node: "Node") -> IR:
        return ["lit", node.start_byte, node.end_byte, False]

    def _x_null(self, node: "Node") -> IR:
        return ["lit", node.start_byte, node.end_byte, None]

    def _x_number(self, node: "Node") -> IR:
        value = number(self.text(node))
        return ["undef" if value is None else "num", node.start_byte, node.end_byte, value]

    def _string(self, node: "Node") -> str:
        raw = self.text(node)
        return unescaped(raw[1:-1])

    def _x_string(self, node: "Node") -> IR:
        return ["str", node.start_byte, node.end_byte, self._string(node)]

    def _x_template_string(self, node: "Node") -> IR:
        parts: list[Any] = []
        at = node.start_byte + 1
        for child in node.named_children:
            if child.type == "template_substitution":
                parts.append(self._raw(at, child.start_byte))
                inner = first_of(child)
                parts.append(["undef", 0, 0] if inner is None else self.expression(inner))
                at = child.end_byte
        parts.append(self._raw(at, node.end_byte - 1))
        if len(parts) == 1:
            return ["str", node.start_byte, node.end_byte, parts[0]]
        return ["tpl", node.start_byte, node.end_byte, parts]

    def _raw(self, start: int, end: int) -> str:
        return unescaped(self.data[start:end].decode("utf-8", "replace"))

    def _x_regex(self, node: "Node") -> IR:
        pattern = node.child_by_field_name("pattern")
        flags = node.child_by_field_name("flags")
        source = "" if pattern is None else self.text(pattern)
        return ["re", node.start_byte, node.end_byte, source, "" if flags is None else self.text(flags)]

    def _x_array(self, node: "Node") -> IR:
        items = [["undef", 0, 0] if part is None else self.expression(part) for part in slots_of(node)]
        return ["arr", node.start_byte, node.end_byte, items]

    def _x_spread_element(self, node: "Node") -> IR:
        return ["spread", node.start_byte, node.end_byte, self._opt(first_of(node)) or ["undef", 0, 0]]

    def _x_object(self, node: "Node") -> IR:
        return ["obj", node.start_byte, node.end_byte, [self._property(child) for child in parts_of(node)]]

    def _property(self, node: "Node") -> list[Any]:
        kind = node.type
        if kind == "pair":
            return [self._key(child_of(node, "key")), self._field(node, "value"), "p"]
        if kind == "spread_element":
            return ["", self._x_spread_element(node)[3], "s"]
        if kind == "method_definition":
            heads = {child.type for child in node.children[:2]}
            how = "g" if "get" in heads else "S" if "set" in heads else "m"
            return [self._key(child_of(node, "name")), self._function(node), how]
        return [self.text(node), self.expression(node), "p"]

    def _key(self, node: "Node") -> Any:
        kind = node.type
        if kind == "computed_property_name":
            inner = first_of(node)
            return "" if inner is None else self.expression(inner)
        if kind == "string":
            return self._string(node)
        if kind == "number":
            value = number(self.text(node))
            return self.text(node) if value is None else format_number(value)
        return self.text(node)

    def _x_arrow_function(self, node: "Node") -> IR:
        return self._function(node)

    _x_function_expression = _x_arrow_function
    _x_function_declaration = _x_arrow_function
    _x_generator_function = _x_arrow_function
    _x_method_definition = _x_arrow_function

    def _x_unary_expression(self, node: "Node") -> IR:
        operator = node.child_by_field_name("operator")
        sign = "" if operator is None else operator.type
        return ["un", node.start_byte, node.end_byte, sign, self._field(node, "argument")]

    def _x_binary_expression(self, node: "Node") -> IR:
        operator = child_of(node, "operator").type
        # A chain such as a + b + c + ... leans to the left: it is flattened, not descended.
        spine = [node]
        left = child_of(node, "left")
        while left.type == "binary_expression" and child_of(left, "operator").type == operator:
            spine.append(left)
            left = child_of(left, "left")
        items = [self.expression(left)]
        items.extend(self.expression(child_of(link, "right")) for link in reversed(spine))
        if operator in ("&&", "||", "??"):
            return ["log", node.start_byte, node.end_byte, operator, items]
        if operator == "+":
            return ["cat", node.start_byte, node.end_byte, items]
        return ["bin", node.start_byte, node.end_byte, operator, items]

    def _x_ternary_expression(self, node: "Node") -> IR:
        arms = []
        current = node
        while True:
            arms.append([self._field(current, "condition"), self._field(current, "consequence")])
            following = current.child_by_field_name("alternative")
            while following is not None and following.type == "parenthesized_expression":
                following = first_of(following)
            if following is None or following.type != "ternary_expression":
                break
            current = following
        last = ["undef", 0, 0] if following is None else self.expression(following)
        return ["cond", node.start_byte, node.end_byte, arms, last]

    def _x_assignment_expression(self, node: "Node") -> IR:
        target = self.pattern(child_of(node, "left"))
        return ["asg", node.start_byte, node.end_byte, "=", target, self._field(node, "right")]

    def _x_augmented_assignment_expression(self, node: "Node") -> IR:
        operator = child_of(node, "operator").type
        target = self.pattern(child_of(node, "left"))
        return ["asg", node.start_byte, node.end_byte, operator, target, self._field(node, "right")]

    def _x_update_expression(self, node: "Node") -> IR:
        operator = child_of(node, "operator")
        argument = child_of(node, "argument")
        prefix = operator.start_byte < argument.start_byte
        return ["upd", node.start_byte, node.end_byte, operator.type, prefix, self.pattern(argument)]

    def _x_call_expression(self, node: "Node") -> IR:
        function = child_of(node, "function")
        arguments = node.child_by_field_name("arguments")
        start, end = node.start_byte, node.end_byte
        if arguments is not None and arguments.type == "template_string":
            return ["tag", start, end, self.expression(function), self._x_template_string(arguments)]
        args = [self.expression(child) for child in parts_of(arguments)] if arguments is not None else []
        if function.type == "import":
            return ["imp", start, end, args]
        if function.type == "super":
            return ["opq", start, end, args]
        return ["call", start, end, self.expression(function), args]

    def _x_new_expression(self, node: "Node") -> IR:
        arguments = node.child_by_field_name("arguments")
        args = [self.expression(child) for child in parts_of(arguments)] if arguments is not None else []
        return ["new", node.start_byte, node.end_byte, self._field(node, "constructor"), args]

    def _x_member_expression(self, node: "Node") -> IR:
        name = node.child_by_field_name("property")
        title = "" if name is None else self.text(name)
        return ["mem", node.start_byte, node.end_byte, self._field(node, "object"), title]

    def _x_subscript_expression(self, node: "Node") -> IR:
        return ["idx", node.start_byte, node.end_byte, self._field(node, "object"), self._field(node, "index")]

    def _x_sequence_expression(self, node: "Node") -> IR:
        items = []
        pending = [node]
        while pending:
            current = pending.pop()
            if current.type == "sequence_expression":
                pending.extend(reversed(current.named_children))
            elif current.type != "comment":
                items.append(self.expression(current))
        return ["seq", node.start_byte, node.end_byte, items]

    def _x_await_expression(self, node: "Node") -> IR:
        return ["await", node.start_byte, node.end_byte, self._opt(first_of(node)) or ["undef", 0, 0]]

    def _x_yield_expression(self, node: "Node") -> IR:
        all_of = any(child.type == "*" for child in node.children)
        return ["yield", node.start_byte, node.end_byte, self._opt(first_of(node)) or ["undef", 0, 0], all_of]

    def _x_meta_property(self, node: "Node") -> IR:
        return ["meta", node.start_byte, node.end_byte, self.text(node)]


@cache
def _table() -> dict[str, Callable[[Any, "Node"], Any]]:
    return dispatch(Expressions, "_x_")
