"""Expressions: from the parser's tree to the evaluator's (see ``ir``)."""

import unicodedata
from collections.abc import Callable
from typing import TYPE_CHECKING

from lazaretto.languages.python import strings
from lazaretto.languages.python.ir import DEEP, MAX_DEPTH, Node

if TYPE_CHECKING:
    from tree_sitter import Node as TreeNode

LATER_SIZE = 4096
"""A literal table at least this long, in bytes, is lowered only when it is used."""

_SKIPPED = frozenset(("comment", "line_continuation"))
_WRAPPERS = frozenset(("parenthesized_expression", "await", "type"))


class ExpressionLowerer:
    """Lowers expressions of one piece of code. ``problems`` collects (offset, reason)."""

    def __init__(self, data: bytes, *, eager: bool = False, tables: bool = False) -> None:
        self.data = data
        self.eager = eager  # function bodies are lowered at once
        self.tables = tables  # so are big tables of literals
        self.problems: list[tuple[int, str]] = []
        self._depth = 0
        self._names: dict[bytes, str] = {}

    def text(self, node: "TreeNode") -> str:
        """Return an identifier as Python compares it (NFKC, see the language reference on identifiers)."""
        raw = self.data[node.start_byte : node.end_byte]
        name = self._names.get(raw)
        if name is None:
            plain = raw.decode("utf-8", "replace")
            name = self._names[raw] = plain if raw.isascii() else unicodedata.normalize("NFKC", plain)
        return name

    def expression(self, node: "TreeNode") -> Node:
        """Return the lowered form of one expression."""
        kind = node.type
        if kind == "identifier":
            return ["name", node.start_byte, node.end_byte, self.text(node)]
        while kind in _WRAPPERS:
            inner = self.parts(node)
            if len(inner) != 1:
                return self._opaque(node)
            node = inner[0]
            kind = node.type
        if self._depth >= MAX_DEPTH:
            self.problems.append((node.start_byte, DEEP[0]))
            return ["opaque", node.start_byte, node.end_byte, []]
        self._depth += 1
        result = _FORMS.get(kind, ExpressionLowerer._opaque)(self, node)
        self._depth -= 1
        return result

    def expressions(self, node: "TreeNode") -> list[Node]:
        """Return the lowered forms of the named children of a node, without comments."""
        return [self.expression(child) for child in node.named_children if child.type not in _SKIPPED]

    def parts(self, node: "TreeNode") -> "list[TreeNode]":
        """Return the named children without comments."""
        return [child for child in node.named_children if child.type not in _SKIPPED]

    def _opaque(self, node: "TreeNode") -> Node:
        return ["opaque", node.start_byte, node.end_byte, self.expressions(node)]

    def _name(self, node: "TreeNode") -> Node:
        return ["name", node.start_byte, node.end_byte, self.text(node)]

    def _number(self, node: "TreeNode") -> Node:
        return ["num", node.start_byte, node.end_byte]

    def _constant(self, node: "TreeNode") -> Node:
        value = {"none": None, "true": True, "false": False}.get(node.type, "...")
        return ["const", node.start_byte, node.end_byte, value]

    def _string(self, node: "TreeNode") -> Node:
        if b"{" not in self.data[node.start_byte : node.end_byte]:
            return ["str", node.start_byte, node.end_byte]
        holes = [child for child in node.named_children if child.type == "interpolation"]
        if not holes:
            return ["str", node.start_byte, node.end_byte]
        children = node.named_children
        parts: list[Node] = []
        at = children[0].end_byte
        for hole in holes:
            if hole.start_byte > at:
                parts.append(["chunk", at, hole.start_byte])
            parts.append(self._hole(hole))
            at = hole.end_byte
        end = children[-1].start_byte
        if end > at:
            parts.append(["chunk", at, end])
        return ["fstr", node.start_byte, node.end_byte, parts]

    def _hole(self, node: "TreeNode") -> Node:
        inner = node.child_by_field_name("expression")
        if inner is None:
            return self._opaque(node)
        value = self.expression(inner)
        extra = [part for part in self.parts(node) if part.type in ("type_conversion", "format_specifier")]
        shapes = [self.data[part.start_byte : part.end_byte] for part in extra]
        return strings.shaped(value, shapes, node.start_byte, node.end_byte)

    def _concatenated(self, node: "TreeNode") -> Node:
        return ["cat", node.start_byte, node.end_byte, self.expressions(node)]

    def _chain(self, node: "TreeNode") -> Node:
        trailers: list[Node] = []
        current: TreeNode = node
        following: TreeNode | None
        given: TreeNode | None
        while True:
            kind = current.type
            if kind == "attribute":
                children = current.children
                if len(children) == 3 and children[2].type == "identifier":
                    trailers.append([".", current.end_byte, self.text(children[2])])
                    following = children[0]
                else:
                    name = current.child_by_field_name("attribute")
                    trailers.append([".", current.end_byte, self.text(name) if name else ""])
                    following = current.child_by_field_name("object")
            elif kind == "call":
                children = current.children
                if len(children) == 2 and children[1].type == "argument_list":
                    following, given = children
                else:
                    following = current.child_by_field_name("function")
                    given = current.child_by_field_name("arguments")
                trailers.append(["(", current.end_byte, *self.arguments(given)])
            elif kind == "subscript":
                following = current.child_by_field_name("value")
                trailers.append(["[", current.end_byte, self._index(current, following)])
            elif kind in ("parenthesized_expression", "await"):
                inner = self.parts(current)
                following = inner[0] if len(inner) == 1 else None
            else:
                break
            if following is None:
                break
            current = following
        trailers.reverse()
        base = self.expression(current) if current is not node else ["opaque", node.start_byte, node.end_byte, []]
        return ["chain", node.start_byte, node.end_byte, base, trailers]

    def _index(self, node: "TreeNode", value: "TreeNode | None") -> Node:
        items = [self.expression(part) for part in self.parts(node) if value is None or part.id != value.id]
        if len(items) == 1:
            return items[0]
        return ["seq", node.start_byte, node.end_byte, "tuple", items]

    def arguments(self, node: "TreeNode | None") -> tuple[list[Node], list[Node]]:
        """Return positional arguments and ``[key or None, value]`` pairs of a call or a class head."""
        args: list[Node] = []
        keywords: list[Node] = []
        if node is None:
            return args, keywords
        if node.type == "generator_expression":
            return [self.expression(node)], keywords
        for part in node.named_children:
            kind = part.type
            if kind == "keyword_argument":
                name, value = part.child_by_field_name("name"), part.child_by_field_name("value")
                if name is not None and value is not None:
                    keywords.append([self.text(name), self.expression(value)])
            elif kind == "dictionary_splat":
                keywords.extend([None, inner] for inner in self.expressions(part))
            elif kind not in _SKIPPED:
                args.append(self.expression(part))
        return args, keywords

    def _binary(self, node: "TreeNode") -> Node:
        rest: list[Node] = []
        current = node
        while current.type == "binary_operator":
            left, right = current.child_by_field_name("left"), current.child_by_field_name("right")
            operator = current.child_by_field_name("operator")
            if left is None or right is None or operator is None:
                return self._opaque(node)
            rest.append([operator.type, self.expression(right)])
            current = left
        rest.reverse()
        return ["bin", node.start_byte, node.end_byte, self.expression(current), rest]

    def _boolean(self, node: "TreeNode") -> Node:
        operator = node.child_by_field_name("operator")
        kind = operator.type if operator else "and"
        items: list[Node] = []
        current = node
        while current.type == "boolean_operator":
            mine, left, right = (current.child_by_field_name(name) for name in ("operator", "left", "right"))
            if left is None or right is None or mine is None or mine.type != kind:
                break
            items.append(self.expression(right))
            current = left
        items.append(
            self.expression(current) if current is not node else ["opaque", node.start_byte, node.end_byte, []]
        )
        items.reverse()
        return ["bool", node.start_byte, node.end_byte, kind, items]

    def _comparison(self, node: "TreeNode") -> Node:
        operands = self.expressions(node)
        if not operands:
            return self._opaque(node)
        signs = [child.type for child in node.children_by_field_name("operators")]
        return [
            "cmp",
            node.start_byte,
            node.end_byte,
            operands[0],
            [list(p) for p in zip(signs, operands[1:], strict=False)],
        ]

    def _unary(self, node: "TreeNode") -> Node:
        signs: list[str] = []
        current = node
        while current.type in ("unary_operator", "not_operator"):
            following = current.child_by_field_name("argument")
            if following is None:
                return self._opaque(node)
            signs.append("not" if current.type == "not_operator" else current.children[0].type)
            current = following
        return ["un", node.start_byte, node.end_byte, signs[:MAX_DEPTH], self.expression(current)]

    def _conditional(self, node: "TreeNode") -> Node:
        parts = self.parts(node)
        if len(parts) != 3:
            return self._opaque(node)
        yes, test, no = (self.expression(part) for part in parts)
        return ["if", node.start_byte, node.end_byte, test, yes, no]

    def _sequence(self, node: "TreeNode") -> Node:
        kind = {"list": "list", "set": "set", "list_pattern": "list"}.get(node.type, "tuple")
        if kind != "tuple" and self._postponed(node):
            return ["later", node.start_byte, node.end_byte]
        return ["seq", node.start_byte, node.end_byte, kind, self.expressions(node)]

    def _dictionary(self, node: "TreeNode") -> Node:
        if self._postponed(node):
            return ["later", node.start_byte, node.end_byte]
        pairs: list[Node] = []
        for part in self.parts(node):
            children = part.children
            if len(children) == 3 and children[1].type == ":":
                pairs.append([self.expression(children[0]), self.expression(children[2])])
                continue
            key, value = part.child_by_field_name("key"), part.child_by_field_name("value")
            if key is not None and value is not None:
                pairs.append([self.expression(key), self.expression(value)])
            else:
                pairs.extend([None, self.expression(inner)] for inner in self.parts(part))
        return ["dict", node.start_byte, node.end_byte, pairs]

    def _postponed(self, node: "TreeNode") -> bool:
        """A big table of plain literals has no effects: nothing is lost by lowering it when it is asked for."""
        if self.tables or node.end_byte - node.start_byte < LATER_SIZE or node.has_error:
            return False
        return literal_only(node)

    def _comprehension(self, node: "TreeNode") -> Node:
        kind = node.type.partition("_")[0]
        element: Node | None = None
        value: Node | None = None
        clauses: list[Node] = []
        for part in self.parts(node):
            if part.type == "for_in_clause":
                left, right = part.child_by_field_name("left"), part.children_by_field_name("right")
                if left is not None and right:
                    clauses.append(["for", self.expression(left), self.expression(right[0])])
            elif part.type == "if_clause":
                clauses.extend(["if", self.expression(inner)] for inner in self.parts(part))
            elif part.type == "pair":
                key, inner_value = part.child_by_field_name("key"), part.child_by_field_name("value")
                element = self.expression(key) if key else None
                value = self.expression(inner_value) if inner_value else None
            else:
                element = self.expression(part)
        if element is None:
            return self._opaque(node)
        return ["comp", node.start_byte, node.end_byte, kind, element, value, clauses]

    def parameters(self, node: "TreeNode | None") -> list[Node]:
        """Return ``[name, stars, default or None]`` for each parameter."""
        found: list[Node] = []
        for part in self.parts(node) if node is not None else ():
            default = part.child_by_field_name("value")
            target: TreeNode = part
            stars = 0
            while target.type not in ("identifier", "list_splat_pattern", "dictionary_splat_pattern"):
                inner = target.child_by_field_name("name") or next(iter(target.named_children), None)
                if inner is None or target.type in ("keyword_separator", "positional_separator"):
                    break
                target = inner
            if target.type in ("list_splat_pattern", "dictionary_splat_pattern"):
                stars = 1 if target.type == "list_splat_pattern" else 2
                target = (target.named_children or [target])[0]
            if target.type == "identifier":
                found.append([self.text(target), stars, self.expression(default) if default else None])
        return found

    def _lambda(self, node: "TreeNode") -> Node:
        body = node.child_by_field_name("body")
        parameters = self.parameters(node.child_by_field_name("parameters"))
        if body is None:
            return self._opaque(node)
        return ["lambda", node.start_byte, node.end_byte, parameters, self.expression(body)]

    def _walrus(self, node: "TreeNode") -> Node:
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if name is None or value is None:
            return self._opaque(node)
        return ["walrus", node.start_byte, node.end_byte, self.text(name), self.expression(value)]

    def _slice(self, node: "TreeNode") -> Node:
        bounds: list[Node | None] = [None, None, None]
        at = 0
        for child in node.children:
            if child.type == ":":
                at += 1
            elif child.type not in _SKIPPED and at < 3:
                bounds[at] = self.expression(child)
        return ["slice", node.start_byte, node.end_byte, *bounds]

    def _star(self, node: "TreeNode") -> Node:
        inner = self.parts(node)
        if len(inner) != 1:
            return self._opaque(node)
        return ["star", node.start_byte, node.end_byte, self.expression(inner[0])]

    def _yield(self, node: "TreeNode") -> Node:
        inner, every = self.parts(node), any(child.type == "from" for child in node.children)
        return ["yield", node.start_byte, node.end_byte, self.expression(inner[0]) if inner else None, every]


def literal_only(node: "TreeNode") -> bool:
    """Whether a container holds nothing but literals and containers of them."""
    stack = [node]
    while stack:
        for child in stack.pop().named_children:
            kind = child.type
            if kind in ("integer", "float", "comment", "none", "true", "false"):
                continue
            if kind == "string":
                if child.named_child_count > 2 and any(c.type == "interpolation" for c in child.named_children):
                    return False
            elif kind in ("list", "tuple", "set", "dictionary", "pair", "unary_operator"):
                stack.append(child)
            elif kind == "concatenated_string":
                stack.append(child)
            else:
                return False
    return True


_Form = Callable[[ExpressionLowerer, "TreeNode"], Node]
_FORMS: dict[str, _Form] = {
    "identifier": ExpressionLowerer._name,
    "keyword_identifier": ExpressionLowerer._name,
    "string": ExpressionLowerer._string,
    "concatenated_string": ExpressionLowerer._concatenated,
    "integer": ExpressionLowerer._number,
    "float": ExpressionLowerer._number,
    "none": ExpressionLowerer._constant,
    "true": ExpressionLowerer._constant,
    "false": ExpressionLowerer._constant,
    "ellipsis": ExpressionLowerer._constant,
    "attribute": ExpressionLowerer._chain,
    "call": ExpressionLowerer._chain,
    "subscript": ExpressionLowerer._chain,
    "binary_operator": ExpressionLowerer._binary,
    "boolean_operator": ExpressionLowerer._boolean,
    "comparison_operator": ExpressionLowerer._comparison,
    "unary_operator": ExpressionLowerer._unary,
    "not_operator": ExpressionLowerer._unary,
    "conditional_expression": ExpressionLowerer._conditional,
    "tuple": ExpressionLowerer._sequence,
    "expression_list": ExpressionLowerer._sequence,
    "pattern_list": ExpressionLowerer._sequence,
    "tuple_pattern": ExpressionLowerer._sequence,
    "list_pattern": ExpressionLowerer._sequence,
    "list": ExpressionLowerer._sequence,
    "set": ExpressionLowerer._sequence,
    "dictionary": ExpressionLowerer._dictionary,
    "list_comprehension": ExpressionLowerer._comprehension,
    "set_comprehension": ExpressionLowerer._comprehension,
    "dictionary_comprehension": ExpressionLowerer._comprehension,
    "generator_expression": ExpressionLowerer._comprehension,
    "lambda": ExpressionLowerer._lambda,
    "named_expression": ExpressionLowerer._walrus,
    "slice": ExpressionLowerer._slice,
    "list_splat": ExpressionLowerer._star,
    "list_splat_pattern": ExpressionLowerer._star,
    "dictionary_splat": ExpressionLowerer._star,
    "yield": ExpressionLowerer._yield,
}
