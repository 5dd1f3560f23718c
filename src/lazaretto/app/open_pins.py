"""What a manifest without a lockfile would get now: each range is resolved, then those of what it resolved to."""

from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from lazaretto.app.pins import Opened, Place, Wanted
from lazaretto.app.ports import Ecosystem, Engine, PortError, Registry
from lazaretto.core.model import Dependency, DependencyGroup, DependencySource, Release
from lazaretto.core.names import ProjectName, Version

MAX_RESOLVED = 20_000
"""Ranges of one run that are resolved."""

_INSTALLED = frozenset({DependencyGroup.RUNTIME, DependencyGroup.OPTIONAL, DependencyGroup.PEER})


class House(Protocol):
    """What resolving needs of the application."""

    @property
    def engine(self) -> Engine:
        """The confined readers: what a Python release depends on may stand in its artifact alone."""
        ...

    def ecosystem(self, identifier: str) -> Ecosystem:
        """Return an ecosystem by its id."""
        ...

    def registry(self, identifier: str) -> Registry:
        """Return the configured registry of an ecosystem. Raises PortError."""
        ...


class Resolved(Struct, frozen=True):
    """The releases that a client would install now, and what could not be resolved, with its places."""

    wanted: tuple[Wanted, ...]
    problems: tuple[str, ...]


def resolve(house: House, opened: Sequence[Opened], now: datetime, progress: Callable[[str], None]) -> Resolved:
    """Return the closure of the ranges, as the registry has it at this moment.

    Each range is resolved by itself: a client that must find one version for all of them may choose a lower one.
    What cannot be resolved is a problem at each of its places, and does not keep the rest from being resolved.
    """
    closure = _Closure(house, now, progress)
    for one in opened:
        closure.ask(one.ecosystem, Dependency(one.project, one.requirement), one.places)
    closure.run()
    return closure.result()


class _Closure:
    """What has been resolved so far, and what waits."""

    def __init__(self, house: House, now: datetime, progress: Callable[[str], None]) -> None:
        self._house = house
        self._now = now
        self._progress = progress
        self._waiting: deque[tuple[str, Dependency, tuple[Place, ...]]] = deque()
        self._asked: set[tuple[str, ProjectName, str]] = set()
        self._found: dict[tuple[str, ProjectName, Version], dict[Place, None]] = {}
        self._problems: dict[str, None] = {}

    def ask(self, ecosystem: str, dependency: Dependency, places: tuple[Place, ...]) -> None:
        """Note a range, unless it was asked for before: then its places are enough."""
        key = (ecosystem, dependency.project, dependency.requirement)
        if key not in self._asked:
            self._asked.add(key)
            self._waiting.append((ecosystem, dependency, places))

    def run(self) -> None:
        """Resolve until nothing waits."""
        for number in range(MAX_RESOLVED + 1):
            if not self._waiting:
                return
            if number == MAX_RESOLVED:
                self._problem(self._waiting[0][2], f"more than {MAX_RESOLVED} ranges: the rest is not resolved")
                return
            ecosystem, dependency, places = self._waiting.popleft()
            self._progress(f"resolving {dependency.project}")
            try:
                self._one(ecosystem, dependency, places)
            except (PortError, ValueError) as error:
                self._problem(places, f"{dependency.project} {dependency.requirement}: {error}")

    def result(self) -> Resolved:
        """Return all of it, in an order that does not depend on the order of asking."""
        wanted = [
            Wanted(ecosystem, project, version, tuple(sorted(places)))
            for (ecosystem, project, version), places in self._found.items()
        ]
        wanted.sort(key=lambda one: (one.ecosystem, one.project, one.version))
        return Resolved(tuple(wanted), tuple(self._problems))

    def _problem(self, places: tuple[Place, ...], text: str) -> None:
        for place in places:
            self._problems[f"{place}: {text}"] = None

    def _one(self, ecosystem: str, dependency: Dependency, places: tuple[Place, ...]) -> None:
        """Resolve one range. Raises PortError if the registry cannot tell."""
        if dependency.source not in (DependencySource.REGISTRY, DependencySource.ALIAS):
            where = f"taken from {dependency.source.value}, not from a registry: not checked"
            self._problem(places, f"{dependency.name} {dependency.requirement}: {where}")
            return
        project = self._house.registry(ecosystem).project(dependency.project)
        release = self._house.ecosystem(ecosystem).resolve(dependency, project, self._now)
        if release is None:
            self._problem(places, f"{dependency.project}: nothing satisfies {dependency.requirement!r}")
            return
        known = self._found.get((ecosystem, release.project, release.version))
        if known is not None:
            known.update(dict.fromkeys(places))
        else:
            self._found[ecosystem, release.project, release.version] = dict.fromkeys(places)
        for one in self._dependencies(ecosystem, release, _extras(dependency.requirement), fresh=known is None):
            self.ask(ecosystem, one, places)

    def _dependencies(
        self, ecosystem: str, release: Release, extras: frozenset[str], *, fresh: bool
    ) -> list[Dependency]:
        """Return what a release asks for: all of it the first time, afterwards what its extras add."""
        if not fresh and not extras:
            return []
        declared = release.dependencies
        if declared is None:
            declared = self._declared(ecosystem, release)
        return [
            one
            for one in declared
            if one.group in _INSTALLED or (one.group is DependencyGroup.EXTRA and _asks_for(one.marker, extras))
        ]

    def _declared(self, ecosystem: str, release: Release) -> tuple[Dependency, ...]:
        """Return what the artifact that a client would take says itself."""
        house, registry = self._house.ecosystem(ecosystem), self._house.registry(ecosystem)
        chosen = house.choose(release)
        if not chosen:
            return ()
        artifact = chosen[-1]
        return house.manifest(artifact, self._house.engine.unpack(artifact, registry.download(artifact))).dependencies


def _extras(requirement: str) -> frozenset[str]:
    """Return the extras that stand before a specifier: ``[a,b]>=1``."""
    inside = requirement[1:].partition("]")[0] if requirement.startswith("[") else ""
    return frozenset(filter(None, inside.split(",")))


def _asks_for(marker: str | None, extras: frozenset[str]) -> bool:
    return any(f'"{extra}"' in (marker or "") or f"'{extra}'" in (marker or "") for extra in extras)
