"""Ask for a verdict: from the journal if the same question was answered, else by analysing; then write it down."""

from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Self

import msgspec
from msgspec import Struct

from lazaretto.app.analyse import Analyser, Contacts, Progress, Question, Rules
from lazaretto.app.opened import Source
from lazaretto.app.ports import Ecosystem, Engine, Journal, NotFound, PortError, Registry
from lazaretto.app.rendering import encodable
from lazaretto.app.report import SCHEMA, UpdateReport
from lazaretto.app.reporting import report_update
from lazaretto.core.model import Dependency, Project, Provided
from lazaretto.core.names import ProjectName, Purl, Version

if TYPE_CHECKING:
    from lazaretto.app.attested import Attester
    from lazaretto.app.intelligence.obey import Intelligence
    from lazaretto.app.sourced import Sourcer


class _Asked(Struct, frozen=True):
    """A question with all that the choice of its fingerprint's parts depends on, but for the index page."""

    question: Question
    now: datetime
    withdrawn: frozenset[Provided]
    suspects: frozenset[Version]


class _Noted:
    """What the journal says of projects at one instant: asked once, and again after every verdict of our own."""

    def __init__(self, journal: Journal, ecosystem: str, now: datetime) -> None:
        self._journal = journal
        self._ecosystem = ecosystem
        self.now = now
        self.contacts: Contacts = {}
        self._suspects: dict[ProjectName, frozenset[Version]] = {}
        self._withdrawn: dict[tuple[str, ProjectName, frozenset[Provided]], frozenset[Provided]] = {}

    def suspects(self, name: ProjectName) -> frozenset[Version]:
        """Return the versions that are never a baseline."""
        known = self._suspects
        found = known.get(name)
        if found is None:
            found = known[name] = self._journal.suspects(self._ecosystem, name)  # of no use, if written() came between
        return found

    def written(self) -> None:
        """Forget the suspects: a verdict was written."""
        self._suspects = {}

    def withdrawn(self, project: Project) -> frozenset[Provided]:
        """Return the fields that this registry used to tell of this project and no longer tells; note what it tells."""
        key = (project.source, project.name, project.provides)
        found = self._withdrawn.get(key)
        if found is None:
            ever = self._journal.provided(project.source, project.ecosystem, project.name) or frozenset()
            self._journal.note_provided(project.source, project.ecosystem, project.name, project.provides, self.now)
            found = self._withdrawn[key] = ever - project.provides
        return found


class _Prepared(Struct, frozen=True):
    """A question's page and fingerprint, and what the journal had under it."""

    project: Project
    key: str
    stored: bytes | None


class Asker:
    """Answers questions of one ecosystem. ``rules_version`` names detectors, languages and weights together."""

    def __init__(
        self,
        ecosystem: Ecosystem,
        registry: Registry,
        engine: Engine,
        rules: Rules,
        journal: Journal,
        rules_version: str,
        progress: Progress = lambda _: None,
        attester: "Callable[[], Attester | None]" = lambda: None,
        intelligence: "Callable[[], Intelligence | None]" = lambda: None,
    ) -> None:
        self._attester = attester
        self._intelligence = intelligence
        self._sourcer: Sourcer | None = None
        self._ecosystem = ecosystem
        self._registry = registry
        self._engine = engine
        self._rules = rules
        self._journal = journal
        self._progress = progress
        self._noted: _Noted | None = None
        self._prepared: dict[_Asked, _Prepared] = {}
        policy = sha256(msgspec.json.encode(rules.policy, enc_hook=_plain, order="deterministic")).hexdigest()[:12]
        self._versions = {"rules": rules_version, "policy": f"{rules.policy.version}+{policy}"}

    def against(self, sourcer: "Sourcer") -> Self:
        """Compare every release that is asked for with its repository from now on; return this asker."""
        self._sourcer = sourcer
        return self

    def release(self, question: Question, now: datetime) -> UpdateReport:
        """Return the report on a release; asking again is instant and gives the same report.

        An incomplete answer is written down but never reused: what was missing may be there now.

        Raises:
            NotFound: the registry has no such project or release.
            RegistryError: the index could not be got.
            JournalError: the journal cannot be read or written.
        """
        self._progress(f"asking the index for {question.project}")
        project = self._registry.project(question.project)
        analyser = self._analyser(now)
        asked = self._asked(question, project, now)
        prepared = self._prepared.pop(asked, None)
        if prepared is None or prepared.project is not project:
            prepared = _Prepared(project, self._key(asked, project, analyser), None)
        key = prepared.key
        known = self._known(key, now, prepared.stored)
        if known is not None:
            return known
        analysis = analyser.verdict(question, project, asked.withdrawn)
        return self._write(key, report_update(analysis, self._rules, self._versions, now), now)

    def archives(self, before: Source | None, after: Source, now: datetime) -> UpdateReport:
        """Return the report on local archives.

        Raises:
            ArchiveError, EngineError: see ``Analyser.archives``.
            JournalError: the journal cannot be read or written.
        """
        sources = [source for source in (before, after) if source is not None]
        digests = [(s.artifact.filename, s.artifact.kind, s.sha256) for s in sources]
        key = self._digest(["archives", self._ecosystem.ID, before is None, digests], now)
        known = self._known(key, now)
        if known is not None:
            return known
        analysis = self._analyser(now).archives(before, after)
        return self._write(key, report_update(analysis, self._rules, self._versions, now), now)

    def _known(self, key: str, now: datetime, stored: bytes | None = None) -> UpdateReport | None:
        """Return the answer to the same question, if it still stands. A repository is asked anew: its tags may move."""
        if self._sourcer is not None:
            return None
        stored = stored or self._journal.find(key)
        known = msgspec.json.decode(stored, type=UpdateReport) if stored is not None else None
        return known if known is not None and (known.expires is None or now < known.expires) else None

    def prepare(self, question: Question, now: datetime) -> None:
        """Fetch ahead what ``release`` will need. Safe in a thread; failures show when the question is asked."""
        try:
            project = self._registry.project(question.project)
            release = project.release(question.version)
            if release is None:
                return
            analyser = self._analyser(now)
            asked = self._asked(question, project, now)
            key = self._key(asked, project, analyser)
            stored = self._journal.find(key)
            self._prepared[asked] = _Prepared(project, key, stored)
            if stored is not None:
                return
            before = analyser.baseline(question, project, release)
            sides = [release] if before is None else [release, before]
            self._registry.prefetch([artifact for side in sides for artifact in analyser.wanted(question, side)])
        except PortError:
            return

    def newest(self, name: ProjectName, now: datetime) -> Version:
        """Return the version a client would install today.

        Raises:
            NotFound: no such project, or nothing installable.
            RegistryError: the index could not be got.
        """
        project = self._registry.project(name)
        tagged = project.tags.get("latest")
        if tagged is not None and project.release(tagged) is not None:
            return tagged
        usable = [
            r for r in project.releases if r.artifacts and not r.yanked and (r.published is None or r.published <= now)
        ]
        stable = [r for r in usable if not self._ecosystem.prerelease(r.version)] or usable
        if not stable:
            raise NotFound(f"{name} has no release that can be installed")
        return stable[-1].version

    def meant(self, name: ProjectName, wanted: str, now: datetime) -> Version:
        """Return the version that a client would take today for a range or a tag.

        Raises:
            NotFound: no such project, or nothing of it that would be taken.
            RegistryError: the index could not be got.
        """
        project = self._registry.project(name)
        release = self._ecosystem.resolve(Dependency(name, wanted), project, now)
        if release is None:
            tags = f"; its tags are {', '.join(sorted(project.tags))}" if project.tags else ""
            raise NotFound(f"{name} has no version, range or tag {wanted[:80]!r} in the configured registry{tags}")
        return release.version

    def _analyser(self, now: datetime) -> Analyser:
        noted = self._at(now)
        return Analyser(
            self._ecosystem,
            self._registry,
            self._engine,
            self._rules,
            now,
            suspects=noted.suspects,
            progress=self._progress,
            contacts=noted.contacts,
            attester=self._attester,
            intelligence=self._intelligence,
            sourcer=self._sourcer,
        )

    def _at(self, now: datetime) -> _Noted:
        """Return what is noted for an instant: at another one, what is newly brought may be something else."""
        noted = self._noted
        if noted is None or noted.now != now:
            noted = self._noted = _Noted(self._journal, self._ecosystem.ID, now)
        return noted

    def _asked(self, question: Question, project: Project, now: datetime) -> "_Asked":
        noted = self._at(now)
        return _Asked(question, now, noted.withdrawn(project), noted.suspects(project.name))

    def _key(self, asked: "_Asked", project: Project, analyser: Analyser) -> str:
        """Return the fingerprint of everything the answer depends on, but for what new edges resolve to.

        Those are covered by the report's ``expires``.
        """
        question = asked.question
        release = project.release(question.version)
        if release is None:
            raise NotFound(f"{question.project} has no release {question.version} in the configured registry")
        before = analyser.baseline(question, project, release)
        habit = [(r.version, r.publisher, r.attested, r.published) for r in project.releases]
        told = [sorted(project.provides), sorted(asked.withdrawn)]
        return self._digest([question, release, before, habit, told], asked.now)

    def _digest(self, parts: object, now: datetime) -> str:
        whole = [SCHEMA, self._versions, parts]
        if (intelligence := self._intelligence()) is not None:
            whole.append(intelligence.mark(now))
        return sha256(msgspec.json.encode(whole, enc_hook=_plain, order="deterministic")).hexdigest()

    def _write(self, key: str, report: UpdateReport, now: datetime) -> UpdateReport:
        report = encodable(report)
        for part in report.tree():
            body = msgspec.json.encode(part)
            own = key if part is report else f"{key}/{part.purl}"
            if self._sourcer is not None:  # found by nobody who does not ask the repository
                own = f"source:{now.isoformat()}:{own}"
            self._journal.append(
                own if part.complete else f"incomplete:{own}", Purl(part.purl), part.verdict, body, now
            )
        self._at(now).written()
        return report


def _plain(value: object) -> object:
    """Turn what JSON lacks into what it has, in a fixed order."""
    if isinstance(value, frozenset):
        return sorted(value)
    raise TypeError(f"no JSON form for {type(value).__name__}")
