"""What imported indicators mean for a release: which of them it bears, and what that asks of its verdict.

Only what is told to be blocked asks for anything, and only within its validity. An exact one (a release, a digest)
names what was published; a host or an address that a release speaks of may stand there for a good reason, in a list of
hosts to keep away from for instance: that is for a person. Where one source warns of a value and another calls it good,
the release is held if the value is exact, and not accused if it can be shared: a shared host hurts the innocent.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from lazaretto.core.exchange import (
    EXACT,
    NEVER_BLOCKED,
    SURE,
    active,
    emails_in,
    host_key,
    hosts_in,
    key_of,
    url_key,
    urls_in,
)
from lazaretto.core.facts import Kind
from lazaretto.core.inert import inert
from lazaretto.core.intel import Confidence, Indicator, Use
from lazaretto.core.policy import Outcome
from lazaretto.core.update import Pair, Placed, Update

MAX_TOLD = 10
"""Reasons that are spelled out; the rest is counted."""

_SPOKEN = frozenset(
    (
        Kind.NET_CONNECT,
        Kind.DNS_QUERY,
        Kind.PROCESS_SPAWN,
        Kind.DECODE,
        Kind.LITERAL_URL,
        Kind.LITERAL_DOMAIN,
        Kind.LITERAL_IP,
        Kind.LITERAL_EMAIL,
        Kind.LITERAL_COMMAND,
    )
)
"""Facts whose values name hosts, addresses and mailboxes."""


class HeedPolicy(Struct, frozen=True):
    """What an indicator that is to be blocked asks for.

    ``exact``: a sure one names this release or its bytes. ``seen``: a sure one names a host, address or mailbox that
    the release speaks of. ``unsure``: either, by a source of low or unknown confidence.
    """

    exact: Outcome = Outcome.BLOCK
    seen: Outcome = Outcome.HOLD
    unsure: Outcome = Outcome.HOLD


class Borne(Struct, frozen=True):
    """Where a release bears a key: ``place`` is empty for the release as a whole, else ``file:line``."""

    key: str
    place: str = ""
    via: str = "plain"


class Answer(Struct, frozen=True):
    """What the indicators that a release bears ask for, a sentence for each, and what asks for nothing."""

    demand: Outcome = Outcome.ALLOW
    demands: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def spoken(update: Update) -> Mapping[str, Borne]:
    """Return the keys of all hosts, addresses and mailboxes that a release speaks of, with the first place of each."""
    found: dict[str, Borne] = {}
    for pair in update.pairs:
        for placed in pair.after.placed:
            if placed.fact.kind in _SPOKEN and placed.fact.value:
                for key in _keys(placed.fact.value):
                    if key not in found:
                        found[key] = _borne(key, pair, placed)
    return found


def digests(update: Update) -> Mapping[str, Borne]:
    """Return the keys of what was published, and of every file of it that the update added or changed."""
    found: dict[str, Borne] = {}
    for artifact in (*update.after.artifacts, *(pair.after.artifact for pair in update.pairs)):
        for digest in artifact.digests.values():
            key = f"digest:{digest.lower()}"
            found.setdefault(key, Borne(key, inert(artifact.filename, 200)))
    for pair in update.pairs:
        for path, change in pair.changes.items():
            if change.after is not None:
                key = f"digest:{change.after.digest.partition(':')[2]}"
                found.setdefault(key, Borne(key, inert(f"{pair.after.artifact.filename}!{path}", 300)))
    return found


def heed(
    borne: Mapping[str, Borne],
    indicators: Iterable[Indicator],
    policy: HeedPolicy,
    now: datetime,
    own: Iterable[Indicator] = (),
) -> Answer:
    """Return what indicators ask for.

    Args:
        borne: the keys that the release bears.
        indicators: those that may be about one of them; all others are passed over.
        policy: what each means.
        now: the instant of the question.
        own: those that name the release itself.
    """
    by_key = {"": [one for one in own if active(one, now)]}
    for one in indicators:
        if active(one, now) and (key := key_of(one)) in borne:
            by_key.setdefault(key, []).append(one)
    demand = Outcome.ALLOW
    demands: list[str] = []
    notes: list[str] = []
    for key, told in sorted(by_key.items()):
        asked, sentence = _asked(told, policy)
        if sentence:
            place = borne.get(key, Borne(key))
            where = f", in {place.place}" if place.place else ""
            where += f" ({place.via})" if place.via != "plain" else ""
            (notes if asked is Outcome.ALLOW else demands).append(sentence + where)
        demand = max(demand, asked)
    return Answer(demand, _bounded(demands), _bounded(notes))


def _asked(told: Sequence[Indicator], policy: HeedPolicy) -> tuple[Outcome, str]:
    """Return what all that is told of one value asks for, and the sentence that says so."""
    against = [one for one in told if one.use is Use.BLOCK]
    good = [one for one in told if one.use in NEVER_BLOCKED]
    hunted = [one for one in told if one.use is Use.HUNT]
    if not against:
        return Outcome.ALLOW, _sentence(hunted[0], "is to be hunted for") if hunted else ""
    surest = min(against, key=lambda one: (list(Confidence).index(one.confidence), one.value))
    exact, sure = surest.kind in EXACT, surest.confidence in SURE
    if good and not exact:
        return Outcome.ALLOW, _sentence(surest, f"is not held against it, as {_source(good[0])} says {good[0].use}")
    asked = (policy.exact if exact else policy.seen) if sure else policy.unsure
    if good:
        return min(asked, Outcome.HOLD), _sentence(surest, f"is to be blocked, and {_source(good[0])} says otherwise")
    return asked, _sentence(surest, "is to be blocked")


def _sentence(indicator: Indicator, what: str) -> str:
    value, kind = inert(indicator.value, 120), indicator.kind.replace("-", " ")
    sure = f"{indicator.confidence} confidence"
    return f"{_source(indicator)} says that the {kind} {value} {what} ({sure})"


def _source(indicator: Indicator) -> str:
    return inert(indicator.sources[0].name, 80) if indicator.sources else "an import"


def _bounded(sentences: Sequence[str]) -> tuple[str, ...]:
    more = len(sentences) - MAX_TOLD
    return tuple(sentences[:MAX_TOLD]) + ((f"and {more} more indicators",) if more > 0 else ())


def _keys(text: str) -> Iterator[str]:
    for host in hosts_in(text):
        yield host_key(host)
    for url in urls_in(text):
        yield url_key(url)
    for email in emails_in(text):
        yield f"email:{email}"


def _borne(key: str, pair: Pair, placed: Placed) -> Borne:
    place = f"{pair.after.artifact.filename}!{placed.path}:{placed.fact.span.line}"
    return Borne(key, inert(place, 300), placed.fact.via)
