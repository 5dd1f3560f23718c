"""SARIF 2.1.0 (OASIS): one result per finding, at the lockfile line if one asked, the payload's places related.

A release that is refused without a finding of its own (incomplete, too young) has a result, too: a viewer that shows
results only, as code scanning of GitHub does, must not take what was not understood for what is clean.
"""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from hashlib import sha256
from urllib.parse import quote

import msgspec

from lazaretto.app.rendering import Format, RenderOptions, encodable
from lazaretto.app.report import Report, ReportedEvidence, ReportedFinding, UpdateReport
from lazaretto.core.inert import inert

FORMAT = Format(name="sarif", media_type="application/sarif+json")

Json = dict[str, object]

_LEVELS = {"allow": "note", "hold": "warning", "block": "error"}
_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_RELEASES = "RELEASES"
_INCOMPLETE = "incomplete"
_REFUSED = "refused"
_OWN_RULES = {
    _INCOMPLETE: ("could not be checked", "What could not be read or asked is not clean: it is held until it was."),
    _REFUSED: ("is refused", "A policy or a dependency refuses this release, whatever was found in it."),
}
"""Rules that are no detector's."""


def render(report: Report, options: RenderOptions) -> str:  # noqa: ARG001 - one signature for all outputs
    """Return the report as one SARIF run. What could not be checked is a notification, and the run not successful."""
    report = encodable(report)
    places: dict[str, list[tuple[str, int]]] = {}
    for place in report.places:
        places.setdefault(place.purl, []).append((place.path, place.line))
    results = [result for update in report.updates for result in _results(update, update.purl, places)]
    results += [_unchecked(problem) for problem in report.problems]
    run: Json = {
        "tool": {"driver": _driver(report, {str(result["ruleId"]) for result in results})},
        "invocations": [{"executionSuccessful": report.complete, "toolExecutionNotifications": _notifications(report)}],
        "originalUriBaseIds": {
            _RELEASES: {"description": {"text": "Paths inside releases: ecosystem/name/version/path"}}
        },
        "results": results,
        "columnKind": "utf16CodeUnits",
    }
    document = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    text = msgspec.json.format(msgspec.json.encode(document), indent=2).decode()
    return text.replace("##", "#\\u0023") + "\n"  # a CI runner finds commands to itself anywhere in a line


def _driver(report: Report, used: AbstractSet[str]) -> Json:
    name, _, version = report.product.partition(" ")
    found = {f.id: f for update in report.updates for part in update.tree() for f in part.findings}
    rules: list[Json] = [
        {
            "id": finding.id,
            "shortDescription": {"text": inert(finding.title)},
            "fullDescription": {"text": inert(finding.why)},
            "help": {"text": f"{inert(finding.why)} Run: lazaretto explain {finding.id}"},
            "properties": {"tags": ["security", "supply-chain", *finding.attack]},
        }
        for _, finding in sorted(found.items())
    ]
    rules += [
        {
            "id": rule,
            "shortDescription": {"text": title},
            "fullDescription": {"text": why},
            "properties": {"tags": ["security", "supply-chain"]},
        }
        for rule, (title, why) in _OWN_RULES.items()
        if rule in used
    ]
    return {"name": name, "version": version, "rules": rules}


def _results(update: UpdateReport, root: str, places: Mapping[str, Sequence[tuple[str, int]]]) -> Iterator[Json]:
    told = [_result(update, finding, places.get(root, ())) for finding in update.findings if finding.weight > 0]
    yield from told
    if update.verdict != "allow" and not (told and update.complete):
        yield _refusal(update, places.get(root, ()))
    for edge in update.edges:
        if edge.update is not None:
            yield from _results(edge.update, root, places)


def _refusal(update: UpdateReport, asked: Sequence[tuple[str, int]]) -> Json:
    """Return the result of a refusal that no finding tells: its reasons."""
    rule = _REFUSED if update.complete else _INCOMPLETE
    message = f"{inert(update.purl)}: {update.verdict}: {'; '.join(_plain(reason, 400) for reason in update.reasons)}"
    result: Json = {
        "ruleId": rule,
        "level": _LEVELS[update.verdict],
        "message": {"text": message},
        "partialFingerprints": {"lazaretto/v1": _hash(update.purl, rule)},
        "properties": {"purl": update.purl},
    }
    return _with_places(result, [_asked(*place) for place in asked])


def _unchecked(problem: str) -> Json:
    """Return the result of what could not be checked at all."""
    return {
        "ruleId": _INCOMPLETE,
        "level": "warning",
        "message": {"text": f"not checked: {_plain(problem)}"},
        "partialFingerprints": {"lazaretto/v1": _hash(_INCOMPLETE, problem)},
    }


def _with_places(result: Json, shown: Sequence[Json]) -> Json:
    """Return the result with its first place as its own and the others as related."""
    if shown:
        result["locations"] = [shown[0]]
        result["relatedLocations"] = [{"id": number, **location} for number, location in enumerate(shown[1:])]
    return result


def _result(update: UpdateReport, finding: ReportedFinding, asked: Sequence[tuple[str, int]]) -> Json:
    where = [_location(update, evidence) for evidence in finding.evidence]
    message = f"{inert(update.purl)}: {_plain(finding.message)} (+{finding.weight:g} dB; verdict: {update.verdict})"
    result: Json = {
        "ruleId": finding.id,
        "level": _LEVELS[update.verdict],
        "message": {"text": message},
        "partialFingerprints": {"lazaretto/v1": _fingerprint(update, finding)},
        "properties": {"purl": update.purl, "variant": finding.variant, "weight": finding.weight},
    }
    _with_places(result, [*(_asked(*place) for place in asked), *where])
    if update.waiver is not None:
        text = inert(f"{update.waiver.reason} ({update.waiver.by}, until {update.waiver.until})")
        result["suppressions"] = [{"kind": "external", "justification": text}]
    return result


def _asked(path: str, line: int) -> Json:
    location: Json = {"artifactLocation": {"uri": quote(path)}}
    if line > 0:
        location["region"] = {"startLine": line}
    return {"physicalLocation": location}


def _location(update: UpdateReport, evidence: ReportedEvidence) -> Json:
    path = quote(f"{update.ecosystem}/{update.name}/{update.version}/{evidence.path}")
    physical: Json = {"artifactLocation": {"uri": path, "uriBaseId": _RELEASES}}
    if evidence.line > 0:
        physical["region"] = {"startLine": evidence.line, "snippet": {"text": inert(evidence.text)}}
    location: Json = {
        "physicalLocation": physical,
        "logicalLocations": [{"fullyQualifiedName": update.purl, "kind": "package"}],
    }
    if evidence.decoded:
        location["message"] = {"text": f"decoded by {_plain(evidence.via)}: {_plain(evidence.decoded, 400)}"}
    return location


def _plain(text: str, limit: int | None = None) -> str:
    """Return text in which a viewer finds no link (SARIF 2.1.0, 3.11.6: embedded links)."""
    return inert(text, limit).replace("](", "\\](")


def _fingerprint(update: UpdateReport, finding: ReportedFinding) -> str:
    places = [f"{e.artifact}!{e.path}:{e.text}" for e in finding.evidence]
    return _hash(update.purl, finding.id, finding.variant, *places)


def _hash(*parts: str) -> str:
    return sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()[:32]


def _notifications(report: Report) -> list[Json]:
    texts = [f"not checked: {problem}" for problem in report.problems]
    for update in report.updates:
        for part in update.tree():
            texts += [
                f"{part.purl}: {record.check}: {problem}" for record in part.records for problem in record.problems
            ]
    told: list[Json] = [
        {"level": "error", "message": {"text": _plain(text)}, "descriptor": {"id": _INCOMPLETE}} for text in texts
    ]
    return told + [{"level": "note", "message": {"text": _plain(text)}} for text in report.notes]
