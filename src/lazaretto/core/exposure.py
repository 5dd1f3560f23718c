"""Whether a place took a release, and whether the release ran there: reasons for and against, never a bare word.

Pure: what stands beside an entry (the path that leads to it, what it brings, what is installed there) is handed in.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from lazaretto.core.inventory import Entry, Place, Proof, Scripts, Sign


class Confidence(StrEnum):
    """How sure it is that the release was taken there."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Ran(StrEnum):
    """Whether its code ran there. UNKNOWN is the default: nothing seen is no evidence against."""

    YES = "yes"
    LIKELY = "likely"
    UNKNOWN = "unknown"
    UNLIKELY = "unlikely"


class Within(StrEnum):
    """Whether it was there in the time that was asked about."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Window(Struct, frozen=True):
    """The time that is asked about; both ends belong to it."""

    start: datetime
    end: datetime


class Reason(Struct, frozen=True):
    """One sentence for or against that it was taken, or ran."""

    supports: bool
    text: str


class Beside(Struct, frozen=True):
    """What another place says that belongs to this one (a tree installed from a lockfile), and what it brought."""

    place: Place
    entry: Entry
    brought: tuple[Entry, ...] = ()


class Exposure(Struct, frozen=True):
    """One place that has a release. ``path`` names what leads to it, the release itself last; empty if not known."""

    place: Place
    entry: Entry
    path: tuple[str, ...]
    brought: tuple[str, ...]
    within: Within
    confidence: Confidence
    ran: Ran
    reasons: tuple[Reason, ...]


def judge(
    place: Place,
    entry: Entry,
    *,
    path: tuple[str, ...] = (),
    brought: Sequence[Entry] = (),
    beside: Sequence[Beside] = (),
    window: Window | None = None,
) -> Exposure:
    """Return what an entry amounts to.

    ``brought`` are the entries of the same place that it needs: what a tampered release does, it often does through
    one of them. ``beside`` are entries of the same project in the tree that was installed from this place.
    """
    within = _within(place, entry, window)
    same = [one for one in beside if one.entry.version == entry.version]
    other = [one for one in beside if one.entry.version != entry.version]
    told = _PROOFS[entry.proof]
    confidence, reasons = told[0], [Reason(*told[1])]
    if entry.proof in _MEANT:
        for one in same:
            confidence = Confidence.HIGH
            reasons.append(Reason(supports=True, text=f"it is installed in {one.place}"))
        if other and not same:
            confidence = Confidence.LOW
            versions = ", ".join(sorted({one.entry.version for one in other}))
            reasons.append(Reason(supports=False, text=f"{versions} is installed in {other[0].place}"))
    if entry.signs & Sign.REFUSED:
        confidence = Confidence.LOW
        reasons.append(Reason(supports=False, text="it was asked for and not handed out"))
    if within is Within.NO:
        confidence = Confidence.LOW
        reasons.append(Reason(supports=False, text="it was not there in the time that is asked about"))
    ran, why = _ran(place, entry, [*brought, *(one for tree in same for one in (tree.entry, *tree.brought))])
    return Exposure(
        place=place,
        entry=entry,
        path=path,
        brought=tuple(sorted({f"{one.name}@{one.version}" for one in brought if one.version})),
        within=within,
        confidence=confidence,
        ran=ran,
        reasons=(*reasons, *why),
    )


_WRITTEN = "lockfile"
"""The kind of place of which only the time of its file is known."""

_MEANT = frozenset({Proof.FIXED, Proof.LISTED, Proof.OPEN})
_PROOFS = {
    Proof.FIXED: (Confidence.MEDIUM, (True, "a lockfile fixes it: whoever installs from it takes it")),
    Proof.LISTED: (Confidence.MEDIUM, (True, "an SBOM lists it")),
    Proof.OPEN: (Confidence.LOW, (True, "nothing fixes a version, and its range would have resolved to it")),
    Proof.INSTALLED: (Confidence.HIGH, (True, "it lies unpacked there")),
    Proof.CACHED: (Confidence.HIGH, (True, "a client keeps its archive: it was downloaded")),
    Proof.LOGGED: (Confidence.HIGH, (True, "a client's log tells that it was fetched or installed")),
    Proof.SERVED: (Confidence.HIGH, (True, "a registry handed it out")),
}


def _within(place: Place, entry: Entry, window: Window | None) -> Within:
    """Return whether an entry was there in a window.

    A file's own time says when it was written here, not when it began: a clone of today writes a lockfile of last year.
    """
    if window is None:
        return Within.YES
    if entry.first is not None and entry.first > window.end:
        return Within.UNKNOWN if place.kind == _WRITTEN else Within.NO
    if entry.last is not None and entry.last < window.start:
        return Within.NO
    return Within.UNKNOWN if entry.first is None else Within.YES


def _ran(place: Place, entry: Entry, others: Sequence[Entry]) -> tuple[Ran, tuple[Reason, ...]]:
    """Return whether its code ran, by the strongest that was seen of it and of what it brought."""
    found = [(ran, reason) for one in (entry, *others) for ran, reason in _signs(one)]
    every = entry.signs
    for one in others:
        every |= one.signs
    off = place.scripts is Scripts.OFF or bool(every & Sign.SCRIPTS_OFF)
    if off:
        why = place.why if place.scripts is Scripts.OFF else "the log shows a run that was told to"
        found.append((Ran.UNLIKELY, Reason(supports=False, text=f"no scripts are run there: {why}")))
    elif place.scripts is Scripts.ON:
        found.append((Ran.UNKNOWN, Reason(supports=True, text=f"scripts are run there: {place.why}")))
    if entry.proof is Proof.INSTALLED and not off and every & Sign.SCRIPT:
        text = "a script runs when it, or what it brought, is installed, and it is installed"
        found.append((Ran.LIKELY, Reason(supports=True, text=text)))
    order = [Ran.YES, Ran.UNLIKELY, Ran.LIKELY, Ran.UNKNOWN]
    words = {ran for ran, _ in found}
    strongest = next((ran for ran in order if ran in words), Ran.UNKNOWN)
    return strongest, tuple(dict.fromkeys(reason for _, reason in found))


def _signs(entry: Entry) -> Iterator[tuple[Ran, Reason]]:
    """Yield what the signs of one entry say."""
    called = f"{entry.name}@{entry.version}"
    if entry.signs & Sign.SCRIPT_RAN:
        yield Ran.YES, Reason(supports=True, text=f"the log shows a script of {called} starting")
    if entry.signs & Sign.MANIFEST_OTHER:
        text = f"the manifest of {called} names another version ({entry.note}): it was changed after the installation"
        yield Ran.YES if entry.signs & Sign.SCRIPT else Ran.LIKELY, Reason(supports=True, text=text)
    if entry.signs & Sign.MANIFEST_GONE:
        yield Ran.LIKELY, Reason(supports=True, text=f"the folder of {called} was left behind without its manifest")
