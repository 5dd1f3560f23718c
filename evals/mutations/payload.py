"""What an incident brought, rewritten: parts that belong to one file are rewritten together, so that it still works.

A name that one part declares and another uses is the same name in both afterwards; a part that declares such a name is
not put into a scope of its own; and what is inserted further down moves by the lines that stand in front of it now.
"""

import os
import subprocess
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from evals.mutations import javascript, python
from lazaretto.app.replay import Insert, Replay
from lazaretto.app.replay_pack import blob
from lazaretto.core.tree import Tree

Rewrite = javascript.Rewrite
Texts = tuple[str, ...]


class _Language(Protocol):
    """What is asked of a module of rewrites."""

    MARK: str

    def declared(self, text: str) -> frozenset[str]: ...
    def mentions(self, text: str, names: frozenset[str]) -> bool: ...


class Group(Struct, frozen=True):
    """Parts of one file, in order: one text that is a file, or those that are inserted into a file that is kept."""

    owner: str  # "inserts", "overlay", or the number of a dependency of the incident's own
    path: str
    texts: Texts


def mutants(replay: Replay) -> Iterator[tuple[str, Replay]]:
    """Yield each rewrite that changes anything, with the replay whose payload is rewritten."""
    found = list(groups(replay))
    tools = minifiers()
    for name in dict.fromkeys((*javascript.REWRITES, *python.REWRITES, *tools)):
        changed = {}
        for group in found:
            done = rewritten(name, group, tools)
            if done is not None and done != group.texts:
                changed[group.owner, group.path] = done
        if changed:
            yield name, with_texts(replay, changed)


def groups(replay: Replay) -> Iterator[Group]:
    """Yield what an incident brought, in the order of its files."""
    inserted: dict[str, list[Insert]] = {}
    for insert in sorted(replay.after.inserts, key=_line):
        inserted.setdefault(insert.path, []).append(insert)
    for path, inserts in inserted.items():
        yield from _group("inserts", path, [insert.data for insert in inserts])
    trees = {"overlay": replay.after.overlay}
    trees |= {str(number): own.tree for number, own in enumerate(replay.dependencies)}
    for owner, tree in trees.items():
        for path, content in tree.files.items():
            yield from _group(owner, path, [content.data])


def _line(insert: Insert) -> float:
    return insert.line or float("inf")


def _group(owner: str, path: str, parts: list[bytes]) -> Iterator[Group]:
    if path.endswith((".js", ".cjs", ".mjs", ".py", ".pth")):
        yield Group(owner, path, tuple(part.decode() for part in parts))


def rewritten(name: str, group: Group, tools: Mapping[str, Rewrite]) -> Texts | None:
    """Return the parts as one rewrite leaves them, or None where it does not apply."""
    if group.path.endswith((".py", ".pth")):
        if name not in python.REWRITES:
            return None
        if group.path.endswith(".pth"):
            line = python.on_one_line(python.REWRITES[name], group.texts[0])
            return None if line is None else (line,)
        return _indented_alike(name, group.texts)
    rewrite = javascript.REWRITES.get(name) or tools.get(name)
    if rewrite is None or not all(map(javascript.parses, group.texts)):
        return None
    apart = name in javascript.SCOPES or name in tools
    done = _apart(rewrite, group.texts, javascript) if apart else _together(rewrite, group.texts, javascript)
    return done if done is not None and all(map(javascript.parses, done)) else None


def _indented_alike(name: str, texts: Texts) -> Texts | None:
    """Rewrite what may stand inside a function, without its indentation."""
    bare = tuple(map(textwrap.dedent, texts))
    indents = [text[: len(text) - len(text.lstrip(" "))].rpartition("\n")[2] for text in texts]
    if not all(part.strip() and python.parses(part) for part in bare):
        return None
    rewrite = python.REWRITES[name]
    done = (_apart if name in python.SCOPES else _together)(rewrite, bare, python)
    if done is None or (name == "in a class" and any(indents)) or not all(map(python.parses, done)):
        return None
    return tuple(textwrap.indent(part, indent) for part, indent in zip(done, indents, strict=True))


def _apart(rewrite: Rewrite, texts: Texts, language: _Language) -> Texts | None:
    """Rewrite each part by itself, but for those that declare what another part uses."""
    done = []
    for number, text in enumerate(texts):
        others = [other for at, other in enumerate(texts) if at != number]
        needed = any(language.mentions(other, language.declared(text)) for other in others)
        done.append(text if needed else rewrite(text) or text)
    return tuple(done)


def _together(rewrite: Rewrite, texts: Texts, language: _Language) -> Texts | None:
    whole = rewrite(f"\n{language.MARK}\n".join(texts))
    if whole is None:
        return None
    parts = tuple(f"{part.strip(chr(10))}\n" for part in whole.split(language.MARK))
    return parts if len(parts) == len(texts) else None


def with_texts(replay: Replay, changed: Mapping[tuple[str, str], Texts]) -> Replay:
    """Return the replay with other texts of these owners and paths; what stands further down moves with them."""
    after = replay.after
    inserts: list[Insert] = []
    moved: dict[str, int] = {}
    pending = {path: list(texts) for (owner, path), texts in changed.items() if owner == "inserts"}
    for insert in sorted(after.inserts, key=_line):
        data = pending[insert.path].pop(0).encode() if insert.path in pending else insert.data
        shift = moved.get(insert.path, 0) if insert.line else 0
        inserts.append(Insert(insert.path, insert.line + shift, data))
        moved[insert.path] = moved.get(insert.path, 0) + data.count(b"\n") - insert.data.count(b"\n")
    own = tuple(
        replace(dependency, tree=_laid_over(dependency.tree, str(number), changed))
        for number, dependency in enumerate(replay.dependencies)
    )
    overlay = _laid_over(after.overlay, "overlay", changed)
    return replace(replay, after=replace(after, inserts=tuple(inserts), overlay=overlay), dependencies=own)


def _laid_over(tree: Tree, owner: str, changed: Mapping[tuple[str, str], Texts]) -> Tree:
    files = {path: blob(texts[0].encode()) for (whose, path), texts in changed.items() if whose == owner}
    return replace(tree, files={**tree.files, **files})


def minifiers() -> dict[str, Rewrite]:
    """Return the real tools that are to be had, as rewrites; they are given the text and told to run nothing."""
    place = os.environ.get("MINIFIERS")
    if not place:
        return {}
    tools = Path(place) / "node_modules" / ".bin"
    commands = {
        "terser": ["terser", "--compress", "--mangle"],
        "terser, names of the top level too": ["terser", "--compress", "--mangle", "toplevel"],
        "esbuild": ["esbuild", "--minify", "--loader=js"],
        "esbuild, for old engines": ["esbuild", "--minify", "--loader=js", "--target=es2017"],
    }
    return {name: _tool([str(tools / command[0]), *command[1:]]) for name, command in commands.items()}


def _tool(command: list[str]) -> Rewrite:
    def rewrite(text: str) -> str | None:
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=60)
        return done.stdout.rstrip("\n") + "\n" if done.returncode == 0 and done.stdout.strip() else None

    return rewrite
