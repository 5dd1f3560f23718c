"""Where our own requests may go: to the hosts that are allowed, and never to addresses that a page could lead us to.

An index names the addresses of its artifacts, and a server may redirect: both are foreign text. Without a guard they
could make us ask what only we can reach, such as a cloud's metadata service or a database on loopback. So the host is
checked before each request, redirects included, and the address after the name was resolved; the connection is then
made to the very address that was checked, and a name that is resolved differently a moment later (DNS rebinding)
gains nothing.
"""

import socket
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

from lazaretto.infra.transport import Allowed

Resolve = Callable[..., Sequence[tuple[Any, ...]]]
"""``socket.getaddrinfo``, or what stands for it."""

_NAT64 = ip_network("64:ff9b::/96")
_METADATA = frozenset(
    ip_address(text) for text in ("169.254.169.254", "169.254.170.2", "100.100.100.200", "fd00:ec2::254")
)
_DEFAULT_PORTS = {"http": 80, "https": 443}


class NotAllowed(Exception):
    """A request would go where it must not. The message says why, without naming an address that was found."""


class Guard:
    """Checks hosts before a request and addresses before a connection. Safe to use from several threads."""

    def __init__(self, allowed: Allowed, resolve: Resolve = socket.getaddrinfo) -> None:
        self._upstreams = frozenset(name.lower() for name in allowed.upstreams)
        self._hosts = None if allowed.hosts is None else frozenset(name.lower() for name in allowed.hosts)
        self._resolve = resolve

    def check_host(self, scheme: str, host: str, port: int, *, proxied: bool) -> None:
        """Raise NotAllowed unless a host may be asked. ``proxied``: a proxy will resolve its name."""
        name, usual = _bare(host), port == _DEFAULT_PORTS.get(scheme)
        place = f"{name}:{port}"
        if place in self._upstreams:
            return
        if self._hosts is None:
            if not usual:
                raise NotAllowed("its port is not that of the scheme, and it is none of the configured registries")
            if proxied:
                raise NotAllowed("a proxy would resolve its name unchecked: list the hosts that artifacts come from")
        elif place not in self._hosts and not (usual and name in self._hosts):
            raise NotAllowed("it is neither a configured registry nor a host that is listed for artifacts")

    def addresses(self, host: str, port: int) -> list[str]:
        """Return the addresses to connect to, in the resolver's order.

        Raises:
            NotAllowed: one of them is not to be reached; then none is, for who answers so is not to be believed.
            OSError: the name cannot be resolved.
        """
        name = _bare(host)
        inside = f"{name}:{port}" in self._upstreams
        found = list(dict.fromkeys(str(item[4][0]) for item in self._resolve(name, port, 0, socket.SOCK_STREAM)))
        if not found:
            raise OSError("the name has no address")
        for text in found:
            if not _permitted(text, inside=inside, literal=text == name):
                raise NotAllowed("its name leads to an address that is not public")
        return found


def _permitted(text: str, *, inside: bool, literal: bool) -> bool:
    """Whether an address may be connected to: a public one, or wherever a configured registry itself is.

    What a cloud tells a machine about itself is never at the end of a name, and link-local never where a registry
    is; who really means one of these writes the address.
    """
    try:
        address = _inner(ip_address(text.partition("%")[0]))
    except ValueError:
        return False
    if inside and literal:
        return True
    if address in _METADATA or address.is_link_local or address.is_multicast or address.is_unspecified:
        return False
    return inside or (address.is_global and not address.is_reserved)


def _inner(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address that an IPv6 address stands for (mapped, NAT64, 6to4, Teredo), or itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else address)


def _bare(host: str) -> str:
    return host.lower().strip("[]").rstrip(".")
