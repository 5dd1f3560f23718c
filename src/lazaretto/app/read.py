"""From unpacked artifacts to what detectors see of them: facts and reach, from what changed outwards."""

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from lazaretto.app.explaining import NO_CHARGES, Charges, alike
from lazaretto.app.foreign import LOADABLE_AS, SELF_TOLD, Namer, counts_unread, loads_by_name, may_be_code
from lazaretto.app.opened import ClaimFile, Homes, Opened, Part, Source, open_parts, text_blob
from lazaretto.app.ports import Ecosystem, Engine, Job, PortError
from lazaretto.app.waking import RANK, Side, Waking, waking
from lazaretto.core.crossing import crossed
from lazaretto.core.facts import Fact, Facts, Kind, Moment, Problem, Reach
from lazaretto.core.manifest import EntryRole, Hook, Manifest
from lazaretto.core.model import ArtifactKind
from lazaretto.core.names import Digest
from lazaretto.core.reach import Loader, file_reaches, place
from lazaretto.core.update import ArtifactView, Pair, Placed

_BODY_DIALECTS = ("javascript", "python")
"""Dialects in which the body of a command may be read; the shell names the one at the end of ``Fact.via``."""

_UNREAD = Facts("")

_BATCH = 2 << 20
"""Bytes of unchanged files that are first read to explain a charge; each further time twice as many."""


class Reader:
    """Unpacks artifacts, and reads pairs of them. ``claim`` is the languages' common offer."""

    def __init__(self, engine: Engine, claim: ClaimFile) -> None:
        self._engine = engine
        self._claim = claim

    def open(self, ecosystem: Ecosystem, sources: Sequence[Source]) -> list[Part | PortError]:
        """Return for each source what there is to read, or the error that kept its archive from being unpacked."""
        return open_parts(self._engine, self._claim, ecosystem, sources)

    def reading(self, ecosystem: Ecosystem, opened: Sequence[Opened]) -> "Reading":
        """Return the reading of these pairs, with all that changed already read."""
        return Reading(self._engine, ecosystem, opened)


class Reading:
    """Reads pairs of artifacts from what changed outwards.

    Of the release in question, what changed and what hooks run is read at once; at first contact that is
    everything. All else can only *explain*: the earlier side of a changed file, or a file that stands
    unchanged, may show that the line had a capability before, or that a file was reached before. So it is
    read when there is something to explain (``more``): first the earlier sides, then unchanged files,
    nearest to the entry points first. Until ``done``, views assume the worst of what was not read:
    changed code is taken to run at import, what it loads to be loaded anew, and the line to have done
    nothing that was not seen. Reading more only ever takes charges away, so an update without charges
    needs no more, whatever is cached: the answer does not depend on it.
    """

    def __init__(self, engine: Engine, ecosystem: Ecosystem, opened: Sequence[Opened]) -> None:
        self._engine = engine
        self._ecosystem = ecosystem
        self._opened = opened
        self._homes = Homes(opened)
        self._batch = _BATCH
        self._looked_around = False
        self._facts: dict[tuple[Digest, str], Facts] = {}
        self._loaders: dict[int, Loader] = {}
        self._namers: dict[int, Namer] = {}
        self._reached: dict[int, tuple[int, dict[str, Reach]]] = {}
        self._known_of: dict[int, tuple[int, dict[str, Facts]]] = {}
        self._woken: dict[int, dict[str, Reach]] = {}
        # Apart from the release in question: whoever reads its bytes must not answer for what the line did before.
        self._read(job for pair in opened if pair.before is not None for _, job in pair.before.commands)
        first = [job for pair in opened for _, job in pair.after.commands]
        for pair in opened:
            first += [job for path, job in pair.after.wanted.items() if not pair.unchanged(path)]
        self._read(first)
        while closure := self._unread(pair.after for pair in opened if self._run_by_hooks(pair.after)):
            self._read(closure)

    @property
    def done(self) -> bool:
        """Whether every file of every artifact has been read."""
        return all(self._known(job) for pair in self._opened for part in _parts(pair) for job in part.wanted.values())

    def more(self, charged: Charges = NO_CHARGES) -> None:
        """Read what may explain most.

        That is, once, small files that name what is charged; then the earlier side of the files that are charged, of
        the files beside them (a bundle's name often changes with its content), and of all that changed; then the
        files that those read so far load; then any. Of each up to a bound in bytes. A file that stands unchanged is
        charged because it is loaded anew: only what leads to it can explain that.
        """
        earlier = [job for pair in self._opened for job in pair.earlier() if not self._known(job)]
        folders = {path.rpartition("/")[0] for path in charged.files}
        nearest = [job for job in earlier if job.path in charged.files]
        beside = [job for job in earlier if job.path.rpartition("/")[0] in folders]
        dormant = any(pair.unchanged(path) for pair in self._opened for path in charged.files)
        if not dormant and not self._looked_around:
            self._looked_around = True
            if small := alike(charged, nearest, self._of_the_line()):
                self._read(small)
                return
        for jobs in (nearest,) if dormant else (nearest, beside, earlier):
            if jobs:
                self._read_some(jobs)
                return
        self._read_outwards()

    def _of_the_line(self) -> list[Job]:
        """Return the files of the earlier releases that nobody has read yet, each once."""
        before = [pair.before for pair in self._opened if pair.before is not None]
        return [job for part in before for job in part.wanted.values() if not self._known(job)]

    def explain_imports(self) -> None:
        """Read on until every file that the update wakes, and all that it leads to, is known.

        What is loaded anew may have been loaded before. So whatever is less is read: the earlier sides of the
        files that load it, those first that are known to have run, or else what is asleep itself. Where both
        would be much, whatever leads on from the entry points is read first: it may have been awake.
        """
        while not self.done:
            before = [(pair, pair.before) for pair in self._opened if pair.before is not None]
            wakings = [(pair, self._waking(pair, part)) for pair, part in before]
            self._woken = {id(pair.after): found.woken for pair, found in wakings}
            asleep = [pair.after.wanted[path] for pair, found in wakings for path in found.woken]
            asleep = [job for job in asleep if not self._known(job)]
            if not asleep:
                return
            unread = [job for _, found in wakings for job in found.unread]
            ran = [job for job in unread if any(job.path in self._reaches(part) for _, part in before)]
            if unread and _size(ran or unread) <= _size(asleep):
                self._read(ran or unread)
            elif _size(asleep) <= _BATCH:
                self._read(asleep)
            else:
                self._read_outwards()

    def pairs(self) -> tuple[Pair, ...]:
        """Return what detectors see, as far as it is known."""
        return tuple(
            Pair(before=self._view(pair.before, None) if pair.before else None, after=self._view(pair.after, pair))
            for pair in self._opened
        )

    def _waking(self, pair: Opened, before: Part) -> Waking:
        """Say which files an update may load more easily than before, as far as is known."""

        def as_code(path: str, facts: Facts) -> Facts:
            taken = {path: facts}
            self._take_for_code(pair.after, taken, [path])
            return taken[path]

        return waking(self._ecosystem.ID, pair, self._side(pair, before), self._side(pair, pair.after), as_code)

    def _side(self, pair: Opened, part: Part) -> Side:
        changed = self._changed_code(pair, part)
        return Side(part, self._of(part), changed, self._reaches(part), self._loader(part))

    def _read_outwards(self) -> None:
        """Read what files read so far load; where that is little, any others with it, up to a bound in bytes."""
        near: list[Job] = []
        for pair in self._opened:
            for part in _parts(pair):
                near += [part.wanted[path] for path in sorted(self._reaches(part)) if path in part.wanted]
        frontier = {(job.blob.digest, job.dialect): job for job in near if not self._known(job)}
        if not frontier or sum(job.blob.size for job in frontier.values()) < _BATCH // 4:
            rest = [job for pair in self._opened for part in _parts(pair) for job in part.wanted.values()]
            rest.sort(key=lambda job: job.blob.size)
            frontier |= {(job.blob.digest, job.dialect): job for job in rest if not self._known(job)}
            self._batch = _BATCH
        self._read_some(frontier.values())

    def _changed_code(self, pair: Opened, part: Part) -> dict[str, Facts]:
        """Return what changed, taken for code where code may load it: nobody knows yet what leads there."""
        known = self._of(part)
        changed = {path: facts for path, facts in known.items() if not pair.unchanged(path)}
        foreign = [path for path in sorted(changed) if may_be_code(part.wanted[path], self._ecosystem.ID)]
        loader = self._loader(part)
        loaded = {path for one, facts in changed.items() for path in loader.loads(one, facts).all} if foreign else set()
        taken = dict(changed)
        named = dict.fromkeys((*self._namer(part).named(foreign), *(path for path in foreign if path in loaded)))
        self._take_for_code(part, taken, named)
        return {path: read if read.complete else changed[path] for path, read in taken.items()}

    def _known(self, job: Job) -> bool:
        return (job.blob.digest, job.dialect) in self._facts

    def _read(self, jobs: Iterable[Job]) -> None:
        distinct = {(job.blob.digest, job.dialect): job for job in jobs if not self._known(job)}
        if distinct:
            for job, facts in self._engine.read(distinct.values(), self._homes):
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
            reaches = file_reaches(facts, _without_entries(part.manifest), self._loader(part), hooks)
            installed = [path for path, reach in reaches.items() if reach is Reach.INSTALL]
            found = [part.wanted[path] for path in installed if path in part.wanted]
            jobs += [job for job in found if not self._known(job)]
        return jobs

    def _of(self, part: Part) -> dict[str, Facts]:
        """Return the facts of a part as far as they are known; put together again when more has been read."""
        count, facts = self._known_of.get(id(part), (-1, {}))
        if count != len(self._facts):
            known = {path: self._facts.get((job.blob.digest, job.dialect)) for path, job in part.wanted.items()}
            facts = {path: found for path, found in known.items() if found is not None}
            self._known_of[id(part)] = (len(self._facts), facts)
        return facts

    def _commands(self, part: Part) -> list[tuple[Hook, Facts]]:
        read = [(hook, self._facts[job.blob.digest, job.dialect]) for hook, job in part.commands]
        return [*read, *self._inline_bodies(read)]

    def _loader(self, part: Part) -> Loader:
        if id(part) not in self._loaders:
            resolve = self._ecosystem.resolve_import  # held without ``self``: a cycle would keep whole archives
            self._loaders[id(part)] = Loader(lambda path, name: resolve(path, name, part.tree, part.manifest))
        return self._loaders[id(part)]

    def _namer(self, part: Part) -> Namer:
        if id(part) not in self._namers:
            npm = self._ecosystem.ID == "npm"
            code = (job.blob.data for job in part.wanted.values() if npm and job.dialect == "javascript")
            self._namers[id(part)] = Namer(code)
        return self._namers[id(part)]

    def _run_by_hooks(self, part: Part) -> list[str]:
        named = {
            target
            for _, read in self._commands(part)
            for fact in read.facts
            if fact.kind is Kind.IMPORT and fact.value
            for target in self._ecosystem.resolve_import(part.manifest.path, fact.value, part.tree, part.manifest)
        }
        return sorted(named | {entry.path for entry in part.manifest.entries if entry.role is EntryRole.INSTALL})

    def _reaches(self, part: Part) -> dict[str, Reach]:
        """Return how files are reached, as far as is known; worked out again when more has been read."""
        read, reaches = self._reached.get(id(part), (-1, {}))
        if read != len(self._facts):
            hooks = self._run_by_hooks(part)
            reaches = self._file_reaches(part, self._of(part), hooks)
            self._reached[id(part)] = (len(self._facts), reaches)
        return reaches

    def _file_reaches(self, part: Part, facts: Mapping[str, Facts], hooks: Sequence[str]) -> dict[str, Reach]:
        """Return how files are reached; where any file may be loaded, that holds for those not read yet too."""
        listed = {path: facts.get(path, _UNREAD) for path in part.wanted}
        return file_reaches(listed, part.manifest, self._loader(part), hooks)

    def _view(self, part: Part, changed_in: Opened | None) -> ArtifactView:
        """Return the view of one side; ``changed_in`` is its pair if it is the side in question."""
        facts = dict(self._of(part))
        hooks = self._run_by_hooks(part)
        reaches = dict(self._reaches(part))
        partial = changed_in is not None and len(facts) < len(part.wanted)
        woken = self._woken.get(id(part), {}) if partial else {}
        if self._reread(part, facts, reaches | woken):
            reaches = self._file_reaches(part, facts, hooks)
        for path, reach in woken.items():
            reaches[path] = min(reaches.get(path, reach), reach, key=RANK.__getitem__)
        if changed_in is not None and partial:
            changed = self._changed_code(changed_in, part)
            facts |= changed
            for path in changed:
                reaches[path] = min(reaches.get(path, Reach.IMPORT), Reach.IMPORT, key=RANK.__getitem__)
        commands = self._commands(part)
        found = crossed(facts, reaches, self._loader(part))
        placed = _place_commands(commands) + place(facts, reaches, frozenset(hooks), found.sooner) + found.spelt
        problems = _problems(part, facts, commands) + found.problems
        return ArtifactView(
            artifact=part.artifact,
            tree=part.tree,
            manifest=part.manifest,
            facts=facts,
            placed=placed,
            reaches=reaches,
            problems=problems,
            left_out=self._left_out(part, facts, reaches, placed, problems) if problems and changed_in else frozenset(),
            crossings=found.crossings,
        )

    def _left_out(
        self,
        part: Part,
        facts: Mapping[str, Facts],
        reaches: Mapping[str, Reach],
        placed: Sequence[Placed],
        problems: Iterable[tuple[str, Problem]],
    ) -> frozenset[str]:
        """Return which files that were not understood no installation of a source distribution has."""
        from lazaretto.app.left_out import left_out  # seldom needed

        wheels = [pair.after for pair in self._opened if pair.after.artifact.kind is ArtifactKind.WHEEL]
        odd = dict.fromkeys(path for path, _ in problems)
        return left_out(odd, part, wheels, facts, reaches, placed, self._loader(part))

    def _inline_bodies(self, commands: Sequence[tuple[Hook, Facts]]) -> list[tuple[Hook, Facts]]:
        """Read code that a command carries itself (``node -e …``, ``python -c …``)."""
        bodies = []
        for hook, read in commands:
            for fact in read.facts:
                dialect = fact.via.rpartition(">")[2]
                if dialect in _BODY_DIALECTS and fact.kind is Kind.CODE_EVAL and fact.value:
                    job = Job(f"{hook.path}#{hook.name}", dialect, text_blob(fact.value))
                    self._read([job])
                    bodies.append((hook, self._facts[job.blob.digest, job.dialect]))
        return bodies

    def _reread(self, part: Part, facts: dict[str, Facts], reaches: Mapping[str, Reach]) -> bool:
        """Read files with a foreign ending that code loads as the code they are taken for."""
        paths: Iterable[str] = reaches
        if loads_by_name(self._ecosystem.ID):
            loader = self._loader(part)
            told = {to for path in reaches if path in facts for to in loader.loads(path, facts[path]).all}
            paths = told.union(self._run_by_hooks(part)).intersection(reaches)
        return self._take_for_code(part, facts, sorted(paths))

    def _take_for_code(self, part: Part, facts: dict[str, Facts], paths: Iterable[str]) -> bool:
        """Put what these files do as code in the place of what they are else; return whether any is code.

        One that is no JavaScript after all stays what it is, but where only code could be meant that is a problem.
        """
        dialect = LOADABLE_AS[self._ecosystem.ID]
        ecosystem = self._ecosystem.ID
        candidates = [path for path in paths if path in facts and may_be_code(part.wanted[path], ecosystem)]
        jobs = {path: Job(path, dialect, part.tree.files[path]) for path in candidates}
        types = [path for path in paths if path in facts and part.wanted[path].dialect == "declaration"]
        jobs |= {path: Job(path, "typescript", part.tree.files[path]) for path in types}
        self._read(jobs.values())
        taken = False
        for path, job in jobs.items():
            read = self._facts[job.blob.digest, job.dialect]
            understood = part.wanted[path].dialect in SELF_TOLD and facts[path].complete
            if read.complete or (path in candidates and counts_unread(ecosystem, path) and not understood):
                facts[path] = read
                taken = True
        return taken


def _parts(pair: Opened) -> tuple[Part, ...]:
    return (pair.after,) if pair.before is None else (pair.after, pair.before)


def _size(jobs: Iterable[Job]) -> int:
    return sum(job.blob.size for job in jobs)


def _without_entries(manifest: Manifest) -> Manifest:
    """Return a manifest whose only entries are those of installation."""
    return replace(manifest, entries=tuple(entry for entry in manifest.entries if entry.role is EntryRole.INSTALL))


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
