"""What is still unknown in an incident: an answer that does not say so is taken for the whole truth."""

from collections.abc import Iterator, Sequence

from lazaretto.app.respond.gather import UNSEEN
from lazaretto.app.respond.incident import Disk, Incident
from lazaretto.core.exposure import Ran
from lazaretto.core.inventory import Proof
from lazaretto.core.playbook import Playbook

MAX_SHOWN = 8
"""Places that one line names; of more, their number."""


_ON_DISK = frozenset({Proof.INSTALLED, Proof.CACHED})


def unknown(incident: Incident, books: Sequence[Playbook]) -> Iterator[str]:
    """Yield what nobody knows yet, as sentences."""
    yield from _of_places(incident)
    yield from _of_the_campaign(incident)
    yield from _not_read(incident)
    for book in books:
        yield from book.unknown


def _of_places(incident: Incident) -> Iterator[str]:
    exposures = [one.exposure for one in incident.exposures]
    unclear = sorted({one.place.path for one in exposures if one.ran is Ran.UNKNOWN and one.place.kind not in UNSEEN})
    if unclear:
        yield f"whether it ran in {_named(unclear)}"
    asked_for = sorted({one.note or one.place.path for one in exposures if one.place.kind in UNSEEN})
    if asked_for:
        yield f"which machines these are, and what became of it there: {_named(asked_for)}"
    logs = sorted({one.place.path for one in exposures if one.place.kind == "build-log"})
    if logs:
        yield f"which secrets the jobs had whose logs these are: {_named(logs)}"
    taken = sum(len(one.credentials) for one in incident.grounds)
    if taken:
        yield "which of the credentials within reach were taken: treat all of them as taken"
    if incident.window is None:
        yield "from when until when the release could be had: name it with --window"


def _of_the_campaign(incident: Incident) -> Iterator[str]:
    if not incident.campaign:
        yield "whose campaign it is, and so what it leaves behind on machines: name it with --campaign"
    elif incident.exposures and not incident.hosts:
        yield "whether it left something behind: sweep the machines with `lazaretto hostcheck`, add with --host-report"
    else:
        swept = {one.root for one in incident.hosts}
        left = sorted(one.name for one in machines(incident) if one.path not in swept)
        if left and incident.exposures:
            yield f"whether it left something behind on disks that were not swept: {_named(left)}"


def _not_read(incident: Incident) -> Iterator[str]:
    if incident.unread:
        yield f"what stands in what could not be read: {_named(list(incident.unread))}"
    hidden = [text for host in incident.hosts for text in host.unread]
    if hidden:
        yield f"what stands in what could not be read of the disks that were swept: {_named(hidden)}"
    unread = [f"{one}" for ground in incident.grounds for one in ground.unread]
    if unread:
        yield f"which credentials lie in what could not be read: {_named(unread)}"
    if not incident.places:
        yield "who took it at all: the inventory is empty (`lazaretto inventory add PATH`)"


def machines(incident: Incident) -> Iterator[Disk]:
    """Yield the disks on which it was installed or downloaded: there it may have run."""
    places = [one.exposure.place.path for one in incident.exposures if one.exposure.proof in _ON_DISK]
    for disk in incident.disks:
        if any(path.startswith((f"{disk.name}/", f"{disk.path}/")) for path in places):
            yield disk


def _named(texts: Sequence[str]) -> str:
    shown = ", ".join(texts[:MAX_SHOWN])
    return f"{shown} and {len(texts) - MAX_SHOWN} more" if len(texts) > MAX_SHOWN else shown
