"""uv's ``uv.lock`` (TOML, version 1): one ``[[package]]`` for each resolved package.

The members of the project (``virtual``, ``editable``, ``directory``) are not installed from anywhere; they say what is
asked for directly, and in which group.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from lazaretto.core.pin import LockfileError, Pin, PinSource, digest_of

MATCHES = ("uv.lock",)
ECOSYSTEM = "pypi"

_NEEDED = re.compile(r'    \{ name = "([^"]+)"')
_LOCAL = ("editable", "virtual", "directory")


def parse(
    text: str,
    include: Callable[[str], str] | None = None,  # noqa: ARG001 - one signature for all formats
) -> Iterator[Pin]:
    """Yield every package of the lockfile; local members as pins of source ``file``.

    Raises:
        LockfileError: the text is not TOML, or not a lockfile of a known version.
    """
    from lazaretto.lockfiles import _toml

    document = _document(text)
    asked, dev = _asked(_toml.tables(document, "package"))
    yield from _toml.pins(document, text, "package", ECOSYSTEM, partial(_pin, asked, dev))


def links(text: str) -> Iterator[tuple[str, str]]:
    """Yield which package needs which, by the paths of their pins. Read line by line, as uv writes it."""
    from lazaretto.lockfiles import _toml

    yield from _toml.links(text, _NEEDED)


def _document(text: str) -> Mapping[str, Any]:
    from lazaretto.lockfiles import _toml

    document = _toml.read(text)
    version = document.get("version")
    if isinstance(version, bool) or version != 1:
        raise LockfileError(1, f"lockfile version {str(version)[:20]} is not known; 1 is")
    return document


def _pin(
    asked: Mapping[str, str | None], dev: frozenset[str], name: str, entry: Mapping[str, Any], line: int, path: str
) -> Pin:
    source, location, problem = _origin(entry.get("source"))
    version = entry.get("version")
    if not isinstance(version, str):
        version = None
        if source is PinSource.REGISTRY:
            problem = problem or "no version is given"
    digests, wrong = _digests(entry)
    return Pin(
        ecosystem=ECOSYSTEM,
        name=name,
        version=version,
        line=line,
        path=path,
        requirement=asked.get(name),
        integrity=digests,
        direct=name in asked or name in dev,
        dev=name in dev and name not in asked,
        source=source,
        location=location,
        problem=problem or wrong,
    )


def _origin(source: object) -> tuple[PinSource, str | None, str | None]:
    """Return source, location and problem of a package's ``source`` table."""
    if not isinstance(source, dict):
        return PinSource.REGISTRY, None, "the source is not a table"
    for key, kind in (
        ("registry", PinSource.REGISTRY),
        ("git", PinSource.GIT),
        ("url", PinSource.URL),
        ("path", PinSource.FILE),
    ):
        if isinstance(source.get(key), str):
            return kind, source[key], None
    for key in _LOCAL:
        if isinstance(source.get(key), str):
            return PinSource.FILE, source[key], None
    return PinSource.REGISTRY, None, f"source {sorted(map(str, source))!r} is not known"


def _digests(entry: Mapping[str, Any]) -> tuple[tuple[str, ...], str | None]:
    """Return the hashes of the sdist and of every wheel, in the order of the file."""
    files: list[object] = [entry["sdist"]] if "sdist" in entry else []
    wheels = entry.get("wheels", [])
    if not isinstance(wheels, list):
        return (), "'wheels' must be an array"
    digests: list[str] = []
    for file in (*files, *wheels):
        value = file.get("hash") if isinstance(file, dict) else ""
        if value is None:
            continue  # a local file has none
        algorithm, _, digest = str(value).partition(":")
        known = digest_of(algorithm, digest)
        if known is None:
            return tuple(digests), f"the hash {str(value)[:40]!r} is not understood"
        digests.append(known)
    return tuple(digests), None


def _asked(packages: list[Any]) -> tuple[dict[str, str | None], frozenset[str]]:
    """Return what the local members ask for (name -> specifier) and what only their groups do."""
    asked: dict[str, str | None] = {}
    dev: set[str] = set()
    for entry in packages:
        source = entry.get("source") if isinstance(entry, dict) else None
        if not isinstance(source, dict) or not any(key in source for key in _LOCAL):
            continue
        asked.update(dict.fromkeys(_names(entry.get("dependencies"))))
        for group in _values(entry.get("optional-dependencies")):
            asked.update(dict.fromkeys(_names(group)))
        for group in _values(entry.get("dev-dependencies")):
            dev.update(_names(group))
        metadata = entry.get("metadata")
        for row in metadata.get("requires-dist", []) if isinstance(metadata, dict) else []:
            if isinstance(row, dict) and isinstance(row.get("name"), str) and isinstance(row.get("specifier"), str):
                asked[row["name"]] = row["specifier"]
    return asked, frozenset(dev)


def _values(table: object) -> list[object]:
    return list(table.values()) if isinstance(table, dict) else []


def _names(rows: object) -> list[str]:
    found = rows if isinstance(rows, list) else []
    return [row["name"] for row in found if isinstance(row, dict) and isinstance(row.get("name"), str)]
