"""From a syntax tree to a small intermediate representation (IR) that can be stored and evaluated.

An IR node is a list ``[op, start, end, ...]``; positions are bytes relative to the text that was
lowered. Types, comments and syntax that has no influence on values disappear. Bodies of functions are
lowered only when somebody asks for them: a function is ``["fn", start, end, name]`` until then.

Expressions: num str lit undef id this super tpl tag arr obj fn cls un bin cat log cond asg upd call new mem
idx imp seq await re meta opq spread. Statements: expr var ret if for forin while do blk fnd clsd try thr brk
cnt sw lab import exportfrom. Patterns: id mem idx opat apat dflt rest.
"""

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from tree_sitter import Node

IR = list[Any]

MAX_DEPTH = 110
FUNCTION_TYPES = frozenset(
    {
        "function_declaration",
        "function_expression",
        "arrow_function",
        "method_definition",
        "generator_function",
        "generator_function_declaration",
    }
)
_WRAPPERS = frozenset(
    {
        "parenthesized_expression",
        "as_expression",
        "satisfies_expression",
        "non_null_expression",
        "type_assertion",
        "instantiation_expression",
    }
)
_IGNORED = frozenset(
    {
        "comment",
        "html_comment",
        "hash_bang_line",
        "empty_statement",
        "interface_declaration",
        "type_alias_declaration",
        "function_signature",
        "ambient_declaration",
        "debugger_statement",
        "type_annotation",
        "type_arguments",
        "type_parameters",
        "accessibility_modifier",
        "override_modifier",
        "decorator",
    }
)
_ESCAPE = re.compile(r"\\(?:u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([0-7]{1,3})|(\r\n|[\s\S]))")
_SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": "", "\r": "", "\r\n": ""}


class Lowerer:
    """Lowers parts of one tree. ``deep`` tells whether something was nested too deeply to be lowered."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.deep = False
        self.cut: tuple[int, int] | None = None
        self.functions: dict[tuple[int, int], Node] = {}
        self._depth = 0
        self._expressions = _dispatch("_x_", self)
        self._statements = _dispatch("_s_", self)

    def text(self, node: "Node") -> str:
        """Return the source text of a node."""
        return self.data[node.start_byte : node.end_byte].decode("utf-8", "replace")

    # Statements

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
        if kind in _IGNORED or not node.is_named:
            return None
        if self.cut is not None and node.start_byte == self.cut[0] and kind == "expression_statement":
            return ["cuts", *self.cut]
        method = self._statements.get(kind)
        if method is None:
            return ["expr", node.start_byte, node.end_byte, self.expression(node)]
        if self._depth > MAX_DEPTH:
            self.deep = True
            return None
        self._depth += 1
        try:
            lowered: IR | None = method(node)
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
        inner = _first(node)
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

    _s_lexical_declaration = _s_variable_declaration

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
        inner = _first(node)
        return ["ret", node.start_byte, node.end_byte, None if inner is None else self.expression(inner)]

    def _s_throw_statement(self, node: "Node") -> IR:
        return ["thr", node.start_byte, node.end_byte, self._opt(_first(node))]

    def _s_if_statement(self, node: "Node") -> IR:
        arms = []
        current: Node | None = node
        otherwise: list[IR] = []
        while current is not None:
            arms.append([self._field(current, "condition"), self.body(current.child_by_field_name("consequence"))])
            alternative = current.child_by_field_name("alternative")
            current = _first(alternative) if alternative is not None else None
            if current is not None and current.type != "if_statement":
                otherwise = self.body(current)
                current = None
        return ["if", node.start_byte, node.end_byte, arms, otherwise]

    def _s_for_statement(self, node: "Node") -> IR:
        first = node.child_by_field_name("initializer")
        start = None if first is None else self.statement(first)
        condition = node.child_by_field_name("condition")
        if condition is not None and condition.type == "expression_statement":
            condition = _first(condition)
        test = None if condition is None or condition.type == "empty_statement" else self.expression(condition)
        step = self._opt(node.child_by_field_name("increment"))
        return ["for", node.start_byte, node.end_byte, start, test, step, self.body(node.child_by_field_name("body"))]

    def _s_for_in_statement(self, node: "Node") -> IR:
        left = node.child_by_field_name("left")
        operator = node.child_by_field_name("operator")
        how = "of" if operator is not None and operator.type == "of" else "in"
        target = self.pattern(left) if left is not None else None
        right = self._field(node, "right")
        return ["forin", node.start_byte, node.end_byte, how, target, right, self.body(node.child_by_field_name("body"))]

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
                first = _first(part)
                namespace = self.text(first) if first is not None else None
            elif part.type == "import_clause":
                for clause in part.named_children:
                    if clause.type == "identifier":
                        default = self.text(clause)
                    elif clause.type == "namespace_import":
                        inner = _first(clause)
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

    # Patterns

    def pattern(self, node: "Node") -> IR:
        """Lower the left side of a binding or an assignment."""
        kind = node.type
        start, end = node.start_byte, node.end_byte
        if self._depth > MAX_DEPTH:
            self.deep = True
            return ["opq", start, end, []]
        self._depth += 1
        try:
            if kind in ("identifier", "shorthand_property_identifier_pattern"):
                return ["id", start, end, self.text(node)]
            if kind == "object_pattern":
                return ["opat", start, end, [self._property_pattern(child) for child in _parts(node)]]
            if kind == "array_pattern":
                return ["apat", start, end, [None if part is None else self.pattern(part) for part in _slots(node)]]
            if kind == "assignment_pattern":
                return ["dflt", start, end, self.pattern(_child(node, "left")), self._field(node, "right")]
            if kind == "rest_pattern":
                inner = _first(node)
                return ["rest", start, end, ["opq", start, end, []] if inner is None else self.pattern(inner)]
            if kind in ("required_parameter", "optional_parameter"):
                name = node.child_by_field_name("pattern")
                value = node.child_by_field_name("value")
                inner_pattern = ["opq", start, end, []] if name is None else self.pattern(name)
                return inner_pattern if value is None else ["dflt", start, end, inner_pattern, self.expression(value)]
            if kind in ("lexical_declaration", "variable_declaration"):
                first = _first(node)
                name = first.child_by_field_name("name") if first is not None else None
                return ["opq", start, end, []] if name is None else self.pattern(name)
            return self.expression(node)
        finally:
            self._depth -= 1

    def _property_pattern(self, node: "Node") -> IR:
        kind = node.type
        if kind == "pair_pattern":
            return [self._key(_child(node, "key")), self.pattern(_child(node, "value"))]
        if kind == "object_assignment_pattern":
            left = self.pattern(_child(node, "left"))
            return [left[3], ["dflt", node.start_byte, node.end_byte, left, self._field(node, "right")]]
        lowered = self.pattern(node)
        return [lowered[3] if lowered[0] == "id" else None, lowered]

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
            nodes = [single] if single is not None else _parts(listed) if listed is not None else []
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
        base = _first(heritage) if heritage is not None else None
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
            return [self._key(_child(node, "name")), static, "m", self._function(node)]
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
        while node.type in _WRAPPERS:
            inner = _first(node) if node.type != "type_assertion" else node.named_children[-1]
            if inner is None:
                break
            node = inner
        if self._depth > MAX_DEPTH:
            self.deep = True
            return ["opq", node.start_byte, node.end_byte, []]
        self._depth += 1
        try:
            method = self._expressions.get(node.type)
            if method is None:
                return self._opaque(node)
            lowered: IR = method(node)
            return lowered
        finally:
            self._depth -= 1

    def _opaque(self, node: "Node") -> IR:
        parts = [self.expression(child) for child in node.named_children if child.type not in _IGNORED]
        return ["opq", node.start_byte, node.end_byte, parts]

    def _opt(self, node: "Node | None") -> IR | None:
        return None if node is None else self.expression(node)

    def _field(self, node: "Node", name: str) -> IR:
        child = node.child_by_field_name(name)
        if child is None:
            return ["undef", node.start_byte, node.end_byte]
        return self.expression(child)

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
                inner = _first(child)
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
        items = [["undef", 0, 0] if part is None else self.expression(part) for part in _slots(node)]
        return ["arr", node.start_byte, node.end_byte, items]

    def _x_spread_element(self, node: "Node") -> IR:
        return ["spread", node.start_byte, node.end_byte, self._opt(_first(node)) or ["undef", 0, 0]]

    def _x_object(self, node: "Node") -> IR:
        return ["obj", node.start_byte, node.end_byte, [self._property(child) for child in _parts(node)]]

    def _property(self, node: "Node") -> list[Any]:
        kind = node.type
        if kind == "pair":
            return [self._key(_child(node, "key")), self._field(node, "value"), "p"]
        if kind == "spread_element":
            return ["", self._x_spread_element(node)[3], "s"]
        if kind == "method_definition":
            heads = {child.type for child in node.children[:2]}
            how = "g" if "get" in heads else "S" if "set" in heads else "m"
            return [self._key(_child(node, "name")), self._function(node), how]
        return [self.text(node), self.expression(node), "p"]

    def _key(self, node: "Node") -> Any:
        kind = node.type
        if kind == "computed_property_name":
            inner = _first(node)
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
        operator = _child(node, "operator").type
        # A chain such as a + b + c + ... leans to the left: it is flattened, not descended.
        spine = [node]
        left = _child(node, "left")
        while left.type == "binary_expression" and _child(left, "operator").type == operator:
            spine.append(left)
            left = _child(left, "left")
        items = [self.expression(left)]
        items.extend(self.expression(_child(link, "right")) for link in reversed(spine))
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
                following = _first(following)
            if following is None or following.type != "ternary_expression":
                break
            current = following
        last = ["undef", 0, 0] if following is None else self.expression(following)
        return ["cond", node.start_byte, node.end_byte, arms, last]

    def _x_assignment_expression(self, node: "Node") -> IR:
        target = self.pattern(_child(node, "left"))
        return ["asg", node.start_byte, node.end_byte, "=", target, self._field(node, "right")]

    def _x_augmented_assignment_expression(self, node: "Node") -> IR:
        operator = _child(node, "operator").type
        target = self.pattern(_child(node, "left"))
        return ["asg", node.start_byte, node.end_byte, operator, target, self._field(node, "right")]

    def _x_update_expression(self, node: "Node") -> IR:
        operator = _child(node, "operator")
        argument = _child(node, "argument")
        prefix = operator.start_byte < argument.start_byte
        return ["upd", node.start_byte, node.end_byte, operator.type, prefix, self.pattern(argument)]

    def _x_call_expression(self, node: "Node") -> IR:
        function = _child(node, "function")
        arguments = node.child_by_field_name("arguments")
        start, end = node.start_byte, node.end_byte
        if arguments is not None and arguments.type == "template_string":
            return ["tag", start, end, self.expression(function), self._x_template_string(arguments)]
        args = [self.expression(child) for child in _parts(arguments)] if arguments is not None else []
        if function.type == "import":
            return ["imp", start, end, args]
        if function.type == "super":
            return ["opq", start, end, args]
        return ["call", start, end, self.expression(function), args]

    def _x_new_expression(self, node: "Node") -> IR:
        arguments = node.child_by_field_name("arguments")
        args = [self.expression(child) for child in _parts(arguments)] if arguments is not None else []
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
        return ["await", node.start_byte, node.end_byte, self._opt(_first(node)) or ["undef", 0, 0]]

    def _x_meta_property(self, node: "Node") -> IR:
        return ["meta", node.start_byte, node.end_byte, self.text(node)]


def declared_names(statement: IR) -> list[str]:
    """Return the names that a ``var`` or ``clsd`` statement declares."""
    if statement[0] == "clsd":
        return [statement[3][3]] if statement[3][3] else []
    names: list[str] = []
    pending = [pattern for pattern, _initial in statement[4]] if statement[0] == "var" else []
    while pending:
        pattern = pending.pop()
        if pattern is None:
            continue
        if pattern[0] == "id":
            names.append(pattern[3])
        elif pattern[0] in ("dflt", "rest"):
            pending.append(pattern[3])
        elif pattern[0] == "apat":
            pending.extend(pattern[3])
        elif pattern[0] == "opat":
            pending.extend(part for _key, part in pattern[3])
    return names


def number(text: str) -> int | float | None:
    """Return the value of a numeric literal, or None."""
    clean = text.replace("_", "").rstrip("n").lower()
    try:
        if clean[:2] in ("0x", "0o", "0b"):
            return int(clean, 0)
        if len(clean) > 1 and clean[0] == "0" and clean.isdigit():
            return int(clean, 8)
        value = float(clean)
    except (ValueError, OverflowError):
        return None
    return int(value) if value == value and abs(value) < 2**53 and value == int(value) else value


def format_number(value: float) -> str:
    """Print a number as JavaScript does."""
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, int) or value == int(value):
        return str(int(value)) if abs(value) < 1e21 else repr(float(value)).replace("e+0", "e+")
    return repr(value)


def unescaped(raw: str) -> str:
    """Decode the escapes of a string literal's inside."""
    if "\\" not in raw:
        return raw
    return _ESCAPE.sub(_unescape_one, raw)


def _unescape_one(match: "re.Match[str]") -> str:
    braced, four, two, octal, simple = match.groups()
    digits = braced or four or two
    if digits:
        code = int(digits, 16)
        return chr(code) if code < 0x110000 else "\ufffd"
    if octal:
        return chr(int(octal, 8) & 0xFF)
    return _SIMPLE.get(simple, simple)


def _dispatch(prefix: str, owner: object) -> "dict[str, Callable[[Node], Any]]":
    return {name[len(prefix) :]: getattr(owner, name) for name in dir(owner) if name.startswith(prefix)}


def _first(node: "Node") -> "Node | None":
    for child in node.named_children:
        if child.type not in _IGNORED:
            return child
    return None


def _child(node: "Node", field: str) -> "Node":
    child = node.child_by_field_name(field)
    return child if child is not None else node.children[0]


def _parts(node: "Node") -> "list[Node]":
    return [child for child in node.named_children if child.type not in _IGNORED]


def _slots(node: "Node") -> "list[Node | None]":
    """Return the elements of an array, with None for each hole."""
    slots: list[Node | None] = []
    filled = False
    for child in node.children:
        if child.type == ",":
            if not filled:
                slots.append(None)
            filled = False
        elif child.is_named and child.type not in _IGNORED:
            slots.append(child)
            filled = True
    return slots
