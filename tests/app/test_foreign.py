"""Files whose names do not say that they are code: which of them Node would take for a program."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto.app.foreign import may_be_code
from lazaretto.app.opened import text_blob
from lazaretto.app.ports import Job
from lazaretto.languages.javascript import grammar

PROSE = (
    "MIT License\n\nCopyright (c) Somebody",
    "\ufeffMIT License",
    "Copyright (c) 2014-present, Somebody",
    "A. HISTORY OF THE SOFTWARE\n==========================\n",
    "# object-hash\n\nMakes hashes of objects.",
    "Title (in words), and more\n----------\nText",
    "  Apache License\n  Version 2.0",
    "(The MIT License)\n\nCopyright (C) 2011-2015",
)
PROGRAMS = (
    "require('child_process').exec('id')",
    "async function go() {}",
    "let go\ngo = 1",
    "copyright (c)\nvar x = 1",
    "if (x) go()",
    "for (x of y) go()",
    "name in things",
    "MIT\nLicense",
    "call (x) in y",
    "using res = x",
    "// MIT License\nrun()",
)


def job(text: str) -> Job:
    return Job("LICENSE", "text", text_blob(text))


@pytest.mark.parametrize("text", PROSE)
def test_prose_is_no_program(text: str) -> None:
    """A licence that a computed name might load is no file that could not be understood: nothing can run it."""
    assert not may_be_code(job(text))


@pytest.mark.parametrize("text", PROGRAMS)
def test_what_node_could_run_is_read_as_code(text: str) -> None:
    """A payload does not hide behind a file name without an ending."""
    assert may_be_code(job(text))


WORD = st.sampled_from(
    "MIT let of in instanceof async License c if catch get x (c) (a,b) ( ) 2014 = ; : \n , . { }".split(" ")
)


@given(st.lists(WORD, min_size=2, max_size=6))
def test_what_counts_as_prose_never_parses(words: list[str]) -> None:
    """Only what no JavaScript engine accepts is left unread."""
    text = " ".join(words)
    if not may_be_code(job(text)):
        tree, _ = grammar.parse("javascript", text.encode())
        assert tree is not None
        assert tree.root_node.has_error
