"""PDM's ``pdm.lock``, lock versions 4 and 5: one ``[[package]]`` for each resolved package and set of extras.

Hashes stand in the package, or in ``[metadata.files]`` under ``name version`` before 4.2.

Not seen: what is asked for directly (``pyproject.toml`` has it), and what was left out for another platform.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lazaretto.core.pin import LockfileError, Pin, PinSource
from lazaretto.lockfiles._located import colon_digests, text_of

MATCHES = ("pdm.lock",)
ECOSYSTEM = "pypi"

_MAJORS = ("4", "5")


def parse(
    text: str,
    include: Callable[[str], str] | None = None,  # noqa: ARG001 - one signature for all formats
) -> Iterator[Pin]:
    """Yield every package once, whatever extras of it were resolved besides.

    Raises:
        LockfileError: the text is not TOML, or of an unknown lock version.
    """
    from lazaretto.lockfiles import _toml

    document = _toml.read(text)
    metadata = _toml.table(document.get("metadata"))
    version = metadata.get("lock_version")
    if not isinstance(version, str) or version.partition(".")[0] not in _MAJORS:
        line = _toml.key_lines(text).get("lock_version", 1)
        raise LockfileError(line, f"lock version {str(version)[:20]!r} is not known; {' and '.join(_MAJORS)} are")
    elsewhere = _toml.table(metadata.get("files"))
    lines = _toml.headers(text, "package")
    for index, entry in enumerate(_toml.tables(document, "package")):
        line = lines[index] if index < len(lines) else 1
        if isinstance(entry, dict) and entry.get("extras") and not _files(entry, elsewhere):
            continue  # the same release again, with what its extras ask for; its files stand with the plain entry
        yield _pin(entry, line, f"package[{index}]", elsewhere)


def _pin(entry: object, line: int, path: str, elsewhere: Mapping[str, Any]) -> Pin:
    name = text_of(entry.get("name")) if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or name is None:
        return Pin(ECOSYSTEM, "", None, line, path, problem="the entry has no name")
    version = text_of(entry.get("version"))
    source, location = _origin(entry)
    problem = "no version is given" if version is None and source is PinSource.REGISTRY else None
    files = _files(entry, elsewhere)
    if isinstance(files, list):
        digests, wrong = colon_digests([file.get("hash") if isinstance(file, dict) else file for file in files])
    else:
        digests, wrong = (), "its files are not a list"
    return Pin(
        ecosystem=ECOSYSTEM,
        name=name,
        version=version,
        line=line,
        path=path,
        integrity=digests,
        dev=_dev(entry),
        source=source,
        location=location,
        problem=problem or wrong,
    )


def _files(entry: Mapping[str, Any], elsewhere: Mapping[str, Any]) -> object:
    return entry["files"] if "files" in entry else elsewhere.get(f"{entry.get('name')} {entry.get('version')}", [])


def _origin(entry: Mapping[str, Any]) -> tuple[PinSource, str | None]:
    """Return source and location. A path beside an address is where the file lay when it was locked."""
    git, path, url = (text_of(entry.get(key)) for key in ("git", "path", "url"))
    if git is not None:
        return PinSource.GIT, f"{git}@{entry.get('revision') or entry.get('ref') or ''}"
    if path is not None:
        return PinSource.FILE, path
    if url is not None:
        return (PinSource.FILE if url.startswith("file:") else PinSource.URL), url
    return PinSource.REGISTRY, None


def _dev(entry: Mapping[str, Any]) -> bool | None:
    """Whether the default group does not ask for it; optional groups and development ones look the same here."""
    groups = entry.get("groups")
    return "default" not in groups if isinstance(groups, list) else None
