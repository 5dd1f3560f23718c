"""The engine: unpacks and reads hostile bytes in confined processes, and remembers what was read.

``Engine`` is what runs; ``InlineEngine`` does the same work in this process, with no protection, for
tests and for inputs that one wrote oneself. Both give the same trees and the same facts.
"""

import os
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Self

from lazaretto.app.ports import ArchiveError, EngineError, FactCache, Home, Job, PortError, no_home
from lazaretto.core.archive import ArchiveFault, Limits, unpack
from lazaretto.core.facts import FactKey, Facts
from lazaretto.core.language import LanguageModule
from lazaretto.core.model import Artifact
from lazaretto.core.tree import Blob, Tree
from lazaretto.infra import _wire as wire
from lazaretto.infra._memo import Memo, UnitMemo
from lazaretto.infra._pool import Pool, Stopped
from lazaretto.infra._reader import ReaderFailed, dialects_of, language_table, read_file
from lazaretto.infra._stow import Room
from lazaretto.infra._work import Reading, Unpacking
from lazaretto.infra._zygote import Zygote, take_early
from lazaretto.infra.confined import Bounds, Confinement

MAX_WORKERS = 2
"""Readers when nothing is said: more take memory, and an update's parsing rarely fills two."""

MAX_HELD = 96 << 20
"""Bytes of files that the trees in use hold in memory; what is beyond lies in a temporary file without a name."""

_PLAIN = 20
"""How many times faster plain text and data are read than code that is followed."""


class InlineEngine:
    """Reads in this very process: for tests, and for files that nobody else has written."""

    def __init__(
        self, languages: Iterable[LanguageModule], limits: Limits | None = None, cache: FactCache | None = None
    ) -> None:
        self._table = language_table(languages)
        self._limits = limits or Limits()
        self._cache = cache

    def unpack(self, artifact: Artifact, data: bytes) -> Tree:
        """Return the files of an archive. Raises ArchiveError."""
        try:
            return unpack(artifact.kind, data, self._limits)
        except ArchiveFault as fault:
            raise ArchiveError(f"{artifact.filename}: {fault}") from None

    def unpack_many(self, items: Sequence[tuple[Artifact, bytes]]) -> list[Tree | PortError]:
        """Return for each archive its files, or the error that refused it."""
        results: list[Tree | PortError] = []
        for artifact, data in items:
            try:
                results.append(self.unpack(artifact, data))
            except ArchiveError as error:
                results.append(error)
        return results

    def read(self, jobs: Iterable[Job], home: Home = no_home) -> Iterator[tuple[Job, Facts]]:
        """Yield the facts of each job, those that are known first."""
        memo = Memo(jobs, self._table, self._cache)
        try:
            yield from memo.known()
            for key, blob in memo.missing():
                units = UnitMemo(memo)
                try:
                    facts = wire.decode_facts(read_file(self._table, key.language, blob.data, units))
                except ReaderFailed as failure:
                    yield from memo.failed(key, str(failure))
                else:
                    units.commit()
                    yield from memo.learned(key, facts)
        finally:
            memo.save()

    def ahead(self, items: Sequence[tuple[Artifact, bytes]]) -> None:
        """Do nothing ahead of time: there is nobody else to do it."""

    def turn(self) -> None:
        """Do nothing."""

    def rest(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Nothing to end."""


class Engine:
    """Reads in confined processes.

    Build it early: the process that readers are forked from is made here, and a program with threads
    cannot be forked. Then several threads may use it.

    Args:
        languages: the modules that read; each has ``DIALECTS``.
        workers: readers at most; None: one for each processor, at most ``MAX_WORKERS``.
        limits: bounds of one archive.
        cache: where facts are kept between runs.
        bounds: what one task may use.
        single_use: whether a reader is for one archive: to unpack it, and to read the files that ``read`` is told are
            its; or else for the files of one call.
        expect: dialects of which most will be read: what they take is loaded once, for all readers.
        zygote: what readers are forked from, if it is there already, with the same languages and bounds.

    Raises:
        EngineError: this system cannot confine a process at all.
    """

    def __init__(
        self,
        languages: Iterable[LanguageModule],
        workers: int | None = None,
        limits: Limits | None = None,
        cache: FactCache | None = None,
        bounds: Bounds | None = None,
        *,
        single_use: bool = False,
        expect: Sequence[str] = (),
        zygote: Zygote | None = None,
    ) -> None:
        self._table = language_table(languages)
        self._limits = limits or Limits()
        self._cache = cache
        self._bounds = bounds or Bounds()
        readers = workers or min(MAX_WORKERS, os.cpu_count() or 1)
        self._pool = Pool(self._table, self._bounds, readers, single_use=single_use, expect=expect, zygote=zygote)
        self._ahead: Unpacking | None = None
        self._room = Room(MAX_HELD)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """End every reader."""
        pool = self.__dict__.get("_pool")  # absent if it could not be made
        if pool is not None:
            pool.close()
            ahead, self._ahead = self._ahead, None
            if ahead is not None:
                ahead.end()

    def confinement(self) -> Confinement:
        """Return what confines a reader of this engine. Raises EngineError."""
        readers = self._pool.take(1)
        try:
            reader = readers[0]
            reader.deadline = time.monotonic() + self._bounds.wall
            while reader.confinement is None:
                for _, message, _ in self._pool.events(readers):
                    if isinstance(message, Stopped):
                        raise EngineError(f"a reader could not be confined: {message.reason}")
            reader.deadline = None
            return reader.confinement
        finally:
            self._pool.give_back(readers)

    def unpack(self, artifact: Artifact, data: bytes) -> Tree:
        """Return the files of an archive. Raises ArchiveError, EngineError."""
        result = self.unpack_many([(artifact, data)])[0]
        if isinstance(result, PortError):
            raise result
        return result

    def unpack_many(self, items: Sequence[tuple[Artifact, bytes]]) -> list[Tree | PortError]:
        """Return for each archive its files, or the ArchiveError or EngineError that refused it.

        Files that several archives have in common are held once.
        """
        unpacking, self._ahead = self._ahead, None
        if unpacking is not None and not unpacking.is_of(items):
            unpacking.end()
            unpacking = None
        if not items:
            return []
        if unpacking is None:
            unpacking = Unpacking(self._pool, items, self._limits, self._bounds, self._room.left())
        results = unpacking.run()
        self._room.take(unpacking.in_memory, [tree for tree in results if isinstance(tree, Tree)])
        return results

    def ahead(self, items: Sequence[tuple[Artifact, bytes]]) -> None:
        """Begin with archives that the next ``unpack_many`` will be asked for. For one thread. Raises EngineError.

        ``turn`` goes on with it, whenever the caller has a moment.
        """
        if items:
            self._ahead = Unpacking(self._pool, items, self._limits, self._bounds, self._room.left(), wait=False)
            self.turn()

    def turn(self) -> None:
        """Hear what readers have to say of what was begun ``ahead``, without waiting. Raises EngineError."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            ahead.turn(wait=False)
            self._ahead = ahead

    def read(self, jobs: Iterable[Job], home: Home = no_home) -> Iterator[tuple[Job, Facts]]:
        """Yield the facts of each job, in any order; a job that failed has a problem in its facts.

        Raises:
            EngineError: no reader can be started.
        """
        memo = Memo(jobs, self._table, self._cache)
        try:
            yield from memo.known()
            for tree, missing in self._by_home(memo.missing(), home):
                yield from Reading(self._pool, memo, self._slowest_first(missing), self._bounds, tree).run()
        finally:
            memo.save()

    def rest(self) -> None:
        """End the readers that wait for more of an archive: there will be no more."""
        self._pool.rest()

    def _by_home(
        self, missing: Sequence[tuple[FactKey, Blob]], home: Home
    ) -> Iterable[tuple[Tree | None, Sequence[tuple[FactKey, Blob]]]]:
        """Return what is missing with the archive that it is from; all together where a reader is for many."""
        if not self._pool.single_use:
            return [(None, missing)] if missing else []
        found: dict[int, tuple[Tree | None, list[tuple[FactKey, Blob]]]] = {}
        for key, blob in missing:
            tree = home(key.digest)
            found.setdefault(id(tree), (tree, []))[1].append((key, blob))
        return found.values()

    def _slowest_first(self, missing: Sequence[tuple[FactKey, Blob]]) -> list[tuple[FactKey, Blob]]:
        """Return files such that what takes longest is begun first: code before text, and large before small."""

        def cost(item: tuple[FactKey, Blob]) -> tuple[float, str, str]:
            key, blob = item
            followed = getattr(self._table[key.language], "SAMPLE", b"")
            return (-blob.size if followed else -blob.size / _PLAIN, key.digest, key.language)

        return sorted(missing, key=cost)


def engine_for(
    languages: Sequence[LanguageModule],
    workers: int | None,
    cache: FactCache,
    ecosystems: Collection[str] = (),
    *,
    service: bool = False,
) -> Engine | InlineEngine:
    """Return the engine of a program that will read releases of these ecosystems; without ``workers`` the inline one.

    A ``service`` reads one stranger after another: each reader is for one artifact. Raises EngineError.
    """
    if workers == 0:
        return InlineEngine(languages, cache=cache)
    return Engine(
        languages,
        workers,
        cache=cache,
        single_use=service,
        expect=[dialect for ecosystem in sorted(ecosystems) for dialect in dialects_of(languages, ecosystem)],
        zygote=None if service else take_early(Bounds()),
    )
