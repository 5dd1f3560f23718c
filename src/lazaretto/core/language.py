"""What a language module must offer: bytes in, facts out, nothing else in the world.

A module ``languages/<id>.py`` (or a package ``languages/<id>/``) exposes the names of ``LanguageModule``.
"""

from collections.abc import Iterable, Mapping
from typing import Protocol

from msgspec import Struct

from lazaretto.core.facts import Facts
from lazaretto.core.names import Digest


class Claim(Struct, frozen=True):
    """A module's offer to read a file: the dialect it would use and how sure it is (0 to 100).

    Guide: 90 a magic number or a shebang; 70 the file name; 50 the extension; 10 a fall-back.
    """

    dialect: str
    rank: int


class Units(Protocol):
    """A memo of parts of files ("cuts"), by their digest: what was read once is not read again.

    It is transparent: a memo that forgets everything gives the same facts, only later.
    """

    def get(self, dialect: str, digests: Iterable[Digest]) -> Mapping[Digest, bytes]:
        """Return what is known of these cuts; unknown ones are left out."""
        ...

    def put(self, dialect: str, digest: Digest, unit: bytes) -> None:
        """Remember a cut."""
        ...


class NoUnits:
    """The memo that forgets everything."""

    def get(self, dialect: str, digests: Iterable[Digest]) -> Mapping[Digest, bytes]:
        """Return nothing."""
        return {}

    def put(self, dialect: str, digest: Digest, unit: bytes) -> None:
        """Forget it."""


class LanguageModule(Protocol):
    """The names a language module exposes at module level.

    ``VERSION`` changes whenever the facts of any file may change: it is part of the cache key.
    ``DIALECTS`` lists every dialect that ``claim`` may name; no two modules share one. ``SAMPLE``, which a module may
    do without, is a short text: reading it loads what reading most files needs, ahead of time. ``HOME``, which it may
    do without too, lists the ecosystems whose releases are mostly written in the first of its dialects. It may offer
    ``inner(dialect, data, facts)``: the parts of a file that another language reads (see ``core.inner``), and a problem
    for each that cannot be taken out.
    """

    ID: str
    VERSION: int
    DIALECTS: tuple[str, ...]

    def claim(self, path: str, data: bytes) -> Claim | None:
        """Offer to read the file, or return None. Must be cheap: look at the name and the first bytes."""
        ...

    def read(self, dialect: str, data: bytes, units: Units) -> Facts:
        """Return the facts of a file. Never raises: what is not understood becomes a problem."""
        ...
