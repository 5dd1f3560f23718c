"""A MISP event: the releases that are blocked and their digests as attributes, what is held as text."""

from collections.abc import Iterator

from lazaretto.app.rendering import Format, RenderOptions, encodable
from lazaretto.app.report import Report, UpdateReport
from lazaretto.core.intel import Confidence, Indicator, IndicatorKind, Source, Use
from lazaretto.outputs._ascii import document
from lazaretto.outputs._misp import Json, attribute, event
from lazaretto.outputs._refused import accused, details, latest, refused, tallied, techniques, unchecked

FORMAT = Format(name="misp", media_type="application/json")

HIGH, LOW = 1, 4
"""Levels of threat as MISP counts them: 4 is *undefined*."""


def render(report: Report, options: RenderOptions) -> str:  # noqa: ARG001 - one signature for all outputs
    """Return one event."""
    report = encodable(report)
    parts = refused(report)
    found: dict[str, Json] = {}
    for part in parts:
        for one in _indicators(part, report.product):
            made = attribute(one)
            found.setdefault(str(made["uuid"]), made)
    for number, problem in enumerate(unchecked(report), 1):
        made = attribute(Indicator(IndicatorKind.OTHER, problem, Use.REFERENCE, context=f"not checked ({number})"))
        found.setdefault(str(made["uuid"]), made)
    words = ", ".join(f"{len(purls)} {word}" for word, purls in tallied(report).items() if purls) or "nothing asked"
    info = f"{report.product}: {words}: {', '.join(part.purl for part in parts[:5]) or 'nothing is refused'}"
    level = HIGH if any(map(accused, parts)) else LOW
    tags = ["tlp:clear", *(f'misp-galaxy:mitre-attack-pattern="{one}"' for part in parts for one in techniques(part))]
    return document(event(info, latest(report), list(found.values()), tags, level))


def _indicators(part: UpdateReport, product: str) -> Iterator[Indicator]:
    use, sure = (Use.BLOCK, Confidence.HIGH) if accused(part) else (Use.REFERENCE, Confidence.UNKNOWN)
    source, said = (Source(product),), details(part)
    yield Indicator(IndicatorKind.PACKAGE, part.purl, use, sure, said, sources=source)
    for one in part.artifacts:
        digest = one.digest.partition(":")[2]
        if one.digest.startswith("sha256:"):
            yield Indicator(IndicatorKind.SHA256, digest, use, sure, f"artifact of {part.purl}", sources=source)
