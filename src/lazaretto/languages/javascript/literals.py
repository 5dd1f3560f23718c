"""Literals worth knowing: addresses, hosts, paths, commands, hashes, wallet texts in strings of the code."""

import re
from functools import cache
from typing import TYPE_CHECKING

from lazaretto.core.facts import Kind, Moment
from lazaretto.languages.javascript import sensitive
from lazaretto.languages.javascript.record import Recorder
from lazaretto.languages.javascript.syntax import unescaped

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tree_sitter import Tree

MAX_LENGTH = 400
_STRINGS = frozenset({"string_fragment", "template_string", "escape_sequence", "string", "template_substitution"})


# For each shape: words that must stand in it (a search for a word is far cheaper than one for a pattern),
# separated by ``|``; how far before the word it may start; and the pattern.
_SHAPES: tuple[tuple[bytes, int, bytes], ...] = (
    (b"://", 5, rb"(?:https?|wss?|ftp)://[^\s\"'`<>\\]{3,300}"),
    (
        b".invalid|.onion|.icp0.io|.workers.dev|.ngrok|.oastify.com|webhook.site|.pipedream.net",
        120,
        rb"""(?x)(?<![\w/.@-])(?:[a-z0-9-]{1,40}\.){0,5}
        (?:[a-z0-9-]{1,40}\.(?:invalid|onion|icp0\.io|workers\.dev|oastify\.com|pipedream\.net)
        |ngrok(?:-free)?\.(?:io|app)|webhook\.site)\b""",
    ),
    (b"@", 65, rb"(?<![\w.%+-])[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,4}\.[a-z]{2,12}\b"),
    (
        b"/tmp|/etc/|/usr/|/var/|/dev/|/proc/|/root|/home/|/Library|/Users/|/opt/|/nonexistent|\"~/|'~/|`~/",
        1,
        rb"""(?x)(?<=["'`])(?:/(?:tmp|etc|usr|var|dev|proc|root|home|Library|Users|opt|nonexistent)
        (?:/[^\s"'`<>]{0,200})?|~/[^\s"'`<>]{1,200})(?=["'`])""",
    ),
    (
        b":\\\\|\"%|'%",
        2,
        rb"(?<=[\"'`])(?:[A-Za-z]:\\\\[^\s\"'`<>]{2,200}|%[A-Z]{3,20}%[^\s\"'`<>]{0,200})(?=[\"'`])",
    ),
    (
        b".npmrc|.pypirc|.netrc|.git-credentials|.ssh|.aws|.bashrc|.zshrc|.bash_profile|.kube|.docker|.electrum",
        0,
        rb"\.(?:npmrc|pypirc|netrc|git-credentials|ssh|aws|bashrc|zshrc|bash_profile|kube|docker|electrum)\b",
    ),
    (
        b"curl |wget |powershell|osascript |nohup |cscript |schtasks |crontab |certutil |mshta |rundll32 |chmod ",
        0,
        rb"""(?x)\b(?:curl|wget|powershell(?:\.exe)?|osascript|nohup|cscript|schtasks|crontab|certutil|mshta|rundll32
        |chmod|systemctl|launchctl)\ [^"'`\n]{3,300}""",
    ),
    (
        b"eth_s|personal_sign|nkbihfbeogaeaoehlefnkodbefgpgknn|]{40}|Login Data|exodus.wallet|Local Extension",
        30,
        rb"""(?x)\beth_(?:send|sign)\w+|\bpersonal_sign\b|\bnkbihfbeogaeaoehlefnkodbefgpgknn\b|0x\[a-f[^\]]{0,20}\]\{40\}
        |Login\ Data|exodus\.wallet|Local\ Extension\ Settings""",
    ),
)
_EVERYWHERE = (
    rb"(?<![\w.-])\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?::\d{1,5})?(?![\w.-])",
    rb"(?<=[\"'`])(?:[0-9a-f]{64}|[0-9a-f]{40})(?=[\"'`])",
)


@cache
def _compiled() -> "tuple[tuple[re.Pattern[bytes], ...], tuple[re.Pattern[bytes], ...]]":
    shapes = tuple(re.compile(pattern) for _words, _before, pattern in _SHAPES)
    return shapes, tuple(re.compile(pattern) for pattern in _EVERYWHERE)


def _matches(data: bytes) -> list[tuple[int, int]]:
    """Return where texts of interest stand, in order, whatever they stand in."""
    shapes, everywhere = _compiled()
    found: dict[tuple[int, int], None] = {}
    for pattern in everywhere:
        found.update(dict.fromkeys(match.span() for match in pattern.finditer(data)))
    for (words, before, _source), pattern in zip(_SHAPES, shapes, strict=True):
        for word in words.split(b"|"):
            at = data.find(word)
            while at >= 0:
                match = pattern.search(data, max(0, at - before), at + MAX_LENGTH)
                if match is not None and match.start() <= at + len(word):
                    found[match.span()] = None
                    at = max(at, match.end() - len(word))
                at = data.find(word, at + len(word))
    return sorted(found)


def find(data: bytes, tree: "Tree | None") -> list[tuple[str, int, int]]:
    """Return texts of interest with their places; without a tree every match counts as one."""
    found = []
    for start, end in _matches(data):
        raw = data[start:end].decode("utf-8", "replace")
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
        address = text.partition("://")[2]
        host = re.split(r"[/?#]", address, maxsplit=1)[0].rpartition("@")[2]
        host = host.partition(":")[0]
        found.append((Kind.LITERAL_URL, text))
        if re.fullmatch(r"\d{1,3}(?:\.\d{1,3}){3}", host):
            found.append((Kind.LITERAL_IP, host))
        elif "." in host and "$" not in host:
            found.append((Kind.LITERAL_DOMAIN, host.lower()))
    elif re.fullmatch(r"\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?", text):
        if all(int(part) < 256 for part in text.partition(":")[0].split(".")) and not text.startswith(
            ("0.", "1.0.", "2.")
        ):
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
