"""A letter that is written by its number hides nothing of the code around it; whatever else is, does."""

import pytest

from lazaretto.core.facts import Kind
from tests.languages.python_reading import read, read_any

_OPEN = (
    "exec('def f(caf' + chr(0xE9) + '=1):\\n    return 1')",
    'exec(  # a letter\n    "x" + chr(233) + " = 1", {})',
)


@pytest.mark.parametrize("source", _OPEN)
def test_a_letter(source: str) -> None:
    """All that runs can be read as it stands."""
    facts = read(source)
    assert not [fact for fact in facts.facts if fact.kind in (Kind.OBFUSCATED, Kind.DECODE)]
    assert [fact.via for fact in facts.facts if fact.kind is Kind.CODE_EVAL] == ["concat"]


@pytest.mark.parametrize(
    "source",
    [
        "exec('import o' + chr(115))",
        "exec('x' + chr(0233) + '=1' + chr(10))",
        "exec('x' + chr(0xFFFFFF) + '=1' + chr(59))",
        "exec('import ' + chr(0x1D428) + 's')",
        "exec('x = 1' + chr(0xFF1B) + 'import os')",
        "exec('#' + chr(0xE9) + ''.join(map(chr, [10, 111, 115])))",
        "exec('#' + chr(0xE9) + chr(10) + 'import os')",
        "t = 'x' + chr(111) + chr(0xE9)\nexec(t, 'x' + chr(0xE9))",
        "exec(''.join(map(chr, [28528, 26994])).encode('utf-16-le').decode())",
        "exec('# ' + chr(0xE9) + '\\n' + ''.join(map(chr, [28528])).encode('utf-16-le').decode())",
        "exec('x' + chr(0xE9) + '=1' + chr(0x3b) + 'y = 2' + '" + " " * 5000 + "')",
        'exec(\'exec("y" + chr(0xE9) + "=1")\' + chr(10))',
    ],
)
def test_what_hides_code(source: str) -> None:
    """ASCII by its number or by a letter that Python takes for it, and any other way to put text together."""
    assert [fact for fact in read_any(source).facts if fact.kind is Kind.OBFUSCATED]
