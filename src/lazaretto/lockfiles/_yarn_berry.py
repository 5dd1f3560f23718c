"""The part of ``yarn.lock`` that is YAML: Yarn 2 and later."""

import re
from collections.abc import Iterator
from urllib.parse import unquote

from lazaretto.core.pin import LockfileError, Pin, PinSource
from lazaretto.lockfiles import _yaml
from lazaretto.lockfiles._located import VERSION, Table, address, split_name

_ECOSYSTEM = "npm"
_VERSIONS = range(4, 11)


def pins(text: str) -> Iterator[Pin]:
    """Yield every entry. Raises LockfileError if it is no such lockfile, or of a version that is not known."""
    documents = _yaml.read(text)
    if len(documents) != 1:
        raise LockfileError(1, "a lockfile of Yarn is one document")
    document = documents[0]
    version = document.table("__metadata").text("version") or ""
    if not (version.isdecimal() and len(version) < 4 and int(version) in _VERSIONS):
        line = document.lines.get("__metadata", 1)
        raise LockfileError(line, f"lockfile version {version[:20]!r} is not known; 4 to {_VERSIONS[-1]} are")
    asked = _asked(document)
    for key, entry, line in document.entries():
        if key != "__metadata":
            yield from _entry(key, entry, line, asked)


def links(text: str) -> Iterator[tuple[str, str]]:
    """Yield which entry needs which, by the paths of their pins."""
    paths: dict[str, str] = {}
    needs: list[tuple[str, str]] = []
    owner, group = "", ""
    for line in text.split("\n"):
        indent = len(line) - len(line.lstrip(" "))
        if indent == 0 and line.endswith(":"):
            owner = line[:-1].strip('"')
            paths |= dict.fromkeys((word.strip() for word in owner.split(",")), owner)
        elif indent == 2:
            group = line.strip()
        elif indent == 4 and group in {"dependencies:", "optionalDependencies:"}:
            name, _, descriptor = line.strip().partition(": ")
            needs.append((owner, f"{name.strip(chr(34))}@{descriptor.strip(chr(34))}"))
    for needing, descriptor in needs:
        found = paths.get(descriptor) or paths.get("@npm:".join(split_name(descriptor)))
        if found is not None:
            yield needing, found


def _asked(document: Table) -> frozenset[str]:
    """Return the descriptors that the members of the workspace ask for."""
    found: set[str] = set()
    for entry in document.values():
        if isinstance(entry, Table) and "@workspace:" in (entry.text("resolution") or ""):
            dependencies = entry.get("dependencies")
            if isinstance(dependencies, Table):
                found.update(f"{name}@{descriptor}" for name, descriptor in dependencies.items())
    return frozenset(found)


def _entry(key: str, entry: object, line: int, asked: frozenset[str]) -> Iterator[Pin]:
    descriptors = [word.strip() for word in key.split(", ")]
    resolution = entry.text("resolution") if isinstance(entry, Table) else None
    if not isinstance(entry, Table) or resolution is None:
        yield Pin(_ECOSYSTEM, split_name(key)[0], None, line, key, problem="the entry has no resolution")
        return
    name, reference = split_name(resolution)
    requirement = split_name(descriptors[0])[1].removeprefix("npm:") or None
    direct = any(_plain(descriptor) in asked or descriptor in asked for descriptor in descriptors)
    for source, found, version, location, problem in _resolved(name, reference, entry.text("version")):
        yield Pin(
            ecosystem=_ECOSYSTEM,
            name=found,
            version=version,
            line=line,
            path=key,
            requirement=requirement,
            direct=direct,
            source=source,
            location=location,
            problem=problem or (None if found else "no name is given"),
        )


def _plain(descriptor: str) -> str:
    """Return a descriptor as the manifests of earlier Yarns had it, without the protocol."""
    name, reference = split_name(descriptor)
    return f"{name}@{reference.removeprefix('npm:')}"


_Resolved = tuple[PinSource, str, str | None, str | None, str | None]


def _resolved(name: str, reference: str, version: str | None) -> Iterator[_Resolved]:
    """Yield source, name, version, location and problem of what a resolution stands for."""
    if reference.startswith("virtual:"):  # only in memory; a lockfile that has it was made by something else
        reference = reference.partition("#")[2]
    if reference.startswith("patch:"):
        yield from _patched(reference, version)
        return
    if reference.startswith("npm:"):
        exact, _, parameters = reference[4:].partition("::")
        alias, _, real = exact.rpartition("@")
        name, exact = (alias, real) if alias else (name, exact)
        problem = None if VERSION.fullmatch(exact) else f"the resolution {reference[:60]!r} names no version"
        yield PinSource.REGISTRY, name, None if problem else exact, _archive(parameters), problem
        return
    place, _, _ = reference.partition("::")
    source = address(place)
    if source is None:
        yield PinSource.REGISTRY, name, None, place or None, f"the resolution {reference[:60]!r} is not understood"
    else:
        location = place.partition(":")[2] if place.startswith(("workspace:", "link:", "portal:")) else place
        problem = "made by a script of the project: not checked" if place.startswith("exec:") else None
        yield source, name, version if source is not PinSource.FILE else None, location, problem


def _patched(reference: str, version: str | None) -> Iterator[_Resolved]:
    """Yield the release that is patched, and the patch files, unless they are Yarn's own."""
    inner, _, patches = reference.removeprefix("patch:").partition("#")
    name, base = split_name(unquote(inner))
    if base.startswith("patch:"):
        yield PinSource.REGISTRY, name, None, None, "a patch of a patch is not followed"
    else:
        exact = base if base.startswith("npm:") or address(base) else f"npm:{base}"
        yield from _resolved(name, exact, version)
    for patch in patches.partition("::")[0].split("&"):
        path = re.sub(r"^(?:optional!|!)", "", unquote(patch))
        if path and not path.startswith(("~builtin<", "optional!builtin<", "builtin<")):
            yield PinSource.FILE, name, None, path.removeprefix("~/"), None


def _archive(parameters: str) -> str | None:
    """Return the address that a registry gave for an archive, where it is not the usual one."""
    for parameter in parameters.split("&"):
        key, _, value = parameter.partition("=")
        if key == "__archiveUrl":
            return unquote(value)
    return None
