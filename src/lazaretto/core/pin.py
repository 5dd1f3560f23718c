"""One entry of a lockfile, as written: what a project has decided to install."""

from enum import StrEnum

from msgspec import Struct

DIGEST_LENGTHS = {"sha1": 40, "sha256": 64, "sha384": 96, "sha512": 128}
"""Hash algorithm of a lockfile -> length of its digest in hexadecimal."""


def digest_of(algorithm: str, hexadecimal: str) -> str | None:
    """Return ``algorithm:hex`` in lower case, or None if that is no digest of that algorithm."""
    name, text = algorithm.lower(), hexadecimal.lower()
    whole = DIGEST_LENGTHS.get(name) == len(text) and not text.strip("0123456789abcdef")
    return f"{name}:{text}" if whole else None


class PinSource(StrEnum):
    """Where a pin is taken from."""

    REGISTRY = "registry"
    GIT = "git"
    URL = "url"
    FILE = "file"


class Pin(Struct, frozen=True):
    """One pinned package of a lockfile, with names and versions *as written*: an ecosystem makes them normal.

    ``requirement`` is the range or specifier that led here, if the file says. ``integrity`` holds digests as
    ``algorithm:hex`` (SRI strings are turned into that form), in the order of the file. ``direct`` says whether the
    project itself asks for it, ``dev`` whether only for development; None where the file does not tell.
    ``path`` is the place inside the lockfile (``packages.node_modules/x``, ``package[3]``), ``line`` is 1-based.
    ``location`` is the URL, repository or path behind ``source``. ``problem`` says why an entry is not understood or
    fixes nothing: such a pin has been read as far as possible and must count as unread. One of a manifest without a
    lockfile has a ``requirement``, no ``version`` and no problem: the registry says what it resolves to. Where nothing
    but the version is left ``open`` by a file that ought to fix it, whoever has a registry may ask it the same.
    """

    ecosystem: str
    name: str
    version: str | None
    line: int
    path: str = ""
    requirement: str | None = None
    integrity: tuple[str, ...] = ()
    direct: bool | None = None
    dev: bool | None = None
    source: PinSource = PinSource.REGISTRY
    location: str | None = None
    problem: str | None = None
    open: bool = False


class LockfileError(ValueError):
    """A lockfile that cannot be read as a whole: the 1-based line and the reason."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line
        self.reason = reason
