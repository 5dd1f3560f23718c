"""Which release npm would install for a range at an instant."""

from datetime import datetime

from lazaretto.core.model import Dependency, DependencySource, Project, Release
from lazaretto.core.names import Version
from lazaretto.ecosystems.npm.ranges import Range, parse_range, satisfies
from lazaretto.ecosystems.npm.versions import parse


def resolve(dependency: Dependency, project: Project, at: datetime | None) -> Release | None:
    """Return the release that npm would take, or None if there is none (or it is not from a registry).

    ``latest`` is preferred where it satisfies the range and is not deprecated; then the highest
    version that is not deprecated; then the highest. ``at`` hides what was published later, as npm's
    ``--before`` does.
    """
    if dependency.source not in (DependencySource.REGISTRY, DependencySource.ALIAS):
        return None
    wanted = dependency.requirement.strip()
    visible = [release for release in project.releases if _visible(release, at)]
    exact = parse(wanted)
    if exact is not None:
        return _first(visible, Version(str(exact))) or _first(visible, Version(wanted))
    admitted = parse_range(wanted)
    if admitted is None:
        return _tagged(wanted, project, visible)
    return _best(admitted, project, visible)


def _tagged(tag: str, project: Project, visible: list[Release]) -> Release | None:
    """Return what a dist-tag names; if that is not out yet at the instant, the highest up to it."""
    version = project.tags.get(tag)
    if version is None:
        return None
    found = _first(visible, version)
    if found is not None:
        return found
    below = parse_range(f"<={version}")
    return _best(below, project, visible) if below is not None else None


def _best(admitted: Range, project: Project, visible: list[Release]) -> Release | None:
    latest = _first(visible, project.tags.get("latest"))
    if latest is not None and not latest.deprecated and (admitted == ((),) or satisfies(latest.version, admitted)):
        return latest
    highest = None
    for release in reversed(visible):  # a project has them in the order of their versions
        if satisfies(release.version, admitted):
            if not release.deprecated:
                return release
            highest = highest or release
    return highest


def _first(releases: list[Release], version: Version | None) -> Release | None:
    return next((release for release in releases if release.version == version), None)


def _visible(release: Release, at: datetime | None) -> bool:
    return at is None or release.published is None or release.published <= at
