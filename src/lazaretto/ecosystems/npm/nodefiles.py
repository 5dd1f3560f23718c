"""How Node (and the tools around it) find the file that a path means."""

from typing import Any

from lazaretto.core.tree import Tree
from lazaretto.ecosystems.npm import document

_EXTENSIONS = (".js", ".json", ".node", ".cjs", ".mjs", ".ts", ".tsx", ".jsx", ".cts", ".mts")
_SOURCES = {".js": (".ts", ".tsx", ".jsx"), ".mjs": (".mts",), ".cjs": (".cts",), ".jsx": (".tsx",)}


def normal(folder: str, path: str) -> str | None:
    """Return ``path`` as seen from ``folder``, normal inside the package; None if it leads out of it."""
    parts = folder.split("/") if folder else []
    for part in path.split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def find(tree: Tree, path: str) -> str | None:
    """Return the file that ``require`` of a path in the tree loads, or None if there is none."""
    return _file(tree, path) or _folder(tree, path, depth=0)


def _file(tree: Tree, path: str) -> str | None:
    files = tree.files
    if path in files:
        return path
    for extension in _EXTENSIONS:
        if path + extension in files:
            return path + extension
    dot = path.rfind(".")
    for source in _SOURCES.get(path[dot:], ()) if dot > path.rfind("/") else ():
        if path[:dot] + source in files:
            return path[:dot] + source
    return None


def _folder(tree: Tree, path: str, depth: int) -> str | None:
    prefix = f"{path}/" if path else ""
    if prefix:  # the root's own main is known from the manifest
        package: dict[str, Any] = document.package(tree, f"{prefix}{document.PATH}")
        main = package.get("main")
        if isinstance(main, str) and depth == 0:
            target = normal(path, main)
            if target is not None:
                found = _file(tree, target) or _folder(tree, target, depth=1)
                if found is not None:
                    return found
    return _file(tree, f"{prefix}index")
