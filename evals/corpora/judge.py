"""One item, read by the product's own confined readers and judged by its rules, without any registry.

What an index would tell (publishers, times, what a range resolves to) is not asked: a corpus has no index, and the
names in a sample are nobody's business but its own. Nothing that is read is kept: the engine has no cache.
"""

import resource
import time
from collections.abc import Mapping
from datetime import UTC, datetime

from msgspec import Struct
from msgspec.structs import replace

from evals.corpora.git import MissingError
from evals.corpora.items import Item, Label
from evals.corpora.layouts import Archive
from evals.corpora.pack import Stores, UnusableError, as_source, packed, rooted
from evals.corpora.shape import cluster
from lazaretto.app.analyse import Analyser, Analysis, Rules
from lazaretto.app.opened import Source
from lazaretto.app.ports import ArchiveError, EngineError, Registry, Unavailable
from lazaretto.bootstrap import App
from lazaretto.core.model import Artifact, ArtifactKind, Project
from lazaretto.core.names import ProjectName
from lazaretto.core.policy import Outage, Outcome
from lazaretto.core.question import ACTS, hidden
from lazaretto.core.verdict import RecordState
from lazaretto.infra.confined import Bounds
from lazaretto.infra.engine import Engine

NOW = datetime(2026, 1, 1, tzinfo=UTC)
"""The instant of every reading: nothing that is measured here depends on it."""


PATIENCE = 1200.0
"""Seconds of the wall after which a reader is given up."""


class Surveyed(Struct, frozen=True):
    """What is known of an item before it is judged. ``error`` is set for what could not even be unpacked.

    ``manifest`` is whether it still has one: of some samples only the malicious file is left.
    """

    key: str
    cluster: str = ""
    files: int = 0
    size: int = 0
    manifest: bool = True
    error: str = ""


class Judged(Struct, frozen=True):
    """What was said of an item.

    ``rows`` are those of the weight table, ``acts`` is what its code does and when (``process.spawn@install``), and
    ``open`` are checks that did not end, and why. ``charge`` is of charges alone. ``edges`` is how many new
    dependencies nobody was asked about. ``seconds`` are of the wall, ``memory`` is the largest resident set of the
    judging process so far, in MiB, without its readers.
    """

    key: str
    verdict: str
    charge: float = 0.0
    rows: tuple[str, ...] = ()
    groups: Mapping[str, float] = {}
    acts: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    edges: int = 0
    seconds: float = 0.0
    memory: float = 0.0
    size: int = 0
    error: str = ""


class _Silent:
    """A registry that cannot be asked."""

    def project(self, name: ProjectName) -> Project:
        raise Unavailable("a corpus has no index")

    def download(self, artifact: Artifact) -> bytes:
        raise Unavailable("a corpus has no index")

    def prefetch(self, artifacts: object) -> None:
        """Nothing will be asked for."""


class Judge:
    """Reads in this process's own confined readers. Make it in a process without threads."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._stores = Stores()
        # Processor time bounds a reading here as everywhere; time of the wall would measure who else is at work.
        self._engine = Engine(app.languages, 1, bounds=Bounds(wall=PATIENCE, unpack_wall=PATIENCE))
        # That a dependency cannot be resolved says nothing of a sample: it would hold every one that has any.
        outages = {**app.rules.policy.outages, Outage.UPSTREAM: Outcome.ALLOW}
        self._rules: Rules = replace(app.rules, policy=replace(app.rules.policy, outages=outages))
        self._registry: Registry = _Silent()

    def close(self) -> None:
        """End the readers."""
        self._engine.close()

    def survey(self, item: Item) -> Surveyed:
        """Unpack an item and say which clones it belongs to."""
        try:
            source = self._stores.source(item, item.after)
            tree = self._engine.unpack(source.artifact, source.data)
        except (ArchiveError, EngineError, MissingError, UnusableError, OSError) as error:
            return Surveyed(item.key, error=type(error).__name__)
        manifest = self._app.ecosystem(item.ecosystem).manifest(source.artifact, tree)
        named = any(path.rpartition("/")[2] in ("package.json", "setup.py", "PKG-INFO", "METADATA") for path in tree)
        return Surveyed(item.key, cluster(tree, manifest), len(tree.files), tree.size, named)

    def name(self, path: str) -> Archive | None:
        """Return which release an archive is, whatever it is called; None if it does not say."""
        data = self._stores.read("", path)
        kinds = (ArtifactKind.WHEEL,) if data[:2] == b"PK" else (ArtifactKind.TARBALL, ArtifactKind.SDIST)
        for kind in kinds:
            ecosystem = "npm" if kind is ArtifactKind.TARBALL else "pypi"
            artifact = Artifact("archive", kind, url="")
            try:
                tree = self._engine.unpack(artifact, data)
            except (ArchiveError, EngineError):
                continue
            manifest = self._app.ecosystem(ecosystem).manifest(artifact, tree)
            if manifest.name and manifest.version:
                return Archive(path, ecosystem, kind.value, manifest.name, manifest.version)
        return None

    def judge(self, item: Item) -> Judged:
        """Read an item and decide. What cannot be unpacked, or names no release, is ``refused``."""
        start = time.perf_counter()
        try:
            after = self._stores.source(item, item.after)
            before = self._stores.source(item, item.before) if item.before else None
        except (MissingError, UnusableError, OSError) as error:
            return Judged(item.key, "unusable", error=type(error).__name__)
        try:
            analysis = self._analysis(item, before, after)
        except (ArchiveError, EngineError) as error:
            return Judged(item.key, "refused", seconds=time.perf_counter() - start, error=type(error).__name__)
        return self._told(item, analysis, time.perf_counter() - start)

    def _analysis(self, item: Item, before: Source | None, after: Source) -> Analysis:
        ecosystem = self._app.ecosystem(item.ecosystem)
        analyser = Analyser(ecosystem, self._registry, self._engine, self._rules, NOW)
        try:
            return analyser.archives(before, after)
        except ArchiveError:
            if item.label is not Label.MALICIOUS or before is not None:
                raise
        # Who collected it has packed it anew, or has cut all else away: as a registry would have served it.
        analyser = Analyser(ecosystem, self._registry, self._engine, self._rules, NOW)
        return analyser.archives(None, self._repacked(item, after))

    def _repacked(self, item: Item, source: Source) -> Source:
        tree = self._engine.unpack(source.artifact, source.data)
        files = rooted({path: blob.data for path, blob in tree.files.items()})
        return as_source(
            "package.tgz", packed(files, item), ArtifactKind.TARBALL if item.ecosystem == "npm" else ArtifactKind.SDIST
        )

    def _told(self, item: Item, analysis: Analysis, seconds: float) -> Judged:
        verdict = analysis.verdict
        unfinished = [record for record in analysis.records.values() if record.state is RecordState.INCOMPLETE]
        reasons = {f"{record.check}:{record.outage}" for record in unfinished if record.outage is not Outage.UPSTREAM}
        findings = [finding for record in analysis.records.values() for finding in record.findings]
        rows = {f"{finding.detector}/{finding.variant}" for finding in findings}
        benign = item.label is Label.BENIGN  # of samples not a word is kept
        problems = tuple(problem[:200] for record in unfinished for problem in record.problems[:5]) if benign else ()
        places = tuple(
            f"{finding.detector}/{finding.variant} at {where.path[:120]}:{where.line}"
            for finding in findings
            for where in finding.evidence[:2]
        )
        return Judged(
            key=item.key,
            verdict=verdict.outcome.word,
            charge=verdict.charge.total,
            rows=tuple(sorted(rows)),
            groups=verdict.charge.groups,
            acts=acts(analysis),
            open=tuple(sorted(reasons)),
            problems=problems + (places if benign else ()),
            edges=sum(edge.edge.project is None for edge in analysis.edges),
            seconds=round(seconds, 3),
            memory=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
            size=sum(pair.after.tree.size for pair in analysis.update.pairs),
        )


def acts(analysis: Analysis) -> tuple[str, ...]:
    """Return what a release does and when, in words of the vocabulary alone; what it hides is told apart."""
    found = set()
    for pair in analysis.update.pairs:
        for placed in pair.after.placed:
            fact = placed.fact
            if fact.kind in ACTS:
                known = "hidden-" if hidden(fact) else "unknown-" if fact.value is None else ""
                found.add(f"{known}{fact.kind.value}@{placed.reach.value}")
    return tuple(sorted(found))


def app() -> App:
    """Return the product with its shipped rules, whatever the user's settings say: figures must compare."""
    from pathlib import Path

    from lazaretto.core.policy import Policy
    from lazaretto.settings import Settings

    nowhere = Path("/nonexistent")
    return App(Settings(policy=Policy(), cache_dir=nowhere, state_dir=nowhere))
