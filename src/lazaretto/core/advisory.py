"""Advisories as OSV 1.7 tells them, whether one applies to a version, and whether a version is its cure.

An advisory speaks of projects and versions *as written*: an ecosystem, handed in as a ``VersionOrder``, makes them
normal and puts them in order. The answer has three values, because a range that cannot be read is neither a yes nor
a no: a refusal on malware must not hang on a publisher's spelling mistake.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from msgspec import Struct

from lazaretto.core.names import ProjectName, Version

MALWARE_PREFIX = "MAL-"
EMBEDDED_MALICIOUS_CODE = "CWE-506"
"""What marks malware in a database that numbers it like any other advisory (CWE 4.19)."""


class AdvisoryKind(StrEnum):
    """Whether a version was made to do harm, or only can be made to: the two are answered differently."""

    MALWARE = "malware"
    VULNERABILITY = "vulnerability"


class RangeKind(StrEnum):
    """How the versions of a range are ordered (OSV 1.7, ``affected[].ranges[].type``).

    Commits are in an order that no registry knows; OTHER is a kind that is younger than this program.
    """

    SEMVER = "SEMVER"
    ECOSYSTEM = "ECOSYSTEM"
    GIT = "GIT"
    OTHER = "OTHER"


class EventKind(StrEnum):
    """What happens at a version of a range (OSV 1.7, ``affected[].ranges[].events``)."""

    INTRODUCED = "introduced"
    FIXED = "fixed"
    LAST_AFFECTED = "last_affected"
    LIMIT = "limit"


class Applies(StrEnum):
    """Whether an advisory is about a version. UNCLEAR: it is about the project, and its versions cannot be read."""

    YES = "yes"
    NO = "no"
    UNCLEAR = "unclear"


class Event(Struct, frozen=True):
    """One event of a range: from this version on, or up to it, as the kind says. ``0`` introduces the first."""

    kind: EventKind
    version: str


class Range(Struct, frozen=True):
    """A timeline of events in one order of versions."""

    kind: RangeKind
    events: tuple[Event, ...]


class Affected(Struct, frozen=True):
    """The versions of one project: those listed, and those in a range. ``ecosystem`` in lower case, ours or not."""

    ecosystem: str
    name: str
    versions: tuple[str, ...] = ()
    ranges: tuple[Range, ...] = ()


class Origin(Struct, frozen=True):
    """Who told it to a collection of malware reports (``database_specific.malicious-packages-origins``)."""

    source: str
    sha256: str = ""
    imported: datetime | None = None


class Advisory(Struct, frozen=True):
    """One record of an advisory database. Times in UTC; ``withdrawn`` is set when it is no longer held true."""

    id: str
    modified: datetime
    affected: tuple[Affected, ...]
    published: datetime | None = None
    withdrawn: datetime | None = None
    aliases: tuple[str, ...] = ()
    summary: str = ""
    cwes: tuple[str, ...] = ()
    origins: tuple[Origin, ...] = ()

    @property
    def kind(self) -> AdvisoryKind:
        """Malware if it, or an alias of it, is numbered so, or if its weakness is *embedded malicious code*."""
        numbered = any(one.startswith(MALWARE_PREFIX) for one in (self.id, *self.aliases))
        return AdvisoryKind.MALWARE if numbered or EMBEDDED_MALICIOUS_CODE in self.cwes else AdvisoryKind.VULNERABILITY


class FeedError(ValueError):
    """Bytes that are no feed: the place (``record 3``, ``MAL-1.json``, ``line 2``) and the reason."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}")
        self.place = place
        self.reason = reason


class VersionOrder(Protocol):
    """The part of an ecosystem that an advisory needs (``app.ports.Ecosystem`` has it)."""

    ID: str

    def name(self, text: str) -> ProjectName:
        """Return the normal form. Raises ValueError."""
        ...

    def version(self, text: str) -> Version:
        """Return the canonical version. Raises ValueError."""
        ...

    def precedence(self, version: Version) -> Any:  # noqa: ANN401 - only ever compared with its own kind
        """Return a value that orders versions, equal for those that are one to a client (PEP 440: 1.0 and 1.0.0)."""
        ...


def affects(advisory: Advisory, order: VersionOrder, name: ProjectName, version: Version) -> Applies:
    """Return whether an advisory is about a version: listed first, then by range; a withdrawn one never is.

    Raises nothing: what cannot be read is UNCLEAR, unless something else says YES.
    """
    if advisory.withdrawn is not None:
        return Applies.NO
    return _any(_affected(one, order, version) for one in _about(advisory, order, name))


def fixes(advisory: Advisory, order: VersionOrder, name: ProjectName, version: Version) -> bool:
    """Return whether a release is the cure of an advisory: one that it names as fixed, and that it is not about.

    Only the word ``fixed`` counts. That a version follows the ``last_affected`` one, or is not in the list of malware,
    says nothing of it: the next release of an account that was taken over is not a cure.
    """
    if affects(advisory, order, name, version) is not Applies.NO or advisory.withdrawn is not None:
        return False
    return any(_same(order, text, version) for text in _fixed_versions(advisory, order, name))


def _fixed_versions(advisory: Advisory, order: VersionOrder, name: ProjectName) -> Iterator[str]:
    for affected in _about(advisory, order, name):
        for one in affected.ranges:
            if one.kind in _ORDERED:
                yield from (event.version for event in one.events if event.kind is EventKind.FIXED)


def _about(advisory: Advisory, order: VersionOrder, name: ProjectName) -> Iterator[Affected]:
    """Yield what an advisory says of a project, in whatever spelling."""
    for one in advisory.affected:
        if one.ecosystem == order.ID and (one.name == name or _named(order, one.name) == name):
            yield one


def _affected(affected: Affected, order: VersionOrder, version: Version) -> Applies:
    if version in affected.versions or any(_same(order, text, version) for text in affected.versions):
        return Applies.YES
    ranges = [one for one in affected.ranges if one.kind in _ORDERED]
    if not affected.versions and not ranges:  # commits alone, or nothing: no version can be told apart
        return Applies.UNCLEAR
    return _any(_in_range(one, order, version) for one in ranges)


def _in_range(one: Range, order: VersionOrder, version: Version) -> Applies:
    """Walk the events in order, as the specification's algorithm does (OSV 1.7, *Evaluation*).

    Of events at one version, ``fixed`` comes before ``introduced``: ranges that touch are then one range, and
    a range that contradicts itself is taken for affected. ``last_affected`` comes last, for it includes its version.
    """
    key = order.precedence(version)
    events: list[tuple[bool, Any, int]] = []
    limits: list[bool] = []
    for event in one.events:
        if event.version == ("*" if event.kind is EventKind.LIMIT else "0"):
            if event.kind is EventKind.LIMIT:
                limits.append(True)
                continue
            parsed = None  # before every version there is
        else:
            parsed = _parsed(order, event.version)
            if parsed is None:
                return Applies.UNCLEAR
        at = None if parsed is None else order.precedence(parsed)
        if event.kind is EventKind.LIMIT:
            limits.append(key < at)
        else:
            events.append((at is not None, at, _SEQUENCE[event.kind]))
    if not any(sequence == _SEQUENCE[EventKind.INTRODUCED] for _, _, sequence in events):
        return Applies.UNCLEAR  # the specification asks for one; without it nobody knows where the range begins
    if limits and not any(limits):
        return Applies.NO
    return Applies.YES if _walk(events, key) else Applies.NO


def _walk(events: list[tuple[bool, Any, int]], key: Any) -> bool:  # noqa: ANN401 - a key is what the order makes it
    within = False
    first = [event for event in events if not event[0]]
    later = sorted((event for event in events if event[0]), key=lambda event: (event[1], event[2]))
    for known, at, sequence in [*sorted(first, key=lambda event: event[2]), *later]:
        if sequence == _SEQUENCE[EventKind.LAST_AFFECTED]:
            within = within and known and not key > at
        elif not known or key >= at:
            within = sequence == _SEQUENCE[EventKind.INTRODUCED]
    return within


_ORDERED = frozenset((RangeKind.SEMVER, RangeKind.ECOSYSTEM))
_SEQUENCE = {EventKind.FIXED: 0, EventKind.INTRODUCED: 1, EventKind.LAST_AFFECTED: 2}


def _any(answers: Iterable[Applies]) -> Applies:
    """Return the strongest answer: YES, else UNCLEAR, else NO."""
    seen = set(answers)
    return next((one for one in (Applies.YES, Applies.UNCLEAR) if one in seen), Applies.NO)


def _same(order: VersionOrder, text: str, version: Version) -> bool:
    parsed = _parsed(order, text)
    return parsed is not None and (parsed == version or bool(order.precedence(parsed) == order.precedence(version)))


def _named(order: VersionOrder, text: str) -> ProjectName | None:
    try:
        return order.name(text)
    except ValueError:
        return None


def _parsed(order: VersionOrder, text: str) -> Version | None:
    try:
        return order.version(text)
    except ValueError:
        return None
