"""This update reads, without being called, what a browser, a wallet or another process keeps.

## What it detects
Code that runs at installation or as soon as it is loaded, and that opens a browser's stored passwords, cookies or the
key to them, or the memory of another process, in a line that never did; at first contact the file of a wallet, too
(`wallet-touched` asks about later ones). It need not be seen to send anything.

## Why it matters
What such a file holds is of use to nobody but its owner and a thief. Who takes it need not send it from the same file,
or at once: a value that is handed out, written down or kept for another module is gone as well.

## What it misses
What is read when it is called: tools that show a user the user's own cookies do that. Stores under a name that is only
known at run time; copies of a whole profile.

## References
- The public record of tj-actions (2025), which took the secrets of a build from the runner's memory
- The public records of W4SP Stealer (2022) and its copies
- MITRE ATT&CK T1555.003, Credentials from Web Browsers; T1657, Financial Theft
"""

from collections.abc import Iterator

from lazaretto.core.facts import Kind
from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.question import Tally, decoded, is_document, package_json, runs_by_itself
from lazaretto.core.update import Placed, Update

CARD = Card(
    id="stores-read",
    title="A browser's or wallet's store is read",
    variants={
        "autorun": "Code that runs by itself opens what a browser or a process keeps, as no earlier release did.",
        "first-contact": "There is no earlier release; code that runs by itself opens what a browser or wallet keeps.",
    },
    group="hooking",
    why="Nobody but its owner and a thief has a use for it.",
    attack=("T1195.002", "T1555.003", "T1657"),
)

_OPENED = (Kind.FS_READ, Kind.SECRET_READ)
_KINDS = (*_OPENED, Kind.WALLET_TOUCH)
_STORES = frozenset({"login data", "local state", "web data", "cookies.sqlite", "logins.json", "key4.db"})
"""Files of browsers: passwords, the key to them, cards, cookies."""

_BEFORE = {"pad/__init__.py": "WIDTH = 2\n"}
_READ = (
    "import os\nKEPT = os.path.expandvars('%LOCALAPPDATA%/Google/Chrome/User Data/Default/Login Data')\n"
    "HELD = open(KEPT, 'rb').read()\n"
)

EXAMPLES = (
    Example(
        title="a module keeps a browser's passwords for another one",
        ecosystem="pypi",
        after={"pad/__init__.py": "from pad.held import HELD\n", "pad/held.py": _READ},
        expect="first-contact",
        at="pad/held.py:3",
    ),
    Example(
        title="an installer copies the file of a wallet",
        after={
            "package.json": package_json("1.0.0", scripts={"postinstall": "node take.js"}),
            "take.js": "const fs = require('fs');\nconst home = require('os').homedir();\n"
            "fs.copyFileSync(home + '/.bitcoin/wallet.dat', 'kept.bin');\n",
        },
        expect="first-contact",
        at="take.js:3",
    ),
    Example(
        title="a package begins to read a browser's passwords when it is imported",
        ecosystem="pypi",
        before=_BEFORE,
        after={"pad/__init__.py": _READ},
        expect="autorun",
        at="pad/__init__.py:3",
    ),
    Example(
        title="a package looks into the memory of other processes when it is imported",
        ecosystem="pypi",
        before=_BEFORE,
        after={
            "pad/__init__.py": "import os\nfor pid in filter(str.isdigit, os.listdir('/proc')):\n"
            "    with open(f'/proc/{pid}/mem', 'rb') as memory:\n        print(memory.read(4096))\n"
        },
        expect="autorun",
        at="pad/__init__.py:3",
    ),
    Example(
        title="a program that looks into its own memory",
        ecosystem="pypi",
        before=_BEFORE,
        after={"pad/__init__.py": "HELD = open('/proc/self/mem', 'rb').read(16)\n"},
    ),
    Example(
        title="a tool that reads the user's cookies when it is asked",
        ecosystem="pypi",
        after={
            "pad/__init__.py": "import os\ndef cookies():\n"
            "    return open(os.path.expanduser('~/.mozilla/firefox/main/cookies.sqlite'), 'rb').read()\n"
        },
    ),
    Example(
        title="a page's wallet is asked for when a library is loaded",
        after={
            "package.json": package_json("1.0.0"),
            "index.js": "const wallet = window.ethereum;\nmodule.exports = () => wallet;\n",
        },
    ),
)

_MESSAGES = {
    "autorun": "opens what a browser or another process keeps, without being called",
    "first-contact": "opens what a browser, a wallet or another process keeps, without being called",
}


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding for each variant."""
    tally = Tally(CARD)
    for pair in update.pairs:
        if pair.before and any(map(_takes, pair.before.placed)):
            continue
        for placed in pair.gained(*(_KINDS if pair.before is None else _OPENED)):
            if _takes(placed) and not is_document(placed.path):
                variant = "autorun" if pair.before else "first-contact"
                tally.add(variant, pair, placed)
                tally.explain(variant, decoded(pair, placed.path))
    yield from tally.findings(_MESSAGES)


def _takes(placed: Placed) -> bool:
    """Whether a place opens, without being called, a store or the memory of another process by its path."""
    if placed.fact.kind not in _KINDS or not runs_by_itself(placed):
        return False
    folder, _, name = (placed.fact.value or "").replace("\\", "/").lower().rpartition("/")
    others = name == "mem" and folder.startswith("/proc/") and folder != "/proc/self"
    return bool(folder) and (placed.fact.kind is Kind.WALLET_TOUCH or name in _STORES or others)
