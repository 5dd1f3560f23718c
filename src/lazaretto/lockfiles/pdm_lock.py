"""PDM's ``pdm.lock``, lock versions 4 and 5: one ``[[package]]`` for each resolved package and set of extras.

Hashes stand in the package, or in ``[metadata.files]`` under ``name version`` before 4.2.

Not seen: what is asked for directly (``pyproject.toml`` has it), and what was left out for another platform.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
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
    yield from _toml.pins(document, text, "package", ECOSYSTEM, partial(_pin, elsewhere))


def _pin(elsewhere: Mapping[str, Any], name: str, entry: Mapping[str, Any], line: int, path: str) -> Pin | None:
    files = _files(entry, elsewhere)
    if entry.get("extras") and not files:
        return None  # the same release again, with what its extras ask for; its files stand with the plain entry
    version = text_of(entry.get("version"))
    source, location = _origin(entry)
    problem = "no version is given" if version is None and source is PinSource.REGISTRY else None
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
