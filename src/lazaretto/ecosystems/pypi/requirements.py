"""Dependency specifiers (PEP 508): one line of metadata to one edge.

Nine lines in ten are plain; those are read here, and the rest by ``packaging``, whose import takes
longer than all else that a small wheel needs. Both give the same edge (property-tested).
"""

import re
from functools import lru_cache

from lazaretto.core.model import Dependency, DependencyGroup, DependencySource
from lazaretto.ecosystems.pypi.names import name

MAX_LENGTH = 8192
"""Longest requirement text, in characters."""


_PLAIN = (
    r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)"  # name
    r"(?:\[([A-Za-z0-9_]+)\])?"  # one extra
    # plain releases only
    r" ?\(?((?:(?:(?:==|!=|<=|>=|<|>)[0-9]+(?:\.[0-9]+)*|~=[0-9]+(?:\.[0-9]+)+)(?:,|(?=\)?$)|(?=\)?;)))*)\)?"
    r'(?: ?; ?(extra|python_version|sys_platform|platform_system) (==|!=|<|>|<=|>=) ["\']([A-Za-z0-9._-]+)["\'])?'
)


@lru_cache(maxsize=8192)
def dependency(text: str, group: DependencyGroup = DependencyGroup.RUNTIME) -> Dependency:
    """Return one edge. Requested extras stand in front of the range: ``[socks]>=2``.

    A marker is kept, not evaluated: what Windows installs matters to a reader on Linux too. One that asks
    for an extra puts the edge in the group ``EXTRA``.

    Raises:
        ValueError: the text is no dependency specifier.
    """
    if len(text) > MAX_LENGTH:
        raise ValueError(f"not a dependency specifier: {len(text)} characters")
    plain = _plain(text, group)
    if plain is not None:
        return plain
    from packaging.requirements import InvalidRequirement, Requirement

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


def _plain(text: str, group: DependencyGroup) -> Dependency | None:
    """Return the edge of a plain line, or None if it takes a real parser."""
    match = re.fullmatch(_PLAIN, text)
    if match is None or text.count("(") != text.count(")"):
        return None
    project, extra, specifiers, variable, operator, value = match.groups()
    parts = specifiers.split(",")
    if len(set(parts)) < len(parts) or (specifiers and not parts[-1]):
        return None
    marker = f'{variable} {operator} "{value}"' if variable else None
    if variable == "extra":
        if operator != "==" or value != name(value):
            return None
        group = DependencyGroup.EXTRA if group is DependencyGroup.RUNTIME else group
    ordered = ",".join(sorted(parts))
    extras = f"[{extra}]" if extra else ""
    return Dependency(name(project), f"{extras}{ordered}", group, DependencySource.REGISTRY, None, marker)


def _source(url: str) -> DependencySource:
    scheme = url.partition(":")[0].lower()
    if scheme.startswith(("git+", "hg+", "svn+", "bzr+", "git")):
        return DependencySource.GIT
    return DependencySource.FILE if scheme == "file" else DependencySource.URL
