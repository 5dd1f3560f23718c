"""Bytes that are no request, or two, or one and a half: the server answers in HTTP or hangs up, and goes on."""

import re
import select
import socket
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.e2e.street import Upstream
from tests.e2e.witness import FRESH, HELD, OLD, OTHER, Witness

pytestmark = pytest.mark.slow

ROUNDS, AT_ONCE = 25, 25
SILENCE = 0.15
"""Seconds without a byte after which what was sent is taken for all that will be answered."""

_HEAD = re.compile(rb"HTTP/1\.1 ([1-5][0-9][0-9]) [^\r\n]*\r\n((?:[!-9;-~]+: [^\r\n\0]*\r\n)*)\r\n")
_LENGTH = re.compile(rb"(?i)content-length: ([0-9]+)\r\n")

LINES = [
    *(
        f"GET {path} HTTP/1.1".encode()
        for path in (FRESH, OLD, OTHER, HELD, "/npm/thing", "/pypi/simple/thing/", "/readyz")
    ),
    b"HEAD /npm/thing HTTP/1.1",
    b"GET http://127.0.0.1/npm/thing HTTP/1.0",
    b"GET /npm/thing/-/../-/thing-1.1.0.tgz HTTP/1.1",
    b"GET /npm/thing/-/%74hing-1.1.0.tgz?x#y HTTP/1.1",
    b"POST /npm/-/npm/v1/security/audits HTTP/1.1",
    b"POST /-/lazaretto/review/pkg:npm/thing@1.1.0 HTTP/1.1",
    b"PUT /npm/thing HTTP/1.1",
    b"OPTIONS * HTTP/1.1",
    b"CONNECT 127.0.0.1:80 HTTP/1.1",
]
HOST = b"Host: 127.0.0.1"
FIELDS = [
    HOST,
    b"Host: evil.invalid",
    b"Connection: close",
    b"Connection: keep-alive, upgrade",
    b"Upgrade: h2c",
    b"Expect: 100-continue",
    b"Content-Length: 5",
    b"Content-Length: 05, 5",
    b"Content-Length: -1",
    b"Content-Length: 99999999999999999999999",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: gzip, chunked, identity",
    b"Range: bytes=0-9",
    b"Range: bytes=-0, 5-",
    b"If-None-Match: *",
    b"Accept: application/vnd.pypi.simple.v1+json;q=nan, */*;q=1e999",
    b"Accept-Encoding: gzip;q=\xff",
    b"Authorization: Basic \xff\xfe:",
    b"Authorization: Bearer lzt_" + b"A" * 500,
    b"X-Forwarded-For: 127.0.0.1, \x01",
    b" folded: line",
    b"no colon",
    b"a" * 9000 + b": b",
]
BODIES = [
    b"",
    b"",
    b"",
    b"hello",
    b"5\r\nhello\r\n0\r\n\r\n",
    b"5;x=\xff\r\nhello\r\n0\r\nT: x\r\n\r\n",
    b"FFFFFFFFFFFFFFFFF\r\n",
    b"{",
]


def damaged(parts: tuple[bytes, list[tuple[int, bytes]]]) -> bytes:
    """Return bytes with others in the place of some of them."""
    data, places = parts
    for at, piece in places:
        cut = at % (len(data) + 1)
        data = data[:cut] + piece + data[cut + at % 3 :]
    return data


def requests() -> st.SearchStrategy[bytes]:
    """Return what is sent: requests with anything wrong, several in a row, some damaged."""
    line, body, end = st.sampled_from(LINES), st.sampled_from(BODIES), st.sampled_from([*[b"\r\n"] * 6, b"\n", b"\r"])
    some, any_of_them = (st.lists(st.sampled_from(FIELDS), max_size=most) for most in (1, 5))
    fields = st.one_of(*[some.map(lambda more: [HOST, *more])] * 3, any_of_them)
    whole = st.tuples(line, fields, end, body).map(lambda one: one[2].join([one[0], *one[1], b"", one[3]]))
    places = st.lists(st.tuples(st.integers(0, 400), st.binary(max_size=3)), max_size=3)
    row = st.lists(whole, min_size=1, max_size=3).map(b"".join)
    return st.one_of(whole, whole, row, st.tuples(row, places).map(damaged), st.binary(max_size=80))


def answers(address: tuple[str, int], sent: list[bytes]) -> list[bytes]:
    """Send each on a connection of its own, all at once, and return all that comes back."""
    got: dict[socket.socket, bytes] = {}
    poll = select.poll()
    by_number = {}
    for data in sent:
        connection = socket.create_connection(address, 10)
        got[connection] = b""
        by_number[connection.fileno()] = connection
        poll.register(connection, select.POLLIN)
        try:
            connection.sendall(data)
        except OSError:  # it was refused before its end
            continue
    last = time.monotonic()
    while by_number and time.monotonic() - last < SILENCE:
        for number, _ in poll.poll(20):
            piece = _received(by_number[number])
            got[by_number[number]] += piece
            last = time.monotonic()
            if not piece:
                poll.unregister(by_number.pop(number))
    for connection in got:
        connection.close()
    return list(got.values())


def _received(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except OSError:
        return b""


def check(answer: bytes) -> None:
    """Assert that all that came back are answers, one after another, and none of them of our own failure."""
    while answer:
        head = _HEAD.match(answer)
        assert head is not None, answer
        assert head[1] != b"500"
        length = _LENGTH.search(head[2])
        rest = answer[head.end() :]
        if length is not None and not (rest.startswith(b"HTTP/1.1 ") or not rest):  # else it was asked by HEAD
            assert len(rest) >= int(length[1]), answer
            rest = rest[int(length[1]) :]
        answer = rest


def test_whatever_bytes_are_sent(witness: Witness, upstream: Upstream) -> None:
    """Nothing but answers comes back, the held release in none of them, and no error is in the log."""
    host, _, port = witness.firewall.url.removeprefix("http://").partition(":")
    assert witness.get(HELD).status == 403
    held = upstream.data[HELD.rpartition("/")[2]]
    whole = 0

    @settings(max_examples=ROUNDS, suppress_health_check=list(HealthCheck))
    @given(sent=st.lists(requests(), min_size=AT_ONCE, max_size=AT_ONCE))
    def ask(sent: list[bytes]) -> None:
        nonlocal whole
        for answer in answers((host, int(port)), sent):
            check(answer)
            assert held not in answer
            whole += answer.startswith(b"HTTP/1.1 200 ")

    ask()
    assert whole
    witness.unharmed()
