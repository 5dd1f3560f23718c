"""The registry of a Windows disk, looked into for a campaign's indicators: its hives are found, and read confined."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from lazaretto.app.ports import EngineError
from lazaretto.core.hive.find import Answer, Hit, Wanted
from lazaretto.core.hive.spots import FILES, HiveKind, Spot
from lazaretto.core.host import Found, RegistryEntry, entry_fits
from lazaretto.core.intel import Indicator
from lazaretto.infra.sealed import Sealed, SealedError

MAX_HIVES = 2_000
"""Hives of one disk that are looked into: some hundred users have two each."""

MAX_HIVE = 512 << 20
"""Largest hive that is looked into, in bytes."""

MAX_LOG = 64 << 20
"""Largest log of a hive that is applied, in bytes."""

_LOGS = (".log", ".log1", ".log2")


class Registry:
    """What is looked for in the hives of one disk.

    ``hives`` is how many were looked into, ``unread`` what of them could not be read.
    """

    def __init__(
        self,
        tree: Sealed,
        sought: Sequence[tuple[tuple[Spot, ...], Indicator]],
        progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._tree = tree
        self._progress = progress
        self._indicators = [one for _, one in sought]
        self._wanted: dict[HiveKind, list[Wanted]] = {}
        for number, (places, _) in enumerate(sought):
            for spot in places:
                self._wanted.setdefault(spot.hive, []).append(Wanted(number, spot.names, spot.data))
        self.hives = 0
        self.unread: list[str] = []

    def look(self) -> Iterator[Found]:
        """Yield what is in the hives that lie on the disk."""
        found = {path: kind for kind in HiveKind if kind in self._wanted for path in self._lying(kind)}
        if not found:
            return
        try:
            yield from self._looked_into(found)
        except EngineError as error:
            self.unread.append(f"{self._tree.shown('')}: no registry was looked into: {error}")

    def _lying(self, kind: HiveKind) -> Iterator[str]:
        for pattern in FILES[kind]:
            try:
                yield from (path for path in self._tree.find(tuple(pattern.split("/")), fold=True))
            except SealedError as error:
                self.unread.append(f"{self._tree.shown(pattern)}: {error}")

    def _looked_into(self, found: Mapping[str, HiveKind]) -> Iterator[Found]:
        """Yield what is in these hives. Raises EngineError if there can be no reader."""
        from lazaretto.infra.hives import HiveReaders

        with HiveReaders() as readers:
            for number, (path, kind) in enumerate(found.items()):
                shown = self._tree.shown(path)
                if number >= MAX_HIVES:
                    self.unread.append(f"{shown}: more than {MAX_HIVES} hives: the rest is not looked into")
                    return
                self._progress(f"{shown} ({number + 1} of {len(found)})")
                try:
                    answer = readers.look(self._hive(path), tuple(self._logs(path)), self._wanted[kind])
                except (SealedError, EngineError) as error:
                    self.unread.append(f"{shown}: {error}")
                    continue
                self.hives += answer.read
                yield from self._told(shown, kind, answer)

    def _hive(self, path: str) -> bytes:
        """Return a hive. Raises SealedError."""
        found = self._tree.read(path, MAX_HIVE)
        if found is None:
            raise SealedError("is no ordinary file")
        return found

    def _logs(self, path: str) -> Iterator[bytes]:
        """Yield the logs beside a hive, whatever the case of their letters. Raises SealedError.

        One that cannot be read counts for none: whether that matters, the hive itself says.
        """
        folder, _, name = path.rpartition("/")
        wanted = {f"{name.casefold()}{ending}" for ending in _LOGS}
        for one in self._tree.list(folder):
            if not one.folder and one.name.casefold() in wanted:
                with suppress(SealedError):
                    yield self._tree.read(f"{folder}/{one.name}", MAX_LOG) or b""

    def _told(self, shown: str, kind: HiveKind, answer: Answer) -> Iterator[Found]:
        self.unread += [f"{shown}: {gap}" for gap in answer.gaps]
        for hit in answer.hits:
            yield entry_fits(shown, _entry(kind, hit), self._indicators[hit.number])


def _entry(kind: HiveKind, hit: Hit) -> RegistryEntry:
    written = None if hit.written is None else datetime.fromtimestamp(hit.written, UTC)
    return RegistryEntry(f"{kind}\\{hit.key}".rstrip("\\"), hit.value, written)
