"""Statements: from the parser's tree to the evaluator's.

Forms (``s``, ``e``: start and end offsets; blocks are lists of statements)::

    ["expr", s, e, x]                      ["assign", s, e, [target...], value or None]
    ["aug", s, e, target, operator, value] ["return", s, e, x or None]      ["del", s, e, [target...]]
    ["if", s, e, [[test, block]...], else] ["for", s, e, target, iter, block, else]
    ["while", s, e, test, block, else]     ["try", s, e, block, [[type, name, block]...], else, finally]
    ["with", s, e, [[x, target or None]...], block]
    ["def", s, e, name, parameters, decorators, slot]    slot: ``Slot``, or its parts as a list
    ["class", s, e, name, bases, keywords, decorators, block]
    ["import", s, e, [[module, alias or ""]...]]         ["from", s, e, module, [[name, alias]...]]
    ["global", s, e, [name...]]            ["break", s, e]   ["continue", s, e]   ["raise", s, e, [x...]]
    ["match", s, e, subject, [[names, x...], block]...]  ["exec2", s, e, code]    ["print2", s, e, [x...]]
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from lazaretto.languages.python.ir import DEEP, MAX_DEPTH, Node
from lazaretto.languages.python.lower_expr import ExpressionLowerer
from lazaretto.languages.python.syntax import parse

if TYPE_CHECKING:
    from tree_sitter import Node as TreeNode

_EXPRESSIONS = frozenset(
    ("comment", "pass_statement", "line_continuation", "type_alias_statement", "nonlocal_statement")
)


_CHAINED = frozenset(("assignment", "augmented_assignment"))

PYTHON_2 = "Python 2 statement"


class Slot:
    """The body of a function, lowered when somebody asks for it (or at once, if the lowerer is eager).

    ``problems`` are those of the body alone, so that one which nobody asks for says nothing.
    """

    __slots__ = ("_told", "block", "end", "inner", "lowerer", "problems", "start", "tree")

    def __init__(
        self,
        start: int,
        end: int,
        inner: int,
        block: list[Node] | None = None,
        problems: Iterable[tuple[int, str]] = (),
    ) -> None:
        self.start = start
        self.end = end
        self.inner = inner  # where the body starts: defaults and annotations belong to whoever defines the function
        self.block = block
        self.problems = [(offset, reason) for offset, reason in problems]
        self.tree: TreeNode | None = None
        self.lowerer: Lowerer | None = None
        self._told = False

    def body(self) -> list[Node]:
        """Return the statements of the function."""
        lowerer = self.lowerer
        if self.block is None:
            self.block = []
            if lowerer is not None:
                before = len(lowerer.problems)
                self.block = lowerer.block(self.tree or lowerer.body_at(self.start, self.end))
                self.problems = lowerer.problems[before:]
        elif not self._told and lowerer is not None:
            lowerer.problems.extend(self.problems)
        self._told = True
        self.tree = self.lowerer = None
        return self.block


def _has_holes(string: "TreeNode") -> bool:
    """Whether a string is a formatted one that evaluates something."""
    return string.named_child_count > 2 and any(child.type == "interpolation" for child in string.named_children)


class Lowerer(ExpressionLowerer):
    """Lowers the statements of one piece of code."""

    def __init__(self, data: bytes, *, eager: bool = False, tables: bool = False) -> None:
        super().__init__(data, eager=eager, tables=tables)
        self._nesting = 0
        self._root: TreeNode | None = None

    def body_at(self, start: int, end: int) -> "TreeNode | None":
        """Return the body of the function at a place, of code that was remembered without it."""
        if self._root is None:
            self._root = parse(self.data)
        node = self._root.descendant_for_byte_range(start, end)
        while node is not None and (node.type != "function_definition" or node.start_byte != start):
            node = node.parent
        return node.child_by_field_name("body") if node is not None else None

    def block(self, node: "TreeNode | None") -> list[Node]:
        """Return the statements below a node (a module, a block, or an ERROR node)."""
        found: list[Node] = []
        if node is None:
            return found
        if self._nesting >= MAX_DEPTH:
            self.problems.append((node.start_byte, DEEP[1]))
            return found
        self._nesting += 1
        for child in node.named_children:
            kind = child.type
            form = _FORMS.get(kind)
            if form is not None:
                form(self, child, found)
            elif kind not in _EXPRESSIONS:
                found.append(["expr", child.start_byte, child.end_byte, self.expression(child)])
        self._nesting -= 1
        return found

    def _expression_statement(self, node: "TreeNode", out: list[Node]) -> None:
        parts = self.parts(node)
        if len(parts) > 1:
            items = self.expressions(node)
            out.append(
                ["expr", node.start_byte, node.end_byte, ["seq", node.start_byte, node.end_byte, "tuple", items]]
            )
            return
        for part in parts:
            if part.type == "assignment":
                self._assignment(part, out)
            elif part.type == "augmented_assignment":
                self._augmented(part, out)
            elif part.type != "string" or _has_holes(part):  # a bare string without holes is a docstring
                out.append(["expr", part.start_byte, part.end_byte, self.expression(part)])

    def _assignment(self, node: "TreeNode", out: list[Node]) -> None:
        children = node.children
        if len(children) == 3 and children[1].type == "=" and children[2].type not in _CHAINED:
            value = self.expression(children[2])
            out.append(["assign", node.start_byte, node.end_byte, [self.expression(children[0])], value])
            return
        targets: list[Node] = []
        current: TreeNode | None = node
        while current is not None and current.type == "assignment":
            left = current.child_by_field_name("left")
            if left is not None:
                targets.append(self.expression(left))
            current = current.child_by_field_name("right")
        annotation = node.child_by_field_name("type")
        if annotation is not None and b"(" in self.data[annotation.start_byte : annotation.end_byte]:
            out.append(["expr", annotation.start_byte, annotation.end_byte, self.expression(annotation)])
        last: Node | None = None
        if current is not None:
            if current.type == "augmented_assignment":
                self._augmented(current, out)
            else:
                last = self.expression(current)
        out.append(["assign", node.start_byte, node.end_byte, targets, last])

    def _augmented(self, node: "TreeNode", out: list[Node]) -> None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        operator = node.child_by_field_name("operator")
        if left is not None and right is not None and operator is not None:
            sign = operator.type[:-1]
            out.append(["aug", node.start_byte, node.end_byte, self.expression(left), sign, self.expression(right)])

    def _return(self, node: "TreeNode", out: list[Node]) -> None:
        parts = self.parts(node)
        out.append(["return", node.start_byte, node.end_byte, self.expression(parts[0]) if parts else None])

    def _delete(self, node: "TreeNode", out: list[Node]) -> None:
        out.append(["del", node.start_byte, node.end_byte, self.expressions(node)])

    def _raise(self, node: "TreeNode", out: list[Node]) -> None:
        out.append(["raise", node.start_byte, node.end_byte, self.expressions(node)])

    def _print(self, node: "TreeNode", out: list[Node]) -> None:
        if not any(child.type == "chevron" for child in node.children):  # ``print >> a, b`` is a pair in Python 3
            self.problems.append((node.start_byte, PYTHON_2))
        out.append(["print2", node.start_byte, node.end_byte, self.expressions(node)])

    def _exec(self, node: "TreeNode", out: list[Node]) -> None:
        self.problems.append((node.start_byte, PYTHON_2))
        parts = self.parts(node)
        if parts:
            out.append(["exec2", node.start_byte, node.end_byte, self.expression(parts[0])])

    def _jump(self, node: "TreeNode", out: list[Node]) -> None:
        out.append([node.type.partition("_")[0], node.start_byte, node.end_byte])

    def _global(self, node: "TreeNode", out: list[Node]) -> None:
        out.append(["global", node.start_byte, node.end_byte, [self.text(part) for part in self.parts(node)]])

    def _assert(self, node: "TreeNode", out: list[Node]) -> None:
        out.extend(["expr", part.start_byte, part.end_byte, self.expression(part)] for part in self.parts(node))

    def _if(self, node: "TreeNode", out: list[Node]) -> None:
        arms: list[Node] = []
        other: list[Node] = []
        test = node.child_by_field_name("condition")
        if test is not None:
            arms.append([self.expression(test), self.block(node.child_by_field_name("consequence"))])
        for part in node.children_by_field_name("alternative"):
            condition = part.child_by_field_name("condition")
            if part.type == "elif_clause" and condition is not None:
                arms.append([self.expression(condition), self.block(part.child_by_field_name("consequence"))])
            else:
                other = self.block(part.child_by_field_name("body"))
        out.append(["if", node.start_byte, node.end_byte, arms, other])

    def _for(self, node: "TreeNode", out: list[Node]) -> None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is not None and right is not None:
            body = self.block(node.child_by_field_name("body"))
            head = [self.expression(left), self.expression(right)]
            out.append(["for", node.start_byte, node.end_byte, *head, body, self._otherwise(node)])

    def _while(self, node: "TreeNode", out: list[Node]) -> None:
        test = node.child_by_field_name("condition")
        if test is not None:
            body = self.block(node.child_by_field_name("body"))
            out.append(["while", node.start_byte, node.end_byte, self.expression(test), body, self._otherwise(node)])

    def _otherwise(self, node: "TreeNode") -> list[Node]:
        clause = node.child_by_field_name("alternative")
        return self.block(clause.child_by_field_name("body")) if clause is not None else []

    def _try(self, node: "TreeNode", out: list[Node]) -> None:
        body = self.block(node.child_by_field_name("body"))
        handlers: list[Node] = []
        other: list[Node] = []
        final: list[Node] = []
        for part in self.parts(node):
            blocks = [child for child in part.named_children if child.type == "block"]
            if part.type in ("except_clause", "except_group_clause"):
                heads = [
                    self.expression(child) for child in self.parts(part) if child.type not in ("block", "as_pattern")
                ]
                name = ""
                for child in self.parts(part):
                    if child.type == "as_pattern":
                        inner = self.parts(child)
                        heads.append(self.expression(inner[0]))
                        name = self.text(inner[-1])
                handlers.append([heads, name, self.block(blocks[-1]) if blocks else []])
            elif part.type == "else_clause":
                other = self.block(part.child_by_field_name("body"))
            elif part.type == "finally_clause":
                final = self.block(blocks[-1]) if blocks else []
        out.append(["try", node.start_byte, node.end_byte, body, handlers, other, final])

    def _with(self, node: "TreeNode", out: list[Node]) -> None:
        items: list[Node] = []
        for clause in self.parts(node):
            if clause.type == "with_clause":
                for item in self.parts(clause):
                    self._with_item(item.child_by_field_name("value"), items)
        out.append(["with", node.start_byte, node.end_byte, items, self.block(node.child_by_field_name("body"))])

    def _with_item(self, value: "TreeNode | None", items: list[Node]) -> None:
        while value is not None and value.type == "parenthesized_expression":
            inner = self.parts(value)
            value = inner[0] if len(inner) == 1 else None
        if value is None:
            return
        if value.type == "tuple":
            for part in self.parts(value):
                self._with_item(part, items)
        elif value.type == "as_pattern":
            parts = self.parts(value)
            alias = value.child_by_field_name("alias")
            inner = self.parts(alias) if alias is not None else []
            items.append([self.expression(parts[0]), self.expression(inner[0]) if inner else None])
        else:
            items.append([self.expression(value), None])

    def _function(self, node: "TreeNode", out: list[Node], decorators: list[Node] | None = None) -> None:
        name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
        if name is None or body is None:
            return
        slot = Slot(node.start_byte, node.end_byte, body.start_byte)
        slot.tree, slot.lowerer = body, self
        if self.eager:
            slot.body()
        parameters = self.parameters(node.child_by_field_name("parameters"))
        out.append(["def", node.start_byte, node.end_byte, self.text(name), parameters, decorators or [], slot])

    def _class(self, node: "TreeNode", out: list[Node], decorators: list[Node] | None = None) -> None:
        name = node.child_by_field_name("name")
        if name is None:
            return
        bases, keywords = self.arguments(node.child_by_field_name("superclasses"))
        body = self.block(node.child_by_field_name("body"))
        head = [self.text(name), bases, keywords, decorators or []]
        out.append(["class", node.start_byte, node.end_byte, *head, body])

    def _decorated(self, node: "TreeNode", out: list[Node]) -> None:
        decorators = [
            self.expression(inner)
            for part in node.named_children
            if part.type == "decorator"
            for inner in self.parts(part)
        ]
        target = node.child_by_field_name("definition")
        if target is not None and target.type == "class_definition":
            self._class(target, out, decorators)
        elif target is not None:
            self._function(target, out, decorators)

    def _import(self, node: "TreeNode", out: list[Node]) -> None:
        names = [self._imported(part) for part in node.children_by_field_name("name")]
        out.append(["import", node.start_byte, node.end_byte, names])

    def _from(self, node: "TreeNode", out: list[Node]) -> None:
        module = node.child_by_field_name("module_name")
        dotted = "".join(self.text(module).split()) if module is not None else "__future__"
        names = [self._imported(part) for part in node.children_by_field_name("name")]
        if any(part.type == "wildcard_import" for part in node.named_children):
            names.append(["*", ""])
        out.append(["from", node.start_byte, node.end_byte, dotted, names])

    def _imported(self, node: "TreeNode") -> Node:
        alias = node.child_by_field_name("alias")
        name = node.child_by_field_name("name") if node.type == "aliased_import" else node
        dotted = "".join(self.text(name).split()) if name is not None else ""
        return [dotted, self.text(alias) if alias is not None else ""]

    def _match(self, node: "TreeNode", out: list[Node]) -> None:
        subjects = [self.expression(part) for part in node.children_by_field_name("subject")]
        cases: list[Node] = []
        body = node.child_by_field_name("body")
        for case in self.parts(body) if body is not None else ():
            if case.type != "case_clause":
                continue
            names: list[str] = []
            stack = [child for child in case.named_children if child.type == "case_pattern"]
            while stack:
                part = stack.pop()
                if part.type == "identifier":
                    names.append(self.text(part))
                stack.extend(part.named_children)
            guard = case.child_by_field_name("guard")
            tests = [self.expression(part) for part in self.parts(guard)] if guard is not None else []
            cases.append([sorted(names), tests, self.block(case.child_by_field_name("consequence"))])
        out.append(["match", node.start_byte, node.end_byte, subjects, cases])

    def _broken(self, node: "TreeNode", out: list[Node]) -> None:
        # What stands inside an error may still run: read as much of it as the grammar understood.
        out.extend(self.block(node))


_Form = Callable[[Lowerer, "TreeNode", list[Any]], None]
_FORMS: dict[str, _Form] = {
    "expression_statement": Lowerer._expression_statement,
    "return_statement": Lowerer._return,
    "delete_statement": Lowerer._delete,
    "raise_statement": Lowerer._raise,
    "print_statement": Lowerer._print,
    "exec_statement": Lowerer._exec,
    "break_statement": Lowerer._jump,
    "continue_statement": Lowerer._jump,
    "global_statement": Lowerer._global,
    "assert_statement": Lowerer._assert,
    "if_statement": Lowerer._if,
    "for_statement": Lowerer._for,
    "while_statement": Lowerer._while,
    "try_statement": Lowerer._try,
    "with_statement": Lowerer._with,
    "function_definition": Lowerer._function,
    "class_definition": Lowerer._class,
    "decorated_definition": Lowerer._decorated,
    "import_statement": Lowerer._import,
    "import_from_statement": Lowerer._from,
    "future_import_statement": Lowerer._from,
    "match_statement": Lowerer._match,
    "ERROR": Lowerer._broken,
    "block": Lowerer._broken,
    "module": Lowerer._broken,
}
