"""STIX 2.0 and 2.1 bundles, and what a TAXII 2.1 collection gives: indicators, campaigns, those behind them.

A pattern is taken apart into the values that it compares (``_stix_pattern``); one that says more than values is told
as not read. Of several versions of an object the latest counts (STIX 2.1, 3.6), and one that is revoked is no longer
held true. A marking that is not known makes nothing freer: it counts as *amber*.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from lazaretto.core.advisory import FeedError
from lazaretto.core.exchange import Told, Unread, purl_of, stricter, usual_use
from lazaretto.core.hive import spots
from lazaretto.core.intel import Alias, Campaign, Confidence, Indicator, IndicatorKind, IntrusionSet, Source, Tlp, Use
from lazaretto.core.stix import EXTENSION, OLD_MARKINGS, PATHS, TLP_EXTENSION, TLP_MARKINGS, confidence_of
from lazaretto.core.values import refused, wrong
from lazaretto.feeds._json import MAX_VALUE, day, decoded, fields, instant, items, plain, printable, text, texts
from lazaretto.feeds._stix_pattern import Comparison, PatternError, alternatives
from lazaretto.feeds._values import CONFIDENCES, KINDS, USES, tlp_of

URL = "https://docs.oasis-open.org/cti/stix/v2.1/stix-v2.1.html"
LICENCE = "of each bundle"
MAX_AGE = timedelta(days=7)

MAX_OBJECTS = 1_000_000
_BAD = frozenset(("malicious-activity", "compromised", "anomalous-activity", "attribution"))
_ACTORS = ("intrusion-set", "threat-actor")
_REGISTRY = "windows-registry-key:"
_INDEX = re.compile(r"\[[^\]]*\]")
_ENTRY = frozenset(("key", "values.name", "values.data", "values.data_type"))
_MARKINGS = {identifier: tlp for tlp, identifier in TLP_MARKINGS.items()} | OLD_MARKINGS
_OWN_TYPES = frozenset(("identity", "marking-definition", "extension-definition", "relationship"))

Object = dict[str, Any]
Items = Iterator[Indicator | Campaign | IntrusionSet | Unread]


def claims(data: bytes) -> int:
    """Return how much it looks like an object with a list of objects that have types."""
    head = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    return 3 if head.startswith(b"{") and b'"objects"' in data and b'"type"' in data else 0


def read(data: bytes, told: Told) -> Items:
    """Yield what a bundle says, and what of it was not taken.

    Raises:
        FeedError: it is no bundle.
    """
    bundle = decoded(data)
    objects = bundle.get("objects") if isinstance(bundle, dict) else None
    if not isinstance(objects, list):
        raise FeedError("document", "is no bundle: it has no list of objects")
    if len(objects) > MAX_OBJECTS:
        raise FeedError("objects", f"are more than {MAX_OBJECTS}")
    latest, unread = _latest(objects)
    yield from unread
    yield from _Bundle(latest, told).items()


def _latest(objects: list[Any]) -> tuple[dict[str, tuple[str, Object]], list[Unread]]:
    """Return the latest version of each object, with its place, and what is none."""
    found: dict[str, tuple[str, Object]] = {}
    unread = []
    for number, one in enumerate(objects, 1):
        place = f"object {number}"
        identifier = one.get("id") if isinstance(one, dict) else None
        if not isinstance(identifier, str) or not isinstance(one.get("type"), str):
            unread.append(Unread(place, "has no type and identifier"))
            continue
        known = found.get(identifier)
        if known is None or text(known[1].get("modified")) <= text(one.get("modified")):
            found[identifier] = (f"{place} {printable(identifier[:80])}", one)
    return found, unread


class _Bundle:
    """The objects of one bundle, by identifier, and what connects them."""

    def __init__(self, objects: Mapping[str, tuple[str, Object]], told: Told) -> None:
        self._objects = objects
        self._told = told
        self._campaigns: dict[str, str] = {}
        for _, one in objects.values():
            source, target = text(one.get("source_ref")), text(one.get("target_ref"))
            if one["type"] == "relationship" and target.startswith("campaign--"):
                self._campaigns.setdefault(source, target)

    def items(self) -> Items:
        passed: Counter[str] = Counter()
        for place, one in self._objects.values():
            kind = one["type"]
            if one.get("revoked") is True:
                yield Unread(place, "is revoked", broken=False)
            elif kind == "indicator":
                yield from self._indicator(place, one)
            elif kind == "note" and EXTENSION in fields(one.get("extensions")):
                yield from self._own(place, one)
            elif kind == "campaign":
                yield from self._campaign(place, one)
            elif kind in _ACTORS:
                yield self._actor(one)
            elif kind not in _OWN_TYPES:
                passed[printable(kind[:40])] += 1
        for kind, count in sorted(passed.items()):
            yield Unread("objects", f"{count} of type {kind} are of no use here", broken=False)

    def _indicator(self, place: str, one: Object) -> Iterator[Indicator | Unread]:
        if EXTENSION in fields(one.get("extensions")):
            yield from self._own(place, one)
            return
        if one.get("pattern_type", "stix") != "stix":
            yield Unread(place, f"its pattern is of type {printable(text(one.get('pattern_type'), 40))}", broken=False)
            return
        try:
            compared = alternatives(text(one.get("pattern"), 1 << 20))
        except PatternError as error:
            yield Unread(place, plain(error))
            return
        for comparisons in compared:
            for kind, value in _values(comparisons):
                if kind is None:
                    yield Unread(place, value)
                else:
                    yield self._made(one, kind, value)

    def _made(self, one: Object, kind: IndicatorKind, value: str) -> Indicator:
        """Return an indicator of another's making."""
        labels = {*texts(one.get("indicator_types")), *texts(one.get("labels"))}
        use = usual_use(kind)
        if "benign" in labels:
            use = Use.KNOWN_GOOD
        elif labels and not labels & _BAD:
            use = Use.HUNT
        return self._told.applied(
            Indicator(
                kind=kind,
                value=value,
                use=use,
                confidence=confidence_of(one.get("confidence")),
                context=text(one.get("description")) or text(one.get("name")),
                campaign=self._named(self._campaigns.get(text(one.get("id")), "")),
                sources=(self._source(one),),
                tlp=self._tlp(one),
                valid_from=instant(one.get("valid_from")),
                valid_until=instant(one.get("valid_until")),
            )
        )

    def _own(self, place: str, one: Object) -> Iterator[Indicator | Unread]:
        """Yield an indicator of our own making, as it was when it left."""
        own = fields(fields(one.get("extensions")).get(EXTENSION))
        kind, value = KINDS.get(text(own.get("kind"))), text(own.get("value"), MAX_VALUE)
        use = USES.get(text(own.get("use")))
        if kind is None or use is None or not value:
            yield Unread(place, "its kind, value or use is missing")
            return
        if reason := refused(kind, value, use):
            yield Unread(place, reason)
            return
        yield self._told.applied(
            Indicator(
                kind=kind,
                value=value,
                use=use,
                confidence=CONFIDENCES.get(text(own.get("confidence")), Confidence.UNKNOWN),
                context=text(own.get("context")),
                campaign=text(own.get("campaign")),
                sources=tuple(_sources(own.get("sources"))) or (self._told.source,),
                tlp=self._tlp(one),
                valid_from=instant(own.get("valid_from")),
                valid_until=instant(own.get("valid_until")),
            )
        )

    def _campaign(self, place: str, one: Object) -> Iterator[Campaign | Unread]:
        first = day(one.get("first_seen")) or day(one.get("created"))
        if first is None:
            yield Unread(place, "tells no time")
            return
        yield Campaign(
            id=text(one.get("id")),
            name=text(one.get("name")),
            first_seen=first,
            last_seen=day(one.get("last_seen")),
            sources=(self._source(one),),
            confidence=confidence_of(one.get("confidence")),
            note=text(one.get("description")),
        )

    def _actor(self, one: Object) -> IntrusionSet:
        source = self._source(one)
        motives = [text(one.get("primary_motivation")), *texts(one.get("secondary_motivations"))]
        return IntrusionSet(
            id=text(one.get("id")),
            name=text(one.get("name")),
            aliases=tuple(Alias(name, source.name) for name in texts(one.get("aliases"))),
            since=text(one.get("first_seen"), 10),
            motives=tuple(filter(None, motives)),
            sources=(source,),
            note=text(one.get("description")),
        )

    def _named(self, identifier: str) -> str:
        """Return the name of a campaign of this bundle, or its identifier."""
        known = self._objects.get(identifier)
        return (text(known[1].get("name")) if known is not None else "") or identifier

    def _source(self, one: Object) -> Source:
        """Return who says it: whoever made the object, or the source of the whole document."""
        maker = self._objects.get(text(one.get("created_by_ref")))
        references = [fields(item) for item in items(one.get("external_references"))]
        address = next((text(item.get("url")) for item in references if text(item.get("url"))), self._told.source.url)
        name = (text(maker[1].get("name")) if maker is not None else "") or self._told.source.name
        return Source(name, address, day(one.get("created")), self._told.source.licence)

    def _tlp(self, one: Object) -> Tlp:
        """Return the strictest of an object's markings."""
        found = Tlp.CLEAR
        for identifier in texts(one.get("object_marking_refs")):
            known = _MARKINGS.get(identifier)
            if known is None and identifier in self._objects:
                known = _defined(self._objects[identifier][1])
            found = stricter(found, known or Tlp.AMBER)
        return found


def _defined(marking: Object) -> Tlp | None:
    """Return the level of a marking that the bundle defines itself; a statement (a copyright) marks nothing."""
    if marking.get("definition_type") == "statement":
        return Tlp.CLEAR
    new = fields(fields(marking.get("extensions")).get(TLP_EXTENSION)).get("tlp_2_0")
    old = fields(marking.get("definition")).get("tlp")
    return tlp_of(text(new) or text(old) or text(marking.get("name")))


def _values(comparisons: tuple[Comparison, ...]) -> Iterator[tuple[IndicatorKind | None, str]]:
    """Yield the value, or values, that joined comparisons come to; None with the reason if they come to none."""
    compared = dict(comparisons)
    if {"software:name", "software:version"} <= compared.keys():
        ecosystem = compared.get("software:vendor", "").lower()
        if ecosystem in ("npm", "pypi"):
            name, version = compared["software:name"], compared["software:version"]
            yield IndicatorKind.PACKAGE, purl_of(ecosystem, name, version)
        else:
            yield None, "names software and no registry that it is from"
        return
    entry = {_INDEX.sub("", path.removeprefix(_REGISTRY)): value for path, value in comparisons}
    hashes = [(PATHS[path], value) for path, value in comparisons if path in PATHS and path.startswith("file:hashes")]
    folder = compared.get("file:parent_directory_ref.path")
    if hashes:  # whatever else it must be: no other file has this digest
        yield from _checked(hashes)
    elif folder is not None and len(compared) == 2 and "file:name" in compared:
        sign = "\\" if "\\" in folder else "/"
        yield IndicatorKind.FILE_PATH, f"{folder.rstrip(sign)}{sign}{compared['file:name']}"
    elif {"key"} < entry.keys() <= _ENTRY and len(entry) == len(comparisons):
        whole = spots.written(entry["key"], entry.get("values.name", ""), entry.get("values.data", ""))
        yield from _checked([(IndicatorKind.REGISTRY_VALUE, whole)])
    elif len(comparisons) > 1:
        yield None, "joins conditions that together are no single value"
    elif comparisons[0][0] in PATHS:
        yield from _checked([(PATHS[comparisons[0][0]], comparisons[0][1])])
    else:
        yield None, f"compares {printable(comparisons[0][0][:80])}, of which nothing is known here"


def _checked(found: Iterable[tuple[IndicatorKind, str]]) -> Iterator[tuple[IndicatorKind | None, str]]:
    for kind, value in found:
        network = kind in (IndicatorKind.IPV4, IndicatorKind.IPV6) and "/" in value
        kind = IndicatorKind.CIDR if network else kind  # noqa: PLW2901 - the same value, told more exactly
        reason = "is empty" if not value else wrong(kind, value)
        yield (None, f"the value {printable(value[:80])!r} {reason}") if reason else (kind, value[:MAX_VALUE])


def _sources(value: object) -> Iterator[Source]:
    for one in map(fields, items(value)):
        if text(one.get("name")):
            published = day(one.get("published"))
            yield Source(text(one.get("name")), text(one.get("url")), published, text(one.get("licence")))
