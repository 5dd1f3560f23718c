"""Events of MISP that exports and outputs write: attributes, and the tags that carry what MISP has no field for."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from urllib.parse import quote

from lazaretto.core.intel import Confidence, Indicator, IndicatorKind, Use

Json = dict[str, object]

_NAMESPACE = uuid.UUID("5c2a6c0e-8a54-5f0b-9d1c-6b7b1f3b9d11")
_TYPES = {
    IndicatorKind.DOMAIN: ("domain", "Network activity"),
    IndicatorKind.URL: ("url", "Network activity"),
    IndicatorKind.URI_PATH: ("uri", "Network activity"),
    IndicatorKind.IPV4: ("ip-dst", "Network activity"),
    IndicatorKind.IPV6: ("ip-dst", "Network activity"),
    IndicatorKind.CIDR: ("ip-dst", "Network activity"),
    IndicatorKind.PORT: ("port", "Network activity"),
    IndicatorKind.USER_AGENT: ("user-agent", "Network activity"),
    IndicatorKind.HOST_KEY: ("ssh-fingerprint", "Network activity"),
    IndicatorKind.EMAIL: ("email-src", "Payload delivery"),
    IndicatorKind.MD5: ("md5", "Payload delivery"),
    IndicatorKind.SHA1: ("sha1", "Payload delivery"),
    IndicatorKind.SHA256: ("sha256", "Payload delivery"),
    IndicatorKind.SHA512: ("sha512", "Payload delivery"),
    IndicatorKind.FILE_PATH: ("filename", "Payload delivery"),
    IndicatorKind.REGISTRY_VALUE: ("regkey", "Persistence mechanism"),
    IndicatorKind.MUTEX: ("mutex", "Artifacts dropped"),
}
_OTHER = ("other", "Payload delivery")
_DEGREES = {Confidence.HIGH: "high", Confidence.MEDIUM: "moderate", Confidence.LOW: "low"}


def event(info: str, at: datetime, attributes: Sequence[Json], tags: Iterable[str], threat: int = 2) -> Json:
    """Return an event as one is imported: of nobody's organisation yet, for this one alone, not published."""
    moment = str(int(at.astimezone(UTC).timestamp()))
    made: Json = {
        "uuid": identifier("event", info, *(str(one["uuid"]) for one in attributes)),
        "info": info,
        "date": at.astimezone(UTC).date().isoformat(),
        "timestamp": moment,
        "published": False,
        "analysis": "2",
        "threat_level_id": str(threat),
        "distribution": "0",
        "Tag": [{"name": tag} for tag in dict.fromkeys(tags)],
        "Attribute": [{**one, "timestamp": moment} for one in attributes],
    }
    return {"Event": made}


def identifier(*parts: str) -> str:
    """Return the UUID that follows from what these parts say."""
    return str(uuid.uuid5(_NAMESPACE, chr(31).join(parts)))


def attribute(one: Indicator) -> Json:
    """Return an indicator as an attribute. Only what is to be blocked is marked for detection."""
    from lazaretto.core.hive.spots import with_data

    kind, category = _TYPES.get(one.kind, _OTHER)
    if kind == "regkey" and with_data(one.value)[1]:
        kind = "regkey|value"
    return {
        "uuid": identifier("attribute", one.kind, one.value, one.use, one.campaign, *(x.name for x in one.sources)),
        "type": kind,
        "category": category,
        "value": one.value,
        "comment": one.context,
        "to_ids": one.use is Use.BLOCK and kind != "other",
        "disable_correlation": one.use not in (Use.BLOCK, Use.HUNT),
        "distribution": "5",
        "Tag": [{"name": tag} for tag in dict.fromkeys(_tags(one))],
    }


def _tags(one: Indicator) -> list[str]:
    tags = [f"tlp:{one.tlp.value}", own("kind", one.kind), own("use", one.use), own("confidence", one.confidence)]
    if one.confidence in _DEGREES:
        tags.append(f'estimative-language:confidence-in-analytic-judgment="{_DEGREES[one.confidence]}"')
    if one.campaign:
        tags.append(own("campaign", one.campaign))
    if one.valid_from is not None:
        tags.append(own("valid-from", one.valid_from.astimezone(UTC).isoformat()))
    if one.valid_until is not None:
        tags.append(own("valid-until", one.valid_until.astimezone(UTC).isoformat()))
    for number, source in enumerate(one.sources):
        published = source.published.isoformat() if source.published else ""
        parts = (f"{number:03d}", source.name, source.url, published, source.licence)
        tags.append(f'lazaretto:source="{" ".join(quote(part, safe="") for part in parts)}"')
    return tags


def own(predicate: str, value: str) -> str:
    """Return a tag of our own namespace; whatever would end the value early is percent-encoded."""
    return f'lazaretto:{predicate}="{quote(value, safe=" :/@.,+()-")}"'
