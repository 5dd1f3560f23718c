"""The ``exports`` and ``imports`` maps of a package (Node's package entry points), every condition taken."""

from collections.abc import Iterator

from lazaretto.core.tree import Tree
from lazaretto.ecosystems.npm import nodefiles

_MAX_TARGETS = 5000
_MAX_DEPTH = 50


def targets(value: object, depth: int = 0) -> Iterator[str]:
    """Yield every target of an entry, whatever condition it stands under; ``types`` is never run."""
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from targets(item, depth + 1)
    elif isinstance(value, dict):
        for condition, item in value.items():
            if condition != "types" and not condition.startswith("types@"):
                yield from targets(item, depth + 1)


def files(value: object, tree: Tree) -> Iterator[str]:
    """Yield every file that an ``exports`` or ``imports`` map opens, patterns followed over the tree."""
    count = 0
    for target in targets(value):
        for path in _expand(target, tree):
            yield path
            count += 1
            if count >= _MAX_TARGETS:
                return


def lookup(table: object, key: str, tree: Tree) -> Iterator[str]:
    """Yield the files that one key (``.``, ``./sub``, ``#name``) leads to."""
    if not isinstance(table, dict) or not any(name.startswith((".", "#")) for name in table):
        if key == ".":
            yield from files(table, tree)
        return
    if key in table:
        yield from files(table[key], tree)
        return
    best: tuple[int, str, str] | None = None
    for pattern in table:
        before, star, after = pattern.partition("*")
        if not star and pattern.endswith("/"):
            star, after = "/", ""  # the old form for a whole folder
        if star and key.startswith(before) and key.endswith(after) and len(key) > len(before) + len(after):
            middle = key[len(before) : len(key) - len(after)]
            if best is None or len(before) > best[0]:
                best = (len(before), pattern, middle)
    if best is None:
        return
    _, pattern, middle = best
    for target in targets(table[pattern]):
        path = target.replace("*", middle) if "*" in target else target + middle
        yield from _expand(path, tree)


def _expand(target: str, tree: Tree) -> Iterator[str]:
    """Yield the files of one target; a ``*`` stands for any text, slashes too."""
    if not target.startswith("."):
        return
    path = nodefiles.normal("", target)
    if path is None:
        return
    if "*" in path:
        before, _, after = path.partition("*")
        after = after.rpartition("*")[2]
        size = len(before) + len(after)
        for name in tree:
            if len(name) > size and name.startswith(before) and name.endswith(after):
                yield name
    elif target.endswith("/"):
        for name in tree:
            if name.startswith(f"{path}/"):
                yield name
    else:
        found = nodefiles.find(tree, path)
        if found is not None:
            yield found
