"""This update hides the name of what it loads, contacts, reads or deletes.

## What it detects
An import, a connection, a credential, a variable, a start-up place or a deletion whose name had to be decoded (base64,
hex, reversed, xor, character codes), new to the line. The decoded name stands in the evidence. What is executed after
decoding is asked by decoded-code-executed: what such text imports in plain words counts there, and not again here.

## Why it matters
A module or a host is named in plain text by everybody who has nothing to hide from a search for it. The axios dropper
kept 18 such names in a table; flatmap-stream loaded its payload by a name in hexadecimal.

## What it misses
Names that only the running program can compute.

## References
- The public records of flatmap-stream 0.1.1 and plain-crypto-js 4.2.1
- MITRE ATT&CK T1027.013, Encrypted/Encoded File; T1140
"""

from collections.abc import Iterator

from lazaretto.core.encoded_program import EncodedPrograms
from lazaretto.core.facts import Kind
from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.question import Tally, decoded, hidden, package_json, runs_by_itself, runs_when_loaded
from lazaretto.core.update import Pair, Placed, Update

CARD = Card(
    id="hidden-argument-added",
    title="Name hidden in an encoding",
    variants={
        "import": "Code that runs by itself hides the name of a module that it loads.",
        "autorun": "Code that runs by itself hides the name of what it contacts, reads or deletes.",
        "load": "Code that runs when a command is typed or its own module is imported hides such a name.",
        "call": "A function hides the name of what it loads, contacts, reads or deletes.",
        "first-contact-import": "There is no earlier release; code that runs by itself hides a module's name.",
        "first-contact": "There is no earlier release; code that runs by itself hides such a name.",
    },
    group="obfuscation",
    why="Encoding a name serves only to keep it from being found.",
    attack=("T1195.002", "T1027.013", "T1140"),
)

_KINDS = (
    Kind.IMPORT,
    Kind.NET_CONNECT,
    Kind.DNS_QUERY,
    Kind.SECRET_READ,
    Kind.ENV_READ,
    Kind.FS_DELETE,
    Kind.PERSIST,
    Kind.RUNTIME_FETCH,
)
_BEFORE = {"package.json": package_json("1.0.0"), "index.js": "module.exports = (a) => a;\n"}

EXAMPLES = (
    Example(
        title="the host that an entry file contacts is written in base64",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "const https = require('https');\n"
            "https.get(Buffer.from('aHR0cHM6Ly9zdGFnZS5pbnZhbGlkL2E=', 'base64').toString());\n"
            "module.exports = (a) => a;\n",
        },
        expect="autorun",
        at="index.js:2",
    ),
    Example(
        title="the module that an entry file loads is written in hexadecimal",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "const d = (x) => Buffer.from(x, 'hex').toString();\n"
            "const c = require(d('6368696c645f70726f63657373'));\nmodule.exports = (a) => a;\n",
        },
        expect="import",
        at="index.js:2",
    ),
    Example(
        title="a host put together from its parts",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "const base = 'https://' + 'api.invalid';\nrequire('https').get(base + '/v1');\n",
        },
    ),
    Example(
        title="an encoded picture beside a plain connection",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "exports.icon = Buffer.from('aGVsbG8gd29ybGQsIHRoaXMgaXMgYSBwaWN0dXJl', 'base64');\n"
            "require('https').get('https://api.invalid/v1');\n",
        },
    ),
)

_MESSAGES = {
    "import": "hides the names of modules that it loads without being called",
    "autorun": "hides names that it uses without being called",
    "load": "hides names that it uses when its module is loaded",
    "call": "hides names that it uses when it is called",
    "first-contact-import": "hides the names of modules that it loads without being called",
    "first-contact": "hides names that it uses without being called",
}


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding for each variant, with everything that the files hide."""
    tally = Tally(CARD)
    for pair in update.pairs:
        programs = EncodedPrograms(pair.after)
        for placed in pair.gained(*_KINDS):
            known = placed.fact.kind is Kind.IMPORT and not programs.hidden_itself(placed)
            if placed.fact.value and hidden(placed.fact) and not known and (variant := _variant(pair, placed)):
                tally.add(variant, pair, placed)
                tally.explain(variant, decoded(pair, placed.path))
    yield from tally.findings(_MESSAGES)


def _variant(pair: Pair, placed: Placed) -> str | None:
    loads = placed.fact.kind is Kind.IMPORT
    if pair.before is None:
        at_once = "first-contact-import" if loads else "first-contact"
        return at_once if runs_by_itself(placed) else None
    if runs_by_itself(placed):
        return "import" if loads else "autorun"
    return "load" if runs_when_loaded(placed) else "call"
