"""This update starts a program that mines cryptocurrency.

## What it detects
A command, new to the line, with the options that miners share: a pool's address and a wallet (`-o host:port` together
with `-u`), a donation level, a share of processors, the stratum protocol, or the name of a well-known miner.

## Why it matters
The releases of ua-parser-js (2021) and ultralytics (2024) were made for it. A miner takes its orders on the command
line, so the command tells it from any other program, whatever the file is called.

## What it misses
Miners that are configured by a file or built in; mining in a web page.

## References
- The public records of ua-parser-js 0.7.29 and ultralytics 8.3.41
- MITRE ATT&CK T1496, Resource Hijacking
"""

from collections.abc import Iterator
from itertools import pairwise

from lazaretto.core.facts import Kind
from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.question import Tally, package_json
from lazaretto.core.started import starts
from lazaretto.core.update import ArtifactView, Placed, Update

CARD = Card(
    id="miner-started",
    title="Miner started",
    variants={
        "command": "A command has the options of a miner, as no command of an earlier release had.",
        "first-contact": "There is no earlier release; a command has the options of a miner.",
        "first-contact-carried": "There is no earlier release; a miner that comes with it is started.",
    },
    group="miner",
    why="It spends the machine of whoever installs the package.",
    attack=("T1195.002", "T1496"),
)

_KINDS = (Kind.PROCESS_SPAWN, Kind.LITERAL_COMMAND, Kind.NET_CONNECT, Kind.LITERAL_URL)
_SIGNS = (
    "stratum+tcp://",
    "stratum+ssl://",
    "--donate-level",
    "--cpu-max-threads-hint",
    "xmrig",
    "--rig-id",
    "cpuminer",
)
_BEFORE = {"package.json": package_json("1.0.0"), "index.js": "module.exports = (a) => a;\n"}
_RUN = "const { exec } = require('child_process');\nexec('%s');\nmodule.exports = (a) => a;\n"

EXAMPLES = (
    Example(
        title="a program is started with a pool and a wallet",
        before=_BEFORE,
        after={"package.json": package_json("1.0.1"), "index.js": _RUN % "./helper -o pool.invalid:443 -u specimen -k"},
        expect="command",
        at="index.js:2",
    ),
    Example(
        title="a Python function starts a program with a donation level",
        ecosystem="pypi",
        before={"pad/__init__.py": "def pad(a):\n    return a\n"},
        after={
            "pad/__init__.py": "import subprocess\ndef pad(a):\n"
            "    subprocess.Popen(['./runner', '--donate-level', '1', '-u', 'specimen'])\n    return a\n"
        },
        expect="command",
        at="pad/__init__.py:3",
    ),
    Example(
        title="a database client with a user and an output file",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": _RUN % "psql -u specimen -o out.txt -h db.invalid:5432",
        },
    ),
    Example(
        title="a download with a user",
        before=_BEFORE,
        after={"package.json": package_json("1.0.1"), "index.js": _RUN % "curl -u specimen https://api.invalid:443/v1"},
    ),
)

_MESSAGES = {
    "command": "starts a program with the options of a miner",
    "first-contact": "starts a program with the options of a miner",
    "first-contact-carried": "starts a miner that comes with it",
}


def detect(update: Update) -> Iterator[Finding]:
    """Yield at most one finding for each variant."""
    tally = Tally(CARD)
    for pair in update.pairs:
        known = pair.before.placed if pair.before else ()
        if any(placed.fact.kind in _KINDS and mines(placed.fact.value) for placed in known):
            continue
        for placed in pair.gained(*_KINDS):
            if mines(placed.fact.value):
                started = None if pair.before else _started(pair.after, placed.path)
                variant = "command" if pair.before else "first-contact-carried" if started else "first-contact"
                tally.add(variant, pair, placed, *filter(None, (started,)))
    yield from tally.findings(_MESSAGES)


def _started(view: ArtifactView, path: str) -> Placed | None:
    """Return where a release starts one of its files that are no code, or None."""
    if not any(one.path == path and one.fact.kind is Kind.BINARY for one in view.placed):
        return None
    spawned = (one for one in view.placed if one.fact.kind is Kind.PROCESS_SPAWN and one.path != path)
    return next((one for one in spawned if starts(one.fact.value, path.rpartition("/")[2])), None)


def mines(command: str | None) -> bool:
    """Whether a command line or an address is a miner's."""
    text = (command or "").lower()
    if any(sign in text for sign in _SIGNS):
        return True
    words = text.split()
    pools = [after for word, after in pairwise(words) if word in ("-o", "--url")]
    wallet = any(word in ("-u", "--user") for word in words)
    return wallet and any(_has_port(pool) for pool in pools)


def _has_port(text: str) -> bool:
    host, _, port = text.rpartition(":")
    return "." in host and port.isdigit()
