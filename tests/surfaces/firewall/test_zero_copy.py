"""Files that the kernel sends: the same bytes in the same order as by the usual way, and never for ever."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn

from lazaretto.surfaces.firewall import answers
from lazaretto.surfaces.firewall.access.protocol import Bounds, bounded
from lazaretto.surfaces.firewall.access.refusal import ASGIScope, Receive, Send
from lazaretto.surfaces.firewall.access.zero_copy import EXTENSION
from lazaretto.surfaces.firewall.sealed import MIN_SEALED, Sealed, kept

DATA = os.urandom(9 << 20)
FILE = Sealed(DATA)


async def app(scope: ASGIScope, receive: Receive, send: Send) -> None:
    """Answer with a file, or with its size."""
    assert EXTENSION in scope["extensions"]
    body: bytes | Sealed = FILE if scope["path"] == "/file" else DATA if scope["path"] == "/usual" else b"small"
    await answers.Whole(body, [(b"x-kind", scope["path"].encode())])(scope, receive, send)


@contextmanager
def serving(write_seconds: float = 30.0) -> Iterator[tuple[uvicorn.Server, tuple[str, int]]]:
    """Run a server; yield it and its address."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        app, http=bounded(Bounds(write_seconds=write_seconds)), ws="none", lifespan="off", log_level="critical",
        access_log=False, loop="uvloop",
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield server, listener.getsockname()
    finally:
        server.should_exit = server.force_exit = True
        thread.join(5)


def asked(address: tuple[str, int], *paths: str, method: str = "GET", pause: float = 0.0) -> bytes:
    """Send requests all at once over one connection, and return all that comes back."""
    with socket.create_connection(address, timeout=20) as connection:
        for number, path in enumerate(paths, 1):
            end = "Connection: close\r\n" if number == len(paths) else ""
            connection.sendall(f"{method} {path} HTTP/1.1\r\nHost: x.invalid\r\n{end}\r\n".encode())
        parts = []
        while part := connection.recv(1 << 20):
            parts.append(part)
            time.sleep(pause)
    return b"".join(parts)


@pytest.mark.parametrize("pause", [0.0, 0.02])
def test_a_file_arrives_whole(pause: float) -> None:
    """However fast it is taken, head and bytes are those of the usual way."""
    with serving() as (_, address):
        head, _, body = asked(address, "/file", pause=pause).partition(b"\r\n\r\n")

    assert b"content-length: %d" % len(DATA) in head
    assert body == DATA


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("more", ["", "Connection: close\r\n", "Connection: keep-alive\r\n"])
def test_a_head_is_that_of_the_usual_way(version: str, more: str) -> None:
    """Whatever the client speaks, whoever sends the file."""
    heads = []
    with serving() as (_, address):
        for path in ("/file", "/usual"):
            with socket.create_connection(address, timeout=20) as connection:
                connection.sendall(f"GET {path} HTTP/{version}\r\nHost: x.invalid\r\n{more}\r\n".encode())
                answer = b""
                while b"\r\n\r\n" not in answer:
                    answer += connection.recv(1000)
            lines = answer.partition(b"\r\n\r\n")[0].replace(b"/usual", b"/file").split(b"\r\n")
            heads.append([line for line in lines if not line.startswith(b"date:")])

    assert heads[0] == heads[1]


def test_answers_keep_their_order() -> None:
    """Small answers and files on one connection, asked for before the first was answered, come one after another."""
    with serving() as (_, address):
        answer = asked(address, "/small", "/file", "/file", "/small")

    rest = answer
    for expected in (b"small", DATA, DATA, b"small"):
        head, _, rest = rest.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200")
        assert rest[: len(expected)] == expected
        rest = rest[len(expected) :]
    assert rest == b""


def test_a_head_request_has_no_file() -> None:
    """It tells the length, and sends nothing."""
    with serving() as (_, address):
        answer = asked(address, "/file", method="HEAD")

    assert b"content-length: %d" % len(DATA) in answer
    assert answer.endswith(b"\r\n\r\n")


def test_who_takes_nothing_is_given_up() -> None:
    """A file that lies unread ends its connection, and leaves no descriptor behind."""
    with serving(write_seconds=0.3) as (server, address):
        before = len(os.listdir("/proc/self/fd"))
        with socket.create_connection(address, timeout=5) as connection:
            connection.sendall(b"GET /file HTTP/1.1\r\nHost: x.invalid\r\n\r\n")
            until = time.monotonic() + 5
            time.sleep(0.2)
            while server.server_state.connections and time.monotonic() < until:
                time.sleep(0.05)
            assert not server.server_state.connections
        time.sleep(0.1)
        assert len(os.listdir("/proc/self/fd")) <= before


def test_who_goes_away_costs_nothing() -> None:
    """A client that hangs up in the middle leaves neither connection nor descriptor."""
    with serving() as (server, address):
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(20):
            with socket.create_connection(address, timeout=5) as connection:
                connection.sendall(b"GET /file HTTP/1.1\r\nHost: x.invalid\r\n\r\n")
                connection.recv(1000)
        until = time.monotonic() + 5
        while server.server_state.connections and time.monotonic() < until:
            time.sleep(0.05)
        assert not server.server_state.connections
        assert len(os.listdir("/proc/self/fd")) <= before


def test_what_is_sealed_cannot_be_changed() -> None:
    """What was verified stays as it was: nobody can write to it, or make it longer or shorter."""
    sealed = Sealed(b"as it was read")
    for change in (
        lambda: os.pwrite(sealed.fileno(), b"x", 0),
        lambda: os.ftruncate(sealed.fileno(), 1),
        lambda: os.pwrite(sealed.fileno(), b"x", len(sealed)),
    ):
        with pytest.raises(PermissionError):
            change()
    assert sealed[:] == b"as it was read"
    assert sealed[3:5] == b"it"
    assert sealed[9:3] == b""


def test_what_is_small_is_not_made_a_file() -> None:
    """A descriptor is spent only where it saves more than it costs."""
    assert isinstance(kept(bytes(MIN_SEALED)), Sealed)
    assert kept(b"x") == b"x"
