"""What is known of attackers, put together: one file for each intrusion set and for each campaign, decoded strictly.

A campaign belongs to an intrusion set where a claim names the set by one of its aliases; nobody merges the claims.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import cached_property
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from lazaretto.core.intel import Alias, Campaign, Claim, Confidence, Indicator, IndicatorKind, IntrusionSet, Source, Use

MAX_FILE = 1 << 20
"""Largest file of knowledge, in bytes."""

_SPLIT = re.compile(r"\s*[/()]\s*")


class KnowledgeError(Exception):
    """Files of knowledge are broken. The message has one line for each defect, with the file."""


class _Source(Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    url: str = ""
    published: date | None = None
    licence: str = ""


class _Alias(Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    vendor: str = ""


class _Claim(Struct, frozen=True, forbid_unknown_fields=True):
    vendor: str
    actor: str
    confidence: Confidence
    source: str
    said: date | None = None
    text: str = ""


class _Indicator(Struct, frozen=True, forbid_unknown_fields=True):
    kind: IndicatorKind
    value: str
    use: Use
    confidence: Confidence
    sources: tuple[str, ...]
    context: str = ""


class _ActorFile(Struct, frozen=True, forbid_unknown_fields=True):
    """``actors/<id>.toml``: an intrusion set."""

    name: str
    aliases: tuple[_Alias, ...]
    sources: dict[str, _Source]
    since: str = ""
    motives: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    malware: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    techniques: tuple[str, ...] = ()
    note: str = ""


class _CampaignFile(Struct, frozen=True, forbid_unknown_fields=True):
    """``campaigns/<id>.toml``: a campaign with its claims and indicators; both name sources by their tags."""

    name: str
    first_seen: date
    ecosystem: str
    vector: str
    payload: str
    confidence: Confidence
    sources: dict[str, _Source]
    last_seen: date | None = None
    packages: tuple[str, ...] = ()
    behaviours: tuple[str, ...] = ()
    techniques: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    habits: dict[str, str] = {}
    claims: tuple[_Claim, ...] = ()
    indicators: tuple[_Indicator, ...] = ()
    note: str = ""


class Knowledge(Struct, frozen=True, dict=True):
    """Intrusion sets, campaigns and indicators, each in the order of their ids."""

    sets: tuple[IntrusionSet, ...] = ()
    campaigns: tuple[Campaign, ...] = ()
    indicators: tuple[Indicator, ...] = ()

    @cached_property
    def by_alias(self) -> Mapping[str, tuple[IntrusionSet, ...]]:
        """Lower-case name, alias or id -> the sets that somebody calls so."""
        named: dict[str, dict[str, IntrusionSet]] = {}
        for one in self.sets:
            for name in (one.id, one.name, *(alias.name for alias in one.aliases)):
                named.setdefault(name.casefold(), {})[one.id] = one
        return {name: tuple(found.values()) for name, found in named.items()}

    def called(self, actor: str) -> tuple[IntrusionSet, ...]:
        """Return the sets that a claim means: ``TA444 / BlueNoroff`` and ``Lazarus (…)`` hold several names."""
        whole = self.by_alias.get(actor.casefold())
        if whole is not None:
            return whole
        found = {one.id: one for part in _SPLIT.split(actor.casefold()) for one in self.by_alias.get(part, ())}
        return tuple(found.values())

    def behind(self, campaign: Campaign) -> Mapping[str, tuple[Claim, ...]]:
        """Return id of an intrusion set -> the claims that say it is behind a campaign."""
        found: dict[str, list[Claim]] = {}
        for claim in campaign.claims:
            for one in self.called(claim.actor):
                found.setdefault(one.id, []).append(claim)
        return {name: tuple(claims) for name, claims in found.items()}

    def of_campaign(self, identifier: str) -> tuple[Indicator, ...]:
        """Return the indicators of a campaign."""
        return self._indicators_by_campaign.get(identifier, ())

    @cached_property
    def _indicators_by_campaign(self) -> Mapping[str, tuple[Indicator, ...]]:
        grouped: dict[str, list[Indicator]] = {}
        for one in self.indicators:
            grouped.setdefault(one.campaign, []).append(one)
        return {name: tuple(found) for name, found in grouped.items()}

    def without(self, campaign: str) -> "Knowledge":
        """Return the same without a campaign and its indicators."""
        return Knowledge(
            self.sets,
            tuple(one for one in self.campaigns if one.id != campaign),
            tuple(one for one in self.indicators if one.campaign != campaign),
        )

    def joined(self, other: "Knowledge") -> "Knowledge":
        """Return this with what another knows beside it. Of two with one id the one that is here stays."""
        sets = {one.id: one for one in (*other.sets, *self.sets)}
        campaigns = {one.id: one for one in (*other.campaigns, *self.campaigns)}
        indicators = dict.fromkeys((*self.indicators, *other.indicators))
        return Knowledge(
            tuple(sets[name] for name in sorted(sets)),
            tuple(campaigns[name] for name in sorted(campaigns)),
            tuple(indicators),
        )


def decode(files: Iterable[tuple[str, bytes]]) -> Knowledge:
    """Return what files say; a path ends in ``actors/<id>.toml`` or ``campaigns/<id>.toml``.

    Raises:
        KnowledgeError: files are broken; every defect of all files is told.
    """
    problems: list[str] = []
    sets: list[IntrusionSet] = []
    campaigns: list[Campaign] = []
    indicators: list[Indicator] = []
    for path, data in sorted(files):
        folder, _, name = path.rpartition("/")
        identifier = name.removesuffix(".toml")
        try:
            if folder.rpartition("/")[2] == "actors":
                sets.append(_set(identifier, _file(data, _ActorFile)))
            else:
                campaign, found = _campaign(identifier, _file(data, _CampaignFile))
                campaigns.append(campaign)
                indicators += found
        except (ValueError, msgspec.ValidationError) as error:
            problems.append(f"{path}: {error}")
    if problems:
        raise KnowledgeError("\n".join(problems))
    return Knowledge(tuple(sets), tuple(campaigns), tuple(indicators))


_FileType = TypeVar("_FileType")


def _file(data: bytes, kind: type[_FileType]) -> _FileType:
    import tomllib

    if len(data) > MAX_FILE:
        raise ValueError(f"larger than {MAX_FILE} bytes")
    raw: dict[str, Any] = tomllib.loads(data.decode("utf-8"))
    return msgspec.convert(raw, kind)


def _set(identifier: str, told: _ActorFile) -> IntrusionSet:
    return IntrusionSet(
        id=identifier,
        name=told.name,
        aliases=tuple(Alias(one.name, one.vendor) for one in told.aliases),
        since=told.since,
        motives=told.motives,
        targets=told.targets,
        malware=told.malware,
        marks=told.marks,
        techniques=told.techniques,
        sources=tuple(map(_source, told.sources.values())),
        note=told.note,
    )


def _campaign(identifier: str, told: _CampaignFile) -> tuple[Campaign, list[Indicator]]:
    sources = {tag: _source(one) for tag, one in told.sources.items()}
    campaign = Campaign(
        id=identifier,
        name=told.name,
        first_seen=told.first_seen,
        last_seen=told.last_seen,
        ecosystem=told.ecosystem,
        packages=told.packages,
        vector=told.vector,
        payload=told.payload,
        behaviours=told.behaviours,
        techniques=told.techniques,
        marks=told.marks,
        habits=told.habits,
        claims=tuple(_claim(one, sources) for one in told.claims),
        sources=tuple(sources.values()),
        confidence=told.confidence,
        note=told.note,
    )
    return campaign, list(_indicators(identifier, told, sources))


def _claim(told: _Claim, sources: Mapping[str, Source]) -> Claim:
    (source,) = _named((told.source,), sources)
    return Claim(told.vendor, told.actor, told.confidence, source, told.said, told.text)


def _indicators(identifier: str, told: _CampaignFile, sources: Mapping[str, Source]) -> Iterator[Indicator]:
    for one in told.indicators:
        yield Indicator(
            kind=one.kind,
            value=one.value,
            use=one.use,
            confidence=one.confidence,
            context=one.context,
            campaign=identifier,
            sources=_named(one.sources, sources),
        )


def _named(tags: Iterable[str], sources: Mapping[str, Source]) -> tuple[Source, ...]:
    tags = tuple(tags)
    missing = [tag for tag in tags if tag not in sources]
    if missing or not tags:
        raise ValueError(f"no source {', '.join(missing)}" if missing else "an indicator names no source")
    return tuple(sources[tag] for tag in tags)


def _source(told: _Source) -> Source:
    return Source(told.name, told.url, told.published, told.licence)
