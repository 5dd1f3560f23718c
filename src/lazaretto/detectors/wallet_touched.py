"""This update touches cryptocurrency wallets, as its line of releases never did.

## What it detects
Code that names the wallet object of a page, the store of a wallet program, the extension of a browser or the methods
with which a wallet signs, new to the line. At first contact it is asked only where a wallet's data flow to the network
without anybody calling.

## Why it matters
Ten of 75 documented incidents went for wallets. A library that is not about payments has no use for one.

## What it misses
Wallet libraries themselves, where only the flow of a key tells; the exchange of addresses in text that passes by.

## References
- The public records of event-stream (2018), chalk and debug (2025)
- MITRE ATT&CK T1657, Financial Theft
"""

from collections.abc import Iterator

from lazaretto.core.facts import Kind
from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.question import AUTORUN, Tally, decoded, is_document, new_chains, package_json, runs_by_itself
from lazaretto.core.update import Update

CARD = Card(
    id="wallet-touched",
    title="Wallet touched",
    variants={
        "autorun": "Code that runs by itself touches a wallet, as no earlier release did.",
        "call": "A function touches a wallet, as no earlier release did.",
        "first-contact": "There is no earlier release; data of a wallet go to the network without being called.",
    },
    group="hooking",
    why="What a wallet signs cannot be taken back.",
    attack=("T1195.002", "T1657"),
)

_BEFORE = {"package.json": package_json("1.0.0"), "index.js": "module.exports = (a) => a;\n"}

EXAMPLES = (
    Example(
        title="the entry file of a helper looks for the page's wallet",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "if (window.ethereum) { window.ethereum.request({ method: 'eth_accounts' }); }\n"
            "module.exports = (a) => a;\n",
        },
        expect="autorun",
        at="index.js:1",
    ),
    Example(
        title="a Python package reads the folder of a wallet program at import",
        ecosystem="pypi",
        before={"pad/__init__.py": "WIDTH = 2\n"},
        after={
            "pad/__init__.py": "import os\n"
            "wallet = open(os.path.expanduser('~/.config/solana/id.json')).read()\nWIDTH = 2\n"
        },
        expect="autorun",
        at="pad/__init__.py:2",
    ),
    Example(
        title="a wallet library in another version",
        before={"package.json": package_json("1.0.0"), "index.js": "exports.p = () => window.ethereum;\n"},
        after={"package.json": package_json("1.0.1"), "index.js": "exports.p = () => window.ethereum || null;\n"},
    ),
    Example(
        title="a word that also means a wallet",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "module.exports = (a) => ({ wallet: a, exodus: 'a journey', phantom: true });\n",
        },
    ),
)

_MESSAGES = {
    "autorun": "touches a wallet without being called",
    "call": "touches a wallet when it is called",
    "first-contact": "sends data of a wallet to the network without being called",
}


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding for each variant."""
    tally = Tally(CARD)
    for pair in update.pairs:
        if pair.before is None:
            for chain, _ in new_chains(pair, (Kind.WALLET_TOUCH,), (Kind.NET_CONNECT, Kind.DNS_QUERY)):
                if chain.data and chain.reach in AUTORUN:
                    tally.add("first-contact", pair, chain.source, chain.sink)
            continue
        for placed in pair.gained(Kind.WALLET_TOUCH):
            if pair.is_new_kind(placed) and not is_document(placed.path):
                variant = "autorun" if runs_by_itself(placed) else "call"
                tally.add(variant, pair, placed)
                tally.explain(variant, decoded(pair, placed.path))
    yield from tally.findings(_MESSAGES)
