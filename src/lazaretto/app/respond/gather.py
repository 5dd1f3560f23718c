"""Open an incident, and let it accumulate: what the inventory says now is added to what it said before."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from lazaretto.app.inventory.exposed import Answer, Asked
from lazaretto.app.inventory.report import ReportedExposure, report
from lazaretto.app.respond.incident import Credential, Ground, Incident, Seen
from lazaretto.app.respond.ports import Guidance, Looked, Reach, Trace
from lazaretto.app.respond.repair import repairs
from lazaretto.core.credential_names import kind_of
from lazaretto.core.exposure import Confidence, Ran, Window

MAX_GROUNDS = 2_000
"""Folders, homes and machines of one incident that are looked at for credentials."""

UNSEEN = frozenset({"proxy-log", "firewall"})
"""Kinds of places that name a client and lie on none of its disks."""


class Means(Struct, frozen=True):
    """What gathering needs. ``answer`` asks the inventory who has releases, in a window."""

    answer: Callable[[Sequence[Asked], Window | None], Answer]
    reach: Reach
    guidance: Guidance
    now: datetime
    product: str
    progress: Callable[[str], None] = lambda _: None


def gather(incident: Incident, means: Means) -> Incident:
    """Return the incident with what the inventory and the disks say now. What was seen before stays."""
    answer = means.answer(incident.releases, incident.window)
    told = report(answer, means.product)
    before = {_key(one.exposure): one for one in incident.exposures}
    now = {_key(one): one for one in told.exposures}
    seen = [
        Seen(before[key].at if key in before else means.now, now.get(key) or before[key].exposure)
        for key in sorted({*before, *now})
    ]
    exposures = [one.exposure for one in seen]
    grounds, unread = _grounds(exposures, means)
    return replace(
        incident,
        looked=means.now,
        places=told.places,
        exposures=tuple(seen),
        outside=tuple(sorted({one.place.path for one in told.outside})),
        grounds=_merged(incident.grounds, grounds),
        repairs=tuple(sorted(repairs(now.values(), incident.good, means.reach, means.guidance.clients))),
        told=told.notes,
        unread=(*told.unread, *unread),
    )


def _key(one: ReportedExposure) -> tuple[str, ...]:
    return (one.place.path, one.place.kind, one.ecosystem, one.name, one.version, str(one.line), one.note)


def _grounds(exposures: Iterable[ReportedExposure], means: Means) -> tuple[list[Ground], list[str]]:
    """Return what was within reach of each place, and of which places nobody could look."""
    found: dict[tuple[str, str], tuple[Looked, dict[str, None]]] = {}
    unread: dict[str, None] = {}
    for one in exposures:
        if one.place.kind in UNSEEN or one.confidence is Confidence.LOW:
            continue
        means.progress(one.place.path)
        around = means.reach.around(one.place.path, whole_machine=one.ran in {Ran.YES, Ran.LIKELY})
        if isinstance(around, str):
            unread[f"{one.place.path}: {around}"] = None
            continue
        for looked in around:
            key = (looked.kind, looked.where)
            if key not in found and len(found) >= MAX_GROUNDS:
                unread[f"more than {MAX_GROUNDS} folders and homes: the rest is not looked at for credentials"] = None
                break
            found.setdefault(key, (looked, {}))[1][one.place.path] = None
    grounds = [
        Ground(kind, where, tuple(places), tuple(_credentials(looked.traces, means.guidance)), looked.unread)
        for (kind, where), (looked, places) in sorted(found.items())
    ]
    return grounds, list(unread)


def _credentials(traces: Iterable[Trace], guidance: Guidance) -> Iterator[Credential]:
    for one in traces:
        kind = one.kind or kind_of(one.name, guidance.credentials)
        yield Credential(kind, one.name, one.path, one.line, one.how)


def _merged(before: Iterable[Ground], now: Iterable[Ground]) -> tuple[Ground, ...]:
    """Return both: a token that is gone by now was within reach all the same."""
    merged = {(one.kind, one.where): one for one in before}
    for one in now:
        old = merged.get((one.kind, one.where))
        if old is not None:
            places = tuple(dict.fromkeys((*old.places, *one.places)))
            credentials = tuple(sorted({*old.credentials, *one.credentials}))
            merged[one.kind, one.where] = replace(one, places=places, credentials=credentials)
        else:
            merged[one.kind, one.where] = one
    return tuple(merged[key] for key in sorted(merged))
