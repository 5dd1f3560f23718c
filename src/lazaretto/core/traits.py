"""What a campaign or an intrusion set is known by, in the terms in which sightings are told."""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from lazaretto.core import locality, shape
from lazaretto.core.intel import Campaign, Confidence, Indicator, IndicatorKind, IntrusionSet, SightingKind, Use

_KINDS = {
    IndicatorKind.DOMAIN: SightingKind.HOST,
    IndicatorKind.URL: SightingKind.URL,
    IndicatorKind.URI_PATH: SightingKind.URI_PATH,
    IndicatorKind.IPV4: SightingKind.ADDRESS,
    IndicatorKind.IPV6: SightingKind.ADDRESS,
    IndicatorKind.EMAIL: SightingKind.EMAIL,
    IndicatorKind.ACCOUNT: SightingKind.ACCOUNT,
    IndicatorKind.SHA512: SightingKind.DIGEST,
    IndicatorKind.SHA256: SightingKind.DIGEST,
    IndicatorKind.SHA1: SightingKind.DIGEST,
    IndicatorKind.MD5: SightingKind.DIGEST,
    IndicatorKind.FILE_PATH: SightingKind.FILE_PATH,
    IndicatorKind.REGISTRY_VALUE: SightingKind.REGISTRY_VALUE,
    IndicatorKind.MUTEX: SightingKind.MUTEX,
    IndicatorKind.USER_AGENT: SightingKind.USER_AGENT,
    IndicatorKind.HTTP_BODY: SightingKind.STRING,
    IndicatorKind.STRING: SightingKind.STRING,
    IndicatorKind.CAMPAIGN_ID: SightingKind.STRING,
    IndicatorKind.PACKAGE: SightingKind.PACKAGE,
    IndicatorKind.WALLET: SightingKind.WALLET,
    IndicatorKind.PUBLIC_KEY: SightingKind.KEY,
    IndicatorKind.HOST_KEY: SightingKind.KEY,
}
"""Kinds of indicators that a release can show. A range of addresses, a port or a process belongs to a host."""

_VICTIMS = frozenset({SightingKind.ACCOUNT, SightingKind.PACKAGE})
_SHORTEST_MARK = 6


class Trait(Struct, frozen=True, order=True):
    """One thing that a hand is known by. ``telling`` says that it is the hand's own: fit to be blocked, or its mark."""

    kind: SightingKind
    value: str
    confidence: Confidence = Confidence.HIGH
    telling: bool = False


def key(kind: SightingKind, value: str) -> str:
    """Return the form in which two values of a kind are compared."""
    if kind is SightingKind.FILE_PATH:
        return value.replace("\\", "/").rstrip("/").rpartition("/")[2].casefold()
    if kind is SightingKind.URL:
        return value.partition("://")[2].rstrip("/").casefold() or value.casefold()
    if kind in (SightingKind.PACKAGE, SightingKind.WALLET, SightingKind.KEY, SightingKind.SHAPE):
        return value
    return value.replace("[.]", ".").strip().casefold()


def of_campaign(campaign: Campaign, indicators: Iterable[Indicator]) -> tuple[Trait, ...]:
    """Return what a campaign is known by, each once."""
    found: dict[tuple[SightingKind, str], Trait] = {}
    for trait in sorted(_of_campaign(campaign, indicators), key=lambda one: (not one.telling, one)):
        found.setdefault((trait.kind, trait.value), trait)
    return tuple(sorted(found.values()))


def of_set(told: IntrusionSet) -> tuple[Trait, ...]:
    """Return what an intrusion set is known by beside its campaigns: its techniques and marks."""
    found = [Trait(SightingKind.TECHNIQUE, key(SightingKind.TECHNIQUE, technique)) for technique in told.techniques]
    found += [_mark(mark, Confidence.MEDIUM) for mark in told.marks if _is_literal(mark)]
    return tuple(sorted(set(found)))


def _of_campaign(campaign: Campaign, indicators: Iterable[Indicator]) -> Iterator[Trait]:
    sure = campaign.confidence
    for technique in campaign.techniques:
        yield Trait(SightingKind.TECHNIQUE, key(SightingKind.TECHNIQUE, technique), sure)
    for name, value in campaign.habits.items():
        yield Trait(SightingKind.HABIT, f"{name}={value}".casefold(), sure)
    if campaign.ecosystem:
        yield Trait(SightingKind.HABIT, f"ecosystem={campaign.ecosystem}", sure)
    for purl in campaign.packages:
        if "@" in purl.partition("/")[2]:  # a name without versions is the victim's as well
            yield Trait(SightingKind.PACKAGE, purl, Confidence.HIGH, telling=True)
    for mark in campaign.marks:
        yield _mark(mark, sure)
    for indicator in indicators:
        yield from _of_indicator(indicator)


def _of_indicator(indicator: Indicator) -> Iterator[Trait]:
    """Yield what an indicator shows. What is known good, or not to be used, shows nothing."""
    kind = _KINDS.get(indicator.kind)
    if kind is None or indicator.use not in (Use.BLOCK, Use.HUNT):
        return
    own = indicator.use is Use.BLOCK
    if kind in _VICTIMS and not own:
        return  # the account that was taken, and a release that only shows who was hit, are the victim's
    value = f"{indicator.kind.value}:{indicator.value}" if kind is SightingKind.DIGEST else indicator.value
    if len(key(kind, value)) < (_SHORTEST_MARK if kind is SightingKind.STRING else 1):
        return  # it would stand in any text
    yield Trait(kind, key(kind, value), indicator.confidence, telling=own)
    if kind is SightingKind.URL:
        host = key(kind, value).partition("/")[0].partition(":")[0]
        number = host.replace(".", "").isdigit()
        yield Trait(SightingKind.ADDRESS if number else SightingKind.HOST, host, indicator.confidence, telling=own)


def _is_literal(mark: str) -> bool:
    """Whether a mark can stand in code as it is: of those in words only a person can make something."""
    return len(mark) >= _SHORTEST_MARK and " " not in mark


def _mark(mark: str, sure: Confidence) -> Trait:
    """Return what a recovered value shows: a fingerprint of code, the name of a file, or a string."""
    if mark.startswith((shape.PREFIX, locality.PREFIX)):
        return Trait(SightingKind.SHAPE, mark, sure, telling=True)
    name = mark.rpartition("/")[2]
    kind = SightingKind.FILE_PATH if "." in name.strip(".") else SightingKind.STRING
    return Trait(kind, key(kind, mark), sure, telling=kind is SightingKind.STRING)
