"""The files of a package that a client or a consumer loads first."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from lazaretto.core.manifest import Entry, EntryRole, Hook
from lazaretto.core.tree import Tree
from lazaretto.ecosystems.npm import commands, document, exports, nodefiles

_MAIN_FIELDS = ("module", "jsnext:main", "es2015", "esnext", "react-native", "browser", "unpkg", "jsdelivr", "umd:main")
_CODE = (".js", ".cjs", ".mjs")
_NOT_LOADED = (".d.ts", ".d.mts", ".d.cts", ".map", ".md", ".css", ".scss", ".less")
_TOOL_FILES = ("gulpfile", "gruntfile", "jakefile", "karma", "webpack", "rollup", "babel", "jest", "test", "bench")


def entries(package: Mapping[str, Any], hooks: tuple[Hook, ...], tree: Tree) -> tuple[Entry, ...]:
    """Return the entry files with their roles, install first, each (path, role) once."""
    found: dict[tuple[EntryRole, str], None] = {}
    for role, paths in (
        (EntryRole.INSTALL, _installed(hooks, tree)),
        (EntryRole.IMPORT, _imported(package, tree)),
        (EntryRole.COMMAND, _commands(package, tree)),
    ):
        for path in paths:
            if not path.endswith(_NOT_LOADED) and not path.endswith(document.PATH):
                found[role, path] = None
    return tuple(Entry(path, role) for role, path in found)


def _installed(hooks: tuple[Hook, ...], tree: Tree) -> Iterator[str]:
    for hook in hooks:
        folder, _, base = hook.path.rpartition("/")
        if base != document.PATH:
            yield hook.path
        for path in commands.paths_in(hook.command):
            inside = nodefiles.normal(folder, path)
            found = nodefiles.find(tree, inside) if inside is not None else None
            if found is not None:
                yield found


def _imported(package: Mapping[str, Any], tree: Tree) -> Iterator[str]:
    """Yield what ``import`` of the package, or of a path in it, can load."""
    yield from _main(package.get("main"), tree)
    for field in _MAIN_FIELDS:
        value = package.get(field)
        for target in value.values() if isinstance(value, dict) else (value,):
            yield from _target(target, tree)
    if package.get("exports") is not None:
        yield from exports.files(package["exports"], tree)
    else:
        typed = {path for path in _commands(package, tree) if _is_program(tree.files[path].data)}
        yield from (path for path in _subpaths(tree) if path not in typed)


def _is_program(data: bytes) -> bool:
    """Whether a file is there to be typed alone: a system can start it, and who loads it would get nothing of it.

    Any other file at the root stays a public path, whatever command is said to start it.
    """
    return data.startswith(b"#!") and re.search(rb"\b(?:exports?|module)\b", data) is None


def _main(value: object, tree: Tree) -> Iterator[str]:
    """Yield the file of ``main``; Node falls back to ``index.js`` if that leads nowhere."""
    found = list(_target(value, tree))
    if found:
        yield from found
    else:
        yield from _target("index", tree)


def _target(value: object, tree: Tree) -> Iterator[str]:
    if isinstance(value, str):
        path = nodefiles.normal("", value)
        found = nodefiles.find(tree, path) if path is not None else None
        if found is not None:
            yield found


def _subpaths(tree: Tree) -> Iterator[str]:
    """Yield what ``require("name/sub")`` opens where there is no ``exports``: root files, root folders' mains.

    Every file can be asked for then. Files at the root are the convention for a public path; the
    configuration of the author's tools is left out.
    """
    for path in tree:
        folder, _, base = path.rpartition("/")
        if not folder:
            if base.endswith(_CODE) and not base.startswith((".", "_")) and not _is_tool_file(base):
                yield path
        elif base == document.PATH and "/" not in folder and folder != "node_modules":
            found = nodefiles.find(tree, folder)
            if found is not None:
                yield found


def _is_tool_file(base: str) -> bool:
    stem = base.lower().rpartition(".")[0]
    return stem.startswith(_TOOL_FILES) or stem.endswith((".config", ".conf", ".test", ".spec"))


def _commands(package: Mapping[str, Any], tree: Tree) -> Iterator[str]:
    """Yield the files that become commands: ``bin`` and ``directories.bin``."""
    value = package.get("bin")
    for target in value.values() if isinstance(value, dict) else (value,):
        yield from _target(target, tree)
    folders = package.get("directories")
    folder = folders.get("bin") if isinstance(folders, dict) else None
    prefix = nodefiles.normal("", folder) if isinstance(folder, str) else None
    if prefix and not value:
        for path in tree:
            if path.startswith(f"{prefix}/"):
                yield path
