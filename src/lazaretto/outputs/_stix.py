"""Objects of STIX 2.1 that outputs and exports are made of. Their identifiers follow from what they say.

An identifier is a UUID of version 5, in a namespace of our own, so that the same knowledge has the same name whoever
exports it, and a receiver that takes it twice has it once (STIX 2.1, 2.9 asks that of observables; we keep to it for
everything that has a natural key).
"""

import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from lazaretto.core.intel import Indicator, IndicatorKind, Source, Tlp
from lazaretto.core.stix import EXTENSION, PATHS, TLP_EXTENSION, TLP_MARKINGS
from lazaretto.core.values import wrong
from lazaretto.outputs._quote import stix_text

Json = dict[str, object]

_NAMESPACE = uuid.UUID("b5ced6ac-1472-5c78-a0cc-66f59ac8b1b7")
_EPOCH = "2026-01-01T00:00:00.000Z"
"""When our own identity and extension were made; it is part of what they are, and not the time of an export."""

_BY_KIND = {kind: path for path, kind in PATHS.items()}
_NETWORKS = {4: "ipv4-addr:value", 6: "ipv6-addr:value"}


def identifier(kind: str, *parts: str) -> str:
    """Return the identifier of an object of this type that these parts make what it is."""
    return f"{kind}--{uuid.uuid5(_NAMESPACE, chr(31).join((kind, *parts)))}"


def timestamp(at: datetime) -> str:
    """Return an instant as STIX writes it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def bundle(objects: Iterable[Json]) -> Json:
    """Return a bundle; its identifier follows from what is in it."""
    listed = list(objects)
    return {"type": "bundle", "id": identifier("bundle", *(str(one["id"]) for one in listed)), "objects": listed}


def maker(product: str) -> Json:
    """Return the identity of whoever made the objects: this program."""
    return {
        "type": "identity",
        "spec_version": "2.1",
        "id": identifier("identity", "lazaretto"),
        "created": _EPOCH,
        "modified": _EPOCH,
        "name": product.partition(" ")[0] or "lazaretto",
        "identity_class": "system",
    }


def extension() -> Json:
    """Return the definition of our own extension."""
    return {
        "type": "extension-definition",
        "spec_version": "2.1",
        "id": EXTENSION,
        "created": _EPOCH,
        "modified": _EPOCH,
        "created_by_ref": identifier("identity", "lazaretto"),
        "name": "indicator as Lazaretto keeps it",
        "description": "What an indicator is good for (use), its kind and value as its sources give them, and they.",
        "schema": "https://json-schema.org/draft/2020-12/schema",
        "version": "1.0.0",
        "extension_types": ["property-extension"],
    }


def marking(tlp: Tlp) -> Json:
    """Return the definition of a marking of TLP 2.0, as OASIS publishes it."""
    return {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": TLP_MARKINGS[tlp],
        "created": "2022-10-01T00:00:00.000Z",
        "name": f"TLP:{tlp.value.upper()}",
        "extensions": {TLP_EXTENSION: {"extension_type": "property-extension", "tlp_2_0": tlp.value}},
    }


def common(kind: str, created: datetime, modified: datetime, tlp: Tlp, *key: str) -> Json:
    """Return the properties that every object has."""
    return {
        "type": kind,
        "spec_version": "2.1",
        "id": identifier(kind, *key),
        "created_by_ref": identifier("identity", "lazaretto"),
        "created": timestamp(created),
        "modified": timestamp(max(created, modified)),
        "object_marking_refs": [TLP_MARKINGS[tlp]],
    }


def references(sources: Iterable[Source]) -> list[Json]:
    """Return sources as external references."""
    found: list[Json] = []
    for one in sources:
        told: Json = {"source_name": one.name or "unnamed"}
        if one.url:
            told["url"] = one.url
        if one.licence:
            told["description"] = f"licence: {one.licence}"
        if one.url or one.licence:  # a reference that is a name alone is none (STIX 2.1, 2.5)
            found.append(told)
    return found


def pattern(indicator: Indicator) -> str | None:
    """Return the pattern that compares an indicator's value; None for a kind that STIX cannot compare, or no value."""
    from lazaretto.core.exchange import package_of
    from lazaretto.core.hive.spots import with_data

    kind, value = indicator.kind, indicator.value
    if not value or wrong(kind, value):
        return None
    if kind is IndicatorKind.PACKAGE:
        parts = package_of(value)
        if parts is None or not parts[2]:
            return None
        return _joined({"software:name": parts[1], "software:version": parts[2], "software:vendor": parts[0]})
    if kind is IndicatorKind.CIDR:
        return _joined({_NETWORKS[6 if ":" in value else 4]: value})
    if kind is IndicatorKind.PORT:
        number = value.partition("/")[0]
        return f"[network-traffic:dst_port = {int(number)}]" if number.isascii() and number.isdigit() else None
    if kind is IndicatorKind.FILE_PATH:
        sign = "\\" if "\\" in value else "/"
        folder, _, name = value.rpartition(sign)
        return _joined(
            {"file:name": name, "file:parent_directory_ref.path": folder} if folder and name else {_FILE: value}
        )
    if kind is IndicatorKind.REGISTRY_VALUE:
        path, data = with_data(value)
        return _joined({_BY_KIND[kind]: path, **({_REGISTRY_DATA: data} if data else {})}) if path else None
    return _joined({_BY_KIND[kind]: value}) if kind in _BY_KIND else None


_FILE = "file:name"
_REGISTRY_DATA = "windows-registry-key:values[*].data"


def _joined(compared: Mapping[str, str]) -> str:
    said = " AND ".join(f"{_path(path)} = {stix_text(value)}" for path, value in compared.items())
    return f"[{said}]"


def _path(path: str) -> str:
    """Return a path as a pattern writes it: a part with a hyphen in quotes."""
    kind, colon, rest = path.partition(":")
    return kind + colon + ".".join(f"'{part}'" if "-" in part else part for part in rest.split("."))
