"""From archive bytes to what detectors see of one artifact: tree, manifest, facts, reach."""

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256

from msgspec import Struct

from lazaretto.app.ports import ArchiveError, Ecosystem, Engine, Job, PortError
from lazaretto.core.facts import Fact, Facts, Kind, Moment, Problem, Reach
from lazaretto.core.language import Claim
from lazaretto.core.manifest import Hook, HookKind, Manifest
from lazaretto.core.model import Artifact
from lazaretto.core.names import Digest
from lazaretto.core.reach import file_reaches, place
from lazaretto.core.tree import Blob, Tree
from lazaretto.core.update import ArtifactView, Placed

COMMAND_DIALECT = "command"
"""The dialect in which the text of a lifecycle script is read."""

_LOADABLE_AS = {"npm": "javascript"}
"""What a file with a foreign ending is read as when code loads it: Node takes any unknown ending for JavaScript."""

_ASSETS = (".css", ".scss", ".less", ".html", ".svg", ".md", ".vue", ".svelte", ".graphql", ".json", ".wasm", ".node")

_BODY_DIALECTS = {"node": "javascript", "python": "python"}


class Source(Struct, frozen=True):
    """An artifact to read, with its verified bytes."""

    artifact: Artifact
    data: bytes


class _Part(Struct):
    """One artifact while it is being read."""

    artifact: Artifact
    tree: Tree
    manifest: Manifest
    wanted: dict[str, Job]
    commands: list[tuple[Hook, Job]]


class Reader:
    """Reads artifacts with an engine. ``claim`` says which language reads a file."""

    def __init__(self, engine: Engine, claim: Callable[[str, bytes], Claim | None]) -> None:
        self._engine = engine
        self._claim = claim

    def views(self, ecosystem: Ecosystem, sources: Sequence[Source]) -> list[ArtifactView | PortError]:
        """Return for each source its view, or the error that kept its archive from being unpacked.

        Every distinct file is read once, whatever its number of occurrences.
        """
        trees = self._engine.unpack_many([(source.artifact, source.data) for source in sources])
        parts = [
            tree if isinstance(tree, PortError) else self._part(ecosystem, source.artifact, tree)
            for source, tree in zip(sources, trees, strict=True)
        ]
        jobs = [job for part in parts if isinstance(part, _Part) for job in _jobs_of(part)]
        facts = self._read(jobs)
        return [part if isinstance(part, PortError) else self._view(ecosystem, part, facts) for part in parts]

    def _part(self, ecosystem: Ecosystem, artifact: Artifact, tree: Tree) -> _Part | PortError:
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
        return _Part(artifact, tree, manifest, wanted, commands)

    def _read(self, jobs: Sequence[Job]) -> dict[tuple[Digest, str], Facts]:
        distinct = {(job.blob.digest, job.dialect): job for job in jobs}
        return {(job.blob.digest, job.dialect): facts for job, facts in self._engine.read(distinct.values())}

    def _view(self, ecosystem: Ecosystem, part: _Part, known: Mapping[tuple[Digest, str], Facts]) -> ArtifactView:
        facts = {path: known[job.blob.digest, job.dialect] for path, job in part.wanted.items()}
        commands = [(hook, known[job.blob.digest, job.dialect]) for hook, job in part.commands]
        inline = self._inline_bodies(commands)

        def resolve(path: str, specifier: str) -> tuple[str, ...]:
            return ecosystem.resolve_import(path, specifier, part.tree, part.manifest)

        run_by_hooks = frozenset(
            target
            for _, read in [*commands, *inline]
            for fact in read.facts
            if fact.kind is Kind.IMPORT and fact.value
            for target in resolve(part.manifest.path, fact.value)
        ) | frozenset(entry.path for entry in part.manifest.entries if entry.role == "install")
        reaches = file_reaches(facts, part.manifest, resolve, sorted(run_by_hooks))
        if self._reread(ecosystem, part, facts, reaches):
            reaches = file_reaches(facts, part.manifest, resolve, sorted(run_by_hooks))
        placed = _place_commands([*commands, *inline]) + place(facts, reaches, run_by_hooks)
        return ArtifactView(
            artifact=part.artifact,
            tree=part.tree,
            manifest=part.manifest,
            facts=facts,
            placed=placed,
            reaches=reaches,
            problems=_problems(part, facts, [*commands, *inline]),
        )

    def _inline_bodies(self, commands: Sequence[tuple[Hook, Facts]]) -> list[tuple[Hook, Facts]]:
        """Read code that a command carries itself (``node -e …``, ``python -c …``)."""
        bodies = []
        for hook, read in commands:
            program = next((name for name in _BODY_DIALECTS if name in hook.command), None)
            for fact in read.facts:
                if program and fact.kind is Kind.CODE_EVAL and fact.value:
                    job = Job(f"{hook.path}#{hook.name}", _BODY_DIALECTS[program], _text_blob(fact.value))
                    bodies += [(hook, facts) for _, facts in self._engine.read([job]) if facts.complete]
        return bodies

    def _reread(
        self, ecosystem: Ecosystem, part: _Part, facts: dict[str, Facts], reaches: Mapping[str, Reach]
    ) -> bool:
        """Read files with a foreign ending that code loads as the code they are taken for."""
        dialect = _LOADABLE_AS.get(ecosystem.ID)
        if dialect is None:
            return False
        jobs = [
            Job(path, dialect, part.tree.files[path])
            for path in sorted(reaches)
            if path in part.wanted and part.wanted[path].dialect == "text" and not path.endswith(_ASSETS)
        ]
        found = {job.path: read for job, read in self._engine.read(jobs) if read.complete} if jobs else {}
        facts.update(found)
        return bool(found)


def _jobs_of(part: _Part) -> list[Job]:
    return [*part.wanted.values(), *(job for _, job in part.commands)]


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
    part: _Part, facts: Mapping[str, Facts], commands: Sequence[tuple[Hook, Facts]]
) -> tuple[tuple[str, Problem], ...]:
    problems = [(part.manifest.path, problem) for problem in part.manifest.problems]
    problems += [(hook.path, problem) for hook, read in commands for problem in read.problems]
    problems += [(path, problem) for path in sorted(facts) for problem in facts[path].problems]
    unread = sorted(part.tree.files.keys() - part.wanted.keys())
    problems += [(path, Problem(0, "no language module reads this file")) for path in unread]
    return tuple(problems)
