"""Literals worth knowing: addresses, hosts, paths, commands, hashes, wallet texts in strings of the code."""

import re
from functools import cache
from typing import TYPE_CHECKING

from lazaretto.core.facts import Kind, Moment
from lazaretto.languages.javascript import sensitive
from lazaretto.languages.javascript.lower import unescaped
from lazaretto.languages.javascript.record import Recorder

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tree_sitter import Tree

_STRINGS = frozenset({"string_fragment", "template_string", "escape_sequence", "string", "template_substitution"})


@cache
def _interesting() -> "re.Pattern[bytes]":
    return re.compile(
        rb"""(?:https?|wss?|ftp)://[^\s"'`<>\\]{3,300}
        | \b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?::\d{1,5})?\b
        | \b(?:[a-z0-9-]{1,40}\.){1,5}(?:invalid|onion|icp0\.io|workers\.dev|ngrok(?:-free)?\.(?:io|app)|oastify\.com|webhook\.site|pipedream\.net)\b
        | [A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,4}\.[a-z]{2,12}\b
        | ["'`](?:/(?:tmp|etc|usr|var|dev|proc|root|home|Library|Users|opt|nonexistent)(?:/[^\s"'`<>]{0,200})?|[A-Za-z]:\\\\[^\s"'`<>]{2,200}|~/[^\s"'`<>]{1,200}|%[A-Z]{3,20}%[^\s"'`<>]{0,200})["'`]
        | \.(?:npmrc|pypirc|netrc|git-credentials|ssh|aws|bashrc|zshrc|bash_profile|kube|docker|electrum)\b
        | \b(?:curl|wget|powershell(?:\.exe)?|osascript|nohup|cscript|schtasks|crontab|certutil|mshta|rundll32|chmod|systemctl|launchctl)\ [^"'`\n]{3,300}
        | \beth_(?:send|sign)\w+ | \bpersonal_sign\b | \bnkbihfbeogaeaoehlefnkodbefgpgknn\b | 0x\[a-f[^\]]{0,20}\]\{40\}
        | (?<![0-9a-zA-Z+/])(?:[0-9a-f]{64}|[0-9a-f]{40})(?![0-9a-zA-Z])
        | Login\ Data | exodus\.wallet | 169\.254\.169\.254 | Local\ Extension\ Settings
        """,
        re.VERBOSE,
    )


def find(data: bytes, tree: "Tree | None") -> list[tuple[str, int, int]]:
    """Return texts of interest with their places; without a tree every match counts as one."""
    found = []
    for match in _interesting().finditer(data):
        start, end = match.span()
        raw = match.group().decode("utf-8", "replace")
        if raw[0] in "\"'`" and len(raw) > 2:
            raw, start, end = raw[1:-1], start + 1, end - 1
        if tree is None or in_code_string(tree, data, start, raw):
            found.append((unescaped(raw), start, end))
    return found


def collect(found: "Iterable[tuple[str, int, int]]", record: Recorder, base: int = 0) -> None:
    """Record what the texts are that ``find`` returned."""
    for text, start, end in found:
        _record(text, base + start, base + end, record)


def in_code_string(tree: "Tree", data: bytes, start: int, raw: str) -> bool:
    """Whether a place is inside a string, a template or a regular expression, as opposed to a comment."""
    node = tree.root_node.descendant_for_byte_range(start, start)
    if node is None:
        return False
    if node.type in ("regex_pattern", "regex"):
        return raw.startswith("0x")
    return node.type in _STRINGS


def _record(text: str, start: int, end: int, record: Recorder) -> None:
    moment = Moment.LOAD
    for kind, value in classify(text):
        if kind is Kind.WALLET_TOUCH:
            record.emit(kind, value, start, end)
        else:
            record.literal(kind, value, start, end, moment)


def classify(text: str) -> list[tuple[Kind, str]]:
    """Return what a text is: kinds with their values."""
    found: list[tuple[Kind, str]] = []
    if "://" in text[:10]:
        host = re.split(r"[/?#]", text.split("://", 1)[1].rsplit("@", 1)[-1], maxsplit=1)[0].split(":")[0]
        found.append((Kind.LITERAL_URL, text))
        if re.fullmatch(r"\d{1,3}(?:\.\d{1,3}){3}", host):
            found.append((Kind.LITERAL_IP, host))
        elif "." in host and "$" not in host:
            found.append((Kind.LITERAL_DOMAIN, host.lower()))
    elif re.fullmatch(r"\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?", text):
        if all(int(part) < 256 for part in text.split(":")[0].split(".")) and not text.startswith(("0.", "1.0.", "2.")):
            found.append((Kind.LITERAL_IP, text))
    elif "@" in text and "/" not in text:
        found.append((Kind.LITERAL_EMAIL, text))
    elif re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", text):
        found.append((Kind.LITERAL_HASH, text))
    elif " " in text and not text.startswith(("/", "~", "Log", "Loc")):
        found.append((Kind.LITERAL_COMMAND, text))
    elif re.fullmatch(r"(?:[a-z0-9-]+\.)+[a-z]{2,}", text):
        found.append((Kind.LITERAL_DOMAIN, text))
    elif not sensitive.is_wallet(text) or "/" in text:
        found.append((Kind.LITERAL_PATH, text))
    if sensitive.is_wallet(text):
        found.append((Kind.WALLET_TOUCH, text))
    return found
