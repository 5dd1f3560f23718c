"""Which release an address, a path or a file name is the archive of. Whatever its host: a mirror has its own."""

import re
from urllib.parse import unquote

MAX_ADDRESS = 4000
"""Longest address that is taken apart, in characters."""

_TARBALL = re.compile(
    r"(?:^|/)((?:@|%40)[A-Za-z0-9][\w.~-]*(?:/|%2[fF]))?([A-Za-z0-9_][\w.~-]*)/-/(?:(?:@|%40)?[\w.~-]+(?:/|%2[fF]))?"
    r"([\w.~-]+?)-([0-9]+\.[0-9]+\.[0-9]+[\w.+~-]*)\.tgz(?:[?#].*)?$",
    re.ASCII,
)
_WHEEL = re.compile(
    r"(?:^|/)([A-Za-z0-9][\w.]*)-([0-9][\w.!+]*)(?:-[0-9]\w*)?-[\w.]+-[\w.]+-[\w.]+\.whl(?:[?#].*)?$", re.ASCII
)
_SDIST = re.compile(r"(?:^|/)([A-Za-z0-9][\w.-]*?)-([0-9][\w.!+]*)\.(?:tar\.gz|zip|tar\.bz2)(?:[?#].*)?$", re.ASCII)


def archive(text: str) -> tuple[str, str, str] | None:
    """Return ecosystem, name and version of the archive that an address names; None if it names none.

    An npm tarball is told by the folder ``/-/`` before it, and its name by the package before that: the file's own
    name lacks the scope. Python's files are told by their names alone (PEP 427, 625).
    """
    if len(text) > MAX_ADDRESS:
        return None
    match = _TARBALL.search(text)
    if match is not None:
        scope, name, called, version = match.groups()
        if called == name:
            return "npm", f"{unquote(scope or '')}{name}", version
        return None
    match = _WHEEL.search(text) or _SDIST.search(text)
    if match is None:
        return None
    return "pypi", match.group(1), unquote(match.group(2))
