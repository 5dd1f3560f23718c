"""MISP: events with their attributes, and the clusters of a galaxy of threat actors.

What a community marks for detection (``to_ids``) is taken for what its kind is usually good for; the rest is reference.
Our own exports carry what MISP has no field for in tags of the namespace ``lazaretto``.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

from lazaretto.core.advisory import FeedError
from lazaretto.core.exchange import Told, Unread, stricter, usual_use
from lazaretto.core.hive import spots
from lazaretto.core.intel import Alias, Confidence, Indicator, IndicatorKind, IntrusionSet, Source, Tlp, Use
from lazaretto.core.values import refused
from lazaretto.feeds._json import MAX_VALUE, day, decoded, fields, instant, items, printable, text, texts
from lazaretto.feeds._values import CONFIDENCES, KINDS, USES, tlp_of, values

URL = "https://www.misp-project.org/feeds/"
LICENCE = "of each feed and event; MISP galaxies: CC0-1.0 or BSD-2-Clause"
MAX_AGE = timedelta(days=7)

MAX_ATTRIBUTES = 2_000_000
_TYPES = {
    "domain": IndicatorKind.DOMAIN,
    "hostname": IndicatorKind.DOMAIN,
    "ip": IndicatorKind.IPV4,
    "ip-dst": IndicatorKind.IPV4,
    "ip-src": IndicatorKind.IPV4,
    "url": IndicatorKind.URL,
    "link": IndicatorKind.URL,
    "uri": IndicatorKind.URI_PATH,
    "port": IndicatorKind.PORT,
    "email": IndicatorKind.EMAIL,
    "email-src": IndicatorKind.EMAIL,
    "email-dst": IndicatorKind.EMAIL,
    "github-username": IndicatorKind.ACCOUNT,
    "md5": IndicatorKind.MD5,
    "sha1": IndicatorKind.SHA1,
    "sha256": IndicatorKind.SHA256,
    "sha512": IndicatorKind.SHA512,
    "filename": IndicatorKind.FILE_PATH,
    "regkey": IndicatorKind.REGISTRY_VALUE,
    "mutex": IndicatorKind.MUTEX,
    "user-agent": IndicatorKind.USER_AGENT,
    "btc": IndicatorKind.WALLET,
    "xmr": IndicatorKind.WALLET,
    "ssh-fingerprint": IndicatorKind.HOST_KEY,
    "pattern-in-file": IndicatorKind.STRING,
    "campaign-id": IndicatorKind.CAMPAIGN_ID,
    "vulnerability": IndicatorKind.ADVISORY,
}
_REGISTRY = "regkey|value"
_DEGREES = {"high": Confidence.HIGH, "moderate": Confidence.MEDIUM, "low": Confidence.LOW}
_CONFIDENCE = "estimative-language:confidence-in-analytic-judgment="
_OWN = "lazaretto:"
_QUOTED = re.compile(r'[a-z-]+="(.*)"', re.DOTALL)

Items = Iterator[Indicator | IntrusionSet | Unread]


def claims(data: bytes) -> int:
    """Return how much it looks like an event, or like the clusters of a galaxy."""
    head = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not head.startswith((b"{", b"[")):
        return 0
    return 4 if b'"Attribute"' in data or (b'"values"' in data and b'"meta"' in data) else 0


def read(data: bytes, told: Told) -> Items:
    """Yield what events or a galaxy say, and what of it was not taken.

    Raises:
        FeedError: it is neither.
    """
    document = decoded(data)
    if isinstance(fields(document).get("values"), list):
        yield from _galaxy(document, told)
        return
    listed = document if isinstance(document, list) else items(fields(document).get("response")) or [document]
    events = [fields(one).get("Event", one) for one in listed]
    if not any("Attribute" in fields(one) or "Object" in fields(one) for one in events):
        raise FeedError("document", "holds no event with attributes, and no galaxy")
    for number, event in enumerate(events, 1):
        if isinstance(event, dict):
            yield from _event(f"event {number}", event, told)
        else:
            yield Unread(f"event {number}", "is no object")


def _event(place: str, event: dict[str, Any], told: Told) -> Items:
    whole = set(_tags(event))
    maker = text(fields(event.get("Orgc")).get("name")) or told.source.name
    source = Source(maker, told.source.url, day(event.get("date")), told.source.licence)
    parts = [("", event), *((f" object {n}", fields(one)) for n, one in enumerate(items(event.get("Object")), 1))]
    for inner, part in parts:
        for number, one in enumerate(items(part.get("Attribute"))[:MAX_ATTRIBUTES], 1):
            where = f"{place}{inner} attribute {number}"
            if not isinstance(one, dict):
                yield Unread(where, "is no object")
            elif one.get("deleted") is True:
                yield Unread(where, "was deleted", broken=False)
            else:
                yield from _attribute(where, _whole(one, part), whole, source, told)
    for cluster in (one for galaxy in items(event.get("Galaxy")) for one in items(fields(galaxy).get("GalaxyCluster"))):
        if text(fields(cluster).get("type")) in ("threat-actor", "mitre-intrusion-set"):
            yield _actor(fields(cluster), "MISP galaxy", told)


def _attribute(place: str, one: dict[str, Any], whole: set[str], source: Source, told: Told) -> Items:
    own = {**_own(whole), **_own(_tags(one))}
    tags = whole | set(_tags(one))
    named, value = text(one.get("type"), 60), text(one.get("value"), MAX_VALUE + 1)
    found = list(_typed(KINDS.get(own.get("kind", "")), named, value))
    if not found:
        known = named.partition("|")[0] in _TYPES
        reason = "has no value" if known else "of no use here"
        yield Unread(place, f"is of type {printable(named)!r}: {reason}", broken=known)
    for kind, plain in found:
        use = USES.get(own.get("use", ""), usual_use(kind) if one.get("to_ids") is True else Use.REFERENCE)
        reason = "is empty or too long" if not 0 < len(plain) <= MAX_VALUE else refused(kind, plain, use)
        if reason:
            yield Unread(place, f"{printable(plain[:60])!r} {reason}")
            continue
        degree = next((tag[len(_CONFIDENCE) :].strip('"') for tag in tags if tag.startswith(_CONFIDENCE)), "")
        yield told.applied(
            Indicator(
                kind=kind,
                value=plain,
                use=use,
                confidence=CONFIDENCES.get(own.get("confidence", ""), _DEGREES.get(degree, Confidence.UNKNOWN)),
                context=text(one.get("comment")),
                campaign=own.get("campaign", ""),
                sources=tuple(_sources(tags)) or (source,),
                tlp=_tlp(tags),
                valid_from=instant(own.get("valid-from")),
                valid_until=instant(own.get("valid-until")),
            )
        )


def _whole(one: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """Return an attribute; the key of a *registry-key* object with the name and data that stand beside it.

    The key alone would say less than the object: often one that every Windows has.
    """
    if text(one.get("type")) != "regkey" or part.get("name") != "registry-key":
        return one
    beside = {
        text(other.get("object_relation")): text(other.get("value"))
        for other in items(part.get("Attribute"))
        if isinstance(other, dict) and other.get("deleted") is not True
    }
    whole = spots.written(text(one.get("value"), MAX_VALUE), beside.get("name", ""), beside.get("data", ""))
    return {**one, "value": whole, "type": _REGISTRY if beside.get("data") else "regkey"}


def _typed(own: IndicatorKind | None, named: str, value: str) -> Iterator[tuple[IndicatorKind, str]]:
    """Yield the values of an attribute; one of two types (``filename|sha256``) has two."""
    if own is not None:
        yield own, value
        return
    if named == _REGISTRY:  # the key, and the data of a value below it: each alone would say less, or too much
        yield IndicatorKind.REGISTRY_VALUE, value
        return
    for part, piece in zip(named.split("|"), value.split("|"), strict=False):
        kind = _TYPES.get(part)
        if kind is IndicatorKind.IPV4 and "/" in piece:
            yield IndicatorKind.CIDR, piece
        elif kind is not None and not (part == "port" and "|" in named):
            yield from values(kind, piece)


def _tags(one: dict[str, Any]) -> Iterator[str]:
    return (text(fields(tag).get("name")) for tag in items(one.get("Tag")))


def _own(tags: Iterator[str] | set[str]) -> dict[str, str]:
    """Return what our own tags say, by their predicate; there may be several sources, which are read apart."""
    found = {}
    for tag in tags:
        if tag.startswith(_OWN) and (quoted := _QUOTED.fullmatch(tag[len(_OWN) :])) is not None:
            found[tag[len(_OWN) :].partition("=")[0]] = unquote(quoted.group(1))
    return found


def _sources(tags: set[str]) -> Iterator[Source]:
    for tag in sorted(tags):
        if tag.startswith(f'{_OWN}source="'):
            parts = [unquote(part) for part in tag[len(_OWN) + 8 : -1].split(" ")]
            if len(parts) == 5 and parts[1]:
                yield Source(parts[1], parts[2], day(parts[3]), parts[4])


def _tlp(tags: set[str]) -> Tlp:
    found = Tlp.CLEAR
    for tag in tags:
        if tag.lower().startswith("tlp:"):
            found = stricter(found, tlp_of(tag) or Tlp.AMBER)
    return found


def _galaxy(galaxy: dict[str, Any], told: Told) -> Items:
    kind = text(galaxy.get("type"), 60)
    if kind not in ("threat-actor", "mitre-intrusion-set", "microsoft-activity-group"):
        yield Unread("galaxy", f"is of type {printable(kind)!r}, of no use here", broken=False)
        return
    source = text(galaxy.get("name")) or "MISP galaxy"
    for number, one in enumerate(items(galaxy.get("values")), 1):
        if text(fields(one).get("value")):
            yield _actor(fields(one), source, told)
        else:
            yield Unread(f"cluster {number}", "has no value")


def _actor(one: dict[str, Any], source: str, told: Told) -> IntrusionSet:
    """Return the intrusion set of a cluster. Who gave which name it does not say, so its names are nobody's."""
    meta = fields(one.get("meta"))
    licence = told.source.licence
    cited = tuple(Source(source, url, None, licence) for url in texts(meta.get("refs")))
    return IntrusionSet(
        id=text(one.get("uuid")) or text(one.get("value")),
        name=text(one.get("value")),
        aliases=tuple(Alias(name) for name in texts(meta.get("synonyms"))),
        motives=tuple(_several(meta.get("motive"))),
        targets=tuple(_several(meta.get("targeted-sector"))) + tuple(_several(meta.get("cfr-suspected-victims"))),
        sources=cited or (Source(source, told.source.url, None, licence),),
        note=text(one.get("description")),
    )


def _several(value: object) -> Iterator[str]:
    yield from ([value] if isinstance(value, str) else texts(value))
