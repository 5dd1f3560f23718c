"""Rewrites of JavaScript: names, strings, members, wrappers. The tree says where a token stands; nothing is run.

A rewrite returns None where it has nothing to do or would change what the program does.
"""

import base64
import re
from collections.abc import Callable, Iterator
from functools import cache

from tree_sitter import Language, Node, Parser

Rewrite = Callable[[str], str | None]
Edit = tuple[int, int, bytes]

MARK = "__cut__;"
"""A statement that stands between the parts of a file while they are rewritten together, and outlives that."""

_MODULES = (b"import ", b"export ", b"import{", b"import*")
_RESERVED = frozenset(b"exports module require arguments undefined this".split())


@cache
def _parser() -> Parser:
    import tree_sitter_javascript

    return Parser(Language(tree_sitter_javascript.language()))


def parses(text: str) -> bool:
    """Whether a text is a whole program."""
    return not _parser().parse(text.encode()).root_node.has_error


def _nodes(data: bytes) -> Iterator[Node]:
    stack = [_parser().parse(data).root_node]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(node.children))


def declared(text: str) -> frozenset[str]:
    """Return the names that the top level of a text declares."""
    root = _parser().parse(text.encode()).root_node
    found: set[str] = set()
    for statement in root.named_children:
        inner = [statement, *statement.named_children]
        named = [node.child_by_field_name("name") for node in inner if "declar" in node.type]
        found |= {_text(name).decode() for name in named if name is not None and name.type == "identifier"}
    return frozenset(found)


def mentions(text: str, names: frozenset[str]) -> bool:
    """Whether any of these names stands in a text."""
    return any("identifier" in node.type and _text(node).decode() in names for node in _nodes(text.encode()))


def _text(node: Node) -> bytes:
    return node.text or b""


def _edited(data: bytes, edits: list[Edit]) -> str | None:
    if not edits:
        return None
    for start, end, text in sorted(edits, reverse=True):
        data = data[:start] + text + data[end:]
    return data.decode()


def is_module(text: str) -> bool:
    """Whether a text has statements that only a module has."""
    return any(line.lstrip().startswith(_MODULES) for line in text.encode().splitlines())


def _strings(data: bytes) -> Iterator[tuple[Node, str]]:
    """Yield the plain strings that may be any expression: no key, no directive, no module specifier of a statement."""
    for node in _nodes(data):
        if node.type != "string" or node.parent is None or node.end_byte - node.start_byte > 20_000:
            continue
        if node.parent.type in ("import_statement", "export_statement", "pair_pattern", "import_specifier"):
            continue
        if node.parent.type == "pair" and node.parent.child_by_field_name("key") == node:
            continue
        if node.parent.type == "expression_statement":
            continue
        text = data[node.start_byte + 1 : node.end_byte - 1].decode()
        if "\\" not in text and len(text) >= 2:
            yield node, text


def _each_string(write: Callable[[str], str], head: str = "") -> Rewrite:
    def rewrite(text: str) -> str | None:
        data = text.encode()
        done = _edited(data, [(n.start_byte, n.end_byte, write(s).encode()) for n, s in _strings(data)])
        if done is None or not head:
            return done
        if is_module(text):
            return None  # what is declared in front of imports is hoisted over all the same, but is one more change
        return head + done

    return rewrite


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "\\'").replace("\n", "\\n") + "'"


def _halves(text: str) -> str:
    at = len(text) // 2
    return f"({_quoted(text[:at])} + {_quoted(text[at:])})"


def _codes(text: str) -> str:
    return ",".join(str(unit) for unit in memoryview(text.encode("utf-16-le")).cast("H"))


def _table(text: str) -> str | None:
    """All strings out of one table, by number."""
    data = text.encode()
    found = list(_strings(data))
    if not found or is_module(text):
        return None
    table = ",".join(_quoted(part) for _, part in found)
    edits = [(n.start_byte, n.end_byte, f"_words[{number}]".encode()) for number, (n, _) in enumerate(found)]
    return f"var _words = [{table}];\n{_edited(data, edits)}"


def _members(write: Callable[[str], str]) -> Rewrite:
    def rewrite(text: str) -> str | None:
        data = text.encode()
        edits: list[Edit] = []
        for node in _nodes(data):
            if node.type != "member_expression" or (node.text or b"")[:4] == b"impo":
                continue
            name = node.child_by_field_name("property")
            value = node.child_by_field_name("object")
            if name is None or value is None or name.type != "property_identifier":
                continue
            if data[value.end_byte : name.start_byte].strip() != b".":
                continue
            edits.append((value.end_byte, name.end_byte, f"[{write(_text(name).decode())}]".encode()))
        return _edited(data, edits)

    return rewrite


def _names_of(data: bytes) -> Iterator[bytes]:
    """Yield what a text declares: variables, functions, classes, parameters."""
    for node in _nodes(data):
        for field in ("name", "parameter"):
            found = node.child_by_field_name(field)
            if found is not None and node.type != "jsx_attribute":
                yield from (_text(one) for one in _bound(found))
        if node.type == "formal_parameters":
            for child in node.named_children:
                yield from (_text(one) for one in _bound(child))


def _bound(pattern: Node) -> Iterator[Node]:
    """Yield the names of a binding; what stands for a default is none."""
    if pattern.type in ("identifier", "shorthand_property_identifier_pattern"):
        yield pattern
    elif pattern.type in ("object_pattern", "array_pattern", "rest_pattern"):
        for child in pattern.named_children:
            yield from _bound(child)
    elif pattern.type in ("assignment_pattern", "object_assignment_pattern"):
        yield from _bound(pattern.named_children[0])
    elif pattern.type == "pair_pattern":
        yield from _bound(pattern.named_children[1])


def _renamed(text: str) -> str | None:
    """Every name that the text declares is another one; what one part has inside functions means nothing to the next."""
    if is_module(text):
        return None
    parts = text.encode().split(MARK.encode())
    common = {name for part in parts for name in declared(part.decode())}
    shared = sorted(common)
    done = []
    for number, part in enumerate(parts):
        own = sorted({name.decode() for name in _names_of(part)} | common)
        names = {
            name.encode(): f"_k{shared.index(name)}" if name in common else f"_{number}k{at}"
            for at, name in enumerate(own)
        }
        done.append(_with_names(part, names))
    changed = MARK.join(done)
    return None if changed == text else changed


def _with_names(data: bytes, names: dict[bytes, str]) -> str:
    edits: list[Edit] = []
    for node in _nodes(data):
        name = _text(node) if "identifier" in node.type else b""
        if name not in names or name in _RESERVED:
            continue
        if node.type == "identifier":
            edits.append((node.start_byte, node.end_byte, names[name].encode()))
        elif node.type.startswith("shorthand_property_identifier"):
            edits.append((node.start_byte, node.end_byte, name + b": " + names[name].encode()))
    return _edited(data, edits) or data.decode()


_DIRECTIVE = r"""\s*(?:#!|['"]use strict)"""


def wrapped(before: str, after: str) -> Rewrite:
    """Return a rewrite that puts this around a text, where that may have a scope of its own."""

    def rewrite(text: str) -> str | None:
        declares = re.search(r"^(?:const|let|var|function|class|async function)\b", text, re.MULTILINE)
        exports = re.search(r"\b(?:module\.)?exports\b", text)
        if is_module(text) or (exports and "return" in before) or (declares and exports and "=>" not in before):
            return None
        # Whatever stands in front may lack its semicolon; a directive has to stay the first.
        return f"{'' if re.match(_DIRECTIVE, text) else ';'}{before}{text}\n{after}\n"

    return rewrite


def _evaluated(write: Rewrite) -> Rewrite:
    return lambda text: None if is_module(text) or len(text) > 60_000 else write(text)


_GLOBALS = frozenset(
    "require module exports __dirname __filename process console Buffer globalThis global window document location self"
    " navigator fetch atob btoa setTimeout setInterval setImmediate clearTimeout clearInterval queueMicrotask JSON Math"
    " Object Array String Number Boolean Date Promise Error RegExp Map Set Symbol Reflect Proxy Function WebSocket"
    " XMLHttpRequest Uint8Array ArrayBuffer TextEncoder TextDecoder URL URLSearchParams Blob FormData eval undefined"
    " encodeURIComponent decodeURIComponent escape unescape parseInt parseFloat isNaN Infinity NaN arguments crypto"
    " localStorage sessionStorage performance Worker Response Request Headers AbortController WebAssembly".split()
)


def _closed(text: str) -> bool:
    """Whether a text needs no name but its own and those that every module has."""
    data = text.encode()
    own = set(_names_of(data))
    used = {_text(node) for node in _nodes(data) if node.type == "identifier"}
    return all(name in own or name.decode() in _GLOBALS for name in used)


def _by_function(text: str) -> str | None:
    if not _closed(text):
        return None
    head = "new Function('require', 'module', 'exports', '__dirname', '__filename', "
    return f"{head}{_base64(text)})(require, module, exports, __dirname, __filename);\n"


def _aliased(text: str) -> str | None:
    if is_module(text) or "require(" not in text:
        return None
    return "const _load = require;\n" + re.sub(r"\brequire\(", "_load(", text)


def _decoys(text: str) -> str | None:
    if is_module(text):
        return None
    dull = "".join(f"function _dull{n}(a) {{ return a + {n}; }}\n" for n in range(200))
    return f"var _globs = ['src/**/*.js', '/*', '*/', '//'];\n{dull}{text}"


def _commented(text: str) -> str | None:
    data = text.encode()
    return _edited(data, [(n.end_byte, n.end_byte, b"/*'*/") for n in _nodes(data) if n.type in ("(", ".", ",")])


def _xored(text: str) -> str:
    return f"_x([{','.join(str(unit ^ 90) for unit in memoryview(text.encode('utf-16-le')).cast('H'))}])"


def _base64(text: str) -> str:
    return f"Buffer.from('{base64.b64encode(text.encode()).decode()}', 'base64').toString()"


REWRITES: dict[str, Rewrite] = {
    "strings in halves": _each_string(_halves),
    "strings in base64": _each_string(_base64),
    "strings in base64 by atob": _each_string(lambda s: f"atob('{base64.b64encode(s.encode('latin-1', 'replace')).decode()}')"),
    "strings in hexadecimal": _each_string(lambda s: f"Buffer.from('{s.encode().hex()}', 'hex').toString()"),
    "strings by character codes": _each_string(lambda s: f"String.fromCharCode({_codes(s)})"),
    "strings reversed": _each_string(lambda s: f"{_quoted(s[::-1])}.split('').reverse().join('')"),
    "strings as escapes": _each_string(lambda s: "'" + "".join(f"\\u{u:04x}" for u in memoryview(s.encode("utf-16-le")).cast("H")) + "'"),
    "strings as templates": _each_string(lambda s: "`" + s.replace("`", "\\`").replace("${", "$\\{") + "`"),
    "strings joined": _each_string(lambda s: "[" + ",".join(_quoted(c) for c in s) + "].join('')"),
    "strings by xor": _each_string(_xored, "function _x(a) { return a.map((c) => String.fromCharCode(c ^ 90)).join(''); }\n"),
    "strings by a decoder": _each_string(lambda s: f"_d('{base64.b64encode(s.encode()).decode()}')", "const _d = (t) => Buffer.from(t, 'base64').toString('utf8');\n"),
    "strings in a table": _table,
    "members by name": _members(lambda name: f"'{name}'"),
    "members in halves": _members(_halves),
    "members in base64": _members(_base64),
    "names changed": _renamed,
    "require under another name": _aliased,
    "in a function": wrapped("(function () {\n", "})();"),
    "in an async function": wrapped("(async () => {\n", "})();"),
    "in a promise": wrapped("Promise.resolve().then(() => {\n", "});"),
    "in a timer": wrapped("setTimeout(() => {\n", "}, 3000);"),
    "in a tick": wrapped("process.nextTick(function () {\n", "});"),
    "in a try": wrapped("try {\n", "} catch (_) {}"),
    "under a condition": wrapped("if (Date.now() > 0) {\n", "}"),
    "in a method": wrapped("({ run() {\n", "} }).run();"),
    "behind decoys": _decoys,
    "between comments": _commented,
    "on one line, far right": lambda text: None if "//" in text or "`" in text else " " * 600 + text.replace("\n", " ") + "\n",
    "evaluated in base64": _evaluated(lambda text: f"eval({_base64(text)});\n"),
    "by Function": _evaluated(_by_function),
}  # fmt: skip

SCOPES = frozenset(
    name for name in REWRITES if name.startswith(("in a", "under a", "evaluated", "by Function", "on one line"))
)
"""The rewrites that give a text a scope of its own, or have to stand alone."""
