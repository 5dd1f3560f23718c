"""From a syntax tree to a small intermediate representation (IR) that can be stored and evaluated.

An IR node is a list ``[op, start, end, ...]``; positions are bytes relative to the text that was
lowered. Types, comments and syntax that has no influence on values disappear. Bodies of functions are
lowered only when somebody asks for them: a function is ``["fn", start, end, name]`` until then.

Expressions: num str lit undef id this super tpl tag arr obj fn cls un bin cat log cond asg upd call new mem
idx imp seq await re meta opq spread. Statements: expr var ret if for forin while do blk fnd clsd try thr brk
cnt sw lab import exportfrom. Patterns: id mem idx opat apat dflt rest.
"""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from lazaretto.languages.javascript.lower_expressions import Expressions
from lazaretto.languages.javascript.lower_patterns import dispatch
from lazaretto.languages.javascript.syntax import IGNORED, IR, MAX_DEPTH, declared_names, first_of

if TYPE_CHECKING:
    from tree_sitter import Node


class Lowerer(Expressions):
    """Lowers parts of one tree. ``cut`` is the range that the pieces of a cut file take, if it is cut."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.cut: tuple[int, int] | None = None

    def statements(self, nodes: "list[Node]") -> list[IR]:
        """Lower a statement list."""
        out = []
        for node in nodes:
            lowered = self.statement(node)
            if lowered is not None:
                out.append(lowered)
        return out

    def statement(self, node: "Node") -> IR | None:
        """Lower one statement, or return None if it does nothing."""
        kind = node.type
        if kind in IGNORED or not node.is_named:
            return None
        if self.cut is not None and node.start_byte == self.cut[0] and kind == "expression_statement":
            return ["cuts", *self.cut]
        method = _table().get(kind)
        if method is None:
            return ["expr", node.start_byte, node.end_byte, self.expression(node)]
        if self._depth > MAX_DEPTH:
            self.deep = True
            return None
        self._depth += 1
        try:
            lowered: IR | None = method(self, node)
        finally:
            self._depth -= 1
        return lowered

    def body(self, node: "Node | None") -> list[IR]:
        """Lower a statement or block as a list of statements."""
        if node is None:
            return []
        if node.type == "statement_block":
            return self.statements(node.named_children)
        lowered = self.statement(node)
        return [lowered] if lowered is not None else []

    def _s_expression_statement(self, node: "Node") -> IR | None:
        inner = first_of(node)
        return ["expr", node.start_byte, node.end_byte, self.expression(inner)] if inner is not None else None

    def _s_variable_declaration(self, node: "Node") -> IR:
        declared = []
        for child in node.named_children:
            if child.type == "variable_declarator":
                name = child.child_by_field_name("name")
                value = child.child_by_field_name("value")
                if name is not None:
                    declared.append([self.pattern(name), None if value is None else self.expression(value)])
        kind = self.data[node.start_byte : node.start_byte + 3].decode("latin-1")
        return ["var", node.start_byte, node.end_byte, kind, declared]

    def names(self, node: "Node") -> list[str]:
        """Return the names that a declaration of variables declares, without lowering their values."""
        patterns = [child.child_by_field_name("name") for child in node.named_children]
        declared = [[self.pattern(name), None] for name in patterns if name is not None]
        return declared_names(["var", node.start_byte, node.end_byte, "", declared])

    _s_lexical_declaration = _s_variable_declaration
    _s_using_declaration = _s_variable_declaration

    def _s_function_declaration(self, node: "Node") -> IR:
        return ["fnd", node.start_byte, node.end_byte, self._function(node)]

    _s_generator_function_declaration = _s_function_declaration

    def _s_class_declaration(self, node: "Node") -> IR:
        return ["clsd", node.start_byte, node.end_byte, self._x_class(node)]

    _s_abstract_class_declaration = _s_class_declaration

    def _s_enum_declaration(self, node: "Node") -> IR:
        name = node.child_by_field_name("name")
        pattern = self._x_identifier(name) if name is not None else ["id", 0, 0, ""]
        return ["var", node.start_byte, node.end_byte, "var", [[pattern, ["opq", node.start_byte, node.end_byte, []]]]]

    def _s_internal_module(self, node: "Node") -> IR:
        return ["blk", node.start_byte, node.end_byte, self.body(node.child_by_field_name("body"))]

    _s_module = _s_internal_module

    def _s_return_statement(self, node: "Node") -> IR:
        inner = first_of(node)
        return ["ret", node.start_byte, node.end_byte, None if inner is None else self.expression(inner)]

    def _s_throw_statement(self, node: "Node") -> IR:
        return ["thr", node.start_byte, node.end_byte, self._opt(first_of(node))]

    def _s_if_statement(self, node: "Node") -> IR:
        arms = []
        current: Node | None = node
        otherwise: list[IR] = []
        while current is not None:
            arms.append([self._field(current, "condition"), self.body(current.child_by_field_name("consequence"))])
            alternative = current.child_by_field_name("alternative")
            current = first_of(alternative) if alternative is not None else None
            if current is not None and current.type != "if_statement":
                otherwise = self.body(current)
                current = None
        return ["if", node.start_byte, node.end_byte, arms, otherwise]

    def _s_for_statement(self, node: "Node") -> IR:
        first = node.child_by_field_name("initializer")
        start = None if first is None else self.statement(first)
        condition = node.child_by_field_name("condition")
        if condition is not None and condition.type == "expression_statement":
            condition = first_of(condition)
        test = None if condition is None or condition.type == "empty_statement" else self.expression(condition)
        step = self._opt(node.child_by_field_name("increment"))
        return ["for", node.start_byte, node.end_byte, start, test, step, self.body(node.child_by_field_name("body"))]

    def _s_for_in_statement(self, node: "Node") -> IR:
        left = node.child_by_field_name("left")
        operator = node.child_by_field_name("operator")
        how = "of" if operator is not None and operator.type == "of" else "in"
        target = self.pattern(left) if left is not None else None
        right = self._field(node, "right")
        return [
            "forin",
            node.start_byte,
            node.end_byte,
            how,
            target,
            right,
            self.body(node.child_by_field_name("body")),
        ]

    def _s_while_statement(self, node: "Node") -> IR:
        body = self.body(node.child_by_field_name("body"))
        return ["while", node.start_byte, node.end_byte, self._field(node, "condition"), body]

    def _s_do_statement(self, node: "Node") -> IR:
        body = self.body(node.child_by_field_name("body"))
        return ["do", node.start_byte, node.end_byte, self._field(node, "condition"), body]

    def _s_statement_block(self, node: "Node") -> IR:
        return ["blk", node.start_byte, node.end_byte, self.statements(node.named_children)]

    _s_class_static_block = _s_statement_block

    def _s_with_statement(self, node: "Node") -> IR:
        inner: list[IR] = [["expr", node.start_byte, node.end_byte, self._field(node, "object")]]
        return ["blk", node.start_byte, node.end_byte, inner + self.body(node.child_by_field_name("body"))]

    def _s_try_statement(self, node: "Node") -> IR:
        handler = node.child_by_field_name("handler")
        finalizer = node.child_by_field_name("finalizer")
        parameter = handler.child_by_field_name("parameter") if handler is not None else None
        return [
            "try",
            node.start_byte,
            node.end_byte,
            self.body(node.child_by_field_name("body")),
            None if parameter is None else self.pattern(parameter),
            self.body(handler.child_by_field_name("body")) if handler is not None else [],
            self.body(finalizer.child_by_field_name("body")) if finalizer is not None else [],
        ]

    def _s_break_statement(self, node: "Node") -> IR:
        label = node.child_by_field_name("label")
        return ["brk", node.start_byte, node.end_byte, None if label is None else self.text(label)]

    def _s_continue_statement(self, node: "Node") -> IR:
        label = node.child_by_field_name("label")
        return ["cnt", node.start_byte, node.end_byte, None if label is None else self.text(label)]

    def _s_labeled_statement(self, node: "Node") -> IR:
        label = node.child_by_field_name("label")
        body = self.body(node.child_by_field_name("body"))
        return ["lab", node.start_byte, node.end_byte, "" if label is None else self.text(label), body]

    def _s_switch_statement(self, node: "Node") -> IR:
        body = node.child_by_field_name("body")
        arms = []
        for child in body.named_children if body is not None else []:
            if child.type in ("switch_case", "switch_default"):
                value = child.child_by_field_name("value")
                test = None if value is None else self.expression(value)
                rest = [part for part in child.named_children if value is None or part.id != value.id]
                arms.append([test, self.statements(rest)])
        return ["sw", node.start_byte, node.end_byte, self._field(node, "value"), arms]

    def _s_import_statement(self, node: "Node") -> IR | None:
        source = node.child_by_field_name("source")
        default, namespace, named = None, None, []
        for part in node.named_children:
            if part.type == "import_require_clause":
                source = part.child_by_field_name("source")
                first = first_of(part)
                namespace = self.text(first) if first is not None else None
            elif part.type == "import_clause":
                for clause in part.named_children:
                    if clause.type == "identifier":
                        default = self.text(clause)
                    elif clause.type == "namespace_import":
                        inner = first_of(clause)
                        namespace = self.text(inner) if inner is not None else None
                    elif clause.type == "named_imports":
                        named = self._import_names(clause)
        if source is None or self.data[node.start_byte : node.start_byte + 12].split()[:2] == [b"import", b"type"]:
            return None
        return ["import", node.start_byte, node.end_byte, self._string(source), default, namespace, named]

    def _import_names(self, clause: "Node") -> list[list[str]]:
        names = []
        for part in clause.named_children:
            name = part.child_by_field_name("name")
            alias = part.child_by_field_name("alias") or name
            if name is not None and alias is not None:
                names.append([self.text(name).strip("'\""), self.text(alias)])
        return names

    def _s_export_statement(self, node: "Node") -> IR | None:
        source = node.child_by_field_name("source")
        if source is not None:
            return ["exportfrom", node.start_byte, node.end_byte, self._string(source)]
        declaration = node.child_by_field_name("declaration")
        if declaration is not None:
            return self.statement(declaration)
        value = node.child_by_field_name("value")
        return None if value is None else ["expr", node.start_byte, node.end_byte, self.expression(value)]


@cache
def _table() -> dict[str, Callable[[Any, "Node"], Any]]:
    return dispatch(Lowerer, "_s_")
