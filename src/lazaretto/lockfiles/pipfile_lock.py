"""Pipenv's ``Pipfile.lock`` (pipfile-spec 6): ``default``, ``develop`` and the project's own categories.

Not seen: what is asked for directly (``Pipfile`` has it), and where an index is that an entry names.
"""

from collections.abc import Callable, Iterator

from lazaretto.core.pin import LockfileError, Pin, PinSource
from lazaretto.lockfiles._located import Items, Table, colon_digests

MATCHES = ("Pipfile.lock",)
ECOSYSTEM = "pypi"
CLIENT = "pipenv"


def parse(
    text: str,
    include: Callable[[str], str] | None = None,  # noqa: ARG001 - one signature for all formats
) -> Iterator[Pin]:
    """Yield every entry of every category.

    Raises:
        LockfileError: the text is not JSON, or of another specification.
    """
    from lazaretto.lockfiles import _json

    document = _json.read(text)
    meta = document.table("_meta")
    specification = meta.get("pipfile-spec")
    if isinstance(specification, bool) or specification != 6:
        line = meta.lines.get("pipfile-spec", meta.line)
        raise LockfileError(line, f"pipfile-spec {str(specification)[:20]} is not known; 6 is")
    for category in document:
        if category == "_meta":
            continue
        for name, entry, line in document.table(category).entries():
            yield _pin(name, entry, line, category)


def _pin(name: str, entry: object, line: int, category: str) -> Pin:
    path = f"{category}.{name}"
    if not isinstance(entry, Table):
        return Pin(ECOSYSTEM, name, None, line, path, problem="the entry is not an object")
    source, location = _origin(entry)
    specifier = entry.text("version")
    version, problem = None, None
    if source is PinSource.REGISTRY:
        version = specifier.lstrip("=").strip() if specifier and specifier.startswith("==") else None
        if not version or "*" in version or "," in version:
            version, problem = None, f"not pinned: {specifier or 'any version'} leaves the version open"
    hashes = entry.get("hashes")
    digests, wrong = colon_digests(list(hashes)) if isinstance(hashes, Items) else ((), None)
    if hashes is not None and not isinstance(hashes, Items):
        wrong = "its hashes are not an array"
    return Pin(
        ecosystem=ECOSYSTEM,
        name=name,
        version=version,
        line=line,
        path=path,
        requirement=specifier,
        integrity=digests,
        dev=category != "default",
        source=source,
        location=location,
        problem=problem or wrong or (None if name else "no name is given"),
    )


def _origin(entry: Table) -> tuple[PinSource, str | None]:
    for key in ("git", "hg", "svn", "bzr"):
        if entry.text(key):
            return PinSource.GIT, f"{entry.text(key)}@{entry.text('ref') or ''}"
    if entry.text("path"):
        return PinSource.FILE, entry.text("path")
    place = entry.text("file")
    if place is not None:
        return (PinSource.URL if "://" in place and not place.startswith("file:") else PinSource.FILE), place
    return PinSource.REGISTRY, None
