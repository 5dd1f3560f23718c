"""What every Python process runs because something is installed (Python's ``site`` module)."""

from collections.abc import Iterable, Iterator

from lazaretto.core.facts import Problem, Span
from lazaretto.core.manifest import Hook, HookKind
from lazaretto.core.tree import Tree

_CUSTOMIZE = ("sitecustomize", "usercustomize")
_CUSTOMIZING = frozenset(f"{name}{end}" for name in _CUSTOMIZE for end in (".py", "/__init__.py", ".pyc"))
_MAX_HOOKS = 500


def hooks(tree: Tree, roots: Iterable[str], problems: list[Problem]) -> tuple[Hook, ...]:
    """Return the hooks of the folders that are installed into ``site-packages`` (``""`` or ``"…/"``)."""
    found: list[Hook] = []
    for root in roots:
        for path in tree:
            base = path[len(root) :]
            if not path.startswith(root):
                continue
            if "/" not in base and base.endswith(".pth"):
                found.extend(_executed(path, tree.files[path].data, problems))
            elif base in _CUSTOMIZING or (base.startswith(_CUSTOMIZE) and _is_native(base)):
                name = base.partition("/")[0].partition(".")[0]
                found.append(Hook(HookKind.STARTUP, name, f"import {name}", path, Span(1, 0, 0, 0)))
    if len(found) > _MAX_HOOKS:
        problems.append(Problem(0, f"more than {_MAX_HOOKS} start-up lines"))
    return tuple(found[:_MAX_HOOKS])


def _is_native(base: str) -> bool:
    """Whether a file is the compiled module of its name: ``sitecustomize.cpython-311-x86_64-linux-gnu.so``."""
    return base.partition(".")[0] in _CUSTOMIZE and base.endswith((".so", ".pyd")) and "/" not in base


def _executed(path: str, data: bytes, problems: list[Problem]) -> Iterator[Hook]:
    """Yield the lines that ``site`` hands to ``exec``: those that start with ``import`` and a blank."""
    text = data.removeprefix(b"\xef\xbb\xbf")
    start = len(data) - len(text)
    if b"\x00" in data:
        problems.append(Problem(0, f"{path} holds NUL bytes"))
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        if line.startswith((b"import ", b"import\t")):
            command = line.decode("utf-8", "replace").rstrip()
            yield Hook(
                HookKind.STARTUP, f"{path} {command[:120]}", command, path, Span(number, 0, start, start + len(line))
            )
        start += len(line)
