"""Hostile input comes back in bounded time with facts or a problem; cuts change nothing but the cost."""

import base64
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lazaretto.core.facts import Kind
from lazaretto.core.language import NoUnits
from lazaretto.languages import python
from lazaretto.languages.python import cuts, program
from lazaretto.languages.python.syntax import Source
from tests.languages.python_reading import Memory, read_any, values

DEEP = {
    "lambdas": b"x = " + b"lambda: " * 5000 + b"1",
    "comprehensions": b"x = " + b"[a for a in " * 2000 + b"b" + b"]" * 2000,
    "blocks": b"".join(b" " * n + b"if x:\n" for n in range(300)) + b" " * 300 + b"pass\n",
    "broken": b"[" * 50_000,
    "nul": b"import os\0\nos.system('x')\n",
    "python-2": b"print 'x'\n",
    "template": b"import {{ cookiecutter.name }}\n",
}
WIDE = {
    "parentheses": b"x = " + b"(" * 50_000 + b"1" + b")" * 50_000,
    "signs": b"x = " + b"-" * 100_000 + b"1",
    "sum": b"x = " + b"+".join([b"'ab'"] * 50_000),
    "attributes": b"x = a" + b".b" * 50_000,
    "calls": b"import os\nx = os.system" + b"()" * 20_000,
    "elifs": b"if a:\n pass\n" + b"elif b:\n pass\n" * 10_000,
    "numbers": b"x = 'a' * 10**9\ny = 10 ** 10 ** 10\nz = 1 << 10**9\nw = bytes(10**10)\n",
    "formats": b"a = '%1000000000d' % 1\nb = '{:1000000000}'.format(1)\nc = f'{1:1000000000}'\nd = 'a'.zfill(10**9)\n",
    "doubling": b"x = 'aaaaaaaa'\n" + b"x = x + x\n" * 100,
    "squaring": b"x = 3\n" + b"x = x * x\n" * 100,
    "recursion": b"def f(n):\n    return n if n < 2 else f(n - 1) + f(n - 2)\nf(40)\n",
    "fan-out": b"".join(b"def f%d(x):\n f%d(x + 'a')\n f%d(x + 'b')\n" % (n, n + 1, n + 1) for n in range(40))
    + b"f0('')\n",
    "cycle": b"import requests\nd = {}\nd['a'] = d\nd['b'] = y\nl = [d]\nl.append(l)\nrequests.put('u', json=[d, l])\n",
    "self": b"class A:\n def f(self):\n  self.a = self\n  self.b = [self, self]\n  import os\n  os.system(self)\n",
}


@pytest.mark.parametrize("name", DEEP)
def test_what_is_not_understood_is_a_problem(name: str) -> None:
    """Nesting beyond the bounds and text that is not Python make the file incomplete, and nothing raises."""
    facts = read_any(DEEP[name])

    assert facts.problems
    assert not any("reading failed" in problem.reason for problem in facts.problems)


@pytest.mark.parametrize("name", WIDE)
def test_wide_code_is_read_in_full(name: str) -> None:
    """Long sums, chains and constants that would not fit are read without a problem and without computing them."""
    assert read_any(WIDE[name]).problems == ()


def test_facts_stand_beside_problems() -> None:
    """What surrounds an error is still told."""
    facts = read_any("import os\nos.system('before')\nprint 'two'\nclass (\nos.system('after')\n")

    assert facts.problems
    assert "before" in values(facts, Kind.PROCESS_SPAWN)


def test_a_bomb_is_not_unpacked() -> None:
    """A compressed text that would be huge stays unknown; the flow to ``exec`` is told."""
    packed = base64.b64encode(zlib.compress(bytes(50_000_000))).decode()
    facts = read_any(f"import base64, zlib\nexec(zlib.decompress(base64.b64decode('{packed}')))\n")

    assert values(facts, Kind.CODE_EVAL) == [None]


BURN = "n = 0\nfor i in range(150_000):\n    for j in range(9):\n        n = n ^ i\n"
"""Uses up the steps that a file may take."""

CODE = "[" + ",".join(str(byte) for byte in range(300)) + "]"

UNFINISHED = {
    "of its own": BURN + "exec(n)\n",
    "a text": BURN + f"x = ''\nfor c in {CODE}:\n    x += chr(c ^ 7)\nexec(x)\n",
    "a list": BURN + f"x = []\nfor c in {CODE}:\n    x.append(chr(c ^ 7))\nexec(''.join(x))\n",
    "bytes": BURN + f"x = bytearray()\nfor c in {CODE}:\n    x.append(c ^ 7)\nexec(x.decode())\n",
    "a generator": BURN + f"import os\nos.system(''.join(chr(c ^ 7) for c in {CODE}))\n",
    "a dictionary": BURN + f"x = {{}}\nfor c in {CODE}:\n    x[c] = chr(c ^ 7)\nexec(''.join(x.values()))\n",
    "a function": BURN
    + f"def d(k):\n    x = ''\n    for c in k:\n        x += chr(c ^ 7)\n    return x\nexec(d({CODE}))\n",
    "an attribute": BURN
    + "class A:\n    def __init__(self, k):\n        self.x = []\n"
    + "        for c in k:\n            self.x.append(chr(c ^ 7))\n"
    + f"    def go(self):\n        exec(''.join(self.x))\nA({CODE}).go()\n",
}


@pytest.mark.parametrize("how", UNFINISHED)
def test_a_computation_that_is_not_followed_to_its_end_is_told_where_it_runs(how: str) -> None:
    """A decoder behind a long computation is not silence: the file is incomplete."""
    reasons = {problem.reason for problem in read_any(UNFINISHED[how]).problems}

    assert "a long computation on constants is not followed" in reasons


LITTLE = "''.join(f'{i},{i * 2}' for i in range(n))"
MUCH = {
    "it runs": f"n = 9\nexec({LITTLE})\n",
    "a large number": "n = 1 << 999\nopen('x', 'w').write(''.join(chr(n >> i & 255) for i in range(9)))\n",
    "a name": "n = 'abc'\nopen('x', 'w').write(''.join(n[-i] for i in range(9)))\n",
    "a function": "def f(i):\n    return i\nopen('x', 'w').write(''.join(f(i) for i in range(9)))\n",
    "a long text": f"open('x', 'w').write(''.join('{'abc' * 40}'[i * 7 % 120] for i in range(9)))\n",
}


def test_what_counting_makes_holds_no_payload() -> None:
    """Rows of test data, written to a file, say no more than the short text that makes them."""
    facts = read_any(BURN + f"n = 5_000\nopen('x', 'w').write({LITTLE})\n")

    assert not facts.problems
    assert [fact.kind for fact in facts.facts] == [Kind.FS_WRITE]


def test_counting_takes_no_patience_from_what_may_hide_something() -> None:
    """Behind much test data, a decoder is still followed to its end."""
    rows = "".join(f"open('{at}', 'w').write(''.join(f'{{i}},{{i * 2}}' for i in range(30_000)))\n" for at in range(5))
    codes = [ord(letter) ^ 7 for letter in "import os"]
    facts = read_any(rows + f"exec(''.join(chr(code ^ 7) for code in {codes}))\n")

    assert not facts.problems
    assert values(facts, Kind.CODE_EVAL) == ["import os"]


@pytest.mark.parametrize("what", MUCH)
def test_what_may_hold_a_payload_is_told(what: str) -> None:
    """What is run, and what is made of more than counting, is not understood where it was not followed."""
    assert read_any(BURN + MUCH[what]).problems


def test_a_computation_whose_outcome_nothing_runs_is_no_problem() -> None:
    """Test data are made by long loops everywhere: not following them hides nothing."""
    facts = read_any(
        BURN + f"x = ''.join(chr(c) for c in range(0x10000))\nimport os\nos.system('ls')\nassert x + str({CODE})\n"
    )

    assert not facts.problems


@given(st.binary(max_size=300))
def test_any_bytes_are_read(data: bytes) -> None:
    """Law: nothing raises, and every span lies inside the file."""
    for dialect in ("python", "pth"):
        facts = python.read(dialect, data, NoUnits())
        assert not any("reading failed" in problem.reason for problem in facts.problems)
        assert all(0 <= fact.span.start <= fact.span.end for fact in facts.facts)


STATEMENTS = [
    "import os as o{n}\n",
    "def f{n}(x=o{n}):\n    import subprocess\n    subprocess.run(['cmd{n}', x])\n    return '{n}'\n",
    "class C{n}:\n    def m(self):\n        return o{n}.system('m{n}' + self.k)\n    k = 'https://h{n}.invalid/'\n",
    "@staticmethod\ndef g{n}():\n    return f{n}()\n",
    "if o{n}.name:\n    o{n}.system(f{n}())\nelse:\n    raise SystemExit\n",
    "TABLE{n} = " + repr({str(at): "v" * 20 for at in range(150)}) + "\n",
    "async def h{n}():\n    '''Doc https://doc.invalid\nimport nothing\n'''\n    exec(open('p{n}').read())\n",
]


@settings(max_examples=25)
@given(st.lists(st.integers(0, len(STATEMENTS) - 1), min_size=60, max_size=120))
def test_cuts_change_nothing(choice: list[int]) -> None:
    """Law: reading in cuts, fresh or remembered, gives the facts, flows and spans of the whole-file reading."""
    text = "import os as o0\n" + "".join(
        STATEMENTS[kind].replace("{n}", str(number % 7)) + "# " + "." * 700 + "\n" for number, kind in enumerate(choice)
    )
    data = text.encode()
    source = Source(data)
    whole = program.read_pieces(source, [program.lower_piece(source.data, eager=True)], "python")
    memory = Memory()

    if len(data) > cuts.SMALL:
        assert python.read("python", data, memory) == whole
        assert python.read("python", data, memory) == whole


def test_a_change_costs_its_cut() -> None:
    """After one changed line only the cut around it is read again."""
    parts = [f"def function{n}(x):\n    import os\n    os.system('a{n}')\n    # {'.' * 900}\n" for n in range(200)]
    memory = Memory()
    python.read("python", "".join(parts).encode(), memory)
    first = memory.written
    parts[100] = parts[100].replace("'a100'", "'changed'")

    facts = python.read("python", "".join(parts).encode(), memory)

    assert first > 5
    assert memory.written - first <= 2
    assert "changed" in values(facts, Kind.PROCESS_SPAWN)


def test_a_body_that_was_of_no_interest_is_lowered_when_it_becomes_so() -> None:
    """A cut is remembered without the functions that nobody followed; a change elsewhere may make one matter."""
    parts = [f"def f{n}(x):\n    return x(n) + 'f{n}'\n    # {'.' * 900}\n" for n in range(200)]
    memory = Memory()
    python.read("python", "".join(parts).encode(), memory)
    parts[-1] = "import os\nf7(lambda n: os.system('id'))\nos.system(f9(str))\n"
    changed = "".join(parts).encode()

    facts = python.read("python", changed, memory)

    assert values(facts, Kind.PROCESS_SPAWN) == ["id", "{}f9"]
    assert facts == python.read("python", changed, Memory())


def test_damaged_memory_is_forgotten() -> None:
    """A unit that cannot be decoded is read again from the source."""
    data = "".join(f"def f{n}():\n    exec('{n}')\n    # {'.' * 900}\n" for n in range(100)).encode()
    memory = Memory()
    expected = python.read("python", data, memory)
    memory.units = dict.fromkeys(memory.units, b"\xff")

    assert python.read("python", data, memory) == expected
