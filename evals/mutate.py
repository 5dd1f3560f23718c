"""Rewrite the payload of every held replay and count how often it stays held: ``python -m evals.mutate [FOLDER ...]``.

A rewrite keeps what the code does (see ``evals.mutations``). Real minifiers join in if ``MINIFIERS`` names a folder
whose ``node_modules`` holds terser, esbuild and javascript-obfuscator. Exit 0 if at least 98 of 100 stay held.
"""

import ast
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import msgspec

from evals.mutations import javascript, python
from lazaretto.app.analyse import Analyser, Analysis, Question
from lazaretto.app.ports import Registry
from lazaretto.app.replay import Answer, FoundIn, ReplayResult, run
from lazaretto.bootstrap import App
from lazaretto.core.names import ProjectName, Version
from lazaretto.core.policy import Policy
from lazaretto.settings import load

ROOT = Path(__file__).parents[1]
LEAST = 0.98
_PARTS = ("inserts", "overlay", "dependencies")

Rewrite = Callable[[str], str | None]


def main() -> int:
    """Print a line per rewrite and replay that is no longer held, and the table."""
    folders = [Path(arg) for arg in sys.argv[1:]] or held()
    counts: dict[str, list[int]] = {}
    with App(load(os.environ, Path.cwd(), Path.home())) as app:
        for folder in folders:
            for name, mutant in mutants(folder):
                result = asked(app, mutant)
                tally = counts.setdefault(folder.name, [0, 0])
                tally[0] += result.held
                tally[1] += 1
                if not result.held:
                    print(f"MISS  {folder.name}: {name}: {result.outcome} {result.note[:200]}", flush=True)
            kept, tried = counts.get(folder.name, [0, 0])
            print(f"{kept:4} of {tried:3} held  {folder.name}", flush=True)
    kept, tried = (sum(row[at] for row in counts.values()) for at in (0, 1))
    print(f"\n{kept} of {tried} rewritten replays stay held: {100 * kept / max(tried, 1):.1f} %")
    return 0 if tried and kept >= LEAST * tried else 1


def held() -> list[Path]:
    """Return the folders of the replays that should be held."""
    return sorted(path.parent for path in (ROOT / "replays").glob("*/replay.toml"))


def asked(app: App, folder: Path) -> ReplayResult:
    """Return what the analyser says of a rewritten replay: without advisories, waivers or a cooldown."""

    def ask(ecosystem: str, project: ProjectName, version: Version, now: datetime, registry: Registry) -> Answer:
        rules = msgspec.structs.replace(app.rules, policy=Policy())
        analysis = Analyser(app.ecosystem(ecosystem), registry, app.engine, rules, now).release(
            Question(project, version)
        )
        return Answer(analysis.outcome.word, analysis.complete, tuple(_found(analysis)))

    (result,) = run(app.replays(folder), ask, app.replay_builder().build)
    return result


def _found(analysis: Analysis) -> Iterator[FoundIn]:
    for record in analysis.records.values():
        yield from (FoundIn(analysis.verdict.subject.purl, finding) for finding in record.findings)
    for followed in analysis.edges:
        if followed.analysis is not None:
            yield from _found(followed.analysis)


def mutants(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield each rewrite that changes anything, with a copy of the replay whose payload is rewritten."""
    texts = {path: path.read_text(encoding="utf-8") for path in payload(folder)}
    for name in dict.fromkeys((*javascript.REWRITES, *python.REWRITES, *minifiers())):
        done = {path: rewritten(name, path, text) for path, text in texts.items()}
        changed = {path: text for path, text in done.items() if text not in (None, texts[path])}
        if not changed:
            continue
        with tempfile.TemporaryDirectory() as scratch:
            copy = Path(scratch) / folder.name
            shutil.copytree(folder, copy)
            for path, text in changed.items():
                (copy / path.relative_to(folder)).write_text(str(text), encoding="utf-8")
            yield name, copy


def payload(folder: Path) -> list[Path]:
    """Return the files of code that an incident brought."""
    found = [path for part in _PARTS for path in sorted((folder / part).rglob("*")) if path.is_file()]
    return [path for path in found if path.suffix in (".js", ".py", ".pth")]


def rewritten(name: str, path: Path, text: str) -> str | None:
    """Return a file as one rewrite leaves it, or None where it does not apply."""
    if path.suffix == ".js":
        rewrite = javascript.REWRITES.get(name) or minifiers().get(name)
        done = rewrite(text) if rewrite is not None and javascript.parses(text) else None
        return done if done is not None and javascript.parses(done) else None
    if name not in python.REWRITES:
        return None
    if path.suffix == ".pth":
        return _on_one_line(python.REWRITES[name], text)
    bare = textwrap.dedent(text)
    indent = text[: len(text) - len(text.lstrip(" "))].rpartition("\n")[2]
    if not bare.strip() or not python.parses(bare):
        return None
    done = python.REWRITES[name](bare)
    if done is None or (indent and name == "in a class"):
        return None
    return textwrap.indent(done, indent) if python.parses(done) else None


def _on_one_line(rewrite: Rewrite, text: str) -> str | None:
    """Rewrite the line of a ``.pth`` file, which has to begin with ``import`` and to stay one line."""
    done = rewrite(text) if python.parses(text) else None
    if done is None:
        return None
    lines = ast.unparse(ast.parse(done)).split("\n")
    if any(line.startswith((" ", "@", "def ", "class ", "try", "except", "if ", "for ")) for line in lines):
        return None
    return ("" if lines[0].startswith("import ") else "import sys; ") + "; ".join(lines) + "\n"


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
        return done.stdout if done.returncode == 0 and done.stdout.strip() else None

    return rewrite


if __name__ == "__main__":
    sys.exit(main())
