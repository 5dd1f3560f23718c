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
from lazaretto.core.tree import Blob, Tree
from lazaretto.infra import _wire as wire
from lazaretto.infra._memo import Memo, UnitMemo
from lazaretto.infra._pool import Pool, Reader, Stopped
from lazaretto.infra._reader import ReaderFailed, language_table, read_file
from lazaretto.infra._zygote import Zygote
from lazaretto.infra.confined import Bounds, Confinement

MAX_WORKERS = 2
"""Readers when nothing is said: more take memory, and an update's parsing rarely fills two."""

_MESSAGE = 64 << 10
_LEAST = 8 << 10
_AHEAD = 32 << 10
"""Bytes that wait in a reader's socket, so that it never waits for more: little, for they are no other reader's then."""
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
        self._ahead: _Unpacking | None = None

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
            self._ahead = None

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
        ahead, self._ahead = self._ahead, None
        if ahead is not None and ahead.is_of(items):
            return ahead.run()
        if ahead is not None:
            ahead.end()
        return _Unpacking(self._pool, items, self._limits, self._bounds).run() if items else []

    def ahead(self, items: Sequence[tuple[Artifact, bytes]]) -> None:
        """Begin with archives that the next ``unpack_many`` will be asked for. For one thread. Raises EngineError.

        ``turn`` goes on with it, whenever the caller has a moment.
        """
        self._ahead = _Unpacking(self._pool, items, self._limits, self._bounds, wait=False)
        self.turn()

    def turn(self) -> None:
        """Hear what readers have to say of what was begun ``ahead``, without waiting. Raises EngineError."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            ahead.turn(wait=False)
            self._ahead = ahead

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
    """Several archives at once, one for each reader."""

    def __init__(
        self,
        pool: Pool,
        items: Sequence[tuple[Artifact, bytes]],
        limits: Limits,
        bounds: Bounds,
        *,
        wait: bool = True,
    ) -> None:
        self._pool = pool
        self._items = items
        self._limits = limits
        self._wall = bounds.unpack_wall
        self._results: dict[int, Tree | PortError] = {}
        self._at_work: dict[Reader, tuple[int, list[Blob]]] = {}
        self._unpacked: dict[Reader, int] = {}
        self._held: dict[str, Blob] = {}
        self._waiting = deque(sorted(range(len(items)), key=lambda index: -len(items[index][1])))
        self._readers = pool.take(len(items), wait=wait)

    def is_of(self, items: Sequence[tuple[Artifact, bytes]]) -> bool:
        """Whether these are the archives, in this order."""
        return len(items) == len(self._items) and all(
            one == other and data is bytes_ for (one, data), (other, bytes_) in zip(items, self._items, strict=True)
        )

    def run(self) -> list[Tree | PortError]:
        """Unpack to the end."""
        try:
            while len(self._results) < len(self._items):
                self.turn()
        finally:
            self.end()
        return [self._results[index] for index in range(len(self._items))]

    def turn(self, *, wait: bool = True) -> None:
        """Hand out what waits, and take what the readers say."""
        try:
            for reader in [reader for reader in self._readers if reader not in self._at_work]:
                if self._waiting:
                    self._start(self._rested(self._readers, reader), self._waiting.popleft())
            said = self._pool.events(self._readers, wait=wait)
            broken = [reader for reader, message, body in said if not self._take(reader, message, body)]
            for reader in dict.fromkeys(broken):
                self._pool.replace(self._readers, reader)
        except BaseException:
            self.end()
            raise

    def end(self) -> None:
        """Give the readers back."""
        readers, self._readers = self._readers, []
        self._pool.give_back(readers)

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
            reader.channel.send(wire.Unpack(artifact.kind.value, self._limits, not reader.raw), [data])

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
                held = self._held[hex_digest] = Blob(Digest(f"sha256:{hex_digest}"), data)
            at += size
            yield held


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
        self._left = sum(blob.size for _, blob in missing)
        """Bytes that are still to be handed out."""
        self._wanted = 1 if self._left < _ONE_READER else len(missing)

    def run(self) -> Iterator[tuple[Job, Facts]]:
        readers = self._pool.take(self._wanted, read=True)
        try:
            while self._waiting or any(self._asked.values()):
                self._feed(readers)
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

    def _feed(self, readers: Sequence[Reader]) -> None:
        """Keep every reader busy, and small files waiting in its socket; nobody gets a second part before all have one."""
        for least in (1, _AHEAD):
            for reader in readers:
                asked = self._asked.setdefault(reader, deque())
                while self._waiting and sum(blob.size for _, blob in asked) < least:
                    self._ask(reader, asked, self._batch(len(readers)))

    def _batch(self, readers: int) -> list[tuple[FactKey, Blob]]:
        """Take the next files, fewer the less is left, so that all readers end together."""
        most = min(_MESSAGE, max(_LEAST, self._left // (2 * readers)))
        batch = [self._waiting.popleft()]
        size = batch[0][1].size
        while self._waiting and size + self._waiting[0][1].size <= most:
            batch.append(self._waiting.popleft())
            size += batch[-1][1].size
        self._left -= size
        return batch

    def _ask(self, reader: Reader, asked: deque[tuple[FactKey, Blob]], batch: list[tuple[FactKey, Blob]]) -> None:
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
        self._left += sum(blob.size for _, blob in asked)
