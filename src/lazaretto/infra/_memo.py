"""What of a run's files is known, what is not, and what is learned on the way."""

from collections.abc import Iterable, Iterator, Mapping

from lazaretto.app.ports import FactCache, Job
from lazaretto.core.archive import digest_of
from lazaretto.core.facts import FactKey, Facts, Problem
from lazaretto.core.inner import version_of
from lazaretto.core.language import LanguageModule
from lazaretto.core.names import Digest
from lazaretto.core.tree import Blob
from lazaretto.infra._reader import stopped

_FLUSH = 16 << 20


class Memo:
    """The jobs of one ``read``: equal files are read once, known ones not at all."""

    def __init__(self, jobs: Iterable[Job], table: Mapping[str, LanguageModule], cache: FactCache | None) -> None:
        self._table = table
        self._cache = cache
        self._jobs: dict[FactKey, list[Job]] = {}
        self._unreadable: list[Job] = []
        versions: dict[str, int] = {}
        for job in jobs:
            module = table.get(job.dialect)
            if module is None:
                self._unreadable.append(job)
                continue
            if job.dialect not in versions:
                versions[job.dialect] = version_of(table, job.dialect)
            key = FactKey(job.blob.digest, job.dialect, versions[job.dialect])
            self._jobs.setdefault(key, []).append(job)
        self._facts: dict[FactKey, Facts] = {}
        self._units: dict[str, dict[Digest, bytes]] = {}
        self._units_size = 0

    def known(self) -> Iterator[tuple[Job, Facts]]:
        """Yield every job whose facts are in the cache, and those that nobody can read."""
        for job in self._unreadable:
            yield job, Facts(language=job.dialect, problems=(Problem(0, f"nothing reads the dialect {job.dialect}"),))
        cached = self._cache.get_many(self._jobs) if self._cache and self._jobs else {}
        for key, facts in cached.items():
            for job in self._jobs.pop(key):
                yield job, facts

    def missing(self) -> list[tuple[FactKey, Blob]]:
        """Return the files that must be read."""
        return [(key, jobs[0].blob) for key, jobs in self._jobs.items()]

    def learned(self, key: FactKey, facts: Facts) -> Iterator[tuple[Job, Facts]]:
        """Note the facts of a file and yield its jobs."""
        # The digest was computed where the archive was unpacked, among hostile bytes; what is remembered
        # for ever under a digest must really be the facts of these bytes.
        blob = self._jobs[key][0].blob
        if digest_of(blob.data) != key.digest:
            yield from self.failed(key, "the bytes are not those that their digest names")
            return
        self._facts[key] = facts
        for job in self._jobs[key]:
            yield job, facts

    def failed(self, key: FactKey, reason: str) -> Iterator[tuple[Job, Facts]]:
        """Yield the jobs of a file whose reading was stopped; nothing of it is remembered."""
        facts = stopped(self._table[key.language].ID, reason)
        for job in self._jobs[key]:
            yield job, facts

    def units(self, dialect: str, digests: Iterable[str]) -> dict[str, bytes]:
        """Return what is known of these cuts, from this run or from the cache."""
        mine = self._units.get(dialect, {})
        wanted = [Digest(digest) for digest in digests]
        found: dict[str, bytes] = {digest: mine[digest] for digest in wanted if digest in mine}
        module = self._table.get(dialect)
        if self._cache and module and len(found) < len(wanted):
            absent = [digest for digest in wanted if digest not in found]
            found |= self._cache.get_units(dialect, module.VERSION, absent).items()
        return found

    def add_units(self, units: Iterable[tuple[str, str, bytes]]) -> None:
        """Note the cuts of a file that was read to its end."""
        for dialect, digest, unit in units:
            if dialect in self._table:
                self._units.setdefault(dialect, {})[Digest(digest)] = unit
                self._units_size += len(unit)
        if self._units_size > _FLUSH:
            self._save_units()

    def save(self) -> None:
        """Hand everything that was learned to the cache."""
        if self._cache and self._facts:
            self._cache.put_many(list(self._facts.items()))
        self._facts = {}
        self._save_units()

    def _save_units(self) -> None:
        if self._cache:
            for dialect, units in self._units.items():
                self._cache.put_units(dialect, self._table[dialect].VERSION, units)
            self._units = {}
            self._units_size = 0


class UnitMemo:
    """The memo of cuts for a file that is read in this process."""

    def __init__(self, memo: Memo) -> None:
        self._memo = memo
        self._new: list[tuple[str, str, bytes]] = []

    def get(self, dialect: str, digests: Iterable[Digest]) -> Mapping[Digest, bytes]:
        """Return what is known of these cuts."""
        return {Digest(digest): unit for digest, unit in self._memo.units(dialect, digests).items()}

    def put(self, dialect: str, digest: Digest, unit: bytes) -> None:
        """Keep a cut until the file has been read to its end."""
        self._new.append((dialect, digest, unit))

    def commit(self) -> None:
        """Hand on the cuts of a file that was read to its end."""
        self._memo.add_units(self._new)
