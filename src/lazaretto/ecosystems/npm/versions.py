"""Semantic versions (semver 2.0.0) as npm orders them, read as loosely as npm reads them."""

import re
from functools import lru_cache

from msgspec import Struct

from lazaretto.core.names import Version

MAX_LENGTH = 256
"""Longest version text, in characters (npm's own limit)."""

_MAX_NUMBER = 2**53 - 1

SemverKey = tuple[int, int, int, int, int, tuple[tuple[int, int, str], ...], str]
"""Orders versions: known, major, minor, patch, final, prerelease identifiers, build or raw text."""


class Semver(Struct, frozen=True, array_like=True):
    """A parsed version. ``prerelease`` holds numbers as ``(0, n, "")`` and words as ``(1, 0, word)``."""

    major: int
    minor: int
    patch: int
    prerelease: tuple[tuple[int, int, str], ...] = ()
    build: str = ""

    @property
    def precedence(self) -> tuple[int, int, int, int, tuple[tuple[int, int, str], ...]]:
        """What semver 2.0.0 section 11 compares: a prerelease comes before its release."""
        return (self.major, self.minor, self.patch, 0 if self.prerelease else 1, self.prerelease)

    def __str__(self) -> str:
        words = ".".join(word or str(number) for _, number, word in self.prerelease)
        return f"{self.major}.{self.minor}.{self.patch}{'-' + words if words else ''}"


@lru_cache(maxsize=1)
def _pattern() -> re.Pattern[str]:
    identifier = r"(?:\d*[a-zA-Z-][a-zA-Z0-9-]*|\d+)"
    return re.compile(
        rf"[v=\s]*(\d+)\.(\d+)\.(\d+)(?:-?({identifier}(?:\.{identifier})*))?(?:\+([0-9A-Za-z.-]+))?\s*", re.ASCII
    )


@lru_cache(maxsize=1)
def _usual() -> re.Pattern[str]:
    return re.compile(r"\d{1,15}\.\d{1,15}\.\d{1,15}", re.ASCII)


def prerelease_identifiers(text: str) -> tuple[tuple[int, int, str], ...]:
    """Return the comparable identifiers of ``beta.1``; empty for an empty text."""
    if not text:
        return ()
    return tuple(
        (0, int(part), "") if part.isdigit() and int(part) <= _MAX_NUMBER else (1, 0, part) for part in text.split(".")
    )


@lru_cache(maxsize=16384)
def parse(text: str) -> Semver | None:
    """Return the version, read loosely as npm does (``v1.2.3``, ``=1.2.3``, ``1.2.3beta``), or None."""
    match = _pattern().fullmatch(text) if len(text) <= MAX_LENGTH else None
    if match is None:
        return None
    major, minor, patch = int(match[1]), int(match[2]), int(match[3])
    if max(major, minor, patch) > _MAX_NUMBER:
        return None
    return Semver(major, minor, patch, prerelease_identifiers(match[4] or ""), match[5] or "")


def version(text: str) -> Version:
    """Return the version as npm prints it: without ``v``, ``=``, spaces and build metadata.

    Raises:
        ValueError: it is not a semantic version.
    """
    parsed = parse(text)
    if parsed is None:
        raise ValueError(f"not a semantic version: {text[:80]!r}")
    return Version(str(parsed))


def sort_key(text: Version) -> SemverKey:
    """Return a total order; what is no semantic version comes first, in text order."""
    parsed = parse(text)
    if parsed is None:
        return (0, 0, 0, 0, 0, (), text)
    return (1, *parsed.precedence, parsed.build)


def precedence(text: Version) -> SemverKey:
    """Return the order without build metadata, which semver 2.0.0 (section 10) leaves out of it."""
    parsed = parse(text)
    return sort_key(text) if parsed is None else (1, *parsed.precedence, "")


def is_prerelease(text: Version) -> bool:
    """Whether ranges leave this version out unless they name its prerelease."""
    if _usual().fullmatch(text):  # asked of every release of a page, and most are nothing else
        return False
    parsed = parse(text)
    return parsed is None or bool(parsed.prerelease)


def line(text: Version) -> str:
    """Return the release line: the major, or ``0.minor`` where a minor may break (semver section 4)."""
    parsed = parse(text)
    if parsed is None:
        return text
    return str(parsed.major) if parsed.major else f"0.{parsed.minor}"
