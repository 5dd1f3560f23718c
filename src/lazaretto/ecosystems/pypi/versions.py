"""Versions and specifiers of Python packages (PEP 440), by the library that pip itself carries."""

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from lazaretto.core.names import Version

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet
    from packaging.version import Version as Parsed

MAX_LENGTH = 256
"""Longest version text, in characters."""

_CANONICAL = re.compile(r"(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))*")


@lru_cache(maxsize=16384)
def parse(text: str) -> "Parsed | None":
    """Return the version, or None if the text is none under PEP 440."""
    from packaging.version import InvalidVersion
    from packaging.version import Version as Parsed

    if len(text) > MAX_LENGTH:
        return None
    try:
        return Parsed(text)
    except InvalidVersion:
        return None


def version(text: str) -> Version:
    """Return the version as PEP 440 writes it (``1.0-RC1`` becomes ``1.0rc1``).

    Raises:
        ValueError: it is no version.
    """
    text = text.strip()
    if len(text) <= MAX_LENGTH and _CANONICAL.fullmatch(text):  # the usual case needs no library
        return Version(text)
    parsed = parse(text)
    if parsed is None:
        raise ValueError(f"not a PEP 440 version: {text[:80]!r}")
    return Version(str(parsed))


def sort_key(text: Version) -> "tuple[int, Parsed | str, str]":
    """Return a total order: PEP 440, then the text; what is no version comes first."""
    parsed = parse(text)
    return (0, text, text) if parsed is None else (1, parsed, text)


def precedence(text: Version) -> "tuple[int, Parsed | str]":
    """Return PEP 440's order alone: ``1.0`` and ``1.0.0`` are one version."""
    parsed = parse(text)
    return (0, text) if parsed is None else (1, parsed)


def is_prerelease(text: Version) -> bool:
    """Whether pip leaves this version out unless asked for it (alpha, beta, rc, dev)."""
    parsed = parse(text)
    return parsed is None or parsed.is_prerelease


def line(text: Version) -> str:
    """Return the release line: the major, with the epoch if there is one."""
    parsed = parse(text)
    if parsed is None:
        return text
    return f"{parsed.epoch}!{parsed.major}" if parsed.epoch else str(parsed.major)


@lru_cache(maxsize=4096)
def specifiers(text: str) -> "SpecifierSet | None":
    """Return a set of specifiers (``>=1,<2``), or None if the text is none."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        return SpecifierSet(text)
    except InvalidSpecifier:
        return None
