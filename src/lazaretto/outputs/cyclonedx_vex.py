"""CycloneDX 1.6, VEX: the refused releases as components, and what is said of each as a vulnerability.

A release that is blocked for what is charged against itself is *exploitable*; everything else that is refused is *in
triage*, which is what a hold is. What was not checked stands in the properties of the metadata.
"""

import uuid

from lazaretto.app.rendering import Format, RenderOptions, encodable
from lazaretto.app.report import Report, UpdateReport
from lazaretto.outputs._ascii import document
from lazaretto.outputs._osv import number
from lazaretto.outputs._refused import accused, decided, details, latest, named, refused, tallied, unchecked

FORMAT = Format(name="cyclonedx_vex", media_type="application/vnd.cyclonedx+json")

Json = dict[str, object]

_NAMESPACE = uuid.UUID("8f0f5a86-8d3e-5a0d-b1b5-0a0f9a5e7c11")
_MALICIOUS = 506


def render(report: Report, options: RenderOptions) -> str:  # noqa: ARG001 - one signature for all outputs
    """Return a bill of materials of what is refused, with its VEX."""
    report = encodable(report)
    parts = refused(report)
    properties = [
        {"name": f"lazaretto:{word}", "value": purl} for word, purls in tallied(report).items() for purl in purls
    ]
    properties += [{"name": "lazaretto:not-checked", "value": problem} for problem in unchecked(report)]
    name, _, version = report.product.partition(" ")
    at = latest(report).isoformat()
    whole = "\n".join([at, *(f"{one['name']} {one['value']}" for one in properties)])
    body = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, whole)}",
        "version": 1,
        "metadata": {
            "timestamp": at,
            "tools": {"components": [{"type": "application", "name": name, "version": version}]},
            "properties": properties,
        },
        "components": [_component(part) for part in parts],
        "vulnerabilities": [_vulnerability(part) for part in parts],
    }
    return document(body)


def _component(part: UpdateReport) -> Json:
    _, name, version = named(part)
    made: Json = {"bom-ref": part.purl, "type": "library", "name": name, "version": version, "purl": part.purl}
    digests = sorted({one.digest.partition(":")[2] for one in part.artifacts if one.digest.startswith("sha256:")})
    if len(digests) == 1:  # hashes of a component are of one file
        made["hashes"] = [{"alg": "SHA-256", "content": digests[0]}]
    return made


def _vulnerability(part: UpdateReport) -> Json:
    ecosystem, name, version = named(part)
    bad = accused(part)
    made: Json = {
        "bom-ref": f"verdict:{part.purl}",
        "id": number(ecosystem, name, [version]),
        "source": {"name": "Lazaretto"},
        "description": details(part),
        "updated": decided(part).isoformat(),
        "analysis": {"state": "exploitable" if bad else "in_triage", "detail": f"Lazaretto says {part.verdict}."},
        "affects": [{"ref": part.purl}],
    }
    if bad:
        made["cwes"] = [_MALICIOUS]
        made["recommendation"] = "Remove this release, and rotate what was within its reach."
    return made
