"""Which files an import loads, and which top-level module a specifier names."""

from collections.abc import Iterable

from lazaretto.core.manifest import Manifest
from lazaretto.core.tree import Tree
from lazaretto.ecosystems.pypi.modules import module_file
from lazaretto.ecosystems.pypi.once import Once

_SOURCE_ROOTS = ("", "src/", "lib/", "python/")


def resolve_import(path: str, specifier: str, tree: Tree, manifest: Manifest) -> tuple[str, ...]:
    """Return the files that ``import specifier``, written in ``path``, loads from this tree, in order.

    Every package on the way is loaded; of ``pkg.sub.name`` the longest prefix that is a module counts, for
    ``name`` may be an attribute. Empty if the module is another distribution's.
    """
    if specifier.startswith(("./", "../")) or "/" in specifier:
        return _as_file(path, specifier, tree)
    if specifier.startswith("."):
        return _relative(path, specifier, tree)
    known = _walks(tree)
    for root in _roots(path, manifest):
        found = known.get((root, specifier))
        if found is None:
            found = known[root, specifier] = _absolute(root, specifier, tree)
        if found:
            return found
    return ()


def _absolute(root: str, specifier: str, tree: Tree) -> tuple[str, ...]:
    parts = specifier.split(".")
    return _walk(root, parts, tree) if all(parts) and len(parts) <= 50 else ()


def _no_walk(_: Tree) -> dict[tuple[str, str], tuple[str, ...]]:
    return {}


_walks = Once(_no_walk)
"""What was found of a tree before: thousands of files import the same few modules. (root, specifier) -> files."""


def imported_name(specifier: str) -> str | None:
    """Return the top-level module that a specifier names; None if it is relative or of the standard library."""
    import sys

    top = specifier.partition(".")[0]
    if not top or not top.isidentifier() or top in sys.stdlib_module_names:
        return None
    return top


def _as_file(path: str, specifier: str, tree: Tree) -> tuple[str, ...]:
    """Return the file that a command such as ``python tools/build.py`` names, seen from the root or its own folder."""
    text = specifier.removeprefix("./")
    folder = path.rpartition("/")[0]
    for candidate in (text, f"{folder}/{text}"):
        if candidate in tree.files:
            return (candidate,)
    return ()


def _relative(path: str, specifier: str, tree: Tree) -> tuple[str, ...]:
    name = specifier.lstrip(".")
    folder = path.rpartition("/")[0]
    for _ in range(len(specifier) - len(name) - 1):
        if not folder:
            return ()
        folder = folder.rpartition("/")[0]
    own = module_file(tree, folder) if folder else None
    first = (own,) if own is not None else ()
    if not name:
        return first
    return first + _walk(f"{folder}/" if folder else "", name.split("."), tree)


def _walk(root: str, parts: list[str], tree: Tree) -> tuple[str, ...]:
    """Return the file of each part that is a module, from the outside in; a namespace has none."""
    found: list[str] = []
    stem = root
    for part in parts:
        stem = f"{stem}{part}"
        file = module_file(tree, stem)
        if file is not None:
            found.append(file)
            if not file.rpartition("/")[2].startswith("__init__."):
                break
        elif found and found[-1] != f"{stem.rpartition('/')[0]}/__init__.py":
            break  # neither below a package nor below a namespace: an attribute
        stem += "/"
    return tuple(found)


def _module_path(manifest: Manifest) -> tuple[dict[str, int], dict[str, int]]:
    """Return the folders on everybody's module path, and the entries, each with the number of the entry it is from."""
    roots = dict.fromkeys(_SOURCE_ROOTS, -1)
    entries: dict[str, int] = {}
    for number, entry in enumerate(manifest.entries):
        folder, data, rest = entry.path.partition(".data/")
        if data and rest.startswith(("purelib/", "platlib/")):
            roots.setdefault(f"{folder}.data/{rest[:8]}", number)
        entries.setdefault(entry.path, number)
    return roots, entries


_module_path_of = Once(_module_path)


def _roots(path: str, manifest: Manifest) -> Iterable[str]:
    """Return the folders that stand on the module path: the usual ones, a wheel's ``.data``, a script's own."""
    roots, entries = _module_path_of(manifest)
    number = entries.get(path)
    if number is None or "/" not in path:
        return roots
    own = f"{path.rpartition('/')[0]}/"  # what runs a script puts its folder first
    return dict.fromkeys((*(root for root, at in roots.items() if at <= number), own, *roots))
