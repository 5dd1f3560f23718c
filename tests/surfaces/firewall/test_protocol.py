"""A connection is bounded before there is a request: a real server on loopback, and clients that misbehave."""

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lazaretto.surfaces.firewall.access.protocol import Bounds, bounded
from lazaretto.surfaces.firewall.access.refusal import ASGIScope, Receive, Send

SHORT = Bounds(head_seconds=0.3, body_seconds=0.3, write_seconds=0.3, connections=40)
GET = b"GET /small HTTP/1.1\r\nHost: gate.invalid\r\n\r\n"
BIG = 32 * 1024 * 1024


answered: list[str] = []


async def app(scope: ASGIScope, receive: Receive, send: Send) -> None:
    """Answer with the length of the body; slowly, early or largely, as the path says."""
    length = 0
    if scope["path"] == "/early":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    while scope["path"] != "/slow":
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        length += len(message["body"])
        if not message["more_body"]:
            break
    if scope["path"] == "/slow":
        await asyncio.sleep(0.6)
        answered.append(scope["path"])
    if scope["path"] == "/big":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % BIG)]})
        for left in range(BIG // 65536, 0, -1):
            await send({"type": "http.response.body", "body": bytes(65536), "more_body": left > 1})
        return
    body = b"ok" if scope["path"] == "/early" else b"%d" % length
    if scope["path"] != "/early":
        headers = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Running:
    """A server in a thread of its own."""

    def __init__(self, bounds: Bounds) -> None:
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            app,
            http=bounded(bounds),
            ws="none",
            lifespan="off",
            log_level="critical",
            access_log=False,
            proxy_headers=False,
            timeout_keep_alive=1,
        )
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.socket]}, daemon=True)

    def connect(self) -> socket.socket:
        """Return a connection."""
        return socket.create_connection(self.socket.getsockname(), timeout=5)

    @property
    def open(self) -> int:
        """How many connections the server has."""
        return len(self.server.server_state.connections)


@contextmanager
def running(bounds: Bounds) -> Iterator[Running]:
    """Run a server for the length of a block."""
    made = Running(bounds)
    made.thread.start()
    while not made.server.started:
        time.sleep(0.01)
    try:
        yield made
    finally:
        made.server.should_exit = made.server.force_exit = True
        made.thread.join(5)


@pytest.fixture(scope="module")
def site() -> Iterator[Running]:
    """A server with short times."""
    with running(SHORT) as made:
        yield made


def read(connection: socket.socket) -> bytes:
    """Return everything until the server closes, or hangs up."""
    parts = []
    try:
        while part := connection.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def said(site: Running, *pieces: bytes, pause: float = 0.0) -> bytes:
    """Send pieces and return all that comes back."""
    with site.connect() as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
                time.sleep(pause)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return read(connection)


def status(answer: bytes) -> int:
    """Return the status of the first answer."""
    return int(answer.split(b" ", 2)[1]) if answer else 0


def request(*headers: bytes, path: bytes = b"/small", method: bytes = b"GET") -> bytes:
    """Return a request that ends its connection."""
    lines = [method + b" " + path + b" HTTP/1.1", b"Host: gate.invalid", b"Connection: close", *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def test_ordinary_requests_are_answered(site: Running) -> None:
    """One, several on one connection, several at once, in pieces, with a body, with a body in chunks."""
    chunked = (
        request(b"Transfer-Encoding: chunked", method=b"POST") + b"5\r\nhello\r\n1;x=y\r\n!\r\n0\r\nTrailer: x\r\n\r\n"
    )
    posted = request(b"Content-Length: 300000", method=b"POST") + bytes(300_000)

    assert said(site, request()).endswith(b"\r\n\r\n0")
    assert said(site, GET + GET + request()).count(b"200 OK") == 3
    assert said(site, GET, GET, request(), pause=0.1).count(b"200 OK") == 3
    assert said(site, request()[:20], request()[20:], pause=0.1).endswith(b"\r\n\r\n0")
    assert said(site, chunked).endswith(b"\r\n\r\n6")
    assert said(site, posted).endswith(b"\r\n\r\n300000")


def test_an_answer_may_take_longer_than_a_request(site: Running) -> None:
    """The time is for the client: a reading that takes its time is not cut off."""
    assert status(said(site, request(path=b"/slow"))) == 200
    assert (
        said(site, request(path=b"/slow").replace(b"close", b"keep-alive"), request(), pause=0.1).count(b"200 OK") == 2
    )


def test_slow_loris(site: Running) -> None:
    """Headers that come byte by byte end at their time, however steadily they come; others are answered meanwhile."""
    begun = time.monotonic()
    slow = [site.connect() for _ in range(30)]
    try:
        for connection in slow:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: gate.invalid\r\n")
        assert status(said(site, request())) == 200
        answers = []
        for connection in slow:
            try:
                while time.monotonic() - begun < 4:
                    connection.sendall(b"X")
                    time.sleep(0.02)
            except (BrokenPipeError, ConnectionResetError):
                pass
            answers.append(status(read(connection)))
        assert time.monotonic() - begun < 3
        assert set(answers) <= {408, 0}
    finally:
        for connection in slow:
            connection.close()
    wait_until(lambda: site.open == 0)


def wait_until(true: object, seconds: float = 5) -> None:
    """Wait for something to become true."""
    give_up = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        assert time.monotonic() < give_up
        time.sleep(0.02)


def test_a_connection_that_says_nothing(site: Running) -> None:
    """It ends without a word."""
    begun = time.monotonic()

    assert said(site) == b""
    assert time.monotonic() - begun < 2


def test_a_second_request_that_does_not_end(site: Running) -> None:
    """The time counts again for every request of a connection."""
    answer = said(site, GET, b"GET / HTTP/1.1\r\n", b"X: y\r\n", pause=0.05)

    assert answer.count(b"HTTP/1.1 ") == 2
    assert b"408" in answer


@pytest.mark.parametrize("path", [b"/small", b"/early"])
def test_a_body_that_does_not_end(site: Running, path: bytes) -> None:
    """A body ends at its time; if the answer has begun already, the connection is given up."""
    begun = time.monotonic()
    answer = said(site, request(b"Content-Length: 100", path=path, method=b"POST"), *[b"x"] * 20, pause=0.05)

    assert time.monotonic() - begun < 3
    assert status(answer) == (408 if path == b"/small" else 200)


@pytest.mark.parametrize(
    "head",
    [
        request(b"X: " + b"a" * 40_000),
        request(*[b"X-%d: y" % n for n in range(200)]),
        request(path=b"/" + b"a" * 40_000),
        b"GET / HTTP/1.1\r\nX: " + b"a" * 400_000,
        b"GET /" + b"a" * 400_000,
        GET + request(b"X: " + b"a" * 40_000),
    ],
)
def test_heads_are_bounded(site: Running, head: bytes) -> None:
    """A request line and headers that are too large or too many are refused, whole or not."""
    answer = said(site, head)

    assert b" 431 " in answer or answer == b"" or head.startswith(GET)
    assert answer.count(b"200 OK") <= head.count(GET)


def test_what_comes_beside_a_body_is_bounded(site: Running) -> None:
    """Extensions of chunks, and trailers, are headers by another name."""
    head = request(b"Transfer-Encoding: chunked", method=b"POST")

    for endless in (b"1;" + b"x" * 400_000, b"1\r\nx\r\n0\r\nT: " + b"x" * 400_000):
        assert status(said(site, head, endless)) in {431, 400, 0}


def test_many_connections_of_one_address() -> None:
    """Beyond the bound an address is told so; when it ends others, it may come again."""
    with running(Bounds(connections=3)) as site:
        held = [site.connect() for _ in range(3)]
        wait_until(lambda: site.open == 3)
        assert status(said(site, request())) == 503
        for connection in held:
            connection.close()
        wait_until(lambda: site.open == 0)
        assert status(said(site, request())) == 200


@pytest.mark.parametrize("after", [b"nonsense\r\n\r\n", GET + b"nonsense\r\n\r\n", b"G" * 100_000])
def test_what_makes_no_sense_after_a_request(site: Running, caplog: pytest.LogCaptureFixture, after: bytes) -> None:
    """It is not answered in the place of what came before it, whose own answer ends without a word and an error."""
    answered.clear()
    slow = request(path=b"/slow").replace(b"close", b"keep-alive")
    with caplog.at_level(logging.ERROR, "uvicorn.error"):
        assert said(site, slow + after) == b""
        wait_until(lambda: answered)
        time.sleep(0.1)
    assert not caplog.records


def test_many_connections_in_all() -> None:
    """Beyond the bound nobody is let in, whatever the address, and whoever is in goes on."""
    with running(Bounds(open=3, proxies=("127.0.0.0/8",))) as site:
        held = [site.connect() for _ in range(3)]
        wait_until(lambda: site.open == 3)
        assert status(said(site, request())) == 503
        held[0].sendall(request())
        assert status(read(held[0])) == 200
        for connection in held:
            connection.close()
        wait_until(lambda: site.open == 0)
        assert status(said(site, request())) == 200


def test_a_proxy_stands_for_many() -> None:
    """The address of a trusted proxy may have any number of connections."""
    with running(Bounds(connections=1, proxies=("127.0.0.0/8",))) as site, site.connect(), site.connect():
        wait_until(lambda: site.open == 2)
        assert status(said(site, request())) == 200
    with pytest.raises(ValueError, match="no network"):
        bounded(Bounds(proxies=("nonsense",)))


@pytest.mark.parametrize("path", [b"/big", b"/small"])
def test_an_answer_that_nobody_takes(site: Running, path: bytes) -> None:
    """A client that does not read does not keep its connection."""
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        connection.connect(site.socket.getsockname())
        connection.sendall(b"GET %s HTTP/1.1\r\nHost: gate.invalid\r\n\r\n" % path)
        wait_until(lambda: site.open == 1)
        wait_until(lambda: site.open == 0)


def test_a_slow_reader_gets_all(site: Running) -> None:
    """A client that reads slowly, but reads, gets its answer: the time is counted anew while it takes enough."""
    with site.connect() as connection:
        connection.sendall(request(path=b"/big"))
        got = 0
        while part := connection.recv(262_144):
            got += len(part)
            time.sleep(0.004)
    assert got > BIG


@pytest.mark.parametrize(
    "line",
    [
        b"CONNECT other.invalid:443 HTTP/1.1",
        b"GET http://other.invalid/x HTTP/1.1",
        b"GET //other.invalid/x HTTP/1.1",
        b"GET \xff HTTP/1.1",
        b"PRI * HTTP/2.0",
        b"GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked",
        b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2",
        b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade",
        b"\x16\x03\x01\x02\x00\x01",
    ],
)
def test_no_open_proxy_and_no_smuggling(site: Running, line: bytes) -> None:
    """A request for another host leads nowhere but here, or is no request; two lengths are none."""
    answer = said(site, line + b"\r\nHost: gate.invalid\r\nConnection: close\r\n\r\n")

    assert status(answer) in {200, 400, 408, 0}
    assert answer.count(b"HTTP/1.1 ") <= 1 or status(answer) == 400


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.lists(
        st.one_of(
            st.binary(max_size=60),
            st.sampled_from([GET, b"POST / HTTP/1.1\r\n", b"Content-Length: 3\r\n", b"\r\n", b"abc", b"0\r\n\r\n"]),
        ),
        max_size=6,
    )
)
def test_whatever_is_sent_the_server_goes_on(site: Running, data: list[bytes]) -> None:
    """Any bytes are answered or not; the next request is."""
    with site.connect() as connection:
        connection.sendall(b"".join(data))
    assert status(said(site, request())) == 200
