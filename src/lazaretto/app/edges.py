"""The dependencies an update newly brings, and what their ranges resolve to at this moment."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec.structs import replace

from lazaretto.app.ports import Ecosystem, NotFound, Registry, RegistryError
from lazaretto.core.model import Dependency, DependencyGroup, DependencySource, Project, Release
from lazaretto.core.update import ArtifactView, Edge, Pair

_INSTALLED = frozenset({DependencyGroup.RUNTIME, DependencyGroup.OPTIONAL, DependencyGroup.PEER, DependencyGroup.BUILD})
"""Groups that a consumer's client installs by itself."""


def declared(view: ArtifactView | None, release: Release | None) -> tuple[Dependency, ...]:
    """Return what a consumer's client would install: the artifact's manifest and the index, together.

    The two may disagree ("manifest confusion"); clients differ in whom they believe, so both count.
    """
    found = list(view.manifest.dependencies) if view else []
    if release is not None and release.dependencies:
        found += release.dependencies
    distinct = {(d.name, d.source, d.target, d.requirement): d for d in found if d.group in _INSTALLED}
    return tuple(distinct[key] for key in sorted(distinct, key=str))


def new_dependencies(pairs: Iterable[Pair], before: Release | None, after: Release) -> tuple[Dependency, ...]:
    """Return the dependencies whose project or source the earlier release did not have, in name order."""
    new: dict[tuple[str, str], Dependency] = {}
    for pair in pairs:
        old = {_identity(dependency) for dependency in declared(pair.before, before)}
        for dependency in declared(pair.after, after):
            if _identity(dependency) not in old:
                new.setdefault((dependency.name, dependency.source), dependency)
    return tuple(new[key] for key in sorted(new))


def _identity(dependency: Dependency) -> tuple[str, str, str]:
    """What makes an edge a new one: another project, or another place to take it from."""
    place = "" if dependency.source is DependencySource.REGISTRY else dependency.requirement
    return (dependency.project, dependency.source, place)


def without_page(edge: Edge) -> Edge:
    """Return the edge without the index page that it was resolved on: what is left says which release is meant."""
    resolved = edge.resolved
    if resolved is None:
        return replace(edge, project=None)
    return replace(edge, project=None, resolved=Release(resolved.ecosystem, resolved.project, resolved.version))


class Resolver:
    """Asks the registry what a range resolves to. It holds no page: the registry does, within its bounds."""

    def __init__(self, ecosystem: Ecosystem, registry: Registry, now: datetime) -> None:
        self._ecosystem = ecosystem
        self._registry = registry
        self._now = now

    def edge(self, dependency: Dependency, views: Sequence[ArtifactView]) -> tuple[Edge, RegistryError | None]:
        """Return the edge, and the error if its registry could not be asked.

        A dependency that is not from a registry, or that nothing satisfies, has ``resolved`` None and
        ``why``. A project that does not exist is such an edge, and no error: anyone may claim its name.
        """
        imported = any(self._names(view, dependency) for view in views)
        if dependency.source in (DependencySource.GIT, DependencySource.URL, DependencySource.FILE):
            return Edge(
                dependency, None, None, imported, f"taken from {dependency.source.value}, not from a registry"
            ), None
        project = self._project(dependency)
        if isinstance(project, NotFound):
            return Edge(dependency, None, None, imported, "the registry has no such project"), None
        if isinstance(project, RegistryError):
            return Edge(dependency, None, None, imported, str(project)), project
        release = self._ecosystem.resolve(dependency, project, self._now)
        why = "" if release else f"nothing satisfies {dependency.requirement!r}"
        return Edge(dependency, release, project, imported, why), None

    def seen_in(self, edge: Edge, views: Sequence[ArtifactView]) -> Edge:
        """Return the edge with what is known by now of whether the release names it."""
        return replace(edge, imported=any(self._names(view, edge.dependency) for view in views))

    def _project(self, dependency: Dependency) -> Project | RegistryError:
        try:
            return self._registry.project(dependency.project)
        except RegistryError as error:
            return error

    def _names(self, view: ArtifactView, dependency: Dependency) -> bool:
        named = {self._ecosystem.imported_name(specifier) for specifier in view.imports()}
        wanted = {dependency.name, dependency.name.replace("-", "_")}
        return bool(wanted & named) or any(name in hook.command for hook in view.manifest.hooks for name in wanted)
