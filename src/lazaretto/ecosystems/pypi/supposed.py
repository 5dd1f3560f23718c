"""Modules of a source distribution that are installed only if its build looks for whatever there is.

A folder at the root without ``__init__.py`` is a namespace, and what stands in it can be imported once it is installed.
Most such folders are none: they hold what maintainers keep beside a package. A wheel shows which they are, if the build
runs no code of the distribution and nothing that it reads names the folder: then it is not put elsewhere either.
"""

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from lazaretto.core.manifest import Entry, EntryRole
from lazaretto.core.tree import Tree

_DESCRIPTIONS = ("setup.cfg", "meson.build", "meson.options", "meson_options.txt", "CMakeLists.txt", "Makefile")
_DESCRIBING = (".toml", ".cmake", ".bzl", ".gyp", ".build")
_PYPROJECT = "pyproject.toml"

_OF_MAINTAINERS = frozenset(
    "ruff black isort mypy pyright pytest coverage pylint flake8 codespell pydocstyle numpydoc towncrier".split()
)
"""Tools whose tables no build reads."""


def entries(tree: Tree, found: Iterable[Entry], project: Mapping[str, Any]) -> frozenset[str]:
    """Return the importable files below folders that are no packages and that nothing of a build names.

    ``found`` are the entries of a distribution whose build runs none of its own code.
    """
    roles: dict[str, set[EntryRole]] = {}
    for entry in found:
        roles.setdefault(entry.path, set()).add(entry.role)
    below: dict[str, list[str]] = {}
    for path, has in roles.items():
        folder, inside, _ = path.partition("/")
        if inside and has == {EntryRole.IMPORT} and folder != "src" and f"{folder}/__init__.py" not in tree:
            below.setdefault(folder, []).append(path)
    if not below:
        return frozenset()
    told = [text.lower() for text in (*_described(tree), *_texts(_of_builds(project)))]
    return frozenset(path for folder, paths in below.items() if not _named(folder.lower(), told) for path in paths)


def _named(folder: str, told: Iterable[str]) -> bool:
    """Whether any text has the name of a folder in it, or is a pattern that it fits."""
    return any(
        folder in text or ("*" in text and fnmatchcase(folder, text.removeprefix("./").partition("/")[0]))
        for text in told
    )


def _described(tree: Tree) -> Iterator[str]:
    """Yield what describes a build beside ``pyproject.toml``."""
    for path, blob in tree.files.items():
        name = path.rpartition("/")[2]
        if path != _PYPROJECT and (name in _DESCRIPTIONS or name.endswith(_DESCRIBING)):
            yield blob.data.decode("utf-8", "replace")


def _of_builds(project: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``pyproject.toml`` without the tables of other tools."""
    tool = project.get("tool")
    kept = (
        {name: table for name, table in tool.items() if name not in _OF_MAINTAINERS} if isinstance(tool, dict) else tool
    )
    return {**project, "tool": kept}


def _texts(value: object) -> Iterator[str]:
    """Yield every key and every text of a document."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, list):
            waiting += one
        elif isinstance(one, str):
            yield one
