"""What ranges would have resolved to, at each moment of a window: for places that fix no version.

A resolution changes only when something is published, so that the moments between two publications are one answer.
An index page of today tells neither the tags nor the deprecations of then, and not when a version was taken down:
the highest version that a range admits is taken, as a client does where ``latest`` is that version. What leads to the
project through others is followed as far as index pages are given.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from lazaretto.app.inventory.exposed import Asked
from lazaretto.app.inventory.ports import Held, InventoryStore
from lazaretto.app.ports import Ecosystem
from lazaretto.core.exposure import Exposure, Window, judge
from lazaretto.core.inventory import Entry
from lazaretto.core.model import Dependency, DependencyGroup, Project, Release
from lazaretto.core.names import ProjectName, Version

MAX_DEPTH = 30
"""Longest path of ranges that is followed from what a place asks for."""

MAX_STEPS = 100_000
"""Resolutions of one answer."""

MOMENT = timedelta(minutes=1)
"""The steps in which times are told: a build started in such a minute would have got the version."""

_INSTALLED = frozenset({DependencyGroup.RUNTIME, DependencyGroup.OPTIONAL, DependencyGroup.PEER})
Pages = Mapping[tuple[str, ProjectName], Project]


class _Head(Struct):
    """The part of a packument, or of a project detail, that says whose it is, and when what was published."""

    name: str | None = None
    versions: Any = None
    time: dict[str, Any] | None = None


class Spell(Struct, frozen=True, order=True):
    """A time during which a range would have resolved to a release; ``path`` leads to it from what is asked for."""

    start: datetime
    end: datetime
    path: tuple[str, ...]


def page_of(data: bytes, ecosystem: Callable[[str], Ecosystem]) -> tuple[tuple[str, ProjectName], Project]:
    """Return whose index page these bytes are, and the page: a packument of npm, or a project detail of PEP 691.

    A version that a packument gives a time and that it no longer holds was taken down: it is put back, as far as it is
    known, from its publication on; when it was taken down the page does not tell.

    Raises:
        ValueError: it is neither, or names no project.
    """
    try:
        head = msgspec.json.decode(data, type=_Head)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"no index page: {error}") from None
    if head.name is None:
        raise ValueError("no index page: it names no project")
    npm = isinstance(head.versions, dict) or head.time is not None
    house = ecosystem("npm" if npm else "pypi")
    name = house.name(head.name)
    page = house.index(name, data, "application/json" if npm else "application/vnd.pypi.simple.v1+json", "")
    gone = list(_taken_down(head, page, house)) if npm else []
    releases = sorted((*page.releases, *gone), key=lambda release: house.sort_key(release.version))  # type: ignore[arg-type,return-value]  # keys of one ecosystem compare
    return (house.ID, name), replace(page, releases=tuple(releases))


def _taken_down(head: _Head, page: Project, house: Ecosystem) -> Iterator[Release]:
    known = {release.version for release in page.releases}
    for text, time in (head.time or {}).items():
        try:
            version = house.version(text)  # not of "created", "modified", "unpublished"
            published = datetime.fromisoformat(str(time))
        except ValueError:
            continue
        if version not in known and published.tzinfo is not None:
            yield Release(page.ecosystem, page.name, version, published=published.astimezone(UTC))


def resolved(
    store: InventoryStore,
    pages: Pages,
    asked: Sequence[Asked],
    window: Window,
    ecosystem: Callable[[str], Ecosystem],
) -> tuple[Exposure, ...]:
    """Return the places whose ranges would have resolved to one of the releases. Raises InventoryError."""
    found: list[Exposure] = []
    steps = _Steps(ecosystem, {key: _as_then(page) for key, page in pages.items()})
    for kind, name in sorted(pages):
        for held in store.holding(kind, name, ""):
            found += _of(steps, held, asked, window)
    return tuple(sorted(found, key=lambda one: (one.place, one.entry.number, one.entry.name)))


def without_page(store: InventoryStore, pages: Pages, asked: Sequence[Asked]) -> tuple[str, ...]:
    """Return the projects asked about that have ranges in the inventory and no index page: nobody can say."""
    lacking = sorted({(one.ecosystem, one.name) for one in asked if (one.ecosystem, one.name) not in pages})
    return tuple(f"{kind}:{name}" for kind, name in lacking if next(iter(store.holding(kind, name, "")), None))


def spells(
    ecosystem: Callable[[str], Ecosystem], pages: Pages, dependency: Dependency, kind: str, asked: Asked, window: Window
) -> tuple[Spell, ...]:
    """Return when a range would have led to a release: joined where one follows on another by the same path."""
    return _Steps(ecosystem, {key: _as_then(page) for key, page in pages.items()}).spells(
        dependency, kind, asked, window
    )


class _Steps:
    """Resolutions, each made once."""

    def __init__(self, ecosystem: Callable[[str], Ecosystem], pages: Pages) -> None:
        self._ecosystem = ecosystem
        self._pages = pages
        self._known: dict[tuple[str, ProjectName, str, datetime], Release | None] = {}

    def spells(self, dependency: Dependency, kind: str, asked: Asked, window: Window) -> tuple[Spell, ...]:
        """Return when a range would have led to a release."""
        moments = self._moments(window)
        found: list[Spell] = []
        for start, following in zip(moments, [*moments[1:], window.end], strict=True):
            path = self._path(dependency, kind, asked, start)
            if path is None:
                continue
            if found and found[-1].end == start and found[-1].path == path:
                found[-1] = Spell(found[-1].start, following, path)
            else:
                found.append(Spell(start, following, path))
        return tuple(found)

    def _moments(self, window: Window) -> list[datetime]:
        """Return the beginning of the window, and every publication within it."""
        published = {
            release.published
            for page in self._pages.values()
            for release in page.releases
            if release.published is not None and window.start < release.published <= window.end
        }
        return sorted({window.start, *published})

    def _path(self, dependency: Dependency, kind: str, asked: Asked, at: datetime) -> tuple[str, ...] | None:
        """Return the shortest path from a range to a release at a moment; None if it does not lead there."""
        waiting: list[tuple[Dependency, tuple[str, ...]]] = [(dependency, ())]
        seen: set[tuple[ProjectName, str]] = set()
        for one, path in waiting:
            release = self._resolve(one, kind, at)
            if release is None or len(self._known) > MAX_STEPS:
                continue
            here = (*path, f"{release.project}@{release.version}")
            if (kind, release.project, release.version) == (asked.ecosystem, asked.name, asked.version):
                return here
            for below in (release.dependencies or ()) if len(path) < MAX_DEPTH else ():
                key = (below.project, below.requirement)
                if below.group in _INSTALLED and key not in seen and (kind, below.project) in self._pages:
                    seen.add(key)
                    waiting.append((below, here))
        return None

    def _resolve(self, dependency: Dependency, kind: str, at: datetime) -> Release | None:
        key = (kind, dependency.project, dependency.requirement, at)
        if key not in self._known:
            page = self._pages.get((kind, dependency.project))
            self._known[key] = None if page is None else self._ecosystem(kind).resolve(dependency, page, at)
        return self._known[key]


def _of(steps: _Steps, held: Held, asked: Sequence[Asked], window: Window) -> Iterator[Exposure]:
    requirement = "*" if held.entry.ecosystem == "npm" and held.entry.note in {"", "latest"} else held.entry.note
    dependency = Dependency(ProjectName(held.entry.name), requirement)
    for release in asked:
        if release.ecosystem != held.entry.ecosystem:
            continue
        for spell in steps.spells(dependency, held.entry.ecosystem, release, window):
            until = (spell.end + MOMENT - timedelta(microseconds=1)).strftime("%Y-%m-%dT%H:%MZ")
            told = f"{held.entry.note or '*'} would have been {release.version} from "
            told += f"{spell.start.strftime('%Y-%m-%dT%H:%MZ')} until {until}"
            entry: Entry = replace(
                held.entry,
                name=release.name,
                version=Version(release.version),
                first=spell.start,
                last=spell.end,
                note=told,
            )
            yield judge(held.place, entry, path=spell.path, window=window)


def _as_then(page: Project) -> Project:
    """Return a page without what only today's tells: its tags and deprecations may be later than the window."""
    releases = tuple(replace(release, deprecated=None, tags=()) for release in page.releases)
    return replace(page, tags={}, releases=releases)
