"""The incident as it lies on disk: what was seen and what was done. What follows from it is worked out anew each time.

It names credentials and never holds one: no field of these types takes a value.
"""

from datetime import datetime

from msgspec import Struct

from lazaretto.app.inventory.exposed import Asked
from lazaretto.app.inventory.report import ReportedExposure
from lazaretto.core.exposure import Window
from lazaretto.core.host import HostReport

SCHEMA = "1"


class Credential(Struct, frozen=True, order=True):
    """Something that opens doors, by its kind and name. ``how`` says what its presence was told by.

    ``name`` is that of a variable or a CI secret, empty where a file is known by its place alone.
    """

    kind: str
    name: str
    where: str
    line: int
    how: str


class Ground(Struct, frozen=True):
    """One folder, home or machine whose code could reach the credentials there, and the places that lie on it."""

    kind: str
    where: str
    places: tuple[str, ...]
    credentials: tuple[Credential, ...]
    unread: tuple[str, ...] = ()


class Good(Struct, frozen=True, order=True):
    """The version to go back to from ``bad``; from every bad version of the project, if that is empty."""

    ecosystem: str
    name: str
    version: str
    bad: str = ""


class Repair(Struct, frozen=True, order=True):
    """How one place gets rid of a release: a patch (unified diff), what to run then, or why it must be done by hand."""

    place: str
    client: str
    patch: str = ""
    command: str = ""
    by_hand: str = ""


class Seen(Struct, frozen=True):
    """One exposure, and when it was first written down here."""

    at: datetime
    exposure: ReportedExposure


class Note(Struct, frozen=True):
    """What somebody did or learned. ``step`` is the id of a step that is thereby done, or empty."""

    at: datetime
    by: str
    text: str
    step: str = ""


class Disk(Struct, frozen=True, order=True):
    """Where the disk lies here that is called ``name`` in the inventory."""

    name: str
    path: str


class Closed(Struct, frozen=True):
    """When, by whom and why an incident was closed, and the steps that were then still open."""

    at: datetime
    by: str
    reason: str
    open_steps: tuple[str, ...] = ()


class Incident(Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that was seen and done. ``looked`` is when the inventory was last asked, of how many places."""

    schema: str
    product: str
    name: str
    title: str
    opened: datetime
    by: str
    looked: datetime
    places: int
    releases: tuple[Asked, ...]
    window: Window | None = None
    campaign: str = ""
    payloads: tuple[str, ...] = ()
    good: tuple[Good, ...] = ()
    disks: tuple[Disk, ...] = ()
    exposures: tuple[Seen, ...] = ()
    outside: tuple[str, ...] = ()
    grounds: tuple[Ground, ...] = ()
    repairs: tuple[Repair, ...] = ()
    hosts: tuple[HostReport, ...] = ()
    notes: tuple[Note, ...] = ()
    told: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    closed: Closed | None = None
