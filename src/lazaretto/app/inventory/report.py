"""The answer as it is printed and written: flat, in words, with a schema that others may rely on."""

from datetime import datetime

from msgspec import Struct

from lazaretto.app.inventory.exposed import Answer, Asked
from lazaretto.core.exposure import Confidence, Exposure, Ran, Reason, Window, Within
from lazaretto.core.inventory import Place, Proof, Sign

SCHEMA = "1"


class ReportedExposure(Struct, frozen=True):
    """One place that has a release. ``direct`` is None where the place does not tell; ``note`` is the place's own."""

    ecosystem: str
    name: str
    version: str
    advisory: str
    place: Place
    line: int
    proof: Proof
    first: datetime | None
    last: datetime | None
    direct: bool | None
    path: tuple[str, ...]
    brought: tuple[str, ...]
    within: Within
    confidence: Confidence
    ran: Ran
    signs: tuple[str, ...]
    note: str
    reasons: tuple[Reason, ...]


class ExposureReport(Struct, frozen=True):
    """Who has one of the releases that were asked about; ``places`` is how many places the inventory has."""

    schema: str
    product: str
    asked: tuple[Asked, ...]
    window: Window | None
    places: int
    exposures: tuple[ReportedExposure, ...]
    outside: tuple[ReportedExposure, ...]
    other_versions: tuple[str, ...]
    unread: tuple[str, ...]
    notes: tuple[str, ...]


def report(answer: Answer, product: str) -> ExposureReport:
    """Return an answer as a report."""
    advisories = {(one.ecosystem, str(one.name), str(one.version)): one.advisory for one in answer.asked}
    return ExposureReport(
        schema=SCHEMA,
        product=product,
        asked=answer.asked,
        window=answer.window,
        places=answer.places,
        exposures=tuple(_reported(one, advisories) for one in answer.exposures),
        outside=tuple(_reported(one, advisories) for one in answer.outside),
        other_versions=answer.near,
        unread=answer.unread,
        notes=answer.notes,
    )


def _reported(one: Exposure, advisories: dict[tuple[str, str, str], str]) -> ReportedExposure:
    entry = one.entry
    return ReportedExposure(
        ecosystem=entry.ecosystem,
        name=entry.name,
        version=entry.version,
        advisory=advisories.get((entry.ecosystem, entry.name, entry.version), ""),
        place=one.place,
        line=entry.line,
        proof=entry.proof,
        first=entry.first,
        last=entry.last,
        direct=len(one.path) == 1 if one.path else None,
        path=one.path,
        brought=one.brought,
        within=one.within,
        confidence=one.confidence,
        ran=one.ran,
        signs=tuple(str(sign.name).lower().replace("_", "-") for sign in Sign if sign in entry.signs),
        note=entry.note,
        reasons=one.reasons,
    )
