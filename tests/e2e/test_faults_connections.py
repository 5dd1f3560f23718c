"""Ten thousand connections at once: whoever wants something gets it meanwhile, and nothing of them is left behind."""

import resource
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from lazaretto.surfaces.firewall.access.protocol import HEAD_SECONDS
from tests.e2e.street import Firewall
from tests.e2e.witness import FRESH, HELD, OLD, Witness

pytestmark = pytest.mark.slow

MANY, AGAIN = 10_000, 2_000
OURS = 600
"""Open files that this process and the firewall need beside connections."""

USUAL = 1024
"""Open files that a shell gives to what it starts."""

MAX_EACH = 40 * 1024
"""Bytes of memory that a connection may cost, with its request and its answer."""


@contextmanager
def files(most: int) -> Iterator[int]:
    """Let this process open so many files, or as many as it may; whatever it starts meanwhile may open as many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    given = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (given, hard))
    try:
        yield given
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def firewall(firewall: Firewall) -> Firewall:
    """Return a firewall that was started where a process may open as few files as is usual, unless it asks."""
    firewall.stop()
    with files(USUAL):
        return firewall.start()


def opened(firewall: Firewall, count: int) -> list[socket.socket]:
    """Return connections from ten addresses, each with a request that lacks its end."""
    host, _, port = firewall.url.removeprefix("http://").partition(":")
    made = []
    for number in range(count):
        made.append(socket.socket())
        made[-1].settimeout(60)
        made[-1].bind((f"127.0.0.{2 + number % 10}", 0))
        made[-1].connect((host, int(port)))
        made[-1].sendall(f"GET {FRESH} HTTP/1.1\r\nHost: {host}\r\n".encode())
    return made


def answered(connections: list[socket.socket]) -> set[bytes]:
    """End all requests, and return what the answers begin with."""
    for connection in connections:
        with suppress(OSError):
            connection.sendall(b"\r\n")
    return {_received(connection)[:15] for connection in connections}


def _received(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except OSError:
        return b""


def has_open(firewall: Firewall) -> int:
    """Return how many files the firewall has open."""
    return sum(1 for _ in Path(f"/proc/{firewall.pid}/fd").iterdir())


def memory(firewall: Firewall) -> int:
    """Return how many bytes of memory the firewall has."""
    pages = int(Path(f"/proc/{firewall.pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def wave(witness: Witness, count: int) -> int:
    """Open connections, get what is wanted meanwhile, have them all answered; return the memory that it came to."""
    firewall, begun = witness.firewall, time.monotonic()
    few = has_open(firewall)
    connections = opened(firewall, count)
    assert [witness.get(path).status for path in (OLD, FRESH, HELD)] == [200, 200, 403]
    assert has_open(firewall) >= count
    said = answered(connections)
    if time.monotonic() - begun < HEAD_SECONDS:  # else this machine is too slow for its own requests
        assert said == {b"HTTP/1.1 200 OK"}
    assert b"HTTP/1.1 200 OK" in said
    largest = memory(firewall)
    for connection in connections:
        connection.close()
    while has_open(firewall) > few + 20:  # upstream and analysts have theirs
        assert time.monotonic() - begun < 90
        time.sleep(0.1)
    return largest


def test_ten_thousand_connections(witness: Witness) -> None:
    """From ten addresses, all answered in the end; fewer only where the machine lets nobody open so many files."""
    assert [witness.get(path).status for path in (FRESH, HELD)] == [200, 403]
    small = memory(witness.firewall)
    with files(MANY + OURS) as given:
        large = wave(witness, min(MANY, given - OURS))
        assert large - small < MANY * MAX_EACH
        assert wave(witness, AGAIN) - large < AGAIN * MAX_EACH // 10  # what the first needed is used again
    witness.unharmed()
