"""Versions that setuptools takes from the package itself: which modules a build imports for that.

``attr:`` looks for a constant in the source first and imports the module only if there is none
(``setuptools.config.expand.read_attr``).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from lazaretto.core.facts import Span
from lazaretto.core.manifest import Hook, HookKind
from lazaretto.core.tree import Tree
from lazaretto.ecosystems.pypi import modules

_ROOTS = ("", "src/", "lib/")
_IN_SETUP_CFG = rb"(?m)^[ \t]*[\w-]+[ \t]*[=:][ \t]*attr[ \t]*:[ \t]*([\w.]+)"
_LITERAL = (
    r"(?:[ru]?'[^'\n\\]*'|[ru]?\"[^\"\n\\]*\"|[\d.]+|[(\[](?:\s*(?:[\d.]+|'[^'\n\\]*'|\"[^\"\n\\]*\")\s*,?)*\s*[)\]])"
)


def hooks(tree: Tree, project: Mapping[str, Any]) -> Iterator[Hook]:
    """Yield a hook for each module that is imported because its attribute is no constant."""
    for reference, path in _references(tree, project):
        module, _, attribute = reference.rpartition(".")
        stem = module.replace(".", "/")
        files = (modules.module_file(tree, f"{root}{stem}") for root in _ROOTS)
        file = next((one for one in files if one is not None), None)
        if module and file is not None and not _is_constant(tree.files[file].data, attribute):
            first = tree.files[file].data.partition(b"\n")[0]
            yield Hook(HookKind.BUILD, f"{path} attr", f"import {module}", file, Span(1, 0, 0, len(first)))


def _references(tree: Tree, project: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    blob = tree.get("setup.cfg")
    for match in re.finditer(_IN_SETUP_CFG, blob.data) if blob is not None else ():
        yield match[1].decode(), "setup.cfg"
    tool = project.get("tool")
    setuptools = tool.get("setuptools") if isinstance(tool, dict) else None
    dynamic = setuptools.get("dynamic") if isinstance(setuptools, dict) else None
    for value in dynamic.values() if isinstance(dynamic, dict) else ():
        if isinstance(value, dict) and isinstance(value.get("attr"), str):
            yield value["attr"], "pyproject.toml"


def _is_constant(source: bytes, attribute: str) -> bool:
    """Whether the first assignment of a name at the top of a module is a literal."""
    text = source.decode("utf-8", "replace")
    first = re.search(rf"(?m)^{re.escape(attribute)}[ \t]*(?::[^=\n]+)?=[ \t]*", text)
    return (
        first is not None
        and re.compile(_LITERAL + r"[ \t]*(?:#.*|;.*)?\r?$", re.MULTILINE).match(text, first.end()) is not None
    )
