"""npm package names: what can be one, and how it is written in a package URL and an index path."""

from functools import lru_cache

from lazaretto.core.names import ProjectName, Purl, Version

MAX_NAME = 512
"""Longest name accepted, in characters. New names end at 214; a few old ones are longer."""

_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.!~*'()")
_RESERVED = frozenset(("node_modules", "favicon.ico"))


def name(text: str) -> ProjectName:
    """Return the package name. npm compares names exactly, so the normal form is the text itself.

    The rules are those under which npm still *fetches* a package: capitals and ``!~*'()`` are refused
    for new names only.

    Raises:
        ValueError: no registry can hold a package of this name.
    """
    if not text or len(text) > MAX_NAME:
        raise ValueError(f"not an npm package name: {len(text)} characters")
    scope, slash, bare = text.partition("/") if text.startswith("@") else ("", "", text)
    if scope and (not slash or len(scope) == 1):
        raise ValueError(f"not an npm package name: {text!r}: a scope needs the form @scope/name")
    for part in (scope[1:], bare) if scope else (bare,):
        if not part or not _UNRESERVED.issuperset(part):
            raise ValueError(f"not an npm package name: {text!r}: only URL-safe characters are possible")
    if bare[0] in "._-" and not (scope and bare[0] in "_-"):
        raise ValueError(f"not an npm package name: {text!r}: it starts with {bare[0]!r}")
    if bare.lower() in _RESERVED:
        raise ValueError(f"not an npm package name: {text!r} is reserved")
    return ProjectName(text)


def escaped(project: ProjectName) -> str:
    """Return the name as one segment of an index path: ``@scope/name`` becomes ``@scope%2fname``."""
    return project.replace("/", "%2f")


@lru_cache(maxsize=4096)  # it is written down with every artifact that is handed out
def purl(project: ProjectName, version: Version | None) -> Purl:
    """Return ``pkg:npm/%40scope/name@version``."""
    from urllib.parse import quote

    path = quote(project, safe="/")
    return Purl(f"pkg:npm/{path}" if version is None else f"pkg:npm/{path}@{quote(version, safe=':')}")
