"""How often a client may ask: a bucket of tokens for each, in bounded memory."""

from collections import OrderedDict
from ipaddress import IPv6Address, ip_network
from math import ceil

from lazaretto.core.access import Address

MAX_CLIENTS = 20_000
"""Clients that are counted at a time; beyond, the one that was silent longest is forgotten."""

_IPV6_PREFIX = 64
_ROUNDING = 1e-9  # whoever waited as told is not sent away for the last digit of a fraction


class RateLimit:
    """Each client may send ``burst`` requests at once, and ``rate`` a second for ever.

    For one event loop: nothing here waits, and nothing is locked.
    """

    def __init__(self, rate: float, burst: int, max_clients: int = MAX_CLIENTS) -> None:
        """Raises ValueError if nobody could ever ask."""
        if rate <= 0 or burst < 1 or max_clients < 1:
            raise ValueError("a rate limit needs a rate above 0 and a burst and a number of clients of at least 1")
        self._rate = rate
        self._burst = burst
        self._max = max_clients
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str, at: float) -> int:
        """Return 0 if a client may ask now, or how many seconds it must wait. ``at`` is of a monotonic clock."""
        left, since = self._buckets.get(client, (float(self._burst), at))
        left = min(float(self._burst), left + max(0.0, at - since) * self._rate)
        allowed = left >= 1 - _ROUNDING
        self._buckets[client] = (left - 1 if allowed else left, at)
        self._buckets.move_to_end(client)
        if len(self._buckets) > self._max:
            self._buckets.popitem(last=False)
        return 0 if allowed else max(1, ceil((1 - left) / self._rate))

    def __len__(self) -> int:
        return len(self._buckets)


def counted_as(address: Address | None, text: str) -> str:
    """Return what a client without a token is counted as: its address, or the IPv6 network of one subscriber."""
    if isinstance(address, IPv6Address):
        return str(ip_network((address, _IPV6_PREFIX), strict=False))
    return text
