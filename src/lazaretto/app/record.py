"""What the firewall writes down, and the port that keeps it (one of ``app.ports``)."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from lazaretto.core.names import Digest, ProjectName, Purl

if TYPE_CHECKING:  # what only the firewall needs is not loaded for anybody else
    from lazaretto.core.act import Act
    from lazaretto.core.chain import Entry
    from lazaretto.core.standing import Decision, Identity


class Served(Struct, frozen=True):
    """That an artifact was handed out: to whom, when, exactly which bytes, and what had been decided of it."""

    at: datetime
    client: str
    group: str
    purl: Purl
    filename: str
    sha256: Digest
    outcome: str


class Ledger(Protocol):
    """What the firewall saw, decided, handed out and was told. Append-only but for leases.

    Every method raises LedgerError if the ledger cannot be read or written.
    """

    def identities(self, ecosystem: str, project: ProjectName) -> "tuple[Identity, ...]":
        """Return every digest that was told of a project's artifacts, the first seen first."""
        ...

    def note(self, identities: "Iterable[Identity]") -> None:
        """Write down digests that were not told before. One that is known already is left as it is."""
        ...

    def decisions(self, ecosystem: str, project: ProjectName) -> "tuple[Decision, ...]":
        """Return every decision on a project's artifacts, in the order of their making."""
        ...

    def decide(self, decisions: "Iterable[Decision]", act: "Act | None" = None) -> None:
        """Write decisions and the act that they follow from: all or nothing."""
        ...

    def epoch(self, ecosystem: str, project: ProjectName) -> tuple[int, int]:
        """Return two numbers: one grows with what is decided of the project, one with what is seen, by whomever."""
        ...

    def mark(self) -> tuple[int, int]:
        """Return what changes with everything that is seen or decided, of whatever project; cheaper than ``epoch``."""
        ...

    def find(self, subject: str) -> "tuple[Identity, ...]":
        """Return the artifacts that a verdict id, a digest (``alg:hex``) or a package URL with a version names."""
        ...

    def refusals(self, limit: int, since: datetime | None = None) -> "tuple[Decision, ...]":
        """Return last decisions, the latest first: those that are no permission, and all since then."""
        ...

    def serve(self, served: Iterable[Served]) -> None:
        """Write down what is about to be handed out. Returns when it is committed."""
        ...

    def serve_at_once(self, served: Sequence[Served]) -> int:
        """Write it down as far as that takes no waiting; return how many of the first are committed."""
        ...

    def act(self, act: "Act") -> "Entry":
        """Write an act at the end of the chain, and return its entry."""
        ...

    def acts(self) -> "Iterator[Entry]":
        """Yield the entries of all acts in order."""
        ...

    def claim(self, told: str, holder: str, now: datetime, until: datetime) -> bool:
        """Take the lease on a reading; False while another holder's has not ended."""
        ...

    def renew(self, holder: str, until: datetime) -> None:
        """Hold every lease of a holder longer."""
        ...

    def release(self, told: str, holder: str) -> None:
        """Give a lease back."""
        ...
