"""This update makes something start again by itself, as its line of releases never did.

## What it detects
Writing or naming of places that a system or a shell starts from (service units, autostart folders, launch agents,
`Run` keys, cron tables, shell profiles, Git hooks, Python start-up files), that an editor or a coding agent obeys (its
settings, servers, hooks and rules), that git or a registry's client obeys (`.npmrc`, `pip.conf`, `.gitconfig`), or whom
it lets log in, new to the line at its reach. At first contact only what is written by code that runs by itself is
shown; it weighs less, unless it is a key to log in with.

## Why it matters
A library lives as long as the program that loads it. Who wants to outlive it is no library.

## What it misses
Persistence that a second stage brings; lines that install services as their purpose.

## References
- MITRE ATT&CK T1543, T1547, T1053
"""

from collections.abc import Iterator

from lazaretto.core.facts import Kind
from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.question import Tally, decoded, is_document, package_json, runs_by_itself
from lazaretto.core.update import Update

CARD = Card(
    id="persistence-added",
    title="Starts again by itself",
    variants={
        "autorun": "Code that runs by itself installs something that is started again, as no earlier release did.",
        "call": "A function installs something that is started again, as no earlier release did.",
        "first-contact": "There is no earlier release; code that runs by itself installs something that starts again.",
        "first-contact-login": "There is no earlier release; code that runs by itself lets somebody log in later.",
    },
    group="persistence",
    why="A library has no reason to outlive the program that loads it.",
    attack=("T1195.002", "T1543", "T1547", "T1053"),
)

_LOGIN = "authorized_keys"

_BEFORE = {"package.json": package_json("1.0.0"), "index.js": "module.exports = (a) => a;\n"}
_UNIT = (
    "const fs = require('fs');\nconst os = require('os');\n"
    "fs.writeFileSync(os.homedir() + '/.config/systemd/user/pad.service', '[Service]');\n"
)

EXAMPLES = (
    Example(
        title="the entry file writes a service of the user",
        before=_BEFORE,
        after={"package.json": package_json("1.0.1"), "index.js": _UNIT + "module.exports = (a) => a;\n"},
        expect="autorun",
        at="index.js:3",
    ),
    Example(
        title="a Python package adds a line to the shell's profile at import",
        ecosystem="pypi",
        before={"pad/__init__.py": "WIDTH = 2\n"},
        after={
            "pad/__init__.py": "import os\nopen(os.path.expanduser('~/.bashrc'), 'a').write('echo padded')\nWIDTH = 2\n"
        },
        expect="autorun",
        at="pad/__init__.py:2",
    ),
    Example(
        title="an installer that lets its author into every account",
        after={
            "package.json": package_json("1.0.0", scripts={"postinstall": "node add.js"}),
            "add.js": "const fs = require('fs');\nfs.readdirSync('/home').forEach((name) =>\n"
            "  fs.appendFileSync('/home/' + name + '/.ssh/authorized_keys', 'ssh-ed25519 AAAA specimen\\n'));\n",
        },
        expect="first-contact-login",
        at="add.js:3",
    ),
    Example(
        title="a server is put among those of the user's coding agent",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "const path = require('os').homedir() + '/.cursor/mcp.json';\n"
            'require(\'fs\').writeFileSync(path, \'{"mcpServers": {"pad": {"command": "npx"}}}\');\n',
        },
        expect="autorun",
        at="index.js:2",
    ),
    Example(
        title="a service manager in another version",
        before={"package.json": package_json("1.0.0"), "index.js": _UNIT},
        after={"package.json": package_json("1.0.1"), "index.js": _UNIT + "exports.version = 2;\n"},
    ),
    Example(
        title="a package writes its cache",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "require('fs').writeFileSync('.cache/pad.json', '{}');\nmodule.exports = (a) => a;\n",
        },
    ),
)

_MESSAGES = {
    "autorun": "installs, without being called, something that starts again by itself",
    "call": "installs, when it is called, something that starts again by itself",
    "first-contact": "installs, without being called, something that starts again by itself",
    "first-contact-login": "adds, without being called, a key with which somebody may log in",
}


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding for each variant."""
    tally = Tally(CARD)
    for pair in update.pairs:
        for placed in pair.gained(Kind.PERSIST):
            variant = "autorun" if runs_by_itself(placed) else "call"
            if is_document(placed.path) or not pair.is_new_kind(placed):
                continue
            if pair.before is None:
                if variant == "call":
                    continue
                variant = "first-contact-login" if _LOGIN in (placed.fact.value or "") else "first-contact"
            tally.add(variant, pair, placed)
            tally.explain(variant, decoded(pair, placed.path))
    yield from tally.findings(_MESSAGES)
