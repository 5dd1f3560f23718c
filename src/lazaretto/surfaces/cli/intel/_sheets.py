"""What is known, put together for one reader: as values for JSON, and as lines for a terminal."""

from collections.abc import Iterator

from msgspec import Struct

from lazaretto.core.clusters import Cluster
from lazaretto.core.inert import inert
from lazaretto.core.intel import Campaign, Claim, Indicator, IntrusionSet, Source
from lazaretto.core.knowledge import Knowledge
from lazaretto.outputs._paper import Paper, plural

_SHOWN = 12

MAX_HITS = 500
"""Places that a search shows."""


class Attributed(Struct, frozen=True):
    """A campaign that somebody lays at an intrusion set's door, and who says so."""

    campaign: str
    name: str
    claims: tuple[Claim, ...]


class ActorSheet(Struct, frozen=True):
    """An intrusion set with its campaigns."""

    actor: IntrusionSet
    campaigns: tuple[Attributed, ...]


class CampaignSheet(Struct, frozen=True):
    """A campaign with its indicators, and the intrusion sets that somebody sees behind it."""

    campaign: Campaign
    behind: tuple[str, ...]
    indicators: tuple[Indicator, ...]


class Hit(Struct, frozen=True):
    """A place where a text stands: an ``actor`` or a ``campaign`` by its id, and which of its fields."""

    sort: str
    id: str
    field: str
    text: str


class Actors(Struct, frozen=True):
    """What ``intel actor`` prints."""

    actors: tuple[ActorSheet, ...]


class Campaigns(Struct, frozen=True):
    """What ``intel campaign`` prints."""

    campaigns: tuple[CampaignSheet, ...]


class Hits(Struct, frozen=True):
    """What ``intel search`` prints."""

    hits: tuple[Hit, ...]


class Clusters(Struct, frozen=True):
    """What ``intel clusters`` prints."""

    clusters: tuple[Cluster, ...]


def actor(one: IntrusionSet, knowledge: Knowledge) -> ActorSheet:
    """Return an intrusion set with the campaigns that are laid at its door."""
    found = [
        Attributed(campaign.id, campaign.name, claims)
        for campaign in knowledge.campaigns
        if (claims := knowledge.behind(campaign).get(one.id))
    ]
    return ActorSheet(one, tuple(found))


def campaign(one: Campaign, knowledge: Knowledge) -> CampaignSheet:
    """Return a campaign with all that belongs to it."""
    return CampaignSheet(one, tuple(sorted(knowledge.behind(one))), knowledge.of_campaign(one.id))


def search(knowledge: Knowledge, text: str) -> tuple[Hit, ...]:
    """Return where a text stands, without regard to case."""
    wanted = text.strip().casefold()
    hits = [hit for hit in _places(knowledge) if wanted in hit.text.casefold()]
    return tuple(hits[:MAX_HITS])


def _places(knowledge: Knowledge) -> Iterator[Hit]:
    for one in knowledge.sets:
        named = [("name", one.name), ("note", one.note)]
        named += [("alias", f"{alias.name} ({alias.vendor or 'no vendor'})") for alias in one.aliases]
        for field in ("motives", "targets", "malware", "marks", "techniques"):
            named += [(field, value) for value in getattr(one, field)]
        yield from (Hit("actor", one.id, field, value) for field, value in named)
    for told in knowledge.campaigns:
        named = [("name", told.name), ("vector", told.vector), ("payload", told.payload), ("note", told.note)]
        for field in ("packages", "behaviours", "techniques", "marks"):
            named += [(field, value) for value in getattr(told, field)]
        named += [("habit", f"{name} = {value}") for name, value in told.habits.items()]
        named += [("claim", claimed(claim)) for claim in told.claims]
        named += [("indicator", _indicator(one)) for one in knowledge.of_campaign(told.id)]
        yield from (Hit("campaign", told.id, field, value) for field, value in named)


def actor_sheet(one: ActorSheet, sheet: Paper) -> None:
    """Write an intrusion set: its names by vendor, what it is known by, and its campaigns with who says so."""
    told = one.actor
    sheet.row(inert(told.name, 200), inert(told.id, 100), colour="bold")
    names = [f"{alias.name} ({alias.vendor})" if alias.vendor else alias.name for alias in told.aliases]
    _listed("called", names, sheet)
    _listed("since", [told.since] if told.since else [], sheet)
    for field in ("motives", "targets", "malware", "marks", "techniques"):
        _listed(field, getattr(told, field), sheet)
    if told.note:
        sheet.wrap(inert(told.note, 2000), "  ")
    for attributed in one.campaigns:
        sheet.wrap(inert(f"campaign {attributed.campaign}", 300), "  ", colour="hold")
        for claim in attributed.claims:
            sheet.wrap(inert(claimed(claim), 900), "    ", "  ")
    if not one.campaigns:
        sheet.wrap("no campaign of what is known here is laid at its door", "  ", colour="dim")
    _sources(told.sources, sheet)
    sheet.add()


def campaign_sheet(one: CampaignSheet, sheet: Paper) -> None:
    """Write a campaign: what it shipped, what it did, who is thought to be behind it, and its indicators by use."""
    told = one.campaign
    last = f" to {told.last_seen}" if told.last_seen else ""
    sheet.row(inert(f"{told.name} ({told.id})", 300), f"{told.first_seen}{last}", colour="bold")
    _listed("ecosystem", [told.ecosystem], sheet)
    for field in ("packages", "vector", "payload", "behaviours", "techniques", "marks"):
        value = getattr(told, field)
        _listed(field, [value] if isinstance(value, str) else value, sheet)
    _listed("habits", [f"{name} = {value}" for name, value in told.habits.items()], sheet)
    if told.note:
        sheet.wrap(inert(told.note, 2000), "  ")
    for claim in told.claims:
        sheet.wrap(inert(claimed(claim), 900), "  ", colour="hold")
    if not told.claims:
        sheet.wrap("nobody says who is behind it", "  ", colour="dim")
    for use in dict.fromkeys(indicator.use for indicator in one.indicators):
        some = [indicator for indicator in one.indicators if indicator.use is use]
        sheet.wrap(f"{use.value.replace('_', ' ')} ({plural(len(some), 'indicator')}):", "  ", colour="hold")
        for indicator in some:
            sheet.wrap(inert(_indicator(indicator), 900), "    ", "  ")
    _sources(told.sources, sheet)
    sheet.add()


def cluster_sheet(one: Cluster, sheet: Paper) -> None:
    """Write a group of detections: its members, who is named if anybody, and what it shares."""
    named = ", ".join(f"{hand.name} ({hand.sort})" for hand in one.attribution.named)
    sheet.row(one.id, inert(named, 200) or "unnamed", colour="bold")
    for subject in one.subjects:
        sheet.wrap(inert(subject, 400), "  ")
    for shared in one.shared[:_SHOWN]:
        text = f"+ {shared.weight:g} {shared.kind.value} {shared.value} ({len(shared.subjects)} of them)"
        sheet.wrap(inert(text, 600), "    ", "  ", colour="dim")
    sheet.add()


def claimed(claim: Claim) -> str:
    """Return a vendor's claim as a quotation: who, when, how sure, and why."""
    when = f", {claim.said}" if claim.said else ""
    text = f": {claim.text}" if claim.text else ""
    return f"{claim.vendor}{when}: {claim.actor} (confidence {claim.confidence.value}){text}"


def _indicator(one: Indicator) -> str:
    context = f": {one.context}" if one.context else ""
    return f"{one.kind.value} {one.value} (confidence {one.confidence.value}){context}"


def _listed(label: str, values: "list[str] | tuple[str, ...]", sheet: Paper) -> None:
    if values:
        sheet.wrap(f"{label}: {inert('; '.join(values), 4000)}", "  ", "    ")


def _sources(sources: tuple[Source, ...], sheet: Paper) -> None:
    for one in sources:
        sheet.wrap(inert(f"source: {one.name} {one.url}".rstrip(), 600), "  ", "    ", colour="dim")
