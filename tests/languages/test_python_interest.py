"""Which functions are followed: by the words of their code, and by texts only where code may look a thing up."""

import io
import token
import tokenize
from pathlib import Path

import pytest

import lazaretto
from lazaretto.core.facts import Kind
from lazaretto.languages.python.wording import uses, wording
from tests.languages.python_reading import read, read_any, values

BY_NAME = {
    "helper": "import os\ndef g(m, n):\n    return getattr(m, n)\ndef f():\n    g(os, 'system')('X')",
    "modules": "import sys\ndef f():\n    sys.modules['os'].system('X')",
    "modules-alone": "import sys\ndef f():\n    sys.modules['subprocess'].call('X')",
    "modules-apart": "import sys\ndef f():\n    name = 'subprocess'\n    sys.modules[name].call('X')",
    "alias-around": "import os\ndef f():\n    run = os.system\n    def g():\n        run('X')\n    return g",
    "star": "from posix import *\ndef f():\n    spawnvp(0, 'X', [])",
    "in-a-hole": "import os\ndef f(x):\n    return f'{x} {os.system(\"X\")} os'",
    "nested-quotes": "import os\ndef f(x):\n    return f\"{'}' + os.popen('X').read()}\"",
    "same-quotes": 'import os\ndef f(x):\n    return f"{"\'" + str(os.popen(\'X\'))}"',
    "string-before": "import os\ndef f(x):\n    y = 'it\\'s'; os.system('X'); return y + '''\n'''",
}


@pytest.mark.parametrize("way", BY_NAME)
def test_what_a_text_may_name_is_followed(way: str) -> None:
    """A function that nobody calls is followed where a text, a hole of one or a name around it leads to a process."""
    assert [value.split()[0] for value in values(read_any(BY_NAME[way] + "\n"), Kind.PROCESS_SPAWN) if value] == ["X"]


def test_a_replaced_function_is_told_however_its_module_was_bound() -> None:
    """Attributes of a module that are bound to code are found behind every kind of import."""
    source = (
        "from distutils import sysconfig\ndef f():\n    def g(): pass\n    sysconfig.get = g\n"
        "def h():\n    import distutils.log as log\n    log.warn = lambda: 0\n"
    )

    assert values(read(source), Kind.MODULE_HOOK) == ["distutils.sysconfig.get", "distutils.log.warn"]


def test_a_path_that_a_constructor_joins_is_known_where_it_is_opened() -> None:
    """Joining paths says nothing by itself, but what it makes may be the name of a secret."""
    source = (
        "import os\nclass A:\n    def __init__(self):\n"
        "        self.name = os.path.join(os.path.expanduser('~'), '.pypirc')\n"
        "    def f(self):\n        return open(self.name).read()\n"
    )

    assert values(read(source), Kind.SECRET_READ) == ["~/.pypirc"]


def test_texts_and_comments_are_no_words() -> None:
    """What stands in comments, docstrings and values of a table makes no function interesting."""
    source = b'"""exec os"""\n# import os\nx = {"role": "system", **f"{y} popen {{eval}}"}; y = b"exec" + rf"{z}"\n'

    found = wording(source)

    assert found.words == {"x", "y", "z"}
    assert found.spoken == frozenset()


@pytest.mark.parametrize(
    "source",
    [
        b"x = f\"{'}' + os.system('x')}\"",
        b'x = f"{"a" + os.system("x") + "b"}"',
        b'x = f"}}{ {"a": os.system("x")} }"',
        b"x = 'abc\nos.system('y')",
        b'x = """a\nos.system("y")',
        b"x = f'{os.system}'",
        b"x = 'a\\\r\nb'; os.system(1)",
        b'x = ""; os.system(1) # "',
    ],
)
def test_code_is_never_taken_for_a_text(source: bytes) -> None:
    """Where texts and code cannot be told apart with certainty, all of it counts as code."""
    assert {"os", "system"} <= wording(source).words


def test_every_name_of_real_code_is_a_word() -> None:
    """Python's own tokenizer finds no name in this package that is not a word of its code."""
    for path in sorted(Path(lazaretto.__file__).parent.rglob("*.py")):
        source = path.read_bytes()
        tokens = tokenize.tokenize(io.BytesIO(source).readline)
        names = {found.string for found in tokens if found.type == token.NAME}
        assert names <= wording(source).words, path


def test_texts_that_may_be_an_index_or_an_argument() -> None:
    """One word alone between quotes counts behind a bracket or a comma, and anywhere beside ``getattr``."""
    assert wording(b"a['os'].b(c, \"system\", {'k': 'popen'}, d == 'exec')").spoken == {"os", "system"}
    assert wording(b"n = 'popen'; getattr(a, n)").spoken == {"popen"}


def test_how_a_name_is_used() -> None:
    """Chains of attributes, calls, bindings and imports are told apart."""
    code = b"os.path . join(os)\nos.x = 1\nimport os.y as z\nnos.a\nwith os.b as c: pass\nos == 1\n"

    assert uses(code, "os") == [(".path.join", "("), ("", ""), (".x", "="), (".y", "="), (".b", "")]
    assert uses(b"a.fd.b()", "fd") == [(".b", "(")]
    assert uses("é.os()".encode(), "os") is None


@pytest.mark.parametrize(
    "source",
    [
        b'f"{' + b'"\\' * 200_000,
        b"x = f'{'" + b"\\'" * 200_000,
        b"(#" * 200_000,
        b"(#(\n" * 200_000,
        b"f'{" * 200_000,
        b'f"' + b"{'" * 200_000 + b'"',
        b"[" * 200_000,
    ],
)
def test_wording_takes_time_in_proportion(source: bytes) -> None:
    """Sources made to be searched again and again come back (a quadratic search would take hours)."""
    assert wording(source).words is not None


def test_uses_take_time_in_proportion() -> None:
    """Long chains and many uses in one line come back."""
    assert uses(b"os." * 200_000, "os")
    assert uses(b"with " + b"os as a, " * 200_000, "os") == [("", "")]
