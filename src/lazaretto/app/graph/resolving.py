"""Ranges are resolved by the ecosystem's own function, as a client would have at that instant."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

from lazaretto.app.graph.ports import Listed, Resolve
from lazaretto.app.ports import Ecosystem
from lazaretto.core.model import Dependency, Project, Release
from lazaretto.core.names import ProjectName, Version


def resolver(house: Callable[[str], Ecosystem], at: datetime | None) -> Resolve:
    """Return what resolves ranges at an instant."""

    def resolve(ecosystem: str, name: str, releases: Sequence[Listed], wanted: Iterable[str]) -> Iterator[int | None]:
        own = house(ecosystem)
        project = project_of(own, name, releases)
        rows = {one.version: one.row for one in releases}
        for text in wanted:
            found = own.resolve(Dependency(project.name, text or "*" if own.ID == "npm" else text), project, at)
            yield None if found is None else rows.get(found.version)

    return resolve


def project_of(ecosystem: Ecosystem, name: str, releases: Sequence[Listed]) -> Project:
    """Return a page of some releases: nothing but their versions and times is known of them."""
    called = ProjectName(name)
    versions = [Release(ecosystem.ID, called, Version(one.version), published=one.published) for one in releases]
    order = sorted(versions, key=lambda one: ecosystem.sort_key(one.version))  # type: ignore[arg-type,return-value]  # keys of one ecosystem compare
    return Project(ecosystem.ID, called, tuple(order))


def admitted(ecosystem: Ecosystem, name: str, releases: Sequence[Listed], wanted: str) -> list[Listed]:
    """Return the releases that a range admits: those that it would lead to if there were no other."""
    dependency = Dependency(ProjectName(name), wanted)
    return [one for one in releases if ecosystem.resolve(dependency, project_of(ecosystem, name, (one,)), None)]
