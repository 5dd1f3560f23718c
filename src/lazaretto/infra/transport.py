"""How connections are made: proxies, certificates, limits. Values only; ``http`` acts on them."""

from collections.abc import Mapping

from msgspec import Struct

from lazaretto.infra.redact import Secret


class Limits(Struct, frozen=True):
    """What one answer may cost. Times in seconds, ``total`` over all attempts and redirects."""

    max_bytes: int = 200 * 1024 * 1024
    connect: float = 10.0
    read: float = 30.0
    total: float = 120.0


class Proxies(Struct, frozen=True):
    """The proxy for each scheme of the *target*; hosts in ``bypass`` are reached directly."""

    http: Secret | None = None
    https: Secret | None = None
    bypass: tuple[str, ...] = ()

    def of(self, scheme: str, host: str, port: int) -> Secret | None:
        """Return the proxy for a target, or None for a direct connection."""
        proxy = self.https if scheme == "https" else self.http
        return None if proxy is None or bypassed(self.bypass, host, port) else proxy


class Allowed(Struct, frozen=True):
    """Where requests may go, for a client that follows addresses which others wrote (``infra.guard``).

    ``upstreams`` are the configured registries, each ``host:port``: they may be wherever they are, also inside.
    ``hosts`` are others that artifacts may come from, ``host`` (at the usual port) or ``host:port``, at public
    addresses alone; None: any host at its usual port.
    """

    upstreams: frozenset[str]
    hosts: frozenset[str] | None = frozenset()


class Transport(Struct, frozen=True):
    """What the user's own client is told about connections.

    ``ca_files`` and ``ca_data`` (PEM) replace the system's authorities, ``extra_ca_files`` are added to
    them. ``verify`` is False, and ``insecure_hosts`` (``host`` or ``host:port``) are not empty, only if the
    user's client was told so. ``allowed`` None: wherever an index or a redirect leads, as the user's client would go.
    """

    proxies: Proxies = Proxies()
    ca_files: tuple[str, ...] = ()
    ca_data: str = ""
    extra_ca_files: tuple[str, ...] = ()
    verify: bool = True
    insecure_hosts: tuple[str, ...] = ()
    allowed: Allowed | None = None


class Credentials(Struct, frozen=True):
    """What is sent to one host: the value of ``Authorization``, or a client certificate (two PEM files)."""

    authorization: Secret | None = None
    certificate: tuple[str, str] | None = None


def place(url: str) -> str:
    """Return ``host:port`` of an address, as ``Allowed`` has it. Raises ValueError if it has none."""
    from urllib.parse import urlsplit

    parsed = urlsplit(url)
    if not parsed.hostname:
        raise ValueError("an address without a host")
    return f"{parsed.hostname.rstrip('.')}:{parsed.port or (443 if parsed.scheme == 'https' else 80)}"


def basic(user: str, password: str) -> Secret:
    """Return the value of an ``Authorization`` header for a user and a password (RFC 7617)."""
    from base64 import b64encode

    return Secret("Basic " + b64encode(f"{user}:{password}".encode()).decode("ascii"))


def split_bypass(text: str | None) -> tuple[str, ...]:
    """Return the entries of a ``NO_PROXY`` text."""
    return tuple(part for part in (text or "").replace(",", " ").lower().split() if part)


def bypassed(entries: tuple[str, ...], host: str, port: int) -> bool:
    """Whether ``NO_PROXY`` names a host: itself, a parent domain, ``*``, with a port, or a network."""
    host = host.lower().strip("[]")
    for entry in entries:
        if entry == "*":
            return True
        name, colon, wanted = entry.rpartition(":")
        if colon and wanted.isdigit() and "]" not in wanted and name.count(":") == 0:
            if int(wanted) != port:
                continue
        else:
            name = entry
        name = name.removeprefix("*").strip("[]")
        bare = name.removeprefix(".")
        if bare and (host == bare or host.endswith(f".{bare}")):
            return True
        if "/" in entry and _in_network(host, entry):
            return True
    return False


def environment_proxies(env: Mapping[str, str], proxy: str | None = None, bypass: str | None = None) -> Proxies:
    """Return the proxies that a client's own setting names, or else the environment's.

    ``proxy`` is the client's setting for every target; ``bypass`` its list of exceptions.
    """
    lowered = {key.lower(): value for key, value in sorted(env.items()) if value}
    everything = lowered.get("all_proxy")
    https = proxy or lowered.get("https_proxy") or everything
    http = proxy or lowered.get("http_proxy") or everything
    return Proxies(
        http=Secret(http) if http else None,
        https=Secret(https) if https else None,
        bypass=split_bypass(bypass or lowered.get("no_proxy")),
    )


def _in_network(host: str, network: str) -> bool:
    from ipaddress import ip_address, ip_network

    try:
        return ip_address(host) in ip_network(network, strict=False)
    except ValueError:
        return False
