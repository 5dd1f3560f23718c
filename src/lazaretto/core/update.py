"""Update(before, after): the one value that detectors see. Its questions are about change and habit."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct, field

from lazaretto.core.facts import Fact, Facts, Kind, Problem, Reach
from lazaretto.core.finding import Evidence
from lazaretto.core.manifest import Hook, Manifest
from lazaretto.core.model import Artifact, Dependency, Project, Provided, Release
from lazaretto.core.tree import Blob, Tree

if TYPE_CHECKING:  # what is rarely asked for is not imported by everybody
    from lazaretto.core.source import Sourced

MAX_EVIDENCE_TEXT = 240
"""Longest line shown as evidence, in characters."""


class Placed(Struct, frozen=True):
    """A fact, where it stands in the artifact, and when it runs there."""

    path: str
    fact: Fact
    reach: Reach


class Crossing(Struct, frozen=True):
    """What goes from a fact of one file to a fact of another; the reach of the sink is that of the whole way."""

    source: Placed
    sink: Placed


class ArtifactView(Struct, frozen=True, dict=True):
    """One artifact, read: its files, its manifest, its facts with their reach.

    ``facts`` maps a path to what its language knows; ``placed`` is every fact with its reach, in path
    order; ``problems`` lists (path, problem) of everything that was not understood. ``left_out`` names those
    of them that stand in a source distribution alone: no build of it runs or carries them.
    """

    artifact: Artifact
    tree: Tree
    manifest: Manifest
    facts: Mapping[str, Facts]
    placed: tuple[Placed, ...]
    reaches: Mapping[str, Reach]
    problems: tuple[tuple[str, Problem], ...] = ()
    left_out: frozenset[str] = frozenset()
    crossings: tuple[Crossing, ...] = ()

    @cached_property
    def habit(self) -> frozenset[tuple[Kind, str | None]]:
        """Every (kind, value) that this artifact has, wherever it stands."""
        return frozenset((placed.fact.kind, placed.fact.value) for placed in self.placed)

    @cached_property
    def decoded(self) -> "dict[str, tuple[Placed, ...]]":
        """What was hidden in each file, as far as it was asked for by ``question.decoded``."""
        return {}

    @cached_property
    def kinds(self) -> Mapping[Kind, Reach]:
        """Each kind of fact -> the easiest reach at which it occurs."""
        easiest: dict[Kind, Reach] = {}
        order = list(Reach)
        for placed in self.placed:
            known = easiest.get(placed.fact.kind)
            if known is None or order.index(placed.reach) < order.index(known):
                easiest[placed.fact.kind] = placed.reach
        return easiest

    def imports(self) -> frozenset[str]:
        """Every module specifier that any file of the artifact names."""
        return frozenset(p.fact.value for p in self.placed if p.fact.kind is Kind.IMPORT and p.fact.value)


class ChangeStatus(StrEnum):
    """What happened to a path between two artifacts."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


class FileChange(Struct, frozen=True, dict=True):
    """One path that differs. Bytes are compared by digest."""

    path: str
    status: ChangeStatus
    before: Blob | None
    after: Blob | None

    @cached_property
    def added_lines(self) -> frozenset[int]:
        """1-based numbers of the lines of ``after`` whose text stands nowhere in ``before``.

        A moved line is not an added one. Lines are compared without surrounding white space.
        """
        if self.after is None:
            return frozenset()
        after = map(bytes.strip, self.after.data.split(b"\n"))
        return frozenset(number for number, line in enumerate(after, 1) if line not in self._old_lines)

    @cached_property
    def _old_lines(self) -> frozenset[bytes]:
        return frozenset(map(bytes.strip, self.before.data.split(b"\n"))) if self.before else frozenset()

    def adds(self, line: int) -> bool:
        """Whether a line of ``after`` is one of ``added_lines``, without comparing all of them."""
        text = _line(self.after.data, line) if self.after is not None else None
        if text is None or self.before is None:
            return text is not None
        old, bare = self.before.data, text.strip()
        # Most lines are told by one search each way; only the others need all old lines.
        return b"\n" + text + b"\n" not in old and (bare not in old or bare not in self._old_lines)


class Pair(Struct, frozen=True, dict=True):
    """The same artifact kind on both sides; ``before`` is None at first contact."""

    before: ArtifactView | None
    after: ArtifactView

    @cached_property
    def changes(self) -> Mapping[str, FileChange]:
        """Path -> change, for every path that differs, in path order.

        A wheel's metadata folders carry the version in their names; their files are compared all the same,
        under the path of ``after``.
        """
        old = {
            _without_version(path): (path, blob)
            for path, blob in (self.before.tree.files if self.before else {}).items()
        }
        changes = {}
        for path, now in self.after.tree.files.items():
            _, was = old.pop(_without_version(path), ("", None))
            if was is None or was.digest != now.digest:
                status = ChangeStatus.CHANGED if was else ChangeStatus.ADDED
                changes[path] = FileChange(path=path, status=status, before=was, after=now)
        for path, was in old.values():
            changes[path] = FileChange(path=path, status=ChangeStatus.REMOVED, before=was, after=None)
        return dict(sorted(changes.items()))

    def gained(self, *kinds: Kind) -> Iterator[Placed]:
        """Yield the facts of these kinds that the line never had: new (kind, value), or easier reached.

        A fact whose value is unknown is new if its line is new. At first contact every fact is new.
        """
        wanted = frozenset(kinds)
        for placed in self._gained:
            if placed.fact.kind in wanted:
                yield placed

    @cached_property
    def _gained(self) -> tuple[Placed, ...]:
        if self.before is None:
            return self.after.placed
        order = {reach: rank for rank, reach in enumerate(Reach)}
        easiest: dict[tuple[Kind, str | None], int] = {}
        for placed in self.before.placed:
            key = (placed.fact.kind, placed.fact.value)
            easiest[key] = min(easiest.get(key, 9), order[placed.reach])
        gained = []
        for placed in self.after.placed:
            known = easiest.get((placed.fact.kind, placed.fact.value))
            if known is None or order[placed.reach] < known:
                gained.append(placed)
            elif placed.fact.value is None and self.is_new_line(placed.path, placed.fact.span.line):
                gained.append(placed)
        return tuple(gained)

    def is_new_line(self, path: str, line: int) -> bool:
        """Whether this line of ``after`` stands nowhere in the same file of ``before``."""
        change = self.changes.get(path)
        return change is not None and change.adds(line)

    def is_moved_line(self, path: str, line: int) -> bool:
        """Whether this line of ``after`` stood, whole, in another file that the update changed or removed.

        Bundlers name a file by its content: the same line then stands in a file with a new name.
        """
        blob = self.after.tree.get(path)
        text = (_line(blob.data, line) or b"").strip() if blob is not None else b""
        earlier = (change.before.data for change in self.changes.values() if change.before is not None)
        return bool(text) and any(text in data for data in earlier)

    def is_new_kind(self, placed: Placed) -> bool:
        """Whether the line never had this *kind* of fact at this reach or an easier one."""
        if self.before is None:
            return True
        known = self.before.kinds.get(placed.fact.kind)
        order = list(Reach)
        return known is None or order.index(placed.reach) < order.index(known)

    def evidence(self, placed: Placed) -> Evidence:
        """Return the evidence for a fact: its line as published, and the decoded value."""
        return Evidence(
            path=placed.path,
            line=placed.fact.span.line,
            column=placed.fact.span.column,
            text=self.line_text(placed.path, placed.fact.span.line, placed.fact.span.column),
            decoded=placed.fact.value,
            via=placed.fact.via,
            reach=placed.reach,
            artifact=self.after.artifact.filename,
        )

    def line_text(self, path: str, line: int, column: int = 0) -> str:
        """Return one line of a file of ``after`` around ``column``, cut to ``MAX_EVIDENCE_TEXT``."""
        blob = self.after.tree.get(path)
        if blob is None:
            return ""
        text = _line(blob.data, line)
        if text is None:
            return ""
        if len(text) > MAX_EVIDENCE_TEXT:
            left = max(0, min(column - 40, len(text) - MAX_EVIDENCE_TEXT))
            text = text[left : left + MAX_EVIDENCE_TEXT]
        return text.decode("utf-8", "replace").strip()


def _line(data: bytes, line: int) -> bytes | None:
    """Return a line by its 1-based number, without its end; None if there is none."""
    lines = data.split(b"\n", line) if line > 0 else []
    return lines[line - 1] if line <= len(lines) and lines else None


def _without_version(path: str) -> str:
    """Return a path with the version taken out of a wheel's ``NAME-VERSION.dist-info`` or ``.data`` folder."""
    folder, slash, rest = path.partition("/")
    name, dot, ending = folder.rpartition(".")
    if slash and ending in ("dist-info", "data"):
        return f"{name.partition('-')[0]}{dot}{ending}/{rest}"
    return path


class HookChange(Struct, frozen=True):
    """A hook that is new or whose command changed; ``before`` is None if it is new."""

    pair: Pair
    hook: Hook
    before: Hook | None


class Edge(Struct, frozen=True):
    """A dependency that this update newly brings, and what its range resolves to at this moment.

    ``resolved`` is None if nothing satisfies the range or the source is not a registry (``why`` says
    which). ``project`` carries age and number of releases. ``imported`` says whether any file of the
    new release names it.
    """

    dependency: Dependency
    resolved: Release | None
    project: Project | None
    imported: bool
    why: str = ""


class Update(Struct, frozen=True, dict=True):
    """From ``before`` to ``after``, at ``now``.

    ``before`` is None at first contact. ``history`` holds earlier releases of the same line (metadata
    only), newest first. ``pairs`` has one entry for each artifact that was read. ``edges`` are new
    dependencies. ``names`` are well-known project names of the ecosystem, for look-alikes. ``source`` is the comparison
    with the repository, if somebody asked for it.
    """

    ecosystem: str
    after: Release
    before: Release | None
    pairs: tuple[Pair, ...]
    history: tuple[Release, ...] = ()
    releases: tuple[Release, ...] = ()
    edges: tuple[Edge, ...] = ()
    provides: frozenset[Provided] = frozenset()
    now: datetime | None = None
    names: frozenset[str] = field(default_factory=frozenset)
    source: "Sourced | None" = None

    @property
    def first_contact(self) -> bool:
        """Whether there is no earlier release to compare with."""
        return self.before is None

    def gained(self, *kinds: Kind) -> Iterator[tuple[Pair, Placed]]:
        """Yield every gained fact of these kinds over all artifacts (see ``Pair.gained``)."""
        for pair in self.pairs:
            for placed in pair.gained(*kinds):
                yield pair, placed

    def hooks_changed(self) -> Iterator[HookChange]:
        """Yield every hook that is new, or whose command changed, in any artifact."""
        for pair in self.pairs:
            old = {(hook.kind, hook.name): hook for hook in pair.before.manifest.hooks} if pair.before else {}
            for hook in pair.after.manifest.hooks:
                known = old.get((hook.kind, hook.name))
                if known is None or known.command != hook.command:
                    yield HookChange(pair=pair, hook=hook, before=known)
