"""Dependency specifiers (PEP 508): one line of metadata to one edge."""

from functools import lru_cache

from lazaretto.core.model import Dependency, DependencyGroup, DependencySource
from lazaretto.ecosystems.pypi.names import name

MAX_LENGTH = 8192
"""Longest requirement text, in characters."""


@lru_cache(maxsize=8192)
def dependency(text: str, group: DependencyGroup = DependencyGroup.RUNTIME) -> Dependency:
    """Return one edge. Requested extras stand in front of the range: ``[socks]>=2``.

    A marker is kept, not evaluated: what Windows installs matters to a reader on Linux too. One that asks
    for an extra puts the edge in the group ``EXTRA``.

    Raises:
        ValueError: the text is no dependency specifier.
    """
    from packaging.requirements import InvalidRequirement, Requirement

    if len(text) > MAX_LENGTH:
        raise ValueError(f"not a dependency specifier: {len(text)} characters")
    try:
        parsed = Requirement(text)
    except (InvalidRequirement, RecursionError) as error:
        raise ValueError(f"not a dependency specifier: {text[:120]!r}: {str(error).splitlines()[0]}") from None
    marker = str(parsed.marker) if parsed.marker is not None else None
    if marker is not None and "extra" in marker and group is DependencyGroup.RUNTIME:
        group = DependencyGroup.EXTRA
    extras = f"[{','.join(sorted(parsed.extras))}]" if parsed.extras else ""
    if parsed.url:
        return Dependency(name(parsed.name), f"{extras}{parsed.url}", group, _source(parsed.url), None, marker)
    ordered = ",".join(sorted(str(specifier) for specifier in parsed.specifier))
    return Dependency(name(parsed.name), f"{extras}{ordered}", group, DependencySource.REGISTRY, None, marker)


def _source(url: str) -> DependencySource:
    scheme = url.partition(":")[0].lower()
    if scheme.startswith(("git+", "hg+", "svn+", "bzr+", "git")):
        return DependencySource.GIT
    return DependencySource.FILE if scheme == "file" else DependencySource.URL
