"""The engine: unpacks and reads hostile bytes in confined processes, and remembers what was read.

``Engine`` is what runs; ``InlineEngine`` does the same work in this process, with no protection, for
tests and for inputs that one wrote oneself. Both give the same trees and the same facts.
"""

import os
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Self

from msgspec import MsgspecError

from lazaretto.app.ports import ArchiveError, EngineError, FactCache, Job, PortError
from lazaretto.core.archive import ArchiveFault, Layout, Limits, unpack
from lazaretto.core.facts import FactKey, Facts
from lazaretto.core.language import LanguageModule
from lazaretto.core.model import Artifact
from lazaretto.core.names import Digest
from lazaretto.core.tree import Blob, Kept, Tree
from lazaretto.infra import _wire as wire
from lazaretto.infra._memo import Memo, UnitMemo
from lazaretto.infra._pool import Pool, Reader, Stopped
from lazaretto.infra._reader import ReaderFailed, language_table, read_file
from lazaretto.infra._stow import Room, Stow
from lazaretto.infra.confined import Bounds, Confinement

MAX_WORKERS = 2
"""Readers when nothing is said: more take memory, and an update's parsing rarely fills two."""

MAX_HELD = 96 << 20
"""Bytes of files that the trees in use hold in memory; what is beyond lies in a temporary file without a name."""

_MESSAGE = 64 << 10
_AHEAD = 256 << 10
_ONE_READER = 20 << 10
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

    def read(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, Facts]]:
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
        single_use: whether a reader that has unpacked one archive, or read the files of one call, is ended then.

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
    ) -> None:
        self._table = language_table(languages)
        self._limits = limits or Limits()
        self._cache = cache
        self._bounds = bounds or Bounds()
        readers = workers or min(MAX_WORKERS, os.cpu_count() or 1)
        self._pool = Pool(self._table, self._bounds, readers, single_use=single_use)
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
        if not items:
            return []
        unpacking = _Unpacking(self._pool, items, self._limits, self._bounds, self._room.left())
        results = unpacking.run()
        self._room.take(unpacking.in_memory, [tree for tree in results if isinstance(tree, Tree)])
        return results

    def read(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, Facts]]:
        """Yield the facts of each job, in any order; a job that failed has a problem in its facts.

        Raises:
            EngineError: no reader can be started.
        """
        memo = Memo(jobs, self._table, self._cache)
        try:
            yield from memo.known()
            missing = memo.missing()
            if missing:
                yield from _Reading(self._pool, memo, self._slowest_first(missing), self._bounds).run()
        finally:
            memo.save()

    def _slowest_first(self, missing: Sequence[tuple[FactKey, Blob]]) -> list[tuple[FactKey, Blob]]:
        """Return files such that what takes longest is begun first: code before text, and large before small."""

        def cost(item: tuple[FactKey, Blob]) -> tuple[float, str, str]:
            key, blob = item
            followed = getattr(self._table[key.language], "SAMPLE", b"")
            return (-blob.size if followed else -blob.size / _PLAIN, key.digest, key.language)

        return sorted(missing, key=cost)


class _Unpacking:
    """Several archives at once, one for each reader. Files beyond ``room`` bytes are not held in memory."""

    def __init__(
        self, pool: Pool, items: Sequence[tuple[Artifact, bytes]], limits: Limits, bounds: Bounds, room: int
    ) -> None:
        self._pool = pool
        self._items = items
        self._limits = limits
        self._wall = bounds.unpack_wall
        self._results: dict[int, Tree | PortError] = {}
        self._at_work: dict[Reader, tuple[int, list[Blob]]] = {}
        self._unpacked: dict[Reader, int] = {}
        self._held: dict[str, Blob] = {}
        self._room = room
        self._stow = Stow()
        self.in_memory = 0

    def run(self) -> list[Tree | PortError]:
        waiting = deque(sorted(range(len(self._items)), key=lambda index: -len(self._items[index][1])))
        readers = self._pool.take(len(self._items))
        try:
            while len(self._results) < len(self._items):
                for reader in [reader for reader in readers if reader not in self._at_work]:
                    if waiting:
                        self._start(self._rested(readers, reader), waiting.popleft())
                said = self._pool.events(readers)
                broken = [reader for reader, message, body in said if not self._take(reader, message, body)]
                for reader in dict.fromkeys(broken):
                    self._pool.replace(readers, reader)
        finally:
            self._pool.give_back(readers)
        return [self._results[index] for index in range(len(self._items))]

    def _rested(self, readers: list[Reader], reader: Reader) -> Reader:
        """Return the reader for the next archive: another one, if each is for one archive only."""
        if not self._pool.single_use or reader not in self._unpacked:
            return reader
        self._pool.replace(readers, reader)
        return readers[-1]

    def _start(self, reader: Reader, index: int) -> None:
        artifact, data = self._items[index]
        self._at_work[reader] = (index, [])
        self._unpacked[reader] = 0
        reader.deadline = time.monotonic() + self._wall
        with suppress(wire.Closed):  # poll will say so
            reader.channel.send(wire.Unpack(artifact.kind.value, self._limits), [data])

    def _take(self, reader: Reader, message: wire.FromReader | Stopped, body: memoryview) -> bool:
        """Note what a reader says; return whether it may go on."""
        if reader not in self._at_work:
            return False
        index, blobs = self._at_work[reader]
        name = self._items[index][0].filename
        result: Tree | PortError = EngineError(f"{name}: the confined reader answered nonsense")
        if isinstance(message, wire.Blobs):
            blobs += self._blobs(message, body)
            self._unpacked[reader] += len(body)
            if self._unpacked[reader] <= self._limits.unpacked and len(blobs) <= self._limits.members:
                return True
        elif isinstance(message, wire.Laid):
            with suppress(IndexError):
                result = _tree(message.layout, blobs)
        elif isinstance(message, wire.Fault):
            result = ArchiveError(f"{name}: {message.message}")
        elif isinstance(message, Stopped | wire.Failed):
            result = EngineError(f"{name}: unpacking was stopped: {message.reason}")
        self._results[index] = result
        del self._at_work[reader]
        reader.deadline = None
        return not isinstance(result, EngineError)

    def _blobs(self, message: wire.Blobs, body: memoryview) -> Iterator[Blob]:
        at = 0
        for hex_digest, size in message.items:
            data = bytes(body[at : at + size])
            held = self._held.get(hex_digest)
            if held is None or held.data != data:
                held = self._held[hex_digest] = Blob(Digest(f"sha256:{hex_digest}"), self._hold(data))
            at += size
            yield held

    def _hold(self, data: bytes) -> bytes | Kept:
        if self.in_memory + len(data) > self._room:
            return self._stow.keep(data)
        self.in_memory += len(data)
        return data


def _tree(layout: Layout, blobs: Sequence[Blob]) -> Tree:
    return Tree(
        files={path: blobs[index] for path, index in layout.files},
        oddities=layout.oddities,
        executable=frozenset(layout.executable),
    )


class _Reading:
    """The files that nobody has read yet, handed out to readers in their order."""

    def __init__(self, pool: Pool, memo: Memo, missing: Sequence[tuple[FactKey, Blob]], bounds: Bounds) -> None:
        self._pool = pool
        self._memo = memo
        self._wall = bounds.wall
        self._waiting = deque(missing)
        self._asked: dict[Reader, deque[tuple[FactKey, Blob]]] = {}
        total = sum(blob.size for _, blob in missing)
        self._wanted = 1 if total < _ONE_READER else len(missing)

    def run(self) -> Iterator[tuple[Job, Facts]]:
        readers = self._pool.take(self._wanted)
        try:
            while self._waiting or any(self._asked.values()):
                for reader in readers:
                    self._feed(reader)
                broken = []
                for reader, message, _ in self._pool.events(readers):
                    known = self._take(reader, message)
                    if known is None:
                        broken.append(reader)
                        known = self._fail(reader, message)
                    yield from known
                for reader in dict.fromkeys(broken):
                    self._pool.replace(readers, reader)
        finally:
            self._pool.give_back(readers)

    def _feed(self, reader: Reader) -> None:
        """Keep a reader busy, and small files waiting in its socket; never two large ones."""
        asked = self._asked.setdefault(reader, deque())
        while self._waiting and sum(blob.size for _, blob in asked) < (_AHEAD if asked else 1):
            batch = [self._waiting.popleft()]
            size = batch[0][1].size
            while self._waiting and size + self._waiting[0][1].size <= _MESSAGE:
                batch.append(self._waiting.popleft())
                size += batch[-1][1].size
            if not asked:
                reader.deadline = time.monotonic() + self._wall
            asked.extend(batch)
            files = tuple((key.language, blob.size) for key, blob in batch)
            with suppress(wire.Closed):  # poll will say so
                reader.channel.send(wire.Read(files), [blob.data for _, blob in batch])

    def _take(self, reader: Reader, message: wire.FromReader | Stopped) -> Iterable[tuple[Job, Facts]] | None:
        """Return the jobs that a reader's message brings to their end; None if it must not go on."""
        asked = self._asked.setdefault(reader, deque())
        if isinstance(message, wire.UnitsWanted) and asked:
            with suppress(wire.Closed):  # poll will say so
                reader.channel.send(wire.UnitsKnown(self._memo.units(message.dialect, message.digests)))
            return ()
        if not isinstance(message, wire.Done) or not asked:
            return None
        try:
            facts = wire.decode_facts(message.facts)
        except (MsgspecError, ValueError):
            return None
        key, _ = asked.popleft()
        reader.deadline = time.monotonic() + self._wall if asked else None
        self._memo.add_units(message.units)
        return self._memo.learned(key, facts)

    def _fail(self, reader: Reader, message: wire.FromReader | Stopped) -> Iterator[tuple[Job, Facts]]:
        """Give up the file that a reader was at; the others that it was given go to another."""
        asked = self._asked.pop(reader)
        if asked:
            key, _ = asked.popleft()
            reason = message.reason if isinstance(message, Stopped | wire.Failed) else "it answered nonsense"
            yield from self._memo.failed(key, reason)
        self._waiting.extendleft(reversed(asked))
