"""STIX 2.1: a bundle that another program takes in, and from which we read the same again.

Only what is to be blocked or hunted becomes an *indicator*, with a pattern. What is told so that nobody is hurt (known
good, do not block, do not use), or for reference, leaves as a *note* without a pattern: whoever takes every pattern of
a bundle for a block list must not find it there.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, time

from lazaretto.core.exchange import Collection
from lazaretto.core.intel import Alias, Campaign, Indicator, IntrusionSet, Source, Tlp, Use
from lazaretto.core.stix import DEGREES, EXTENSION
from lazaretto.outputs import _stix
from lazaretto.outputs._ascii import document
from lazaretto.outputs._stix import Json, timestamp

MEDIA_TYPE = "application/stix+json"
SUMMARY = "a STIX 2.1 bundle"

_WARNED = (Use.BLOCK, Use.HUNT)


def render(collection: Collection) -> str:
    """Return the bundle. The same collection gives the same bytes."""
    found: dict[str, Json] = {}
    for one in (*_frame(collection), *_objects(collection)):
        found.setdefault(str(one["id"]), one)
    return document(_stix.bundle(found.values()))


def _frame(collection: Collection) -> Iterator[Json]:
    yield _stix.maker(collection.product)
    yield _stix.extension()
    used = {one.tlp for one in collection.indicators} | {Tlp.CLEAR}
    yield from (_stix.marking(tlp) for tlp in Tlp if tlp in used)


def _objects(collection: Collection) -> Iterator[Json]:
    campaigns = {one.id: _campaign(one) for one in collection.campaigns}
    names = {one.name: one.id for one in collection.campaigns}
    yield from campaigns.values()
    for actor in collection.actors:
        yield _actor(actor, collection.at)
    for one in collection.indicators:
        made = _indicator(one, collection.at)
        yield made
        campaign = campaigns.get(names.get(one.campaign, one.campaign))
        if campaign is not None and made["type"] == "indicator":
            yield _relation(made, "indicates", campaign)


def _indicator(one: Indicator, at: datetime) -> Json:
    """Return an indicator with a pattern, or a note without one."""
    published = next((source.published for source in one.sources if source.published), None)
    begins = one.valid_from or (datetime.combine(published, time(), UTC) if published else at)
    pattern = _stix.pattern(one) if one.use in _WARNED else None
    kind = "indicator" if pattern is not None else "note"
    said = [f"{source.name}{source.url}" for source in one.sources]
    # What makes two indicators one object: value, use and who says it.
    made = _stix.common(kind, begins, begins, one.tlp, one.kind, one.value, one.use, one.campaign, *said)
    if one.confidence in DEGREES:
        made["confidence"] = DEGREES[one.confidence]
    if references := _stix.references(one.sources):
        made["external_references"] = references
    made["extensions"] = {EXTENSION: _own(one)}
    if pattern is None:
        made["abstract"] = f"{one.use}: {one.kind} {one.value}"
        made["content"] = one.context or f"{one.kind} {one.value}"
        made["object_refs"] = [_stix.identifier("identity", "lazaretto")]
        return made
    made |= {
        "name": f"{one.kind} {one.value}",
        "indicator_types": ["malicious-activity"] if one.use is Use.BLOCK else ["anomalous-activity"],
        "pattern": pattern,
        "pattern_type": "stix",
        "valid_from": timestamp(begins),
    }
    if one.context:
        made["description"] = one.context
    if one.valid_until is not None and one.valid_until > begins:
        made["valid_until"] = timestamp(one.valid_until)
    return made


def _own(one: Indicator) -> Json:
    """Return the indicator as it is kept, but for its marking."""
    own: Json = {"extension_type": "property-extension", "kind": one.kind, "value": one.value, "use": one.use}
    own["confidence"] = one.confidence
    for name in ("context", "campaign"):
        if text := getattr(one, name):
            own[name] = text
    for name in ("valid_from", "valid_until"):
        if (instant := getattr(one, name)) is not None:
            own[name] = instant.astimezone(UTC).isoformat()
    if sources := [told for told in map(_source, one.sources) if told]:
        own["sources"] = sources  # STIX knows no empty list (2.1, 2.7)
    return own


def _source(one: Source) -> Json:
    published = one.published.isoformat() if one.published else ""
    told = {"name": one.name, "url": one.url, "published": published, "licence": one.licence}
    return {key: value for key, value in told.items() if value}


def _campaign(one: Campaign) -> Json:
    first = datetime.combine(one.first_seen, time(), UTC)
    made = _stix.common("campaign", first, first, Tlp.CLEAR, one.id)
    made |= {"name": one.name, "first_seen": timestamp(first)}
    if one.last_seen is not None and one.last_seen >= one.first_seen:
        made["last_seen"] = timestamp(datetime.combine(one.last_seen, time(), UTC))
    if one.note:
        made["description"] = one.note
    if one.confidence in DEGREES:
        made["confidence"] = DEGREES[one.confidence]
    if references := _stix.references(one.sources):
        made["external_references"] = references
    return made


def _actor(one: IntrusionSet, at: datetime) -> Json:
    published = min((source.published for source in one.sources if source.published), default=at.date())
    first = datetime.combine(published, time(), UTC)
    made = _stix.common("intrusion-set", first, first, Tlp.CLEAR, one.id)
    made["name"] = one.name
    if one.aliases:
        made["aliases"] = list(dict.fromkeys(map(_alias, one.aliases)))
    if one.note:
        made["description"] = one.note
    if references := _stix.references(one.sources):
        made["external_references"] = references
    return made


def _alias(one: Alias) -> str:
    return f"{one.name} ({one.vendor})" if one.vendor else one.name


def _relation(source: Json, verb: str, target: Json) -> Json:
    """Return a relationship of two objects; it is as old as the younger of them."""
    created = max(str(source["created"]), str(target["created"]))
    return {
        "type": "relationship",
        "spec_version": "2.1",
        "id": _stix.identifier("relationship", str(source["id"]), verb, str(target["id"])),
        "created_by_ref": source["created_by_ref"],
        "created": created,
        "modified": created,
        "relationship_type": verb,
        "source_ref": source["id"],
        "target_ref": target["id"],
        "object_marking_refs": source["object_marking_refs"],
    }
