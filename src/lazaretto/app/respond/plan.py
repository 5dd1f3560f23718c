"""From an incident to what is to be done: timeline, rotation, purges, rules, words for others, and what is unknown.

Pure: the same incident, playbooks and knowledge give the same answer. Steps come in the order of the phases, so that
whatever reacts to a revocation is removed before anything is revoked, however many playbooks take part.
"""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, time

from msgspec import Struct

from lazaretto.app.inventory.report import ReportedExposure
from lazaretto.app.respond.incident import Credential, Incident
from lazaretto.app.respond.ports import Guidance
from lazaretto.app.respond.response import SCHEMA, Event, Response, Rotation, Rule, Task
from lazaretto.app.respond.unknown import machines, unknown
from lazaretto.core.exposure import Confidence, Ran
from lazaretto.core.host import HostReport
from lazaretto.core.intel import Campaign, Indicator, IndicatorKind, Use
from lazaretto.core.inventory import Proof
from lazaretto.core.playbook import ORDER, ClientCare, Phase, Playbook, When, chosen

MAX_NAMED = 12
"""Names and places that a step names one by one; of more, their number."""

MAX_LAIRS = 4
"""Places of a credential that a step names one by one: all of them stand in a list of their own."""


class Known(Struct, frozen=True):
    """What is known of the campaign of an incident, if it has one."""

    campaign: Campaign | None = None
    indicators: tuple[Indicator, ...] = ()


def respond(incident: Incident, guidance: Guidance, known: Known, product: str) -> Response:
    """Return the answer to an incident."""
    payloads = incident.payloads or ((known.campaign.payload,) if known.campaign and known.campaign.payload else ())
    books = chosen(guidance.playbooks, known.campaign.id if known.campaign else incident.campaign, payloads)
    fields = _fields(incident, known)
    credentials = tuple(_rotation(incident, guidance))
    rules = tuple(_rules(incident, known))
    tasks = _tasks(incident, guidance, books, credentials, fields)
    return Response(
        schema=SCHEMA,
        product=product,
        name=incident.name,
        title=incident.title,
        state="closed" if incident.closed else "open",
        opened=incident.opened,
        by=incident.by,
        looked=incident.looked,
        places=incident.places,
        releases=tuple(f"pkg:{one.ecosystem}/{one.name}@{one.version}" for one in incident.releases),
        window=incident.window,
        campaign=incident.campaign,
        campaign_name=known.campaign.name if known.campaign else "",
        payloads=payloads,
        claims=tuple(_claims(known)),
        playbooks=tuple(book.id for book in books),
        trap=any(book.trap for book in books),
        summary=tuple(_summary(incident, credentials)),
        timeline=tuple(sorted(set(_events(incident, known)))),
        exposures=incident.exposures,
        outside=incident.outside,
        grounds=incident.grounds,
        credentials=credentials,
        tasks=tasks,
        repairs=incident.repairs,
        rules=rules,
        notification=next((book.notification.format_map(fields) for book in books if book.notification), "").strip(),
        hosts=incident.hosts,
        told=incident.told,
        unknown=tuple(dict.fromkeys(unknown(incident, books))),
        closed=incident.closed,
    )


def _fields(incident: Incident, known: Known) -> Mapping[str, str]:
    """Return what a playbook's text may name. Names go into commands, so that they are quoted as a shell wants it."""
    window = incident.window
    return {
        "releases": ", ".join(f"{one.name}@{one.version}" for one in incident.releases),
        "names": " ".join(shlex.quote(one) for one in dict.fromkeys(str(one.name) for one in incident.releases)),
        "window": f"{window.start:%Y-%m-%d %H:%MZ} to {window.end:%Y-%m-%d %H:%MZ}"
        if window
        else "a time not known yet",
        "campaign": (known.campaign.name if known.campaign else incident.campaign) or "not known",
        "title": incident.title,
        "places": str(len({one.exposure.place for one in incident.exposures})),
        "machines": ", ".join(one.name for one in machines(incident)) or "those of the places named below",
        "good": ", ".join(f"{one.name}@{one.version}" for one in incident.good) or "the last good version",
    }


def _summary(incident: Incident, credentials: Sequence[Rotation]) -> Iterator[str]:
    exposures = [one.exposure for one in incident.exposures]
    places = {one.place for one in exposures}
    yield f"{len(places)} of {incident.places} places that were looked at took one of the releases"
    for word in Confidence:
        count = len({one.place for one in exposures if one.confidence is word})
        if count:
            yield f"{count} with {word} confidence"
    first = min((one.first for one in exposures if one.first is not None), default=None)
    if first is not None:
        yield f"the first of them {first:%Y-%m-%d %H:%M:%SZ}"
    ran = {one.place for one in exposures if one.ran is Ran.YES}
    likely = {one.place for one in exposures if one.ran is Ran.LIKELY} - ran
    yield f"it ran in {len(ran)} of them, and probably in {len(likely)} more"
    yield f"{len(credentials)} kinds of credentials were within reach, in {len(incident.grounds)} folders and homes"
    found = sum(not one.known for host in incident.hosts for one in host.found)
    if incident.hosts:
        yield f"{len(incident.hosts)} disks were swept: {found} indicators fit"


def _claims(known: Known) -> Iterator[str]:
    """Yield who says who it was: each in their own words, never merged."""
    for one in known.campaign.claims if known.campaign else ():
        said = f", {one.said:%Y-%m-%d}" if one.said else ""
        yield f"{one.vendor}{said}: {one.actor} ({one.confidence} confidence)"


def _events(incident: Incident, known: Known) -> Iterator[Event]:
    if known.campaign is not None:
        first = datetime.combine(known.campaign.first_seen, time(), UTC)
        yield Event(first, f"first seen of the campaign {known.campaign.name}", day=True)
    if incident.window is not None:
        yield Event(incident.window.start, "the time that is asked about begins")
        yield Event(incident.window.end, "the time that is asked about ends")
    yield from _taken([seen.exposure for seen in incident.exposures])
    yield Event(incident.opened, f"the incident was opened by {incident.by}")
    for host in incident.hosts:
        count = sum(not one.known for one in host.found)
        yield Event(host.looked, f"{host.root} was swept: {count} indicators fit")
        yield from _written(host)
    for note in incident.notes:
        step = f" [{note.step} done]" if note.step else ""
        yield Event(note.at, f"{note.by}: {note.text}{step}")
    if incident.closed is not None:
        yield Event(incident.closed.at, f"the incident was closed by {incident.closed.by}: {incident.closed.reason}")


def _written(host: HostReport) -> Iterator[Event]:
    """Yield when the keys of a registry were last changed in which something fits: often the minute of the act."""
    told = [(one.where, one.registry) for one in host.found if one.registry is not None]
    yield from dict.fromkeys(
        Event(entry.written, f"{where}: {entry.key} was last written")
        for where, entry in told
        if entry.written is not None
    )


def _taken(exposures: Sequence[ReportedExposure]) -> Iterator[Event]:
    """Yield when each place took what it took, and when it no longer had it: one line for all that came at once."""
    came: dict[tuple[datetime, str, Proof, Ran], list[str]] = {}
    went: dict[tuple[datetime, str], list[str]] = {}
    for one in exposures:
        release = f"{one.name}@{one.version}"
        if one.first is not None:
            came.setdefault((one.first, one.place.path, one.proof, one.ran), []).append(release)
        if one.last is not None and one.last != one.first:
            went.setdefault((one.last, one.place.path), []).append(release)
    for (at, place, proof, ran), releases in came.items():
        yield Event(at, f"{place}: {_PROOFS[proof]} {', '.join(dict.fromkeys(releases))}{_ran(ran)}")
    for (at, place), releases in went.items():
        yield Event(at, f"{place}: no longer has {', '.join(dict.fromkeys(releases))}")


_PROOFS = {
    Proof.FIXED: "a lockfile fixed",
    Proof.LISTED: "an SBOM listed",
    Proof.OPEN: "a range admitted",
    Proof.INSTALLED: "installed",
    Proof.CACHED: "downloaded",
    Proof.LOGGED: "a log shows",
    Proof.SERVED: "handed out",
}


def _ran(word: Ran) -> str:
    return {Ran.YES: ", and it ran", Ran.LIKELY: ", and it probably ran"}.get(word, "")


def _rotation(incident: Incident, guidance: Guidance) -> Iterator[Rotation]:
    """Yield the credentials that were within reach, by kind, in the order in which they are rotated."""
    every = [one for ground in incident.grounds for one in ground.credentials]
    rank = {one.kind: number for number, one in enumerate(guidance.credentials)}
    for kind in sorted({one.kind for one in every}, key=lambda kind: (rank.get(kind, len(rank)), kind)):
        these = [one for one in every if one.kind == kind]
        where = dict.fromkeys(map(_lies, these))
        names = dict.fromkeys(one.name for one in these if one.name)
        yield Rotation(kind, tuple(names), tuple(where))


def _lies(one: Credential) -> str:
    line = f":{one.line}" if one.line else ""
    return f"{one.where}{line}{f' {one.name}' if one.name else ''} ({one.how})"


def _tasks(
    incident: Incident,
    guidance: Guidance,
    books: Sequence[Playbook],
    credentials: Sequence[Rotation],
    fields: Mapping[str, str],
) -> tuple[Task, ...]:
    done = {note.step: f"{note.by}, {note.at:%Y-%m-%d %H:%MZ}" for note in incident.notes if note.step}
    tasks: list[Task] = []
    present = _present(incident, credentials)
    for book in books:
        for step in book.steps:
            if step.when in present:
                how, commands = (tuple(one.format_map(fields) for one in texts) for texts in (step.how, step.commands))
                tasks += [Task(f"{book.id}/{step.id}", step.phase, step.title, step.why, how, commands)]
    tasks += _revocations(credentials, guidance)
    tasks += _purges(incident, guidance.clients)
    tasks += _mending(incident)
    tasks.sort(key=lambda task: ORDER.index(task.phase))
    return tuple(
        Task(one.id, one.phase, one.title, one.why, one.how, one.commands, done.get(one.id, "")) for one in tasks
    )


def _present(incident: Incident, credentials: Sequence[Rotation]) -> frozenset[When]:
    exposures = [one.exposure for one in incident.exposures]
    found = {When.ALWAYS}
    if any(one.ran in {Ran.YES, Ran.LIKELY, Ran.UNKNOWN} for one in exposures):
        found.add(When.RAN)
    if credentials:
        found.add(When.CREDENTIALS)
    if any(one.proof is Proof.SERVED for one in exposures):
        found.add(When.MIRROR)
    return frozenset(found)


def _revocations(credentials: Sequence[Rotation], guidance: Guidance) -> Iterator[Task]:
    rows = {one.kind: one for one in guidance.credentials}
    for one in credentials:
        row = rows.get(one.kind)
        names = f": {', '.join(one.names[:MAX_NAMED])}" if one.names else ""
        more = f" and {len(one.names) - MAX_NAMED} more" if len(one.names) > MAX_NAMED else ""
        where = [f"lies at {text}" for text in one.where[:MAX_LAIRS]]
        if len(one.where) > MAX_LAIRS:
            where.append(f"and at {len(one.where) - MAX_LAIRS} more places: see the credentials within reach")
        yield Task(
            id=f"revoke/{one.kind.replace(' ', '-').replace('(', '').replace(')', '').lower()}",
            phase=Phase.REVOKE,
            title=f"Replace every {one.kind}{names}{more}",
            why="it was within reach of what ran; whether it was taken is not known from here",
            how=(
                row.revoke if row else "take it back where it was issued, and issue another",
                f"then look: {row.check if row else 'where it was used since'}",
                *where,
            ),
            commands=row.commands if row else (),
        )


def _purges(incident: Incident, clients: Sequence[ClientCare]) -> Iterator[Task]:
    """Yield what empties the caches of each client that was seen; of all of an ecosystem, where none was."""
    ecosystems = {one.ecosystem for one in incident.releases}
    exposures = [one.exposure for one in incident.exposures]
    used = {one.place.client for one in exposures}
    mirrors = any(one.proof is Proof.SERVED for one in exposures)
    for one in clients:
        fits = bool(ecosystems & set(one.ecosystems))
        seen = one.client in used or not (used - {""})
        if not fits or (one.mirror and not mirrors) or not (one.mirror or seen):
            continue
        commands: dict[str, None] = {}
        for release in incident.releases:
            if release.ecosystem in one.ecosystems:
                for command in one.purge:
                    name, version = shlex.quote(str(release.name)), shlex.quote(str(release.version))
                    commands[command.replace("{name}", name).replace("{version}", version)] = None
        yield Task(
            id=f"purge/{one.client}",
            phase=Phase.PURGE,
            title=f"Empty {'the mirror' if one.mirror else 'the caches of'} {one.client}",
            why="what lies in a cache is installed again without asking the registry",
            how=(one.note,) if one.note else (),
            commands=tuple(commands),
        )


def _mending(incident: Incident) -> Iterator[Task]:
    patched = [one for one in incident.repairs if one.patch]
    by_hand = [one for one in incident.repairs if one.by_hand]
    commands = dict.fromkeys(one.command for one in incident.repairs if one.command)
    if patched:
        yield Task(
            id="repair/patches",
            phase=Phase.REPAIR,
            title=f"Apply the patches to {len(patched)} projects and make their lockfiles anew",
            why="until then every clean installation takes the release again",
            how=(f"`lazaretto respond show {incident.name} --format patch | patch -p1`, where the paths in it begin",),
            commands=tuple(commands),
        )
    if by_hand:
        shown = [f"{one.place}: {one.by_hand}" for one in by_hand[:MAX_NAMED]]
        if len(by_hand) > MAX_NAMED:
            shown.append(f"and {len(by_hand) - MAX_NAMED} more")
        title = f"Repair {len(by_hand)} lockfiles by hand"
        yield Task("repair/by-hand", Phase.REPAIR, title, how=tuple(shown), commands=() if patched else tuple(commands))


def _rules(incident: Incident, known: Known) -> Iterator[Rule]:
    """Yield what is to be blocked: the releases at the firewall, and what is known to be the attacker's alone.

    Only what its source gives for blocking is: a shared host that is good for hunting would hit the innocent.
    """
    purls = [f"pkg:{one.ecosystem}/{one.name}@{one.version}" for one in incident.releases]
    block = [one for one in known.indicators if one.use is Use.BLOCK]
    purls += [one.value for one in block if one.kind is IndicatorKind.PACKAGE and one.value.startswith("pkg:")]
    reason = shlex.quote(f"incident {incident.name}")
    yield Rule(
        "At the firewall: refuse the releases, whatever a reading said",
        tuple(f"lazaretto firewall block {shlex.quote(purl)} --reason {reason}" for purl in dict.fromkeys(purls)),
    )
    hosts = sorted({one.value for one in block if one.kind is IndicatorKind.DOMAIN})
    if hosts:
        yield Rule("In the name server or /etc/hosts", tuple(f"0.0.0.0 {host}" for host in hosts))
    addresses = sorted({one.value for one in block if one.kind in {IndicatorKind.IPV4, IndicatorKind.IPV6}})
    if addresses:
        lines = (f"nft add rule inet filter output {_family(one)} daddr {_bare(one)} drop" for one in addresses)
        yield Rule("At the edge of the network (nftables)", tuple(lines))
    digests = [one for one in block if one.kind in {IndicatorKind.SHA256, IndicatorKind.SHA1, IndicatorKind.MD5}]
    if digests:
        lines = (f"{one.value}  # {one.kind}: {one.context}" for one in digests)
        yield Rule("Digests for what watches over endpoints", tuple(lines))


def _family(value: str) -> str:
    return "ip" if value.count(":") < 2 else "ip6"


def _bare(value: str) -> str:
    return value.partition(":")[0] if value.count(":") == 1 else value
