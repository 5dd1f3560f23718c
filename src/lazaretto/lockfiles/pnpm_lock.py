"""pnpm's ``pnpm-lock.yaml``, lockfile versions 5.0 to 9.0.

What is installed is listed under ``packages``; a key names the release and, in versions 5 to 8, the peers that it was
resolved with (``/a/1.0.0_react@18.0.0``, ``/a@1.0.0(react@18.0.0)``), which are cut off: peers change no byte.
Version 9 keeps those under ``snapshots``. A file may hold a second document, for what pnpm itself needs; both are read.

Not seen: what a patch of ``patchedDependencies`` changes (the release is checked as published), what ``.pnpmfile.cjs``
does, and the digests of packages that are no tarball.
"""

import posixpath
import re
from collections.abc import Callable, Iterator

from lazaretto.core.pin import LockfileError, Pin, PinSource
from lazaretto.lockfiles._located import VERSION, Table, address, split_name, sri, text_of

MATCHES = ("pnpm-lock.yaml",)
ECOSYSTEM = "npm"

_WRITTEN = re.compile(r"^lockfileVersion: *['\"]?([5-9])", re.MULTILINE)
_GROUPS = (
    "dependencies",
    "devDependencies",
    "optionalDependencies",
    "configDependencies",
    "packageManagerDependencies",
)


def parse(
    text: str,
    include: Callable[[str], str] | None = None,  # noqa: ARG001 - one signature for all formats
) -> Iterator[Pin]:
    """Yield every package that pnpm would install, and what importers take from elsewhere.

    Raises:
        LockfileError: the text is not of the YAML that pnpm writes, or of no known version.
    """
    from lazaretto.lockfiles import _yaml

    documents = _yaml.read(text)
    for document in documents:
        yield from _document(document)


def links(text: str) -> Iterator[tuple[str, str]]:
    """Yield which entry needs which, by the paths of their pins. Read line by line, as it is usually written."""
    version = _WRITTEN.search(text)
    major = int(version.group(1)) if version else 0
    section = owner = group = ""
    for line in text.split("\n"):
        content = line.strip()
        indent = len(line) - len(line.lstrip(" "))
        if indent == 0:
            section = content.removesuffix(":") if content else section
        elif section in {"packages", "snapshots"} and indent == 2:
            owner = content.removesuffix(":").strip("'")
        elif indent == 4:
            group = content.removesuffix(":")
        elif indent == 6 and section in {"packages", "snapshots"} and group in {"dependencies", "optionalDependencies"}:
            name, _, needed = content.rpartition(": ")
            yield _path(owner, major), _path(_referred(name.strip("'"), needed.strip("'"), major), major)


def _referred(name: str, version: str, major: int) -> str:
    """Return the key of ``packages`` that a dependency of another refers to."""
    if version.startswith("/") or not version[:1].isdigit():
        return version  # an alias names the package behind it
    return f"/{name}/{version}" if major == 5 else f"/{name}@{version}" if major < 9 else f"{name}@{version}"


def _path(key: str, major: int) -> str:
    return f"packages.{key.partition('(')[0] if major == 9 else key}"


def _document(document: Table) -> Iterator[Pin]:
    major = _major(document)
    asked = list(_asked(document))
    direct: dict[tuple[str, str], tuple[str | None, bool]] = {}
    for _, name, version, requirement, dev, _ in asked:
        release = _release(name, version, major)
        if release is not None:
            was = direct.get(release)
            direct[release] = (was[0] or requirement, was[1] and dev) if was else (requirement, dev)
    listed: set[tuple[str, str]] = set()
    for key, entry, line in document.table("packages").entries():
        pin = _pin(key, entry, line, major, direct)
        if pin.version is not None:
            listed.add((pin.name, pin.version))
        yield pin
    for importer, name, version, requirement, dev, line in asked:
        unlisted = _elsewhere(importer, name, version, line) or _missing(name, version, line, major, listed)
        if unlisted is not None:
            yield _replaced(unlisted, requirement, dev)


def _major(document: Table) -> int:
    """Return the first number of the lockfile's version; 7 and 8 were never released, 6.1 is read as 6."""
    version = document.text("lockfileVersion") or ""
    match = re.fullmatch(r"([5-9])(?:\.\d{1,3})?(?:-inlineSpecifiers)?", version)
    if match is None:
        line = document.lines.get("lockfileVersion", document.line)
        raise LockfileError(line, f"lockfile version {version[:20]!r} is not known; 5.0 to 9.0 are")
    return int(match.group(1))


def _asked(document: Table) -> Iterator[tuple[str, str, str, str | None, bool, int]]:
    """Yield importer, name, version, specifier, whether for development, and line of all that is asked for directly."""
    importers = document.table("importers")
    everyone = [(".", document)] if not importers else [(name, importers.table(name)) for name in importers]
    for importer, entry in everyone:
        specifiers = entry.table("specifiers")
        for group in _GROUPS:
            for name, value, line in entry.table(group).entries():
                dev = group == "devDependencies"
                if isinstance(value, Table):
                    yield importer, name, value.text("version") or "", value.text("specifier"), dev, line
                elif isinstance(value, str):
                    yield importer, name, value, text_of(specifiers.get(name)), dev, line
                else:
                    raise LockfileError(line, f"{name[:60]!r} must be a version or a mapping")


def _release(name: str, version: str, major: int) -> tuple[str, str] | None:
    """Return the name and version that a direct dependency resolves to; None if it is from elsewhere."""
    if VERSION.fullmatch(bare := _without_peers(version, major)):
        return name, bare
    named, bare = _named(version, major)
    return (named, bare) if named and VERSION.fullmatch(bare) else None


def _without_peers(version: str, major: int) -> str:
    version = version.partition("(")[0]
    return re.split("[_/]", version, maxsplit=1)[0] if major == 5 and version[:1].isdigit() else version


def _named(key: str, major: int) -> tuple[str, str]:
    """Return name and version of a key of ``packages``; of another registry's, its host comes first."""
    key = key.partition("(")[0]
    if major == 5:
        parts = key.split("/")
        scoped = len(parts) > 3 and parts[1].startswith("@")
        name = "/".join(parts[1:3]) if scoped else "/".join(parts[1:2])
        return name, _without_peers("/".join(parts[3 if scoped else 2 :]), major)
    if major < 9 and not key.startswith("/") and "/" in key and not address(key):
        key = key[key.index("/") :]
    return split_name(key.removeprefix("/"))


def _pin(key: str, entry: object, line: int, major: int, direct: dict[tuple[str, str], tuple[str | None, bool]]) -> Pin:
    path = f"packages.{key}"
    resolution = entry.get("resolution") if isinstance(entry, Table) else None
    named, version = _named(key, major)
    release = VERSION.fullmatch(version) is not None
    if not isinstance(entry, Table) or not isinstance(resolution, Table):
        fixed = version if release else None
        return Pin(ECOSYSTEM, named, fixed, line, path, problem="the entry has no resolution")
    name = entry.text("name") or named
    source, location, problem = _origin(resolution, key, release=release)
    if source is PinSource.REGISTRY and not release:
        problem = problem or f"the key {key[:60]!r} names no version"
    digests, wrong = sri(resolution.get("integrity"))
    requirement, dev = direct.get((name, version), (None, None))
    return Pin(
        ecosystem=ECOSYSTEM,
        name=name,
        version=version if release else entry.text("version") if source is not PinSource.REGISTRY else None,
        line=line,
        path=path,
        requirement=requirement,
        integrity=digests,
        direct=(name, version) in direct if release else None,
        dev=entry["dev"] == "true" if "dev" in entry else dev,
        source=source,
        location=location,
        problem=problem or wrong or (None if name or location else "no name is given"),
    )


def _origin(resolution: Table, key: str, *, release: bool) -> tuple[PinSource, str | None, str | None]:
    """Return source, location and problem of a ``resolution``."""
    kind, tarball = resolution.text("type"), resolution.text("tarball")
    if kind == "git" or (kind is None and "commit" in resolution):
        return PinSource.GIT, f"{resolution.text('repo') or key}#{resolution.text('commit') or ''}", None
    if kind == "directory" or (kind is None and "directory" in resolution):
        return PinSource.FILE, resolution.text("directory") or key, None
    if kind is not None:
        return PinSource.URL, resolution.text("url") or key, f"a resolution of type {kind[:40]!r} is not checked"
    if tarball is not None and tarball.startswith("file:"):
        return PinSource.FILE, tarball, None
    if tarball is not None and not release:
        return PinSource.URL, tarball, None
    if tarball is None and "integrity" not in resolution:
        return PinSource.REGISTRY, None, "the resolution is not understood"
    return PinSource.REGISTRY, tarball, None


def _elsewhere(importer: str, name: str, version: str, line: int) -> Pin | None:
    """Return the pin of a link or of a folder of the workspace, which are not listed among the packages."""
    if not version.startswith(("link:", "workspace:")):
        return None
    target = posixpath.normpath(posixpath.join(importer, version.partition(":")[2]))
    return Pin(ECOSYSTEM, name, None, line, f"importers.{importer}.{name}", source=PinSource.FILE, location=target)


def _missing(name: str, version: str, line: int, major: int, listed: set[tuple[str, str]]) -> Pin | None:
    """Return a pin with a problem for what is asked for and not listed: pnpm would refuse the file."""
    release = _release(name, version, major)
    if release is None or release in listed:
        return None
    return Pin(ECOSYSTEM, release[0], release[1], line, name, problem="it is not listed under 'packages'")


def _replaced(pin: Pin, requirement: str | None, dev: bool) -> Pin:  # noqa: FBT001 - a field of the pin
    import msgspec

    return msgspec.structs.replace(pin, requirement=requirement, direct=True, dev=dev)
