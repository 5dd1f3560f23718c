"""The ``package.json`` of a tree, read once per content."""

from functools import lru_cache
from typing import Any

from lazaretto.core.facts import Problem
from lazaretto.core.tree import Tree
from lazaretto.ecosystems.npm import jsontext

PATH = "package.json"
MAX_BYTES = 2 * 1024 * 1024
"""Largest manifest that is read."""


@lru_cache(maxsize=32)
def read(data: bytes) -> jsontext.Document:
    """Return the document; a root that is no object, or is too large, is a problem."""
    if len(data) > MAX_BYTES:
        return jsontext.Document(problems=[Problem(0, f"the manifest is larger than {MAX_BYTES} bytes")])
    document = jsontext.read(data)
    if not isinstance(document.value, dict):
        if not document.problems:
            document.problems.append(Problem(1, "the manifest is not an object"))
        document.value = None
    return document


def package(tree: Tree, path: str = PATH) -> dict[str, Any]:
    """Return the object at ``path`` of a tree; empty if it is absent or broken."""
    blob = tree.get(path)
    value = read(blob.data).value if blob is not None else None
    return value if isinstance(value, dict) else {}
