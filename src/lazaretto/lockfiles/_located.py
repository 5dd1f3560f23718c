"""What the readers of structured lockfiles share: containers that know their lines, and the forms of a digest.

A place in a lockfile is what a person is pointed to, so every key and every item carries the line it stands on.
"""

import re
from collections.abc import Iterator
from typing import Any

from lazaretto.core.pin import LockfileError, PinSource, digest_of

MAX_CHARACTERS = 64 << 20
"""Longest text of a lockfile that is taken apart."""

GIT = ("git+", "git:", "git@", "ssh:", "github:", "gitlab:", "bitbucket:", "gist:")
"""How the address of a repository begins, in the words of the npm clients."""

VERSION = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+(?:[-+][0-9A-Za-z.+-]*)?")
"""A version as an npm registry has it (semver 2.0)."""


class Table(dict[str, Any]):
    """A mapping that knows the line of each key, and its own."""

    __slots__ = ("line", "lines")

    def __init__(self, line: int = 1) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}

    def put(self, key: str, value: object, line: int) -> None:
        """Set a key. Raises LockfileError if it is there already: two readers would believe two different ones."""
        if key in self:
            raise LockfileError(line, f"the key {key[:60]!r} stands here a second time (first on {self.lines[key]})")
        self[key] = value
        self.lines[key] = line

    def table(self, key: str) -> "Table":
        """Return the mapping under a key; empty if there is none. Raises LockfileError if it is something else."""
        value = self.get(key)
        if value is None:
            return Table(self.line)
        if not isinstance(value, Table):
            raise LockfileError(self.lines[key], f"{key[:60]!r} must be a mapping")
        return value

    def rows(self, key: str) -> "Items":
        """Return the sequence under a key; empty if there is none. Raises LockfileError if it is something else."""
        value = self.get(key)
        if value is None:
            return Items(self.line)
        if not isinstance(value, Items):
            raise LockfileError(self.lines[key], f"{key[:60]!r} must be an array")
        return value

    def text(self, key: str) -> str | None:
        """Return the text under a key, None if there is none or it is empty or something else."""
        value = self.get(key)
        return value if isinstance(value, str) and value else None

    def entries(self) -> Iterator[tuple[str, Any, int]]:
        """Yield key, value and line."""
        for key, value in self.items():
            yield key, value, self.lines[key]


class Items(list[Any]):
    """A sequence that knows the line of each item."""

    __slots__ = ("line", "lines")

    def __init__(self, line: int = 1) -> None:
        super().__init__()
        self.line = line
        self.lines: list[int] = []

    def add(self, value: object, line: int) -> None:
        """Append an item."""
        self.append(value)
        self.lines.append(line)

    def entries(self) -> Iterator[tuple[int, Any, int]]:
        """Yield index, item and line."""
        for index, value in enumerate(self):
            yield index, value, self.lines[index]


def bounded(text: str) -> str:
    """Return a text without its byte order mark. Raises LockfileError if it is too long."""
    if len(text) > MAX_CHARACTERS:
        raise LockfileError(1, f"longer than {MAX_CHARACTERS >> 20} Mi characters: it is not read")
    return text.removeprefix("\ufeff")


def text_of(value: object) -> str | None:
    """Return a text that is not empty, else None."""
    return value if isinstance(value, str) and value else None


def sri(value: object) -> tuple[tuple[str, ...], str | None]:
    """Return the digests of an SRI string (W3C Subresource Integrity), or why it cannot be read."""
    import binascii

    if value is None:
        return (), None
    digests: list[str] = []
    for word in str(value).split():
        algorithm, _, encoded = word.partition("?")[0].partition("-")
        try:
            raw = binascii.a2b_base64(encoded, strict_mode=True)
        except ValueError:
            raw = b""
        known = digest_of(algorithm, raw.hex())
        if known is None:
            return tuple(digests), f"integrity {word[:40]!r} is not understood"
        digests.append(known)
    return tuple(digests), None


def colon_digests(values: list[object]) -> tuple[tuple[str, ...], str | None]:
    """Return the digests of ``algorithm:hex`` texts, or why one cannot be read."""
    digests: list[str] = []
    for value in values:
        algorithm, _, digest = str(value).partition(":")
        known = digest_of(algorithm, digest)
        if known is None:
            return tuple(digests), f"the hash {str(value)[:40]!r} is not understood"
        if known not in digests:
            digests.append(known)
    return tuple(digests), None


def address(text: str) -> PinSource | None:
    """Return what kind of place an npm client's specifier names; None if it is a version, a range or a tag."""
    if text.startswith(GIT) or text.partition("#")[0].endswith(".git"):
        return PinSource.GIT
    if text.startswith(("http:", "https:", "jsr:")):
        return PinSource.URL
    if text.startswith(("file:", "link:", "portal:", "workspace:", "exec:", "root:", "./", "../", "/", "~/")):
        return PinSource.FILE
    if re.fullmatch(r"[\w.-]+/[\w.-]+(?:#.*)?", text):
        return PinSource.GIT  # owner/repository, on the host that npm assumes
    return None


def split_name(text: str) -> tuple[str, str]:
    """Return name and rest of ``name@rest`` and ``@scope/name@rest``; the rest is empty if there is none."""
    at = text.find("@", 1)
    return (text, "") if at < 0 else (text[:at], text[at + 1 :])
