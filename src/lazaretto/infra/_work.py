"""The engine's two tasks for a handful of readers: archives to unpack, and files to read."""

import time
import weakref
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

from msgspec import MsgspecError

from lazaretto.app.ports import ArchiveError, EngineError, Job, PortError
from lazaretto.core.archive import Layout, Limits
from lazaretto.core.facts import FactKey, Facts
from lazaretto.core.model import Artifact
from lazaretto.core.names import Digest
from lazaretto.core.tree import Blob, Kept, Tree
from lazaretto.infra import _wire as wire
from lazaretto.infra._memo import Memo
from lazaretto.infra._pool import Pool, Reader, Stopped
from lazaretto.infra._reader import NO_MEMORY
from lazaretto.infra._stow import Stow
from lazaretto.infra.confined import Bounds

_MESSAGE = 64 << 10
_LEAST = 8 << 10
_AHEAD = 32 << 10
"""Bytes that wait in a reader's socket, so that it never waits: little, for no other reader will get them."""
_ONE_READER = 20 << 10
"""Bytes of files that are not worth a second reader."""
_ONE_NEW_READER = 256 << 10
"""The same where each reader is made for one task: to make it takes as long as to read a tenth of that."""
_CUT = 64 << 10
"""Up to this many bytes languages read a file whole, and remember no parts of it."""
_LARGE = 512 << 10
"""From this many bytes a file may leave its reader with little room."""
_ALIKE = 0.06
"""By how much of their length two files may differ that are taken for versions of one text."""


class Unpacking:
    """Several archives at once, one for each reader. Files beyond ``room`` bytes are not held in memory."""

    def __init__(
        self,
        pool: Pool,
        items: Sequence[tuple[Artifact, bytes]],
        limits: Limits,
        bounds: Bounds,
        room: int,
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
        self._room = room
        self._stow = Stow()
        self.in_memory = 0
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
        reader.used, reader.home = True, None
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
                reader.home = weakref.ref(result)
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


class Reading:
    """The files that nobody has read yet, handed out to readers in their order.

    ``home``: the archive that they are all from, if each reader is for one.
    """

    def __init__(
        self,
        pool: Pool,
        memo: Memo,
        missing: Sequence[tuple[FactKey, Blob]],
        bounds: Bounds,
        home: Tree | None = None,
    ) -> None:
        self._pool = pool
        self._memo = memo
        self._home = home
        self._wall = bounds.wall
        self._waiting = deque(missing)
        self._asked: dict[Reader, deque[tuple[FactKey, Blob]]] = {}
        self._last: dict[Reader, tuple[FactKey, Blob]] = {}
        self._alone: list[tuple[FactKey, Blob]] = []
        self._spent: set[Reader] = set()
        self._left = sum(blob.size for _, blob in missing)
        """Bytes that are still to be handed out."""
        least = _ONE_NEW_READER if pool.single_use else _ONE_READER
        self._wanted = 1 if self._left < least else len(missing)

    def run(self) -> Iterator[tuple[Job, Facts]]:
        readers = self._pool.take(self._wanted, read=True, home=self._home)
        try:
            self._take_home(readers)
            while self._waiting or any(self._asked.values()):
                self._feed(readers)
                broken = []
                for reader, message, _ in self._pool.events(readers):
                    known = self._take(reader, message)
                    if known is None:
                        broken.append(reader)
                        known = self._fail(reader, message)
                    yield from known
                broken += [one for one in readers if one in self._spent and self._waiting and not self._asked.get(one)]
                for reader in dict.fromkeys(broken):
                    self._spent.discard(reader)
                    self._last.pop(reader, None)
                    self._pool.replace(readers, reader)
                    self._take_home(readers[-1:])
                    if self._alone:
                        new = readers[-1]
                        self._ask(new, self._asked.setdefault(new, deque()), [self._alone.pop()])
        finally:
            self._pool.give_back(readers)

    def _take_home(self, readers: Iterable[Reader]) -> None:
        for reader in readers:
            reader.home = weakref.ref(self._home) if self._home is not None else None

    def _feed(self, readers: Sequence[Reader]) -> None:
        """Keep every reader busy, and small files waiting in its socket; all get a part before one gets a second."""
        for least in (1, _AHEAD):
            for reader in readers:
                if reader in self._spent:
                    continue
                asked = self._asked.setdefault(reader, deque())
                while self._waiting and sum(blob.size for _, blob in asked) < least:
                    self._ask(reader, asked, self._batch(reader, len(readers)))

    def _next(self, reader: Reader) -> tuple[FactKey, Blob]:
        """Take the next file for a reader.

        Builds of one text have most of their parts in common, which the reader that has read one of them knows. So it
        goes on with what is alike, and nobody begins with what is like a file that another reader is at.
        """
        own = self._last.get(reader)
        others = [last for other, last in self._last.items() if other is not reader]
        chosen = None
        for place, item in enumerate(self._waiting):
            if own is not None and _alike(item, own):
                chosen = place
                break
            if chosen is None and not any(_alike(item, other) for other in others):
                chosen = place
            if item[1].size <= _CUT:
                break
        item = self._waiting[chosen or 0]
        del self._waiting[chosen or 0]
        self._last[reader] = item
        return item

    def _batch(self, reader: Reader, readers: int) -> list[tuple[FactKey, Blob]]:
        """Take the next files, fewer the less is left, so that all readers end together."""
        most = min(_MESSAGE, max(_LEAST, self._left // (2 * readers)))
        batch = [self._next(reader)]
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
        key, blob = asked.popleft()
        if blob.size >= _LARGE and self._pool.has_grown(reader):
            self._spent.add(reader)  # the next large file may find no room in it
        reader.deadline = time.monotonic() + self._wall if asked else None
        self._memo.add_units(message.units)
        reader.used = True
        return self._memo.learned(key, facts)

    def _fail(self, reader: Reader, message: wire.FromReader | Stopped) -> Iterator[tuple[Job, Facts]]:
        """Give up the file that a reader was at; the others that it was given go to another.

        A reader that had read others before may have had no room left: the file is read once more, by a new one.
        """
        asked = self._asked.pop(reader)
        if asked:
            key, blob = asked.popleft()
            reason = message.reason if isinstance(message, Stopped | wire.Failed) else "it answered nonsense"
            again = message.again if isinstance(message, Stopped) else reason == NO_MEMORY
            if again and reader.used:
                self._alone.append((key, blob))
            else:
                yield from self._memo.failed(key, reason)
        self._waiting.extendleft(reversed(asked))
        self._left += sum(blob.size for _, blob in asked)


def _alike(one: tuple[FactKey, Blob], other: tuple[FactKey, Blob]) -> bool:
    """Whether two files are most likely versions of one text, and long enough for that to matter."""
    (key, blob), (other_key, other_blob) = one, other
    near = abs(blob.size - other_blob.size) <= _ALIKE * blob.size
    return near and blob.size > _CUT and key.language == other_key.language
