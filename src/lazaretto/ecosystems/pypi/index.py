"""The page of a project: PEP 691 JSON or PEP 503 HTML in, a neutral ``Project`` out.

With PEP 700 (upload time, size, versions), PEP 592 (yanked), PEP 740 (provenance). HTML has no times: they are unknown
then, and ``Project.provides`` says so. No page tells dependencies: only artifacts do.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from lazaretto.core.model import Artifact, Project, Provided, Release
from lazaretto.core.names import Digest, ProjectName, Version
from lazaretto.ecosystems.pypi import filenames, names, versions

JSON = "application/vnd.pypi.simple.v1+json"
"""The media type of a PEP 691 page; ``latest`` may stand for ``v1``."""


class File(msgspec.Struct, rename="kebab"):
    """One file of a page, as PEP 691 spells it; an HTML page is brought into the same form."""

    filename: str
    url: str
    hashes: dict[str, str] = msgspec.field(default_factory=dict)
    requires_python: str | None = None
    size: int | None = None
    upload_time: str | None = None
    yanked: bool | str = False
    provenance: str | msgspec.UnsetType | None = msgspec.UNSET
    core_metadata: Any = None  # of whatever type: what cannot be read of it is no reason to refuse the page
    dist_info_metadata: Any = None


class Page(msgspec.Struct):
    """A page, as PEP 691 spells it."""

    files: list[msgspec.Raw]
    meta: dict[str, Any] = msgspec.field(default_factory=dict)
    name: str | None = None
    versions: list[str] = msgspec.field(default_factory=list)


_FILE = msgspec.json.Decoder(File)
_PAGE = msgspec.json.Decoder(Page)


def parse(project: ProjectName, data: bytes, media_type: str, url: str) -> Project:
    """Return what a page says. ``url`` is where it was got, for its relative links.

    Raises:
        ValueError: neither JSON nor HTML of this form, or the page of another project; the message says where.
    """
    if is_json(project, media_type):
        files, told = _json(project, data)
    else:
        from lazaretto.ecosystems.pypi import html

        files, told = html.parse(project, data), []
    return _project(project, files, told, url, data)


def is_json(project: ProjectName, media_type: str) -> bool:
    """Whether a page is JSON; else it is HTML. Raises ValueError if it is neither."""
    kind = media_type.partition(";")[0].strip().lower()
    if kind.endswith("+json") or kind == "application/json":
        return True
    if kind.endswith("+html") or kind in ("text/html", "application/xhtml+xml"):
        return False
    raise ValueError(f"the index page of {project} has the media type {media_type[:80]!r}, neither JSON nor HTML")


def _json(project: ProjectName, data: bytes) -> tuple[list[File], list[str]]:
    try:
        page = _PAGE.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"the index page of {project} is no project detail: {error}") from None
    if page.name is not None and names.normal(page.name) != project:
        raise ValueError(f"the index page of {project} is that of another project: {page.name[:80]!r}")
    api = page.meta.get("api-version")
    if isinstance(api, str) and not api.startswith("1."):
        raise ValueError(f"the index page of {project} has API version {api[:20]!r}; only 1.x is understood")
    files = []
    for number, raw in enumerate(page.files):
        try:
            files.append(_FILE.decode(raw))
        except msgspec.DecodeError as error:
            raise ValueError(f"the index page of {project} is broken at files[{number}]: {error}") from None
    return files, page.versions


def _project(project: ProjectName, files: Iterable[File], told: Iterable[str], url: str, data: bytes) -> Project:
    from hashlib import sha256

    grouped: dict[Version, list[tuple[File, Artifact]]] = {}
    spelled: dict[object, Version] = {}
    for text in told:
        parsed = versions.parse(text)
        if parsed is not None:
            grouped.setdefault(spelled.setdefault(parsed, Version(str(parsed))), [])
    knows_provenance = False
    knows_time = False
    for file in files:
        named = filenames.read(file.filename, project)
        if named is None:
            continue  # an egg, an installer, a signature: no client of today takes it
        version = spelled.setdefault(versions.parse(named.version), named.version)
        artifact = _artifact(file, named, url)
        knows_provenance |= file.provenance is not msgspec.UNSET
        knows_time |= artifact.uploaded is not None
        grouped.setdefault(version, []).append((file, artifact))
    releases = tuple(_release(project, version, grouped[version]) for version in sorted(grouped, key=versions.sort_key))
    given = {Provided.TIME: knows_time, Provided.ATTESTATION: knows_provenance}
    return Project(
        ecosystem="pypi",
        name=project,
        releases=releases,
        provides=frozenset(field for field, known in given.items() if known),
        digest=Digest(f"sha256:{sha256(data).hexdigest()}"),
    )


def _release(project: ProjectName, version: Version, pairs: list[tuple[File, Artifact]]) -> Release:
    artifacts = sorted((artifact for _, artifact in pairs), key=lambda one: (one.kind.value, one.filename))
    times = [artifact.uploaded for artifact in artifacts if artifact.uploaded is not None]
    attested = {artifact.attested for artifact in artifacts}
    reasons = sorted(file.yanked for file, _ in pairs if isinstance(file.yanked, str) and file.yanked)
    return Release(
        ecosystem="pypi",
        project=project,
        version=version,
        artifacts=tuple(artifacts),
        published=min(times, default=None),
        attested=None if not attested or None in attested else attested == {True},
        yanked=bool(artifacts) and all(artifact.yanked for artifact in artifacts),
        deprecated=reasons[0] if reasons else None,
        requires_python=next((file.requires_python for file, _ in pairs if file.requires_python), None),
    )


def _artifact(file: File, named: filenames.FileName, page: str) -> Artifact:
    provenance = file.provenance
    return Artifact(
        filename=file.filename,
        kind=named.kind,
        url=_absolute(page, file.url),
        digests=_hashes(file.hashes),
        size=file.size,
        uploaded=_instant(file.upload_time),
        yanked=file.yanked is not False,
        attested=None if provenance is msgspec.UNSET else provenance is not None,
        provenance_url=_absolute(page, provenance) if isinstance(provenance, str) else None,
        metadata=_metadata(file.core_metadata or file.dist_info_metadata),
    )


def _metadata(told: object) -> str | None:
    """Return the digest of the metadata beside a file; PEP 714 has two names for it, and the newer one counts."""
    if isinstance(told, dict):
        digest = told.get("sha256")
        return f"sha256:{digest.lower()}" if isinstance(digest, str) and digest else ""
    return "" if told else None


def _absolute(page: str, url: str) -> str:
    """Return a link of a page as a whole address, without its fragment."""
    if url.startswith(("https://", "http://")):  # the usual case, and ten times as fast
        return url.partition("#")[0]
    from urllib.parse import urljoin

    return urljoin(page, url).partition("#")[0]


def _hashes(hashes: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value.lower() for name, value in sorted(hashes.items())}


def _instant(text: str | None) -> datetime | None:
    """Return an instant in UTC (PEP 700 asks for ``Z``); what cannot be read is unknown."""
    if text is None:
        return None
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
