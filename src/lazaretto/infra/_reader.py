"""What a reader does: take a task from its socket, unpack or read, answer. Runs confined."""

import _socket
import gc
import os
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from types import FunctionType
from typing import Never

from msgspec import Raw

from lazaretto.core.archive import ArchiveFault, LayoutBuilder, entries
from lazaretto.core.facts import Facts, Problem
from lazaretto.core.inner import read_through
from lazaretto.core.language import LanguageModule, NoUnits, Units
from lazaretto.core.model import ArtifactKind
from lazaretto.core.names import Digest
from lazaretto.infra import _wire as wire
from lazaretto.infra.confined import Bounds, Cage, begin_task

OUT_OF_MEMORY = 71
"""Exit status of a reader that could not even say that its memory was used up."""

NO_MEMORY = "it ran out of memory"

_LOOKED_AT = 400
"""Paths of an archive that are looked at to tell which languages it is written in."""

_GARBAGE = 150_000
"""Objects made and kept before the first look for garbage: some 60 MiB, which most readers never come to.

What evaluating a file leaves behind hangs together in cycles: to look through a large file's takes a tenth of the time
of reading it, and frees what would be gone with the process.
"""

_SHELF = 16 << 20
"""Bytes of cuts that a reader keeps of what it has read."""

_BATCH = 128 << 10
"""Bytes of files in one message: small enough that the engine takes some while the next are being unpacked."""


def language_table(languages: Iterable[LanguageModule]) -> dict[str, LanguageModule]:
    """Return which module reads each dialect.

    Raises:
        ValueError: a module names no dialect, or two claim one.
    """
    table: dict[str, LanguageModule] = {}
    for module in languages:
        dialects: tuple[str, ...] = getattr(module, "DIALECTS", ())
        if not dialects:
            raise ValueError(f"language {module.ID} names no dialect")
        for dialect in dialects:
            if table.setdefault(dialect, module) is not module:
                raise ValueError(f"languages {table[dialect].ID} and {module.ID} both have the dialect {dialect}")
    return table


def dialects_of(languages: Iterable[LanguageModule], ecosystem: str) -> list[str]:
    """Return the dialects in which most files of an ecosystem's releases are written."""
    return list(dict.fromkeys(one.DIALECTS[0] for one in languages if ecosystem in getattr(one, "HOME", ())))


def stopped(language: str, reason: str) -> Facts:
    """Return the facts of a file whose reading was stopped: none, and a problem. They are never cached."""
    return Facts(language=language, problems=(Problem(0, f"reader stopped: {reason}"),))


class ReaderFailed(Exception):
    """A language module did not come to an end with this file; the message says why, for a person."""


def read_file(table: Mapping[str, LanguageModule], dialect: str, data: bytes, units: Units) -> bytes:
    """Return the facts of a file, in MessagePack.

    Raises:
        ReaderFailed: the module broke its contract; hostile input is where it would.
    """
    try:
        return wire.encode(read_through(table, dialect, data, units))
    except (MemoryError, SystemError):  # what C code raises that was given no room and says nothing
        raise ReaderFailed(NO_MEMORY) from None
    except Exception as error:  # noqa: BLE001  # whatever it is, it is told
        raise ReaderFailed(f"it failed with {type(error).__name__}") from None


class _Inbox:
    """The reader's end of the socket. The next task may arrive before an answer that is waited for."""

    def __init__(self, socket: _socket.socket) -> None:
        self.socket = socket
        self._tasks: deque[tuple[wire.ToReader, bytes]] = deque()

    @property
    def idle(self) -> bool:
        """Whether no task has arrived yet."""
        if self._tasks:
            return False
        try:
            self.socket.recv(1, _socket.MSG_PEEK | _socket.MSG_DONTWAIT)
        except BlockingIOError:
            return True
        return False

    def task(self) -> tuple[wire.ToReader, bytes]:
        """Wait for the next task. Raises wire.Closed."""
        return self._tasks.popleft() if self._tasks else self._receive()

    def answer(self) -> wire.UnitsKnown:
        """Wait for the answer to a question. Raises wire.Closed."""
        while True:
            message, body = self._receive()
            if isinstance(message, wire.UnitsKnown):
                return message
            self._tasks.append((message, body))

    def _receive(self) -> tuple[wire.ToReader, bytes]:
        head, body = wire.receive(self.socket)
        return wire.decode_request(head), body


class _Shelf:
    """The cuts of files that this reader has read: bundles of one release have much in common."""

    def __init__(self) -> None:
        self._units: dict[tuple[str, Digest], bytes] = {}
        self._size = 0

    def get(self, dialect: str, digest: Digest) -> bytes | None:
        """Return a cut, or None."""
        return self._units.get((dialect, digest))

    def put(self, dialect: str, digest: Digest, unit: bytes) -> None:
        """Keep a cut in place of those kept for longest."""
        self._size += len(unit) - len(self._units.pop((dialect, digest), b""))
        self._units[dialect, digest] = unit
        while self._size > _SHELF:
            self._size -= len(self._units.pop(next(iter(self._units))))


def serve(
    control: _socket.socket,
    descriptor: int,
    table: Mapping[str, LanguageModule],
    bounds: Bounds,
    cage: Cage,
) -> int:
    """Be a reader on the socket with this descriptor until the engine closes it; return the exit status."""
    control.close()
    try:
        _with_room(run)(_socket.socket(fileno=descriptor), table, bounds, cage)
    except (wire.Closed, OSError):
        return 0
    except MemoryError:
        return OUT_OF_MEMORY


_SLOTS = 66_000
"""Places of a frame that takes a little more than half a MiB: CPython makes that a chunk of one MiB."""


def _with_room(function: Callable[..., Never]) -> Callable[..., Never]:
    """Return the function with so large a frame that the frames of all it calls find room behind it.

    CPython keeps frames in chunks of 16 KiB and gives a chunk back to the system as soon as it is empty. Evaluators
    that call themselves come and go across the end of one thousands of times a file, with two system calls each time.
    """
    return FunctionType(function.__code__.replace(co_stacksize=_SLOTS), function.__globals__)


def run(socket: _socket.socket, table: Mapping[str, LanguageModule], bounds: Bounds, cage: Cage) -> Never:
    """Confine this process, then serve tasks until the engine closes the socket (then: wire.Closed)."""
    gc.set_threshold(_GARBAGE, 20, 100)
    confinement = cage.enter(os.getppid())
    layers = {**confinement.in_force, **confinement.absent}
    wire.send(socket, wire.Hello(layers=layers, absent=tuple(confinement.absent)))
    inbox, shelf = _Inbox(socket), _Shelf()
    while True:
        begin_task(cage.inherited + bounds.unpack_memory, bounds.cpu)
        message, body = inbox.task()
        if isinstance(message, wire.Unpack):
            unpacked = _unpack(socket, message, body)
            if message.ready and inbox.idle:
                _get_ready(table, unpacked)
        elif isinstance(message, wire.Read):
            _read(inbox, shelf, table, message, body, cage.inherited + bounds.read_memory, bounds.cpu)
        elif isinstance(message, wire.Search):
            _search(socket, message, body)


_loaded: set[str] = set()
"""The dialects whose parsers, tables and patterns are here."""


def _get_ready(table: Mapping[str, LanguageModule], paths: Sequence[str]) -> None:
    """Load what reading such files takes, while the program sorts them."""
    for module in dict.fromkeys(table.values()):
        if getattr(module, "SAMPLE", b"") and _loaded.isdisjoint(module.DIALECTS):
            offers = (module.claim(path, b"") for path in paths[:_LOOKED_AT])
            claim = next((offer for offer in offers if offer is not None), None)
            if claim is not None:
                load(table, [claim.dialect])


def load(table: Mapping[str, LanguageModule], dialects: Iterable[str]) -> None:
    """Load what reading takes in these dialects, by reading each language's own sample: parsers, tables, patterns."""
    for dialect in dialects:
        if dialect not in _loaded and (sample := getattr(table[dialect], "SAMPLE", b"")):
            read_file(table, dialect, sample, NoUnits())
            _loaded.add(dialect)


def _unpack(socket: _socket.socket, message: wire.Unpack, data: bytes) -> Sequence[str]:
    """Unpack an archive, send what is in it, and return the paths."""
    kind = ArtifactKind(message.kind)
    try:
        builder = LayoutBuilder(kind, message.limits)
        items: list[tuple[str, int]] = []
        body: list[bytes] = []
        size = 0
        for entry in entries(kind, data, message.limits):
            if builder.add(entry) is None:
                continue
            items.append((sha256(entry.data).hexdigest(), len(entry.data)))
            body.append(entry.data)
            size += len(entry.data)
            if size >= _BATCH:
                wire.send(socket, wire.Blobs(tuple(items)), body)
                items, body, size = [], [], 0
        wire.send(socket, wire.Blobs(tuple(items)), body)
        layout = builder.finish()
        wire.send(socket, wire.Laid(layout))
    except ArchiveFault as fault:
        wire.send(socket, wire.Fault(str(fault)))
    except MemoryError:
        wire.send(socket, wire.Failed(NO_MEMORY))
    else:
        return [path for path, _ in layout.files]
    return ()


def _read(
    inbox: _Inbox,
    shelf: _Shelf,
    table: Mapping[str, LanguageModule],
    message: wire.Read,
    body: bytes,
    memory: int,
    cpu: int,
) -> None:
    at = 0
    for dialect, size in message.files:
        begin_task(memory, cpu)
        units = _RemoteUnits(inbox, shelf)
        data = body[at : at + size]
        at += size
        answer: wire.FromReader
        try:
            answer = wire.Done(Raw(read_file(table, dialect, data, units)), tuple(units.new))
        except ReaderFailed as failure:
            answer = wire.Failed(str(failure))
        wire.send(inbox.socket, answer)


def _search(socket: _socket.socket, message: wire.Search, body: bytes) -> None:
    """Look into a hive, and send what is in it."""
    from msgspec import msgpack

    from lazaretto.core.hive.find import Wanted, look

    files = []
    at = 0
    for size in message.sizes:
        files.append(memoryview(body)[at : at + size])
        at += size
    answer: wire.FromReader
    try:
        wanted = msgpack.decode(message.question, type=tuple[Wanted, ...])
        answer = wire.Searched(msgpack.encode(look(files[0], files[1:], wanted)))
    except MemoryError:
        answer = wire.Failed(NO_MEMORY)
    except Exception as error:  # noqa: BLE001  # whatever it is, it is told
        answer = wire.Failed(f"it failed with {type(error).__name__}")
    wire.send(socket, answer)


class _RemoteUnits:
    """The engine's memo of cuts, asked over the socket for what this reader does not know itself."""

    def __init__(self, inbox: _Inbox, shelf: _Shelf) -> None:
        self._inbox = inbox
        self._shelf = shelf
        self.new: list[tuple[str, str, bytes]] = []

    def get(self, dialect: str, digests: Iterable[Digest]) -> Mapping[Digest, bytes]:
        """Return what is known of these cuts."""
        found: dict[Digest, bytes] = {}
        wanted: list[Digest] = []
        for digest in digests:
            own = self._shelf.get(dialect, digest)
            if own is None:
                wanted.append(digest)
            else:
                found[digest] = own
        if wanted:
            wire.send(self._inbox.socket, wire.UnitsWanted(dialect, tuple(wanted)))
            found.update((Digest(digest), unit) for digest, unit in self._inbox.answer().units.items())
        return found

    def put(self, dialect: str, digest: Digest, unit: bytes) -> None:
        """Keep a cut; it goes with the facts of the file."""
        self._shelf.put(dialect, digest, unit)
        self.new.append((dialect, digest, unit))
