"""What a project is used to: which earlier releases a habit is read from, and who belongs to its house."""

from collections.abc import Iterable
from datetime import timedelta

from lazaretto.core.model import Release
from lazaretto.core.update import Edge, Update

SETTLED = timedelta(hours=24)
"""How long a release must have been public before it is part of a habit."""


def is_sibling(update: Update, edge: Edge) -> bool:
    """Whether a dependency belongs to the same house: same npm scope, publisher or attested repository."""
    name, other = str(update.after.project), str(edge.dependency.project)
    if name.startswith("@") and "/" in name and other.startswith(name.split("/", 1)[0] + "/"):
        return True
    ours = {release.publisher.identity for release in earlier(update) if release.publisher}
    homes = {repository(release) for release in earlier(update)} - {None}
    theirs = edge.project.releases if edge.project else ()
    return any(
        (release.publisher is not None and not release.publisher.trusted and release.publisher.identity in ours)
        or repository(release) in homes
        for release in theirs
    )


def repository(release: Release) -> str | None:
    """Return the attested source repository in a form that can be compared, or None if it is not told."""
    told = release.provenance.repository if release.provenance else None
    return told.lower().removeprefix("git+").rstrip("/").removesuffix(".git") if told else None


def earlier(update: Update) -> tuple[Release, ...]:
    """Return the earlier releases that a habit may be read from, greatest version first.

    These are the possible baselines, and releases of which nothing but the index is left; suspects are none. Nor
    are releases of the same day, which may be the first step of two, unless there are no others.
    """
    lower = lower_releases(update)
    return tuple(release for release in lower if is_settled(update, release)) or lower


def is_settled(update: Update, release: Release) -> bool:
    """Whether a release had been public for a day when this one came; an unknown age counts as settled."""
    if release.published is None or update.after.published is None:
        return True
    return update.after.published - release.published >= SETTLED


def age_of(update: Update, edge: Edge) -> timedelta | None:
    """Return how old the project of a new dependency is at the instant of the question, or None if it is unknown.

    A mirror may tell when it took a release in, and not when the release appeared. So an age is unknown if the
    project was first seen after the release that needs it, or if the times of its releases run against their
    versions where those of the update's own project do not show that this registry tells true ones.
    """
    at, published = update.now or update.after.published, update.after.published
    first = edge.project.first_published if edge.project else None
    if edge.project is None or first is None or at is None or first > at:
        return None
    if published is not None and first > published:
        return None
    if not _in_version_order(edge.project.releases) and not _tells_true_times(update):
        return None
    return at - first


_TIMED = 3
"""Releases with a time that a project must have before their order shows anything."""


def _tells_true_times(update: Update) -> bool:
    timed = [release for release in update.releases if release.published is not None]
    return len(timed) >= _TIMED and _in_version_order(timed)


def _in_version_order(releases: Iterable[Release]) -> bool:
    """Whether the final releases of each major version appeared in the order of their versions."""
    newest: dict[str, float] = {}
    for release in releases:
        if release.published is None or not _is_final(release):
            continue
        major, at = release.version.partition(".")[0], release.published.timestamp()
        if at < newest.get(major, at):
            return False
        newest[major] = at
    return True


def lower_releases(update: Update) -> tuple[Release, ...]:
    """Return the same as ``earlier``, with the releases of the same day."""
    usable = {release.version for release in update.history} | ({update.before.version} if update.before else set())
    lower: list[Release] = []
    for release in update.releases:
        if release.version == update.after.version:
            return tuple(reversed(lower))
        if release.version in usable or not release.artifacts:
            lower.append(release)
    return update.history or ((update.before,) if update.before else ())


def published_earlier(update: Update) -> tuple[Release, ...]:
    """Return every release of the project that appeared before this one and is no suspect, newest first.

    Where no time is told, every other release counts, greatest version first.
    """
    limit = update.after.published
    habit = lower_releases(update)
    usable = {release.version for release in habit}
    lower = True  # releases stand in version order
    kept: list[Release] = []
    for release in update.releases or tuple(reversed(habit)):
        if release.version == update.after.version:
            lower = False
        elif lower and release.version not in usable and not release.yanked and _is_final(release):
            continue  # it may not be a baseline, for no reason of its own: a suspect
        elif limit is None or release.published is None or release.published < limit:
            kept.append(release)
    kept.reverse()
    return tuple(sorted(kept, key=lambda r: -r.published.timestamp() if r.published else 0.0))


def _is_final(release: Release) -> bool:
    return release.version.replace(".", "").isdigit()
