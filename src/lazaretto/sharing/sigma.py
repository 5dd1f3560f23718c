"""Rules of Sigma: a document for each sort of log in which what is to be blocked can be seen.

Every text stands in double quotes as JSON writes it, which is YAML too (YAML 1.2, 1.3), and what Sigma takes for a
wildcard is escaped.
"""

import uuid
from collections.abc import Iterator, Sequence

import msgspec

from lazaretto.core.exchange import Collection
from lazaretto.core.inert import inert
from lazaretto.core.intel import Indicator, IndicatorKind
from lazaretto.core.values import blockable

MEDIA_TYPE = "application/yaml"
SUMMARY = "rules of Sigma"

_NAMESPACE = uuid.UUID("2f2f0c39-0f7d-5a5e-9f3f-2d6a3c4b5e11")
_DIGESTS = {IndicatorKind.SHA256: "SHA256", IndicatorKind.SHA1: "SHA1", IndicatorKind.MD5: "MD5"}


def render(collection: Collection) -> str:
    """Return the documents, one after the other; a comment alone where there is nothing to look for."""
    found = list(blockable(collection))
    documents = [text for text in _documents(found, collection) if text]
    head = f"# {inert(collection.product)}: {collection.at:%Y-%m-%dT%H:%M:%SZ}\n"
    return head + "---\n".join(documents)


def _documents(found: Sequence[Indicator], collection: Collection) -> Iterator[str]:
    domains = [one.value.lower().strip("*.") for one in found if one.kind is IndicatorKind.DOMAIN]
    names = [text for domain in domains for text in (domain, f".{domain}")]
    yield _rule("names of hosts", "dns_query", "QueryName|endswith", names, collection)
    addresses = [one.value for one in found if one.kind in (IndicatorKind.IPV4, IndicatorKind.IPV6)]
    yield _rule("addresses", "network_connection", "DestinationIp", addresses, collection)
    digests = [f"{_DIGESTS[one.kind]}={one.value.upper()}" for one in found if one.kind in _DIGESTS]
    yield _rule("digests of programs", "process_creation", "Hashes|contains", digests, collection)
    paths = [one.value for one in found if one.kind is IndicatorKind.FILE_PATH and not one.value.endswith("/")]
    yield _rule("files", "file_event", "TargetFilename|endswith", paths, collection)


def _rule(what: str, category: str, field: str, values: Sequence[str], collection: Collection) -> str:
    if not values:
        return ""
    whole = "\n".join((category, *values))
    date = f"{collection.at:%Y-%m-%d}"
    lines = [
        f"title: {_text(f'Indicators of attacks on packages: {what}')}",
        f"id: {uuid.uuid5(_NAMESPACE, whole)}",
        "status: experimental",
        f"description: {_text(f'Passed on by {inert(collection.product)}.')}",
        f"date: {_text(date)}",
        "logsource:",
        f"    category: {category}",
        "detection:",
        "    selection:",
        f"        {field}:",
        *(f"            - {_text(_escaped(value))}" for value in dict.fromkeys(values)),
        "    condition: selection",
        "falsepositives:",
        "    - Whoever investigates the attack.",
        "level: high",
        "tags:",
        "    - attack.initial-access",
        "    - attack.t1195.002",
    ]
    return "\n".join(lines) + "\n"


def _escaped(value: str) -> str:
    """Return a value in which nothing is a wildcard (Sigma specification, *escaping*)."""
    return "".join(f"\\{sign}" if sign in "*?\\" else sign for sign in inert(value))


def _text(value: str) -> str:
    return msgspec.json.encode(value).decode()
