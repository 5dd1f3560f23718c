"""Poetry's ``poetry.lock``, lock versions 1.0 to 2.1: one ``[[package]]`` for each resolved package.

Hashes stand in the package, or in ``[metadata.files]`` before 2.0. A ``source`` of type ``legacy`` is another index.

Not seen: what is asked for directly (``pyproject.toml`` has it), and what was left out for another platform.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from lazaretto.core.pin import LockfileError, Pin, PinSource
from lazaretto.lockfiles._located import colon_digests, text_of

MATCHES = ("poetry.lock",)
ECOSYSTEM = "pypi"

_NEEDED = re.compile(r'"?([A-Za-z0-9][\w.-]*)"? = ')
_VERSIONS = ("1.0", "1.1", "2.0", "2.1")
_SOURCES = {"git": PinSource.GIT, "url": PinSource.URL, "file": PinSource.FILE, "directory": PinSource.FILE}


def parse(
    text: str,
    include: Callable[[str], str] | None = None,  # noqa: ARG001 - one signature for all formats
) -> Iterator[Pin]:
    """Yield every package.

    Raises:
        LockfileError: the text is not TOML, or of an unknown lock version.
    """
    from lazaretto.lockfiles import _toml

    document = _toml.read(text)
    metadata = _toml.table(document.get("metadata"))
    version = metadata.get("lock-version", "1.0")
    if version not in _VERSIONS:
        line = _toml.key_lines(text).get("lock-version", 1)
        raise LockfileError(line, f"lock version {str(version)[:20]!r} is not known; {', '.join(_VERSIONS)} are")
    elsewhere = _toml.table(metadata.get("files") or metadata.get("hashes"))
    yield from _toml.pins(document, text, "package", ECOSYSTEM, partial(_pin, elsewhere))


def links(text: str) -> Iterator[tuple[str, str]]:
    """Yield which package needs which, by the paths of their pins. Read line by line, as Poetry writes it."""
    from lazaretto.lockfiles import _toml

    yield from _toml.links(text, _NEEDED, "[package.dependencies]")


def _pin(elsewhere: Mapping[str, Any], name: str, entry: Mapping[str, Any], line: int, path: str) -> Pin:
    version = text_of(entry.get("version"))
    source, location, problem = _origin(entry.get("source"))
    if version is None and source is PinSource.REGISTRY:
        problem = problem or "no version is given"
    files = entry["files"] if "files" in entry else elsewhere.get(name, [])
    digests, wrong = _hashes(files)
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


def _origin(source: object) -> tuple[PinSource, str | None, str | None]:
    """Return source, location and problem of a package's ``source`` table."""
    if source is None:
        return PinSource.REGISTRY, None, None
    kind = source.get("type") if isinstance(source, dict) else None
    url = text_of(source.get("url")) if isinstance(source, dict) else None
    if not isinstance(source, dict) or not isinstance(kind, str):
        return PinSource.REGISTRY, None, "the source is not understood"
    if kind == "legacy":
        return PinSource.REGISTRY, url, None
    if kind not in _SOURCES:
        return PinSource.REGISTRY, None, f"a source of type {kind[:40]!r} is not known"
    revision = text_of(source.get("resolved_reference")) or text_of(source.get("reference"))
    return _SOURCES[kind], f"{url}@{revision}" if revision and kind == "git" else url or kind, None


def _hashes(files: object) -> tuple[tuple[str, ...], str | None]:
    """Return the digests of ``{file, hash}`` rows; of bare SHA-256 texts in lock version 1.0."""
    if not isinstance(files, list):
        return (), "its files are not a list"
    values: list[object] = []
    for file in files:
        value = file.get("hash") if isinstance(file, dict) else file
        values.append(f"sha256:{value}" if isinstance(value, str) and ":" not in value else value)
    return colon_digests(values)


def _dev(entry: Mapping[str, Any]) -> bool | None:
    """Whether no group but those that are not installed by default asks for it; None if the file does not tell."""
    if isinstance(entry.get("category"), str):
        return bool(entry["category"] != "main")
    groups = entry.get("groups")
    return "main" not in groups if isinstance(groups, list) else None
