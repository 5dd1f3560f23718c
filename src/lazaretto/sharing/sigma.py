"""Rules of Sigma: a document for each sort of log in which what is to be blocked can be seen.

Every text stands in double quotes as JSON writes it, which is YAML too (YAML 1.2, 1.3), and what Sigma takes for a
wildcard is escaped.
"""

import re
import uuid
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from lazaretto.core.exchange import Collection
from lazaretto.core.hive.spots import HiveKind, NoSpot, spots, with_data
from lazaretto.core.host import where_it_lies
from lazaretto.core.inert import inert
from lazaretto.core.intel import Indicator, IndicatorKind
from lazaretto.core.values import blockable

MEDIA_TYPE = "application/yaml"
SUMMARY = "rules of Sigma"

_NAMESPACE = uuid.UUID("2f2f0c39-0f7d-5a5e-9f3f-2d6a3c4b5e11")
_STARS = re.compile(r"\*+")
_ROOTS = {
    HiveKind.SOFTWARE: r"\\SOFTWARE\\",
    HiveKind.SYSTEM: r"\\SYSTEM\\",
    HiveKind.SAM: r"\\SAM\\",
    HiveKind.SECURITY: r"\\SECURITY\\",
    HiveKind.CLASSES: r"_Classes\\",
}
"""What stands in a log before the names in a hive; those of a user stand behind an identifier."""

_DIGESTS = {IndicatorKind.SHA256: "SHA256", IndicatorKind.SHA1: "SHA1", IndicatorKind.MD5: "MD5"}


def render(collection: Collection) -> str:
    """Return the documents, one after the other; a comment alone where there is nothing to look for."""
    found = list(blockable(collection))
    documents = [text for text in _documents(found, collection) if text]
    head = f"# {inert(collection.product)}: {collection.at:%Y-%m-%dT%H:%M:%SZ}\n"
    return head + "---\n".join(documents)


def _documents(found: Sequence[Indicator], collection: Collection) -> Iterator[str]:
    domains = [_escaped(one.value.lower().strip("*.")) for one in found if one.kind is IndicatorKind.DOMAIN]
    names = {"QueryName": domains, "QueryName|endswith": [f".{domain}" for domain in domains]}
    yield _rule("names of hosts", "dns_query", names, collection)
    addresses = [_escaped(one.value) for one in found if one.kind in (IndicatorKind.IPV4, IndicatorKind.IPV6)]
    yield _rule("addresses", "network_connection", {"DestinationIp": addresses}, collection)
    digests = [f"{_DIGESTS[one.kind]}={one.value.upper()}" for one in found if one.kind in _DIGESTS]
    yield _rule("digests of programs", "process_creation", {"Hashes|contains": digests}, collection)
    paths = [text for one in found if one.kind is IndicatorKind.FILE_PATH for text in _ends(one)]
    yield _rule("files", "file_event", {"TargetFilename|endswith": paths}, collection)
    entries = [text for one in found if one.kind is IndicatorKind.REGISTRY_VALUE for text in _entries(one)]
    yield _rule("entries of the registry", "registry_event", {"TargetObject|endswith": entries}, collection)


def _ends(one: Indicator) -> Iterator[str]:
    """Yield what the path of such a file ends with in a log: there no variable stands for a folder, and no ``~``."""
    windows = "\\" in one.value or one.value.startswith("%")
    for pattern in where_it_lies(one):
        for sign in ("\\\\",) if windows else ("/", "\\\\") if pattern.deep else ("/",):
            if not pattern.folder:
                yield sign + sign.join("*".join(map(_escaped, _STARS.split(part))) for part in pattern.parts)


def _entries(one: Indicator) -> Iterator[str]:
    """Yield what a key or value ends with in a log, whatever its root is called there; none whose data matters."""
    try:
        places = spots(one.value) if not with_data(one.value)[1] else ()
    except NoSpot:
        return
    for place in places:
        head = _ROOTS.get(place.hive, "\\\\")
        plain = place.names[-1] and not any("[" in name for name in place.names)
        if plain and not place.data and (len(place.names) > 1 or place.hive in _ROOTS):
            yield head + "\\\\".join("*".join(map(_escaped, _STARS.split(name))) for name in place.names)


def _rule(what: str, category: str, fields: Mapping[str, Sequence[str]], collection: Collection) -> str:
    """Return a rule that is met if one of the fields has one of its values, which are written as Sigma reads them."""
    fields = {field: list(dict.fromkeys(values)) for field, values in fields.items() if values}
    if not fields:
        return ""
    whole = "\n".join((category, *(value for values in fields.values() for value in values)))
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
    ]
    selections = [f"selection{number or ''}" for number in range(len(fields))]
    for selection, (field, values) in zip(selections, fields.items(), strict=True):
        lines += [f"    {selection}:", f"        {field}:", *(f"            - {_text(value)}" for value in values)]
    lines += [
        f"    condition: {' or '.join(selections)}",
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
