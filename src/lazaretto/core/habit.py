"""What a project is used to: which earlier releases a habit is read from, and who belongs to its house."""

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
