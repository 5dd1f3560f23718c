"""Where every artifact of a page stands, and what a client sees of it.

The newest release of a line, and whatever a tag points at, is not seen before it is decided: a resolver never meets an
undecided head, and never needs to wait for one.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from lazaretto.core.firewall_policy import FirewallPolicy
from lazaretto.core.model import Artifact, Project, Release
from lazaretto.core.names import Version
from lazaretto.core.standing import Basis, Judge, Known, Place, Standing, told_digest

MAX_WANTED = 20
"""Artifacts of one page that are read ahead at a time."""

_OPEN = frozenset((Place.SERVED, Place.ADMITTED))


class PageStanding(Struct, frozen=True):
    """Where every artifact of a page stands, and what a client sees of it.

    ``vanished`` are versions without a visible file. ``wanted`` is what to read ahead, most wanted first.
    ``awaited`` are those of finished releases: a lockfile or a person may ask for just these.
    ``starving``: something is missing from the page only because nobody has read it yet.
    ``changed`` are the files whose digest is not the one first seen.
    """

    files: Mapping[str, Standing]
    hidden: frozenset[str]
    vanished: frozenset[Version]
    tags: Mapping[str, Version]
    wanted: tuple[str, ...] = ()
    awaited: tuple[str, ...] = ()
    starving: bool = False
    changed: tuple[str, ...] = ()


class Order(Protocol):
    """What an ecosystem says of its versions (``app.ports.Ecosystem`` says it)."""

    def line(self, version: Version) -> str:
        """Return the release line."""
        ...

    def prerelease(self, version: Version) -> bool:
        """Whether clients avoid this version unless asked for."""
        ...

    def choose(self, release: Release) -> tuple[Artifact, ...]:
        """Return the artifacts that matter most."""
        ...


class Layout(Struct, frozen=True):
    """What can be said of a page without knowing where anything stands: worked out once for each page.

    ``files`` are version, file name, digest as told, and time of upload of each artifact. ``names`` are the files of
    each version, and ``first`` those of them that a client would choose. ``walks`` are the versions of each line from
    the newest down, those of finished releases apart, newest line first.
    """

    files: tuple[tuple[Version, str, str, datetime | None], ...]
    names: Mapping[Version, tuple[str, ...]]
    first: Mapping[Version, tuple[str, ...]]
    walks: tuple[tuple[Version, ...], ...]


def lay_out(project: Project, order: Order) -> Layout:
    """Return the layout of a project's page."""
    files = tuple(
        (release.version, artifact.filename, told_digest(artifact), artifact.uploaded or release.published)
        for release in project.releases
        for artifact in release.artifacts
    )
    walks: dict[tuple[str, bool], list[Version]] = {}
    for release in reversed(project.releases):
        key = (order.line(release.version), order.prerelease(release.version))
        walks.setdefault(key, []).append(release.version)
    return Layout(
        files,
        {release.version: _names(release.artifacts) for release in project.releases},
        {release.version: _names(order.choose(release) or release.artifacts) for release in project.releases},
        tuple(map(tuple, walks.values())),
    )


def _names(artifacts: Iterable[Artifact]) -> tuple[str, ...]:
    return tuple(artifact.filename for artifact in artifacts)


def stand(
    project: Project, layout: Layout, known: Known, policy: FirewallPolicy, now: datetime, order: Order
) -> PageStanding:
    """Return where every artifact of a page stands, and what is visible of the page; ``layout`` is that of the page."""
    judge = Judge(project.ecosystem, project.name, known, policy, now)
    files = {name: judge.artifact(version, name, told, published) for version, name, told, published in layout.files}
    changed = tuple(name for name, one in files.items() if judge.changed(name, one.told))
    return _Page(project, layout, files, order).standing(changed)


class _Page:
    """Works out what is visible: heads of lines, tags, and what to read ahead."""

    def __init__(self, project: Project, layout: Layout, files: dict[str, Standing], order: Order) -> None:
        self._project = project
        self._layout = layout
        self._files = files
        self._order = order
        self._releases = {release.version: release for release in project.releases}
        self._visible: dict[Version, bool] = {}
        self._undecided: set[Version] = set()
        for version, names in layout.names.items():
            places = {files[name].place for name in names}
            self._visible[version] = bool(places - {Place.WITHHELD})
            if Place.UNREAD in places and self._is_undecided(layout.first[version], places):
                self._undecided.add(version)
        self._pending: dict[Version, None] = {}
        self._heads: list[Version] = []

    def standing(self, changed: tuple[str, ...]) -> PageStanding:
        for walk in self._layout.walks:
            self._walk(walk)
        tagged = [version for version in self._tagged() if version in self._undecided]
        for version in tagged:
            self._pending[version] = None
            self._visible[version] = False
        heads = dict.fromkeys([*tagged, *self._heads])
        tags = {tag: known for tag, version in self._project.tags.items() if (known := self._target(version))}
        lost = [version for tag, version in self._project.tags.items() if tag not in tags]
        nothing = not any(self._visible.values())
        for version in self._pending:
            self._hide(version)
        wanted = tuple(self._wanted(heads))[:MAX_WANTED]
        return PageStanding(
            files=self._files,
            hidden=frozenset(
                name for name, one in self._files.items() if one.place is Place.WITHHELD or one.version in self._pending
            ),
            vanished=frozenset(version for version, visible in self._visible.items() if not visible),
            tags=tags,
            wanted=wanted,
            awaited=tuple(name for name in wanted if not self._order.prerelease(self._files[name].version)),
            starving=bool(self._pending) and (nothing or any(self._pending_below(version) for version in lost)),
            changed=changed,
        )

    def _is_undecided(self, first: Iterable[str], places: AbstractSet[Place]) -> bool:
        """Whether a client would take what nobody has read: it takes one of the first, and tries no other after it."""
        return any(self._files[name].place is Place.UNREAD for name in first) or not places & _OPEN

    def _walk(self, versions: Sequence[Version]) -> None:
        """Hide what is undecided above the first decided version; the first of it is wanted."""
        above: list[Version] = []
        for version in versions:
            if version in self._undecided:
                above.append(version)
            elif self._visible[version]:
                break
        self._heads += above[:1]
        for version in above:
            self._pending[version] = None
            self._visible[version] = False

    def _tagged(self) -> Iterable[Version]:
        """Yield what tags point at, ``latest`` first."""
        tags = self._project.tags
        named = sorted(tags, key=lambda tag: (tag != "latest", tag))
        return dict.fromkeys(tags[tag] for tag in named if tags[tag] in self._visible)

    def _target(self, version: Version) -> Version | None:
        """Return where a tag points now: never upwards, never to another line, never at something undecided."""
        if self._visible.get(version):
            return version
        for earlier in self._below(version):
            fits = self._order.prerelease(version) or not self._order.prerelease(earlier)
            if fits and self._visible[earlier] and earlier not in self._undecided:
                return earlier
        return None

    def _below(self, version: Version) -> Iterable[Version]:
        line, seen = self._order.line(version), False
        for release in reversed(self._project.releases):
            if seen and self._order.line(release.version) == line:
                yield release.version
            seen = seen or release.version == version

    def _pending_below(self, version: Version) -> bool:
        return version in self._pending or any(earlier in self._pending for earlier in self._below(version))

    def _hide(self, version: Version) -> None:
        for artifact in self._releases[version].artifacts:
            stands = self._files[artifact.filename]
            if stands.place is Place.UNREAD:
                reason = "it is the newest of its line, and being read: it becomes visible once it is allowed"
                self._files[artifact.filename] = replace(stands, place=Place.WITHHELD, reason=reason)

    def _wanted(self, heads: Iterable[Version]) -> Iterable[str]:
        """Yield what to read first of each head: what its ecosystem's client would choose, then any."""
        for version in heads:
            release = self._releases[version]
            open_ = [one for one in release.artifacts if self._files[one.filename].basis is Basis.UNDECIDED]
            chosen = [one for one in self._order.choose(release) if one in open_]
            yield from (one.filename for one in chosen or open_[:1])
