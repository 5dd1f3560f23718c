"""What the readers of SBOMs share: a component with a package URL becomes a pin; what has none is told in a sum.

An SBOM lists whatever its maker found: npm and PyPI packages are checked, everything else is said, by its kind and with
its number, at the line of the first.
"""

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from lazaretto.core.pin import DIGEST_LENGTHS, Pin, PinSource, digest_of

MAX_PURL = 2000
"""Longest package URL in characters."""

_ECOSYSTEMS = frozenset({"npm", "pypi"})


class Component(Struct, frozen=True):
    """One component as an SBOM lists it. ``kind`` is what is said of it if it has no package URL."""

    name: str
    purl: str | None
    line: int
    path: str
    kind: str = "no package URL"
    hashes: tuple[tuple[str, str], ...] = ()


def pins(components: Iterable[Component]) -> Iterator[Pin]:
    """Yield a pin for each npm and PyPI component, then one with a problem for each kind of others."""
    others: dict[str, list[Component]] = {}
    for component in components:
        if component.purl is None:
            others.setdefault(component.kind, []).append(component)
            continue
        found = _pin(component)
        if isinstance(found, str):
            others.setdefault(f"package of type {found[:40]!r}", []).append(component)
        else:
            yield found
    for kind, of_it in others.items():
        first = of_it[0]
        more = f" and {len(of_it) - 1} more" if len(of_it) > 1 else ""
        name = first.name or first.purl or "a component"
        problem = f"not checked: {name[:80]}{more}: {kind}"
        yield Pin("npm", "", None, first.line, first.path, location=kind, problem=problem)


def _pin(component: Component) -> Pin | str:
    """Return the pin, or the type of a package that is of no ecosystem read here."""
    from packageurl import PackageURL

    text = component.purl or ""
    kind = text.removeprefix("pkg:").lstrip("/").partition("/")[0].lower()
    if text.startswith("pkg:") and kind and kind not in _ECOSYSTEMS:
        return kind
    try:
        purl = PackageURL.from_string(text[:MAX_PURL])
    except ValueError as error:
        why = f"{text[:60]!r} is not a package URL: {str(error)[:100]}"
        return Pin("npm", component.name, None, component.line, component.path, problem=why)
    name = "/".join(filter(None, (purl.namespace, purl.name)))
    source, location = _origin(purl.qualifiers)
    digests, problem = _digests(component.hashes)
    if len(text) > MAX_PURL:
        problem = f"a package URL of more than {MAX_PURL} characters"
    elif purl.version is None and source is PinSource.REGISTRY:
        problem = "no version is given"
    return Pin(
        ecosystem=purl.type,
        name=name,
        version=purl.version,
        line=component.line,
        path=component.path,
        integrity=digests,
        source=source,
        location=location,
        problem=problem,
    )


def _origin(qualifiers: Mapping[str, str]) -> tuple[PinSource, str | None]:
    if qualifiers.get("vcs_url"):
        return PinSource.GIT, qualifiers["vcs_url"]
    if qualifiers.get("download_url"):
        return PinSource.REGISTRY, qualifiers["download_url"]
    return PinSource.REGISTRY, qualifiers.get("repository_url") or None


def _digests(hashes: Iterable[tuple[str, str]]) -> tuple[tuple[str, ...], str | None]:
    """Return the digests whose algorithm an index may name too; of the others nothing can be compared."""
    found: list[str] = []
    for algorithm, value in hashes:
        name = algorithm.lower().replace("-", "").replace("_", "")
        if name not in DIGEST_LENGTHS:
            continue
        known = digest_of(name, value)
        if known is None:
            return tuple(found), f"the hash {algorithm[:20]} {value[:40]!r} is not understood"
        if known not in found:
            found.append(known)
    return tuple(found), None
