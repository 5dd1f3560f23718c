"""CSAF 2.0: a VEX document of the refused releases (profile 5), or a base document where nothing is refused.

A release that is blocked for what is charged against itself is *known affected*; everything else that is refused is
*under investigation*, which is what a hold is. What was not checked stands in the notes of the document.
"""

import uuid
from collections.abc import Iterator

from lazaretto.app.rendering import Format, RenderOptions, encodable
from lazaretto.app.report import Report, UpdateReport
from lazaretto.core.inert import inert
from lazaretto.outputs._ascii import document
from lazaretto.outputs._osv import number
from lazaretto.outputs._refused import accused, details, latest, named, refused, tallied, unchecked

FORMAT = Format(name="csaf", media_type="application/json")

Json = dict[str, object]

_NAMESPACE = uuid.UUID("0c7c1a3a-6d0a-5b0e-8a51-6d1f7f2b8e11")
_PUBLISHER = "https://lazaretto.invalid"
"""An address under our control is what the standard asks for. We have none, and none that is somebody's may stand
there: whoever publishes the document puts their own in its place."""


def render(report: Report, options: RenderOptions) -> str:  # noqa: ARG001 - one signature for all outputs
    """Return a document of CSAF."""
    report = encodable(report)
    parts = refused(report)
    body: Json = {"document": _document(report, parts)}
    if parts:
        body["product_tree"] = {"full_product_names": [_product(part) for part in parts]}
        body["vulnerabilities"] = [_vulnerability(part) for part in parts]
    return document(body)


def _document(report: Report, parts: tuple[UpdateReport, ...]) -> Json:
    at = latest(report).isoformat()
    notes = list(_notes(report))
    whole = "\n".join([at, *(f"{part.purl} {part.verdict}" for part in parts), *(str(one["text"]) for one in notes)])
    return {
        "category": "csaf_vex" if parts else "csaf_base",
        "csaf_version": "2.0",
        "title": f"Tampered releases: {len(parts)} refused" if parts else "Nothing is refused",
        "lang": "en",
        "distribution": {"tlp": {"label": "WHITE"}},
        "publisher": {"category": "user", "name": report.product, "namespace": _PUBLISHER},
        "notes": notes,
        "tracking": {
            "id": f"lazaretto-{uuid.uuid5(_NAMESPACE, whole)}",
            "status": "draft",
            "version": "1",
            "initial_release_date": at,
            "current_release_date": at,
            "revision_history": [{"date": at, "number": "1", "summary": "As the verdict was made."}],
            "generator": {"engine": {"name": report.product}},
        },
    }


def _notes(report: Report) -> Iterator[Json]:
    said = [f"{word}: {', '.join(purls)}" for word, purls in tallied(report).items() if purls]
    yield {"category": "summary", "title": "What was asked", "text": "\n".join(said) or "nothing"}
    for problem in unchecked(report):
        yield {"category": "general", "title": "Not checked", "text": problem}


def _product(part: UpdateReport) -> Json:
    helper: Json = {"purl": part.purl}
    hashes = [
        {
            "filename": inert(one.filename, 200) or "artifact",
            "file_hashes": [{"algorithm": "sha256", "value": one.digest.partition(":")[2]}],
        }
        for one in part.artifacts
        if one.digest.startswith("sha256:")
    ]
    if hashes:
        helper["hashes"] = hashes
    return {"product_id": part.purl, "name": part.purl, "product_identification_helper": helper}


def _vulnerability(part: UpdateReport) -> Json:
    ecosystem, name, version = named(part)
    bad = accused(part)
    made: Json = {
        "ids": [{"system_name": "Lazaretto", "text": number(ecosystem, name, [version])}],
        "notes": [{"category": "description", "title": "Why it is refused", "text": details(part)}],
        "product_status": {"known_affected" if bad else "under_investigation": [part.purl]},
    }
    if bad:
        made["cwe"] = {"id": "CWE-506", "name": "Embedded Malicious Code"}
        made["remediations"] = [
            {
                "category": "mitigation",
                "details": "Remove this release, and treat what was within its reach as known to somebody else.",
                "product_ids": [part.purl],
            }
        ]
    return made
