"""A release -> an update -> records -> a verdict; and the same for every dependency that it newly brings."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from lazaretto.app.artifacts import disagreements, summary
from lazaretto.app.edges import Resolver, new_dependencies, without_page
from lazaretto.app.explaining import charges
from lazaretto.app.fetch import fetch, with_digest
from lazaretto.app.opened import Opened, Part, Source
from lazaretto.app.ports import ArchiveError, Ecosystem, Engine, NotFound, PortError, Registry
from lazaretto.app.read import Reader, Reading
from lazaretto.app.records import (
    archive_record,
    complete,
    detector_records,
    incomplete,
    index_record,
    left_unread,
    reading_records,
    required_checks,
)
from lazaretto.app.report import ReportedArtifact
from lazaretto.core.baseline import choose_baseline, earlier_releases
from lazaretto.core.finding import Detector
from lazaretto.core.language import Claim
from lazaretto.core.model import Artifact, Project, Provided, Release
from lazaretto.core.names import Digest, ProjectName, Version
from lazaretto.core.policy import Outage, Outcome, Policy
from lazaretto.core.update import Edge, Pair, Update
from lazaretto.core.verdict import (
    ASKED_CHECKS,
    CHECK_ARCHIVE,
    CHECK_ATTESTATION,
    CHECK_EDGES,
    CHECK_INDEX,
    CHECK_INTELLIGENCE,
    CHECK_SOURCE,
    Record,
    Subject,
    Verdict,
    decide,
)
from lazaretto.core.weight import WeightTable

if TYPE_CHECKING:  # only a registry's release has something that is signed
    from lazaretto.app.attested import Attested, Attester
    from lazaretto.app.intelligence.obey import Intelligence
    from lazaretto.app.sourced import Sourcer

_SIGNED = frozenset({Provided.ATTESTATION, Provided.SIGNATURE})

Progress = Callable[[str], None]
"""Told what is being done, in a few words."""


class Followed(Struct, frozen=True):
    """A new edge and the analysis of what it resolves to.

    ``seen`` says that this release is analysed elsewhere in the same answer; its verdict counts there.
    """

    edge: Edge
    analysis: "Analysis | None" = None
    seen: bool = False


class Analysis(Struct, frozen=True):
    """Everything that was found out about one release."""

    update: Update
    verdict: Verdict
    outcome: Outcome
    records: Mapping[str, Record]
    edges: tuple[Followed, ...] = ()
    artifacts: tuple[ReportedArtifact, ...] = ()
    disagreements: tuple[str, ...] = ()
    left_unread: tuple[str, ...] = ()

    def without_bytes(self) -> "Analysis":
        """Return the same without all that detectors saw: a release may bring hundreds of dependencies."""
        empty = replace(self.update, pairs=(), releases=(), history=(), edges=(), names=frozenset())
        return replace(self, update=empty)

    @property
    def complete(self) -> bool:
        """Whether every required check of this release and of its new dependencies ran to its end."""
        return self.verdict.complete and all(f.analysis is None or f.analysis.complete for f in self.edges)


class Rules(Struct, frozen=True):
    """What judges: detectors, languages, weights, policy. Values, handed in by ``bootstrap``."""

    detectors: tuple[Detector, ...]
    claim: Callable[[str, bytes], Claim | None]
    table: WeightTable
    policy: Policy
    well_known: Callable[[str], frozenset[str]]


class Question(Struct, frozen=True):
    """What is asked: a release, optionally against a named earlier one. ``every_artifact`` reads all wheels.

    ``first_contact`` measures it against nothing: a dependency that a project newly takes in has no
    earlier release *there*, and its older versions may have been planted too. ``files`` asks about these
    artifacts alone, whatever a client of this platform would choose.
    """

    project: ProjectName
    version: Version
    before: Version | None = None
    every_artifact: bool = False
    first_contact: bool = False
    files: tuple[str, ...] = ()


class _Matter(Struct, frozen=True):
    """What is to be judged: a release with the artifacts that were got, the earlier one, and what went wrong."""

    release: Release
    before: Release | None
    opened: tuple[Opened, ...]
    errors: tuple[PortError, ...]
    project: Project
    withdrawn: frozenset[Provided] = frozenset()
    attested: "Attested | None" = None
    asked: bool = True  # by the user, and not by a release that newly brings this one


Contacts = dict[tuple[str, str], Analysis]
"""First contacts by project and version: what one instant and one set of rules made of each, on its own."""


class Analyser:
    """Puts one question of one ecosystem at one instant. Make a new one for each question.

    ``contacts`` may be shared by the questions of one instant: what many of them newly bring is read once.
    """

    def __init__(
        self,
        ecosystem: Ecosystem,
        registry: Registry,
        engine: Engine,
        rules: Rules,
        now: datetime,
        suspects: Callable[[ProjectName], frozenset[Version]] = lambda _: frozenset(),
        progress: Progress = lambda _: None,
        contacts: Contacts | None = None,
        attester: Callable[[], "Attester | None"] = lambda: None,
        intelligence: Callable[[], "Intelligence | None"] = lambda: None,
        sourcer: "Sourcer | None" = None,
    ) -> None:
        self._attester = attester
        self._intelligence = intelligence
        self._sourcer = sourcer
        self._ecosystem = ecosystem
        self._registry = registry
        self._contacts: Contacts = {} if contacts is None else contacts
        self._reader = Reader(engine, rules.claim)
        self._rules = rules
        self._now = now
        self._suspects = suspects
        self._progress = progress
        self._resolver = Resolver(ecosystem, registry, now)
        self._seen: set[tuple[str, str]] = set()

    def release(
        self, question: Question, project: Project | None = None, withdrawn: frozenset[Provided] = frozenset()
    ) -> Analysis:
        """Analyse a release of a registry. ``withdrawn`` are fields that the registry used to tell and tells no longer.

        Raises:
            NotFound: the registry has no such project or release.
            RegistryError: the index could not be got, or that of a dependency could not be got again.
            ValueError: ``question.before`` names a release that the index does not have.
        """
        project = project or self._registry.project(question.project)
        return self._followed(self._release(question, project, withdrawn), depth=0)

    def verdict(
        self, question: Question, project: Project | None = None, withdrawn: frozenset[Provided] = frozenset()
    ) -> Analysis:
        """Analyse a release as ``release`` does, and let go what was read before what it newly brings is read."""
        project = project or self._registry.project(question.project)
        return self._followed(self._release(question, project, withdrawn).without_bytes(), depth=0)

    def archives(self, before: Source | None, after: Source) -> Analysis:
        """Analyse local archives, named as their manifests name them: there is no index, its questions are not asked.

        Raises:
            ArchiveError, EngineError: the archive in question cannot be unpacked, or names no release.
        """
        sources = [after] if before is None else [after, before]
        new, *rest = self._reader.open(self._ecosystem, sources)
        if isinstance(new, PortError):
            raise new
        errors = [part for part in rest if isinstance(part, PortError)]
        old = next((part for part in rest if not isinstance(part, PortError)), None)
        release = replace(self._local_release(new), artifacts=(with_digest(after),))
        self._seen.add((release.project, release.version))
        project = Project(self._ecosystem.ID, release.project, ())
        earlier = self._local_release(old) if old else None
        matter = _Matter(release, earlier, (Opened(old, new),), tuple(errors), project)
        return self._followed(self._judge(matter), depth=0)

    def _local_release(self, view: Part) -> Release:
        manifest = view.manifest
        try:
            name, version = self._ecosystem.name(manifest.name or ""), self._ecosystem.version(manifest.version or "")
        except ValueError as error:
            raise ArchiveError(f"{view.artifact.filename}: {manifest.path} does not name a release: {error}") from error
        return Release(self._ecosystem.ID, name, version, artifacts=(view.artifact,))

    def _release(self, question: Question, project: Project, withdrawn: frozenset[Provided] = frozenset()) -> Analysis:
        """Return the analysis of one release on its own, its new edges resolved and not followed."""
        release = project.release(question.version)
        if release is None:
            listed = len(project.releases)
            raise NotFound(f"{question.project} has no release {question.version}; its index lists {listed}")
        self._seen.add((release.project, release.version))
        before = self.baseline(question, project, release)
        wanted = self.wanted(question, release)

        def unpack(sources: Sequence[Source]) -> Sequence[Part | PortError]:
            self._progress(f"reading {release.project} {release.version}")
            return self._reader.open(self._ecosystem, sources)

        got = fetch(self._registry, self._ecosystem, wanted, before, unpack, self._progress)
        read = tuple(got.artifacts[one.filename] for one in wanted if one.filename in got.artifacts)
        known = replace(release, artifacts=read)
        attester = self._attester() if project.provides & _SIGNED else None
        attested = attester.attest(known, self._earlier(project, release)) if attester is not None else None
        asked = not question.first_contact
        matter = _Matter(known, before, got.opened, got.errors, project, withdrawn, attested, asked)
        return self._judge(replace(matter, release=attested.release) if attested is not None else matter)

    def wanted(self, question: Question, release: Release) -> tuple[Artifact, ...]:
        """Return the artifacts of a release that the question is about.

        Raises:
            NotFound: the question names a file that the release does not have.
        """
        if question.files:
            named = tuple(one for one in release.artifacts if one.filename in question.files)
            missing = sorted(set(question.files) - {one.filename for one in named})
            if missing:
                raise NotFound(f"{question.project} {release.version} has no file {', '.join(missing)}")
            return named
        return release.artifacts if question.every_artifact else self._ecosystem.choose(release)

    def baseline(self, question: Question, project: Project, release: Release) -> Release | None:
        """Return the release that the question measures against, or None at first contact.

        Raises:
            NotFound: the question names an earlier release that the index does not have.
        """
        if question.first_contact:
            return None
        if question.before is not None:
            before = project.release(question.before)
            if before is None:
                raise NotFound(f"{question.project} has no release {question.before} to compare with")
            return before
        policy = self._rules.policy
        return choose_baseline(self._earlier(project, release, policy.look_back + 1), self._now, policy)

    def _earlier(self, project: Project, release: Release, most: int | None = None) -> tuple[Release, ...]:
        suspects = self._suspects(project.name)
        return earlier_releases(project.releases, release, suspects, self._now, self._ecosystem.prerelease, most)

    def _judge(self, matter: "_Matter") -> Analysis:
        release, project, attested = matter.release, matter.project, matter.attested
        filled = attested.filled if attested is not None else tuple
        provides = project.provides
        if attested is not None and attested.verified:
            provides |= {Provided.VERIFICATION}
        reading = self._reader.reading(self._ecosystem, matter.opened)
        pairs = reading.pairs()
        edges, edge_record = self._edges(pairs, matter.before, release)
        update = Update(
            ecosystem=self._ecosystem.ID,
            after=release,
            before=filled([matter.before])[0] if matter.before is not None else None,
            pairs=pairs,
            history=filled(self._earlier(project, release)),
            releases=filled(r for r in project.releases if r.published is None or r.published <= self._now),
            edges=edges,
            provides=provides,
            now=self._now,
            names=self._rules.well_known(self._ecosystem.ID) if edges else frozenset(),
        )
        beside = self._sourcer.beside(release, pairs) if self._sourcer is not None and matter.asked else None
        update, found = self._explain(beside.added_to(update) if beside is not None else update, reading)
        archive = archive_record(matter.errors, read=bool(pairs))
        records = {
            CHECK_INDEX: index_record(project.name, matter.withdrawn),
            CHECK_ARCHIVE: archive,
            CHECK_EDGES: edge_record,
        }
        if attested is not None:
            records[CHECK_ATTESTATION] = attested.record
        if (intelligence := self._intelligence()) is not None:
            records[CHECK_INTELLIGENCE] = intelligence.record(update, self._now)
        if beside is not None and beside.record is not None:
            records[CHECK_SOURCE] = beside.record
        records |= reading_records(update) | found
        subject = Subject(
            purl=self._ecosystem.purl(release.project, release.version),
            digests=tuple(sorted(Digest(f"sha256:{artifact.digests['sha256']}") for artifact in release.artifacts)),
            published=release.published,
        )
        verdict = self._decide(subject, records, update.provides)
        return Analysis(
            update=update,
            verdict=verdict,
            outcome=verdict.outcome,
            records=records,
            edges=tuple(Followed(without_page(edge)) for edge in update.edges),
            artifacts=tuple(summary(pair, release) for pair in update.pairs),
            disagreements=disagreements(update.pairs),
            left_unread=(*left_unread(update), *(text for one in (attested, beside) if one for text in one.untold)),
        )

    def _decide(self, subject: Subject, records: Mapping[str, Record], provides: frozenset[Provided]) -> Verdict:
        policy = self._rules.policy
        required = required_checks(self._rules.detectors, provides) | (ASKED_CHECKS & records.keys())
        if policy.required is not None:
            required = required_checks((), frozenset()) | (required & policy.required)
        return decide(subject, required, records, self._rules.table, policy, self._now)

    def _explain(self, update: Update, reading: Reading) -> tuple[Update, dict[str, Record]]:
        """Run the detectors, and read on while there is a charge that more reading might take away."""
        reading.explain_imports()
        update = replace(update, pairs=reading.pairs())
        found = detector_records(update, self._rules.detectors)
        while not reading.done and (charged := charges(found)):
            reading.more(charged)
            reading.explain_imports()
            pairs = reading.pairs()
            edges = tuple(self._resolver.seen_in(edge, [pair.after for pair in pairs]) for edge in update.edges)
            update = replace(update, pairs=pairs, edges=edges)
            found = detector_records(update, self._rules.detectors)
        return update, found

    def _edges(
        self, pairs: tuple[Pair, ...], before: Release | None, release: Release
    ) -> tuple[tuple[Edge, ...], Record]:
        """Resolve every new dependency as a client would now."""
        edges, problems = [], []
        for dependency in new_dependencies(pairs, before, release):
            edge, error = self._resolver.edge(dependency, [pair.after for pair in pairs])
            if error is not None:
                problems.append(f"{dependency.name}: {error}")
            edges.append(edge)
        record = incomplete(CHECK_EDGES, Outage.UPSTREAM, problems) if problems else complete(CHECK_EDGES)
        return tuple(edges), record

    def _followed(self, own: Analysis, depth: int) -> Analysis:
        """Return the analysis with that of every release that it newly brings, each once in the whole answer."""
        policy = self._rules.policy
        followed: list[Followed] = []
        over: list[str] = []
        for edge in (one.edge for one in own.edges):
            if edge.resolved is None:
                followed.append(Followed(edge))
            elif (edge.resolved.project, edge.resolved.version) in self._seen:
                followed.append(Followed(edge, seen=True))
            elif depth >= policy.max_edge_depth or len(self._seen) > policy.max_edges:
                bounds = f"more than {policy.max_edges} new dependencies, or deeper than {policy.max_edge_depth}"
                over.append(f"{edge.dependency.name}: {bounds}")
                followed.append(Followed(edge, seen=True))
            else:
                contact = self._first_contact(edge.resolved)
                followed.append(Followed(edge, self._followed(contact, depth + 1)))
        if over:
            problems = [*own.records[CHECK_EDGES].problems, *over]
            records = {**own.records, CHECK_EDGES: incomplete(CHECK_EDGES, Outage.LIMIT, problems)}
            again = self._decide(own.verdict.subject, records, own.update.provides)
            own = replace(own, records=records, verdict=again)
        outcomes = [own.verdict.outcome]
        if own.verdict.waiver is None:  # a waiver accepts the release with all that it brings
            outcomes += [one.analysis.outcome for one in followed if one.analysis is not None]
        return replace(own, edges=tuple(followed), outcome=max(outcomes))

    def _first_contact(self, release: Release) -> Analysis:
        key = (release.project, release.version)
        if key not in self._contacts:
            question = Question(release.project, release.version, first_contact=True)
            project = self._registry.project(release.project)
            self._contacts[key] = self._release(question, project).without_bytes()
        self._seen.add(key)
        return self._contacts[key]
