"""A documented incident as data -> the question put to the analyser -> whether the expectation held.

The question is: *would you have held this release the minute it was published, knowing nothing of it?*
A hold counts only with evidence: a finding that names a line which the incident really changed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct, field

from lazaretto.app.ports import PortError, Registry
from lazaretto.core.finding import Evidence, Finding
from lazaretto.core.model import ArtifactKind, Provenance, Publisher
from lazaretto.core.names import ProjectName, Purl, Version
from lazaretto.core.tree import Tree


class Expect(StrEnum):
    """What the verdict should be; ``block`` also satisfies ``hold``."""

    ALLOW = "allow"
    HOLD = "hold"
    BLOCK = "block"


class Origin(StrEnum):
    """Where the bytes of a side come from."""

    REGISTRY = "registry"  # the real artifact
    TREE = "tree"  # the stand-in tree ``before/``
    OVERLAY = "overlay"  # the side before, changed as the incident changed it


class Side(Struct, frozen=True, kw_only=True):
    """One release as the replayed registry tells it; None means that the registry does not say.

    ``git_head`` and ``tag`` say whether the registry names a commit and whether a tag of this version exists.
    """

    version: str
    published: datetime | None = None
    publisher: Publisher | None = None
    attested: bool | None = None
    git_head: bool | None = None
    tag: bool | None = None
    provenance: Provenance | None = None
    dist_tag: str | None = None


class Before(Struct, frozen=True, kw_only=True):
    """The last good release. ``digests`` pins its real artifacts: file name -> SHA-256 in hexadecimal."""

    side: Side
    origin: Origin
    tree: Tree | None = None
    digests: Mapping[str, str] = field(default_factory=dict)


class Insert(Struct, frozen=True):
    """Text put into a file that is kept otherwise; it begins at ``line`` of the bad file (0: at its end)."""

    path: str
    line: int
    data: bytes


class After(Struct, frozen=True, kw_only=True):
    """The release in question: how it differs from the one before. For a real one, nothing but ``digests``."""

    side: Side
    origin: Origin
    kinds: tuple[ArtifactKind, ...]
    remove: tuple[str, ...] = ()
    overlay: Tree = Tree(files={})
    inserts: tuple[Insert, ...] = ()
    manifest: Mapping[str, Any] = field(default_factory=dict)
    manifest_remove: tuple[str, ...] = ()
    digests: Mapping[str, str] = field(default_factory=dict)


class OwnDependency(Struct, frozen=True, kw_only=True):
    """A release of another project that exists only in this incident."""

    name: str
    side: Side
    tree: Tree


class Replay(Struct, frozen=True, kw_only=True):
    """One folder of data. ``name`` is the folder's; ``guessed`` is what the public record does not say."""

    name: str
    incident: str
    ecosystem: str
    package: str
    now: datetime
    expect: Expect
    after: After
    before: Before | None = None
    history: tuple[Side, ...] = ()
    dependencies: tuple[OwnDependency, ...] = ()
    guessed: tuple[str, ...] = ()


class FoundIn(Struct, frozen=True):
    """A finding and the release that it is about: the one asked for, or a dependency that it brings."""

    purl: Purl
    finding: Finding


class Answer(Struct, frozen=True):
    """What the analyser says: ``allow``, ``hold`` or ``block``, and whether it could check everything."""

    outcome: str
    complete: bool
    findings: tuple[FoundIn, ...]


MAX_TOLD = 100
"""Most characters of a decoded value in a summary."""

Ask = Callable[[str, ProjectName, Version, datetime, Registry], Answer]
"""(ecosystem, project, version, now, registry) -> answer. May raise PortError."""


class World(Struct, frozen=True, kw_only=True):
    """The registry at that minute, the question, and what the incident really changed.

    ``places`` maps a release to path -> the lines that count as evidence, all 1-based. ``notes`` says what
    is not as it should be, for instance a stand-in in place of an artifact that could not be fetched.
    """

    registry: Registry
    project: ProjectName
    version: Version
    places: Mapping[Purl, Mapping[str, frozenset[int]]]
    notes: tuple[str, ...] = ()


class ReplayResult(Struct, frozen=True, kw_only=True):
    """One replay, answered. ``outcome`` is the analyser's, or ``error`` where it could not be asked.

    ``held`` says whether the expectation holds; ``place`` is the evidence at a line that the incident changed and
    ``where`` the release it belongs to.
    """

    replay: str
    incident: str
    package: str
    version: str
    expected: str
    outcome: str
    held: bool
    place: Evidence | None = None
    where: Purl | None = None
    note: str = ""

    @property
    def summary(self) -> str:
        """One line for a person. Names in it come from hostile data: an output makes them inert."""
        place = ""
        if self.place is not None:
            decoded = f" = {self.place.decoded[:MAX_TOLD]}" if self.place.decoded else ""
            place = f"  {self.where} {self.place.path}:{self.place.line}{decoded}"
        note = f"  ({self.note})" if self.note else ""
        mark = "ok  " if self.held else "FAIL"
        return f"{mark} {self.replay}: expected {self.expected}, got {self.outcome}{place}{note}"


def run(replays: Iterable[Replay], ask: Ask, build: Callable[[Replay], World]) -> Iterator[ReplayResult]:
    """Yield one result for each replay, in order; ``build`` makes its world (see ``replay_world.build_world``).

    A replay whose world cannot be built, or whose question fails, does not hold: it is reported, never left out.
    """
    for replay in replays:
        try:
            world = build(replay)
            answer = ask(replay.ecosystem, world.project, world.version, replay.now, world.registry)
        except PortError as error:
            yield _result(replay, "error", held=False, note=f"{type(error).__name__}: {error}")
            continue
        yield judge(replay, world, answer)


def judge(replay: Replay, world: World, answer: Answer) -> ReplayResult:
    """Return whether an answer meets the expectation: the outcome, and for a refusal evidence at a changed line."""
    notes = list(world.notes)
    if not answer.complete:
        notes.append("not everything could be checked")
    if replay.expect is Expect.ALLOW:
        held = answer.outcome == Expect.ALLOW and answer.complete
        if not held and answer.findings:
            notes.append("; ".join(_told(found) for found in answer.findings[:3]))
        return _result(replay, answer.outcome, held=held, note="; ".join(notes))
    accepted = (Expect.BLOCK,) if replay.expect is Expect.BLOCK else (Expect.HOLD, Expect.BLOCK)
    where, place = next(_changed_places(world, answer), (None, None))
    if place is None:
        notes.append("no finding names a line that the incident changed")
    held = answer.outcome in accepted and place is not None
    return _result(replay, answer.outcome, held=held, place=place, where=where, note="; ".join(notes))


def _changed_places(world: World, answer: Answer) -> Iterator[tuple[Purl, Evidence]]:
    """Yield every evidence that stands on a line which the incident really changed, in the analyser's order."""
    for found in answer.findings:
        paths = world.places.get(found.purl, {})
        for evidence in found.finding.evidence:
            if evidence.line in paths.get(evidence.path, ()):
                yield found.purl, evidence


def _told(found: FoundIn) -> str:
    first = found.finding.evidence[0] if found.finding.evidence else None
    place = f" at {first.path}:{first.line}" if first else ""
    return f"{found.finding.detector}/{found.finding.variant}{place}"


def _result(
    replay: Replay,
    outcome: str,
    *,
    held: bool,
    place: Evidence | None = None,
    where: Purl | None = None,
    note: str = "",
) -> ReplayResult:
    return ReplayResult(
        replay=replay.name,
        incident=replay.incident,
        package=replay.package,
        version=replay.after.side.version,
        expected=replay.expect.value,
        outcome=outcome,
        held=held,
        place=place,
        where=where,
        note=note,
    )
