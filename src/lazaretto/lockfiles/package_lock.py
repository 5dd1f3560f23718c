"""npm's ``package-lock.json`` and ``npm-shrinkwrap.json``, lockfile versions 1, 2 and 3.

Version 1 nests ``dependencies``; 3 has a flat map ``packages`` by install path; 2 has both, and ``packages`` is what
npm believes (npm docs, package-lock.json). Workspaces and other links are pins of source ``file``.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lazaretto.core.pin import LockfileError, Pin, PinSource
from lazaretto.lockfiles._located import sri

MATCHES = ("package-lock.json", "npm-shrinkwrap.json")
ECOSYSTEM = "npm"
CLIENT = "npm"

MAX_DEPTH = 200
"""Deepest nesting of version 1 that is followed."""

MAX_MISSES = 50
"""After so many keys that are not found as written, lines are no longer looked for."""

_COLON = re.compile(r"\s*+:\s*+")


def parse(
    text: str,
    include: Callable[[str], str] | None = None,  # noqa: ARG001 - one signature for all formats
) -> Iterator[Pin]:
    """Yield every package that npm would put into ``node_modules``.

    Raises:
        LockfileError: the text is not JSON, or not a lockfile of a known version.
    """
    document = _document(text)
    lines = _Lines(text)
    packages, dependencies = document.get("packages"), document.get("dependencies")
    if isinstance(packages, dict):
        yield from _flat(packages, lines)
    elif isinstance(dependencies, dict):
        yield from _nested(dependencies, lines)
    elif packages is not None or dependencies is not None:
        raise LockfileError(1, "'packages' and 'dependencies' must be objects")


def links(text: str) -> Iterator[tuple[str, str]]:
    """Yield which pin needs which, by their paths; "" is the project. What leads nowhere in the file is left out.

    Raises:
        LockfileError: as ``parse``.
    """
    document = _document(text)
    packages, dependencies = document.get("packages"), document.get("dependencies")
    if isinstance(packages, dict):
        yield from _flat_links(packages)
    elif isinstance(dependencies, dict):
        yield from _nested_links(dependencies)


def _flat_links(packages: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for path, entry in packages.items():
        own = "node_modules/" not in path  # the project, or a workspace of it
        for name in _needs(entry, own=own):
            found = _upwards(path, name, packages)
            if found is not None:
                yield "" if own else f"packages.{path}", f"packages.{found}"


def _needs(entry: object, *, own: bool) -> Iterator[str]:
    groups = ("dependencies", "optionalDependencies", "peerDependencies", *(("devDependencies",) if own else ()))
    for group in groups:
        named = entry.get(group) if isinstance(entry, dict) else None
        yield from named if isinstance(named, dict) else ()


def _upwards(path: str, name: str, packages: Mapping[str, Any]) -> str | None:
    """Return where Node.js finds a package from a folder: in its own ``node_modules``, or in that of one above."""
    while True:
        found = f"{path}/node_modules/{name}" if path else f"node_modules/{name}"
        if found in packages:
            return found
        if not path:
            return None
        path = path.rpartition("/node_modules/")[0] if "/node_modules/" in path else ""


def _nested_links(dependencies: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Version 1: an entry ``requires`` names, which lie in its own ``dependencies`` or in those around it."""
    waiting: list[tuple[str, Mapping[str, Any], tuple[tuple[str, Mapping[str, Any]], ...]]] = [("", dependencies, ())]
    while waiting:
        owner, entries, around = waiting.pop()
        scopes = ((f"{owner}.dependencies" if owner else "dependencies", entries), *around)
        for name, entry in entries.items():
            path = f"{scopes[0][0]}.{name}"
            inner = entry.get("dependencies") if isinstance(entry, dict) else None
            requires = entry.get("requires") if isinstance(entry, dict) else None
            own = ((f"{path}.dependencies", inner),) if isinstance(inner, dict) else ()
            for needed in requires if isinstance(requires, dict) else ():
                place = next((place for place, scope in (*own, *scopes) if needed in scope), None)
                if place is not None:
                    yield path, f"{place}.{needed}"
            if isinstance(inner, dict) and len(scopes) < MAX_DEPTH:
                waiting.append((path, inner, scopes))


def _document(text: str) -> Mapping[str, Any]:
    import msgspec

    try:
        document = msgspec.json.decode(text.removeprefix("\ufeff").encode("utf-8", "surrogatepass"))
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise LockfileError(_error_line(text, str(error)), f"not JSON: {error}") from error
    if not isinstance(document, dict):
        raise LockfileError(1, "not a JSON object")
    version = document.get("lockfileVersion", 1)
    if isinstance(version, bool) or version not in (1, 2, 3):  # a tuple: it may be unhashable
        raise LockfileError(1, f"lockfile version {str(version)[:20]} is not known; 1, 2 and 3 are")
    return document


def _error_line(text: str, message: str) -> int:
    match = re.search(r"byte (\d+)", message)
    return text.encode("utf-8", "replace").count(b"\n", 0, int(match.group(1))) + 1 if match else 1


def _flat(packages: Mapping[str, Any], lines: "_Lines") -> Iterator[Pin]:
    """Versions 2 and 3: install path -> entry; the empty path is the project itself."""
    asked = _asked(packages)
    for path, entry in packages.items():
        if path == "":
            continue
        line = lines.of(path, "{" if isinstance(entry, dict) else "")
        owner, _, installed_as = path.rpartition("node_modules/")
        requirement = None if "node_modules/" in owner else asked.get(installed_as)
        if not isinstance(entry, dict):
            yield Pin(ECOSYSTEM, installed_as, None, line, f"packages.{path}", problem="the entry is not an object")
            continue
        if "node_modules/" not in path and not entry.get("link"):
            continue  # the source of a workspace: its link is the entry that installs it
        yield _pin(
            name=_text(entry.get("name")) or installed_as,
            entry=entry,
            line=line,
            path=f"packages.{path}",
            requirement=requirement,
            direct=requirement is not None,
        )


def _nested(dependencies: Mapping[str, Any], lines: "_Lines") -> Iterator[Pin]:
    """Version 1: name -> entry with ``dependencies`` of its own, depth first, without recursion."""
    stack: list[tuple[str, Iterator[tuple[str, Any]]]] = [("dependencies", iter(dependencies.items()))]
    while stack:
        place, entries = stack[-1]
        found = next(entries, None)
        if found is None:
            stack.pop()
            continue
        name, entry = found
        path, line = f"{place}.{name}", lines.of(name, "{" if isinstance(entry, dict) else "")
        if not isinstance(entry, dict):
            yield Pin(ECOSYSTEM, name, None, line, path, problem="the entry is not an object")
            continue
        yield _pin(name=name, entry=entry, line=line, path=path, requirement=None, direct=None)
        inner = entry.get("dependencies")
        if isinstance(inner, dict) and len(stack) < MAX_DEPTH:
            stack.append((f"{path}.dependencies", iter(inner.items())))
        elif inner is not None:
            yield Pin(
                ECOSYSTEM, name, None, line, f"{path}.dependencies", problem="its dependencies cannot be followed"
            )


def _pin(
    *, name: str, entry: Mapping[str, Any], line: int, path: str, requirement: str | None, direct: bool | None
) -> Pin:
    version = _text(entry.get("version"))
    resolved = _text(entry.get("resolved"))
    problem = None
    if entry.get("link") is True:
        source, location, version = PinSource.FILE, resolved, None
    else:
        if version and version.startswith("npm:"):  # version 1: an alias names the real package in its version
            name, _, version = version[4:].rpartition("@")
        source, location, version = _origin(version, resolved)
        if version is None and source is PinSource.REGISTRY:
            problem = "no version is given"
    integrity, wrong = sri(entry.get("integrity"))
    return Pin(
        ecosystem=ECOSYSTEM,
        name=name,
        version=version,
        line=line,
        path=path,
        requirement=requirement,
        integrity=integrity,
        direct=direct,
        dev=bool(entry.get("dev") or entry.get("devOptional")),
        source=source,
        location=location,
        problem=problem or wrong or (None if name else "no name is given"),
    )


def _origin(version: str | None, resolved: str | None) -> tuple[PinSource, str | None, str | None]:
    """Return source, location and version. In version 1 the version itself may be an address."""
    for text in (resolved, version):
        if text is None:
            continue
        if text.startswith(("git+", "git:", "git@", "github:", "gitlab:", "bitbucket:", "gist:")):
            return PinSource.GIT, text, version if text is not version else None
        if text.startswith("file:"):
            return PinSource.FILE, text, version if text is not version else None
    if version is not None and version.startswith(("http:", "https:")):
        return PinSource.URL, version, None
    return PinSource.REGISTRY, resolved, version


def _asked(packages: Mapping[str, Any]) -> dict[str, str]:
    """Return what the project and its workspaces ask for: name as installed -> range."""
    asked: dict[str, str] = {}
    for path, entry in packages.items():
        if "node_modules/" in path or not isinstance(entry, dict):
            continue
        for group in ("peerDependencies", "optionalDependencies", "devDependencies", "dependencies"):
            named = entry.get(group)
            if isinstance(named, dict):
                asked.update({name: str(requirement) for name, requirement in named.items()})
    return asked


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


class _Lines:
    """Where each key stands; asked in the order of the document, so every search goes on from the last."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line = 1
        self._misses = 0

    def of(self, key: str, begins: str) -> int:
        """Return the line of the next entry of this name, or of the last one found if there is none."""
        if self._misses >= MAX_MISSES:
            return self._line
        start = self._find(_quoted(key), begins)
        if start < 0:
            self._misses += 1  # a key written with escapes, or an entry that is no object
            return self._line
        self._line += self._text.count("\n", self._at, start)
        self._at = start + 1
        return self._line

    def _find(self, quoted: str, begins: str) -> int:
        """Return where a key stands that something of this kind follows; -1 if nowhere. No pattern is made for it."""
        start = self._text.find(quoted, self._at)
        while start >= 0:
            after = _COLON.match(self._text, start + len(quoted))
            if after is not None and self._text.startswith(begins, after.end()):
                return start
            start = self._text.find(quoted, start + 1)
        return -1


def _quoted(key: str) -> str:
    import msgspec

    return msgspec.json.encode(key.encode("utf-8", "replace").decode("utf-8")).decode("utf-8")
