"""STIX 2.1: for each release that is blocked an indicator of it and of its bytes; for what is held, a note.

A held release has no pattern: whoever takes every indicator of a bundle for a block list must not find it there.
"""

from collections.abc import Iterator

from lazaretto.app.rendering import Format, RenderOptions, encodable
from lazaretto.app.report import Report, UpdateReport
from lazaretto.core.intel import Tlp
from lazaretto.outputs import _stix
from lazaretto.outputs._ascii import document
from lazaretto.outputs._quote import stix_text
from lazaretto.outputs._refused import accused, decided, details, latest, named, refused, tallied, techniques, unchecked
from lazaretto.outputs._stix import Json, timestamp

FORMAT = Format(name="stix", media_type="application/stix+json")


def render(report: Report, options: RenderOptions) -> str:  # noqa: ARG001 - one signature for all outputs
    """Return a bundle: who says it, what is blocked, what is held, and what was asked and not checked."""
    report = encodable(report)
    found: dict[str, Json] = {}
    for one in (_stix.maker(report.product), _stix.marking(Tlp.CLEAR), *_objects(report)):
        found.setdefault(str(one["id"]), one)
    return document(_stix.bundle(found.values()))


def _objects(report: Report) -> Iterator[Json]:
    for part in refused(report):
        yield _indicator(part) if accused(part) else _note(part)
    said = [f"{word}: {', '.join(purls)}" for word, purls in tallied(report).items() if purls]
    said += [f"not checked: {problem}" for problem in unchecked(report)]
    if said:
        at = latest(report)
        note = _stix.common("note", at, at, Tlp.CLEAR, "asked", *said)
        note |= {"abstract": "What was asked", "content": "\n".join(said), "object_refs": [note["created_by_ref"]]}
        yield note


def _indicator(part: UpdateReport) -> Json:
    ecosystem, name, version = named(part)
    at = decided(part)
    software = f"software:name = {stix_text(name)} AND software:version = {stix_text(version)}"
    pattern = f"[{software} AND software:vendor = {stix_text(ecosystem)}]"
    digests = sorted({one.digest.partition(":")[2] for one in part.artifacts if one.digest.startswith("sha256:")})
    pattern += "".join(f" OR [file:hashes.'SHA-256' = {stix_text(digest)}]" for digest in digests)
    made = _stix.common("indicator", at, at, Tlp.CLEAR, part.purl, *digests)
    made |= {
        "name": part.purl,
        "description": details(part),
        "indicator_types": ["malicious-activity"],
        "pattern": pattern,
        "pattern_type": "stix",
        "valid_from": timestamp(at),
        "external_references": [
            {"source_name": "mitre-attack", "external_id": technique} for technique in techniques(part)
        ],
    }
    if not made["external_references"]:
        del made["external_references"]
    return made


def _note(part: UpdateReport) -> Json:
    at = decided(part)
    made = _stix.common("note", at, at, Tlp.CLEAR, part.purl, part.verdict)
    said = {"abstract": f"{part.verdict}: {part.purl}", "content": details(part)}
    return made | said | {"object_refs": [made["created_by_ref"]]}
