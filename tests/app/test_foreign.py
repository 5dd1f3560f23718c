"""Files whose names do not say that they are code: which of them Node would take for a program."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto.app.foreign import may_be_code
from lazaretto.app.opened import text_blob
from lazaretto.app.ports import Job
from lazaretto.core.facts import Kind
from lazaretto.core.finding import Example
from lazaretto.languages.javascript import grammar
from tests.examples import build_update

PROSE = (
    "MIT License\n\nCopyright (c) Somebody",
    "\ufeffMIT License",
    "Copyright (c) 2014-present, Somebody",
    "A. HISTORY OF THE SOFTWARE\n==========================\n",
    "# object-hash\n\nMakes hashes of objects.",
    "Title (in words), and more\n----------\nText",
    "  Apache License\n  Version 2.0",
    "(The MIT License)\n\nCopyright (C) 2011-2015",
    "Copyright 2019 Somebody, Inc.",
    "MIT\n\nCopyright Somebody, Inc. and others",
    "<!-- LICENSEFILE/ -->\n\n<h1>License</h1>",
    "Copyright \u00a9 Somebody",
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
    "throw 1",
    "copyright\n2019",
    "go()/*\nMIT License\n*/",
    "`\nMIT License\n`",
    "<!-- MIT License\ngo()",
    "import\nx from 'y'",
    "import\nsource x from 'y'",
    "class\nA extends B {}",
    "for (const\nx of y) go()",
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
    "MIT let of in instanceof async License c if catch get x (c) (a,b) ( ) 2014 = ; : \n , . { } from class".split(" ")
)


@given(st.lists(WORD, min_size=2, max_size=6))
def test_what_counts_as_prose_never_parses(words: list[str]) -> None:
    """Only what no JavaScript engine accepts is left unread."""
    text = " ".join(words)
    if not may_be_code(job(text)):
        tree, _ = grammar.parse("javascript", text.encode())
        assert tree is not None
        assert tree.root_node.has_error


def spawned(loader: str) -> set[str]:
    """Return the files that start a process, of a wheel whose module is this code beside a text that is a program."""
    payload = "import os\nos.system('id')\n"
    after = {"pad/__init__.py": loader, "pad/notes.txt": payload, "pad/more.rst": payload}
    update = build_update(Example(title="a loader", ecosystem="pypi", after=after))
    return {one.path for one in update.pairs[0].after.placed if one.fact.kind is Kind.PROCESS_SPAWN}


def test_python_looks_for_modules_under_its_own_endings() -> None:
    """A module that nobody can name is no text: else the pages of every manual would be read as programs."""
    assert spawned("import importlib\n\ndef load(name):\n    return importlib.import_module(name)\n") == set()


def test_python_runs_a_text_that_is_named() -> None:
    """That one, and no other beside it."""
    named = "import importlib, os\nimportlib.import_module(os.environ['A'])\nhere = os.path.dirname(__file__)\n"
    assert spawned(f"{named}exec(open(os.path.join(here, 'notes.txt')).read())\n") == {"pad/notes.txt"}
