"""What the grammar does not know: newer syntax is no problem, what may hide something is one."""

import pytest

from lazaretto.core.facts import Kind
from tests.languages.python_reading import read_any, values

NEWER = {
    "default of a type parameter": "def f[*Ts = Set['a']](x): return x\ntype A[**P = Set[int]] = x\n",
    "signed pattern": "match x:\n    case +0:\n        pass\n",
    "split target": "(x\n    .\n    a) = 4\n",
    "template": "exec_me_not = '@INSTALLER-BODY@'\nx = @name@\n".replace("@name@", "a b"),
    "shifted print": "print >> f, x\nprint >>f\n",
    "unterminated": 'x = """abc\n',
}
HIDING = {
    "a skipped call": "x = run ( 'id' ]\n",
    "a skipped word": "x = ] eval ] 'id'\n",
    "a swallowed call": "x = f'{\"'\nimport os\nos.system('id')\ny = '\"}'\nz = 'os.system(1)' ]\n",
    "no Python at all": "] " * 500,
}


@pytest.mark.parametrize("what", NEWER)
def test_newer_syntax_is_no_problem(what: str) -> None:
    """A release that uses this year's Python is not held for it."""
    assert not read_any(NEWER[what]).problems


@pytest.mark.parametrize("what", HIDING)
def test_what_may_hide_something_is_a_problem(what: str) -> None:
    """What the parser skipped, or took for a text, may be what runs: the file is incomplete."""
    assert read_any(HIDING[what]).problems


@pytest.mark.parametrize("what", NEWER)
def test_what_stands_beside_newer_syntax_is_followed(what: str) -> None:
    """A place that the grammar does not know hides nothing that stands around it."""
    facts = read_any(f"import os\nos.system('before')\n{NEWER[what]}\nos.system('behind')\n")

    assert "before" in values(facts, Kind.PROCESS_SPAWN)
    assert facts.problems or "behind" in values(facts, Kind.PROCESS_SPAWN)
