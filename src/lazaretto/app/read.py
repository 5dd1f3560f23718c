"""From archive bytes to what detectors see of one artifact: tree, manifest, facts, reach."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256

from msgspec import Struct
from msgspec.structs import replace

from lazaretto.app.ports import ArchiveError, Ecosystem, Engine, Job, PortError
from lazaretto.core.facts import Fact, Facts, Kind, Moment, Problem, Reach
from lazaretto.core.language import Claim
from lazaretto.core.manifest import EntryRole, Hook, HookKind, Manifest
from lazaretto.core.model import Artifact
from lazaretto.core.names import Digest
from lazaretto.core.reach import ImportResolver, file_reaches, place
from lazaretto.core.tree import Blob, Tree
from lazaretto.core.update import ArtifactView, Pair, Placed

COMMAND_DIALECT = "command"
"""The dialect in which the text of a lifecycle script is read."""

_LOADABLE_AS = {"npm": "javascript"}
"""What a file with a foreign ending is read as when code loads it: Node takes any unknown ending for JavaScript."""

_ASSETS = (".css", ".scss", ".less", ".html", ".svg", ".md", ".vue", ".svelte", ".graphql", ".json", ".wasm", ".node")

_BODY_DIALECTS = ("javascript", "python")
"""Dialects in which the body of a command may be read; the shell names the one at the end of ``Fact.via``."""

_BATCH = 2 << 20
"""Bytes of unchanged files that are first read to explain a charge; each further time twice as many."""


class Source(Struct, frozen=True):
    """An artifact to read, with its verified bytes."""

    artifact: Artifact
    data: bytes


class Part(Struct, eq=False):
    """One unpacked artifact while it is being read: what there is to read, and who reads it."""

    artifact: Artifact
    tree: Tree
    manifest: Manifest
    wanted: dict[str, Job]
    commands: list[tuple[Hook, Job]]


class Opened(Struct, eq=False):
    """The same kind of artifact on both sides, unpacked; ``before`` is None at first contact."""

    before: Part | None
    after: Part

    def unchanged(self, path: str) -> bool:
        """Whether the file is the same on both sides."""
        was, now = self.before and self.before.tree.get(path), self.after.tree.get(path)
        return bool(was and now and was.digest == now.digest)


    def earlier(self) -> list[Job]:
        """Return the earlier sides of what changed or was removed."""
        before = self.before
        return [] if before is None else [job for path, job in before.wanted.items() if not self.unchanged(path)]


class Reader:
    """Unpacks artifacts, and says who reads which file. ``claim`` is the languages' common offer."""

    def __init__(self, engine: Engine, claim: Callable[[str, bytes], Claim | None]) -> None:
        self._engine = engine
        self._claim = claim

    def open(self, ecosystem: Ecosystem, sources: Sequence[Source]) -> list[Part | PortError]:
        """Return for each source what there is to read, or the error that kept its archive from being unpacked."""
        trees = self._engine.unpack_many([(source.artifact, source.data) for source in sources])
        return [
            tree if isinstance(tree, PortError) else self._part(ecosystem, source.artifact, tree)
            for source, tree in zip(sources, trees, strict=True)
        ]

    def reading(self, ecosystem: Ecosystem, opened: Sequence[Opened]) -> "Reading":
        """Return the reading of these pairs, with all that changed already read."""
        return Reading(self._engine, ecosystem, opened)

    def _part(self, ecosystem: Ecosystem, artifact: Artifact, tree: Tree) -> Part | PortError:
        if not tree.files:
            return ArchiveError(f"{artifact.filename}: the archive holds no file")
        manifest = ecosystem.manifest(artifact, tree)
        wanted = {}
        for path, blob in tree.files.items():
            claim = self._claim(path, blob.data)
            if claim is not None:
                wanted[path] = Job(path=path, dialect=claim.dialect, blob=blob)
        commands = [
            (hook, Job(path=f"{hook.path}#{hook.name}", dialect=COMMAND_DIALECT, blob=_text_blob(hook.command)))
            for hook in manifest.hooks
            if hook.kind is HookKind.SCRIPT
        ]
        return Part(artifact, tree, manifest, wanted, commands)


class Reading:
    """Reads pairs of artifacts from what changed outwards.

    Of the release in question, what changed and what hooks run is read at once; at first contact that is
    everything. All else can only *explain*: the earlier side of a changed file, or a file that stands
    unchanged, may show that the line had a capability before, or that a file was reached before. So it is
    read when there is something to explain (``more``): first the earlier sides, then unchanged files,
    nearest to the entry points first. Until ``done``, views assume the worst of what was not read:
    changed code is taken to run at import, and the line to have done nothing that was not seen. Reading
    more only ever takes charges away, so an update without charges needs no more, whatever is cached: the
    answer does not depend on it.
    """

    def __init__(self, engine: Engine, ecosystem: Ecosystem, opened: Sequence[Opened]) -> None:
        self._engine = engine
        self._ecosystem = ecosystem
        self._opened = opened
        self._batch = _BATCH
        self._facts: dict[tuple[Digest, str], Facts] = {}
        self._resolved: dict[tuple[int, str, str], tuple[str, ...]] = {}
        self._reached: dict[int, tuple[int, dict[str, Reach]]] = {}
        first = [job for pair in opened for part in _parts(pair) for _, job in part.commands]
        for pair in opened:
            first += [job for path, job in pair.after.wanted.items() if not pair.unchanged(path)]
        self._read(first)
        while closure := self._unread(pair.after for pair in opened if self._run_by_hooks(pair.after)):
            self._read(closure)

    @property
    def done(self) -> bool:
        """Whether every file of every artifact has been read."""
        return all(self._known(job) for pair in self._opened for part in _parts(pair) for job in part.wanted.values())

    def more(self, charged: frozenset[str] = frozenset()) -> None:
        """Read what may explain most.

        That is the earlier side of the files that are charged, of the files beside them (a bundle's name often
        changes with its content), and of all that changed; then the files that those read so far load; then
        any. Of each up to a bound in bytes.
        """
        earlier = [job for pair in self._opened for job in pair.earlier() if not self._known(job)]
        folders = {path.rpartition("/")[0] for path in charged}
        nearest = [job for job in earlier if job.path in charged]
        beside = [job for job in earlier if job.path.rpartition("/")[0] in folders]
        for jobs in (nearest, beside, earlier):
            if jobs:
                self._read_some(jobs)
                return
        near: list[Job] = []
        for pair in self._opened:
            reached = sorted(self._reaches(pair.after))
            near += [pair.after.wanted[path] for path in reached if path in pair.after.wanted]
        rest = [job for pair in self._opened for part in _parts(pair) for job in part.wanted.values()]
        unread = {(job.blob.digest, job.dialect): job for job in [*near, *rest] if not self._known(job)}
        self._read_some(unread.values())

    def pairs(self) -> tuple[Pair, ...]:
        """Return what detectors see, as far as it is known."""
        return tuple(
            Pair(before=self._view(pair.before, None) if pair.before else None, after=self._view(pair.after, pair))
            for pair in self._opened
        )

    def unexplained(self) -> bool:
        """Whether an unchanged file is loaded now that, as far as is known, was not loaded so easily before."""
        order = list(Reach)
        for pair in self._opened:
            if pair.before is None:
                continue
            was, now = self._reaches(pair.before), self._reaches(pair.after)
            for path, reach in now.items():
                known = order.index(was.get(path, Reach.UNREACHED))
                if pair.unchanged(path) and path in pair.after.wanted and order.index(reach) < known:
                    return True
        return False

    def _known(self, job: Job) -> bool:
        return (job.blob.digest, job.dialect) in self._facts

    def _read(self, jobs: Iterable[Job]) -> None:
        distinct = {(job.blob.digest, job.dialect): job for job in jobs if not self._known(job)}
        if distinct:
            for job, facts in self._engine.read(distinct.values()):
                self._facts[job.blob.digest, job.dialect] = facts

    def _read_some(self, jobs: Iterable[Job]) -> None:
        """Read the first of these, up to a bound in bytes that doubles each time."""
        batch: list[Job] = []
        size = 0
        for job in jobs:
            if batch and size + job.blob.size > self._batch:
                break
            batch.append(job)
            size += job.blob.size
        self._batch *= 2
        self._read(batch)

    def _unread(self, parts: Iterable[Part]) -> list[Job]:
        """Return the files that installation hooks lead to, as far as is known, and that nobody has read yet."""
        jobs = []
        for part in parts:
            facts = self._of(part)
            hooks = self._run_by_hooks(part)
            reaches = file_reaches(facts, _without_entries(part.manifest), self._resolver(part), hooks)
            installed = [path for path, reach in reaches.items() if reach is Reach.INSTALL]
            found = [part.wanted[path] for path in installed if path in part.wanted]
            jobs += [job for job in found if not self._known(job)]
        return jobs

    def _of(self, part: Part) -> dict[str, Facts]:
        known = {path: self._facts.get((job.blob.digest, job.dialect)) for path, job in part.wanted.items()}
        return {path: facts for path, facts in known.items() if facts is not None}

    def _commands(self, part: Part) -> list[tuple[Hook, Facts]]:
        read = [(hook, self._facts[job.blob.digest, job.dialect]) for hook, job in part.commands]
        return [*read, *self._inline_bodies(read)]

    def _resolver(self, part: Part) -> ImportResolver:
        def resolve(path: str, specifier: str) -> tuple[str, ...]:
            key = (id(part), path, specifier)
            if key not in self._resolved:
                self._resolved[key] = self._ecosystem.resolve_import(path, specifier, part.tree, part.manifest)
            return self._resolved[key]

        return resolve

    def _run_by_hooks(self, part: Part) -> list[str]:
        resolve = self._resolver(part)
        named = {
            target
            for _, read in self._commands(part)
            for fact in read.facts
            if fact.kind is Kind.IMPORT and fact.value
            for target in resolve(part.manifest.path, fact.value)
        }
        return sorted(named | {entry.path for entry in part.manifest.entries if entry.role is EntryRole.INSTALL})

    def _reaches(self, part: Part) -> dict[str, Reach]:
        """Return how files are reached, as far as is known; worked out again when more has been read."""
        read, reaches = self._reached.get(id(part), (-1, {}))
        if read != len(self._facts):
            hooks = self._run_by_hooks(part)
            reaches = file_reaches(self._of(part), part.manifest, self._resolver(part), hooks)
            self._reached[id(part)] = (len(self._facts), reaches)
        return reaches

    def _view(self, part: Part, changed_in: Opened | None) -> ArtifactView:
        """Return the view of one side; ``changed_in`` is its pair if it is the side in question."""
        facts = self._of(part)
        hooks = self._run_by_hooks(part)
        reaches = dict(self._reaches(part))
        if self._reread(part, facts, reaches):
            reaches = file_reaches(facts, part.manifest, self._resolver(part), hooks)
        if changed_in is not None and len(facts) < len(part.wanted):
            for path in facts:
                if not changed_in.unchanged(path):
                    reaches[path] = min(reaches.get(path, Reach.IMPORT), Reach.IMPORT, key=list(Reach).index)
        commands = self._commands(part)
        return ArtifactView(
            artifact=part.artifact,
            tree=part.tree,
            manifest=part.manifest,
            facts=facts,
            placed=_place_commands(commands) + place(facts, reaches, frozenset(hooks)),
            reaches=reaches,
            problems=_problems(part, facts, commands),
        )

    def _inline_bodies(self, commands: Sequence[tuple[Hook, Facts]]) -> list[tuple[Hook, Facts]]:
        """Read code that a command carries itself (``node -e …``, ``python -c …``)."""
        bodies = []
        for hook, read in commands:
            for fact in read.facts:
                dialect = fact.via.rpartition(">")[2]
                if dialect in _BODY_DIALECTS and fact.kind is Kind.CODE_EVAL and fact.value:
                    job = Job(f"{hook.path}#{hook.name}", dialect, _text_blob(fact.value))
                    self._read([job])
                    found = self._facts[job.blob.digest, job.dialect]
                    bodies += [(hook, found)] if found.complete else []
        return bodies

    def _reread(self, part: Part, facts: dict[str, Facts], reaches: Mapping[str, Reach]) -> bool:
        """Read files with a foreign ending that code loads as the code they are taken for."""
        dialect = _LOADABLE_AS.get(self._ecosystem.ID)
        if dialect is None:
            return False
        jobs = [
            Job(path, dialect, part.tree.files[path])
            for path in sorted(reaches)
            if path in facts and part.wanted[path].dialect == "text" and not path.endswith(_ASSETS)
        ]
        self._read(jobs)
        found = {job.path: self._facts[job.blob.digest, job.dialect] for job in jobs}
        runnable = {path: read for path, read in found.items() if read.complete}
        facts.update(runnable)
        return bool(runnable)


def _parts(pair: Opened) -> tuple[Part, ...]:
    return (pair.after,) if pair.before is None else (pair.after, pair.before)


def _without_entries(manifest: Manifest) -> Manifest:
    """Return a manifest whose only entries are those of installation."""
    return replace(manifest, entries=tuple(entry for entry in manifest.entries if entry.role is EntryRole.INSTALL))


def _text_blob(text: str) -> Blob:
    data = text.encode("utf-8", "surrogatepass")
    return Blob(digest=Digest(f"sha256:{sha256(data).hexdigest()}"), data=data)


def _place_commands(commands: Sequence[tuple[Hook, Facts]]) -> tuple[Placed, ...]:
    """Place what a command does at the manifest line that holds it."""
    return tuple(
        Placed(
            hook.path,
            Fact(kind=fact.kind, value=fact.value, span=hook.span, moment=Moment.LOAD, via=fact.via),
            Reach.INSTALL,
        )
        for hook, read in commands
        for fact in read.facts
    )


def _problems(
    part: Part, facts: Mapping[str, Facts], commands: Sequence[tuple[Hook, Facts]]
) -> tuple[tuple[str, Problem], ...]:
    problems = [(part.manifest.path, problem) for problem in part.manifest.problems]
    problems += [(hook.path, problem) for hook, read in commands for problem in read.problems]
    problems += [(path, problem) for path in sorted(facts) for problem in facts[path].problems]
    unclaimed = sorted(part.tree.files.keys() - part.wanted.keys())
    problems += [(path, Problem(0, "no language module reads this file")) for path in unclaimed]
    return tuple(problems)
