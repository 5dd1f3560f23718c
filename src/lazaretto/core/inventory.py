"""What is in use, where: a place is what was looked at, an entry is what it says of one release."""

from datetime import datetime
from enum import IntFlag, StrEnum

from msgspec import Struct


class Proof(StrEnum):
    """How a place knows of a release: the stronger words say that its files were there, the others that it was meant.

    FIXED: a lockfile names it. LISTED: an SBOM does. OPEN: a range admits it, nothing fixes it. INSTALLED: it lies
    unpacked on a disk. CACHED: a client keeps its archive. LOGGED: a client said that it fetched or installed it.
    SERVED: a registry handed it out.
    """

    FIXED = "fixed"
    LISTED = "listed"
    OPEN = "open"
    INSTALLED = "installed"
    CACHED = "cached"
    LOGGED = "logged"
    SERVED = "served"


class Scripts(StrEnum):
    """Whether a client runs the scripts of what it installs there. UNKNOWN: nothing in the place says so."""

    ON = "on"
    OFF = "off"
    UNKNOWN = "unknown"


class Sign(IntFlag):
    """What was seen of a release besides its name. The numbers are kept in the inventory: never change one."""

    NONE = 0
    DEVELOPMENT = 1
    """Asked for only for development."""
    SCRIPT = 2
    """It has a script that an installation runs."""
    MANIFEST_OTHER = 4
    """Its own manifest names another version than the one that the client installed."""
    MANIFEST_GONE = 8
    """Its folder is there and has no manifest."""
    SCRIPT_RAN = 16
    """A log tells that a script of it was started."""
    SCRIPTS_OFF = 32
    """The client was told to run no scripts, in the same log."""
    REFUSED = 64
    """It was asked for and not handed out."""


class Place(Struct, frozen=True, order=True):
    """Where releases were looked for: its kind, and where it is; ``why`` says how it is known whether scripts run.

    ``client`` is the program that reads or wrote it (``npm``, ``pip``), empty if that is not known.
    """

    kind: str
    path: str
    client: str = ""
    scripts: Scripts = Scripts.UNKNOWN
    why: str = ""

    def __str__(self) -> str:
        return self.path


class Entry(Struct, frozen=True):
    """One release in a place; ``number`` is its own within the place, ``via`` that of the entry that needs it.

    ``via`` is -1 if the project itself asks for it, None if the place does not tell; ``owners`` are all that need it,
    and ``via`` is the one of them that is nearest to the project. ``first`` and ``last`` say from when until when it
    was there, as the place tells; ``last`` is None while it still is. ``version`` is empty for an OPEN entry, whose
    ``note`` is then the range. Otherwise ``note`` says what only this kind of place knows.
    """

    ecosystem: str
    name: str
    version: str
    proof: Proof
    number: int
    line: int = 0
    via: int | None = None
    first: datetime | None = None
    last: datetime | None = None
    signs: Sign = Sign.NONE
    note: str = ""
    owners: tuple[int, ...] = ()


class Unread(Struct, frozen=True, order=True):
    """Something of a place that could not be read: the line (0: all of it) and why."""

    line: int
    why: str
