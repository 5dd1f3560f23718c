"""Where the state is: in a folder, or on a server and in an object store that several firewalls share."""

import os
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from lazaretto.app.ports import BlobStore, JournalError, LedgerError, PortError
from lazaretto.infra.redact import Secret
from lazaretto.settings.state import StateSettings

if TYPE_CHECKING:
    from lazaretto.infra.advisories import Normal
    from lazaretto.infra.blobs import BlobFolder, Trimmed
    from lazaretto.infra.graph import SqliteGraph
    from lazaretto.infra.intelligence import SqliteIntelligence
    from lazaretto.infra.inventory import SqliteInventory
    from lazaretto.infra.journal import Journal
    from lazaretto.infra.ledger import Ledger
    from lazaretto.infra.objects import ObjectStore
    from lazaretto.infra.postgres import Pool

PRUNING = "pruning"
"""The lease of whoever bounds the store that several firewalls share; no reading has a name like it."""


class Stores:
    """Journal, ledger, blobs and inventory as the settings say, each opened on first use.

    Args:
        folder: the state folder, for what is not shared.
        cache: the cache folder.
        shared: what is; None: nothing.
    """

    def __init__(self, folder: Path, cache: Path, shared: StateSettings | None) -> None:
        self._folder = folder
        self._cache = cache
        self._shared = shared if shared is not None else StateSettings()

    @property
    def alone(self) -> bool:
        """Whether ledger and journal are in a folder of this machine, and not on a server that others use too."""
        return not self._shared.journal

    @cached_property
    def journal(self) -> "Journal":
        """The journal of verdicts. Raises NotInstalled, LedgerError."""
        from lazaretto.infra.journal import SqliteJournal

        return SqliteJournal(self._folder) if self.alone else journal(self._pool)

    @cached_property
    def ledger(self) -> "Ledger":
        """The firewall's ledger. Raises NotInstalled, LedgerError."""
        from lazaretto.infra.ledger import SqliteLedger

        return SqliteLedger(self._folder) if self.alone else ledger(self._pool)

    @cached_property
    def inventory(self) -> "SqliteInventory":
        """What is in use where. Of this machine alone, and with the state: what was seen once may be gone."""
        from lazaretto.infra.inventory import SqliteInventory

        return SqliteInventory(self._folder)

    @property
    def informed(self) -> bool:
        """Whether any intelligence was ever imported. Asked at every start, so it costs no more than a look."""
        return (self._folder / "intelligence.sqlite").exists()

    def intelligence(self, normal: "Normal") -> "SqliteIntelligence":
        """Return the intelligence that was imported; ``normal`` are the normal forms of names, by ecosystem."""
        from lazaretto.infra.intelligence import SqliteIntelligence

        return SqliteIntelligence(self._folder, normal)

    @cached_property
    def graph(self) -> "SqliteGraph":
        """Who depends on what, as it was imported. Of this machine alone."""
        from lazaretto.infra.graph import SqliteGraph

        return SqliteGraph(self._folder)

    @cached_property
    def blobs(self) -> BlobStore:
        """What the firewall hands out, and the reports on it. Raises NotInstalled, BlobError."""
        shared = self._shared
        if not shared.blobs:
            return self.here
        return blobs(shared.blobs, shared.endpoint, shared.region, self.here)

    @cached_property
    def here(self) -> "BlobFolder":
        """The blobs that are on this machine: all, or those that an object store was asked for."""
        from lazaretto.infra.blobs import BlobFolder

        return BlobFolder(self._cache / "served" if self._shared.blobs else self._folder / "blobs")

    def trim(self, most: int) -> "Trimmed":
        """Bound the blobs on this machine. Reports that nobody else keeps are evidence, and stay.

        Raises BlobError, LedgerError.
        """
        return self.here.trim(most, frozenset if self._shared.blobs else self.ledger.reports)

    def prune(self, now: datetime) -> "Trimmed | None":
        """Bound the store that several firewalls share, if none of them has done it lately; None if nothing was done.

        Raises NotInstalled, BlobError, LedgerError.
        """
        shared = self._shared
        if not shared.keep:
            return None
        from lazaretto.infra.pruning import PERIOD, prune

        # The lease is never given back, and each turn is a holder of its own: it ends when it is time again.
        turn = f"{os.getpid()}-{os.urandom(4).hex()}"
        if not self.ledger.claim(PRUNING, turn, now, now + PERIOD):
            return None
        store = object_store(shared.blobs, shared.endpoint, shared.region)
        return prune(store, shared.keep, self.ledger.reports, self.ledger.last_handed_out, now)

    def begin(self) -> None:
        """Clear away what a crash left. For the one firewall on these folders. Raises LedgerError, BlobError."""
        if self.alone:
            self.ledger.release_all()
        self.here.sweep()

    def probe(self) -> None:
        """Do nothing, if a decision could be written down now and its artifact kept. Raises LedgerError, BlobError."""
        self.ledger.probe()
        if not self._shared.blobs:
            self.here.probe()

    @cached_property
    def _pool(self) -> "Pool":
        return pool(self._shared.journal, self._shared.password_file)


class NotInstalled(PortError):
    """What the settings name needs a package that is not here."""


def pool(url: str, password_file: Path | None) -> "Pool":
    """Return the connections to a PostgreSQL server; none is opened yet.

    Without a file the password is that of the server's own clients: ``PGPASSWORD``, ``PGPASSFILE``, ``~/.pgpass``.

    Raises:
        NotInstalled, LedgerError: psycopg is missing; the file cannot be read.
    """
    try:
        from lazaretto.infra.postgres import Pool
    except ImportError as error:
        raise _missing(error) from None
    try:
        text = password_file.read_text("utf-8").strip() if password_file is not None else None
    except (OSError, UnicodeDecodeError) as error:
        raise LedgerError(f"the password file {password_file} cannot be read: {error}") from error
    return Pool(url, Secret(text) if text is not None else None)


def ledger(server: "Pool") -> "Ledger":
    """Return the ledger on a server."""
    from lazaretto.infra.ledger import SCHEMA, Ledger
    from lazaretto.infra.postgres import PostgresDatabase

    return Ledger(PostgresDatabase(server, SCHEMA, LedgerError))


def journal(server: "Pool") -> "Journal":
    """Return the journal on a server."""
    from lazaretto.infra.journal import SCHEMA, Journal
    from lazaretto.infra.postgres import PostgresDatabase

    return Journal(PostgresDatabase(server, SCHEMA, JournalError))


def blobs(url: str, endpoint: str, region: str, front: "BlobFolder") -> BlobStore:
    """Return an object store with a folder in front of it. Raises NotInstalled, BlobError."""
    store = object_store(url, endpoint, region)
    from lazaretto.infra.objects import CachedBlobs

    return CachedBlobs(front, store)


def object_store(url: str, endpoint: str, region: str) -> "ObjectStore":
    """Return an object store. Raises NotInstalled, BlobError."""
    try:
        from lazaretto.infra.objects import ObjectStore
    except ImportError as error:
        raise _missing(error) from None
    return ObjectStore(url, endpoint, region)


def _missing(error: ImportError) -> NotInstalled:
    return NotInstalled(f"{error.name} is not installed: install lazaretto[cluster]")
