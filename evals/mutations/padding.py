"""Paddings: the payload as it is, among so much of no interest that every bound of a reader is met before it.

What is dull says so, in every line (``MARK``): evidence counts only where it is the payload's. Where a text cannot have
what a padding is made of (a module that has no ``require``, the one line of a ``.pth`` file), it is left as it is.
"""

import json
import posixpath
import textwrap
from collections.abc import Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from evals.mutations import javascript, python
from evals.mutations.payload import Group, Texts, groups, with_texts
from lazaretto.app.replay import Replay
from lazaretto.app.replay_pack import blob
from lazaretto.core.tree import Tree

MARK = "dull"
"""Stands in every line that is not the payload's."""

LEVELS = 90
"""Blocks around a payload: CPython takes fewer than a hundred levels of indentation."""

FILES, EXPORTS, MORE_FILES = 400, 60, 2_000
IMPORTS = 300
COMMANDS = 300

SCRIPTS = ("preinstall", "install", "postinstall", "prepare")


class Padding(Struct, frozen=True):
    """Lines of no interest. ``@`` is the number of each; ``head`` and ``foot`` stand once, around them.

    ``requires`` says that only a CommonJS module can have it, ``whole`` that only the top level of a file can.
    """

    line: str
    count: int
    head: str = ""
    foot: str = ""
    requires: bool = False
    whole: bool = False

    def text(self, first: int = 0) -> str:
        """Return all of it, numbered from ``first``."""
        lines = (self.line.replace("@", str(number)) for number in range(first, first + self.count))
        return "".join(f"{line}\n" for line in (self.head, *lines, self.foot) if line)


_LONG = " of dull words that nobody reads" * 3

JAVASCRIPT: dict[str, Padding] = {
    "functions": Padding("function dull@(a) { return a + @; }", 3_000),
    "calls": Padding("dullest(@);", 3_000, "function dullest(a) { return a; }"),
    "addresses": Padding("  'https://dull@.invalid/a',", 2_500, "var dullUrls = [ // dull", "]; // dull"),
    "reads of the environment": Padding("var dull@ = process.env.DULL_@;", 600),
    "reads of files": Padding("require('fs').readFileSync('./dull@.txt');", 600, requires=True),
    "requests": Padding("fetch('https://dull@.invalid/');", 600),
    "300 KiB of comment": Padding(f"// @{_LONG}", 3_000),
    "3 MiB of comment": Padding(f"// @{_LONG}", 30_000),
    "a table of texts": Padding("  'dull word @',", 5_000, "var dullTable = [ // dull", "]; // dull"),
    "exports": Padding("exports.dull@ = function (a) { return a; };", 500, requires=True, whole=True),
    "programs": Padding("require('child_process').execSync('git --version'); // dull @", 1_000, requires=True),
    "evaluated texts": Padding("eval('1+1'); // dull @", 2_500),
}
"""Paddings of JavaScript that stand before the payload and behind it."""

PYTHON: dict[str, Padding] = {
    "functions": Padding("def dull@(a): return a + @", 3_000),
    "calls": Padding("dullest(@)", 3_000, "def dullest(a): return a"),
    "addresses": Padding("  'https://dull@.invalid/a',", 2_500, "dull_urls = [ # dull", "] # dull"),
    "reads of the environment": Padding("dull@ = dull_os.environ.get('DULL_@')", 600, "import os as dull_os"),
    "reads of files": Padding("open('dull@.txt').read()", 600),
    "requests": Padding("dull_r.urlopen('https://dull@.invalid/')", 600, "import urllib.request as dull_r"),
    "300 KiB of comment": Padding(f"# @{_LONG}", 3_000),
    "3 MiB of comment": Padding(f"# @{_LONG}", 30_000),
    "a table of texts": Padding("  'dull word @',", 5_000, "dull_table = [ # dull", "] # dull"),
    "exports": Padding("def dull@(a): return a", 500, "__all__ = ['dull0']", whole=True),
    "programs": Padding("dull_s.run(['git', '--version'])", 1_000, "import subprocess as dull_s"),
    "evaluated texts": Padding("exec('dull=1')", 2_500),
}
"""The same of Python."""

AROUND_JAVASCRIPT = {
    "deep blocks": ("{ // dull\n" * LEVELS, "} // dull\n" * LEVELS),
    "try": ("try { // dull\n", "} finally { dull: 0; }\n"),
    "if": ("if (Date.now() > 0) { // dull\n", "} // dull\n"),
    "while": ("while (true) { // dull\n", "break; } // dull\n"),
    "with": ("with ({ dull: 1 }) {\n", "} // dull\n"),
}
AROUND_PYTHON = {
    "deep blocks": ["if len('dull') == 4:"] * LEVELS,
    "try": ["try: # dull"],
    "if": ["if len('dull') == 4:"],
    "while": ["while 'dull':"],
    "with": ["with open('dull'):"],
}
_AFTER_PYTHON = {"try": "finally: dull = 0\n", "while": " break # dull\n"}

Padded = tuple[Texts, Mapping[str, str]]
"""The parts of a file, and files beside it by the paths that they have from its folder."""


def mutants(replay: Replay) -> Iterator[tuple[str, Replay]]:
    """Yield each padding that applies, with the replay that is padded."""
    found = list(groups(replay))
    for name in dict.fromkeys((*JAVASCRIPT, *AROUND_JAVASCRIPT, "modules of its own", "modules beside it")):
        changed: dict[tuple[str, str], Texts] = {}
        beside: dict[tuple[str, str], str] = {}
        for group in found:
            done = padded(name, group)
            if done is not None:
                changed[group.owner, group.path] = done[0]
                folder = posixpath.dirname(group.path)
                beside |= {(group.owner, posixpath.join(folder, path)): text for path, text in done[1].items()}
        if changed:
            yield f"padded: {name}", _beside(with_texts(replay, changed), beside)
    yield "padded: more files", _beside(replay, dict(_more_files(replay)))
    commanded = _commanded(replay)
    if commanded != replay:
        yield "padded: commands", commanded


def padded(name: str, group: Group) -> Padded | None:
    """Return the parts of a file among what a padding puts there, or None where it does not apply."""
    if not all(text.strip() for text in group.texts):
        return None
    done = (_python if group.path.endswith((".py", ".pth")) else _javascript)(name, group)
    return None if done is None or done[0] == group.texts else done


# JavaScript --------------------------------------------------------------------------------------------------------


def _javascript(name: str, group: Group) -> Padded | None:
    if not all(map(javascript.parses, group.texts)):
        return None
    whole = group.owner != "inserts"
    esm = group.path.endswith(".mjs") or any(map(javascript.is_module, group.texts))
    if name in AROUND_JAVASCRIPT:
        rewrite = javascript.wrapped(*AROUND_JAVASCRIPT[name])
        texts = tuple(rewrite(text) or text for text in group.texts) if len(group.texts) == 1 else group.texts
        return (texts, {}) if all(map(javascript.parses, texts)) else None
    if name == "modules of its own":
        if esm:
            return None
        lines = "".join(f"require('./dull/m{number}.js');\n" for number in range(IMPORTS))
        files = {f"dull/m{number}.js": f"exports.dull = {number};\n" for number in range(IMPORTS)}
        return _first(group.texts, lines), files
    if name == "modules beside it":
        if esm:
            return None
        return _first(group.texts, "require('./0dull/m0.js');\n"), dict(_chain_of_javascript())
    padding = JAVASCRIPT[name]
    if (padding.requires and esm) or (padding.whole and not whole):
        return None
    head, body = _head(group.texts[0])
    texts = (f"{head}{padding.text()}{body}", *group.texts[1:])
    if whole:
        texts = (*texts[:-1], f"{texts[-1].rstrip()}\n;{padding.text(padding.count)}")
    return (texts, {}) if all(map(javascript.parses, texts)) else None


def _head(text: str) -> tuple[str, str]:
    """Return a line that has to be the first, and what follows."""
    if not text.startswith(("#!", "'use strict'", '"use strict"')):
        return "", text
    first, _, rest = text.partition("\n")
    return f"{first}\n", rest


def _first(texts: Texts, lines: str) -> Texts:
    head, body = _head(texts[0])
    return (f"{head}{lines}{body}", *texts[1:])


def _chain_of_javascript() -> Iterator[tuple[str, str]]:
    for number in range(FILES):
        after = f"const dullNext = require('./m{number + 1}.js');\n" if number + 1 < FILES else "const dullNext = {};\n"
        lines = "".join(f"exports.dull{n} = function (a) {{ return dullNext.dull{n}(a); }};\n" for n in range(EXPORTS))
        yield f"0dull/m{number}.js", after + lines


# Python ------------------------------------------------------------------------------------------------------------


def _python(name: str, group: Group) -> Padded | None:
    if group.path.endswith(".pth"):
        return _of_pth(name, group)
    bare = tuple(map(textwrap.dedent, group.texts))
    indents = [text[: len(text) - len(text.lstrip(" "))].rpartition("\n")[2] for text in group.texts]
    if not all(map(python.parses, bare)):
        return None
    files: Mapping[str, str] = {}
    start = "from . " if "/" in group.path else ""
    whole = group.owner != "inserts"
    if name in AROUND_PYTHON:
        if len(bare) != 1:
            return None
        texts: Texts = (_within(AROUND_PYTHON[name], bare[0]) + _AFTER_PYTHON.get(name, ""),)
    elif name == "modules of its own":
        texts = (
            "".join(f"{start}import dull{number}\n" for number in range(IMPORTS)) + bare[0],
            *bare[1:],
        )
        files = {f"dull{number}.py": f"dull = {number}\n" for number in range(IMPORTS)}
    elif name == "modules beside it":
        texts = (f"{start}import _0dull0\n" + bare[0], *bare[1:])
        files = dict(_chain_of_python(start))
    else:
        padding = PYTHON[name]
        if padding.whole and not whole:
            return None
        texts = (padding.text() + bare[0], *bare[1:])
        if whole:
            texts = (*texts[:-1], f"{texts[-1].rstrip()}\n{padding.text(padding.count)}")
    if not all(map(python.parses, texts)):
        return None
    return tuple(textwrap.indent(part, indent) for part, indent in zip(texts, indents, strict=True)), files


def _within(lines: list[str], text: str) -> str:
    opened = "".join(f"{' ' * level}{line}\n" for level, line in enumerate(lines))
    return opened + textwrap.indent(text, " " * len(lines), lambda line: bool(line.strip())).rstrip() + "\n"


def _of_pth(name: str, group: Group) -> Padded | None:
    """Each line of such a file is a program of its own if it begins with ``import``."""
    if name not in PYTHON or PYTHON[name].foot or PYTHON[name].whole or "def " in PYTHON[name].text():
        return None
    padding = PYTHON[name]
    head = padding.head or "import sys"
    lines = padding.text().splitlines()
    kept = [line if line.startswith("#") else f"{head}; {line}" for line in lines if line != padding.head]
    return (("\n".join(kept) + "\n" + group.texts[0]),), {}


def _chain_of_python(start: str) -> Iterator[tuple[str, str]]:
    for number in range(FILES):
        after = f"{start}import _0dull{number + 1} as dull_next\n" if number + 1 < FILES else "dull_next = None\n"
        yield f"_0dull{number}.py", after + "".join(f"def f{n}(a): return dull_next.f{n}(a)\n" for n in range(EXPORTS))


# Beside ------------------------------------------------------------------------------------------------------------


def _more_files(replay: Replay) -> Iterator[tuple[tuple[str, str], str]]:
    owners = ("overlay", *map(str, range(len(replay.dependencies))))
    for owner, number in ((owner, number) for owner in owners for number in range(MORE_FILES)):
        if replay.ecosystem == "npm":
            yield (owner, f"0dull/d{number}.js"), f"exports.dull{number} = (a) => a + {number};\n"
        else:
            yield (owner, f"_0dull/d{number}.py"), f"def dull{number}(a): return a + {number}\n"


def _beside(replay: Replay, files: Mapping[tuple[str, str], str]) -> Replay:
    own = tuple(
        replace(dependency, tree=_laid_over(dependency.tree, str(number), files))
        for number, dependency in enumerate(replay.dependencies)
    )
    overlay = _laid_over(replay.after.overlay, "overlay", files, "inserts")
    return replace(replay, after=replace(replay.after, overlay=overlay), dependencies=own)


def _laid_over(tree: Tree, owner: str, files: Mapping[tuple[str, str], str], other: str = "") -> Tree:
    new = {path: blob(text.encode()) for (whose, path), text in files.items() if whose in (owner, other)}
    return replace(tree, files={**tree.files, **new})


def _commanded(replay: Replay) -> Replay:
    """Put commands before each script of a manifest that the incident brings."""
    scripts = replay.after.manifest.get("scripts", {})
    manifest = dict(replay.after.manifest)
    if scripts:
        manifest["scripts"] = {name: _behind_commands(name, command) for name, command in scripts.items()}
    own = tuple(replace(one, tree=_commanded_tree(one.tree)) for one in replay.dependencies)
    return replace(replay, after=replace(replay.after, manifest=manifest), dependencies=own)


def _commanded_tree(tree: Tree) -> Tree:
    data = tree.files.get("package.json")
    document = json.loads(data.data) if data is not None else {}
    if not document.get("scripts"):
        return tree
    scripts = {name: _behind_commands(name, command) for name, command in document["scripts"].items()}
    text = json.dumps({**document, "scripts": scripts}, indent=2) + "\n"
    return replace(tree, files={**tree.files, "package.json": blob(text.encode())})


def _behind_commands(name: str, command: str) -> str:
    if name not in SCRIPTS:
        return command
    return "".join(f"echo dull {number} && " for number in range(COMMANDS)) + command
