"""What a source distribution declares, and what building it runs (PEP 517, PEP 518, PEP 621, PEP 643)."""

from collections.abc import Iterator, Mapping
from typing import Any

from lazaretto.core.facts import Problem, Span
from lazaretto.core.manifest import Entry, EntryRole, Hook, HookKind, Manifest
from lazaretto.core.model import Dependency, DependencyGroup
from lazaretto.core.tree import Blob, Tree
from lazaretto.ecosystems.pypi import dynamic, entrypoints, metadata, modules, names, requirements, startup, supposed

_SETUP, _SETUP_CFG, _PYPROJECT, _PKG_INFO = "setup.py", "setup.cfg", "pyproject.toml", "PKG-INFO"


def manifest(tree: Tree) -> Manifest:
    """Return the manifest of a source distribution. Never raises."""
    problems: list[Problem] = []
    project = _toml(tree, problems)
    info = tree.get(_PKG_INFO)
    read = metadata.read(info.data) if info is not None else metadata.Metadata()
    edges = list(metadata.dependencies(read) or _declared(project, problems) or _egg_requires(tree, problems))
    edges += _build_requires(tree, project, problems)
    problems += read.problems
    if info is None and project is None and _SETUP not in tree:
        problems.append(Problem(0, "neither PKG-INFO nor pyproject.toml nor setup.py: not a source distribution"))
    roots = [root for root in ("", "src/") if not root or any(path.startswith(root) for path in tree)]
    hooks = (
        *_build_hooks(tree, project or {}),
        *dynamic.hooks(tree, project or {}),
        *startup.hooks(tree, roots, problems),
    )
    own = names.normal(read.first("name") or "").replace("-", "_")
    found = dict.fromkeys(Entry(hook.path, EntryRole.INSTALL) for hook in hooks)
    for path in modules.top_level(tree, roots, own, source=True):
        if path != _SETUP and not (path.startswith("src/") and "src/" not in roots):
            found.setdefault(Entry(path, EntryRole.IMPORT))
    for one in (_SETUP_CFG, _PYPROJECT):
        if one in tree:  # a build loads what they name
            found.setdefault(Entry(one, EntryRole.INSTALL))
    found |= dict.fromkeys(_commands(tree, roots))
    path = next((one for one in (_PKG_INFO, _PYPROJECT, _SETUP) if one in tree), _PKG_INFO)
    return Manifest(
        path=path,
        name=read.first("name"),
        version=read.first("version"),
        dependencies=tuple(dict.fromkeys(edges)),
        hooks=hooks,
        entries=tuple(found),
        fields=metadata.fields(read),
        problems=tuple(problems),
        supposed=frozenset() if hooks else supposed.entries(tree, found, project or {}),
    )


def _commands(tree: Tree, roots: list[str]) -> Iterator[Entry]:
    """Yield the files behind the entry points that setuptools has written into ``.egg-info``."""
    path = next((path for path in tree if path.endswith(".egg-info/entry_points.txt")), None)
    for point in entrypoints.read(tree.files[path].data, []) if path is not None else ():
        files = (modules.module_file(tree, root + point.module.replace(".", "/")) for root in roots)
        file = next((one for one in files if one is not None), None)
        if file is not None:
            yield Entry(file, point.role)


def _toml(tree: Tree, problems: list[Problem]) -> dict[str, Any] | None:
    """Return ``pyproject.toml``; None if there is none."""
    blob = tree.get(_PYPROJECT)
    if blob is None:
        return None
    import tomllib

    try:
        return tomllib.loads(blob.data.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        problems.append(Problem(0, f"{_PYPROJECT} cannot be read: {error}"))
        return {}


def _table(value: object, *keys: str) -> dict[str, Any]:
    """Return a nested table, empty if it is absent or no table."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _edges(texts: object, group: DependencyGroup, where: str, problems: list[Problem]) -> Iterator[Dependency]:
    for text in texts if isinstance(texts, list) else ():
        try:
            yield requirements.dependency(str(text), group)
        except ValueError as error:
            problems.append(Problem(0, f"{where}: {error}"))


def _declared(project: Mapping[str, Any] | None, problems: list[Problem]) -> list[Dependency]:
    """Return the edges of ``[project]``, for a PKG-INFO that does not tell them."""
    table = _table(project, "project")
    edges = list(_edges(table.get("dependencies"), DependencyGroup.RUNTIME, "project.dependencies", problems))
    for name, texts in _table(table, "optional-dependencies").items():
        edges += _edges(texts, DependencyGroup.EXTRA, f"project.optional-dependencies.{name}", problems)
    return edges


def _egg_requires(tree: Tree, problems: list[Problem]) -> Iterator[Dependency]:
    """Yield the edges of setuptools' ``requires.txt``; ``[extra:marker]`` heads a section."""
    path = next((path for path in tree if path.endswith(".egg-info/requires.txt")), None)
    if path is None:
        return
    extra, marker = "", ""
    for number, raw in enumerate(tree.files[path].data.decode("utf-8", "replace").splitlines()[:5000], 1):
        line = raw.strip()
        if line.startswith("["):
            extra, _, marker = line.strip("[]").partition(":")
        elif line and not line.startswith("#"):
            text = f"{line} ; {marker}" if marker and ";" not in line else line
            group = DependencyGroup.EXTRA if extra else DependencyGroup.RUNTIME
            try:
                yield requirements.dependency(text, group)
            except ValueError as error:
                problems.append(Problem(number, f"{path}: {error}"))


def _build_requires(tree: Tree, project: Mapping[str, Any] | None, problems: list[Problem]) -> Iterator[Dependency]:
    """Yield what pip installs before it builds: ``build-system.requires``, ``setup_requires``."""
    where = "build-system.requires"
    yield from _edges(_table(project, "build-system").get("requires"), DependencyGroup.BUILD, where, problems)
    blob = tree.get(_SETUP_CFG)
    if blob is None or b"setup_requires" not in blob.data:
        return
    import configparser

    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(blob.data.decode("utf-8", "replace"))
        text = parser.get("options", "setup_requires", fallback="")
    except configparser.Error as error:
        problems.append(Problem(0, f"setup.cfg cannot be read: {str(error).splitlines()[0]}"))
        return
    # setuptools takes one requirement from each line, or from each semicolon of a single line.
    parts = text.splitlines() if "\n" in text else text.split(";")
    lines = [part.strip() for part in parts if part.strip() and not part.strip().startswith("#")]
    yield from _edges(lines, DependencyGroup.BUILD, "setup.cfg: setup_requires", problems)


def _build_hooks(tree: Tree, project: Mapping[str, Any]) -> Iterator[Hook]:
    """Yield the code of the distribution itself that a build runs."""
    if _SETUP in tree:
        yield _hook(_SETUP, "python setup.py", _SETUP, tree.files[_SETUP])
    system = _table(project, "build-system")
    backend, folders = system.get("build-backend"), system.get("backend-path")
    if isinstance(backend, str) and isinstance(folders, list):
        stem = backend.partition(":")[0].replace(".", "/")
        for folder in folders:
            prefix = "/".join(part for part in str(folder).split("/") if part not in ("", "."))
            file = modules.module_file(tree, f"{prefix}/{stem}" if prefix else stem)
            if file is not None:
                yield _hook("build-backend", backend, file, tree.files[file])
    for name, path in _tool_scripts(project):
        if path in tree:
            yield _hook(name, f"python {path}", path, tree.files[path])


def _tool_scripts(project: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the files of a project that build backends of the field are told to run."""
    tool = project.get("tool")
    hatch = _table(tool, "hatch")
    build = _table(hatch, "build")
    targets = [_table(build, "targets", name) for name in _table(build, "targets")]
    for table in (build, *targets):
        custom = _table(table, "hooks").get("custom")
        if isinstance(custom, dict):
            yield "hatch build hook", str(custom.get("path", "hatch_build.py"))
    custom = _table(hatch, "metadata", "hooks").get("custom")
    if isinstance(custom, dict):
        yield "hatch metadata hook", str(custom.get("path", "hatch_build.py"))
    script = _table(tool, "poetry").get("build")
    script = script.get("script") if isinstance(script, dict) else script
    if isinstance(script, str):
        yield "poetry build script", script
    yield "pdm build hook", str(_table(tool, "pdm", "build").get("custom-hook", "pdm_build.py"))


def _hook(name: str, command: str, path: str, blob: Blob) -> Hook:
    end = blob.data.find(b"\n")
    return Hook(HookKind.BUILD, name, command, path, Span(1, 0, 0, blob.size if end < 0 else end))
