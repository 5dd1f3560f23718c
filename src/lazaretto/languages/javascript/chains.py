"""Long chains such as ``a().b().c()``: they lean to the left, and are walked link by link instead of being nested.

A link is the code of a call or a member with nothing where what stands to its left belongs; for the call of a member
it stands one further in.
"""

from typing import TYPE_CHECKING, Any

from lazaretto.languages.javascript.values import Scope, Value

if TYPE_CHECKING:
    from tree_sitter import Node

    from lazaretto.languages.javascript.interp import Interpreter

MAX_LINKS = 4000
"""Most links of one chain that are followed."""

Code = list[Any]
_LEFT = {"call_expression": "function", "member_expression": "object", "subscript_expression": "object"}


def spine(node: "Node") -> "list[Node]":
    """Return a node and what leans to the left below it, the innermost last; what that is called on is no link."""
    found: list[Node] = []
    current: Node | None = node
    while current is not None and current.type in _LEFT and len(found) < MAX_LINKS:
        left = current.child_by_field_name(_LEFT[current.type])
        if left is None or left.type in ("import", "super"):
            break
        found.append(current)
        current = left
    return found


def joined(links: list[Code]) -> list[Code]:
    """Return the links from the inside out, each call together with the member that is called."""
    out: list[Code] = []
    for link in links:
        if link[0] == "call" and out and out[-1][0] in ("mem", "idx"):
            link[3] = out.pop()
        out.append(link)
    return out


def run(interp: "Interpreter", code: Code, scope: Scope) -> Value:
    """Return what the last link gives."""
    value = interp.eval(code[3], scope)
    for link in code[4]:
        value = interp.eval(_filled(link, ["lit", link[1], link[2], value]), scope)
    return value


def _filled(link: Code, left: Code) -> Code:
    inner = left if link[3] is None else _filled(link[3], left)
    return [*link[:3], inner, *link[4:]]
