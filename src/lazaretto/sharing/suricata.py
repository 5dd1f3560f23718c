"""Rules of Suricata: names that are asked for, hosts that are spoken to, addresses, paths. From what is to be blocked.

The numbers lie in the range that is kept for local rules (1,000,000 to 1,999,999), and follow from what a rule
matches, so that a rule keeps its number from one export to the next.
"""

from collections.abc import Iterator
from hashlib import sha256

from lazaretto.core.exchange import Collection
from lazaretto.core.intel import Indicator, IndicatorKind
from lazaretto.core.values import blockable
from lazaretto.outputs._quote import suricata_content, suricata_message

MEDIA_TYPE = "text/plain"
SUMMARY = "rules of Suricata"

_FIRST, _COUNT = 1_000_000, 1_000_000


def render(collection: Collection) -> str:
    """Return one rule on each line."""
    used: set[int] = set()
    lines = [f"# {collection.product}: {collection.at:%Y-%m-%dT%H:%M:%SZ}"]
    for one in blockable(collection):
        lines += [_rule(head, body, one, used) for head, body in _matches(one)]
    return "\n".join(lines) + "\n"


def _matches(one: Indicator) -> Iterator[tuple[str, str]]:
    """Yield what rules match an indicator: whom they look at, and for what."""
    if one.kind is IndicatorKind.DOMAIN:
        under = suricata_content(f".{one.value.lower().strip('*.')}")
        yield "dns $HOME_NET any -> any any", f"dns.query; dotprefix; content:{under}; nocase; endswith;"
        yield "tls $HOME_NET any -> any any", f"tls.sni; dotprefix; content:{under}; nocase; endswith;"
        yield "http $HOME_NET any -> any any", f"http.host; dotprefix; content:{under}; endswith;"
    elif one.kind in (IndicatorKind.IPV4, IndicatorKind.IPV6) and _is_address(one.value):
        yield f"ip $HOME_NET any -> {one.value.lower()} any", ""
    elif one.kind is IndicatorKind.URL and "://" in one.value:
        host, slash, path = one.value.partition("://")[2].partition("/")
        name = host.rpartition("@")[2].partition(":")[0].lower()
        if name and slash and path:
            where = f"http.host; content:{suricata_content(name)}; startswith; endswith;"
            what = f"http.uri; content:{suricata_content(slash + path)}; startswith;"
            yield "http $HOME_NET any -> any any", f"{where} {what}"


def _is_address(value: str) -> bool:
    from ipaddress import ip_address

    try:
        return str(ip_address(value)) == value.lower()
    except ValueError:
        return False


def _rule(head: str, body: str, one: Indicator, used: set[int]) -> str:
    number = int.from_bytes(sha256(f"{head}{body}".encode()).digest()[:6], "big") % _COUNT
    while number in used:
        number = (number + 1) % _COUNT
    used.add(number)
    source = one.sources[0].name if one.sources else "an import"
    message = suricata_message(f"Lazaretto {one.kind} {one.value[:120]} ({source[:60]})")
    matched = f" {body}" if body else ""
    return f"alert {head} (msg:{message};{matched} classtype:trojan-activity; sid:{_FIRST + number}; rev:1;)"
