"""A house in memory: small worlds as registries, a journal that is a list, and the real use cases over them."""

from collections.abc import Iterable
from datetime import datetime

from lazaretto.app.ask import Asker
from lazaretto.app.ports import JournalError
from lazaretto.core.model import Provided
from lazaretto.core.names import ProjectName, Purl, Version
from lazaretto.core.policy import Policy
from tests.examples import World, rules


class MemoryJournal:
    """The journal's port over lists. Set ``broken`` to see what becomes of one that fails."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, Purl, str, bytes]] = []
        self.fields: dict[tuple[str, str, str], set[Provided]] = {}
        self.held: set[Version] = set()
        self.broken = False

    def find(self, key: str) -> bytes | None:
        if self.broken:
            raise JournalError("the journal cannot be read")
        return next((row[3] for row in reversed(self.rows) if row[0] == key), None)

    def append(self, key: str, subject: Purl, outcome: str, report: bytes, at: datetime) -> None:
        self.rows.append((key, subject, outcome, report))

    def suspects(self, ecosystem: str, name: ProjectName) -> frozenset[Version]:
        return frozenset(self.held)

    def provided(self, registry: str, ecosystem: str, name: ProjectName) -> frozenset[Provided] | None:
        known = self.fields.get((registry, ecosystem, name))
        return frozenset(known) if known is not None else None

    def note_provided(
        self, registry: str, ecosystem: str, name: ProjectName, fields: Iterable[Provided], at: datetime
    ) -> None:
        self.fields.setdefault((registry, ecosystem, name), set()).update(fields)


class MemoryHouse:
    """What ``app.check`` needs of the application, over one world."""

    def __init__(self, world: World, policy: Policy | None = None) -> None:
        self.world = world
        self.journal = MemoryJournal()
        self._policy = policy

    def ecosystem(self, identifier: str) -> object:
        return self.world.ecosystem

    def registry(self, identifier: str) -> World:
        return self.world

    def asker(self, identifier: str, version: str = "rules-1") -> Asker:
        world = self.world
        return Asker(world.ecosystem, world, world, rules(self._policy), self.journal, version)
