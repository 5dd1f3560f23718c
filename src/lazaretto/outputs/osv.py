"""OSV 1.7: a record for each release that is blocked for what is charged against itself, as an interface answers them.

What is held is named beside the records and is none of them: whoever reads OSV takes a record for what is known.
"""

from lazaretto.app.rendering import Format, RenderOptions, encodable
from lazaretto.app.report import Report, UpdateReport
from lazaretto.outputs._ascii import document
from lazaretto.outputs._osv import known, record
from lazaretto.outputs._refused import accused, decided, details, named, refused, tallied, techniques, unchecked

FORMAT = Format(name="osv", media_type="application/json")


def render(report: Report, options: RenderOptions) -> str:  # noqa: ARG001 - one signature for all outputs
    """Return an object with the records under ``vulns``, and beside them what was asked and not checked."""
    report = encodable(report)
    parts = [part for part in refused(report) if accused(part) and known(named(part)[0])]
    body = {
        "vulns": [_record(part, report.product) for part in parts],
        "asked": {word: purls for word, purls in tallied(report).items() if purls},
        "not_checked": list(unchecked(report)),
    }
    return document(body)


def _record(part: UpdateReport, product: str) -> dict[str, object]:
    ecosystem, name, version = named(part)
    return record(
        ecosystem,
        name,
        [version],
        modified=decided(part),
        summary=f"Malicious code in {name} ({ecosystem})",
        details=details(part),
        specific={
            "lazaretto": {
                "product": product,
                "verdict": part.verdict,
                "charge": part.charge,
                "findings": [one.id for one in part.findings],
                "techniques": list(techniques(part)),
                "digests": [one.digest for one in part.artifacts],
            }
        },
    )
