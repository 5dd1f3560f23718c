"""A bounded number of readers: made when needed, watched while they work, replaced when they fail."""

import _queue
import _thread
import os
import select
import time
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from lazaretto.app.ports import EngineError
from lazaretto.core.language import LanguageModule
from lazaretto.core.tree import Tree
from lazaretto.infra import _wire as wire
from lazaretto.infra._reader import NO_MEMORY, OUT_OF_MEMORY
from lazaretto.infra._zygote import EARLY, Zygote
from lazaretto.infra.confined import Bounds, Confinement

_SIGNALS = {
    4: "it crashed (illegal instruction)",
    6: "it gave up (abort, as when a library runs out of memory)",
    7: "it crashed (bus error)",
    8: "it crashed (arithmetic error)",
    9: "it was killed (the system may be out of memory)",
    11: "it crashed (segmentation fault)",
    31: "it made a system call that no reader may make",
}
_SIGXCPU = 24
_PAGE = os.sysconf("SC_PAGE_SIZE")

MAX_KEPT = 160 << 20
"""Bytes by which a reader may have grown when it goes on to others: what it keeps would be taken from later files."""

MAX_STARVED = 9
"""How many times over its time a reader may take that is still at work, and waits for a processor in between."""


class Stopped(Struct, frozen=True):
    """A reader that will not answer any more, and why, for a person.

    ``again``: it did not end for the time it took; what it had read before may have been why there was no room left.
    """

    reason: str
    again: bool = False


class Reader:
    """One confined process, seen from the engine. ``deadline`` is on the monotonic clock; None: idle."""

    def __init__(self, channel: wire.Channel, zygote: Zygote, number: int, *, raw: bool) -> None:
        self.channel = channel
        self._zygote = zygote
        self.number = number
        """How the zygote knows it."""
        self.raw = raw
        """Whether it is there to unpack, and would have to load first what it takes to read."""
        self.inherited = 0
        """Bytes that it held when it began, as far as anybody looked: what it has from its program is no growth."""
        self.deadline: float | None = None
        self.starved = 0
        """How many times in a row it was late, and at work."""
        self.confinement: Confinement | None = None
        self.used = False
        """Whether it has unpacked or read something already."""
        self.home: weakref.ref[Tree] | None = None
        """The archive whose bytes it has met, and no other's; None where that is not asked, or not known."""
        self.ended = False

    @property
    def pid(self) -> int:
        """Its process id, once it is there. Raises EngineError if it could not be started."""
        return self._zygote.process(self.number)

    def is_of(self, home: Tree | None) -> bool:
        """Whether it has met the bytes of this archive alone."""
        return home is not None and self.home is not None and self.home() is home


class Pool:
    """At most ``size`` readers. Several threads may use it; each reader serves one of them at a time.

    With ``single_use`` a reader meets the bytes of one archive and no other: one that hostile bytes have taken over
    answers for nobody else. It waits for more of the same archive (``take`` with a ``home``) until ``rest``, or until
    its place is needed; without a home it is ended when it is given back.
    """

    def __init__(
        self,
        table: Mapping[str, LanguageModule],
        bounds: Bounds,
        size: int,
        *,
        single_use: bool = False,
        expect: Sequence[str] = (),
        zygote: Zygote | None = None,
    ) -> None:
        """``expect``: dialects that will be read, so that what this takes is loaded once for all readers.

        ``zygote``: one that is there already, for the same languages and bounds.
        """
        self._bounds = bounds
        self._zygote = zygote or Zygote(lambda: table, bounds)
        self._turn = _thread.allocate_lock()
        self._free: _queue.SimpleQueue[Reader | None] = _queue.SimpleQueue()
        self._owner = os.getpid()
        self.size = size
        self.single_use = single_use
        self.closed = False
        for _ in range(size):
            self._free.put(None)
        if single_use:  # many readers: what each would load, it loads once
            self._zygote.load(dialect for dialect, module in table.items() if getattr(module, "SAMPLE", b""))
        while self._zygote.begun < min(size, EARLY):  # they get ready while the program imports the rest of itself
            self._zygote.begin()
        self._raw = range(self._zygote.begun if expect else 0)
        """The numbers of those that are there to unpack: it goes on loading what takes longer, for those who read."""
        if expect:
            self._zygote.load(expect)

    def take(self, wanted: int, *, wait: bool = True, read: bool = False, home: Tree | None = None) -> list[Reader]:
        """Return between one and ``wanted`` readers, waiting for the first. Raises EngineError.

        Args:
            wanted: how many there is work for.
            wait: otherwise they may still be on their way; one that never comes shows as one that has stopped.
            read: whether they will read, and not only unpack.
            home: the archive that the work is from, where readers are for one archive.
        """
        readers: list[Reader] = []
        try:
            readers.append(self._fit(self._place(home), read=read) or self._make(wait=wait))
            while len(readers) < min(wanted, self.size):
                readers.append(self._fit(self._place(home, wait=False), read=read) or self._make(wait=wait))
        except _queue.Empty:
            pass
        except EngineError:
            self._free.put(None)
            self.give_back(readers)
            raise
        return readers

    def give_back(self, readers: Iterable[Reader]) -> None:
        """Return readers; one that still works on something is ended."""
        for reader in readers:
            done = reader.ended or self.closed or (self.single_use and reader.home is None)
            if done or self.has_grown(reader) or reader.deadline is not None or reader.channel.pending:
                self._end(reader)
                self._free.put(None)
            else:
                self._free.put(reader)

    def has_grown(self, reader: Reader) -> bool:
        """Whether what a reader keeps would be taken from later files."""
        return self._resident(reader) - reader.inherited > MAX_KEPT

    def replace(self, readers: list[Reader], reader: Reader) -> None:
        """Put a new reader in the place of one that has stopped, or must not go on. Raises EngineError."""
        readers.remove(reader)
        self._end(reader)
        try:
            readers.append(self._make())
        except EngineError:
            self._free.put(None)
            raise

    def rest(self) -> None:
        """End the readers that wait for more of an archive."""
        if self.single_use:
            for reader in self._at_hand(wait=False):
                if reader is not None:
                    self._end(reader)
                self._free.put(None)

    def close(self) -> None:
        """End every reader."""
        if self.closed or os.getpid() != self._owner:
            return
        self.closed = True
        with self._turn:
            self._zygote.close()
        for _ in range(self._free.qsize()):
            reader = self._free.get()
            if reader is not None:
                reader.channel.close()
            self._free.put(None)  # for whoever waits for a reader: that one is told

    def events(
        self, readers: Sequence[Reader], *, wait: bool = True
    ) -> Iterator[tuple[Reader, wire.FromReader | Stopped, memoryview]]:
        """Wait, and yield what the readers say; a reader that is gone or late is ended and says ``Stopped``.

        Returns after each wait, so that the caller can hand out more work. Without ``wait`` only what was said
        already is heard.
        """
        poll = select.poll()
        by_descriptor = {reader.channel.fileno(): reader for reader in readers}
        for descriptor, reader in by_descriptor.items():
            poll.register(descriptor, select.POLLIN | (select.POLLOUT if reader.channel.pending else 0))
        deadlines = [reader.deadline for reader in readers if reader.deadline is not None]
        patience = max(0.0, min(deadlines, default=time.monotonic()) - time.monotonic())
        ready = poll.poll(patience * 1000 + 1 if wait else 0)
        for descriptor, _ in ready:
            yield from self._hear(by_descriptor[descriptor])
        now = time.monotonic()
        heard = {descriptor for descriptor, _ in ready}
        for descriptor, reader in by_descriptor.items():
            # Who has just spoken may have been in time: it is the caller who may have been away.
            grace = self._bounds.wall if descriptor in heard else 0.0
            if reader.deadline is not None and not reader.ended and reader.deadline + grace <= now:
                if self._starves(reader):
                    reader.deadline = now + self._bounds.wall
                    continue
                self._end(reader)
                yield reader, Stopped("it took too long"), memoryview(b"")

    def _hear(self, reader: Reader) -> Iterator[tuple[Reader, wire.FromReader | Stopped, memoryview]]:
        try:
            reader.channel.flush()
            for message, body in reader.channel.receive():
                reader.starved = 0
                if isinstance(message, wire.Hello):
                    reader.confinement = _confinement(message)
                    continue
                yield reader, message, body
                if isinstance(message, wire.Failed):
                    self._end(reader)
                    return
        except wire.Closed:
            yield reader, self._end(reader), memoryview(b"")

    def _place(self, home: Tree | None, *, wait: bool = True) -> Reader | None:
        """Take a place: with the reader in it if that may do this work, else empty. Raises _queue.Empty.

        A place whose reader waits for another archive is taken last.
        """
        if not self.single_use:
            return self._free.get(wait)
        at_hand = self._at_hand(wait=wait)
        if not at_hand:
            raise _queue.Empty
        at_hand.sort(key=lambda one: 1 if one is None else 0 if one.is_of(home) else 2)
        for other in at_hand[1:]:
            self._free.put(other)
        chosen = at_hand[0]
        if chosen is not None and not chosen.is_of(home):
            self._end(chosen)
            return None
        return chosen

    def _at_hand(self, *, wait: bool) -> list[Reader | None]:
        """Take every place that is free, waiting for the first if there is none."""
        found = []
        try:
            found.append(self._free.get(wait))
            while True:
                found.append(self._free.get_nowait())
        except _queue.Empty:
            return found

    def _fit(self, reader: Reader | None, *, read: bool) -> Reader | None:
        """End a reader that would have to load first what a new one has already."""
        if reader is None or not (read and reader.raw):
            return reader
        self._end(reader)
        return None

    def _make(self, *, wait: bool = True) -> Reader:
        if self.closed:
            raise EngineError("the engine is closed")
        with self._turn:
            socket, number = self._zygote.make()
            reader = Reader(wire.Channel(socket), self._zygote, number, raw=number in self._raw)
            try:
                _ = wait and reader.pid
            except EngineError:
                reader.channel.close()
                raise
        if wait:
            reader.inherited = self._resident(reader)
        return reader

    def _resident(self, reader: Reader) -> int:
        """Return the memory that a reader holds, in bytes; 0 where the system does not tell (proc(5), statm)."""
        try:
            with self._turn:
                pid = reader.pid
            with open(f"/proc/{pid}/statm", "rb") as file:
                return int(file.read().split()[1]) * _PAGE
        except (EngineError, OSError, IndexError, ValueError):
            return 0

    def _starves(self, reader: Reader) -> bool:
        """Whether a reader that is late would go on if it were given a processor (proc(5), stat).

        What it may use of one is kept by the kernel; its wall time ends those that wait for something else.
        """
        reader.starved += 1
        try:
            with self._turn:
                pid = reader.pid
            with open(f"/proc/{pid}/stat", "rb") as file:
                state = file.read().rpartition(b") ")[2][:1]
        except (EngineError, OSError):
            return False
        return state == b"R" and reader.starved <= MAX_STARVED

    def _end(self, reader: Reader) -> Stopped:
        """End a reader and return what had ended it before."""
        if reader.ended:
            return Stopped("")
        reader.channel.close()
        reader.deadline = None
        reader.ended = True
        if self.closed:
            return Stopped("the engine was closed")
        try:
            with self._turn:
                status = self._zygote.end(reader.number)
        except EngineError as error:
            return Stopped(str(error))
        code = os.waitstatus_to_exitcode(status)
        if -code == _SIGXCPU:
            return Stopped(f"it used more than {self._bounds.cpu} s of processor time")
        if code == OUT_OF_MEMORY:
            return Stopped(NO_MEMORY, again=True)
        return Stopped(_SIGNALS.get(-code, "it ended without an answer"), again=-code in _SIGNALS)


def _confinement(message: wire.Hello) -> Confinement:
    return Confinement(
        in_force={name: text for name, text in message.layers.items() if name not in message.absent},
        absent={name: text for name, text in message.layers.items() if name in message.absent},
    )
