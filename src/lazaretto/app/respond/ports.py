"""What a response needs of the world: playbooks, the incidents on disk, and what was within reach of a place."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from lazaretto.app.ports import PortError
from lazaretto.app.respond.incident import Incident
from lazaretto.core.playbook import ClientCare, CredentialKind, Playbook


class IncidentError(PortError):
    """An incident cannot be read, written or worked on: why, and what to do."""


class Guidance(Struct, frozen=True):
    """Everything of a response that is data."""

    playbooks: tuple[Playbook, ...]
    credentials: tuple[CredentialKind, ...]
    clients: tuple[ClientCare, ...]


class Incidents(Protocol):
    """The incidents of this machine. Every method raises IncidentError."""

    def names(self) -> Sequence[str]:
        """Return their names, sorted."""
        ...

    def read(self, name: str) -> Incident:
        """Return one."""
        ...

    def write(self, incident: Incident, *, new: bool) -> None:
        """Write one, all or nothing. ``new``: it must not be there yet."""
        ...


class Trace(Struct, frozen=True, order=True):
    """That something secret is there: what it is, its name, the file and line. Never its value."""

    kind: str
    name: str
    path: str
    line: int
    how: str


class Looked(Struct, frozen=True):
    """What was within reach of one folder, home or machine; ``unread``: what of it could not be looked at."""

    kind: str
    where: str
    traces: tuple[Trace, ...]
    unread: tuple[str, ...] = ()


class Reach(Protocol):
    """The disks of those who were hit."""

    def around(self, place: str, *, whole_machine: bool) -> tuple[Looked, ...] | str:
        """Return what is within reach of a place of the inventory; or why nothing could be looked at.

        That is its project, the home in which it lies, and with ``whole_machine`` every home of its disk.
        """
        ...

    def text(self, place: str, name: str) -> str | None:
        """Return a file that lies beside a place; None if there is none. Raises IncidentError if it is not to be shown.

        A file in which something looks like a secret is not returned.
        """
        ...
