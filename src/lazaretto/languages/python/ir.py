"""The small tree that the evaluator walks, lowered from the parser's tree.

A node is a list whose head names its form; positions are byte offsets inside one piece of code, so that a
piece can be remembered and put back at another place of a file. Strings and numbers are *not* copied: the
evaluator reads them from the source by their offsets.

Expressions (``s``, ``e``: start and end)::

    ["name", s, e, identifier]            ["str", s, e]                 ["num", s, e]
    ["fstr", s, e, [part...]]             part: ["chunk", s, e] or an expression
    ["cat", s, e, [string...]]            implicit concatenation
    ["const", s, e, None|True|False|"..."]
    ["chain", s, e, base, [trailer...]]   trailer: [".", e, name] | ["(", e, [arg...], [[key, value]...]]
                                                   | ["[", e, index]
    ["bin", s, e, first, [[op, operand]...]]    left spine, so that long sums stay flat
    ["bool", s, e, op, [operand...]]      ["cmp", s, e, first, [[op, operand]...]]
    ["un", s, e, [op...], operand]        ["if", s, e, test, yes, no]
    ["seq", s, e, "list"|"tuple"|"set", [item...]]     item may be ["star", s, e, x]
    ["dict", s, e, [[key or None, value]...]]          None: ``**value``
    ["comp", s, e, kind, element, value or None, [["for", target, iter] | ["if", test]...]]
    ["lambda", s, e, parameters, body]    ["walrus", s, e, name, value]
    ["slice", s, e, low, high, step]      ["star", s, e, x]     ["yield", s, e, x or None, from]
    ["opaque", s, e, [child...]]          something else; its parts are still evaluated
    ["later", s, e]                       a big literal that mentions no name: lowered when it is used

Statements: see ``lower``. Parameters: ``[[name, stars, default or None]...]``.
"""

from typing import Any

Node = list[Any]
"""One node of the tree described above."""

MAX_DEPTH = 120
"""Deepest nesting that is lowered; what lies deeper is a problem, never silence."""

DEEP = (f"nested deeper than {MAX_DEPTH} levels", f"blocks nested deeper than {MAX_DEPTH} levels")
"""What is said of an expression and of a block that lie deeper."""
