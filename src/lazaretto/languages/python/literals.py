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

_ENDINGS = (
    rb"com|net|org|io|dev|app|xyz|ru|cn|top|info|pw|su|tk|cc|me|co|site|online|club|shop|live|biz|onion|invalid"
    rb"|link|space|store|pro"
)
_WHOLE = (
    rb"(?P<ip>(?:\d{1,3}\.){3}\d{1,3})(?=(?::\d{1,5})?[\"'])"
    rb"|(?P<hash>[0-9a-f]{128}|[0-9a-f]{96}|[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32})(?=[\"'])"
    rb"|(?P<domain>(?:[A-Za-z0-9-]{1,63}\.)+(?:%s))(?=(?::\d{1,5})?[\"'])"
    rb"|(?P<path>(?:~[/\\]|/(?:etc|usr|var|tmp|home|root|opt|proc|sys|dev|s?bin|lib|Users|Library|private|mnt|Applications)/"
    rb"|[A-Za-z]:\\|%%[A-Za-z]{2,20}%%|\$(?:HOME|\{HOME\}))[^\"'\n]{1,300})(?=[\"'])"
    rb"|(?P<command>(?:sudo |curl |wget |bash -|sh -c|powershell|cmd(?:\.exe)? /c|nc -|chmod |rm -r|python3? "
    rb"-c|crontab|schtasks |certutil )"
    rb"[^\"\n]{1,400})(?=[\"'])"
    rb"|(?P<wallet>[a-p]{32})(?=[\"'/\\])"
) % _ENDINGS

_KINDS = {
    "ip": Kind.LITERAL_IP,
    "hash": Kind.LITERAL_HASH,
    "domain": Kind.LITERAL_DOMAIN,
    "path": Kind.LITERAL_PATH,
    "command": Kind.LITERAL_COMMAND,
}

_SENSITIVE = (
    *(
        b"wallet exodus solana ethereum bitcoin electrum monero nemonic seed .ssh .aws .npmrc .pypirc netrc "
        b"credential .kube .docker .gnupg "
        b"gcloud id_rsa id_ed25519 id_ecdsa serviceaccount 169.254 metadata.google _history key4.db logins.json "
        b"hosts.yml .azure /proc/ "
        b"/etc/shadow keychain Keychain"
    ).split(),
    b"Login Data",
    b"Local State",
    b"Cookies",
)


def marks(root: "TreeNode", data: bytes) -> list[Mark]:
    """Return what the strings of a piece of source name, with its place; docstrings and comments say nothing."""
    found: list[Mark] = []
    for kind, value, start, end in _addresses(data):
        if _in_value(root, start) is not None:
            found.append((kind.value, value, start, end))
    return found + _sensitive(root, data)


def _addresses(data: bytes) -> Iterator[tuple[Kind, str, int, int]]:
    """Yield (kind, value, start, end) of everything that looks like an address."""
    at = data.find(b"://")
    while at >= 0:
        match = _url().match(data, max(data.rfind(b"\n", max(0, at - 8), at) + 1, at - 8), at + 310)
        if match is not None:
            yield from _cleaned(Kind.LITERAL_URL, match, 1)
        at = data.find(b"://", at + 3)
    at = data.find(b"@")
    while at >= 0:
        start = at
        while start > 0 and at - start < 64 and data[start - 1] in _LOCAL:
            start -= 1
        match = _email().match(data, start, at + 255) if start < at else None
        if match is not None:
            yield from _cleaned(Kind.LITERAL_EMAIL, match, 0)
        at = data.find(b"@", at + 1)
    for match in _whole().finditer(data):
        kind = _KINDS.get(match.lastgroup or "")
        if kind is not None:
            yield from _cleaned(kind, match, match.lastgroup or 0)
        elif wallet_text(match.group("wallet").decode()):
            yield Kind.WALLET_TOUCH, match.group("wallet").decode(), match.start("wallet"), match.end("wallet")


_LOCAL = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._%+-")


def _sensitive(root: "TreeNode", data: bytes) -> list[Mark]:
    """Return the strings that name a credential file or a wallet."""
    found: list[Mark] = []
    seen: set[int] = set()
    for needle in _SENSITIVE:
        at = data.find(needle)
        while at >= 0:
            token = _in_value(root, at)
            at = data.find(needle, at + len(needle))
            if token is None or token.start_byte in seen or token.end_byte - token.start_byte > 400:
                continue
            seen.add(token.start_byte)
            text = data[token.start_byte : token.end_byte].decode("utf-8", "replace").lstrip("rbufRBUF").strip("'\"")
            if " " in text.strip() and not text.startswith(("~", "/", "%")):
                continue
            for kind, test in ((Kind.WALLET_TOUCH, wallet_text), (Kind.LITERAL_PATH, secret_path)):
                if test(text.replace("\\\\", "\\")):
                    found.append((kind.value, text, token.start_byte, token.end_byte))
    return found


def _cleaned(kind: Kind, match: re.Match[bytes], group: str | int) -> Iterator[tuple[Kind, str, int, int]]:
    value = match.group(group).decode("utf-8", "replace")
    if kind is Kind.LITERAL_URL:
        value = value.rstrip(".:")
        if len(value.partition("://")[2]) < 3:
            return
    if kind is Kind.LITERAL_IP and (
        any(int(part) > 255 for part in value.split(".")) or value in ("0.0.0.0", "127.0.0.1")  # noqa: S104 - a text
    ):
        return
    yield kind, value, match.start(group), match.end(group)


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
    seen: set[tuple[Kind, str]] = set()
    for kind, value, _, _ in _addresses(b'"' + text[:100_000].strip().encode("utf-8", "replace") + b'"'):
        if (kind, value) not in seen and len(seen) < 100:
            seen.add((kind, value))
            yield kind, value


@cache
def _url() -> re.Pattern[bytes]:
    return re.compile(
        rb".{0,7}?\b((?:https?|ftp|wss?|socks[45]h?|tcp|ssh|git)://[^\s\"'<>`\\)\]}{,;|]{3,300})", re.DOTALL
    )


@cache
def _email() -> re.Pattern[bytes]:
    return re.compile(rb"[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24}\b")


@cache
def _whole() -> re.Pattern[bytes]:
    return re.compile(rb"[\"'](?:" + _WHOLE + rb")")


@cache
def _import_word() -> re.Pattern[bytes]:
    return re.compile(rb"import(?<!\wimport)\b")  # begins with what can be searched for


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


def imported_words(found: list[Mark]) -> set[str]:
    """Return every word of the dotted names that marks of imports hold."""
    return {word for kind, value, _, _ in found if kind == Kind.IMPORT for word in value.split(".")}
