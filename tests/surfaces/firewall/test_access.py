"""What stands before the gate: who asks, from where, for which host, how often, and how much."""

import asyncio
import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lazaretto.core.access import Scope, Token, Tokens, Viewer, address, mint
from lazaretto.infra.redact import Secret
from lazaretto.surfaces.firewall.access.credentials import MAX_AUTHORIZATION, presented
from lazaretto.surfaces.firewall.access.middleware import Access, AccessMiddleware, require, viewer_of
from lazaretto.surfaces.firewall.access.peers import MAX_FORWARDED, Peers, cleaned
from lazaretto.surfaces.firewall.access.rate import RateLimit, counted_as
from lazaretto.surfaces.firewall.access.refusal import ASGIScope, Message, Receive, Refused, Send

NOW = datetime(2030, 1, 1, tzinfo=UTC)
Headers = list[tuple[bytes, bytes]]


def token(number: int, *scopes: Scope, group: str | None = None, expires: datetime | None = None) -> tuple[str, Token]:
    """Return a token made of a number instead of chance."""
    return mint(number.to_bytes(32), f"t{number}", scopes or (Scope.READ,), NOW - timedelta(days=1), expires, group)


READER, REVIEWER = token(1, group="ci"), token(2, Scope.REVIEW)
EXPIRED = token(3, expires=NOW - timedelta(seconds=1))
TOKENS = Tokens([READER[1], REVIEWER[1], EXPIRED[1]])


async def _tokens() -> Tokens:
    return TOKENS


def scope(
    *headers: tuple[str, str], client: str | None = "192.0.2.1", host: str | None = "gate.invalid", path: str = "/npm/x"
) -> ASGIScope:
    """Return the scope of a request."""
    own = [("host", host)] if host is not None else []
    encoded = [(name.lower().encode(), value.encode("latin-1")) for name, value in [*own, *headers]]
    return {
        "type": "http",
        "method": "GET",
        "path": path,
        "scheme": "http",
        "client": (client, 4711) if client else None,
        "headers": encoded,
        "state": {"kept": 1},
    }


class Answered:
    """What came back of a request, and the scope that the application saw."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: Headers = []
        self.body = b""
        self.seen: ASGIScope | None = None
        self.told: list[Refused] = []

    @property
    def error(self) -> str:
        return str(json.loads(self.body)["error"])

    @property
    def viewer(self) -> Viewer:
        assert self.seen is not None
        return viewer_of(self.seen)


def asked(
    access: Access,
    request: ASGIScope,
    *bodies: bytes,
    needs: Scope | None = None,
    late: bool = False,
    gate: AccessMiddleware | None = None,
) -> Answered:
    """Send a request through the middleware to an application that says 200."""
    answered = Answered()
    messages = [{"type": "http.request", "body": b, "more_body": i < len(bodies)} for i, b in enumerate(bodies, 1)]

    async def app(seen: ASGIScope, receive: Receive, send: Send) -> None:
        answered.seen = seen
        if needs is not None:
            require(seen, needs)
        if late:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in bodies:
            await receive()
        if not late:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})

    async def receive() -> Message:
        return messages.pop(0)

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answered.status, answered.headers = message["status"], message["headers"]
        answered.body += message.get("body", b"")

    def told(request: ASGIScope, refused: Refused) -> None:
        answered.told.append(refused)

    middleware = AccessMiddleware(app, access, _tokens, lambda: NOW, lambda: 0.0, told)
    asyncio.run(middleware(request, receive, send))
    return answered


OPEN = Access(hosts=("gate.invalid",), anonymous=True)
CLOSED = Access(hosts=("gate.invalid",), groups={"office": ("192.0.2.0/24",)})


def basic(user: str, password: str) -> tuple[str, str]:
    """Return the header of Basic credentials."""
    return "Authorization", "Basic " + b64encode(f"{user}:{password}".encode()).decode()


def test_whoever_needs_no_token_reads() -> None:
    """Where reading is open, a request passes as one that may read, and no more."""
    answered = asked(OPEN, scope())

    assert (answered.status, answered.viewer) == (200, Viewer("192.0.2.1", scopes=frozenset({Scope.READ})))
    assert answered.seen is not None
    assert answered.seen["state"]["kept"] == 1


def test_without_a_token_nothing_is_read() -> None:
    """Where reading needs a token, the answer says so in a form that clients know."""
    answered = asked(CLOSED, scope())

    assert answered.status == 401
    assert answered.seen is None
    assert "token" in answered.error
    assert {value.split()[0] for name, value in answered.headers if name == b"www-authenticate"} == {
        b"Bearer",
        b"Basic",
    }
    assert answered.told[0].status == 401


@pytest.mark.parametrize(
    "header",
    [
        ("Authorization", f"Bearer {READER[0]}"),
        ("Authorization", f"bearer  {READER[0]} "),
        basic("anyone", READER[0]),
        basic(READER[0], ""),
        basic("__token__", READER[0]),
    ],
)
def test_a_token_is_taken_wherever_a_client_puts_it(header: tuple[str, str]) -> None:
    """As npm, pip, uv, poetry and curl send it. It goes no further."""
    answered = asked(CLOSED, scope(header))

    assert answered.status == 200
    assert answered.viewer == Viewer("192.0.2.1", "t1", "ci", frozenset({Scope.READ}))
    assert answered.seen is not None
    assert READER[0] not in repr(answered.seen)


@pytest.mark.parametrize("text", [EXPIRED[0], token(9)[0], "lzt_", "lzt_" + "A" * 500])
def test_a_bad_token_is_refused_even_where_none_is_needed(text: str) -> None:
    """A token that was revoked says so, instead of quietly being nobody; and it is not repeated."""
    for header in (("Authorization", f"Bearer {text}"), basic("x", text)):
        answered = asked(OPEN, scope(header))
        assert answered.status == 401
        assert text not in answered.body.decode().replace("a token", "") or text == "lzt_"
        assert text not in str(answered.told[0]) or text == "lzt_"


def test_scopes_are_asked_for() -> None:
    """A reader may not review; nobody may without a token; a reviewer may, and never by Basic."""
    bearer = ("Authorization", f"Bearer {REVIEWER[0]}")

    assert asked(OPEN, scope(bearer), needs=Scope.REVIEW).status == 200
    assert asked(OPEN, scope(basic("x", REVIEWER[0])), needs=Scope.REVIEW).status == 403
    assert asked(OPEN, scope(("Authorization", f"Bearer {READER[0]}")), needs=Scope.REVIEW).status == 403
    assert asked(OPEN, scope(), needs=Scope.REVIEW).status == 401
    assert asked(OPEN, scope(bearer), needs=Scope.ADMIN).status == 403


def test_what_never_passed_here_may_nothing() -> None:
    """A scope without a viewer is nobody's."""
    with pytest.raises(Refused) as caught:
        require({"type": "http"}, Scope.READ)
    assert caught.value.status == 401


def test_foreign_credentials_are_handed_on_only_if_told() -> None:
    """A token of the registry behind stays in the request if the settings say so, and counts for nothing here."""
    header = ("Authorization", "Bearer npm_abc")
    forwarding = Access(hosts=("gate.invalid",), anonymous=True, forward=True)
    for access, expected in ((OPEN, False), (forwarding, True)):
        seen = asked(access, scope(header)).seen
        assert seen is not None
        assert ((b"authorization", b"Bearer npm_abc") in seen["headers"]) is expected
    assert asked(CLOSED, scope(header)).status == 401


def test_groups_come_by_token_or_by_network() -> None:
    """The token's group goes before the network's."""
    readable = Access(hosts=("gate.invalid",), anonymous=True, groups={"office": ("192.0.2.0/24",)})

    assert asked(readable, scope()).viewer.group == "office"
    assert asked(readable, scope(client="198.51.100.1")).viewer.group is None
    assert asked(readable, scope(("Authorization", f"Bearer {READER[0]}"))).viewer.group == "ci"
    assert asked(readable, scope(("Authorization", f"Bearer {REVIEWER[0]}"))).viewer.group == "office"


@pytest.mark.parametrize("host", ["gate.invalid", "GATE.invalid", "gate.invalid:8790", "gate.invalid."])
def test_our_own_names_are_served(host: str) -> None:
    """In any case, with any port."""
    assert asked(OPEN, scope(host=host)).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "other.invalid",
        "gate.invalid.other.invalid",
        "notgate.invalid",
        "gate.invalid@other.invalid",
        "gate.invalid:80:80",
        "gate.invalid/x",
        "",
        None,
        "127.0.0.1",
        "ga te.invalid",
        "gate.invalid\x7f",
        "[::1]:80",
    ],
)
def test_other_hosts_are_not(host: str | None) -> None:
    """A name that is not ours would poison a page, or is a browser's that was led here, is refused."""
    for request in (scope(host=host), scope(("X-Forwarded-Host", str(host or "x")), client="10.0.0.1")):
        access = Access(hosts=("gate.invalid",), anonymous=True, proxies=("10.0.0.0/8",))
        answered = asked(access, request)
        assert answered.status in {400, 421}
        assert answered.seen is None


def test_a_doubled_host_is_refused() -> None:
    """Two hosts are two readers' two answers."""
    assert asked(OPEN, scope(("Host", "gate.invalid"))).status == 400


def test_a_name_with_a_port_is_that_port() -> None:
    """A configured port is compared; ``*`` takes any name that can be read."""
    with_port = Access(hosts=("gate.invalid:8790",), anonymous=True)
    anything = Access(hosts=("*",), anonymous=True)

    assert [
        asked(with_port, scope(host=h)).status for h in ("gate.invalid:8790", "gate.invalid:80", "gate.invalid")
    ] == [
        200,
        421,
        421,
    ]
    assert [asked(anything, scope(host=h)).status for h in ("a.invalid", "[2001:db8::1]:80", 'a"b')] == [200, 200, 400]


def test_open_paths_are_answered_for_everyone() -> None:
    """A balancer asks for health by address, and without a token."""
    assert asked(CLOSED, scope(host="192.0.2.9", path="/healthz")).status == 200
    assert asked(CLOSED, scope(host="192.0.2.9", path="/healthz/x")).status == 421


def forwarded(client: str | None, proxies: tuple[str, ...], *headers: tuple[str, str]) -> tuple[str, str, str]:
    """Return address, scheme and host as found for a connection."""
    peer = Peers(["*"], proxies).resolve(scope(*headers, client=client))
    return peer.text, peer.scheme, peer.host


FORWARDED = (
    ("X-Forwarded-For", "203.0.113.9, 198.51.100.7, 10.0.0.2"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Host", "public.invalid"),
)


def test_forwarded_headers_of_strangers_are_nothing() -> None:
    """Anyone may write them: without a trusted peer they change nothing."""
    assert forwarded("192.0.2.1", ("10.0.0.0/8",), *FORWARDED) == ("192.0.2.1", "http", "gate.invalid")


def test_forwarded_headers_of_trusted_peers_count() -> None:
    """The last hop that is no proxy of ours is the client; what stands before it, the client may have written."""
    assert forwarded("10.0.0.1", ("10.0.0.0/8",), *FORWARDED) == ("198.51.100.7", "https", "public.invalid")
    assert forwarded("::ffff:10.0.0.1", ("10.0.0.0/8",), *FORWARDED)[0] == "198.51.100.7"
    assert forwarded(None, ("unix", "10.0.0.0/8"), *FORWARDED)[0] == "198.51.100.7"
    assert forwarded(None, ("unix",))[0] == "unix"
    assert forwarded(None, ("10.0.0.0/8",), *FORWARDED) == ("unix", "http", "gate.invalid")
    assert forwarded("10.0.0.1", ("10.0.0.0/8",), ("X-Forwarded-For", "10.0.0.3"))[0] == "10.0.0.3"
    assert forwarded("10.0.0.1", ("10.0.0.0/8",)) == ("10.0.0.1", "http", "gate.invalid")


@pytest.mark.parametrize(
    ("hop", "expected"),
    [
        ("198.51.100.7:4711", "198.51.100.7"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("garbage, 198.51.100.7", "198.51.100.7"),
    ],
)
def test_hops_are_read_with_their_ports(hop: str, expected: str) -> None:
    """As the balancers of the field write them; what stands before the client is not looked at."""
    assert forwarded("10.0.0.1", ("10.0.0.0/8",), ("X-Forwarded-For", hop))[0] == expected


@pytest.mark.parametrize(
    "header",
    [
        ("X-Forwarded-For", "unknown"),
        ("X-Forwarded-For", "198.51.100.7, nobody"),
        ("X-Forwarded-For", ", ".join(["10.0.0.3"] * (MAX_FORWARDED + 1))),
        ("X-Forwarded-Proto", "gopher"),
    ],
)
def test_a_trusted_peer_must_be_understood(header: tuple[str, str]) -> None:
    """What a proxy of ours says and we cannot read is no reason to guess."""
    with pytest.raises(Refused):
        forwarded("10.0.0.1", ("10.0.0.0/8",), header)
    with pytest.raises(Refused):
        forwarded("10.0.0.1", ("10.0.0.0/8",), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Proto", "http"))


def test_nothing_behind_can_believe_a_header() -> None:
    """What a request claims of itself is replaced by what was found."""
    request = scope(*FORWARDED, ("Forwarded", "for=x"), ("X-Real-IP", "x"), ("Accept", "a/b"))
    peers = Peers(["*"])
    found = cleaned(request, peers.resolve(request))

    assert found["headers"] == [(b"accept", b"a/b"), (b"host", b"gate.invalid")]
    assert (found["client"], found["scheme"]) == (("192.0.2.1", 4711), "http")


@given(value=st.text(st.characters(max_codepoint=255)), name=st.sampled_from(["for", "host", "proto"]))
def test_any_forwarded_header_is_found_or_refused(value: str, name: str) -> None:
    """Whatever a proxy sends: a peer, or a refusal."""
    try:
        found = forwarded("10.0.0.1", ("10.0.0.0/8",), (f"X-Forwarded-{name}", value))
    except Refused as refused:
        assert refused.status == 400
    else:
        assert address(found[0]) is not None


@given(value=st.binary(max_size=200), doubled=st.booleans())
def test_any_credentials_are_read_or_refused(value: bytes, doubled: bool) -> None:
    """Whatever stands there: a token of ours, someone else's, or a refusal."""
    for scheme in (b"", b"Basic ", b"Bearer ", b"Basic " + b64encode(value)):
        headers = [(b"authorization", scheme + value)] * (2 if doubled else 1)
        try:
            shown = presented(headers)
        except Refused as refused:
            assert doubled or len(scheme + value) > MAX_AUTHORIZATION
            assert refused.status == 400
        else:
            assert shown.foreign is (shown.token is None)


def test_a_token_is_shown_nowhere() -> None:
    """Neither what was presented nor an error has it in its text."""
    shown = presented([(b"authorization", f"Bearer {READER[0]}".encode())])

    assert shown.token == Secret(READER[0])
    assert READER[0] not in repr(shown)


@given(
    rate=st.floats(0.1, 50),
    burst=st.integers(1, 20),
    pauses=st.lists(st.floats(0, 5), min_size=1, max_size=60),
)
def test_a_client_gets_its_rate_and_no_more(rate: float, burst: int, pauses: list[float]) -> None:
    """Over any time a client gets at most its burst and its rate; one that waits as told is let through."""
    limit, at, passed = RateLimit(rate, burst), 0.0, 0
    for pause in pauses:
        at += pause
        wait = limit.take("c", at)
        passed += wait == 0
        if wait:
            assert limit.take("c", at + wait) == 0
            passed += 1
            at += wait
    assert passed <= burst + at * rate + 1e-6


def test_the_memory_of_rates_is_bounded() -> None:
    """However many clients come, only so many are counted; a clock that stands still is no error."""
    limit = RateLimit(1, 1, max_clients=10)
    for number in range(1000):
        assert limit.take(str(number), 5.0) == 0
    assert len(limit) == 10
    assert limit.take("999", 4.0) == 1
    for bad in ((0, 1, 1), (1, 0, 1), (1, 1, 0)):
        with pytest.raises(ValueError, match="rate"):
            RateLimit(*bad)


def test_ipv6_is_counted_by_subscriber() -> None:
    """A subscriber has 2**64 addresses, and one bucket."""
    assert counted_as(address("2001:db8::1"), "x") == counted_as(address("2001:db8::2"), "y") == "2001:db8::/64"
    assert counted_as(address("192.0.2.1"), "192.0.2.1") == "192.0.2.1"


def test_too_many_requests_wait() -> None:
    """The answer says for how long; another client is not held up, nor is a token by its address."""
    access = Access(hosts=("gate.invalid",), anonymous=True, rate=0.5, burst=1)
    statuses: list[int] = []
    headers: Headers = []

    async def app(seen: ASGIScope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])
            headers.extend(message["headers"])

    async def receive() -> Message:
        raise AssertionError

    middleware = AccessMiddleware(app, access, _tokens, lambda: NOW, lambda: 0.0)
    bearer = ("Authorization", f"Bearer {READER[0]}")
    for request in (scope(), scope(), scope(client="192.0.2.2"), scope(bearer), scope(bearer, client="192.0.2.3")):
        asyncio.run(middleware(request, receive, send))

    assert statuses == [200, 429, 200, 200, 429]
    assert (b"retry-after", b"2") in headers


def test_bodies_are_bounded() -> None:
    """By their promise, before anything of them is taken, and by their bytes; an answer without them needs neither."""
    access = Access(hosts=("gate.invalid",), anonymous=True, max_body=10, max_publication=12)
    published = {"method": "PUT", "path": "/npm/thing"}

    assert asked(access, scope(("Content-Length", "11"))).status == 200
    assert asked(access, scope(("Content-Length", "11")), b"x").status == 413
    assert asked(access, scope(("Content-Length", "9" * 400)), b"x").status == 413
    assert asked(access, {**scope(("Content-Length", "12")), **published}, b"x" * 12).status == 200
    assert asked(access, {**scope(), **published}, b"x" * 13).status == 413
    assert asked(access, {**scope(("Content-Length", "12")), **published, "path": "/pypi/"}, b"x").status == 413
    assert asked(access, scope(), b"x" * 5, b"y" * 5).status == 200
    assert asked(access, scope(), b"x" * 5, b"y" * 6).status == 413
    assert asked(access, scope(("Content-Length", "11"), path="/healthz"), b"x").status == 413
    with pytest.raises(Refused):
        asked(access, scope(), b"x" * 11, late=True)


def test_a_framework_in_between_changes_nothing() -> None:
    """Starlette answers an exception by a 500 of its own: a refusal behind it is a refusal all the same."""

    async def reviewed(request: Request) -> Response:
        require(request.scope, Scope.REVIEW)
        return Response()

    async def posted(request: Request) -> Response:
        return Response(str(len(await request.body())))

    inner = Starlette(routes=[Route("/review", reviewed), Route("/post", posted, methods=["POST"])])
    middleware = AccessMiddleware(
        inner, Access(hosts=("gate.invalid",), anonymous=True, max_body=10), _tokens, lambda: NOW
    )

    def said(path: str, *headers: tuple[str, str], bodies: tuple[bytes, ...] = ()) -> tuple[int, bytes]:
        messages: list[Message] = [{"type": "http.request", "body": b, "more_body": True} for b in bodies]
        messages.append({"type": "http.request", "body": b""})
        sent: list[Message] = []

        async def receive() -> Message:
            return messages.pop(0)

        async def send(message: Message) -> None:
            sent.append(message)

        request = {**scope(*headers, path=path), "query_string": b"", "root_path": "", "http_version": "1.1"}
        request["method"] = "POST" if bodies else "GET"
        asyncio.run(middleware(request, receive, send))
        return sent[0]["status"], sent[1]["body"]

    assert said("/review") == (401, b'{"error":"this needs a token with the scope review"}')
    assert said("/review", ("Authorization", f"Bearer {READER[0]}"))[0] == 403
    assert said("/review", ("Authorization", f"Bearer {REVIEWER[0]}")) == (200, b"")
    assert said("/post", bodies=(b"x" * 6, b"y" * 6))[0] == 413
    assert said("/post", bodies=(b"x" * 10,)) == (200, b"10")


def test_head_has_no_body() -> None:
    """A refusal of HEAD is its head alone."""
    request = scope()
    request["method"] = "HEAD"
    answered = asked(CLOSED, request)

    assert (answered.status, answered.body) == (401, b"")


def test_other_kinds_of_connections() -> None:
    """The server's own messages pass; web sockets are not served."""
    seen: list[Any] = []

    async def app(request: ASGIScope, receive: Receive, send: Send) -> None:
        seen.append(request["type"])

    async def nothing(*_: Any) -> Message:
        return {}

    middleware = AccessMiddleware(app, OPEN, _tokens, lambda: NOW)
    asyncio.run(middleware({"type": "lifespan"}, nothing, nothing))  # type: ignore[arg-type]  # never called
    with pytest.raises(RuntimeError, match="websocket"):
        asyncio.run(middleware({"type": "websocket"}, nothing, nothing))  # type: ignore[arg-type]  # the same

    assert seen == ["lifespan"]


@pytest.mark.parametrize("bad", [Access(proxies=("10.0.0.0/99",)), Access(groups={"x": ("y",)}), Access(rate=0)])
def test_bad_settings_are_told_at_once(bad: Access) -> None:
    """What cannot be used is no access at all."""

    async def app(request: ASGIScope, receive: Receive, send: Send) -> None:
        raise AssertionError

    with pytest.raises(ValueError, match=r"network|rate"):
        AccessMiddleware(app, bad, _tokens, lambda: NOW)
