"""Names that have a normal form. Only an ecosystem mints them, so that two spellings never meet.

A ``NewType`` costs nothing at run time and lets the type checker see a raw string used as a name.
"""

from typing import NewType

ProjectName = NewType("ProjectName", str)
"""A project's name after its ecosystem's rule (PEP 503 for PyPI; npm compares exactly)."""

Version = NewType("Version", str)
"""A version as its ecosystem prints it (semver for npm, PEP 440 for PyPI)."""

Digest = NewType("Digest", str)
"""``algorithm:hex`` of an artifact's or a file's bytes, for instance ``sha256:9f86...``."""

Purl = NewType("Purl", str)
"""A package URL (ECMA-427): the interchange name of one release."""


def sha256_digest(hex_digest: str) -> Digest:
    """Return the digest whose SHA-256 is ``hex_digest``.

    Raises:
        ValueError: the text is not 64 hexadecimal digits.
    """
    text = hex_digest.lower()
    if len(text) != 64 or any(character not in "0123456789abcdef" for character in text):
        raise ValueError(f"not a SHA-256 in hexadecimal: {hex_digest!r}")
    return Digest(f"sha256:{text}")
