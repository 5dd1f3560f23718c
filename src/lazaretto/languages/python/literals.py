"""Addresses, paths and the like in strings that are values of the code: found natively, then checked in the tree."""

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from lazaretto.core.facts import Kind
from lazaretto.languages._sensitive import secret_path, wallet_text

if TYPE_CHECKING:
    from tree_sitter import Node as TreeNode

Mark = tuple[str, str, int, int]
"""Kind, value, start and end."""

MAX_MARKS = 5000

_ENDINGS = (
    rb"com|net|org|io|dev|app|xyz|ru|cn|top|info|pw|su|tk|cc|me|co|site|online|club|shop|live|biz|onion|invalid|link|space|store|pro"
)
_PATTERNS: tuple[tuple[Kind, bytes, bytes], ...] = (
    (Kind.LITERAL_URL, b"://", rb"\b(?:https?|ftp|wss?|socks[45]h?|tcp|ssh|git)://[^\s\"'<>`\\)\]}{,;|]{3,300}"),
    (Kind.LITERAL_EMAIL, b"@", rb"[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24}\b"),
    (Kind.LITERAL_DOMAIN, b".", rb"(?<=[\"'])(?:[A-Za-z0-9-]{1,63}\.)+(?:%s)(?=(?::\d{1,5})?[\"'])" % _ENDINGS),
    (Kind.LITERAL_IP, b".", rb"(?<=[\"'])(?:\d{1,3}\.){3}\d{1,3}(?=(?::\d{1,5})?[\"'])"),
    (Kind.LITERAL_HASH, b"", rb"(?<=[\"'])(?:[0-9a-f]{128}|[0-9a-f]{96}|[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32})(?=[\"'])"),
    (
        Kind.LITERAL_PATH,
        b"",
        rb"(?<=[\"'])(?:~[/\\]|/(?:etc|usr|var|tmp|home|root|opt|proc|sys|dev|s?bin|lib|Users|Library|private|mnt|Applications)/"
        rb"|[A-Za-z]:\\|%[A-Za-z]{2,20}%|\$(?:HOME|\{HOME\}))[^\"'\n]{1,300}(?=[\"'])",
    ),
    (
        Kind.LITERAL_COMMAND,
        b"",
        rb"(?<=[\"'])(?:sudo |curl |wget |bash -|sh -c|powershell|cmd(?:\.exe)? /c|nc -|chmod |rm -r|python3? -c|crontab|schtasks |certutil )"
        rb"[^\"\n]{1,400}(?=[\"'])",
    ),
)

_SENSITIVE = re.compile(
    rb"wallet|exodus|solana|ethereum|bitcoin|electrum|monero|[Mm]nemonic|seed[ _-]phrase|[a-p]{32}|\.ssh|\.aws|\.npmrc|\.pypirc"
    rb"|netrc|credential|\.kube|\.docker|\.gnupg|gcloud|id_rsa|id_ed25519|id_ecdsa|serviceaccount|169\.254|metadata\.google|Login Data"
    rb"|Local State|Cookies|keychain|/etc/shadow|_history|key4\.db|logins\.json|hosts\.yml|\.azure|/proc/"
)


def marks(root: "TreeNode", data: bytes) -> list[Mark]:
    """Return what the strings of a piece of source name, with its place; docstrings and comments say nothing."""
    found: list[Mark] = []
    for kind, needle, _ in _PATTERNS:
        if needle and needle not in data:
            continue
        for match in _compiled(kind).finditer(data):
            value = _cleaned(kind, match.group().decode("utf-8", "replace"))
            if value is not None and _in_value(root, match.start()):
                found.append((kind.value, value, match.start(), match.end()))
            if len(found) >= MAX_MARKS:
                return found
    last = -1
    for match in _SENSITIVE.finditer(data):
        if match.start() < last:
            continue
        token = _in_value(root, match.start())
        if token is None or token.end_byte - token.start_byte > 400:
            continue
        last = token.end_byte
        text = data[token.start_byte : last].decode("utf-8", "replace").lstrip("rbufRBUF").strip("'\"")
        for kind, test in ((Kind.WALLET_TOUCH, wallet_text), (Kind.LITERAL_PATH, secret_path)):
            if " " not in text.strip() and test(text.replace("\\\\", "\\")):
                found.append((kind.value, text, token.start_byte, last))
    return found


def _cleaned(kind: Kind, value: str) -> str | None:
    if kind is Kind.LITERAL_URL:
        value = value.rstrip(".:")
        return value if len(value.partition("://")[2]) >= 3 else None
    if kind is Kind.LITERAL_IP:
        return value if all(int(part) < 256 for part in value.split(".")) and value not in ("0.0.0.0", "127.0.0.1") else None  # noqa: S104
    return value


def _in_value(root: "TreeNode", offset: int) -> "TreeNode | None":
    """Return the string token at an offset, if it is one and not a docstring."""
    node = root.descendant_for_byte_range(offset, offset + 1)
    for _ in range(4):
        if node is None or node.type == "string":
            break
        node = node.parent if node.type in ("string_content", "escape_sequence", "string_start", "string_end") else None
    if node is None:
        return None
    parent = node.parent
    outer = parent.parent if parent is not None and parent.type == "concatenated_string" else parent
    return None if outer is not None and outer.type == "expression_statement" else node


def in_text(text: str) -> Iterator[tuple[Kind, str]]:
    """Yield the addresses inside a decoded text."""
    data = text[:100_000].encode("utf-8", "replace")
    quoted = b'"' + data.strip()[:400] + b'"'
    seen: set[tuple[Kind, str]] = set()
    for kind, _, _ in _PATTERNS:
        whole = kind in (Kind.LITERAL_URL, Kind.LITERAL_EMAIL) or len(data) > 400
        for match in _compiled(kind).finditer(data if whole else quoted):
            value = _cleaned(kind, match.group().decode("utf-8", "replace"))
            if value is not None and (kind, value) not in seen and len(seen) < 100:
                seen.add((kind, value))
                yield kind, value


@cache
def _compiled(kind: Kind) -> re.Pattern[bytes]:
    return re.compile(next(pattern for which, _, pattern in _PATTERNS if which is kind))


@cache
def _import_word() -> re.Pattern[bytes]:
    return re.compile(rb"\bimport\b")


def import_marks(root: "TreeNode", data: bytes) -> list[Mark]:
    """Return every import statement of a piece of source, wherever it stands, as marks of its dotted names."""
    found: list[Mark] = []
    last = -1
    for match in _import_word().finditer(data):
        node = root.descendant_for_byte_range(match.start(), match.end())
        parent = node.parent if node is not None and node.type == "import" else None
        if parent is None or parent.start_byte == last:
            continue
        last = parent.start_byte
        place = (parent.start_byte, parent.end_byte)
        module = parent.child_by_field_name("module_name")
        base = "".join(_text(data, module).split()) if module is not None else None
        if parent.type == "future_import_statement":
            continue
        if base is not None:
            found.append((Kind.IMPORT.value, base, *place))
        for name in parent.children_by_field_name("name"):
            inner = (name.child_by_field_name("name") or name) if name.type == "aliased_import" else name
            dotted = "".join(_text(data, inner).split())
            if base is not None:
                dotted = base + dotted if base.endswith(".") else f"{base}.{dotted}"
            found.append((Kind.IMPORT.value, dotted, *place))
    return found


def _text(data: bytes, node: "TreeNode") -> str:
    return data[node.start_byte : node.end_byte].decode("utf-8", "replace").replace("\\\n", "")
