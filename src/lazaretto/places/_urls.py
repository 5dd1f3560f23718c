"""Which release an address, a path or a file name is the archive of. Whatever its host: a mirror has its own."""

import re
from urllib.parse import unquote

MAX_ADDRESS = 4000
"""Longest address that is taken apart, in characters."""

MAX_FILENAME = 300
"""Longest name of an archive, in characters."""

_NAME = re.compile(r"(?:@[A-Za-z0-9_~][\w.~-]*/)?[A-Za-z0-9_~][\w.~-]*", re.ASCII)
_VERSION = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+(?:[-+][\w.+~-]*)?", re.ASCII)
_WHEEL = re.compile(r"([A-Za-z0-9][\w.]*)-([0-9][\w.!+]*)(?:-[0-9]\w*)?-[\w.]+-[\w.]+-[\w.]+\.whl", re.ASCII)
_SDIST = re.compile(r"([A-Za-z0-9][\w.-]*?)-([0-9][\w.!+]*)\.(?:tar\.gz|zip|tar\.bz2)", re.ASCII)


def archive(text: str) -> tuple[str, str, str] | None:
    """Return ecosystem, name and version of the archive that an address names; None if it names none.

    An npm tarball is told by the folder ``/-/`` before it, and its name by the package before that: the file's own
    name lacks the scope. Python's files are told by their names alone (PEP 427, 625).
    """
    if len(text) > MAX_ADDRESS:
        return None
    address = text.partition("?")[0].partition("#")[0]
    if address.endswith(".tgz"):
        return _tarball(address)
    filename = unquote(address.rpartition("/")[2])
    if len(filename) > MAX_FILENAME:
        return None
    match = _WHEEL.fullmatch(filename) or _SDIST.fullmatch(filename)
    return None if match is None else ("pypi", match.group(1), match.group(2))


def _tarball(address: str) -> tuple[str, str, str] | None:
    before, folder, file = unquote(address).rpartition("/-/")
    if not folder:
        return None
    *above, last = before.split("/")
    scope = f"{above[-1]}/" if above and above[-1].startswith("@") else ""
    called = file.rpartition("/")[2].removesuffix(".tgz")
    version = called.removeprefix(f"{last}-")
    name = scope + last
    if len(called) > MAX_FILENAME or version == called or not _VERSION.fullmatch(version) or not _NAME.fullmatch(name):
        return None
    return "npm", name, version
