"""Small helpers of the lowering: node types, literals of the language, and the shape of the IR."""

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tree_sitter import Node

IR = list[Any]

MAX_DEPTH = 110
MAX_NUMBER_BITS = 1023
"""Longest whole number that is known: no double (ECMA-262, 6.1.6.1) is longer."""

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
WRAPPERS = frozenset(
    {
        "parenthesized_expression",
        "as_expression",
        "satisfies_expression",
        "non_null_expression",
        "type_assertion",
        "instantiation_expression",
    }
)
IGNORED = frozenset(
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
            whole = int(clean, 0)
            return whole if whole.bit_length() <= MAX_NUMBER_BITS else None
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


def first_of(node: "Node") -> "Node | None":
    """Return the first child that is not ignored."""
    for child in node.named_children:
        if child.type not in IGNORED:
            return child
    return None


def child_of(node: "Node", field: str) -> "Node":
    """Return the child in a field, or the first child where the grammar left the field out."""
    child = node.child_by_field_name(field)
    return child if child is not None else node.children[0]


def parts_of(node: "Node") -> "list[Node]":
    """Return the children that are not ignored."""
    return [child for child in node.named_children if child.type not in IGNORED]


def slots_of(node: "Node") -> "list[Node | None]":
    """Return the elements of an array, with None for each hole."""
    slots: list[Node | None] = []
    filled = False
    for child in node.children:
        if child.type == ",":
            if not filled:
                slots.append(None)
            filled = False
        elif child.is_named and child.type not in IGNORED:
            slots.append(child)
            filled = True
    return slots
