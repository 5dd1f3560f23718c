"""What a reader does: take a task from its socket, unpack or read, answer. Runs confined."""

import _socket
import gc
import os
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Never

from msgspec import Raw

from lazaretto.core.archive import ArchiveFault, LayoutBuilder, entries
from lazaretto.core.facts import Facts, Problem
from lazaretto.core.inner import read_through
from lazaretto.core.language import LanguageModule, NoUnits, Units
from lazaretto.core.model import ArtifactKind
from lazaretto.core.names import Digest
from lazaretto.infra import _wire as wire
from lazaretto.infra.confined import Bounds, begin_task, confine

OUT_OF_MEMORY = 71
"""Exit status of a reader that could not even say that its memory was used up."""

_LOOKED_AT = 400
"""Paths of an archive that are looked at to tell which languages it is written in."""

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
    except MemoryError:
        raise ReaderFailed("it ran out of memory") from None
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


def serve(
    control: _socket.socket,
    descriptor: int,
    table: Mapping[str, LanguageModule],
    bounds: Bounds,
    readable: Sequence[str],
) -> int:
    """Be a reader on the socket with this descriptor until the engine closes it; return the exit status."""
    control.close()
    try:
        run(_socket.socket(fileno=descriptor), table, bounds, readable)
    except (wire.Closed, OSError):
        return 0
    except MemoryError:
        return OUT_OF_MEMORY


def run(socket: _socket.socket, table: Mapping[str, LanguageModule], bounds: Bounds, readable: Sequence[str]) -> Never:
    """Confine this process, then serve tasks until the engine closes the socket (then: wire.Closed)."""
    # Facts are trees without cycles: looking for garbage as often as usual would only cost time.
    gc.set_threshold(50_000, 20, 100)
    confinement = confine(bounds, os.getppid(), tuple(readable))
    layers = {**confinement.in_force, **confinement.absent}
    wire.send(socket, wire.Hello(layers=layers, absent=tuple(confinement.absent)))
    inbox = _Inbox(socket)
    while True:
        begin_task(bounds.unpack_memory, bounds.cpu)
        message, body = inbox.task()
        if isinstance(message, wire.Unpack):
            unpacked = _unpack(socket, message, body)
            if inbox.idle:
                _get_ready(table, unpacked)
        elif isinstance(message, wire.Read):
            _read(inbox, table, message, body, bounds)


def _get_ready(table: Mapping[str, LanguageModule], paths: Sequence[str]) -> None:
    """Load what reading such files takes, while the program sorts them: parsers, tables, patterns."""
    for module in dict.fromkeys(table.values()):
        sample = getattr(module, "SAMPLE", b"")
        offers = (module.claim(path, b"") for path in paths[:_LOOKED_AT]) if sample else ()
        claim = next((offer for offer in offers if offer is not None), None)
        if claim is not None:
            read_file(table, claim.dialect, sample, NoUnits())


def load_all(table: Mapping[str, LanguageModule]) -> None:
    """Load what reading takes in every dialect, by reading each language's own sample: every later fork has it."""
    for dialect, module in table.items():
        if sample := getattr(module, "SAMPLE", b""):
            read_file(table, dialect, sample, NoUnits())
    gc.collect()
    gc.freeze()


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
        wire.send(socket, wire.Failed("it ran out of memory"))
    else:
        return [path for path, _ in layout.files]
    return ()


def _read(inbox: _Inbox, table: Mapping[str, LanguageModule], message: wire.Read, body: bytes, bounds: Bounds) -> None:
    at = 0
    for dialect, size in message.files:
        begin_task(bounds.read_memory, bounds.cpu)
        units = _RemoteUnits(inbox)
        data = body[at : at + size]
        at += size
        answer: wire.FromReader
        try:
            answer = wire.Done(Raw(read_file(table, dialect, data, units)), tuple(units.new))
        except ReaderFailed as failure:
            answer = wire.Failed(str(failure))
        wire.send(inbox.socket, answer)


class _RemoteUnits:
    """The engine's memo of cuts, asked over the socket."""

    def __init__(self, inbox: _Inbox) -> None:
        self._inbox = inbox
        self.new: list[tuple[str, str, bytes]] = []

    def get(self, dialect: str, digests: Iterable[Digest]) -> Mapping[Digest, bytes]:
        """Return what is known of these cuts."""
        wanted = tuple(digests)
        if not wanted:
            return {}
        wire.send(self._inbox.socket, wire.UnitsWanted(dialect, wanted))
        return {Digest(digest): unit for digest, unit in self._inbox.answer().units.items()}

    def put(self, dialect: str, digest: Digest, unit: bytes) -> None:
        """Keep a cut; it goes with the facts of the file."""
        self.new.append((dialect, digest, unit))
