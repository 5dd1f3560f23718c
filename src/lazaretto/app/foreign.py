"""Files whose names do not say that they are code, and which code may load as such all the same."""

import re
from collections.abc import Iterable
from functools import cached_property

from lazaretto.app.ports import Job

LOADABLE_AS = {"npm": "javascript", "pypi": "python"}
"""What a file with a foreign ending is read as when code loads it.

Node takes any unknown ending for JavaScript; Python runs the text of a file where code reads and evaluates it.
"""

_BY_READING = frozenset(("pypi",))
"""Where only code that was followed says which such files are loaded, and where most of them are no code at all."""

_STRANGERS = {"pypi": frozenset(("javascript", "typescript", "tsx", "declaration"))}
"""Dialects of code that the ecosystem's own loader never runs: web pages do, from a wheel that carries them."""

_LEADERS = frozenset(("python", "pth", "shell", "batch", "powershell"))
"""Dialects that can run a file of another language by its name."""

BUNDLED = (
    ".css", ".scss", ".less", ".html", ".svg", ".md", ".vue", ".svelte", ".graphql", ".gql", ".txt", ".wasm", ".map",
    ".yml", ".yaml", ".toml", ".xml", ".ini", ".cfg", ".conf", ".lock", ".rst", ".csv", ".tsv", ".snap", ".patch",
    ".diff", ".flow", ".hbs", ".ejs", ".pug", ".tmpl", ".properties", ".c", ".cc", ".cpp", ".cxx", ".h", ".hh", ".hpp",
    ".m", ".mm", ".rs", ".go", ".java", ".kt", ".swift", ".cs", ".gyp", ".gypi", ".cmake", ".in", ".am", ".mk",
    ".proto",
)  # fmt: skip
"""Endings that are loaded as what they are: where such a file is no JavaScript, nobody runs it."""

_NOT_FOREIGN = frozenset(
    "javascript typescript tsx declaration python pth binary fixture elf macho pe wasm pyc pickle".split()
)
"""Dialects that are read as what they are alone: code whose reader says so where it is none, and what is no text."""

SELF_TOLD = frozenset({"shell", "batch", "powershell", "gyp", "vbscript", "applescript"})
"""Dialects whose reader says what is none of theirs: what it understands is that, where it is no JavaScript."""

_NEVER_CODE = (".json", ".node")
_JSON_OBJECT = rb"\s*\{\s*\"[^\"\\]*\"\s*:"
_OPERATORS = rb"(?!(?:in|instanceof|of|as|satisfies)\b)"
_LEADING = (
    rb"abstract|accessor|async|await|break|case|class|const|continue|debugger|declare|default|defer|delete|do|else|enum"
    rb"|export|extends|finally|for|from|function|get|global|if|import|interface|let|module|namespace|new|of|override"
    rb"|private|protected|public|readonly|return|set|source|static|super|switch|throw|try|type|typeof|using|var|void"
    rb"|while|with|yield"
)
"""Words of the language behind which a name may stand."""

_PROSE = (
    rb"(?:\xef\xbb\xbf)?\s*\(?(?:"
    # Two names in a row on one line, or a name and a number, where the first is no word of the language, or a sign
    # that is none of its own: no statement begins so.
    rb"(?!(?:"
    + _LEADING
    + rb")\b)[A-Za-z]{1,40}(?:[ \t]*\.[ \t]*[A-Za-z]{1,40}){0,3}[ \t]+"
    + _OPERATORS
    + rb"(?:[A-Za-z0-9]|\xc2\xa9)"
    # A heading of Markdown: a number sign stands before a private name or an exclamation mark alone, and
    # four signs in a row that underline are no operators of anything.
    rb"|#{1,6}[ \t]"
    rb"|[^\r\n'\"`/*<#]{1,100}\r?\n(?:={4,}|-{4,})[ \t]*\r?\n"
    # A call with a word or a number right behind it on its line: ``Copyright (c) 2014``.
    rb"|(?!(?:catch|for|function|if|switch|while|with)\b)[A-Za-z]{1,40}[ \t]*\([^()\r\n]{0,40}\)[ \t]+"
    + _OPERATORS
    + rb"[A-Za-z0-9])"
)
"""How no program begins: between two tokens of one line no semicolon is inserted (ECMA-262, 12.10)."""


_TWO_IN_ONE = re.compile(rb"[A-Za-z$_][\w$]{1,15}\s*(?:/\*|[=;(])")
"""How a file begins that is a picture (or another format whose sign is a word) and a program at once."""


_SIGNS = re.compile(rb"['\"`/\\<#]")
"""What a text, a comment, an expression or an element may begin with: up to the first, names are nothing but names."""

_TWO_NAMES = (
    rb"(?m)^[ \t]*(?!(?:"
    + _LEADING
    + rb")\b)[A-Za-z]{1,40}[ \t]+(?!(?:as|extends|from|implements|in|instanceof|of|satisfies)\b)"
    rb"[A-Za-z]"
)
"""Two names in a row at the beginning of a line."""

_ELEMENT = rb"\s*(?:<!--[^\r\n]*\r?\n\s*)*<[A-Za-z]"
"""How a page begins, behind what Node takes for comments of one line (ECMA-262, B.1.1): elements are no JavaScript."""


def may_be_code(job: Job, ecosystem: str = "npm") -> bool:
    """Whether code of this ecosystem could load a file as code of its own.

    What ends in ``.json`` or ``.node`` Node loads in another way; neither a JSON object nor prose is a program.
    """
    dialect = job.dialect.partition(":")[0]
    if ecosystem in _BY_READING:
        return dialect in ("text", "markup")
    if dialect == "binary":
        return _TWO_IN_ONE.match(job.blob.data) is not None and not job.path.endswith(_NEVER_CODE)
    foreign = dialect not in _NOT_FOREIGN and not job.path.endswith(_NEVER_CODE)
    return foreign and not _is_no_program(job.blob.data)


def _is_no_program(data: bytes) -> bool:
    """Whether no engine accepts a text as JavaScript: an object, a page, or words as people write them."""
    if any(re.match(shape, data) for shape in (_JSON_OBJECT, _PROSE, _ELEMENT)):
        return True
    sign = _SIGNS.search(data)
    return re.compile(_TWO_NAMES).search(data, 0, sign.start() if sign is not None else len(data)) is not None


def loads_by_name(ecosystem: str) -> bool:
    """Whether a file with a foreign ending is code only where its name is told: an unknown module is none of them.

    Python looks for a module under endings of its own alone, so an ``import_module`` of who knows what loads no text.
    """
    return ecosystem in _BY_READING


def counts_unread(ecosystem: str, path: str) -> bool:
    """Whether a file that code loads as its own has to be understood as such: nothing else could be meant."""
    return ecosystem not in _BY_READING and not path.endswith(BUNDLED)


_LOADERS = (b"require", b"import")
_COMPUTED = re.compile(rb"\s*\(\s*(?!['\"][^'\"]*['\"]\s*[,)])[^\s)]")


def _computes_a_load(code: bytes) -> bool:
    """Whether anything but one plain string stands between the brackets of a ``require`` or an ``import``."""
    # A single pattern for both words has no fixed beginning to look for, and takes ten times as long.
    for word in _LOADERS:
        at = code.find(word)
        while at >= 0:
            end = at + len(word)
            if not _is_word(code[at - 1 : at]) and _COMPUTED.match(code, end):
                return True
            at = code.find(word, end)
    return False


def _is_word(character: bytes) -> bool:
    return character.isalnum() or character == b"_"


class Namer:
    """Tells which files some code may name. Each name is looked for once, however often it is asked for.

    Node adds no foreign ending by itself, so the whole name stands in whatever loads such a file; unless
    the name is computed, and where anything may be computed, all of them count.
    """

    def __init__(self, code: Iterable[bytes] = ()) -> None:
        self._code = tuple(code)
        self._known: dict[bytes, bool] = {}

    @cached_property
    def _anything(self) -> bool:
        return any(_computes_a_load(text) for text in self._code)

    def named(self, paths: Iterable[str]) -> list[str]:
        """Return those of ``paths`` that the code may name."""
        return [path for path in paths if self._anything or self._stands(path.rpartition("/")[2].encode())]

    def _stands(self, name: bytes) -> bool:
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = any(name in text for text in self._code)
        return known


def led_to(ecosystem: str, jobs: Iterable[Job], code: Iterable[Job]) -> set[str]:
    """Return the paths that the ecosystem's code may lead to: all, but for strangers whose name stands nowhere.

    No module is looked for under their endings, so the whole name stands in whatever runs such a file.
    """
    found: set[str] = set()
    names: dict[str, bytes] = {}
    strangers = _STRANGERS.get(ecosystem, frozenset())
    for job in jobs:
        if job.dialect in strangers:
            names[job.path] = job.path.rpartition("/")[2].encode()
        else:
            found.add(job.path)
    if names:
        texts = [job.blob.data for job in code if job.dialect in _LEADERS]
        found.update(path for path, name in names.items() if any(name in text for text in texts))
    return found
