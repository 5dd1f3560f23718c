"""Which release pip would install for a range at an instant."""

from datetime import datetime

from lazaretto.core.model import ArtifactKind, Dependency, DependencySource, Project, Release
from lazaretto.ecosystems.pypi import platforms, versions


def resolve(dependency: Dependency, project: Project, at: datetime | None) -> Release | None:
    """Return the highest release that satisfies the range, as pip chooses; None if there is none.

    Yanked releases count only for an exact pin (PEP 592), prereleases only if the range names one or
    nothing else satisfies it (PEP 440), *Requires-Python* is honoured, files uploaded after ``at`` are not
    there yet. Where every release that satisfies the range is for other platforms or Pythons, the highest
    of them is returned: others install it.
    """
    if dependency.source is not DependencySource.REGISTRY:
        return None
    text = dependency.requirement.strip()
    if text.startswith("["):
        text = text.partition("]")[2]
    wanted = versions.specifiers(text.strip().strip("()"))
    if wanted is None:
        return None
    pinned = any(
        specifier.operator == "===" or (specifier.operator == "==" and not specifier.version.endswith(".*"))
        for specifier in wanted
    )
    there = {
        release.version: release
        for release in project.releases
        if _there(release, at) and (pinned or not release.yanked) and versions.parse(release.version) is not None
    }
    admitted = [there[found] for found in wanted.filter(there)]
    for usable in (_usable_here, _has_files, _any):
        candidates = [release for release in admitted if usable(release)]
        if candidates:
            return max(candidates, key=lambda release: versions.sort_key(release.version))
    return None


def _there(release: Release, at: datetime | None) -> bool:
    """Whether the release had a file at the instant; of one without files, whether it was published."""
    times = [artifact.uploaded for artifact in release.artifacts] or [release.published]
    return at is None or any(time is None or time <= at for time in times)


def _usable_here(release: Release) -> bool:
    if not platforms.admits_python(release.requires_python):
        return False
    if any(artifact.kind is ArtifactKind.SDIST for artifact in release.artifacts):
        return True
    return platforms.best_wheel(release) is not None


def _has_files(release: Release) -> bool:
    return bool(release.artifacts)


def _any(_: Release) -> bool:
    return True
