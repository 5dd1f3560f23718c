"""Where texts and comments are is told as Python's own tokenizer tells it, or not at all."""

import inspect
import io
import json
import textwrap
import tokenize
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto.languages.python.lexical import Texts

OWN = [Path(inspect.getfile(module)) for module in (io, json.decoder, textwrap, tokenize, inspect)]
PIECES = [
    "x = 1\n",
    "# it's\n",
    "'a\\'b'",
    '"#"',
    "'''it's\n'''",
    '"""a"b\\""""',
    "f'{a}'",
    "rb'\\''",
    " ",
    "(\n",
    "é = 'ü'\n",
]


def starts(source: str) -> dict[int, bool]:
    """Return the offsets where tokens start, and whether each is a text or a comment."""
    lines = [0]
    for line in source.splitlines(keepends=True):
        lines.append(lines[-1] + len(line.encode()))
    found = {}
    depth = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        name = tokenize.tok_name[token.type]
        depth += (name == "FSTRING_START") - (name == "FSTRING_END")
        row, column = token.start
        if name in {"STRING", "COMMENT", "FSTRING_START"} or (not depth and name in {"NAME", "OP", "NUMBER"}):
            before = source.splitlines()[row - 1][:column]
            found[lines[row - 1] + len(before.encode())] = name in {"STRING", "COMMENT", "FSTRING_START"}
    return found


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.name)
def test_real_modules(path: Path) -> None:
    """Every text and comment of a real module is known, and nothing else is taken for one."""
    source = path.read_text("utf-8")
    texts = Texts(source.encode())
    for offset, inside in starts(source).items():
        assert texts.hold(offset) is inside, source[offset : offset + 40]


@given(st.lists(st.sampled_from(PIECES), max_size=8))
def test_any_mixture(pieces: list[str]) -> None:
    """Whatever stands beside whatever."""
    source = "".join(pieces)
    try:
        expected = starts(source)
    except (tokenize.TokenError, SyntaxError):
        return
    texts = Texts(source.encode())
    assert {offset: texts.hold(offset) for offset in expected} == expected


@pytest.mark.parametrize(
    "source",
    [
        "f'{\"'; os.system(1); '\"}'",  # since Python 3.12 one text, before two and a call between them
        "f'{x[\"a\"]}' + 'os.system(1)'",
        "f'{' 'os.system(1)'",
        "t'{a!r:{'b'}}' 'os.system(1)'",
        "'unfinished\nos.system(1) 'x'",
        "'\x1b$B' 'os.system(1)'",
        "'''never ends os.system(1)",
    ],
)
def test_where_versions_may_differ_nothing_is_known(source: str) -> None:
    """Neither there nor behind it."""
    assert not Texts(source.encode()).hold(source.index("os.system"))
