"""Messages between the engine and its readers: two lengths, a MessagePack head, a raw body.

The head says what the message is; the body carries file contents, sent from where they lie in memory.
Both sides take the other for hostile: lengths are bounded, heads are decoded into typed values.
"""

import _socket
from collections import deque
from collections.abc import Iterator, Sequence
from struct import Struct as Layout

import msgspec
from msgspec import Struct

from lazaretto.core.archive.layout import Layout as TreeLayout
from lazaretto.core.archive.limits import Limits
from lazaretto.core.facts import Facts

_LENGTHS = Layout("=IQ")
MAX_HEAD = 64 << 20
MAX_BODY = 1 << 30
_MAX_PIECES = 512
_RECEIVE = 1 << 20
_TURN = 256
"""Messages taken from one reader before the others have their turn."""


class Unpack(Struct, frozen=True, array_like=True, tag="unpack"):
    """To a reader: unpack the archive in the body; then get ``ready`` to read such files, if nothing else is to do."""

    kind: str
    limits: Limits
    ready: bool


class Read(Struct, frozen=True, array_like=True, tag="read"):
    """To a reader: read the files in the body, each with its dialect and size in bytes."""

    files: tuple[tuple[str, int], ...]


class Search(Struct, frozen=True, array_like=True, tag="search"):
    """To a reader: look into the hive in the body, with its logs behind it, each of so many bytes, for what is asked.

    Question and answer are those of ``core.hive.find``, in MessagePack: who reads releases has no use for their types.
    """

    question: bytes
    sizes: tuple[int, ...]


class UnitsKnown(Struct, frozen=True, array_like=True, tag="known"):
    """To a reader: the cuts it asked for, by digest."""

    units: dict[str, bytes]


class Hello(Struct, frozen=True, array_like=True, tag="hello"):
    """From a reader, first of all: what confines it."""

    layers: dict[str, str]
    absent: tuple[str, ...]


class Blobs(Struct, frozen=True, array_like=True, tag="blobs"):
    """From a reader: more unpacked files, (digest, size) of each; their bytes are the body."""

    items: tuple[tuple[str, int], ...]


class Laid(Struct, frozen=True, array_like=True, tag="laid"):
    """From a reader: the archive is unpacked."""

    layout: TreeLayout


class Fault(Struct, frozen=True, array_like=True, tag="fault"):
    """From a reader: the archive cannot be believed."""

    message: str


class UnitsWanted(Struct, frozen=True, array_like=True, tag="wanted"):
    """From a reader: what is known of these cuts?"""

    dialect: str
    digests: tuple[str, ...]


class Done(Struct, frozen=True, array_like=True, tag="done"):
    """From a reader: the facts of the next file, and the cuts that were new in it: (dialect, digest, cut)."""

    facts: msgspec.Raw
    units: tuple[tuple[str, str, bytes], ...]


class Searched(Struct, frozen=True, array_like=True, tag="searched"):
    """From a reader: what is in the hive, and what of it could not be read."""

    answer: bytes


class Failed(Struct, frozen=True, array_like=True, tag="failed"):
    """From a reader: the task at hand failed for this reason; the reader should be replaced."""

    reason: str


ToReader = Unpack | Read | Search | UnitsKnown
FromReader = Hello | Blobs | Laid | Fault | UnitsWanted | Done | Searched | Failed

encode = msgspec.msgpack.Encoder().encode
decode_request = msgspec.msgpack.Decoder(ToReader).decode
decode_answer = msgspec.msgpack.Decoder(FromReader).decode
decode_facts = msgspec.msgpack.Decoder(Facts).decode


class Closed(Exception):
    """The other side has gone, or sent what is no message."""


def send(socket: _socket.socket, message: FromReader, body: Sequence[bytes] = ()) -> None:
    """Send one message, waiting as long as it takes (the reader's side). Raises OSError."""
    pieces = _pieces(message, body)
    while pieces:
        sent = socket.sendmsg([pieces[index] for index in range(min(len(pieces), _MAX_PIECES))])
        _drop(pieces, sent)


def receive(socket: _socket.socket) -> tuple[bytes, bytes]:
    """Wait for one message; return its head and body (the reader's side).

    Raises:
        Closed: the engine has gone.
    """
    head, body = _LENGTHS.unpack(_exactly(socket, _LENGTHS.size))
    return _exactly(socket, head), _exactly(socket, body)


def _exactly(socket: _socket.socket, size: int) -> bytes:
    data = socket.recv(size, _socket.MSG_WAITALL) if size else b""
    while len(data) < size:  # a signal may cut MSG_WAITALL short
        more = socket.recv(size - len(data), _socket.MSG_WAITALL)
        if not more:
            raise Closed
        data += more
    return data


def _pieces(message: object, body: Sequence[bytes]) -> "deque[memoryview]":
    head = encode(message)
    size = sum(map(len, body))
    return deque(memoryview(piece) for piece in (_LENGTHS.pack(len(head), size) + head, *body) if piece)


def _drop(pieces: "deque[memoryview]", sent: int) -> None:
    while pieces and sent >= len(pieces[0]):
        sent -= len(pieces.popleft())
    if sent:
        pieces[0] = pieces[0][sent:]


class Channel:
    """The engine's side: never waits, so that neither side can block the other for ever."""

    def __init__(self, socket: _socket.socket) -> None:
        socket.setblocking(False)
        self._socket = socket
        self._out: deque[memoryview] = deque()
        self._lengths = b""
        self._head = 0
        self._incoming: bytearray | None = None
        self._got = 0

    def fileno(self) -> int:
        """Return the descriptor, for ``poll``."""
        return self._socket.fileno()

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    @property
    def pending(self) -> bool:
        """Whether something still waits to be sent."""
        return bool(self._out)

    def send(self, message: ToReader, body: Sequence[bytes] = ()) -> None:
        """Queue a message and send what can be sent now. Raises Closed."""
        self._out.extend(_pieces(message, body))
        self.flush()

    def flush(self) -> None:
        """Send what can be sent now. Raises Closed."""
        try:
            while self._out:
                _drop(self._out, self._socket.sendmsg([self._out[i] for i in range(min(len(self._out), _MAX_PIECES))]))
        except BlockingIOError:
            return
        except OSError:
            raise Closed from None

    def receive(self) -> Iterator[tuple[FromReader, memoryview]]:
        """Yield the messages that have arrived, with their bodies.

        Raises:
            Closed: the reader has gone, or sends what is no message.
        """
        try:
            for _ in range(_TURN):
                yield from self._next()
        except BlockingIOError:
            return
        except (OSError, msgspec.MsgspecError, ValueError):
            raise Closed from None

    def _next(self) -> Iterator[tuple[FromReader, memoryview]]:
        if self._incoming is None:
            self._lengths += self._take(self._socket.recv(_LENGTHS.size - len(self._lengths)))
            if len(self._lengths) < _LENGTHS.size:
                return
            self._head, body = _LENGTHS.unpack(self._lengths)
            if self._head > MAX_HEAD or body > MAX_BODY:
                raise Closed
            self._incoming, self._got, self._lengths = bytearray(self._head + body), 0, b""
        whole = memoryview(self._incoming)
        while self._got < len(whole):
            count = self._socket.recv_into(whole[self._got : self._got + _RECEIVE])
            if not count:
                raise Closed
            self._got += count
        self._incoming = None
        yield decode_answer(whole[: self._head]), whole[self._head :]

    @staticmethod
    def _take(data: bytes) -> bytes:
        if not data:
            raise Closed
        return data
