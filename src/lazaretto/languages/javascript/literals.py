"""Literals worth knowing: addresses, hosts, paths, commands, hashes, wallet texts in strings of the code."""

import re
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from lazaretto.core.facts import Kind, Moment
from lazaretto.languages.javascript import sensitive
from lazaretto.languages.javascript.record import Recorder
from lazaretto.languages.javascript.syntax import unescaped
from lazaretto.languages.javascript.vocabulary import Vocabulary, vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from collections.abc import Set as AbstractSet

    from tree_sitter import Tree

MAX_LENGTH = 400
_STRINGS = frozenset({"string_fragment", "template_string", "escape_sequence", "string", "template_substitution"})


class _Shape(NamedTuple):
    """One shape of text. A search for a few bytes is far cheaper than one for a pattern."""

    words: bytes
    """For each sign a word that comes with it: a sign whose word the text has not is not looked for."""
    signs: bytes
    """What every match has one of, separated by ``|``."""
    begins: int | None
    """Where a match begins, counted from the sign; None if only the pattern tells, at most ``before`` bytes away."""
    pattern: bytes
    before: int = 0


_SHAPES = (
    _Shape(b"", b"://", None, rb"(?:https?|wss?|ftp)://[^\s\"'`<>\\]{3,300}", before=5),
    _Shape(
        b"invalid onion icp0 workers ngrok oastify webhook pipedream",
        b".invalid|.onion|.icp0.io|.workers.dev|.ngrok|.oastify.com|webhook.site|.pipedream.net",
        None,
        rb"""(?x)(?<![\w/.@-])(?:[a-z0-9-]{1,40}\.){0,5}
        (?:[a-z0-9-]{1,40}\.(?:invalid|onion|icp0\.io|workers\.dev|oastify\.com|pipedream\.net)
        |ngrok(?:-free)?\.(?:io|app)|webhook\.site)\b""",
        before=120,
    ),
    _Shape(
        b"",
        b"\"/|'/|`/|\"~/|'~/|`~/",
        1,
        rb"""(?x)(?:/(?:tmp|root|Library|nonexistent)(?:/[^\s"'`<>]{0,200})?
        |/(?:etc|usr|var|dev|proc|home|Users|opt)/[^\s"'`<>]{0,200}|~/[^\s"'`<>]{1,200})(?=["'`])""",
    ),
    _Shape(b"", b":\\\\", -1, rb"(?<=[\"'`])[A-Za-z]:\\\\[^\s\"'`<>]{2,200}(?=[\"'`])"),
    _Shape(b"", b"\"%|'%", 1, rb"%[A-Z]{3,20}%[^\s\"'`<>]{0,200}(?=[\"'`])"),
    _Shape(
        b"npmrc pypirc netrc credentials ssh aws bashrc zshrc bash_profile kube docker electrum",
        b".npmrc|.pypirc|.netrc|.git-credentials|.ssh|.aws|.bashrc|.zshrc|.bash_profile|.kube|.docker|.electrum",
        0,
        rb"\.(?:npmrc|pypirc|netrc|git-credentials|ssh|aws|bashrc|zshrc|bash_profile|kube|docker|electrum)\b",
    ),
    _Shape(
        b"curl wget powershell osascript nohup cscript schtasks crontab certutil mshta rundll32 chmod",
        b"curl |wget |powershell|osascript |nohup |cscript |schtasks |crontab |certutil |mshta |rundll32 |chmod ",
        0,
        rb"""(?x)\b(?:curl|wget|powershell(?:\.exe)?|osascript|nohup|cscript|schtasks|crontab|certutil|mshta|rundll32
        |chmod)\ [^"'`\n]{3,300}""",
    ),
    _Shape(b"", b"eth_s", 0, rb"\beth_(?:send|sign)\w+"),
    _Shape(b"", b"]{40}", None, rb"0x\[[a-fA-F0-9\\d-]{3,20}\]\{40\}", before=30),
    _Shape(b"", b"HJ-NP-Z", None, rb"\[[a-zA-Z0-9-]{0,12}HJ-NP-Z[a-zA-Z0-9-]{0,12}\]\{\d{2}[,\d]{0,4}\}", before=20),
    _Shape(
        b"personal_sign nkbihfbeogaeaoehlefnkodbefgpgknn Login exodus Extension",
        b"personal_sign|nkbihfbeogaeaoehlefnkodbefgpgknn|Login Data|exodus.wallet|Local Extension",
        0,
        rb"""(?x)\bpersonal_sign\b|\bnkbihfbeogaeaoehlefnkodbefgpgknn\b|Login\ Data|exodus\.wallet
        |Local\ Extension\ Settings""",
    ),
)
_HASH_SIZES = (40, 64)


class _Patterns(NamedTuple):
    shapes: tuple[tuple[tuple[bytes, ...], tuple[bytes, ...], "re.Pattern[bytes]"], ...]
    host: "re.Pattern[bytes]"
    mailbox: "re.Pattern[bytes]"
    dotted: "re.Pattern[bytes]"
    address: "re.Pattern[bytes]"


@cache
def _compiled() -> _Patterns:
    return _Patterns(
        tuple(
            (tuple(shape.words.split()), tuple(shape.signs.split(b"|")), re.compile(shape.pattern)) for shape in _SHAPES
        ),
        # Mail addresses and numbers of hosts: looked for from a sign within them, so that the search starts at a byte.
        host=re.compile(rb"@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,4}\.[a-z]{2,12}\b"),
        mailbox=re.compile(rb"(?<![\w.%+-])[A-Za-z0-9._%+-]{1,64}$"),
        dotted=re.compile(rb"\.\d{1,3}\.\d{1,3}\.\d"),
        address=re.compile(rb"(?<![\w.-])\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?::\d{1,5})?(?![\w.-])"),
    )


def _matches(data: bytes, words: "AbstractSet[bytes]") -> list[tuple[int, int]]:
    """Return where texts of interest stand, in order, whatever they stand in."""
    compiled = _compiled()
    found: set[tuple[int, int]] = set(_hashes(data, words))
    for host in compiled.host.finditer(data):
        at = host.start()
        mailbox = compiled.mailbox.search(data, max(0, at - 64), at)
        if mailbox is not None:
            found.add((mailbox.start(), host.end()))
    for dotted in compiled.dotted.finditer(data):
        at = dotted.start()
        address = compiled.address.search(data, max(0, at - 3), at + 30)
        if address is not None and address.start() < at:
            found.add(address.span())
    for shape, (needed, signs, pattern) in zip(_SHAPES, compiled.shapes, strict=True):
        for number, sign in enumerate(signs):
            if not needed or needed[number] in words:
                found.update(_near(data, sign, shape, pattern))
    return sorted(found)


def _near(data: bytes, sign: bytes, shape: _Shape, pattern: "re.Pattern[bytes]") -> "Iterator[tuple[int, int]]":
    """Yield where a pattern matches at a sign."""
    at = data.find(sign)
    while at >= 0:
        if shape.begins is not None:
            match = pattern.match(data, max(0, at + shape.begins))
        else:
            match = pattern.search(data, max(0, at - shape.before), at + MAX_LENGTH)
        if match is not None and match.start() <= at + len(sign):
            yield match.span()
            at = max(at, match.end() - len(sign))
        at = data.find(sign, at + len(sign))


def _hashes(data: bytes, words: "AbstractSet[bytes]") -> "Iterator[tuple[int, int]]":
    """Yield where a quoted text is a hash in hexadecimal digits."""
    for word in words:
        if len(word) in _HASH_SIZES and not word.translate(None, b"0123456789abcdef"):
            at = data.find(word)
            while at >= 0:
                end = at + len(word)
                if at and data[at - 1] in _QUOTES and data[end : end + 1] in _QUOTE_MARKS:
                    yield at, end
                at = data.find(word, end)


_QUOTES = b"\"'`"
_QUOTE_MARKS = (b'"', b"'", b"`")


def find(data: bytes, tree: "Tree | None", words: Vocabulary | None = None) -> list[tuple[str, int, int]]:
    """Return texts of interest with their places; without a tree every match counts as one.

    ``words`` is the vocabulary of the text, if somebody has made it already.
    """
    found = []
    for start, end in _matches(data, (vocabulary(data) if words is None else words).words):
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
        return raw.startswith(_OF_ADDRESSES)
    return node.type in _STRINGS


def _record(text: str, start: int, end: int, record: Recorder) -> None:
    moment = Moment.LOAD
    for kind, value in classify(text):
        if kind is Kind.WALLET_TOUCH:
            record.emit(kind, value, start, end)
        else:
            record.literal(kind, value, start, end, moment)


_OF_ADDRESSES = ("0x[", "[")
"""How a pattern begins that finds the addresses of payments."""


def classify(text: str) -> list[tuple[Kind, str]]:
    """Return what a text is: kinds with their values."""
    if text.startswith(_OF_ADDRESSES):
        return [(Kind.WALLET_TOUCH, f"addresses: {text}")]
    return _classified(text)


def _classified(text: str) -> list[tuple[Kind, str]]:
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
