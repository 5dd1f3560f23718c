"""Which modules of a tree can be imported, and the file of each."""

from collections.abc import Iterable, Iterator

from lazaretto.core.tree import Tree
from lazaretto.ecosystems.pypi.once import Once

_NATIVE = (".so", ".pyd")
_NOT_PACKAGES = frozenset(
    ("tests", "test", "testing", "docs", "doc", "examples", "example", "benchmarks", "scripts", "tools", "ci")
)


def _native(tree: Tree) -> dict[str, str]:
    table: dict[str, str] = {}
    for path in tree:
        if path.endswith(_NATIVE):
            folder, slash, base = path.rpartition("/")
            table.setdefault(f"{folder}{slash}{base.partition('.')[0]}", path)
    return table


native = Once(_native)
"""Native modules of a tree by their path without ending: ``a/_b`` -> ``a/_b.cpython-311-x86_64-linux-gnu.so``."""


def module_file(tree: Tree, stem: str) -> str | None:
    """Return the file of a module given its path without ending, in Python's order: package, native, source.

    Cython's source comes last: where it was not compiled yet, building a source distribution does that.
    """
    package = f"{stem}/__init__.py"
    if package in tree.files:
        return package
    compiled = native(tree)
    found = compiled.get(stem) if compiled else None
    if found is not None:
        return found
    for ending in (".py", ".pyc", ".pyw", ".pyx"):
        if stem + ending in tree.files:
            return stem + ending
    return compiled.get(f"{stem}/__init__") if compiled else None


def top_level(tree: Tree, roots: Iterable[str], own: str, *, source: bool) -> Iterator[str]:
    """Yield the files that the first imports of a consumer load: modules at a root, ``__init__`` of packages.

    A folder without ``__init__.py`` is a namespace (PEP 420): its own modules and packages count. In a
    source distribution the folders of tests, documentation and tools are left out.
    """
    for root in roots:
        namespaces: dict[str, None] = {}
        packages: set[str] = set()
        for path in tree:
            if path.startswith(root) and path.endswith("/__init__.py"):
                packages.add(path.removesuffix("/__init__.py"))
        for path in tree:
            if not path.startswith(root) or not path.endswith((".py", *_NATIVE)):
                continue
            inside = path[len(root) :].split("/")
            if source and len(inside) > 1 and inside[0].lower() in _NOT_PACKAGES and inside[0] != own:
                continue
            if not all(part.isidentifier() for part in inside[:-1]):
                continue  # no module can have this name: .dist-info, .data, folders of other things
            if not _has_package_above(path, root, packages):
                namespaces[path] = None
        yield from namespaces


def _has_package_above(path: str, root: str, packages: set[str]) -> bool:
    """Whether a package encloses the file; an ``__init__.py`` is not enclosed by its own folder."""
    folder = path.rpartition("/")[0]
    if path.endswith("/__init__.py"):
        folder = folder.rpartition("/")[0]
    while len(folder) >= len(root) and folder:
        if folder in packages:
            return True
        folder = folder.rpartition("/")[0]
    return False
