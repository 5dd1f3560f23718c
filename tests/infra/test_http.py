"""The HTTP client against a server that misbehaves: each misdeed gives the right error, in bounded time and memory."""

import gzip
import time
from collections.abc import Iterator
from threading import Event, Thread

import pytest

from lazaretto.app.ports import NotFound, Unavailable, Untrusted
from lazaretto.infra.http import MAX_REDIRECTS, RETRIES, HttpClient
from lazaretto.infra.redact import Secret, shown, without_credentials
from lazaretto.infra.transport import Credentials, Limits, Proxies, Transport, basic, bypassed, environment_proxies
from tests.infra.servers import Handler, Server, server

SMALL = Limits(max_bytes=10_000, connect=2, read=2, total=4)


@pytest.fixture
def site() -> Iterator[Server]:
    """A server for one test."""
    with server() as made:
        yield made


@pytest.fixture
def client() -> HttpClient:
    """A client that does not wait between attempts."""
    return HttpClient(sleep=lambda _: None)


def test_a_document_arrives(site: Server, client: HttpClient) -> None:
    """Status, body and headers of an ordinary answer; the connection is used again."""
    url = site.says("/a", b"hello", Content_Type="text/plain")
    answer = client.get(url, headers={"accept": "text/plain"})

    assert (answer.status, answer.body, answer.headers["content-type"]) == (200, b"hello", "text/plain")
    assert client.get(url).body == b"hello"
    assert site.requests[0][1]["accept"] == "text/plain"


def test_a_question_is_posted_and_goes_nowhere_else(site: Server, client: HttpClient) -> None:
    """A body makes it a POST; a redirect of it is refused, whoever it leads to."""
    assert client.get(site.says("/a", b"answer"), body=b"question").body == b"answer"
    assert site.bodies == [b"question"]
    with pytest.raises(Untrusted, match="redirects a question"):
        client.get(site.says("/b", b"", 307, Location="/a"), body=b"question")
    assert site.paths() == ["/a", "/b"]


def test_gzip_is_undone(site: Server, client: HttpClient) -> None:
    """A compressed answer is given as it was before, also one of several members."""
    url = site.says("/a", gzip.compress(b"hello ") + gzip.compress(b"world"), Content_Encoding="gzip")

    assert client.get(url).body == b"hello world"


def test_chunks_are_joined(site: Server, client: HttpClient) -> None:
    """An answer without a length arrives whole."""

    def page(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n")

    site.pages["/a"] = page

    assert client.get(f"{site.url}/a").body == b"hello world"


@pytest.mark.parametrize("status", [404, 410])
def test_what_is_not_there(site: Server, client: HttpClient, status: int) -> None:
    """404 and 410 mean that it does not exist, and are not asked again."""
    url = site.says("/a", b"x", status)

    with pytest.raises(NotFound, match="does not exist"):
        client.get(url)
    assert len(site.requests) == 1


@pytest.mark.parametrize(("status", "words"), [(401, "credentials"), (403, "credentials"), (418, "418"), (451, "451")])
def test_refusals(site: Server, client: HttpClient, status: int, words: str) -> None:
    """A refusal says what to look at, and is not asked again."""
    url = site.says("/a", b"x", status)

    with pytest.raises(Unavailable, match=words):
        client.get(url)
    assert len(site.requests) == 1


def test_trouble_of_the_server_is_asked_again(site: Server) -> None:
    """5xx is asked again, after the pause that the server asks for, within bounds."""
    pauses: list[float] = []
    answers = [(503, {"Retry_After": "2"}), (500, {}), (200, {})]

    def page(handler: Handler) -> None:
        status, headers = answers.pop(0)
        handler.answer(status, b"at last", **headers)

    site.pages["/a"] = page

    assert HttpClient(sleep=pauses.append).get(f"{site.url}/a").body == b"at last"
    assert pauses == [2.0, 1.0]


def test_lasting_trouble_ends(site: Server) -> None:
    """After all attempts the error says so; a server cannot make us wait longer than our bound."""
    pauses: list[float] = []
    url = site.says("/a", b"x", 429, Retry_After="99999")

    with pytest.raises(Unavailable, match="429"):
        HttpClient(sleep=pauses.append).get(url)
    assert len(site.requests) == RETRIES + 1
    assert pauses == [10.0] * RETRIES


def test_nobody_listens(client: HttpClient) -> None:
    """A refused connection is Unavailable, with the address and what to do."""
    with server() as gone:
        url = gone.says("/a?token=abc", b"")

    with pytest.raises(Unavailable, match=r"cannot be reached.*check network") as caught:
        client.get(url)
    assert "abc" not in str(caught.value)


def test_too_large_by_promise(site: Server, client: HttpClient) -> None:
    """A length above the limit is refused before a byte is read."""
    url = site.says("/a", b"x" * 20_000)

    with pytest.raises(Untrusted, match="larger than the limit of 10000 bytes"):
        client.get(url, limits=SMALL)


def test_an_endless_body(site: Server, client: HttpClient) -> None:
    """A body that does not end is cut at the limit."""
    stop = Event()

    def page(handler: Handler) -> None:
        handler.send_response(200)
        handler.end_headers()
        handler.close_connection = True
        while not stop.is_set():
            handler.wfile.write(b"x" * 4096)

    site.pages["/a"] = page
    try:
        with pytest.raises(Untrusted, match="larger than the limit"):
            client.get(f"{site.url}/a", limits=SMALL)
    finally:
        stop.set()


def test_a_gzip_bomb(site: Server, client: HttpClient) -> None:
    """A few bytes that would become many are cut at the limit of what they become."""
    url = site.says("/a", gzip.compress(b"\0" * 5_000_000), Content_Encoding="gzip")

    with pytest.raises(Untrusted, match="larger than the limit"):
        client.get(url, limits=SMALL)


@pytest.mark.parametrize(
    ("body", "coding", "words"),
    [
        (b"not gzip", "gzip", "no gzip stream"),
        (gzip.compress(b"hello" * 100)[:-12], "gzip", "does not end"),
        (b"", "gzip", "does not end"),
        (b"x", "br", "coding 'br'"),
        (b"x", "gzip, gzip", "coding"),
    ],
)
def test_bad_encodings(site: Server, client: HttpClient, body: bytes, coding: str, words: str) -> None:
    """What is no gzip, a cut stream, or a coding that nobody asked for is not believed."""
    with pytest.raises(Untrusted, match=words):
        client.get(site.says("/a", body, Content_Encoding=coding))


def test_a_truncated_body(site: Server, client: HttpClient) -> None:
    """Fewer bytes than promised are asked for again, and then not believed."""

    def page(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100")
        handler.end_headers()
        handler.wfile.write(b"only this")
        handler.close_connection = True

    site.pages["/a"] = page

    with pytest.raises(Untrusted, match="truncated"):
        client.get(f"{site.url}/a")
    assert len(site.requests) == RETRIES + 1


def test_a_connection_that_breaks(site: Server, client: HttpClient) -> None:
    """A server that hangs up without an answer is asked again, and then Unavailable."""

    def page(handler: Handler) -> None:
        handler.close_connection = True
        handler.connection.close()

    site.pages["/a"] = page

    with pytest.raises(Unavailable, match="broke"):
        client.get(f"{site.url}/a")


@pytest.mark.parametrize("where", ["silent", "headers", "body"])
def test_a_slow_server(site: Server, client: HttpClient, where: str) -> None:
    """Silence, or headers or a body that come byte by byte, end at the time limit."""
    stop = Event()

    def page(handler: Handler) -> None:
        handler.close_connection = True
        if where == "body":
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
        if where == "headers":
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
        while not stop.wait(0.05):
            if where != "silent":
                handler.wfile.write(b"x")
                handler.wfile.flush()

    site.pages["/a"] = page
    begun = time.monotonic()
    try:
        with pytest.raises(Unavailable, match=r"in time|longer than"):
            client.get(f"{site.url}/a", limits=Limits(connect=1, read=0.4, total=0.6))
    finally:
        stop.set()
    assert time.monotonic() - begun < 3


def test_a_redirect_is_followed(site: Server, client: HttpClient) -> None:
    """A redirect leads on; the answer says where it came from."""
    site.says("/b", b"here")
    url = site.says("/a", b"", 302, Location="/b")
    answer = client.get(url)

    assert (answer.body, answer.url) == (b"here", f"{site.url}/b")


def test_a_redirect_loop(site: Server, client: HttpClient) -> None:
    """A circle of redirects ends."""
    url = site.says("/a", b"", 302, Location="/a")

    with pytest.raises(Untrusted, match="redirects more than"):
        client.get(url)
    assert len(site.requests) == MAX_REDIRECTS + 1


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://files.invalid/x", "http://[bad/", "javascript:x"])
def test_redirects_elsewhere_are_refused(site: Server, client: HttpClient, location: str) -> None:
    """A redirect to anything but the web is not followed."""
    url = site.says("/a", b"", 302, Location=location)

    with pytest.raises(Untrusted, match="redirects to"):
        client.get(url)


def test_a_redirect_without_a_target(site: Server, client: HttpClient) -> None:
    """A redirect that does not say where to is not an answer."""
    url = site.says("/a", b"", 302)

    with pytest.raises(Untrusted, match="without saying where"):
        client.get(url)


def test_credentials_stay_with_their_host(site: Server, client: HttpClient) -> None:
    """They follow a redirect on the same host and port, never one to another, not even back again."""
    credentials = Credentials(Secret("Bearer hidden"))
    with server() as other:
        site.says("/end", b"end")
        site.says("/back", b"", 302, Location=f"{site.url}/end")
        other.says("/x", b"", 302, Location=f"{site.url}/end")
        site.says("/away", b"", 302, Location=f"{other.url}/x")
        url = site.says("/a", b"", 302, Location="/away")

        client.get(url, credentials=credentials, headers={"Cookie": "c=1"})

        sent = [headers.get("authorization") for _, headers in site.requests]
        assert sent == ["Bearer hidden", "Bearer hidden", None]
        assert "authorization" not in other.requests[0][1]
        assert "cookie" not in other.requests[0][1]


def test_etag(site: Server, client: HttpClient) -> None:
    """A document that did not change is not sent again."""
    url = site.says("/a", b"", 304)
    answer = client.get(url, etag='"v1"')

    assert (answer.status, answer.body) == (304, b"")
    assert site.requests[0][1]["if-none-match"] == '"v1"'


@pytest.mark.parametrize(
    "url", ["ftp://files.invalid/a", "file:///nonexistent", "nonsense", "http://", "http://a b/", "http://[x/"]
)
def test_only_the_web(client: HttpClient, url: str) -> None:
    """What is no http or https address is refused, without a guess."""
    with pytest.raises(Untrusted):
        client.get(url)


def test_a_proxy_is_used(site: Server) -> None:
    """The whole address goes to the proxy, with its own credentials, unless the host is excepted."""
    site.says("http://far.invalid/a", b"by proxy")
    address = Secret(site.url.replace("http://", "http://user:p%40ss@"))
    answer = HttpClient(Transport(proxies=Proxies(http=address))).get("http://far.invalid/a")

    assert answer.body == b"by proxy"
    assert site.requests[0][1]["proxy-authorization"] == basic("user", "p@ss").reveal()
    direct = site.says("/a", b"direct")
    excepted = Transport(proxies=Proxies(http=Secret("http://127.0.0.1:1"), bypass=("127.0.0.1",)))
    assert HttpClient(excepted).get(direct).body == b"direct"


def test_a_bad_proxy_or_authority_says_so(site: Server) -> None:
    """A proxy that is no address, or a CA file that is not there, names itself and no secret."""
    url = site.says("/a", b"x")
    for transport, words in (
        (Transport(proxies=Proxies(http=Secret("socks5://u:hidden@proxy.invalid"))), "proxy"),
        (Transport(ca_files=("/nonexistent/ca.pem",)), "CA file /nonexistent/ca.pem"),
    ):
        with pytest.raises(Unavailable, match=words) as caught:
            HttpClient(transport, sleep=lambda _: None).get(url)
        assert "hidden" not in str(caught.value)


def test_threads_share_a_client(site: Server, client: HttpClient) -> None:
    """Several threads may ask at once; each gets its own answer."""
    bodies: dict[int, bytes] = {}
    urls = {number: site.says(f"/{number}", b"%d" % number) for number in range(12)}
    threads = [
        Thread(target=lambda number=number: bodies.__setitem__(number, client.get(urls[number]).body))
        for number in urls
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert bodies == {number: b"%d" % number for number in urls}


def test_secrets_are_not_shown() -> None:
    """A secret is not in its own text, nor in that of what holds it; equal ones are equal."""
    secret = Secret("hidden")

    assert "hidden" not in f"{secret!r} {secret} {Credentials(secret)!r} {Transport(proxies=Proxies(http=secret))!r}"
    assert (secret, hash(secret)) == (Secret("hidden"), hash(Secret("hidden")))
    assert secret != "hidden"


@pytest.mark.parametrize(
    ("url", "bare", "text"),
    [
        ("https://u:p@host.invalid/a?sig=1#f", "https://host.invalid/a?sig=1#f", "https://host.invalid/a?***"),
        ("https://host.invalid/@s/n", "https://host.invalid/@s/n", "https://host.invalid/@s/n"),
        ("https://u:p@q@host.invalid", "https://host.invalid", "https://host.invalid"),
        ("https://host.invalid/\x1b[31m", "https://host.invalid/\x1b[31m", "https://host.invalid/�[31m"),
    ],
)
def test_addresses_are_shown_without_secrets(url: str, bare: str, text: str) -> None:
    """Neither credentials nor queries, nor signs that move the cursor, reach a message."""
    assert (without_credentials(url), shown(url)) == (bare, text)
    assert len(shown("https://host.invalid/" + "a" * 999)) < 310


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        (("*",), True),
        (("host.invalid",), True),
        ((".invalid",), True),
        (("invalid",), True),
        (("*.host.invalid",), True),
        (("ost.invalid",), False),
        (("host.invalid:443",), True),
        (("host.invalid:80",), False),
        (("other.invalid",), False),
        ((), False),
    ],
)
def test_proxy_exceptions(entries: tuple[str, ...], expected: bool) -> None:
    """A host is excepted by its name, a parent domain, a port; not by a part of a word."""
    assert bypassed(entries, "HOST.invalid", 443) is expected


def test_proxy_exceptions_of_networks() -> None:
    """A network excepts its addresses, and no names."""
    assert bypassed(("192.0.2.0/24",), "192.0.2.9", 80)
    assert not bypassed(("192.0.2.0/24",), "198.51.100.1", 80)
    assert not bypassed(("192.0.2.0/24",), "host.invalid", 80)


def test_proxies_of_the_environment() -> None:
    """A client's own setting is stronger than the environment, in either case of its names."""
    env = {"HTTPS_PROXY": "http://a.invalid", "http_proxy": "http://b.invalid", "NO_PROXY": "x.invalid, .y.invalid"}
    found = environment_proxies(env)

    assert found == Proxies(Secret("http://b.invalid"), Secret("http://a.invalid"), ("x.invalid", ".y.invalid"))
    own = environment_proxies(env, "http://own.invalid", "z.invalid")
    assert own == Proxies(Secret("http://own.invalid"), Secret("http://own.invalid"), ("z.invalid",))
    assert environment_proxies({"ALL_PROXY": "http://c.invalid"}).https == Secret("http://c.invalid")
