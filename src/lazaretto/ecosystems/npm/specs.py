"""What the right-hand side of a dependency means: a range, a tag, an alias, git, a URL or a path."""

import re
from functools import lru_cache

from lazaretto.core.model import Dependency, DependencyGroup, DependencySource
from lazaretto.core.names import ProjectName
from lazaretto.ecosystems.npm.names import name

MAX_SPEC = 8192
"""Longest right-hand side of a dependency, in characters."""

_FILE_PREFIXES = (".", "/", "~/", "file:", "link:", "portal:", "workspace:", "patch:")
_GIT_PREFIXES = ("git:", "git+", "git@", "ssh:", "github:", "gitlab:", "bitbucket:", "gist:")
_ARCHIVES = (".tgz", ".tar.gz", ".tar")
_FORGES = ("github.com", "gitlab.com", "bitbucket.org", "git.sr.ht", "gist.github.com")


def source(spec: str) -> DependencySource:
    """Return where npm would take a dependency with this specifier from."""
    text = spec.strip().lower()
    if text.startswith("npm:"):
        return DependencySource.ALIAS
    if text.startswith(_FILE_PREFIXES) or (text[1:2] == ":" and text[:1].isalpha()):
        return DependencySource.FILE
    if text.startswith(_GIT_PREFIXES) or _is_scp(text):
        return DependencySource.GIT
    if text.startswith(("http:", "https:")):
        return DependencySource.GIT if _is_forge_repository(text) else DependencySource.URL
    if re.match(r"[a-z][a-z0-9+.-]*:", text):
        return DependencySource.URL
    if "/" in text:
        return DependencySource.GIT if _is_shortcut(text) else DependencySource.FILE
    if text.endswith(_ARCHIVES):
        return DependencySource.FILE
    return DependencySource.REGISTRY


@lru_cache(maxsize=16384)
def dependency(declared: str, spec: str, group: DependencyGroup) -> Dependency:
    """Return one edge of a manifest.

    Raises:
        ValueError: the name, or the name behind an alias, cannot be a package; or the specifier is too long.
    """
    if len(spec) > MAX_SPEC:
        raise ValueError(f"the specifier of {declared[:80]!r} has {len(spec)} characters; the limit is {MAX_SPEC}")
    where = source(spec)
    if where is not DependencySource.ALIAS:
        return Dependency(name(declared), spec.strip() or "*", group, where)
    target, requirement = alias(spec)
    return Dependency(name(declared), requirement, group, where, target)


def is_optional(meta: object, declared: str) -> bool:
    """Whether ``peerDependenciesMeta`` makes a peer optional: a client installs it on request only."""
    entry = meta.get(declared) if isinstance(meta, dict) else None
    return isinstance(entry, dict) and entry.get("optional") is True


def alias(spec: str) -> tuple[ProjectName, str]:
    """Return the package and the range of ``npm:name@range``.

    Raises:
        ValueError: the name cannot be a package.
    """
    text = spec.strip()[len("npm:") :]
    at = text.find("@", 1)
    return (name(text), "*") if at < 0 else (name(text[:at]), text[at + 1 :] or "*")


def _is_scp(text: str) -> bool:
    """Whether the text has git's ``user@host:path`` form."""
    user, at, rest = text.partition("@")
    host, colon, path = rest.partition(":")
    return bool(user and at and colon and path and "." in host and "/" not in host + user)


def _is_forge_repository(text: str) -> bool:
    """Whether a web address is a repository that npm clones rather than an archive that it downloads."""
    rest = text.partition("://")[2].partition("#")[0].partition("?")[0]
    host, _, path = rest.rpartition("@")[2].partition("/")
    host = host.removeprefix("www.")
    return host in _FORGES and len(path.strip("/").split("/")) == (1 if host.startswith("gist.") else 2)


def _is_shortcut(text: str) -> bool:
    """Whether the text is ``owner/repository``, npm's short form for a repository on GitHub."""
    path = text.partition("#")[0]
    return not path.startswith("@") and path.count("/") == 1 and all(path.split("/")) and " " not in path
