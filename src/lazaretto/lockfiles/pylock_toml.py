"""``pylock.toml`` and ``pylock.NAME.toml`` (PEP 751, lock version 1.0): one ``[[packages]]`` for each package.

A package is taken from an index (``sdist``, ``wheels``), or from ``vcs``, ``directory`` or ``archive``.

Not seen: which of several entries of one name a marker chooses (all are checked), and attestation identities.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lazaretto.core.pin import LockfileError, Pin, PinSource
from lazaretto.lockfiles._located import colon_digests, text_of

MATCHES = ("pylock.toml", "pylock.*.toml")
ECOSYSTEM = "pypi"
CLIENT = "pip"


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
    version = document.get("lock-version")
    if not isinstance(version, str) or version.partition(".")[0] != "1":
        line = _toml.key_lines(text).get("lock-version", 1)
        raise LockfileError(line, f"lock version {str(version)[:20]!r} is not known; 1.0 is")
    yield from _toml.pins(document, text, "packages", ECOSYSTEM, _pin)


def _pin(name: str, entry: Mapping[str, Any], line: int, path: str) -> Pin:
    source, location, problem = _origin(entry)
    version = text_of(entry.get("version"))
    if version is None and source is PinSource.REGISTRY:
        problem = problem or "no version is given"
    digests, wrong = _digests(entry)
    groups = entry.get("dependency-groups")
    return Pin(
        ecosystem=ECOSYSTEM,
        name=name,
        version=version,
        line=line,
        path=path,
        integrity=digests,
        dev=bool(groups) if groups is not None else None,
        source=source,
        location=location,
        problem=problem or wrong,
    )


def _origin(entry: Mapping[str, Any]) -> tuple[PinSource, str | None, str | None]:
    """Return source, location and problem: exactly one kind of source may be given."""
    kinds = [kind for kind in ("vcs", "directory", "archive") if kind in entry]
    if not kinds:
        known = "sdist" in entry or "wheels" in entry
        return PinSource.REGISTRY, None, None if known else "no file of it is given"
    if len(kinds) > 1 or not isinstance(entry[kinds[0]], dict):
        return PinSource.REGISTRY, None, f"its source is not understood: {', '.join(kinds)}"
    row = entry[kinds[0]]
    url, path = text_of(row.get("url")), text_of(row.get("path"))
    if kinds == ["vcs"]:
        return PinSource.GIT, f"{url or path}@{row.get('commit-id', '')}", None
    if kinds == ["archive"] and url is not None and not url.startswith("file:"):
        return PinSource.URL, url, None
    return PinSource.FILE, path or url or kinds[0], None


def _digests(entry: Mapping[str, Any]) -> tuple[tuple[str, ...], str | None]:
    """Return the digests of all files; algorithms that no index names are passed over where another is given."""
    wheels = entry.get("wheels", [])
    if not isinstance(wheels, list):
        return (), "'wheels' must be an array"
    found: list[object] = []
    for file in (*(entry[key] for key in ("sdist", "archive") if key in entry), *wheels):
        hashes = file.get("hashes") if isinstance(file, dict) else None
        if not isinstance(hashes, dict) or not hashes:
            return (), "a file of it has no hashes"
        known = [f"{algorithm}:{value}" for algorithm, value in hashes.items() if algorithm.lower() in _COMPARED]
        found += known or [f"{algorithm}:{value}" for algorithm, value in hashes.items()]
    return colon_digests(found)


_COMPARED = ("sha1", "sha256", "sha384", "sha512")
