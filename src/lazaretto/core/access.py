"""Who asks, and what they may: tokens that are kept as hashes only, scopes, and groups by network.

A token is 32 random bytes behind a prefix that scanners of leaked secrets can look for. That much chance needs no
slow hash: nobody guesses it, and one SHA-256 for each request is cheap.
"""

from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256
from hmac import compare_digest
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from msgspec import Struct

from lazaretto.core.names import Digest

TOKEN_PREFIX = "lzt_"  # noqa: S105 - what every token starts with is no secret
TOKEN_BYTES = 32
OIDC_PREFIX = "oidc:"
"""How the names begin under which holders of other issuers' tokens are written down."""
MAX_TOKEN = 128
"""Longest text that is looked at as a token, in characters."""
MAX_ADDRESS = 128
"""Longest text that is looked at as an address, in characters; the longest one has 45, and a zone."""

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class Scope(StrEnum):
    """What may be done: install through the gate, decide about what is held, change who may; and publish."""

    READ = "read"
    REVIEW = "review"
    ADMIN = "admin"
    PUBLISH = "publish"

    @property
    def implies(self) -> "frozenset[Scope]":
        """This scope and all that it includes: who may change who may decide, may decide.

        To publish, with the firewall's own credentials, is part of no other: it is asked for by its name.
        """
        if self is Scope.PUBLISH:
            return frozenset((Scope.READ, Scope.PUBLISH))
        everything = list(Scope)
        return frozenset(everything[: everything.index(self) + 1])


class Passing(StrEnum):
    """What becomes of a client that publishes or logs in: refused, or passed on to the one registry that it is for.

    Passed on with the client's own credentials (``THROUGH``), or with ours in their place (``REPLACE``).
    """

    REFUSE = "refuse"
    THROUGH = "pass"
    REPLACE = "replace"


class Token(Struct, frozen=True):
    """A token as it is kept: never its text. ``expires`` None: until it is revoked. ``group`` has its own policy."""

    name: str
    hash: Digest
    scopes: frozenset[Scope]
    created: datetime
    expires: datetime | None = None
    group: str | None = None

    def valid(self, now: datetime) -> bool:
        """Whether it has not expired."""
        return self.expires is None or now < self.expires

    @property
    def grants(self) -> frozenset[Scope]:
        """Its scopes, with what they include."""
        return frozenset().union(*(scope.implies for scope in self.scopes))


class Viewer(Struct, frozen=True):
    """Whoever asks: the address (of the client, not of a proxy), the token's name, the group, and what they may."""

    address: str
    token: str | None = None
    group: str | None = None
    scopes: frozenset[Scope] = frozenset()

    def may(self, scope: Scope) -> bool:
        """Whether this is within what they may."""
        return scope in self.scopes

    @property
    def client(self) -> str:
        """The name by which they are written down: the token's, or else the address."""
        return self.address if self.token is None else f"token:{self.token}"


def mint(
    random: bytes,
    name: str,
    scopes: Iterable[Scope],
    created: datetime,
    expires: datetime | None = None,
    group: str | None = None,
) -> tuple[str, Token]:
    """Return a new token's text, to be shown once, and what is kept of it.

    Args:
        random: 32 bytes of chance, from a source fit for secrets.
        name: by which people know it.
        scopes: at least one.
        created: now.
        expires: from when on it is no longer valid.
        group: whose policy it has.

    Raises:
        ValueError: too little chance, no scope, no name, or an end before the beginning.
    """
    granted = frozenset(scopes)
    if len(random) != TOKEN_BYTES:
        raise ValueError(f"a token is made of {TOKEN_BYTES} random bytes")
    if not name or len(name) > MAX_TOKEN or not name.isprintable():
        raise ValueError("a token needs a name of printable characters")
    if name.startswith(OIDC_PREFIX):
        raise ValueError(f"{OIDC_PREFIX} begins the names of those whose tokens others have written")
    if not granted:
        raise ValueError("a token needs a scope")
    if expires is not None and expires <= created:
        raise ValueError("a token must not have expired before it is made")
    text = TOKEN_PREFIX + urlsafe_b64encode(random).rstrip(b"=").decode()
    return text, Token(name, hash_of(text), granted, created, expires, group)


def hash_of(text: str) -> Digest:
    """Return the hash by which a token is kept."""
    return Digest(f"sha256:{sha256(text.encode('utf-8', 'surrogateescape')).hexdigest()}")


class Tokens:
    """All tokens that are not revoked, ready to be looked up."""

    def __init__(self, tokens: Iterable[Token], ended: Mapping[str, datetime] | None = None) -> None:
        """``ended`` has the holders of tokens of others that were revoked, and when that was last done."""
        self._ended = ended or {}
        self._by_start: dict[str, list[Token]] = {}
        for token in tokens:
            self._by_start.setdefault(token.hash[:_START], []).append(token)

    def find(self, text: str, now: datetime) -> Token | None:
        """Return the token with this text, or None if there is none or it has expired.

        Hashes are compared in constant time. The start by which they are looked up tells nothing that could be used:
        nobody can choose a text by its hash.
        """
        if len(text) > MAX_TOKEN:
            return None
        wanted = hash_of(text)
        found = None
        for token in self._by_start.get(wanted[:_START], ()):
            if compare_digest(token.hash, wanted):
                found = token
        return found if found is not None and found.valid(now) else None

    def revoked(self, holder: str, issued: datetime) -> bool:
        """Whether a token that another has written for this holder was revoked. One that came later counts again."""
        at = self._ended.get(holder)
        return at is not None and issued <= at


_START = len("sha256:") + 8


class Networks:
    """Names of networks, looked up by address: the smallest network that holds it counts."""

    def __init__(self, networks: Mapping[str, Iterable[str]]) -> None:
        """Raises ValueError that names the network which is none."""
        pairs = [(network(text), name) for name, texts in networks.items() for text in texts]
        self._networks = sorted(pairs, key=lambda pair: -pair[0].prefixlen)

    def of(self, address: Address | None) -> str | None:
        """Return the name of the smallest network that an address is in, or None."""
        if address is None:
            return None
        return next((name for one, name in self._networks if address in one), None)


def address(text: str) -> Address | None:
    """Return an address, or None if the text is none. IPv4 written as IPv6 is IPv4; a zone is left out."""
    return _address(text) if len(text) <= MAX_ADDRESS else None


@lru_cache(maxsize=4096)  # the same few clients ask thousands of times
def _address(text: str) -> Address | None:
    try:
        found = ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def network(text: str) -> Network:
    """Return a network, written with or without its length. Raises ValueError."""
    try:
        return ip_network(text.strip(), strict=False)
    except ValueError:
        raise ValueError(f"{text!r} is no network; write 192.0.2.0/24, 2001:db8::/32 or one address") from None
