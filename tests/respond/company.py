"""Incidents and exposures for tests, each with what the test at hand does not care about."""

from datetime import UTC, datetime
from typing import Any

from lazaretto.app.inventory.exposed import Asked
from lazaretto.app.inventory.report import ReportedExposure
from lazaretto.app.respond.incident import SCHEMA, Incident, Seen
from lazaretto.core.exposure import Confidence, Ran, Within
from lazaretto.core.inventory import Place, Proof
from lazaretto.ecosystems.npm import ECOSYSTEM as NPM

NOW = datetime(2026, 3, 31, 6, tzinfo=UTC)
HIT = datetime(2026, 3, 31, 0, 25, 12, tzinfo=UTC)


def asked(name: str = "axios", version: str = "1.14.1") -> Asked:
    """Return a release of npm's."""
    return Asked("npm", NPM.name(name), NPM.version(version))


def reported(place: Place | None = None, **more: Any) -> ReportedExposure:
    """Return one exposure of axios 1.14.1."""
    fields: dict[str, Any] = {
        "ecosystem": "npm",
        "name": "axios",
        "version": "1.14.1",
        "advisory": "",
        "place": place or Place("lockfile", "/srv/app/package-lock.json", client="npm"),
        "line": 7,
        "proof": Proof.FIXED,
        "first": HIT,
        "last": None,
        "direct": True,
        "path": ("axios@1.14.1",),
        "brought": (),
        "within": Within.YES,
        "confidence": Confidence.HIGH,
        "ran": Ran.UNKNOWN,
        "signs": (),
        "note": "",
        "reasons": (),
    }
    return ReportedExposure(**{**fields, **more})


def exposure(place: Place | None = None, **more: Any) -> Seen:
    """Return one exposure as an incident keeps it."""
    return Seen(NOW, reported(place, **more))


def incident(**more: Any) -> Incident:
    """Return an incident about axios 1.14.1."""
    fields: dict[str, Any] = {
        "schema": SCHEMA,
        "product": "lazaretto",
        "name": "axios",
        "title": "axios was taken",
        "opened": NOW,
        "by": "somebody",
        "looked": NOW,
        "places": 3,
        "releases": (asked(),),
    }
    return Incident(**{**fields, **more})
