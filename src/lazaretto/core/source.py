"""What an artifact holds that the repository it names does not: files and lines, after what is built is set aside.

A repository is compared by the names that git gives to contents, so that a file which stands in both costs nothing.
What cannot be compared (built, generated, out of reach) is told as such, and never as equal.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cached_property
from hashlib import sha1
from typing import Any

from msgspec import Struct

from lazaretto.core.names import Digest, ProjectName, Version
from lazaretto.core.tree import Blob, Tree
from lazaretto.core.update import ArtifactView, ChangeStatus, FileChange

MAX_COMPARED = 2 << 20
"""Largest file of a repository that is compared line by line, in bytes."""

_BUILT_FOLDERS = frozenset("dist build lib out es esm cjs umd bundle bundles compiled".split())
_BUILD_SCRIPT = re.compile(r"build|compile|bundle|dist|transpile|rollup|webpack|tsc|(?:^|:)prepa(?:re|ck)$|^prepublish")
_GENERATED = re.compile(r"(?:^|/)(?:PKG-INFO|[^/]+\.(?:dist-info|egg-info)/.*)$")
_VERSION_FILE = re.compile(
    r"(?:write_to|version[_-]file|versionfile_(?:build|source))\s*=\s*[\"']?([\w./-]+\.\w+)", re.IGNORECASE
)
_NATIVE = (".so", ".pyd", ".dylib", ".dll", ".node", ".wasm")
_COMPILED = (".c", ".cc", ".cpp", ".cxx", ".pyx", ".rs", ".f90", ".f", ".go", ".zig", ".mm")
_SETUP_TAIL = frozenset((b"", b"[egg_info]", b"tag_build =", b"tag_date = 0"))
DESCRIPTIONS = ("package.json", "pyproject.toml", "setup.py", "setup.cfg")
"""Files of a repository that say what it builds."""


class Commit(Struct, frozen=True):
    """A commit of a repository, as far as it was read: path -> the name that git gives to the content there.

    ``asked`` is the tag or commit by which it was found; ``where`` the repository.
    """

    where: str
    asked: str
    identifier: str
    files: Mapping[str, str]


class Only(Struct, frozen=True):
    """What stands in the artifact alone: these lines of a file (1-based), or all of it if there are none."""

    path: str
    lines: frozenset[int] = frozenset()

    def holds(self, line: int) -> bool:
        """Whether a line stands in the artifact alone."""
        return not self.lines or line in self.lines


class Comparison(Struct, frozen=True, dict=True):
    """One artifact against the commit. ``built`` and ``generated`` were not compared, ``unread`` could not be."""

    filename: str
    same: int
    only: tuple[Only, ...] = ()
    built: tuple[str, ...] = ()
    generated: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()

    @cached_property
    def _alone(self) -> Mapping[str, Only]:
        return {one.path: one for one in self.only}

    def alone(self, path: str, line: int) -> bool:
        """Whether a line of the artifact does not stand in the repository."""
        found = self._alone.get(path)
        return found is not None and found.holds(line)


class Sourced(Struct, frozen=True):
    """What the artifacts of a release were compared with, and what came of it."""

    commit: Commit
    comparisons: tuple[Comparison, ...]

    def of(self, filename: str) -> Comparison | None:
        """Return the comparison of an artifact."""
        return next((one for one in self.comparisons if one.filename == filename), None)


def names(project: ProjectName, version: Version) -> tuple[str, ...]:
    """Return the names that projects give to the tag of a release, the most usual first."""
    bare = project.rpartition("/")[2]
    whole = (f"v{version}", str(version))
    ours = (f"{one}{mark}{version}" for one in dict.fromkeys((project, bare)) for mark in ("@", "-v", "-", "/v", "@v"))
    return tuple(dict.fromkeys((*whole, *ours, f"release-{version}", f"releases/{version}")))


def identifier(data: bytes) -> str:
    """Return the name that git gives to a content."""
    return sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


class Plan(Struct, frozen=True):
    """Which file of the repository stands for which of the artifact; ``wanted`` are those whose content is needed."""

    root: str
    same: frozenset[str]
    counterparts: Mapping[str, str]
    wanted: tuple[str, ...]


def plan(view: ArtifactView, commit: Commit) -> Plan:
    """Return what has to be got from the repository to compare an artifact with it."""
    known = frozenset(commit.files.values())
    same = frozenset(path for path, blob in view.tree.files.items() if known & _identifiers(blob))
    by_name: dict[str, list[str]] = {}
    for path in commit.files:
        by_name.setdefault(path.rpartition("/")[2], []).append(path)
    ends = {path: _ending_alike(path, by_name) for path in view.tree.files}
    prefixes = Counter(found.removesuffix(path) for path, likes in ends.items() for found in likes)
    root = max(prefixes, key=lambda one: (prefixes[one], -len(one)), default="")
    counterparts = {}
    for path, likes in ends.items():
        own = [found for found in likes if found == root + path] or (likes if "/" in path and len(likes) == 1 else [])
        if own and path not in same:
            counterparts[path] = own[0]
    described = (folder + name for folder in dict.fromkeys((root, "")) for name in DESCRIPTIONS)
    wanted = dict.fromkeys((*(path for path in described if path in commit.files), *counterparts.values()))
    return Plan(root, same, counterparts, tuple(wanted))


def _identifiers(blob: Blob) -> frozenset[str]:
    data = blob.data
    lines = data.replace(b"\r\n", b"\n") if b"\r\n" in data else data
    return frozenset((identifier(data), identifier(lines)))


def _ending_alike(path: str, by_name: Mapping[str, list[str]]) -> list[str]:
    likes = by_name.get(path.rpartition("/")[2], ())
    return [found for found in likes if found == path or found.endswith("/" + path)]


def compare(view: ArtifactView, commit: Commit, plan: Plan, texts: Mapping[str, bytes]) -> Comparison:
    """Compare an artifact with a commit. ``texts`` holds what was got of ``plan.wanted``: path -> content."""
    built = _Built(view.tree, commit, plan.root, texts)
    only: list[Only] = []
    aside: dict[str, list[str]] = {"built": [], "generated": [], "unread": []}
    for path, blob in view.tree.files.items():
        if path in plan.same:
            continue
        counterpart = plan.counterparts.get(path)
        if _GENERATED.search(path) or built.versioned(path):
            aside["generated"].append(path)
        elif built.declared(path, exists=counterpart is not None):
            aside["built"].append(path)
        elif counterpart is None:
            only.append(Only(path))
        elif counterpart not in texts:
            aside["unread"].append(path)
        else:
            lines = _lines_alone(path, blob, texts[counterpart])
            if lines:
                only.append(Only(path, lines))
    sorted_aside = {name: tuple(sorted(paths)) for name, paths in aside.items()}
    only.sort(key=lambda one: one.path)
    return Comparison(view.artifact.filename, len(plan.same), tuple(only), **sorted_aside)


def _lines_alone(path: str, blob: Blob, text: bytes) -> frozenset[int]:
    before = Blob(digest=Digest(""), held=text)
    lines = FileChange(path=path, status=ChangeStatus.CHANGED, before=before, after=blob).added_lines
    if path == "setup.cfg":  # setuptools writes these lines into every source distribution
        texts = blob.data.split(b"\n")
        return frozenset(line for line in lines if texts[line - 1].strip() not in _SETUP_TAIL)
    return lines


class _Built:
    """What the repository itself says that it builds: its own manifest is asked, never the artifact's."""

    def __init__(self, tree: Tree, commit: Commit, root: str, texts: Mapping[str, bytes]) -> None:
        manifest = _json(texts.get(f"{root}package.json", b""))
        scripts = manifest.get("scripts")
        whole = _json(texts.get("package.json", b"")).get("scripts")
        run = [*(scripts if isinstance(scripts, dict) else ()), *(whole if isinstance(whole, dict) else ())]
        self._builds = any(_BUILD_SCRIPT.search(str(name)) for name in run)
        keys = ("files", "main", "module", "browser", "types", "typings", "bin", "exports", "unpkg", "jsdelivr")
        named = [text.removeprefix("./") for key in keys for text in _texts(manifest.get(key))]
        self._named = frozenset(text.split("/")[0] for text in named if "/" in text or "." not in text)
        self._folders = frozenset(
            path.removeprefix(root).split("/")[0] for path in commit.files if path.startswith(root)
        )
        described = b"\n".join(texts.get(folder + one, b"") for folder in (root, "") for one in DESCRIPTIONS[1:])
        found = _VERSION_FILE.findall(described.decode("utf-8", "replace"))
        self._versions = frozenset(one.rpartition("/")[2] for one in found)
        self._compiles = any(path.endswith(_COMPILED) for path in commit.files)
        self._npm = "package.json" in tree

    def versioned(self, path: str) -> bool:
        """Whether a file is one that the build writes the version into."""
        return path.rpartition("/")[2] in self._versions

    def declared(self, path: str, *, exists: bool) -> bool:
        """Whether a file is what a build gives: it stands where the repository has a build put what it makes."""
        if self._compiles and path.endswith(_NATIVE):
            return True
        folder, slash, _ = path.partition("/")
        if not (self._npm and slash and self._builds and folder in self._named):
            return False
        return folder in _BUILT_FOLDERS if exists else folder not in self._folders or folder in _BUILT_FOLDERS


def _json(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _texts(value: object, depth: int = 0) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list) and depth < 8:
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item, depth + 1)
