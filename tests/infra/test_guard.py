"""Where our own requests may go: hosts before a request, addresses before a connection, and no second resolution."""

import socket
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto.app.ports import Unavailable, Untrusted
from lazaretto.infra.guard import Guard, NotAllowed, Resolve
from lazaretto.infra.http import HttpClient
from lazaretto.infra.redact import Secret
from lazaretto.infra.transport import Allowed, Proxies, Transport, place
from tests.infra.servers import Server, server


@pytest.fixture
def site() -> Iterator[Server]:
    """A server for one test."""
    with server() as made:
        yield made


class Names:
    """A resolver that knows what it was told, and counts: the answers of a name, one after another."""

    def __init__(self, **answers: list[list[str]]) -> None:
        self.answers = {name.replace("_", "."): list(rounds) for name, rounds in answers.items()}
        self.asked: list[str] = []

    def __call__(self, name: str, port: int, *_: object) -> list[tuple[object, ...]]:
        self.asked.append(name)
        rounds = self.answers.get(name)
        if rounds is None:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        found = rounds.pop(0) if len(rounds) > 1 else rounds[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]


def client(allowed: Allowed, resolve: Resolve) -> HttpClient:
    """Return a guarded client that does not wait between attempts."""
    return HttpClient(Transport(allowed=allowed), resolve=resolve, sleep=lambda _: None)


def test_a_registry_may_be_inside(site: Server) -> None:
    """A configured registry is asked wherever its name leads, by its name."""
    site.says("/a", b"inside")
    port = site.server_address[1]
    names = Names(registry_invalid=[["127.0.0.1"]])
    answer = client(Allowed(frozenset({f"registry.invalid:{port}"})), names).get(f"http://registry.invalid:{port}/a")

    assert answer.body == b"inside"
    assert site.requests[0][1]["host"] == f"registry.invalid:{port}"
    assert names.asked == ["registry.invalid"]


def test_a_listed_host_may_not(site: Server) -> None:
    """A host that artifacts may come from is refused, before a connection, where its name leads inside."""
    port = site.server_address[1]
    names = Names(files_invalid=[["127.0.0.1"]])
    for hosts in (frozenset({f"files.invalid:{port}"}), frozenset({"files.invalid"})):
        for scheme in ("http", "https"):
            with pytest.raises(Untrusted, match="is not asked") as caught:
                client(Allowed(frozenset(), hosts), names).get(f"{scheme}://files.invalid:{port}/a")
            assert "127.0.0.1" not in str(caught.value)
    assert site.requests == []


def test_a_redirect_is_checked_again(site: Server) -> None:
    """A registry cannot send us where we may not go: neither to another port of its own host, nor to another host."""
    port = site.server_address[1]
    here = Allowed(frozenset({f"127.0.0.1:{port}"}))
    with server() as other:
        for target in (f"{other.url}/x", "http://169.254.169.254/latest/meta-data/", "http://localhost/x"):
            url = site.says("/a", b"", 302, Location=target)
            with pytest.raises(Untrusted, match="neither a configured registry nor a host that is listed"):
                client(here, Names(**{"127_0_0_1": [["127.0.0.1"]]})).get(url)
        assert other.requests == []


def test_a_name_is_resolved_once(site: Server) -> None:
    """The connection goes to the address that was checked: a name that leads elsewhere a moment later gains nothing."""
    site.says("/a", b"inside")
    port = site.server_address[1]
    names = Names(registry_invalid=[["127.0.0.1"], ["198.51.100.1"]])
    guarded = client(Allowed(frozenset({f"registry.invalid:{port}"})), names)

    assert [guarded.get(f"http://registry.invalid:{port}/a").body for _ in range(3)] == [b"inside"] * 3
    assert names.asked == ["registry.invalid"]


def test_the_next_address_is_tried(site: Server) -> None:
    """Where nobody listens at one address, the next is connected to."""
    site.says("/a", b"second")
    port = site.server_address[1]
    names = Names(registry_invalid=[["127.0.0.2", "127.0.0.1"]])

    assert (
        client(Allowed(frozenset({f"registry.invalid:{port}"})), names).get(f"http://registry.invalid:{port}/a").body
        == b"second"
    )


def test_what_does_not_resolve_or_listen_is_unavailable() -> None:
    """A name without an address, one that is not known, and a port where nobody listens say so, as ever."""
    with server() as gone:
        port = gone.server_address[1]
    allowed = Allowed(frozenset({f"a.invalid:{port}", f"b.invalid:{port}", f"c.invalid:{port}"}))
    names = Names(a_invalid=[[]], b_invalid=[["127.0.0.1"]])

    for name in ("a", "b", "c"):
        with pytest.raises(Unavailable, match="cannot be reached"):
            client(allowed, names).get(f"http://{name}.invalid:{port}/x")


def test_a_proxy_resolves_names_itself(site: Server) -> None:
    """Through the user's own proxy listed hosts are asked, and unlisted ones are not, for nobody could check them."""
    site.says("http://files.invalid/a", b"by proxy")
    proxies = Proxies(http=Secret(site.url))
    listed = Transport(proxies=proxies, allowed=Allowed(frozenset(), frozenset({"files.invalid"})))
    anywhere = Transport(proxies=proxies, allowed=Allowed(frozenset(), None))

    assert HttpClient(listed).get("http://files.invalid/a").body == b"by proxy"
    with pytest.raises(Untrusted, match="list the hosts"):
        HttpClient(anywhere).get("http://files.invalid/a")


def reached(text: str, *, inside: bool = False, host: str = "files.invalid") -> bool:
    """Whether a connection would be made to an address."""
    upstreams = frozenset({f"{host.strip('[]')}:443"}) if inside else frozenset()
    guard = Guard(Allowed(upstreams, None), lambda *_: [(0, 0, 0, "", (text, 443))])
    try:
        return guard.addresses(host, 443) == [text]
    except NotAllowed:
        return False


PRIVATE = (
    "127.0.0.1 127.9.9.9 10.0.0.1 172.16.0.1 192.168.1.1 100.64.0.1 0.0.0.0 255.255.255.255 224.0.0.1 240.0.0.1 "
    "192.0.2.1 198.18.0.1 169.254.169.254 169.254.1.1 100.100.100.200 ::1 :: fe80::1 fe80::1%eth0 fc00::1 ff02::1 "
    "fd00:ec2::254 ::ffff:127.0.0.1 ::ffff:10.0.0.1 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 2002:7f00:1:: 2002:a00:1:: "
    "2001:db8::1 2001:0:4136:e378:8000:63bf:80ff:fffe not-an-address"
)


@pytest.mark.parametrize("text", PRIVATE.split())
def test_only_public_addresses(text: str) -> None:
    """Nothing private, shared, reserved, link-local, multicast or of a cloud, in whatever dress."""
    assert not reached(text)


@pytest.mark.parametrize("text", ["1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"])
def test_public_addresses(text: str) -> None:
    """What is public is reached."""
    assert reached(text)


@pytest.mark.parametrize(
    ("text", "host", "expected"),
    [
        ("10.0.0.1", "registry.invalid", True),
        ("127.0.0.1", "registry.invalid", True),
        ("fd12::1", "registry.invalid", True),
        ("169.254.169.254", "registry.invalid", False),
        ("169.254.1.1", "registry.invalid", False),
        ("fe80::1", "registry.invalid", False),
        ("fd00:ec2::254", "registry.invalid", False),
        ("0.0.0.0", "registry.invalid", False),
        ("169.254.1.1", "169.254.1.1", True),
        ("::1", "[::1]", True),
    ],
)
def test_a_registry_is_wherever_it_is(text: str, host: str, expected: bool) -> None:
    """A registry may be private; what a cloud keeps for its machines is only at an address that was written so."""
    assert reached(text, inside=True, host=host) is expected


def test_one_bad_address_refuses_all() -> None:
    """Who answers with a public address and one inside is not believed."""
    guard = Guard(Allowed(frozenset(), None), lambda *_: [(0, 0, 0, "", (t, 443)) for t in ("1.1.1.1", "10.0.0.1")])

    with pytest.raises(NotAllowed):
        guard.addresses("files.invalid", 443)


@given(
    host=st.sampled_from(["a.invalid", "A.invalid", "a.invalid.", "b.invalid", "[::1]", "a.invalid.b.invalid"]),
    port=st.sampled_from([80, 443, 8080]),
    scheme=st.sampled_from(["http", "https"]),
    upstreams=st.frozensets(st.sampled_from(["a.invalid:443", "::1:8080", "b.invalid:8080"])),
    hosts=st.frozensets(st.sampled_from(["a.invalid", "b.invalid:8080", "b.invalid"])),
    more=st.frozensets(st.sampled_from(["a.invalid", "b.invalid:8080", "b.invalid"])),
    proxied=st.booleans(),
)
def test_listing_less_never_permits_more(
    host: str,
    port: int,
    scheme: str,
    upstreams: frozenset[str],
    hosts: frozenset[str],
    more: frozenset[str],
    proxied: bool,
) -> None:
    """Exactly what is listed, at its port, may be asked; a shorter list never permits more."""

    def permitted(listed: frozenset[str] | None) -> bool:
        try:
            Guard(Allowed(upstreams, listed)).check_host(scheme, host, port, proxied=proxied)
        except NotAllowed:
            return False
        return True

    name = host.lower().strip("[]").rstrip(".")
    usual = port == {"http": 80, "https": 443}[scheme]
    expected = f"{name}:{port}" in upstreams | hosts or (usual and name in hosts)
    assert permitted(hosts) is expected
    assert permitted(hosts | more) >= permitted(hosts)
    assert permitted(None) is (f"{name}:{port}" in upstreams or (usual and not proxied))


def test_places() -> None:
    """An address gives the place by which it is listed."""
    assert place("https://user:x@Registry.invalid./npm/") == "registry.invalid:443"
    assert place("http://[::1]:4873") == "::1:4873"
    with pytest.raises(ValueError, match="host"):
        place("registry.invalid")
