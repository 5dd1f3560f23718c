"""Rewrites of Python by its own syntax trees: what is read here is the project's own text, and it is never run."""

import ast
import base64
import zlib
from collections.abc import Callable, Iterator

Rewrite = Callable[[str], str | None]

MARK = "__cut__"
"""A statement that stands between the parts of a file while they are rewritten together, and outlives that."""


def parses(text: str) -> bool:
    """Whether a text is a whole program."""
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True


def declared(text: str) -> frozenset[str]:
    """Return the names that a text binds outside its functions."""
    return frozenset(_bound(ast.parse(text)))


def mentions(text: str, names: frozenset[str]) -> bool:
    """Whether any of these names is read in a text."""
    return bool(names & _read(ast.parse(text)))


def _bound(tree: ast.AST) -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
            continue
        if isinstance(node, ast.alias):
            yield (node.asname or node.name).partition(".")[0]
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        if not isinstance(node, ast.Lambda):
            yield from _bound(node)


def _read(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


class _Strings(ast.NodeTransformer):
    """Replaces text constants that may be any expression."""

    def __init__(self, write: Callable[[str], str]) -> None:
        self._write = write
        self.done = False

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        return node if isinstance(node.value, ast.Constant) else self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if not isinstance(node.value, str) or len(node.value) < 2:
            return node
        self.done = True
        return _expression(self._write(node.value))


def _each_string(write: Callable[[str], str], head: str = "") -> Rewrite:
    def rewrite(text: str) -> str | None:
        tree, change = ast.parse(text), _Strings(write)
        changed = change.visit(tree)
        return head + ast.unparse(ast.fix_missing_locations(changed)) + "\n" if change.done else None

    return rewrite


def _halves(text: str) -> str:
    at = len(text) // 2
    return f"({text[:at]!r} + {text[at:]!r})"


class _Attributes(ast.NodeTransformer):
    """Replaces ``a.b`` by ``getattr``."""

    def __init__(self, write: Callable[[str], str]) -> None:
        self._write = write
        self.done = False

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.ctx, ast.Load):
            return node
        self.done = True
        return ast.Call(ast.Name("getattr", ast.Load()), [node.value, _expression(self._write(node.attr))], [])


def _members(write: Callable[[str], str]) -> Rewrite:
    def rewrite(text: str) -> str | None:
        change = _Attributes(write)
        changed = change.visit(ast.parse(text))
        return ast.unparse(ast.fix_missing_locations(changed)) + "\n" if change.done else None

    return rewrite


class _Imports(ast.NodeTransformer):
    """Replaces ``import a, b.c`` by calls that give the modules."""

    def __init__(self, loader: str) -> None:
        self._loader = loader
        self.done = False

    def visit_Import(self, node: ast.Import) -> ast.AST | list[ast.AST]:
        if any("." in alias.name for alias in node.names):
            return node
        self.done = True
        return [
            ast.parse(f"{alias.asname or alias.name} = {self._loader}({_halves(alias.name)})").body[0]
            for alias in node.names
        ]


def _imported(loader: str, head: str = "") -> Rewrite:
    def rewrite(text: str) -> str | None:
        change = _Imports(loader)
        changed = change.visit(ast.parse(text))
        return head + ast.unparse(ast.fix_missing_locations(changed)) + "\n" if change.done else None

    return rewrite


class _Names(ast.NodeTransformer):
    """Renames what the text itself assigns."""

    def __init__(self, names: dict[str, str]) -> None:
        self._names = names

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(self._names.get(node.id, node.id), node.ctx)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        return node


def _renamed(text: str) -> str | None:
    tree = ast.parse(text)
    stored = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    stored -= {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)}
    if not stored:
        return None
    names = {name: f"_k{number}" for number, name in enumerate(sorted(stored))}
    return ast.unparse(_Names(names).visit(tree)) + "\n"


def closed(text: str) -> bool:
    """Whether a text can stand in a scope of its own: others need nothing that it binds."""
    kinds = (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef, ast.Import, ast.ImportFrom)
    body = [
        one for one in ast.parse(text).body if not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))
    ]
    return not isinstance(body[0], ast.ImportFrom) and not all(isinstance(one, kinds) for one in body)


def _in_class(text: str) -> str | None:
    """Put a text into the body of a class, if no function in it needs what the text binds: it would not be seen there."""
    inner = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef, ast.ListComp, ast.GeneratorExp)
    names = declared(text)
    if any(isinstance(node, inner) and names & _read(node) for node in ast.walk(ast.parse(text))):
        return None
    return _wrapped("class _Run:")(text)


def on_one_line(rewrite: Rewrite, text: str) -> str | None:
    """Rewrite the line of a ``.pth`` file, which has to begin with ``import`` and to stay one line."""
    done = rewrite(text) if parses(text) else None
    if done is None:
        return None
    lines = ast.unparse(ast.parse(done)).split("\n")
    if any(line.startswith((" ", "@", "def ", "class ", "try", "except", "if ", "for ")) for line in lines):
        return None
    return ("" if lines[0].startswith("import ") else "import sys; ") + "; ".join(lines) + "\n"


def _indented(text: str) -> str:
    return "".join(f"    {line}\n" if line else "\n" for line in ast.unparse(ast.parse(text)).split("\n"))


def _wrapped(before: str, after: str = "") -> Rewrite:
    return lambda text: f"{before}\n{_indented(text)}{after}\n" if closed(text) else None


def _executed(write: Callable[[str], str]) -> Rewrite:
    return lambda text: write(text) + "\n" if closed(text) else None


def _b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


REWRITES: dict[str, Rewrite] = {
    "strings in halves": _each_string(_halves),
    "strings in base64": _each_string(lambda s: f"__import__('base64').b64decode({_b64(s)!r}).decode()"),
    "strings in hexadecimal": _each_string(lambda s: f"bytes.fromhex({s.encode().hex()!r}).decode()"),
    "strings by character codes": _each_string(lambda s: f"''.join(map(chr, {[ord(c) for c in s]}))"),
    "strings reversed": _each_string(lambda s: f"{s[::-1]!r}[::-1]"),
    "strings as bytes": _each_string(lambda s: f"bytes({list(s.encode())}).decode()"),
    "strings joined": _each_string(lambda s: f"''.join({list(s)!r})"),
    "strings formatted": _each_string(lambda s: f"'%s%s' % ({s[:1]!r}, {s[1:]!r})"),
    "strings by xor": _each_string(lambda s: f"_x({[ord(c) ^ 90 for c in s]})", "def _x(a):\n    return ''.join(chr(c ^ 90) for c in a)\n"),
    "strings by a decoder": _each_string(lambda s: f"_d({_b64(s)!r})", "import base64 as _b\n_d = lambda t: _b.b64decode(t).decode()\n"),
    "strings by rot13": _each_string(lambda s: f"__import__('codecs').decode({_rot(s)!r}, 'rot13')"),
    "strings by lists": _each_string(lambda s: f"[{s!r}, 0][0]"),
    "members by name": _members(repr),
    "members in halves": _members(_halves),
    "members reversed": _members(lambda name: f"{name[::-1]!r}[::-1]"),
    "imports by __import__": _imported("__import__"),
    "imports by importlib": _imported("_l.import_module", "import importlib as _l\n"),
    "names changed": _renamed,
    "in a function": _wrapped("def _run():", "_run()"),
    "in a class": _in_class,
    "in a try": _wrapped("try:", "except Exception:\n    pass"),
    "under a condition": _wrapped("if len('pad') == 3:"),
    "in a loop": _wrapped("for _ in range(1):"),
    "in a thread": _wrapped("import threading as _t\ndef _run():", "_t.Thread(target=_run).start()"),
    "at exit": _wrapped("import atexit as _a\ndef _run():", "_a.register(_run)"),
    "in a decorator": _wrapped("def _run(f):", "@_run\ndef _pad(): ..."),
    "executed": _executed(lambda text: f"exec({text!r})"),
    "executed in base64": _executed(lambda text: f"exec(__import__('base64').b64decode({_b64(text)!r}))"),
    "executed in zlib": _executed(lambda text: f"exec(__import__('zlib').decompress(bytes.fromhex({zlib.compress(text.encode()).hex()!r})))"),
    "compiled": _executed(lambda text: f"exec(compile(bytes({list(text.encode())}), 'pad', 'exec'))"),
    "behind decoys": lambda text: "".join(f"_dull{n} = 'src/**/*.py', {n}\n" for n in range(200)) + text,
    "written anew": lambda text: ast.unparse(ast.parse(text)) + "\n",
}  # fmt: skip

SCOPES = frozenset(name for name in REWRITES if name.startswith(("in a", "under a", "executed", "compiled", "at exit")))
"""The rewrites that give a text a scope of its own."""


def _rot(text: str) -> str:
    import codecs

    return codecs.encode(text, "rot13")
