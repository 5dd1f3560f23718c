"""What a package's own ``package.json`` (and ``binding.gyp``) declares."""

from collections.abc import Mapping
from typing import Any

from lazaretto.core.facts import Problem, Span
from lazaretto.core.manifest import Manifest
from lazaretto.core.model import Dependency, DependencyGroup
from lazaretto.core.tree import Tree
from lazaretto.ecosystems.npm import document, entries, hooks, specs
from lazaretto.ecosystems.npm.jsontext import Document

_GROUPS = (
    ("dependencies", DependencyGroup.RUNTIME),
    ("optionalDependencies", DependencyGroup.OPTIONAL),
    ("peerDependencies", DependencyGroup.PEER),
)


def manifest(tree: Tree) -> Manifest:
    """Return the manifest of a package. ``devDependencies`` are no edges: no consumer installs them."""
    blob = tree.get(document.PATH)
    if blob is None:
        return Manifest(path=document.PATH, problems=(Problem(0, "the package has no package.json"),))
    read = document.read(blob.data)
    problems = list(read.problems)
    if not isinstance(read.value, dict):
        return Manifest(path=document.PATH, problems=tuple(problems))
    spans = {key.path: key.span for key in read.keys}
    found_hooks = hooks.hooks(read.value, spans, tree, problems)
    return Manifest(
        path=document.PATH,
        name=_text(read.value, "name"),
        version=_text(read.value, "version"),
        dependencies=_dependencies(read.value, spans, problems),
        hooks=found_hooks,
        entries=entries.entries(read.value, found_hooks, tree),
        fields=_fields(read),
        problems=tuple(problems),
    )


def _text(package: Mapping[str, Any], key: str) -> str | None:
    value = package.get(key)
    return value if isinstance(value, str) else None


def _dependencies(
    package: Mapping[str, Any], spans: Mapping[tuple[str, ...], Span], problems: list[Problem]
) -> tuple[Dependency, ...]:
    """Return the edges; a name in ``optionalDependencies`` overrides the same in ``dependencies``."""
    edges: dict[tuple[str, bool], Dependency] = {}
    for field, group in _GROUPS:
        declared = package.get(field)
        if declared is None:
            continue
        if not isinstance(declared, dict):
            if declared not in ([], "", False):  # what old tools wrote for "none"
                problems.append(Problem(spans[(field,)].line, f"{field} is not an object"))
            continue
        for name, spec in declared.items():
            line = spans[(field, name)].line
            if not isinstance(spec, str):
                problems.append(Problem(line, f"{field}.{name[:80]} is not a text"))
                continue
            optional = group is DependencyGroup.PEER and specs.is_optional(package.get("peerDependenciesMeta"), name)
            try:
                edge = specs.dependency(name, spec, DependencyGroup.EXTRA if optional else group)
            except ValueError as error:
                problems.append(Problem(line, f"{field}: {error}"))
                continue
            edges[name, group is DependencyGroup.PEER] = edge
    return tuple(edges.values())


def _fields(read: Document) -> dict[str, tuple[str, Span]]:
    """Return every leaf of the document by its dotted path, as canonical JSON text, with its key's place."""
    import msgspec

    found: dict[str, tuple[str, Span]] = {}
    for key in read.keys:
        if isinstance(key.value, dict) and key.value:
            continue
        name = ".".join(key.path)
        while name in found:  # two keys that read alike must not hide one another
            name += "#"
        found[name] = (msgspec.json.encode(key.value, order="deterministic").decode(), key.span)
    return found
