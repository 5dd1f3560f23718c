"""A release against the repository that it comes from, if the user asks for it (``--source``)."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from lazaretto.app.ports import NotFound, PortError
from lazaretto.app.records import complete, incomplete
from lazaretto.core.manifest import Manifest
from lazaretto.core.model import Provided, Release
from lazaretto.core.policy import Outage
from lazaretto.core.source import Commit, Comparison, Sourced, compare, names, plan
from lazaretto.core.update import Pair, Update
from lazaretto.core.verdict import CHECK_SOURCE, Record

DECLARED = "declared"
"""Asks for the repository that the attestation, or else the manifest, names."""

_LABELS = ("source", "repository", "code", "github", "gitlab")


class SourceRepository(Protocol):
    """The repository that a release comes from. What is in it is hostile, and nothing of it is run."""

    def commit(self, where: str, names: Sequence[str], identifier: str | None, *, trusted: bool) -> Commit:
        """Return the files of a commit, or else of the first of these tags that there is.

        ``trusted`` says that the user named the place: one that an artifact names is only ever a public address.

        Raises:
            NotFound: there is no such repository, commit or tag.
            PortError: it could not be got, is too large, or must not be asked.
        """
        ...

    def texts(self, commit: Commit, paths: Sequence[str]) -> Mapping[str, bytes]:
        """Return the contents of some files, without those that are too large. Raises PortError."""
        ...


class Beside(Struct, frozen=True):
    """What the repository adds to an update: the comparison, its record, and what could not be told."""

    source: Sourced | None
    record: Record | None
    untold: tuple[str, ...] = ()

    def added_to(self, update: Update) -> Update:
        """Return the update with it."""
        from msgspec.structs import replace

        if self.source is None:
            return update
        return replace(update, source=self.source, provides=update.provides | {Provided.SOURCE})


class Sourcer:
    """Compares the artifacts of a release with its repository.

    Args:
        where: the repository as the user names it, or ``DECLARED``.
        required: whether a release without a comparison is not fully checked.
    """

    def __init__(self, repository: SourceRepository, where: str, *, required: bool) -> None:
        self._repository = repository
        self._where = where
        self._required = required

    def beside(self, release: Release, pairs: Sequence[Pair]) -> Beside:
        """Return the comparison. Whatever keeps it from being made is told, and incomplete if it is required."""
        try:
            source = self._compared(release, pairs)
        except PortError as error:
            told = f"{release.project} {release.version} against its repository: {error}"
            if not self._required:
                return Beside(None, None, (told,))
            return Beside(None, incomplete(CHECK_SOURCE, Outage.UPSTREAM, [told]))
        unread = [
            f"{one.filename}!{path}: too large to be compared" for one in source.comparisons for path in one.unread
        ]
        if unread and self._required:
            return Beside(source, incomplete(CHECK_SOURCE, Outage.LIMIT, unread))
        return Beside(source, complete(CHECK_SOURCE), tuple(unread))

    def _compared(self, release: Release, pairs: Sequence[Pair]) -> Sourced:
        trusted = self._where != DECLARED
        where = self._where if trusted else _declared(release, pairs)
        known = (release.provenance.commit if release.provenance else None) or release.git_head
        commit = self._repository.commit(where, names(release.project, release.version), known, trusted=trusted)
        comparisons: list[Comparison] = []
        for pair in pairs:
            planned = plan(pair.after, commit)
            texts = self._repository.texts(commit, planned.wanted)
            comparisons.append(compare(pair.after, commit, planned, texts))
        return Sourced(commit, tuple(comparisons))


def _declared(release: Release, pairs: Sequence[Pair]) -> str:
    attested = release.provenance.repository if release.provenance else None
    found = attested or next(filter(None, (_repository(pair.after.manifest) for pair in pairs)), None)
    if found is None:
        raise NotFound("neither an attestation nor the manifest names a repository")
    return found


def _repository(manifest: Manifest) -> str | None:
    """Return the address that a manifest gives for its source, as it stands there."""
    fields = manifest.fields
    for key in ("repository.url", "repository"):
        if key in fields and (text := _text(fields[key][0])):
            return text
    for key, (value, _) in fields.items():
        label, comma, address = _text(value).partition(",")
        if key.startswith("project-url") and comma and label.strip().lower().startswith(_LABELS):
            return address.strip()
    return None


def _text(value: str) -> str:
    from json import loads

    found = loads(value)
    return found if isinstance(found, str) else ""
