"""What npm runs by itself when a consumer installs a package.

See npm's documentation of lifecycle scripts. A registry tarball runs ``preinstall``, ``install`` and
``postinstall``; ``prepare`` and ``prepublish`` run for git dependencies and for the author alone. A
``binding.gyp`` without an install script makes npm run ``node-gyp rebuild``.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from lazaretto.core.facts import Problem, Span
from lazaretto.core.manifest import Hook, HookKind
from lazaretto.core.tree import Tree
from lazaretto.ecosystems.npm import commands, document, nodefiles

STAGES = ("preinstall", "install", "postinstall")
"""The scripts of a consumer's install, in the order in which npm runs them."""

GYP = "binding.gyp"
_MAX_HOOKS = 200


def hooks(
    package: Mapping[str, Any], spans: Mapping[tuple[str, ...], Span], tree: Tree, problems: list[Problem]
) -> tuple[Hook, ...]:
    """Return the hooks in the order in which npm runs them, and the scripts that they run in turn."""
    scripts = package.get("scripts")
    if scripts is not None and not isinstance(scripts, dict):
        problems.append(Problem(spans[("scripts",)].line, "scripts is not an object"))
    scripts = scripts if isinstance(scripts, dict) else {}
    found: list[Hook] = []
    for stage in STAGES:
        command = scripts.get(stage)
        if command is None or command == "":
            continue
        if not isinstance(command, str):
            problems.append(Problem(spans["scripts", stage].line, f"scripts.{stage} is not a text"))
            continue
        _follow(stage, stage, scripts, spans, found)
    carried = dict.fromkeys(_local(package, tree))
    for path in tree:
        if path in carried or (path.startswith("node_modules/") and path.endswith(f"/{document.PATH}")):
            found.extend(_bundled(path, tree, problems))
    if GYP in tree:
        found.extend(_gyp(package, tree, explicit=any(hook.name in ("preinstall", "install") for hook in found)))
    return tuple(found[:_MAX_HOOKS])


def _follow(
    label: str, script: str, scripts: Mapping[str, Any], spans: Mapping[tuple[str, ...], Span], found: list[Hook]
) -> None:
    """Add a script and, as hooks of their own, those it starts with ``npm run``; each once per stage."""
    command = scripts.get(script)
    if not isinstance(command, str) or len(found) >= _MAX_HOOKS or any(hook.name == label for hook in found):
        return
    found.append(Hook(HookKind.SCRIPT, label, command, document.PATH, spans["scripts", script]))
    stage = label.partition(" > ")[0]
    for called in commands.scripts_run_by(command):
        for part in (f"pre{called}", called, f"post{called}"):
            if part != stage:
                _follow(f"{stage} > {part}", part, scripts, spans, found)


def _local(package: Mapping[str, Any], tree: Tree) -> Iterator[str]:
    """Yield the manifests of dependencies that are folders of the package itself (``file:./helper``)."""
    for field in ("dependencies", "optionalDependencies"):
        declared = package.get(field)
        for spec in declared.values() if isinstance(declared, dict) else ():
            if isinstance(spec, str) and spec.startswith(("file:", "link:")):
                path = nodefiles.normal("", f"{spec.partition(':')[2]}/{document.PATH}")
                if path is not None and path in tree and path != document.PATH:
                    yield path


def _bundled(path: str, tree: Tree, problems: list[Problem]) -> list[Hook]:
    """Return the hooks of a package that the package carries: npm runs them like those of any other."""
    read = document.read(tree.files[path].data)
    spans = {key.path: key.span for key in read.keys}
    scripts = read.value.get("scripts") if isinstance(read.value, dict) else None
    if read.value is None:
        problems.append(Problem(0, f"{path} cannot be read"))
    folder = path.rpartition("/")[0]
    return [
        Hook(HookKind.SCRIPT, f"{folder} {stage}", scripts[stage], path, spans["scripts", stage])
        for stage in STAGES
        if isinstance(scripts, dict) and isinstance(scripts.get(stage), str) and scripts[stage]
    ]


def _gyp(package: Mapping[str, Any], tree: Tree, *, explicit: bool) -> list[Hook]:
    """Return npm's implicit ``node-gyp rebuild`` and every command that a ``binding.gyp`` expands."""
    if package.get("gypfile") is False and not explicit:
        return []
    blob = tree.files[GYP]
    found = []
    if not explicit:
        first = Span(1, 0, 0, blob.data.find(b"\n") if b"\n" in blob.data else blob.size)
        found.append(Hook(HookKind.IMPLICIT, GYP, "node-gyp rebuild", GYP, first))
    expansions = dict(commands.gyp_expansions(blob.data))
    found += [
        Hook(HookKind.IMPLICIT, f"{GYP} {command[:200]}", command, GYP, span) for command, span in expansions.items()
    ]
    return found
