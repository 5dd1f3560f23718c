"""This update decrypts something with a key that it takes from the machine it runs on.

## What it detects
A flow from the environment (a package's own description, the host, the user, the locale) to a decryption, new to the
line; the heavier variant also executes what it decrypts. Keys in variables that are named as secrets are left alone:
programs decrypt their own settings so.

## Why it matters
A payload that only opens on its victim's machine shows nothing to anybody else. event-stream's was keyed with the
description of one wallet's package.

## What it misses
Keys that are fetched; checks of the environment that only decide whether to run.

## References
- The public record of event-stream 3.3.6 and flatmap-stream 0.1.1 (2018)
- MITRE ATT&CK T1480.001, Environmental Keying
"""

from collections.abc import Iterator

from lazaretto.core.facts import Kind
from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.question import Tally, decoded, new_chains, package_json
from lazaretto.core.update import Pair, Placed, Update

CARD = Card(
    id="environment-keyed",
    title="Decryption keyed by the environment",
    variants={
        "executed": "Something is decrypted with a key from the environment, and what is decrypted is executed.",
        "decrypted": "Something is decrypted with a key from the environment.",
    },
    group="obfuscation",
    why="It opens on its victim's machine and nowhere else.",
    attack=("T1195.002", "T1480.001"),
)

_EXECUTES = (Kind.CODE_EVAL, Kind.PROCESS_SPAWN)
_OWN_SECRETS = ("key", "secret", "pass", "token", "salt", "credential", "private")
_OF_THE_VICTIM = ("npm_package_", "hostname", "computername", "username", "userdomain", "logname", "lang", "processor_")
_BEFORE = {"package.json": package_json("1.0.0"), "index.js": "module.exports = (a) => a;\n"}
_DECRYPT = (
    "const crypto = require('crypto');\n"
    "const key = process.env.npm_package_description;\n"
    "const d = crypto.createDecipher('aes256', key);\n"
    "const text = d.update('75d4c87f3f69e0fa', 'hex', 'utf8') + d.final('utf8');\n"
)

EXAMPLES = (
    Example(
        title="the description of the installing package is the key, and what opens is run",
        before=_BEFORE,
        after={"package.json": package_json("1.0.1"), "index.js": _DECRYPT + "new Function(text)();\n"},
        expect="executed",
        at="index.js:2",
    ),
    Example(
        title="first contact with a package that decrypts with the name of the host",
        after={
            "package.json": package_json("1.0.0"),
            "index.js": _DECRYPT.replace("npm_package_description", "HOSTNAME") + "module.exports = text;\n",
        },
        expect="decrypted",
        at="index.js:2",
    ),
    Example(
        title="a program decrypts its own settings with its own key",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": _DECRYPT.replace("npm_package_description", "APP_SECRET_KEY") + "module.exports = text;\n",
        },
    ),
    Example(
        title="a library that decrypts what it is given",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "const crypto = require('crypto');\n"
            "module.exports = (key, iv, s) => crypto.createDecipheriv('aes-256-cbc', key, iv).update(s);\n",
        },
    ),
)

_MESSAGES = {
    "executed": "executes what it decrypts with a key from the environment",
    "decrypted": "decrypts with a key from the environment",
}


def detect(update: Update) -> Iterator[Finding]:
    """Yield at most one finding for each variant; a file that executes is not told twice."""
    tally = Tally(CARD)
    for pair in update.pairs:
        executing = {chain.source.path for chain, _ in new_chains(pair, (Kind.DECRYPT,), _EXECUTES)}
        for source, sink in _keyed(pair):
            variant = "executed" if sink.path in executing else "decrypted"
            tally.add(variant, pair, source, sink)
            tally.explain(variant, decoded(pair, sink.path))
    yield from tally.findings(_MESSAGES)


def _keyed(pair: Pair) -> Iterator[tuple[Placed, Placed]]:
    """Yield (what is read of the environment, decryption): followed, or told by a variable that no setting has."""
    for chain, _ in new_chains(pair, (Kind.ENV_READ, Kind.ENV_DUMP), (Kind.DECRYPT,)):
        name = (chain.source.fact.value or "").lower()
        if chain.data and not any(word in name for word in _OWN_SECRETS):
            yield chain.source, chain.sink
    decryptions: dict[str, Placed] = {}
    for placed in pair.gained(Kind.DECRYPT):
        decryptions.setdefault(placed.path, placed)
    for placed in pair.gained(Kind.ENV_READ):
        if placed.path in decryptions and (placed.fact.value or "").lower().startswith(_OF_THE_VICTIM):
            yield placed, decryptions[placed.path]
