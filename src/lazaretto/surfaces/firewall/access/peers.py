"""Who is at the other end: the address behind the proxies that are trusted, and the host that was asked for.

``X-Forwarded-For``, ``-Proto`` and ``-Host`` count only when the connection itself comes from a listed peer, and are
taken away afterwards: nothing behind this module can believe them by mistake. The host must be one of our own names,
because addresses in pages are made from it: whoever could choose it could poison a cache, or lead a browser's names
here from elsewhere (DNS rebinding).
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from msgspec import Struct

from lazaretto.core.access import Address, Networks, address
from lazaretto.surfaces.firewall.access.refusal import ASGIScope, Refused

MAX_FORWARDED = 32
"""Most proxies that one request may have come through."""

MAX_REMEMBERED = 300
"""Longest headers about its way, in bytes, for which it is remembered who a request is from."""

MAX_HOSTS = 100
"""Hosts that are remembered as ours."""

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
UNIX = "unix"
"""How a connection over a Unix socket is listed among trusted peers; it has no address."""

_HOST = re.compile(r"(?:[a-z0-9_.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?", re.ASCII)
_CLAIMS = frozenset((b"host", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto"))
_FORWARDED = frozenset((b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"x-real-ip"))


_REPLACED = _FORWARDED | {b"host"}


class Peer(Struct, frozen=True):
    """The client's address (None: a Unix socket), as a text for the journal, and how it reached us."""

    address: Address | None
    text: str
    scheme: str
    host: str


class Peers:
    """Finds the peer of a request. ``hosts`` are names, with a port or for every port; ``*`` takes any."""

    def __init__(self, hosts: Iterable[str], proxies: Iterable[str] = ()) -> None:
        """Raises ValueError that names the proxy which is neither a network nor ``unix``."""
        listed = list(proxies)
        self._hosts = frozenset(host.lower().rstrip(".") for host in hosts)
        self._unix = UNIX in listed
        self._proxies = Networks({"trusted": [text for text in listed if text != UNIX]})
        self._remembered = lru_cache(maxsize=4096)(self._resolve)
        self._checked: set[str] = set()

    def resolve(self, scope: ASGIScope) -> Peer:
        """Return who asks. The scope is not changed.

        Raises:
            Refused: the host is missing, doubled or not ours, or a trusted proxy says what cannot be read.
        """
        client = scope.get("client")
        claims = tuple([(name, value) for name, value in scope["headers"] if name in _CLAIMS])
        told = (client[0] if client else None, scope.get("scheme", "http"), claims)
        # The same few clients say the same thousands of times.
        short = sum([len(value) for _, value in claims]) <= MAX_REMEMBERED
        return self._remembered(*told) if short else self._resolve(*told)

    def _resolve(self, client: str | None, scheme: str, claims: tuple[tuple[bytes, bytes], ...]) -> Peer:
        direct = address(client) if client else None
        text = str(direct) if direct is not None else client or UNIX
        host = _one(claims, b"host")
        if self._trusted(direct, text):
            forwarded = self._client(_all(claims, b"x-forwarded-for"), direct)
            if forwarded is not None:
                direct, text = forwarded, str(forwarded)
            scheme = _scheme(_one(claims, b"x-forwarded-proto"), scheme)
            host = _one(claims, b"x-forwarded-host") or host
        return Peer(direct, text, scheme, host)

    def check_host(self, host: str) -> None:
        """Raise Refused unless a host is one of ours."""
        if host in self._checked:
            return
        name = host.lower()
        if not _HOST.fullmatch(name):
            raise Refused(400, "the request names no host, or one that cannot be read")
        bare = name.rpartition(":")[0] if name.rpartition(":")[2].isdigit() and not name.endswith("]") else name
        if not {"*", name, bare, bare.rstrip(".")} & self._hosts:
            raise Refused(421, "this host is not served here; the address that is set in your client is another's")
        if len(self._checked) < MAX_HOSTS:
            self._checked.add(host)

    def _trusted(self, direct: Address | None, text: str) -> bool:
        return self._unix if text == UNIX else self._proxies.of(direct) is not None

    def _client(self, hops: list[str], direct: Address | None) -> Address | None:
        """Return the last hop that is no trusted proxy; whatever stands before it, anyone may have written."""
        if len(hops) > MAX_FORWARDED:
            raise Refused(400, "the request came through more proxies than can be followed")
        found = direct
        for hop in reversed(hops):
            found = address(_without_port(hop))
            if found is None:
                raise Refused(400, "a proxy names a client by something that is no address")
            if self._proxies.of(found) is None:
                break
        return found


def cleaned(scope: ASGIScope, peer: Peer) -> ASGIScope:
    """Return a scope for what comes after: client, scheme and host as found, and no header that claims them."""
    headers = [pair for pair in scope["headers"] if pair[0] not in _REPLACED]
    headers.append((b"host", peer.host.encode("latin-1")))
    port = scope["client"][1] if scope.get("client") else 0
    return {**scope, "client": (peer.text, port), "scheme": peer.scheme, "headers": headers}


def _all(claims: Iterable[tuple[bytes, bytes]], name: bytes) -> list[str]:
    """Return the parts of a header that is a list, over all its lines, in order."""
    lines = [value.decode("latin-1") for key, value in claims if key == name]
    return [part.strip() for line in lines for part in line.split(",") if part.strip()]


def _one(claims: Iterable[tuple[bytes, bytes]], name: bytes) -> str:
    """Return a header that must not come twice; empty if it does not come."""
    values = [value for key, value in claims if key == name]
    if len(values) > 1:
        raise Refused(400, f"the request has the header {name.decode()} more than once")
    return values[0].decode("latin-1").strip() if values else ""


def _scheme(forwarded: str, direct: str) -> str:
    if not forwarded:
        return direct
    if forwarded.lower() not in ("http", "https"):
        raise Refused(400, "a proxy names a scheme that is neither http nor https")
    return forwarded.lower()


def _without_port(text: str) -> str:
    """Return the address of ``192.0.2.1:80``, ``[2001:db8::1]:80`` or either without a port."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text
